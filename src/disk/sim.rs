//! A disk in memory for the tests of everything above: it keeps what is durable apart from what is
//! only written, fails and lies where it is told to, and can be cut off at any moment. It is harsher
//! than the file systems we know and no harsher than what [`Disk`] and [`File`] promise. All its
//! choices follow from its seed, as long as one thread uses it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::disk::Disk;
use crate::disk::Entry;
use crate::disk::File;
use crate::disk::ReadDisk;
use crate::disk::blob;
use crate::disk::blob::Bytes;
use crate::disk::real::failed;
use crate::error::Result;
use crate::id::StoreId;

mod content;
mod crash;
mod fault;
mod file;
pub(crate) mod random;
mod record;
mod state;

pub(crate) use crate::disk::sim::crash::Moment;
pub(crate) use crate::disk::sim::fault::Fault;
pub(crate) use crate::disk::sim::fault::Operation;
pub(crate) use crate::disk::sim::random::Random;
pub(crate) use crate::disk::sim::random::fold;
pub(crate) use crate::disk::sim::record::Record;

use crate::disk::sim::fault::Failure;
use crate::disk::sim::file::SimFile;
use crate::disk::sim::state::Node;
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
    /// Operations so far, by their kinds.
    counts: [u64; Operation::KINDS],
    /// How many bytes there is room for.
    room: Option<u64>,
    record: Option<Record>,
    scratch: Option<PathBuf>,
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
            counts: [0; Operation::KINDS],
            room: None,
            record: None,
            scratch: None,
        })))
    }

    /// The disk after a power failure right now and a boot: all that is durable, and some of what
    /// is not, by sector and by name, as the seed decides. This disk stays as it is, so that many
    /// crashes of one moment can be tried.
    pub(crate) fn crash(&self, seed: u64) -> SimDisk {
        self.0.lock().moment().survivor(seed)
    }

    /// The disk after its processes were killed right now, the machine running on: everything
    /// written is there, no lock is held, no fault is armed.
    pub(crate) fn kill(&self) -> SimDisk {
        self.0.lock().moment().killed()
    }

    /// From here on it is a fork of the process that asks, with all it had open.
    pub(crate) fn fork(&self) {
        self.0.lock().process += 1;
    }

    /// Arms a fault. Of several the first that fits acts; the others count on.
    pub(crate) fn fail(&self, fault: Fault) {
        self.0.lock().faults.push(fault);
    }

    /// Disarms all faults, and the disk has room again.
    pub(crate) fn heal(&self) {
        let mut inner = self.0.lock();
        inner.faults.clear();
        inner.room = None;
    }

    /// From here on there is room for so many bytes more.
    pub(crate) fn leave_room(&self, bytes: u64) {
        let mut inner = self.0.lock();
        inner.room = Some(inner.state.used() + bytes);
    }

    /// Turns a bit of a file that lies on the disk, whatever is written there.
    pub(crate) fn rot(&self, path: &Path, bit: usize) {
        let mut inner = self.0.lock();
        if let Some(Node::File(id)) = inner.state.node(path) {
            inner.state.flip(id, bit);
        }
    }

    /// Operations of a kind so far, the failed ones too.
    pub(crate) fn count(&self, operation: Operation) -> u64 {
        self.0.lock().count(operation)
    }

    /// Operations so far that change anything: the moments at which a crash makes a difference.
    pub(crate) fn changes(&self) -> u64 {
        self.0.lock().changes()
    }

    /// From here on every moment is remembered. What a crash leaves of `scratch` tells no image from
    /// another.
    pub(crate) fn record(&self, scratch: &Path) {
        let mut inner = self.0.lock();
        inner.scratch = Some(scratch.to_owned());
        inner.record = Some(Record::new(inner.moment()));
    }

    /// What was remembered; nothing more is.
    pub(crate) fn take_record(&self) -> Record {
        self.0.lock().record.take().unwrap_or_default()
    }

    /// Runs `action`, which is told what is to go wrong with it, if anything is.
    fn run<T>(
        &self,
        operation: Operation,
        path: &Path,
        action: impl FnOnce(&mut Inner, Option<Failure>) -> io::Result<T>,
    ) -> Result<T> {
        let mut inner = self.0.lock();
        if let Some(count) = inner.counts.get_mut(operation as usize) {
            *count += 1;
        }
        let failure = inner.due(operation, path);
        if let Some(Failure::Panic) = failure {
            drop(inner);
            panic!("planted: {operation:?} of {}", path.display());
        }
        let result = action(&mut inner, failure);
        inner.remember(operation, path, result.is_ok());
        result.map_err(|error| {
            let words = format!("{operation:?}").to_lowercase();
            failed(&words, &self.place(path), error)
        })
    }

    /// As [`SimDisk::run`], for what does nothing when it fails.
    fn plain<T>(
        &self,
        operation: Operation,
        path: &Path,
        action: impl FnOnce(&mut Inner) -> io::Result<T>,
    ) -> Result<T> {
        self.run(operation, path, |inner, failure| match failure {
            Some(failure) => Err(failure.into()),
            None => action(inner),
        })
    }

    fn open(
        &self,
        operation: Operation,
        path: &Path,
        action: impl FnOnce(&mut Inner) -> io::Result<u64>,
    ) -> Result<SimFile> {
        let id = self.plain(operation, path, action)?;
        Ok(SimFile::new(self.clone(), path, self.place(path), id))
    }
}

impl Inner {
    fn count(&self, operation: Operation) -> u64 {
        self.counts.get(operation as usize).copied().unwrap_or(0)
    }

    fn changes(&self) -> u64 {
        let changes = Operation::ALL.into_iter().filter(|kind| kind.is_change());
        changes.map(|kind| self.count(kind)).sum()
    }

    fn moment(&self) -> Moment {
        let scratch = self
            .scratch
            .as_deref()
            .and_then(|path| self.state.node(path));
        Moment {
            state: self.state.clone(),
            boot: self.boot,
            scratch: match scratch {
                Some(Node::File(id)) => Some(id),
                _ => None,
            },
            changes: self.changes(),
        }
    }

    fn remember(&mut self, operation: Operation, path: &Path, worked: bool) {
        if self.record.is_none() {
            return;
        }
        let moment = operation.is_change().then(|| self.moment());
        if let Some(record) = &mut self.record {
            record.note(operation, path, worked);
            record.moments.extend(moment);
        }
    }

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

impl ReadDisk for SimDisk {
    fn place(&self, path: &Path) -> PathBuf {
        Path::new("/sim").join(path)
    }

    fn open_read(&self, path: &Path) -> Result<Box<dyn File>> {
        let file = self.open(Operation::Open, path, |inner| inner.state.find(path))?;
        Ok(Box::new(file))
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>> {
        let action = |inner: &mut Inner| inner.state.list(path);
        self.plain(Operation::Look, path, action)
    }

    /// No operation that is counted or fails: a store looks at any time, whatever else goes on.
    fn folder_stamp(&self, path: &Path) -> Result<Option<u64>> {
        Ok(self.0.lock().state.stamp(path))
    }

    fn len(&self, path: &Path) -> Result<Option<u64>> {
        let action = |inner: &mut Inner| {
            Ok(match inner.state.node(path) {
                Some(Node::File(id)) => Some(inner.state.live(id).len() as u64),
                Some(Node::Folder) => Some(0),
                None => None,
            })
        };
        self.plain(Operation::Look, path, action)
    }

    fn map(&self, path: &Path, len: u64) -> Result<Option<Bytes>> {
        let file = self.open(Operation::Open, path, |inner| inner.state.find(path))?;
        let bytes = file.bytes();
        if bytes.len() as u64 != len {
            return Err(blob::wrong_length(file.path(), bytes.len() as u64, len));
        }
        Ok(Some(Bytes::Owned(bytes)))
    }

    fn is_locked(&self, path: &Path) -> Result<bool> {
        let action = |inner: &mut Inner| {
            let id = inner.state.find(path)?;
            Ok(inner.locks.contains(&id))
        };
        self.plain(Operation::Look, path, action)
    }

    fn boot(&self) -> Option<u64> {
        Some(self.0.lock().boot)
    }
}

impl Disk for SimDisk {
    fn create_new(&self, path: &Path) -> Result<Box<dyn File>> {
        let file = self.open(Operation::Create, path, |inner| inner.state.create(path))?;
        Ok(Box::new(file))
    }

    fn open_write(&self, path: &Path) -> Result<Box<dyn File>> {
        self.open_read(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let action = |inner: &mut Inner| inner.state.rename(from, to);
        self.plain(Operation::Rename, from, action)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<()> {
        let action = |inner: &mut Inner| match inner.state.node(to) {
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
            None => inner.state.rename(from, to),
        };
        self.plain(Operation::Rename, from, action)
    }

    fn unlink(&self, path: &Path) -> Result<()> {
        let action = |inner: &mut Inner| inner.state.unlink(path);
        self.plain(Operation::Unlink, path, action)
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        let action = |inner: &mut Inner| inner.state.create_dir(path);
        self.plain(Operation::CreateDir, path, action)
    }

    fn remove_dir(&self, path: &Path) -> Result<bool> {
        let action = |inner: &mut Inner| inner.state.remove_dir(path);
        self.plain(Operation::RemoveDir, path, action)
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.run(Operation::SyncDir, path, |inner, failure| match failure {
            None => inner.state.sync_dir(path),
            Some(failure) => {
                inner.state.half_sync_dir(path);
                Err(failure.into())
            }
        })
    }

    fn lock(&self, path: &Path) -> Result<Option<Box<dyn File>>> {
        let file = self.open(Operation::Lock, path, |inner| {
            let found = inner.state.find(path);
            found.or_else(|_| inner.state.create(path))
        })?;
        Ok(file.claim()?.then(|| -> Box<dyn File> { Box::new(file) }))
    }

    fn process(&self) -> u32 {
        self.0.lock().process
    }

    fn store_id(&self) -> StoreId {
        let random = &mut self.0.lock().state.random;
        let (low, high) = (random.next(), random.next());
        StoreId((u128::from(high) << 64 | u128::from(low)).to_le_bytes())
    }
}

#[cfg(test)]
mod tests;
