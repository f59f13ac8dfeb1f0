//! How a stored event looks outside the store: which columns and keys it gets, in which order, and
//! how a CSV cell is written. Pure: events or rows in, bytes out; every file, page and table that
//! shows events in columns comes through here. Rows and their events give the same bytes.

mod audience;
mod cells;
mod column;
mod csv;
mod entries;
mod local;
mod locale;
mod people;
mod printable;
mod sheet;
mod stored;

use std::borrow::Cow;

use crate::codec::buffer::Buffer;
use crate::codec::content::Parts;
use crate::codec::row::Row;
use crate::event::StoredEvent;

use self::column::Column;
use self::people::Shown;

pub use self::audience::Audience;
pub use self::csv::CsvSafety;
pub use self::local::LocalZone;
pub use self::locale::Locale;
pub use self::printable::printable;

/// Which columns and keys an event is shown with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// The store's own: the canonical line, and one CSV column for each of its fields.
    #[default]
    Native,
    /// Audit entries as `actor`, `target`, `data` and `context`, further fields behind them.
    Entries,
    /// For people, in their language: Date and Time, Subject, Event, Performed By, and the rest.
    Trail,
    /// For people, in their language: the fields by which an entity's audit is searched.
    Sentinel,
}

/// Columns as they are read.
enum Columns {
    /// Fields under their names, which read back as they were.
    Fields(&'static [Column]),
    /// What people see.
    Shown(&'static [Shown]),
}

impl Layout {
    /// Every layout.
    pub const ALL: [Layout; 4] = [
        Layout::Native,
        Layout::Entries,
        Layout::Trail,
        Layout::Sentinel,
    ];

    /// The layout's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Layout::Native => "native",
            Layout::Entries => "entries",
            Layout::Trail => "trail",
            Layout::Sentinel => "sentinel",
        }
    }

    const fn columns(self) -> Columns {
        match self {
            Layout::Native => Columns::Fields(column::NATIVE),
            Layout::Entries => Columns::Fields(column::ENTRIES),
            Layout::Trail => Columns::Shown(people::TRAIL),
            Layout::Sentinel => Columns::Shown(people::SENTINEL),
        }
    }

    /// Writes the CSV line that names the columns.
    pub(crate) fn csv_header(self, audience: &Audience, out: &mut Vec<u8>) {
        let columns = match self.columns() {
            Columns::Fields(columns) => columns,
            Columns::Shown(columns) => return people::header(columns, audience, out),
        };
        let mut record = csv::Record::new(CsvSafety::Raw, out);
        let names = columns.iter().map(|column| column.name);
        for name in names.chain(audience.further_columns()) {
            record.cell(name);
        }
        record.cell(column::NULL_FIELDS);
        record.cell(column::EMPTY_FIELDS);
        record.end();
    }

    /// Writes one event as a CSV record.
    pub(crate) fn csv_record(
        self,
        event: &StoredEvent,
        safety: CsvSafety,
        audience: &Audience,
        out: &mut Vec<u8>,
    ) {
        let columns = match self.columns() {
            Columns::Fields(columns) => columns,
            Columns::Shown(_) => {
                return people::record(self.shown(event, audience), safety, out);
            }
        };
        let mut record = csv::Record::new(safety, out);
        let mut marks = column::Marks::of_objects(&event.event);
        for column in columns {
            let cell = (column.read)(event);
            marks.note(column, &cell);
            record.cell(cell.text());
        }
        for cell in audience.further_cells(event) {
            record.cell(&cell);
        }
        record.cell(&marks.null);
        record.cell(&marks.empty);
        record.end();
    }

    /// What an event shows people, by what the catalogues call the headings; nothing in layouts for
    /// programs.
    pub(crate) fn shown<'a>(
        self,
        event: &'a StoredEvent,
        audience: &'a Audience,
    ) -> impl Iterator<Item = (&'static str, Cow<'a, str>)> {
        let columns = match self.columns() {
            Columns::Fields(_) => &[],
            Columns::Shown(columns) => columns,
        };
        people::cells(columns, event, audience)
    }

    /// Writes one row as a CSV record; `parts` are its own.
    pub(crate) fn csv_row(
        self,
        row: &Row<'_>,
        parts: Parts<'_>,
        safety: CsvSafety,
        audience: &Audience,
        out: &mut Buffer,
    ) {
        let fields = match self {
            Layout::Native => stored::native,
            Layout::Entries => stored::entries,
            Layout::Trail | Layout::Sentinel => {
                let mut record = Vec::new();
                self.csv_record(&row.event_with(parts), safety, audience, &mut record);
                return out.extend(&record);
            }
        };
        let mut cells = cells::Cells::new(safety, out);
        fields(row, parts, &mut cells);
        if !audience.adds_nothing() {
            for cell in audience.further_cells(&row.event_with(parts)) {
                cells.further(&cell);
            }
        }
        cells.end();
    }

    /// Writes one row as a line of JSON, without the line's end. `None`, and nothing written, when
    /// its content is none: the native line is spliced from the stored bytes and asks for less.
    /// Layouts for people have no lines, and exports in them are refused before one is asked for.
    pub(crate) fn json_row(self, row: &Row<'_>, out: &mut Buffer) -> Option<()> {
        match self {
            Layout::Native => row.write_line(out),
            Layout::Entries => {
                let content = row.content()?;
                stored::entry_line(row, Parts::Parsed(&content), out);
            }
            Layout::Trail | Layout::Sentinel => return None,
        }
        Some(())
    }

    /// Writes one event as a line of JSON, without the line's end; nothing in layouts for people.
    pub(crate) fn json_line(self, event: &StoredEvent, out: &mut Vec<u8>) {
        let written = match self {
            Layout::Native => serde_json::to_writer(out, event),
            Layout::Entries => serde_json::to_writer(out, &entries::Entry::new(event)),
            Layout::Trail | Layout::Sentinel => Ok(()),
        };
        debug_assert!(written.is_ok(), "events and memory take no part in failing");
    }
}

#[cfg(test)]
mod tests;
