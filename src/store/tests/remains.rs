//! What lies in a folder when a store is opened or made in it: files of the store that its records
//! do not name, and files that are none of the store's. Neither may be lost.

use std::path::Path;

use super::append;
use super::count;
use super::open;
use crate::disk::Disk;
use crate::disk::names;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;

/// Every file of the disk with its length, less what a writer scribbles.
fn files(disk: &SimDisk) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    let mut folders = vec![names::root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in disk.list(&folder)? {
            let path = folder.join(&entry.name);
            match entry.is_dir {
                true => folders.push(path),
                false => found.push((path.to_string_lossy().into_owned(), entry.len)),
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
