//! Whether the work on a job goes on: whoever runs it may stop, and anybody may cancel it. Both are
//! asked wherever much is done at once, reading and packing included.

use std::ops::ControlFlow;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::ExportId;
use crate::jobs::Folder;

/// Why the work ended without an error.
#[derive(Clone, Copy)]
pub(super) enum Ended {
    Whole,
    Interrupted,
    Cancelled,
}

/// What is asked whether to go on.
pub(super) struct Watch<'w> {
    folder: Folder<'w>,
    id: ExportId,
    /// Is told the number of rows.
    goes_on: &'w mut dyn FnMut(u64) -> ControlFlow<()>,
    ended: Option<Ended>,
}

impl<'w> Watch<'w> {
    pub(super) fn of(
        folder: Folder<'w>,
        id: ExportId,
        goes_on: &'w mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Watch<'w> {
        Watch {
            folder,
            id,
            goes_on,
            ended: None,
        }
    }

    /// Asks whether to go on, with so many rows done; an error where not, with which the work is left
    /// for [`Watch::end_of`].
    pub(super) fn ask(&mut self, rows: u64) -> Result<()> {
        self.ended = match self.folder.is_asked_to_cancel(self.id)? {
            true => Some(Ended::Cancelled),
            false if (self.goes_on)(rows).is_break() => Some(Ended::Interrupted),
            false => return Ok(()),
        };
        let what = format!("the work on job {} was ended", self.id);
        Err(Error::new(ErrorKind::Closed, what))
    }

    /// How work ended that came to this.
    pub(super) fn end_of(self, work: Result<()>) -> Result<Ended> {
        match self.ended {
            Some(ended) => Ok(ended),
            None => work.map(|()| Ended::Whole),
        }
    }
}
