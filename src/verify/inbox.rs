//! Checks the records that wait in the inbox: every byte of each, and that it is for this store. One that
//! the writer cannot take over is damage: it was to tell of an export.

use std::path::PathBuf;

use super::report::Report;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::error::ErrorKind;
use crate::id::StoreId;
use crate::inbox;

/// The files that are records by their place and name.
pub(super) fn listed(disk: &dyn ReadDisk) -> Vec<PathBuf> {
    let names = inbox::list(disk).unwrap_or_default();
    names.iter().map(|name| names::inbox(name)).collect()
}

/// Checks every record, and counts those that are whole. A writer beside may take any at any moment.
/// Whose they are is not known where the store's own name is not.
pub(super) fn check(disk: &dyn ReadDisk, store: Option<StoreId>, report: &mut Report<'_>) -> u64 {
    let names = match inbox::list(disk) {
        Ok(names) => names,
        Err(error) => {
            report.error(&error);
            return 0;
        }
    };
    let Some(store) = store else {
        return names.len() as u64;
    };
    let mut whole = 0;
    for name in names {
        let len = disk.len(&names::inbox(&name)).ok().flatten();
        match inbox::read(disk, &name, store) {
            Ok(_) => whole += 1,
            Err(error) if error.kind() == ErrorKind::Missing => {}
            Err(error) => report.error(&error),
        }
        report.read(len.unwrap_or(0));
    }
    whole
}
