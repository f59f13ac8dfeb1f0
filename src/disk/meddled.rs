//! A simulated disk on which somebody else steps in between two calls, for tests of what is looked at
//! again for that very reason.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::disk::Disk;
use crate::disk::Entry;
use crate::disk::File;
use crate::disk::ReadDisk;
use crate::disk::blob::Bytes;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::id::StoreId;

/// What somebody else does right after a file was made, or opened and locked, before anything else is
/// done with it; `false` is that he had locked it before.
type Meddle = dyn FnMut(&SimDisk, &Path) -> Result<bool> + Send;

/// The disk that he meddles with.
pub(super) struct Meddled {
    disk: SimDisk,
    meddle: Arc<Mutex<Meddle>>,
}

impl Meddled {
    pub(super) fn new(
        disk: &SimDisk,
        meddle: impl FnMut(&SimDisk, &Path) -> Result<bool> + Send + 'static,
    ) -> Meddled {
        Meddled {
            disk: disk.clone(),
            meddle: Arc::new(Mutex::new(meddle)),
        }
    }
}

impl ReadDisk for Meddled {
    fn place(&self, path: &Path) -> PathBuf {
        self.disk.place(path)
    }

    fn open_read(&self, path: &Path) -> Result<Box<dyn File>> {
        self.disk.open_read(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>> {
        self.disk.list(path)
    }

    fn folder_stamp(&self, path: &Path) -> Result<Option<u64>> {
        self.disk.folder_stamp(path)
    }

    fn len(&self, path: &Path) -> Result<Option<u64>> {
        self.disk.len(path)
    }

    fn map(&self, path: &Path, len: u64) -> Result<Option<Bytes>> {
        self.disk.map(path, len)
    }

    fn is_locked(&self, path: &Path) -> Result<bool> {
        self.disk.is_locked(path)
    }

    fn boot(&self) -> Option<u64> {
        self.disk.boot()
    }
}

impl Disk for Meddled {
    fn create_new(&self, path: &Path) -> Result<Box<dyn File>> {
        let file = self.disk.create_new(path)?;
        (self.meddle.lock())(&self.disk, path)?;
        Ok(file)
    }

    fn lock(&self, path: &Path) -> Result<Option<Box<dyn File>>> {
        let file = self.disk.lock(path)?;
        let is_free = (self.meddle.lock())(&self.disk, path)?;
        Ok(file.filter(|_| is_free))
    }

    fn open_write(&self, path: &Path) -> Result<Box<dyn File>> {
        self.disk.open_write(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.disk.rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<()> {
        self.disk.rename_new(from, to)
    }

    fn unlink(&self, path: &Path) -> Result<()> {
        self.disk.unlink(path)
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        self.disk.create_dir(path)
    }

    fn remove_dir(&self, path: &Path) -> Result<bool> {
        self.disk.remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.disk.sync_dir(path)
    }

    fn process(&self) -> u32 {
        self.disk.process()
    }

    fn store_id(&self) -> StoreId {
        self.disk.store_id()
    }
}
