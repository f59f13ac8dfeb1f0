//! What the simulated disk itself promises: nothing durable is ever lost, nothing else is ever
//! sure, faults come when they are due, and one seed is one story.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::disk::Disk;
use crate::disk::File;
use crate::disk::ReadDisk;
use crate::disk::durable;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;

const SEEDS: u64 = 200;

fn read(disk: &SimDisk, path: &str) -> Option<Vec<u8>> {
    let file = disk.open_read(Path::new(path)).ok()?;
    let mut bytes = vec![0; file.len().ok()? as usize];
    file.read_at(0, &mut bytes).ok()?;
    Some(bytes)
}

/// A file that is durable, name and bytes.
fn durable(disk: &SimDisk, path: &str, bytes: &[u8]) -> Result<Box<dyn File>> {
    let file = disk.create_new(Path::new(path))?;
    file.write_at(0, bytes)?;
    file.sync_data()?;
    disk.sync_dir(Path::new(path).parent().unwrap_or(Path::new("")))?;
    Ok(file)
}

#[test]
fn what_is_synced_survives_every_crash() -> Result<()> {
    let disk = SimDisk::new(1);
    durable(&disk, "a", b"kept")?.write_at(4, b" and more")?;
    for seed in 0..SEEDS {
        let bytes = read(&disk.crash(seed), "a").expect("the name is durable");
        assert!(bytes.starts_with(b"kept"), "seed {seed}");
    }
    Ok(())
}

#[test]
fn unsynced_sectors_come_and_go_one_by_one() -> Result<()> {
    let disk = SimDisk::new(1);
    let file = durable(&disk, "a", &[1; 1024])?;
    file.write_at(256, &[2; 1024])?;
    let mut outcomes = BTreeSet::new();
    for seed in 0..SEEDS {
        let bytes = read(&disk.crash(seed), "a").expect("the name is durable");
        assert!(bytes.len() == 1024 || bytes.len() == 1280, "seed {seed}");
        assert_eq!(bytes.get(..256), Some(&[1; 256][..]), "seed {seed}");
        outcomes.insert((
            bytes.get(256).copied(),
            bytes.get(512).copied(),
            bytes.len(),
        ));
        for sector in bytes.get(256..).unwrap_or_default().chunk_by(|a, b| a == b) {
            assert_eq!(sector.len() % 256, 0, "seed {seed}: a sector was torn");
        }
    }
    assert!(outcomes.len() >= 6, "{outcomes:?}");
    Ok(())
}

#[test]
fn unsynced_names_come_and_go_and_a_rename_is_whole() -> Result<()> {
    let disk = SimDisk::new(1);
    durable(&disk, "CURRENT", b"old")?;
    durable(&disk, "draft", b"new")?;
    disk.rename(Path::new("draft"), Path::new("CURRENT"))?;
    disk.create_new(Path::new("other"))?;
    let mut outcomes = BTreeSet::new();
    for seed in 0..SEEDS {
        let after = disk.crash(seed);
        let (current, draft) = (read(&after, "CURRENT"), read(&after, "draft"));
        match current.as_deref() {
            Some(b"old") => assert_eq!(draft.as_deref(), Some(&b"new"[..])),
            Some(b"new") => assert_eq!(draft, None),
            other => panic!("seed {seed}: CURRENT is {other:?}"),
        }
        outcomes.insert((current, read(&after, "other").is_some()));
    }
    assert_eq!(outcomes.len(), 4);
    disk.sync_dir(Path::new(""))?;
    for seed in 0..SEEDS {
        let after = disk.crash(seed);
        assert_eq!(read(&after, "CURRENT").as_deref(), Some(&b"new"[..]));
        assert!(read(&after, "other").is_some());
    }
    Ok(())
}

#[test]
fn a_durable_name_does_not_make_its_bytes_or_its_folder_durable() -> Result<()> {
    let disk = SimDisk::new(1);
    disk.create_dir(Path::new("wal"))?;
    let file = disk.create_new(Path::new("wal/1"))?;
    file.write_at(0, &[7; 512])?;
    disk.sync_dir(Path::new("wal"))?;
    let outcomes: BTreeSet<_> = (0..SEEDS)
        .map(|seed| read(&disk.crash(seed), "wal/1"))
        .collect();
    assert!(
        outcomes.contains(&None),
        "the folder itself was never synced"
    );
    assert!(outcomes.contains(&Some(Vec::new())));
    assert!(outcomes.contains(&Some(vec![7; 512])));
    Ok(())
}

#[test]
fn a_failed_sync_loses_bytes_that_no_later_sync_brings_back() -> Result<()> {
    let mut lost = 0;
    for seed in 0..SEEDS {
        let disk = SimDisk::new(seed);
        let file = durable(&disk, "a", b"")?;
        file.write_at(0, &[7; 4096])?;
        disk.fail(Fault::new(Operation::Sync, io::ErrorKind::Other));
        assert!(file.sync_data().is_err());
        assert_eq!(read(&disk, "a"), Some(vec![7; 4096]), "it still reads well");
        file.sync_data()?;
        lost += u64::from(read(&disk.crash(seed), "a") != Some(vec![7; 4096]));
    }
    assert!(lost > SEEDS / 2, "{lost}");
    Ok(())
}

#[test]
fn faults_come_when_they_are_due() -> Result<()> {
    let disk = SimDisk::new(1);
    let file = disk.create_new(Path::new("wal"))?;
    let other = disk.create_new(Path::new("other"))?;
    disk.fail(
        Fault::new(Operation::Write, io::ErrorKind::StorageFull)
            .after(1)
            .within("wal"),
    );
    file.write_at(0, b"1")?;
    other.write_at(0, b"1")?;
    let error = file.write_at(1, b"2").expect_err("the second is due");
    assert!(error.is_full());
    file.write_at(1, b"2")?;
    disk.fail(Fault::any_change(io::ErrorKind::Other).sticky());
    for _ in 0..2 {
        assert_eq!(
            file.write_at(2, b"3").map_err(|e| e.kind()),
            Err(ErrorKind::Io)
        );
        assert!(disk.unlink(Path::new("wal")).is_err());
        assert!(disk.open_read(Path::new("wal")).is_ok(), "reading goes on");
    }
    disk.heal();
    file.write_at(2, b"3")?;
    assert_eq!(disk.count(Operation::Write), 7);
    assert_eq!(disk.count(Operation::Open), 2);
    assert_eq!(disk.changes(), 2 + 7 + 2);
    Ok(())
}

#[test]
fn a_failed_write_may_have_written_its_head() -> Result<()> {
    let mut lens = BTreeSet::new();
    for seed in 0..SEEDS {
        let disk = SimDisk::new(seed);
        let file = disk.create_new(Path::new("a"))?;
        disk.fail(Fault::new(Operation::Write, io::ErrorKind::StorageFull));
        assert!(file.write_at(0, &[7; 8]).is_err());
        lens.insert(file.len()?);
    }
    assert_eq!(lens, (0..=8).collect());
    Ok(())
}

#[test]
fn a_kill_keeps_what_was_written_and_frees_the_lock() -> Result<()> {
    let disk = SimDisk::new(1);
    let _lock = disk.lock(Path::new("LOCK"))?.expect("nobody holds it");
    disk.create_new(Path::new("a"))?.write_at(0, b"unsynced")?;
    let after = disk.kill();
    assert_eq!(read(&after, "a").as_deref(), Some(&b"unsynced"[..]));
    assert!(after.lock(Path::new("LOCK"))?.is_some());
    assert_eq!(after.boot(), disk.boot());
    assert_ne!(disk.crash(0).boot(), disk.boot());
    Ok(())
}

#[test]
fn one_seed_is_one_story() -> Result<()> {
    let story = |seed| -> Result<_> {
        let disk = SimDisk::new(seed);
        let file = durable(&disk, "a", b"")?;
        disk.fail(Fault::new(Operation::Write, io::ErrorKind::Other).after(3));
        for round in 0..8 {
            let _ = file.write_at(round * 700, &[round as u8; 900]);
        }
        Ok(read(&disk.crash(seed), "a"))
    };
    for seed in 0..20 {
        assert_eq!(story(seed)?, story(seed)?, "seed {seed}");
    }
    Ok(())
}

/// What happened: a segment's folder was made and the sync of `seg/` failed once. The next attempt
/// found the folder there, its own sync succeeded for there was nothing left to write, and a power
/// cut later took the folder away with a segment that the manifest named.
#[test]
fn p5_a_folder_whose_sync_failed_is_made_anew() -> Result<()> {
    for seed in 0..64 {
        let disk = SimDisk::new(seed);
        let folder = Path::new("seg/2026-05");
        durable::create_dir(&disk, Path::new("seg"))?;
        disk.fail(Fault::new(Operation::SyncDir, io::ErrorKind::Other));
        assert!(durable::create_dir(&disk, folder).is_err());
        durable::create_dir(&disk, folder)?;
        durable(&disk, "seg/2026-05/1.seg", b"rows")?;
        assert_eq!(
            read(&disk.crash(seed), "seg/2026-05/1.seg").as_deref(),
            Some(&b"rows"[..])
        );
    }
    Ok(())
}
