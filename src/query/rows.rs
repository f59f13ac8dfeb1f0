//! The rows of one source that a filter selects, found lazily: each step asks for the first match
//! at or after a row, so a conjunction leaps over what its rarest part does not hold. Rows are
//! numbered in reading direction here; the leaves turn the numbers round for oldest-first reads.

use super::meeting::Meeting;
use super::reading::Reading;
use crate::error::Result;
use crate::planted::Bug;
use crate::planted::planted;
use crate::segment::postings::Direction;
use crate::segment::postings::Postings;

/// What one step of a scan found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The first match at or after the row asked for.
    Row(u32),
    /// No match follows.
    End,
    /// The budget is spent; no match lies before this row, which lies after the row asked for.
    Spent(u32),
}

/// How many index entries a call may still look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    left: u64,
}

impl Work {
    pub(crate) const fn new(max: u64) -> Work {
        Work { left: max }
    }

    pub(crate) fn spend(&mut self, steps: u64) {
        self.left = self.left.saturating_sub(steps);
    }

    pub(crate) const fn is_spent(&self) -> bool {
        self.left == 0
    }

    pub(super) const fn left(&self) -> u64 {
        self.left
    }
}

/// A set of rows of one source.
pub(crate) enum Rows {
    /// Every row.
    All,
    /// No row.
    None,
    /// Rows listed in memory, ascending in reading direction.
    List(Vec<u32>),
    /// Rows listed in a segment.
    Postings(Box<Postings>),
    /// Rows that are in every set.
    And(Box<Meeting>),
    /// Rows that are in some set.
    Or(Vec<Rows>),
    /// Rows that are not in the set.
    Not(Box<Rows>),
    /// Rows of a set whose texts hold words.
    Reading(Box<Reading>),
}

/// The source whose rows are walked: how many there are, and which way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    pub(crate) rows: u32,
    pub(crate) oldest_first: bool,
}

impl Walk {
    /// The row of the source that has number `row` in reading direction, and the other way round.
    pub(crate) const fn turn(self, row: u32) -> u32 {
        if self.oldest_first {
            self.rows.saturating_sub(1).saturating_sub(row)
        } else {
            row
        }
    }

    pub(super) const fn direction(self) -> Direction {
        if self.oldest_first {
            Direction::Down
        } else {
            Direction::Up
        }
    }
}

impl Rows {
    /// The set of source rows `list` (ascending as the source numbers them).
    pub(crate) fn list(mut list: Vec<u32>, walk: Walk) -> Rows {
        if walk.oldest_first {
            list.reverse();
            list.iter_mut().for_each(|row| *row = walk.turn(*row));
        }
        if list.is_empty() {
            Rows::None
        } else {
            Rows::List(list)
        }
    }

    /// The first match at or after `row`.
    pub(crate) fn seek(&mut self, row: u32, walk: Walk, work: &mut Work) -> Result<Step> {
        if row >= walk.rows {
            return Ok(Step::End);
        }
        work.spend(1);
        let skipped = u32::from(row % 64 == 63 && planted(Bug::SkipLastRowOfBlock));
        match self {
            Rows::All => Ok(Step::Row(row + skipped)),
            Rows::None => Ok(Step::End),
            Rows::List(list) => {
                let at = list.partition_point(|listed| *listed < row);
                Ok(list.get(at).map_or(Step::End, |listed| Step::Row(*listed)))
            }
            Rows::Postings(postings) => {
                let found = postings.seek(walk.turn(row), walk.direction())?;
                Ok(found.map_or(Step::End, |found| Step::Row(walk.turn(found))))
            }
            Rows::And(meeting) => meeting.seek(row, walk, work),
            Rows::Or(sets) => seek_any(sets, row, walk, work),
            Rows::Not(set) => seek_none(set, row, walk, work),
            Rows::Reading(reading) => reading.seek(row, walk, work),
        }
    }

    /// An upper bound of the rows in the set, to walk the rarest part of a conjunction first.
    pub(crate) fn len_max(&self, walk: Walk) -> u64 {
        let all = u64::from(walk.rows);
        match self {
            Rows::None => 0,
            Rows::List(list) => list.len() as u64,
            Rows::Postings(postings) => u64::from(postings.len()),
            Rows::And(meeting) => meeting
                .sets()
                .iter()
                .map(|set| set.len_max(walk))
                .min()
                .unwrap_or(all),
            Rows::Or(sets) => sets
                .iter()
                .map(|set| set.len_max(walk))
                .sum::<u64>()
                .min(all),
            Rows::Reading(reading) => reading.len_max(walk),
            Rows::All | Rows::Not(_) => all,
        }
    }

    /// Blocks that were read to find rows, beside those that indexes took.
    pub(super) fn blocks_read(&self) -> u64 {
        match self {
            Rows::Reading(reading) => reading.blocks_read(),
            Rows::And(meeting) => meeting.sets().iter().map(Rows::blocks_read).sum(),
            Rows::Or(sets) => sets.iter().map(Rows::blocks_read).sum(),
            Rows::Not(set) => set.blocks_read(),
            Rows::All | Rows::None | Rows::List(_) | Rows::Postings(_) => 0,
        }
    }
}

fn seek_any(sets: &mut [Rows], row: u32, walk: Walk, work: &mut Work) -> Result<Step> {
    let (mut first, mut spent) = (None::<u32>, None::<u32>);
    for set in sets.iter_mut() {
        match set.seek(row, walk, work)? {
            Step::Row(found) => first = Some(first.map_or(found, |first| first.min(found))),
            Step::Spent(at) => spent = Some(spent.map_or(at, |spent| spent.min(at))),
            Step::End => {}
        }
    }
    Ok(match (first, spent) {
        (Some(first), Some(spent)) if first >= spent => Step::Spent(spent),
        (Some(first), _) => Step::Row(first),
        (None, Some(spent)) => Step::Spent(spent),
        (None, None) => Step::End,
    })
}

fn seek_none(set: &mut Rows, row: u32, walk: Walk, work: &mut Work) -> Result<Step> {
    let mut candidate = row;
    while candidate < walk.rows {
        match set.seek(candidate, walk, work)? {
            Step::Row(found) if found == candidate => candidate += 1,
            _ => return Ok(Step::Row(candidate)),
        }
        if work.is_spent() {
            return Ok(Step::Spent(candidate));
        }
    }
    Ok(Step::End)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Every row of the source that `seek` finds, going on where it ran out of work.
    pub(in crate::query) fn all(
        walk: Walk,
        mut seek: impl FnMut(u32) -> Result<Step>,
    ) -> Result<Vec<u32>> {
        let (mut found, mut at) = (Vec::new(), 0);
        loop {
            match seek(at)? {
                Step::Row(row) => {
                    found.push(walk.turn(row));
                    at = row + 1;
                }
                Step::Spent(row) => {
                    assert!(row > at, "work was spent for nothing");
                    at = row;
                }
                Step::End => return Ok(found),
            }
        }
    }

    #[test]
    fn no_row_is_outside_of_all_rows() -> Result<()> {
        for oldest_first in [false, true] {
            let walk = Walk {
                rows: 5,
                oldest_first,
            };
            let mut rows = Rows::Not(Box::new(Rows::list((0..5).collect(), walk)));
            for work in [1, 100] {
                let found = all(walk, |at| rows.seek(at, walk, &mut Work::new(work)))?;
                assert_eq!(found, [0_u32; 0]);
            }
        }
        Ok(())
    }

    proptest::proptest! {
        /// The tree finds exactly the rows that set algebra gives, with any budget.
        #[test]
        fn lazy_sets_equal_set_algebra(
            a in proptest::collection::btree_set(0_u32..40, 0..40),
            b in proptest::collection::btree_set(0_u32..40, 0..40),
            c in proptest::collection::btree_set(0_u32..40, 0..40),
            oldest_first: bool,
            budget in 0_u64..20,
        ) {
            let walk = Walk { rows: 40, oldest_first };
            let list = |set: &std::collections::BTreeSet<u32>| Rows::list(set.iter().copied().collect(), walk);
            let mut rows = Rows::And(Box::new(Meeting::of(vec![
                Rows::Or(vec![list(&a), list(&b)]),
                Rows::Not(Box::new(list(&c))),
            ])));
            let found = all(walk, |at| rows.seek(at, walk, &mut Work::new(budget)))?;
            let mut wanted: Vec<u32> = (0..40)
                .filter(|row| (a.contains(row) || b.contains(row)) && !c.contains(row))
                .collect();
            if oldest_first {
                wanted.reverse();
            }
            proptest::prop_assert_eq!(found, wanted);
        }
    }
}
