//! A stretch of a segment file that rows look into again and again, such as a dictionary. Once it
//! was looked into a few times it is verified as a whole, and from then on costs no look at the
//! checksums; where the file is not mapped, a short one is kept in memory.

use core::sync::atomic::AtomicBool;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering;
use std::borrow::Cow;
use std::sync::OnceLock;

use super::pages::Pages;
use crate::error::Result;

/// Looks before it is verified as a whole: a page of rows makes fewer, a walk more.
const LOOKS: u32 = 256;
/// Bytes of a stretch that is verified as a whole.
const WHOLE_MAX: u64 = 1 << 20;
/// Bytes of a stretch that is kept in memory where the file is not mapped, and of all those of a
/// segment.
const KEPT_MAX: u64 = 64 << 10;
pub(super) const KEPT_TOGETHER_MAX: u64 = 512 << 10;

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

impl Region {
    /// `room` is how many bytes of the segment's stretches may still be kept.
    pub(super) fn new(at: u64, len: u64, room: &mut u64) -> Region {
        let left = room.checked_sub(len).filter(|_| len <= KEPT_MAX);
        *room = left.unwrap_or(*room);
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
        let looks = self.looks.load(Ordering::Relaxed);
        if looks > LOOKS || self.looks.fetch_add(1, Ordering::Relaxed) != LOOKS {
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
