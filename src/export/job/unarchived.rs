//! In the place of `archive`, in a library without the feature `zip`.

use super::part::GoesOn;
use super::part::Part;
use super::run::Work;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::export::Export;
use crate::jobs::ArchiveRecord;

/// No archive can be made.
pub(super) fn validate(_: &Export, _: Option<u64>) -> Result<()> {
    Err(refused())
}

/// As [`validate`]: the job was started by another library.
pub(super) fn make(_: &Work<'_>, _: &Part, _: GoesOn<'_>) -> Result<ArchiveRecord> {
    Err(refused())
}

fn refused() -> Error {
    let what = "zip: this library was built without the feature `zip`";
    Error::new(ErrorKind::Unsupported, what)
}
