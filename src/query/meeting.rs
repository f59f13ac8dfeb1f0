//! Rows that several sets have in common. Sets that seldom meet are leapt through from one to the
//! other. Where they take turns every few entries, a leap costs more than to read the entries it
//! passes over: then a stretch of rows is laid out as bits, a word for 64 rows, and the sets are
//! intersected by words.

use core::ops::Range;

use super::rows::Rows;
use super::rows::Step;
use super::rows::Walk;
use super::rows::Work;
use crate::error::Result;

/// Rows of a stretch at the most.
const STRETCH_ROWS: u32 = 4096;
/// Turns by which it is decided whether to go on by leaps, and how many entries may lie between two
/// for it to pay that all are read: a turn takes as long as some thirty.
const TURNS: u32 = 16;
const ENTRIES_A_TURN: u64 = 8;

/// Rows that are in every one of several sets, of which the rarest comes first.
pub(crate) struct Meeting {
    sets: Vec<Rows>,
    /// Turns that were taken, and the row from which they are counted.
    turns: u32,
    since: u32,
    stretch: Stretch,
}

/// Some rows that follow each other, and which of them are in all sets.
#[derive(Default)]
struct Stretch {
    rows: Range<u32>,
    words: Vec<u64>,
    /// The rows that are in one set, while all are being intersected.
    of_one: Vec<u64>,
}

impl Meeting {
    pub(crate) fn of(sets: Vec<Rows>) -> Meeting {
        Meeting {
            sets,
            turns: 0,
            since: 0,
            stretch: Stretch::default(),
        }
    }

    pub(super) fn sets(&self) -> &[Rows] {
        &self.sets
    }

    /// The first row at or after `row` that is in all sets.
    pub(super) fn seek(&mut self, row: u32, walk: Walk, work: &mut Work) -> Result<Step> {
        let (mut candidate, mut proposer) = (row, None);
        'candidates: loop {
            if self.stretch.rows.contains(&candidate) {
                if let Some(found) = self.stretch.at_or_after(candidate) {
                    return Ok(Step::Row(found));
                }
                (candidate, proposer) = (self.stretch.rows.end, None);
            }
            if candidate >= walk.rows {
                return Ok(Step::End);
            }
            if work.is_spent() && candidate > row {
                return Ok(Step::Spent(candidate));
            }
            if self.is_close(candidate, walk) {
                self.lay_out(candidate, walk, work)?;
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

    /// Whether the sets take turns so closely that a stretch is laid out.
    fn is_close(&mut self, candidate: u32, walk: Walk) -> bool {
        if self.turns == 0 {
            self.since = candidate;
        }
        if self.turns < TURNS {
            return false;
        }
        let passed = u64::from(candidate.saturating_sub(self.since));
        let entries = passed * self.entries(walk) / u64::from(walk.rows.max(1));
        let is_close = entries <= u64::from(self.turns) * ENTRIES_A_TURN;
        if !is_close {
            self.turns = 0;
        }
        is_close
    }

    /// Entries of all sets together.
    fn entries(&self, walk: Walk) -> u64 {
        self.sets.iter().map(|set| set.len_max(walk)).sum()
    }

    /// Lays out the rows from `first` on, not many more than there is work left for.
    fn lay_out(&mut self, first: u32, walk: Walk, work: &mut Work) -> Result<()> {
        let fit = work.left().saturating_mul(u64::from(walk.rows)) / self.entries(walk).max(1);
        let rows = u32::try_from(fit).map_or(STRETCH_ROWS, |fit| fit.clamp(1, STRETCH_ROWS));
        let stretch = first..walk.rows.min(first.saturating_add(rows));
        let Stretch {
            rows: laid_out,
            words,
            of_one,
        } = &mut self.stretch;
        // Nothing is, should a set turn out not to be readable: it may be asked again.
        *laid_out = 0..0;
        words.clear();
        words.resize(stretch.len().div_ceil(64), u64::MAX);
        let (mut all, mut least) = (0, u64::MAX);
        for set in &mut self.sets {
            of_one.clear();
            of_one.resize(words.len(), 0);
            let entries = set.lay_out(&stretch, walk, of_one)?;
            work.spend(entries);
            let pairs = words.iter_mut().zip(&*of_one);
            pairs.for_each(|(word, one)| *word &= one);
            (all, least) = (all + entries, least.min(entries));
            if entries == 0 {
                // The others need not be read, and a leap may go further.
                break;
            }
        }
        // As many turns as there could have been say whether the next stretch is laid out too.
        let turns = least.saturating_mul(2);
        self.turns = if all <= turns.saturating_mul(ENTRIES_A_TURN) {
            TURNS
        } else {
            0
        };
        self.since = stretch.end;
        *laid_out = stretch;
        Ok(())
    }
}

impl Stretch {
    /// The first row of the stretch that is in all sets, at or after `row`, which is one of it.
    fn at_or_after(&self, row: u32) -> Option<u32> {
        let place = row.checked_sub(self.rows.start)?;
        let mut mask = u64::MAX << (place % 64);
        for (number, word) in self.words.iter().enumerate().skip(place as usize / 64) {
            let word = word & core::mem::replace(&mut mask, u64::MAX);
            if word != 0 {
                let found = self.rows.start + number as u32 * 64 + word.trailing_zeros();
                return Some(found).filter(|found| self.rows.contains(found));
            }
        }
        None
    }
}

impl Rows {
    /// Sets a bit for each of the set's rows in `stretch`, counted from its first one; gives how
    /// many entries were looked at for it.
    fn lay_out(&mut self, stretch: &Range<u32>, walk: Walk, words: &mut [u64]) -> Result<u64> {
        match self {
            Rows::None => Ok(0),
            Rows::All => {
                words.fill(u64::MAX);
                Ok(words.len() as u64)
            }
            Rows::List(list) => {
                let from = list.partition_point(|row| *row < stretch.start);
                let here = list.get(from..).unwrap_or_default();
                let here = here.iter().take_while(|row| **row < stretch.end);
                let mut entries = 0;
                for place in here.map(|row| row - stretch.start) {
                    entries += 1;
                    if let Some(word) = words.get_mut(place as usize / 64) {
                        *word |= 1 << (place % 64);
                    }
                }
                Ok(entries)
            }
            Rows::Postings(postings) => {
                let (one, other) = (walk.turn(stretch.start), walk.turn(stretch.end - 1));
                let rows = one.min(other)..one.max(other) + 1;
                postings.lay_out(&rows, walk.direction(), words)
            }
            Rows::Or(sets) => sets
                .iter_mut()
                .map(|set| set.lay_out(stretch, walk, words))
                .sum(),
            Rows::And(meeting) => {
                let (mut entries, mut of_one) = (0, vec![0; words.len()]);
                words.fill(u64::MAX);
                for set in &mut meeting.sets {
                    of_one.fill(0);
                    entries += set.lay_out(stretch, walk, &mut of_one)?;
                    let pairs = words.iter_mut().zip(&of_one);
                    pairs.for_each(|(word, one)| *word &= one);
                }
                Ok(entries)
            }
            Rows::Not(set) => {
                let mut of_set = vec![0; words.len()];
                let entries = set.lay_out(stretch, walk, &mut of_set)?;
                let pairs = words.iter_mut().zip(&of_set);
                pairs.for_each(|(word, has)| *word |= !has);
                // Rows that are in no list were looked at as well.
                Ok(entries + words.len() as u64)
            }
        }
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
