//! The values of a dictionary by their numbers, as rows are read: where things lie in the file is
//! known since the segment was opened, so that a value costs two looks at verified pages and one
//! copy.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::OnceLock;

use super::classes::Numbering;
use super::dictionary::Dictionary;
use super::dictionary::RUN_BYTES_MAX;
use super::dictionary::Store;
use super::letters::ULID_TIME;
use super::region::Region;
use super::region::Regions;
use super::rows::RowReader;
use super::rows::Stop;
use super::slab::Slab;
use super::spelling::Spelled;
use super::spelling::Tables;
use crate::codec::bits;
use crate::codec::buffer::Buffer;

/// Where the values of a column are.
#[derive(Debug)]
pub(super) struct Values {
    count: u32,
    /// Bits of a value's number in a table.
    pub(super) width: u32,
    pub(super) numbering: Numbering,
    region: Region,
    kind: Kind,
    /// All of them as they are, once that is worth it; or not, where there is no room.
    slab: OnceLock<Option<Arc<Slab>>>,
}

#[derive(Debug)]
enum Kind {
    Spelled(Spelled),
    Runs {
        run: u32,
        offset_width: u32,
        /// Where the runs begin behind their table.
        runs: u64,
    },
}

impl Values {
    /// The values of a dictionary of a section that begins at `section` in the file; `None` if they
    /// stand among the texts.
    pub(super) fn of(
        dictionary: &Dictionary,
        section: u64,
        regions: &mut Regions,
        tables: &mut Tables,
    ) -> Option<Values> {
        let len = dictionary.len().unwrap_or(0);
        let kind = match &dictionary.store {
            Store::Texts => return None,
            Store::Fixed(fixed) => Kind::Spelled(Spelled::of(fixed, tables)),
            Store::Runs {
                run, offset_width, ..
            } => Kind::Runs {
                run: *run,
                offset_width: *offset_width,
                runs: dictionary.table_len(),
            },
        };
        Some(Values {
            count: dictionary.count,
            width: dictionary.width,
            numbering: dictionary.numbering.clone(),
            region: Region::new(section.saturating_add(dictionary.at), len, regions),
            kind,
            slab: OnceLock::new(),
        })
    }

    /// All of them as they are, or that there is no room for that; `None` where that is not known
    /// yet.
    pub(super) fn slab(&self) -> Option<Option<&Arc<Slab>>> {
        self.slab.get().map(Option::as_ref)
    }

    /// Appends the value with this number to `out`.
    #[inline(always)]
    pub(super) fn read(
        &self,
        reader: &RowReader<'_>,
        number: u32,
        out: &mut Buffer,
    ) -> Result<(), Stop> {
        match self.slab.get() {
            Some(Some(slab)) => slab.put(number, out).ok_or(Stop::NoRow),
            _ => self.read_stored(reader, number, out),
        }
    }

    /// As [`Values::read`], from the file; and makes the slab when it is time.
    #[inline(never)]
    fn read_stored(
        &self,
        reader: &RowReader<'_>,
        number: u32,
        out: &mut Buffer,
    ) -> Result<(), Stop> {
        if number >= self.count {
            return Err(Stop::NoRow);
        }
        if self.region.is_frequent() {
            self.slab.get_or_init(|| {
                let read = |number, out: &mut Buffer| self.read_packed(reader, number, out).ok();
                Slab::of(self.count, &reader.leaves.room, read).map(Arc::new)
            });
        }
        self.read_packed(reader, number, out)
    }

    fn read_packed(
        &self,
        reader: &RowReader<'_>,
        number: u32,
        out: &mut Buffer,
    ) -> Result<(), Stop> {
        match &self.kind {
            Kind::Spelled(spelled) => {
                let width = spelled.width();
                let bit = u64::from(number) * width as u64;
                let (at, shift) = (bit / 8, (bit % 8) as usize);
                let len = (shift + width).div_ceil(8);
                let packed = self.region.view(reader.file, reader.pages, at, len)?;
                let tables = &reader.leaves.tables;
                let read = spelled.read(tables, &packed, shift, || [0; ULID_TIME], out);
                read.ok_or(Stop::NoRow)
            }
            Kind::Runs { run: 1, .. } => {
                let (values, len) = self.run(reader, number)?;
                out.put(&values, 0, len).ok_or(Stop::NoRow)
            }
            Kind::Runs { run, .. } => {
                let (values, len) = self.run(reader, number / run)?;
                read_run(&values, len, number % run, out).ok_or(Stop::NoRow)
            }
        }
    }

    /// The run at `place`, and how many bytes of what is given are its own.
    #[inline(always)]
    fn run<'r>(
        &'r self,
        reader: &RowReader<'r>,
        place: u32,
    ) -> Result<(Cow<'r, [u8]>, usize), Stop> {
        let Kind::Runs {
            offset_width, runs, ..
        } = &self.kind
        else {
            return Err(Stop::NoRow);
        };
        let width = *offset_width as usize;
        let bit = u64::from(place) * width as u64;
        let (at, shift) = (bit / 8, (bit % 8) as usize);
        let len = (shift + 2 * width).div_ceil(8);
        let table = self.region.view(reader.file, reader.pages, at, len)?;
        let (from, to) = bounds(&table, shift, width as u32).ok_or(Stop::NoRow)?;
        let len = to.checked_sub(from).ok_or(Stop::NoRow)? as usize;
        if len > RUN_BYTES_MAX {
            return Err(Stop::NoRow);
        }
        let values = self
            .region
            .view(reader.file, reader.pages, runs + from, len)?;
        Ok((values, len))
    }
}

/// The two neighbours of `width` bits at bit `at` of a table.
#[inline(always)]
fn bounds(table: &[u8], at: usize, width: u32) -> Option<(u64, u64)> {
    if 2 * width <= 57 {
        let word = bits::word(table, at, 2 * width)?;
        let mask = (1 << width) - 1;
        return Some((word & mask, word >> width & mask));
    }
    let behind = bits::read(table, at + width as usize, width);
    bits::read(table, at, width).zip(behind)
}

/// Appends the value at `place` of the run in the first `len` bytes.
#[inline]
fn read_run(run: &[u8], len: usize, place: u32, out: &mut Buffer) -> Option<()> {
    let start = out.len();
    let mut at = 0;
    for _ in 0..=place {
        let [shared, rest] = *run.get(at..)?.first_chunk::<2>()?;
        let shared = start + usize::from(shared);
        if shared > out.len() {
            return None;
        }
        out.truncate(shared);
        out.put(run, at + 2, usize::from(rest))?;
        at += 2 + usize::from(rest);
    }
    // What lies behind the run nobody has verified: it may be copied, but is no value.
    (at <= len).then_some(())
}
