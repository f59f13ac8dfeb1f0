//! A disk in memory for the tests of everything above: it keeps what is durable apart from what is
//! only written, fails the operation it is told to, and can be cut off at any moment. It is harsher
//! than the file systems we know and no harsher than what [`Disk`] and [`File`] promise. All its
//! choices follow from its seed, as long as one thread uses it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use crate::disk::Disk;
use crate::disk::Entry;
use crate::disk::File;
use crate::disk::blob;
use crate::disk::blob::Bytes;
use crate::disk::real::failed;
use crate::error::Error;
use crate::error::Result;

mod fault;
mod state;

pub(crate) use crate::disk::sim::fault::Fault;
pub(crate) use crate::disk::sim::fault::Operation;

use crate::disk::sim::fault::Failure;
use crate::disk::sim::state::Node;
use crate::disk::sim::state::Random;
use crate::disk::sim::state::State;

/// A simulated disk. A clone is the same disk, as another process of the machine sees it.
#[derive(Clone)]
pub(crate) struct SimDisk(Arc<Mutex<Inner>>);

struct Inner {
    state: State,
    boot: u64,
    process: u32,
    locks: BTreeSet<u64>,
    /// How many handles hold each file.
    holds: BTreeMap<u64, usize>,
    faults: Vec<Fault>,
    counts: BTreeMap<Operation, u64>,
}

struct SimFile {
    disk: SimDisk,
    name: PathBuf,
    path: PathBuf,
    id: u64,
    holds_lock: AtomicBool,
    holds: AtomicBool,
}

impl SimDisk {
    /// An empty disk.
    pub(crate) fn new(seed: u64) -> SimDisk {
        SimDisk::with(State::new(Random::new(seed)), 1)
    }

    fn with(state: State, boot: u64) -> SimDisk {
        SimDisk(Arc::new(Mutex::new(Inner {
            state,
            boot,
            process: 1,
            locks: BTreeSet::new(),
            holds: BTreeMap::new(),
            faults: Vec::new(),
            counts: BTreeMap::new(),
        })))
    }

    /// The disk after a power failure right now and a boot: all that is durable, and some of what
    /// is not, by sector and by name, as the seed decides. This disk stays as it is, so that many
    /// crashes of one moment can be tried.
    pub(crate) fn crash(&self, seed: u64) -> SimDisk {
        let inner = self.0.lock();
        SimDisk::with(inner.state.crash(Random::new(seed)), inner.boot + 1)
    }

    /// The disk after its processes were killed right now, the machine running on: everything
    /// written is there, no lock is held, no fault is armed.
    pub(crate) fn kill(&self) -> SimDisk {
        let inner = self.0.lock();
        SimDisk::with(inner.state.clone(), inner.boot)
    }

    /// From here on it is a fork of the process that asks, with all it had open.
    pub(crate) fn fork(&self) {
        self.0.lock().process += 1;
    }

    /// Arms a fault. Of several the first that fits acts; the others count on.
    pub(crate) fn fail(&self, fault: Fault) {
        self.0.lock().faults.push(fault);
    }

    /// Disarms all faults.
    pub(crate) fn heal(&self) {
        self.0.lock().faults.clear();
    }

    /// Operations of a kind so far, the failed ones too.
    pub(crate) fn count(&self, operation: Operation) -> u64 {
        let inner = self.0.lock();
        inner.counts.get(&operation).copied().unwrap_or(0)
    }

    /// Operations so far that change anything: the moments at which a crash makes a difference.
    pub(crate) fn changes(&self) -> u64 {
        let inner = self.0.lock();
        let changes = inner.counts.iter().filter(|(kind, _)| kind.is_change());
        changes.map(|(_, count)| count).sum()
    }

    /// Runs `action` on the state unless a fault is due. `on_fault` is what a failed operation
    /// does all the same.
    fn run<T>(
        &self,
        operation: Operation,
        path: &Path,
        action: impl FnOnce(&mut Inner) -> io::Result<T>,
        on_fault: impl FnOnce(&mut Inner),
    ) -> Result<T> {
        let mut inner = self.0.lock();
        *inner.counts.entry(operation).or_default() += 1;
        let result = match inner.due(operation, path) {
            Some(Failure::Panic) => {
                drop(inner);
                panic!("planted: {operation:?} of {}", path.display());
            }
            Some(failure) => {
                on_fault(&mut inner);
                Err(failure.into())
            }
            None => action(&mut inner),
        };
        let words = format!("{operation:?}").to_lowercase();
        result.map_err(|error| failed(&words, &self.place(path), error))
    }

    fn open(
        &self,
        operation: Operation,
        path: &Path,
        action: impl FnOnce(&mut Inner) -> io::Result<u64>,
    ) -> Result<SimFile> {
        let id = self.run(operation, path, action, |_| ())?;
        Ok(SimFile {
            disk: self.clone(),
            name: path.to_owned(),
            path: self.place(path),
            id,
            holds_lock: AtomicBool::new(false),
            holds: AtomicBool::new(false),
        })
    }
}

impl Inner {
    fn due(&mut self, operation: Operation, path: &Path) -> Option<Failure> {
        let mut due = None;
        for (at, fault) in self.faults.iter_mut().enumerate() {
            if !fault.fits(operation, path) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if due.is_none() {
                due = Some((at, fault.failure, fault.sticky));
            }
        }
        let (at, failure, sticky) = due?;
        if !sticky {
            self.faults.remove(at);
        }
        Some(failure)
    }
}

impl Disk for SimDisk {
    fn place(&self, path: &Path) -> PathBuf {
        Path::new("/sim").join(path)
    }

    fn create_new(&self, path: &Path) -> Result<Box<dyn File>> {
        let file = self.open(Operation::Create, path, |inner| inner.state.create(path))?;
        Ok(Box::new(file))
    }

    fn open_read(&self, path: &Path) -> Result<Box<dyn File>> {
        let file = self.open(Operation::Open, path, |inner| inner.state.find(path))?;
        Ok(Box::new(file))
    }

    fn open_write(&self, path: &Path) -> Result<Box<dyn File>> {
        self.open_read(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let action = |inner: &mut Inner| inner.state.rename(from, to);
        self.run(Operation::Rename, from, action, |_| ())
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<()> {
        let action = |inner: &mut Inner| match inner.state.node(to) {
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
            None => inner.state.rename(from, to),
        };
        self.run(Operation::Rename, from, action, |_| ())
    }

    fn unlink(&self, path: &Path) -> Result<()> {
        let action = |inner: &mut Inner| inner.state.unlink(path);
        self.run(Operation::Unlink, path, action, |_| ())
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        let action = |inner: &mut Inner| inner.state.create_dir(path);
        self.run(Operation::CreateDir, path, action, |_| ())
    }

    fn remove_dir(&self, path: &Path) -> Result<bool> {
        let action = |inner: &mut Inner| inner.state.remove_dir(path);
        self.run(Operation::RemoveDir, path, action, |_| ())
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        let action = |inner: &mut Inner| inner.state.sync_dir(path);
        let on_fault = |inner: &mut Inner| inner.state.half_sync_dir(path);
        self.run(Operation::SyncDir, path, action, on_fault)
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>> {
        let action = |inner: &mut Inner| inner.state.list(path);
        self.run(Operation::Look, path, action, |_| ())
    }

    fn len(&self, path: &Path) -> Result<Option<u64>> {
        let action = |inner: &mut Inner| {
            Ok(match inner.state.node(path) {
                Some(Node::File(id)) => Some(inner.state.live(id).len() as u64),
                Some(Node::Folder) => Some(0),
                None => None,
            })
        };
        self.run(Operation::Look, path, action, |_| ())
    }

    fn map(&self, path: &Path, len: u64) -> Result<Option<Bytes>> {
        let file = self.open(Operation::Open, path, |inner| inner.state.find(path))?;
        let bytes = self.0.lock().state.live(file.id).to_vec();
        if bytes.len() as u64 != len {
            return Err(blob::wrong_length(&file.path, bytes.len() as u64, len));
        }
        Ok(Some(Bytes::Owned(bytes)))
    }

    fn lock(&self, path: &Path) -> Result<Option<Box<dyn File>>> {
        let file = self.open(Operation::Lock, path, |inner| {
            let found = inner.state.find(path);
            found.or_else(|_| inner.state.create(path))
        })?;
        Ok(file.claim()?.then(|| -> Box<dyn File> { Box::new(file) }))
    }

    fn is_locked(&self, path: &Path) -> Result<bool> {
        let action = |inner: &mut Inner| {
            let id = inner.state.find(path)?;
            Ok(inner.locks.contains(&id))
        };
        self.run(Operation::Look, path, action, |_| ())
    }

    fn boot(&self) -> Option<u64> {
        Some(self.0.lock().boot)
    }

    fn process(&self) -> u32 {
        self.0.lock().process
    }
}

impl File for SimFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let found = self.disk.run(
            Operation::Read,
            &self.name,
            |inner| {
                let start = usize::try_from(offset).map_err(io::Error::other)?;
                let end = start.saturating_add(buffer.len());
                let found = inner.state.live(self.id).get(start..end);
                Ok(found.map(|bytes| buffer.copy_from_slice(bytes)).is_some())
            },
            |_| (),
        )?;
        match found {
            true => Ok(()),
            false => Err(Error::corrupt(&self.path, offset, "the file ends before")),
        }
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.disk.run(
            Operation::Write,
            &self.name,
            |inner| inner.state.write(self.id, offset, bytes),
            |inner| inner.state.half_write(self.id, offset, bytes),
        )
    }

    fn sync_data(&self) -> Result<()> {
        self.disk.run(
            Operation::Sync,
            &self.name,
            |inner| {
                inner.state.sync(self.id);
                Ok(())
            },
            |inner| inner.state.half_sync(self.id),
        )
    }

    fn sync_all(&self) -> Result<()> {
        self.sync_data()
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let action = |inner: &mut Inner| inner.state.set_len(self.id, len);
        self.disk.run(Operation::SetLen, &self.name, action, |_| ())
    }

    fn len(&self) -> Result<u64> {
        Ok(self.disk.0.lock().state.live(self.id).len() as u64)
    }

    fn hold(&self) -> Result<bool> {
        let mut inner = self.disk.0.lock();
        let free = !inner.locks.contains(&self.id);
        if free && !self.holds.swap(true, Ordering::Relaxed) {
            *inner.holds.entry(self.id).or_default() += 1;
        }
        Ok(free)
    }

    fn claim(&self) -> Result<bool> {
        let mut inner = self.disk.0.lock();
        let free = inner.holds.get(&self.id).is_none_or(|count| *count == 0);
        let claimed = free && inner.locks.insert(self.id);
        self.holds_lock.fetch_or(claimed, Ordering::Relaxed);
        Ok(claimed)
    }

    fn is_single(&self) -> Result<bool> {
        Ok(true)
    }

    fn is_in_place(&self) -> Result<bool> {
        let action =
            |inner: &mut Inner| Ok(inner.state.node(&self.name) == Some(Node::File(self.id)));
        self.disk.run(Operation::Look, &self.name, action, |_| ())
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut inner = self.disk.0.lock();
        if self.holds_lock.load(Ordering::Relaxed) {
            inner.locks.remove(&self.id);
        }
        if self.holds.load(Ordering::Relaxed)
            && let Some(count) = inner.holds.get_mut(&self.id)
        {
            *count -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
