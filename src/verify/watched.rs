//! What checks and salvages read through. It keeps the first failure that says nothing about the medium,
//! such as too many open files, wherever that was taken for a file that cannot be read: what such a
//! check found is worth nothing, so the failure takes the place of the answer.

use std::path::Path;
use std::path::PathBuf;

use parking_lot::Mutex;

use crate::disk::Entry;
use crate::disk::File;
use crate::disk::ReadDisk;
use crate::disk::blob::Bytes;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// A disk that remembers whether it could be read from.
pub(super) struct Watched<'d> {
    disk: &'d dyn ReadDisk,
    failure: Mutex<Option<Error>>,
}

impl<'d> Watched<'d> {
    pub(super) fn new(disk: &'d dyn ReadDisk) -> Watched<'d> {
        Watched {
            disk,
            failure: Mutex::default(),
        }
    }

    /// Fails if a look so far was kept from what is on the medium.
    pub(super) fn check(&self) -> Result<()> {
        self.failure
            .lock()
            .as_ref()
            .map_or(Ok(()), |error| Err(error.again()))
    }

    /// `found`, unless the disk could not be read from as it was.
    pub(super) fn judge<T>(&self, found: Result<T>) -> Result<T> {
        self.check().and(found)
    }

    /// A device error is damage: it says of a place that it cannot be read. A reader that finds no
    /// room, for a handle or for bytes, knows nothing of the place.
    fn note<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.inspect_err(|error| {
            if error.kind() == ErrorKind::Full {
                self.failure.lock().get_or_insert_with(|| error.again());
            }
        })
    }
}

impl ReadDisk for Watched<'_> {
    fn place(&self, path: &Path) -> PathBuf {
        self.disk.place(path)
    }

    fn open_read(&self, path: &Path) -> Result<Box<dyn File>> {
        self.note(self.disk.open_read(path))
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>> {
        self.note(self.disk.list(path))
    }

    fn folder_stamp(&self, path: &Path) -> Result<Option<u64>> {
        self.note(self.disk.folder_stamp(path))
    }

    fn len(&self, path: &Path) -> Result<Option<u64>> {
        self.note(self.disk.len(path))
    }

    fn map(&self, path: &Path, len: u64) -> Result<Option<Bytes>> {
        self.note(self.disk.map(path, len))
    }

    fn is_locked(&self, path: &Path) -> Result<bool> {
        self.note(self.disk.is_locked(path))
    }

    fn boot(&self) -> Option<u64> {
        self.disk.boot()
    }
}
