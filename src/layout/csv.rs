//! One CSV record after RFC 4180: cells quoted where they must be, lines ended by CR LF. A cell's
//! text is kept exactly, but for the formula guard, which puts one `'` before what a spreadsheet
//! could take for a formula and before what begins with `'`, so taking one `'` away undoes it.

use super::sheet;
use crate::planted::Bug;
use crate::planted::planted;

/// Whether cells that a spreadsheet could run as a formula are made harmless.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CsvSafety {
    /// A cell that begins like a formula, or with `'`, gets one `'` in front.
    #[default]
    Guard,
    /// Cells are written as they are, for programs only.
    Raw,
    /// For Excel: as `Guard`, and a cell that Excel would show as something else, such as 007 or
    /// 3-4, gets one `'` in front too. The file begins with a byte order mark, and what does not fit
    /// into a sheet is refused.
    Excel,
}

impl CsvSafety {
    /// The word that a report tells.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            CsvSafety::Guard => "guard",
            CsvSafety::Raw => "raw",
            CsvSafety::Excel => "excel",
        }
    }

    /// Whether a cell of this text gets a `'` in front.
    #[inline]
    pub(super) fn guards(self, text: &str) -> bool {
        match self {
            CsvSafety::Raw => false,
            CsvSafety::Guard => begins_a_formula(text),
            CsvSafety::Excel => begins_a_formula(text) || sheet::changes(text),
        }
    }
}

/// A record that grows cell by cell at the end of `out`.
pub(super) struct Record<'a> {
    safety: CsvSafety,
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Record<'a> {
    pub(super) fn new(safety: CsvSafety, out: &'a mut Vec<u8>) -> Record<'a> {
        Record {
            safety,
            out,
            first: true,
        }
    }

    pub(super) fn cell(&mut self, text: &str) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        let guarded = self.safety.guards(text);
        let quoted = text.bytes().any(needs_quotes);
        if quoted {
            self.out.push(b'"');
        }
        if guarded {
            self.out.push(b'\'');
        }
        if quoted {
            let mut parts = text.split('"');
            self.out.extend(parts.next().unwrap_or_default().bytes());
            for part in parts {
                self.out.extend_from_slice(b"\"\"");
                self.out.extend_from_slice(part.as_bytes());
            }
            self.out.push(b'"');
        } else {
            self.out.extend_from_slice(text.as_bytes());
        }
    }

    pub(super) fn end(self) {
        self.out.extend_from_slice(b"\r\n");
    }
}

/// Whether a byte puts its cell between quotation marks: what ends a cell or a record, here or for
/// a program that was told another separator, and the quotation mark itself.
pub(super) fn needs_quotes(byte: u8) -> bool {
    b",;\t\"\r\n".contains(&byte)
}

/// Whether a spreadsheet could take the text for a formula: by its first character, also behind
/// blanks and marks that show nothing, which some programs take away first.
#[inline]
fn begins_a_formula(text: &str) -> bool {
    let first = text.as_bytes().first();
    !first.is_some_and(u8::is_ascii_alphanumeric) && begins_one(text)
}

fn begins_one(text: &str) -> bool {
    let shown = text.trim_start_matches(|first: char| {
        first.is_whitespace() || matches!(first, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
    });
    let marked = text.starts_with(['\t', '\r', '\n', '\0', '\'', '\u{ff07}']);
    (marked || shown.starts_with(acts)) && !planted(Bug::FormulaUnguarded)
}

/// The characters that spreadsheets act on, with their full-width and look-alike forms.
fn acts(first: char) -> bool {
    matches!(
        first,
        '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}' | '\u{2212}'
    )
}
