//! The terms of rows that come one after another, each term with its rows, in the order in which a
//! segment stores them. What a sealed memtable is indexed with; a merge has the terms of its inputs.

use core::ops::Range;

use super::values::Interner;
use super::values::LookUp;
use crate::codec::content::Content;
use crate::error::Result;
use crate::filter::indexed;

/// Rows so far, by term.
#[derive(Default)]
pub(super) struct Index {
    terms: Interner,
    /// Of each term how many rows have it, and the last of them.
    counts: Vec<(u32, u32)>,
    /// The numbers of the terms, row after row, and where each row's end.
    postings: Vec<u32>,
    ends: Vec<u32>,
    /// The terms of the present row, one behind the other, and the look-up of each.
    bytes: Vec<u8>,
    sought: Vec<(Range<usize>, LookUp)>,
}

impl Index {
    /// Takes in the terms of the next row.
    pub(super) fn add(&mut self, content: &Content<'_>) {
        self.bytes.clear();
        self.sought.clear();
        indexed::stored(content, |term| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(term);
            let sought = (start..self.bytes.len(), self.terms.begin(term));
            self.sought.push(sought);
        });
        let terms = self.terms.values();
        for (_, sought) in &mut self.sought {
            sought.approach(terms);
        }
        let sought = core::mem::take(&mut self.sought);
        for (place, sought) in &sought {
            let term = self.bytes.get(place.clone()).unwrap_or_default();
            let known = sought.end(term, self.terms.values());
            let number = known.unwrap_or_else(|| number(&mut self.terms, &mut self.counts, term));
            self.put(number);
        }
        self.sought = sought;
        self.end_row();
    }

    /// The number of the term that `build` writes.
    pub(super) fn term(&mut self, build: impl FnOnce(&mut Vec<u8>)) -> u32 {
        self.bytes.clear();
        build(&mut self.bytes);
        number(&mut self.terms, &mut self.counts, &self.bytes)
    }

    /// Says that the present row has the term of this number.
    #[inline]
    pub(super) fn put(&mut self, number: u32) {
        let row = self.ends.len() as u32;
        if let Some((count, last)) = self.counts.get_mut(number as usize)
            && *last != row
        {
            *count += 1;
            *last = row;
            self.postings.push(number);
        }
    }

    /// The present row has no more terms.
    pub(super) fn end_row(&mut self) {
        self.ends.push(self.postings.len() as u32);
    }

    /// Bytes of memory taken, about.
    pub(super) fn memory(&self) -> usize {
        let rows = 4 * (self.postings.capacity() + self.ends.capacity());
        rows + 8 * self.counts.capacity() + self.terms.heap()
    }

    /// Hands out every term with its rows, both ascending. `order` gives the rows as they came in the
    /// order in which the segment has them.
    pub(super) fn each(
        self,
        order: impl Iterator<Item = u32>,
        mut take: impl FnMut(&[u8], &[u32]) -> Result<()>,
    ) -> Result<()> {
        // Where the rows of each term go: behind those of the terms before it.
        let mut slots: Vec<u32> = Vec::with_capacity(self.counts.len());
        let mut before = 0;
        for (count, _) in &self.counts {
            slots.push(before);
            before += count;
        }
        let mut listed = vec![0; self.postings.len()];
        let end = |row: usize| self.ends.get(row).map_or(0, |end| *end as usize);
        for (row, came) in (0..).zip(order.map(|came| came as usize)) {
            let start = came.checked_sub(1).map_or(0, end);
            for term in self.postings.get(start..end(came)).unwrap_or_default() {
                if let Some(slot) = slots.get_mut(*term as usize) {
                    if let Some(place) = listed.get_mut(*slot as usize) {
                        *place = row;
                    }
                    *slot += 1;
                }
            }
        }
        let terms = self.terms.values();
        for term in terms.sorted() {
            let end = slots.get(term as usize).copied().unwrap_or(0) as usize;
            let count = self
                .counts
                .get(term as usize)
                .map_or(0, |(count, _)| *count);
            let rows = listed.get(end - count as usize..end).unwrap_or_default();
            take(terms.get(term), rows)?;
        }
        Ok(())
    }
}

/// The number of a term, which is counted from now on.
fn number(terms: &mut Interner, counts: &mut Vec<(u32, u32)>, term: &[u8]) -> u32 {
    let (number, is_new) = terms.number(term);
    if is_new {
        counts.push((0, u32::MAX));
    }
    number
}
