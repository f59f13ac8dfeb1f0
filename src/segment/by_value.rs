//! The terms of values by the values' numbers: which term the value of a leaf stands for is looked up
//! once for each value of a column, and not again for each row that has it.

use super::values::Interner;
use super::values::Numbers;

/// A value: its column, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Valued {
    pub(super) column: u32,
    pub(super) number: u32,
}

impl Valued {
    pub(super) const fn new(column: usize, number: u32) -> Valued {
        let column = column as u32;
        Valued { column, number }
    }
}

/// Stands for a value that was not met yet.
const NONE: u32 = u32::MAX;
/// Spreads what tells a table over all bits.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// What values stand for, by what they are values of.
#[derive(Debug, Default)]
pub(super) struct ByValue {
    /// What values can be values of: a field, a key of metadata, the id of a kind of entity.
    heads: Interner,
    /// Of each table its head and its column.
    told: Vec<u64>,
    places: Numbers,
    tables: Vec<Vec<u32>>,
}

impl ByValue {
    /// The number of a head.
    pub(super) fn head(&mut self, head: &[u8]) -> u32 {
        self.heads.number(head).0
    }

    /// What a value stands for behind this head, if it was met before.
    #[inline]
    pub(super) fn find(&self, head: u32, value: Valued) -> Option<u32> {
        let table = self.tables.get(self.table(head, value.column)? as usize)?;
        let found = table.get(value.number as usize).copied();
        found.filter(|found| *found != NONE)
    }

    /// Remembers what a value stands for behind this head.
    pub(super) fn learn(&mut self, head: u32, value: Valued, number: u32) {
        let place = self.table(head, value.column).unwrap_or_else(|| {
            let told = told(head, value.column);
            self.places.insert(hash(told), self.told.len() as u32);
            self.told.push(told);
            self.tables.push(Vec::new());
            self.told.len() as u32 - 1
        });
        if let Some(table) = self.tables.get_mut(place as usize) {
            let at = value.number as usize;
            if table.len() <= at {
                table.resize(at + 1, NONE);
            }
            if let Some(slot) = table.get_mut(at) {
                *slot = number;
            }
        }
    }

    #[inline]
    fn table(&self, head: u32, column: u32) -> Option<u32> {
        let wanted = told(head, column);
        let is = |place: u32| self.told.get(place as usize) == Some(&wanted);
        self.places.find(hash(wanted), is)
    }

    /// Bytes of memory taken, about.
    pub(super) fn memory(&self) -> usize {
        let tables = self.tables.iter().map(|table| 4 * table.capacity());
        self.heads.heap() + tables.sum::<usize>()
    }
}

fn told(head: u32, column: u32) -> u64 {
    u64::from(head) << 32 | u64::from(column)
}

#[inline]
fn hash(told: u64) -> u64 {
    let product = u128::from(told + 1) * u128::from(FACTOR);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    proptest::proptest! {
        #[test]
        fn a_value_stands_for_what_was_learned_of_it(
            learned in proptest::collection::vec((0_u32..5, 0_u32..5, 0_u32..20, 0_u32..99), 0..200),
        ) {
            let (mut found, mut model) = (ByValue::default(), HashMap::new());
            for (head, column, number, stands_for) in learned {
                let head = found.head(&head.to_le_bytes());
                let value = Valued { column, number };
                let known = model.get(&(head, column, number)).copied();
                proptest::prop_assert_eq!(found.find(head, value), known);
                found.learn(head, value, stands_for);
                model.insert((head, column, number), stands_for);
            }
            for ((head, column, number), stands_for) in model {
                let value = Valued { column, number };
                proptest::prop_assert_eq!(found.find(head, value), Some(stands_for));
            }
        }
    }
}
