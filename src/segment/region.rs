//! A stretch of a segment file that rows look into again and again, such as a dictionary. Once it
//! was looked into a few times it is verified as a whole, and from then on costs no look at the
//! checksums; where the file is not mapped, a short one is kept in memory.

use core::ops::Range;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering;
use std::borrow::Cow;
use std::sync::OnceLock;

use super::pages::Pages;
use crate::disk::blob::Blob;
use crate::error::Result;

/// Looks before it is verified as a whole: a page of rows makes fewer, a walk more.
const LOOKS: u32 = 256;
/// Bytes of a stretch that is verified as a whole.
const WHOLE_MAX: u64 = 1 << 20;
/// Bytes of a stretch that is read ahead with the first row of its segment, and of the gaps between
/// two such stretches that are read with them.
const SHORT: u64 = 64 << 10;
const GAP: u64 = 16 << 10;
/// Looks after which a longer one is read ahead, rather than page by page: of a cold page of 50 rows
/// three wait for the disk there and not fifty.
const LOOKS_AHEAD: u32 = 2;
/// Bytes of a stretch that is read ahead.
const AHEAD_MAX: u64 = 4 << 20;
/// Bytes of a stretch that is kept in memory where the file is not mapped, and of all those of a
/// segment.
const KEPT_MAX: u64 = 64 << 10;
const KEPT_TOGETHER_MAX: u64 = 512 << 10;

/// A stretch of the file.
#[derive(Debug)]
pub(super) struct Region {
    at: u64,
    len: u64,
    keep: bool,
    looks: AtomicU32,
    /// All of it was found to be what its checksums say, and is mapped.
    is_verified: AtomicBool,
    kept: OnceLock<Vec<u8>>,
}

/// All stretches of a segment, of which little is known together.
#[derive(Debug)]
pub(super) struct Regions {
    /// How many bytes may still be kept.
    room: u64,
    short: Vec<Range<u64>>,
    is_ahead: AtomicBool,
}

impl Default for Regions {
    fn default() -> Regions {
        Regions {
            room: KEPT_TOGETHER_MAX,
            short: Vec::new(),
            is_ahead: AtomicBool::new(false),
        }
    }
}

impl Regions {
    /// Has the short ones read ahead, at the first call: a row looks into most of them.
    #[inline]
    pub(super) fn read_ahead(&self, blob: &Blob) {
        if !self.is_ahead.load(Ordering::Relaxed) {
            self.is_ahead.store(true, Ordering::Relaxed);
            let ends = |range: &Range<u64>| blob.will_need(range.start, range.end - range.start);
            joined(self.short.clone()).iter().for_each(ends);
        }
    }
}

/// The ranges in order, those made one between which there is little.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP) => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

impl Region {
    /// Another one beside those of `all`.
    pub(super) fn new(at: u64, len: u64, all: &mut Regions) -> Region {
        let left = all.room.checked_sub(len).filter(|_| len <= KEPT_MAX);
        all.room = left.unwrap_or(all.room);
        if (1..=SHORT).contains(&len) {
            all.short.push(at..at.saturating_add(len));
        }
        Region {
            at,
            len,
            keep: left.is_some(),
            looks: AtomicU32::new(0),
            is_verified: AtomicBool::new(false),
            kept: OnceLock::new(),
        }
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Whether it was looked into so often that it is verified as a whole by now, if it is short
    /// enough for that.
    pub(super) fn is_frequent(&self) -> bool {
        self.looks.load(Ordering::Relaxed) > LOOKS
    }

    /// The `len` bytes at `start` of the stretch, verified, and what lies behind them, which may
    /// not be. `file` is the whole file where it is mapped.
    #[inline(always)]
    pub(super) fn view<'r>(
        &'r self,
        file: &'r [u8],
        pages: &'r Pages,
        start: u64,
        len: usize,
    ) -> Result<Cow<'r, [u8]>> {
        if self.is_verified.load(Ordering::Relaxed)
            && start.saturating_add(len as u64) <= self.len
            && let Some(bytes) = file.get(self.at.saturating_add(start) as usize..)
        {
            return Ok(Cow::Borrowed(bytes));
        }
        self.view_anew(pages, start, len)
    }

    #[inline(never)]
    fn view_anew<'r>(&'r self, pages: &'r Pages, start: u64, len: usize) -> Result<Cow<'r, [u8]>> {
        self.look(pages);
        let end = start.saturating_add(len as u64);
        match self.kept.get().and_then(|kept| kept.get(start as usize..)) {
            Some(bytes) if end <= self.len => Ok(Cow::Borrowed(bytes)),
            _ => pages.view(self.at.saturating_add(start), len),
        }
    }

    /// Counts a look, and sees to the whole stretch when there were enough.
    fn look(&self, pages: &Pages) {
        if self.looks.load(Ordering::Relaxed) > LOOKS {
            return;
        }
        let looks = self.looks.fetch_add(1, Ordering::Relaxed);
        if looks == LOOKS_AHEAD && (SHORT..=AHEAD_MAX).contains(&self.len) {
            pages.blob().will_need(self.at, self.len);
        }
        if looks != LOOKS {
            return;
        }
        let is_mapped = pages.blob().mapped().is_some();
        if !(is_mapped && self.len <= WHOLE_MAX || self.keep) {
            return;
        }
        // What is damaged in it is told to whoever looks there.
        if let Ok(bytes) = pages.read(self.at, self.len as usize) {
            if is_mapped {
                self.is_verified.store(true, Ordering::Relaxed);
            } else {
                drop(self.kept.set(bytes.into_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn joined_ranges_cover_all_and_leave_the_wide_gaps(
            ranges in proptest::collection::vec((0_u64..1 << 20, 1..=SHORT), 0..20),
        ) {
            let ranges: Vec<Range<u64>> = ranges.iter().map(|(at, len)| *at..at + len).collect();
            let joined = joined(ranges.clone());
            for range in &ranges {
                let covers = |one: &Range<u64>| one.start <= range.start && range.end <= one.end;
                proptest::prop_assert_eq!(joined.iter().filter(|one| covers(one)).count(), 1);
            }
            for (one, next) in joined.iter().zip(joined.iter().skip(1)) {
                proptest::prop_assert!(one.end + GAP < next.start);
            }
        }
    }
}
