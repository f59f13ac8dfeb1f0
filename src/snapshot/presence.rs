//! Which segments can hold a match of a filter, as far as the presence runs tell. A segment that no
//! run tells of can hold anything, and so can every segment where a filter asks for a range of
//! terms, or for their absence. Rows decide; this only spares opening segments for nothing.

use std::collections::HashMap;
use std::sync::Arc;

use super::Pinned;
use super::lineup::Lineup;
use crate::filter::expression::Expression;
use crate::filter::expression::Leaf;
use crate::id::Position;
use crate::presence;
use crate::presence::Column;
use crate::presence::Columns;
use crate::presence::Found;
use crate::presence::Run;

/// A set of segments, by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Places {
    Every,
    /// One bit for each.
    Some(Vec<u64>),
}

/// What the runs tell of the segments of a version.
pub(crate) struct Coverage {
    runs: Arc<[Arc<Run>]>,
    /// For each run the places of its columns; none for a segment that is gone.
    places: Vec<Vec<Option<u32>>>,
    /// For each run the places of all its columns.
    all: Vec<Vec<u64>>,
    /// Segments that no run tells of.
    uncovered: Vec<u64>,
}

impl Places {
    pub(crate) fn contains(&self, place: usize) -> bool {
        match self {
            Places::Every => true,
            Places::Some(words) => words
                .get(place / 64)
                .is_some_and(|word| word >> (place % 64) & 1 == 1),
        }
    }

    /// The first place of the set that is not below `place`.
    pub(crate) fn at_or_after(&self, place: usize) -> Option<usize> {
        let Places::Some(words) = self else {
            return Some(place);
        };
        let mut mask = u64::MAX << (place % 64);
        for (number, word) in words.iter().enumerate().skip(place / 64) {
            let word = word & core::mem::replace(&mut mask, u64::MAX);
            if word != 0 {
                return Some(number * 64 + word.trailing_zeros() as usize);
            }
        }
        None
    }

    fn is_empty(&self) -> bool {
        match self {
            Places::Every => false,
            Places::Some(words) => words.iter().all(|word| *word == 0),
        }
    }

    fn and(self, other: Places) -> Places {
        match (self, other) {
            (Places::Every, places) | (places, Places::Every) => places,
            (Places::Some(mut words), Places::Some(others)) => {
                let pairs = words.iter_mut().zip(others);
                pairs.for_each(|(word, other)| *word &= other);
                Places::Some(words)
            }
        }
    }

    fn or(self, other: Places) -> Places {
        match (self, other) {
            (Places::Every, _) | (_, Places::Every) => Places::Every,
            (Places::Some(mut words), Places::Some(others)) => {
                put_all(&mut words, &others);
                Places::Some(words)
            }
        }
    }
}

fn put(words: &mut [u64], place: usize) {
    if let Some(word) = words.get_mut(place / 64) {
        *word |= 1 << (place % 64);
    }
}

fn put_all(words: &mut [u64], others: &[u64]) {
    let pairs = words.iter_mut().zip(others);
    pairs.for_each(|(word, other)| *word |= other);
}

impl Coverage {
    /// What `runs` tell of `segments`.
    pub(super) fn new(segments: &[Arc<Pinned>], runs: Arc<[Arc<Run>]>) -> Coverage {
        let column = |pinned: &Pinned| Column::new(pinned.entry.id, pinned.entry.content_hash);
        let by_column: HashMap<Column, u32> = match runs.is_empty() {
            true => HashMap::new(),
            false => segments.iter().map(|one| column(one)).zip(0..).collect(),
        };
        let mut uncovered = vec![0; segments.len().div_ceil(64)];
        (0..segments.len()).for_each(|place| put(&mut uncovered, place));
        let (mut places, mut all) = (Vec::new(), Vec::new());
        for run in &*runs {
            let columns = run.columns().iter();
            let of_run: Vec<Option<u32>> = columns
                .map(|column| by_column.get(column).copied())
                .collect();
            let mut told = vec![0; uncovered.len()];
            for place in of_run.iter().flatten() {
                put(&mut told, *place as usize);
            }
            let pairs = uncovered.iter_mut().zip(&told);
            pairs.for_each(|(word, told)| *word &= !told);
            places.push(of_run);
            all.push(told);
        }
        Coverage {
            runs,
            places,
            all,
            uncovered,
        }
    }

    pub(super) fn runs(&self) -> &Arc<[Arc<Run>]> {
        &self.runs
    }

    pub(super) fn is_covered(&self, place: usize) -> bool {
        let word = self.uncovered.get(place / 64);
        word.is_some_and(|word| word >> (place % 64) & 1 == 0)
    }

    /// How many segments of the version each run tells of.
    pub(crate) fn live(&self) -> impl Iterator<Item = (&Arc<Run>, usize)> {
        let live = self
            .places
            .iter()
            .map(|of_run| of_run.iter().flatten().count());
        self.runs.iter().zip(live)
    }

    /// The segments that may have `term`.
    fn of_term(&self, term: &[u8]) -> Places {
        let mut words = self.uncovered.clone();
        presence::asked(term, |print| {
            for ((run, places), all) in self.runs.iter().zip(&self.places).zip(&self.all) {
                match run.find(print) {
                    Found::Nowhere => {}
                    Found::In(columns) => put_columns(&mut words, &columns, places, all),
                    Found::Anywhere => put_all(&mut words, all),
                }
            }
        });
        Places::Some(words)
    }
}

/// Puts the places of `columns` into `words`.
fn put_columns(words: &mut [u64], columns: &Columns, places: &[Option<u32>], all: &[u64]) {
    let count: u32 = columns.iter().map(|word| word.count_ones()).sum();
    if count as usize == places.len() {
        return put_all(words, all);
    }
    for (number, word) in columns.iter().enumerate() {
        let mut left = *word;
        while left != 0 {
            let column = number * 64 + left.trailing_zeros() as usize;
            if let Some(Some(place)) = places.get(column) {
                put(words, *place as usize);
            }
            left &= left - 1;
        }
    }
}

impl Lineup {
    /// The segments that can hold a match.
    pub(crate) fn places_of(&self, expression: &Expression) -> Places {
        let places = self.told_places(expression);
        self.barren.leave_out(expression, places, self.len())
    }

    /// Remembers that the segment at `place` holds no match.
    pub(crate) fn has_none(&self, expression: &Expression, place: usize) {
        self.barren.remember(expression, place, self.len());
    }

    /// The segments that can hold a match by what the runs tell.
    fn told_places(&self, expression: &Expression) -> Places {
        match expression {
            Expression::All | Expression::Not(_) => Places::Every,
            Expression::And(members) => {
                let mut places = Places::Every;
                for member in members {
                    places = places.and(self.told_places(member));
                    if places.is_empty() {
                        break;
                    }
                }
                places
            }
            Expression::Or(members) => {
                let mut places = Places::Some(vec![0; self.len().div_ceil(64)]);
                for member in members {
                    places = places.or(self.told_places(member));
                    if places == Places::Every {
                        break;
                    }
                }
                places
            }
            Expression::Leaf(Leaf::Term(term)) => self.coverage.of_term(term),
            Expression::Leaf(Leaf::Id(position)) => self.places_at(*position),
            Expression::Leaf(Leaf::Terms { .. } | Leaf::Origin(_) | Leaf::Key(_))
            | Expression::Text(_) => Places::Every,
        }
    }

    /// The segments in whose range a position lies.
    fn places_at(&self, position: Position) -> Places {
        let mut words = vec![0; self.len().div_ceil(64)];
        let mut upcoming = self.upcoming((position, position), false, Places::Every);
        while let Some((place, _)) = upcoming.peek(self) {
            upcoming.pass();
            put(&mut words, place);
        }
        Places::Some(words)
    }
}
