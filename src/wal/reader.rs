//! Reads one log group by group, holding one group. Recovery, readers in other processes and
//! `verify` use it; it never writes. What a torn tail is, and what damage, stands in
//! `docs/format/log.md`.

use std::sync::Arc;

use super::Extent;
use super::Group;
use super::Tail;
use super::format;
use crate::codec::frame;
use crate::disk::File;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::id::WalId;
use crate::planted::Bug;
use crate::planted::planted;
use crate::time::Time;

/// Fills a buffer from an offset of the file.
type Read = Box<dyn Fn(u64, &mut [u8]) -> Result<()> + Send + Sync>;

/// A log being read.
pub(crate) struct Reader {
    file: Arc<dyn File>,
    frames: frame::Reader<Read>,
    next_seq: Sequence,
    recorded_at: Time,
}

/// Whether the log of this number holds nothing and never did: its header alone, of a store
/// without events.
pub(crate) fn is_blank(disk: &dyn ReadDisk, id: WalId) -> Result<bool> {
    let file = disk.open_read(&names::wal(id))?;
    let mut sector = vec![0; frame::SECTOR];
    file.read_at(0, &mut sector)?;
    let header = frame::Header::decode(&sector, format::MAGIC, file.path())?;
    let [first_seq, ..] = header.own;
    Ok(first_seq == 0 && header.file == id.0 && file.len()? == frame::SECTOR as u64)
}

/// Opens a log for as long as the handle lives: its writer does not use the file anew meanwhile.
fn open_held(disk: &dyn ReadDisk, id: WalId) -> Result<Box<dyn File>> {
    let file = disk.open_read(&names::wal(id))?;
    // In this order: a file that is still in its place once it is held stays what it is.
    if file.hold()? && file.is_in_place()? {
        return Ok(file);
    }
    let what = "the log is not needed any more, and its file has become another one";
    Err(Error::new(ErrorKind::Missing, what).in_file(file.path()))
}

fn open_file(disk: &dyn ReadDisk, id: WalId) -> Result<(Arc<dyn File>, Read)> {
    let file: Arc<dyn File> = Arc::from(open_held(disk, id)?);
    let source = Arc::clone(&file);
    let read = Box::new(move |offset, buffer: &mut [u8]| source.read_at(offset, buffer));
    Ok((file, read))
}

impl Reader {
    /// Opens the log of this number, which must belong to `store`.
    pub(crate) fn open(
        disk: &dyn ReadDisk,
        id: WalId,
        store: StoreId,
        extent: Extent,
    ) -> Result<Reader> {
        let (file, read) = open_file(disk, id)?;
        let (path, len) = (file.path().to_owned(), file.len()?);
        let frames = frame::Reader::open(read, &path, len, format::MAGIC, extent)?;
        Reader::of_frames(file, frames, id, store)
    }

    fn of_frames(
        file: Arc<dyn File>,
        mut frames: frame::Reader<Read>,
        id: WalId,
        store: StoreId,
    ) -> Result<Reader> {
        let path = file.path().to_owned();
        let header = *frames.header();
        if (header.store, header.file) != (store, id.0) && !planted(Bug::LogOfAnyStore) {
            let what = format!(
                "the file is log {} of store {}, not log {} of store {store}",
                header.file, header.store, id.0
            );
            return Err(Error::corrupt(&path, 24, what));
        }
        let [first_seq, _, former, former_end] = header.own;
        if former >= id.0 || former_end % frame::SECTOR as u64 != 0 {
            let what = format!("the file is said to have been log {former} up to {former_end}");
            return Err(Error::corrupt(&path, 72, what));
        }
        frames.pass_over(frame::Former {
            salt: format::header(store, WalId(former), [0; 4]).salt,
            end: former_end,
        });
        Ok(Reader {
            file,
            frames,
            next_seq: Sequence(first_seq),
            recorded_at: Time::MIN,
        })
    }

    /// Opens what is left of a log of `store` whose header is damaged, or that is cut off.
    pub(crate) fn open_left(disk: &dyn ReadDisk, id: WalId, store: StoreId) -> Result<Reader> {
        let (file, read) = open_file(disk, id)?;
        let expected = format::header(store, id, [0; 4]);
        let frames = frame::Reader::open_left(read, file.path(), file.len()?, expected);
        Reader::of_frames(file, frames, id, store)
    }

    /// Goes on behind damage, for whoever saves what is left; `false` if nothing is left.
    pub(crate) fn pass_damage(&mut self) -> Result<bool> {
        self.frames.pass_damage()
    }

    /// Goes on behind the groups read so far, now that more is known about the log's end.
    pub(crate) fn extend(&mut self, extent: Extent) -> Result<()> {
        self.frames.extend(self.file.len()?, extent)
    }

    /// The number of events committed before this log was begun.
    pub(crate) fn first_seq(&self) -> Sequence {
        let [first_seq, ..] = self.frames.header().own;
        Sequence(first_seq)
    }

    /// Where the log with the number below ends, if this one's writer knew.
    pub(crate) fn end_before(&self) -> Option<u64> {
        let [_, before, ..] = self.frames.header().own;
        (before > 0).then_some(before)
    }

    /// The next group, or `None` at the log's end. Bulk loads take sequence numbers that no log
    /// holds, so a gap is for the store to judge; going back is damage.
    pub(crate) fn next(&mut self) -> Result<Option<Group<'_>>> {
        let (next_seq, recorded_at) = (self.next_seq, self.recorded_at);
        let Some(frame) = self.frames.next()? else {
            return Ok(None);
        };
        let group = Group::decode(frame)?;
        if group.first_seq < next_seq || group.recorded_at < recorded_at {
            let what = format!(
                "the group from sequence number {} was committed before the one it follows",
                group.first_seq
            );
            return Err(Error::corrupt(frame.path, frame.offset, what));
        }
        self.next_seq = group.next_seq();
        self.recorded_at = group.recorded_at;
        Ok(Some(group))
    }

    /// How the log ended, once [`Reader::next`] has returned `None`.
    pub(crate) const fn tail(&self) -> Option<Tail> {
        self.frames.tail()
    }

    /// Hands the torn bytes behind the log's end to `sink`, piece by piece.
    pub(crate) fn copy_torn(&mut self, sink: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.frames.copy_torn(sink)
    }
}
