//! Where rows are cut into segments: at partition borders, as far as every piece stays large
//! enough, so that the number of segments is bounded by the number of events whatever times arrive.

use core::ops::Range;

use crate::disk::names::Folder;
use crate::id::Position;
use crate::limits;
use crate::options::Partition;

/// Cuts rows, given newest first, into the row ranges of segments.
///
/// A partition with at least [`limits::PARTITION_ROWS_MIN`] rows begins and ends segments of its
/// own; sparser neighbours share one. No piece has more than [`limits::SEGMENT_ROWS`] rows, and if
/// there is more than one piece, none has fewer than half of the minimum of a partition.
pub(super) fn pieces(positions: &[Position], width: Partition) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for run in positions.chunk_by(|left, right| {
        Folder::of(left.occurred_at, width) == Folder::of(right.occurred_at, width)
    }) {
        let end = start + run.len();
        let sparse = |run: &Range<usize>| run.len() < limits::PARTITION_ROWS_MIN;
        match runs.last_mut() {
            // What is sparse is joined to what is beside it until the whole is worth a segment.
            Some(last) if sparse(last) || end - start < limits::PARTITION_ROWS_MIN => {
                last.end = end
            }
            _ => runs.push(start..end),
        }
        start = end;
    }
    runs.into_iter().flat_map(split).collect()
}

/// Splits a run that is too long into equal parts.
fn split(run: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let parts = run.len().div_ceil(limits::SEGMENT_ROWS).max(1);
    let len = run.len();
    (0..parts).map(move |part| run.start + len * part / parts..run.start + len * (part + 1) / parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Sequence;
    use crate::time::Time;

    const MONTH: i64 = 31 * 86_400 * 1_000_000;

    /// Rows of months, newest first: as many in each as `months` says.
    fn positions(months: &[usize]) -> Vec<Position> {
        let of_month = |(month, rows): (usize, &usize)| {
            let month = (months.len() - month) as i64;
            (0..*rows).rev().map(move |row| Position {
                occurred_at: Time::saturating_from_micros(month * MONTH),
                seq: Sequence(row as u64),
            })
        };
        months.iter().enumerate().flat_map(of_month).collect()
    }

    fn check(months: &[usize], pieces_wanted: &[usize]) {
        let found = pieces(&positions(months), Partition::Month);
        let lens: Vec<usize> = found.iter().map(ExactSizeIterator::len).collect();
        assert_eq!(lens, pieces_wanted, "{months:?}");
        assert!(
            found
                .iter()
                .zip(found.iter().skip(1))
                .all(|(left, right)| left.end == right.start)
        );
    }

    #[test]
    fn sparse_months_share_and_dense_ones_stand_alone() {
        const DENSE: usize = limits::PARTITION_ROWS_MIN;
        check(&[], &[]);
        check(&[1], &[1]);
        check(&[10, 10, 10], &[30]);
        check(&[DENSE, DENSE], &[DENSE, DENSE]);
        check(&[DENSE, 5, DENSE], &[DENSE + 5, DENSE]);
        check(&[5, DENSE, 5], &[DENSE + 10]);
        check(
            &[limits::SEGMENT_ROWS + 1],
            &[limits::SEGMENT_ROWS / 2, limits::SEGMENT_ROWS / 2 + 1],
        );
    }
}
