//! Checks the saved queries: every byte of each. No event depends on them.

use std::path::PathBuf;

use super::plan::files;
use super::report::Report;
use crate::disk::ReadDisk;
use crate::disk::durable;
use crate::disk::names;
use crate::error::ErrorKind;
use crate::saved;

/// The files that are saved queries by their place and name, with their lengths.
pub(super) fn listed(disk: &dyn ReadDisk) -> Vec<(PathBuf, u64)> {
    let mut found = files(disk, names::queries_dir());
    found.retain(|(path, _)| {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.and_then(names::saved_query_name);
        name.is_some_and(|name| names::saved_query(name) == *path)
    });
    found
}

/// Checks every saved query of a store. Anybody may take one away at any moment.
pub(super) fn check(disk: &dyn ReadDisk, report: &mut Report<'_>) {
    for (path, len) in listed(disk) {
        let read = durable::read(disk, &path, saved::FILE_BYTES_MAX);
        match read.and_then(|bytes| saved::decode(&bytes, &disk.place(&path))) {
            Err(error) if error.kind() == ErrorKind::Missing => {}
            Err(error) => report.error(&error),
            Ok(_) => {}
        }
        report.read(len);
    }
}
