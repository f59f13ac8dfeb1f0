//! The fixed parts of a segment file: header, section directory, footer, and the sizes that bound
//! everything between them. Writer, reader and `verify` share these items and nothing else.
//! Spelled out in `docs/format/segment.md`.

use crate::codec::checksum::crc32;
use crate::codec::varint::Bytes;
use crate::id::SegmentId;
use crate::id::StoreId;
use crate::limits;

/// The first bytes of a segment file.
pub(crate) const MAGIC: [u8; 8] = *b"AUDITDBS";
/// The first bytes of a segment file of the first draft of the format.
pub(crate) const DRAFT_MAGIC: [u8; 8] = *b"AUDITSEG";
/// Its last bytes.
pub(crate) const END_MAGIC: [u8; 8] = *b"GESTIDUA";
/// The version written, and the only one read.
pub(crate) const VERSION: u16 = 1;
/// Feature bits without which a file cannot be understood; none is defined yet.
pub(crate) const INCOMPATIBLE_KNOWN: u32 = 0;
pub(crate) const HEADER_LEN: usize = 64;
pub(crate) const SECTION_LEN: usize = 32;
pub(crate) const FOOTER_LEN: usize = 68;
/// Sections of one file; far above what is used, so that a hostile directory stays small.
pub(crate) const SECTIONS_MAX: usize = 64;

/// Bytes that one checksum covers.
pub(crate) const PAGE_BYTES: usize = 4096;
/// Rows of every row block but the last.
pub(crate) const BLOCK_ROWS: usize = 64;
/// Bytes a row block can have: a thousand times what is common.
pub(crate) const BLOCK_BYTES_MAX: usize = 32 << 20;
/// Terms of every term block but the last.
pub(crate) const TERM_BLOCK_TERMS: usize = 64;
/// Bytes of one term.
pub(crate) const TERM_BYTES_MAX: usize = 1024;
/// Bytes a term block can have: every term whole, with its three numbers.
pub(crate) const TERM_BLOCK_BYTES_MAX: usize = TERM_BLOCK_TERMS * (TERM_BYTES_MAX + 24);
/// Raw bytes a frame of long texts can have: one text of the largest size beside short ones.
pub(crate) const TEXT_FRAME_MAX: usize = 2 * limits::EVENT_BYTES_CEILING;
/// Raw bytes a schema can have.
pub(crate) const SCHEMA_BYTES_MAX: usize = 256 << 20;
/// Bits of a fingerprint beyond those that tell as many apart as there are rows: where each row has
/// one, of 16 fingerprints that are not there one is looked for in a row in vain.
pub(crate) const FINGERPRINT_SPARE: u32 = 4;
/// An imported row is found by its origin's id while no more fingerprints than this equal the id's.
pub(crate) const ORIGIN_ROWS_MAX: usize = 8;

/// A reader that does not know a section with this flag must refuse the file.
pub(crate) const REQUIRED: u16 = 1;

/// What a section holds. The numbers are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Kind {
    /// Frames of long texts.
    Texts = 1,
    /// The dictionary of the frames, and where each is.
    TextIndex = 2,
    /// Row blocks.
    Rows = 3,
    /// One entry for each row block.
    RowIndex = 4,
    /// What the rows have in common.
    Schema = 5,
    /// The values of the columns, and the tables between them.
    Dictionaries = 6,
    /// The rows of each term.
    Lists = 7,
    /// Terms in blocks.
    Terms = 8,
    /// One entry for each term block, and the blocks' first terms.
    TermIndex = 9,
    /// Fingerprints with their rows.
    Fingerprints = 10,
    /// The checksum of each page before this section.
    PageSums = 11,
    /// The schema again, for whoever salvages.
    SchemaTwin = 12,
    /// The checksums again, likewise.
    PageSumsTwin = 13,
}

impl Kind {
    /// Every section this version writes, in file order.
    pub(crate) const ALL: [Kind; 13] = [
        Kind::Texts,
        Kind::TextIndex,
        Kind::Rows,
        Kind::RowIndex,
        Kind::Schema,
        Kind::Dictionaries,
        Kind::Lists,
        Kind::Terms,
        Kind::TermIndex,
        Kind::Fingerprints,
        Kind::SchemaTwin,
        Kind::PageSums,
        Kind::PageSumsTwin,
    ];
}

/// The first 64 bytes: which file this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: u16,
    pub(crate) incompatible: u32,
    pub(crate) compatible: u32,
    pub(crate) store: StoreId,
    pub(crate) segment: SegmentId,
}

/// One entry of the section directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    /// CRC-32 of the whole section.
    pub(crate) crc: u32,
    pub(crate) offset: u64,
    pub(crate) len: u64,
    /// Rows, terms, pairs or index entries, as the kind has it.
    pub(crate) items: u64,
}

/// The last 68 bytes: where the directory is, and what the file must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) directory_offset: u64,
    pub(crate) directory_len: u32,
    pub(crate) directory_crc: u32,
    pub(crate) rows: u32,
    /// SHA-256 of every byte before the footer.
    pub(crate) content_hash: [u8; 32],
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&(HEADER_LEN as u16).to_le_bytes());
        out.extend_from_slice(&self.incompatible.to_le_bytes());
        out.extend_from_slice(&self.compatible.to_le_bytes());
        out.extend_from_slice(&self.store.0);
        out.extend_from_slice(&self.segment.0.to_le_bytes());
        out.extend_from_slice(&[0; 16]);
        let crc = crc32(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// `None` when the bytes are no header that was ever written; a version or flags that are
    /// unknown are the caller's to refuse.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Header> {
        let (covered, crc) = bytes.split_last_chunk::<4>()?;
        let mut bytes = Bytes::new(covered);
        if crc32(covered) != u32::from_le_bytes(*crc) || bytes.array()? != MAGIC {
            return None;
        }
        let version = bytes.u16()?;
        if usize::from(bytes.u16()?) != HEADER_LEN {
            return None;
        }
        Some(Header {
            version,
            incompatible: bytes.u32()?,
            compatible: bytes.u32()?,
            store: StoreId(bytes.array()?),
            segment: SegmentId(bytes.u64()?),
        })
    }
}

impl Section {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.kind.to_le_bytes());
        out.extend_from_slice(&self.flags.to_le_bytes());
        out.extend_from_slice(&self.crc.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.len.to_le_bytes());
        out.extend_from_slice(&self.items.to_le_bytes());
    }

    pub(crate) fn decode(bytes: &mut Bytes<'_>) -> Option<Section> {
        Some(Section {
            kind: bytes.u16()?,
            flags: bytes.u16()?,
            crc: bytes.u32()?,
            offset: bytes.u64()?,
            len: bytes.u64()?,
            items: bytes.u64()?,
        })
    }

    /// The offset behind the section, unless no file can be that long.
    pub(crate) fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.len)
    }
}

impl Footer {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FOOTER_LEN);
        out.extend_from_slice(&self.directory_offset.to_le_bytes());
        out.extend_from_slice(&self.directory_len.to_le_bytes());
        out.extend_from_slice(&self.directory_crc.to_le_bytes());
        out.extend_from_slice(&self.rows.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.content_hash);
        let crc = crc32(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&END_MAGIC);
        out
    }

    /// `None` when the bytes are no footer that was ever written.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Footer> {
        let covered = bytes.strip_suffix(&END_MAGIC)?;
        let (covered, crc) = covered.split_last_chunk::<4>()?;
        if crc32(covered) != u32::from_le_bytes(*crc) {
            return None;
        }
        let mut bytes = Bytes::new(covered);
        let footer = Footer {
            directory_offset: bytes.u64()?,
            directory_len: bytes.u32()?,
            directory_crc: bytes.u32()?,
            rows: bytes.u32()?,
            content_hash: {
                bytes.take(4)?;
                bytes.array()?
            },
        };
        bytes.is_empty().then_some(footer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_parts_round_trip_and_notice_every_flipped_bit() {
        let header = Header {
            version: VERSION,
            incompatible: 0,
            compatible: 5,
            store: StoreId([7; 16]),
            segment: SegmentId(9),
        };
        let footer = Footer {
            directory_offset: 1,
            directory_len: 2,
            directory_crc: 3,
            rows: 4,
            content_hash: [5; 32],
        };
        assert_eq!(header.encode().len(), HEADER_LEN);
        assert_eq!(footer.encode().len(), FOOTER_LEN);
        assert_eq!(Header::decode(&header.encode()), Some(header));
        assert_eq!(Footer::decode(&footer.encode()), Some(footer));
        for bit in 0..HEADER_LEN * 8 {
            assert_eq!(Header::decode(&flipped(header.encode(), bit)), None);
        }
        for bit in 0..FOOTER_LEN * 8 {
            assert_eq!(Footer::decode(&flipped(footer.encode(), bit)), None);
        }
    }

    fn flipped(mut bytes: Vec<u8>, bit: usize) -> Vec<u8> {
        if let Some(byte) = bytes.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
        bytes
    }
}
