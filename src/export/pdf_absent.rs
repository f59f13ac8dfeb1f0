//! In place of exports as PDF where the feature `pdf` is not there: an error that names it.

use core::ops::ControlFlow;
use std::io::Write;

use super::Export;
use super::ExportReport;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::query::Query;
use crate::snapshot::Snapshot;

/// Refuses the format.
pub(super) fn check(_: &Export) -> Result<()> {
    Err(Error::new(
        ErrorKind::OutOfRange,
        "format pdf: this build cannot make it; build with the feature: cargo build --release \
         --features pdf",
    ))
}

/// Never comes to anything: settings are checked first.
pub(super) fn run(
    export: &Export,
    _: &Snapshot,
    _: &Query,
    _: impl Write,
    _: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<ExportReport> {
    check(export).and_then(|()| {
        Err(Error::new(
            ErrorKind::OutOfRange,
            "format pdf: this build cannot make it",
        ))
    })
}
