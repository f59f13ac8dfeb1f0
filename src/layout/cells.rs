//! CSV cells from the slices of a stored content, straight into the export's buffer. Writes what
//! `csv` writes, byte for byte, but looks at a text once: one without escapes can hold no quotation
//! mark, no tab and no line end, so only a comma or a semicolon puts it between quotation marks.

use super::csv::CsvSafety;
use super::csv::needs_quotes;
use crate::codec::buffer::Buffer;
use crate::codec::content::Text;
use crate::event::Field;

/// A record that grows cell by cell at the end of `out`, with the marks that end it.
pub(super) struct Cells<'o> {
    safety: CsvSafety,
    out: &'o mut Buffer,
    null: String,
    empty: String,
}

impl<'o> Cells<'o> {
    pub(super) const fn new(safety: CsvSafety, out: &'o mut Buffer) -> Cells<'o> {
        Cells {
            safety,
            out,
            null: String::new(),
            empty: String::new(),
        }
    }

    /// Marks an object that is null or has no keys; its columns cannot say it.
    pub(super) fn object<T>(&mut self, name: &str, field: &Field<T>, is_empty: fn(&T) -> bool) {
        match field {
            Field::Null => append(&mut self.null, name),
            Field::Value(value) if is_empty(value) => append(&mut self.empty, name),
            Field::Absent | Field::Value(_) => {}
        }
    }

    /// A cell of the field `name`.
    #[inline]
    pub(super) fn text(&mut self, name: &str, field: Field<Text<'_>>) {
        match field {
            Field::Absent => {}
            Field::Null => append(&mut self.null, name),
            Field::Value(text) => self.shown_text(name, text),
        }
        self.out.push(b',');
    }

    fn shown_text(&mut self, name: &str, text: Text<'_>) {
        match text.plain() {
            _ if text.is_empty() => append(&mut self.empty, name),
            Some(text) => self.unescaped(text),
            None => self.any(&text.text()),
        }
    }

    /// A cell of a field inside an object that may not be there.
    pub(super) fn inside<'t, T>(
        &mut self,
        name: &str,
        object: &Field<T>,
        field: impl FnOnce(&T) -> Field<Text<'t>>,
    ) {
        match object {
            Field::Value(object) => self.text(name, field(object)),
            Field::Absent | Field::Null => self.out.push(b','),
        }
    }

    /// A cell of a number or a time.
    pub(super) fn shown<T: core::fmt::Display>(&mut self, name: &str, field: Field<T>) {
        match field {
            Field::Absent => {}
            Field::Null => append(&mut self.null, name),
            // No number and no time needs quotation marks, but the minus is one of the guard's, and
            // twenty digits are more than a spreadsheet keeps.
            Field::Value(value) => {
                let text = value.to_string();
                self.guard(&text);
                self.out.extend(text.as_bytes());
            }
        }
        self.out.push(b',');
    }

    /// A cell of one of a few words.
    pub(super) fn known(&mut self, name: &str, field: Field<&str>) {
        match field {
            Field::Absent => {}
            Field::Null => append(&mut self.null, name),
            Field::Value(word) => self.out.extend(word.as_bytes()),
        }
        self.out.push(b',');
    }

    /// A cell of letters and digits that the store made.
    pub(super) fn word(&mut self, word: &[u8]) {
        self.out.extend(word);
        self.out.push(b',');
    }

    /// A cell behind those of the event's fields.
    pub(super) fn further(&mut self, text: &str) {
        self.any(text);
        self.out.push(b',');
    }

    /// A cell of JSON, which says by itself what is null and what is empty.
    pub(super) fn json(&mut self, json: Field<&str>) {
        match json {
            Field::Absent => {}
            Field::Null => self.out.extend(b"null"),
            Field::Value(json) => self.any(json),
        }
        self.out.push(b',');
    }

    /// The marks and the record's end.
    pub(super) fn end(self) {
        self.out.extend(self.null.as_bytes());
        self.out.push(b',');
        self.out.extend(self.empty.as_bytes());
        self.out.extend(b"\r\n");
    }

    /// A text that holds no quotation mark, no tab and no line end.
    fn unescaped(&mut self, text: &str) {
        let quoted = has_separator(text.as_bytes());
        if quoted {
            self.out.push(b'"');
        }
        self.guard(text);
        self.out.extend(text.as_bytes());
        if quoted {
            self.out.push(b'"');
        }
    }

    fn any(&mut self, text: &str) {
        if !text.bytes().any(needs_quotes) {
            self.guard(text);
            return self.out.extend(text.as_bytes());
        }
        self.out.push(b'"');
        self.guard(text);
        self.out.extend_doubling_quotes(text.as_bytes());
        self.out.push(b'"');
    }

    fn guard(&mut self, text: &str) {
        if self.safety.guards(text) {
            self.out.push(b'\'');
        }
    }
}

/// Whether a comma or a semicolon is among `bytes`, eight at a time.
fn has_separator(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHS: u64 = ONES << 7;
    // Not 0 where a byte of the word is 0.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let has = |word: [u8; 8]| {
        let word = u64::from_le_bytes(word);
        let comma = zeros(word ^ (ONES * u64::from(b',')));
        comma | zeros(word ^ (ONES * u64::from(b';'))) != 0
    };
    match bytes.last_chunk::<8>() {
        // The last eight may have been looked at in part.
        Some(last) => bytes.as_chunks::<8>().0.iter().any(|word| has(*word)) || has(*last),
        None => bytes.iter().any(|byte| matches!(byte, b',' | b';')),
    }
}

fn append(names: &mut String, name: &str) {
    if !names.is_empty() {
        names.push(' ');
    }
    names.push_str(name);
}
