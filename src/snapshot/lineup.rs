//! The segments of a version in both reading directions, prepared so that a walk touches only
//! those it comes to: where a walk begins is found by bisection, and what reaches back over its
//! beginning by a running bound that ends the search as soon as nothing before can.

use core::ops::Deref;
use std::collections::HashMap;
use std::sync::Arc;

use super::Pinned;
use super::barren::Barren;
use super::presence::Coverage;
use super::presence::Places;
use crate::id::Position;
use crate::manifest::SegmentEntry;
use crate::presence::Run;
use crate::time::Time;

/// The live segments of a version, newest first. Their places are their numbers in this order.
pub(crate) struct Lineup {
    segments: Box<[Arc<Pinned>]>,
    newest_first: Direction,
    oldest_first: Direction,
    pub(super) coverage: Coverage,
    pub(super) barren: Barren,
}

/// One reading direction.
struct Direction {
    /// The places of the segments by where they begin.
    order: Box<[u32]>,
    /// For each step of `order` the furthest that any segment up to it reaches.
    reach: Box<[Position]>,
}

/// A walk over the segments that overlap a range, in the order in which they begin.
pub(crate) struct Upcoming {
    oldest_first: bool,
    range: (Position, Position),
    places: Places,
    /// The step of the order to look at next.
    next: usize,
    /// Segments that begin before the range and reach into it; given first.
    straddling: Vec<u32>,
}

impl Lineup {
    /// Of segments in any order, with the filters that tell what they may hold.
    pub(crate) fn new(
        segments: impl IntoIterator<Item = Arc<Pinned>>,
        runs: Arc<[Arc<Run>]>,
    ) -> Lineup {
        let mut segments: Vec<Arc<Pinned>> = segments.into_iter().collect();
        segments.sort_by_key(|pinned| core::cmp::Reverse((pinned.entry.max, pinned.entry.id)));
        let mut by_oldest: Vec<u32> = (0..segments.len() as u32).collect();
        let oldest_of = |place: &u32| segments.get(*place as usize).map(|one| one.entry.min);
        by_oldest.sort_by_key(oldest_of);
        let all = (0..segments.len() as u32).collect();
        let newest_first = Direction::new(&segments, all, |entry| entry.min, Ord::min);
        let oldest_first = Direction::new(&segments, by_oldest, |entry| entry.max, Ord::max);
        Lineup {
            coverage: Coverage::new(&segments, runs),
            barren: Barren::default(),
            segments: segments.into(),
            newest_first,
            oldest_first,
        }
    }

    /// As [`Lineup::new`], with what the line-up `before` remembers of the segments that both have.
    pub(crate) fn following(
        before: &Lineup,
        segments: impl IntoIterator<Item = Arc<Pinned>>,
        runs: Arc<[Arc<Run>]>,
    ) -> Lineup {
        let lineup = Lineup::new(segments, runs);
        let name = |pinned: &Arc<Pinned>| (pinned.entry.id, pinned.entry.content_hash);
        let places: HashMap<_, usize> = before.iter().map(name).zip(0..).collect();
        let former = lineup
            .iter()
            .map(|pinned| places.get(&name(pinned)).copied());
        let barren = before.barren.carried(&former.collect::<Vec<_>>());
        Lineup { barren, ..lineup }
    }

    /// The moment of the oldest event in any segment.
    pub(crate) fn oldest(&self) -> Option<Time> {
        Some(self.newest_first.reach.last()?.occurred_at)
    }

    /// The filters that tell what the segments may hold.
    pub(crate) fn runs(&self) -> &Arc<[Arc<Run>]> {
        self.coverage.runs()
    }

    /// Segments that no filter tells of.
    pub(crate) fn uncovered(&self) -> impl Iterator<Item = &Arc<Pinned>> {
        let numbered = self.segments.iter().enumerate();
        let uncovered = numbered.filter(|(place, _)| !self.coverage.is_covered(*place));
        uncovered.map(|(_, pinned)| pinned)
    }

    /// How many of the segments each filter tells of.
    pub(crate) fn told_by(&self) -> impl Iterator<Item = (&Arc<Run>, usize)> {
        self.coverage.live()
    }

    /// A walk over the segments of `places` that overlap `range`, both ends inclusive.
    pub(crate) fn upcoming(
        &self,
        range: (Position, Position),
        oldest_first: bool,
        places: Places,
    ) -> Upcoming {
        let (first, last) = range;
        let direction = self.direction(oldest_first);
        let begins_before = |place: &u32| {
            let entry = self.segments.get(*place as usize).map(|one| &one.entry);
            entry.is_some_and(|entry| match oldest_first {
                true => entry.min < first,
                false => entry.max > last,
            })
        };
        let start = direction.order.partition_point(begins_before);
        let before = direction.order.iter().zip(&direction.reach).take(start);
        let reaching = before.rev().take_while(|(_, reach)| match oldest_first {
            true => **reach >= first,
            false => **reach <= last,
        });
        let straddling = reaching.map(|(place, _)| *place).filter(|place| {
            let pinned = self.segments.get(*place as usize);
            pinned.is_some_and(|one| one.entry.min <= last && one.entry.max >= first)
                && places.contains(*place as usize)
        });
        Upcoming {
            straddling: straddling.collect(),
            oldest_first,
            range,
            places,
            next: start,
        }
    }

    fn direction(&self, oldest_first: bool) -> &Direction {
        match oldest_first {
            true => &self.oldest_first,
            false => &self.newest_first,
        }
    }
}

impl Deref for Lineup {
    type Target = [Arc<Pinned>];

    fn deref(&self) -> &[Arc<Pinned>] {
        &self.segments
    }
}

impl Direction {
    /// `end` gives where a segment ends in this direction, `further` the later of two such ends.
    fn new(
        segments: &[Arc<Pinned>],
        order: Vec<u32>,
        end: impl Fn(&SegmentEntry) -> Position,
        further: impl Fn(Position, Position) -> Position,
    ) -> Direction {
        let mut reach: Vec<Position> = Vec::with_capacity(order.len());
        for pinned in order
            .iter()
            .filter_map(|place| segments.get(*place as usize))
        {
            let own = end(&pinned.entry);
            reach.push(reach.last().map_or(own, |before| further(*before, own)));
        }
        Direction {
            order: order.into(),
            reach: reach.into(),
        }
    }
}

impl Upcoming {
    /// The next segment's place, and where in the range it begins at the earliest; it stays the next
    /// one until [`Upcoming::pass`].
    pub(crate) fn peek(&mut self, lineup: &Lineup) -> Option<(usize, Position)> {
        let (first, last) = self.range;
        if first > last {
            return None;
        }
        if let Some(place) = self.straddling.last() {
            return Some((
                *place as usize,
                if self.oldest_first { first } else { last },
            ));
        }
        let direction = lineup.direction(self.oldest_first);
        loop {
            if !self.oldest_first {
                // Places are the order itself, so what is ruled out is leapt over.
                self.next = self.places.at_or_after(self.next)?;
            }
            let place = *direction.order.get(self.next)? as usize;
            let entry = &lineup.segments.get(place)?.entry;
            let (bound, is_behind) = match self.oldest_first {
                true => (entry.min, entry.min > last),
                false => (entry.max, entry.max < first),
            };
            if is_behind {
                return None;
            }
            if self.places.contains(place) {
                return Some((place, bound));
            }
            self.next += 1;
        }
    }

    /// Goes on behind the segment that was next.
    pub(crate) fn pass(&mut self) {
        if self.straddling.pop().is_none() {
            self.next += 1;
        }
    }
}
