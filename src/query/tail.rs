//! Reading in commit order: what a follower sees. The order is `seq` alone, never the time, so a
//! late event comes when it was committed, and nothing is passed over.

use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::filter::Filter;
use crate::id::Sequence;
use crate::snapshot::Snapshot;

/// Sequence numbers looked at in one step: bounds what a step holds in memory.
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
    /// numbers, so that a call's cost is bounded; call again with [`Tail::next_seq`].
    ///
    /// # Errors
    /// [`ErrorKind::Filter`] for an empty time range, or what reading the files gives.
    pub fn tail(&self, filter: &Filter, from: Sequence) -> Result<Tail> {
        let range = filter.range(self.base().clock.now())?;
        let to = from.0.saturating_add(WINDOW).min(self.seq_count());
        let mut events = Vec::new();
        let mut snapshot = self.clone();
        let mut refreshed = 0;
        while let Err(error) = snapshot.collect(from.0, to, &mut events) {
            // A merge of the writing process took a file away; the fresh version holds its events.
            refreshed += 1;
            if error.kind() != ErrorKind::Missing || refreshed > 32 {
                return Err(error);
            }
            snapshot = snapshot.refreshed()?;
            events.clear();
        }
        events.sort_unstable_by_key(|event| event.seq);
        events.retain(|event| filter.matches(event, range));
        Ok(Tail {
            events,
            next_seq: Sequence(to.max(from.0)),
            complete: to >= self.seq_count(),
        })
    }

    /// Appends every event of `from..to`, in no order.
    fn collect(&self, from: u64, to: u64, events: &mut Vec<StoredEvent>) -> Result<()> {
        for unopened in self.sources() {
            if unopened.seqs.0 < to && unopened.seqs.1 >= from {
                unopened.open(self.base())?.events_of(from..to, events)?;
            }
        }
        Ok(())
    }
}
