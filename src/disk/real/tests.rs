//! What only the real disk can show: modes, links, pipes, and folders that are made.

use core::time::Duration;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::AtFlags;
use rustix::fs::CWD;
use rustix::fs::FileType;
use rustix::fs::Mode;

use crate::disk::Disk;
use crate::disk::File;
use crate::disk::ReadDisk;
#[cfg(feature = "mmap")]
use crate::disk::blob::Blob;
use crate::disk::real;
use crate::disk::real::RealDisk;
use crate::disk::real::RealFile;
use crate::error::ErrorKind;
#[cfg(feature = "mmap")]
use crate::options::ReadMode;

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
    let error = disk.create_dir(Path::new("file/below"));
    let error = error.expect_err("no folder");
    assert!(
        error.to_string().contains("cannot make the folder"),
        "{error}"
    );
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

/// Old kernels do not know the call that asks for the number alone.
#[test]
fn both_ways_to_tell_a_file_tell_the_same() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let of = |name: &str| {
        let path = folder.path().join(name);
        fs::write(&path, name).expect("write");
        let by_times = real::of(fs::symlink_metadata(&path).expect("a look"));
        // Where there is no such call, there is no other way.
        if let Ok(found) = real::identity(CWD, &path, AtFlags::SYMLINK_NOFOLLOW) {
            assert_eq!(found, by_times);
        }
        by_times
    };
    assert_ne!(of("a"), of("b"));
}

#[cfg(feature = "mmap")]
#[test]
fn what_may_be_mapped_is_mapped() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    fs::write(folder.path().join("final"), "bytes").expect("write");
    for (mode, wanted) in [
        (ReadMode::Mapped, Some("bytes")),
        (ReadMode::Positional, None),
    ] {
        let blob = Blob::open(&disk, Path::new("final"), 5, mode).expect("open");
        assert_eq!(blob.mapped(), wanted.map(str::as_bytes));
    }
}

#[test]
fn a_name_that_is_taken_is_told_by_the_name_that_is_taken() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    for name in ["mine", "theirs"] {
        fs::write(folder.path().join(name), name).expect("write");
    }
    let error = disk.rename_new(Path::new("mine"), Path::new("theirs"));
    let error = error.expect_err("it is taken");
    assert_eq!(error.kind(), ErrorKind::Exists);
    assert!(error.to_string().contains("theirs"), "{error}");
    let error = disk.rename_new(Path::new("none"), Path::new("new"));
    let error = error.expect_err("nothing to rename");
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(error.to_string().contains("none"), "{error}");
}

#[test]
fn p5_a_folder_that_cannot_be_synced_is_told() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    let error = disk.sync_dir(Path::new("gone")).expect_err("it is gone");
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(error.to_string().contains("gone"), "{error}");
}

/// What the system cannot sync stands for a file whose device fails.
#[test]
fn p1_a_sync_that_the_system_refuses_is_told() {
    let file = RealFile {
        path: "/dev/null".into(),
        file: fs::File::open("/dev/null").expect("every system has it"),
    };
    for error in [file.sync_data(), file.sync_all()] {
        let error = error.expect_err("it is no file");
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("cannot sync"), "{error}");
    }
}

#[test]
fn a_folder_has_another_stamp_once_a_name_was_added_or_it_was_replaced() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    let stamp = |name: &str| disk.folder_stamp(Path::new(name));
    assert_eq!(stamp("inbox").expect("a look"), None);
    disk.create_dir(Path::new("inbox")).expect("create");
    let empty = stamp("inbox").expect("a look");
    assert!(empty.is_some());
    assert_eq!(stamp("inbox").expect("a look"), empty);
    // Times of files go by steps of some milliseconds.
    std::thread::sleep(Duration::from_millis(30));
    fs::write(folder.path().join("inbox/record"), "").expect("write");
    let filled = stamp("inbox").expect("a look");
    assert_ne!(filled, empty);
    // Another folder of the same time.
    let time = fs::metadata(folder.path().join("inbox")).expect("a look");
    let time = time.modified().expect("a time");
    fs::rename(folder.path().join("inbox"), folder.path().join("old")).expect("rename");
    disk.create_dir(Path::new("inbox")).expect("create");
    let other = fs::File::open(folder.path().join("inbox")).expect("open");
    other.set_modified(time).expect("set the time");
    assert_ne!(stamp("inbox").expect("a look"), filled);
    assert_eq!(stamp("old").expect("a look"), filled);
    // Whatever the time, also that whose bits are all set.
    let time = SystemTime::UNIX_EPOCH - Duration::from_nanos(1);
    for name in ["inbox", "old"] {
        let folder = fs::File::open(folder.path().join(name)).expect("open");
        folder.set_modified(time).expect("set the time");
    }
    assert_ne!(
        stamp("inbox").expect("a look"),
        stamp("old").expect("a look")
    );
    assert_eq!(stamp("old/record").expect("a look"), None, "no folder");
}

#[test]
fn p5_what_cannot_be_looked_at_is_not_told_as_missing() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    fs::write(folder.path().join("file"), "").expect("write");
    let below = Path::new("file/below");
    assert_eq!(disk.len(Path::new("none")).expect("a look"), None);
    assert_eq!(
        disk.len(below).expect_err("no folder").kind(),
        ErrorKind::Io
    );
    let error = disk.folder_stamp(below).expect_err("no folder");
    assert_eq!(error.kind(), ErrorKind::Io);
    let disk = RealDisk::open(folder.path()).expect("open");
    disk.create_dir(Path::new("folder")).expect("create");
    let file = disk.lock(Path::new("folder/LOCK")).expect("lock");
    let file = file.expect("it is free");
    fs::rename(folder.path().join("folder"), folder.path().join("away")).expect("rename");
    fs::write(folder.path().join("folder"), "").expect("write");
    assert_eq!(
        file.is_in_place().expect_err("no folder").kind(),
        ErrorKind::Io
    );
}

/// A point in `LOCK` counts for one boot alone, and its holder is told by its number.
#[test]
fn the_machine_and_the_process_are_told_by_their_own_numbers() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let disk = RealDisk::open(folder.path()).expect("open");
    assert_eq!(disk.process(), std::process::id());
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let text = text.unwrap_or_default().replace('-', "");
    let boot = disk.boot().map(|boot| format!("{boot:016x}"));
    assert_eq!(boot.as_deref(), text.get(..16));
}
