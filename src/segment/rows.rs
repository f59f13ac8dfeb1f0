//! Reads rows of an open segment: the head of a row's block, then its bits, leaf by leaf, put back
//! between the literals of its templates. Nothing of a row is believed: a number without a value, or
//! bits that end early, is damage.

use core::ops::Range;

use super::block::Head;
use super::builder::moment;
use super::format::Section;
use super::pages::Pages;
use super::schema::Base;
use super::schema::Column;
use super::schema::Piece;
use super::schema::Reference;
use super::schema::Schema;
use super::texts::TextIndex;
use super::texts::Unpacked;
use crate::codec::bits;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::limits;

/// What whoever reads row after row keeps: the block and the row read last, and their memory.
#[derive(Default)]
pub(crate) struct Loaded {
    /// Which segment and block `head` is of.
    pub(super) block: Option<(SegmentId, usize)>,
    /// Where that block lies in the file.
    pub(super) extent: Range<u64>,
    pub(super) head: Head,
    /// Blocks whose heads were read.
    pub(super) blocks_read: u64,
    pub(super) content: Vec<u8>,
    /// Where the last leaf of each column stands in the content, and its number.
    leaves: Vec<(Range<usize>, u32)>,
    texts: Unpacked,
    /// How the row read last was put together, if that is asked for.
    pub(super) trace: Option<Trace>,
}

/// How a row was put together, for whoever takes it apart again.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) shape: u32,
    /// The template of each member, counted through all members.
    pub(super) templates: Vec<u32>,
    pub(super) leaves: Vec<TracedLeaf>,
}

/// A leaf of a row: its column, where it stands in the content, and the number of its value, if it
/// has one.
#[derive(Clone, Debug)]
pub(super) struct TracedLeaf {
    pub(super) column: u32,
    pub(super) range: Range<usize>,
    pub(super) value: Option<u32>,
}

/// What the rows of a segment are read with.
pub(super) struct RowReader<'s> {
    pub(super) segment: SegmentId,
    pub(super) pages: &'s Pages,
    pub(super) schema: &'s Schema,
    pub(super) dictionaries: Section,
    pub(super) texts: &'s TextIndex,
}

/// The bits of a row that are still to be read.
struct Cursor<'b> {
    bits: &'b [u8],
    at: usize,
}

/// What a row says beside its content.
pub(super) struct Came {
    pub(super) time_given: bool,
    /// The row's shape, which knows the mapping's name.
    pub(super) shape: usize,
    pub(super) repeat: u64,
}

impl Loaded {
    /// How many blocks were read for it.
    pub(crate) const fn blocks_read(&self) -> u64 {
        self.blocks_read
    }
}

impl Cursor<'_> {
    fn take(&mut self, width: u32) -> Option<u64> {
        let value = bits::read(self.bits, self.at, width)?;
        self.at += width as usize;
        Some(value)
    }
}

impl RowReader<'_> {
    /// Reads the row of these bits into `loaded.content`; `None` where they are none.
    pub(super) fn read(
        &self,
        row: &[u8],
        position: Position,
        loaded: &mut Loaded,
    ) -> Result<Option<Came>> {
        loaded.content.clear();
        loaded.leaves.resize(self.schema.columns.len(), (0..0, 0));
        let mut cursor = Cursor { bits: row, at: 0 };
        let Some(number) = cursor.take(self.schema.shape_width) else {
            return Ok(None);
        };
        let Some(shape) = self.schema.shapes.get(number as usize) else {
            return Ok(None);
        };
        if let Some(trace) = &mut loaded.trace {
            trace.shape = number as u32;
            trace.templates.clear();
            trace.leaves.clear();
        }
        let repeat = match &shape.mapping {
            Some(_) => cursor.take(self.schema.repeat_width),
            None => Some(0),
        };
        let Some(repeat) = repeat else {
            return Ok(None);
        };
        for (place, member) in shape.members.iter().enumerate() {
            loaded.content.push(if place == 0 { b'{' } else { b',' });
            let template = self
                .schema
                .member_width(*member)
                .and_then(|width| cursor.take(width));
            if let (Some(trace), Some(template)) = (&mut loaded.trace, template) {
                trace.templates.extend(self.schema.place(*member, template));
            }
            let pieces = template.and_then(|template| self.schema.pieces(*member, template));
            let Some(pieces) = pieces else {
                return Ok(None);
            };
            for piece in pieces {
                match piece {
                    Piece::Literal(range) => {
                        loaded.content.extend_from_slice(self.schema.literal(range));
                    }
                    Piece::Leaf(column) => {
                        if self.leaf(*column, &mut cursor, position, loaded)?.is_none() {
                            return Ok(None);
                        }
                    }
                }
            }
            if loaded.content.len() > 2 * limits::EVENT_BYTES_CEILING {
                return Ok(None);
            }
        }
        loaded.content.push(b'}');
        Ok(Some(Came {
            time_given: shape.time_given,
            shape: number as usize,
            repeat,
        }))
    }

    /// Appends one leaf to the content.
    fn leaf(
        &self,
        number: u32,
        cursor: &mut Cursor<'_>,
        position: Position,
        loaded: &mut Loaded,
    ) -> Result<Option<()>> {
        let Some(column) = self.schema.columns.get(number as usize) else {
            return Ok(None);
        };
        let start = loaded.content.len();
        let told = match column.reference {
            Reference::None => Some(false),
            _ if column.always => Some(true),
            _ => cursor.take(1).map(|bit| bit == 1),
        };
        let mut value = u32::MAX;
        let read = match (told, &column.reference) {
            (None, _) => None,
            (Some(true), Reference::Copy(source)) => copy(*source, loaded),
            (Some(true), Reference::Derived(source, at)) => {
                match self.derived(column, *source, *at, loaded)? {
                    Some(found) => {
                        value = found;
                        self.numbered(column, found, loaded)?
                    }
                    None => None,
                }
            }
            _ => self.plain(column, cursor, position, &mut value, loaded)?,
        };
        if read.is_none() {
            return Ok(None);
        }
        let end = loaded.content.len();
        if let Some(trace) = &mut loaded.trace {
            trace.leaves.push(TracedLeaf {
                column: number,
                range: start..end,
                value: (value != u32::MAX).then_some(value),
            });
        }
        if let Some(slot) = loaded.leaves.get_mut(number as usize) {
            *slot = (start..end, value);
        }
        Ok(Some(()))
    }

    /// A leaf that stands in the row itself.
    fn plain(
        &self,
        column: &Column,
        cursor: &mut Cursor<'_>,
        position: Position,
        value: &mut u32,
        loaded: &mut Loaded,
    ) -> Result<Option<()>> {
        let out = &mut loaded.content;
        Ok(match &column.base {
            Base::None => None,
            Base::Dictionary(dictionary) => match cursor.take(dictionary.width) {
                Some(found) => {
                    *value = found as u32;
                    dictionary.read(self.pages, self.dictionaries.offset, found as u32, out)?
                }
                None => None,
            },
            Base::Text { width } => match cursor.take(*width) {
                Some(found) => {
                    *value = found as u32;
                    self.numbered(column, found as u32, loaded)?
                }
                None => None,
            },
            Base::Integer { low, width } => cursor.take(*width).map(|above| {
                let number = low.wrapping_add(above.cast_signed());
                put_number(number, out);
            }),
            Base::Fixed(fixed) => {
                let at = cursor.at;
                cursor.at += fixed.width();
                fixed.read(cursor.bits, at, || moment(position), out)
            }
            Base::Letters(alphabet) => alphabet.read(cursor.bits, &mut cursor.at, out),
        })
    }

    /// The value of a column that has this number.
    fn numbered(&self, column: &Column, number: u32, loaded: &mut Loaded) -> Result<Option<()>> {
        let out = &mut loaded.content;
        match &column.base {
            Base::Dictionary(dictionary) => {
                dictionary.read(self.pages, self.dictionaries.offset, number, out)
            }
            Base::Text { .. } => {
                self.texts
                    .read(self.pages, self.segment, number, &mut loaded.texts, out)
            }
            _ => Ok(None),
        }
    }

    /// The number that the last leaf of `source` leads to.
    fn derived(
        &self,
        column: &Column,
        source: u32,
        at: u64,
        loaded: &Loaded,
    ) -> Result<Option<u32>> {
        let width = match &column.base {
            Base::Dictionary(dictionary) => dictionary.width,
            Base::Text { width } => *width,
            _ => return Ok(None),
        };
        let Some((_, from)) = loaded.leaves.get(source as usize) else {
            return Ok(None);
        };
        let bit = u64::from(*from) * u64::from(width);
        let (first, last) = (bit / 8, (bit + u64::from(width)).div_ceil(8));
        let Some(start) = at
            .checked_add(first)
            .filter(|start| start + (last - first) <= self.dictionaries.len)
        else {
            return Ok(None);
        };
        let table = self
            .pages
            .read(self.dictionaries.offset + start, (last - first) as usize)?;
        Ok(bits::read(&table, (bit % 8) as usize, width).map(|found| found as u32))
    }
}

/// Appends the last leaf of another column once more.
fn copy(source: u32, loaded: &mut Loaded) -> Option<()> {
    let (range, _) = loaded.leaves.get(source as usize)?;
    if range.end > loaded.content.len() || range.start > range.end {
        return None;
    }
    loaded.content.extend_from_within(range.clone());
    Some(())
}

/// Appends a number as it is printed.
fn put_number(number: i64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut left = number.unsigned_abs();
    let mut count = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (left % 10) as u8;
        left /= 10;
        count += 1;
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(digits.len() - count..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_rust_prints_them() {
        for number in [0, 7, -1, 10, 123_456, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            put_number(number, &mut out);
            assert_eq!(out, number.to_string().into_bytes());
        }
    }
}
