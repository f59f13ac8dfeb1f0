//! An export as a file: under a passing name beside its target until it is whole and durable, then
//! renamed. A crash leaves no file, or all of it; an existing one is never half replaced.

use std::ops::ControlFlow;
use std::path::Path;

use super::Export;
use super::ExportReport;
use super::OutputFile;
use crate::error::Result;
use crate::query::Query;
use crate::snapshot::Snapshot;

impl Export {
    /// Makes the file at `path`. One that exists is refused, or replaced with `force`.
    ///
    /// # Errors
    /// As [`OutputFile::claim`] and [`Export::run`]; then no file was made or changed.
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
        OutputFile::claim(path, force)?.make_if(|out| {
            let report = self.run_watched(snapshot, query, out, watch)?;
            let whole = !report.interrupted;
            Ok((report, whole))
        })
    }
}
