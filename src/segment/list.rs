//! Ascending numbers below a bound as bits, in the Elias-Fano form (Elias 1974, Fano 1971): the low
//! bits of each number side by side, the high ones as a row of ones, one for each number, with a zero
//! for each step of the high part. A seek counts zeros, so it decodes only what it passes.
//! One list holds the rows of a term, the fingerprints of a segment, or a chunk of a longer list.

use crate::codec::bits;
use crate::codec::bits::BitWriter;

/// How a list is laid out; follows from how many numbers there are and what they are below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    count: u64,
    low_width: u32,
    /// Bits of the high part.
    high_len: u64,
}

/// Where a seek ended, for the next one to go on from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    /// Every number before is below this.
    from: u64,
    /// The bit behind the present word, counted from the list's own first bit.
    at: usize,
    word: u64,
    left: u32,
    place: u64,
    high: u64,
}

/// A list where it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'b> {
    bytes: &'b [u8],
    /// The bit at which it begins.
    at: usize,
    layout: Layout,
}

impl Layout {
    /// For `count` numbers, at least one, below `bound`.
    pub(crate) fn new(count: u64, bound: u64) -> Layout {
        if count <= 1 {
            return Layout {
                count,
                low_width: bits::width_of(bound.saturating_sub(1)),
                high_len: 0,
            };
        }
        let low_width = (bound / count).checked_ilog2().unwrap_or(0);
        Layout {
            count,
            low_width,
            high_len: count + (bound >> low_width) + 1,
        }
    }

    /// Bits of the whole list.
    pub(crate) const fn len(&self) -> u64 {
        self.count * self.low_width as u64 + self.high_len
    }

    /// Appends the list of `numbers`, which ascend and may repeat.
    pub(crate) fn write(&self, numbers: impl Iterator<Item = u64> + Clone, out: &mut BitWriter) {
        for number in numbers.clone() {
            out.put(number & bits::mask(self.low_width), self.low_width);
        }
        if self.high_len == 0 {
            return;
        }
        let end = out.len() + self.high_len;
        let mut high = 0;
        for number in numbers {
            let next = number >> self.low_width;
            out.put_unary(next - high);
            high = next;
        }
        while out.len() < end {
            out.put(0, u32::try_from(end - out.len()).unwrap_or(64).min(64));
        }
    }
}

impl<'b> List<'b> {
    /// The list that begins at bit `at`; `None` if it does not lie in `bytes`.
    pub(crate) fn new(bytes: &'b [u8], at: usize, layout: Layout) -> Option<List<'b>> {
        let end = (at as u64).checked_add(layout.len())?;
        (end <= bytes.len() as u64 * 8).then_some(List { bytes, at, layout })
    }

    fn low(&self, place: u64) -> Option<u64> {
        let width = self.layout.low_width;
        let at = self.at + usize::try_from(place * u64::from(width)).ok()?;
        bits::read(self.bytes, at, width)
    }

    /// The first number at or above `from`, and its place; `None` if there is none or the bits are
    /// no list.
    pub(crate) fn seek(&self, from: u64) -> Option<(u64, u64)> {
        self.seek_on(from, &mut None)
    }

    /// As [`List::seek`], from where the last seek in this very list ended, if that was not behind.
    pub(crate) fn seek_on(&self, from: u64, reached: &mut Option<Reached>) -> Option<(u64, u64)> {
        let Layout {
            count,
            low_width,
            high_len,
        } = self.layout;
        if high_len == 0 {
            return self
                .low(0)
                .filter(|low| count > 0 && *low >= from)
                .map(|low| (0, low));
        }
        let mut highs = Highs::new(self)?;
        if let Some(reached) = reached.filter(|reached| reached.from <= from) {
            highs.go_on(self.at, &reached);
        }
        highs.skip_zeros(from >> low_width);
        loop {
            let before = highs.reached(self.at, from);
            let Some((place, high)) = highs.next() else {
                *reached = Some(before);
                return None;
            };
            let number = high << low_width | self.low(place)?;
            if number >= from {
                *reached = Some(before);
                return Some((place, number));
            }
        }
    }

    /// The last number at or below `upto`.
    pub(crate) fn seek_back(&self, upto: u64) -> Option<u64> {
        let Layout {
            count, high_len, ..
        } = self.layout;
        if high_len == 0 {
            return self.low(0).filter(|low| count > 0 && *low <= upto);
        }
        // The numbers before the first one above are at or below; find that place, and look before it.
        let behind = match upto.checked_add(1).and_then(|next| self.seek(next)) {
            Some((place, _)) => place,
            None => count,
        };
        self.get(behind.checked_sub(1)?)
    }

    /// The number at `place`.
    pub(crate) fn get(&self, place: u64) -> Option<u64> {
        if place >= self.layout.count {
            return None;
        }
        if self.layout.high_len == 0 {
            return self.low(0);
        }
        let high = Highs::new(self)?.select(place)?;
        Some(high << self.layout.low_width | self.low(place)?)
    }

    /// Puts all numbers into `out`, in order; `None` where the bits are no list of numbers of 32
    /// bits.
    pub(crate) fn unpack(&self, out: &mut Vec<u32>) -> Option<()> {
        let Layout {
            count,
            low_width,
            high_len,
        } = self.layout;
        out.clear();
        if high_len == 0 || low_width > u32::BITS {
            for number in self.iter() {
                out.push(u32::try_from(number).ok()?);
            }
            return Some(());
        }
        out.resize(usize::try_from(count).ok()?, 0);
        let (mut free, mask) = (out.as_mut_slice(), bits::mask(low_width));
        let mut low_at = self.at;
        let mut at = self.at + usize::try_from(count * u64::from(low_width)).ok()?;
        let end = at + usize::try_from(high_len).ok()?;
        // The high part of a number whose one is the next word's lowest bit.
        let mut base = 0_u64;
        while at < end && !free.is_empty() {
            let width = (end - at).min(64) as u32;
            let mut ones = bits::read(self.bytes, at, width)?;
            let here = (ones.count_ones() as usize).min(free.len());
            let (slots, rest) = free.split_at_mut(here);
            for slot in slots {
                let high = base.wrapping_add(u64::from(ones.trailing_zeros()));
                let low = bits::word(self.bytes, low_at, low_width)? & mask;
                *slot = (high << low_width | low) as u32;
                low_at += low_width as usize;
                ones &= ones.wrapping_sub(1);
                // A one is no step of the high part.
                base = base.wrapping_sub(1);
            }
            free = rest;
            at += width as usize;
            base = base.wrapping_add(u64::from(width));
        }
        let missing = free.len();
        out.truncate(out.len() - missing);
        Some(())
    }

    /// All numbers in order; ends early where the bits are no list.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        let mut single = (self.layout.high_len == 0 && self.layout.count > 0).then(|| self.low(0));
        let mut highs = if self.layout.high_len > 0 {
            Highs::new(self)
        } else {
            None
        };
        let list = *self;
        core::iter::from_fn(move || {
            if let Some(single) = single.take() {
                return single;
            }
            let (place, high) = highs.as_mut()?.next()?;
            Some(high << list.layout.low_width | list.low(place)?)
        })
    }
}

/// A walk over the high part.
struct Highs<'b> {
    bytes: &'b [u8],
    /// The bit behind the present word.
    at: usize,
    end: usize,
    /// What is left of the present word; its lowest bit is bit `at - left`.
    word: u64,
    left: u32,
    place: u64,
    high: u64,
    count: u64,
}

impl<'b> Highs<'b> {
    fn new(list: &List<'b>) -> Option<Highs<'b>> {
        let low_bits = list.layout.count * u64::from(list.layout.low_width);
        let at = list.at + usize::try_from(low_bits).ok()?;
        Some(Highs {
            bytes: list.bytes,
            at,
            end: at + usize::try_from(list.layout.high_len).ok()?,
            word: 0,
            left: 0,
            place: 0,
            high: 0,
            count: list.layout.count,
        })
    }

    /// Stands where a seek ended in the list that begins at bit `start`.
    fn go_on(&mut self, start: usize, reached: &Reached) {
        self.at = start + reached.at;
        self.word = reached.word;
        self.left = reached.left;
        self.place = reached.place;
        self.high = reached.high;
    }

    /// Where it stands, before which every number is below `from`.
    const fn reached(&self, start: usize, from: u64) -> Reached {
        Reached {
            from,
            at: self.at - start,
            word: self.word,
            left: self.left,
            place: self.place,
            high: self.high,
        }
    }

    /// Loads the next up to 64 bits; false at the end.
    fn refill(&mut self) -> bool {
        let width = (self.end - self.at).min(64) as u32;
        match bits::read(self.bytes, self.at, width) {
            Some(word) if width > 0 => {
                self.word = word;
                self.left = width;
                self.at += width as usize;
                true
            }
            _ => false,
        }
    }

    fn take(&mut self, bits: u32) {
        self.word = self.word.checked_shr(bits).unwrap_or(0);
        self.left -= bits;
    }

    /// Goes on until `zeros` zeros were passed.
    fn skip_zeros(&mut self, zeros: u64) {
        while self.high < zeros {
            if self.left == 0 && !self.refill() {
                return;
            }
            let ones = self.word.count_ones();
            let here = self.left - ones;
            if self.high + u64::from(here) < zeros {
                self.place += u64::from(ones);
                self.high += u64::from(here);
                self.take(self.left);
                continue;
            }
            let ones = self.word.trailing_ones().min(self.left);
            self.place += u64::from(ones);
            self.take(ones);
            if self.left > 0 {
                self.high += 1;
                self.take(1);
            }
        }
    }

    /// The high part of the number at `place`.
    fn select(&mut self, place: u64) -> Option<u64> {
        loop {
            if self.left == 0 && !self.refill() {
                return None;
            }
            let ones = self.word.count_ones();
            if self.place + u64::from(ones) > place {
                break;
            }
            self.place += u64::from(ones);
            self.high += u64::from(self.left - ones);
            self.take(self.left);
        }
        loop {
            let (found, high) = self.next()?;
            if found == place {
                return Some(high);
            }
        }
    }

    /// The next number's place and high part.
    fn next(&mut self) -> Option<(u64, u64)> {
        loop {
            if self.place >= self.count || (self.left == 0 && !self.refill()) {
                return None;
            }
            let zeros = self.word.trailing_zeros().min(self.left);
            self.high += u64::from(zeros);
            self.take(zeros);
            if self.left > 0 {
                self.take(1);
                self.place += 1;
                return Some((self.place - 1, self.high));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// A list answers as the sorted numbers do, wherever it lies in its bytes.
        #[test]
        fn a_list_is_its_sorted_numbers(
            mut numbers in proptest::collection::vec(0_u64..5000, 1..300),
            slack in 0_u64..100_000,
            shift in 0_u32..13,
            asked in proptest::collection::vec(0_u64..6000, 20),
        ) {
            numbers.sort_unstable();
            let bound = numbers.last().map_or(1, |last| last + 1) + slack;
            let layout = Layout::new(numbers.len() as u64, bound);
            let mut out = BitWriter::default();
            out.put(0, shift);
            layout.write(numbers.iter().copied(), &mut out);
            proptest::prop_assert_eq!(out.len(), u64::from(shift) + layout.len());
            let bytes = out.finish();
            let list = List::new(&bytes, shift as usize, layout).ok_or_else(|| proptest::test_runner::TestCaseError::fail("no list"))?;
            proptest::prop_assert_eq!(list.iter().collect::<Vec<_>>(), numbers.clone());
            let mut reached = None;
            for from in asked.into_iter().chain(numbers.clone()) {
                let at = numbers.partition_point(|number| *number < from);
                let wanted = numbers.get(at).map(|number| (at as u64, *number));
                proptest::prop_assert_eq!(list.seek(from), wanted);
                proptest::prop_assert_eq!(list.seek_on(from, &mut reached), wanted);
                let upto = numbers.partition_point(|number| *number <= from);
                let wanted = upto.checked_sub(1).and_then(|at| numbers.get(at)).copied();
                proptest::prop_assert_eq!(list.seek_back(from), wanted);
            }
            let mut unpacked = Vec::new();
            proptest::prop_assert_eq!(list.unpack(&mut unpacked), Some(()));
            let unpacked: Vec<u64> = unpacked.into_iter().map(u64::from).collect();
            proptest::prop_assert_eq!(&unpacked, &numbers);
        }

        /// Bits that are no list end a walk; they never make it go on for ever or panic.
        #[test]
        fn any_bits_are_walked_to_an_end(
            bytes: Vec<u8>,
            count in 0_u64..100,
            bound in 0_u64..10_000,
            from in 0_u64..10_000,
        ) {
            if let Some(list) = List::new(&bytes, 0, Layout::new(count, bound)) {
                proptest::prop_assert!(list.iter().count() as u64 <= count);
                let mut unpacked = Vec::new();
                let _ = list.unpack(&mut unpacked);
                proptest::prop_assert!(unpacked.len() as u64 <= count);
                let _ = (list.seek(from), list.seek_back(from));
            }
        }
    }
}
