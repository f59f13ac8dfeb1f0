//! Different byte strings by number, one behind the other in memory: the values of a column, the
//! terms of rows. A table finds the number of one by its hash, and always compares the bytes.

use core::ops::Range;

use crate::codec::hash::Keys;

/// Byte strings by number.
#[derive(Debug, Default)]
pub(super) struct Values {
    bytes: Vec<u8>,
    count: u32,
    /// Of each of them, while all have it.
    len: usize,
    /// Where each ends, once their lengths differ.
    ends: Vec<u32>,
}

/// Byte strings, each different one once.
#[derive(Debug, Default)]
pub(super) struct Interner {
    keys: Keys,
    values: Values,
    numbers: Numbers,
}

/// Finds numbers by the hash of what they stand for.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// The lower half is the number and one, 0 in a free slot, the upper one half of the hash.
    slots: Vec<u64>,
    len: usize,
}

/// A look-up in three steps, each of which reads memory that is far away. Whoever takes each step for
/// many values before the next waits for it about once, instead of once for each value.
#[derive(Clone, Debug, Default)]
pub(super) struct LookUp {
    hash: u64,
    /// The first slot that can hold the number.
    slot: u64,
    /// Where the value of that number stands.
    place: Range<usize>,
}

/// Slots of the smallest table.
const SLOTS_MIN: usize = 16;

impl Values {
    pub(super) const fn len(&self) -> usize {
        self.count as usize
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> &[u8] {
        self.bytes.get(self.place(number)).unwrap_or_default()
    }

    #[inline]
    fn place(&self, number: u32) -> Range<usize> {
        let number = number as usize;
        if self.ends.is_empty() {
            return number * self.len..(number + 1) * self.len;
        }
        let before = number.checked_sub(1);
        let start = before.map_or(Some(&0), |before| self.ends.get(before));
        let end = self.ends.get(number);
        start.map_or(0, |start| *start as usize)..end.map_or(0, |end| *end as usize)
    }

    pub(super) fn push(&mut self, value: &[u8]) -> u32 {
        if self.count == 0 {
            self.len = value.len();
        } else if self.ends.is_empty() && value.len() != self.len {
            let ends = (1..=self.len()).map(|number| (number * self.len) as u32);
            self.ends = ends.collect();
        }
        self.bytes.extend_from_slice(value);
        if !self.ends.is_empty() {
            self.ends.push(self.bytes.len() as u32);
        }
        self.count += 1;
        self.count - 1
    }

    /// Bytes of memory they take.
    pub(super) const fn heap(&self) -> usize {
        self.bytes.capacity() + 4 * self.ends.capacity()
    }

    /// All numbers in the order of what they stand for.
    pub(super) fn sorted(&self) -> Vec<u32> {
        let numbers = 0..self.count;
        let first = self.get(0);
        let mut common = first.len();
        for number in numbers.clone() {
            let value = self.get(number).iter().zip(first).take(common);
            common = value.take_while(|(one, other)| one == other).count();
        }
        // What follows the beginning that all share decides nearly always, and without a look at
        // the values, which lie scattered in memory.
        let mut keyed: Vec<(u128, u32)> = numbers
            .map(|number| (head(self.get(number).get(common..)), number))
            .collect();
        keyed.sort_unstable_by(|one, other| {
            let values = || self.get(one.1).cmp(self.get(other.1));
            one.0.cmp(&other.0).then_with(values)
        });
        keyed.into_iter().map(|(_, number)| number).collect()
    }
}

/// The first sixteen bytes as a number of the same order.
fn head(bytes: Option<&[u8]>) -> u128 {
    let bytes = bytes.unwrap_or_default();
    match bytes.first_chunk::<16>() {
        Some(bytes) => bytes
            .iter()
            .fold(0, |head, byte| head << 8 | u128::from(*byte)),
        None => {
            let head = bytes
                .iter()
                .fold(0, |head, byte| head << 8 | u128::from(*byte));
            head.checked_shl(8 * (16 - bytes.len() as u32)).unwrap_or(0)
        }
    }
}

impl LookUp {
    /// Begins to look for what has this hash.
    #[inline]
    pub(super) fn begin(hash: u64, numbers: &Numbers) -> LookUp {
        let mask = numbers.slots.len().wrapping_sub(1);
        let slot = numbers.slots.get((hash >> 32) as usize & mask);
        LookUp {
            hash,
            slot: slot.copied().unwrap_or(0),
            place: 0..0,
        }
    }

    /// The number in the first slot, if it can be the one.
    #[inline]
    fn number(&self) -> Option<u32> {
        let number = (self.slot as u32).checked_sub(1);
        number.filter(|_| (self.slot ^ self.hash) >> 32 == 0)
    }

    /// Finds out where the value is that may be the one.
    #[inline]
    pub(super) fn approach(&mut self, values: &Values) {
        if let Some(number) = self.number() {
            self.place = values.place(number);
        }
    }

    /// The number of `value` if that was found; otherwise it may be there all the same.
    #[inline]
    pub(super) fn end(&self, value: &[u8], values: &Values) -> Option<u32> {
        let number = self.number();
        number.filter(|_| values.bytes.get(self.place.clone()) == Some(value))
    }
}

impl Interner {
    /// Begins to look for `value`.
    #[inline]
    pub(super) fn begin(&self, value: &[u8]) -> LookUp {
        LookUp::begin(self.keys.hash(value), &self.numbers)
    }

    /// Bytes of memory taken.
    pub(super) fn heap(&self) -> usize {
        self.values.heap() + self.numbers.heap()
    }

    /// The number of `value` if it was there before.
    pub(super) fn find(&self, value: &[u8]) -> Option<u32> {
        let is = |number: u32| self.values.get(number) == value;
        self.numbers.find(self.keys.hash(value), is)
    }

    /// The number of `value` and whether it is new.
    pub(super) fn number(&mut self, value: &[u8]) -> (u32, bool) {
        let hash = self.keys.hash(value);
        let is = |number: u32| self.values.get(number) == value;
        if let Some(number) = self.numbers.find(hash, is) {
            return (number, false);
        }
        let number = self.values.push(value);
        self.numbers.insert(hash, number);
        (number, true)
    }

    pub(super) const fn values(&self) -> &Values {
        &self.values
    }
}

impl Numbers {
    /// The number with this hash of which `is` says that it is the one.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = (hash >> 32) as usize & mask;
        loop {
            let slot = *self.slots.get(at)?;
            let number = (slot as u32).checked_sub(1)?;
            if (slot ^ hash) >> 32 == 0 && is(number) {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a number that is not there.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            let len = (2 * self.slots.len()).max(SLOTS_MIN);
            let before = core::mem::replace(&mut self.slots, vec![0; len]);
            let filled = before.into_iter().filter(|slot| *slot != 0);
            filled.for_each(|slot| self.put(slot));
        }
        self.put(hash >> 32 << 32 | u64::from(number + 1));
        self.len += 1;
    }

    fn put(&mut self, filled: u64) {
        let mask = self.slots.len() - 1;
        let mut at = (filled >> 32) as usize & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == 0 {
                *slot = filled;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// Bytes of memory the table takes.
    pub(super) fn heap(&self) -> usize {
        8 * self.slots.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// Values that begin alike, end early or hold zeros come out as a sort of them does.
        #[test]
        fn numbers_are_sorted_as_their_values(
            begin in "[ab]{0,20}",
            rest in proptest::collection::btree_set(proptest::collection::vec(0_u8..3, 0..24), 1..60),
            turn in 0_usize..60,
        ) {
            let mut wanted: Vec<Vec<u8>> = rest
                .into_iter()
                .map(|rest| [begin.as_bytes(), &rest].concat())
                .collect();
            let mut values = Values::default();
            let turn = turn % wanted.len();
            let turned = wanted.iter().skip(turn).chain(wanted.iter().take(turn));
            for value in turned {
                values.push(value);
            }
            wanted.sort();
            let sorted = values.sorted();
            let found: Vec<&[u8]> = sorted.iter().map(|number| values.get(*number)).collect();
            proptest::prop_assert_eq!(found, wanted);
        }

        /// Hashes that meet, wholly or in their upper half, still find each its own number.
        #[test]
        fn numbers_are_found_also_where_hashes_meet(
            hashes in proptest::collection::vec(0_u64..8, 1..200),
            shift in 0_u32..62,
        ) {
            let mut numbers = Numbers::default();
            for (number, hash) in (0..).zip(&hashes) {
                let hash = hash << shift;
                proptest::prop_assert_eq!(numbers.find(hash, |found| found == number), None);
                numbers.insert(hash, number);
            }
            for (number, hash) in (0..).zip(&hashes) {
                let found = numbers.find(hash << shift, |found| found == number);
                proptest::prop_assert_eq!(found, Some(number));
            }
        }
    }
}
