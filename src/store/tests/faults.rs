//! Disks that fail and fill up while the store is at work: what the caller is told, what goes on
//! working, and that nothing acknowledged is lost.

use std::io::ErrorKind::Other;
use std::io::ErrorKind::StorageFull;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::TestClock;
use super::append;
use super::count;
use super::event;
use super::open;
use super::open_buffered;
use super::open_with;
use super::small;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::SegmentId;
use crate::options::Options;
use crate::options::ReadMode;
use crate::store::open::open_on;
use crate::time::Clock;
use crate::time::Time;

/// The names of all segment files on the disk.
fn segment_files(disk: &SimDisk) -> Vec<SegmentId> {
    let mut found = Vec::new();
    for folder in disk.list(names::segment_dir()).unwrap() {
        let folder = names::segment_dir().join(&folder.name);
        let files = disk.list(&folder).unwrap();
        found.extend(
            files
                .iter()
                .filter_map(|entry| names::segment_id(&entry.name)),
        );
    }
    found.sort_unstable();
    found
}

#[test]
fn p5_a_failed_sync_is_indeterminate_and_then_poisons() -> Result<()> {
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let store = open(&disk)?;
        append(&store, 0..3)?;
        disk.fail(Fault::new(Operation::Sync, Other).within("wal/"));
        let error = store.append(&event(3)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Indeterminate, "seed {seed}");
        // Whoever is told so learns what failed, and where.
        let place = error.place().map(|place| place.file.clone());
        assert!(
            place.is_some_and(|file| file.starts_with("/sim/wal")),
            "{error}"
        );
        let source = core::error::Error::source(&error).map(ToString::to_string);
        assert!(
            source.is_some_and(|source| source.contains("cannot sync")),
            "{error}"
        );
        // The disk is well again, and the store does not trust it.
        for _ in 0..2 {
            assert_eq!(
                store.append(&event(4)).unwrap_err().kind(),
                ErrorKind::Poisoned
            );
        }
        assert_eq!(store.sync().unwrap_err().kind(), ErrorKind::Poisoned);
        assert_eq!(store.flush().unwrap_err().kind(), ErrorKind::Poisoned);
        assert_eq!(
            count(&store)?,
            3,
            "seed {seed}: reading goes on below the last good sync"
        );
        assert_eq!(store.close().unwrap_err().kind(), ErrorKind::Poisoned);
        for left in [disk.kill(), disk.crash(seed)] {
            let store = open(&left)?;
            let held = count(&store)?;
            assert!((3..=4).contains(&held), "seed {seed}: {held} events");
            append(&store, held..held + 1)?;
            // What was recovered was written anew: it outlives a power failure even though the
            // failed sync had left pages that only read well.
            drop(store);
            assert_eq!(count(&open(&left.crash(seed))?)?, held + 1, "seed {seed}");
        }
    }
    Ok(())
}

#[test]
fn p5_a_failed_write_that_cannot_be_rolled_back_is_indeterminate() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    append(&store, 0..3)?;
    disk.fail(Fault::new(Operation::Write, Other).within("wal/"));
    assert_eq!(
        store.append(&event(3)).unwrap_err().kind(),
        ErrorKind::Indeterminate
    );
    assert_eq!(
        store.append(&event(3)).unwrap_err().kind(),
        ErrorKind::Poisoned
    );
    assert_eq!(count(&store)?, 3);
    drop(store);
    assert!(count(&open(&disk.kill())?)? >= 3);
    Ok(())
}

#[test]
fn p5_a_full_disk_refuses_and_heals_without_reopening() -> Result<()> {
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let store = open(&disk)?;
        append(&store, 0..3)?;
        disk.fail(
            Fault::new(Operation::Write, StorageFull)
                .within("wal/")
                .sticky(),
        );
        for _ in 0..3 {
            let error = append(&store, 3..8).unwrap_err();
            assert!(error.is_full(), "seed {seed}: {error:?}");
        }
        assert_eq!(count(&store)?, 3);
        store.sync()?;
        disk.heal();
        let receipts = append(&store, 3..4)?;
        assert_eq!(receipts[0].seq.0, 3, "seed {seed}: the sequence is dense");
        assert_eq!(count(&store)?, 4);
        for left in [disk.kill(), disk.crash(seed)] {
            assert_eq!(count(&open(&left)?)?, 4, "seed {seed}");
        }
    }
    Ok(())
}

/// What happened: a seal or merge of several pieces that met a full disk left the pieces that were
/// finished behind, and every attempt after that left more of them, until the disk was fuller than
/// any healing could mend. Files that no manifest names are removed at once, and at the next open.
#[test]
fn p5_a_full_disk_while_sealing_costs_nothing() -> Result<()> {
    for (operation, within) in [
        (Operation::Create, "tmp/"),
        (Operation::Write, "seg"),
        (Operation::Rename, "seg"),
        (Operation::SyncDir, "seg/"),
        (Operation::Write, "MANIFEST"),
    ] {
        for seed in 0..4 {
            let disk = SimDisk::new(seed);
            let store = open(&disk)?;
            append(&store, 0..10)?;
            store.flush()?;
            disk.fail(Fault::new(operation, StorageFull).within(within).sticky());
            let mut held = 10;
            for _ in 0..120 {
                match store.append(&event(held)) {
                    Ok(receipt) => assert_eq!(receipt.seq.0, held),
                    Err(error) => {
                        assert!(error.is_full(), "{operation:?} {within}: {error:?}");
                        held -= 1;
                    }
                }
                held += 1;
            }
            let error = store.flush().unwrap_err();
            assert!(error.is_full(), "{operation:?} {within}: {error:?}");
            assert_eq!(count(&store)?, held);
            let files = segment_files(&disk).len();
            let live = store.stats()?.segments.len();
            assert!(
                files <= live + 1,
                "{operation:?} {within}: {files} files, {live} segments"
            );
            disk.heal();
            append(&store, held..held + 5)?;
            store.flush()?;
            assert_eq!(count(&store)?, held + 5);
            store.close()?;
            assert_eq!(count(&open(&disk)?)?, held + 5, "{operation:?} {within}");
        }
    }
    Ok(())
}

/// What happened: the note for other processes in LOCK could not be written, and the append or the
/// seal that had been committed was reported as failed. A seal was then repeated, with every event
/// of it twice in the store.
#[test]
fn p3_what_others_cannot_be_told_is_committed_all_the_same() -> Result<()> {
    let disk = SimDisk::new(3);
    let store = open(&disk)?;
    disk.fail(
        Fault::new(Operation::Write, StorageFull)
            .within("LOCK")
            .sticky(),
    );
    for number in 0..60 {
        store.append(&event(number))?;
    }
    store.flush()?;
    assert_eq!(count(&store)?, 60);
    store.close()?;
    disk.heal();
    assert_eq!(count(&open(&disk)?)?, 60);
    Ok(())
}

/// What happened: a new log was put in its place, but its folder could not be synced. The append
/// failed, the next flush found the place taken, and the old log went on growing behind the end
/// that the new one knew of, which recovery would have called damage.
#[test]
fn p1_a_new_log_that_may_exist_ends_the_old_one() -> Result<()> {
    for error in [Other, StorageFull] {
        let disk = SimDisk::new(5);
        let store = open(&disk)?;
        append(&store, 0..3)?;
        disk.fail(Fault::new(Operation::SyncDir, error).within("wal"));
        store.flush().unwrap_err();
        let mut held = 3;
        while held < 10 && store.append(&event(held)).is_ok() {
            held += 1;
        }
        for left in [disk.kill(), disk.crash(1), disk.crash(2)] {
            assert_eq!(count(&open(&left)?)?, held, "{error:?}");
        }
    }
    Ok(())
}

#[test]
fn p5_a_log_that_cannot_begin_is_begun_later() -> Result<()> {
    let disk = SimDisk::new(5);
    let store = open(&disk)?;
    append(&store, 0..3)?;
    disk.fail(
        Fault::new(Operation::Create, StorageFull)
            .within("tmp/wal")
            .sticky(),
    );
    assert!(store.flush().unwrap_err().is_full());
    append(&store, 3..4)?;
    disk.heal();
    store.flush()?;
    assert_eq!(count(&store)?, 4);
    drop(store);
    assert_eq!(count(&open(&disk)?)?, 4);
    Ok(())
}

/// Files of seals and merges that a crash interrupted would otherwise stay for ever.
#[test]
fn p7_orphans_are_removed_at_the_next_open() -> Result<()> {
    let disk = SimDisk::new(9);
    let store = open(&disk)?;
    append(&store, 0..10)?;
    store.flush()?;
    disk.fail(Fault::any_change(Other).within("MANIFEST").sticky());
    append(&store, 10..20)?;
    store.flush().unwrap_err();
    drop(store);
    let left = disk.kill();
    let store = open(&left)?;
    assert_eq!(count(&store)?, 20);
    let stats = store.stats()?;
    let mut live: Vec<SegmentId> = stats
        .segments
        .iter()
        .map(|segment| SegmentId(segment.id))
        .collect();
    live.sort_unstable();
    assert_eq!(segment_files(&left), live);
    Ok(())
}

/// A clock that plays the other process: when it is asked for the first time, that process makes
/// the store, appends to it and goes.
struct Rival {
    disk: SimDisk,
    did: std::sync::Once,
}

impl Clock for Rival {
    fn now(&self) -> Time {
        self.did.call_once(|| {
            let store = open(&self.disk).unwrap();
            append(&store, 0..5).unwrap();
            store.close().unwrap();
        });
        TestClock::new().now()
    }
}

/// What happened: whether a store existed was asked before the lock was had. Of two processes that
/// created one at the same time the second one emptied the logs of the first.
#[test]
fn p1_two_creators_make_one_store() -> Result<()> {
    let disk = SimDisk::new(2);
    let rival = Rival {
        disk: disk.clone(),
        did: std::sync::Once::new(),
    };
    let on: Arc<dyn Disk> = Arc::new(disk.clone());
    let store = open_on(on, Arc::new(rival), Path::new("/sim"), small())?;
    assert_eq!(count(&store)?, 5);
    Ok(())
}

#[test]
fn p1_a_second_handle_is_refused_with_the_holders_name() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    let error = open(&disk).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    let text = error.to_string();
    assert!(
        text.contains(&format!("process {}", std::process::id())),
        "{text}"
    );
    append(&store, 0..2)?;
    drop(store);
    assert_eq!(count(&open(&disk)?)?, 2, "the lock went with its holder");
    Ok(())
}

/// A batch is in the log as a whole or not at all, also where its events go to several partitions
/// and its bytes over many sectors.
#[test]
fn p2_batches_are_whole_after_every_cut() -> Result<()> {
    for seed in 0..300 {
        let disk = SimDisk::new(seed);
        let store = open(&disk)?;
        append(&store, 0..4)?;
        disk.fail(Fault::new(Operation::Sync, Other).within("wal/"));
        append(&store, 4..34).unwrap_err();
        drop(store);
        for left in [disk.crash(seed), disk.kill()] {
            let held = count(&open(&left)?)?;
            assert!(held == 4 || held == 34, "seed {seed}: {held} events");
        }
    }
    Ok(())
}

#[test]
fn p1_buffered_events_are_a_prefix_after_a_cut() -> Result<()> {
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        let store = open_buffered(&disk)?;
        for number in 0..20 {
            store.append(&event(number))?;
        }
        store.sync()?;
        for number in 20..30 {
            store.append(&event(number))?;
        }
        let held = count(&open(&disk.crash(seed))?)?;
        assert!((20..=30).contains(&held), "seed {seed}: {held} events");
        assert_eq!(
            count(&open(&disk.kill())?)?,
            30,
            "a killed process loses nothing written"
        );
    }
    Ok(())
}

#[test]
fn p5_a_failed_background_sync_poisons() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open_buffered(&disk)?;
    disk.fail(Fault::new(Operation::Sync, Other).within("wal/"));
    store.append(&event(0))?;
    let mut tries = 0;
    while store.append(&event(1)).is_ok() {
        tries += 1;
        assert!(tries < 1000, "nobody noticed");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(
        store.append(&event(1)).unwrap_err().kind(),
        ErrorKind::Poisoned
    );
    assert_eq!(store.snapshot().seq_count(), 0);
    Ok(())
}

/// What happened: when the manifest had outgrown its state and there was no room to write it anew,
/// the store took nothing more until it was reopened.
#[test]
fn p5_a_full_disk_while_the_manifest_is_written_anew_costs_nothing() -> Result<()> {
    for within in ["tmp/MANIFEST", "tmp/CURRENT"] {
        let disk = SimDisk::new(1);
        let store = open(&disk)?;
        disk.fail(
            Fault::new(Operation::Write, StorageFull)
                .within(within)
                .sticky(),
        );
        for number in 0..150 {
            store.append(&event(number))?;
            store.flush()?;
        }
        let manifest = store.stats()?.manifest_bytes;
        for left in [disk.kill(), disk.crash(1)] {
            assert_eq!(count(&open(&left)?)?, 150, "{within}");
        }
        disk.heal();
        store.append(&event(150))?;
        store.flush()?;
        store.append(&event(151))?;
        store.flush()?;
        assert!(store.stats()?.manifest_bytes < 2 * manifest, "{within}");
        store.close()?;
        assert_eq!(count(&open(&disk)?)?, 152, "{within}");
    }
    Ok(())
}

/// A block that cannot be read is an error of whoever asks for it, and of nobody else.
/// What happened: the look at the lock behind a seal's edit failed once. The edit was in the manifest,
/// the memtable was still there for the next attempt, and that one stored every event a second time.
#[test]
fn p2_a_poisoned_store_seals_nothing_twice() -> Result<()> {
    let mut refused = 0;
    for skip in 0..20 {
        let disk = SimDisk::new(skip);
        let store = open(&disk)?;
        append(&store, 0..5)?;
        let once = Fault::new(Operation::Look, Other).within("LOCK");
        disk.fail(once.after(skip));
        if store.flush().is_err() {
            // As the sealing thread did when it tried again.
            let again = store.shared.seal_oldest();
            refused += u32::from(again.is_err_and(|error| error.kind() == ErrorKind::Poisoned));
        }
        assert_eq!(count(&store)?, 5, "look {skip}");
        drop(store);
        assert_eq!(count(&open(&disk.kill())?)?, 5, "look {skip}, opened again");
    }
    assert!(refused > 0, "no attempt was made again");
    Ok(())
}

#[test]
fn p5_a_failed_read_is_an_error_and_passes() -> Result<()> {
    let disk = SimDisk::new(1);
    let read_mode = ReadMode::Positional;
    let store = open_with(
        &disk,
        &TestClock::new(),
        Options {
            read_mode,
            ..small()
        },
    )?;
    append(&store, 0..1)?;
    store.flush()?;
    append(&store, 1..2)?;
    disk.fail(Fault::new(Operation::Read, Other).within("seg/").sticky());
    assert_eq!(count(&store).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(
        store.flush().unwrap_err().kind(),
        ErrorKind::Io,
        "a merge has to read"
    );
    append(&store, 2..3)?;
    disk.heal();
    assert_eq!(count(&store)?, 3);
    store.flush()?;
    assert_eq!(count(&store)?, 3);
    Ok(())
}
