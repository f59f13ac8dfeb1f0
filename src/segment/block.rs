//! A row block: up to 64 rows as bits, each found without the others. In front stand their places
//! and ends: times and ends as distances from a line, seqs and moments of recording as the few that
//! do not follow from the row before. Where most do not, seqs lie by a line too, and a moment of
//! recording is told by how long after the event it came. Moments that the schema tells are not here.
//!
//! ```text
//! times line · ends line · seqs · recorded_at unless the schema tells it
//! seqs, recorded_at: first varint · count u8 · for each exception: row u8, step zigzag
//! seqs, or:          0 · BY_LINE u8 · line
//! recorded_at, or:   0 · BY_LINE u8 · line of recorded_at - occurred_at
//! times · ends · seqs and lags by a line, packed, each to a whole byte · the rows' bits, likewise
//! ```

use core::ops::Range;

use super::builder::Stand;
use super::format;
use super::line::Line;
use super::recorded::Recorded;
use crate::codec::bits::BitWriter;
use crate::codec::varint;
use crate::codec::varint::Bytes;
use crate::id::Position;
use crate::id::Sequence;
use crate::time::Time;

/// Stands for the number of exceptions where a line follows.
const BY_LINE: u8 = u8::MAX;

/// What stands before the rows of a block, read; the packed parts stay where they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    rows: usize,
    times: Line,
    ends: Line,
    seqs: Numbers,
    /// Or how long after the event each row was recorded, by a line.
    recorded: Numbers,
    /// Where the packed times, ends, seqs and lags, and the rows begin.
    times_at: usize,
    ends_at: usize,
    seqs_at: usize,
    lags_at: usize,
    rows_at: usize,
}

/// Numbers told by the few that do not follow from the one before, or by a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Numbers {
    steps: Steps,
    line: Option<Line>,
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

/// Appends a block of rows with these stands, whose bits end at `ends` in `rows`; `recorded` is what
/// the schema tells.
pub(super) fn write(
    stands: &[Stand],
    recorded: &Recorded,
    ends: &[usize],
    rows: &[u8],
    out: &mut Vec<u8>,
) {
    let times: Vec<i64> = stands
        .iter()
        .map(|stand| stand.position.occurred_at.as_micros())
        .collect();
    let ends: Vec<i64> = ends.iter().map(|end| *end as i64).collect();
    let lines = [Line::through(&times), Line::through(&ends)];
    lines.iter().for_each(|line| line.encode(out));
    let seqs: Vec<i64> = stands
        .iter()
        .map(|stand| stand.position.seq.0.cast_signed())
        .collect();
    let seqs = write_numbers(&seqs, -1, seqs.clone(), out);
    let recorded = recorded.is_empty().then(|| write_recorded(stands, out));
    let mut packed = BitWriter::default();
    let by_line = [seqs, recorded.flatten()];
    let by_line = by_line.iter().flatten();
    let by_line = by_line.map(|(line, numbers)| (line, numbers));
    for (line, numbers) in lines.iter().zip([&times, &ends]).chain(by_line) {
        line.write(numbers, &mut packed);
        packed.flush(out);
    }
    out.extend_from_slice(rows);
}

/// Appends the moments of recording, or by a line how long after the events these are.
fn write_recorded(stands: &[Stand], out: &mut Vec<u8>) -> Option<(Line, Vec<i64>)> {
    let recorded = stands.iter().map(|stand| stand.recorded_at.as_micros());
    let recorded: Vec<i64> = recorded.collect();
    let times = stands
        .iter()
        .map(|stand| stand.position.occurred_at.as_micros());
    let lags = recorded.iter().zip(times).map(|(at, time)| at - time);
    write_numbers(&recorded, 0, lags.collect(), out)
}

/// Appends numbers as steps, or if that takes less as a line through `others`; gives the line then.
fn write_numbers(
    numbers: &[i64],
    step: i64,
    others: Vec<i64>,
    out: &mut Vec<u8>,
) -> Option<(Line, Vec<i64>)> {
    let mut steps = Vec::new();
    write_steps(numbers.iter().copied(), step, &mut steps);
    let (low, high) = (others.iter().min(), others.iter().max());
    let fits = low
        .zip(high)
        .is_some_and(|(low, high)| high.checked_sub(*low).is_some());
    if fits {
        let line = Line::through(&others);
        let mut told = vec![0, BY_LINE];
        line.encode(&mut told);
        let packed = (others.len() * line.width() as usize).div_ceil(8);
        if told.len() + packed < steps.len() {
            out.append(&mut told);
            return Some((line, others));
        }
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

impl Numbers {
    /// Reads what tells `rows` numbers, but for the packed distances.
    fn read(&mut self, bytes: &mut Bytes<'_>, rows: usize, step: i64) -> Option<()> {
        self.line = None;
        let [0, BY_LINE, ..] = bytes.rest() else {
            return self.steps.read(bytes, rows, step);
        };
        bytes.take(2)?;
        self.line = Some(Line::decode(bytes, rows)?);
        Some(())
    }

    /// Bits of a distance.
    fn width(&self) -> usize {
        self.line.as_ref().map_or(0, |line| line.width() as usize)
    }
}

impl Head {
    /// Reads the head of a block of `rows` rows, whose moments of recording the schema tells or not;
    /// `None` if the bytes are no such block.
    pub(super) fn decode(&mut self, block: &[u8], rows: usize, told: bool) -> Option<()> {
        self.rows = 0;
        if rows == 0 || rows > format::BLOCK_ROWS {
            return None;
        }
        let mut bytes = Bytes::new(block);
        self.times = Line::decode(&mut bytes, rows)?;
        self.ends = Line::decode(&mut bytes, rows)?;
        self.seqs.read(&mut bytes, rows, -1)?;
        self.recorded.line = None;
        if !told {
            self.recorded.read(&mut bytes, rows, 0)?;
        }
        let packed = |width: usize| (rows * width).div_ceil(8);
        self.times_at = block.len() - bytes.rest().len();
        self.ends_at = self.times_at + packed(self.times.width() as usize);
        self.seqs_at = self.ends_at + packed(self.ends.width() as usize);
        self.lags_at = self.seqs_at + packed(self.seqs.width());
        self.rows_at = self.lags_at + packed(self.recorded.width());
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
        let seq = match &self.seqs.line {
            None => self.seqs.steps.at(place),
            Some(line) => line.read(block, self.seqs_at * 8, place)?,
        };
        Some(Position {
            occurred_at: Time::from_micros(micros)?,
            seq: Sequence(seq.cast_unsigned()),
        })
    }

    /// When the row at `place` was recorded, unless the schema tells that.
    #[inline]
    pub(super) fn recorded_at(&self, block: &[u8], place: usize) -> Option<Time> {
        let Some(lags) = &self.recorded.line else {
            return Time::from_micros(self.recorded.steps.at(place));
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
            write(&stands, &Recorded::default(), &ends, &bits, &mut block);
            let mut head = Head::default();
            proptest::prop_assert_eq!(head.decode(&block, rows.len(), false), Some(()));
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
            if head.decode(&block, rows, rows % 2 == 0).is_some() {
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
