//! An open segment, shared by any number of readers. Opening reads the fixed parts, the checksums of
//! the pages and the schema; after that every read touches what it needs, each page verified
//! before it is believed. Nothing here panics or trusts a length that no bound was put to.

mod named;
mod reading;

use core::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub(super) use self::named::ValueReader;
use super::fingerprints::Fingerprints;
use super::format;
use super::format::Footer;
use super::format::Header;
use super::format::Kind;
use super::format::Section;
use super::found::Found;
use super::lanes;
use super::leaves::Leaves;
use super::open;
use super::outlines::Outlines;
use super::pages::Pages;
use super::postings::Postings;
pub(crate) use super::rows::Loaded;
use super::schema::Schema;
use super::streams::BySeq;
use super::streams::Terms;
use super::terms::Rows;
use super::terms::TermBlock;
use super::terms::TermIndex;
use super::texts::TextIndex;
use super::zones::Zones;
use crate::disk::blob::Blob;
use crate::error::Error;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::limits;
use crate::planted::Bug;
use crate::planted::planted;

/// What the manifest knows of a file, which the file must then say of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) store: StoreId,
    pub(crate) segment: SegmentId,
    pub(crate) rows: u32,
    pub(crate) content_hash: [u8; 32],
}

impl Expected {
    /// The header of such a segment.
    fn header(&self) -> Header {
        Header {
            version: format::VERSION,
            incompatible: 0,
            compatible: 0,
            store: self.store,
            segment: self.segment,
        }
    }
}

/// An open segment; a clone is the same one.
#[derive(Clone)]
pub(crate) struct Reader(Arc<Inner>);

struct Inner {
    pages: Pages,
    header: Header,
    footer: Footer,
    directory: Vec<Section>,
    rows: Section,
    zones: Zones,
    schema: Schema,
    leaves: Leaves,
    outlines: Outlines,
    texts: TextIndex,
    terms: TermIndex,
    found: Found,
    fingerprints: Fingerprints,
}

/// Bytes at either end of a file that are read ahead when it is opened: the header and the newest
/// rows, the directory and what stands before it.
const END_BYTES: u64 = 16 << 10;

impl Reader {
    /// Opens a segment that must be the `expected` one.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Corrupt`] when the file is damaged or another one, and
    /// [`crate::error::ErrorKind::Unsupported`] when another version wrote what this one cannot read.
    pub(crate) fn open(blob: Blob, expected: &Expected) -> Result<Reader> {
        let reader = Reader::open_any(blob)?;
        let (header, footer) = (&reader.0.header, &reader.0.footer);
        let path = reader.path();
        if (header.store, header.segment) != (expected.store, expected.segment) {
            let what = "this is the segment of another store or number";
            return Err(Error::corrupt(path, 0, what));
        }
        let same = (footer.rows, footer.content_hash) == (expected.rows, expected.content_hash);
        if !same && !planted(Bug::IndexByLengthOnly) {
            let what = "this is not the segment that the manifest names: its content hash differs";
            return Err(Error::corrupt(path, reader.footer_offset(), what));
        }
        Ok(reader)
    }

    /// Opens whatever segment this is, for tools that have no manifest to trust.
    pub(crate) fn open_any(blob: Blob) -> Result<Reader> {
        let end = blob.len();
        for offset in [0, end.saturating_sub(END_BYTES)] {
            blob.will_need(offset, END_BYTES);
        }
        let header = open::read_header(&blob)?;
        let reader = Reader::open_end(blob, header, end, [Kind::PageSums, Kind::Schema])?;
        let Footer {
            directory_offset,
            directory_len,
            ..
        } = reader.0.footer;
        let sections = reader.0.directory.last().and_then(Section::end);
        let first_end =
            sections.map(|end| end + u64::from(directory_len) + format::FOOTER_LEN as u64);
        if first_end != Some(directory_offset) {
            let what = "the file ends with the first of its two footers";
            return Err(Error::corrupt(reader.path(), directory_offset, what));
        }
        Ok(reader)
    }

    /// Opens what is left of a damaged segment, by the parts that stand twice in it; `expected` is
    /// what the store's records say of it, and stands for a damaged header. Rows are read and
    /// verified as ever.
    pub(crate) fn open_left(
        open: impl Fn() -> Result<Blob>,
        expected: Option<&Expected>,
    ) -> Result<Reader> {
        let first = open()?;
        let header = open::read_header(&first);
        let header = header.or_else(|error| expected.map(Expected::header).ok_or(error))?;
        let ends = [Some(first.len()), open::find_footer(&first)?];
        let mut failure = None;
        for end in ends.into_iter().flatten() {
            for sums in [Kind::PageSums, Kind::PageSumsTwin] {
                for schema in [Kind::Schema, Kind::SchemaTwin] {
                    match Reader::open_end(open()?, header, end, [sums, schema]) {
                        Ok(reader) => return Ok(reader),
                        Err(error) => failure = failure.or(Some(error)),
                    }
                }
            }
        }
        let nothing = || Error::corrupt(first.path(), 0, "the segment has no end");
        Err(failure.unwrap_or_else(nothing))
    }

    /// Opens a segment by the footer that ends at `end`, with these sections for the checksums of
    /// pages and for the schema.
    fn open_end(blob: Blob, header: Header, end: u64, [sums, schema]: [Kind; 2]) -> Result<Reader> {
        let footer = open::read_footer(&blob, end)?;
        let directory = open::read_directory(&blob, &footer)?;
        let path = blob.path().to_owned();
        let damaged = |section: Section, what: &str| Error::corrupt(&path, section.offset, what);
        let find = |kind: Kind| open::find(&path, &footer, &directory, kind);
        for kind in [sums, schema] {
            let section = find(kind)?;
            blob.will_need(section.offset, section.len);
        }
        let covered = find(Kind::PageSums)?.offset;
        let pages = Pages::open(blob, find(sums)?, covered)?;
        let rows = find(Kind::Rows)?;
        let count = footer.rows;
        if rows.items != u64::from(count) || count == 0 || count as usize > limits::SEGMENT_ROWS {
            return Err(damaged(rows, "the number of rows cannot be right"));
        }
        let index = find(Kind::RowIndex)?;
        let zones = Zones::open(&pages, index, count)?;
        let zones =
            zones.ok_or_else(|| damaged(index, "the row index does not fit the row blocks"))?;
        let (index, texts) = (find(Kind::TextIndex)?, find(Kind::Texts)?);
        let texts = TextIndex::open(&pages, texts, index)?;
        let texts = texts.ok_or_else(|| damaged(index, "the text index does not fit the texts"))?;
        let dictionaries = find(Kind::Dictionaries)?;
        let section = find(schema)?;
        let schema = Schema::read(&pages, section, dictionaries.len)?;
        let schema = schema.ok_or_else(|| damaged(section, "the schema is damaged"))?;
        let index = find(Kind::TermIndex)?;
        let terms = TermIndex::open(find(Kind::Terms)?, index, find(Kind::Lists)?, count);
        let terms = terms.ok_or_else(|| damaged(index, "the term index does not fit the terms"))?;
        let section = find(Kind::Fingerprints)?;
        let fingerprints = Fingerprints::open(section, count);
        let fingerprints =
            fingerprints.ok_or_else(|| damaged(section, "the fingerprints are damaged"))?;
        let inner = Inner {
            pages,
            header,
            footer,
            rows,
            zones,
            leaves: Leaves::of(&schema, dictionaries),
            outlines: Outlines::new(&schema),
            schema,
            texts,
            terms,
            found: Found::default(),
            fingerprints,
            directory,
        };
        Ok(Reader(Arc::new(inner)))
    }

    pub(crate) fn path(&self) -> &Path {
        self.blob().path()
    }

    pub(crate) fn blob(&self) -> &Blob {
        self.0.pages.blob()
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.0.schema
    }

    pub(super) fn pages(&self) -> &Pages {
        &self.0.pages
    }

    /// How many columns are read in the fewest steps by now.
    #[cfg(test)]
    pub(super) fn quick_columns(&self) -> usize {
        self.0.leaves.quick_columns()
    }

    pub(crate) fn store(&self) -> StoreId {
        self.0.header.store
    }

    pub(crate) fn segment(&self) -> SegmentId {
        self.0.header.segment
    }

    /// Number of rows; they are numbered from 0 at the newest.
    pub(crate) fn rows(&self) -> u32 {
        self.0.footer.rows
    }

    /// SHA-256 of every byte before the footer, as the file says.
    pub(crate) fn content_hash(&self) -> [u8; 32] {
        self.0.footer.content_hash
    }

    pub(crate) fn footer_offset(&self) -> u64 {
        self.blob().len() - format::FOOTER_LEN as u64
    }

    /// The sections of the file, unknown ones among them.
    pub(crate) fn directory(&self) -> &[Section] {
        &self.0.directory
    }

    /// Number of row blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.0.zones.len()
    }

    /// The rows of a row block.
    pub(crate) fn rows_of_block(&self, block: usize) -> Range<u32> {
        self.0.zones.rows_of(block)
    }

    /// Where a row block begins in the file, and ends.
    fn extent(&self, block: usize) -> Result<Range<u64>> {
        let inner = &*self.0;
        let damaged = || self.damaged_block(block);
        let zone = inner.zones.get(&inner.pages, block)?.ok_or_else(damaged)?;
        let next = inner.zones.get(&inner.pages, block + 1)?;
        let last = block + 1 >= self.blocks();
        let end = match next {
            Some(next) => next.offset,
            None if last => inner.rows.len,
            None => return Err(damaged()),
        };
        let len = end.checked_sub(zone.offset);
        let fits =
            end <= inner.rows.len && len.is_some_and(|len| len <= format::BLOCK_BYTES_MAX as u64);
        if !fits {
            return Err(damaged());
        }
        Ok(inner.rows.offset + zone.offset..inner.rows.offset + end)
    }

    /// What the row index says of a block, in words.
    pub(crate) fn describe_block(&self, block: usize) -> Result<String> {
        let extent = self.extent(block)?;
        let zone = self.0.zones.get(&self.0.pages, block)?;
        let zone = zone.ok_or_else(|| self.damaged_block(block))?;
        let rows = self.rows_of_block(block);
        Ok(format!(
            "row block at byte {}  bytes {}  rows {} to {}  newest {}  seqs within {} .. {}",
            extent.start,
            extent.end - extent.start,
            rows.start,
            rows.end - 1,
            zone.newest,
            zone.seqs.0,
            zone.seqs.1,
        ))
    }

    /// Whether what the row index says of a block holds for rows that begin at `newest` and have
    /// seqs within `seqs`.
    pub(crate) fn block_has(
        &self,
        block: usize,
        newest: Position,
        seqs: (Sequence, Sequence),
    ) -> Result<bool> {
        let zone = self.0.zones.get(&self.0.pages, block)?;
        let zone = zone.ok_or_else(|| self.damaged_block(block))?;
        let (low, high) = zone.seqs;
        Ok(zone.newest == newest.occurred_at && low <= seqs.0 && seqs.1 <= high)
    }

    fn damaged_block(&self, block: usize) -> Error {
        let rows = self.rows_of_block(block);
        let what = format!(
            "the block of rows {} to {} is damaged",
            rows.start, rows.end
        );
        Error::corrupt(self.path(), self.0.rows.offset, what)
    }

    fn no_row(&self, row: u32) -> Error {
        let block = row as usize / format::BLOCK_ROWS;
        let extent = self.extent(block);
        let offset = extent.map_or(self.0.rows.offset, |extent| extent.start);
        let what = format!("row {row} is not there or no event");
        Error::corrupt(self.path(), offset, what)
    }

    /// The rows that have `term`; `None` if none has.
    pub(crate) fn postings(&self, term: &[u8]) -> Result<Option<Postings>> {
        let lists = lanes::find(self, term)?;
        Ok((!lists.is_empty()).then(|| Postings::new(self, lists)))
    }

    /// The terms from `from` on, in order.
    pub(crate) fn terms(&self, from: &[u8]) -> Terms {
        Terms::new(self, from)
    }

    /// The rows of a term that is stored.
    pub(super) fn stored_rows(&self, term: &[u8]) -> Result<Option<Rows>> {
        self.0.terms.find(self, term)
    }

    /// The first stored term that is not below `from`.
    pub(super) fn stored_at_or_after(&self, from: &[u8]) -> Result<Option<Vec<u8>>> {
        let (mut number, mut block) = self.block_at(from)?;
        let mut place = block.lower_bound(from);
        while place >= block.len() {
            number += 1;
            if number >= self.term_blocks() {
                return Ok(None);
            }
            block = self.term_block(number)?;
            place = 0;
        }
        let found = block.term(place);
        if found.is_some_and(|found| found < from) {
            return Err(self.0.terms.damaged(&self.0.pages));
        }
        Ok(found.map(<[u8]>::to_vec))
    }

    /// The block of stored terms that holds `term` if any does, and its number.
    pub(super) fn block_at(&self, term: &[u8]) -> Result<(u64, TermBlock)> {
        let number = self.0.terms.block_of(&self.0.pages, term)?;
        Ok((number, self.term_block(number)?))
    }

    /// The terms that were looked up last.
    pub(super) fn found(&self) -> &Found {
        &self.0.found
    }

    pub(super) fn term_blocks(&self) -> u64 {
        self.0.terms.blocks()
    }

    pub(super) fn term_block(&self, number: u64) -> Result<TermBlock> {
        self.0.terms.block(self, number)
    }

    /// Where a list of rows begins in the file.
    pub(super) fn list_offset(&self, rows: &Rows) -> u64 {
        rows.list.section.offset + rows.list.at / 8
    }

    pub(super) fn stored_fingerprints(&self) -> &Fingerprints {
        &self.0.fingerprints
    }

    /// The rows whose seq lies from `from` to `to`, both among them, in no order.
    pub(crate) fn by_seq(&self, from: Sequence, to: Sequence) -> BySeq {
        BySeq::new(self, from, to)
    }

    /// Whether a row block can hold a seq of this range.
    pub(super) fn may_hold(&self, block: usize, seqs: (Sequence, Sequence)) -> Result<bool> {
        let zone = self.0.zones.get(&self.0.pages, block)?;
        let (low, high) = zone.ok_or_else(|| self.damaged_block(block))?.seqs;
        Ok(low <= seqs.1 && high >= seqs.0)
    }

    /// The seqs of a row block with their rows.
    pub(super) fn stands(&self, block: usize) -> Result<Vec<(u64, u32)>> {
        let mut loaded = Loaded::default();
        let mut found = Vec::with_capacity(format::BLOCK_ROWS);
        for row in self.rows_of_block(block) {
            found.push((self.position(row, &mut loaded)?.seq.0, row));
        }
        Ok(found)
    }
}
