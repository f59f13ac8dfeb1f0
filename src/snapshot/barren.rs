//! Which segments were walked from end to end for a filter and hold no match of it, of the filters
//! that were asked last. Presence runs tell where each term of a conjunction is, and nothing of ranges
//! of terms; that two terms never meet in a segment only the segment can tell. Segments do not
//! change, so what is remembered is never wrong, and goes with a segment from version to version.

use parking_lot::Mutex;

use super::presence::Places;
use crate::filter::expression::Expression;
use crate::filter::expression::Leaf;

/// Filters that are remembered, each with a bit for each segment.
const FILTERS: usize = 32;
/// Bytes of a filter's terms that are remembered.
const FILTER_BYTES_MAX: usize = 1 << 10;

/// What is remembered of the segments of one version, by their places.
#[derive(Default)]
pub(super) struct Barren(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    filters: Vec<Filter>,
    uses: u64,
}

struct Filter {
    expression: Expression,
    /// One bit for each segment that holds no match.
    places: Vec<u64>,
    used: u64,
}

impl Barren {
    /// What is left of `places` for this filter.
    pub(super) fn leave_out(&self, expression: &Expression, places: Places, len: usize) -> Places {
        if is_told(expression) {
            return places;
        }
        let mut remembered = self.0.lock();
        let Some(filter) = remembered.find(expression) else {
            return places;
        };
        let mut words = match places {
            Places::Every => vec![u64::MAX; len.div_ceil(64)],
            Places::Some(words) => words,
        };
        let pairs = words.iter_mut().zip(&filter.places);
        pairs.for_each(|(word, barren)| *word &= !barren);
        Places::Some(words)
    }

    /// Remembers that the segment at `place`, of `len`, holds no match.
    pub(super) fn remember(&self, expression: &Expression, place: usize, len: usize) {
        if is_told(expression) || !fits(expression) {
            return;
        }
        let mut remembered = self.0.lock();
        if let Some(filter) = remembered.find_or_add(expression, len)
            && let Some(word) = filter.places.get_mut(place / 64)
        {
            *word |= 1 << (place % 64);
        }
    }
}

impl Barren {
    /// What is remembered of segments that stand elsewhere now: for each present place the one it had,
    /// if the segment is not new.
    pub(super) fn carried(&self, former: &[Option<usize>]) -> Barren {
        let remembered = self.0.lock();
        let filters = remembered.filters.iter().map(|filter| {
            let mut places = vec![0_u64; former.len().div_ceil(64)];
            for (place, before) in former.iter().enumerate() {
                let word = before.and_then(|before| filter.places.get(before / 64));
                let bit = before
                    .zip(word)
                    .map_or(0, |(before, word)| word >> (before % 64) & 1);
                if let Some(word) = places.get_mut(place / 64) {
                    *word |= bit << (place % 64);
                }
            }
            Filter {
                expression: filter.expression.clone(),
                places,
                used: filter.used,
            }
        });
        Barren(Mutex::new(Remembered {
            filters: filters.collect(),
            uses: remembered.uses,
        }))
    }
}

impl Remembered {
    fn find(&mut self, expression: &Expression) -> Option<&mut Filter> {
        self.uses += 1;
        let mut filters = self.filters.iter_mut();
        let filter = filters.find(|filter| filter.expression == *expression)?;
        filter.used = self.uses;
        Some(filter)
    }

    /// The filter, in place of the one that was not asked for longest where there are too many.
    fn find_or_add(&mut self, expression: &Expression, len: usize) -> Option<&mut Filter> {
        if self.find(expression).is_none() {
            if self.filters.len() == FILTERS {
                let numbered = self.filters.iter().enumerate();
                let oldest = numbered.min_by_key(|(_, filter)| filter.used);
                let oldest = oldest.map(|(number, _)| number)?;
                self.filters.swap_remove(oldest);
            }
            self.filters.push(Filter {
                expression: expression.clone(),
                places: vec![0; len.div_ceil(64)],
                used: self.uses,
            });
        }
        self.find(expression)
    }
}

/// Whether a filter asks for nothing or for one term: then presence runs tell all there is to tell.
const fn is_told(expression: &Expression) -> bool {
    matches!(
        expression,
        Expression::All | Expression::Leaf(Leaf::Term(_) | Leaf::Id(_))
    )
}

/// Whether a filter is short enough to be remembered.
fn fits(expression: &Expression) -> bool {
    fn bytes(expression: &Expression) -> usize {
        let own = match expression {
            Expression::All | Expression::Leaf(Leaf::Id(_)) => 0,
            Expression::And(members) | Expression::Or(members) => members.iter().map(bytes).sum(),
            Expression::Not(member) => bytes(member),
            Expression::Leaf(Leaf::Term(term)) => term.len(),
            Expression::Leaf(Leaf::Terms { from, to }) => from.len() + to.len(),
            Expression::Leaf(Leaf::Origin(text) | Leaf::Key(text)) | Expression::Text(text) => {
                text.len()
            }
        };
        own + size_of::<Expression>()
    }
    bytes(expression) <= FILTER_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const SEGMENTS: usize = 70;

    fn filter(number: u8) -> Expression {
        let term = |number| Expression::Leaf(Leaf::Term(vec![1, 1, number]));
        Expression::And(vec![term(number), term(number + 1)])
    }

    proptest! {
        /// Against a table of all that was ever told: only what was told is left out, all of it while
        /// there are few filters, and never more is remembered than there is room for.
        #[test]
        fn only_segments_without_a_match_are_left_out(
            told in proptest::collection::vec((0_u8..60, 0..SEGMENTS), 0..200),
            some in proptest::collection::btree_set(0..SEGMENTS, 0..SEGMENTS),
        ) {
            let barren = Barren::default();
            let mut model: BTreeSet<(u8, usize)> = BTreeSet::new();
            for (number, place) in told {
                barren.remember(&filter(number), place, SEGMENTS);
                model.insert((number, place));
            }
            let filters: BTreeSet<u8> = model.iter().map(|(number, _)| *number).collect();
            prop_assert_eq!(barren.0.lock().filters.len(), filters.len().min(FILTERS));
            let mut words = vec![0_u64; SEGMENTS.div_ceil(64)];
            some.iter().for_each(|place| {
                if let Some(word) = words.get_mut(place / 64) {
                    *word |= 1 << (place % 64);
                }
            });
            for number in 0..60 {
                for (asked, places) in [(None, Places::Every), (Some(&some), Places::Some(words.clone()))] {
                    let left = barren.leave_out(&filter(number), places, SEGMENTS);
                    for place in 0..SEGMENTS {
                        let was_asked = asked.is_none_or(|some| some.contains(&place));
                        let is_barren = model.contains(&(number, place));
                        let is_left = left.contains(place);
                        prop_assert!(is_left || !was_asked || is_barren);
                        prop_assert!(!is_left || was_asked);
                        prop_assert!(!is_left || !is_barren || filters.len() > FILTERS);
                    }
                }
            }
        }
    }

    proptest! {
        /// However segments come, go and change places, what was told of one stays with it.
        #[test]
        fn what_is_known_of_a_segment_goes_with_it(
            barren_places in proptest::collection::btree_set(0..SEGMENTS, 0..SEGMENTS),
            former in proptest::collection::vec(proptest::option::of(0..SEGMENTS), 0..90),
        ) {
            let before = Barren::default();
            barren_places.iter().for_each(|place| before.remember(&filter(3), *place, SEGMENTS));
            let now = before.carried(&former);
            let left = now.leave_out(&filter(3), Places::Every, former.len());
            for (place, before) in former.iter().enumerate() {
                let is_barren = before.is_some_and(|before| barren_places.contains(&before));
                prop_assert_eq!(left.contains(place), !is_barren);
            }
        }
    }

    #[test]
    fn long_filters_and_single_terms_are_not_remembered() {
        let barren = Barren::default();
        let term = |len| Expression::Leaf(Leaf::Term(vec![1; len]));
        for expression in [
            Expression::All,
            term(5),
            Expression::And(vec![term(5), term(FILTER_BYTES_MAX)]),
        ] {
            barren.remember(&expression, 0, 1);
            assert_eq!(
                barren.leave_out(&expression, Places::Every, 1),
                Places::Every
            );
        }
        assert!(barren.0.lock().filters.is_empty());
    }
}
