//! The matches that follow each other in one source before any other source has its say, found
//! without a look at the heap or at their places: most of what a page and all of what an export
//! walks over.

use super::OpenRun;
use super::Step;
use super::Walker;
use super::Work;
use crate::error::Result;
use crate::id::Position;

/// How many matches in a row one source gives before it is asked how far it may go on: whoever
/// asks has the place of the next source looked for, which takes as long as a few steps.
pub(crate) const STREAK: usize = 4;

impl Walker {
    /// Hands on the rows of up to `max` matches that follow the last one in its source before any
    /// other source can have one, without looking at their places; gives the place of the last of
    /// them. After an error the walk stands where it stood before.
    pub(crate) fn leap(
        &mut self,
        max: usize,
        work: &mut Work,
        row: &mut dyn FnMut(u32),
    ) -> Result<Option<Position>> {
        let upcoming = self.next_upcoming();
        let next = self.heap.peek().copied().max(upcoming);
        let bound = next.map(|head| self.position_of(head));
        let visible = self.route.since_seq..self.snapshot.seq_count();
        let Some(run) = self.current.and_then(|run| self.runs.get_mut(run)) else {
            return Ok(None);
        };
        let (low, high) = run.unopened.seqs;
        let Some(open) = run.open.as_mut().filter(|_| {
            // Rows that may not come at all have to be looked at one by one.
            visible.contains(&low) && visible.contains(&high)
        }) else {
            return Ok(None);
        };
        let rank = next.map(|head| head.rank);
        let clear = match open.clear {
            Some((known, clear)) if known == rank => clear,
            _ => open.clear_of(bound)?,
        };
        open.clear = Some((rank, clear));
        let (mut at, mut last) = (open.at, None);
        for _ in 0..max {
            if work.is_spent() {
                break;
            }
            match open.rows.seek(at + 1, open.walk, work)? {
                Step::Row(found) if found < clear => {
                    (at, last) = (found, Some(found));
                    row(open.walk.turn(found));
                }
                // What was passed over need not be looked at again.
                Step::Spent(found) if found < clear => at = found - 1,
                _ => break,
            }
        }
        if let Some(last) = last {
            let last = open.walk.turn(last);
            self.emitted = Some(open.source.position(last, &mut open.kept)?);
        }
        open.at = at;
        Ok(last.and(self.emitted))
    }
}

impl OpenRun {
    /// The first row, in reading direction, that does not come before `bound`.
    fn clear_of(&mut self, bound: Option<Position>) -> Result<u32> {
        let Some(bound) = bound else {
            return Ok(self.end);
        };
        let kept = &mut self.kept;
        let clear = if !self.walk.oldest_first {
            self.source.lower_bound(bound, kept)?
        } else if bound.predecessor() < bound {
            let behind = self.source.lower_bound(bound.predecessor(), kept)?;
            self.walk.rows.saturating_sub(behind)
        } else {
            0
        };
        Ok(clear.min(self.end))
    }
}
