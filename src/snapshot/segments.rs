//! The segment files of a store as readers see them: pinned while somebody may read them, opened
//! when first read, and only so many open at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use crate::disk::Disk;
use crate::disk::blob::Blob;
use crate::error::Result;
use crate::id::SegmentId;
use crate::id::StoreId;
use crate::manifest::SegmentEntry;
use crate::options::ReadMode;
use crate::segment::reader::Expected;
use crate::segment::reader::Reader;

/// A live segment. When a merge has replaced it, its file goes with the last holder.
pub(crate) struct Pinned {
    pub(crate) entry: SegmentEntry,
    disk: Arc<dyn Disk>,
    replaced: AtomicBool,
}

impl Pinned {
    pub(crate) fn new(entry: SegmentEntry, disk: Arc<dyn Disk>) -> Pinned {
        Pinned {
            entry,
            disk,
            replaced: AtomicBool::new(false),
        }
    }

    /// Says that the manifest names the segment no more: the last holder removes its file.
    pub(crate) fn replace(&self) {
        self.replaced.store(true, Ordering::Release);
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if self.replaced.load(Ordering::Acquire) {
            // A file that cannot be removed now is an orphan, which the writer removes at its next
            // open; nothing reads it meanwhile.
            drop(self.disk.unlink(&self.entry.path()));
        }
    }
}

/// Opens segments and keeps the most recently used ones open.
pub(crate) struct Segments {
    disk: Arc<dyn Disk>,
    store: StoreId,
    read_mode: ReadMode,
    open_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    readers: HashMap<SegmentId, (Reader, u64)>,
    uses: u64,
}

impl Segments {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        store: StoreId,
        read_mode: ReadMode,
        open_max: usize,
    ) -> Segments {
        Segments {
            disk,
            store,
            read_mode,
            open_max,
            kept: Mutex::default(),
        }
    }

    /// Closes a segment that is no more. Who reads it right now goes on reading.
    pub(crate) fn forget(&self, id: SegmentId) {
        self.kept.lock().readers.remove(&id);
    }

    /// How many segments are kept open.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> usize {
        self.kept.lock().readers.len()
    }

    /// The reader of a segment, opened unless it is open.
    pub(crate) fn reader(&self, entry: &SegmentEntry) -> Result<Reader> {
        let mut kept = self.kept.lock();
        kept.uses += 1;
        let now = kept.uses;
        if let Some((reader, used)) = kept.readers.get_mut(&entry.id) {
            *used = now;
            return Ok(reader.clone());
        }
        drop(kept);
        let reader = self.open(entry)?;
        let mut kept = self.kept.lock();
        if kept.readers.len() >= self.open_max {
            let oldest = kept
                .readers
                .iter()
                .min_by_key(|(_, (_, used))| *used)
                .map(|(id, _)| *id);
            oldest.and_then(|id| kept.readers.remove(&id));
        }
        kept.readers.insert(entry.id, (reader.clone(), now));
        Ok(reader)
    }

    /// A reader of a segment for one walk over it. It is not kept: a load that asked for each of its
    /// segments once would leave all of them open, between whose parts the allocator cannot give
    /// back what the next one is written in.
    pub(crate) fn open(&self, entry: &SegmentEntry) -> Result<Reader> {
        let blob = Blob::open(&*self.disk, &entry.path(), entry.file_len, self.read_mode)?;
        let expected = Expected {
            store: self.store,
            segment: entry.id,
            rows: entry.rows,
            content_hash: entry.content_hash,
        };
        Reader::open(blob, &expected)
    }
}
