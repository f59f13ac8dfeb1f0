//! The terms a segment stores, sorted, in blocks of up to 64 that share beginnings, and for each
//! where the list of its rows is. A term that ends with a value of a dictionary names it by number.
//! An index of first terms leads to the block.
//!
//! ```text
//! block  for each term: shared << 2 varint · rest behind its length,
//!        or step << 2 | 1 varint, or prefix << 2 | 2 varint · column varint · number varint;
//!        rows varint · with a long list its bits varint
//! index  for each block: offset u64 · first list's bit u64 · first term's offset u32,
//!        then the first terms one after another
//! ```

use core::cmp::Ordering;

use super::format;
use super::format::Section;
use super::lists;
use super::lists::CHUNK;
use super::lists::Stored;
use super::pages::Pages;
use super::reader::Reader;
use super::reader::ValueReader;
use crate::codec::varint::Bytes;
use crate::error::Error;
use crate::error::Result;

pub(super) const ENTRY_LEN: u64 = 20;
/// Of an entry the last bytes: where the block's first term begins.
const FIRST_LEN: usize = 4;
/// In the lowest two bits of a term's head: the value behind that of the term before, by a step; a
/// value by its column and number; neither, its bytes.
pub(super) const STEP: u64 = 1;
pub(super) const NAMED: u64 = 2;

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

/// A term as a block tells it.
struct Told<'b> {
    /// The term, or what stands before its value.
    bytes: &'b [u8],
    /// The column and the number of the value it ends with.
    value: Option<(u32, u32)>,
    rows: Rows,
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
        let firsts = self.index.offset + self.index.items * ENTRY_LEN;
        let len = self.index.len - self.index.items * ENTRY_LEN;
        // Where the block's first term begins, and at the end of the next entry where it ends.
        let is_last = block + 1 >= self.index.items;
        let wanted = FIRST_LEN + if is_last { 0 } else { ENTRY_LEN as usize };
        let at = self.index.offset + (block + 1) * ENTRY_LEN - FIRST_LEN as u64;
        let entries = pages.view(at, wanted)?;
        let entries = entries.get(..wanted).unwrap_or_default();
        let start = entries
            .first_chunk()
            .map_or(0, |at| u32::from_le_bytes(*at));
        let end = entries.last_chunk().map_or(0, |at| u32::from_le_bytes(*at));
        let start = u64::from(start);
        let end = if is_last { len } else { u64::from(end) };
        if start > end || end > len || end - start > format::TERM_BYTES_MAX as u64 {
            return Err(self.damaged(pages));
        }
        let wanted = (end - start) as usize;
        let first = pages.view(firsts + start, wanted)?;
        Ok(first.get(..wanted).unwrap_or_default() > term)
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
    pub(super) fn block(&self, reader: &Reader, number: u64) -> Result<TermBlock> {
        let mut block = TermBlock::default();
        let mut values = ValueReader::new(reader);
        self.each(reader.pages(), number, |told| {
            let start = block.bytes.len();
            block.bytes.extend_from_slice(told.bytes);
            if let Some((column, number)) = told.value {
                let value = values.read(column, number)?;
                let value = value.ok_or_else(|| self.damaged(reader.pages()))?;
                block.bytes.extend_from_slice(value);
            }
            if block.bytes.len() - start > format::TERM_BYTES_MAX {
                return Err(self.damaged(reader.pages()));
            }
            block.terms.push((block.bytes.len(), told.rows));
            Ok(true)
        })?;
        Ok(block)
    }

    /// The rows of exactly this term.
    pub(super) fn find(&self, reader: &Reader, term: &[u8]) -> Result<Option<Rows>> {
        let pages = reader.pages();
        let block = self.block_of(pages, term)?;
        let mut found = None;
        // The terms that are named by a value and begin as this one does.
        let mut named: Vec<(usize, (u32, u32), Rows)> = Vec::new();
        self.each(pages, block, |told| {
            match told.value {
                Some(value) if term.starts_with(told.bytes) => {
                    named.push((told.bytes.len(), value, told.rows));
                }
                None if told.bytes == term => found = Some(told.rows),
                _ => {}
            }
            Ok(told.value.is_some() || told.bytes < term)
        })?;
        let mut values = ValueReader::new(reader);
        let mut rest = named.as_slice();
        while let Some((prefix, (column, number), rows)) = rest.get(rest.len() / 2) {
            let value = values.read(*column, *number)?;
            let value = value.ok_or_else(|| self.damaged(pages))?;
            let (below, above) = rest.split_at(rest.len() / 2);
            match value.cmp(term.get(*prefix..).unwrap_or_default()) {
                Ordering::Less => rest = above.get(1..).unwrap_or_default(),
                Ordering::Greater => rest = below,
                Ordering::Equal => return Ok(Some(*rows)),
            }
        }
        Ok(found)
    }

    /// Hands each term of a block to `take`, until that says no.
    fn each(
        &self,
        pages: &Pages,
        number: u64,
        mut take: impl FnMut(Told<'_>) -> Result<bool>,
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
        let (mut term, mut value) = (Vec::with_capacity(64), None);
        while !bytes.is_empty() {
            next_term(&mut bytes, &mut term, &mut value).ok_or_else(damaged)?;
            let rows = self.rows(&mut bytes, &mut at).ok_or_else(damaged)?;
            let told = Told {
                bytes: &term,
                value,
                rows,
            };
            if !take(told)? {
                break;
            }
        }
        Ok(())
    }

    /// Reads the rows of one term of a block and moves behind its list.
    fn rows(&self, bytes: &mut Bytes<'_>, at: &mut u64) -> Option<Rows> {
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

/// Reads what tells one term of a block: its bytes, or those before the value that it ends with.
fn next_term(
    bytes: &mut Bytes<'_>,
    term: &mut Vec<u8>,
    value: &mut Option<(u32, u32)>,
) -> Option<()> {
    let head = bytes.varint()?;
    let told = head >> 2;
    match (head & 3, *value) {
        (0, _) => {
            let shared = usize::try_from(told).ok()?;
            let rest = bytes.bytes()?;
            if shared > term.len() || shared + rest.len() > format::TERM_BYTES_MAX {
                return None;
            }
            term.truncate(shared);
            term.extend_from_slice(rest);
            *value = None;
        }
        (STEP, Some((column, number))) => {
            let number = u64::from(number).checked_add(told)?;
            *value = Some((column, u32::try_from(number).ok()?));
        }
        (NAMED, _) => {
            let prefix = usize::try_from(told).ok()?;
            if prefix > term.len() {
                return None;
            }
            term.truncate(prefix);
            let mut number = || u32::try_from(bytes.varint()?).ok();
            *value = Some((number()?, number()?));
        }
        _ => return None,
    }
    Some(())
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
