//! An export as a file: under a passing name beside its target until it is whole and durable, then
//! renamed. A crash leaves no file, or all of it; an existing one is never half replaced.

use std::ops::ControlFlow;
use std::path::Path;

use super::Export;
use super::ExportReport;
use crate::disk::durable::Draft;
use crate::disk::real::RealDisk;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::query::Query;
use crate::snapshot::Snapshot;

impl Export {
    /// Makes the file at `path`. One that exists is refused, or replaced with `force`.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`], and as [`Export::run`]; then no file was made or changed.
    pub fn to_file(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        path: &Path,
        force: bool,
    ) -> Result<ExportReport> {
        let mut watch = |_| ControlFlow::Continue(());
        self.to_file_watched(snapshot, query, path, force, &mut watch)
    }

    /// As [`Export::to_file`], watched as [`Export::run_watched`] is; an export that the watcher
    /// ends makes no file.
    ///
    /// # Errors
    /// As [`Export::to_file`].
    pub fn to_file_watched(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        path: &Path,
        force: bool,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ExportReport> {
        self.validate()?;
        let name = path.file_name().ok_or_else(|| {
            Error::new(
                ErrorKind::Io,
                "an export needs a file's name, not a folder's",
            )
            .in_file(path)
        })?;
        refuse_taken(path, force)?;
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let disk = RealDisk::open(folder).map_err(|error| {
            let what = "the export's folder cannot be used";
            Error::new(ErrorKind::Io, what)
                .in_file(folder)
                .with_source(error)
        })?;
        let mut draft = Draft::begin_beside(&disk, Path::new(name))?;
        let report = self.run_watched(snapshot, query, &mut draft, watch)?;
        if report.interrupted {
            return Ok(report);
        }
        if force {
            draft.publish()?;
        } else {
            draft.publish_new()?;
        }
        Ok(report)
    }
}

/// Finds out before the work is done; the renaming decides again when it is.
fn refuse_taken(path: &Path, force: bool) -> Result<()> {
    let Ok(metadata) = path.symlink_metadata() else {
        return Ok(());
    };
    let what = if !force {
        "the target exists; it is replaced only if told so"
    } else if metadata.is_file() {
        return Ok(());
    } else {
        "the target is no plain file and is not replaced"
    };
    Err(Error::new(ErrorKind::Exists, what).in_file(path))
}
