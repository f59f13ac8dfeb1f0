//! Files that no record of the store names any more, and their removal. None of it is needed for
//! the store to be right: what cannot be removed now is removed at the next open.

use crate::disk::Disk;
use crate::disk::names;
use crate::error::Result;
use crate::id::WalId;
use crate::manifest::State;

/// Removes segment files that the manifest does not name: of seals and merges that were
/// interrupted, and of segments whose last reader went with the process.
pub(super) fn remove_orphans(disk: &dyn Disk, state: &State) -> Result<()> {
    for folder in disk
        .list(names::segment_dir())?
        .iter()
        .filter(|entry| entry.is_dir)
    {
        let folder = names::segment_dir().join(&folder.name);
        for entry in disk.list(&folder)? {
            let path = folder.join(&entry.name);
            let Some(id) = names::segment_id(&entry.name) else {
                continue;
            };
            if state
                .segments
                .get(&id)
                .is_none_or(|known| known.path() != path)
            {
                disk.unlink(&path)?;
            }
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
