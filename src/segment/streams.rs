//! Terms and pairs of a segment one after another, holding one block or page. After an error the
//! next call goes on behind the damage, so that `verify` finds all of it; every other caller stops.

use super::format::Kind;
use super::postings::Postings;
use super::reader::Reader;
use super::terms::TermBlock;
use crate::error::Result;

/// Terms in order, from one on.
pub(crate) struct Terms {
    reader: Reader,
    next_block: usize,
    block: TermBlock,
    place: usize,
    begun: bool,
}

/// Pairs in order, from a key on up to another.
pub(crate) struct Pairs {
    reader: Reader,
    kind: Kind,
    next_page: usize,
    page: std::vec::IntoIter<(u64, u32)>,
    from: u64,
    to: u64,
}

impl Terms {
    pub(super) fn new(reader: &Reader, from: &[u8]) -> Result<Terms> {
        let mut terms = Terms {
            reader: reader.clone(),
            next_block: reader.term_block_of(from).unwrap_or(0),
            block: TermBlock::default(),
            place: 0,
            begun: false,
        };
        if !from.is_empty() {
            terms.load_next()?;
            terms.place = terms.block.lower_bound(from);
        }
        Ok(terms)
    }

    /// Goes to the next term; false behind the last.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        if self.begun {
            self.place += 1;
        }
        self.begun = true;
        if self.place >= self.block.len() {
            self.place = 0;
            self.load_next()?;
        }
        Ok(self.place < self.block.len())
    }

    /// Goes on behind a damaged block when it is called again.
    fn load_next(&mut self) -> Result<()> {
        let next = self.next_block;
        self.next_block += 1;
        self.block = TermBlock::default();
        if next < self.reader.term_blocks() {
            self.block = self.reader.term_block(next)?;
        }
        Ok(())
    }

    /// The present term; empty before the first and behind the last.
    pub(crate) fn term(&self) -> &[u8] {
        self.block.term(self.place).unwrap_or_default()
    }

    /// How many rows have it.
    pub(crate) fn count(&self) -> u32 {
        self.block.rows(self.place)
    }

    /// The rows that have it.
    pub(crate) fn postings(&self) -> Result<Postings> {
        self.reader.postings_at(&self.block, self.place)
    }
}

impl Pairs {
    pub(super) fn new(reader: &Reader, kind: Kind, from: u64, to: u64) -> Pairs {
        Pairs {
            reader: reader.clone(),
            kind,
            next_page: reader.page_of(kind, from),
            page: Vec::new().into_iter(),
            from,
            to,
        }
    }

    /// The next key and its row.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, u32)>> {
        loop {
            for (key, row) in self.page.by_ref() {
                if key > self.to {
                    return Ok(None);
                }
                if key >= self.from {
                    return Ok(Some((key, row)));
                }
            }
            if !self.load_next()? {
                return Ok(None);
            }
        }
    }

    /// Goes on behind a damaged page when it is called again.
    fn load_next(&mut self) -> Result<bool> {
        let entry = self.reader.page_entry(self.kind, self.next_page);
        let Some(entry) = entry.filter(|entry| entry.first_key <= self.to) else {
            return Ok(false);
        };
        let number = self.next_page;
        self.next_page += 1;
        self.page = self.reader.page(self.kind, number, &entry)?.into_iter();
        Ok(true)
    }
}
