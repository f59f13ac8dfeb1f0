//! Facts about a store, for people and for `auditdb stats`: taken from the manifest and from
//! memory, so that asking reads one event only, the one that was recorded last.

use super::Shared;
use crate::disk::Disk;
use crate::disk::names;
use crate::error::Result;
use crate::filter::Filter;
use crate::id::EventId;
use crate::id::Position;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::inbox;
use crate::snapshot::Pinned;
use crate::snapshot::Snapshot;
use crate::time::Time;

/// Facts about a store at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// The store's name.
    pub store: StoreId,
    /// When the store was created.
    pub created_at: Time,
    /// Events in the store.
    pub events: u64,
    /// The oldest event's time; `None` in an empty store.
    pub oldest: Option<Time>,
    /// The newest event's time; `None` in an empty store.
    pub newest: Option<Time>,
    /// Since when the store covers events.
    pub covered_from: Time,
    /// Everything acknowledged up to this moment is counted.
    pub complete_through: Option<Time>,
    /// The event that was recorded last; `None` in an empty store.
    pub latest: Option<LatestEvent>,
    /// Live segments, newest first.
    pub segments: Vec<SegmentStats>,
    /// Events that are in memory and the log only.
    pub unsealed_events: u64,
    /// Bytes of the log files.
    pub wal_bytes: u64,
    /// Bytes of the presence runs.
    pub presence_bytes: u64,
    /// Bytes of the manifest files.
    pub manifest_bytes: u64,
    /// How often the clock was found behind what had been recorded.
    pub clock_steps: u64,
    /// Records in the inbox that the writer has not taken over, or cannot: [`crate::verify()`] names
    /// those.
    pub inbox_records: u64,
}

/// The event that was recorded last, and when it had happened.
///
/// ```
/// use auditdb::{Event, Options, Store, Time};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-latest-{}", std::process::id()));
///
/// let store = Store::open(&folder, Options::default())?;
/// let happened: Time = "2026-05-17T08:00:00Z".parse().expect("a time");
/// store.append(&Event::new("user.created").occurred_at(happened))?;
/// let latest = store.stats()?.latest.expect("an event");
/// assert_eq!(latest.occurred_at, happened);
/// assert!(latest.lateness_micros() > 0, "it came after it had happened");
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatestEvent {
    /// Its name.
    pub id: EventId,
    /// When it happened.
    pub occurred_at: Time,
    /// When the store accepted it.
    pub recorded_at: Time,
}

impl LatestEvent {
    /// How long after it had happened it was recorded, in microseconds; below 0 for an event that
    /// was said to happen later than it was recorded.
    #[must_use]
    pub fn lateness_micros(&self) -> i64 {
        self.recorded_at.as_micros() - self.occurred_at.as_micros()
    }
}

/// Facts about one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentStats {
    /// The segment's number.
    pub id: u64,
    /// The file, relative to the store's folder.
    pub path: std::path::PathBuf,
    /// 0 for one that will be merged, 1 for a final one.
    pub level: u8,
    /// Events in it.
    pub rows: u32,
    /// Bytes of its file, indexes included.
    pub bytes: u64,
    /// Its oldest event.
    pub oldest: Position,
    /// Its newest event.
    pub newest: Position,
}

impl Stats {
    /// Bytes of all segments, indexes included.
    #[must_use]
    pub fn segment_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    pub(super) fn of(snapshot: &Snapshot, disk: &dyn Disk, clock_steps: u64) -> Result<Stats> {
        let sources: Vec<_> = snapshot.sources().collect();
        let segments: Vec<SegmentStats> = snapshot
            .segments()
            .iter()
            .map(|pinned| SegmentStats::of(pinned))
            .collect();
        let in_segments: u64 = segments.iter().map(|segment| u64::from(segment.rows)).sum();
        Ok(Stats {
            store: snapshot.store_id(),
            created_at: snapshot.base().created_at,
            events: snapshot.seq_count(),
            oldest: sources.iter().map(|source| source.oldest.occurred_at).min(),
            newest: sources.iter().map(|source| source.newest.occurred_at).max(),
            covered_from: snapshot.covered_from(),
            complete_through: snapshot.complete_through(),
            latest: latest(snapshot)?,
            segments,
            unsealed_events: snapshot.seq_count().saturating_sub(in_segments),
            wal_bytes: bytes_in(disk, names::wal_dir(), |name| names::wal_id(name).is_some())?,
            presence_bytes: super::presence::bytes(disk)?,
            manifest_bytes: bytes_in(disk, names::root(), |name| {
                names::manifest_id(name).is_some()
            })?,
            clock_steps,
            inbox_records: inbox::list(disk)?.len() as u64,
        })
    }
}

fn latest(snapshot: &Snapshot) -> Result<Option<LatestEvent>> {
    let Some(last) = snapshot.seq_count().checked_sub(1) else {
        return Ok(None);
    };
    let tail = snapshot.tail(&Filter::new(), Sequence(last))?;
    Ok(tail.events.first().map(|event| LatestEvent {
        id: event.id,
        occurred_at: event.occurred_at,
        recorded_at: event.recorded_at,
    }))
}

impl SegmentStats {
    fn of(pinned: &Pinned) -> SegmentStats {
        let entry = &pinned.entry;
        SegmentStats {
            id: entry.id.0,
            path: entry.path(),
            level: entry.level,
            rows: entry.rows,
            bytes: entry.file_len,
            oldest: entry.min,
            newest: entry.max,
        }
    }
}

impl Shared {
    pub(super) fn stats(&self) -> Result<Stats> {
        let clock_steps = self.writer.lock().clock_steps;
        Stats::of(&self.snapshot(), &*self.disk, clock_steps)
    }
}

fn bytes_in(
    disk: &dyn Disk,
    folder: &std::path::Path,
    counts: impl Fn(&str) -> bool,
) -> Result<u64> {
    let mut bytes = 0;
    for entry in disk.list(folder)? {
        if counts(&entry.name) {
            bytes += disk.len(&folder.join(&entry.name))?.unwrap_or(0);
        }
    }
    Ok(bytes)
}
