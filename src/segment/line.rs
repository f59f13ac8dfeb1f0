//! A few numbers that lie near a straight line, each in the bits of its distance from it: the times
//! of a block, the ends of its rows. Any of them is read without the others. Where the steps between
//! them have a common divisor, as times told in seconds have, everything is counted in that unit.
//!
//! ```text
//! line  first zigzag · width, and 128 where a unit follows u8 · unit varint · span zigzag · lowest zigzag
//! ```

use crate::codec::bits;
use crate::codec::bits::BitWriter;
use crate::codec::varint;
use crate::codec::varint::Bytes;

/// Stands with the width where the unit is not 1.
const WITH_UNIT: u8 = 128;

/// The line and the widths of the distances, without the distances themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    first: i64,
    unit: i64,
    /// In units, as everything below.
    step_total: i64,
    lowest: i64,
    width: u32,
    steps: i64,
    /// What one step adds, and what of the whole is left over then, less than one for each step.
    step: i64,
    rest: i32,
}

impl Line {
    /// The line from the first to the last of `numbers`, whose span must fit an `i64`.
    pub(crate) fn through(numbers: &[i64]) -> Line {
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
            return Line::default();
        };
        let unit = unit(*first, numbers);
        let mut line = Line {
            first: *first,
            unit,
            step_total: last.wrapping_sub(*first) / unit,
            lowest: 0,
            width: 0,
            steps: numbers.len() as i64 - 1,
            ..Line::default()
        };
        line.divide();
        let distances = || {
            let numbers = numbers.iter().enumerate();
            numbers.map(|(place, number)| line.units(*number).wrapping_sub(line.at(place)))
        };
        let lowest = distances().min().unwrap_or(0);
        let highest = distances().max().unwrap_or(0);
        line.lowest = lowest;
        line.width = bits::width_of(highest.wrapping_sub(lowest).cast_unsigned());
        line
    }

    /// Divides the whole into steps once, since each number needs it.
    fn divide(&mut self) {
        if self.steps > 0 {
            self.step = self.step_total / self.steps;
            self.rest = (self.step_total % self.steps) as i32;
        }
    }

    /// How many units a number lies behind the first.
    const fn units(&self, number: i64) -> i64 {
        number.wrapping_sub(self.first) / self.unit
    }

    /// The line's own number at `place`, in units from the first.
    #[inline]
    fn at(&self, place: usize) -> i64 {
        // Both are below 64, and so is their product small.
        let share = match self.rest {
            0 => 0,
            rest => rest * place as i32 / self.steps as i32,
        };
        let whole = self.step.wrapping_mul(place as i64);
        whole.wrapping_add(i64::from(share))
    }

    /// Bits of one distance.
    pub(crate) const fn width(&self) -> u32 {
        self.width
    }

    /// Appends the line.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        varint::put_i64(out, self.first);
        if self.unit == 1 {
            out.push(self.width as u8);
        } else {
            out.push(self.width as u8 | WITH_UNIT);
            varint::put_u64(out, self.unit.cast_unsigned());
        }
        varint::put_i64(out, self.step_total);
        varint::put_i64(out, self.lowest);
    }

    /// Reads a line of `count` numbers, at least one and at most 64.
    pub(crate) fn decode(bytes: &mut Bytes<'_>, count: usize) -> Option<Line> {
        let first = bytes.signed_varint()?;
        let head = bytes.u8()?;
        let unit = match head & WITH_UNIT {
            0 => 1,
            _ => i64::try_from(bytes.varint()?).ok()?,
        };
        let mut line = Line {
            first,
            unit,
            step_total: bytes.signed_varint()?,
            lowest: bytes.signed_varint()?,
            width: u32::from(head & !WITH_UNIT),
            steps: i64::try_from(count.checked_sub(1)?).ok()?,
            ..Line::default()
        };
        line.divide();
        (line.width <= u64::BITS && count <= 64).then_some(line)
    }

    /// Appends the distances of `numbers`, those the line was made of.
    pub(crate) fn write(&self, numbers: &[i64], out: &mut BitWriter) {
        for (place, number) in numbers.iter().enumerate() {
            let distance = self.units(*number).wrapping_sub(self.at(place));
            let distance = distance.wrapping_sub(self.lowest);
            out.put(distance.cast_unsigned(), self.width);
        }
    }

    /// The number at `place`, whose distances begin at bit `at` of `bytes`.
    pub(crate) fn read(&self, bytes: &[u8], at: usize, place: usize) -> Option<i64> {
        let distance = bits::read(bytes, at + place * self.width as usize, self.width)?;
        let units = self.at(place).wrapping_add(self.lowest);
        let units = units.wrapping_add(distance.cast_signed());
        Some(self.first.wrapping_add(self.unit.wrapping_mul(units)))
    }
}

/// What all distances from the first number are multiples of; 1 where there are none, or where they
/// do not fit.
fn unit(first: i64, numbers: &[i64]) -> i64 {
    let mut unit = 0_u64;
    for number in numbers {
        let (mut rest, mut divisor) = (number.abs_diff(first), unit);
        while divisor > 0 {
            (rest, divisor) = (divisor, rest % divisor);
        }
        unit = rest;
        if unit == 1 {
            break;
        }
    }
    i64::try_from(unit).map_or(1, |unit| unit.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn numbers_near_a_line_and_far_from_it_come_back(
            numbers in proptest::collection::vec(-1_i64 << 40..1 << 40, 1..=64),
            unit in 1_i64..1 << 20,
            shift in 0_u32..8,
        ) {
            let numbers: Vec<i64> = numbers.iter().map(|number| number * unit).collect();
            let line = Line::through(&numbers);
            let mut head = Vec::new();
            line.encode(&mut head);
            let mut packed = BitWriter::default();
            packed.put(0, shift);
            line.write(&numbers, &mut packed);
            let packed = packed.finish();
            let found = Line::decode(&mut Bytes::new(&head), numbers.len());
            proptest::prop_assert_eq!(found, Some(line));
            for (place, number) in numbers.iter().enumerate() {
                proptest::prop_assert_eq!(line.read(&packed, shift as usize, place), Some(*number));
            }
        }
    }

    #[test]
    fn seconds_are_counted_in_seconds() {
        let numbers = [17, 17, 1_000_017, 5_000_017, 5_000_017].map(|number| number << 20);
        let line = Line::through(&numbers);
        assert_eq!((line.unit, line.width()), (1_000_000 << 20, 2));
    }

    #[test]
    fn a_straight_line_takes_no_bits() {
        let numbers: Vec<i64> = (0..64).map(|place| 1_000 - place * 7).collect();
        assert_eq!(Line::through(&numbers).width(), 0);
        assert!(Line::decode(&mut Bytes::new(&[0, 65, 0, 0]), 2).is_none());
    }
}
