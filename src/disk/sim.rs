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

mod state;

use crate::disk::sim::state::Node;
use crate::disk::sim::state::Random;
use crate::disk::sim::state::State;

/// A simulated disk. A clone is the same disk, as another process of the machine sees it.
#[derive(Clone)]
pub(crate) struct SimDisk(Arc<Mutex<Inner>>);

/// What can be counted and made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Create,
    Open,
    Read,
    Write,
    Sync,
    SetLen,
    Rename,
    Unlink,
    CreateDir,
    RemoveDir,
    SyncDir,
    Look,
    Lock,
}

/// An order to fail: once, at the first operation that fits.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    operation: Option<Operation>,
    within: String,
    skip: u64,
    sticky: bool,
    error: io::ErrorKind,
}

struct Inner {
    state: State,
    boot: u64,
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

impl Operation {
    /// Whether it changes what a crash can leave behind.
    fn is_change(self) -> bool {
        !matches!(
            self,
            Operation::Open | Operation::Read | Operation::Look | Operation::Lock
        )
    }
}

impl Fault {
    /// Fails the next operation of this kind with this error (`Other` stands for a device error).
    pub(crate) fn new(operation: Operation, error: io::ErrorKind) -> Fault {
        Fault {
            operation: Some(operation),
            within: String::new(),
            skip: 0,
            sticky: false,
            error,
        }
    }

    /// Fails the next operation that changes anything.
    pub(crate) fn any_change(error: io::ErrorKind) -> Fault {
        Fault {
            operation: None,
            ..Fault::new(Operation::Write, error)
        }
    }

    /// Lets this many operations of the kind succeed first.
    pub(crate) fn after(self, skip: u64) -> Fault {
        Fault { skip, ..self }
    }

    /// Only where the path holds this text.
    pub(crate) fn within(self, path: &str) -> Fault {
        Fault {
            within: path.to_owned(),
            ..self
        }
    }

    /// Goes on failing until [`SimDisk::heal`].
    pub(crate) fn sticky(self) -> Fault {
        Fault {
            sticky: true,
            ..self
        }
    }

    fn fits(&self, operation: Operation, path: &Path) -> bool {
        let kind = match self.operation {
            Some(wanted) => wanted == operation,
            None => operation.is_change(),
        };
        kind && path.to_string_lossy().contains(&self.within)
    }
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
            Some(error) => {
                on_fault(&mut inner);
                Err(error.into())
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
    fn due(&mut self, operation: Operation, path: &Path) -> Option<io::ErrorKind> {
        let mut due = None;
        for (at, fault) in self.faults.iter_mut().enumerate() {
            if !fault.fits(operation, path) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if due.is_none() {
                due = Some((at, fault.error, fault.sticky));
            }
        }
        let (at, error, sticky) = due?;
        if !sticky {
            self.faults.remove(at);
        }
        Some(error)
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
