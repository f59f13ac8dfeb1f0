//! One bounded answer, and where to go on from. A page never looks like the end when it is not:
//! reaching the limit looks one match ahead, and a spent budget says so.

use std::sync::Arc;

use super::cursor::Cursor;
use super::rows::Work;
use super::scan;
use super::scan::Found;
use super::scan::Route;
use super::scan::STREAK;
use super::scan::Walker;
use super::view::EventView;
use crate::codec::content::Parts;
use crate::codec::row::Row;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::filter::Filter;
use crate::filter::Range;
use crate::filter::expression::Expression;
use crate::id::Position;
use crate::id::Sequence;
use crate::limits;
use crate::planted::Bug;
use crate::planted::instead;
use crate::planted::planted;
use crate::snapshot::Snapshot;
use crate::snapshot::Source;
use crate::time::Time;

/// What to read, in which order, and how much of it at a time.
///
/// ```
/// use auditdb::{Filter, Order, Query};
///
/// let query = Query { order: Order::OldestFirst, limit: 20, ..Query::default() };
/// assert_eq!(query.filter, Filter::default());
/// ```
#[derive(Clone, Debug)]
pub struct Query {
    /// Which events; every one by default.
    pub filter: Filter,
    /// In which order; newest first by default.
    pub order: Order,
    /// How many events a page holds at the most: 1 to 100,000, by default 50. A page also ends,
    /// as one whose work is spent, when its events come to 8 MiB.
    pub limit: usize,
    /// Where to go on from; from the top by default.
    pub cursor: Option<Cursor>,
    /// Only events committed at or after this place in commit order.
    pub since_seq: Option<Sequence>,
    /// Index entries one call looks at, at the most, before it returns what it has: at least 1, by
    /// default 1,000,000. A call always moves on by at least one event.
    pub work_max: u64,
}

/// The reading direction. Both use the same total order `(occurred_at, seq)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// Reverse-chronological.
    #[default]
    NewestFirst,
    /// Chronological.
    OldestFirst,
}

/// One bounded answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The events, in the order asked for.
    pub events: Vec<StoredEvent>,
    /// Where to go on; `None` exactly when `complete`.
    pub next_cursor: Option<Cursor>,
    /// Where this page begins, for [`Snapshot::page_before`]; `None` at the top.
    pub prev_cursor: Option<Cursor>,
    /// Nothing follows: proven, not guessed from the number of events.
    pub complete: bool,
    /// Why the page ends where it does.
    pub stopped: Stopped,
    /// Events of the snapshot that this page, and every page reached from it, is of.
    pub snapshot_seq: u64,
    /// Everything up to this moment in reading direction was looked at; `None` when all was.
    pub scanned_until: Option<Time>,
    /// When the last event of the snapshot was recorded: whatever was recorded before this moment
    /// was considered. `None` in an empty store.
    pub complete_through: Option<Time>,
    /// Since when the store covers events: the earlier of its creation and the moment at which its
    /// oldest event happened. That nothing older is found means that nothing older was recorded.
    pub covered_from: Time,
}

/// What a page holds so far.
struct Filled<'e> {
    each: &'e mut dyn FnMut(Row<'_>, Parts<'_>),
    count: usize,
    bytes: usize,
    /// The place of the row handed on last.
    last: Option<Position>,
    /// The source of that row, and how many rows before it were of the same.
    source: Option<Arc<Source>>,
    streak: usize,
}

/// How many matches of one source are found at once, before their rows are read.
const LEAP_MAX: usize = 64;

/// Why a page ends where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stopped {
    /// All matches were given.
    End,
    /// The page is full.
    Limit,
    /// The work budget was spent first, or the events came to 8 MiB.
    Budget,
}

impl Query {
    /// Names what the query selects: its filter, by that one's digest, and where in commit order it
    /// begins.
    pub(super) fn digest(&self, mut filter: [u8; 16]) -> [u8; 16] {
        let since_seq = self.since_seq.map_or(0, |seq| seq.0);
        for (byte, since) in filter.iter_mut().zip(since_seq.to_le_bytes()) {
            *byte ^= since;
        }
        filter
    }
}

impl Default for Query {
    fn default() -> Query {
        Query {
            filter: Filter::default(),
            order: Order::default(),
            limit: 50,
            cursor: None,
            since_seq: None,
            work_max: 1_000_000,
        }
    }
}

impl Stopped {
    /// The word that stands for it in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Stopped::End => "end",
            Stopped::Limit => "limit",
            Stopped::Budget => "budget",
        }
    }
}

impl Snapshot {
    /// Rows that a walk for `query` passes up to a place, or to its end, whether they match or not: by
    /// the bounds of what holds them, read from nowhere.
    pub(crate) fn rows_passed(&self, query: &Query, until: Option<Position>) -> Result<u64> {
        let route = Bound::new(self, query)?.route;
        let (first, last) = match (until, route.oldest_first) {
            (None, _) => (route.first, route.last),
            (Some(until), true) => (route.first, until),
            (Some(until), false) => (until, route.last),
        };
        let sources = self.sources();
        let seen = sources.filter(|source| source.seqs.0 < self.seq_count());
        Ok(seen.map(|source| source.rows_between(first, last)).sum())
    }
}

impl Order {
    pub(crate) fn is_oldest_first(self) -> bool {
        self == Order::OldestFirst
    }
}

/// A query bound to a snapshot: checked, its times resolved, its cursor followed.
#[derive(Clone)]
pub(crate) struct Bound {
    pub(crate) snapshot: Snapshot,
    pub(crate) route: Route,
    query_digest: [u8; 16],
    /// The whole range asked for, of which a cursor leaves the rest.
    pub(super) range: (Position, Position),
    /// Where the cursor left off, if there is one.
    pub(super) begin: Option<Position>,
}

impl Bound {
    /// Checks `query` against `snapshot`.
    ///
    /// # Errors
    /// A cursor's own kinds of error, [`ErrorKind::Filter`] or [`ErrorKind::OutOfRange`].
    pub(crate) fn new(snapshot: &Snapshot, query: &Query) -> Result<Bound> {
        let expression = query.filter.sound_expression()?;
        let digest = query.digest(query.filter.digest_of(&expression));
        Bound::with_digest(snapshot, query, expression, digest)
    }

    /// The same where the digest by which a cursor knows its query says more than the query, whose
    /// filter comes to `expression`.
    pub(super) fn with_digest(
        snapshot: &Snapshot,
        query: &Query,
        expression: Expression,
        query_digest: [u8; 16],
    ) -> Result<Bound> {
        if query.work_max == 0 {
            return Err(Error::new(
                ErrorKind::OutOfRange,
                "work_max: 0 is no budget",
            ));
        }
        let oldest_first = query.order.is_oldest_first();
        let since_seq = query.since_seq.map_or(0, |seq| seq.0);
        let (snapshot, range, after) = match &query.cursor {
            None => {
                let now = snapshot.base().clock.now();
                let range = positions(query.filter.range(now)?);
                (snapshot.clone(), range, None)
            }
            Some(cursor) => {
                check(cursor, snapshot, query_digest, oldest_first)?;
                let now = |_| snapshot.seq_count();
                let seq_count = instead(Bug::CursorUnpinned, cursor.snapshot_seq, now);
                let snapshot = snapshot.as_of(seq_count, cursor.complete_through);
                // A cursor somebody made never widens what the filter says.
                let (first, last) = positions(query.filter.fixed_range()?);
                let range = (cursor.from.max(first), cursor.to.min(last));
                (snapshot, range, Some(cursor.after))
            }
        };
        let (first, last) = after.map_or(range, |after| scan::behind(after, range, oldest_first));
        let route = Route {
            expression,
            first,
            last,
            since_seq,
            oldest_first,
        };
        Ok(Bound {
            snapshot,
            route,
            query_digest,
            range,
            begin: after,
        })
    }

    /// The cursor that goes on strictly behind `after`.
    pub(crate) fn cursor(&self, after: Position) -> Cursor {
        Cursor {
            store: self.snapshot.store_id(),
            oldest_first: self.route.oldest_first,
            after,
            snapshot_seq: self.snapshot.seq_count(),
            complete_through: self.snapshot.complete_through(),
            query_digest: self.query_digest,
            from: self.range.0,
            to: self.range.1,
        }
    }

    /// The position right before `position` in reading direction: a cursor there goes on with it.
    pub(crate) fn before(&self, position: Position) -> Position {
        if self.route.oldest_first {
            position.predecessor()
        } else {
            position.successor()
        }
    }
}

impl Snapshot {
    /// Reads one page.
    ///
    /// # Errors
    /// A cursor's own kinds of error (see [`Error::is_cursor`]), [`ErrorKind::Filter`],
    /// [`ErrorKind::OutOfRange`] for a limit outside 1 to 100,000, or what reading the files gives.
    ///
    /// ```
    /// use auditdb::{Event, Options, Query, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-page-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// for name in ["user.created", "user.updated", "user.removed"] {
    ///     store.append(&Event::new(name))?;
    /// }
    /// let first = store.snapshot().page(&Query { limit: 2, ..Query::default() })?;
    /// assert!(!first.complete);
    /// let rest = Query { cursor: first.next_cursor, ..Query::default() };
    /// assert!(store.snapshot().page(&rest)?.complete);
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn page(&self, query: &Query) -> Result<Page> {
        let mut events = Vec::with_capacity(query.limit.min(1024));
        let page = self.page_of(query, &mut |row, parts| {
            events.push(row.event_with(parts));
        })?;
        Ok(Page { events, ..page })
    }

    /// As [`Snapshot::page`], but hands each event to `each` as it lies in the store, and gives a
    /// page without events. What was handed out before an error is of the page all the same.
    ///
    /// # Errors
    /// As [`Snapshot::page`].
    pub fn page_with(&self, query: &Query, mut each: impl FnMut(&EventView<'_>)) -> Result<Page> {
        self.page_of(query, &mut |row, parts| {
            each(&EventView::new(row, parts));
        })
    }

    fn page_of(&self, query: &Query, each: &mut dyn FnMut(Row<'_>, Parts<'_>)) -> Result<Page> {
        check_limit(query.limit)?;
        Bound::new(self, query)?.read(query, each)
    }
}

impl Bound {
    /// Walks until the page is full.
    pub(super) fn read(
        &self,
        query: &Query,
        each: &mut dyn FnMut(Row<'_>, Parts<'_>),
    ) -> Result<Page> {
        let mut walker = Walker::new(self.snapshot.clone(), self.route.clone());
        let mut work = Work::new(query.work_max);
        let mut filled = Filled {
            each,
            count: 0,
            bytes: 0,
            last: None,
            source: None,
            streak: 0,
        };
        let mut leapt = Vec::new();
        loop {
            let last = filled.last;
            match walker.step(&mut work)? {
                Found::End => return Ok(self.page(Stopped::End, None)),
                Found::Match(_) if filled.count == query.limit => {
                    return Ok(self.page(Stopped::Limit, last));
                }
                Found::Match(_) if filled.bytes >= limits::PAGE_BYTES => {
                    return Ok(self.page(Stopped::Budget, last));
                }
                Found::Match(_) => {
                    let Some((source, row)) = walker.place() else {
                        continue;
                    };
                    let goes_on = filled.goes_on(source);
                    filled.add(row, &mut walker)?;
                    if !goes_on {
                        continue;
                    }
                    let max = (query.limit - filled.count).min(LEAP_MAX);
                    leapt.clear();
                    let found = walker.leap(max, &mut work, &mut |row| leapt.push(row));
                    if found.is_err() {
                        // The walk stands where it stood: the next step meets the error again.
                        leapt.clear();
                    }
                    for row in &leapt {
                        if filled.bytes >= limits::PAGE_BYTES {
                            return Ok(self.page(Stopped::Budget, filled.last));
                        }
                        filled.add(*row, &mut walker)?;
                    }
                }
                // The page is full; that the match to prove the end was not found in time does not
                // matter to whoever goes on.
                Found::Spent(_) if filled.count == query.limit => {
                    return Ok(self.page(Stopped::Limit, last));
                }
                Found::Spent(position) => {
                    let before = self.before(position);
                    return Ok(self.page(Stopped::Budget, Some(before)));
                }
            }
        }
    }
}

impl Filled<'_> {
    /// Whether the last few matches were all of this source.
    fn goes_on(&mut self, source: &Arc<Source>) -> bool {
        let before = self.source.as_ref();
        if before.is_some_and(|before| Arc::ptr_eq(before, source)) {
            self.streak += 1;
        } else {
            (self.source, self.streak) = (Some(Arc::clone(source)), 0);
        }
        self.streak >= STREAK
    }

    /// Hands the row on that the walk stands at, or has leapt over.
    fn add(&mut self, row: u32, walker: &mut Walker) -> Result<()> {
        walker.parts_of(row, |row, parts| {
            self.count += 1;
            self.bytes += row.body.content.len();
            self.last = Some(row.position);
            (self.each)(row, parts);
            Ok(())
        })?;
        Ok(())
    }
}

impl Bound {
    /// The first and the last moment asked for.
    pub(super) fn times(&self) -> (Time, Time) {
        (self.range.0.occurred_at, self.range.1.occurred_at)
    }

    pub(super) fn page(&self, stopped: Stopped, after: Option<Position>) -> Page {
        Page {
            events: Vec::new(),
            next_cursor: after.map(|after| self.cursor(after)),
            prev_cursor: self.begin.map(|begin| self.cursor(begin)),
            complete: stopped == Stopped::End,
            stopped,
            snapshot_seq: self.snapshot.seq_count(),
            scanned_until: after.map(|after| after.occurred_at),
            complete_through: self.snapshot.complete_through(),
            covered_from: self.snapshot.covered_from(),
        }
    }
}

/// Refuses a limit that no page has.
pub(super) fn check_limit(limit: usize) -> Result<()> {
    if limit == 0 || limit > limits::PAGE_EVENTS {
        let what = format!("limit: {limit} is not from 1 to {}", limits::PAGE_EVENTS);
        return Err(Error::new(ErrorKind::OutOfRange, what));
    }
    Ok(())
}

/// All positions at these times.
fn positions(range: Range) -> (Position, Position) {
    let first = Position {
        occurred_at: range.first,
        seq: Sequence(0),
    };
    let last = Position {
        occurred_at: range.last,
        seq: Sequence(u64::MAX),
    };
    (first, last)
}

fn check(
    cursor: &Cursor,
    snapshot: &Snapshot,
    query_digest: [u8; 16],
    oldest_first: bool,
) -> Result<()> {
    let refuse = |kind, what: &str| Err(Error::new(kind, what));
    if cursor.store != snapshot.store_id() {
        return refuse(
            ErrorKind::CursorForeign,
            "the cursor was made by another store",
        );
    }
    if cursor.oldest_first != oldest_first {
        let what = "the cursor was made for the other reading direction";
        return refuse(ErrorKind::CursorDirection, what);
    }
    if cursor.query_digest != query_digest && !planted(Bug::CursorWithoutFilterDigest) {
        let what = "the cursor was made for another filter; repeat that filter, or leave the \
                    cursor out to begin at the top";
        return refuse(ErrorKind::CursorFilter, what);
    }
    if cursor.snapshot_seq > snapshot.seq_count() {
        let what = "the cursor is ahead of this store, which was put back to an older state";
        return refuse(ErrorKind::CursorAhead, what);
    }
    Ok(())
}
