//! What lies in a folder when a store is opened or made in it: files of the store that its records
//! do not name, and files that are none of the store's. Neither may be lost.

use std::path::Path;

use super::TestClock;
use super::append;
use super::count;
use super::open;
use super::open_with;
use super::small;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::options::Options;

/// Every file of the disk with its length, less what a writer scribbles.
fn files(disk: &SimDisk) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    let mut folders = vec![names::root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in disk.list(&folder)? {
            let path = folder.join(&entry.name);
            match entry.is_dir {
                true => folders.push(path),
                false => {
                    let len = disk.len(&path)?.unwrap_or(0);
                    found.push((path.to_string_lossy().into_owned(), len));
                }
            }
        }
    }
    found.retain(|(path, _)| path != "LOCK");
    found.sort();
    Ok(found)
}

/// A file that somebody else put there.
fn put(disk: &SimDisk, path: &str) -> Result<()> {
    let file = disk.create_new(Path::new(path))?;
    file.write_at(0, b"a thesis")?;
    file.sync_data()
}

/// What happened: CURRENT was lost, by a careless copy or a file system check. The next append took
/// the folder for an unfinished creation, emptied `wal/`, removed manifest and segments, and went on
/// with an empty store and exit status 0.
#[test]
fn p1_a_lost_current_loses_nothing_else() -> Result<()> {
    type Stage = fn(&SimDisk) -> Result<()>;
    let stages: [(&str, Stage); 5] = [
        ("a log", |disk| {
            let store = open(disk)?;
            append(&store, 0..3)?;
            store.close()
        }),
        ("a log of a dead writer", |disk| {
            append(&open(disk)?, 0..3).map(drop)
        }),
        ("segments", |disk| {
            let store = open(disk)?;
            append(&store, 0..3)?;
            store.flush()?;
            store.close()
        }),
        ("a manifest that names what is gone", |disk| {
            let store = open(disk)?;
            append(&store, 0..3)?;
            store.flush()?;
            store.close()?;
            for path in files(disk)?.into_iter().map(|(path, _)| path) {
                if path.ends_with(".seg") {
                    disk.unlink(Path::new(&path))?;
                }
            }
            Ok(())
        }),
        ("a damaged log", |disk| {
            append(&open(disk)?, 0..3)?;
            disk.open_write(Path::new("wal/000001.wal"))?.set_len(300)
        }),
    ];
    for (story, stage) in stages {
        let disk = SimDisk::new(1);
        stage(&disk)?;
        disk.unlink(names::current())?;
        let before = files(&disk)?;
        for _ in 0..2 {
            let error = open(&disk).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Missing, "{story}: {error:?}");
            let words = error.to_string();
            assert!(words.starts_with("/sim/CURRENT: "), "{story}: {words}");
            assert!(words.contains("salvage"), "{story}: {words}");
            assert_eq!(files(&disk)?, before, "{story}");
        }
    }
    Ok(())
}

/// Creations that were cut off leave logs and manifests. The next one takes numbers of its own and
/// removes nothing that it did not find to be empty; once there is a store, they go.
#[test]
fn p7_an_unfinished_creation_is_finished_under_new_numbers() -> Result<()> {
    let disk = SimDisk::new(1);
    open(&disk)?.close()?;
    for round in 2..5 {
        disk.unlink(names::current())?;
        let store = open(&disk)?;
        assert!(store.recovery().created);
        append(&store, 0..0)?;
        store.close()?;
        let left: Vec<String> = files(&disk)?.into_iter().map(|(path, _)| path).collect();
        let wanted = [
            "CURRENT".to_owned(),
            format!("MANIFEST-{round:06}"),
            format!("wal/{round:06}.wal"),
        ];
        assert_eq!(left, wanted, "round {round}");
    }
    let store = open(&disk)?;
    append(&store, 0..4)?;
    assert_eq!(count(&store)?, 4);
    Ok(())
}

/// What happened: the power went while a store was being created, on a file system that writes lengths
/// before bytes. LOCK was as long as it has to be and held what a removed file had left on the disk, and
/// no later open took the folder.
#[test]
fn p7_a_lock_with_bytes_of_another_file_is_left_by_a_creation() -> Result<()> {
    let disk = SimDisk::new(1);
    let lock = disk.create_new(names::lock())?;
    lock.write_at(0, &[b'a'; 1536])?;
    lock.sync_data()?;
    drop(lock);
    let store = open(&disk)?;
    assert!(store.recovery().created);
    append(&store, 0..4)?;
    assert_eq!(count(&store)?, 4);
    store.close()
}

/// What happened: a folder with a `tmp/` or `wal/` of the user's own became a store, and what was in
/// them was removed. Only drafts are removed, and a folder with anything else becomes no store.
#[test]
fn p1_creating_a_store_takes_nothing_from_anybody() -> Result<()> {
    for path in [
        "tmp/thesis.txt",
        "tmp/wal-1.wal",
        "wal/pg_wal_segment",
        "wal/000001.wal",
        "seg/thesis.txt",
        "seg/2026-05/thesis.txt",
        "seg/2026-05/0000000000000001.seg",
        "MANIFEST-000001",
        "LOCK",
        "thesis.txt",
    ] {
        let disk = SimDisk::new(1);
        for folder in ["tmp", "wal", "seg", "seg/2026-05"] {
            disk.create_dir(Path::new(folder))?;
        }
        put(&disk, path)?;
        let before = files(&disk)?;
        let error = open(&disk).unwrap_err();
        let kinds = [ErrorKind::NotAStore, ErrorKind::Missing];
        assert!(kinds.contains(&error.kind()), "{path}: {error:?}");
        assert!(error.to_string().contains(path), "{path}: {error}");
        assert_eq!(files(&disk)?, before, "{path}");
        if path != "LOCK" {
            assert_eq!(disk.len(names::lock())?, None, "{path}: not even a lock");
        }
    }
    Ok(())
}

/// A CURRENT may be another program's: nothing is made, locked or removed in its folder.
#[test]
fn p1_a_current_of_another_program_keeps_its_folder() -> Result<()> {
    let disk = SimDisk::new(1);
    disk.create_dir(names::draft_dir())?;
    put(&disk, "CURRENT")?;
    put(&disk, "tmp/CURRENT")?;
    let before = files(&disk)?;
    assert_eq!(open(&disk).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(files(&disk)?, before);
    assert_eq!(disk.len(names::lock())?, None);
    Ok(())
}

/// The writer's own drafts go when the store is opened; what else is in `tmp/` stays.
#[test]
fn p7_only_drafts_are_removed_from_tmp() -> Result<()> {
    let disk = SimDisk::new(1);
    append(&open(&disk)?, 0..3)?;
    let drafts = [
        "tmp/CURRENT",
        "tmp/MANIFEST-000007",
        "tmp/wal-000009.wal",
        "tmp/00000000000000ff.seg",
        "tmp/quarantine-wal-000003",
        "tmp/quarantine-manifest-000003",
    ];
    for path in drafts.iter().chain(&["tmp/thesis.txt"]) {
        put(&disk, path)?;
    }
    let store = open(&disk)?;
    assert_eq!(count(&store)?, 3);
    let left = disk.list(names::draft_dir())?;
    let left: Vec<&str> = left.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(left, ["thesis.txt"]);
    Ok(())
}

/// The bytes of every file.
fn image(disk: &SimDisk) -> Result<Vec<(String, Vec<u8>)>> {
    let mut image = Vec::new();
    for (path, len) in files(disk)? {
        let mut bytes = vec![0; len as usize];
        disk.open_read(Path::new(&path))?.read_at(0, &mut bytes)?;
        image.push((path, bytes));
    }
    Ok(image)
}

/// Puts the records and logs of an image back, as a backup does that takes small files only.
fn put_records_back(disk: &SimDisk, image: &[(String, Vec<u8>)]) -> Result<()> {
    for (path, _) in files(disk)? {
        if !path.starts_with("seg/") {
            disk.unlink(Path::new(&path))?;
        }
    }
    for (path, bytes) in image.iter().filter(|(path, _)| !path.starts_with("seg/")) {
        let file = disk.create_new(Path::new(path))?;
        file.write_at(0, bytes)?;
        file.sync_data()?;
    }
    Ok(())
}

/// What happened: CURRENT, manifest and logs of a smaller store were put back beside the segments of
/// the larger one. The next append removed the segments that the old records did not name, and with
/// them the only copy of their events.
#[test]
fn p1_a_segment_with_events_of_its_own_is_not_removed() -> Result<()> {
    let unmerged = Options {
        merge_fan_in: 48,
        ..small()
    };
    let open = |disk: &SimDisk| open_with(disk, &TestClock::new(), unmerged.clone());
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    append(&store, 0..10)?;
    store.flush()?;
    store.close()?;
    let old = image(&disk)?;
    let store = open(&disk)?;
    append(&store, 10..20)?;
    store.flush()?;
    store.close()?;
    put_records_back(&disk, &old)?;
    let before = files(&disk)?;
    let error = open(&disk).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    let words = error.to_string();
    assert!(
        words.contains("/sim/seg/") && words.contains("event 19"),
        "{words}"
    );
    assert_eq!(files(&disk)?, before);

    let options = Options {
        recover_copy: true,
        ..unmerged.clone()
    };
    let store = open_with(&disk, &TestClock::new(), options)?;
    assert_eq!(count(&store)?, 10);
    append(&store, 10..11)?;
    store.close()?;
    let aside = disk.list(names::quarantine_dir())?;
    assert!(!aside.is_empty(), "what was forgotten is kept");
    assert_eq!(count(&open(&disk)?)?, 11);
    Ok(())
}

/// A segment of another store, or one that cannot be read, is put aside under a name of its own.
#[test]
fn p1_a_strange_segment_is_put_aside() -> Result<()> {
    let disk = SimDisk::new(1);
    for round in 0..3 {
        let store = open(&disk)?;
        append(&store, round..round + 1)?;
        store.close()?;
        disk.create_dir(names::segment_dir())?;
        disk.create_dir(Path::new("seg/2026-05"))?;
        put(&disk, "seg/2026-05/00000000000000aa.seg")?;
    }
    assert_eq!(count(&open(&disk)?)?, 3);
    let aside = disk.list(names::quarantine_dir())?;
    let aside: Vec<&str> = aside.iter().map(|entry| entry.name.as_str()).collect();
    let name = "00000000000000aa.seg";
    assert_eq!(aside, [name, &format!("{name}.1"), &format!("{name}.2")]);
    Ok(())
}
