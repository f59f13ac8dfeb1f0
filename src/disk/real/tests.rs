//! What only the real disk can show: modes, links, pipes, and folders that are made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::CWD;
use rustix::fs::FileType;
use rustix::fs::Mode;

use crate::disk::Disk;
use crate::disk::real::RealDisk;
use crate::error::ErrorKind;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777)
}

#[test]
fn what_is_made_is_for_its_owner_only() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let root = folder.path().join("new/store");
    let disk = RealDisk::create(&root).expect("create");
    disk.create_new(Path::new("a")).expect("create");
    disk.create_dir(Path::new("d")).expect("create");
    disk.lock(Path::new("LOCK")).expect("lock");
    assert_eq!((mode(&root), mode(&root.join("d"))), (0o700, 0o700));
    assert_eq!(
        (mode(&root.join("a")), mode(&root.join("LOCK"))),
        (0o600, 0o600)
    );
    RealDisk::create(&root).expect("making it again is success");
}

#[test]
fn what_is_no_plain_file_is_refused_without_waiting() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    fs::write(folder.path().join("secret"), "text").expect("write");
    symlink("secret", folder.path().join("link")).expect("link");
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("pipe");
    disk.create_dir(Path::new("folder")).expect("create");
    for name in ["link", "pipe", "folder"] {
        let name = Path::new(name);
        assert!(disk.open_read(name).is_err(), "{name:?}");
        assert!(disk.open_write(name).is_err(), "{name:?}");
        assert!(disk.lock(name).is_err(), "{name:?}");
        assert!(disk.map(name, 4).is_err(), "{name:?}");
    }
}

/// A disk that fails a look at a folder which is there was told as a name that is taken.
#[test]
fn p5_a_folder_that_cannot_be_looked_at_is_no_taken_name() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    fs::write(folder.path().join("file"), "").expect("write");
    symlink("endless", folder.path().join("endless")).expect("link");
    symlink("nowhere", folder.path().join("dangling")).expect("link");
    let kind = |name: &str| {
        let error = disk.create_dir(Path::new(name)).expect_err(name);
        assert!(error.to_string().contains(name), "{error}");
        error.kind()
    };
    assert_eq!(kind("endless"), ErrorKind::Io);
    assert_eq!(kind("dangling"), ErrorKind::Exists);
    assert_eq!(kind("file"), ErrorKind::Exists);
}

#[test]
fn a_folder_that_is_none_is_not_a_store() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("write");
    for path in [folder.path().join("none"), file] {
        let error = RealDisk::open(&path).err().expect("no folder");
        assert_eq!(error.kind(), ErrorKind::NotAStore);
        assert!(error.to_string().contains(path.to_string_lossy().as_ref()));
    }
}

#[test]
fn an_error_names_the_file_and_keeps_the_systems_own() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    let error = disk
        .open_read(Path::new("wal/000001.wal"))
        .err()
        .expect("none");
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(
        error.to_string().contains("wal/000001.wal: cannot open: "),
        "{error}"
    );
    assert!(core::error::Error::source(&error).is_some());
}

#[test]
fn a_file_knows_whether_its_name_is_still_its_own() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    let name = Path::new("LOCK");
    let file = disk.lock(name).expect("lock").expect("it is free");
    assert!(file.is_in_place().expect("a look"));
    disk.unlink(name).expect("unlink");
    assert!(!file.is_in_place().expect("a look"), "it is gone");
    let other = disk.lock(name).expect("lock").expect("it is another file");
    assert!(!file.is_in_place().expect("a look"), "another has the name");
    assert!(other.is_in_place().expect("a look"));
}
