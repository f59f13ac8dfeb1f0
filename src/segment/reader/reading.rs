//! Rows of an open segment, one by one: where each stands in reading order, what it holds, and the
//! first one at or before a place.

use core::ops::Range;
use std::borrow::Cow;

use super::Loaded;
use super::Reader;
use crate::codec::canonical;
use crate::codec::content::Located;
use crate::codec::row::Body;
use crate::codec::row::ImportMark;
use crate::codec::row::Row;
use crate::error::Result;
use crate::id::Position;
use crate::planted::Bug;
use crate::planted::planted;
use crate::segment::format;
use crate::segment::notes::Note;
use crate::segment::notes::Trace;
use crate::segment::rows::Growing;
use crate::segment::rows::LoadedBlock;
use crate::segment::rows::RowReader;
use crate::segment::rows::Stop;

/// Bytes of rows after which a walk has the next ones read ahead, twice as many at a time.
const AHEAD_BYTES: u64 = 256 << 10;

impl Reader {
    /// Has the block of `row` in `block`; gives the row's place in it.
    fn load(&self, row: u32, block: &mut LoadedBlock) -> Result<usize> {
        if row >= self.rows() {
            return Err(self.no_row(row));
        }
        let number = row as usize / format::BLOCK_ROWS;
        let stale = block.of.filter(|_| planted(Bug::StaleBlock));
        let segment = stale.map_or(self.segment(), |(segment, _)| segment);
        if block.of != Some((segment, number)) {
            self.load_block(number, block)?;
        }
        Ok(row as usize % format::BLOCK_ROWS)
    }

    fn load_block(&self, number: usize, loaded: &mut LoadedBlock) -> Result<()> {
        let before = number.checked_sub(1).map(|before| (self.segment(), before));
        let goes_on = loaded.of == before;
        loaded.of = None;
        loaded.extent = self.extent(number)?;
        let Range { start, end } = loaded.extent;
        let crosses = start / AHEAD_BYTES != end / AHEAD_BYTES;
        if goes_on && crosses && !self.0.pages.was_read(end + AHEAD_BYTES) {
            self.blob().will_need(end, 2 * AHEAD_BYTES);
        }
        let len = (loaded.extent.end - loaded.extent.start) as usize;
        let rows = self.rows_of_block(number);
        let rows = (rows.end - rows.start) as usize;
        let told = !self.0.schema.recorded.is_empty();
        let head = match self.0.pages.read(loaded.extent.start, len)? {
            Cow::Borrowed(block) => loaded.head.decode(block, rows, told),
            Cow::Owned(block) => {
                loaded.bytes = block;
                loaded.head.decode(&loaded.bytes, rows, told)
            }
        };
        head.ok_or_else(|| self.damaged_block(number))?;
        loaded.of = Some((self.segment(), number));
        loaded.read += 1;
        Ok(())
    }

    /// The bytes of a block, and where the file is mapped what lies behind it.
    #[inline]
    fn block<'b>(&'b self, loaded: &'b LoadedBlock) -> &'b [u8] {
        match self.blob().mapped() {
            Some(file) => file.get(loaded.extent.start as usize..).unwrap_or_default(),
            None => &loaded.bytes,
        }
    }

    /// One row.
    pub(crate) fn row<'l>(&'l self, row: u32, loaded: &'l mut Loaded) -> Result<Row<'l>> {
        let place = self.load(row, &mut loaded.block)?;
        let (found, _) = self.read_row((row, place), &loaded.block, &mut loaded.row, &mut ())?;
        self.line_of(row, found)
    }

    /// One row, and where the members of its content stand; what is `located` is of use only where
    /// that is known, and the content has to be parsed otherwise.
    pub(crate) fn parts<'l>(
        &'l self,
        row: u32,
        loaded: &'l mut Loaded,
        located: &mut Located<'l>,
    ) -> Result<(Row<'l>, bool)> {
        let place = self.load(row, &mut loaded.block)?;
        let cuts = &mut loaded.cuts;
        let (found, is_clean) =
            self.read_row((row, place), &loaded.block, &mut loaded.row, cuts)?;
        let inner = &*self.0;
        // Else some leaf holds what may be an escape, or more than one text.
        if is_clean {
            let text = found.body.content;
            let known = inner.outlines.locate(&inner.schema, text, cuts, located);
            if known.is_some() {
                return Ok((found, true));
            }
        }
        Ok((self.line_of(row, found)?, false))
    }

    /// One row, and how it was put together, if `loaded` asks for that.
    pub(in crate::segment) fn traced_row<'l>(
        &'l self,
        row: u32,
        loaded: &'l mut Loaded,
    ) -> Result<(Row<'l>, Option<&'l Trace>)> {
        let place = self.load(row, &mut loaded.block)?;
        let (block, grown) = (&loaded.block, &mut loaded.row);
        let (found, _) = match &mut loaded.trace {
            Some(trace) => self.read_row((row, place), block, grown, trace)?,
            None => self.read_row((row, place), block, grown, &mut ())?,
        };
        Ok((self.line_of(row, found)?, loaded.trace.as_ref()))
    }

    /// The row of this number, if its content begins as a canonical line can be made of.
    #[inline]
    fn line_of<'l>(&self, number: u32, row: Row<'l>) -> Result<Row<'l>> {
        match canonical::seams(row.body.content) {
            Some(_) => Ok(row),
            None => Err(self.no_row(number)),
        }
    }

    /// The row of this number and this place in its block, whatever its content is, and whether
    /// strings hold all bytes of its leaves as they are.
    #[inline]
    fn read_row<'l>(
        &'l self,
        (row, place): (u32, usize),
        loaded: &'l LoadedBlock,
        grown: &'l mut Growing,
        note: &mut impl Note,
    ) -> Result<(Row<'l>, bool)> {
        let (head, view) = (&loaded.head, self.block(loaded));
        let len = (loaded.extent.end - loaded.extent.start) as usize;
        let block = view.get(..len).unwrap_or_default();
        let bits = head.row(block, place);
        let inner = &*self.0;
        let recorded = &inner.schema.recorded;
        let found = head.position(block, place).and_then(|position| {
            let recorded_at = match recorded.is_empty() {
                true => head.recorded_at(block, place),
                false => recorded.at(position.seq),
            };
            Some((position, recorded_at?, bits?))
        });
        let Some((position, recorded_at, bits)) = found else {
            return Err(self.no_row(row));
        };
        inner.leaves.regions.read_ahead(self.blob());
        let reader = self.row_reader();
        let tail = view.get(bits.start..).unwrap_or_default();
        let came = match reader.read(tail, bits.len(), position, grown, note) {
            Ok(came) => came,
            Err(Stop::NoRow) => return Err(self.no_row(row)),
            Err(Stop::Failed(error)) => return Err(error),
        };
        let content = core::str::from_utf8(grown.content.as_slice()).ok();
        let mapping = inner.schema.shapes.get(came.shape);
        let mapping = mapping.and_then(|shape| shape.mapping.as_deref());
        let body = Body {
            time_given: came.time_given,
            import: mapping.map(|mapping| ImportMark {
                mapping,
                repeat: came.repeat,
            }),
            content: content.ok_or_else(|| self.no_row(row))?,
        };
        let row = Row {
            position,
            recorded_at,
            body,
        };
        Ok((row, grown.is_clean))
    }

    /// What rows are read with.
    #[inline]
    pub(super) fn row_reader(&self) -> RowReader<'_> {
        let inner = &*self.0;
        RowReader {
            file: self.blob().mapped().unwrap_or_default(),
            segment: self.segment(),
            pages: &inner.pages,
            schema: &inner.schema,
            leaves: &inner.leaves,
            texts: &inner.texts,
        }
    }

    /// Where one row stands in reading order.
    pub(crate) fn position(&self, row: u32, loaded: &mut Loaded) -> Result<Position> {
        let place = self.load(row, &mut loaded.block)?;
        let loaded = &loaded.block;
        let position = loaded.head.position(self.block(loaded), place);
        position.ok_or_else(|| self.no_row(row))
    }

    /// The first row at or before `position` in time: the newest whose position is not above it;
    /// [`Reader::rows`] if all are above.
    pub(crate) fn lower_bound(&self, position: Position, loaded: &mut Loaded) -> Result<u32> {
        // Blocks that begin above the position, then rows of the last of them.
        let (mut low, mut high) = (0, self.blocks());
        while low < high {
            let middle = low + (high - low) / 2;
            let zone = self.0.zones.get(&self.0.pages, middle)?;
            let newest = zone.ok_or_else(|| self.damaged_block(middle))?.newest;
            let above = if newest == position.occurred_at {
                self.position(self.rows_of_block(middle).start, loaded)? > position
            } else {
                newest > position.occurred_at
            };
            if above {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let Some(block) = low.checked_sub(1) else {
            return Ok(0);
        };
        let Range { start, mut end } = self.rows_of_block(block);
        let mut first = start;
        while first < end {
            let middle = first + (end - first) / 2;
            if self.position(middle, loaded)? > position {
                first = middle + 1;
            } else {
                end = middle;
            }
        }
        Ok(first)
    }
}
