//! A row block: up to 64 rows as bits, each found without the others. In front stand their places
//! and ends: times and ends as distances from a line, seqs and moments of recording as the few that
//! do not follow from the row before. Where nearly every row was recorded by itself, its moment is
//! told by how long after the event it came.
//!
//! ```text
//! times line · ends line · seqs · recorded_at
//! seqs, recorded_at: first varint · count u8 · for each exception: row u8, step zigzag
//! recorded_at, or: 0 · LAGS u8 · line of recorded_at - occurred_at
//! times · ends · lags if told, packed, each to a whole byte · the rows' bits, each to a whole byte
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

/// Stands for the number of exceptions where a line of lags follows.
const LAGS: u8 = u8::MAX;

/// What stands before the rows of a block, read; the packed parts stay where they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    rows: usize,
    times: Line,
    ends: Line,
    seqs: Steps,
    recorded: Steps,
    /// How long after the event each row was recorded, where that is told instead.
    lags: Option<Line>,
    /// Where the packed times, ends and lags, and the rows begin.
    times_at: usize,
    ends_at: usize,
    lags_at: usize,
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
    let lags = write_recorded(stands, out);
    let mut packed = BitWriter::default();
    let lags = lags.iter().map(|(line, numbers)| (line, numbers));
    for (line, numbers) in lines.iter().zip([&times, &ends]).chain(lags) {
        line.write(numbers, &mut packed);
        packed.flush(out);
    }
    out.extend_from_slice(rows);
}

/// Appends the moments of recording, as lags if that takes less and the rows were not all recorded
/// together; gives the lags if these are told.
fn write_recorded(stands: &[Stand], out: &mut Vec<u8>) -> Option<(Line, Vec<i64>)> {
    let recorded = stands.iter().map(|stand| stand.recorded_at.as_micros());
    let mut steps = Vec::new();
    write_steps(recorded, 0, &mut steps);
    let lag = |stand: &Stand| {
        let occurred_at = stand.position.occurred_at.as_micros();
        stand.recorded_at.as_micros().wrapping_sub(occurred_at)
    };
    let lags: Vec<i64> = stands.iter().map(lag).collect();
    let line = Line::through(&lags);
    let mut told = vec![0, LAGS];
    line.encode(&mut told);
    let packed = (lags.len() * line.width() as usize).div_ceil(8);
    let mut moments = stands.iter().map(|stand| stand.recorded_at);
    let first = moments.next();
    let together = moments.all(|moment| Some(moment) == first);
    if !together && told.len() + packed < steps.len() {
        out.append(&mut told);
        return Some((line, lags));
    }
    out.append(&mut steps);
    None
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
        self.lags = None;
        if let [0, LAGS, ..] = bytes.rest() {
            bytes.take(2)?;
            self.lags = Some(Line::decode(&mut bytes, rows)?);
        } else {
            self.recorded.read(&mut bytes, rows, 0)?;
        }
        let packed = |line: &Line| (rows * line.width() as usize).div_ceil(8);
        self.times_at = block.len() - bytes.rest().len();
        self.ends_at = self.times_at + packed(&self.times);
        self.lags_at = self.ends_at + packed(&self.ends);
        self.rows_at = self.lags_at + self.lags.as_ref().map_or(0, packed);
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
    pub(super) fn recorded_at(&self, block: &[u8], place: usize) -> Option<Time> {
        let Some(lags) = &self.lags else {
            return Time::from_micros(self.recorded.at(place));
        };
        let lag = lags.read(block, self.lags_at * 8, place)?;
        let occurred_at = self.times.read(block, self.times_at * 8, place)?;
        Time::from_micros(occurred_at.wrapping_add(lag))
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
            late in proptest::option::of(0_u32..50),
        ) {
            // Rows were recorded at any time, soon after the event, or together.
            let recorded = |time: i64, at: i64| late.map_or(at, |late| time + (at & ((1 << late) - 1)));
            let rows: Vec<_> = rows
                .into_iter()
                .map(|(time, seq, at, len)| (time, seq, recorded(time, at), len))
                .collect();
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
                proptest::prop_assert_eq!(head.recorded_at(&block, place), Some(stand.recorded_at));
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
                    let _ = head.recorded_at(&block, place);
                }
            }
        }
    }

    #[test]
    fn moments_are_told_in_the_form_that_takes_less() {
        let stands = |recorded: fn(i64) -> i64| -> Vec<Stand> {
            let stand = |row: i64| Stand {
                position: Position {
                    occurred_at: Time::saturating_from_micros(1 << 50),
                    seq: Sequence(row.cast_unsigned()),
                },
                recorded_at: Time::saturating_from_micros((1 << 50) + recorded(row)),
            };
            (0..64).map(stand).collect()
        };
        let mut out = Vec::new();
        assert_eq!(write_recorded(&stands(|row| row / 40), &mut out), None);
        out.clear();
        let lags = write_recorded(&stands(|row| 9_000 + row * row % 61), &mut out);
        assert_eq!(lags.map(|(line, _)| line.width()), Some(6));
        assert!(out.len() <= 11, "{}", out.len());
    }
}
