//! Terms of a segment one after another, and its rows by seq, holding one block of each lane. After
//! an error the next call goes on behind the damage, so that `verify` finds all of it; every other
//! caller stops.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

use super::format::Kind;
use super::lanes;
use super::lanes::CODE_MAX;
use super::lanes::Lane;
use super::postings::Postings;
use super::reader::Reader;
use super::terms::Rows;
use super::terms::TermBlock;
use crate::error::Result;
use crate::id::Sequence;

/// Terms in order, from one on.
pub(crate) struct Terms {
    reader: Reader,
    from: Vec<u8>,
    /// The code whose lanes are walked; the next one's begin when they end.
    code: u8,
    walks: Vec<Walk>,
    heads: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    term: Vec<u8>,
    lists: Vec<Rows>,
}

/// A walk over the stored terms of one lane.
struct Walk {
    lane: Lane,
    block_number: u64,
    block: TermBlock,
    place: usize,
}

impl Reader {
    /// How many terms are stored.
    pub(crate) fn stored_terms(&self) -> u64 {
        let mut sections = self.directory().iter();
        let terms = sections.find(|section| section.kind == Kind::Terms as u16);
        terms.map_or(0, |section| section.items)
    }

    /// Hands on every stored term, in order. An entity is stored once, by kind and id.
    pub(crate) fn each_stored_term(&self, each: &mut dyn FnMut(&[u8])) -> Result<()> {
        for number in 0..self.term_blocks() {
            let block = self.term_block(number)?;
            (0..block.len())
                .filter_map(|place| block.term(place))
                .for_each(&mut *each);
        }
        Ok(())
    }
}

impl Terms {
    pub(super) fn new(reader: &Reader, from: &[u8]) -> Terms {
        Terms {
            reader: reader.clone(),
            from: from.to_vec(),
            code: from.first().map_or(0, |code| code.saturating_sub(1)),
            walks: Vec::new(),
            heads: BinaryHeap::new(),
            term: Vec::new(),
            lists: Vec::new(),
        }
    }

    /// Goes to the next term; false behind the last.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        self.lists.clear();
        self.term.clear();
        while self.heads.is_empty() {
            if self.code >= CODE_MAX {
                return Ok(false);
            }
            self.code += 1;
            self.begin_code()?;
        }
        while let Some(Reverse((term, place))) = self.heads.pop() {
            if !self.lists.is_empty() && term != self.term {
                self.heads.push(Reverse((term, place)));
                break;
            }
            self.term = term;
            let Some(walk) = self.walks.get_mut(place) else {
                break;
            };
            self.lists.extend(walk.block.rows(walk.place));
            walk.place += 1;
            let next = walk.head(&self.reader)?;
            self.heads.extend(next.map(|next| Reverse((next, place))));
        }
        Ok(true)
    }

    /// Lines up the lanes of the present code at the first term asked for.
    fn begin_code(&mut self) -> Result<()> {
        self.walks.clear();
        for lane in lanes::lanes(&self.reader, self.code)? {
            let first = match lane.stored(&self.from) {
                Some(stored) => stored,
                // Of a code above the first one every term is asked for; of the first one all
                // terms of a lane lie on one side.
                None if self.from.as_slice() > lane.own.as_slice() => continue,
                None => lane.prefix.clone(),
            };
            let (block_number, block) = self.reader.block_at(&first)?;
            let mut walk = Walk {
                place: block.lower_bound(&first),
                lane,
                block_number,
                block,
            };
            let head = walk.head(&self.reader)?;
            let place = self.walks.len();
            self.heads.extend(head.map(|head| Reverse((head, place))));
            self.walks.push(walk);
        }
        Ok(())
    }

    /// The present term; empty before the first and behind the last.
    pub(crate) fn term(&self) -> &[u8] {
        &self.term
    }

    /// How many rows have it.
    pub(crate) fn count(&self) -> Result<u32> {
        match self.lists.as_slice() {
            [only] => Ok(only.count),
            _ => Ok(self.postings().rows()?.len() as u32),
        }
    }

    /// The rows that have it.
    pub(crate) fn postings(&self) -> Postings {
        Postings::new(&self.reader, self.lists.clone())
    }
}

impl Walk {
    /// The term the walk stands on, as the lane tells it; loads the next block where one ended.
    fn head(&mut self, reader: &Reader) -> Result<Option<Vec<u8>>> {
        while self.place >= self.block.len() {
            self.block_number += 1;
            self.place = 0;
            self.block = TermBlock::default();
            if self.block_number >= reader.term_blocks() {
                return Ok(None);
            }
            self.block = reader.term_block(self.block_number)?;
        }
        let stored = self.block.term(self.place).unwrap_or_default();
        let rest = stored.strip_prefix(self.lane.prefix.as_slice());
        Ok(rest.map(|rest| [&self.lane.own, rest].concat()))
    }
}

/// The rows whose seq lies in a range, block by block, in no order.
pub(crate) struct BySeq {
    reader: Reader,
    seqs: (Sequence, Sequence),
    next_block: usize,
    found: std::vec::IntoIter<(u64, u32)>,
}

impl BySeq {
    pub(super) fn new(reader: &Reader, from: Sequence, to: Sequence) -> BySeq {
        BySeq {
            reader: reader.clone(),
            seqs: (from, to),
            next_block: 0,
            found: Vec::new().into_iter(),
        }
    }

    /// The next seq and its row.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, u32)>> {
        loop {
            if let Some(found) = self.found.next() {
                return Ok(Some(found));
            }
            if self.next_block >= self.reader.blocks() {
                return Ok(None);
            }
            let block = self.next_block;
            self.next_block += 1;
            if self.reader.may_hold(block, self.seqs)? {
                let (from, to) = self.seqs;
                let mut found = self.reader.stands(block)?;
                found.retain(|(seq, _)| (from.0..=to.0).contains(seq));
                self.found = found.into_iter();
            }
        }
    }
}
