//! Numbers in bits, the frequent ones in fewer. Where that pays, numbers fall into classes: a short
//! prefix says which, then comes the place among the numbers that the class lists, and one class is
//! for all the rest. What shapes, templates and values of dictionaries are written with.
//!
//! ```text
//! numbering  classes u8 · for each: prefix bits | place bits << 3 u8, 31 place bits are the rest ·
//!            the numbers of each class, varints
//! ```

use super::rows::Cursor;
use super::rows::Stop;
use crate::codec::bits;
use crate::codec::bits::BitWriter;
use crate::codec::varint;
use crate::codec::varint::Bytes;

/// Bits of a prefix at the most: what a table of 64 slots tells at one look.
const PREFIX_MAX: u32 = 6;
const SLOTS: usize = 1 << PREFIX_MAX;
/// Bits of a place among the listed numbers of all classes together at the most.
const LISTED_MAX: u32 = 10;
/// Stands for the bits of a place in the class of the rest.
const REST: u8 = 31;

/// How numbers from 0 on are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbering {
    /// Bits of any number.
    width: u32,
    classes: Option<Box<Classes>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Classes {
    /// Of each class the bits of its prefix, ascending, and those of a place.
    classes: Vec<(u32, u8)>,
    /// The numbers of all classes, one class behind the other.
    listed: Vec<u32>,
    /// By the next six bits.
    slots: [Slot; SLOTS],
}

/// What a prefix says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slot {
    prefix: u8,
    place: u8,
    is_rest: bool,
    /// Where the class begins among the listed numbers.
    first: u16,
}

/// Writes numbers of one numbering.
#[derive(Clone, Debug)]
pub(super) struct NumberWriter {
    width: u32,
    /// Of each number its bits and how many they are, where it has a class of its own.
    listed: Vec<u16>,
    codes: Vec<(u64, u32)>,
    /// Bits before a number that is not listed.
    rest: (u64, u32),
}

impl Numbering {
    /// Numbers below `count`, all of one width.
    pub(super) const fn plain(count: u64) -> Numbering {
        Numbering {
            width: bits::width_of(count.saturating_sub(1)),
            classes: None,
        }
    }

    /// The numbering that takes least where each number is written as often as `counts` says, and
    /// the bits that all of them take then.
    pub(super) fn of(counts: &[u32]) -> (Numbering, u64) {
        let mut numbering = Numbering::plain(counts.len() as u64);
        let width = u64::from(numbering.width);
        let total = counts.iter().map(|count| u64::from(*count)).sum::<u64>();
        let mut least = total * width;
        if width < 2 {
            return (numbering, least);
        }
        let frequent = most_frequent(counts);
        let mut sums = vec![0];
        let mut sum = 0;
        for (count, _) in &frequent {
            sum += u64::from(*count);
            sums.push(sum);
        }
        let listed_max = LISTED_MAX.min(bits::width_of(frequent.len() as u64 - 1));
        let mut best = None;
        for last in 0..=listed_max {
            for first in 0..=last {
                let mut classes = split(first, last, &sums);
                let rest = total - sums.get(1 << last).copied().unwrap_or(sum);
                if rest > 0 {
                    classes.push((rest, REST));
                }
                let prefixes = prefixes(&classes);
                let listed = frequent.len().min(1 << last) as u64;
                // The schema stands twice.
                let mut taken = 2 * listed * width.max(8) + 32 * classes.len() as u64;
                for ((weight, place), prefix) in classes.iter().zip(&prefixes) {
                    let place = if *place == REST {
                        width
                    } else {
                        u64::from(*place)
                    };
                    taken += weight * (u64::from(*prefix) + place);
                }
                if taken < least && classes.len() > 1 {
                    least = taken;
                    best = Some((classes, prefixes, listed));
                }
            }
        }
        if let Some((classes, prefixes, listed)) = best {
            let frequent = frequent.iter().take(listed as usize);
            let numbers = frequent.map(|(_, number)| *number).collect();
            numbering.classes = Classes::arrange(&classes, &prefixes, numbers).map(Box::new);
        }
        (numbering, least)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let Some(classes) = &self.classes else {
            out.push(0);
            return;
        };
        out.push(classes.classes.len() as u8);
        for (prefix, place) in &classes.classes {
            out.push(*prefix as u8 | place << 3);
        }
        for number in &classes.listed {
            varint::put_u64(out, u64::from(*number));
        }
    }

    /// Reads how numbers below `count` are written.
    pub(super) fn decode(bytes: &mut Bytes<'_>, count: u64) -> Option<Numbering> {
        let mut numbering = Numbering::plain(count);
        let classes = (0..bytes.u8()?).map(|_| bytes.u8());
        let classes = classes.map(|class| class.map(|class| (u32::from(class & 7), class >> 3)));
        let classes = classes.collect::<Option<Vec<(u32, u8)>>>()?;
        if classes.is_empty() {
            return Some(numbering);
        }
        let places = classes.iter().filter(|class| class.1 != REST);
        let places = places.map(|class| 1_u64.checked_shl(class.1.into()).unwrap_or(0));
        let number = |_| bytes.varint().filter(|number| *number < count);
        let listed = (0..places.sum::<u64>().min(1 << LISTED_MAX)).map(number);
        let listed = listed.map(|number| u32::try_from(number?).ok());
        let listed = listed.collect::<Option<Vec<u32>>>()?;
        numbering.classes = Some(Box::new(Classes::new(classes, listed)?));
        Some(numbering)
    }

    /// Takes the next number, which need not be below the count.
    #[inline(always)]
    pub(super) fn read(&self, cursor: &mut Cursor<'_>) -> Result<u64, Stop> {
        match &self.classes {
            None => cursor.take(self.width),
            Some(classes) => classes.read(self.width, cursor),
        }
    }

    /// For whatever the next bits are, as many as any number takes, the number and how many of them
    /// are its own; `None` where that would be more bits than `width_max`.
    pub(super) fn codes(&self, width_max: u32) -> Option<Vec<(u64, u8)>> {
        let widest = |(prefix, place): &(u32, u8)| match *place {
            REST => prefix + self.width,
            place => prefix + u32::from(place),
        };
        let classes = self.classes.iter().flat_map(|classes| &classes.classes);
        let width = classes.map(widest).max().unwrap_or(self.width);
        let codes = (width <= width_max).then_some(0..1_u64 << width)?;
        let codes = codes.map(|code| {
            let bits = code.to_le_bytes();
            let mut cursor = Cursor { bits: &bits, at: 0 };
            let number = self.read(&mut cursor).unwrap_or(u64::MAX);
            (number, cursor.at as u8)
        });
        Some(codes.collect())
    }

    pub(super) fn writer(&self) -> NumberWriter {
        let mut writer = NumberWriter {
            width: self.width,
            listed: Vec::new(),
            codes: Vec::new(),
            rest: (0, 0),
        };
        let Some(classes) = &self.classes else {
            return writer;
        };
        let mut numbers = (1..).zip(&classes.listed);
        for (code, (prefix, place)) in codes(&classes.classes).zip(&classes.classes) {
            if *place == REST {
                writer.rest = (code, *prefix);
                continue;
            }
            for (at, (slot, number)) in (0..1_u64 << place).zip(&mut numbers) {
                let number = *number as usize;
                if writer.listed.len() <= number {
                    writer.listed.resize(number + 1, 0);
                }
                if let Some(listed) = writer.listed.get_mut(number) {
                    *listed = slot;
                }
                let bits = code | at << prefix;
                writer.codes.push((bits, prefix + u32::from(*place)));
            }
        }
        writer
    }
}

impl NumberWriter {
    #[inline]
    pub(super) fn put(&self, number: u64, out: &mut BitWriter) {
        let slot = self.listed.get(number as usize).copied().unwrap_or(0);
        match self.codes.get(usize::from(slot).wrapping_sub(1)) {
            Some((bits, len)) => out.put(*bits, *len),
            None => {
                let (prefix, len) = self.rest;
                out.put(prefix, len);
                out.put(number, self.width);
            }
        }
    }
}

impl Classes {
    /// `numbers` come most frequent first, as the weights of `classes` do.
    fn arrange(classes: &[(u64, u8)], prefixes: &[u32], numbers: Vec<u32>) -> Option<Classes> {
        let mut numbers = numbers.into_iter();
        let mut parts: Vec<(u32, u8, Vec<u32>)> = Vec::with_capacity(classes.len());
        for ((_, place), prefix) in classes.iter().zip(prefixes) {
            let count = if *place == REST { 0 } else { 1 << place };
            let mut part: Vec<u32> = numbers.by_ref().take(count).collect();
            part.sort_unstable();
            // Every class lists as many as it has places.
            part.resize(count, part.last().copied().unwrap_or(0));
            parts.push((*prefix, *place, part));
        }
        parts.sort_by_key(|part| part.0);
        let listed = parts.iter().flat_map(|part| &part.2).copied().collect();
        let classes = parts.iter().map(|(prefix, place, _)| (*prefix, *place));
        Classes::new(classes.collect(), listed)
    }

    /// `None` where the prefixes are not those of a whole code, or not in order.
    fn new(classes: Vec<(u32, u8)>, listed: Vec<u32>) -> Option<Classes> {
        let mut slots = [Slot::default(); SLOTS];
        let ascend = classes.iter().is_sorted_by_key(|(prefix, _)| *prefix);
        let short = |(prefix, _): &(u32, u8)| (1..=PREFIX_MAX).contains(prefix);
        let taken = |(prefix, _): &(u32, u8)| SLOTS >> prefix;
        if !ascend
            || !classes.iter().all(short)
            || classes.iter().map(taken).sum::<usize>() != SLOTS
        {
            return None;
        }
        let mut first = 0_usize;
        for (code, (prefix, place)) in codes(&classes).zip(&classes) {
            let is_rest = *place == REST;
            if !is_rest && u32::from(*place) > LISTED_MAX {
                return None;
            }
            let slot = Slot {
                prefix: *prefix as u8,
                place: *place,
                is_rest,
                first: u16::try_from(first).ok()?,
            };
            let fitting = slots.iter_mut().skip(code as usize).step_by(1 << prefix);
            fitting.for_each(|fitting| *fitting = slot);
            first += if is_rest { 0 } else { 1 << place };
        }
        (first == listed.len()).then_some(())?;
        Some(Classes {
            classes,
            listed,
            slots,
        })
    }

    #[inline]
    fn read(&self, width: u32, cursor: &mut Cursor<'_>) -> Result<u64, Stop> {
        let word = bits::word_or_zeros(cursor.bits, cursor.at);
        let slot = self.slots.get((word % SLOTS as u64) as usize);
        let slot = slot.ok_or(Stop::NoRow)?;
        let prefix = u32::from(slot.prefix);
        let behind = word >> (prefix % u64::BITS);
        if slot.is_rest {
            cursor.at += (prefix + width) as usize;
            return Ok(behind & !(u64::MAX << (width % u64::BITS)));
        }
        let place = u32::from(slot.place);
        cursor.at += (prefix + place) as usize;
        let place = behind & !(u64::MAX << (place % u64::BITS));
        let number = self.listed.get(usize::from(slot.first) + place as usize);
        number.map(|number| u64::from(*number)).ok_or(Stop::NoRow)
    }
}

/// The prefix of each class, its first bit lowest: counted up from zeros, filled up behind to the
/// next one's length.
fn codes(classes: &[(u32, u8)]) -> impl Iterator<Item = u64> {
    let mut next = 0_u64;
    classes.iter().map(move |(prefix, _)| {
        let code = next >> (PREFIX_MAX - prefix);
        next += 1 << (PREFIX_MAX - prefix);
        code.reverse_bits() >> (u64::BITS - prefix)
    })
}

/// The most frequent numbers with how often each comes, most frequent first.
fn most_frequent(counts: &[u32]) -> Vec<(u32, u32)> {
    let mut all: Vec<(u32, u32)> = counts.iter().copied().zip(0..).collect();
    let order =
        |one: &(u32, u32), other: &(u32, u32)| other.0.cmp(&one.0).then(one.1.cmp(&other.1));
    let most = 1 << LISTED_MAX;
    if all.len() > most {
        all.select_nth_unstable_by(most, order);
        all.truncate(most);
    }
    all.sort_unstable_by(order);
    all
}

/// Classes of 2^first numbers, as many again, and twice as many each time up to 2^last together:
/// how often each is met, and the bits of a place in it.
fn split(first: u32, last: u32, sums: &[u64]) -> Vec<(u64, u8)> {
    let sum = |end: usize| sums.get(end).or(sums.last()).copied().unwrap_or(0);
    let mut classes = vec![(sum(1 << first), first as u8)];
    for place in first..last {
        let weight = sum(2 << place) - sum(1 << place);
        classes.push((weight, place as u8));
    }
    classes
}

/// Bits of a prefix for each class, as Huffman gives them, none above the most.
fn prefixes(classes: &[(u64, u8)]) -> Vec<u32> {
    let total: u64 = classes.iter().map(|class| class.0).sum();
    let mut floor = 1;
    loop {
        let mut lengths = vec![0; classes.len()];
        let mut nodes: Vec<(u64, Vec<usize>)> = classes
            .iter()
            .enumerate()
            .map(|(class, (weight, _))| ((*weight).max(floor), vec![class]))
            .collect();
        while nodes.len() > 1 {
            nodes.sort_by_key(|node| core::cmp::Reverse(node.0));
            let (one, other) = (nodes.pop(), nodes.pop());
            let (Some(mut one), Some(other)) = (one, other) else {
                break;
            };
            one.0 += other.0;
            one.1.extend(other.1);
            for class in &one.1 {
                if let Some(length) = lengths.get_mut(*class) {
                    *length += 1;
                }
            }
            nodes.push(one);
        }
        if lengths.iter().all(|length| *length <= PREFIX_MAX) {
            return lengths;
        }
        floor = (floor * 2).max(total >> (PREFIX_MAX + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn numbers_of_any_frequency_come_back(
            counts in proptest::collection::vec(0_u32..5_000, 1..200),
            skew in 0_u32..4,
            extra in 0_usize..4_000,
            shift in 0_u32..8,
        ) {
            let mut counts: Vec<u32> = counts.iter().enumerate()
                .map(|(number, count)| count >> (number as u32 * skew).min(31))
                .collect();
            counts.resize(counts.len() + extra, 1);
            let (numbering, bits) = Numbering::of(&counts);
            let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
            proptest::prop_assert!(bits <= total * u64::from(numbering.width));
            let mut stored = Vec::new();
            numbering.encode(&mut stored);
            let read = Numbering::decode(&mut Bytes::new(&stored), counts.len() as u64);
            proptest::prop_assert_eq!(read.as_ref(), Some(&numbering));
            let writer = numbering.writer();
            let mut packed = BitWriter::default();
            packed.put(0, shift);
            // What is never met is never written, and may have no place of its own.
            let met = || (0_u64..).zip(&counts).filter(|(_, count)| **count > 0);
            met().for_each(|(number, _)| writer.put(number, &mut packed));
            let packed = packed.finish();
            let mut cursor = Cursor { bits: &packed, at: shift as usize };
            for (number, _) in met() {
                proptest::prop_assert_eq!(numbering.read(&mut cursor).ok(), Some(number));
            }
            proptest::prop_assert_eq!(cursor.at.div_ceil(8), packed.len());
            let mut at = shift as usize;
            let codes = numbering.codes(12).unwrap_or_default();
            for (number, _) in met().filter(|_| !codes.is_empty()) {
                let code = bits::word_or_zeros(&packed, at) as usize % codes.len();
                let (found, width) = codes.get(code).copied().unwrap_or_default();
                proptest::prop_assert_eq!(found, number);
                at += usize::from(width);
            }
        }

        #[test]
        fn any_bytes_are_a_numbering_or_none(
            stored in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
            packed in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
        ) {
            if let Some(numbering) = Numbering::decode(&mut Bytes::new(&stored), 300) {
                let mut cursor = Cursor { bits: &packed, at: 0 };
                for _ in 0..400 {
                    let _ = numbering.read(&mut cursor);
                }
            }
        }
    }

    #[test]
    fn frequent_numbers_take_fewer_bits() {
        let counts: Vec<u32> = (0..256)
            .map(|number| 1 << (20 - u32::min(number, 20)))
            .collect();
        let (numbering, bits) = Numbering::of(&counts);
        let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
        assert!(bits < total * 5 / 2, "{bits} for {total}");
        let mut packed = BitWriter::default();
        numbering.writer().put(0, &mut packed);
        assert_eq!(packed.len(), 1);
    }
}
