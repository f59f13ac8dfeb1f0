//! What batches spare: places that need no look, and blocks that are kept.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::sync::Arc;

use super::Blocks;
use super::KEPT_MAX;
use crate::codec::row::Body;
use crate::codec::row::Fingerprints;
use crate::codec::row::Row;
use crate::disk::sim::SimDisk;
use crate::id::Position;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::memtable::Memtable;
use crate::options::ReadMode;
use crate::query::Query;
use crate::query::scan::STREAK;
use crate::snapshot::Base;
use crate::snapshot::Lineup;
use crate::snapshot::Segments;
use crate::snapshot::Snapshot;
use crate::snapshot::Source;
use crate::snapshot::Version;
use crate::time::Clock;
use crate::time::Time;

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Time {
        Time::MIN
    }
}

/// A snapshot of so many rows in memory.
fn snapshot(rows: u64) -> Snapshot {
    let table = Memtable::new(Sequence(0));
    for seq in 0..rows {
        let row = Row {
            position: Position {
                occurred_at: Time::MIN,
                seq: Sequence(seq),
            },
            recorded_at: Time::MIN,
            body: Body {
                time_given: true,
                import: None,
                content: r#"{"type":"a.a"}"#,
            },
        };
        table.push(&row, Fingerprints::default());
    }
    let version = Version {
        segments: Arc::new(Lineup::new([], Arc::default())),
        memtables: vec![Arc::new(table)],
    };
    let (store, disk) = (StoreId::random(), Arc::new(SimDisk::new(1)));
    let fresh = version.clone();
    let base = Base {
        store,
        created_at: Time::MIN,
        segments: Segments::new(disk, store, ReadMode::Positional, 1),
        refresh: Box::new(move || Ok(fresh.clone())),
        clock: Arc::new(Standing),
    };
    Snapshot::new(Arc::new(base), version, rows, None)
}

/// Where a source goes on alone, the places of its rows are not looked at one by one.
#[test]
fn rows_of_one_source_are_leapt_over() {
    let snapshot = snapshot(1_000);
    let mut batches = snapshot.batches(&Query::default()).unwrap();
    let batch = batches.next(900).unwrap().unwrap();
    let looked = batches.walker.looked().rows;
    assert_eq!((batch.len(), looked), (900, STREAK as u64 + 1));
}

/// Of many sources the last ones are kept, whichever of them is asked for.
#[test]
fn blocks_are_kept_of_the_last_sources() {
    let snapshot = snapshot(1);
    let open = || {
        let source = snapshot.sources().next().unwrap();
        Arc::new(source.open(snapshot.base()).unwrap())
    };
    let sources: Vec<Arc<Source>> = (0..3 * KEPT_MAX).map(|_| open()).collect();
    let mut blocks = Blocks::default();
    for source in &sources {
        blocks.of(source);
        blocks.of(source);
    }
    let is_kept = |source: &Arc<Source>| {
        let mut kept = blocks.kept.iter();
        kept.any(|(kept, _)| Arc::ptr_eq(kept, source))
    };
    let kept: Vec<bool> = sources.iter().map(is_kept).collect();
    let (gone, last) = kept.split_at(2 * KEPT_MAX);
    assert!(gone.iter().all(|kept| !kept) && last.iter().all(|kept| *kept));
    assert_eq!(blocks.kept.len(), KEPT_MAX);
}
