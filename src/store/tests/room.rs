//! No room: on the disk, among open files, in memory. What an append does then, what the caller can
//! see of it, and that nothing is lost, left over or out of step.

use std::io::ErrorKind as Io;
use std::time::Duration;
use std::time::Instant;

use super::TestClock;
use super::append;
use super::count;
use super::event;
use super::open_with;
use super::small;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::options::OnFull;
use crate::options::Options;
use crate::store::PressureLevel;
use crate::store::Store;

/// The number of the operating system's for too many open files.
const EMFILE: i32 = 24;
const LONG: Duration = Duration::from_secs(600);

fn blocking(patience: Duration) -> Options {
    Options {
        on_full: OnFull::Block(patience),
        ..small()
    }
}

fn full_log() -> Fault {
    Fault::new(Operation::Write, Io::StorageFull)
        .within("wal/")
        .sticky()
}

fn wait_for(store: &Store, level: PressureLevel) {
    let begun = Instant::now();
    while store.pressure().level != level {
        assert!(begun.elapsed() < LONG, "{:?}", store.pressure());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn p5_every_kind_of_no_room_is_typed_and_passes() -> Result<()> {
    let write = |kind| Fault::new(Operation::Write, kind).within("wal/");
    for fault in [
        write(Io::StorageFull),
        write(Io::QuotaExceeded),
        write(Io::FileTooLarge),
        // The next log, once the memtable is full.
        Fault::new(Operation::Create, Io::Other)
            .within("wal")
            .code(EMFILE),
        Fault::new(Operation::Open, Io::Other)
            .within("wal")
            .code(EMFILE),
    ] {
        let story = format!("{fault:?}");
        let disk = SimDisk::new(1);
        let store = open_with(&disk, &TestClock::new(), small())?;
        append(&store, 0..3)?;
        store.flush()?;
        disk.fail(fault.sticky());
        let mut held = 3;
        let error = loop {
            match store.append(&event(held)) {
                Ok(receipt) => assert_eq!(receipt.seq.0, held, "{story}"),
                Err(error) => break error,
            }
            held += 1;
        };
        assert_eq!(error.kind(), ErrorKind::Full, "{story}: {error}");
        let file = &error.place().expect("a file").file;
        assert!(file.to_string_lossy().contains("wal"), "{story}: {error}");
        assert_eq!(count(&store)?, held, "{story}");
        disk.heal();
        let receipts = append(&store, held..held + 40)?;
        assert_eq!(receipts[0].seq.0, held, "{story}");
        store.flush()?;
        assert_eq!(count(&store)?, held + 40, "{story}");
        drop(store);
        let store = open_with(&disk.crash(1), &TestClock::new(), small())?;
        assert_eq!(count(&store)?, held + 40, "{story}");
    }
    Ok(())
}

#[test]
fn p5_an_append_waits_for_room_where_it_is_told_to() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open_with(&disk, &TestClock::new(), blocking(LONG))?;
    append(&store, 0..3)?;
    disk.fail(full_log());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| store.append(&event(3)));
        wait_for(&store, PressureLevel::Full);
        // Reading, and whoever needs the writer for a moment, goes on.
        assert_eq!(count(&store)?, 3);
        store.stats()?;
        disk.heal();
        assert_eq!(waiting.join().unwrap()?.seq.0, 3);
        Ok::<(), crate::error::Error>(())
    })?;
    let pressure = store.pressure();
    assert_eq!(
        (pressure.level, pressure.full_waits),
        (PressureLevel::None, 1)
    );
    assert!(pressure.full_waited > Duration::ZERO);
    assert_eq!(count(&store)?, 4);
    Ok(())
}

#[test]
fn p5_an_append_that_waited_long_enough_is_refused() -> Result<()> {
    const PATIENCE: Duration = Duration::from_millis(60);
    let disk = SimDisk::new(1);
    let store = open_with(&disk, &TestClock::new(), blocking(PATIENCE))?;
    append(&store, 0..3)?;
    disk.fail(full_log());
    for _ in 0..2 {
        let begun = Instant::now();
        let error = append(&store, 3..8).unwrap_err();
        assert!(error.is_full(), "{error:?}");
        assert!(begun.elapsed() >= PATIENCE);
    }
    disk.heal();
    assert_eq!(append(&store, 3..4)?[0].seq.0, 3);
    assert_eq!(count(&store)?, 4);
    Ok(())
}

/// Nobody may wait for a disk that is full while the store goes.
#[test]
fn p5_dropping_the_store_ends_the_wait_for_room() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open_with(&disk, &TestClock::new(), blocking(LONG))?;
    append(&store, 0..3)?;
    disk.fail(full_log());
    let ticket = store.append_async(&event(3))?;
    wait_for(&store, PressureLevel::Full);
    drop(store);
    assert!(ticket.wait().unwrap_err().is_closed());
    disk.heal();
    assert_eq!(count(&open_with(&disk, &TestClock::new(), small())?)?, 3);
    Ok(())
}

/// What happened: on a disk with room for the log and none for segments, one append in each full
/// memtable was refused and the others taken, into memory that grew without end.
#[test]
fn p5_what_cannot_be_sealed_is_not_taken_without_end() -> Result<()> {
    let disk = SimDisk::new(1);
    let options = small();
    let most = 3 * options.memtable_bytes_max + 4096;
    let store = open_with(&disk, &TestClock::new(), options)?;
    let no_segment = Fault::new(Operation::Create, Io::StorageFull).within(".seg");
    disk.fail(no_segment.sticky());
    let mut held = 0;
    for _ in 0..400 {
        match store.append(&event(held)) {
            Ok(receipt) => assert_eq!(receipt.seq.0, held),
            Err(error) if error.is_full() => continue,
            Err(error) => return Err(error),
        }
        held += 1;
        assert!(
            store.pressure().unsealed_bytes <= most,
            "{:?}",
            store.pressure()
        );
    }
    disk.heal();
    append(&store, held..held + 1)?;
    assert_eq!(count(&store)?, held + 1);
    Ok(())
}

#[test]
fn p5_who_appends_too_fast_is_delayed_then_held_and_can_see_it() -> Result<()> {
    const MEMTABLE: usize = 256 << 10;
    let options = Options {
        memtable_bytes_max: MEMTABLE,
        ..small()
    };
    let store = open_with(&SimDisk::new(1), &TestClock::new(), options)?;
    assert_eq!(store.pressure(), crate::store::Pressure::default());
    // Nothing can be sealed meanwhile.
    let manifest = store.shared.manifest.lock();
    let held = std::thread::scope(|scope| {
        let append = || (0..2_000).try_for_each(|number| store.append(&event(number)).map(drop));
        let appending = scope.spawn(append);
        wait_for(&store, PressureLevel::Blocked);
        let pressure = store.pressure();
        assert!(pressure.delays > 0, "{pressure:?}");
        let bytes = 2 * MEMTABLE..3 * MEMTABLE;
        assert!(bytes.contains(&pressure.unsealed_bytes), "{pressure:?}");
        drop(manifest);
        appending.join().unwrap()?;
        Ok::<_, crate::error::Error>(store.pressure())
    })?;
    assert!(
        held.blocks >= 1 && held.blocked > Duration::ZERO,
        "{held:?}"
    );
    assert_eq!(count(&store)?, 2_000);
    store.flush()?;
    assert_eq!(store.pressure().level, PressureLevel::None);
    Ok(())
}
