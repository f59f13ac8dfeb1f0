//! From a folder without `CURRENT` to a new store. A folder may become a store only if nothing is in
//! it but what an unfinished creation leaves: that is a log without a group, a manifest without a
//! segment, drafts. Creating removes nothing; it takes the next free numbers.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::Writer;
use super::open::Recovery;
use super::replay::Replayed;
use crate::disk::Disk;
use crate::disk::Entry;
use crate::disk::lock;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Sequence;
use crate::id::WalId;
use crate::manifest;
use crate::manifest::Ends;
use crate::manifest::Manifest;
use crate::options::Options;
use crate::planted::Bug;
use crate::planted::planted;
use crate::time::Clock;
use crate::time::Time;
use crate::wal;

pub(super) fn not_a_store(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::NotAStore, format!("not a store: {why}")).in_file(path)
}

/// Refuses a folder that must not become a store: one that was a store and lost its `CURRENT`, one
/// that holds anything else, and every one if nothing is to be created. Changes nothing.
pub(super) fn check(disk: &dyn Disk, path: &Path, create: bool) -> Result<()> {
    if let Some(found) = remains(disk)?.filter(|_| !planted(Bug::CreateOverRemains)) {
        let what = format!(
            "the file is not there, though {} says that the folder was a store: put it back from \
             a copy, or salvage the events and import them into a new store",
            found.display()
        );
        return Err(Error::new(ErrorKind::Missing, what).in_file(&disk.place(names::current())));
    }
    if !create {
        return Err(not_a_store(path, "it has no file CURRENT"));
    }
    match foreign(disk)? {
        Some(found) => {
            let why = format!("the folder holds other things, such as {found:?}");
            Err(not_a_store(path, &why))
        }
        None => Ok(()),
    }
}

/// Makes the first log and then the first manifest, whose `CURRENT` is what makes it a store.
pub(super) fn create(
    disk: &Arc<dyn Disk>,
    clock: &dyn Clock,
    options: &Options,
) -> Result<(Manifest, Writer, Recovery)> {
    let logs = disk.list(names::wal_dir())?;
    let used = logs.iter().filter_map(|entry| names::wal_id(&entry.name));
    let wal_id = WalId(used.map(|id| id.0).max().unwrap_or(0).saturating_add(1));
    let store = disk.store_id();
    let wal = wal::Writer::create(&**disk, wal_id, store, Sequence(0), 0)?;
    let ends = Ends {
        wal: wal_id,
        wal_end: wal.end(),
        events: 0,
    };
    let now = clock.now();
    let manifest = Manifest::create(Arc::clone(disk), store, now, options.partition, ends)?;
    let writer = Writer::new(wal, wal_id, Replayed::new(Sequence(0), Time::MIN), 0);
    let recovery = Recovery {
        created: true,
        ..Recovery::default()
    };
    Ok((manifest, writer, recovery))
}

/// A file that only a store which existed can have: a segment, a log with a group, a manifest that
/// names a segment or a log that is gone. One that cannot be read may be such a file.
fn remains(disk: &dyn Disk) -> Result<Option<PathBuf>> {
    for folder in folder(disk, names::segment_dir())? {
        let path = names::segment_dir().join(&folder.name);
        let inside = if folder.is_dir {
            disk.list(&path)?
        } else {
            Vec::new()
        };
        let mut names = inside.iter().map(|entry| &entry.name);
        if let Some(name) = names.find(|name| names::segment_id(name).is_some()) {
            return Ok(Some(path.join(name)));
        }
    }
    let mut logs = Vec::new();
    for entry in folder(disk, names::wal_dir())? {
        let Some(id) = names::wal_id(&entry.name) else {
            continue;
        };
        if !blank(wal::is_blank(disk, id))? {
            return Ok(Some(names::wal(id)));
        }
        logs.push(id);
    }
    for entry in disk.list(names::root())? {
        let Some(id) = names::manifest_id(&entry.name) else {
            continue;
        };
        if !blank(manifest::is_blank(disk, id, &logs))? {
            return Ok(Some(names::manifest(id)));
        }
    }
    Ok(None)
}

fn blank(found: Result<bool>) -> Result<bool> {
    match found {
        Err(error) if error.is_corrupt() || error.kind() == ErrorKind::Unsupported => Ok(false),
        found => found,
    }
}

/// Something that no creation of a store leaves behind.
fn foreign(disk: &dyn Disk) -> Result<Option<PathBuf>> {
    for entry in disk.list(names::root())? {
        let ours = match entry.name.as_str() {
            "wal" | "seg" | "tmp" => entry.is_dir,
            "LOCK" => !entry.is_dir && lock::is_ours(disk)?,
            name => !entry.is_dir && names::manifest_id(name).is_some(),
        };
        if !ours {
            return Ok(Some(PathBuf::from(entry.name)));
        }
    }
    let is_log = |name: &str| names::wal_id(name).is_some();
    for (path, is_ours) in [
        (names::draft_dir(), names::is_draft as fn(&str) -> bool),
        (names::wal_dir(), is_log),
    ] {
        let entries = folder(disk, path)?;
        let mut others = entries
            .iter()
            .filter(|entry| entry.is_dir || !is_ours(&entry.name));
        if let Some(other) = others.next() {
            return Ok(Some(path.join(&other.name)));
        }
    }
    for entry in folder(disk, names::segment_dir())? {
        let path = names::segment_dir().join(&entry.name);
        if !entry.is_dir {
            return Ok(Some(path));
        }
        if let Some(inside) = disk.list(&path)?.first() {
            return Ok(Some(path.join(&inside.name)));
        }
    }
    Ok(None)
}

/// What is in one of the store's folders; nothing if there is no such folder.
fn folder(disk: &dyn Disk, path: &Path) -> Result<Vec<Entry>> {
    let root = disk.list(names::root())?;
    let is_there = |entry: &Entry| entry.is_dir && Path::new(&entry.name) == path;
    match root.iter().any(is_there) {
        true => disk.list(path),
        false => Ok(Vec::new()),
    }
}
