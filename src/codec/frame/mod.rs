//! The stamped log: a file of 512-byte sectors that tells a torn tail from damage. Sector 0 is the
//! file's header; a frame fills whole sectors, and each of them begins with a stamp that only this
//! file, this sector and this frame have. Write-ahead logs and manifests are such files.
//! Normative page: `docs/format/log.md`.
//!
//! ```text
//! header  magic 8 · version 4 · incompat 4 · compat 4 · 0 4 · store 16 · file 8 · salt 8 · own 32 · 0 420 · crc 4
//! frame   stamp 8 · crc 4 · payload len 4 · payload crc 4 · previous crc 4 · synced 8 · payload 480
//!         stamp 8 · payload 504                                             (as often as needed)
//! ```

mod reader;
#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;

pub(crate) use reader::Extent;
pub(crate) use reader::Former;
pub(crate) use reader::Frame;
pub(crate) use reader::Reader;
pub(crate) use reader::Tail;

use super::checksum::crc32;
use super::varint::Bytes;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::StoreId;
use crate::limits;

/// Bytes of a sector: what every disk in use writes as a whole or not at all.
pub(crate) const SECTOR: usize = 512;
/// The version this library writes and reads.
pub(crate) const VERSION: u32 = 1;
/// Required features this library knows: none yet.
const INCOMPAT_KNOWN: u32 = 0;
/// Bytes at the head of a frame's first sector that are not payload.
const FIRST_HEAD: usize = 32;
/// Bytes of a stamp.
const STAMP: usize = 8;
/// Tells the stamps of further sectors from those of first ones.
const FURTHER: u64 = 1 << 63;
/// Where the header's checksum stands.
const HEADER_CRC_AT: usize = SECTOR - 4;
/// The largest payload of one frame: an atomic batch and room for its rows' places.
pub(crate) const PAYLOAD_MAX: usize = 2 * limits::BATCH_BYTES;

const _: () = assert!(PAYLOAD_MAX <= u32::MAX as usize / 2);

/// What a stamped log says of itself in its first sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// What kind of log this is.
    pub(crate) magic: [u8; 8],
    /// The store the file belongs to.
    pub(crate) store: StoreId,
    /// The number in the file's name.
    pub(crate) file: u64,
    /// Mixed into every stamp, so that no other file's sectors fit here.
    pub(crate) salt: u64,
    /// Four numbers whose meaning the kind of log decides.
    pub(crate) own: [u64; 4],
}

/// The place and the predecessor of the next frame of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    salt: u64,
    sector: u64,
    previous: u32,
}

/// The fields at the head of a frame whose own checksum fits.
#[derive(Clone, Copy, Debug)]
struct Head {
    crc: u32,
    payload_len: u32,
    payload_crc: u32,
    previous: u32,
    synced: u64,
}

impl Header {
    /// A header whose salt follows from the store, the kind and the number of the file: file
    /// numbers are never used twice, so neither is a salt.
    pub(crate) fn new(magic: [u8; 8], store: StoreId, file: u64, own: [u64; 4]) -> Header {
        let bits = u128::from_le_bytes(store.0);
        let salt = [bits as u64, (bits >> 64) as u64, file]
            .into_iter()
            .fold(u64::from_le_bytes(magic), |salt, part| mix(salt ^ part));
        Header {
            magic,
            store,
            file,
            salt,
            own,
        }
    }

    /// The file's first sector.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SECTOR);
        out.extend_from_slice(&self.magic);
        for word in [VERSION, 0, 0, 0] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.store.0);
        out.extend_from_slice(&self.file.to_le_bytes());
        out.extend_from_slice(&self.salt.to_le_bytes());
        for word in self.own {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.resize(HEADER_CRC_AT, 0);
        let crc = crc32(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a file's first sector and checks that it opens a log of this kind.
    pub(crate) fn decode(sector: &[u8], magic: [u8; 8], path: &Path) -> Result<Header> {
        let damaged = |what: &str| Error::corrupt(path, 0, what);
        if !sector.starts_with(&magic) {
            return Err(damaged("the file does not begin as a log of its kind does"));
        }
        let fields = sector.get(..HEADER_CRC_AT).unwrap_or_default();
        if Some(crc32(fields)) != header_crc(sector) {
            return Err(damaged("the checksum of the file's header does not match"));
        }
        let mut bytes = Bytes::new(fields);
        Header::fields(&mut bytes, path)?.ok_or_else(|| damaged("the file's header is cut short"))
    }

    fn fields(bytes: &mut Bytes<'_>, path: &Path) -> Result<Option<Header>> {
        let (Some(magic), Some(version), Some(incompat)) =
            (bytes.array(), bytes.u32(), bytes.u32())
        else {
            return Ok(None);
        };
        if version != VERSION || incompat & !INCOMPAT_KNOWN != 0 {
            let what = format!(
                "the log has version {version} and required features {incompat:#x}; this library \
                 reads version {VERSION} and none: use a newer one"
            );
            return Err(Error::new(ErrorKind::Unsupported, what).at(path, 8));
        }
        let (Some(_optional), Some(_zero), Some(store)) = (bytes.u32(), bytes.u32(), bytes.array())
        else {
            return Ok(None);
        };
        let mut words = [0; 6];
        for word in &mut words {
            let Some(value) = bytes.u64() else {
                return Ok(None);
            };
            *word = value;
        }
        let [file, salt, own @ ..] = words;
        Ok(Some(Header {
            magic,
            store: StoreId(store),
            file,
            salt,
            own,
        }))
    }

    /// Where the first frame goes of a log that begins with this header.
    pub(crate) fn chain(&self) -> Chain {
        self.chain_behind(&self.encode())
    }

    /// As [`Header::chain`], behind the header as it was read: it can hold optional features that
    /// this library does not know.
    fn chain_behind(&self, sector: &[u8]) -> Chain {
        Chain {
            salt: self.salt,
            sector: 1,
            previous: header_crc(sector).unwrap_or(0),
        }
    }
}

impl Chain {
    /// The byte offset of the next frame, which is the end of the log so far.
    pub(crate) const fn offset(&self) -> u64 {
        self.sector * SECTOR as u64
    }

    /// Replaces `out` by the sectors of the next frame, and says what follows it once it is written.
    /// Everything below `synced` must be known to be on the disk: a reader that finds this frame
    /// takes a gap below `synced` for damage.
    pub(crate) fn encode(&self, payload: &[u8], synced: u64, out: &mut Vec<u8>) -> Result<Chain> {
        let len = u32::try_from(payload.len()).ok();
        let Some(payload_len) = len.filter(|_| payload.len() <= PAYLOAD_MAX && !payload.is_empty())
        else {
            let what = format!("a log frame of {} bytes", payload.len());
            return Err(Error::new(ErrorKind::OutOfRange, what));
        };
        let mut head = Head {
            crc: 0,
            payload_len,
            payload_crc: crc32(payload),
            previous: self.previous,
            synced,
        };
        head.crc = head.checksum(self.salt, self.sector);
        let sectors = head.sectors();
        out.clear();
        out.reserve(usize::try_from(sectors).unwrap_or(0).saturating_mul(SECTOR));
        out.extend_from_slice(&first_stamp(self.salt, self.sector).to_le_bytes());
        out.extend_from_slice(&head.crc.to_le_bytes());
        out.extend_from_slice(&head.covered());
        let (first, rest) = payload
            .split_at_checked(SECTOR - FIRST_HEAD)
            .unwrap_or((payload, &[]));
        out.extend_from_slice(first);
        for (sector, part) in (self.sector + 1..).zip(rest.chunks(SECTOR - STAMP)) {
            out.extend_from_slice(&next_stamp(self.salt, sector, head.crc).to_le_bytes());
            out.extend_from_slice(part);
        }
        out.resize(out.len().next_multiple_of(SECTOR), 0);
        Ok(Chain {
            salt: self.salt,
            sector: self.sector + sectors,
            previous: head.crc,
        })
    }
}

impl Head {
    /// The head of the frame that begins with `sector`, number `number`: `None` when its checksum
    /// does not fit.
    fn decode(sector: &[u8], salt: u64, number: u64) -> Option<Head> {
        let mut bytes = Bytes::new(sector);
        bytes.take(STAMP)?;
        let head = Head {
            crc: bytes.u32()?,
            payload_len: bytes.u32()?,
            payload_crc: bytes.u32()?,
            previous: bytes.u32()?,
            synced: bytes.u64()?,
        };
        (head.crc == head.checksum(salt, number)).then_some(head)
    }

    /// The bytes behind the frame's checksum, which covers them.
    fn covered(&self) -> [u8; FIRST_HEAD - STAMP - 4] {
        let mut bytes = [0; FIRST_HEAD - STAMP - 4];
        let words = [self.payload_len, self.payload_crc, self.previous];
        let words = words.into_iter().flat_map(u32::to_le_bytes);
        let fields = words.chain(self.synced.to_le_bytes());
        for (place, byte) in bytes.iter_mut().zip(fields) {
            *place = byte;
        }
        bytes
    }

    /// Binds the frame to its file, its place, its content and, through `previous`, all before it.
    fn checksum(&self, salt: u64, sector: u64) -> u32 {
        let mut bytes = [0; 16 + FIRST_HEAD - STAMP - 4];
        let places = [salt, sector].into_iter().flat_map(u64::to_le_bytes);
        for (place, byte) in bytes.iter_mut().zip(places.chain(self.covered())) {
            *place = byte;
        }
        crc32(&bytes)
    }

    /// Sectors of the whole frame.
    fn sectors(&self) -> u64 {
        let rest = u64::from(self.payload_len).saturating_sub((SECTOR - FIRST_HEAD) as u64);
        1 + rest.div_ceil((SECTOR - STAMP) as u64)
    }
}

/// The stamp of a frame's first sector.
fn first_stamp(salt: u64, sector: u64) -> u64 {
    mix(mix(salt) ^ sector) | 1
}

/// The stamp of a frame's further sectors. Its upper half holds the frame's checksum, so that sectors
/// of an earlier attempt to write here, rolled back and then brought up by a crash, count as missing.
fn next_stamp(salt: u64, sector: u64, crc: u32) -> u64 {
    (mix(mix(salt) ^ sector ^ FURTHER) | 1) ^ (u64::from(crc) << 32)
}

/// Whether a sector is of the log with this salt, as far as the lower half of its stamp tells: what
/// is left of a file's former life can be told without the frames it was part of.
fn is_of(sector: &[u8], salt: u64, number: u64) -> bool {
    let low = |stamp: u64| stamp as u32;
    let [first, further] = [first_stamp(salt, number), next_stamp(salt, number, 0)].map(low);
    stamp(sector).is_some_and(|found| low(found) == first || low(found) == further)
}

fn stamp(sector: &[u8]) -> Option<u64> {
    sector.first_chunk().copied().map(u64::from_le_bytes)
}

/// The finaliser of SplitMix64: every bit of the input reaches every bit of the output.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn header_crc(sector: &[u8]) -> Option<u32> {
    let tail = sector.get(HEADER_CRC_AT..)?;
    tail.first_chunk().copied().map(u32::from_le_bytes)
}
