//! The columns of a segment made ready to be read: leaf by leaf a row's bits become text again.
//! Only leaves that others are told from are remembered while a row is read.

use std::sync::Arc;
use std::sync::OnceLock;

use super::classes::Numbering;
use super::format::Section;
use super::letters::Alphabet;
use super::letters::TEXT_MAX;
use super::letters::moment;
use super::notes::Note;
use super::numbered::Values;
use super::quick::Quick;
use super::region::Region;
use super::region::Regions;
use super::rows::Cursor;
use super::rows::Growing;
use super::rows::RowReader;
use super::rows::Stop;
use super::schema::Base;
use super::schema::Column;
use super::schema::Reference;
use super::schema::Schema;
use super::slab::Room;
use super::spelled_time::SpelledTime;
use super::spelling::Spelled;
use super::spelling::Tables;
use crate::codec::bits;
use crate::codec::buffer::Buffer;
use crate::codec::digits::Digits;
use crate::event;
use crate::id::Position;

/// Every column, as rows are read by it.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    columns: Vec<Leaf>,
    /// By column: how it is read by now, if not as those are.
    quick: Vec<OnceLock<Option<Quick>>>,
    pub(super) tables: Tables,
    pub(super) regions: Regions,
    pub(super) room: Room,
    /// How many columns tell others.
    pub(super) tellers: usize,
}

/// One column.
#[derive(Debug)]
struct Leaf {
    /// No other column tells it, and it tells none.
    is_alone: bool,
    told: Told,
    /// A bit says whether it is told.
    asked: bool,
    /// Strings hold all of its own leaves as they are.
    is_clean: bool,
    /// Where the last leaf is remembered; [`NOWHERE`] if nobody asks for it.
    kept: u32,
    base: Kind,
}

/// What tells a leaf: the remembered leaf of another column.
#[derive(Debug)]
enum Told {
    Never,
    Copy(u32),
    /// By a table from the other's number, of which there are so many, to its own.
    Derived(u32, u64, Region),
}

#[derive(Debug)]
enum Kind {
    None,
    Dictionary(Values),
    /// The texts from `first` on.
    Listed {
        first: u32,
        count: u32,
        width: u32,
        numbering: Numbering,
    },
    Integer {
        low: i64,
        width: u32,
    },
    Time(SpelledTime, i64, u32),
    Fixed(Spelled),
    Letters(Alphabet),
    Text {
        width: u32,
    },
}

/// The last leaf of a column: the row it is of, where it stands in the text, and its number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Last {
    pub(super) row: u64,
    pub(super) start: usize,
    pub(super) len: usize,
    pub(super) number: u32,
}

pub(super) const NOWHERE: u32 = u32::MAX;
/// No number: the leaf was copied, or is of no dictionary.
const NUMBERLESS: u32 = u32::MAX;

impl Leaves {
    /// Makes the columns of `schema` ready, whose dictionaries lie in this section.
    pub(super) fn of(schema: &Schema, dictionaries: Section) -> Leaves {
        let mut leaves = Leaves::default();
        let mut kept = vec![NOWHERE; schema.columns.len()];
        for column in &schema.columns {
            let (Reference::Copy(source) | Reference::Derived(source, _)) = column.reference else {
                continue;
            };
            if let Some(slot) = kept
                .get_mut(source as usize)
                .filter(|slot| **slot == NOWHERE)
            {
                *slot = leaves.tellers as u32;
                leaves.tellers += 1;
            }
        }
        let slot = |source: u32| kept.get(source as usize).copied().unwrap_or(NOWHERE);
        for (column, kept) in schema.columns.iter().zip(&kept) {
            let told = match column.reference {
                Reference::None => Told::Never,
                Reference::Copy(source) => Told::Copy(slot(source)),
                Reference::Derived(source, at) => {
                    let count = schema.values_of(source);
                    let len = (count * column.number_width()).div_ceil(8);
                    let fits = at
                        .checked_add(len)
                        .is_some_and(|end| end <= dictionaries.len);
                    let start = dictionaries.offset.saturating_add(at);
                    let len = if fits { len } else { 0 };
                    let table = Region::new(start, len, &mut leaves.regions);
                    Told::Derived(slot(source), count, table)
                }
            };
            let base = base(column, dictionaries, &mut leaves);
            leaves.columns.push(Leaf {
                is_alone: matches!(told, Told::Never) && *kept == NOWHERE,
                asked: !matches!(told, Told::Never) && !column.always,
                is_clean: is_clean(&column.base),
                told,
                kept: *kept,
                base,
            });
        }
        leaves.quick.resize_with(kept.len(), OnceLock::new);
        leaves
    }

    #[cfg(test)]
    pub(super) fn quick_columns(&self) -> usize {
        let quick = self.quick.iter().filter_map(OnceLock::get);
        quick.flatten().count()
    }
}

/// Whether strings hold all leaves of a column as they are, by what its letters are.
fn is_clean(base: &Base) -> bool {
    match base {
        Base::None | Base::Integer { .. } | Base::Time { .. } => true,
        Base::Dictionary(dictionary) => dictionary.is_clean(),
        Base::Fixed(fixed) => fixed.is_clean(),
        Base::Letters(alphabet) => alphabet.is_clean(),
        Base::Text { .. } => false,
    }
}

fn base(column: &Column, dictionaries: Section, leaves: &mut Leaves) -> Kind {
    let Leaves {
        tables, regions, ..
    } = leaves;
    match &column.base {
        Base::None => Kind::None,
        Base::Dictionary(dictionary) => {
            let values = Values::of(dictionary, dictionaries.offset, regions, tables);
            let listed = || Kind::Listed {
                first: dictionary.at as u32,
                count: dictionary.count,
                width: dictionary.width,
                numbering: dictionary.numbering.clone(),
            };
            values.map_or_else(listed, Kind::Dictionary)
        }
        Base::Integer { low, width } => Kind::Integer {
            low: *low,
            width: *width,
        },
        Base::Time {
            spelling,
            low,
            width,
        } => Kind::Time(*spelling, *low, *width),
        Base::Fixed(fixed) => Kind::Fixed(Spelled::of(fixed, tables)),
        Base::Letters(alphabet) => Kind::Letters(alphabet.clone()),
        Base::Text { width } => Kind::Text { width: *width },
    }
}

impl RowReader<'_> {
    /// Appends a leaf of a column.
    #[inline(always)]
    pub(super) fn leaf(
        &self,
        column: u32,
        cursor: &mut Cursor<'_>,
        position: Position,
        row: &mut Growing,
        note: &mut impl Note,
    ) -> Result<(), Stop> {
        let quick = self.leaves.quick.get(column as usize);
        let start = row.content.len();
        let number = match quick.and_then(OnceLock::get) {
            Some(Some(quick)) => quick.read(cursor, row, |from| self.derived_of(column, from))?,
            Some(None) => self.any_leaf(column, cursor, position, row)?,
            None => {
                let number = self.any_leaf(column, cursor, position, row)?;
                self.quicken(column);
                number
            }
        };
        let value = (number != NUMBERLESS).then_some(number);
        note.leaf(column, start..row.content.len(), value);
        Ok(())
    }

    /// A leaf of any column; gives its number.
    #[inline(never)]
    fn any_leaf(
        &self,
        column: u32,
        cursor: &mut Cursor<'_>,
        position: Position,
        row: &mut Growing,
    ) -> Result<u32, Stop> {
        let leaf = self.leaves.columns.get(column as usize);
        let leaf = leaf.ok_or(Stop::NoRow)?;
        let start = row.content.len();
        let number = match leaf.is_alone {
            true => self.plain(leaf, cursor, position, row),
            false => self.related(leaf, cursor, position, row),
        };
        if row.is_clean && !leaf.is_clean {
            let text = row.content.as_slice().get(start..).unwrap_or_default();
            row.is_clean = event::clean_bytes(text) == text.len();
        }
        number
    }

    /// Has a column read in fewer steps, if that is known to be possible or not by now.
    #[inline(never)]
    fn quicken(&self, column: u32) {
        let columns = (&self.leaves.columns, &self.leaves.quick);
        let column = column as usize;
        if let (Some(leaf), Some(quick)) = (columns.0.get(column), columns.1.get(column))
            && let Some(found) = self.quick(leaf)
        {
            // Whoever was quicker found the same.
            drop(quick.set(found));
        }
    }

    /// How a column is read in fewer steps, or that it is not; `None` where nobody knows yet.
    fn quick(&self, leaf: &Leaf) -> Option<Option<Quick>> {
        let Kind::Dictionary(values) = &leaf.base else {
            return Some(None);
        };
        let room = &self.leaves.room;
        let Some(slab) = values.slab()?.filter(|_| !leaf.asked).map(Arc::clone) else {
            return Some(None);
        };
        Some(match &leaf.told {
            Told::Never => Some(Quick::coded(&values.numbering, slab, leaf.kept, room)),
            Told::Copy(_) => None,
            Told::Derived(from, count, table) => {
                let number = |from| self.derived(leaf, from, table).ok();
                Quick::told((*from, *count), slab, leaf.kept, room, number)
            }
        })
    }

    /// A leaf that others may tell, or that tells others; gives its number.
    #[inline(never)]
    fn related(
        &self,
        leaf: &Leaf,
        cursor: &mut Cursor<'_>,
        position: Position,
        row: &mut Growing,
    ) -> Result<u32, Stop> {
        let start = row.content.len();
        let told = !leaf.asked || cursor.take(1)? == 1;
        let number = match &leaf.told {
            Told::Copy(from) if told => {
                let last = row.last_of(*from)?;
                let copied = row.content.again(last.start, last.len);
                copied.ok_or(Stop::NoRow)?;
                NUMBERLESS
            }
            Told::Derived(from, _, table) if told => {
                let last = row.last_of(*from)?;
                let number = self.derived(leaf, last.number, table)?;
                self.numbered(leaf, number, row)?;
                number
            }
            _ => self.plain(leaf, cursor, position, row)?,
        };
        if leaf.kept != NOWHERE {
            row.remember(leaf.kept, start, number);
        }
        Ok(number)
    }

    /// A leaf that stands in the row itself; gives its number.
    #[inline(always)]
    fn plain(
        &self,
        leaf: &Leaf,
        cursor: &mut Cursor<'_>,
        position: Position,
        row: &mut Growing,
    ) -> Result<u32, Stop> {
        let out = &mut row.content;
        match &leaf.base {
            Kind::None => return Err(Stop::NoRow),
            Kind::Dictionary(values) => {
                let number = values.numbering.read(cursor)? as u32;
                values.read(self, number, out)?;
                return Ok(number);
            }
            Kind::Fixed(spelled) => {
                let at = cursor.skip(spelled.width());
                let time = || moment(position);
                let read = spelled.read(&self.leaves.tables, cursor.bits, at, time, out);
                read.ok_or(Stop::NoRow)?;
            }
            Kind::Integer { low, width } => {
                let above = cursor.take_wide(*width)?;
                put_number(low.wrapping_add(above.cast_signed()), out);
            }
            Kind::Time(spelling, low, width) => {
                let distance = low.wrapping_add(cursor.take_wide(*width)?.cast_signed());
                let text = spelling.text(distance, position).ok_or(Stop::NoRow)?;
                out.extend(text.as_bytes());
            }
            Kind::Letters(alphabet) => {
                let mut text = Vec::with_capacity(TEXT_MAX);
                let read = alphabet.read(cursor.bits, &mut cursor.at, &mut text);
                read.ok_or(Stop::NoRow)?;
                out.extend(&text);
            }
            Kind::Text { width } => {
                let number = cursor.take(*width)? as u32;
                self.text(number, row)?;
                return Ok(number);
            }
            Kind::Listed { numbering, .. } => {
                let number = numbering.read(cursor)? as u32;
                self.numbered(leaf, number, row)?;
                return Ok(number);
            }
        }
        Ok(NUMBERLESS)
    }

    /// Appends the value of a column that has this number.
    pub(super) fn value(&self, column: u32, number: u32, row: &mut Growing) -> Result<(), Stop> {
        let leaf = self.leaves.columns.get(column as usize);
        self.numbered(leaf.ok_or(Stop::NoRow)?, number, row)
    }

    /// The value of a column that has this number.
    #[inline]
    fn numbered(&self, leaf: &Leaf, number: u32, row: &mut Growing) -> Result<(), Stop> {
        match &leaf.base {
            Kind::Dictionary(values) => values.read(self, number, &mut row.content),
            Kind::Text { .. } => self.text(number, row),
            Kind::Listed { first, count, .. } if number < *count => {
                let number = first.checked_add(number).ok_or(Stop::NoRow)?;
                self.text(number, row)
            }
            _ => Err(Stop::NoRow),
        }
    }

    fn text(&self, number: u32, row: &mut Growing) -> Result<(), Stop> {
        let texts = self.texts;
        let read = texts.read(
            self.pages,
            self.segment,
            number,
            &mut row.texts,
            &mut row.content,
        )?;
        read.ok_or(Stop::NoRow)
    }

    /// The number that the number `from` of another column leads to in this one.
    #[inline(never)]
    fn derived_of(&self, column: u32, from: u32) -> Result<u32, Stop> {
        match self.leaves.columns.get(column as usize) {
            Some(
                leaf @ Leaf {
                    told: Told::Derived(_, _, table),
                    ..
                },
            ) => self.derived(leaf, from, table),
            _ => Err(Stop::NoRow),
        }
    }

    /// As [`RowReader::derived_of`], by its table.
    #[inline]
    fn derived(&self, leaf: &Leaf, from: u32, table: &Region) -> Result<u32, Stop> {
        let width = match &leaf.base {
            Kind::Dictionary(values) => values.width,
            Kind::Text { width } | Kind::Listed { width, .. } => *width,
            _ => return Err(Stop::NoRow),
        };
        let bit = u64::from(from) * u64::from(width);
        let shift = (bit % 8) as usize;
        let len = (shift + width as usize).div_ceil(8);
        if bit / 8 + len as u64 > table.len() {
            return Err(Stop::NoRow);
        }
        let table = table.view(self.file, self.pages, bit / 8, len)?;
        let found = bits::read(&table, shift, width).ok_or(Stop::NoRow)?;
        Ok(found as u32)
    }
}

/// Appends a number as it is printed.
fn put_number(number: i64, out: &mut Buffer) {
    if number < 0 {
        out.push(b'-');
    }
    let digits = Digits::of(number.unsigned_abs());
    out.extend(digits.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_rust_prints_them() {
        for number in [0, 7, -1, 10, 123_456, i64::MAX, i64::MIN] {
            let mut out = Buffer::default();
            put_number(number, &mut out);
            assert_eq!(out.as_slice(), number.to_string().as_bytes());
        }
    }
}
