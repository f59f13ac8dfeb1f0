//! Following a store in commit order, from inside its process or from another. A follower keeps
//! only its place, so sealing, merging and the removal of logs pass it by.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use super::Reader;
use super::Shared;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::filter::Filter;
use crate::id::Sequence;
use crate::snapshot::Snapshot;

/// How often another process is asked whether there is more.
const POLL: Duration = Duration::from_millis(20);

/// Events in commit order, those that are still to come included.
///
/// ```
/// use std::time::Duration;
/// use auditdb::{Event, Filter, Options, Sequence, Store};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-follow-{}", std::process::id()));
///
/// let store = Store::open(&folder, Options::default())?;
/// let mut follower = store.follow(Filter::default(), Sequence(0));
/// store.append(&Event::new("user.created"))?;
/// let event = follower.next(Duration::from_secs(1))?;
/// assert_eq!(event.map(|event| event.seq), Some(Sequence(0)));
/// assert_eq!(follower.next(Duration::ZERO)?, None);
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
pub struct Follower {
    store: Followed,
    filter: Filter,
    next_seq: Sequence,
    ready: VecDeque<StoredEvent>,
}

enum Followed {
    Store(Arc<Shared>),
    Reader(Reader),
}

impl Follower {
    pub(super) fn of_store(shared: Arc<Shared>, filter: Filter, from: Sequence) -> Follower {
        let store = Followed::Store(shared);
        Follower {
            store,
            filter,
            next_seq: from,
            ready: VecDeque::new(),
        }
    }

    pub(super) fn of_reader(reader: Reader, filter: Filter, from: Sequence) -> Follower {
        let store = Followed::Reader(reader);
        Follower {
            store,
            filter,
            next_seq: from,
            ready: VecDeque::new(),
        }
    }

    /// The next matching event; waits up to `patience` for one that is still to come. `None` when
    /// none came in that time, or when the store it follows in its own process was closed.
    ///
    /// # Errors
    /// What reading the files gives. The follower stays where it is and may be asked again.
    pub fn next(&mut self, patience: Duration) -> Result<Option<StoredEvent>> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let snapshot = self.store.snapshot()?;
            if self.next_seq.0 < snapshot.seq_count() {
                let tail = snapshot.tail(&self.filter, self.next_seq)?;
                self.next_seq = tail.next_seq;
                self.ready.extend(tail.events);
            } else if !self.store.wait(self.next_seq, deadline) {
                return Ok(None);
            }
        }
    }

    /// Everything before this place in commit order was looked at, and given unless it is still
    /// held ready: where to go on after a restart.
    #[must_use]
    pub fn next_seq(&self) -> Sequence {
        self.ready.front().map_or(self.next_seq, |event| event.seq)
    }
}

impl Followed {
    fn snapshot(&self) -> Result<Snapshot> {
        match self {
            Followed::Store(shared) => Ok(shared.snapshot()),
            Followed::Reader(reader) => reader.snapshot(),
        }
    }

    /// Waits until there is more than `seq` events, or until `deadline`; `false` if it is over.
    fn wait(&self, seq: Sequence, deadline: Instant) -> bool {
        match self {
            Followed::Store(shared) => {
                let mut visible = shared.visible.lock();
                while visible.seq_count <= seq.0 {
                    if visible.closed
                        || shared
                            .visible_moved
                            .wait_until(&mut visible, deadline)
                            .timed_out()
                    {
                        return visible.seq_count > seq.0;
                    }
                }
                true
            }
            Followed::Reader(_) => {
                let left = deadline.saturating_duration_since(Instant::now());
                std::thread::sleep(left.min(POLL));
                !left.is_zero()
            }
        }
    }
}
