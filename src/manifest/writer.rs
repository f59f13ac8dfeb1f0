//! Changes the manifest: an edit is one frame and one sync, and is in force when the sync returns.
//! A manifest that has outgrown its state is written anew under the next number and then put in
//! force by `CURRENT`. The invariant: at every moment `CURRENT` names a manifest that, read to its
//! durable end, is the state of the last edit that was confirmed. Only the store's writer has one.

use std::sync::Arc;

use super::Current;
use super::Edit;
use super::Ends;
use super::Phase;
use super::State;
use super::format;
use super::format::Record;
use super::reader;
use super::reader::Loaded;
use crate::codec::frame::Chain;
use crate::codec::frame::Header;
use crate::codec::frame::Tail;
use crate::disk::Disk;
use crate::disk::File;
use crate::disk::durable;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::ManifestId;
use crate::id::SegmentId;
use crate::id::StoreId;
use crate::options::Partition;
use crate::planted::Bug;
use crate::planted::planted;
use crate::time::Time;

/// Edits may take this much, or as much as the state, before the manifest is written anew.
const EDIT_BYTES: u64 = 64 << 10;

/// The manifest in force, open for edits.
pub(crate) struct Manifest {
    disk: Arc<dyn Disk>,
    file: Box<dyn File>,
    state: State,
    current: Current,
    chain: Chain,
    whole_end: u64,
    /// The writer before did not close the store, so nothing is appended behind what it left.
    inherited: bool,
    broken: bool,
}

/// What [`Manifest::open`] found.
pub(crate) struct Opened {
    /// The manifest, to be marked open before the first edit.
    pub(crate) manifest: Manifest,
    /// What `CURRENT` said.
    pub(crate) current: Current,
    /// How the manifest ended.
    pub(crate) tail: Tail,
    loaded: Loaded,
}

impl Opened {
    /// Hands the torn bytes behind the manifest's end to `sink`, piece by piece.
    pub(crate) fn copy_torn(&mut self, sink: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.loaded.frames.copy_torn(sink)
    }
}

impl Manifest {
    /// Makes the first manifest of a store and then `CURRENT`, with which the store exists. The
    /// folder `tmp/` and the first log, which `ends` names, must be there. The manifests of
    /// creations that came to no end keep their numbers; they are removed when the store is closed.
    pub(crate) fn create(
        disk: Arc<dyn Disk>,
        store: StoreId,
        created_at: Time,
        partition: Partition,
        ends: Ends,
    ) -> Result<Manifest> {
        let mut state = State::new(store, created_at, partition);
        state.wal_first = ends.wal;
        let root = disk.list(names::root())?;
        let used = root
            .iter()
            .filter_map(|entry| names::manifest_id(&entry.name));
        let id = ManifestId(used.map(|id| id.0).max().unwrap_or(0).saturating_add(1));
        let (file, chain) = place(&*disk, id, &state)?;
        let current = Current {
            store,
            manifest: id,
            phase: Phase::Open,
            manifest_end: chain.offset(),
            ends,
        };
        current.write(&*disk)?;
        Ok(Manifest {
            disk,
            file,
            state,
            current,
            chain,
            whole_end: chain.offset(),
            inherited: false,
            broken: false,
        })
    }

    /// Reads the manifest in force. Changes nothing; [`ErrorKind::Missing`] of `CURRENT` says that
    /// there is no store.
    pub(crate) fn open(disk: Arc<dyn Disk>) -> Result<Opened> {
        let current = Current::read(&*disk)?;
        let extent = current.manifest_extent();
        let loaded = reader::load(&*disk, current.manifest, Some(current.store), extent)?;
        let manifest = Manifest {
            file: disk.open_write(&names::manifest(current.manifest))?,
            disk,
            state: loaded.state.clone(),
            current,
            chain: loaded.chain,
            whole_end: loaded.whole_end,
            inherited: current.phase == Phase::Open,
            broken: false,
        };
        Ok(Opened {
            manifest,
            current,
            tail: loaded.tail,
            loaded,
        })
    }

    /// Says that a writer is at work; to be called when the logs were read without an error, since
    /// it forgets where the files of a closed store ended. `ends` are durable.
    pub(crate) fn mark_open(&mut self, ends: Ends) -> Result<()> {
        self.check()?;
        self.remove_others(self.current.manifest)?;
        self.current.ends = ends;
        self.inherited &= !planted(Bug::TrustManifestOnReopen);
        if self.inherited {
            // The old writer's last edits may be in the page cache only, with the sync that failed
            // already reported to nobody: written anew and synced, they are on the disk.
            self.rewrite()?;
            self.inherited = false;
            return Ok(());
        }
        self.put_current(Phase::Open)
    }

    /// Says that the store is closed and that `ends` are exact.
    pub(crate) fn mark_closed(&mut self, ends: Ends) -> Result<()> {
        self.check()?;
        self.remove_others(self.current.manifest)?;
        self.current.ends = ends;
        self.put_current(Phase::Closed)
    }

    /// Makes an edit durable. [`ErrorKind::Full`] leaves everything as it was; after any other
    /// error it is not known whether the edit is in force, and the manifest takes no more.
    pub(crate) fn commit(&mut self, edit: Edit) -> Result<()> {
        self.check()?;
        if self.inherited || self.current.phase == Phase::Closed {
            let what = "the manifest was not opened for edits";
            return Err(Error::new(ErrorKind::Closed, what));
        }
        let record = self.state.edited(edit);
        let mut payload = Vec::new();
        record.encode(&mut payload);
        let state = State::apply(Some(self.state.clone()), record)
            .map_err(|what| Error::new(ErrorKind::OutOfRange, what))?;
        let (at, mut sectors) = (self.chain.offset(), Vec::new());
        let next = self.chain.encode(&payload, at, &mut sectors)?;
        if let Err(error) = self.file.write_at(at, &sectors) {
            self.broken = self.file.set_len(at).is_err() || !error.is_full();
            return Err(self.indeterminate(error));
        }
        if let Err(error) = self.file.sync_data() {
            self.broken = true;
            return Err(self.indeterminate(error));
        }
        self.state = state;
        self.chain = next;
        let edits = self.len() - self.whole_end;
        if edits > EDIT_BYTES.max(self.whole_end) {
            // The edit is durable, whatever becomes of this. Without room it is tried again at the
            // next edit; any other failure is told then.
            drop(self.rewrite());
        }
        Ok(())
    }

    /// The state as of the last edit.
    pub(crate) const fn state(&self) -> &State {
        &self.state
    }

    /// The number of the manifest in force.
    pub(crate) const fn id(&self) -> ManifestId {
        self.current.manifest
    }

    /// Where the manifest in force ends; durable.
    pub(crate) fn len(&self) -> u64 {
        self.chain.offset()
    }

    /// A number for a new segment. It is used up by the next edit at the latest; until then a file
    /// of that number is an orphan, which is removed when the store is opened.
    pub(crate) fn take_segment_id(&mut self) -> SegmentId {
        let id = self.state.next_segment;
        self.state.next_segment = SegmentId(id.0.saturating_add(1));
        id
    }

    fn check(&self) -> Result<()> {
        if self.broken {
            let what = "an earlier change of the manifest failed: reopen the store";
            return Err(Error::new(ErrorKind::Poisoned, what).in_file(self.file.path()));
        }
        Ok(())
    }

    /// The error of a failed edit, in words that say what is not known any more.
    fn indeterminate(&self, error: Error) -> Error {
        if !self.broken {
            return error;
        }
        let what = "whether the change of the manifest is in force is known after reopening";
        Error::new(ErrorKind::Indeterminate, what).because(error)
    }

    /// Writes the state as a manifest of the next number and puts that in force.
    fn rewrite(&mut self) -> Result<()> {
        let old = self.current.manifest;
        let id = ManifestId(old.0.saturating_add(1));
        let placed = remove(&*self.disk, id).and_then(|()| place(&*self.disk, id, &self.state));
        let (file, chain) = placed.inspect_err(|error| self.broken = !error.is_full())?;
        let next = Current {
            manifest: id,
            phase: Phase::Open,
            manifest_end: chain.offset(),
            ..self.current
        };
        next.write(&*self.disk).inspect_err(|error| {
            // Without room for the draft the old manifest is still in force, and goes on.
            let in_force = Current::read(&*self.disk).map(|current| current.manifest);
            self.broken = !error.is_full() || !in_force.is_ok_and(|id| id == old);
        })?;
        self.file = file;
        self.chain = chain;
        self.whole_end = chain.offset();
        self.current = next;
        // Others may be reading the old one: it goes when the next one comes.
        self.remove_others(old)
    }

    fn put_current(&mut self, phase: Phase) -> Result<()> {
        self.current.phase = phase;
        self.current.manifest_end = self.len();
        let written = self.current.write(&*self.disk);
        written.inspect_err(|_| self.broken = true)
    }

    /// Removes every manifest but the one in force and the `other` one.
    fn remove_others(&self, other: ManifestId) -> Result<()> {
        for entry in self.disk.list(names::root())? {
            let id = names::manifest_id(&entry.name);
            if let Some(id) = id.filter(|id| *id != self.current.manifest && *id != other) {
                remove(&*self.disk, id)?;
            }
        }
        Ok(())
    }
}

/// Makes the manifest of a number, durably, holding just the state.
fn place(disk: &dyn Disk, id: ManifestId, state: &State) -> Result<(Box<dyn File>, Chain)> {
    let header = Header::new(format::MAGIC, state.store, id.0, [0; 4]);
    let record: Record = state.record();
    let (mut payload, mut sectors) = (Vec::new(), Vec::new());
    record.encode(&mut payload);
    let chain = header.chain();
    let next = chain.encode(&payload, chain.offset(), &mut sectors)?;
    let bytes = [header.encode(), sectors].concat();
    let file = durable::create(disk, &names::manifest(id), &bytes)?;
    Ok((file, next))
}

/// Removes a manifest that nobody needs; it may be gone already, and come back after a crash.
fn remove(disk: &dyn Disk, id: ManifestId) -> Result<()> {
    match disk.unlink(&names::manifest(id)) {
        Err(error) if error.kind() != ErrorKind::Missing => Err(error),
        _ => Ok(()),
    }
}
