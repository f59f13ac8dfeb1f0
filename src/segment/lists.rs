//! Lists of any length in a section: short ones as they are, long ones in chunks behind a table, so
//! that a seek reads one chunk. How many numbers a list has and what they are below is known from
//! elsewhere; its layout follows from both.
//!
//! ```text
//! list of at most CHUNK numbers   one list below the bound
//! longer list                     for each chunk its first number and, in 40 bits, where its list
//!                                 begins behind the table; the chunks' lists, each counted from
//!                                 its first number and below the first of the next chunk, or the
//!                                 bound, inclusive
//! ```

use core::borrow::Borrow;
use std::borrow::Cow;

use super::format::Section;
use super::list::Layout;
use super::list::List;
use super::list::Reached;
use super::pages::Pages;
use crate::codec::bits;
use crate::codec::bits::BitWriter;
use crate::error::Result;

/// Numbers of every chunk but the last. A seek counts through one, some forty words of bits.
pub(super) const CHUNK: usize = 1024;
const OFFSET_WIDTH: u32 = 40;

/// A list that lies in a section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) section: Section,
    /// The bit at which it begins.
    pub(super) at: u64,
    pub(super) count: u64,
    /// Every number is below.
    pub(super) bound: u64,
}

/// A walk over a list in leaps: a seek goes on from where the last one ended.
#[derive(Debug)]
pub(super) struct Leaps {
    list: Stored,
    here: Option<Here>,
    /// All numbers of a chunk, counted from its first one.
    numbers: Vec<u32>,
}

/// Where a walk stands.
#[derive(Debug)]
struct Here {
    number: u64,
    chunk: Chunk,
    reached: Option<Reached>,
    /// Seeks in this chunk so far.
    seeks: u64,
    /// How far the seeks are among the unpacked numbers, once many of them were asked for.
    unpacked: Option<usize>,
}

/// Seeks in a chunk after which it is unpacked, if they pass over no more than so many numbers each:
/// to unpack a number takes a tenth of a seek.
const SEEKS_MIN: u64 = 8;
const PASSED_MAX: u64 = 8;
/// Unpacked numbers that are looked at one by one, before a seek gallops.
const NEAR: usize = 8;

/// A chunk: its first number, the numbers before it, and how it lies.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    first: u64,
    /// The first number of the next chunk.
    next: Option<u64>,
    before: u64,
    at: u64,
    layout: Layout,
}

/// Bits of a list of at most [`CHUNK`] numbers.
pub(super) fn short_len(count: u64, bound: u64) -> u64 {
    Layout::new(count, bound).len()
}

/// Appends the list of ascending `numbers`.
pub(super) fn write<N: Copy + Into<u64>>(numbers: &[N], bound: u64, out: &mut BitWriter) {
    let all = numbers.iter().map(|number| (*number).into());
    if numbers.len() <= CHUNK {
        if !numbers.is_empty() {
            Layout::new(numbers.len() as u64, bound).write(all, out);
        }
        return;
    }
    let firsts: Vec<u64> = all.step_by(CHUNK).collect();
    let ends = firsts.iter().skip(1).map(|next| next + 1).chain([bound]);
    let chunks = numbers.chunks(CHUNK).zip(firsts.iter().zip(ends));
    let layout =
        |numbers: &[N], first: u64, end: u64| Layout::new(numbers.len() as u64, end - first);
    let mut at = 0;
    for (numbers, (first, end)) in chunks.clone() {
        out.put(*first, bits::width_of(bound));
        out.put(at, OFFSET_WIDTH);
        at += layout(numbers, *first, end).len();
    }
    for (numbers, (first, end)) in chunks {
        let relative = numbers.iter().map(|number| (*number).into() - *first);
        layout(numbers, *first, end).write(relative, out);
    }
}

impl Stored {
    const fn chunks(&self) -> u64 {
        self.count.div_ceil(CHUNK as u64)
    }

    /// The bits from `at` to `at + len` of the section, and where they begin in the bytes given.
    fn bits<'p>(
        &self,
        pages: &'p Pages,
        at: u64,
        len: u64,
    ) -> Result<Option<(Cow<'p, [u8]>, usize)>> {
        let (first, last) = (at / 8, at.saturating_add(len).div_ceil(8));
        if last > self.section.len {
            return Ok(None);
        }
        let bytes = pages.read(self.section.offset + first, (last - first) as usize)?;
        Ok(Some((bytes, (at % 8) as usize)))
    }

    /// What the table says of a chunk; `None` behind the last one or where the bits are damaged.
    fn chunk(&self, pages: &Pages, number: u64) -> Result<Option<Chunk>> {
        if number >= self.chunks() {
            return Ok(None);
        }
        if self.count <= CHUNK as u64 {
            return Ok(Some(Chunk {
                first: 0,
                next: None,
                before: 0,
                at: self.at,
                layout: Layout::new(self.count, self.bound),
            }));
        }
        let width = bits::width_of(self.bound);
        let entry_len = u64::from(width + OFFSET_WIDTH);
        let is_last = number + 1 == self.chunks();
        let at = self.at + number * entry_len;
        let len = if is_last { entry_len } else { 2 * entry_len };
        let Some((table, at)) = self.bits(pages, at, len)? else {
            return Ok(None);
        };
        let first = bits::read(&table, at, width);
        let offset = bits::read(&table, at + width as usize, OFFSET_WIDTH);
        let end = if is_last {
            Some(self.bound)
        } else {
            bits::read(&table, at + entry_len as usize, width).map(|next| next.saturating_add(1))
        };
        let before = number * CHUNK as u64;
        let found = first
            .zip(offset)
            .zip(end)
            .and_then(|((first, offset), end)| {
                Some(Chunk {
                    first,
                    next: end.checked_sub(1).filter(|_| !is_last),
                    before,
                    at: self.at + self.chunks() * entry_len + offset,
                    layout: Layout::new(
                        (self.count - before).min(CHUNK as u64),
                        end.checked_sub(first)?,
                    ),
                })
            });
        Ok(found)
    }

    /// The chunk that a seek for `from` begins in: the last one whose first number is below.
    fn chunk_of(&self, pages: &Pages, from: u64) -> Result<u64> {
        if self.count <= CHUNK as u64 {
            return Ok(0);
        }
        let (mut low, mut high) = (0, self.chunks());
        while low < high {
            let middle = low + (high - low) / 2;
            let first = self.chunk(pages, middle)?.map(|chunk| chunk.first);
            if first.is_some_and(|first| first < from) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low.saturating_sub(1))
    }

    /// Hands the list of a chunk to `read`.
    fn with<T>(
        &self,
        pages: &Pages,
        number: u64,
        read: impl FnOnce(List<'_>, &Chunk) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.chunk(pages, number)? {
            Some(chunk) => self.within(pages, &chunk, |list| read(list, &chunk)),
            None => Ok(None),
        }
    }

    fn within<T>(
        &self,
        pages: &Pages,
        chunk: &Chunk,
        read: impl FnOnce(List<'_>) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some((bytes, at)) = self.bits(pages, chunk.at, chunk.layout.len())? else {
            return Ok(None);
        };
        let list = List::new(bytes.borrow(), at, chunk.layout);
        Ok(list.and_then(read))
    }

    /// The first number at or above `from`, and its place.
    pub(super) fn seek(&self, pages: &Pages, from: u64) -> Result<Option<(u64, u64)>> {
        let number = self.chunk_of(pages, from)?;
        for number in [number, number + 1] {
            let found = self.with(pages, number, |list, chunk| {
                let (place, found) = list.seek(from.saturating_sub(chunk.first))?;
                Some((chunk.before + place, chunk.first + found))
            })?;
            if found.is_some() {
                return Ok(found.filter(|(_, found)| *found < self.bound));
            }
        }
        Ok(None)
    }

    /// The last number at or below `upto`.
    pub(super) fn seek_back(&self, pages: &Pages, upto: u64) -> Result<Option<u64>> {
        let number = match upto.checked_add(1) {
            Some(next) => self.chunk_of(pages, next)?,
            None => self.chunks().saturating_sub(1),
        };
        self.with(pages, number, |list, chunk| {
            let found = list.seek_back(upto.checked_sub(chunk.first)?)?;
            Some(chunk.first + found).filter(|found| *found < self.bound)
        })
    }

    /// The number at `place`.
    pub(super) fn get(&self, pages: &Pages, place: u64) -> Result<Option<u64>> {
        self.with(pages, place / CHUNK as u64, |list, chunk| {
            Some(chunk.first + list.get(place % CHUNK as u64)?)
        })
    }

    /// Appends all numbers to `out`; `false` where they are not as many below the bound.
    pub(super) fn all(&self, pages: &Pages, out: &mut Vec<u64>) -> Result<bool> {
        let before = out.len() as u64;
        for number in 0..self.chunks() {
            self.with(pages, number, |list, chunk| {
                let numbers = list.iter().map(|number| chunk.first + number);
                out.extend(numbers.filter(|number| *number < self.bound));
                Some(())
            })?;
        }
        Ok(out.len() as u64 - before == self.count)
    }
}

impl Leaps {
    pub(super) const fn new(list: Stored) -> Leaps {
        Leaps {
            list,
            here: None,
            numbers: Vec::new(),
        }
    }

    /// The first number at or above `from`.
    pub(super) fn seek(&mut self, pages: &Pages, from: u64) -> Result<Option<u64>> {
        if !self.here.as_ref().is_some_and(|here| here.begins(from)) {
            self.here = self.place(pages, from)?;
        }
        let Some(here) = &mut self.here else {
            return Ok(None);
        };
        let Here { chunk, reached, .. } = here;
        let relative = from.saturating_sub(chunk.first);
        let found = match &mut here.unpacked {
            Some(at) => {
                let relative = u32::try_from(relative).unwrap_or(u32::MAX);
                seek_in(&self.numbers, at, relative).map(u64::from)
            }
            None => {
                let found = self
                    .list
                    .within(pages, chunk, |list| list.seek_on(relative, reached))?;
                here.seeks += 1;
                let passed = found.map_or(u64::MAX, |(place, _)| place);
                if here.seeks >= SEEKS_MIN && passed <= PASSED_MAX * here.seeks {
                    let numbers = &mut self.numbers;
                    let unpack = |list: List<'_>| list.unpack(numbers);
                    let unpacked = self.list.within(pages, chunk, unpack)?;
                    here.unpacked = unpacked.map(|()| passed as usize);
                }
                found.map(|(_, found)| found)
            }
        };
        let found = found.map(|found| chunk.first + found).or(chunk.next);
        Ok(found.filter(|found| *found < self.list.bound))
    }

    /// Appends the numbers from `from` on to `out`, in order, `max` at the most; gives the first
    /// number that may be missing. Their chunks are unpacked whole.
    pub(super) fn take_up(
        &mut self,
        pages: &Pages,
        from: u64,
        max: usize,
        out: &mut Vec<u32>,
    ) -> Result<u64> {
        if !self.here.as_ref().is_some_and(|here| here.begins(from)) {
            self.here = self.place(pages, from)?;
        }
        let full = out.len() + max;
        while let Some(Chunk { first, next, .. }) = self.unpacked(pages)? {
            let numbers = self.numbers.as_slice();
            let behind = numbers.partition_point(|number| first + u64::from(*number) < from);
            let numbers = numbers.get(behind..).unwrap_or_default().iter();
            let numbers = numbers.map(|number| first + u64::from(*number));
            let numbers = numbers.take_while(|number| *number < self.list.bound);
            out.extend(numbers.take(full - out.len()).map(|number| number as u32));
            if out.len() == full {
                return Ok(out.last().map_or(from, |last| u64::from(*last) + 1));
            }
            let Some((_, here)) = next.zip(self.here.as_ref()) else {
                break;
            };
            self.here = self.at(pages, here.number + 1)?;
        }
        Ok(self.list.bound)
    }

    /// The same downwards: appends the numbers from `upto` on, the highest first; gives the number
    /// above the highest one that may be missing.
    pub(super) fn take_down(
        &mut self,
        pages: &Pages,
        upto: u64,
        max: usize,
        out: &mut Vec<u32>,
    ) -> Result<u64> {
        let above = upto.saturating_add(1);
        if !self.here.as_ref().is_some_and(|here| here.begins(above)) {
            self.here = self.place(pages, above)?;
        }
        let full = out.len() + max;
        while let Some(Chunk { first, .. }) = self.unpacked(pages)? {
            let numbers = self.numbers.as_slice();
            let len = numbers.partition_point(|number| first + u64::from(*number) <= upto);
            let numbers = numbers.get(..len).unwrap_or_default().iter().rev();
            let numbers = numbers.map(|number| first + u64::from(*number));
            let numbers = numbers.skip_while(|number| *number >= self.list.bound);
            out.extend(numbers.take(full - out.len()).map(|number| number as u32));
            if out.len() == full {
                return Ok(out.last().map_or(above, |last| u64::from(*last)));
            }
            let before = self
                .here
                .as_ref()
                .and_then(|here| here.number.checked_sub(1));
            let Some(before) = before else {
                break;
            };
            self.here = self.at(pages, before)?;
        }
        Ok(0)
    }

    /// Unpacks the chunk where the walk stands, unless that is done; `None` where there is none.
    fn unpacked(&mut self, pages: &Pages) -> Result<Option<Chunk>> {
        let Some(here) = &mut self.here else {
            return Ok(None);
        };
        let chunk = here.chunk;
        if here.unpacked.is_none() {
            let numbers = &mut self.numbers;
            let unpack = |list: List<'_>| list.unpack(numbers);
            here.unpacked = self.list.within(pages, &chunk, unpack)?.map(|()| 0);
        }
        Ok(here.unpacked.map(|_| chunk))
    }

    /// The chunk of this number, for the walk to stand at.
    fn at(&self, pages: &Pages, number: u64) -> Result<Option<Here>> {
        let chunk = self.list.chunk(pages, number)?;
        Ok(chunk.map(|chunk| Here::new(number, chunk)))
    }

    /// The chunk that a seek for `from` begins in: often the one behind the present one.
    fn place(&self, pages: &Pages, from: u64) -> Result<Option<Here>> {
        if let Some(before) = &self.here
            && let Some(next) = self.list.chunk(pages, before.number + 1)?
        {
            let next = Here::new(before.number + 1, next);
            if next.begins(from) {
                return Ok(Some(next));
            }
        }
        self.at(pages, self.list.chunk_of(pages, from)?)
    }
}

/// The first of `numbers` at or above `from`, looked for from place `at` on, which moves there.
fn seek_in(numbers: &[u32], at: &mut usize, from: u32) -> Option<u32> {
    let before = at.checked_sub(1).and_then(|before| numbers.get(before));
    if before.is_some_and(|before| *before >= from) {
        *at = 0;
    }
    let rest = numbers.get(*at..).unwrap_or_default();
    let near = rest.iter().take(NEAR).position(|number| *number >= from);
    if let Some(near) = near {
        *at += near;
        return rest.get(near).copied();
    }
    if rest.len() <= NEAR {
        *at = numbers.len();
        return None;
    }
    let mut reach = NEAR;
    while rest.get(reach).is_some_and(|number| *number < from) {
        reach *= 2;
    }
    let near = rest.get(reach / 2..).unwrap_or_default();
    let near = near.get(..=reach - reach / 2).unwrap_or(near);
    *at += reach / 2 + near.partition_point(|number| *number < from);
    numbers.get(*at).copied()
}

impl Here {
    const fn new(number: u64, chunk: Chunk) -> Here {
        Here {
            number,
            chunk,
            reached: None,
            seeks: 0,
            unpacked: None,
        }
    }

    /// Whether a seek for `from` begins in this chunk.
    fn begins(&self, from: u64) -> bool {
        let is_behind_first = self.number == 0 || self.chunk.first < from;
        is_behind_first && self.chunk.next.is_none_or(|next| next >= from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn unpacked_numbers_are_found_wherever_a_seek_goes(
            mut numbers in proptest::collection::vec(0_u32..3000, 0..200),
            asked in proptest::collection::vec(0_u32..3100, 40),
        ) {
            numbers.sort_unstable();
            let mut at = 0;
            for from in asked {
                let wanted = numbers.iter().copied().find(|number| *number >= from);
                proptest::prop_assert_eq!(seek_in(&numbers, &mut at, from), wanted);
            }
        }
    }
}
