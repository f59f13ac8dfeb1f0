//! Which rows have a fingerprint. A table knows the last row of each, and each row the one before it
//! that has the same: nearly all rows have one that no other has.

use std::collections::HashMap;

/// No row.
const NONE: u32 = u32::MAX;

/// Row numbers by fingerprint.
#[derive(Default)]
pub(super) struct Prints {
    last: HashMap<u64, u32>,
    /// For each row the one before it with the same fingerprint.
    before: Vec<u32>,
}

impl Prints {
    /// Adds the next row, which need not have one.
    pub(super) fn push(&mut self, fingerprint: Option<u64>) {
        let number = self.before.len() as u32;
        let before = fingerprint.and_then(|fingerprint| self.last.insert(fingerprint, number));
        self.before.push(before.unwrap_or(NONE));
    }

    /// The rows that have this fingerprint, the last one first.
    pub(super) fn numbers(&self, fingerprint: u64) -> impl Iterator<Item = u32> {
        let last = self.last.get(&fingerprint).copied();
        core::iter::successors(last, |number| {
            let before = self.before.get(*number as usize).copied();
            before.filter(|before| *before != NONE)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn rows_are_found_by_what_they_have(
            all in proptest::collection::vec(proptest::option::of(0_u64..6), 0..60),
        ) {
            let mut prints = Prints::default();
            all.iter().for_each(|print| prints.push(*print));
            for print in 0..7 {
                let mut wanted: Vec<u32> = (0..)
                    .zip(&all)
                    .filter(|(_, found)| **found == Some(print))
                    .map(|(number, _)| number)
                    .collect();
                wanted.reverse();
                proptest::prop_assert_eq!(prints.numbers(print).collect::<Vec<_>>(), wanted);
            }
        }
    }
}
