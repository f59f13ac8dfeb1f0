//! A scan in batches: where the next matches stand, in reading order, found by one thread so that
//! others can read and format them. A batch can be read by any thread, any number of times, from
//! any of its rows on; where another process took a file away meanwhile, its matches are looked for
//! anew and are the same.

use core::ops::ControlFlow;
use std::sync::Arc;

use super::cursor::Cursor;
use super::page::Bound;
use super::page::Query;
use super::rows::Work;
use super::scan::Found;
use super::scan::Route;
use super::scan::STREAK;
use super::scan::Walker;
use crate::codec::content::Parts;
use crate::codec::row::Row;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Position;
use crate::snapshot::Kept;
use crate::snapshot::Snapshot;
use crate::snapshot::Source;

/// Sources whose last block a reader of batches keeps.
const KEPT_MAX: usize = 16;
/// Matches that are found before they are counted.
const COUNTED_AT_ONCE: usize = 1024;

/// The matches of a query, batch by batch.
pub(crate) struct Batches {
    bound: Bound,
    walker: Walker,
    origin: Arc<Origin>,
    /// The match after those given, where it was looked for already.
    peeked: Option<Found>,
    /// What ended the last batch early.
    failed: Option<Error>,
}

/// What a batch is looked for in, should it have to be looked for again.
struct Origin {
    snapshot: Snapshot,
    route: Route,
}

/// Some matches that follow each other in reading order, at least one.
pub(crate) struct Batch {
    origin: Arc<Origin>,
    sources: Vec<Arc<Source>>,
    /// Which of the sources, and which of its rows.
    places: Vec<(usize, u32)>,
    first: Position,
    last: Position,
}

/// What is done with a row and, where it was taken apart, its content.
pub(crate) type Each<'e> = dyn FnMut(&Row<'_>, Option<Parts<'_>>) -> Result<ControlFlow<()>> + 'e;

/// What a reader of batches keeps from row to row.
#[derive(Default)]
pub(crate) struct Blocks {
    kept: Vec<(Arc<Source>, Kept)>,
    oldest: usize,
}

impl Snapshot {
    /// As [`Snapshot::scan`], in batches.
    pub(crate) fn batches(&self, query: &Query) -> Result<Batches> {
        let bound = Bound::new(self, query)?;
        let origin = Origin {
            snapshot: bound.snapshot.clone(),
            route: bound.route.clone(),
        };
        let walker = Walker::new(bound.snapshot.clone(), bound.route.clone());
        Ok(Batches {
            bound,
            walker,
            origin: Arc::new(origin),
            peeked: None,
            failed: None,
        })
    }
}

impl Snapshot {
    /// Whether more than `most` events match `query`; looks at no more of them than it has to, and at
    /// none of their contents.
    ///
    /// # Errors
    /// As [`Snapshot::scan`].
    pub fn has_more_than(&self, query: &Query, most: u64) -> Result<bool> {
        let mut batches = self.batches(query)?;
        let mut found = 0;
        while found <= most {
            let Some(batch) = batches.next(COUNTED_AT_ONCE)? else {
                return Ok(false);
            };
            found += batch.len() as u64;
        }
        Ok(true)
    }
}

impl Batches {
    /// The next matches: as many as `max`, at least one, unless the end comes first. What comes
    /// before an error is given before the error is.
    pub(crate) fn next(&mut self, max: usize) -> Result<Option<Batch>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut batch: Option<Batch> = None;
        let mut streak = 0;
        while batch.as_ref().map_or(0, Batch::len) < max {
            let found = match self.find() {
                Ok(Found::Match(position)) => position,
                Ok(Found::End | Found::Spent(_)) => break,
                Err(error) if batch.is_none() => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            };
            let Some((source, row)) = self.walker.place() else {
                break;
            };
            let batch = batch.get_or_insert_with(|| Batch {
                origin: Arc::clone(&self.origin),
                sources: Vec::new(),
                places: Vec::with_capacity(max),
                first: found,
                last: found,
            });
            batch.last = found;
            streak = if batch.add(source, row) {
                streak + 1
            } else {
                0
            };
            if streak >= STREAK {
                self.leap(batch, max);
            }
        }
        Ok(batch)
    }

    /// Adds what follows in the source of the last match before any other source has its say.
    fn leap(&mut self, batch: &mut Batch, max: usize) {
        let (Some((source, _)), before) = (batch.places.last().copied(), batch.len()) else {
            return;
        };
        let mut add = |row| batch.places.push((source, row));
        let (max, mut work) = (max.saturating_sub(before), Work::new(u64::MAX));
        match self.walker.leap(max, &mut work, &mut add) {
            Ok(Some(last)) => batch.last = last,
            Ok(None) => {}
            // The walk stands where it stood: the next step meets the error again, in its place.
            Err(_) => batch.places.truncate(before),
        }
    }

    fn find(&mut self) -> Result<Found> {
        match self.peeked.take() {
            Some(found) => Ok(found),
            None => self.walker.step(&mut Work::new(u64::MAX)),
        }
    }

    /// Whether another match follows those given.
    pub(crate) fn has_more(&mut self) -> Result<bool> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let found = self.find()?;
        self.peeked = Some(found);
        Ok(matches!(found, Found::Match(_)))
    }

    /// The cursor that goes on strictly behind `after`.
    pub(crate) fn cursor(&self, after: Position) -> Cursor {
        self.bound.cursor(after)
    }

    /// Events of the snapshot under the scan.
    pub(crate) fn snapshot_seq(&self) -> u64 {
        self.bound.snapshot.seq_count()
    }
}

impl Batch {
    /// Adds a match; whether it is of the same source as the one before.
    fn add(&mut self, source: &Arc<Source>, row: u32) -> bool {
        let before = self.places.last().map(|(source, _)| *source);
        let mut known = self.sources.iter();
        let number = known.position(|known| Arc::ptr_eq(known, source));
        let number = number.unwrap_or_else(|| {
            self.sources.push(Arc::clone(source));
            self.sources.len() - 1
        });
        self.places.push((number, row));
        before == Some(number)
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The place of its first match.
    pub(crate) fn first(&self) -> Position {
        self.first
    }

    /// The place of its last match.
    pub(crate) fn last(&self) -> Position {
        self.last
    }

    /// Hands the rows from number `from` on to `each`, their contents taken apart if `parts` says
    /// so, until that breaks off; gives the number of the row to go on with.
    pub(crate) fn read(
        &self,
        from: usize,
        parts: bool,
        blocks: &mut Blocks,
        each: &mut Each<'_>,
    ) -> Result<usize> {
        let mut next = from;
        while let Some((source, row)) = self.places.get(next).copied() {
            let Some(source) = self.sources.get(source) else {
                break;
            };
            let kept = blocks.of(source);
            let flow = match parts {
                true => source.read_parts(row, kept, |row, parts| each(&row, Some(parts))),
                false => source.read(row, kept, |row| each(&row, None)),
            };
            let flow = match flow {
                Err(error) if error.kind() == ErrorKind::Missing => {
                    return self.read_again(next, parts, each);
                }
                flow => flow?,
            };
            next += 1;
            if flow.is_break() {
                break;
            }
        }
        Ok(next)
    }

    /// As [`Batch::read`], from a fresh version of the store, in which the same events are the same
    /// matches wherever they stand by now.
    fn read_again(&self, from: usize, parts: bool, each: &mut Each<'_>) -> Result<usize> {
        let route = Route {
            first: self.first.min(self.last),
            last: self.first.max(self.last),
            ..self.origin.route.clone()
        };
        let mut walker = Walker::new(self.origin.snapshot.refreshed()?, route);
        let mut work = Work::new(u64::MAX);
        for number in 0..self.len() {
            let Found::Match(_) = walker.step(&mut work)? else {
                let what = "events of the snapshot are not in the store any more";
                return Err(Error::new(ErrorKind::Corrupt, what));
            };
            if number < from {
                continue;
            }
            let flow = match parts {
                true => walker.parts(|row, parts| each(&row, Some(parts)))?,
                false => walker.row(|row| each(&row, None))?,
            };
            if flow.is_some_and(|flow| flow.is_break()) {
                return Ok(number + 1);
            }
        }
        Ok(self.len())
    }
}

impl Blocks {
    /// What is kept of `source`.
    fn of(&mut self, source: &Arc<Source>) -> &mut Kept {
        let mut kept = self.kept.iter();
        let known = kept.position(|(known, _)| Arc::ptr_eq(known, source));
        let place = known.unwrap_or_else(|| {
            let fresh = (Arc::clone(source), Kept::default());
            if self.kept.len() < KEPT_MAX {
                self.kept.push(fresh);
                return self.kept.len() - 1;
            }
            self.oldest = (self.oldest + 1) % KEPT_MAX;
            if let Some(slot) = self.kept.get_mut(self.oldest) {
                *slot = fresh;
            }
            self.oldest
        });
        match self.kept.get_mut(place) {
            Some((_, kept)) => kept,
            None => unreachable!("it was found or put there just now"),
        }
    }
}

#[cfg(test)]
mod tests;
