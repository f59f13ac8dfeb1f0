//! Reading in commit order: what a follower sees. The order is `seq` alone, never the time, so a
//! late event comes when it was committed, and nothing is passed over.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::selection::on_fresh;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::filter::Filter;
use crate::id::Sequence;
use crate::limits;
use crate::planted::Bug;
use crate::planted::planted;
use crate::snapshot::Snapshot;
use crate::snapshot::event_of;

/// Sequence numbers looked at in one step: bounds what a step costs.
const WINDOW: u64 = 1024;

/// One step of reading in commit order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Matching events in commit order.
    pub events: Vec<StoredEvent>,
    /// Where the next step begins; everything before it was looked at.
    pub next_seq: Sequence,
    /// The step came to the end of the snapshot.
    pub complete: bool,
}

impl Snapshot {
    /// Events that match `filter`, in commit order from `from` on. Looks at up to 1,024 sequence
    /// numbers, or as many as have 8 MiB of matching events, so that a call's cost is bounded; call
    /// again with [`Tail::next_seq`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::Filter`] for what [`Filter::validate`] refuses and for an empty range of times, or what reading the files gives.
    pub fn tail(&self, filter: &Filter, from: Sequence) -> Result<Tail> {
        filter.validate()?;
        let range = filter.range(self.base().clock.now())?;
        let to = from.0.saturating_add(WINDOW).min(self.seq_count());
        let gathered = on_fresh(self, |snapshot| {
            let mut gathered = Gathered::new(to);
            let matches = |event: &StoredEvent| filter.matches(event, range);
            snapshot.gather(from.0, &matches, &mut gathered)?;
            Ok(gathered)
        })?;
        let next = gathered.to.max(from.0);
        let events = gathered.events.into_values().map(|(event, _)| event);
        Ok(Tail {
            events: events.collect(),
            next_seq: Sequence(next),
            complete: next >= self.seq_count(),
        })
    }

    /// Gathers the events from `from` on that are wanted.
    fn gather(
        &self,
        from: u64,
        matches: &dyn Fn(&StoredEvent) -> bool,
        gathered: &mut Gathered,
    ) -> Result<()> {
        let first = from + u64::from(planted(Bug::FollowerSkipsAtSeal));
        for unopened in self.sources() {
            if unopened.seqs.0 >= gathered.to || unopened.seqs.1 < first {
                continue;
            }
            let source = unopened.open(self.base())?;
            source.rows_of(from..gathered.to, &mut |row| {
                if row.position.seq.0 >= gathered.to {
                    return Ok(ControlFlow::Break(()));
                }
                let event = event_of(row)?;
                if matches(&event) {
                    gathered.take(event, row.body.content.len());
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(())
    }
}

/// Events by their sequence numbers, all that are wanted below `to`. What is too much goes from
/// the far end, which comes nearer: each source gives its rows in commit order, so each is left
/// where that end is reached.
struct Gathered {
    to: u64,
    events: BTreeMap<u64, (StoredEvent, usize)>,
    bytes: usize,
}

impl Gathered {
    fn new(to: u64) -> Gathered {
        Gathered {
            to,
            events: BTreeMap::new(),
            bytes: 0,
        }
    }

    fn take(&mut self, event: StoredEvent, bytes: usize) {
        self.bytes += bytes;
        self.events.insert(event.seq.0, (event, bytes));
        while self.bytes > limits::PAGE_BYTES && self.events.len() > 1 {
            let Some((seq, (_, bytes))) = self.events.pop_last() else {
                break;
            };
            self.bytes -= bytes;
            self.to = seq;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::id::EventId;
    use crate::id::Position;
    use crate::time::Time;

    fn event(seq: u64) -> StoredEvent {
        let position = Position {
            occurred_at: Time::MIN,
            seq: Sequence(seq),
        };
        StoredEvent {
            id: EventId::new(position),
            seq: Sequence(seq),
            occurred_at: Time::MIN,
            recorded_at: Time::MIN,
            event: Event::new("a.a"),
        }
    }

    fn gathered(events: &[(u64, usize)]) -> (Vec<u64>, u64) {
        let mut gathered = Gathered::new(100);
        for (seq, bytes) in events {
            gathered.take(event(*seq), *bytes);
        }
        (gathered.events.into_keys().collect(), gathered.to)
    }

    /// Whatever order sources give them in, the first in commit order stay.
    #[test]
    fn what_is_too_much_goes_from_the_far_end() {
        const HALF: usize = limits::PAGE_BYTES / 2;
        assert_eq!(gathered(&[(1, HALF), (2, HALF)]), (vec![1, 2], 100));
        assert_eq!(gathered(&[(1, HALF), (2, HALF + 1)]), (vec![1], 2));
        assert_eq!(gathered(&[(9, HALF + 1), (2, HALF)]), (vec![2], 9));
        // One is given whatever it takes, and what gave way makes room for others.
        assert_eq!(gathered(&[(7, 3 * HALF)]), (vec![7], 100));
        let three = [(7, 3 * HALF), (5, HALF), (6, HALF)];
        assert_eq!(gathered(&three), (vec![5, 6], 7));
    }
}
