//! A row block: up to 64 rows as bits, each found without the others. In front stand their places
//! and ends: times and ends as distances from a line, seqs and moments of recording as the few that
//! do not follow from the row before.
//!
//! ```text
//! times line · ends line · first seq varint · first recorded_at varint
//! seq exceptions · recorded_at exceptions: count u8, then for each row u8, step zigzag
//! times · ends, packed, each to a whole byte · the rows' bits, each to a whole byte
//! ```

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    times: Line,
    ends: Line,
    seqs: Vec<u64>,
    recorded: Vec<i64>,
    /// Where the packed times, the packed ends, and the rows begin.
    times_at: usize,
    ends_at: usize,
    rows_at: usize,
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

fn read_steps(bytes: &mut Bytes<'_>, rows: usize, step: i64) -> Option<Vec<i64>> {
    let first = bytes.varint()?.cast_signed();
    let mut steps = vec![step; rows];
    for _ in 0..bytes.u8()? {
        let place = usize::from(bytes.u8()?);
        let stray = bytes.signed_varint()?;
        *steps.get_mut(place).filter(|_| place > 0)? = step.wrapping_add(stray);
    }
    let mut number = first;
    for (place, slot) in steps.iter_mut().enumerate() {
        if place > 0 {
            number = number.wrapping_add(*slot);
        }
        *slot = number;
    }
    Some(steps)
}

impl Head {
    /// Reads the head of a block of `rows` rows; `None` if the bytes are no such block.
    pub(super) fn decode(block: &[u8], rows: usize) -> Option<Head> {
        if rows == 0 || rows > format::BLOCK_ROWS {
            return None;
        }
        let mut bytes = Bytes::new(block);
        let times = Line::decode(&mut bytes, rows)?;
        let ends = Line::decode(&mut bytes, rows)?;
        let seqs = read_steps(&mut bytes, rows, -1)?;
        let recorded = read_steps(&mut bytes, rows, 0)?;
        let times_at = block.len() - bytes.rest().len();
        let ends_at = times_at + (rows * times.width() as usize).div_ceil(8);
        let rows_at = ends_at + (rows * ends.width() as usize).div_ceil(8);
        (rows_at <= block.len()).then_some(Head {
            times,
            ends,
            seqs: seqs.into_iter().map(i64::cast_unsigned).collect(),
            recorded,
            times_at,
            ends_at,
            rows_at,
        })
    }

    /// Where the row at `place` stands in reading order.
    pub(super) fn position(&self, block: &[u8], place: usize) -> Option<Position> {
        let micros = self.times.read(block, self.times_at * 8, place)?;
        Some(Position {
            occurred_at: Time::from_micros(micros)?,
            seq: Sequence(*self.seqs.get(place)?),
        })
    }

    pub(super) fn recorded_at(&self, place: usize) -> Option<Time> {
        Time::from_micros(*self.recorded.get(place)?)
    }

    /// The bits of the row at `place`.
    pub(super) fn row<'b>(&self, block: &'b [u8], place: usize) -> Option<&'b [u8]> {
        let end = |place: usize| {
            let end = self.ends.read(block, self.ends_at * 8, place)?;
            usize::try_from(end).ok()
        };
        let start = match place.checked_sub(1) {
            Some(before) => end(before)?,
            None => 0,
        };
        block.get(self.rows_at..)?.get(start..end(place)?)
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
            let head = Head::decode(&block, rows.len());
            let head = head.ok_or_else(|| proptest::test_runner::TestCaseError::fail("no head"))?;
            for (place, (stand, (.., len))) in stands.iter().zip(&rows).enumerate() {
                proptest::prop_assert_eq!(head.position(&block, place), Some(stand.position));
                proptest::prop_assert_eq!(head.recorded_at(place), Some(stand.recorded_at));
                let wanted = vec![place as u8; *len];
                proptest::prop_assert_eq!(head.row(&block, place), Some(wanted.as_slice()));
            }
        }

        #[test]
        fn any_bytes_are_a_head_or_none(block: Vec<u8>, rows in 0_usize..70) {
            if let Some(head) = Head::decode(&block, rows) {
                for place in 0..rows {
                    let _ = (head.position(&block, place), head.row(&block, place));
                }
            }
        }
    }
}
