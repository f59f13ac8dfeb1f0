//! Counting: walks the terms of a field over all sources side by side, so that only one term of
//! each, and the values that are asked for, are in memory however many there are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::FacetOrder;
use super::FacetQuery;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::filter::facet;
use crate::filter::facet::TermRange;
use crate::query::page::Bound;
use crate::query::selection::selected;
use crate::query::selection::sources;
use crate::snapshot::Kept;
use crate::snapshot::Selected;
use crate::snapshot::Snapshot;
use crate::snapshot::Source;
use crate::snapshot::TermWalk;

/// A value's place in the order asked for: the greatest rank first, and of one rank the terms as
/// they sort. No two values have the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) rank: Reverse<u128>,
    pub(super) term: Vec<u8>,
}

/// What a walk over the terms found.
pub(super) struct Counted {
    /// The first values in order, each with its count.
    pub(super) values: Vec<(Place, u64)>,
    /// All values there are.
    pub(super) distinct: u64,
    /// Whether more come behind those that are given.
    pub(super) has_more: bool,
}

/// The first values in order so far; the last of them stands on top.
struct Top {
    most: usize,
    values: BinaryHeap<(Place, u64)>,
    has_more: bool,
}

impl Top {
    fn take(&mut self, place: Place, count: u64) {
        self.values.push((place, count));
        if self.values.len() > self.most {
            self.values.pop();
            self.has_more = true;
        }
    }
}

/// One source under way.
struct Run {
    source: Arc<Source>,
    selected: Option<Selected>,
    walk: TermWalk,
    kept: Kept,
}

impl Run {
    /// How many rows of the term count, and the rank that the newest of them gives its value.
    fn tally(&mut self, order: FacetOrder) -> Result<(u64, u128)> {
        let selected = self.selected.as_ref();
        let count = self.walk.count(selected)?;
        if order != FacetOrder::Recency || count == 0 {
            return Ok((count, 0));
        }
        let Some(row) = self.walk.newest(selected)? else {
            return Ok((count, 0));
        };
        let newest = self.source.position(row, &mut self.kept)?;
        let micros = u128::from(newest.occurred_at.as_micros().unsigned_abs());
        Ok((count, micros << 64 | u128::from(newest.seq.0)))
    }
}

/// Counts every value, and keeps the first `top` behind the cursor.
pub(super) fn count(snapshot: &Snapshot, bound: &Bound, asked: &FacetQuery) -> Result<Counted> {
    let TermRange { from, to } = asked.field.term_range(&asked.prefix)?;
    let after = asked.cursor.as_ref().map(|cursor| &cursor.after);
    if after.is_some_and(|after| after.term < from || after.term >= to) {
        let what = "the cursor was made for another field or prefix; repeat those, or leave the \
                    cursor out to begin at the top";
        return Err(Error::new(ErrorKind::CursorFilter, what));
    }
    let mut runs: Vec<Run> = Vec::new();
    let mut heads: BinaryHeap<Reverse<(Vec<u8>, usize)>> = BinaryHeap::new();
    for unopened in sources(snapshot, bound) {
        let source = Arc::new(unopened.open(snapshot.base())?);
        let selected = selected(&source, bound, unopened.seqs)?;
        let mut walk = source.terms(&from, &to)?;
        if walk.advance()? {
            heads.push(Reverse((walk.term().to_vec(), runs.len())));
            runs.push(Run {
                source,
                selected,
                walk,
                kept: Kept::default(),
            });
        }
    }
    let mut found = Top {
        most: asked.top,
        values: BinaryHeap::new(),
        has_more: false,
    };
    let mut distinct = 0;
    while let Some(Reverse((term, first))) = heads.pop() {
        let (mut count, mut newest, mut next) = (0, 0, Some(first));
        while let Some(number) = next.take() {
            let Some(run) = runs.get_mut(number) else {
                break;
            };
            let (more, newer) = run.tally(asked.order)?;
            count += more;
            newest = newest.max(newer);
            if run.walk.advance()? {
                heads.push(Reverse((run.walk.term().to_vec(), number)));
            }
            if heads.peek().is_some_and(|Reverse((head, _))| *head == term) {
                next = heads.pop().map(|Reverse((_, number))| number);
            }
        }
        if count == 0 || facet::facet_value(&term).is_none() {
            continue;
        }
        distinct += 1;
        let rank = Reverse(match asked.order {
            FacetOrder::Count => u128::from(count),
            FacetOrder::Recency => newest,
            FacetOrder::Name => 0,
        });
        let place = Place { rank, term };
        if after.is_none_or(|after| place > *after) {
            found.take(place, count);
        }
    }
    Ok(Counted {
        values: found.values.into_sorted_vec(),
        distinct,
        has_more: found.has_more,
    })
}
