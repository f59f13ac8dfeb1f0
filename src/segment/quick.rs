//! Columns that rows look into all the time, read in the fewest steps: once the values of one lie
//! in a slab, a table says what number the next bits of a row stand for, or which one follows from
//! the number that another column has in the row. [`super::leaves`] reads every column and is the
//! model of this; it goes on reading those that have no room here.

use std::sync::Arc;

use super::classes::Numbering;
use super::leaves::NOWHERE;
use super::rows::Cursor;
use super::rows::Growing;
use super::rows::Stop;
use super::slab::Room;
use super::slab::Slab;
use crate::codec::bits;

/// Bits of a code at the most: a table of 4 KiB. All dictionaries of the generator's segments with
/// up to 300 values have shorter ones.
const CODE_BITS_MAX: u32 = 10;
/// Numbers of another column at the most that lead to numbers of this one by a table of 16 KiB.
const NUMBERS_MAX: u64 = 8 << 10;

/// A column whose values lie in a slab.
#[derive(Debug)]
pub(super) struct Quick {
    names: Names,
    slab: Arc<Slab>,
    /// Where the last leaf is remembered; [`NOWHERE`] if nobody asks for it.
    kept: u32,
}

/// How a row names a value.
#[derive(Debug)]
enum Names {
    /// By the next bits, of which there are as many as tell one of these apart.
    Codes(Box<[Code]>),
    Numbering(Numbering),
    /// By the number of the leaf that is remembered in this slot.
    Told(u32, Box<[u16]>),
    /// The same, by the table in the file: there are too many of them.
    Derived(u32),
}

/// What some bits begin with.
#[derive(Clone, Copy, Debug)]
struct Code {
    number: u16,
    bits: u8,
}

/// No value has this number: a slab has fewer.
const NO_VALUE: u16 = u16::MAX;

impl Quick {
    /// Of a column whose values have numbers of their own in the row.
    pub(super) fn coded(numbering: &Numbering, slab: Arc<Slab>, kept: u32, room: &Room) -> Quick {
        let codes = numbering.codes(CODE_BITS_MAX).map(|codes| {
            let code = |(number, bits)| Code {
                number: u16::try_from(number).unwrap_or(NO_VALUE),
                bits,
            };
            codes.into_iter().map(code).collect::<Box<[Code]>>()
        });
        let names = match codes.filter(|codes| room.take(size_of_val::<[Code]>(codes))) {
            Some(codes) => Names::Codes(codes),
            None => Names::Numbering(numbering.clone()),
        };
        Quick { names, slab, kept }
    }

    /// Of a column that the leaf in `slot` tells, which has one of `count` numbers; `number` gives
    /// what follows from each. `None` where that is not to be read.
    pub(super) fn told(
        (slot, count): (u32, u64),
        slab: Arc<Slab>,
        kept: u32,
        room: &Room,
        number: impl FnMut(u32) -> Option<u32>,
    ) -> Option<Quick> {
        let mut names = Names::Derived(slot);
        if count <= NUMBERS_MAX && room.take(count as usize * size_of::<u16>()) {
            let numbers = (0..count as u32).map(number);
            let numbers = numbers.map(|number| u16::try_from(number?).ok());
            names = Names::Told(slot, numbers.collect::<Option<_>>()?);
        }
        Some(Quick { names, slab, kept })
    }

    /// Appends the leaf at the cursor; gives its number. What a table in the file tells is for
    /// `derived` to find.
    #[inline(always)]
    pub(super) fn read(
        &self,
        cursor: &mut Cursor<'_>,
        row: &mut Growing,
        derived: impl FnOnce(u32) -> Result<u32, Stop>,
    ) -> Result<u32, Stop> {
        let number = match &self.names {
            Names::Codes(codes) => {
                let word = bits::word_or_zeros(cursor.bits, cursor.at);
                let code = codes.get(word as usize & codes.len().wrapping_sub(1));
                let code = code.ok_or(Stop::NoRow)?;
                cursor.at += usize::from(code.bits);
                u32::from(code.number)
            }
            Names::Numbering(numbering) => numbering.read(cursor)? as u32,
            Names::Told(slot, numbers) => {
                let from = row.last_of(*slot)?.number;
                let number = numbers.get(from as usize).ok_or(Stop::NoRow)?;
                u32::from(*number)
            }
            Names::Derived(slot) => derived(row.last_of(*slot)?.number)?,
        };
        row.is_clean &= self.slab.is_clean();
        let start = row.content.len();
        let put = self.slab.put(number, &mut row.content);
        put.ok_or(Stop::NoRow)?;
        if self.kept != NOWHERE {
            row.remember(self.kept, start, number);
        }
        Ok(number)
    }
}
