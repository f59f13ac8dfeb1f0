//! A scan as an iterator: unbounded in rows, bounded in memory, restartable behind any row. What
//! exports are made of.

use super::cursor::Cursor;
use super::page::Bound;
use super::page::Query;
use super::rows::Work;
use super::scan::Found;
use super::scan::Looked;
use super::scan::Route;
use super::scan::Walker;
use super::view::EventView;
use crate::error::Result;
use crate::event::Event;
use crate::event::StoredEvent;
use crate::filter::Condition;
use crate::filter::Filter;
use crate::filter::expression::Expression;
use crate::filter::expression::Leaf;
use crate::id::EventId;
use crate::id::Position;
use crate::snapshot::Snapshot;
use crate::snapshot::event_of;
use crate::time::Time;

/// Every match of a query, one after the other. `limit` and `work_max` do not bound it.
///
/// What fails for once may be tried again: [`Scan::next_line`] and [`Scan::next_with`] go on with
/// the very match that could not be read, and [`Scan::cursor`] stands before it. As an iterator a
/// scan ends behind its first error.
///
/// ```
/// use auditdb::{Event, Options, Query, Store};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-scan-{}", std::process::id()));
///
/// let store = Store::open(&folder, Options::default())?;
/// store.append_batch(&[Event::new("user.created"), Event::new("user.removed")])?;
/// let mut scan = store.snapshot().scan(&Query::default())?;
/// let newest = scan.next().transpose()?;
/// assert!(newest.is_some_and(|event| event.seq == auditdb::Sequence(1)));
/// // Later, or in another process: go on behind what was read.
/// let rest = Query { cursor: scan.cursor(), ..Query::default() };
/// assert_eq!(store.snapshot().scan(&rest)?.count(), 1);
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
pub struct Scan {
    bound: Bound,
    walker: Walker,
    last: Option<Position>,
    /// The match after that, where it was looked for already or could not be read.
    peeked: Option<Found>,
    /// The iterator gave an error.
    is_over: bool,
}

impl Snapshot {
    /// Walks over every match of `query`, from its cursor on if it has one.
    ///
    /// # Errors
    /// As [`Snapshot::page`].
    pub fn scan(&self, query: &Query) -> Result<Scan> {
        let bound = Bound::new(self, query)?;
        let walker = Walker::new(bound.snapshot.clone(), bound.route.clone());
        Ok(Scan {
            bound,
            walker,
            last: None,
            peeked: None,
            is_over: false,
        })
    }

    /// The event of this name, if the snapshot holds it.
    ///
    /// # Errors
    /// What reading the files gives.
    pub fn get(&self, id: EventId) -> Result<Option<StoredEvent>> {
        Ok(self.get_with_len(id)?.map(|(_, event)| event))
    }

    /// As [`Snapshot::get`], with the length of the event's content.
    pub(super) fn get_with_len(&self, id: EventId) -> Result<Option<(usize, StoredEvent)>> {
        let position = id.position();
        let route = Route {
            expression: Expression::Leaf(Leaf::Id(position)),
            first: position,
            last: position,
            since_seq: 0,
            oldest_first: false,
        };
        let mut walker = Walker::new(self.clone(), route);
        walker.step(&mut Work::new(u64::MAX))?;
        walker.row(|row| Ok((row.body.content.len(), event_of(&row)?)))
    }

    /// The events of this name: the store's own id, or the id they had where they came from.
    ///
    /// # Errors
    /// What reading the files gives.
    pub fn find(&self, name: &str) -> Result<Vec<StoredEvent>> {
        let by_origin = || Condition::OriginId(name.to_owned());
        self.named(name.parse().map_or_else(|_| by_origin(), Condition::Id))
    }

    /// Whether the event of the key that `event` has says the same as it, but for its moment; nothing
    /// where there is none.
    pub(crate) fn tells(&self, event: &Event) -> Result<Option<bool>> {
        let Some(key) = event.key.as_deref() else {
            return Ok(None);
        };
        let there = self.named(Condition::Key(key.to_owned()))?;
        Ok(there.into_iter().next().map(|there| {
            let occurred_at = event.occurred_at;
            *event
                == Event {
                    occurred_at,
                    ..there.event
                }
        }))
    }

    fn named(&self, condition: Condition) -> Result<Vec<StoredEvent>> {
        let filter = Filter::new().and(condition);
        self.scan(&Query {
            filter,
            ..Query::default()
        })?
        .collect()
    }
}

impl Scan {
    /// Appends the canonical line of the next match and a line end; `false` at the end.
    ///
    /// # Errors
    /// What reading the files gives.
    pub fn next_line(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let given = self.give(|walker| {
            walker.row(|row| {
                row.write_line(out);
                out.push(b'\n');
                Ok(())
            })
        })?;
        Ok(given.is_some())
    }

    /// Hands the next match to `read` as it lies in the store; `None` at the end.
    ///
    /// # Errors
    /// What reading the files gives.
    ///
    /// ```
    /// use auditdb::{Event, Options, Query, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-next-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// store.append_batch(&[Event::new("user.created"), Event::new("user.removed")])?;
    /// let mut scan = store.snapshot().scan(&Query::default())?;
    /// let mut letters = 0;
    /// while let Some(len) = scan.next_with(|event| event.event_type().len())? {
    ///     letters += len;
    /// }
    /// assert_eq!(letters, 24);
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn next_with<T>(&mut self, read: impl FnOnce(&EventView<'_>) -> T) -> Result<Option<T>> {
        self.give(|walker| walker.parts(|row, parts| Ok(read(&EventView::new(row, parts)))))
    }

    /// Where to go on behind the last match given; `None` before the first.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.last.map(|last| self.bound.cursor(last))
    }

    /// The place of the last match given; `None` before the first.
    #[must_use]
    pub fn reached(&self) -> Option<Position> {
        self.last
    }

    /// Events of the snapshot under the scan.
    #[must_use]
    pub fn snapshot_seq(&self) -> u64 {
        self.bound.snapshot.seq_count()
    }

    /// The first and the last moment that the query asks for, both included, with relative times as
    /// its first page resolved them. [`Time::MIN`] and [`Time::MAX`] where it names none.
    #[must_use]
    pub fn times(&self) -> (Time, Time) {
        self.bound.times()
    }

    /// What the scan looked at so far.
    #[must_use]
    pub fn looked(&self) -> Looked {
        self.walker.looked()
    }

    /// Whether another match follows.
    ///
    /// # Errors
    /// What reading the files gives.
    pub fn has_more(&mut self) -> Result<bool> {
        let found = self.find()?;
        self.peeked = Some(found);
        Ok(matches!(found, Found::Match(_)))
    }

    fn find(&mut self) -> Result<Found> {
        match self.peeked.take() {
            Some(found) => Ok(found),
            None => self.walker.step(&mut Work::new(u64::MAX)),
        }
    }

    /// What `read` makes of the next match. One that it cannot read stays the next one.
    fn give<T>(
        &mut self,
        read: impl FnOnce(&mut Walker) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let found = self.find()?;
        let Found::Match(position) = found else {
            return Ok(None);
        };
        let given = read(&mut self.walker);
        match given {
            Ok(_) => self.last = Some(position),
            Err(_) => self.peeked = Some(found),
        }
        given
    }
}

impl Iterator for Scan {
    type Item = Result<StoredEvent>;

    fn next(&mut self) -> Option<Result<StoredEvent>> {
        if self.is_over {
            return None;
        }
        let given = self.give(|walker| walker.parts(|row, parts| Ok(row.event_with(parts))));
        self.is_over = given.is_err();
        given.transpose()
    }
}
