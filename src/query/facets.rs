//! Which values a field has, and how often: from the rows themselves, so a subject or performer
//! that is long gone elsewhere is still there. Deterministic order; counts are exact.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::page::Bound;
use super::page::Query;
use super::plan;
use super::rows::Rows;
use super::rows::Step;
use super::rows::Walk;
use super::rows::Work;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::filter::FilterField;
use crate::filter::facet;
use crate::filter::facet::TermRange;
use crate::id::Position;
use crate::snapshot::Kept;
use crate::snapshot::Selected;
use crate::snapshot::Snapshot;
use crate::snapshot::Source;
use crate::snapshot::TermWalk;
use crate::snapshot::Unopened;

/// The values of a field with their counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facets {
    /// Most frequent first; values of one count in the order of their text.
    pub values: Vec<FacetValue>,
    /// How many different values there are, also those cut off by `top`.
    pub distinct: u64,
    /// Events of the snapshot that was counted.
    pub snapshot_seq: u64,
}

/// One value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetValue {
    /// The value; an entity as `kind:id`.
    pub value: String,
    /// How many events have it.
    pub count: u64,
    /// The value is longer than indexes keep: `value` is its beginning, which other values of the
    /// list can share. They are counted apart all the same.
    pub cut: bool,
}

impl Snapshot {
    /// Counts the values of `field` over the events that `query` selects. Only values that begin
    /// with `prefix` count; at most `top` are given. Of the query only `filter` and `since_seq`
    /// select: order, limit and cursor play no part, nor does `work_max` bound the count, which
    /// takes as long as there are terms of the field and events selected.
    ///
    /// # Errors
    /// [`ErrorKind::Filter`], or what reading the files gives.
    ///
    /// ```
    /// use auditdb::{Event, FilterField, Options, Query, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-facets-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// for name in ["user.login", "user.login", "user.logout"] {
    ///     store.append(&Event::new(name))?;
    /// }
    /// let types = store.snapshot().facets(&FilterField::Type, &Query::default(), "", 10)?;
    /// assert_eq!((types.distinct, types.values[0].count), (2, 2));
    /// assert_eq!(types.values[0].value, "user.login");
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn facets(
        &self,
        field: &FilterField,
        query: &Query,
        prefix: &str,
        top: usize,
    ) -> Result<Facets> {
        let query = Query {
            cursor: None,
            work_max: u64::MAX,
            ..query.clone()
        };
        let bound = Bound::new(self, &query)?;
        let mut snapshot = self.clone();
        let mut refreshed = 0;
        loop {
            match count(&snapshot, &bound, field, prefix, top) {
                // A merge of the writing process took a file away; count again.
                Err(error) if error.kind() == ErrorKind::Missing && refreshed < 32 => {
                    refreshed += 1;
                    snapshot = snapshot.refreshed()?;
                }
                facets => return facets,
            }
        }
    }
}

/// The most frequent values so far; the least of them stands first.
struct Top {
    most: usize,
    values: BinaryHeap<(Reverse<u64>, String, bool)>,
}

impl Top {
    fn take(&mut self, count: u64, (value, cut): (String, bool)) {
        self.values.push((Reverse(count), value, cut));
        if self.values.len() > self.most {
            self.values.pop();
        }
    }
}

/// Walks the terms of all sources side by side, so that only one term of each, and the most
/// frequent values, are in memory however many there are.
fn count(
    snapshot: &Snapshot,
    bound: &Bound,
    field: &FilterField,
    prefix: &str,
    top: usize,
) -> Result<Facets> {
    let TermRange { from, to } = field.term_range(prefix)?;
    let mut walks: Vec<(TermWalk, Option<Selected>)> = Vec::new();
    let mut heads: BinaryHeap<Reverse<(Vec<u8>, usize)>> = BinaryHeap::new();
    for unopened in sources(snapshot, bound) {
        let source = unopened.open(snapshot.base())?;
        let selected = selected(&source, bound, unopened.seqs)?;
        let mut walk = source.terms(&from, &to)?;
        if walk.advance()? {
            heads.push(Reverse((walk.term().to_vec(), walks.len())));
            walks.push((walk, selected));
        }
    }
    let mut found = Top {
        most: top,
        values: BinaryHeap::new(),
    };
    let mut distinct = 0;
    while let Some(Reverse((term, first))) = heads.pop() {
        let (mut count, mut next) = (0, Some(first));
        while let Some(number) = next.take() {
            let Some((walk, selected)) = walks.get_mut(number) else {
                break;
            };
            count += walk.count(selected.as_ref())?;
            if walk.advance()? {
                heads.push(Reverse((walk.term().to_vec(), number)));
            }
            if heads.peek().is_some_and(|Reverse((head, _))| *head == term) {
                next = heads.pop().map(|Reverse((_, number))| number);
            }
        }
        if let Some(value) = facet::facet_value(&term).filter(|_| count > 0) {
            distinct += 1;
            found.take(count, value);
        }
    }
    let values = found.values.into_sorted_vec().into_iter();
    Ok(Facets {
        values: values
            .map(|(Reverse(count), value, cut)| FacetValue { value, count, cut })
            .collect(),
        distinct,
        snapshot_seq: bound.snapshot.seq_count(),
    })
}

/// The sources that can hold an event that counts.
fn sources(snapshot: &Snapshot, bound: &Bound) -> Vec<Unopened> {
    let (first, last) = (bound.route.first, bound.route.last);
    let lineup = snapshot.segments();
    let places = lineup.places_of(&bound.route.expression);
    let mut upcoming = lineup.upcoming((first, last), false, places);
    let mut found = Vec::new();
    while let Some((place, _)) = upcoming.peek(lineup) {
        upcoming.pass();
        found.extend(lineup.get(place).map(Unopened::segment));
    }
    let overlaps = |source: &Unopened| source.newest >= first && source.oldest <= last;
    found.extend(snapshot.unsealed().filter(overlaps));
    found
}

/// Which rows of a source count; `None` when all do.
fn selected(source: &Source, bound: &Bound, seqs: (u64, u64)) -> Result<Option<Selected>> {
    let route = &bound.route;
    let wanted_seqs = route.since_seq..bound.snapshot.seq_count();
    let walk = Walk {
        rows: source.rows(),
        oldest_first: false,
    };
    let mut kept = Kept::default();
    let mut rows = plan::rows(&route.expression, source, walk, &mut kept)?;
    let first = source.lower_bound(route.last, &mut kept)?;
    let end = if route.first == Position::FIRST {
        walk.rows
    } else {
        source.lower_bound(route.first.predecessor(), &mut kept)?
    };
    let all_seqs = wanted_seqs.contains(&seqs.0) && wanted_seqs.contains(&seqs.1);
    if matches!(rows, Rows::All) && all_seqs && first == 0 && end == walk.rows {
        return Ok(None);
    }
    let mut selected = Selected::none_of(walk.rows);
    let mut at = first;
    while let Step::Row(row) = rows.seek(at, walk, &mut Work::new(u64::MAX))? {
        if row >= end {
            break;
        }
        let counts = all_seqs || wanted_seqs.contains(&source.position(row, &mut kept)?.seq.0);
        if counts {
            selected.select(row);
        }
        at = row + 1;
    }
    Ok(Some(selected))
}
