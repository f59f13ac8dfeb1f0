//! Which rows of which sources a query selects, as sets: what is counted, and what a sample is taken
//! from.

use std::sync::Arc;

use super::page::Bound;
use super::plan;
use super::rows::Rows;
use super::rows::Step;
use super::rows::Walk;
use super::rows::Work;
use super::scan::REFRESHES_MAX;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Position;
use crate::snapshot::Kept;
use crate::snapshot::Selected;
use crate::snapshot::Snapshot;
use crate::snapshot::Source;
use crate::snapshot::Unopened;

/// What `read` makes of the snapshot: once more, of the same events, where a merge of the writing
/// process took a file away.
pub(super) fn on_fresh<T>(
    snapshot: &Snapshot,
    mut read: impl FnMut(&Snapshot) -> Result<T>,
) -> Result<T> {
    let mut snapshot = snapshot.clone();
    let mut refreshed = 0;
    loop {
        match read(&snapshot) {
            Err(error) if error.kind() == ErrorKind::Missing && refreshed < REFRESHES_MAX => {
                refreshed += 1;
                snapshot = snapshot.refreshed()?;
            }
            made => return made,
        }
    }
}

/// The sources that can hold an event that counts.
pub(super) fn sources(snapshot: &Snapshot, bound: &Bound) -> Vec<Unopened> {
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
pub(super) fn selected(
    source: &Arc<Source>,
    bound: &Bound,
    seqs: (u64, u64),
) -> Result<Option<Selected>> {
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
