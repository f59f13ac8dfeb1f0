//! The line-up of segments against the plain list of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::Lineup;
use super::Pinned;
use super::presence::Places;
use crate::disk::names::Folder;
use crate::disk::sim::SimDisk;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::manifest::SegmentEntry;
use crate::options::Partition;
use crate::time::Time;

fn position(micros: u8) -> Position {
    Position {
        occurred_at: Time::saturating_from_micros(i64::from(micros)),
        seq: Sequence(3),
    }
}

fn pinned(number: usize, (one, other): (u8, u8)) -> Arc<Pinned> {
    let time = Time::MIN;
    let entry = SegmentEntry {
        id: SegmentId(number as u64),
        level: 0,
        rows: 1,
        file_len: 1,
        max: position(one.max(other)),
        min: position(one.min(other)),
        seq_min: Sequence(0),
        seq_max: Sequence(0),
        recorded_min: time,
        recorded_max: time,
        content_hash: [0; 32],
        folder: Folder::of(time, Partition::Month),
    };
    Arc::new(Pinned::new(entry, Arc::new(SimDisk::new(1))))
}

proptest! {
    /// Whatever overlaps whatever: a walk comes to every segment of the range and to no other, and
    /// to none later than where it begins.
    #[test]
    fn a_walk_comes_to_every_segment_of_its_range_in_time(
        ends in proptest::collection::vec((0_u8..60, 0_u8..60), 0..90),
        (one, other) in (0_u8..60, 0_u8..60),
        some in proptest::option::of(proptest::collection::btree_set(0_usize..90, 0..20)),
        oldest_first: bool,
    ) {
        let lineup = Lineup::new(
            ends.iter().enumerate().map(|(number, ends)| pinned(number, *ends)),
            Arc::default(),
        );
        let mut words = vec![0_u64; lineup.len().div_ceil(64)];
        for place in some.iter().flatten().filter(|place| **place < lineup.len()) {
            if let Some(word) = words.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
        }
        let places = if some.is_some() { Places::Some(words) } else { Places::Every };
        let (first, last) = (position(one), position(other));
        let mut upcoming = lineup.upcoming((first, last), oldest_first, places);
        let mut found = BTreeSet::new();
        let mut before: Option<Position> = None;
        while let Some((place, bound)) = upcoming.peek(&lineup) {
            prop_assert_eq!(upcoming.peek(&lineup), Some((place, bound)));
            upcoming.pass();
            prop_assert!(found.insert(place), "twice");
            let entry = lineup.get(place).map(|pinned| (pinned.entry.min, pinned.entry.max));
            let in_order = match oldest_first {
                true => before <= Some(bound) && entry.is_some_and(|(min, _)| bound == min.max(first)),
                false => before.is_none_or(|before| before >= bound)
                    && entry.is_some_and(|(_, max)| bound == max.min(last)),
            };
            prop_assert!(in_order);
            before = Some(bound);
        }
        let overlaps = |(place, pinned): &(usize, &Arc<Pinned>)| {
            let reaches = pinned.entry.max >= first && pinned.entry.min <= last && first <= last;
            reaches && some.as_ref().is_none_or(|some| some.contains(place))
        };
        let wanted: BTreeSet<usize> =
            lineup.iter().enumerate().filter(overlaps).map(|(place, _)| place).collect();
        prop_assert_eq!(found, wanted);
        let oldest = ends.iter().map(|(one, other)| position(*one.min(other)).occurred_at).min();
        prop_assert_eq!(lineup.oldest(), oldest);
    }
}
