//! The operating system's file system as a [`Disk`]. New files are for their owner only, links and
//! pipes are refused, and a path never leaves the store's folder, since every path comes from
//! [`crate::disk::names`]. The store opens one of these; tests put `disk::sim` in its place.

use std::fs;
use std::fs::DirBuilder;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

use rustix::fs::AtFlags;
use rustix::fs::CWD;
use rustix::fs::OFlags;
use rustix::fs::RenameFlags;
#[cfg(target_os = "linux")]
use rustix::fs::StatxFlags;
use rustix::io::Errno;

use crate::disk::Disk;
use crate::disk::Entry;
use crate::disk::File;
use crate::disk::ReadDisk;
use crate::disk::blob;
use crate::disk::blob::Bytes;
use crate::disk::map;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::StoreId;

/// A store's folder in the file system.
pub(crate) struct RealDisk {
    root: PathBuf,
}

struct RealFile {
    path: PathBuf,
    file: fs::File,
}

const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;

impl RealDisk {
    /// The folder at `root`, which must exist. A change of the working directory does not move it.
    pub(crate) fn open(root: &Path) -> Result<RealDisk> {
        let disk = RealDisk::at(root)?;
        let metadata = fs::metadata(&disk.root).map_err(|error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            let failed = Error::io("open the folder", &disk.root, error);
            if missing {
                Error::new(ErrorKind::NotAStore, "there is no such folder")
                    .in_file(&disk.root)
                    .with_source(failed)
            } else {
                failed
            }
        })?;
        if metadata.is_dir() {
            Ok(disk)
        } else {
            let error = Error::new(ErrorKind::NotAStore, "this is a file, a store is a folder");
            Err(error.in_file(&disk.root))
        }
    }

    /// As [`RealDisk::open`], making the folder and its parents where they are missing. What was
    /// made is durable.
    pub(crate) fn create(root: &Path) -> Result<RealDisk> {
        let disk = RealDisk::at(root)?;
        let missing: Vec<&Path> = disk
            .root
            .ancestors()
            .take_while(|path| !path.exists())
            .collect();
        for path in missing.into_iter().rev() {
            create_dir(path)?;
            if let Some(parent) = path.parent() {
                sync_dir(parent)?;
            }
        }
        RealDisk::open(root)
    }

    fn at(root: &Path) -> Result<RealDisk> {
        let root = std::path::absolute(root)
            .map_err(|error| Error::io("find the working directory for", root, error))?;
        Ok(RealDisk { root })
    }

    fn open_with(
        &self,
        options: &mut OpenOptions,
        operation: &str,
        path: &Path,
    ) -> Result<RealFile> {
        let path = self.place(path);
        // Without NONBLOCK, opening a pipe that someone put in a file's place would wait for ever.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = options
            .mode(FILE_MODE)
            .custom_flags(flags.bits().cast_signed())
            .open(&path)
            .map_err(|error| failed(operation, &path, error))?;
        let metadata = file
            .metadata()
            .map_err(|error| failed(operation, &path, error))?;
        if metadata.is_file() {
            Ok(RealFile { path, file })
        } else {
            Err(Error::new(ErrorKind::Corrupt, "this is not a plain file").in_file(&path))
        }
    }
}

impl ReadDisk for RealDisk {
    fn place(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }

    fn open_read(&self, path: &Path) -> Result<Box<dyn File>> {
        let mut options = OpenOptions::new();
        Ok(Box::new(self.open_with(
            options.read(true),
            "open",
            path,
        )?))
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>> {
        let path = self.place(path);
        let refused = |error| failed("list", &path, error);
        let mut entries = Vec::new();
        for entry in fs::read_dir(&path).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            let kind = match entry.file_type() {
                Ok(kind) => kind,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(refused(error)),
            };
            entries.push(Entry {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_dir: kind.is_dir(),
            });
        }
        entries.sort();
        Ok(entries)
    }

    fn folder_stamp(&self, path: &Path) -> Result<Option<u64>> {
        let path = self.place(path);
        match fs::symlink_metadata(&path) {
            Ok(folder) if folder.is_dir() => {
                let nanos = folder.mtime().wrapping_mul(1_000_000_000);
                let moment = nanos.wrapping_add(folder.mtime_nsec()).cast_unsigned();
                // One that took the place of another may be of its time.
                Ok(Some(moment ^ folder.ino().rotate_left(32)))
            }
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("look at", &path, error)),
        }
    }

    fn len(&self, path: &Path) -> Result<Option<u64>> {
        let path = self.place(path);
        match fs::symlink_metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("look at", &path, error)),
        }
    }

    fn map(&self, path: &Path, len: u64) -> Result<Option<Bytes>> {
        let mut options = OpenOptions::new();
        let file = self.open_with(options.read(true), "open", path)?;
        let found = file.len()?;
        if found != len {
            return Err(blob::wrong_length(&file.path, found, len));
        }
        let mapping = map::map(&file.file).map_err(|error| failed("map", &file.path, error))?;
        Ok(mapping.map(Bytes::Mapped))
    }

    fn is_locked(&self, path: &Path) -> Result<bool> {
        let mut options = OpenOptions::new();
        let file = self.open_with(options.read(true), "open", path)?;
        Ok(!file.hold()?)
    }

    fn boot(&self) -> Option<u64> {
        // A random UUID made at each boot: half of it is as good a name as the whole.
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        u64::from_str_radix(digits.get(..16)?, 16).ok()
    }
}

impl Disk for RealDisk {
    fn create_new(&self, path: &Path) -> Result<Box<dyn File>> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create_new(true);
        Ok(Box::new(self.open_with(options, "create", path)?))
    }

    fn open_write(&self, path: &Path) -> Result<Box<dyn File>> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true);
        Ok(Box::new(self.open_with(
            options,
            "open for writing",
            path,
        )?))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let (from, to) = (self.place(from), self.place(to));
        fs::rename(&from, &to).map_err(|error| failed("rename", &from, error))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<()> {
        let (from, to) = (self.place(from), self.place(to));
        match rustix::fs::renameat_with(CWD, &from, CWD, &to, RenameFlags::NOREPLACE) {
            // Some file systems lack the flag; a second name and the first's removal do the same,
            // and leave both names if the process ends in between.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                fs::hard_link(&from, &to).map_err(|error| failed("rename to", &to, error))?;
                fs::remove_file(&from).map_err(|error| failed("rename", &from, error))
            }
            other => other.map_err(|errno| match errno {
                Errno::EXIST => failed("rename to", &to, errno.into()),
                _ => failed("rename", &from, errno.into()),
            }),
        }
    }

    fn unlink(&self, path: &Path) -> Result<()> {
        let path = self.place(path);
        fs::remove_file(&path).map_err(|error| failed("remove", &path, error))
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        create_dir(&self.place(path))
    }

    fn remove_dir(&self, path: &Path) -> Result<bool> {
        let path = self.place(path);
        match fs::remove_dir(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
            Err(error) => Err(failed("remove the folder", &path, error)),
        }
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        sync_dir(&self.place(path))
    }

    fn lock(&self, path: &Path) -> Result<Option<Box<dyn File>>> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true);
        let file = self.open_with(options, "open for locking", path)?;
        Ok(match file.claim()? {
            true => Some(Box::new(file)),
            false => None,
        })
    }

    fn process(&self) -> u32 {
        std::process::id()
    }

    fn store_id(&self) -> StoreId {
        StoreId::random()
    }
}

impl File for RealFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let wanted = buffer.len();
        self.file
            .read_exact_at(buffer, offset)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    let what = format!("the file ends within the {wanted} bytes wanted here");
                    Error::corrupt(&self.path, offset, what)
                }
                _ => failed("read", &self.path, error),
            })
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(|error| failed("write", &self.path, error))
    }

    fn sync_data(&self) -> Result<()> {
        self.file
            .sync_data()
            .map_err(|error| failed("sync", &self.path, error))
    }

    fn sync_all(&self) -> Result<()> {
        self.file
            .sync_all()
            .map_err(|error| failed("sync", &self.path, error))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.file
            .set_len(len)
            .map_err(|error| failed("set the length", &self.path, error))
    }

    fn len(&self) -> Result<u64> {
        self.file
            .metadata()
            .map(|metadata| metadata.len())
            .map_err(|error| failed("learn the length", &self.path, error))
    }

    fn hold(&self) -> Result<bool> {
        taken(self.file.try_lock_shared(), &self.path)
    }

    fn claim(&self) -> Result<bool> {
        taken(self.file.try_lock(), &self.path)
    }

    fn is_single(&self) -> Result<bool> {
        let found = self.file.metadata();
        let found = found.map_err(|error| failed("look at", &self.path, error))?;
        Ok(found.nlink() <= 1)
    }

    fn is_in_place(&self) -> Result<bool> {
        let refused = |error| failed("look at", &self.path, error);
        // A number is not given to another file while this one is open.
        let this = identity(&self.file, Path::new(""), OPEN);
        let this = this.or_else(|_| self.file.metadata().map(of));
        let found = identity(CWD, &self.path, AtFlags::SYMLINK_NOFOLLOW);
        let found = found.or_else(|_| fs::symlink_metadata(&self.path).map(of));
        match found {
            Ok(found) => Ok(found == this.map_err(refused)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(refused(error)),
        }
    }
}

/// Which file of the system it is: its device and its number there.
fn of(metadata: fs::Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// With an empty path, the open file itself.
#[cfg(target_os = "linux")]
const OPEN: AtFlags = AtFlags::EMPTY_PATH;
#[cfg(not(target_os = "linux"))]
const OPEN: AtFlags = AtFlags::empty();

/// The same without asking for the file's times. Where they were asked for, Linux gives the next write
/// to the file a finer time and notes that down in the journal, which the next sync of the log waits
/// for: 50 µs of a durable append on ext4.
#[cfg(target_os = "linux")]
fn identity(folder: impl AsFd, path: &Path, flags: AtFlags) -> io::Result<(u64, u64)> {
    let found = rustix::fs::statx(folder, path, flags, StatxFlags::INO)?;
    let device = rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor);
    Ok((device, found.stx_ino))
}

/// There is no other way than by the metadata here.
#[cfg(not(target_os = "linux"))]
fn identity(_: impl AsFd, _: &Path, _: AtFlags) -> io::Result<(u64, u64)> {
    Err(io::ErrorKind::Unsupported.into())
}

fn taken(result: core::result::Result<(), TryLockError>, path: &Path) -> Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(failed("lock", path, error)),
    }
}

fn create_dir(path: &Path) -> Result<()> {
    let refused = |error| failed("make the folder", path, error);
    match DirBuilder::new().mode(DIR_MODE).create(path) {
        Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => match fs::metadata(path) {
            Ok(found) if found.is_dir() => Ok(()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("look at", path, error))
            }
            _ => Err(refused(taken)),
        },
        made => made.map_err(refused),
    }
}

fn sync_dir(path: &Path) -> Result<()> {
    fs::File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| failed("sync the folder", path, error))
}

/// The error for an operation that the system refused.
pub(crate) fn failed(operation: &str, path: &Path, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::AlreadyExists {
        Error::new(
            ErrorKind::Exists,
            format!("cannot {operation}: it exists already"),
        )
        .in_file(path)
        .with_source(error)
    } else if let Some(Errno::MFILE | Errno::NFILE) = Errno::from_io_error(&error) {
        // Nothing was opened, so nothing is different, like on a full disk.
        Error::new(ErrorKind::Full, format!("cannot {operation}: {error}"))
            .with_advice("close some, or raise the limit on open files")
            .in_file(path)
            .with_source(error)
    } else {
        Error::io(operation, path, error)
    }
}

#[cfg(test)]
mod tests;
