//! Reads a stamped log front to back in linear time, holding one frame and one buffer. The
//! invariant: a frame handed out is whole, in its place and behind the frames it was written
//! behind; where the log ends, the caller learns whether something was cut off there and why.

use std::path::Path;
use std::path::PathBuf;

use super::Chain;
use super::FIRST_HEAD;
use super::Head;
use super::Header;
use super::PAYLOAD_MAX;
use super::SECTOR;
use super::STAMP;
use super::first_stamp;
use super::is_of;
use super::next_stamp;
use super::stamp;
use crate::codec::checksum::crc32;
use crate::error::Error;
use crate::error::Result;
use crate::planted::Bug;
use crate::planted::planted;

/// Bytes read at once when sectors are only looked at.
const WINDOW: usize = 128 * SECTOR;

/// What is known about a log's end before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The store was closed: the log ends exactly here, and only zeros may follow.
    Closed(u64),
    /// A live writer published this end: what follows is not looked at.
    Live(u64),
    /// Nobody closed the log. Everything below `durable` is known to have reached the disk; give 0
    /// where that is not known.
    Unclean {
        /// The durable end, or 0.
        durable: u64,
    },
}

/// One frame of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// The log's file, for error messages about the payload.
    pub(crate) path: &'a Path,
    /// Where the frame begins in it.
    pub(crate) offset: u64,
    /// The bytes that were appended.
    pub(crate) payload: &'a [u8],
}

/// How a log ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Where the last whole frame ends.
    pub(crate) end: u64,
    /// What was found behind it, when that is not nothing.
    pub(crate) torn: Option<Torn>,
}

/// Bytes behind the last whole frame: the rest of a write that a crash interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Torn {
    /// How many, up to the last one that is not zero.
    pub(crate) bytes: u64,
    /// Why they are no frame.
    pub(crate) why: &'static str,
}

/// A stamped log being read through `read`, which fills a buffer from an offset.
pub(crate) struct Reader<R> {
    read: R,
    path: PathBuf,
    header: Header,
    file_len: u64,
    extent: Extent,
    chain: Chain,
    payload: Vec<u8>,
    window: Vec<u8>,
    tail: Option<Tail>,
    former: Option<Former>,
    /// Where no frame could be read.
    damaged: Option<u64>,
}

/// The log whose file this one is written over: its sectors below `end` mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Former {
    /// Its salt.
    pub(crate) salt: u64,
    /// Where it ended.
    pub(crate) end: u64,
}

/// What stands where a frame is expected.
enum Found {
    Frame(Chain),
    Nothing(&'static str),
}

impl<R: Fn(u64, &mut [u8]) -> Result<()>> Reader<R> {
    /// Reads the header of the log at `path`, which is `file_len` bytes long.
    pub(crate) fn open(
        read: R,
        path: &Path,
        file_len: u64,
        magic: [u8; 8],
        extent: Extent,
    ) -> Result<Reader<R>> {
        let mut sector = vec![0; SECTOR];
        let header_end = SECTOR as u64;
        if file_len < header_end {
            let what = "the file ends inside its header";
            return Err(Error::corrupt(path, file_len, what));
        }
        read(0, &mut sector)?;
        let header = Header::decode(&sector, magic, path)?;
        if let Extent::Closed(end) | Extent::Live(end) = extent
            && (end < header_end || end % header_end != 0)
        {
            let what = format!("the recorded end, {end}, is no end of a log");
            return Err(Error::corrupt(path, end, what));
        }
        let (Extent::Closed(known) | Extent::Live(known) | Extent::Unclean { durable: known }) =
            extent;
        if known > file_len {
            let what = format!("the file is cut off: it was {known} bytes long");
            return Err(Error::corrupt(path, file_len, what));
        }
        let chain = header.chain_behind(&sector);
        Ok(Reader::behind(header, chain, read, path, file_len, extent))
    }

    fn behind(
        header: Header,
        chain: Chain,
        read: R,
        path: &Path,
        file_len: u64,
        extent: Extent,
    ) -> Reader<R> {
        Reader {
            read,
            path: path.to_owned(),
            header,
            file_len,
            extent,
            chain,
            payload: Vec::new(),
            window: Vec::new(),
            tail: None,
            former: None,
            damaged: None,
        }
    }

    /// Opens what is left of a log whose header is damaged or whose end is gone. `expected` is the
    /// header that it should have.
    pub(crate) fn open_left(read: R, path: &Path, file_len: u64, expected: Header) -> Reader<R> {
        let mut sector = vec![0; SECTOR];
        let own = read(0, &mut sector).and_then(|()| Header::decode(&sector, expected.magic, path));
        let (header, chain) = match own {
            Ok(header) => (header, header.chain_behind(&sector)),
            Err(_) => (expected, expected.chain()),
        };
        let extent = Extent::Unclean { durable: 0 };
        Reader::behind(header, chain, read, path, file_len, extent)
    }

    /// Passes over damage, for whoever saves what is left: [`Reader::next`] goes on with the next
    /// frame that begins as one of this log, whatever stood before it. `false` if there is none.
    pub(crate) fn pass_damage(&mut self) -> Result<bool> {
        let behind = self.damaged.map(|at| at + SECTOR as u64);
        let mut place = behind.unwrap_or(self.chain.offset());
        while place < self.file_len {
            let step = self.load(place, self.file_len)?;
            if let Some(chain) = self.frame_in_window(place) {
                self.chain = chain;
                return Ok(true);
            }
            place += step;
        }
        Ok(false)
    }

    /// The place of the first frame in the window, which begins at `place`.
    fn frame_in_window(&self, place: u64) -> Option<Chain> {
        let salt = self.chain.salt;
        let numbers = place / SECTOR as u64..;
        let mut sectors = self.window.chunks_exact(SECTOR).zip(numbers);
        sectors.find_map(|(bytes, sector)| {
            let begins = stamp(bytes) == Some(first_stamp(salt, sector));
            let head = begins.then(|| Head::decode(bytes, salt, sector))??;
            Some(Chain {
                salt,
                sector,
                previous: head.previous,
            })
        })
    }

    /// Goes on behind the frames read so far: the file is `file_len` bytes long by now, and this is
    /// known about the log's end. Nothing before is read again.
    pub(crate) fn extend(&mut self, file_len: u64, extent: Extent) -> Result<()> {
        let (Extent::Closed(known) | Extent::Live(known) | Extent::Unclean { durable: known }) =
            extent;
        if known > file_len {
            let what = format!("the file is cut off: it was {known} bytes long");
            return Err(self.corrupt(file_len, what));
        }
        self.file_len = file_len;
        self.extent = extent;
        self.tail = None;
        Ok(())
    }

    /// Passes over what the file held when it was another log.
    pub(crate) const fn pass_over(&mut self, former: Former) {
        self.former = Some(former);
    }

    /// The file's header.
    pub(crate) const fn header(&self) -> &Header {
        &self.header
    }

    /// Where a writer goes on: behind the frames read so far.
    pub(crate) const fn chain(&self) -> Chain {
        self.chain
    }

    /// How the log ended, once [`Reader::next`] has returned `None`.
    pub(crate) const fn tail(&self) -> Option<Tail> {
        self.tail
    }

    /// The next frame, or `None` at the log's end. Damage is an error, and stays one.
    pub(crate) fn next(&mut self) -> Result<Option<Frame<'_>>> {
        if self.tail.is_some() {
            return Ok(None);
        }
        let at = self.chain.offset();
        self.damaged = Some(at);
        let sector = SECTOR as u64;
        let limit = match self.extent {
            Extent::Closed(end) | Extent::Live(end) => end,
            Extent::Unclean { .. } => self.file_len / sector * sector,
        };
        let found = if at < limit {
            self.frame(limit)?
        } else {
            Found::Nothing("the file ends inside a sector")
        };
        match found {
            Found::Frame(next) => {
                self.chain = next;
                self.damaged = None;
                let payload = self.payload.as_slice();
                return Ok(Some(Frame {
                    path: &self.path,
                    offset: at,
                    payload,
                }));
            }
            Found::Nothing(why) => self.tail = Some(self.end(at, limit, why)?),
        }
        Ok(None)
    }

    /// Hands the bytes that were cut off to `sink`, piece by piece, so that they can be kept.
    pub(crate) fn copy_torn(&mut self, mut sink: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let Some(Tail {
            end,
            torn: Some(torn),
        }) = self.tail
        else {
            return Ok(());
        };
        let mut at = end;
        while at < end + torn.bytes {
            at += self.load(at, end + torn.bytes)?;
            sink(&self.window)?;
        }
        Ok(())
    }

    fn corrupt(&self, at: u64, what: impl Into<String>) -> Error {
        Error::corrupt(&self.path, at, what)
    }

    /// Fills the window from `at`, not past `limit`; answers how many bytes it holds.
    fn load(&mut self, at: u64, limit: u64) -> Result<u64> {
        let len = limit.saturating_sub(at).min(WINDOW as u64);
        self.window.resize(usize::try_from(len).unwrap_or(0), 0);
        (self.read)(at, &mut self.window)?;
        Ok(len)
    }

    /// Looks for the next frame of the chain, and reads its payload.
    fn frame(&mut self, limit: u64) -> Result<Found> {
        let at = self.chain.offset();
        let Chain {
            salt,
            sector: number,
            previous,
        } = self.chain;
        self.load(at, at + SECTOR as u64)?;
        if stamp(&self.window) != Some(first_stamp(salt, number)) {
            return Ok(Found::Nothing("a frame's first sector is missing"));
        }
        let Some(head) = Head::decode(&self.window, salt, number) else {
            return Err(self.corrupt(at, "the checksum of a frame's head does not match"));
        };
        if head.previous != previous {
            // No flipped bit does this: the head's checksum covers the field. It is what is left of
            // writes behind one that was rolled back.
            return Ok(Found::Nothing("a frame does not follow the one before it"));
        }
        if head.synced > at {
            return Err(self.corrupt(at, "a frame claims that itself was written before it"));
        }
        let len = usize::try_from(head.payload_len).unwrap_or(usize::MAX);
        if len == 0 || len > PAYLOAD_MAX {
            return Err(self.corrupt(at, format!("a frame of {len} bytes")));
        }
        let sectors = head.sectors();
        let end = at + sectors * SECTOR as u64;
        if end > limit {
            return Ok(Found::Nothing("the file ends inside a frame"));
        }
        self.payload.clear();
        self.payload.reserve(len);
        let mut place = at;
        while place < end {
            let step = self.load(place, end)?;
            let numbers = place / SECTOR as u64..;
            for (sector, number) in self.window.chunks(SECTOR).zip(numbers) {
                let first = place == at && self.payload.is_empty();
                let (wanted, skip) = if first {
                    (first_stamp(salt, number), FIRST_HEAD)
                } else {
                    (next_stamp(salt, number, head.crc), STAMP)
                };
                if stamp(sector) != Some(wanted) {
                    return Ok(Found::Nothing("a sector of the last frame is missing"));
                }
                self.payload
                    .extend_from_slice(sector.get(skip..).unwrap_or_default());
            }
            place += step;
        }
        self.check(at, len, head.payload_crc)?;
        Ok(Found::Frame(Chain {
            salt,
            sector: number + sectors,
            previous: head.crc,
        }))
    }

    /// Checks the payload of a frame that is all there, and cuts the padding off.
    fn check(&mut self, at: u64, len: usize, crc: u32) -> Result<()> {
        let padding = self.payload.get(len..).unwrap_or_default();
        if padding.iter().any(|byte| *byte != 0) {
            return Err(self.corrupt(at, "the unused bytes of a frame's last sector are not zero"));
        }
        self.payload.truncate(len);
        if crc32(&self.payload) != crc && !planted(Bug::LaunderChecksum) {
            return Err(self.corrupt(at, "the checksum of a frame's payload does not match"));
        }
        Ok(())
    }

    /// Judges what stands at `at`, where no whole frame begins: the log's end, or damage.
    fn end(&mut self, at: u64, limit: u64, why: &'static str) -> Result<Tail> {
        let clean = Tail {
            end: at,
            torn: None,
        };
        let durable = match self.extent {
            Extent::Live(end) if at == end => return Ok(clean),
            Extent::Live(end) => end,
            Extent::Closed(end) => end,
            Extent::Unclean { durable } => durable,
        };
        if at < durable && !planted(Bug::CutBelowWatermark) {
            return Err(self.corrupt(at, format!("damaged: {why}")));
        }
        let mut place = at;
        let mut last = at;
        while place < self.file_len {
            let step = self.load(place, self.file_len)?;
            last = self.last_used(place).unwrap_or(last);
            if place < limit && self.window_needs(at, place) {
                let what = format!("damaged: {why}, though later frames say it was written");
                return Err(self.corrupt(at, what));
            }
            place += step;
        }
        if last == at {
            return Ok(clean);
        }
        if matches!(self.extent, Extent::Closed(_)) {
            let what = "there are bytes behind the end that was recorded when the store was closed";
            return Err(self.corrupt(at, what));
        }
        let torn = Some(Torn {
            bytes: last - at,
            why,
        });
        Ok(Tail { end: at, torn })
    }

    /// The end of the last byte in the window that is neither zero nor of the file's former life.
    fn last_used(&self, place: u64) -> Option<u64> {
        let numbers = place / SECTOR as u64..;
        let sectors = self.window.chunks(SECTOR).zip(numbers);
        let used = sectors.filter_map(|(sector, number)| {
            let at = number * SECTOR as u64;
            let nonzero = sector.iter().rposition(|byte| *byte != 0)?;
            let former = self.former.filter(|former| at < former.end);
            let is_former = former.is_some_and(|former| is_of(sector, former.salt, number));
            (!is_former).then_some(at + nonzero as u64 + 1)
        });
        used.last()
    }

    /// Whether a frame in the window was written when everything up to beyond `at` was on the disk.
    fn window_needs(&self, at: u64, place: u64) -> bool {
        let numbers = place / SECTOR as u64..;
        self.window
            .chunks_exact(SECTOR)
            .zip(numbers)
            .filter(|(sector, number)| stamp(sector) == Some(first_stamp(self.chain.salt, *number)))
            .filter_map(|(sector, number)| Head::decode(sector, self.chain.salt, number))
            .any(|head| head.synced > at && !planted(Bug::LaterFramesIgnored))
    }
}
