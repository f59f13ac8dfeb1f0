//! Batches of a scan against the scan itself: the same rows in the same order, whatever the filter
//! and the direction, while merges replace what a batch points to, and when a file is gone.

use core::ops::ControlFlow;

use super::TestClock;
use super::append;
use super::at;
use super::open_with;
use super::small;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::id::Position;
use crate::id::Sequence;
use crate::options::Options;
use crate::options::ReadMode;
use crate::query::Batch;
use crate::query::Blocks;
use crate::query::Order;
use crate::query::Query;
use crate::snapshot::Snapshot;
use crate::store::Store;

/// Reads the rows of a batch from number `from` on, `step` at a time.
fn read(batch: &Batch, from: usize, step: usize, blocks: &mut Blocks) -> Result<Vec<Position>> {
    let (mut found, mut next) = (Vec::new(), from);
    while next < batch.len() {
        let (mut left, parts) = (step, step.is_multiple_of(2));
        next = batch.read(next, parts, blocks, &mut |row, content| {
            assert_eq!(content.is_some(), parts);
            found.push(row.position);
            left -= 1;
            Ok(match left {
                0 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
        })?;
    }
    Ok(found)
}

/// What a scan gives, in events as in views, and a page that holds all.
fn scanned(snapshot: &Snapshot, query: &Query) -> Result<Vec<Position>> {
    let events = snapshot.scan(query)?;
    let found: Result<Vec<Position>> = events
        .map(|event| event.map(|event| event.position()))
        .collect();
    let found = found?;
    let (mut scan, mut seen, mut paged) = (snapshot.scan(query)?, Vec::new(), Vec::new());
    while let Some(position) = scan.next_with(|event| event.id().position())? {
        seen.push(position);
    }
    let whole = Query {
        limit: 100_000,
        ..query.clone()
    };
    let page = snapshot.page_with(&whole, |event| paged.push(event.id().position()))?;
    assert!(page.complete && page.events.is_empty());
    assert_eq!((&found, &found), (&seen, &paged));
    Ok(found)
}

fn batched(snapshot: &Snapshot, query: &Query, max: usize) -> Result<Vec<Position>> {
    let mut batches = snapshot.batches(query)?;
    let (mut found, mut blocks) = (Vec::new(), Blocks::default());
    while let Some(batch) = batches.next(max)? {
        let rows = read(&batch, 0, 5, &mut blocks)?;
        assert_eq!(rows.len(), batch.len());
        assert!(batch.len() <= max);
        assert_eq!(rows.first(), Some(&batch.first()));
        assert_eq!(rows.last(), Some(&batch.last()));
        found.extend(rows);
        let rest = Query {
            cursor: Some(batches.cursor(batch.last())),
            ..query.clone()
        };
        assert_eq!(batches.has_more()?, snapshot.scan(&rest)?.next().is_some());
    }
    Ok(found)
}

/// Runs of events that lie together and runs that lie among others, in several segments and the
/// memtable.
fn filled(disk: &SimDisk) -> Result<Store> {
    let options = Options {
        read_mode: ReadMode::Positional,
        ..small()
    };
    let store = open_with(disk, &TestClock::new(), options)?;
    for part in 0..8_i64 {
        let events: Vec<Event> = (0..60)
            .map(|number| {
                let micros = match part % 3 {
                    0 => part * 1_000 + number,
                    1 => number * 100 + part,
                    _ => 7_000 - part * 500 - number / 2,
                };
                let kind = if number % 7 == 0 {
                    "test.rare"
                } else {
                    "test.often"
                };
                Event::new(kind).occurred_at(at(micros))
            })
            .collect();
        store.append_batch(&events)?;
    }
    Ok(store)
}

fn queries() -> Vec<Query> {
    let mut queries = Vec::new();
    for order in [Order::NewestFirst, Order::OldestFirst] {
        for filter in [
            Filter::new(),
            Filter::new().is(FilterField::Type, "test.rare"),
            Filter::new()
                .is(FilterField::Type, "test.often")
                .since(at(900)),
            Filter::new().is(FilterField::Type, "test.none"),
        ] {
            for since_seq in [None, Some(Sequence(130))] {
                queries.push(Query {
                    filter: filter.clone(),
                    order,
                    since_seq,
                    ..Query::default()
                });
            }
        }
    }
    queries
}

#[test]
fn batches_put_together_are_the_scan() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = filled(&disk)?;
    let early = store.snapshot();
    append(&store, 480..520)?;
    for snapshot in [early, store.snapshot()] {
        for query in queries() {
            let wanted = scanned(&snapshot, &query)?;
            for max in [1, 7, 64, 1000] {
                assert_eq!(
                    batched(&snapshot, &query, max)?,
                    wanted,
                    "{query:?} by {max}"
                );
            }
        }
    }
    Ok(())
}

/// A file that another process took away between the walk and the read: the batch is looked for
/// anew in a fresh version of the store, from the row on that was not read.
#[test]
fn a_batch_whose_file_is_gone_is_read_again_with_equal_results() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = filled(&disk)?;
    store.flush()?;
    for query in queries() {
        let snapshot = store.snapshot();
        let mut batches = snapshot.batches(&query)?;
        while let Some(batch) = batches.next(40)? {
            let wanted = read(&batch, 0, 1, &mut Blocks::default())?;
            for from in [0, batch.len() / 2] {
                let fails = |kind| disk.fail(Fault::new(Operation::Read, kind).within("seg/"));
                fails(std::io::ErrorKind::Other);
                assert!(read(&batch, from, 9, &mut Blocks::default()).is_err());
                fails(std::io::ErrorKind::NotFound);
                let found = read(&batch, from, 9, &mut Blocks::default())?;
                assert_eq!(found, wanted[from..], "{query:?}");
                disk.heal();
            }
        }
    }
    Ok(())
}

#[test]
fn what_comes_before_an_error_is_given_before_the_error() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = filled(&disk)?;
    store.flush()?;
    let query = Query::default();
    let snapshot = store.snapshot();
    let wanted = scanned(&snapshot, &query)?;
    let mut failures = 0;
    for after in 0..50 {
        let mut batches = snapshot.batches(&query)?;
        let broken = Fault::new(Operation::Read, std::io::ErrorKind::Other);
        disk.fail(broken.within("seg/").after(after).sticky());
        let mut given = Vec::new();
        let error = loop {
            match batches.next(32) {
                Ok(Some(batch)) => given.push(batch),
                Ok(None) => break None,
                Err(error) => break Some(error.kind()),
            }
        };
        disk.heal();
        let mut found = Vec::new();
        for batch in &given {
            found.extend(read(batch, 0, 9, &mut Blocks::default())?);
        }
        assert_eq!(found, wanted[..found.len()]);
        match error {
            None => assert_eq!(found.len(), wanted.len()),
            Some(kind) => {
                assert_eq!(kind, ErrorKind::Io);
                failures += 1;
            }
        }
    }
    assert!(failures > 0, "no read of the walk failed");
    Ok(())
}

/// Segments behind each other in time, of which the second one cannot be read.
#[test]
fn a_batch_that_an_error_cuts_short_has_what_was_found() -> Result<()> {
    let disk = SimDisk::new(1);
    let options = Options {
        read_mode: ReadMode::Positional,
        ..Options::default()
    };
    let store = open_with(&disk, &TestClock::new(), options)?;
    for part in 0..3 {
        let times = (0..50).map(|number| at(part * 1_000 + number));
        let events: Vec<Event> = times
            .map(|time| Event::new("test.often").occurred_at(time))
            .collect();
        store.append_batch(&events)?;
        store.flush()?;
    }
    let snapshot = store.snapshot();
    let mut cut_short = 0;
    for after in 0..20 {
        let mut batches = snapshot.batches(&Query::default())?;
        let broken = Fault::new(Operation::Read, std::io::ErrorKind::Other);
        disk.fail(broken.within("seg/").after(after).sticky());
        let first = batches.next(1000);
        let second = batches.next(1000);
        disk.heal();
        match first.map(|batch| batch.map_or(0, |batch| batch.len())) {
            Err(_) | Ok(150) => {}
            Ok(len) => {
                assert!(len == 50 || len == 100, "{len}");
                let error = second.err().expect("the rest cannot be read");
                assert_eq!(error.kind(), ErrorKind::Io);
                cut_short += 1;
            }
        }
    }
    assert!(cut_short > 0, "no batch was cut short");
    store.close()
}

/// All lines of a scan, one that cannot be read tried again; behind each error also those that a scan
/// from the cursor on gives.
fn tried_again(snapshot: &Snapshot, query: &Query, all: &mut Vec<Vec<u8>>) -> Result<Vec<u8>> {
    let (mut scan, mut lines) = (snapshot.scan(query)?, Vec::new());
    loop {
        match scan.next_line(&mut lines) {
            Ok(true) => {}
            Ok(false) => return Ok(lines),
            Err(_) => {
                let cursor = scan.cursor();
                let rest = Query {
                    cursor,
                    ..query.clone()
                };
                let mut behind = lines.clone();
                let mut scan = snapshot.scan(&rest)?;
                while scan.next_line(&mut behind)? {}
                all.push(behind);
            }
        }
    }
}

/// A scan once went on behind a row that it could not read, and its cursor with it, or behind a
/// whole segment that it could not open: whoever tried again had fewer events than there are.
#[test]
fn p5_a_scan_that_is_tried_again_leaves_nothing_out() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = filled(&disk)?;
    store.flush()?;
    let snapshot = store.snapshot();
    let mut failures = 0;
    for query in queries() {
        let wanted = tried_again(&snapshot, &query, &mut Vec::new())?;
        for after in 0..30 {
            let broken = Fault::new(Operation::Read, std::io::ErrorKind::Other);
            disk.fail(broken.within("seg/").after(after));
            let mut all = Vec::new();
            let found = tried_again(&snapshot, &query, &mut all)?;
            failures += all.len();
            disk.heal();
            all.push(found);
            let is_whole = all.iter().all(|lines| *lines == wanted);
            assert!(is_whole, "{query:?}, read {after}");
        }
    }
    assert!(failures > 0, "no read failed");
    Ok(())
}

#[test]
fn p5_a_scan_as_an_iterator_ends_behind_its_error() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = filled(&disk)?;
    store.flush()?;
    let scan = store.snapshot().scan(&Query::default())?;
    let broken = Fault::new(Operation::Read, std::io::ErrorKind::Other);
    disk.fail(broken.within("seg/").after(9).sticky());
    let failures = scan.filter(|event| event.is_err()).count();
    assert_eq!(failures, 1);
    Ok(())
}

/// Events that lie by turns in more segments than blocks are kept of.
#[test]
fn batches_of_more_sources_than_are_kept_give_the_same_rows() -> Result<()> {
    const SEGMENTS: i64 = 24;
    let options = Options::default();
    let store = open_with(&SimDisk::new(1), &TestClock::new(), options)?;
    for part in 0..SEGMENTS {
        let turns = (0..20).map(|turn| at((turn * SEGMENTS + part) * 1_000));
        let events: Vec<Event> = turns
            .map(|time| Event::new("test.often").occurred_at(time))
            .collect();
        store.append_batch(&events)?;
        store.flush()?;
    }
    let snapshot = store.snapshot();
    assert_eq!(snapshot.segments().len() as i64, SEGMENTS);
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let query = Query {
            order,
            ..Query::default()
        };
        assert_eq!(
            batched(&snapshot, &query, 100)?,
            scanned(&snapshot, &query)?
        );
    }
    store.close()
}
