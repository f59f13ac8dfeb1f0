//! Which small segments are merged, and when: told by their sizes alone. Segments that are not
//! final gather until together they make final ones, and are then rewritten once. Only where too
//! many gather before that, or somebody asks for it, are some of them merged into a larger one that
//! is not final; then every segment that takes part becomes part of one at least twice its size, so
//! that the rewrites of an event stay within the logarithm of a final segment's rows.

/// Merged when together they have this much, in sixteenths, of what one segment takes; or when one
/// more of their mean would be too much for it.
const FULL: u64 = 15;

/// Places, in a list of small segments' rows, of those that are to be merged now: all when they
/// would fill a segment of `segment_rows`, else some when there are `fan_in` or more.
pub(super) fn due(smalls: &[u32], fan_in: usize, segment_rows: usize) -> Vec<usize> {
    let rows: u64 = smalls.iter().copied().map(u64::from).sum();
    let segment_rows = segment_rows as u64;
    let mean = rows / (smalls.len() as u64).max(1);
    let full = rows * 16 >= segment_rows * FULL || rows + mean > segment_rows;
    if smalls.len() > 1 && full {
        return (0..smalls.len()).collect();
    }
    if smalls.len() < fan_in {
        return Vec::new();
    }
    // The cheapest by rows rewritten for each segment less, and of equal ones the largest.
    let less = |set: &Set| set.len as u64 - 1;
    let cheaper = |one: &Set, other: &Set| {
        let costs = (one.rows * less(other), other.rows * less(one));
        costs.0.cmp(&costs.1).then(less(other).cmp(&less(one)))
    };
    let sorted = sorted(smalls);
    places(&sorted, sets(&sorted).min_by(cheaper))
}

/// The places of as many small segments as can be merged with every one of them at least doubled.
/// What is left after it, and cannot be, is at most one segment of each power of two.
pub(super) fn compaction(smalls: &[u32]) -> Vec<usize> {
    let sorted = sorted(smalls);
    places(&sorted, sets(&sorted).last())
}

/// The first segments of a sorted list.
#[derive(Clone, Copy)]
struct Set {
    len: usize,
    rows: u64,
}

fn sorted(smalls: &[u32]) -> Vec<(u32, usize)> {
    let mut sorted: Vec<(u32, usize)> = smalls.iter().copied().zip(0..).collect();
    sorted.sort_unstable();
    sorted
}

/// The sets whose largest member has no more rows than all others of it together.
fn sets(sorted: &[(u32, usize)]) -> impl Iterator<Item = Set> {
    let mut rows = 0;
    sorted
        .iter()
        .enumerate()
        .filter_map(move |(place, (largest, _))| {
            let others = rows;
            rows += u64::from(*largest);
            let len = place + 1;
            (len > 1 && u64::from(*largest) <= others).then_some(Set { len, rows })
        })
}

fn places(sorted: &[(u32, usize)], set: Option<Set>) -> Vec<usize> {
    let len = set.map_or(0, |set| set.len);
    sorted.iter().take(len).map(|(_, place)| *place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::budget::final_rows;
    use proptest::prelude::*;

    /// Small segments, each with its rows, those of the smallest that it was made of, and how often
    /// those of its events were rewritten that were rewritten most.
    #[derive(Default)]
    struct Model {
        smalls: Vec<(u32, u32, u32)>,
        finals: u64,
        rewrites_max: u32,
        /// Rows written by merges, and how many that were of no single segment any more.
        merged: u64,
    }

    const SEGMENT_ROWS: usize = 1 << 18;

    impl Model {
        fn seal(&mut self, rows: u32, fan_in: usize) {
            self.smalls.push((rows, rows, 0));
            loop {
                let due = due(&self.rows(), fan_in, SEGMENT_ROWS);
                if due.is_empty() {
                    break;
                }
                self.merge(due);
            }
        }

        fn compact(&mut self) {
            loop {
                let due = compaction(&self.rows());
                if due.is_empty() {
                    break;
                }
                self.merge(due);
            }
            let mut rows = self.rows();
            rows.sort_unstable();
            let mut sum = 0;
            for rows in rows {
                assert!(u64::from(rows) > sum, "it could be merged");
                sum += u64::from(rows);
            }
        }

        fn rows(&self) -> Vec<u32> {
            self.smalls.iter().map(|small| small.0).collect()
        }

        fn merge(&mut self, mut places: Vec<usize>) {
            places.sort_unstable();
            assert!(places.len() > 1 && places.windows(2).all(|two| two.first() < two.last()));
            let taken: Vec<_> = places
                .iter()
                .rev()
                .map(|place| self.smalls.remove(*place))
                .collect();
            let rows: u32 = taken.iter().map(|small| small.0).sum();
            let first = taken.iter().map(|small| small.1).min().unwrap_or(0);
            let rewrites = taken.iter().map(|small| small.2 + 1).max().unwrap_or(0);
            self.merged += u64::from(rows);
            self.rewrites_max = self.rewrites_max.max(rewrites);
            let bound = (rows / first.max(1)).ilog2().max(1);
            if (rows as usize) < final_rows(SEGMENT_ROWS) {
                assert!(
                    rewrites <= bound,
                    "{rewrites} rewrites from {first} to {rows} rows"
                );
                self.smalls.push((rows, first, rewrites));
            } else {
                self.finals += 1;
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        /// The bound on the number of segments rests on this, and the one on rewrites.
        #[test]
        fn small_segments_are_few_and_seldom_rewritten(
            fan_in in 2_usize..=48,
            seals in proptest::collection::vec((0_u32..17, 0_u32..1000, 0_u8..10), 1..400),
        ) {
            let mut model = Model::default();
            for (power, more, compact) in seals {
                let rows = (1_u32 << power) + (more << power) / 1000;
                model.seal(rows, fan_in);
                prop_assert!(model.smalls.len() <= fan_in.max(18), "{}", model.smalls.len());
                if compact == 0 {
                    model.compact();
                    prop_assert!(model.smalls.len() <= 18);
                }
            }
            // Once for each doubling up to a final segment, and once into it.
            prop_assert!(model.rewrites_max <= final_rows(SEGMENT_ROWS).ilog2() + 1);
        }
    }

    #[test]
    fn full_memtables_are_rewritten_once() {
        for rows in [6_000, 11_000, 23_000, 47_000] {
            let mut model = Model::default();
            for _ in 0..1000 {
                model.seal(rows, 48);
            }
            assert_eq!(model.rewrites_max, 1, "{rows}");
            let left: u32 = model.rows().iter().sum();
            assert_eq!(model.merged, 1000 * u64::from(rows) - u64::from(left));
            let mean = model.merged / model.finals;
            assert!(
                mean as usize * 16 >= SEGMENT_ROWS * 12,
                "{mean} rows of {rows}"
            );
        }
    }

    /// A few late events cut off at each seal do not have the rest rewritten.
    #[test]
    fn stragglers_are_merged_among_themselves() {
        let mut model = Model::default();
        for _ in 0..40 {
            for rows in [5000, 70, 1] {
                model.seal(rows, 48);
            }
        }
        assert!(model.merged < 2 * 40 * 71, "{}", model.merged);
    }

    /// Merges that cut stragglers off come to an end all the same, and leave no more segments.
    #[test]
    fn cutting_stragglers_off_does_not_go_on_for_ever() {
        for fan_in in [2, 19, 48] {
            let mut smalls: Vec<u32> = Vec::new();
            for seal in 0..3000_u32 {
                smalls.extend([1, 5000 + seal * 7919 % 40_000, 1]);
                loop {
                    let due = due(&smalls, fan_in, SEGMENT_ROWS);
                    if due.is_empty() {
                        break;
                    }
                    let rows: u32 = due
                        .iter()
                        .map(|place| smalls.get(*place).unwrap_or(&0))
                        .sum();
                    let mut place = 0;
                    smalls.retain(|_| {
                        place += 1;
                        !due.contains(&(place - 1))
                    });
                    let apart = if rows < 4096 { 0 } else { rows / 64 };
                    let body = rows - 2 * apart;
                    let pieces = [apart, body, apart].into_iter();
                    let enough = final_rows(SEGMENT_ROWS) as u32;
                    smalls.extend(pieces.filter(|rows| *rows > 0 && *rows < enough));
                    assert!(smalls.len() <= fan_in.max(18) + 5, "{}", smalls.len());
                }
                assert!(smalls.len() <= fan_in.max(18), "{}", smalls.len());
            }
        }
    }

    /// Many small imports, one after the other, each of them compacted.
    #[test]
    fn compacting_after_each_of_many_loads_rewrites_seldom() {
        let mut model = Model::default();
        for load in 1..=1000_u64 {
            model.seal(3000, 48);
            model.compact();
            assert!(model.smalls.len() <= 7, "{}", model.smalls.len());
            // log2(131,072 / 3,000) and one more.
            assert!(model.merged <= load * 3000 * 7);
        }
        assert!(model.rewrites_max <= 7);
    }
}
