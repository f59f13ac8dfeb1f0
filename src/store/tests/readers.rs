//! A reader beside the writer, step by step on one disk: what it may see at each moment of the
//! writer's life, and what it costs.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::TestClock;
use super::append;
use super::event;
use super::open;
use super::open_with;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::id::Sequence;
use crate::id::WalId;
use crate::options::Options;
use crate::options::ReadMode;
use crate::query::Every;
use crate::query::FacetQuery;
use crate::query::Query;
use crate::snapshot::Snapshot;
use crate::store::Reader;
use crate::store::reader::open_on;

fn reader(disk: &SimDisk) -> Result<Reader> {
    open_on(
        Arc::new(disk.clone()),
        Path::new("/sim"),
        ReadMode::Positional,
    )
}

/// How many events the reader sees, each of which must be the one of its number.
fn seen(reader: &Reader) -> Result<u64> {
    let snapshot = reader.snapshot()?;
    let mut from = Sequence(0);
    loop {
        let tail = snapshot.tail(&Filter::new(), from)?;
        for stored in tail.events {
            assert_eq!(stored.seq, from);
            assert_eq!(stored.event, event(from.0));
            from = Sequence(from.0 + 1);
        }
        if tail.complete {
            assert_eq!(from.0, snapshot.seq_count());
            return Ok(from.0);
        }
    }
}

#[test]
fn p2_a_reader_sees_what_is_durable_and_no_more() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    let reader = reader(&disk)?;
    assert_eq!(seen(&reader)?, 0);
    append(&store, 0..5)?;
    assert_eq!(seen(&reader)?, 5);
    disk.fail(Fault::new(Operation::Sync, std::io::ErrorKind::Other).within("wal/"));
    assert!(store.append(&event(5)).is_err());
    assert_eq!(seen(&reader)?, 5, "below the last good sync");
    assert_eq!(seen(&self::reader(&disk)?)?, 5, "also who comes just now");
    drop(store);
    assert_eq!(
        seen(&reader)?,
        5,
        "the writer is gone, and what it said is still true"
    );
    drop(open(&disk)?);
    assert_eq!(
        seen(&reader)?,
        6,
        "recovery found it in the log and made it durable"
    );
    Ok(())
}

/// What happened: a reader that had seen the store closed took it for closed ever after, and saw
/// nothing of what the next writer appended.
#[test]
fn a_reader_follows_through_closing_and_opening() -> Result<()> {
    let disk = SimDisk::new(1);
    open(&disk)?.close()?;
    let reader = reader(&disk)?;
    let mut held = 0;
    for round in 0..6 {
        let store = open(&disk)?;
        assert_eq!(seen(&reader)?, held);
        append(&store, held..held + 3)?;
        held += 3;
        assert_eq!(
            seen(&reader)?,
            held,
            "round {round}: while the writer is at work"
        );
        if round % 2 == 0 {
            store.flush()?;
        }
        assert_eq!(seen(&reader)?, held, "round {round}: after a seal");
        if round % 3 == 0 {
            drop(store);
        } else {
            store.close()?;
        }
        assert_eq!(seen(&reader)?, held, "round {round}: after the writer");
    }
    Ok(())
}

/// What happened: each look read the whole log again, up to 32 MiB every 20 ms for a follower.
#[test]
fn a_look_costs_what_is_new() -> Result<()> {
    let disk = SimDisk::new(1);
    // With room in memory for all: a seal beside a look reads too, and would be counted with it.
    let store = open_with(&disk, &TestClock::new(), Options::default())?;
    let reader = reader(&disk)?;
    let mut costs = Vec::new();
    for number in 0..15 {
        store.append(&event(number))?;
        let before = disk.count(Operation::Read);
        assert_eq!(reader.snapshot()?.seq_count(), number + 1);
        costs.push(disk.count(Operation::Read) - before);
    }
    let first = costs[1];
    assert!(
        costs.iter().skip(1).all(|cost| *cost <= first + 2),
        "{costs:?}"
    );
    let before = disk.count(Operation::Read);
    reader.snapshot()?;
    assert!(disk.count(Operation::Read) - before <= 3, "an idle look");
    Ok(())
}

/// What happened: a writer that is opening the store removes the old log before it says where the
/// new one ends. Killed between the two, it left a store that writers could open and readers could
/// not. And a reader that came in the middle of it saw the sealed part as the whole.
#[test]
fn p5_a_writer_killed_at_any_change_of_opening_leaves_a_readable_store() -> Result<()> {
    for is_closed in [false, true] {
        let origin = SimDisk::new(1);
        let store = open(&origin)?;
        append(&store, 0..8)?;
        store.flush()?;
        append(&store, 8..12)?;
        if is_closed {
            store.close()?;
        } else {
            drop(store);
        }
        for boot in [false, true] {
            for n in 0.. {
                // The next boot's reader has no point to go by.
                let disk = if boot { origin.crash(4) } else { origin.kill() };
                let before = reader(&disk)?;
                assert_eq!(seen(&before)?, 12);
                disk.fail(
                    Fault::any_change(std::io::ErrorKind::Other)
                        .after(n)
                        .sticky(),
                );
                let is_over = open(&disk).is_ok();
                disk.heal();
                let story = format!("closed {is_closed}, boot {boot}, killed at change {n}");
                assert_eq!(seen(&before)?, 12, "{story}: a reader from before");
                assert_eq!(seen(&reader(&disk)?)?, 12, "{story}: a new reader");
                if is_over {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// The files of merged segments are let go, or a reader that lives long keeps their space.
#[test]
fn a_reader_of_replaced_segments_goes_on() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    let reader = reader(&disk)?;
    append(&store, 0..3)?;
    store.flush()?;
    let snapshot = reader.snapshot()?;
    for number in 3..12 {
        store.append(&event(number))?;
        store.flush()?;
    }
    // The snapshot's own file went with a merge; the events are the same ones.
    let tail = snapshot.tail(&Filter::new(), Sequence(0))?;
    let seqs: Vec<u64> = tail.events.iter().map(|event| event.seq.0).collect();
    assert_eq!((seqs, tail.complete), (vec![0, 1, 2], true));
    assert_eq!(seen(&reader)?, 12);
    assert!(disk.list(names::wal_dir())?.len() == 1);
    Ok(())
}

/// One way of asking for all that a snapshot of [`event`]s holds.
type Asked = fn(&Snapshot) -> Result<String>;

/// Every way of reading that opens segments.
const ASKED: [Asked; 6] = [
    |snapshot| Ok(format!("{:?}", snapshot.page(&of_type())?.events)),
    |snapshot| {
        let found: Result<Vec<_>> = snapshot.scan(&of_type())?.collect();
        Ok(format!("{:?}", found?))
    },
    |snapshot| Ok(format!("{}", snapshot.count(&of_type())?)),
    |snapshot| {
        let asked = FacetQuery::of(FilterField::Subject);
        Ok(format!("{:?}", snapshot.facets(&of_type(), &asked)?.values))
    },
    |snapshot| {
        let counts = snapshot.counts_by_time(&of_type(), Every::Month)?;
        Ok(format!("{:?}", counts.counts))
    },
    |snapshot| {
        let tail = snapshot.tail(&Filter::new(), Sequence(0))?;
        Ok(format!("{:?}", tail.events))
    },
];

fn of_type() -> Query {
    Query {
        filter: Filter::new().is(FilterField::SubjectKind, "number"),
        ..Query::default()
    }
}

/// A merge of the writing process takes away the files of a snapshot that was not read yet: whatever is
/// read of it then is the same. Where files are gone for good that is said, and nobody looks for ever.
#[test]
fn p2_what_is_read_of_replaced_segments_is_the_same_however_it_is_read() -> Result<()> {
    for (number, asked) in ASKED.iter().enumerate() {
        let disk = SimDisk::new(1);
        let store = open(&disk)?;
        append(&store, 0..3)?;
        store.flush()?;
        let beside = reader(&disk)?;
        let wanted = asked(&reader(&disk)?.snapshot()?)?;
        let snapshot = beside.snapshot()?;
        append(&store, 3..12)?;
        store.compact()?;
        assert_eq!(asked(&snapshot)?, wanted, "way {number}");
        store.close()?;
        let gone = reader(&disk)?.snapshot()?;
        for folder in disk.list(names::segment_dir())? {
            let folder = names::segment_dir().join(&folder.name);
            for file in disk.list(&folder)? {
                disk.unlink(&folder.join(&file.name))?;
            }
        }
        let error = asked(&gone).expect_err("nothing is left");
        assert_eq!(error.kind(), ErrorKind::Missing, "way {number}: {error}");
    }
    Ok(())
}

/// What happened: the write to `LOCK` behind a merge failed. Readers elsewhere went on by the point
/// before, as they should, but the segments and logs that it led to were gone.
#[test]
fn p5_what_others_are_led_to_stays_until_they_are_told() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    append(&store, 0..3)?;
    store.flush()?;
    append(&store, 3..5)?;
    let untold = || Fault::new(Operation::Write, std::io::ErrorKind::Other).within("LOCK");
    disk.fail(untold().sticky());
    for number in 5..14 {
        store.append(&event(number))?;
        store.flush()?;
    }
    store.compact()?;
    let elsewhere = reader(&disk)?;
    assert_eq!(seen(&elsewhere)?, 5);
    disk.heal();
    append(&store, 14..15)?;
    store.flush()?;
    assert_eq!(seen(&elsewhere)?, 15);
    assert_eq!(seen(&reader(&disk)?)?, 15);
    assert_eq!(
        disk.list(names::wal_dir())?.len(),
        1,
        "logs go when others know"
    );
    let stats = store.stats()?;
    assert_eq!(
        segment_files(&disk)?,
        stats.segments.len(),
        "and so do segments"
    );
    Ok(())
}

/// A writer that cannot say what it made of the logs leaves them to those who read by them.
#[test]
fn p5_a_writer_that_cannot_tell_its_first_point_opens_nothing() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    append(&store, 0..5)?;
    drop(store);
    let fails_at = |skip| -> Result<bool> {
        let fault = Fault::new(Operation::Write, std::io::ErrorKind::Other).within("LOCK");
        disk.fail(fault.after(skip));
        let failed = match open(&disk) {
            Ok(store) => {
                drop(store);
                false
            }
            Err(error) => {
                assert!(error.to_string().contains("LOCK"), "{error}");
                true
            }
        };
        disk.heal();
        assert_eq!(seen(&reader(&disk)?)?, 5);
        Ok(failed)
    };
    let failed = (0..6).map(fails_at).collect::<Result<Vec<bool>>>()?;
    assert!(failed.contains(&true), "{failed:?}");
    Ok(())
}

fn segment_files(disk: &SimDisk) -> Result<usize> {
    let folders = disk.list(names::segment_dir())?;
    let files = folders
        .iter()
        .map(|folder| Ok(disk.list(&names::segment_dir().join(&folder.name))?.len()));
    files.sum()
}

/// A disk that fails is not a file that went: nobody tries again.
#[test]
fn p5_a_disk_that_fails_is_told_however_it_is_read() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    append(&store, 0..20)?;
    store.flush()?;
    for (number, asked) in ASKED.iter().enumerate() {
        let snapshot = reader(&disk)?.snapshot()?;
        disk.fail(Fault::new(Operation::Read, std::io::ErrorKind::Other).within("seg/"));
        let error = asked(&snapshot).expect_err("the first read fails");
        assert_eq!(error.kind(), ErrorKind::Io, "way {number}: {error}");
        disk.heal();
    }
    store.close()
}

/// Every file of the disk.
fn image(disk: &SimDisk) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut image = BTreeMap::new();
    let mut folders = vec![names::root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in disk.list(&folder)? {
            let path = folder.join(&entry.name);
            if entry.is_dir {
                folders.push(path);
                continue;
            }
            let mut bytes = vec![0; disk.len(&path)?.unwrap_or(0) as usize];
            disk.open_read(&path)?.read_at(0, &mut bytes)?;
            image.insert(path, bytes);
        }
    }
    Ok(image)
}

fn put(disk: &SimDisk, path: &Path, bytes: &[u8]) -> Result<()> {
    if disk.len(path)?.is_some() {
        disk.unlink(path)?;
    }
    disk.create_new(path)?.write_at(0, bytes)
}

/// A writer that opens a closed store begins a log with the rows of the one before. A reader that
/// looks at this moment knows both, and must not miss these rows when the older one goes.
#[test]
fn p5_a_log_that_repeats_the_one_before_outlives_it() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    append(&store, 0..3)?;
    store.close()?;
    let beside = disk.kill();
    let writer = open(&beside)?;
    append(&writer, 3..4)?;
    let (before, after) = (image(&disk)?, image(&beside)?);

    let reader = reader(&disk)?;
    let begun = names::wal(WalId(2));
    put(&disk, &begun, &after[&begun])?;
    assert_eq!(seen(&reader)?, 3);
    for (path, bytes) in &after {
        put(&disk, path, bytes)?;
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        disk.unlink(path)?;
    }
    assert_eq!(seen(&reader)?, 4);
    Ok(())
}
