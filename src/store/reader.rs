//! A store read from beside its writer: another process, or none at all. Writes nothing, holds no
//! lock, and sees what is durable: up to the point the writer publishes while one is at work, or up
//! to the end of what the files hold when none is.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::Follower;
use super::Stats;
use super::create;
use super::logs::Known;
use super::logs::check_count;
use super::logs::log_ids;
use super::presence;
use super::replay::Replayed;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::clock::SystemClock;
use crate::disk::lock;
use crate::disk::lock::Durable;
use crate::disk::lock::DurablePoint;
use crate::disk::names;
use crate::disk::real::RealDisk;
use crate::error::Error;
use crate::error::Result;
use crate::filter::Filter;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::WalId;
use crate::manifest;
use crate::manifest::Current;
use crate::manifest::Phase;
use crate::manifest::State;
use crate::options::ReadMode;
use crate::planted::Bug;
use crate::planted::instead;
use crate::snapshot::Base;
use crate::snapshot::Lineup;
use crate::snapshot::Pinned;
use crate::snapshot::Segments;
use crate::snapshot::Snapshot;
use crate::snapshot::Version;
use crate::time::Time;
use crate::wal;
use crate::wal::Extent;

/// A store open for reading only.
///
/// ```
/// use auditdb::{Event, Options, Query, ReadMode, Reader, Store};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-reader-{}", std::process::id()));
///
/// let store = Store::open(&folder, Options::default())?;
/// let reader = Reader::open(&folder, ReadMode::default())?;
/// store.append(&Event::new("user.created"))?;
/// assert_eq!(reader.snapshot()?.page(&Query::default())?.events.len(), 1);
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone)]
pub struct Reader {
    shared: Arc<ReaderShared>,
    path: PathBuf,
}

struct ReaderShared {
    disk: Arc<dyn Disk>,
    base: Arc<Base>,
    seen: Arc<Mutex<Seen>>,
}

/// What was read so far of what the writer adds to.
struct Seen {
    disk: Arc<dyn Disk>,
    /// As of which moment, once there was a look.
    moment: Option<Moment>,
    /// No more events than this are shown, whatever the logs hold.
    events_max: Option<u64>,
    state: State,
    /// The logs from the first one that is still needed.
    logs: BTreeMap<WalId, Log>,
    pinned: BTreeMap<u64, Arc<Pinned>>,
    lineup: Arc<Lineup>,
    read_mode: ReadMode,
    /// Segments that were replaced since the last look.
    gone: Vec<SegmentId>,
}

/// What tells one state of the files from another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Moment {
    /// What the writer published, in this boot of the machine; nothing once it closed the store.
    point: Option<DurablePoint>,
    /// `CURRENT`, where no writer is at work.
    current: Option<Current>,
}

/// A log as far as it was read.
struct Log {
    rows: Replayed,
    /// Where to go on when the log has grown; `None` when it cannot grow any more.
    rest: Option<wal::Reader>,
}

/// How much of the files is looked at.
#[derive(Clone, Copy)]
enum Reach {
    /// Up to the point that the writer published.
    Point(DurablePoint),
    /// All that they hold, of which this much is known to have been durable.
    Files(Known),
}

/// How often a look at a store that changes underfoot is taken anew, and without a writer, when
/// nothing changes and an error stays one.
const LOOKS_MAX: u32 = 64;
const LOOKS_ALONE_MAX: u32 = 4;
/// Looks that follow each other at once; then the writer may need the processor to get on.
const LOOKS_HASTY: u32 = 8;
const PAUSE: Duration = Duration::from_millis(5);

impl Reader {
    /// Opens the store in the folder `path` for reading.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotAStore`] if the folder holds none, [`crate::ErrorKind::Missing`] if it held one and
    /// lost the file `CURRENT`, or what reading its records gives.
    pub fn open(path: impl AsRef<Path>, read_mode: ReadMode) -> Result<Reader> {
        let path = path.as_ref();
        let disk = RealDisk::open(path)?;
        if disk.len(names::current())?.is_none() {
            create::check(&disk, path, false)?;
        }
        open_on(Arc::new(disk), path, read_mode)
    }

    /// The store as it is now: all that is durable.
    ///
    /// # Errors
    /// What reading the store's records gives.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let mut seen = self.shared.seen.lock();
        let (version, events, complete_through) = seen.look()?;
        for id in seen.gone.drain(..) {
            self.shared.base.segments.forget(id);
        }
        drop(seen);
        Ok(Snapshot::new(
            Arc::clone(&self.shared.base),
            version,
            events,
            complete_through,
        ))
    }

    /// Events in commit order from `from` on, waiting for those that are still to come.
    #[must_use]
    pub fn follow(&self, filter: Filter, from: Sequence) -> Follower {
        Follower::of_reader(self.clone(), filter, from)
    }

    /// Facts about the store: events, times, segments, bytes.
    ///
    /// # Errors
    /// What reading the store's records gives.
    pub fn stats(&self) -> Result<Stats> {
        let snapshot = self.snapshot()?;
        let clock_steps = self.shared.seen.lock().state.clock_steps;
        Stats::of(&snapshot, &*self.shared.disk, clock_steps)
    }

    /// Where the store's files are.
    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.shared.disk
    }

    /// The store's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The store on a disk of the caller's choice, which holds one.
pub(super) fn open_on(disk: Arc<dyn Disk>, path: &Path, read_mode: ReadMode) -> Result<Reader> {
    const OPEN_SEGMENTS_MAX: usize = 256;
    let seen = Arc::new(Mutex::new(Seen::new(Arc::clone(&disk), read_mode)?));
    let (store, created_at) = {
        let seen = seen.lock();
        (seen.state.store, seen.state.created_at)
    };
    let refresh = Arc::clone(&seen);
    let base = Base {
        store,
        created_at,
        segments: Segments::new(Arc::clone(&disk), store, read_mode, OPEN_SEGMENTS_MAX),
        refresh: Box::new(move || refresh.lock().look().map(|(version, _, _)| version)),
        clock: Arc::new(SystemClock),
    };
    let shared = Arc::new(ReaderShared {
        disk,
        base: Arc::new(base),
        seen,
    });
    Ok(Reader {
        shared,
        path: path.to_owned(),
    })
}

impl Seen {
    fn new(disk: Arc<dyn Disk>, read_mode: ReadMode) -> Result<Seen> {
        let mut looks = 1;
        let state = loop {
            match manifest::view(&*disk) {
                // The writer beside puts another manifest in force, or is in the middle of an edit.
                Err(error) if error.is_corrupt() && looks < LOOKS_HASTY => looks += 1,
                view => break view?.state,
            }
        };
        Ok(Seen {
            disk,
            moment: None,
            events_max: None,
            state,
            logs: BTreeMap::new(),
            pinned: BTreeMap::new(),
            lineup: Arc::new(Lineup::new([], Arc::default())),
            read_mode,
            gone: Vec::new(),
        })
    }

    /// The present version, how many events are durable, and through when it is complete.
    fn look(&mut self) -> Result<(Version, u64, Option<Time>)> {
        for look in 1.. {
            let status = lock::status(&*self.disk)?;
            let alone = status.holder.is_none();
            let is_last = look >= if alone { LOOKS_ALONE_MAX } else { LOOKS_MAX };
            match self.try_look(&status, is_last) {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) if is_last || !error.is_corrupt() => return Err(error),
                // The writer has gone on between two of our reads; what it removed is elsewhere now.
                Err(_) => self.forget(),
            }
            if look > LOOKS_HASTY {
                std::thread::sleep(PAUSE);
            }
        }
        Ok(self.version())
    }

    fn forget(&mut self) {
        self.moment = None;
        self.logs.clear();
    }

    /// `false` if it is not known yet what may be shown.
    fn try_look(&mut self, status: &lock::Status, is_last: bool) -> Result<bool> {
        let current = match status.holder {
            Some(_) => None,
            None => Some(Current::read(&*self.disk)?),
        };
        let point = match status.durable {
            Durable::UpTo(point) => Some(point),
            Durable::Everything => None,
            // A writer is opening the store. What was seen before stays true; who sees it for the
            // first time waits for a point rather than showing half of the store.
            Durable::Unpublished if self.moment.is_some() => return Ok(true),
            Durable::Unpublished if !is_last => return Ok(false),
            Durable::Unpublished => None,
        };
        let known = current.map(|current| Known::new(current, point));
        let point = known.map_or(point, |known| known.point);
        let unchanged = |seen: Moment| match current {
            None => point.is_some() && seen.point == point,
            Some(_) => seen == Moment { point, current },
        };
        if self.moment.is_some_and(unchanged) {
            return Ok(true);
        }
        let reach = match (point, known) {
            // A writer that ended while it opened the store may leave files that go with no point,
            // or records that are newer than the point.
            (Some(point), Some(known)) if is_last || known.events() > point.events => {
                Reach::Files(known)
            }
            (Some(point), _) => Reach::Point(point),
            (None, Some(known)) => Reach::Files(known),
            (None, None) => Reach::Files(Known::new(Current::read(&*self.disk)?, None)),
        };
        let is_read = self.read(reach)?;
        if is_read {
            self.moment = Some(Moment { point, current });
        }
        Ok(is_read)
    }

    /// `false` if the records changed meanwhile.
    fn read(&mut self, reach: Reach) -> Result<bool> {
        let (state, logs, durable, events_max) = match reach {
            Reach::Point(point) if self.has_only_grown(&point) => {
                return self.read_on(&point).map(|()| true);
            }
            Reach::Point(point) => {
                let view = manifest::view_live(&*self.disk, point.manifest, point.manifest_end)?;
                if view.current.phase == Phase::Closed {
                    // The writer has closed the store, or begins to open it. `CURRENT` is exact.
                    return self.read(Reach::Files(Known::new(view.current, None)));
                }
                let whole = Extent::Unclean { durable: 0 };
                let needed = view.state.wal_first..point.wal;
                let mut logs: Vec<(WalId, Extent)> = log_ids(&*self.disk)?
                    .into_iter()
                    .filter(|id| needed.contains(id))
                    .map(|id| (id, whole))
                    .collect();
                let end = Extent::Live(point.wal_end);
                logs.push((point.wal, instead(Bug::ReaderBeyondPoint, end, |_| whole)));
                (view.state, logs, point.events, Some(point.events))
            }
            Reach::Files(known) => {
                let view = manifest::view(&*self.disk)?;
                if view.current != known.current {
                    return Ok(false);
                }
                let state = view.state;
                let logs = known.logs(&*self.disk, &state)?;
                let events_max = known.point.map(|_| known.events());
                (state, logs, known.events(), events_max)
            }
        };
        self.logs.retain(|id, _| *id >= state.wal_first);
        let recorded_at = state.recorded_at.unwrap_or(Time::MIN);
        let mut expected = Replayed::new(state.sealed_seq, recorded_at).next_seq;
        for (id, extent) in logs.iter().copied() {
            let grows = logs.last().is_some_and(|(last, _)| *last == id);
            expected = self.read_log(id, extent, !grows, Sequence(expected), recorded_at)?;
        }
        check_count(&*self.disk, durable, expected)?;
        self.pin(&state);
        self.state = state;
        self.events_max = events_max;
        Ok(true)
    }

    /// Whether nothing has come since the last look but rows in a log that is known.
    fn has_only_grown(&self, point: &DurablePoint) -> bool {
        let of = |point: &DurablePoint| (point.manifest, point.manifest_end, point.wal);
        let seen = self.moment.and_then(|moment| moment.point);
        seen.is_some_and(|seen| of(&seen) == of(point)) && self.logs.contains_key(&point.wal)
    }

    /// Reads the rows that have come. The file of a log that was removed meanwhile still has them,
    /// and no other log is written into it while it is open here.
    fn read_on(&mut self, point: &DurablePoint) -> Result<()> {
        let recorded_at = self.state.recorded_at.unwrap_or(Time::MIN);
        let first = self
            .logs
            .get(&point.wal)
            .map(|log| log.rows.table.first_seq());
        let first = first.unwrap_or(self.state.sealed_seq);
        let extent = Extent::Live(point.wal_end);
        let held = self.read_log(point.wal, extent, false, first, recorded_at)?;
        check_count(&*self.disk, point.events, held)?;
        self.events_max = Some(point.events);
        Ok(())
    }

    /// Reads what a log holds behind what was read of it before, and returns the number of events
    /// up to its end. A log that is whole does not grow any more.
    fn read_log(
        &mut self,
        id: WalId,
        extent: Extent,
        is_whole: bool,
        first: Sequence,
        recorded_at: Time,
    ) -> Result<u64> {
        // A log that an opening writer began repeats rows of the ones before, which were passed over
        // while those were there. And behind what was read of a log, a bulk load may have taken numbers
        // that no log holds.
        let is_enough =
            |log: &Log| log.rows.table.first_seq() <= first && first.0 <= log.rows.next_seq;
        if !self.logs.get(&id).is_none_or(is_enough) {
            self.logs.remove(&id);
        }
        let log = match self.logs.entry(id) {
            Entry::Occupied(known) => {
                let known = known.into_mut();
                if let Some(rest) = &mut known.rest {
                    rest.extend(extent)?;
                }
                known
            }
            Entry::Vacant(place) => {
                let rest = wal::Reader::open(&*self.disk, id, self.state.store, extent)?;
                if rest.first_seq() > first {
                    let what = format!("event {first} is missing: {} follows", rest.first_seq());
                    return Err(Error::corrupt(&self.disk.place(&names::wal(id)), 0, what));
                }
                let rows = Replayed::new(rest.first_seq().max(first), recorded_at);
                place.insert(Log {
                    rows,
                    rest: Some(rest),
                })
            }
        };
        let path = self.disk.place(&names::wal(id));
        if let Some(rest) = &mut log.rest {
            while let Some(group) = rest.next()? {
                if group.next_seq().0 > log.rows.next_seq {
                    for row in group.rows() {
                        log.rows.push(&row?, &path)?;
                    }
                }
            }
        }
        if is_whole {
            log.rest = None;
        }
        Ok(log.rows.next_seq)
    }

    /// Keeps what is known of segments that are still there, and forgets the others.
    fn pin(&mut self, state: &State) {
        let mut pinned = BTreeMap::new();
        for entry in state.segments.values() {
            let known = self.pinned.remove(&entry.id.0);
            let fresh = || Arc::new(Pinned::new(entry.clone(), Arc::clone(&self.disk)));
            pinned.insert(entry.id.0, known.unwrap_or_else(fresh));
        }
        let gone = core::mem::replace(&mut self.pinned, pinned);
        self.gone.extend(gone.into_keys().map(SegmentId));
        let known = self.lineup.runs();
        let runs = presence::load(&*self.disk, state.store, self.read_mode, known);
        let pinned = self.pinned.values().map(Arc::clone);
        self.lineup = Arc::new(Lineup::following(&self.lineup, pinned, runs));
    }

    fn version(&self) -> (Version, u64, Option<Time>) {
        let memtables = self
            .logs
            .values()
            .map(|log| Arc::clone(&log.rows.table))
            .collect();
        let segments = Arc::clone(&self.lineup);
        let replayed = self.logs.values().map(|log| log.rows.next_seq).max();
        let events = replayed.unwrap_or(0).max(self.state.sealed_seq.0);
        let events_max = instead(Bug::ReaderBeyondPoint, self.events_max, |_| None);
        let events = events_max.map_or(events, |max| max.min(events));
        let recorded = self.logs.values().map(|log| log.rows.recorded_at).max();
        let recorded = recorded.max(self.state.recorded_at);
        let version = Version {
            segments,
            memtables,
        };
        (version, events, recorded.filter(|_| events > 0))
    }
}
