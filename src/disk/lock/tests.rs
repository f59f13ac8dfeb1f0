//! What the lock promises: one writer, words about it, and a durable point that is never newer
//! than what was published, never torn, and never another boot's.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread;

use crate::disk::Disk;
use crate::disk::lock;
use crate::disk::lock::Durable;
use crate::disk::lock::DurablePoint;
use crate::disk::lock::Lock;
use crate::disk::meddled::Meddled;
use crate::disk::names;
use crate::disk::real::RealDisk;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::disk::watch::Watch;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::ManifestId;
use crate::id::WalId;
use crate::time::Time;

fn point(number: u64) -> DurablePoint {
    DurablePoint {
        wal: WalId(number),
        wal_end: number * 3,
        events: number * 5,
        manifest: ManifestId(number * 7),
        manifest_end: number * 11,
    }
}

fn durable(disk: &dyn Disk) -> Durable {
    lock::status(disk).expect("a look").durable
}

#[test]
fn a_second_writer_is_told_who_holds_the_store() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    let first = Lock::acquire(&disk, Time::MIN).expect("nobody holds it");
    let other = RealDisk::open(folder.path()).expect("open");
    let error = Lock::acquire(&other, Time::MAX).err().expect("it is held");
    assert_eq!(error.kind(), ErrorKind::Locked);
    let words = error.to_string();
    let pid = format!("by process {} (this one)", std::process::id());
    assert!(
        words.contains("LOCK: the store is being written"),
        "{words}"
    );
    assert!(words.contains(&pid), "{words}");
    assert!(
        words.contains("since 1970-01-01T00:00:00.000000Z"),
        "{words}"
    );
    drop(first);
    Lock::acquire(&other, Time::MAX).expect("it is free again");
}

/// What happened: `flock -s` on LOCK, which needs no more than the right to read, kept the writer
/// out, and the refusal named the process of a writer long gone.
#[test]
fn a_lock_that_no_writer_holds_is_told_as_such() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    drop(Lock::acquire(&disk, Time::MIN).expect("nobody holds it"));
    let file = std::fs::File::open(folder.path().join("LOCK")).expect("open");
    file.try_lock_shared().expect("nobody holds it");
    let error = Lock::acquire(&disk, Time::MAX).err().expect("it is held");
    assert_eq!(error.kind(), ErrorKind::Locked);
    let words = error.to_string();
    assert!(words.contains("no writer"), "{words}");
    assert!(!words.contains("by process"), "{words}");
}

#[test]
fn looking_never_keeps_a_writer_out() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    drop(Lock::acquire(&disk, Time::MIN).expect("nobody holds it"));
    let rounds = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while rounds.load(Ordering::Relaxed) < 200 {
                lock::status(&disk).expect("a look");
            }
        });
        for _ in 0..200 {
            let taken = Lock::acquire(&disk, Time::MIN).map(drop);
            rounds.fetch_add(1, Ordering::Relaxed);
            assert!(taken.is_ok(), "{taken:?}");
        }
    });
}

#[test]
fn the_point_outlives_its_writer_but_not_the_boot() -> Result<()> {
    let disk = SimDisk::new(1);
    assert_eq!(durable(&disk), Durable::Everything);
    let writer = Lock::acquire(&disk, Time::MIN)?;
    assert_eq!(durable(&disk), Durable::Unpublished);
    for number in 1..=5 {
        writer.publish(point(number))?;
        assert_eq!(durable(&disk), Durable::UpTo(point(number)));
    }
    assert!(lock::status(&disk)?.holder.is_some());

    let killed = disk.kill();
    assert_eq!(durable(&killed), Durable::UpTo(point(5)));
    assert_eq!(lock::status(&killed)?.holder, None);
    let next = Lock::acquire(&killed, Time::MIN)?;
    assert_eq!(durable(&killed), Durable::UpTo(point(5)), "still true");
    next.publish(point(6))?;
    assert_eq!(durable(&killed), Durable::UpTo(point(6)));

    for seed in 0..50 {
        let crashed = killed.crash(seed);
        assert_eq!(durable(&crashed), Durable::Everything, "seed {seed}");
        let _writer = Lock::acquire(&crashed, Time::MIN)?;
        assert_eq!(durable(&crashed), Durable::Unpublished, "seed {seed}");
    }
    Ok(())
}

/// Readers once fell back to the older slot, and what was acknowledged since was silently not there.
#[test]
fn p5_a_damaged_slot_never_hides_what_was_acknowledged() -> Result<()> {
    let disk = SimDisk::new(1);
    let writer = Lock::acquire(&disk, Time::MIN)?;
    writer.publish(point(1))?;
    writer.publish(point(2))?;
    let file = disk.open_write(names::lock())?;
    for at in 0..60 {
        let place = lock::slot_offset(2) + at;
        let mut byte = [0];
        file.read_at(place, &mut byte)?;
        file.write_at(place, &byte.map(|byte| byte ^ 1))?;
        let error = lock::status(&disk).expect_err("nobody knows");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {at}");
        assert_eq!(durable(&disk.kill()), Durable::Everything, "byte {at}");
        file.write_at(place, &byte)?;
    }
    assert_eq!(durable(&disk), Durable::UpTo(point(2)));
    // What happened: a slot of zeros, or the other one's bytes in it, counted as a point that had
    // never been published, and readers of a writer that was killed saw its last events no more.
    writer.publish(point(3))?;
    let mut newest = [0; 60];
    file.read_at(lock::slot_offset(3), &mut newest)?;
    let mut older = newest;
    file.read_at(lock::slot_offset(2), &mut older)?;
    for instead in [[0; 60], older] {
        file.write_at(lock::slot_offset(3), &instead)?;
        let error = lock::status(&disk).expect_err("nobody knows");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert_eq!(durable(&disk.kill()), Durable::Everything);
    }
    file.write_at(lock::slot_offset(3), &newest)?;
    assert_eq!(durable(&disk), Durable::UpTo(point(3)));
    Ok(())
}

#[test]
fn readers_beside_a_writer_see_whole_points_that_never_go_back() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    let writer = Lock::acquire(&disk, Time::MIN).expect("nobody holds it");
    writer.publish(point(1)).expect("publish");
    let published = AtomicU64::new(1);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 2..=20_000 {
                writer.publish(point(number)).expect("publish");
                published.store(number, Ordering::Release);
            }
        });
        let mut last = 0;
        while last < 20_000 {
            let before = published.load(Ordering::Acquire);
            let Durable::UpTo(found) = durable(&disk) else {
                panic!("a point was published");
            };
            assert_eq!(found, point(found.wal.0));
            assert!(found.wal.0 >= before && found.wal.0 >= last);
            last = found.wal.0;
        }
    });
}

#[test]
fn a_file_of_any_bytes_gives_words_that_fit_a_line() -> Result<()> {
    let disk = SimDisk::new(1);
    let writer = Lock::acquire(&disk, Time::MIN)?;
    let file = disk.open_write(names::lock())?;
    file.write_at(0, &[0; 512])?;
    file.write_at(
        0,
        b"pid x\nhost a\x1b[31m\xff\xfe b\nsince never\nnew words\n",
    )?;
    let error = Lock::acquire(&disk, Time::MIN).err().expect("it is held");
    let words = error.to_string();
    assert!(words.contains("by another process on a[31mb; "), "{words}");
    assert!(!words.contains(char::is_control), "{words}");
    file.set_len(3)?;
    assert_eq!(durable(&disk), Durable::Unpublished);
    let error = Lock::acquire(&disk, Time::MIN).err().expect("it is held");
    assert!(
        error.to_string().contains("by another process; "),
        "{error}"
    );
    drop(writer);
    assert_eq!(durable(&disk), Durable::Everything);
    Ok(())
}

/// Another boot's point may be of files whose last bytes the machine took with it.
#[test]
fn p2_a_point_of_another_boot_beside_a_writer_is_none() -> Result<()> {
    let disk = SimDisk::new(1);
    let writer = Lock::acquire(&disk, Time::MIN)?;
    writer.publish(point(1))?;
    assert_eq!(durable(&disk), Durable::UpTo(point(1)));
    let file = disk.open_write(names::lock())?;
    let other = point(3).encode(writer.boot ^ 1, 1);
    file.write_at(lock::slot_offset(1), &other)?;
    assert_eq!(durable(&disk), Durable::Unpublished);
    drop(writer);
    assert_eq!(durable(&disk.kill()), Durable::Everything);
    Ok(())
}

/// A writer that is about to make the file as long as it will be has published nothing.
#[test]
fn a_file_that_is_too_short_is_not_watched() -> Result<()> {
    let disk = SimDisk::new(1);
    assert!(Watch::begin(&disk)?.is_none(), "no writer has been");
    let file = disk.create_new(names::lock())?;
    for len in [0, 3, lock::FILE_LEN - 1] {
        file.set_len(len)?;
        assert!(Watch::begin(&disk)?.is_none(), "{len} bytes");
    }
    drop(file);
    let writer = Lock::acquire(&disk, Time::MIN)?;
    let mut watch = Watch::begin(&disk)?.expect("a writer has been");
    assert!(!watch.has_moved()?);
    writer.publish(point(1))?;
    assert!(watch.has_moved()? && !watch.has_moved()?);
    Ok(())
}

/// Whoever only looks can hold the file for a moment, and whoever takes it for a stale one can remove
/// it: neither keeps a writer out who tries again, nor one who never ends.
#[test]
fn p1_a_lock_is_taken_once_its_file_is_free_and_in_place() {
    for is_removed in [false, true] {
        for disturbed in [0, 1, lock::TRIES - 1, lock::TRIES] {
            let disk = SimDisk::new(1);
            let mut left = disturbed;
            let meddled = Meddled::new(&disk, move |disk, path| {
                let meddles = left > 0;
                left = left.saturating_sub(1);
                if meddles && is_removed {
                    disk.unlink(path)?;
                }
                Ok(!meddles || is_removed)
            });
            let taken = Lock::acquire(&meddled, Time::MIN);
            let story = format!("removed: {is_removed}, {disturbed} times");
            if disturbed < lock::TRIES {
                taken.expect(&story).check().expect(&story);
                continue;
            }
            let kind = match is_removed {
                true => ErrorKind::Poisoned,
                false => ErrorKind::Locked,
            };
            assert_eq!(taken.err().expect(&story).kind(), kind, "{story}");
        }
    }
}

#[test]
fn a_file_that_is_long_enough_is_not_made_longer() -> Result<()> {
    let disk = SimDisk::new(1);
    for wanted in [1, 0] {
        let before = disk.count(Operation::SetLen);
        drop(Lock::acquire(&disk, Time::MIN)?);
        assert_eq!(disk.count(Operation::SetLen) - before, wanted);
    }
    Ok(())
}
