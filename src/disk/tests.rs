//! What both disks promise alike: each case runs on the real one and on the simulated one, so that
//! a test on the simulated disk says something about the real one.

use std::path::Path;

use crate::disk::Disk;
use crate::disk::Entry;
use crate::disk::blob::Blob;
use crate::disk::real::RealDisk;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::options::ReadMode;

fn on_both(case: impl Fn(&dyn Disk) -> Result<()>) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let real = RealDisk::open(folder.path()).expect("the folder was just made");
    case(&real).expect("on the real disk");
    case(&SimDisk::new(1)).expect("on the simulated disk");
}

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

fn write(disk: &dyn Disk, path: &str, bytes: &[u8]) -> Result<()> {
    disk.create_new(Path::new(path))?.write_at(0, bytes)
}

fn read(disk: &dyn Disk, path: &str) -> Result<Vec<u8>> {
    let file = disk.open_read(Path::new(path))?;
    let mut bytes = vec![0; file.len()? as usize];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}

#[test]
fn what_is_written_reads_back_and_gaps_are_zeros() {
    on_both(|disk| {
        let file = disk.create_new(Path::new("a"))?;
        file.write_at(3, b"def")?;
        assert_eq!(read(disk, "a")?, b"\0\0\0def");
        file.write_at(0, b"abc")?;
        file.set_len(4)?;
        file.set_len(6)?;
        file.sync_data()?;
        file.sync_all()?;
        assert_eq!(read(disk, "a")?, b"abcd\0\0");
        assert_eq!(file.len()?, 6);
        assert_eq!(file.path(), disk.place(Path::new("a")));
        Ok(())
    });
}

#[test]
fn reading_past_the_end_is_damage_at_that_offset() {
    on_both(|disk| {
        write(disk, "a", b"abc")?;
        let file = disk.open_read(Path::new("a"))?;
        for offset in [1, 3, 4, 1 << 40] {
            let error = file.read_at(offset, &mut [0; 3]).expect_err("past the end");
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            let place = error.place().expect("a place");
            assert_eq!(
                (place.file.as_path(), place.offset),
                (file.path(), Some(offset))
            );
        }
        Ok(())
    });
}

#[test]
fn names_that_are_taken_or_missing_are_told_apart() {
    on_both(|disk| {
        let (one, two, none) = (Path::new("one"), Path::new("two"), Path::new("none"));
        write(disk, "one", b"1")?;
        write(disk, "two", b"2")?;
        assert_eq!(kind(disk.create_new(one)), Some(ErrorKind::Exists));
        assert_eq!(kind(disk.rename_new(one, two)), Some(ErrorKind::Exists));
        assert_eq!(kind(disk.rename(none, two)), Some(ErrorKind::Missing));
        assert_eq!(kind(disk.unlink(none)), Some(ErrorKind::Missing));
        assert_eq!(kind(disk.open_read(none)), Some(ErrorKind::Missing));
        assert_eq!(kind(disk.open_write(none)), Some(ErrorKind::Missing));
        assert_eq!(kind(disk.list(none)), Some(ErrorKind::Missing));
        assert_eq!(disk.len(none)?, None);
        let inside = Path::new("none/inside");
        assert_eq!(kind(disk.create_new(inside)), Some(ErrorKind::Missing));
        assert_eq!(read(disk, "one")?, b"1");
        assert_eq!(read(disk, "two")?, b"2");
        disk.rename_new(one, none)?;
        disk.rename(none, two)?;
        assert_eq!(read(disk, "two")?, b"1");
        assert_eq!(disk.len(none)?, None);
        Ok(())
    });
}

#[test]
fn a_folder_lists_its_names_in_order() {
    on_both(|disk| {
        disk.create_dir(Path::new("seg"))?;
        disk.create_dir(Path::new("seg"))?;
        disk.create_dir(Path::new("seg/2026-05"))?;
        write(disk, "seg/b", b"12345")?;
        write(disk, "seg/2026-05/deeper", b"")?;
        disk.sync_dir(Path::new("seg"))?;
        disk.sync_dir(Path::new(""))?;
        let entry = |name: &str, is_dir| Entry {
            name: name.to_owned(),
            is_dir,
        };
        assert_eq!(
            disk.list(Path::new("seg"))?,
            [entry("2026-05", true), entry("b", false)]
        );
        assert_eq!(disk.len(Path::new("seg/b"))?, Some(5));
        assert_eq!(disk.list(Path::new(""))?, [entry("seg", true)]);
        assert_eq!(
            kind(disk.create_dir(Path::new("seg/b"))),
            Some(ErrorKind::Exists)
        );
        Ok(())
    });
}

#[test]
fn a_folder_goes_only_when_it_is_empty() {
    on_both(|disk| {
        let folder = Path::new("seg");
        disk.create_dir(folder)?;
        write(disk, "seg/a", b"abc")?;
        assert!(!disk.remove_dir(folder)?);
        assert_eq!(read(disk, "seg/a")?, b"abc");
        assert!(disk.remove_dir(Path::new("seg/a")).is_err());
        disk.unlink(Path::new("seg/a"))?;
        for _ in 0..2 {
            assert!(disk.remove_dir(folder)?);
        }
        assert_eq!(kind(disk.list(folder)), Some(ErrorKind::Missing));
        Ok(())
    });
}

#[test]
fn an_open_file_outlives_its_name() {
    on_both(|disk| {
        write(disk, "a", b"abc")?;
        let file = disk.open_read(Path::new("a"))?;
        let blobs = [ReadMode::Mapped, ReadMode::Positional]
            .map(|mode| Blob::open(disk, Path::new("a"), 3, mode));
        disk.unlink(Path::new("a"))?;
        let mut bytes = [0; 3];
        file.read_at(0, &mut bytes)?;
        assert_eq!(&bytes, b"abc");
        for blob in blobs {
            assert_eq!(&*blob?.read(0, 3)?, b"abc");
        }
        Ok(())
    });
}

#[test]
fn a_blob_gives_its_ranges_and_refuses_all_others() {
    on_both(|disk| {
        write(disk, "a", b"abcdef")?;
        for mode in [ReadMode::Mapped, ReadMode::Positional] {
            let path = Path::new("a");
            let blob = Blob::open(disk, path, 6, mode)?;
            assert_eq!((blob.len(), blob.path()), (6, &*disk.place(path)));
            assert_eq!(&*blob.read(2, 4)?, b"cdef");
            assert_eq!(&*blob.read(6, 0)?, b"");
            for (offset, len) in [(7, 0), (0, 7), (6, 1), (u64::MAX, 2), (1, usize::MAX)] {
                assert_eq!(kind(blob.read(offset, len)), Some(ErrorKind::Corrupt));
            }
            for len in [0, 5, 7, u64::MAX] {
                assert_eq!(
                    kind(Blob::open(disk, path, len, mode)),
                    Some(ErrorKind::Corrupt)
                );
            }
            let none = Path::new("none");
            assert_eq!(
                kind(Blob::open(disk, none, 0, mode)),
                Some(ErrorKind::Missing)
            );
        }
        write(disk, "empty", b"")?;
        for mode in [ReadMode::Mapped, ReadMode::Positional] {
            let blob = Blob::open(disk, Path::new("empty"), 0, mode)?;
            assert_eq!(&*blob.read(0, 0)?, b"");
        }
        Ok(())
    });
}

#[test]
fn a_lock_keeps_every_other_handle_out_until_it_is_dropped() {
    on_both(|disk| {
        let path = Path::new("LOCK");
        let first = disk.lock(path)?.expect("nobody holds it");
        assert!(disk.lock(path)?.is_none());
        assert!(disk.is_locked(path)?);
        assert!(disk.lock(path)?.is_none(), "looking does not set it free");
        drop(first);
        assert!(!disk.is_locked(path)?);
        assert!(disk.lock(path)?.is_some());
        Ok(())
    });
}
