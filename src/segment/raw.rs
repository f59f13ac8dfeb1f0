//! Values of a column that hardly repeats, while a segment is written: packed in the letters that the
//! first of them have at each place, so that a digest takes half its length in memory and a ULID of
//! its row's moment ten bytes. What does not fit is kept as it is.

use super::letters::Fixed;
use super::letters::FixedCodes;
use super::letters::Letters;
use super::letters::ULID;
use super::letters::ULID_TIME;
use super::values::Values;
use crate::codec::bits;
use crate::codec::bits::BitWriter;

/// Packed values by number.
#[derive(Debug)]
pub(super) struct Raw {
    /// What fits at each place; the moment itself is compared as a whole.
    places: Vec<Letters>,
    ulid: bool,
    fixed: Fixed,
    codes: FixedCodes,
    packed: Vec<u8>,
    /// Bytes of a value.
    len: usize,
    count: u32,
    /// What did not fit, and the numbers of that, ascending.
    odd: Values,
    odd_numbers: Vec<u32>,
    writer: BitWriter,
}

impl Raw {
    /// For values with these letters; `None` where little is saved. With `ulid` each ends with a
    /// ULID of its row's moment.
    pub(super) fn new(places: &[Letters], ulid: bool) -> Option<Raw> {
        let ulid = ulid && places.len() >= ULID;
        let fixed = Fixed::new(places, ulid);
        let len = fixed.width().div_ceil(8);
        let fitting = |(place, letters): (usize, &Letters)| match fixed.is_time(place) {
            // The letters of a moment are others in every row.
            true => Letters::ALL,
            false => *letters,
        };
        let fitting = places.iter().enumerate().map(fitting).collect();
        (len * 4 <= places.len() * 3).then(|| Raw {
            places: fitting,
            ulid,
            codes: fixed.codes(),
            fixed,
            packed: Vec::new(),
            len,
            count: 0,
            odd: Values::default(),
            odd_numbers: Vec::new(),
            writer: BitWriter::default(),
        })
    }

    pub(super) const fn len(&self) -> usize {
        self.count as usize
    }

    /// Bytes of memory they take.
    pub(super) const fn heap(&self) -> usize {
        self.packed.capacity() + self.odd.heap() + 4 * self.odd_numbers.capacity()
    }

    /// Adds a value; `moment` begins the ULIDs of its row. Gives its number, and whether all its
    /// letters were there before.
    pub(super) fn push(&mut self, value: &[u8], moment: &[u8; ULID_TIME]) -> (u32, bool) {
        let fits = self.fits(value, moment);
        if fits {
            self.codes.write(value, &mut self.writer);
            self.writer.flush(&mut self.packed);
        } else {
            self.odd.push(value);
            self.odd_numbers.push(self.count);
        }
        self.packed.resize((self.len() + 1) * self.len, 0);
        self.count += 1;
        (self.count - 1, fits && !self.ulid)
    }

    fn fits(&self, value: &[u8], moment: &[u8; ULID_TIME]) -> bool {
        let time = value.len().checked_sub(ULID);
        let time = time.and_then(|at| value.get(at..at + ULID_TIME));
        let mut letters = value.iter().zip(&self.places);
        value.len() == self.places.len()
            && (!self.ulid || time == Some(moment))
            && letters.all(|(letter, letters)| letters.has(*letter))
    }

    /// Appends the value with this number to `out`; `moment` gives what begins the ULIDs of its row.
    pub(super) fn read(
        &self,
        number: u32,
        moment: impl FnOnce() -> [u8; ULID_TIME],
        out: &mut Vec<u8>,
    ) {
        if let Ok(place) = self.odd_numbers.binary_search(&number) {
            out.extend_from_slice(self.odd.get(place as u32));
            return;
        }
        let at = number as usize * self.len * 8;
        // Packed here of these very letters, so it reads.
        let _ = self.fixed.read(&self.packed, at, moment, out);
    }

    /// Whether the packed values are those of `fixed` bit by bit.
    pub(super) fn is_packed_as(&self, fixed: &Fixed) -> bool {
        self.odd_numbers.is_empty() && self.fixed == *fixed
    }

    /// Appends the bits of a value as they are.
    pub(super) fn copy(&self, number: u32, out: &mut BitWriter) {
        let mut at = number as usize * self.len * 8;
        let mut left = self.fixed.width();
        while left > 0 {
            let width = left.min(56) as u32;
            out.put(bits::read(&self.packed, at, width).unwrap_or(0), width);
            at += width as usize;
            left -= width as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// Values come back whether they fit or not, and those that all fit bit by bit.
        #[test]
        fn values_come_back(
            known in proptest::collection::vec("[0-9a-f]{12}-[A-C]{26}", 1..20),
            later in proptest::collection::vec("[0-9a-g]{12}-[A-D]{26}|x{0,50}", 0..20),
            ulid: bool,
        ) {
            let mut places = vec![Letters::default(); 39];
            for value in &known {
                places.iter_mut().zip(value.bytes()).for_each(|(place, letter)| place.add(letter));
            }
            let moment = |value: &str| -> [u8; ULID_TIME] {
                let found = value.as_bytes().get(13..13 + ULID_TIME);
                found.and_then(|found| found.try_into().ok()).unwrap_or([0; ULID_TIME])
            };
            let Some(mut raw) = Raw::new(&places, ulid) else {
                return Ok(());
            };
            for (number, value) in (0..).zip(known.iter().chain(&later)) {
                proptest::prop_assert_eq!(raw.push(value.as_bytes(), &moment(value)).0, number);
            }
            let fixed = Fixed::new(&places, ulid);
            for (number, value) in (0..).zip(known.iter().chain(&later)) {
                let mut found = Vec::new();
                raw.read(number, || moment(value), &mut found);
                proptest::prop_assert_eq!(found, value.as_bytes());
                if raw.is_packed_as(&fixed) {
                    let (mut copied, mut written) = (BitWriter::default(), BitWriter::default());
                    raw.copy(number, &mut copied);
                    fixed.codes().write(value.as_bytes(), &mut written);
                    proptest::prop_assert_eq!(copied.len(), written.len());
                    proptest::prop_assert_eq!(copied.finish(), written.finish());
                }
            }
            proptest::prop_assert!(!later.is_empty() || raw.is_packed_as(&fixed));
        }
    }
}
