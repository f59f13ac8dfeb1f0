//! Term blocks: runs of sorted terms, front-coded, each with its rows or where their list is; and
//! the index of the blocks. Pure; a block or an index that breaks an order or a bound is refused
//! as a whole.
//!
//! ```text
//! block  for each term: bytes shared with the one before · suffix · rows (varints), and then
//!        up to 8 rows: first row, differences · more: bytes of their list
//! index  for each block: offset of its first list u64 · its own offset u64 · stored len u32 ·
//!        raw len u32 · CRC-32 u32 · terms u32 · start of its first term u32; then the first terms
//! ```
//! The lists of a block's terms stand in front of the block, in the terms' order, without gaps.

use core::cmp::Ordering;
use core::ops::Range;

use super::format;
use super::list;
use super::packed;
use crate::codec::checksum::crc32;
use crate::codec::varint;
use crate::codec::varint::Bytes;

/// Where the rows of a term are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Among the block's inline rows.
    Inline(Range<usize>),
    /// In a list at this offset of the file and of this length.
    List(u64, u32),
}

/// One term of an unpacked block.
#[derive(Clone, Debug)]
struct Entry {
    term: Range<usize>,
    rows: u32,
    place: Place,
}

/// An unpacked term block.
#[derive(Clone, Debug, Default)]
pub(crate) struct TermBlock {
    text: Vec<u8>,
    inline: Vec<u32>,
    entries: Vec<Entry>,
}

/// A term block's entry in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TermIndexEntry {
    /// Where the lists of the block's terms begin in the file.
    pub(crate) lists: u64,
    /// Where they end and the block begins.
    pub(crate) block: u64,
    pub(crate) stored_len: u32,
    pub(crate) raw_len: u32,
    pub(crate) crc: u32,
    pub(crate) terms: u32,
    /// Where the block's first term begins behind the entries.
    pub(crate) term_start: u32,
}

/// Collects the terms of one block.
#[derive(Default)]
pub(crate) struct Builder {
    raw: Vec<u8>,
    first: Vec<u8>,
    last: Vec<u8>,
    terms: u32,
}

impl Builder {
    /// Appends the next term with its rows, which ascend; the list of more than
    /// [`format::INLINE_ROWS`] goes to `lists`.
    pub(crate) fn push(&mut self, term: &[u8], rows: &[u32], lists: &mut Vec<u8>) {
        let shared = if self.terms == 0 {
            self.first.clear();
            self.first.extend_from_slice(term);
            0
        } else {
            let pairs = self.last.iter().zip(term);
            pairs.take_while(|(one, other)| one == other).count()
        };
        varint::put_u64(&mut self.raw, shared as u64);
        varint::put_bytes(&mut self.raw, term.get(shared..).unwrap_or_default());
        varint::put_u64(&mut self.raw, rows.len() as u64);
        if rows.len() <= format::INLINE_ROWS {
            let mut before = 0;
            for row in rows {
                varint::put_u64(&mut self.raw, u64::from(row.wrapping_sub(before)));
                before = *row;
            }
        } else {
            let start = lists.len();
            list::encode(rows, lists);
            varint::put_u64(&mut self.raw, (lists.len() - start) as u64);
        }
        self.last.clear();
        self.last.extend_from_slice(term);
        self.terms += 1;
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.terms == 0
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.terms as usize >= format::TERM_BLOCK_TERMS
            || self.raw.len() >= format::TERM_BLOCK_BYTES
    }

    pub(crate) fn last(&self) -> &[u8] {
        &self.last
    }

    /// The raw block, the number of its terms and its first term; the builder is empty again.
    pub(crate) fn finish(&mut self) -> (Vec<u8>, u32, Vec<u8>) {
        let terms = core::mem::take(&mut self.terms);
        let raw = core::mem::take(&mut self.raw);
        (raw, terms, core::mem::take(&mut self.first))
    }
}

impl TermBlock {
    /// Reads the block that `entry` tells of and that begins with the term `first`; rows are below
    /// `limit`.
    pub(crate) fn decode(
        stored: &[u8],
        entry: &TermIndexEntry,
        first: &[u8],
        limit: u32,
    ) -> Option<TermBlock> {
        let raw_len = usize::try_from(entry.raw_len).ok()?;
        if crc32(stored) != entry.crc || raw_len > format::TERM_BLOCK_BYTES_MAX {
            return None;
        }
        let raw = packed::unpack(stored, raw_len)?;
        let mut bytes = Bytes::new(&raw);
        let mut block = TermBlock::default();
        let mut list = entry.lists;
        for _ in 0..entry.terms {
            block.decode_entry(&mut bytes, &mut list, limit)?;
        }
        let fits = bytes.is_empty() && list == entry.block && block.term(0)? == first;
        fits.then_some(block)
    }

    fn decode_entry(&mut self, bytes: &mut Bytes<'_>, list: &mut u64, limit: u32) -> Option<()> {
        let before = self.entries.last().map_or(0..0, |entry| entry.term.clone());
        let shared = bytes.count()?;
        let suffix = bytes.bytes()?;
        if shared > before.len() || shared + suffix.len() > format::TERM_BYTES_MAX {
            return None;
        }
        let start = self.text.len();
        self.text
            .extend_from_within(before.start..before.start + shared);
        self.text.extend_from_slice(suffix);
        let ascends = self.entries.is_empty() || self.text.get(start..) > self.text.get(before);
        let rows = u32::try_from(bytes.varint()?).ok()?;
        if !ascends || rows == 0 || rows > limit {
            return None;
        }
        let place = if rows as usize <= format::INLINE_ROWS {
            let first = u32::try_from(bytes.varint()?).ok()?;
            let from = self.inline.len();
            list::decode_rows(first, rows as usize, limit, bytes, &mut self.inline)?;
            Place::Inline(from..self.inline.len())
        } else {
            let len = u32::try_from(bytes.varint()?).ok()?;
            let offset = *list;
            *list = offset.checked_add(u64::from(len))?;
            Place::List(offset, len)
        };
        self.entries.push(Entry {
            term: start..self.text.len(),
            rows,
            place,
        });
        Some(())
    }

    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn term(&self, place: usize) -> Option<&[u8]> {
        let entry = self.entries.get(place)?;
        self.text.get(entry.term.clone())
    }

    pub(crate) fn rows(&self, place: usize) -> u32 {
        self.entries.get(place).map_or(0, |entry| entry.rows)
    }

    pub(crate) fn place(&self, place: usize) -> Option<&Place> {
        self.entries.get(place).map(|entry| &entry.place)
    }

    pub(crate) fn inline(&self, range: Range<usize>) -> &[u32] {
        self.inline.get(range).unwrap_or_default()
    }

    /// The place of the first term that is not below `term`.
    pub(crate) fn lower_bound(&self, term: &[u8]) -> usize {
        self.entries
            .partition_point(|entry| self.text.get(entry.term.clone()).unwrap_or_default() < term)
    }
}

impl TermIndexEntry {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.lists.to_le_bytes());
        out.extend_from_slice(&self.block.to_le_bytes());
        for number in [
            self.stored_len,
            self.raw_len,
            self.crc,
            self.terms,
            self.term_start,
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<TermIndexEntry> {
        Some(TermIndexEntry {
            lists: bytes.u64()?,
            block: bytes.u64()?,
            stored_len: bytes.u32()?,
            raw_len: bytes.u32()?,
            crc: bytes.u32()?,
            terms: bytes.u32()?,
            term_start: bytes.u32()?,
        })
    }
}

/// The term index as it lies in the file: `blocks` entries, then the blocks' first terms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TermIndex<'a> {
    entries: &'a [u8],
    terms: &'a [u8],
}

impl<'a> TermIndex<'a> {
    /// `None` when `bytes` are too few for so many blocks.
    pub(crate) fn new(bytes: &'a [u8], blocks: usize) -> Option<TermIndex<'a>> {
        let (entries, terms) =
            bytes.split_at_checked(blocks.checked_mul(format::TERM_INDEX_LEN)?)?;
        Some(TermIndex { entries, terms })
    }

    pub(crate) const fn len(&self) -> usize {
        self.entries.len() / format::TERM_INDEX_LEN
    }

    pub(crate) fn entry(&self, block: usize) -> Option<TermIndexEntry> {
        let start = block.checked_mul(format::TERM_INDEX_LEN)?;
        TermIndexEntry::decode(&mut Bytes::new(self.entries.get(start..)?))
    }

    /// The first term of a block.
    pub(crate) fn first(&self, block: usize) -> Option<&'a [u8]> {
        let start = usize::try_from(self.entry(block)?.term_start).ok()?;
        let end = match self.entry(block + 1) {
            Some(next) => usize::try_from(next.term_start).ok()?,
            None => self.terms.len(),
        };
        self.terms.get(start..end)
    }

    /// The block that holds `term` if any does: the last that does not begin behind it.
    pub(crate) fn block_of(&self, term: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.first(middle)?.cmp(term) {
                Ordering::Greater => high = middle,
                Ordering::Less | Ordering::Equal => low = middle + 1,
            }
        }
        low.checked_sub(1)
    }

    /// Whether the blocks and their lists fill `section` without gaps, hold `terms` terms, and
    /// begin with ascending terms.
    pub(crate) fn is_sound(&self, section: Range<u64>, terms: u64) -> Option<bool> {
        let (mut offset, mut left) = (section.start, terms);
        let mut before: Option<&[u8]> = None;
        for block in 0..self.len() {
            let entry = self.entry(block)?;
            let first = self.first(block)?;
            let sized = (1..=format::TERM_BLOCK_TERMS).contains(&(entry.terms as usize))
                && first.len() <= format::TERM_BYTES_MAX
                && before.is_none_or(|before| before < first);
            if entry.lists != offset || entry.block < offset || !sized {
                return Some(false);
            }
            offset = entry.block.checked_add(u64::from(entry.stored_len))?;
            left = left.checked_sub(u64::from(entry.terms))?;
            before = Some(first);
        }
        let starts_at_zero = self.entry(0).is_none_or(|entry| entry.term_start == 0);
        let has_tail = self.len() == 0 && !self.terms.is_empty();
        Some(offset == section.end && left == 0 && starts_at_zero && !has_tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::packed::Packer;

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_block_or_refused(
            raw in proptest::collection::vec(0_u8..12, 0..200),
            terms in 1_u32..9,
            lists in 0_u64..9,
        ) {
            let stored = Packer::new().and_then(|mut packer| packer.pack(&raw));
            let stored = stored.unwrap_or_default();
            let entry = TermIndexEntry {
                lists,
                block: lists + 20,
                stored_len: stored.len() as u32,
                raw_len: raw.len() as u32,
                crc: crc32(&stored),
                terms,
                term_start: 0,
            };
            for first in [&b""[..], &[1], &[2, 2]] {
                if let Some(block) = TermBlock::decode(&stored, &entry, first, 50) {
                    proptest::prop_assert_eq!(block.len(), terms as usize);
                    proptest::prop_assert!(block.inline.iter().all(|row| *row < 50));
                }
            }
        }

        #[test]
        fn any_bytes_are_an_index_or_refused(bytes: Vec<u8>, blocks in 0_usize..4, end: u64) {
            if let Some(index) = TermIndex::new(&bytes, blocks) {
                let _ = index.is_sound(64..end, 5);
                for block in 0..blocks + 1 {
                    let _ = index.first(block);
                }
                let _ = index.block_of(&bytes);
            }
        }
    }
}
