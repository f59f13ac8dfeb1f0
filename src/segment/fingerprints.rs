//! The fingerprints of a segment's keys, import marks and origin ids: of each the highest bits, in a
//! sorted list, and beside it the rows. A fingerprint only finds candidates. An imported row that has
//! an origin id is found by that, without its mark's, unless too many rows share the origin's.
//!
//! ```text
//! rows packed in the order of the fingerprints, to a whole byte · the list of fingerprints
//! ```

use std::path::Path;

use super::format;
use super::format::Kind;
use super::format::Section;
use super::lists;
use super::lists::Stored;
use super::named::Named;
use super::notes::Trace;
use super::output::Output;
use super::pages::Pages;
use super::reader::Reader;
use crate::codec::bits;
use crate::codec::bits::BitWriter;
use crate::codec::content::Content;
use crate::codec::row;
use crate::codec::row::Row;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::limits;

/// The fingerprints of the rows of a segment under construction, of each the upper half.
#[derive(Default)]
pub(super) struct Gathered {
    /// Above the row's number.
    pairs: Vec<u64>,
    /// Imported rows that have an origin's id: its fingerprint, the mark's, and the row.
    imported: Vec<(u32, u32, u32)>,
}

impl Gathered {
    /// Adds those of a row, which are `known` or taken anew, and gives back its content.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] with the file `path` if the content is no event.
    pub(super) fn look<'r>(
        &mut self,
        row: &Row<'r>,
        known: Option<row::Fingerprints>,
        number: u32,
        path: &Path,
    ) -> Result<Content<'r>> {
        let Some(content) = row.content() else {
            let what = format!("the content of event {} is no event", row.position.seq);
            return Err(Error::new(ErrorKind::Corrupt, what).in_file(path));
        };
        let found = known.unwrap_or_else(|| row.content_fingerprints(&content));
        let marked = row.body.import.is_some() && content.key.value().is_none();
        self.add(found, marked, number);
        Ok(content)
    }

    /// Adds those of an input's row, as `look` does; where it stands what they are taken of is told by
    /// `named`, or learned.
    pub(super) fn look_named(
        &mut self,
        row: &Row<'_>,
        trace: &Trace,
        named: &mut Named,
        number: u32,
        path: &Path,
    ) -> Result<()> {
        let text = row.body.content;
        if let Some((key, origin)) = named.find(trace, text) {
            let marked = row.body.import.is_some() && key.is_none();
            self.add(row.fingerprints_of(key, origin), marked, number);
            return Ok(());
        }
        let content = self.look(row, None, number, path)?;
        named.learn(trace, text, &content);
        Ok(())
    }

    /// Adds those of a row.
    pub(super) fn add(&mut self, found: row::Fingerprints, imported: bool, row: u32) {
        let half = |fingerprint: u64| (fingerprint >> 32) as u32;
        match (found.key, found.origin) {
            (Some(mark), Some(origin)) if imported => {
                self.imported.push((half(origin), half(mark), row));
            }
            (key, origin) => {
                let pairs = key.into_iter().chain(origin);
                self.pairs
                    .extend(pairs.map(|found| found >> 32 << 32 | u64::from(row)));
            }
        }
    }

    /// Gives each row another number: the one that `numbers` has in its place.
    pub(super) fn renumber(&mut self, numbers: &[u32]) {
        let renumbered = |row: u32| numbers.get(row as usize).copied().unwrap_or(row);
        for pair in &mut self.pairs {
            let row = renumbered(*pair as u32);
            *pair = *pair >> 32 << 32 | u64::from(row);
        }
        for (.., row) in &mut self.imported {
            *row = renumbered(*row);
        }
    }

    /// Bytes of memory taken.
    pub(super) const fn memory(&self) -> usize {
        8 * self.pairs.capacity() + 12 * self.imported.capacity()
    }

    /// The pairs of a segment of so many rows, whose fingerprints keep `width` bits, in order.
    fn pairs(mut self, width: u32) -> Vec<u64> {
        let kept = |half: u32| u64::from(half) >> (u32::BITS - width);
        let pairs = self.pairs.iter().map(|pair| kept((pair >> 32) as u32));
        let imported = self.imported.iter();
        let both = imported.flat_map(|(origin, mark, _)| [kept(*origin), kept(*mark)]);
        let mut all: Vec<u32> = pairs.chain(both).map(|kept| kept as u32).collect();
        all.sort_unstable();
        for pair in &mut self.pairs {
            *pair = kept((*pair >> 32) as u32) << 32 | *pair & u64::from(u32::MAX);
        }
        self.imported.sort_unstable();
        // Both ascend: the place of an origin's fingerprint among all only moves on.
        let mut rest = all.as_slice();
        for (origin, mark, row) in self.imported {
            let origin = kept(origin);
            while rest.first().is_some_and(|first| u64::from(*first) < origin) {
                rest = rest.get(1..).unwrap_or_default();
            }
            self.pairs.push(origin << 32 | u64::from(row));
            let beyond = rest.get(format::ORIGIN_ROWS_MAX).copied();
            if beyond.map(u64::from) == Some(origin) {
                self.pairs.push(kept(mark) << 32 | u64::from(row));
            }
        }
        self.pairs.sort_unstable();
        self.pairs.dedup();
        self.pairs
    }
}

/// The fingerprints of an open segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fingerprints {
    section: Section,
    count: u64,
    row_width: u32,
    width: u32,
}

impl Fingerprints {
    /// Of `count` pairs in a segment of `rows` rows.
    fn of(section: Section, count: u64, rows: u32) -> Fingerprints {
        Fingerprints {
            section,
            count,
            row_width: bits::width_of(u64::from(rows).saturating_sub(1)),
            width: bits::width_of(u64::from(rows)) + format::FINGERPRINT_SPARE,
        }
    }

    /// `None` where the section cannot hold as many as it says.
    pub(super) fn open(section: Section, rows: u32) -> Option<Fingerprints> {
        // A row has at most two.
        let fits = section.items <= 2 * u64::from(rows);
        let found = Fingerprints::of(section, section.items, rows);
        (fits && found.rows_len() <= section.len).then_some(found)
    }

    fn rows_len(&self) -> u64 {
        (self.count * u64::from(self.row_width)).div_ceil(8)
    }

    fn list(&self) -> Stored {
        Stored {
            section: self.section,
            at: self.rows_len() * 8,
            count: self.count,
            bound: 1 << self.width,
        }
    }

    pub(super) const fn kept_of(&self, fingerprint: u64) -> u64 {
        fingerprint >> (u64::BITS - self.width)
    }

    /// Writes the section of a segment of `rows` rows.
    pub(super) fn write(gathered: Gathered, rows: u32, output: &mut Output<'_>) -> Result<()> {
        let found = Fingerprints::of(Section::default(), 0, rows);
        let pairs = gathered.pairs(found.width);
        let mut packed = BitWriter::default();
        for pair in &pairs {
            packed.put(pair & u64::from(u32::MAX), found.row_width);
        }
        output.put(&packed.finish())?;
        let kept: Vec<u32> = pairs.iter().map(|pair| (pair >> 32) as u32).collect();
        lists::write(&kept, 1 << found.width, &mut packed);
        output.put(&packed.finish())?;
        output.end_section(Kind::Fingerprints, pairs.len() as u64);
        Ok(())
    }

    fn row(&self, pages: &Pages, place: u64) -> Result<Option<u32>> {
        let at = place * u64::from(self.row_width);
        let (first, last) = (at / 8, (at + u64::from(self.row_width)).div_ceil(8));
        let packed = pages.read(self.section.offset + first, (last - first) as usize)?;
        let row = bits::read(&packed, (at % 8) as usize, self.row_width);
        Ok(row.map(|row| row as u32))
    }

    /// The rows that may have this fingerprint; `None` where they are more than `most`.
    pub(super) fn find(
        &self,
        pages: &Pages,
        fingerprint: u64,
        most: usize,
    ) -> Result<Option<Vec<u32>>> {
        let wanted = self.kept_of(fingerprint);
        let list = self.list();
        let mut rows = Vec::new();
        let mut next = list.seek(pages, wanted)?;
        while let Some((place, found)) = next {
            if found != wanted {
                break;
            }
            if rows.len() >= most {
                return Ok(None);
            }
            rows.extend(self.row(pages, place)?);
            let place = place + 1;
            next = list.get(pages, place)?.map(|found| (place, found));
        }
        Ok(Some(rows))
    }

    /// All pairs, in order.
    pub(super) fn all(&self, pages: &Pages) -> Result<Vec<(u64, u32)>> {
        let mut kept = Vec::new();
        self.list().all(pages, &mut kept)?;
        let mut pairs = Vec::with_capacity(kept.len());
        for (place, kept) in kept.into_iter().enumerate() {
            if let Some(row) = self.row(pages, place as u64)? {
                pairs.push((kept, row));
            }
        }
        Ok(pairs)
    }
}

impl Reader {
    /// The rows that may have this fingerprint; the rows themselves confirm it.
    pub(crate) fn fingerprint(&self, fingerprint: u64) -> Result<Vec<u32>> {
        let found = self
            .stored_fingerprints()
            .find(self.pages(), fingerprint, usize::MAX)?;
        Ok(found.unwrap_or_default())
    }

    /// The rows that may be the imported record with this mark and this origin's id; the rows
    /// themselves confirm it.
    pub(crate) fn imported(&self, mark: u64, origin: Option<u64>) -> Result<Vec<u32>> {
        let mut rows = self.fingerprint(mark)?;
        if let Some(origin) = origin {
            let most = format::ORIGIN_ROWS_MAX;
            let found = self
                .stored_fingerprints()
                .find(self.pages(), origin, most)?;
            // Where more share the origin's, every one of them has its mark's too.
            rows.extend(found.into_iter().flatten());
        }
        Ok(rows)
    }

    /// All fingerprints, of which the segment keeps the highest bits, with their rows.
    pub(crate) fn fingerprints(&self) -> Result<Vec<(u64, u32)>> {
        self.stored_fingerprints().all(self.pages())
    }

    /// As much of a fingerprint as the segment keeps.
    pub(crate) fn kept_of(&self, fingerprint: u64) -> u64 {
        self.stored_fingerprints().kept_of(fingerprint)
    }
}

const _: () = {
    let widest = bits::width_of(limits::SEGMENT_ROWS as u64) + format::FINGERPRINT_SPARE;
    assert!(widest <= u32::BITS, "half of a fingerprint is gathered");
};
