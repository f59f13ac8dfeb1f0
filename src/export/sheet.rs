//! Exports for Excel: what its sheets have no room for is refused, because it would leave it away
//! without a word. What it would show as something else is guarded by the layout.

use super::Export;
use super::Format;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::EventId;
use crate::layout::CsvSafety;

/// The byte order mark by which Excel sees that a file is UTF-8.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// Rows below the headings of a sheet.
const ROWS: u64 = (1 << 20) - 1;

/// UTF-16 units of a cell.
const CELL_UNITS: usize = 32_767;

impl Export {
    /// Rows that fit into what the export is for.
    pub(super) fn rows_max(&self) -> u64 {
        let limit = self.limit.unwrap_or(u64::MAX);
        match self.csv_safety {
            CsvSafety::Excel => limit.min(ROWS),
            CsvSafety::Guard | CsvSafety::Raw => limit,
        }
    }

    /// Checks that the settings fit a sheet, where it is for one.
    pub(super) fn validate_sheet(&self) -> Result<()> {
        if self.csv_safety != CsvSafety::Excel {
            return Ok(());
        }
        if self.format != Format::Csv {
            let format = self.format.as_str();
            return refuse(format!("excel: it opens csv, and no {format}"));
        }
        if self.limit.is_some_and(|limit| limit > ROWS) {
            return refuse(no_room());
        }
        Ok(())
    }

    /// Refuses what is made in pieces, of which only the first has the headings of a sheet.
    pub(super) fn refuse_pieces(&self) -> Result<()> {
        match self.csv_safety {
            CsvSafety::Excel => refuse(
                "excel: of several pieces only the first would be a sheet with headings; take parts \
                 by limit and cursor"
                    .to_owned(),
            ),
            CsvSafety::Guard | CsvSafety::Raw => Ok(()),
        }
    }

    /// Refuses an export that ended at the end of a sheet, if nobody asked for an end.
    pub(super) fn refuse_overflow(&self, more: bool, rows: u64) -> Result<()> {
        let full = self.csv_safety == CsvSafety::Excel && more && rows == ROWS;
        match full && self.limit.is_none() {
            true => refuse(no_room()),
            false => Ok(()),
        }
    }

    /// Refuses a record with a cell that Excel would cut.
    pub(super) fn check_cells(&self, id: EventId, record: &[u8]) -> Result<()> {
        if self.csv_safety != CsvSafety::Excel || record.len() <= CELL_UNITS {
            return Ok(());
        }
        let Some(cells) = first_record(record) else {
            return Ok(());
        };
        let units = |cell: &str| cell.encode_utf16().count();
        let Some(place) = cells.iter().position(|cell| units(cell) > CELL_UNITS) else {
            return Ok(());
        };
        let mut head = Vec::new();
        self.layout.csv_header(&self.audience, &mut head);
        let head = first_record(&head).unwrap_or_default();
        let (column, cell) = (head.get(place), cells.get(place));
        refuse(format!(
            "excel: {} of {id} has {} characters, and Excel leaves away what is behind {CELL_UNITS}; \
             export without it, or without this event",
            column.unwrap_or("a cell"),
            cell.map_or(0, units),
        ))
    }
}

fn first_record(bytes: &[u8]) -> Option<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.has_headers(false).from_reader(bytes);
    reader.records().next()?.ok()
}

fn no_room() -> String {
    format!(
        "excel: a sheet has room for {ROWS} events below its headings; take more in parts, by limit \
         and cursor"
    )
}

fn refuse<T>(what: String) -> Result<T> {
    Err(Error::new(ErrorKind::OutOfRange, what))
}
