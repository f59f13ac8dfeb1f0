//! An open file of a simulated disk.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::disk::File;
use crate::disk::sim::Inner;
use crate::disk::sim::SimDisk;
use crate::disk::sim::content::SECTOR;
use crate::disk::sim::fault::Failure;
use crate::disk::sim::fault::Operation;
use crate::disk::sim::random::fold;
use crate::disk::sim::state::Node;
use crate::error::Error;
use crate::error::Result;

/// A handle of a file, whatever becomes of its name.
pub(super) struct SimFile {
    disk: SimDisk,
    name: PathBuf,
    path: PathBuf,
    id: u64,
    holds_lock: AtomicBool,
    holds: AtomicBool,
}

impl SimFile {
    /// A new handle.
    pub(super) fn new(disk: SimDisk, name: &Path, path: PathBuf, id: u64) -> SimFile {
        SimFile {
            disk,
            name: name.to_owned(),
            path,
            id,
            holds_lock: AtomicBool::new(false),
            holds: AtomicBool::new(false),
        }
    }

    /// All bytes, as a mapping shows them.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.disk.0.lock().state.live(self.id).to_vec()
    }
}

impl Inner {
    /// Where a read or a write goes that is to go to `offset` of a file, and the bit it turns.
    fn astray(&self, id: u64, offset: u64, failure: Option<Failure>) -> (u64, u64, Option<usize>) {
        match failure {
            Some(Failure::Misdirected) => (id, offset + SECTOR as u64, None),
            Some(Failure::Elsewhere) => {
                let others = self
                    .state
                    .files
                    .keys()
                    .copied()
                    .filter(|other| *other != id);
                (others.max().unwrap_or(id), offset, None)
            }
            Some(Failure::Flipped(bit)) => (id, offset, Some(bit)),
            _ => (id, offset, None),
        }
    }

    /// Fills `buffer`; `false` where the file ends before.
    fn read(&self, id: u64, offset: u64, buffer: &mut [u8], failure: Option<Failure>) -> bool {
        let (id, offset, bit) = self.astray(id, offset, failure);
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(buffer.len());
        let Some(bytes) = self.state.live(id).get(start..end) else {
            return false;
        };
        let whole = match failure {
            Some(Failure::Short) => bytes.len() / 2,
            _ => bytes.len(),
        };
        if let (Some(place), Some(found)) = (buffer.get_mut(..whole), bytes.get(..whole)) {
            place.copy_from_slice(found);
        }
        flip(buffer, bit);
        whole == bytes.len()
    }

    fn write(
        &mut self,
        id: u64,
        offset: u64,
        bytes: &[u8],
        failure: Option<Failure>,
    ) -> io::Result<()> {
        match failure {
            Some(Failure::Misdirected | Failure::Elsewhere | Failure::Flipped(_)) => {
                let (id, offset, bit) = self.astray(id, offset, failure);
                let mut bytes = bytes.to_vec();
                flip(&mut bytes, bit);
                return self.state.write(id, offset, &bytes);
            }
            Some(failure) => {
                self.state.half_write(id, offset, bytes, bytes.len());
                return Err(failure.into());
            }
            None => {}
        }
        let end = offset + bytes.len() as u64;
        let grows = end.saturating_sub(self.state.live(id).len() as u64);
        let left = self.room.map(|room| room.saturating_sub(self.state.used()));
        if let Some(left) = left.filter(|left| *left < grows) {
            let fits = bytes.len() as u64 - (grows - left).min(bytes.len() as u64);
            let fits = usize::try_from(fits).unwrap_or(0);
            self.state.half_write(id, offset, bytes, fits);
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.state.write(id, offset, bytes)
    }

    /// What is read or written is part of the record.
    fn say(&mut self, offset: u64, bytes: &[u8]) {
        if let Some(record) = &mut self.record {
            record.said = fold(offset, bytes);
        }
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
            |inner, failure| match failure {
                Some(Failure::Kind(_) | Failure::Code(_)) => {
                    Err(failure.map_or_else(|| io::ErrorKind::Other.into(), io::Error::from))
                }
                _ => {
                    let found = inner.read(self.id, offset, buffer, failure);
                    inner.say(offset, buffer);
                    Ok(found)
                }
            },
        )?;
        match found {
            true => Ok(()),
            false => Err(Error::corrupt(&self.path, offset, "the file ends before")),
        }
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.disk
            .run(Operation::Write, &self.name, |inner, failure| {
                inner.say(offset, bytes);
                inner.write(self.id, offset, bytes, failure)
            })
    }

    fn sync_data(&self) -> Result<()> {
        self.disk.run(
            Operation::Sync,
            &self.name,
            |inner, failure| match failure {
                None => {
                    inner.state.sync(self.id);
                    Ok(())
                }
                Some(failure) => {
                    inner.state.half_sync(self.id);
                    Err(failure.into())
                }
            },
        )
    }

    fn sync_all(&self) -> Result<()> {
        self.sync_data()
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let action = |inner: &mut Inner| inner.state.set_len(self.id, len);
        self.disk.plain(Operation::SetLen, &self.name, action)
    }

    fn len(&self) -> Result<u64> {
        let action = |inner: &mut Inner| Ok(inner.state.live(self.id).len() as u64);
        self.disk.plain(Operation::Look, &self.name, action)
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
        self.disk.plain(Operation::Look, &self.name, action)
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

fn flip(bytes: &mut [u8], bit: Option<usize>) {
    let Some(bit) = bit else { return };
    let at = bit / 8 % bytes.len().max(1);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << (bit % 8);
    }
}
