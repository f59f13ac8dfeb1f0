//! The terms of a segment under construction, each with the list of its rows. They can be gathered
//! while nothing is known of the segment's dictionaries; blocks are made when these are there.

use std::path::Path;

use super::format;
use super::format::Kind;
use super::lists;
use super::lists::CHUNK;
use super::output::Output;
use super::term_values::TermValue;
use super::term_values::TermValues;
use super::terms::ENTRY_LEN;
use super::terms::NAMED;
use super::terms::STEP;
use super::writer::TakeTerm;
use crate::codec::bits::BitWriter;
use crate::codec::varint;
use crate::codec::varint::Bytes;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Terms in order with their lists, in memory until they are written.
pub(super) struct TermWriter {
    rows: u32,
    last: Vec<u8>,
    /// For each term how much it shares with the one before, the rest of it, and what a block says
    /// of its rows, both behind their lengths.
    told: Vec<u8>,
    /// Where the first list of each block begins.
    starts: Vec<u64>,
    lists: BitWriter,
    terms: u64,
}

/// Blocks under construction.
#[derive(Default)]
struct Blocks {
    /// What of the term before the next one may share.
    shared: Vec<u8>,
    /// The value that the term before was named by.
    named: Option<TermValue>,
    bytes: Vec<u8>,
    entries: Vec<u8>,
    firsts: Vec<u8>,
}

impl TermWriter {
    /// The terms that `tell` hands out, of a segment of `rows` rows that is written to `path`.
    pub(super) fn of(
        rows: u32,
        path: &Path,
        tell: impl FnOnce(TakeTerm<'_>) -> Result<()>,
    ) -> Result<TermWriter> {
        let mut terms = TermWriter {
            rows,
            last: Vec::new(),
            told: Vec::new(),
            starts: Vec::new(),
            lists: BitWriter::default(),
            terms: 0,
        };
        tell(&mut |term, rows| terms.push(term, rows, path))?;
        Ok(terms)
    }

    /// Appends the next term with its rows, at least one, ascending.
    fn push(&mut self, term: &[u8], rows: &[u32], path: &Path) -> Result<()> {
        let ascends = self.terms == 0 || self.last.as_slice() < term;
        if !ascends || term.len() > format::TERM_BYTES_MAX || rows.is_empty() {
            let error = Error::new(ErrorKind::OutOfRange, "terms of a segment come in order");
            return Err(error.in_file(path));
        }
        if self.terms.is_multiple_of(format::TERM_BLOCK_TERMS as u64) {
            self.starts.push(self.lists.len());
        }
        let shared = shared(&self.last, term);
        varint::put_u64(&mut self.told, shared as u64);
        varint::put_bytes(&mut self.told, term.get(shared..).unwrap_or_default());
        let before = self.lists.len();
        let bound = u64::from(self.rows);
        let listed = if rows.len() * 2 > self.rows as usize {
            let others = complement(rows, self.rows);
            lists::write(&others, bound, &mut self.lists);
            others.len()
        } else {
            lists::write(rows, bound, &mut self.lists);
            rows.len()
        };
        let mut numbers = Vec::with_capacity(8);
        varint::put_u64(&mut numbers, rows.len() as u64);
        if listed > CHUNK {
            varint::put_u64(&mut numbers, self.lists.len() - before);
        }
        varint::put_bytes(&mut self.told, &numbers);
        self.last.clear();
        self.last.extend_from_slice(term);
        self.terms += 1;
        Ok(())
    }

    /// Writes lists, blocks and index; terms name the `values` they end with.
    pub(super) fn finish(mut self, values: &TermValues, output: &mut Output<'_>) -> Result<()> {
        let mut blocks = Blocks::default();
        let mut told = Bytes::new(&self.told);
        let mut starts = self.starts.iter();
        let mut term = Vec::new();
        for number in 0..self.terms {
            let (shared, rest) = (told.count().unwrap_or(0), told.bytes().unwrap_or_default());
            term.truncate(shared);
            term.extend_from_slice(rest);
            let value = values.find(&term);
            if number.is_multiple_of(format::TERM_BLOCK_TERMS as u64) {
                blocks.begin(&term, starts.next().copied().unwrap_or(0));
                blocks.put_bytes(&term);
            } else {
                blocks.put(&term, value);
            }
            let numbers = told.bytes().unwrap_or_default();
            blocks.bytes.extend_from_slice(numbers);
        }
        output.put(&self.lists.finish())?;
        output.end_section(Kind::Lists, self.terms);
        output.put(&blocks.bytes)?;
        output.end_section(Kind::Terms, self.terms);
        output.put(&blocks.entries)?;
        output.put(&blocks.firsts)?;
        output.end_section(Kind::TermIndex, blocks.entries.len() as u64 / ENTRY_LEN);
        Ok(())
    }
}

impl Blocks {
    /// Begins a block with `term`, whose list begins at bit `list`.
    fn begin(&mut self, term: &[u8], list: u64) {
        let at = self.bytes.len() as u64;
        self.entries.extend_from_slice(&at.to_le_bytes());
        self.entries.extend_from_slice(&list.to_le_bytes());
        let first = self.firsts.len() as u32;
        self.entries.extend_from_slice(&first.to_le_bytes());
        self.firsts.extend_from_slice(term);
        self.shared.clear();
    }

    /// Appends what tells a term: the value it ends with where what stands before that is there
    /// already, otherwise its bytes.
    fn put(&mut self, term: &[u8], value: Option<TermValue>) {
        let fits = |value: &TermValue| term.get(..value.prefix) == self.shared.get(..value.prefix);
        let Some(value) = value.filter(fits) else {
            self.put_bytes(term);
            return;
        };
        let goes_on = |before: &TermValue| {
            (before.prefix, before.column) == (value.prefix, value.column)
                && before.number < value.number
        };
        if let Some(before) = self.named.filter(goes_on) {
            let step = u64::from(value.number - before.number);
            varint::put_u64(&mut self.bytes, step << 2 | STEP);
        } else {
            varint::put_u64(&mut self.bytes, (value.prefix as u64) << 2 | NAMED);
            varint::put_u64(&mut self.bytes, u64::from(value.column));
            varint::put_u64(&mut self.bytes, u64::from(value.number));
        }
        self.shared.truncate(value.prefix);
        self.named = Some(value);
    }

    /// Appends a term by its bytes.
    fn put_bytes(&mut self, term: &[u8]) {
        let shared = shared(&self.shared, term);
        varint::put_u64(&mut self.bytes, (shared as u64) << 2);
        varint::put_bytes(&mut self.bytes, term.get(shared..).unwrap_or_default());
        self.shared.clear();
        self.shared.extend_from_slice(term);
        self.named = None;
    }
}

/// How many bytes both begin with.
fn shared(one: &[u8], other: &[u8]) -> usize {
    let same = one
        .iter()
        .zip(other)
        .take_while(|(one, other)| one == other);
    same.count()
}

/// The rows below `rows` that are not listed.
fn complement(listed: &[u32], rows: u32) -> Vec<u32> {
    let mut listed = listed.iter().copied().peekable();
    let lacks = |row: &u32| listed.next_if_eq(row).is_none();
    (0..rows).filter(lacks).collect()
}
