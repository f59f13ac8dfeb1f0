//! The terms of several segments, or of ranges of their rows, as those of one that holds all these
//! rows: term after term in order, the rows of each under their new numbers. No row is looked at.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

use super::reader::Reader;
use super::terms::Rows;
use super::terms::TermBlock;
use super::writer::TakeTerm;
use crate::error::Error;
use crate::error::Result;

/// Rows of one segment that go into another.
pub(super) struct Moved<'s> {
    pub(super) reader: &'s Reader,
    /// The first of them.
    pub(super) first: u32,
    /// The new number of that row and of each that follows; ascending.
    pub(super) numbers: Vec<u32>,
}

/// A walk over the stored terms of a segment.
struct Walk<'s> {
    moved: &'s Moved<'s>,
    block_number: u64,
    block: TermBlock,
    place: usize,
}

/// Hands out every term of these rows with the rows' new numbers, both ascending.
pub(super) fn each(inputs: &[Moved<'_>], take: TakeTerm<'_>) -> Result<()> {
    let mut walks = Vec::with_capacity(inputs.len());
    let mut heads: BinaryHeap<Reverse<(Vec<u8>, usize)>> = BinaryHeap::new();
    for moved in inputs {
        let mut walk = Walk {
            moved,
            block_number: 0,
            block: moved.reader.term_block(0)?,
            place: 0,
        };
        let mut term = Vec::new();
        if walk.head(&mut term)? {
            heads.push(Reverse((term, walks.len())));
        }
        walks.push(walk);
    }
    let (mut term, mut rows, mut listed) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(Reverse((found, place))) = heads.pop() {
        if found != term {
            tell(&term, &mut rows, take)?;
            term.clone_from(&found);
        }
        let Some(walk) = walks.get_mut(place) else {
            break;
        };
        if let Some(stored) = walk.block.rows(walk.place) {
            walk.moved.rows_of(&stored, &mut listed, &mut rows)?;
        }
        walk.place += 1;
        let mut next = found;
        if walk.head(&mut next)? {
            heads.push(Reverse((next, place)));
        }
    }
    tell(&term, &mut rows, take)
}

/// Hands out a term that has rows, which come input after input, and empties them.
fn tell(term: &[u8], rows: &mut Vec<u32>, take: TakeTerm<'_>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    if !rows.is_sorted() {
        // The stable sort finds the inputs' runs.
        rows.sort();
    }
    let told = take(term, rows);
    rows.clear();
    told
}

impl Walk<'_> {
    /// Puts the term the walk stands on into `term`; false behind the last one.
    fn head(&mut self, term: &mut Vec<u8>) -> Result<bool> {
        let reader = self.moved.reader;
        while self.place >= self.block.len() {
            self.block_number += 1;
            self.place = 0;
            if self.block_number >= reader.term_blocks() {
                return Ok(false);
            }
            self.block = reader.term_block(self.block_number)?;
        }
        term.clear();
        term.extend_from_slice(self.block.term(self.place).unwrap_or_default());
        Ok(true)
    }
}

impl Moved<'_> {
    /// Appends the new numbers of the rows that have a term.
    fn rows_of(&self, rows: &Rows, listed: &mut Vec<u64>, out: &mut Vec<u32>) -> Result<()> {
        listed.clear();
        let reader = self.reader;
        if !rows.list.all(reader.pages(), listed)? {
            let what = "this list of rows is damaged";
            return Err(Error::corrupt(
                reader.path(),
                reader.list_offset(rows),
                what,
            ));
        }
        let listed = listed
            .iter()
            .map(|row| row.checked_sub(u64::from(self.first)));
        let inside = listed.flatten().map(|row| row as usize);
        if !rows.inverted {
            out.extend(inside.filter_map(|row| self.numbers.get(row)));
            return Ok(());
        }
        let mut start = 0;
        for lacks in inside.chain([self.numbers.len()]) {
            let lacks = lacks.min(self.numbers.len());
            out.extend_from_slice(self.numbers.get(start..lacks).unwrap_or_default());
            start = lacks + 1;
        }
        Ok(())
    }
}
