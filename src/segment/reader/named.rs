//! Values of dictionaries one by one, for terms that name them.

use super::Reader;
use crate::error::Result;
use crate::segment::rows::Growing;
use crate::segment::rows::Stop;

/// Reads values and keeps the memory for the next one.
pub(in crate::segment) struct ValueReader<'r> {
    reader: &'r Reader,
    row: Growing,
}

impl<'r> ValueReader<'r> {
    pub(in crate::segment) fn new(reader: &'r Reader) -> ValueReader<'r> {
        ValueReader {
            reader,
            row: Growing::default(),
        }
    }

    /// The value of a column that has this number; `None` if none has.
    pub(in crate::segment) fn read(&mut self, column: u32, number: u32) -> Result<Option<&[u8]>> {
        self.row.content.clear();
        let read = self
            .reader
            .row_reader()
            .value(column, number, &mut self.row);
        match read {
            Ok(()) => Ok(Some(self.row.content.as_slice())),
            Err(Stop::NoRow) => Ok(None),
            Err(Stop::Failed(error)) => Err(error),
        }
    }
}
