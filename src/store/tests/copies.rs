//! Stores that hold less than they held: cut logs, files put back, copies made in the middle of
//! writing. Neither a reader nor the next writer may take what is left for all there was.

use std::path::Path;
use std::sync::Arc;

use super::TestClock;
use super::append;
use super::count;
use super::event;
use super::open;
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
use crate::id::WalId;
use crate::options::Options;
use crate::options::ReadMode;
use crate::store::Reader;
use crate::store::Store;
use crate::store::reader::open_on;

fn reader(disk: &SimDisk) -> Result<Reader> {
    open_on(
        Arc::new(disk.clone()),
        Path::new("/sim"),
        ReadMode::Positional,
    )
}

/// How many events a newcomer sees.
fn seen(disk: &SimDisk) -> Result<u64> {
    Ok(reader(disk)?.snapshot()?.seq_count())
}

fn bytes(disk: &SimDisk, path: &Path) -> Result<Vec<u8>> {
    let file = disk.open_read(path)?;
    let mut bytes = vec![0; file.len()? as usize];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}

fn put_back(disk: &SimDisk, path: &Path, bytes: &[u8]) -> Result<()> {
    let file = match disk.len(path)? {
        Some(_) => disk.open_write(path)?,
        None => disk.create_new(path)?,
    };
    file.set_len(0)?;
    file.write_at(0, bytes)?;
    file.sync_data()
}

/// A store whose writer was killed with 5 events acknowledged, and its log.
fn killed() -> Result<(SimDisk, std::path::PathBuf)> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    for number in 0..5 {
        store.append(&event(number))?;
    }
    let (disk, log) = (disk.kill(), names::wal(WalId(1)));
    // Without the zeros written ahead, to be cut where it ends.
    let whole = bytes(&disk, &log)?;
    let last = whole.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    put_back(&disk, &log, &whole[..last.next_multiple_of(512)])?;
    Ok((disk, log))
}

/// What happened: a writer was killed and its log cut at the end of an event that had been
/// acknowledged. The next writer never asked LOCK how far the log had been durable: it opened the
/// store without the last events, gave their numbers to others, and `verify` found nothing.
#[test]
fn p1_a_cut_log_is_not_opened_for_writing() -> Result<()> {
    let (disk, log) = killed()?;
    let whole = bytes(&disk, &log)?;
    for len in (512..whole.len()).step_by(512) {
        put_back(&disk, &log, &whole[..len])?;
        let error = open(&disk).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "cut to {len}: {error:?}");
        assert!(error.to_string().contains("recover_copy"), "{error}");
        assert_eq!(bytes(&disk, &log)?.len(), len, "nothing was written anew");
    }
    put_back(&disk, &log, &whole)?;
    let store = open(&disk)?;
    assert_eq!(count(&store)?, 5);
    Ok(())
}

/// The manifest belongs to what was published, too: its last edit named the events of a log that
/// is gone.
#[test]
fn p1_a_cut_manifest_is_not_opened_for_writing() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    append(&store, 0..5)?;
    store.flush()?;
    let disk = disk.kill();
    let path = Path::new("MANIFEST-000001");
    let whole = bytes(&disk, path)?;
    put_back(&disk, path, &whole[..whole.len() - 512])?;
    let error = open(&disk).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    put_back(&disk, path, &whole)?;
    assert_eq!(count(&open(&disk)?)?, 5);
    Ok(())
}

/// A copy that was made while the store was being written holds less than its LOCK says. It is
/// opened for writing only by who says that it is a copy.
#[test]
fn p7_a_copy_is_recovered_when_asked_for() -> Result<()> {
    let (disk, log) = killed()?;
    let whole = bytes(&disk, &log)?;
    put_back(&disk, &log, &whole[..whole.len() - 1024])?;
    open(&disk).unwrap_err();
    let options = Options {
        recover_copy: true,
        ..small()
    };
    let store = open_with(&disk, &TestClock::new(), options)?;
    let held = count(&store)?;
    assert!((1..5).contains(&held), "{held}");
    append(&store, held..held + 1)?;
    store.close()?;
    assert_eq!(count(&open(&disk)?)?, held + 1, "and no copy any more");
    Ok(())
}

/// What happened: the same cut, read: the reader met the damage, took its last look without regard
/// to what had been durable, and called the rest complete.
#[test]
fn p5_a_reader_of_a_cut_log_says_so() -> Result<()> {
    let (disk, log) = killed()?;
    let whole = bytes(&disk, &log)?;
    assert_eq!(seen(&disk)?, 5);
    let before = reader(&disk)?;
    before.snapshot()?;
    for len in (0..whole.len()).step_by(512) {
        put_back(&disk, &log, &whole[..len])?;
        let error = seen(&disk).unwrap_err();
        assert!(error.is_corrupt(), "cut to {len}: {error:?}");
    }
    for sector in 1..whole.len() / 512 {
        let mut zeroed = whole.clone();
        zeroed[sector * 512..(sector + 1) * 512].fill(0);
        put_back(&disk, &log, &zeroed)?;
        let error = seen(&disk).unwrap_err();
        assert!(error.is_corrupt(), "sector {sector} zeroed: {error:?}");
    }
    put_back(&disk, &log, &whole)?;
    assert_eq!(seen(&disk)?, 5);
    Ok(())
}

/// What happened: after a boot nobody knew a point, and the reader did not ask CURRENT either, which
/// says how much was durable when the last writer opened the store.
#[test]
fn p5_current_says_what_was_durable_after_a_boot() -> Result<()> {
    let disk = SimDisk::new(1);
    append(&open(&disk)?, 0..1)?;
    append(&open(&disk)?, 1..1)?;
    let disk = disk.crash(3);
    let log = names::wal(WalId(2));
    let whole = bytes(&disk, &log)?;
    assert_eq!(seen(&disk)?, 1);
    let mut zeroed = whole.clone();
    zeroed[512..1024].fill(0);
    for cut in [&whole[..512], zeroed.as_slice()] {
        put_back(&disk, &log, cut)?;
        let error = seen(&disk).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        assert_eq!(open(&disk).unwrap_err().kind(), ErrorKind::Corrupt);
    }
    disk.unlink(&log)?;
    assert_eq!(seen(&disk).unwrap_err().kind(), ErrorKind::Missing);
    Ok(())
}

/// Of several logs that are not sealed yet, one in the middle was cut between two groups. What the
/// next log holds does not follow on it.
#[test]
fn p5_a_log_cut_in_the_middle_of_others_is_missed() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    let full = std::io::ErrorKind::StorageFull;
    disk.fail(Fault::new(Operation::Create, full).within("tmp/0").sticky());
    append(&store, 0..2)?;
    append(&store, 2..4)?;
    store.flush().unwrap_err();
    append(&store, 4..6)?;
    let disk = disk.kill();
    assert_eq!(seen(&disk)?, 6);
    let log = names::wal(WalId(1));
    let whole = bytes(&disk, &log)?;
    put_back(&disk, &log, &whole[..512])?;
    assert_eq!(seen(&disk).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(open(&disk).unwrap_err().kind(), ErrorKind::Corrupt);
    Ok(())
}

/// What happened: an older LOCK was put back into a closed store, as a backup does that skips what
/// is in use. Its durable point counted for more than CURRENT, and hid events from every reader,
/// while `verify` called LOCK meaningless.
#[test]
fn p5_an_old_lock_hides_nothing_of_a_closed_store() -> Result<()> {
    let disk = SimDisk::new(1);
    let clock = TestClock::new();
    let store = open_with(&disk, &clock, small())?;
    append(&store, 0..1)?;
    store.close()?;
    let old = bytes(&disk, names::lock())?;
    let store = open_with(&disk, &clock, small())?;
    clock.set(super::BASE - 1);
    append(&store, 1..2)?;
    store.close()?;
    for lock in [old, Vec::new(), vec![0; 1536], b"pid 1\n".to_vec()] {
        put_back(&disk, names::lock(), &lock)?;
        let stats = reader(&disk)?.stats()?;
        assert_eq!((stats.events, stats.clock_steps), (2, 1));
        let disk = disk.kill();
        let beside = reader(&disk)?;
        let store: Store = open(&disk)?;
        assert_eq!(beside.snapshot()?.seq_count(), 2);
        assert_eq!(count(&store)?, 2);
    }
    Ok(())
}

/// What happened: the torn end of a log was gathered in memory before it was put aside. A log that
/// ends in a hole of some gigabytes, with a byte behind it, ended the process that opened the store.
#[test]
fn p5_a_torn_end_is_put_aside_piece_by_piece() -> Result<()> {
    const HOLE: u64 = 8 << 20;
    let (disk, log) = killed()?;
    let end = bytes(&disk, &log)?.len() as u64;
    let file = disk.open_write(&log)?;
    file.write_at(end + 3, b"torn")?;
    file.write_at(end + HOLE, b"end")?;
    let before = disk.count(Operation::Write);
    let store = open(&disk)?;
    let writes = disk.count(Operation::Write) - before;
    assert!(writes < 30, "the hole is not written: {writes} writes");
    assert_eq!(count(&store)?, 5);
    assert_eq!(store.recovery().torn_bytes, HOLE + 3);
    let aside = store.recovery().quarantined.clone().unwrap_or_default();
    let kept = bytes(&disk, &aside)?;
    assert_eq!(kept.len() as u64, HOLE + 3);
    assert_eq!(
        (&kept[3..7], &kept[HOLE as usize..]),
        (&b"torn"[..], &b"end"[..])
    );
    assert!(kept[7..HOLE as usize].iter().all(|byte| *byte == 0));
    Ok(())
}
