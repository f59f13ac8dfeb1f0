//! An open segment, shared by any number of readers. Opening reads the fixed parts and the three
//! kinds of index and checks that what they tell fits together; after that every read fetches,
//! verifies and unpacks one unit. Nothing here panics or trusts a length that no bound was put to.

use std::path::Path;
use std::sync::Arc;

use super::block::Block;
use super::format;
use super::format::Footer;
use super::format::Header;
use super::format::Kind;
use super::format::Section;
use super::open;
use super::open::Kept;
use super::pairs;
use super::pairs::PageEntry;
use super::pairs::PageIndex;
use super::postings::Postings;
use super::streams::Pairs;
use super::streams::Terms;
use super::terms::Place;
use super::terms::TermBlock;
use super::terms::TermIndex;
use super::zones::Zones;
use crate::codec::row::Row;
use crate::disk::blob::Blob;
use crate::error::Error;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::limits;

/// What the manifest knows of a file, which the file must then say of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) store: StoreId,
    pub(crate) segment: SegmentId,
    pub(crate) rows: u32,
    pub(crate) content_hash: [u8; 32],
}

/// An open segment; a clone is the same one.
#[derive(Clone)]
pub(crate) struct Reader(Arc<Inner>);

struct Inner {
    blob: Blob,
    header: Header,
    footer: Footer,
    directory: Vec<Section>,
    rows: Section,
    zones: Kept,
    terms: Section,
    term_index: Kept,
    fingerprints: PairSection,
    seqs: PairSection,
}

struct PairSection {
    section: Section,
    index: Kept,
}

/// The block that was read last, kept by whoever reads row after row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded(Option<(SegmentId, Block)>);

impl Reader {
    /// Opens a segment that must be the `expected` one.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Corrupt`] when the file is damaged or another one, and
    /// [`crate::error::ErrorKind::Unsupported`] when a newer version wrote what this one cannot read.
    pub(crate) fn open(blob: Blob, expected: &Expected) -> Result<Reader> {
        let reader = Reader::open_any(blob)?;
        let (header, footer) = (&reader.0.header, &reader.0.footer);
        let path = reader.path();
        if (header.store, header.segment) != (expected.store, expected.segment) {
            return Err(Error::corrupt(
                path,
                0,
                "this is the segment of another store or number",
            ));
        }
        if (footer.rows, footer.content_hash) != (expected.rows, expected.content_hash) {
            let what = "this is not the segment that the manifest names: its content hash differs";
            return Err(Error::corrupt(path, reader.footer_offset(), what));
        }
        Ok(reader)
    }

    /// Opens whatever segment this is, for tools that have no manifest to trust.
    pub(crate) fn open_any(blob: Blob) -> Result<Reader> {
        let header = open::read_header(&blob)?;
        let footer = open::read_footer(&blob)?;
        let directory = open::read_directory(&blob, &footer)?;
        let find = |kind: Kind| open::find(&blob, &footer, &directory, kind);
        let kept = |kind: Kind| find(kind).and_then(|section| open::keep(&blob, section));
        let pair_section = |kind: Kind, index: Kind| -> Result<PairSection> {
            Ok(PairSection {
                section: find(kind)?,
                index: kept(index)?,
            })
        };
        let inner = Inner {
            rows: find(Kind::Rows)?,
            zones: kept(Kind::RowIndex)?,
            terms: find(Kind::Terms)?,
            term_index: kept(Kind::TermIndex)?,
            fingerprints: pair_section(Kind::Fingerprints, Kind::FingerprintIndex)?,
            seqs: pair_section(Kind::Sequences, Kind::SequenceIndex)?,
            header,
            footer,
            directory,
            blob,
        };
        inner.check()?;
        Ok(Reader(Arc::new(inner)))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.blob.path()
    }

    pub(crate) fn blob(&self) -> &Blob {
        &self.0.blob
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
        self.0.blob.len() - format::FOOTER_LEN as u64
    }

    /// The sections of the file, unknown ones among them.
    pub(crate) fn directory(&self) -> &[Section] {
        &self.0.directory
    }

    /// Where row blocks are and what they hold.
    pub(crate) fn zones(&self) -> Zones<'_> {
        self.0.zones()
    }

    /// One row block, read and verified.
    pub(crate) fn block(&self, block: usize) -> Result<Block> {
        let inner = &*self.0;
        let zone = inner.zones().get(block);
        let zone = zone.ok_or_else(|| inner.corrupt(inner.rows.offset, "no such row block"))?;
        let stored = inner.blob.read(zone.offset, zone.stored_len as usize)?;
        let block = Block::decode(&stored).filter(|found| {
            let next = zone.first_row + found.heads().len() as u32;
            let ends = [found.heads().first(), found.heads().last()];
            found.first_row() == zone.first_row
                && ends.map(|head| head.map(|head| head.position))
                    == [Some(zone.newest), Some(zone.oldest)]
                && inner
                    .zones()
                    .get(block + 1)
                    .map_or(inner.footer.rows, |zone| zone.first_row)
                    == next
        });
        block.ok_or_else(|| inner.corrupt(zone.offset, "this row block is damaged"))
    }

    /// The block that holds `row`, from `loaded` if it is there.
    pub(crate) fn load<'l>(&self, row: u32, loaded: &'l mut Loaded) -> Result<&'l Block> {
        let segment = self.segment();
        let kept = loaded
            .0
            .take()
            .filter(|(of, block)| *of == segment && block.head(row).is_some());
        let block = match kept {
            Some((_, block)) => block,
            None => {
                let found = self.zones().block_of(row).filter(|_| row < self.rows());
                self.block(found.ok_or_else(|| self.no_row(row))?)?
            }
        };
        Ok(&loaded.0.insert((segment, block)).1)
    }

    /// One row.
    pub(crate) fn row<'l>(&self, row: u32, loaded: &'l mut Loaded) -> Result<Row<'l>> {
        let block = self.load(row, loaded)?;
        block.row(row).ok_or_else(|| self.no_row(row))
    }

    /// Where one row stands in reading order.
    pub(crate) fn position(&self, row: u32, loaded: &mut Loaded) -> Result<Position> {
        let head = self.load(row, loaded)?.head(row);
        head.map(|head| head.position)
            .ok_or_else(|| self.no_row(row))
    }

    fn no_row(&self, row: u32) -> Error {
        let zone = self
            .zones()
            .block_of(row)
            .and_then(|block| self.zones().get(block));
        let offset = zone.map_or(self.0.rows.offset, |zone| zone.offset);
        self.0
            .corrupt(offset, &format!("row {row} is not there or no event"))
    }

    /// The first row at or before `position` in time: the newest whose position is not above it;
    /// [`Reader::rows`] if all are above.
    pub(crate) fn lower_bound(&self, position: Position, loaded: &mut Loaded) -> Result<u32> {
        self.first_row(|found| found > position, loaded)
    }

    /// The first row for whose position `is_before` does not hold; it must hold for a head of them.
    fn first_row(&self, is_before: impl Fn(Position) -> bool, loaded: &mut Loaded) -> Result<u32> {
        let block = self.zones().partition_point(|zone| is_before(zone.oldest));
        let Some(zone) = self.zones().get(block) else {
            return Ok(self.rows());
        };
        if !is_before(zone.newest) {
            return Ok(zone.first_row);
        }
        let block = self.load(zone.first_row, loaded)?;
        let before = block
            .heads()
            .partition_point(|head| is_before(head.position));
        Ok(zone.first_row + before as u32)
    }

    /// The rows that have `term`; `None` if none has.
    pub(crate) fn postings(&self, term: &[u8]) -> Result<Option<Postings>> {
        let Some(number) = self.term_block_of(term) else {
            return Ok(None);
        };
        let block = self.term_block(number)?;
        let place = block.lower_bound(term);
        if block.term(place) != Some(term) {
            return Ok(None);
        }
        self.postings_at(&block, place).map(Some)
    }

    pub(super) fn postings_at(&self, block: &TermBlock, place: usize) -> Result<Postings> {
        let rows = block.rows(place);
        match block.place(place) {
            Some(Place::Inline(range)) => Ok(Postings::inline(self, block.inline(range.clone()))),
            Some(Place::List(offset, len)) => Postings::list(self, rows, *offset, *len),
            None => Err(self.0.corrupt(self.0.terms.offset, "no such term")),
        }
    }

    /// The terms from `from` on, in order.
    pub(crate) fn terms(&self, from: &[u8]) -> Result<Terms> {
        Terms::new(self, from)
    }

    /// The block that holds `term` if any does.
    pub(super) fn term_block_of(&self, term: &[u8]) -> Option<usize> {
        self.0.term_index()?.block_of(term)
    }

    pub(super) fn term_blocks(&self) -> usize {
        self.0.term_index().map_or(0, |index| index.len())
    }

    pub(super) fn term_block(&self, number: usize) -> Result<TermBlock> {
        let inner = &*self.0;
        let index = inner.term_index();
        let found = index.and_then(|index| Some((index.entry(number)?, index.first(number)?)));
        let Some((entry, first)) = found else {
            return Err(inner.corrupt(inner.terms.offset, "no such term block"));
        };
        let stored = inner.blob.read(entry.block, entry.stored_len as usize)?;
        TermBlock::decode(&stored, &entry, first, inner.footer.rows)
            .ok_or_else(|| inner.corrupt(entry.block, "this term block is damaged"))
    }

    /// The rows that may have this fingerprint; the rows themselves confirm it.
    pub(crate) fn fingerprint(&self, fingerprint: u64) -> Result<Vec<u32>> {
        let mut rows = Vec::new();
        let mut pairs = Pairs::new(self, Kind::Fingerprints, fingerprint, fingerprint);
        while let Some((_, row)) = pairs.next()? {
            rows.push(row);
        }
        Ok(rows)
    }

    /// All fingerprints with their rows.
    pub(crate) fn fingerprints(&self) -> Pairs {
        Pairs::new(self, Kind::Fingerprints, 0, u64::MAX)
    }

    /// The rows whose seq lies from `from` to `to`, both among them, in seq order.
    pub(crate) fn by_seq(&self, from: Sequence, to: Sequence) -> Pairs {
        Pairs::new(self, Kind::Sequences, from.0, to.0)
    }

    /// The first page of the kind that can hold `key`.
    pub(super) fn page_of(&self, kind: Kind, key: u64) -> usize {
        self.0.page_index(kind).page_of(key)
    }

    pub(super) fn page_entry(&self, kind: Kind, number: usize) -> Option<PageEntry> {
        self.0.page_index(kind).entry(number)
    }

    /// The page with this number and entry.
    pub(super) fn page(
        &self,
        kind: Kind,
        number: usize,
        entry: &PageEntry,
    ) -> Result<Vec<(u64, u32)>> {
        let inner = &*self.0;
        let before = number as u64 * format::PAGE_PAIRS as u64;
        let pairs = inner.pair_section(kind).section.items;
        let count = pairs.saturating_sub(before).min(format::PAGE_PAIRS as u64) as usize;
        let bytes = inner.blob.read(entry.offset, entry.len as usize)?;
        pairs::decode_page(&bytes, entry, count, inner.footer.rows)
            .ok_or_else(|| inner.corrupt(entry.offset, "this page of pairs is damaged"))
    }
}

impl Inner {
    fn zones(&self) -> Zones<'_> {
        Zones::new(self.zones.bytes(&self.blob))
    }

    fn term_index(&self) -> Option<TermIndex<'_>> {
        let blocks = usize::try_from(self.term_index.section.items).ok()?;
        TermIndex::new(self.term_index.bytes(&self.blob), blocks)
    }

    fn pair_section(&self, kind: Kind) -> &PairSection {
        match kind {
            Kind::Sequences => &self.seqs,
            _ => &self.fingerprints,
        }
    }

    fn page_index(&self, kind: Kind) -> PageIndex<'_> {
        PageIndex::new(self.pair_section(kind).index.bytes(&self.blob))
    }

    fn corrupt(&self, offset: u64, what: &str) -> Error {
        Error::corrupt(self.blob.path(), offset, what)
    }

    /// Checks that the indexes describe exactly the sections they are for.
    fn check(&self) -> Result<()> {
        let rows = self.footer.rows;
        let counts = [self.rows.items, self.seqs.section.items] == [u64::from(rows); 2];
        if !counts || rows == 0 || rows as usize > limits::SEGMENT_ROWS {
            let offset = self.footer.directory_offset;
            return Err(self.corrupt(offset, "the number of rows cannot be right"));
        }
        let range = |section: &Section| section.end().map(|end| section.offset..end);
        let zones = range(&self.rows).and_then(|range| self.zones().is_sound(range, rows));
        let terms = range(&self.terms)
            .and_then(|range| self.term_index()?.is_sound(range, self.terms.items));
        let pairs = |kind: Kind| {
            let section = &self.pair_section(kind).section;
            self.page_index(kind)
                .is_sound(range(section)?, section.items)
        };
        for (sound, index, what) in [
            (
                zones,
                &self.zones,
                "the row index does not fit the row blocks",
            ),
            (
                terms,
                &self.term_index,
                "the term index does not fit the terms",
            ),
            (
                pairs(Kind::Fingerprints),
                &self.fingerprints.index,
                "the fingerprint index does not fit the fingerprints",
            ),
            (
                pairs(Kind::Sequences),
                &self.seqs.index,
                "the seq index does not fit the seqs",
            ),
        ] {
            if sound != Some(true) {
                return Err(self.corrupt(index.section.offset, what));
            }
        }
        Ok(())
    }
}
