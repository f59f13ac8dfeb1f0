//! A store frozen at one moment: which segments and memtables it is made of, and how many events
//! of commit order belong to it. A snapshot pins its segments, so that merging never takes a file
//! from under a reader of this process; a reader of another process that meets a missing file takes
//! a fresh version of the store and goes on, with the same events.

mod barren;
mod lineup;
mod presence;
mod segments;
mod source;
mod terms;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(crate) use lineup::Lineup;
pub(crate) use lineup::Upcoming;
pub(crate) use segments::Pinned;
pub(crate) use segments::Segments;
pub(crate) use source::Kept;
pub(crate) use source::Listed;
pub(crate) use source::Source;
pub(crate) use source::event_of;
pub(crate) use source::no_event;
pub(crate) use terms::Selected;
pub(crate) use terms::TermWalk;

use crate::error::Result;
use crate::id::Position;
use crate::id::StoreId;
use crate::memtable::Memtable;
use crate::time::Clock;
use crate::time::Time;

/// What a store is made of at one moment, beyond which events of it are visible.
#[derive(Clone)]
pub(crate) struct Version {
    pub(crate) segments: Arc<Lineup>,
    /// Memtables in commit order; together with the segments they hold every event once.
    pub(crate) memtables: Vec<Arc<Memtable>>,
}

/// What never changes in a store, and the way to its files.
pub(crate) struct Base {
    pub(crate) store: StoreId,
    pub(crate) created_at: Time,
    pub(crate) segments: Segments,
    /// Gives the present version: of use where another process may have taken files away.
    pub(crate) refresh: Box<dyn Fn() -> Result<Version> + Send + Sync>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A store frozen at one moment. Cheap to take and to clone; every read of a store goes through one.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-snapshot-{}", std::process::id()));
/// let store = auditdb::Store::open(&folder, auditdb::Options::default())?;
/// store.append(&auditdb::Event::new("user.created"))?;
/// let snapshot = store.snapshot();
/// store.append(&auditdb::Event::new("user.removed"))?;
/// assert_eq!(snapshot.seq_count(), 1);
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone)]
pub struct Snapshot {
    base: Arc<Base>,
    version: Version,
    seq_count: u64,
    complete_through: Option<Time>,
}

impl Snapshot {
    pub(crate) fn new(
        base: Arc<Base>,
        version: Version,
        seq_count: u64,
        complete_through: Option<Time>,
    ) -> Snapshot {
        Snapshot {
            base,
            version,
            seq_count,
            complete_through,
        }
    }

    /// Events of the snapshot: those with a smaller `seq`.
    #[must_use]
    pub fn seq_count(&self) -> u64 {
        self.seq_count
    }

    /// When the last event of the snapshot was recorded: whatever was recorded before this moment is
    /// in it. Absent in an empty store.
    #[must_use]
    pub fn complete_through(&self) -> Option<Time> {
        self.complete_through
    }

    /// Since when the store covers events: the earlier of its creation and the moment at which its
    /// oldest event happened.
    #[must_use]
    pub fn covered_from(&self) -> Time {
        let tables = self.memtables().filter_map(|(table, len)| {
            let view = table.view(len);
            Some(
                view.position(u32::try_from(view.len()).ok()?.checked_sub(1)?)?
                    .occurred_at,
            )
        });
        let segments = self.version.segments.oldest();
        tables.chain(segments).fold(self.base.created_at, Time::min)
    }

    /// The store's name.
    #[must_use]
    pub fn store_id(&self) -> StoreId {
        self.base.store
    }

    pub(crate) fn base(&self) -> &Base {
        &self.base
    }

    /// The segments, newest first.
    pub(crate) fn segments(&self) -> &Arc<Lineup> {
        &self.version.segments
    }

    /// The memtables in commit order, each with how many of its rows are visible.
    pub(crate) fn memtables(&self) -> impl Iterator<Item = (&Arc<Memtable>, usize)> {
        self.version.memtables.iter().filter_map(|table| {
            let visible = self.seq_count.saturating_sub(table.first_seq().0);
            let len = table
                .len()
                .min(usize::try_from(visible).unwrap_or(usize::MAX));
            (len > 0).then_some((table, len))
        })
    }

    /// The same events as of a fresh version of the store.
    pub(crate) fn refreshed(&self) -> Result<Snapshot> {
        let version = (self.base.refresh)()?;
        Ok(Snapshot {
            version,
            ..self.clone()
        })
    }

    /// The same version of the store as of an earlier number of events.
    pub(crate) fn as_of(&self, seq_count: u64, complete_through: Option<Time>) -> Snapshot {
        Snapshot {
            seq_count,
            complete_through,
            ..self.clone()
        }
    }

    /// Every source with the first and last position it holds, segments before memtables.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Unopened> {
        let segments = self.segments().iter().map(Unopened::segment);
        segments.chain(self.unsealed())
    }

    /// The memtables among the sources.
    pub(crate) fn unsealed(&self) -> impl Iterator<Item = Unopened> {
        self.memtables().filter_map(|(table, len)| {
            let view = table.view(len);
            let last = u32::try_from(len).ok()?.checked_sub(1)?;
            let first_seq = table.first_seq().0;
            Some(Unopened {
                newest: view.position(0)?,
                oldest: view.position(last)?,
                seqs: (first_seq, first_seq + u64::from(last)),
                place: Place::Memtable(Arc::clone(table), len),
            })
        })
    }
}

/// A source that nothing was read from yet.
pub(crate) struct Unopened {
    pub(crate) newest: Position,
    pub(crate) oldest: Position,
    /// The smallest and the greatest sequence number.
    pub(crate) seqs: (u64, u64),
    place: Place,
}

enum Place {
    Segment(Arc<Pinned>),
    Memtable(Arc<Memtable>, usize),
}

impl Unopened {
    /// How many rows it has, by the bounds of their times, between two places.
    pub(crate) fn rows_between(&self, first: Position, last: Position) -> u64 {
        let rows = match &self.place {
            Place::Segment(pinned) => u64::from(pinned.entry.rows),
            Place::Memtable(_, len) => *len as u64,
        };
        let (from, to) = (first.max(self.oldest), last.min(self.newest));
        if from > to {
            return 0;
        }
        let long = |from: Position, to: Position| {
            let micros = to.occurred_at.as_micros() - from.occurred_at.as_micros();
            u128::from(micros.unsigned_abs()) + 1
        };
        let part = u128::from(rows) * long(from, to) / long(self.oldest, self.newest);
        u64::try_from(part).unwrap_or(rows)
    }

    pub(crate) fn segment(pinned: &Arc<Pinned>) -> Unopened {
        Unopened {
            newest: pinned.entry.max,
            oldest: pinned.entry.min,
            seqs: (pinned.entry.seq_min.0, pinned.entry.seq_max.0),
            place: Place::Segment(Arc::clone(pinned)),
        }
    }

    /// Makes the source readable. A segment's directory is read here, nothing else.
    pub(crate) fn open(&self, base: &Base) -> Result<Source> {
        Ok(match &self.place {
            Place::Segment(pinned) => Source::segment(Arc::clone(pinned), &base.segments)?,
            Place::Memtable(table, len) => Source::memtable(Arc::clone(table), *len),
        })
    }
}
