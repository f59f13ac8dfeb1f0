//! The terms a segment stores, sorted, in blocks of up to 64 that share beginnings, and for each
//! where the list of its rows is. An index of first terms leads to the block.
//!
//! ```text
//! block  for each term: shared varint · rest behind its length · rows varint ·
//!        with a long list its bits varint
//! index  for each block: offset u64 · first list's bit u64 · first term's offset u32,
//!        then the first terms one after another
//! ```

use std::path::Path;

use super::format;
use super::format::Kind;
use super::format::Section;
use super::lists;
use super::lists::CHUNK;
use super::lists::Stored;
use super::output::Output;
use super::pages::Pages;
use super::writer::TakeTerm;
use crate::codec::bits::BitWriter;
use crate::codec::varint;
use crate::codec::varint::Bytes;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

const ENTRY_LEN: u64 = 20;

/// The rows of one term: listed, or all but the listed ones where most have it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    pub(super) list: Stored,
    /// The list names the rows that do not have the term.
    pub(super) inverted: bool,
    /// How many rows have the term.
    pub(super) count: u32,
}

/// The term sections of an open segment.
#[derive(Clone, Copy)]
pub(super) struct TermIndex {
    terms: Section,
    index: Section,
    lists: Section,
    rows: u32,
}

/// Terms of one block, unpacked.
#[derive(Clone, Debug, Default)]
pub(super) struct TermBlock {
    bytes: Vec<u8>,
    /// Where each term ends, and its rows.
    terms: Vec<(usize, Rows)>,
}

/// Writes terms in order; the lists go into memory until the terms are written.
pub(super) struct TermWriter {
    rows: u32,
    last: Vec<u8>,
    block: Vec<u8>,
    in_block: usize,
    blocks: Vec<u8>,
    entries: Vec<u8>,
    firsts: Vec<u8>,
    lists: BitWriter,
    terms: u64,
}

impl TermWriter {
    /// For a segment of `rows` rows.
    fn new(rows: u32) -> TermWriter {
        TermWriter {
            rows,
            last: Vec::new(),
            block: Vec::new(),
            in_block: 0,
            blocks: Vec::new(),
            entries: Vec::new(),
            firsts: Vec::new(),
            lists: BitWriter::default(),
            terms: 0,
        }
    }

    /// The terms that `tell` hands out, of a segment of `rows` rows that is written to `path`.
    pub(super) fn of(
        rows: u32,
        path: &Path,
        tell: impl FnOnce(TakeTerm<'_>) -> Result<()>,
    ) -> Result<TermWriter> {
        let mut terms = TermWriter::new(rows);
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
        if self.in_block == 0 {
            self.entries
                .extend_from_slice(&(self.blocks.len() as u64).to_le_bytes());
            self.entries
                .extend_from_slice(&self.lists.len().to_le_bytes());
            self.entries
                .extend_from_slice(&(self.firsts.len() as u32).to_le_bytes());
            self.firsts.extend_from_slice(term);
            self.last.clear();
        }
        let shared = self
            .last
            .iter()
            .zip(term)
            .take_while(|(one, other)| one == other)
            .count();
        varint::put_u64(&mut self.block, shared as u64);
        varint::put_bytes(&mut self.block, term.get(shared..).unwrap_or_default());
        varint::put_u64(&mut self.block, rows.len() as u64);
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
        if listed > CHUNK {
            varint::put_u64(&mut self.block, self.lists.len() - before);
        }
        self.last.clear();
        self.last.extend_from_slice(term);
        self.terms += 1;
        self.in_block += 1;
        if self.in_block == format::TERM_BLOCK_TERMS {
            self.blocks.append(&mut self.block);
            self.in_block = 0;
        }
        Ok(())
    }

    /// Writes lists, blocks and index.
    pub(super) fn finish(mut self, output: &mut Output<'_>) -> Result<()> {
        self.blocks.append(&mut self.block);
        output.put(&self.lists.finish())?;
        output.end_section(Kind::Lists, self.terms);
        output.put(&self.blocks)?;
        output.end_section(Kind::Terms, self.terms);
        output.put(&self.entries)?;
        output.put(&self.firsts)?;
        output.end_section(Kind::TermIndex, self.entries.len() as u64 / ENTRY_LEN);
        Ok(())
    }
}

/// The rows below `rows` that are not listed.
fn complement(listed: &[u32], rows: u32) -> Vec<u32> {
    let mut listed = listed.iter().copied().peekable();
    let lacks = |row: &u32| listed.next_if_eq(row).is_none();
    (0..rows).filter(lacks).collect()
}

impl TermIndex {
    /// `None` where the sections cannot belong together.
    pub(super) fn open(
        terms: Section,
        index: Section,
        lists: Section,
        rows: u32,
    ) -> Option<TermIndex> {
        let blocks = terms.items.div_ceil(format::TERM_BLOCK_TERMS as u64);
        let fits = index.items == blocks
            && lists.items == terms.items
            && index.len >= blocks.checked_mul(ENTRY_LEN)?
            && lists.len <= u64::MAX / 8;
        fits.then_some(TermIndex {
            terms,
            index,
            lists,
            rows,
        })
    }

    pub(super) const fn blocks(&self) -> u64 {
        self.index.items
    }

    /// Offset of a block, the bit of its first list, and where its first term begins.
    fn entry(&self, pages: &Pages, block: u64) -> Result<(u64, u64, u64)> {
        let firsts_len = self.index.len - self.index.items * ENTRY_LEN;
        if block >= self.index.items {
            return Ok((self.terms.len, 0, firsts_len));
        }
        let entry = pages.read(self.index.offset + block * ENTRY_LEN, ENTRY_LEN as usize)?;
        let mut entry = Bytes::new(&entry);
        let (offset, lists) = (entry.u64().unwrap_or(0), entry.u64().unwrap_or(0));
        Ok((offset, lists, u64::from(entry.u32().unwrap_or(0))))
    }

    /// Whether a block's first term is above `term`.
    fn begins_above(&self, pages: &Pages, block: u64, term: &[u8]) -> Result<bool> {
        let (.., start) = self.entry(pages, block)?;
        let (.., end) = self.entry(pages, block + 1)?;
        let firsts = self.index.offset + self.index.items * ENTRY_LEN;
        let len = self.index.len - self.index.items * ENTRY_LEN;
        if start > end || end > len || end - start > format::TERM_BYTES_MAX as u64 {
            return Err(self.damaged(pages));
        }
        let first = pages.read(firsts + start, (end - start) as usize)?;
        Ok(*first > *term)
    }

    pub(super) fn damaged(&self, pages: &Pages) -> Error {
        let what = "the term index does not fit the terms";
        Error::corrupt(pages.blob().path(), self.index.offset, what)
    }

    /// The block that holds `term` if any does: the last one that does not begin above it.
    pub(super) fn block_of(&self, pages: &Pages, term: &[u8]) -> Result<u64> {
        let (mut low, mut high) = (0, self.blocks());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.begins_above(pages, middle, term)? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low.saturating_sub(1))
    }

    /// Unpacks a block; behind the last one there is an empty one.
    pub(super) fn block(&self, pages: &Pages, number: u64) -> Result<TermBlock> {
        let mut block = TermBlock::default();
        self.each(pages, number, |term, rows| {
            block.bytes.extend_from_slice(term);
            block.terms.push((block.bytes.len(), rows));
            true
        })?;
        Ok(block)
    }

    /// The rows of exactly this term.
    pub(super) fn find(&self, pages: &Pages, term: &[u8]) -> Result<Option<Rows>> {
        let mut found = None;
        let block = self.block_of(pages, term)?;
        self.each(pages, block, |other, rows| {
            if other == term {
                found = Some(rows);
            }
            other < term
        })?;
        Ok(found)
    }

    /// Hands each term of a block with its rows to `take`, until that says no.
    fn each(
        &self,
        pages: &Pages,
        number: u64,
        mut take: impl FnMut(&[u8], Rows) -> bool,
    ) -> Result<()> {
        if number >= self.blocks() {
            return Ok(());
        }
        let (start, mut at, _) = self.entry(pages, number)?;
        let (end, ..) = self.entry(pages, number + 1)?;
        let damaged = || {
            let what = "this block of terms is damaged";
            Error::corrupt(pages.blob().path(), self.terms.offset + start, what)
        };
        let len = end
            .checked_sub(start)
            .filter(|len| end <= self.terms.len && *len <= format::TERM_BLOCK_BYTES_MAX as u64);
        let stored = pages.read(self.terms.offset + start, len.ok_or_else(damaged)? as usize)?;
        let mut bytes = Bytes::new(&stored);
        let mut term = Vec::with_capacity(64);
        while !bytes.is_empty() {
            let rows = self
                .next(&mut bytes, &mut term, &mut at)
                .ok_or_else(damaged)?;
            if !take(&term, rows) {
                break;
            }
        }
        Ok(())
    }

    /// Reads one term of a block and moves behind its list.
    fn next(&self, bytes: &mut Bytes<'_>, term: &mut Vec<u8>, at: &mut u64) -> Option<Rows> {
        let shared = bytes.count()?;
        let rest = bytes.bytes()?;
        if shared > term.len() || shared + rest.len() > format::TERM_BYTES_MAX {
            return None;
        }
        term.truncate(shared);
        term.extend_from_slice(rest);
        let count = u32::try_from(bytes.varint()?).ok()?;
        if count == 0 || count > self.rows {
            return None;
        }
        let inverted = u64::from(count) * 2 > u64::from(self.rows);
        let listed = u64::from(if inverted { self.rows - count } else { count });
        let list = Stored {
            section: self.lists,
            at: *at,
            count: listed,
            bound: u64::from(self.rows),
        };
        let len = match listed {
            0 => 0,
            _ if listed <= CHUNK as u64 => lists::short_len(listed, list.bound),
            _ => bytes.varint()?,
        };
        *at = at
            .checked_add(len)
            .filter(|end| *end <= self.lists.len * 8)?;
        Some(Rows {
            list,
            inverted,
            count,
        })
    }
}

impl TermBlock {
    pub(super) fn len(&self) -> usize {
        self.terms.len()
    }

    pub(super) fn term(&self, place: usize) -> Option<&[u8]> {
        let (end, _) = self.terms.get(place)?;
        let start = match place.checked_sub(1) {
            Some(before) => self.terms.get(before)?.0,
            None => 0,
        };
        self.bytes.get(start..*end)
    }

    pub(super) fn rows(&self, place: usize) -> Option<Rows> {
        self.terms.get(place).map(|(_, rows)| *rows)
    }

    /// The place of the first term that is not below `term`.
    pub(super) fn lower_bound(&self, term: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.term(middle).is_some_and(|found| found < term) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
