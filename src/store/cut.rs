//! Where rows are cut into segments: at partition borders, as far as every piece stays large enough
//! that the number of segments is bounded by that of the events whatever times arrive; and before
//! stragglers, so that one late event does not widen the times of a whole segment.

use core::ops::Range;

use super::budget::final_rows;
use crate::disk::names::Folder;
use crate::id::Position;
use crate::options::Partition;

/// At most one row of this many goes into a piece of stragglers, at either end.
const STRAGGLERS: usize = 64;
/// In a piece of fewer rows stragglers stay: it is quickly read anyway.
const STRAGGLERS_FROM: usize = 4096;
/// Microseconds that a straggler lies apart at least.
const APART_MIN: u64 = 3600 * 1_000_000;

/// The sizes and the width that rows are cut by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) width: Partition,
    /// The most rows of a piece.
    pub(super) segment_rows: usize,
}

impl Cut {
    /// Rows from which a piece is a final segment.
    pub(super) fn final_rows(&self) -> usize {
        final_rows(self.segment_rows)
    }

    /// Cuts rows, given newest first, into the row ranges of segments.
    ///
    /// A partition with enough rows for a final segment begins and ends segments of its own;
    /// sparser neighbours share one. The few rows at either end that lie far from all others are a
    /// piece each. If there is more than one piece beside those two, each is large enough to be
    /// final.
    pub(super) fn pieces(&self, positions: &[Position]) -> Vec<Range<usize>> {
        let mut runs = self.runs(positions);
        let times = |run: &Range<usize>| positions.get(run.clone()).unwrap_or_default();
        let after = runs.last().map_or(0, |run| {
            self.stragglers(run.len(), times(run).iter().rev().copied())
        });
        let before = runs.first().map_or(0, |run| {
            self.stragglers(run.len(), times(run).iter().copied())
        });
        if let Some(run) = runs.last_mut() {
            run.end -= after;
        }
        if let Some(run) = runs.first_mut() {
            run.start += before;
        }
        let end = positions.len();
        let apart = |range: Range<usize>| (!range.is_empty()).then_some(range);
        let pieces = runs.into_iter().flat_map(|run| self.split(run));
        apart(0..before)
            .into_iter()
            .chain(pieces)
            .chain(apart(end - after..end))
            .collect()
    }

    /// Partitions, sparse ones joined to what is beside them until the whole is worth a segment.
    fn runs(&self, positions: &[Position]) -> Vec<Range<usize>> {
        let enough = self.final_rows();
        let mut runs: Vec<Range<usize>> = Vec::new();
        let mut start = 0;
        for run in positions.chunk_by(|left, right| {
            Folder::of(left.occurred_at, self.width) == Folder::of(right.occurred_at, self.width)
        }) {
            let end = start + run.len();
            match runs.last_mut() {
                Some(last) if last.len() < enough || end - start < enough => last.end = end,
                _ => runs.push(start..end),
            }
            start = end;
        }
        runs
    }

    /// Splits a run that is too long into equal parts.
    fn split(&self, run: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
        let len = run.len();
        let parts = len.div_ceil(self.segment_rows).max(1);
        (0..parts)
            .map(move |part| run.start + len * part / parts..run.start + len * (part + 1) / parts)
    }

    /// How many of the first of `len` rows lie further from the others than those lie from each
    /// other, leaving out as many at the other end. Cutting them off leaves a final piece final.
    fn stragglers(&self, len: usize, rows: impl Iterator<Item = Position> + Clone) -> usize {
        let most = len / STRAGGLERS;
        let enough = self.final_rows();
        if len < STRAGGLERS_FROM || (len >= enough && len - 2 * most < enough) {
            return 0;
        }
        let time = |place| {
            rows.clone()
                .nth(place)
                .map(|row| row.occurred_at.as_micros())
        };
        let (Some(first), Some(last)) = (time(most), time(len - 1 - most)) else {
            return 0;
        };
        let reach = first.abs_diff(last).max(APART_MIN);
        rows.take(most)
            .take_while(|row| row.occurred_at.as_micros().abs_diff(first) > reach)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Sequence;
    use crate::time::Time;
    use proptest::prelude::*;

    const MONTH: i64 = 31 * 86_400 * 1_000_000;
    const ENOUGH: usize = 64 << 10;
    const CUT: Cut = Cut {
        width: Partition::Month,
        segment_rows: 2 * ENOUGH,
    };

    /// Rows of these times, newest first.
    fn positions(mut times: Vec<i64>) -> Vec<Position> {
        times.sort_unstable();
        let times = times.into_iter().enumerate().rev();
        let position = |(seq, time)| Position {
            occurred_at: Time::saturating_from_micros(time),
            seq: Sequence(seq as u64),
        };
        times.map(position).collect()
    }

    fn lens(pieces: &[Range<usize>], rows: usize) -> Vec<usize> {
        let mut end = 0;
        for piece in pieces {
            assert!(
                piece.start == end && piece.end > end,
                "a gap before {piece:?}"
            );
            end = piece.end;
        }
        assert_eq!(end, rows);
        pieces.iter().map(ExactSizeIterator::len).collect()
    }

    /// Months, newest first, with as many rows in each as `months` says.
    fn check(months: &[usize], wanted: &[usize]) {
        let of_month = |(month, rows): (usize, &usize)| {
            let month = (months.len() - month) as i64;
            (0..*rows).map(move |row| month * MONTH + row as i64)
        };
        let positions = positions(months.iter().enumerate().flat_map(of_month).collect());
        let found = lens(&CUT.pieces(&positions), positions.len());
        assert_eq!(found, wanted, "{months:?}");
    }

    #[test]
    fn sparse_months_share_and_dense_ones_stand_alone() {
        check(&[], &[]);
        check(&[1], &[1]);
        check(&[10, 10, 10], &[30]);
        check(&[ENOUGH, ENOUGH], &[ENOUGH, ENOUGH]);
        check(&[ENOUGH, 5, ENOUGH], &[ENOUGH + 5, ENOUGH]);
        check(&[5, ENOUGH, 5], &[ENOUGH + 10]);
        check(&[2 * ENOUGH + 1], &[ENOUGH, ENOUGH + 1]);
    }

    /// The span of times of a piece.
    fn span(positions: &[Position], piece: &Range<usize>) -> u64 {
        let micros = |row: usize| {
            positions
                .get(row)
                .map_or(0, |row| row.occurred_at.as_micros())
        };
        micros(piece.start).abs_diff(micros(piece.end - 1))
    }

    #[test]
    fn a_late_event_and_a_wild_one_stay_apart() {
        let hour = i64::try_from(APART_MIN).unwrap_or(0);
        let now = 20_000 * 24 * hour;
        let mut times: Vec<i64> = (0..5000).map(|row| now + row * hour / 2500).collect();
        times.extend([Time::MIN, Time::MAX].map(Time::as_micros));
        times.push(now - 9 * 365 * 24 * hour);
        let rows = positions(times.clone());
        assert_eq!(lens(&CUT.pieces(&rows), rows.len()), [1, 5000, 2]);
        // Few rows stay together, and so do times that have no middle.
        let few = positions(times.split_off(4000));
        assert_eq!(lens(&CUT.pieces(&few), few.len()), [few.len()]);
        let wild = positions((0..5000).map(|row| row * 365 * 24 * hour).collect());
        assert_eq!(lens(&CUT.pieces(&wild), wild.len()), [5000]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

        /// However rows arrive: nothing is lost, pieces beside others are final, and those with the
        /// stragglers off reach little further than the bulk of their rows.
        #[test]
        fn pieces_are_whole_and_large_and_narrow(
            bulks in proptest::collection::vec((0_i64..100, 1_i64..1000, 1_usize..40_000), 1..8),
            wild in proptest::collection::vec(0_i64..8030 * 12, 0..300),
        ) {
            let mut times = Vec::new();
            for (month, step, rows) in &bulks {
                times.extend((0..*rows as i64).map(|row| month * MONTH + row * step * 1000));
            }
            times.extend(wild.iter().map(|month| month * MONTH));
            let rows = positions(times);
            let pieces = CUT.pieces(&rows);
            let found = lens(&pieces, rows.len());
            let large = found.iter().filter(|len| **len >= ENOUGH).count();
            prop_assert!(large == 0 || found.len() <= large + 2);
            prop_assert!(large > 0 || found.len() <= 3);
            prop_assert!(found.iter().all(|len| *len <= CUT.segment_rows));
            if (STRAGGLERS_FROM..ENOUGH).contains(&rows.len()) {
                let most = rows.len() / STRAGGLERS;
                let bulk = span(&rows, &(most..rows.len() - most)).max(APART_MIN);
                let body = pieces.iter().max_by_key(|piece| piece.len()).cloned();
                prop_assert!(span(&rows, &body.unwrap_or_default()) <= 3 * bulk);
            }
        }
    }
}
