//! Reads rows of an open segment: the head of a row's block, then its bits, leaf by leaf, put back
//! between the literals of its templates. Nothing of a row is believed: a number without a value, or
//! bits that go on behind its end, is damage.

use core::ops::Range;

use super::block::Head;
use super::leaves::Last;
use super::leaves::Leaves;
use super::notes::Cuts;
use super::notes::Note;
use super::notes::Trace;
use super::pages::Pages;
use super::schema::NO_COLUMN;
use super::schema::Schema;
use super::texts::TextIndex;
use super::texts::Unpacked;
use crate::codec::bits;
use crate::codec::buffer::Buffer;
use crate::error::Error;
use crate::id::Position;
use crate::id::SegmentId;
use crate::limits;

/// What whoever reads row after row keeps: the block and the row read last, and their memory.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(super) block: LoadedBlock,
    pub(super) row: Growing,
    /// Where the pieces of the row stand that was taken apart last.
    pub(super) cuts: Cuts,
    /// How the row read last was put together, if that is asked for.
    pub(super) trace: Option<Trace>,
}

/// The block that a row was read from.
#[derive(Default)]
pub(super) struct LoadedBlock {
    /// Which segment and block `head` is of.
    pub(super) of: Option<(SegmentId, usize)>,
    /// Where that block lies in the file.
    pub(super) extent: Range<u64>,
    /// The block itself, where the file is not mapped.
    pub(super) bytes: Vec<u8>,
    pub(super) head: Head,
    /// Blocks whose heads were read.
    pub(super) read: u64,
}

/// A row while its text grows, and the memory for the next one.
#[derive(Default)]
pub(super) struct Growing {
    pub(super) content: Buffer,
    pub(super) texts: Unpacked,
    /// The last leaf of each column that tells others.
    pub(super) last: Vec<Last>,
    /// The row's number among those that were read.
    pub(super) number: u64,
    /// Strings hold the bytes of its leaves as they are, and nothing that would have to be escaped;
    /// looked at where that matters.
    pub(super) is_clean: bool,
}

/// What the rows of a segment are read with.
pub(super) struct RowReader<'s> {
    /// The whole file where it is mapped, otherwise nothing.
    pub(super) file: &'s [u8],
    pub(super) segment: SegmentId,
    pub(super) pages: &'s Pages,
    pub(super) schema: &'s Schema,
    pub(super) leaves: &'s Leaves,
    pub(super) texts: &'s TextIndex,
}

/// The bits of a row that are still to be read, and those of the rows behind it.
pub(super) struct Cursor<'b> {
    pub(super) bits: &'b [u8],
    pub(super) at: usize,
}

/// What a row says beside its content.
pub(super) struct Came {
    pub(super) time_given: bool,
    /// The row's shape, which knows the mapping's name.
    pub(super) shape: usize,
    pub(super) repeat: u64,
}

/// Why there is no row.
pub(super) enum Stop {
    /// The bits are none.
    NoRow,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

impl Loaded {
    /// How many blocks were read for it.
    pub(crate) const fn blocks_read(&self) -> u64 {
        self.block.read
    }
}

impl Cursor<'_> {
    /// The next `width` bits, at most 57. They may be those of another row: whoever reads a row
    /// looks at its end where it ended.
    #[inline(always)]
    pub(super) fn take(&mut self, width: u32) -> Result<u64, Stop> {
        let word = bits::word(self.bits, self.at, width).ok_or(Stop::NoRow)?;
        self.at += width as usize;
        Ok(word & !(u64::MAX << (width % u64::BITS)))
    }

    /// As [`Cursor::take`], up to 64 bits.
    pub(super) fn take_wide(&mut self, width: u32) -> Result<u64, Stop> {
        let value = bits::read(self.bits, self.at, width).ok_or(Stop::NoRow)?;
        self.at += width as usize;
        Ok(value)
    }

    /// Passes over as many bits; gives where they begin.
    #[inline]
    pub(super) const fn skip(&mut self, width: usize) -> usize {
        let at = self.at;
        self.at += width;
        at
    }
}

impl Growing {
    /// The last leaf of this row that is remembered in `slot`.
    #[inline]
    pub(super) fn last_of(&self, slot: u32) -> Result<Last, Stop> {
        let last = self.last.get(slot as usize).copied();
        last.filter(|last| last.row == self.number)
            .ok_or(Stop::NoRow)
    }

    /// Remembers in `slot` the leaf that begins at `start` and ends here.
    #[inline]
    pub(super) fn remember(&mut self, slot: u32, start: usize, number: u32) {
        if let Some(last) = self.last.get_mut(slot as usize) {
            *last = Last {
                row: self.number,
                start,
                len: self.content.len() - start,
                number,
            };
        }
    }
}

impl RowReader<'_> {
    /// Reads the row whose bits begin in front of `bits` and end after `len` bytes; its content
    /// is in `row` then.
    pub(super) fn read<N: Note>(
        &self,
        bits: &[u8],
        len: usize,
        position: Position,
        row: &mut Growing,
        note: &mut N,
    ) -> Result<Came, Stop> {
        let mut cursor = Cursor { bits, at: 0 };
        row.last.resize(self.leaves.tellers, Last::default());
        row.number += 1;
        row.is_clean = N::CUTS;
        row.content.clear();
        let number = self.schema.shape_numbers.read(&mut cursor)? as usize;
        let shape = self.schema.shapes.get(number).ok_or(Stop::NoRow)?;
        note.begin(number as u32);
        let repeat = match &shape.mapping {
            Some(_) => cursor.take_wide(self.schema.repeat_width)?,
            None => 0,
        };
        for member in &shape.members {
            self.member(*member, &mut cursor, position, row, note)?;
        }
        note.end(row.content.len());
        match row.content.len() {
            0 => row.content.push(b'{'),
            _ => row.content.set(0, b'{'),
        }
        row.content.push(b'}');
        if cursor.at > len * 8 {
            return Err(Stop::NoRow);
        }
        Ok(Came {
            time_given: shape.time_given,
            shape: number,
            repeat,
        })
    }

    /// Appends a comma and a member.
    #[inline]
    fn member(
        &self,
        member: u32,
        cursor: &mut Cursor<'_>,
        position: Position,
        row: &mut Growing,
        note: &mut impl Note,
    ) -> Result<(), Stop> {
        let numbering = self.schema.template_numbers(member).ok_or(Stop::NoRow)?;
        let template = numbering.read(cursor)?;
        let place = self.schema.place(member, template).ok_or(Stop::NoRow)?;
        note.member(place);
        let steps = self.schema.steps(place).ok_or(Stop::NoRow)?;
        for step in steps {
            note.literal(row.content.len());
            let literal = (step.start as usize, step.len as usize);
            let put = row.content.put(&self.schema.literals, literal.0, literal.1);
            put.ok_or(Stop::NoRow)?;
            if step.column != NO_COLUMN {
                self.leaf(step.column, cursor, position, row, note)?;
            }
            if row.content.len() > 2 * limits::EVENT_BYTES_CEILING {
                return Err(Stop::NoRow);
            }
        }
        Ok(())
    }
}
