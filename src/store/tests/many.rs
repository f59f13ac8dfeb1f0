//! A store of many segments: opening it reads none of them, and a page touches those it comes to.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::TestClock;
use super::at;
use crate::codec::canonical;
use crate::codec::row::Body;
use crate::codec::row::Row;
use crate::disk::Disk;
use crate::disk::durable;
use crate::disk::names;
use crate::disk::names::Folder;
use crate::disk::real::RealDisk;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::event::Event;
use crate::event::Subject;
use crate::filter::Condition;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::filter::Pattern;
use crate::id::Position;
use crate::id::Sequence;
use crate::manifest::Edit;
use crate::manifest::Ends;
use crate::manifest::Manifest;
use crate::manifest::SegmentEntry;
use crate::options::Options;
use crate::options::Partition;
use crate::options::ReadMode;
use crate::query::Order;
use crate::query::Query;
use crate::segment;
use crate::store::Reader;
use crate::store::Store;
use crate::store::open::open_on;

/// Rows of each segment.
const ROWS: u64 = 4;

fn open(disk: &Arc<dyn Disk>) -> Result<Store> {
    let clock = TestClock::new();
    open_on(
        Arc::clone(disk),
        clock,
        Path::new("/sim"),
        Options::default(),
    )
}

fn event(number: u64) -> Event {
    Event::new(if number.is_multiple_of(2) {
        "even"
    } else {
        "odd"
    })
    .subject(Subject::new("number").id((number / 3).to_string()))
}

/// Makes a closed store of this many final segments, which lie behind each other in time.
fn make(disk: &Arc<dyn Disk>, segments: u64) -> Result<()> {
    open(disk)?.close()?;
    let mut manifest = Manifest::open(Arc::clone(disk))?;
    let ends = manifest.current.ends;
    let manifest = &mut manifest.manifest;
    manifest.mark_open(ends)?;
    let mut edit = Edit::default();
    for number in 0..segments {
        let seqs = number * ROWS..(number + 1) * ROWS;
        let contents: Vec<String> = seqs
            .clone()
            .map(|seq| canonical::content(&event(seq)))
            .collect();
        let rows = seqs
            .rev()
            .zip(contents.iter().rev())
            .map(|(seq, content)| Row {
                position: Position {
                    occurred_at: at(super::BASE + seq as i64),
                    seq: Sequence(seq),
                },
                recorded_at: at(super::BASE),
                body: Body {
                    time_given: true,
                    import: None,
                    content,
                },
            });
        let id = manifest.take_segment_id();
        let folder = Folder::of(at(super::BASE), Partition::Month);
        let path = names::segment(folder, id);
        durable::create_dir(&**disk, &folder.path())?;
        let file = disk.create_new(&path)?;
        let summary = segment::writer::write(&*file, manifest.state().store, id, rows)?;
        edit.add.push(SegmentEntry {
            id,
            level: 1,
            rows: summary.rows,
            file_len: summary.file_len,
            max: summary.newest,
            min: summary.oldest,
            seq_min: summary.seq_min,
            seq_max: summary.seq_max,
            recorded_min: summary.recorded_min,
            recorded_max: summary.recorded_max,
            content_hash: summary.content_hash,
            folder,
        });
    }
    let events = segments * ROWS;
    edit.sealed_seq = Some(Sequence(events));
    edit.recorded_at = Some(at(super::BASE));
    manifest.commit(edit)?;
    manifest.mark_closed(Ends { events, ..ends })
}

fn with(condition: Condition) -> Query {
    Query {
        filter: Filter::new().and(condition),
        limit: 3,
        ..Query::default()
    }
}

/// What opening and asking open, of a store of so many segments.
#[test]
fn opening_reads_no_segment_and_a_page_those_it_comes_to() -> Result<()> {
    let sim = SimDisk::new(11);
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    make(&disk, 150)?;
    {
        let store = open(&disk)?;
        store.flush()?;
        store.close()?;
    }
    // Two runs of 64, two of 8 and six of one; besides them the store's own records.
    let before = sim.count(Operation::Open);
    let store = open(&disk)?;
    assert!(sim.count(Operation::Open) - before < 40);
    let entity = |field, id: u64| {
        let (kind, id) = (Some("number".to_owned()), id.to_string());
        Condition::Field(field, Pattern::Id { kind, id })
    };
    let subject = |id| entity(FilterField::Subject, id);
    let target = |id| entity(FilterField::Target, id);
    for (query, events, segments) in [
        (
            Query {
                limit: 3,
                ..Query::default()
            },
            3,
            1,
        ),
        (
            Query {
                limit: 3,
                order: Order::OldestFirst,
                ..Query::default()
            },
            3,
            1,
        ),
        (with(subject(57)), 3, 2),
        (with(subject(1000)), 0, 0),
        (with(Condition::All(vec![subject(3), target(60)])), 0, 0),
    ] {
        let before = sim.count(Operation::Open);
        let page = store.page(&query)?;
        assert_eq!(page.events.len(), events, "{query:?}");
        assert!(sim.count(Operation::Open) - before <= segments, "{query:?}");
    }
    let id = store
        .page(&with(subject(100)))?
        .events
        .first()
        .map(|event| event.id);
    assert!(id.is_some_and(|id| matches!(store.get(id), Ok(Some(_)))));
    assert_eq!(store.snapshot().scan(&Query::default())?.count(), 600);
    store.close()
}

/// Prints how long opening takes, too: `AUDITDB_SEGMENTS=5000` with `--nocapture` is the measure of
/// docs/decisions/0019.
#[test]
#[expect(
    clippy::print_stderr,
    reason = "the figures are half of what it is for"
)]
fn many_segments_open_on_a_real_disk() -> Result<()> {
    let asked = std::env::var("AUDITDB_SEGMENTS").ok();
    let segments = asked.and_then(|number| number.parse().ok()).unwrap_or(300);
    let folder = tempfile::tempdir().unwrap();
    let real = || RealDisk::open(folder.path()).map(|disk| Arc::new(disk) as Arc<dyn Disk>);
    make(&real()?, segments)?;
    for round in ["before runs tell of them", "afterwards", "again"] {
        let begin = Instant::now();
        let reader = Reader::open(folder.path(), ReadMode::default())?;
        let opened = begin.elapsed();
        let page = reader.snapshot()?.page(&Query::default())?;
        assert_eq!(page.events.len(), 50);
        let read = begin.elapsed();
        let begin = Instant::now();
        let store = open(&real()?)?;
        let written = begin.elapsed();
        eprintln!("{round}: for reading {opened:?}, with a page {read:?}; for writing {written:?}");
        store.flush()?;
        store.close()?;
    }
    Ok(())
}
