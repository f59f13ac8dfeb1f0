//! From a folder to a store: take the lock, read the manifest, replay what the logs hold beyond
//! it. Recovered rows are written anew into a fresh log and synced before anything else is
//! accepted: after a failed sync the old pages may read well and still not be on the medium.
//! Recovery only ever adds files until the manifest names them, so it may crash and begin again.

use std::collections::VecDeque;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use parking_lot::Condvar;
use parking_lot::Mutex;
use parking_lot::RwLock;

use super::Shared;
use super::Store;
use super::Visible;
use super::Writer;
use super::background;
use super::budget::Budget;
use super::commit::GROUP_BYTES;
use super::commit::Group;
use super::commit::Queue;
use super::create;
use super::logs::Known;
use super::presence;
use super::presence::Presence;
use super::replay;
use super::replay::Replayed;
use super::rules::Rules;
use super::sweep::check_orphans;
use super::sweep::remove_logs_before;
use super::sweep::remove_orphans;
use super::texts::Texts;
use super::told::Told;
use crate::disk::Disk;
use crate::disk::clock::SystemClock;
use crate::disk::durable;
use crate::disk::durable::Draft;
use crate::disk::lock::DurablePoint;
use crate::disk::lock::Lock;
use crate::disk::names;
use crate::disk::real::RealDisk;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::WalId;
use crate::manifest::Current;
use crate::manifest::Edit;
use crate::manifest::Ends;
use crate::manifest::Manifest;
use crate::manifest::Phase;
use crate::manifest::SegmentEntry;
use crate::manifest::State;
use crate::memtable::Memtable;
use crate::options::Options;
use crate::planted::Bug;
use crate::planted::unless;
use crate::snapshot::Base;
use crate::snapshot::Lineup;
use crate::snapshot::Pinned;
use crate::snapshot::Segments;
use crate::snapshot::Version;
use crate::time::Clock;
use crate::wal;

/// What opening a store found and mended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The store was made by this very call.
    pub created: bool,
    /// The last writer had closed the store, so there was nothing to mend.
    pub was_closed: bool,
    /// Events taken from the logs because they were in no segment yet.
    pub events_replayed: u64,
    /// Bytes of interrupted writes behind the last whole one; none of them was ever acknowledged.
    pub torn_bytes: u64,
    /// Where those bytes were put aside, relative to the store's folder.
    pub quarantined: Option<PathBuf>,
}

/// Opens or creates the store in `path`.
pub(super) fn open(path: &Path, options: Options) -> Result<Store> {
    options.validate()?;
    let disk = open_disk(path, options.create)?;
    open_on(disk, Arc::new(SystemClock), path, options)
}

fn open_disk(path: &Path, create: bool) -> Result<Arc<dyn Disk>> {
    if create {
        return Ok(Arc::new(RealDisk::create(path)?));
    }
    let disk = RealDisk::open(path).map_err(|error| match error.kind() {
        ErrorKind::Missing => create::not_a_store(path, "there is no such folder"),
        _ => error,
    })?;
    Ok(Arc::new(disk))
}

/// The store on a disk of the caller's choice, at the times a clock of its choice tells.
pub(crate) fn open_on(
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    path: &Path,
    options: Options,
) -> Result<Store> {
    let mut store = recover_on(disk, clock, path, options)?;
    store.threads = background::start(&store.shared)?;
    store.shared.wake_background();
    store.shared.open_house();
    Ok(store)
}

/// All of opening but the start of its threads: what it gives is recovered, and nobody seals or merges
/// in it. A rig that looks into millions of stores needs no more.
pub(super) fn recover_on(
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    path: &Path,
    options: Options,
) -> Result<Store> {
    // Before anything is changed: what another program calls its CURRENT is not for us to lock.
    match disk.len(names::current())? {
        Some(_) => drop(Current::read(&*disk)?),
        None => create::check(&*disk, path, options.create)?,
    }
    let lock = Lock::acquire(&*disk, clock.now())?;
    // Only with the lock in hand: somebody may just have made the store that was not there.
    let exists = disk.len(names::current())?.is_some();
    if !exists {
        create::check(&*disk, path, options.create)?;
    }
    make_folders(&*disk)?;
    durable::remove_drafts(&*disk)?;
    let (manifest, writer, recovery) = if exists {
        reopen(&disk, &lock, &options)?
    } else {
        create::create(&disk, &*clock, &options)?
    };
    let (version, base, runs) = readable(&disk, &clock, manifest.state(), &writer.table, &options);
    let point = first_point(&manifest, &writer);
    let shared = Arc::new(Shared {
        process: disk.process(),
        disk,
        partition: manifest.state().partition,
        budget: Budget::of(&options),
        rules: Rules::of(&options),
        options,
        clock,
        base: Arc::new(base),
        queue: Queue::new(GROUP_BYTES),
        version,
        visible: Mutex::new(Visible::default()),
        visible_moved: Condvar::new(),
        background: Mutex::default(),
        background_moved: Condvar::new(),
        manifest: Mutex::new(manifest),
        presence: Mutex::new(runs),
        told: Mutex::new(Told::new(point)),
        lock: Mutex::new(Some(lock)),
        poison: Mutex::new(None),
        pressure: Mutex::default(),
        house: Mutex::default(),
        folders: Mutex::default(),
        is_loading: AtomicBool::default(),
        texts: Texts::default(),
        writer: Mutex::new(writer),
    });
    shared.publish(&shared.writer.lock());
    shared.check_lock()?;
    // Not before others know the new log: of those that read beside us, none may be left behind
    // with names of files that are gone, also if this process ends right here.
    shared.check_told()?;
    remove_logs_before(&*shared.disk, shared.writer.lock().wal_id)?;
    let events = shared.writer.lock().next_seq;
    remove_orphans(&*shared.disk, shared.manifest.lock().state(), events)?;
    Ok(Store {
        shared,
        threads: Vec::new(),
        recovery,
        path: path.to_owned(),
    })
}

/// Makes the folders of a store, durably also where a process before ended ahead of its own sync.
fn make_folders(disk: &dyn Disk) -> Result<()> {
    for folder in [names::draft_dir(), names::wal_dir(), names::segment_dir()] {
        disk.create_dir(folder)?;
    }
    disk.sync_dir(names::root())
}

/// What snapshots of the store begin with.
fn readable(
    disk: &Arc<dyn Disk>,
    clock: &Arc<dyn Clock>,
    state: &State,
    table: &Arc<Memtable>,
    options: &Options,
) -> (Arc<RwLock<Version>>, Base, Presence) {
    let pinned = |entry: &SegmentEntry| Arc::new(Pinned::new(entry.clone(), Arc::clone(disk)));
    let runs = presence::load(&**disk, state.store, options.read_mode, &[]);
    let presence = Presence::new(&**disk, &runs);
    let segments = state.segments.values().map(pinned);
    let version = Arc::new(RwLock::new(Version {
        segments: Arc::new(Lineup::new(segments, runs)),
        memtables: vec![Arc::clone(table)],
    }));
    let present = Arc::clone(&version);
    let base = Base {
        store: state.store,
        created_at: state.created_at,
        segments: Segments::new(
            Arc::clone(disk),
            state.store,
            options.read_mode,
            Budget::of(options).open_segments,
        ),
        refresh: Box::new(move || Ok(present.read().clone())),
        clock: Arc::clone(clock),
    };
    (version, base, presence)
}

/// Reads a store's records, replays its logs into a fresh one, and marks the store open.
fn reopen(
    disk: &Arc<dyn Disk>,
    lock: &Lock,
    options: &Options,
) -> Result<(Manifest, Writer, Recovery)> {
    let mut opened = Manifest::open(Arc::clone(disk))?;
    let point = lock.inherited().filter(|_| !options.recover_copy);
    let known = Known::new(opened.current, point);
    if opened.current.phase == Phase::Closed {
        // Others may find an older point in a LOCK that somebody put back.
        drop(lock.publish(exact_point(&opened.current)));
    }
    if let Some(point) = known.point {
        check_manifest(&**disk, &opened.manifest, &point)?;
    }
    let mut recovery = Recovery {
        was_closed: opened.current.phase == Phase::Closed,
        ..Recovery::default()
    };
    if let Some(torn) = opened.tail.torn {
        let aside = names::torn_manifest(opened.manifest.id());
        put_aside(&**disk, aside, torn.bytes, &mut recovery, |sink| {
            opened.copy_torn(sink)
        })?;
    }
    let mut manifest = opened.manifest;
    let state = manifest.state().clone();
    let advise = |error: Error| match known.point {
        Some(_) if error.is_corrupt() => error.with_advice(COPY_ADVICE),
        _ => error,
    };
    let unread = replay::read(&**disk, &state, &known, &mut recovery).map_err(advise)?;
    if !options.recover_copy {
        check_orphans(&**disk, &state, unread.next_seq())?;
    }
    let wal_id = WalId(unread.last_wal().0 + 1);
    let mut wal = wal::Writer::create(&**disk, wal_id, state.store, state.sealed_seq, 0)?;
    let replayed = unread.take_over(&mut wal).map_err(|error| {
        // Nothing names the log yet; left there, it would be read by every further try.
        drop(disk.unlink(&names::wal(wal_id)));
        advise(error)
    })?;
    let ends = Ends {
        wal: wal_id,
        wal_end: wal.end(),
        events: replayed.next_seq,
    };
    manifest.mark_open(ends)?;
    manifest.commit(Edit {
        wal_first: Some(wal_id),
        ..Edit::default()
    })?;
    let writer = Writer::new(wal, wal_id, replayed, state.clock_steps);
    Ok((manifest, writer, recovery))
}

/// What may be the matter where files hold less than their last writer published.
const COPY_ADVICE: &str = "if the folder is a copy that was made while the store was being \
                           written, open it with the option recover_copy, or remove LOCK from \
                           the copy first";

/// What a writer that has opened the store publishes first.
fn first_point(manifest: &Manifest, writer: &Writer) -> DurablePoint {
    DurablePoint {
        wal: writer.wal_id,
        wal_end: writer.wal.end(),
        events: writer.next_seq,
        manifest: manifest.id(),
        manifest_end: manifest.len(),
    }
}

/// What `CURRENT` says of a closed store, as its writer would have published it.
fn exact_point(current: &Current) -> DurablePoint {
    DurablePoint {
        wal: current.ends.wal,
        wal_end: current.ends.wal_end,
        events: current.ends.events,
        manifest: current.manifest,
        manifest_end: current.manifest_end,
    }
}

/// The manifest must reach as far as the writer before said it does.
fn check_manifest(disk: &dyn Disk, manifest: &Manifest, point: &DurablePoint) -> Result<()> {
    let is_older = manifest.id() < point.manifest;
    let is_cut = manifest.id() == point.manifest && manifest.len() < point.manifest_end;
    if !is_older && !is_cut {
        return Ok(());
    }
    let what = format!(
        "the manifest was durable up to byte {} of number {}",
        point.manifest_end, point.manifest.0
    );
    let path = disk.place(&names::manifest(manifest.id()));
    Err(Error::corrupt(&path, manifest.len(), what).with_advice(COPY_ADVICE))
}

/// Keeps torn bytes in a file of their own: none of them was acknowledged, but they may tell
/// somebody what was under way.
pub(super) fn put_aside(
    disk: &dyn Disk,
    aside: PathBuf,
    bytes: u64,
    recovery: &mut Recovery,
    copy: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>,
) -> Result<()> {
    durable::create_dir(disk, names::quarantine_dir())?;
    let mut draft = Draft::begin(disk, &aside)?;
    // The torn end of a log can be a hole of any length, which stays one.
    copy(&mut |piece| match piece.iter().all(|byte| *byte == 0) {
        true => draft.skip(piece.len() as u64),
        false => draft.write(piece),
    })?;
    unless(Bug::TornBytesLost, || draft.publish())?;
    recovery.torn_bytes += bytes;
    recovery.quarantined = Some(aside);
    Ok(())
}

impl Writer {
    pub(super) fn new(
        wal: wal::Writer,
        wal_id: WalId,
        replayed: Replayed,
        clock_steps: u64,
    ) -> Writer {
        Writer {
            wal,
            wal_id,
            spare: None,
            next_seq: replayed.next_seq,
            recorded_at: replayed.recorded_at,
            clock_steps,
            group: Group::default(),
            delay_owed: Duration::ZERO,
            tables: VecDeque::from([(Arc::clone(&replayed.table), wal_id)]),
            table: replayed.table,
        }
    }
}

impl Shared {
    /// Writes down that the store was closed and where its files end, so that from now on any
    /// other end is damage; then lets the lock go.
    pub(super) fn mark_closed(&self) -> Result<()> {
        self.check_lock()?;
        let mut writer = self.writer.lock();
        self.end_log(&mut writer)?;
        if let Some(spare) = writer.spare.take() {
            // What cannot be removed is emptied out of tmp/ at the next open.
            drop(spare.remove(&*self.disk));
        }
        let ends = Ends {
            wal: writer.wal_id,
            wal_end: writer.wal.end(),
            events: writer.next_seq,
        };
        let mut manifest = self.manifest.lock();
        // Seals keep the count, and there was none since.
        let edit = Edit {
            clock_steps: Some(writer.clock_steps),
            ..Edit::default()
        };
        let counted = match manifest.state().clock_steps == writer.clock_steps {
            true => Ok(()),
            false => manifest.commit(edit),
        };
        let closed = counted.and_then(|()| manifest.mark_closed(ends));
        self.lock.lock().take();
        closed
    }
}
