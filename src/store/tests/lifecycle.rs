//! From opening to the end of a handle: closing says what failed, dropping promises nothing, a fork
//! takes nothing, and a panic in the background stops writing only.

use std::io::ErrorKind::Other;
use std::path::Path;
use std::sync::Arc;

use super::append;
use super::count;
use super::event;
use super::open;
use super::open_buffered;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::options::Durability;
use crate::options::ReadMode;
use crate::store::reader;

#[test]
fn p5_a_fork_takes_nothing_and_disturbs_nobody() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    append(&store, 0..3)?;
    let ticket = store.append_async(&event(3))?;
    store.sync()?;
    disk.fork();
    let forked = |error: crate::error::Error| {
        assert_eq!(error.kind(), ErrorKind::Forked, "{error}");
        assert!(error.is_closed());
    };
    forked(store.append(&event(4)).unwrap_err());
    forked(append(&store, 4..6).unwrap_err());
    forked(store.append_async(&event(4)).unwrap_err());
    forked(store.sync().unwrap_err());
    forked(store.flush().unwrap_err());
    forked(ticket.wait().unwrap_err());
    // There is no thread to wait for, and nothing to write down.
    let before = disk.changes();
    forked(store.close().unwrap_err());
    assert_eq!(disk.changes(), before);
    let beside = reader::open_on(Arc::new(disk), Path::new("/sim"), ReadMode::Positional)?;
    assert_eq!(beside.snapshot()?.seq_count(), 4);
    Ok(())
}

/// A failed sync leaves pages that read well and are not on the disk; whoever opens the store then
/// and shows them has to see to it that they are.
#[test]
fn p1_what_only_the_cache_holds_is_written_anew_at_open() -> Result<()> {
    for within in ["wal/", "MANIFEST"] {
        for seed in 0..20 {
            let disk = SimDisk::new(seed);
            let store = open(&disk)?;
            append(&store, 0..3)?;
            disk.fail(Fault::new(Operation::Sync, Other).within(within));
            let failed = store.append(&event(3)).and_then(|_| store.flush());
            failed.unwrap_err();
            drop(store);
            let left = disk.kill();
            let shown = count(&open(&left)?)?;
            assert!(shown >= 3, "{within}, seed {seed}");
            let held = count(&open(&left.crash(seed))?)?;
            assert_eq!(held, shown, "{within}, seed {seed}");
        }
    }
    Ok(())
}

#[test]
fn p1_a_second_handle_is_refused_in_the_same_process() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    let error = open(&disk).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.to_string().contains("(this one)"), "{error}");
    append(&store, 0..1)?;
    store.close()?;
    assert_eq!(count(&open(&disk)?)?, 1);
    Ok(())
}

#[test]
fn p5_closing_says_what_failed_and_dropping_loses_nothing_acknowledged() -> Result<()> {
    for is_closed in [false, true] {
        let disk = SimDisk::new(1);
        let store = open_buffered(&disk)?;
        append(&store, 0..3)?;
        store.append_with(&event(3), Durability::Durable)?;
        store.append(&event(4))?;
        disk.fail(Fault::any_change(Other).sticky());
        match is_closed {
            true => drop(store.close().unwrap_err()),
            false => drop(store),
        }
        for seed in 0..8 {
            let held = count(&open(&disk.crash(seed))?)?;
            assert!((4..=5).contains(&held), "closed {is_closed}: {held}");
        }
    }
    Ok(())
}

#[test]
fn p5_a_closed_store_opens_without_reading_its_events() -> Result<()> {
    let disk = SimDisk::new(1);
    let mut reads = Vec::new();
    let mut held = 0;
    for events in [10, 5_000] {
        let store = open(&disk)?;
        append(&store, held..held + events)?;
        held += events;
        store.close()?;
        let before = disk.count(Operation::Read);
        let store = open(&disk)?;
        reads.push(disk.count(Operation::Read) - before);
        assert!(store.recovery().was_closed);
        assert_eq!(
            store.recovery().events_replayed,
            if events > 4096 { 0 } else { events }
        );
        store.close()?;
    }
    assert!(reads[1] <= reads[0] + 8, "{reads:?}");
    Ok(())
}

#[test]
fn p5_a_panic_in_the_background_stops_writing_and_leaves_reading() -> Result<()> {
    for operation in [Operation::Create, Operation::Sync] {
        let disk = SimDisk::new(1);
        let store = open(&disk)?;
        append(&store, 0..6)?;
        store.flush()?;
        append(&store, 6..9)?;
        let fault = Fault::new(operation, Other).within(".seg");
        disk.fail(fault.panicking());
        assert_eq!(store.flush().unwrap_err().kind(), ErrorKind::Poisoned);
        let error = store.append(&event(9)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Poisoned, "{operation:?}: {error}");
        assert_eq!(count(&store)?, 9, "{operation:?}");
        let beside = Arc::new(disk.clone());
        let beside = reader::open_on(beside, Path::new("/sim"), ReadMode::Positional)?;
        assert_eq!(beside.snapshot()?.seq_count(), 9);
        assert_eq!(store.close().unwrap_err().kind(), ErrorKind::Poisoned);
        assert_eq!(count(&open(&disk)?)?, 9, "{operation:?}");
    }
    Ok(())
}
