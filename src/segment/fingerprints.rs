//! The fingerprints of a segment's keys, import marks and origin ids: of each the highest bits, in a
//! sorted list, and beside it the rows. A fingerprint only finds candidates.
//!
//! ```text
//! rows packed in the order of the fingerprints, to a whole byte · the list of fingerprints
//! ```

use super::format;
use super::format::Kind;
use super::format::Section;
use super::lists;
use super::lists::Stored;
use super::output::Output;
use super::pages::Pages;
use crate::codec::bits;
use crate::codec::bits::BitWriter;
use crate::error::Result;

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
            width: bits::width_of(count) + format::FINGERPRINT_SPARE,
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

    /// Writes the section of these pairs.
    pub(super) fn write(
        mut pairs: Vec<(u64, u32)>,
        rows: u32,
        output: &mut Output<'_>,
    ) -> Result<()> {
        pairs.sort_unstable();
        pairs.dedup();
        let nowhere = Section::default();
        let found = Fingerprints::of(nowhere, pairs.len() as u64, rows);
        let mut packed = BitWriter::default();
        for (_, row) in &pairs {
            packed.put(u64::from(*row), found.row_width);
        }
        output.put(&packed.finish())?;
        let kept: Vec<u64> = pairs.iter().map(|(pair, _)| found.kept_of(*pair)).collect();
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

    /// The rows that may have this fingerprint.
    pub(super) fn find(&self, pages: &Pages, fingerprint: u64) -> Result<Vec<u32>> {
        let wanted = self.kept_of(fingerprint);
        let list = self.list();
        let mut rows = Vec::new();
        let mut next = list.seek(pages, wanted)?;
        while let Some((place, found)) = next {
            if found != wanted {
                break;
            }
            rows.extend(self.row(pages, place)?);
            let place = place + 1;
            next = list.get(pages, place)?.map(|found| (place, found));
        }
        Ok(rows)
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
