//! A memtable beside the list it stands for, over rows of all lengths: in chunks that are full, in the
//! one that grows, and across their borders.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what it did not expect"
)]

use super::*;
use crate::codec::row::Body;
use crate::codec::row::ImportMark;
use crate::time::Time;

/// One row as a test describes it: text of its content, what it is found by, who imported it.
#[derive(Clone, Debug)]
struct Told {
    content: String,
    micros: i64,
    key: Option<u64>,
    origin: Option<u64>,
    mapping: Option<&'static str>,
}

impl Told {
    fn row(&self, seq: u64) -> Row<'_> {
        let occurred_at = Time::from_micros(self.micros).unwrap();
        Row {
            position: Position {
                occurred_at,
                seq: Sequence(seq),
            },
            recorded_at: occurred_at,
            body: Body {
                time_given: self.micros % 2 == 0,
                import: self.mapping.map(|mapping| ImportMark {
                    mapping,
                    repeat: seq,
                }),
                content: &self.content,
            },
        }
    }

    fn fingerprints(&self) -> Fingerprints {
        Fingerprints {
            key: self.key,
            origin: self.origin,
        }
    }
}

fn told() -> impl proptest::strategy::Strategy<Value = Told> {
    use proptest::prelude::*;
    let len = prop_oneof![20 => 0_usize..600, 2 => 3_000_usize..9_000, 1 => 20_000_usize..300_000];
    let print = || proptest::option::of(0_u64..8);
    let mapping = prop_oneof![Just(None), Just(Some("k8s")), Just(Some("github"))];
    (len, 0_i64..50, print(), print(), mapping).prop_map(|(len, micros, key, origin, mapping)| {
        Told {
            content: "é".repeat(len / 2),
            micros,
            key,
            origin,
            mapping,
        }
    })
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(48))]
    #[test]
    fn a_memtable_is_the_list_of_its_rows(rows in proptest::collection::vec(told(), 0..120)) {
        const FIRST: u64 = 7;
        let table = Memtable::new(Sequence(FIRST));
        let mut held = Vec::new();
        for (number, told) in rows.iter().enumerate() {
            table.push(&told.row(FIRST + number as u64), told.fingerprints());
            // Held while the table grows, as a reader holds it.
            held.push(table.entry(number as u32).unwrap());
            if number % 16 == 0 {
                table.by_key(0);
            }
        }
        assert_eq!(table.len(), rows.len());
        assert!(table.entry(rows.len() as u32).is_none());
        for (number, told) in rows.iter().enumerate() {
            for entry in [&table.entry(number as u32).unwrap(), &held[number]] {
                assert_eq!(entry.row(), told.row(FIRST + number as u64));
                assert_eq!(entry.fingerprints(), told.fingerprints());
            }
        }
        for print in 0..9 {
            let of = |wanted: &dyn Fn(&Told) -> bool| -> Vec<u64> {
                let found = rows.iter().enumerate().filter(|(_, told)| wanted(told));
                found.map(|(number, _)| FIRST + number as u64).collect()
            };
            let keys: Vec<u64> = table.by_key(print).iter().map(|entry| entry.row().position.seq.0).collect();
            assert_eq!(keys, of(&|told| told.key == Some(print)));
            let mut found = table.numbers_by_fingerprint(print);
            found.sort_unstable();
            found.dedup();
            let found: Vec<u64> = found.iter().map(|number| FIRST + u64::from(*number)).collect();
            assert_eq!(found, of(&|told| told.key == Some(print) || told.origin == Some(print)));
        }
        let view = table.view(rows.len());
        let mut wanted: Vec<Position> = (0..).zip(&rows).map(|(number, told)| told.row(FIRST + number).position).collect();
        wanted.sort_unstable_by(|left, right| right.cmp(left));
        let found: Vec<Position> = (0..rows.len() as u32).map(|row| view.position(row).unwrap()).collect();
        assert_eq!(found, wanted);
    }
}
