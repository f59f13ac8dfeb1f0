//! The bytes of a segment file, each verified before it is given out. The file is seen as pages of
//! 4 KiB, each under a checksum of its own. Mapped, a page is verified when it is first touched and
//! then believed; read by position, it is verified each time it comes from the disk, and a few
//! pages are kept.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering;
use std::borrow::Cow;
use std::sync::Arc;

use parking_lot::Mutex;

use super::format;
use super::format::Section;
use crate::codec::checksum::crc32;
use crate::disk::blob::Blob;
use crate::error::Error;
use crate::error::Result;
use crate::planted::Bug;
use crate::planted::planted;

/// Pages that a segment read by position keeps, each in the slot its number names. Unit tests keep
/// none, so that their reads reach the disk whose faults they plant.
const SLOTS: u64 = if cfg!(test) { 0 } else { 256 };

/// A file and the checksums of its pages.
pub(crate) struct Pages {
    blob: Blob,
    /// The bytes that have checksums.
    covered: u64,
    kept_sums: Vec<u32>,
    verified: Vec<AtomicU64>,
    kept: Mutex<Vec<Option<Kept>>>,
    mapped: bool,
}

struct Kept {
    page: u64,
    bytes: Arc<[u8]>,
}

impl Pages {
    /// Reads and verifies the checksums in the section `sums` of `blob`, which are of the first
    /// `covered` bytes.
    pub(crate) fn open(blob: Blob, sums: Section, covered: u64) -> Result<Pages> {
        let damaged = |what: &str| Error::corrupt(blob.path(), sums.offset, what);
        let count = covered.div_ceil(format::PAGE_BYTES as u64);
        if covered > sums.offset || sums.len != count * 4 || sums.items != count {
            return Err(damaged("there is not a checksum for every page"));
        }
        let len = usize::try_from(sums.len).map_err(|_| damaged("too many pages"))?;
        let stored = blob.read(sums.offset, len)?;
        if crc32(&stored) != sums.crc {
            return Err(damaged("the checksums of the pages are damaged"));
        }
        let mapped = matches!(stored, Cow::Borrowed(_));
        let kept_sums = stored
            .as_chunks::<4>()
            .0
            .iter()
            .map(|sum| u32::from_le_bytes(*sum))
            .collect::<Vec<u32>>();
        let verified = (0..kept_sums.len().div_ceil(64)).map(|_| AtomicU64::new(0));
        drop(stored);
        Ok(Pages {
            verified: verified.collect(),
            kept_sums,
            kept: Mutex::new(Vec::new()),
            mapped,
            covered,
            blob,
        })
    }

    pub(crate) const fn blob(&self) -> &Blob {
        &self.blob
    }

    /// The `len` bytes at `offset`, verified.
    pub(crate) fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>> {
        if len == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        let end = offset
            .checked_add(len as u64)
            .filter(|end| *end <= self.covered);
        let Some(end) = end else {
            let what = format!("{len} bytes are wanted here, which the file does not have");
            return Err(Error::corrupt(self.blob.path(), offset, what));
        };
        let (first, last) = (
            offset / format::PAGE_BYTES as u64,
            (end - 1) / format::PAGE_BYTES as u64,
        );
        if !self.mapped {
            return self.gather(offset, end, first, last);
        }
        for page in first..=last {
            if !self.is_verified(page) {
                self.fetch(page)?;
                if let Some(word) = self.verified.get((page / 64) as usize) {
                    word.fetch_or(1 << (page % 64), Ordering::Relaxed);
                }
            }
        }
        self.blob.read(offset, len)
    }

    /// Whether the byte at `offset` was given out before, from a mapped file.
    pub(super) fn was_read(&self, offset: u64) -> bool {
        self.is_verified(offset / format::PAGE_BYTES as u64)
    }

    /// The `len` bytes at `offset`, verified, and what lies behind them, which is not: whoever reads
    /// numbers of few bits or short texts from them need not look where they end.
    #[inline]
    pub(super) fn view(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>> {
        let end = offset.saturating_add(len as u64);
        if let Some(bytes) = self.blob.mapped()
            && end <= self.covered
            && self.is_verified(offset / format::PAGE_BYTES as u64)
            && end - offset <= format::PAGE_BYTES as u64
            && self.is_verified(end.saturating_sub(1) / format::PAGE_BYTES as u64)
            && let Some(view) = bytes.get(offset as usize..)
        {
            return Ok(Cow::Borrowed(view));
        }
        self.view_anew(offset, len)
    }

    /// As [`Pages::view`], with pages that nobody has verified yet or that must be read.
    fn view_anew(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>> {
        Ok(match self.read(offset, len)? {
            Cow::Borrowed(bytes) => {
                let whole = self.blob.mapped();
                let view = whole.and_then(|whole| whole.get(offset as usize..));
                Cow::Borrowed(view.unwrap_or(bytes))
            }
            Cow::Owned(bytes) => Cow::Owned(bytes),
        })
    }

    #[inline]
    fn is_verified(&self, page: u64) -> bool {
        let word = self.verified.get((page / 64) as usize);
        word.is_some_and(|word| word.load(Ordering::Relaxed) >> (page % 64) & 1 == 1)
    }

    /// One page as it lies on the disk, verified.
    fn fetch(&self, page: u64) -> Result<Cow<'_, [u8]>> {
        let start = page * format::PAGE_BYTES as u64;
        let len = (self.covered - start).min(format::PAGE_BYTES as u64) as usize;
        let bytes = self.blob.read(start, len)?;
        let sum = self.kept_sums.get(page as usize);
        if sum != Some(&crc32(&bytes)) && !planted(Bug::PageUnchecked) {
            let what = "this page is damaged: its checksum does not match";
            return Err(Error::corrupt(self.blob.path(), start, what));
        }
        Ok(bytes)
    }

    /// Copies a range together from kept and fetched pages.
    fn gather(&self, offset: u64, end: u64, first: u64, last: u64) -> Result<Cow<'_, [u8]>> {
        let mut out = Vec::with_capacity((end - offset) as usize);
        for page in first..=last {
            let start = page * format::PAGE_BYTES as u64;
            let from = offset.saturating_sub(start) as usize;
            let bytes = self.page(page)?;
            let to = ((end - start) as usize).min(bytes.len());
            out.extend_from_slice(bytes.get(from..to).unwrap_or_default());
        }
        Ok(Cow::Owned(out))
    }

    fn page(&self, page: u64) -> Result<Arc<[u8]>> {
        let slot = page.checked_rem(SLOTS).map(|slot| slot as usize);
        let kept = self.kept.lock();
        if let Some(Some(kept)) = slot.and_then(|slot| kept.get(slot))
            && kept.page == page
        {
            return Ok(Arc::clone(&kept.bytes));
        }
        drop(kept);
        let bytes: Arc<[u8]> = self.fetch(page)?.into();
        let mut kept = self.kept.lock();
        if kept.is_empty() {
            kept.resize_with(SLOTS as usize, || None);
        }
        if let Some(slot) = slot.and_then(|slot| kept.get_mut(slot)) {
            *slot = Some(Kept {
                page,
                bytes: Arc::clone(&bytes),
            });
        }
        Ok(bytes)
    }
}
