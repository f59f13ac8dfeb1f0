//! Events counted by when they happened: hours, days, months or years of UTC. Rows lie in the order of
//! time, so a stretch is counted by finding its two ends, without looking at what lies between.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Position;
use crate::id::Sequence;
use crate::query::page::Bound;
use crate::query::page::Order;
use crate::query::page::Query;
use crate::query::selection::on_fresh;
use crate::query::selection::selected;
use crate::query::selection::sources;
use crate::snapshot::Kept;
use crate::snapshot::Snapshot;
use crate::time::Time;

/// Stretches of time that one answer has at the most: more than eleven years of hours.
const STRETCHES: usize = 100_000;

/// How long the stretches are that events are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Every {
    /// Hours of UTC: `2026-05-17T08`.
    Hour,
    /// Days of UTC: `2026-05-17`.
    Day,
    /// Months of UTC: `2026-05`.
    Month,
    /// Years of UTC: `2026`.
    Year,
}

/// Counts of events by time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeCounts {
    /// The stretches that have an event, oldest first, by their name: the beginning of a time's
    /// text, such as `2026-05-17`.
    pub counts: Vec<(String, u64)>,
    /// Events of the snapshot that was counted.
    pub snapshot_seq: u64,
}

impl Every {
    /// How many letters of a time's text name its stretch, and what makes them its beginning.
    const fn parts(self) -> (usize, &'static str) {
        match self {
            Every::Hour => (13, ":00:00.000000Z"),
            Every::Day => (10, "T00:00:00.000000Z"),
            Every::Month => (7, "-01T00:00:00.000000Z"),
            Every::Year => (4, "-01-01T00:00:00.000000Z"),
        }
    }
}

impl Snapshot {
    /// Counts the events that `query` selects by when they happened, without reading them. Of the
    /// query only `filter` and `since_seq` select.
    ///
    /// # Errors
    /// [`ErrorKind::Filter`], [`ErrorKind::OutOfRange`] for more than 100,000 stretches with an event,
    /// or what reading the files gives.
    ///
    /// ```
    /// use auditdb::{Event, Every, Options, Query, Store, Time};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-times-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// for at in ["2026-05-17T08:00:00Z", "2026-05-17T23:59:59Z", "2026-05-18T00:00:00Z"] {
    ///     let at: Time = at.parse().expect("a time");
    ///     store.append(&Event::new("user.login").occurred_at(at))?;
    /// }
    /// let days = store.snapshot().counts_by_time(&Query::default(), Every::Day)?.counts;
    /// assert_eq!(days, [("2026-05-17".to_owned(), 2), ("2026-05-18".to_owned(), 1)]);
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn counts_by_time(&self, query: &Query, every: Every) -> Result<TimeCounts> {
        let query = Query {
            cursor: None,
            order: Order::NewestFirst,
            work_max: u64::MAX,
            ..query.clone()
        };
        let bound = Bound::new(self, &query)?;
        let counts = on_fresh(&bound.snapshot, |snapshot| counts(snapshot, &bound, every))?;
        Ok(TimeCounts {
            counts: counts.into_iter().collect(),
            snapshot_seq: bound.snapshot.seq_count(),
        })
    }
}

fn counts(snapshot: &Snapshot, bound: &Bound, every: Every) -> Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    let (letters, beginning) = every.parts();
    for unopened in sources(snapshot, bound) {
        let source = Arc::new(unopened.open(snapshot.base())?);
        let selected = selected(&source, bound, unopened.seqs)?;
        let mut kept = Kept::default();
        let mut row = 0;
        while row < source.rows() {
            let mut name = source.position(row, &mut kept)?.occurred_at.to_string();
            name.truncate(letters);
            let begins: Result<Time> = format!("{name}{beginning}")
                .parse()
                .map_err(|_| Error::new(ErrorKind::Corrupt, "a time that has no beginning"));
            let first = Position {
                occurred_at: begins?,
                seq: Sequence(0),
            };
            // Rows are numbered newest first, and nothing is older than the first of all.
            let end = match first.predecessor() {
                before if before < first => source.lower_bound(before, &mut kept)?,
                _ => source.rows(),
            };
            let count = match &selected {
                Some(selected) => selected.count_in(row..end),
                None => u64::from(end - row),
            };
            if count > 0 {
                *counts.entry(name).or_insert(0) += count;
            }
            if counts.len() > STRETCHES {
                let what = format!(
                    "more than {STRETCHES} stretches of time have events; count by longer ones, \
                     or between closer bounds"
                );
                return Err(Error::new(ErrorKind::OutOfRange, what));
            }
            row = end.max(row + 1);
        }
    }
    Ok(counts)
}
