//! Files that no record of the store names any more, and their removal. None of it is needed for
//! the store to be right: what cannot be removed now is removed at the next open. What may be the
//! only copy of an event is never removed.

use std::path::Path;
use std::path::PathBuf;

use crate::disk::Disk;
use crate::disk::blob::Blob;
use crate::disk::durable;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::WalId;
use crate::manifest::State;
use crate::options::ReadMode;
use crate::planted::Bug;
use crate::planted::planted;
use crate::segment::reader::Reader;

/// What a segment file is that the manifest does not name.
enum Orphan {
    /// Of a seal or merge that was interrupted, or replaced by a merge: its rows are elsewhere.
    Superfluous,
    /// Of this store, with an event that the store does not have and a number that no record of it
    /// ever knew.
    Newer(Sequence),
    /// Not to be read, or of another store.
    Strange,
}

/// Refuses a store whose records were put back to an older state: a segment that they do not name
/// holds an event with a `seq` of `events` or more. Changes nothing.
///
/// A bulk load that was interrupted leaves such a segment too. It has its number recorded as used
/// before the file stands in its place, so records that know the number, and do not name it, say that
/// the load never came to its end.
pub(super) fn check_orphans(disk: &dyn Disk, state: &State, events: u64) -> Result<()> {
    for (path, id) in orphans(disk, state)? {
        if let Orphan::Newer(seq) = judge(disk, state, &path, id, events)? {
            let what = format!(
                "the segment holds event {seq}, of which the store's records know nothing: they \
                 were put back to an older state. Put the newer ones back, or salvage the events; \
                 the option recover_copy puts the file aside and goes on without them"
            );
            return Err(Error::new(ErrorKind::Corrupt, what).in_file(&disk.place(&path)));
        }
    }
    Ok(())
}

/// Removes segment files that the manifest does not name: of seals and merges that were
/// interrupted, and of segments whose last reader went with the process. Such a file whose events
/// are not all in the store is put aside instead. Folders that are empty then go too.
pub(super) fn remove_orphans(disk: &dyn Disk, state: &State, events: u64) -> Result<()> {
    for (path, id) in orphans(disk, state)? {
        match judge(disk, state, &path, id, events)? {
            Orphan::Superfluous => disk.unlink(&path)?,
            Orphan::Newer(_) | Orphan::Strange => put_aside(disk, &path, id)?,
        }
    }
    remove_empty_folders(disk)
}

fn orphans(disk: &dyn Disk, state: &State) -> Result<Vec<(PathBuf, SegmentId)>> {
    let mut found = Vec::new();
    let folders = disk.list(names::segment_dir())?;
    for folder in folders.iter().filter(|entry| entry.is_dir) {
        let here = names::folder(&folder.name);
        let folder = names::segment_dir().join(&folder.name);
        for entry in disk.list(&folder)? {
            let Some(id) = names::segment_id(&entry.name).filter(|_| !entry.is_dir) else {
                continue;
            };
            let known = state.segments.get(&id);
            if known.is_none_or(|known| Some(known.folder) != here) {
                found.push((folder.join(&entry.name), id));
            }
        }
    }
    Ok(found)
}

fn judge(
    disk: &dyn Disk,
    state: &State,
    path: &Path,
    id: SegmentId,
    events: u64,
) -> Result<Orphan> {
    let len = disk.len(path)?.unwrap_or(0);
    let blob = Blob::open(disk, path, len, ReadMode::Positional);
    let reader = match blob.and_then(Reader::open_any) {
        Ok(reader) => reader,
        Err(error) if error.is_corrupt() || error.kind() == ErrorKind::Unsupported => {
            return Ok(Orphan::Strange);
        }
        Err(error) => return Err(error),
    };
    if reader.store() != state.store || reader.segment() != id {
        return Ok(Orphan::Strange);
    }
    if id < state.next_segment || planted(Bug::OrphanRemoved) {
        return Ok(Orphan::Superfluous);
    }
    match newest(&reader, Sequence(events)) {
        Ok(Some(seq)) => Ok(Orphan::Newer(seq)),
        Ok(None) => Ok(Orphan::Superfluous),
        Err(error) if error.is_corrupt() => Ok(Orphan::Strange),
        Err(error) => Err(error),
    }
}

/// The highest seq in a segment, if any is as high as `from`.
fn newest(reader: &Reader, from: Sequence) -> Result<Option<Sequence>> {
    let mut newest = None;
    let mut rows = reader.by_seq(from, Sequence(u64::MAX));
    while let Some((seq, _)) = rows.next()? {
        newest = newest.max(Some(Sequence(seq)));
    }
    Ok(newest)
}

/// Moves a segment to `quarantine/`, under the first name that is free there.
fn put_aside(disk: &dyn Disk, path: &Path, id: SegmentId) -> Result<()> {
    durable::create_dir(disk, names::quarantine_dir())?;
    for copy in 0.. {
        match disk.rename_new(path, &names::strange_segment(id, copy)) {
            Err(error) if error.kind() == ErrorKind::Exists => {}
            moved => {
                moved?;
                break;
            }
        }
    }
    disk.sync_dir(names::quarantine_dir())
}

/// Removes those folders of partitions that hold nothing any more.
pub(super) fn remove_empty_folders(disk: &dyn Disk) -> Result<()> {
    for entry in disk.list(names::segment_dir())? {
        if entry.is_dir {
            disk.remove_dir(&names::segment_dir().join(&entry.name))?;
        }
    }
    Ok(())
}

/// Removes the logs whose rows are all elsewhere.
pub(super) fn remove_logs_before(disk: &dyn Disk, first_needed: WalId) -> Result<()> {
    for entry in disk.list(names::wal_dir())? {
        if names::wal_id(&entry.name).is_some_and(|id| id < first_needed) {
            disk.unlink(&names::wal_dir().join(&entry.name))?;
        }
    }
    Ok(())
}
