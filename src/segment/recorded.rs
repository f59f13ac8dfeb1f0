//! When the rows of a segment were recorded. Rows of one commit have neighbouring seqs and one
//! moment: where commits are few beside the rows, each is told once, by its first seq, and blocks
//! say nothing of it.
//!
//! ```text
//! commits  count varint · for each: seq varint, recorded_at zigzag, both less those before
//! ```

use std::collections::HashMap;

use super::stands::StandReader;
use super::stands::Stands;
use crate::codec::varint;
use crate::codec::varint::Bytes;
use crate::id::Sequence;
use crate::time::Time;

/// Rows that a commit has at least on the average: with fewer, blocks tell it in less.
const ROWS_MIN: usize = 64;

/// The first seq and the moment of each commit, by seq; none where blocks tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Recorded(Vec<(u64, i64)>);

impl Recorded {
    /// The commits of these rows, if they are few and every one has its own stretch of seqs.
    pub(super) fn of(stands: &Stands) -> Recorded {
        let most = stands.len() as usize / ROWS_MIN;
        let mut numbers: HashMap<i64, usize> = HashMap::new();
        // The lowest and the highest seq of each moment.
        let mut found: Vec<(u64, u64, i64)> = Vec::new();
        let mut reader = StandReader::default();
        let mut here = 0;
        while let Some(stand) = stands.next(&mut reader) {
            let (seq, at) = (stand.position.seq.0, stand.recorded_at.as_micros());
            if found.get(here).is_none_or(|commit| commit.2 != at) {
                here = *numbers.entry(at).or_insert(found.len());
                if here == found.len() {
                    found.push((seq, seq, at));
                }
                if found.len() > most {
                    return Recorded::default();
                }
            }
            if let Some((low, high, _)) = found.get_mut(here) {
                *low = seq.min(*low);
                *high = seq.max(*high);
            }
        }
        found.sort_unstable();
        let apart = found.windows(2).all(|two| match two {
            [one, other] => one.1 < other.0,
            _ => true,
        });
        let commits = found.iter().filter(|_| apart);
        Recorded(commits.map(|(seq, _, at)| (*seq, *at)).collect())
    }

    /// Whether blocks tell the moments.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When the row of this seq was recorded.
    pub(super) fn at(&self, seq: Sequence) -> Option<Time> {
        let above = self.0.partition_point(|(first, _)| *first <= seq.0);
        let (_, at) = self.0.get(above.checked_sub(1)?)?;
        Time::from_micros(*at)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        varint::put_u64(out, self.0.len() as u64);
        let mut before = (0, 0);
        for commit in &self.0 {
            varint::put_u64(out, commit.0 - before.0);
            varint::put_i64(out, commit.1 - before.1);
            before = *commit;
        }
    }

    pub(super) fn decode(bytes: &mut Bytes<'_>) -> Option<Recorded> {
        let count = bytes.count()?;
        let mut commits = Vec::new();
        let mut before = (0_u64, 0_i64);
        for _ in 0..count {
            before.0 = before.0.checked_add(bytes.varint()?)?;
            before.1 = before.1.checked_add(bytes.signed_varint()?)?;
            commits.push(before);
        }
        Some(Recorded(commits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Position;
    use crate::segment::builder::Stand;

    fn stands(rows: impl Iterator<Item = (u64, i64)>) -> Stands {
        let mut stands = Stands::default();
        for (seq, recorded) in rows {
            stands.push(Stand {
                position: Position {
                    occurred_at: Time::MIN,
                    seq: Sequence(seq),
                },
                recorded_at: Time::saturating_from_micros(recorded),
            });
        }
        stands
    }

    proptest::proptest! {
        #[test]
        fn commits_are_told_by_their_seqs_in_any_order_of_rows(
            commits in proptest::collection::vec((1_i64..1 << 40, 100_u64..300), 1..9),
            step in proptest::prop_oneof![proptest::strategy::Just(1_u64), proptest::strategy::Just(7919)],
        ) {
            let mut moments = Vec::new();
            let mut at = 0;
            for (later, rows) in commits {
                at += later;
                (0..rows).for_each(|_| moments.push(at));
            }
            let len = moments.len() as u64;
            let rows = (0..len).map(|row| row * step % len).map(|seq| (seq, moments.get(seq as usize).copied().unwrap_or(0)));
            let recorded = Recorded::of(&stands(rows));
            proptest::prop_assert!(!recorded.is_empty());
            for (seq, at) in (0..).zip(&moments) {
                proptest::prop_assert_eq!(recorded.at(Sequence(seq)), Time::from_micros(*at));
            }
            let mut stored = Vec::new();
            recorded.encode(&mut stored);
            proptest::prop_assert_eq!(Recorded::decode(&mut Bytes::new(&stored)), Some(recorded));
        }
    }

    #[test]
    fn commits_that_are_many_or_mixed_are_left_to_the_blocks() {
        let many = stands((0_u64..1_000).map(|row| (row, (row / 10).cast_signed())));
        assert!(Recorded::of(&many).is_empty());
        let mixed = stands((0_u64..1_000).map(|row| (row, (row % 2).cast_signed())));
        assert!(Recorded::of(&mixed).is_empty());
        assert!(Recorded::default().at(Sequence(0)).is_none());
    }
}
