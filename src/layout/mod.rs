//! How a stored event looks outside the store: which columns and keys it gets, in which order, and
//! how a CSV cell is written. Pure: events or rows in, bytes out; every file, page and table that
//! shows events in columns comes through here. Rows and their events give the same bytes.

mod cells;
mod column;
mod csv;
mod entries;
mod stored;

use crate::codec::buffer::Buffer;
use crate::codec::content::Parts;
use crate::codec::row::Row;
use crate::event::StoredEvent;

use self::column::Column;

pub use self::csv::CsvSafety;

/// Which columns and keys an event is shown with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// The store's own: the canonical line, and one CSV column for each of its fields.
    #[default]
    Native,
    /// Audit entries as `actor`, `target`, `data` and `context`, further fields behind them.
    Entries,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Layout; 2] = [Layout::Native, Layout::Entries];

    /// The layout's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Layout::Native => "native",
            Layout::Entries => "entries",
        }
    }

    fn columns(self) -> &'static [Column] {
        match self {
            Layout::Native => column::NATIVE,
            Layout::Entries => column::ENTRIES,
        }
    }

    /// Writes the CSV line that names the columns.
    pub(crate) fn csv_header(self, out: &mut Vec<u8>) {
        let mut record = csv::Record::new(CsvSafety::Raw, out);
        for column in self.columns() {
            record.cell(column.name);
        }
        record.cell(column::NULL_FIELDS);
        record.cell(column::EMPTY_FIELDS);
        record.end();
    }

    /// Writes one event as a CSV record.
    pub(crate) fn csv_record(self, event: &StoredEvent, safety: CsvSafety, out: &mut Vec<u8>) {
        let mut record = csv::Record::new(safety, out);
        let mut marks = column::Marks::of_objects(&event.event);
        for column in self.columns() {
            let cell = (column.read)(event);
            marks.note(column, &cell);
            record.cell(cell.text());
        }
        record.cell(&marks.null);
        record.cell(&marks.empty);
        record.end();
    }

    /// Writes one row as a CSV record; `parts` are its own.
    pub(crate) fn csv_row(
        self,
        row: &Row<'_>,
        parts: Parts<'_>,
        safety: CsvSafety,
        out: &mut Buffer,
    ) {
        let mut cells = cells::Cells::new(safety, out);
        match self {
            Layout::Native => stored::native(row, parts, &mut cells),
            Layout::Entries => stored::entries(row, parts, &mut cells),
        }
        cells.end();
    }

    /// Writes one row as a line of JSON, without the line's end. `None`, and nothing written, when
    /// its content is none: the native line is spliced from the stored bytes and asks for less.
    pub(crate) fn json_row(self, row: &Row<'_>, out: &mut Buffer) -> Option<()> {
        match self {
            Layout::Native => row.write_line(out),
            Layout::Entries => {
                let content = row.content()?;
                stored::entry_line(row, Parts::Parsed(&content), out);
            }
        }
        Some(())
    }

    /// Writes one event as a line of JSON, without the line's end.
    pub(crate) fn json_line(self, event: &StoredEvent, out: &mut Vec<u8>) {
        let written = match self {
            Layout::Native => serde_json::to_writer(out, event),
            Layout::Entries => serde_json::to_writer(out, &entries::Entry::new(event)),
        };
        debug_assert!(written.is_ok(), "events and memory take no part in failing");
    }
}

#[cfg(test)]
mod tests;
