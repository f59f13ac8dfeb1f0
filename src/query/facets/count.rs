//! Counting: walks the terms of a field over all sources side by side, so that only one term of
//! each, and the values that are asked for, are in memory however many there are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::FacetOrder;
use super::FacetQuery;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::filter::facet;
use crate::filter::facet::TermRange;
use crate::id::Position;
use crate::query::page::Bound;
use crate::query::plan;
use crate::query::rows::Rows;
use crate::query::rows::Step;
use crate::query::rows::Walk;
use crate::query::rows::Work;
use crate::snapshot::Kept;
use crate::snapshot::Selected;
use crate::snapshot::Snapshot;
use crate::snapshot::Source;
use crate::snapshot::TermWalk;
use crate::snapshot::Unopened;

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
    source: Source,
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
        let source = unopened.open(snapshot.base())?;
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
