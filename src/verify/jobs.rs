//! Checks the records of export jobs, and the files of those that are done: length and digest are what
//! the record says. A job that somebody works on changes meanwhile; its file is not looked at.

use std::path::PathBuf;

use sha2::Digest;
use sha2::Sha256;

use super::report::Report;
use crate::codec::digits::hex;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::ExportId;
use crate::jobs;
use crate::jobs::State;

/// Bytes that are read at once.
const READ_BYTES: u64 = 1 << 20;

/// The files that are checked: every record, and the file of each job that is done.
pub(super) fn listed(disk: &dyn ReadDisk) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for id in jobs::list(disk).unwrap_or_default() {
        found.push(names::job(id));
        let record = jobs::read(disk, id).ok();
        let ready = record.filter(|record| record.state == State::Ready);
        found.extend(ready.map(|record| names::export(id, &record.ending())));
    }
    found
}

/// Checks every job of a store.
pub(super) fn check(disk: &dyn ReadDisk, report: &mut Report<'_>) {
    match jobs::list(disk) {
        Err(error) => report.error(&error),
        Ok(ids) => {
            for id in ids {
                match check_job(disk, id) {
                    // It was purged a moment ago.
                    Err(error) if error.kind() == ErrorKind::Missing && is_over(disk, id) => {}
                    Err(error) => report.error(&error),
                    Ok(()) => {}
                }
            }
        }
    }
}

fn check_job(disk: &dyn ReadDisk, id: ExportId) -> Result<()> {
    let record = jobs::read(disk, id)?;
    if record.state != State::Ready {
        return Ok(());
    }
    let (path, (bytes, sha256)) = (names::export(id, &record.ending()), record.made());
    let file = disk.open_read(&path)?;
    let len = file.len()?;
    if len != bytes {
        let what = format!("the export has {len} bytes, its job made {bytes}");
        return Err(Error::corrupt(file.path(), len.min(bytes), what));
    }
    let (mut hash, mut read, mut buffer) = (Sha256::new(), 0, Vec::new());
    while read < len {
        let next = READ_BYTES.min(len - read);
        buffer.resize(usize::try_from(next).unwrap_or(0), 0);
        file.read_at(read, &mut buffer)?;
        hash.update(&buffer);
        read += next;
    }
    if hex(&hash.finalize()) != sha256 {
        let what = "the export is not what its job made: another SHA-256";
        return Err(Error::corrupt(file.path(), 0, what));
    }
    Ok(())
}

fn is_over(disk: &dyn ReadDisk, id: ExportId) -> bool {
    let record = jobs::read(disk, id);
    record.is_ok_and(|record| record.state == State::Expired)
}
