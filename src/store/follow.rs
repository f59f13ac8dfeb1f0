//! Following a store in commit order, from inside its process or from another. A follower keeps
//! only its place, so sealing, merging and the removal of logs pass it by.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use super::Reader;
use super::Shared;
use crate::disk::watch::Watch;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::filter::Condition;
use crate::filter::Filter;
use crate::id::Sequence;
use crate::query::looked_at;
use crate::query::shown;
use crate::snapshot::Snapshot;

/// Patience without an end, as a clock can count it.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 86_400);
/// How often another process is asked whether there is more: soon after there was, else at leisure.
/// To ask is one read of a kilobyte that lies in memory.
const POLL_MIN: Duration = Duration::from_millis(1);
const POLL_MAX: Duration = Duration::from_millis(20);
/// How often all is looked at although nothing was published: a writer that ended leaves no word, and
/// somebody may have put another `LOCK` in the place of the one that is watched.
const LOOK_AFTER: Duration = Duration::from_secs(1);

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
    /// Whose view of the events is given, and what has to hold for what is shown.
    view: Option<(String, Vec<Condition>)>,
    next_seq: Sequence,
    ready: VecDeque<StoredEvent>,
}

enum Followed {
    Store(Arc<Shared>),
    Beside(Box<Beside>),
}

/// A store that another process writes, or nobody.
struct Beside {
    reader: Reader,
    watch: Option<Watch>,
    /// When all was last looked at.
    looked: Option<Instant>,
    /// What was found then, while there is more in it.
    found: Option<Snapshot>,
    pause: Duration,
}

impl Follower {
    pub(super) fn of_store(shared: Arc<Shared>, filter: Filter, from: Sequence) -> Follower {
        let store = Followed::Store(shared);
        Follower {
            store,
            filter,
            view: None,
            next_seq: from,
            ready: VecDeque::new(),
        }
    }

    pub(super) fn of_reader(reader: Reader, filter: Filter, from: Sequence) -> Follower {
        let store = Followed::Beside(Box::new(Beside {
            reader,
            watch: None,
            looked: None,
            found: None,
            pause: POLL_MIN,
        }));
        Follower {
            store,
            filter,
            view: None,
            next_seq: from,
            ready: VecDeque::new(),
        }
    }

    /// Gives what `org` is shown: the events of its own trail, projected as [`Snapshot::view`] does, of
    /// those that then match the filter.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use auditdb::{Event, Filter, Options, Performer, Sequence, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-follow-org-{}", std::process::id()));
    /// # let store = Store::open(&folder, Options::default())?;
    /// let changed = Event::new("user.updated").performer(Performer::new("admin").id("a1").org("north"));
    /// store.append_batch(&changed.for_orgs(["north", "south"], "change-4711"))?;
    /// let mut follower = store.follow(Filter::default(), Sequence(0)).of_view("south");
    /// let event = follower.next(Duration::ZERO)?.expect("the copy of south");
    /// assert_eq!(event.event.performer.value().and_then(|who| who.id.as_deref()), None);
    /// assert_eq!(follower.next(Duration::ZERO)?, None);
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    #[must_use]
    pub fn of_view(self, org: impl Into<String>) -> Follower {
        let org = org.into();
        let (filter, hidden) = looked_at(&self.filter, &org);
        Follower {
            filter,
            view: Some((org, hidden)),
            // What was read before, and not given yet, was read for everybody.
            next_seq: self.next_seq(),
            ready: VecDeque::new(),
            ..self
        }
    }

    /// The next matching event; waits up to `patience` for one that is still to come. `None` when
    /// none came in that time, or when the store it follows in its own process was closed.
    ///
    /// # Errors
    /// What reading the files gives. The follower stays where it is and may be asked again.
    pub fn next(&mut self, patience: Duration) -> Result<Option<StoredEvent>> {
        let now = Instant::now();
        let deadline = now.checked_add(patience).unwrap_or(now + FOR_EVER);
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if let Some(snapshot) = self.store.news(self.next_seq)? {
                let tail = snapshot.tail(&self.filter, self.next_seq)?;
                self.next_seq = tail.next_seq;
                self.ready.extend(match &self.view {
                    Some((org, hidden)) => shown(tail.events, org, hidden),
                    None => tail.events,
                });
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
    /// The store, if it has more than `seq` events.
    fn news(&mut self, seq: Sequence) -> Result<Option<Snapshot>> {
        let snapshot = match self {
            Followed::Store(shared) => Some(shared.snapshot()),
            Followed::Beside(beside) => beside.news(seq)?,
        };
        Ok(snapshot.filter(|snapshot| snapshot.seq_count() > seq.0))
    }

    /// Waits until there may be more than `seq` events, or until `deadline`; `false` if it is over.
    fn wait(&mut self, seq: Sequence, deadline: Instant) -> bool {
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
            Followed::Beside(beside) => beside.wait(deadline),
        }
    }
}

impl Beside {
    /// The store as it is now, unless nothing has come since it was last looked at, when it had no
    /// more than `seq` events.
    fn news(&mut self, seq: Sequence) -> Result<Option<Snapshot>> {
        self.found.take_if(|found| found.seq_count() <= seq.0);
        if self.found.is_some() {
            return Ok(self.found.clone());
        }
        let is_due = self.looked.is_none_or(|then| then.elapsed() >= LOOK_AFTER);
        if is_due || self.watch.is_none() {
            self.watch = Watch::begin(self.reader.disk())?;
        } else if let Some(watch) = &mut self.watch
            && !watch.has_moved()?
        {
            return Ok(None);
        }
        // Behind the look at the point: what is published from here on is told next time.
        let found = self.reader.snapshot()?;
        self.looked = Some(Instant::now());
        if found.seq_count() > seq.0 {
            self.pause = POLL_MIN;
            self.found = Some(found);
        }
        Ok(self.found.clone())
    }

    fn wait(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        std::thread::sleep(left.min(self.pause));
        self.pause = (2 * self.pause).min(POLL_MAX);
        !left.is_zero()
    }
}
