//! A row block: up to 64 rows as bits, each found without the others. In front stand their places
//! and ends: times and ends as distances from a line, seqs and moments of recording as the few that
//! do not follow from the row before.
//!
//! ```text
//! times line · ends line · first seq varint · first recorded_at varint
//! seq exceptions · recorded_at exceptions: count u8, then for each row u8, step zigzag
//! times · ends, packed, each to a whole byte · the rows' bits, each to a whole byte
//! ```

use core::ops::Range;

use super::builder::Stand;
use super::format;
use super::line::Line;
use crate::codec::bits::BitWriter;
use crate::codec::varint;
use crate::codec::varint::Bytes;
use crate::id::Position;
use crate::id::Sequence;
use crate::time::Time;

/// What stands before the rows of a block, read; the packed parts stay where they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    rows: usize,
    times: Line,
    ends: Line,
    seqs: Steps,
    recorded: Steps,
    /// Where the packed times, the packed ends, and the rows begin.
    times_at: usize,
    ends_at: usize,
    rows_at: usize,
}

/// Numbers each of which follows from the one before but for a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Steps {
    first: i64,
    step: i64,
    /// The places of the exceptions, ascending, and how much all up to each add together.
    count: usize,
    places: [u8; format::BLOCK_ROWS],
    added: [i64; format::BLOCK_ROWS],
}

impl Default for Steps {
    fn default() -> Steps {
        Steps {
            first: 0,
            step: 0,
            count: 0,
            places: [0; format::BLOCK_ROWS],
            added: [0; format::BLOCK_ROWS],
        }
    }
}

/// Appends a block of rows with these stands, whose bits end at `ends` in `rows`.
pub(super) fn write(stands: &[Stand], ends: &[usize], rows: &[u8], out: &mut Vec<u8>) {
    let times: Vec<i64> = stands
        .iter()
        .map(|stand| stand.position.occurred_at.as_micros())
        .collect();
    let ends: Vec<i64> = ends.iter().map(|end| *end as i64).collect();
    let lines = [Line::through(&times), Line::through(&ends)];
    lines.iter().for_each(|line| line.encode(out));
    let seqs = stands
        .iter()
        .map(|stand| stand.position.seq.0.cast_signed());
    write_steps(seqs, -1, out);
    let recorded = stands.iter().map(|stand| stand.recorded_at.as_micros());
    write_steps(recorded, 0, out);
    let mut packed = BitWriter::default();
    for (line, numbers) in lines.iter().zip([&times, &ends]) {
        line.write(numbers, &mut packed);
        packed.flush(out);
    }
    out.extend_from_slice(rows);
}

/// The first number, and the rows whose number is not the one before plus `step`.
fn write_steps(numbers: impl Iterator<Item = i64> + Clone, step: i64, out: &mut Vec<u8>) {
    let first = numbers.clone().next().unwrap_or(0);
    varint::put_u64(out, first.cast_unsigned());
    let steps = numbers.clone().zip(numbers.skip(1));
    let strays = steps.enumerate().filter_map(|(place, (before, number))| {
        let stray = number.wrapping_sub(before).wrapping_sub(step);
        (stray != 0).then_some((place as u8 + 1, stray))
    });
    let strays: Vec<(u8, i64)> = strays.collect();
    out.push(strays.len() as u8);
    for (place, stray) in strays {
        out.push(place);
        varint::put_i64(out, stray);
    }
}

impl Steps {
    /// Reads the first number and the exceptions of `rows` numbers.
    fn read(&mut self, bytes: &mut Bytes<'_>, rows: usize, step: i64) -> Option<()> {
        self.first = bytes.varint()?.cast_signed();
        self.step = step;
        self.count = usize::from(bytes.u8()?);
        let (mut before, mut added) = (0, 0_i64);
        for number in 0..self.count {
            let place = bytes.u8()?;
            if place <= before || usize::from(place) >= rows {
                return None;
            }
            added = added.wrapping_add(bytes.signed_varint()?);
            *self.places.get_mut(number)? = place;
            *self.added.get_mut(number)? = added;
            before = place;
        }
        Some(())
    }

    /// The number at `place`.
    fn at(&self, place: usize) -> i64 {
        let places = self.places.get(..self.count).unwrap_or_default();
        let before = places.iter().filter(|stray| usize::from(**stray) <= place);
        let added = before.count().checked_sub(1);
        let added = added.and_then(|last| self.added.get(last)).copied();
        self.first
            .wrapping_add(self.step.wrapping_mul(place as i64))
            .wrapping_add(added.unwrap_or(0))
    }
}

impl Head {
    /// Reads the head of a block of `rows` rows; `None` if the bytes are no such block.
    pub(super) fn decode(&mut self, block: &[u8], rows: usize) -> Option<()> {
        self.rows = 0;
        if rows == 0 || rows > format::BLOCK_ROWS {
            return None;
        }
        let mut bytes = Bytes::new(block);
        self.times = Line::decode(&mut bytes, rows)?;
        self.ends = Line::decode(&mut bytes, rows)?;
        self.seqs.read(&mut bytes, rows, -1)?;
        self.recorded.read(&mut bytes, rows, 0)?;
        self.times_at = block.len() - bytes.rest().len();
        self.ends_at = self.times_at + (rows * self.times.width() as usize).div_ceil(8);
        self.rows_at = self.ends_at + (rows * self.ends.width() as usize).div_ceil(8);
        if self.rows_at > block.len() {
            return None;
        }
        self.rows = rows;
        Some(())
    }

    /// Where the row at `place` stands in reading order.
    #[inline]
    pub(super) fn position(&self, block: &[u8], place: usize) -> Option<Position> {
        if place >= self.rows {
            return None;
        }
        let micros = self.times.read(block, self.times_at * 8, place)?;
        Some(Position {
            occurred_at: Time::from_micros(micros)?,
            seq: Sequence(self.seqs.at(place).cast_unsigned()),
        })
    }

    #[inline]
    pub(super) fn recorded_at(&self, place: usize) -> Option<Time> {
        Time::from_micros(self.recorded.at(place))
    }

    /// Where the bits of the row at `place` lie in its block.
    #[inline]
    pub(super) fn row(&self, block: &[u8], place: usize) -> Option<Range<usize>> {
        let end = |place: usize| {
            let end = self.ends.read(block, self.ends_at * 8, place)?;
            self.rows_at.checked_add(usize::try_from(end).ok()?)
        };
        let start = match place.checked_sub(1) {
            Some(before) => end(before)?,
            None => self.rows_at,
        };
        let row = start..end(place)?;
        (place < self.rows && row.start <= row.end && row.end <= block.len()).then_some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn places_and_rows_come_back(
            rows in proptest::collection::vec((0_i64..1 << 50, proptest::num::u64::ANY, 0_i64..1 << 50, 0_usize..9), 1..=64),
        ) {
            let stands: Vec<Stand> = rows.iter().map(|(time, seq, recorded, _)| Stand {
                position: Position {
                    occurred_at: Time::saturating_from_micros(*time),
                    seq: Sequence(*seq),
                },
                recorded_at: Time::saturating_from_micros(*recorded),
            }).collect();
            let mut bits = Vec::new();
            let ends: Vec<usize> = rows.iter().enumerate().map(|(number, (.., len))| {
                bits.extend(core::iter::repeat_n(number as u8, *len));
                bits.len()
            }).collect();
            let mut block = Vec::new();
            write(&stands, &ends, &bits, &mut block);
            let mut head = Head::default();
            proptest::prop_assert_eq!(head.decode(&block, rows.len()), Some(()));
            for (place, (stand, (.., len))) in stands.iter().zip(&rows).enumerate() {
                proptest::prop_assert_eq!(head.position(&block, place), Some(stand.position));
                proptest::prop_assert_eq!(head.recorded_at(place), Some(stand.recorded_at));
                let wanted = vec![place as u8; *len];
                let row = head.row(&block, place).and_then(|row| block.get(row));
                proptest::prop_assert_eq!(row, Some(wanted.as_slice()));
            }
        }

        #[test]
        fn any_bytes_are_a_head_or_none(block: Vec<u8>, rows in 0_usize..70) {
            let mut head = Head::default();
            if head.decode(&block, rows).is_some() {
                for place in 0..rows {
                    let _ = (head.position(&block, place), head.row(&block, place));
                }
            }
        }
    }
}
