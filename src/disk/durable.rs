//! The recipes by which a file appears under its name whole or not at all, also over a power
//! failure: write under another name, sync the bytes, rename, sync the folder. The manifest, the
//! logs, the segments and the exports are all made this way. An error from a recipe's last step
//! leaves the name unknown: the caller gives up writing and reopens.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::disk::Disk;
use crate::disk::File;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::planted::Bug;
use crate::planted::unless;

/// A file being written from its beginning to its end under a passing name. Dropped before
/// [`Draft::publish`], it is removed again.
pub(crate) struct Draft<'disk> {
    disk: &'disk dyn Disk,
    file: Box<dyn File>,
    path: PathBuf,
    target: PathBuf,
    buffer: Vec<u8>,
    written: u64,
    is_published: bool,
}

const BUFFER_BYTES: usize = 256 << 10;

impl<'disk> Draft<'disk> {
    /// Begins the file that becomes `target`, in the writer's `tmp/`.
    pub(crate) fn begin(disk: &'disk dyn Disk, target: &Path) -> Result<Draft<'disk>> {
        Draft::begin_as(disk, names::draft(target), target)
    }

    /// Begins the file that becomes `target`, in the folder that `target` is in.
    pub(crate) fn begin_beside(disk: &'disk dyn Disk, target: &Path) -> Result<Draft<'disk>> {
        // Others may be making the same file right now: their drafts are left alone, or one of two
        // would publish what the other has only begun.
        let mut number = u64::from(std::process::id());
        loop {
            let path = names::draft_beside(target, number);
            match disk.create_new(&path) {
                Err(error) if error.kind() == ErrorKind::Exists => {}
                file => {
                    let file = file?;
                    // By this lock it is told from a dead one's; somebody may have taken it for one
                    // before. Where there are no locks, nobody else gets one, and dead drafts stay.
                    if file.claim().unwrap_or(true) && file.is_in_place()? {
                        return Ok(Draft::new(disk, file, path, target));
                    }
                }
            }
            number += 1;
        }
    }

    /// The writer makes one file of a name at a time, so an older draft of it is a dead one's.
    fn begin_as(disk: &'disk dyn Disk, path: PathBuf, target: &Path) -> Result<Draft<'disk>> {
        missing_is_fine(disk.unlink(&path))?;
        let file = disk.create_new(&path)?;
        Ok(Draft::new(disk, file, path, target))
    }

    fn new(
        disk: &'disk dyn Disk,
        file: Box<dyn File>,
        path: PathBuf,
        target: &Path,
    ) -> Draft<'disk> {
        Draft {
            disk,
            file,
            path,
            target: target.to_owned(),
            buffer: Vec::new(),
            written: 0,
            is_published: false,
        }
    }

    /// Where it is until it is published.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `bytes`.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.write_out()?;
        }
        if bytes.len() >= BUFFER_BYTES {
            self.file.write_at(self.written, bytes)?;
            self.written += bytes.len() as u64;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        Ok(())
    }

    /// Goes on `len` bytes further, which read as zeros and take no room. Bytes must follow.
    pub(crate) fn skip(&mut self, len: u64) -> Result<()> {
        self.write_out()?;
        self.written += len;
        Ok(())
    }

    /// Puts the file in its place, in the place of any older file of that name.
    pub(crate) fn publish(mut self) -> Result<()> {
        self.sync()?;
        self.disk.rename(&self.path, &self.target)?;
        self.is_published = true;
        sync_parent(self.disk, &self.target)
    }

    /// Puts the file in its place unless a file of that name is there already.
    pub(crate) fn publish_new(mut self) -> Result<()> {
        self.sync()?;
        place_new(self.disk, &self.path, &self.target)?;
        self.is_published = true;
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        self.write_out()?;
        unless(Bug::RenameBeforeData, || self.file.sync_data())
    }

    fn write_out(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.file.write_at(self.written, &self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

impl io::Write for Draft<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Draft::write(self, bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out().map_err(io::Error::other)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // This only saves space early: what stays behind in `tmp/` is removed when the store is
        // opened next, and what stays beside a target by whoever makes that target next.
        if !self.is_published {
            drop(self.disk.unlink(&self.path));
        }
    }
}

/// Makes `target` a file of exactly these bytes, in place of any older one.
pub(crate) fn replace(disk: &dyn Disk, target: &Path, bytes: &[u8]) -> Result<()> {
    let mut draft = Draft::begin(disk, target)?;
    draft.write(bytes)?;
    draft.publish()
}

/// Makes a file that begins with `bytes` and opens it for more. A crash leaves all of `bytes` or
/// no file of that name.
pub(crate) fn create(disk: &dyn Disk, target: &Path, bytes: &[u8]) -> Result<Box<dyn File>> {
    let mut draft = Draft::begin(disk, target)?;
    draft.write(bytes)?;
    draft.publish_new()?;
    disk.open_write(target)
}

/// Gives a file whose bytes are durable a name that is free, durably.
pub(crate) fn place_new(disk: &dyn Disk, from: &Path, target: &Path) -> Result<()> {
    disk.rename_new(from, target)?;
    sync_parent(disk, target)
}

/// Makes a folder, durably. It syncs the parent also when the folder is there: the process that
/// made it may have ended before its own sync.
pub(crate) fn create_dir(disk: &dyn Disk, path: &Path) -> Result<()> {
    disk.create_dir(path)?;
    sync_parent(disk, path).inspect_err(|_| {
        // Another sync would be told that there is nothing to do, although this one failed: the next
        // attempt makes the folder anew. If it holds something it was durable before.
        drop(disk.remove_dir(path));
    })
}

/// Removes the drafts in `tmp/` that a writer before left behind, and nothing of another name. Not
/// durable: what comes back after a crash is removed again.
pub(crate) fn remove_drafts(disk: &dyn Disk) -> Result<()> {
    for entry in disk.list(names::draft_dir())? {
        if !entry.is_dir && names::is_draft(&entry.name) {
            missing_is_fine(disk.unlink(&names::draft_dir().join(entry.name)))?;
        }
    }
    Ok(())
}

/// Removes the drafts beside their targets in a folder whose processes ended: those that nobody has
/// locked. Not durable. What cannot be removed, such as a folder under a draft's name, is in nobody's
/// way, and stays.
pub(crate) fn remove_dead_drafts(
    disk: &dyn Disk,
    folder: &Path,
    is_draft: impl Fn(&str) -> bool,
) -> Result<()> {
    let entries = match disk.list(folder) {
        Err(error) if error.kind() == ErrorKind::Missing => return Ok(()),
        entries => entries?,
    };
    for entry in entries.iter().filter(|entry| is_draft(&entry.name)) {
        drop(remove_dead_draft(disk, &folder.join(&entry.name)));
    }
    Ok(())
}

fn remove_dead_draft(disk: &dyn Disk, draft: &Path) -> Result<()> {
    match disk.lock(draft)? {
        // What was published since it was found is in its place no more.
        Some(held) if held.is_in_place()? => missing_is_fine(disk.unlink(draft)),
        _ => Ok(()),
    }
}

/// Reads a file that may have up to `len_max` bytes; a longer one is damage.
pub(crate) fn read(disk: &dyn ReadDisk, path: &Path, len_max: usize) -> Result<Vec<u8>> {
    let file = disk.open_read(path)?;
    let len = file.len()?;
    let fits = usize::try_from(len).ok().filter(|len| *len <= len_max);
    let Some(fits) = fits else {
        let what = format!("the file is {len} bytes long, more than the {len_max} it may have");
        return Err(Error::corrupt(file.path(), len_max as u64, what));
    };
    let mut bytes = vec![0; fits];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}

fn sync_parent(disk: &dyn Disk, path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(names::root());
    unless(Bug::SkipDirectorySync, || disk.sync_dir(folder))
}

fn missing_is_fine(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::Missing => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
