//! Pages of (key, row) pairs sorted by key and then row, and their index. Two sections have this
//! form: fingerprints and seqs. Pure; a page that breaks the order is refused as a whole.
//!
//! ```text
//! page   for each pair: key minus the key before (the first: minus the page's first key, so 0) ·
//!        row (varints)
//! index  for each page: first key u64 · offset u64 · len u32 · CRC-32 u32
//! ```

use core::ops::Range;

use super::format;
use crate::codec::checksum::crc32;
use crate::codec::varint;
use crate::codec::varint::Bytes;

/// A page's entry in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageEntry {
    pub(crate) first_key: u64,
    pub(crate) offset: u64,
    pub(crate) len: u32,
    pub(crate) crc: u32,
}

/// Collects the pairs of one page.
#[derive(Default)]
pub(crate) struct Builder {
    page: Vec<u8>,
    pairs: usize,
    first: u64,
    last: u64,
}

impl Builder {
    /// Appends the next pair; the caller keeps the order.
    pub(crate) fn push(&mut self, key: u64, row: u32) {
        if self.pairs == 0 {
            (self.first, self.last) = (key, key);
        }
        varint::put_u64(&mut self.page, key.wrapping_sub(self.last));
        varint::put_u64(&mut self.page, u64::from(row));
        self.last = key;
        self.pairs += 1;
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.pairs == 0
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.pairs >= format::PAGE_PAIRS
    }

    /// The page and its entry for the place `offset`; the builder is empty again.
    pub(crate) fn finish(&mut self, offset: u64) -> (Vec<u8>, PageEntry) {
        self.pairs = 0;
        let page = core::mem::take(&mut self.page);
        let entry = PageEntry {
            first_key: self.first,
            offset,
            len: page.len() as u32,
            crc: crc32(&page),
        };
        (page, entry)
    }
}

impl PageEntry {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first_key.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.len.to_le_bytes());
        out.extend_from_slice(&self.crc.to_le_bytes());
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<PageEntry> {
        Some(PageEntry {
            first_key: bytes.u64()?,
            offset: bytes.u64()?,
            len: bytes.u32()?,
            crc: bytes.u32()?,
        })
    }
}

/// The index of one section of pairs as it lies in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageIndex<'a>(&'a [u8]);

impl<'a> PageIndex<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> PageIndex<'a> {
        PageIndex(bytes)
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len() / format::PAGE_INDEX_LEN
    }

    pub(crate) fn entry(&self, page: usize) -> Option<PageEntry> {
        let start = page.checked_mul(format::PAGE_INDEX_LEN)?;
        PageEntry::decode(&mut Bytes::new(self.0.get(start..)?))
    }

    /// The first page that can hold `key`: the last that begins below it, as equal keys may span
    /// pages.
    pub(crate) fn page_of(&self, key: u64) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self
                .entry(middle)
                .is_some_and(|entry| entry.first_key < key)
            {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.saturating_sub(1)
    }

    /// Whether the pages fill `section` without gaps and are as many as `pairs` pairs take.
    pub(crate) fn is_sound(&self, section: Range<u64>, pairs: u64) -> Option<bool> {
        let mut offset = section.start;
        let mut before = 0;
        for page in 0..self.len() {
            let entry = self.entry(page)?;
            let sized = entry.len as usize <= format::PAGE_BYTES_MAX;
            if entry.offset != offset || entry.first_key < before || !sized {
                return Some(false);
            }
            offset = offset.checked_add(u64::from(entry.len))?;
            before = entry.first_key;
        }
        let whole = self.0.len() == self.len() * format::PAGE_INDEX_LEN;
        let counted = pairs.div_ceil(format::PAGE_PAIRS as u64) == self.len() as u64;
        Some(whole && counted && offset == section.end)
    }
}

/// Reads a page of `count` pairs whose rows are below `limit`.
pub(crate) fn decode_page(
    bytes: &[u8],
    entry: &PageEntry,
    count: usize,
    limit: u32,
) -> Option<Vec<(u64, u32)>> {
    if crc32(bytes) != entry.crc {
        return None;
    }
    let mut bytes = Bytes::new(bytes);
    let mut pairs: Vec<(u64, u32)> = Vec::with_capacity(count);
    let mut key = entry.first_key;
    for place in 0..count {
        let step = bytes.varint()?;
        if place == 0 && step != 0 {
            return None;
        }
        key = key.checked_add(step)?;
        let row = u32::try_from(bytes.varint()?)
            .ok()
            .filter(|row| *row < limit)?;
        if pairs.last().is_some_and(|before| *before >= (key, row)) {
            return None;
        }
        pairs.push((key, row));
    }
    bytes.is_empty().then_some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_page_or_refused(
            bytes in proptest::collection::vec(0_u8..140, 0..60),
            first_key: u64,
            count in 1_usize..9,
        ) {
            let crc = crc32(&bytes);
            let entry = PageEntry { first_key, offset: 0, len: bytes.len() as u32, crc };
            if let Some(pairs) = decode_page(&bytes, &entry, count, 100) {
                proptest::prop_assert!(pairs.is_sorted() && pairs.len() == count);
                proptest::prop_assert!(pairs.iter().all(|(_, row)| *row < 100));
            }
            let _ = PageIndex::new(&bytes).is_sound(0..60, 2);
        }
    }
}
