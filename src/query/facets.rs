//! Which values a field has, and how often: from the rows themselves, so a subject or performer
//! that is long gone elsewhere is still there. Deterministic order; counts are exact.

use std::cmp::Reverse;
use std::collections::BTreeMap;

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
use crate::snapshot::Snapshot;
use crate::snapshot::Source;

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
}

impl Snapshot {
    /// Counts the values of `field` over the events that `query` selects (its limit and cursor
    /// play no part). Only values that begin with `prefix` count; at most `top` are given.
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
            ..query.clone()
        };
        let bound = Bound::new(self, &query)?;
        let mut snapshot = self.clone();
        let mut refreshed = 0;
        let counts = loop {
            match count(&snapshot, &bound, field, prefix) {
                // A merge of the writing process took a file away; count again.
                Err(error) if error.kind() == ErrorKind::Missing && refreshed < 32 => {
                    refreshed += 1;
                    snapshot = snapshot.refreshed()?;
                }
                counts => break counts?,
            }
        };
        let distinct = counts.len() as u64;
        let mut values: Vec<FacetValue> = counts
            .into_iter()
            .map(|(value, count)| FacetValue { value, count })
            .collect();
        values.sort_by(|left, right| {
            (Reverse(left.count), &left.value).cmp(&(Reverse(right.count), &right.value))
        });
        values.truncate(top);
        Ok(Facets {
            values,
            distinct,
            snapshot_seq: self.seq_count(),
        })
    }
}

fn count(
    snapshot: &Snapshot,
    bound: &Bound,
    field: &FilterField,
    prefix: &str,
) -> Result<BTreeMap<String, u64>> {
    let TermRange { from, to } = field.term_range(prefix)?;
    let mut counts = BTreeMap::new();
    for unopened in snapshot.sources() {
        if unopened.newest < bound.route.first || unopened.oldest > bound.route.last {
            continue;
        }
        let source = unopened.open(snapshot.base())?;
        let selected = selected(&source, bound, unopened.seqs)?;
        source.each_term(&from, &to, |term, rows| {
            let count = match &selected {
                None => rows.count(),
                Some(selected) => rows
                    .filter(|row| selected.get(*row as usize) == Some(&true))
                    .count(),
            };
            if count > 0
                && let Some(value) = facet::facet_value(term)
            {
                *counts.entry(value).or_insert(0) += count as u64;
            }
        })?;
    }
    Ok(counts)
}

/// Which rows of a source count; `None` when all do.
fn selected(source: &Source, bound: &Bound, seqs: (u64, u64)) -> Result<Option<Vec<bool>>> {
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
    let mut selected = vec![false; walk.rows as usize];
    let mut at = first;
    while let Step::Row(row) = rows.seek(at, walk, &mut Work::new(u64::MAX))? {
        if row >= end {
            break;
        }
        let counts = all_seqs || wanted_seqs.contains(&source.position(row, &mut kept)?.seq.0);
        if let Some(slot) = selected.get_mut(row as usize) {
            *slot = counts;
        }
        at = row + 1;
    }
    Ok(Some(selected))
}
