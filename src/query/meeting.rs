//! Rows that several sets have in common. Sets that seldom meet are leapt through from one to the
//! other. Where leaps pass over few rows of the rarest set, a leap costs more than to read those
//! rows: then they are taken many at a time, and the other sets are asked which of them they have.

use core::ops::Range;

use super::rows::Rows;
use super::rows::Step;
use super::rows::Walk;
use super::rows::Work;
use crate::error::Result;

/// Rows of the rarest set that are taken at a time: so many at first, then ever more, as long as
/// the walk goes on.
const BATCH_MIN: usize = 16;
const BATCH_MAX: usize = 1024;
/// Turns by which it is decided whether to go on by leaps, and how many rows of the rarest set may
/// lie between two for it to pay that all are read: a turn takes as long as some ten.
const TURNS: u32 = 8;
const ROWS_A_TURN: u64 = 8;
/// What a batch may take of the work that is left, for each set, so that a page that it ends has come
/// to what was found.
const WORK_SHARE: u64 = 8;

/// Rows that are in every one of several sets, of which the rarest comes first.
pub(crate) struct Meeting {
    sets: Vec<Rows>,
    /// Turns that were taken, and the row from which they are counted.
    turns: u32,
    since: u32,
    known: Known,
}

/// Some rows that follow each other, and those of them that are in all sets.
struct Known {
    rows: Range<u32>,
    found: Vec<u32>,
    /// How many rows of the rarest set are taken next.
    batch: usize,
}

impl Meeting {
    pub(crate) fn of(sets: Vec<Rows>) -> Meeting {
        Meeting {
            sets,
            turns: 0,
            since: 0,
            known: Known {
                rows: 0..0,
                found: Vec::new(),
                batch: BATCH_MIN,
            },
        }
    }

    pub(super) fn sets(&self) -> &[Rows] {
        &self.sets
    }

    /// The first row at or after `row` that is in all sets.
    pub(super) fn seek(&mut self, row: u32, walk: Walk, work: &mut Work) -> Result<Step> {
        let (mut candidate, mut proposer) = (row, None);
        'candidates: loop {
            if self.known.rows.contains(&candidate) {
                if let Some(found) = self.known.at_or_after(candidate) {
                    return Ok(Step::Row(found));
                }
                (candidate, proposer) = (self.known.rows.end, None);
            }
            if candidate >= walk.rows {
                return Ok(Step::End);
            }
            if work.is_spent() && candidate > row {
                return Ok(Step::Spent(candidate));
            }
            if !work.is_spent() && self.is_close(candidate, walk) {
                self.take(candidate, walk, work)?;
                continue;
            }
            for (number, set) in self.sets.iter_mut().enumerate() {
                if proposer == Some(number) {
                    continue;
                }
                match set.seek(candidate, walk, work)? {
                    Step::Row(found) if found == candidate => {}
                    Step::Row(found) => {
                        (candidate, proposer) = (found, Some(number));
                        self.turns += 1;
                        continue 'candidates;
                    }
                    step => return Ok(step),
                }
            }
            return Ok(Step::Row(candidate));
        }
    }

    /// Whether leaps pass over so few rows of the rarest set that these are read.
    fn is_close(&mut self, candidate: u32, walk: Walk) -> bool {
        if self.turns == 0 {
            self.since = candidate;
        }
        if self.turns < TURNS {
            return false;
        }
        let passed = u64::from(candidate.saturating_sub(self.since));
        let rarest = self.sets.first().map_or(0, |set| set.len_max(walk));
        let rows = passed.saturating_mul(rarest) / u64::from(walk.rows.max(1));
        let is_close = rows <= u64::from(self.turns) * ROWS_A_TURN;
        if !is_close {
            self.turns = 0;
        }
        is_close
    }

    /// Takes rows of the rarest set from `first` on, and keeps those that all others have.
    fn take(&mut self, first: u32, walk: Walk, work: &mut Work) -> Result<()> {
        let Known { rows, found, batch } = &mut self.known;
        // Nothing is known, should a set turn out not to be readable: it may be asked again.
        *rows = 0..0;
        found.clear();
        let Some((rarest, others)) = self.sets.split_first_mut() else {
            return Ok(());
        };
        let share = work.left() / (WORK_SHARE * (1 + others.len() as u64));
        let max = usize::try_from(share).map_or(*batch, |share| share.clamp(1, *batch));
        let end = rarest.take(first, walk, work, max, found)?;
        // Whatever a damaged list says, rows come in order.
        let mut next = first;
        found.retain(|row| {
            let is_next = (next..end).contains(row);
            next = if is_next { row + 1 } else { next };
            is_next
        });
        for set in others {
            work.spend(found.len() as u64);
            set.retain(found, walk)?;
        }
        // Where nothing was found, a leap may go further: some must show that it does not.
        self.turns = if found.is_empty() { TURNS / 2 } else { TURNS };
        self.since = end;
        *batch = (*batch * 2).min(BATCH_MAX);
        *rows = first..end;
        Ok(())
    }
}

impl Known {
    /// The first row of those found at or after `row`.
    fn at_or_after(&self, row: u32) -> Option<u32> {
        let at = self.found.partition_point(|found| *found < row);
        self.found.get(at).copied()
    }
}

impl Rows {
    /// Appends rows of the set from `from` on to `found`, in order, `max` at the most; gives the first
    /// row that may be missing, which lies behind `from`.
    fn take(
        &mut self,
        from: u32,
        walk: Walk,
        work: &mut Work,
        max: usize,
        found: &mut Vec<u32>,
    ) -> Result<u32> {
        if let Rows::Postings(postings) = self
            && let Some(reached) = postings.take(walk.turn(from), walk.direction(), max, found)?
        {
            work.spend(found.len() as u64);
            found.iter_mut().for_each(|row| *row = walk.turn(*row));
            let end = match walk.oldest_first {
                true => walk.rows.saturating_sub(reached),
                false => walk.rows.min(reached),
            };
            return Ok(end.max(from + 1));
        }
        let mut at = from;
        while found.len() < max {
            match self.seek(at, walk, work)? {
                Step::Row(row) => {
                    found.push(row);
                    at = row + 1;
                }
                Step::Spent(row) => return Ok(row),
                Step::End => return Ok(walk.rows),
            }
        }
        Ok(at)
    }

    /// Keeps those of `rows`, which ascend, that are in the set.
    pub(super) fn retain(&mut self, rows: &mut Vec<u32>, walk: Walk) -> Result<()> {
        match self {
            Rows::All => {}
            Rows::None => rows.clear(),
            Rows::List(list) => {
                let mut rest = list.as_slice();
                rows.retain(|row| {
                    let before = rest.partition_point(|listed| listed < row);
                    rest = rest.get(before..).unwrap_or_default();
                    rest.first() == Some(row)
                });
            }
            Rows::Postings(postings) => {
                let turn = |rows: &mut Vec<u32>| {
                    if walk.oldest_first {
                        rows.reverse();
                        rows.iter_mut().for_each(|row| *row = walk.turn(*row));
                    }
                };
                turn(rows);
                postings.retain(rows)?;
                turn(rows);
            }
            Rows::And(meeting) => {
                for set in &mut meeting.sets {
                    set.retain(rows, walk)?;
                }
            }
            Rows::Or(sets) => {
                let mut of_any = Vec::new();
                for set in sets {
                    let mut of_set = rows.clone();
                    set.retain(&mut of_set, walk)?;
                    of_any.extend(of_set);
                }
                of_any.sort_unstable();
                of_any.dedup();
                *rows = of_any;
            }
            Rows::Reading(reading) => reading.retain(rows, walk)?,
            Rows::Not(set) => {
                let mut of_set = rows.clone();
                set.retain(&mut of_set, walk)?;
                let mut of_set = of_set.iter().peekable();
                rows.retain(|row| of_set.next_if_eq(&row).is_none());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::rows::tests::all;

    const ROWS: u32 = 20_000;

    /// Every so many rows of a stretch, and every other row of another one.
    #[derive(Clone, Debug)]
    struct Pattern {
        step: u32,
        phase: u32,
        wide: Range<u32>,
        dense: Range<u32>,
    }

    impl Pattern {
        fn has(&self, row: u32) -> bool {
            self.wide.contains(&row) && row % self.step == self.phase % self.step
                || self.dense.contains(&row) && (row + self.phase).is_multiple_of(2)
        }

        fn rows(&self, walk: Walk) -> Rows {
            Rows::list((0..ROWS).filter(|row| self.has(*row)).collect(), walk)
        }
    }

    fn patterns() -> impl proptest::strategy::Strategy<Value = Vec<Pattern>> {
        use proptest::strategy::Strategy;
        let one = (1_u32..60, 0_u32..60, 0..ROWS, 0..ROWS, 0..ROWS, 0_u32..3000);
        let one = one.prop_map(|(step, phase, from, to, dense, len)| Pattern {
            step,
            phase,
            wide: from.min(to)..from.max(to),
            dense: dense..dense + len,
        });
        proptest::collection::vec(one, 4)
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        /// However close the sets are, leapt through or laid out, with any budget: their common rows
        /// are those that set algebra gives, and every call whose budget is spent has moved on.
        #[test]
        fn sets_meet_where_set_algebra_says(
            patterns in patterns(),
            oldest_first: bool,
            budget in 1_u64..6000,
        ) {
            let walk = Walk { rows: ROWS, oldest_first };
            let [a, b, c, d] = patterns.as_slice() else {
                unreachable!("there are four");
            };
            let inner = Rows::And(Box::new(Meeting::of(vec![b.rows(walk), a.rows(walk)])));
            let mut meeting = Meeting::of(vec![
                a.rows(walk),
                Rows::Or(vec![inner, c.rows(walk)]),
                Rows::Not(Box::new(d.rows(walk))),
            ]);
            let has = |row: &u32| a.has(*row) && (b.has(*row) || c.has(*row)) && !d.has(*row);
            let mut wanted: Vec<u32> = (0..ROWS).filter(has).collect();
            if oldest_first {
                wanted.reverse();
            }
            let found = all(walk, |at| meeting.seek(at, walk, &mut Work::new(budget)))?;
            proptest::prop_assert_eq!(found, wanted);
        }
    }
}
