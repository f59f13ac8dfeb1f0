//! The file of a log that is needed no more, kept for the next one: writing over blocks that the file
//! has already is what makes a sync cheap, since nothing but the bytes themselves has to reach the
//! disk. It waits in `tmp/`, where nobody looks for logs and every open cleans up.

use crate::disk::Disk;
use crate::disk::File;
use crate::disk::durable;
use crate::disk::names;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::WalId;
use crate::planted::Bug;
use crate::planted::planted;

/// A file that holds nothing but a log of this store, whole and to its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spare {
    /// The number of the log it was.
    pub(super) id: WalId,
    /// Its length, where that log ended.
    pub(super) end: u64,
}

impl Spare {
    /// Takes the log of this number out of its place. No record of the store may need it any more,
    /// and its writer must have ended it. `None` while somebody
    /// reads it, or if another name leads to it: then it can only be removed.
    pub(crate) fn take(disk: &dyn Disk, id: WalId) -> Result<Option<Spare>> {
        let (path, aside) = (names::wal(id), names::draft(&names::wal(id)));
        let file = disk.open_write(&path)?;
        if !(file.claim()? || planted(Bug::ReuseUnderReader)) || !file.is_single()? {
            return Ok(None);
        }
        let end = file.len()?;
        // Claimed until it is gone from its place: who opens it later finds that it is not there.
        disk.rename(&path, &aside)?;
        Ok(Some(Spare { id, end }))
    }

    /// Makes it the file `log`, which begins with `header`. A crash leaves a whole header there, or no
    /// file of that name.
    pub(super) fn reuse(self, disk: &dyn Disk, log: WalId, header: &[u8]) -> Result<Box<dyn File>> {
        let (aside, path) = (names::draft(&names::wal(self.id)), names::wal(log));
        let file = disk.open_write(&aside)?;
        file.write_at(0, header)?;
        file.sync_data()?;
        durable::place_new(disk, &aside, &path)?;
        disk.open_write(&path)
    }

    /// Removes the file.
    pub(crate) fn remove(self, disk: &dyn Disk) -> Result<()> {
        match disk.unlink(&names::draft(&names::wal(self.id))) {
            Err(error) if error.kind() == ErrorKind::Missing => Ok(()),
            other => other,
        }
    }
}
