//! The file that somebody named for an output: claimed before the work, made under a passing name
//! beside its place, and put there whole. It never lies inside a store, whose files are its own,
//! and never takes the place of a link, a folder or a device.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::disk::Disk;
use crate::disk::durable::Draft;
use crate::disk::names;
use crate::disk::real::RealDisk;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// A file to be made outside of every store: whole or not at all, and in the place of another one
/// only if told so.
///
/// ```
/// use auditdb::OutputFile;
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-output-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
///
/// let file = OutputFile::claim(&folder.join("report.json"), false)?;
/// assert!(file.is_same(&OutputFile::claim(&folder.join(".").join("report.json"), false)?));
/// file.make_of(b"{}\n")?;
/// assert!(OutputFile::claim(&folder.join("report.json"), false).is_err());
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct OutputFile {
    /// As it was named, for messages.
    path: PathBuf,
    /// The folder it lies in, without links.
    folder: PathBuf,
    name: OsString,
    replace: bool,
}

/// Between a draft's making and its locking lie microseconds.
const DRAFT_IDLE: Duration = Duration::from_secs(60);

impl OutputFile {
    /// Looks whether a file can be made at `path`, and makes nothing. One that exists is refused,
    /// or replaced later with `replace`.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`]; [`ErrorKind::OutOfRange`] for a place inside a store;
    /// [`ErrorKind::Io`] where `path` names no file or its folder cannot be used.
    pub fn claim(path: &Path, replace: bool) -> Result<OutputFile> {
        let unusable = |what: &str| Error::new(ErrorKind::Io, what).in_file(path);
        let name = path
            .file_name()
            .ok_or_else(|| unusable("a file's name is needed, not a folder's"))?;
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let folder = folder.canonicalize().map_err(|error| {
            unusable(&format!("its folder cannot be used: {error}")).with_source(error)
        })?;
        if let Some(store) = folder.ancestors().find(|above| is_store(above)) {
            let what = format!(
                "this lies inside the store {}, whose files are its own",
                store.display()
            );
            return Err(Error::new(ErrorKind::OutOfRange, what).in_file(path));
        }
        let file = OutputFile {
            path: path.to_owned(),
            name: name.to_owned(),
            folder,
            replace,
        };
        file.refuse_taken()?;
        Ok(file)
    }

    /// Whether both name one file, however they are spelled.
    #[must_use]
    pub fn is_same(&self, other: &OutputFile) -> bool {
        let inode = |file: &OutputFile| {
            let metadata = fs::metadata(file.place()).ok()?;
            Some((metadata.dev(), metadata.ino()))
        };
        let same_name = self.folder == other.folder && self.name == other.name;
        same_name || inode(self).is_some_and(|this| Some(this) == inode(other))
    }

    /// Makes the file of what `write` writes. If that fails, or the process ends, there is none.
    ///
    /// # Errors
    /// What `write` gives, [`ErrorKind::Exists`] if the name was taken meanwhile, and
    /// [`ErrorKind::Io`] or [`ErrorKind::Full`] from the disk.
    pub fn make<T>(&self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        self.make_if(|out| Ok((write(out)?, true)))
    }

    /// Makes the file of `bytes`, as [`OutputFile::make`] does.
    ///
    /// # Errors
    /// As [`OutputFile::make`].
    pub fn make_of(&self, bytes: &[u8]) -> Result<()> {
        self.make(|out| {
            let written = out.write_all(bytes);
            written.map_err(|error| Error::io("write", &self.path, error))
        })
    }

    /// Removes the file that is there, durably; one that is not there is success.
    pub(super) fn remove(&self) -> Result<()> {
        let disk = RealDisk::open(&self.folder)?;
        match disk.unlink(Path::new(&self.name)) {
            Err(error) if error.kind() == ErrorKind::Missing => Ok(()),
            Err(error) => Err(error),
            Ok(()) => disk.sync_dir(names::root()),
        }
    }

    /// As [`OutputFile::make`], but makes no file where `write` says that it is not to be.
    pub(super) fn make_if<T>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<(T, bool)>,
    ) -> Result<T> {
        let disk = RealDisk::open(&self.folder).map_err(|error| {
            let what = "its folder cannot be used";
            Error::new(ErrorKind::Io, what)
                .in_file(&self.path)
                .with_source(error)
        })?;
        self.remove_dead_drafts();
        // A file of a store that is missing is damage; here only the user's own folder can be.
        let placed = |error: Error| match error.kind() {
            ErrorKind::Missing => Error::new(ErrorKind::Io, "its folder went away")
                .in_file(&self.path)
                .with_source(error),
            _ => error,
        };
        let mut draft = Draft::begin_beside(&disk, Path::new(&self.name)).map_err(placed)?;
        let (written, whole) = write(&mut draft)?;
        if whole && self.replace {
            self.refuse_taken()?;
            draft.publish().map_err(placed)?;
        } else if whole {
            draft.publish_new().map_err(placed)?;
        }
        Ok(written)
    }

    /// Removes what processes that ended in the middle of making this very file left: drafts that
    /// nobody holds. One that was made a moment ago may not be held yet.
    fn remove_dead_drafts(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let of_this = |name| names::is_draft_beside(Path::new(&self.name), name);
            if name.to_str().is_some_and(of_this) && is_dead(&entry.path()) {
                drop(fs::remove_file(entry.path()));
            }
        }
    }

    fn place(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    fn refuse_taken(&self) -> Result<()> {
        let Ok(metadata) = self.place().symlink_metadata() else {
            return Ok(());
        };
        let what = if !metadata.is_file() {
            "there is something that is no plain file, which is not replaced"
        } else if self.replace {
            return Ok(());
        } else {
            "the file exists"
        };
        Err(Error::new(ErrorKind::Exists, what).in_file(&self.path))
    }
}

/// Whether a folder is a store's, also where damage or a crash took one of the names that say so.
fn is_store(folder: &Path) -> bool {
    let marks = [
        names::current(),
        names::lock(),
        names::wal_dir(),
        names::segment_dir(),
    ];
    let there = |mark: &&Path| folder.join(mark).symlink_metadata().is_ok();
    marks.iter().filter(|mark| there(mark)).count() > 1
}

fn is_dead(draft: &Path) -> bool {
    let looked = || -> io::Result<bool> {
        if !draft.symlink_metadata()?.is_file() {
            return Ok(false);
        }
        let file = fs::File::open(draft)?;
        let idle = file.metadata()?.modified()?.elapsed().unwrap_or_default();
        Ok(idle >= DRAFT_IDLE && file.try_lock().is_ok())
    };
    looked().unwrap_or(false)
}
