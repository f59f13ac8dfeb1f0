//! A store read from beside its writer: another process, or none at all. Writes nothing, holds no
//! lock, and sees what is durable: up to the point the writer publishes while one is at work, or up
//! to the end of what the files hold when none is.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Follower;
use super::Stats;
use super::open::Replayed;
use super::seal::in_reading_order;
use crate::disk::Disk;
use crate::disk::clock::SystemClock;
use crate::disk::lock;
use crate::disk::lock::Durable;
use crate::disk::lock::DurablePoint;
use crate::disk::names;
use crate::disk::real::RealDisk;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::filter::Filter;
use crate::id::Sequence;
use crate::id::WalId;
use crate::manifest;
use crate::manifest::Phase;
use crate::manifest::State;
use crate::options::ReadMode;
use crate::snapshot::Base;
use crate::snapshot::Pinned;
use crate::snapshot::Segments;
use crate::snapshot::Snapshot;
use crate::snapshot::Version;
use crate::time::Clock;
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
    point: Option<DurablePoint>,
    closed: bool,
    state: State,
    /// The rows of every log from the first one that is still needed.
    logs: BTreeMap<WalId, Replayed>,
    pinned: BTreeMap<u64, Arc<Pinned>>,
}

/// How often a look at a store that changes underfoot is taken anew.
const LOOKS_MAX: usize = 64;

impl Reader {
    /// Opens the store in the folder `path` for reading.
    ///
    /// # Errors
    /// [`ErrorKind::NotAStore`] if the folder holds none, or what reading its records gives.
    pub fn open(path: impl AsRef<Path>, read_mode: ReadMode) -> Result<Reader> {
        const OPEN_SEGMENTS_MAX: usize = 256;
        let path = path.as_ref();
        let not_a_store = || {
            Error::new(ErrorKind::NotAStore, "not a store: it has no file CURRENT").in_file(path)
        };
        let disk = RealDisk::open(path).map_err(|error| match error.kind() {
            ErrorKind::Missing => not_a_store(),
            _ => error,
        })?;
        let disk: Arc<dyn Disk> = Arc::new(disk);
        if disk.len(names::current())?.is_none() {
            return Err(not_a_store());
        }
        let seen = Arc::new(Mutex::new(Seen::new(Arc::clone(&disk))?));
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

    /// The store as it is now: all that is durable.
    ///
    /// # Errors
    /// What reading the store's records gives.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let (version, events, complete_through) = self.shared.seen.lock().look()?;
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

    /// The store's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Seen {
    fn new(disk: Arc<dyn Disk>) -> Result<Seen> {
        let state = manifest::view(&*disk).map(|view| view.state)?;
        Ok(Seen {
            disk,
            point: None,
            closed: false,
            state,
            logs: BTreeMap::new(),
            pinned: BTreeMap::new(),
        })
    }

    /// The present version, how many events are durable, and through when it is complete.
    fn look(&mut self) -> Result<(Version, u64, Option<Time>)> {
        for _ in 1..LOOKS_MAX {
            match self.try_look() {
                // The writer has gone on between two of our reads; what it removed is elsewhere now.
                Err(error) if error.is_corrupt() => self.forget(),
                looked => return looked,
            }
        }
        self.try_look()
    }

    fn forget(&mut self) {
        self.point = None;
        self.closed = false;
        self.logs.clear();
    }

    fn try_look(&mut self) -> Result<(Version, u64, Option<Time>)> {
        let status = lock::status(&*self.disk)?;
        let point = match status.durable {
            Durable::UpTo(point) => Some(point),
            Durable::Unpublished | Durable::Everything => None,
        };
        let unchanged = self.closed || (point.is_some() && point == self.point);
        if !unchanged || status.holder.is_none() {
            self.read(point, status.durable == Durable::Unpublished)?;
        }
        Ok(self.version())
    }

    fn read(&mut self, point: Option<DurablePoint>, unpublished: bool) -> Result<()> {
        let view = match point {
            Some(point) => manifest::view_live(&*self.disk, point.manifest, point.manifest_end)?,
            None => manifest::view(&*self.disk)?,
        };
        let (state, current) = (view.state, view.current);
        let closed = current.phase == Phase::Closed;
        self.logs.retain(|id, _| *id >= state.wal_first);
        let last = match point {
            _ if closed => Some((current.ends.wal, Extent::Closed(current.ends.wal_end))),
            Some(point) => Some((point.wal, Extent::Live(point.wal_end))),
            None => None,
        };
        let mut id = state.wal_first;
        let mut expected = state.sealed_seq;
        while !unpublished {
            let extent = match last {
                Some((last, extent)) if last == id => extent,
                Some((last, _)) if last < id => break,
                _ => Extent::Unclean { durable: 0 },
            };
            let there = self.disk.len(&names::wal(id))?.is_some();
            if !there && last.is_none() && id > state.wal_first {
                break;
            }
            let recorded_at = state.recorded_at.unwrap_or(Time::MIN);
            let rows = self.read_log(id, extent, expected, recorded_at)?;
            expected = Sequence(rows);
            id = WalId(id.0 + 1);
        }
        self.pin(&state);
        self.state = state;
        self.point = point;
        self.closed = closed;
        Ok(())
    }

    /// Reads a log from its beginning, and returns the number of events up to its end. A log that
    /// did not grow is not read again.
    fn read_log(
        &mut self,
        id: WalId,
        extent: Extent,
        first: Sequence,
        recorded_at: Time,
    ) -> Result<u64> {
        let mut log = wal::Reader::open(&*self.disk, id, self.state.store, extent)?;
        let first_seq = log.first_seq().max(first);
        let rows = self
            .logs
            .entry(id)
            .or_insert_with(|| Replayed::new(first_seq, recorded_at));
        let path = self.disk.place(&names::wal(id));
        while let Some(group) = log.next()? {
            if group.next_seq().0 > rows.next_seq {
                for row in group.rows() {
                    rows.push(&row?, &path)?;
                }
            }
        }
        Ok(rows.next_seq)
    }

    /// Keeps what is known of segments that are still there, and forgets the others.
    fn pin(&mut self, state: &State) {
        let mut pinned = BTreeMap::new();
        for entry in state.segments.values() {
            let known = self.pinned.remove(&entry.id.0);
            let fresh = || Arc::new(Pinned::new(entry.clone(), Arc::clone(&self.disk)));
            pinned.insert(entry.id.0, known.unwrap_or_else(fresh));
        }
        self.pinned = pinned;
    }

    fn version(&self) -> (Version, u64, Option<Time>) {
        let memtables = self
            .logs
            .values()
            .map(|rows| Arc::clone(&rows.table))
            .collect();
        let segments = in_reading_order(self.pinned.values().map(Arc::clone));
        let replayed = self.logs.values().map(|rows| rows.next_seq).max();
        let events = replayed.unwrap_or(0).max(self.state.sealed_seq.0);
        let events = self.point.map_or(events, |point| point.events);
        let recorded = self.logs.values().map(|rows| rows.recorded_at).max();
        let recorded = recorded.max(self.state.recorded_at);
        let version = Version {
            segments,
            memtables,
        };
        (version, events, recorded.filter(|_| events > 0))
    }
}
