//! The places of a segment's rows while it is written, one after another as steps from the row
//! before: some seven bytes a row where they themselves take twenty-four.

use super::builder::Stand;
use crate::codec::varint;
use crate::codec::varint::Bytes;
use crate::id::Position;
use crate::id::Sequence;
use crate::time::Time;

/// Places in order, and their bounds.
#[derive(Debug, Default)]
pub(super) struct Stands {
    bytes: Vec<u8>,
    count: u32,
    first: Option<Stand>,
    last: Option<Stand>,
    seqs: (u64, u64),
    recorded: (i64, i64),
}

/// Reads places in order.
#[derive(Debug, Default)]
pub(super) struct StandReader {
    at: usize,
    before: [i64; 3],
}

const fn numbers(stand: &Stand) -> [i64; 3] {
    [
        stand.position.occurred_at.as_micros(),
        stand.position.seq.0.cast_signed(),
        stand.recorded_at.as_micros(),
    ]
}

impl Stands {
    pub(super) const fn len(&self) -> u32 {
        self.count
    }

    pub(super) const fn first(&self) -> Option<&Stand> {
        self.first.as_ref()
    }

    pub(super) const fn last(&self) -> Option<&Stand> {
        self.last.as_ref()
    }

    /// The lowest and the highest seq.
    pub(super) const fn seqs(&self) -> (Sequence, Sequence) {
        (Sequence(self.seqs.0), Sequence(self.seqs.1))
    }

    /// The first and the last moment of recording.
    pub(super) const fn recorded(&self) -> (Time, Time) {
        (
            Time::saturating_from_micros(self.recorded.0),
            Time::saturating_from_micros(self.recorded.1),
        )
    }

    pub(super) fn push(&mut self, stand: Stand) {
        let before = self.last.as_ref().map_or([0; 3], numbers);
        let [time, seq, recorded] = numbers(&stand);
        for (number, before) in [time, seq, recorded].into_iter().zip(before) {
            varint::put_i64(&mut self.bytes, number.wrapping_sub(before));
        }
        let seq = stand.position.seq.0;
        if self.first.is_none() {
            self.first = Some(stand);
            self.seqs = (seq, seq);
            self.recorded = (recorded, recorded);
        }
        self.seqs = (self.seqs.0.min(seq), self.seqs.1.max(seq));
        self.recorded = (self.recorded.0.min(recorded), self.recorded.1.max(recorded));
        self.last = Some(stand);
        self.count += 1;
    }

    /// The next place behind those that `reader` read before.
    pub(super) fn next(&self, reader: &mut StandReader) -> Option<Stand> {
        let rest = self.bytes.get(reader.at..)?;
        let mut bytes = Bytes::new(rest);
        for number in &mut reader.before {
            *number = number.wrapping_add(bytes.signed_varint()?);
        }
        reader.at += rest.len() - bytes.rest().len();
        let [time, seq, recorded] = reader.before;
        Some(Stand {
            position: Position {
                occurred_at: Time::from_micros(time)?,
                seq: Sequence(seq.cast_unsigned()),
            },
            recorded_at: Time::from_micros(recorded)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn places_come_back_with_their_bounds(
            all in proptest::collection::vec((0..=Time::MAX.as_micros(), 0..=u64::MAX, 0..=Time::MAX.as_micros()), 1..50),
        ) {
            let mut stands = Stands::default();
            for (time, seq, recorded) in &all {
                stands.push(Stand {
                    position: Position {
                        occurred_at: Time::saturating_from_micros(*time),
                        seq: Sequence(*seq),
                    },
                    recorded_at: Time::saturating_from_micros(*recorded),
                });
            }
            let mut reader = StandReader::default();
            for (time, seq, recorded) in &all {
                let found = stands.next(&mut reader).map(|stand| numbers(&stand));
                proptest::prop_assert_eq!(found, Some([*time, seq.cast_signed(), *recorded]));
            }
            proptest::prop_assert!(stands.next(&mut reader).is_none());
            let seqs = all.iter().map(|(_, seq, _)| *seq);
            let bounds = (seqs.clone().min(), seqs.max());
            proptest::prop_assert_eq!((Some(stands.seqs.0), Some(stands.seqs.1)), bounds);
            let recorded = all.iter().map(|(.., recorded)| *recorded);
            let bounds = (recorded.clone().min(), recorded.max());
            proptest::prop_assert_eq!((Some(stands.recorded.0), Some(stands.recorded.1)), bounds);
        }
    }
}
