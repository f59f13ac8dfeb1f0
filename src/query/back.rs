//! The way back: the page that was shown before a page. It needs no cursor of another kind, because
//! the cursor by which a page was reached names its beginning; from there the walk goes the other way,
//! over the same snapshot, and what it found is turned round.

use super::page::Bound;
use super::page::Page;
use super::page::Query;
use super::page::Stopped;
use super::page::check_limit;
use super::scan::Route;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Position;
use crate::snapshot::Snapshot;

impl Snapshot {
    /// The page whose events stand right before those that follow `query.cursor`, as many as
    /// `query.limit`: with the [`Page::prev_cursor`] of a page and its limit, the page that was shown
    /// before it, to the row. Of the same snapshot, in the order asked for. Its `next_cursor` is the
    /// cursor that was given, so one goes on to the page one came from; `complete` is therefore false.
    ///
    /// # Errors
    /// As [`Snapshot::page`], and [`ErrorKind::OutOfRange`] without a cursor: nothing is before the top.
    ///
    /// ```
    /// use auditdb::{Event, Options, Query, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-before-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// store.append_batch(&["a.b", "a.c", "a.d"].map(Event::new))?;
    /// let mut query = Query { limit: 1, ..Query::default() };
    /// let first = store.page(&query)?;
    /// query.cursor = first.next_cursor;
    /// let second = store.page(&query)?;
    ///
    /// query.cursor = second.prev_cursor;
    /// let back = store.snapshot().page_before(&query)?;
    /// assert_eq!(back.events, first.events);
    /// assert!(back.prev_cursor.is_none(), "the first page");
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn page_before(&self, query: &Query) -> Result<Page> {
        check_limit(query.limit)?;
        let bound = Bound::new(self, query)?;
        let mut events = Vec::with_capacity(query.limit.min(1024));
        let page = bound.turned()?.read(query, &mut |row, parts| {
            events.push(row.event_with(parts));
        })?;
        bound.page_before(Page { events, ..page })
    }
}

impl Bound {
    /// The same query read the other way: from where its cursor left off, that place included, to
    /// the top.
    pub(super) fn turned(&self) -> Result<Bound> {
        let begin = self.begin()?;
        let (first, last) = self.range;
        let oldest_first = !self.route.oldest_first;
        let (first, last) = match oldest_first {
            true => (first.max(begin), last),
            false => (first, last.min(begin)),
        };
        let mut turned = self.clone();
        turned.route = Route {
            first,
            last,
            oldest_first,
            ..turned.route
        };
        Ok(turned)
    }

    /// What was read the other way, as a page in this query's order.
    pub(super) fn page_before(&self, turned: Page) -> Result<Page> {
        let begin = self.begin()?;
        let mut events = turned.events;
        events.reverse();
        // The way back goes on strictly behind its cursor, and this query's cursor is included in it.
        let prev_cursor = turned
            .next_cursor
            .map(|cursor| self.cursor(self.before(cursor.after)));
        let stopped = match turned.stopped {
            Stopped::End | Stopped::Limit => Stopped::Limit,
            Stopped::Budget => Stopped::Budget,
        };
        Ok(Page {
            events,
            prev_cursor,
            ..self.page(stopped, Some(begin))
        })
    }

    /// Where the cursor left off.
    fn begin(&self) -> Result<Position> {
        self.begin.ok_or_else(|| {
            let what = "cursor: nothing is before the top; give the prev_cursor of a page";
            Error::new(ErrorKind::OutOfRange, what)
        })
    }
}
