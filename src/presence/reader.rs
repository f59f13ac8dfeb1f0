//! An open run. Opening reads its two ends; a look-up reads two places of the index and the bucket
//! between them, which is verified each time. What cannot be read or does not fit is no answer:
//! then anything may be anywhere, and the run says so for good, so that it gets replaced.

use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering;
use std::path::Path;

use super::bucket;
use super::bucket::Content;
use super::bucket::Found;
use super::bucket::Shape;
use super::format;
use super::format::Column;
use super::format::Footer;
use super::format::Header;
use crate::disk::ReadDisk;
use crate::disk::blob::Blob;
use crate::disk::names;
use crate::error::Error;
use crate::error::Result;
use crate::id::StoreId;
use crate::options::ReadMode;

/// An open run.
pub(crate) struct Run {
    number: u64,
    blob: Blob,
    header: Header,
    footer: Footer,
    shape: Shape,
    damaged: AtomicBool,
}

impl Run {
    /// Opens the run of a number, `len` bytes long.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Corrupt`] when it is damaged, of another version or of another
    /// store than `store`, and what reading the file gives.
    pub(crate) fn open(
        disk: &dyn ReadDisk,
        number: u64,
        len: u64,
        store: Option<StoreId>,
        mode: ReadMode,
    ) -> Result<Run> {
        let blob = Blob::open(disk, &names::presence(number), len, mode)?;
        Run::open_blob(number, blob, store)
    }

    /// As [`Run::open`], of a file that is open.
    pub(crate) fn open_blob(number: u64, blob: Blob, store: Option<StoreId>) -> Result<Run> {
        let damaged = |what: &str| Error::corrupt(blob.path(), 0, what);
        let head = blob.read(0, format::HEADER_LEN)?;
        let columns = Header::columns_of(&head);
        let columns = columns.ok_or_else(|| damaged("this is no presence run of this version"))?;
        let header = Header::decode(&blob.read(0, Header::len(columns))?);
        let header = header.ok_or_else(|| damaged("the run's columns are damaged"))?;
        if store.is_some_and(|store| store != header.store) {
            return Err(damaged("this is the presence run of another store"));
        }
        let end = blob.len().saturating_sub(format::FOOTER_LEN as u64);
        let footer = Footer::decode(&blob.read(end, format::FOOTER_LEN)?);
        let footer = footer.ok_or_else(|| damaged("the run's footer is damaged"))?;
        let shape = Shape {
            buckets_log: footer.buckets_log,
            columns,
        };
        let places = (1_u64 << footer.buckets_log) + 1;
        let index = places * format::PLACE_LEN as u64;
        let wanted = Header::len(columns) as u64 + u64::from(footer.buckets_len) + index;
        if wanted != end {
            return Err(damaged("the run is not as long as its footer says"));
        }
        Ok(Run {
            number,
            blob,
            header,
            footer,
            shape,
            damaged: AtomicBool::new(false),
        })
    }

    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// The segments that the run tells of, by ascending number.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.header.columns
    }

    /// How many prints the run tells of.
    pub(crate) const fn prints(&self) -> u64 {
        self.footer.prints
    }

    pub(crate) fn path(&self) -> &Path {
        self.blob.path()
    }

    pub(crate) fn len(&self) -> u64 {
        self.blob.len()
    }

    /// Whether some read of it failed.
    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Says that the run is of no use.
    pub(crate) fn give_up(&self) {
        self.damaged.store(true, Ordering::Relaxed);
    }

    /// Where a print may be.
    pub(crate) fn find(&self, print: u32) -> Found {
        if self.is_damaged() {
            return Found::Anywhere;
        }
        let number = self.shape.bucket_of(print);
        let found = self.with_bucket(number, |bytes| {
            bucket::find(bytes, number, self.shape, print)
        });
        found.unwrap_or_else(|_| {
            self.give_up();
            Found::Anywhere
        })
    }

    pub(super) const fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) fn bucket(&self, number: u32) -> Result<Content> {
        self.with_bucket(number, |bytes| bucket::decode(bytes, number, self.shape))
    }

    /// Reads and verifies every byte, and gives the number of prints.
    ///
    /// # Errors
    /// What is damaged first.
    pub(crate) fn check(&self) -> Result<u64> {
        let mut end = 0;
        let (mut prints, mut is_full) = (0, false);
        for number in 0..1 << self.shape.buckets_log {
            let (from, to) = self.places(number)?;
            if from != end {
                return Err(self.damaged_bucket(number));
            }
            end = to;
            match self.bucket(number)? {
                Content::Entries(entries) => prints += entries.len() as u64,
                Content::Full => is_full = true,
            }
        }
        let fits = end == self.footer.buckets_len && (is_full || prints == self.footer.prints);
        match fits {
            true => Ok(prints),
            false => Err(Error::corrupt(
                self.path(),
                self.index_offset(),
                "the run's buckets are not what its footer says",
            )),
        }
    }

    fn buckets_offset(&self) -> u64 {
        Header::len(self.header.columns.len()) as u64
    }

    fn index_offset(&self) -> u64 {
        self.buckets_offset() + u64::from(self.footer.buckets_len)
    }

    /// Where a bucket begins among the buckets, and where it ends.
    fn places(&self, number: u32) -> Result<(u32, u32)> {
        let at = self.index_offset() + u64::from(number) * format::PLACE_LEN as u64;
        let places = self.blob.read(at, 2 * format::PLACE_LEN)?;
        let (places, _) = places.as_chunks::<{ format::PLACE_LEN }>();
        let mut places = places.iter().map(|place| u32::from_le_bytes(*place));
        let (from, to) = (places.next().unwrap_or(0), places.next().unwrap_or(0));
        if from > to || to > self.footer.buckets_len {
            return Err(self.damaged_bucket(number));
        }
        Ok((from, to))
    }

    fn with_bucket<T>(&self, number: u32, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<T> {
        let (from, to) = self.places(number)?;
        let at = self.buckets_offset() + u64::from(from);
        let bytes = self.blob.read(at, (to - from) as usize)?;
        read(&bytes).ok_or_else(|| self.damaged_bucket(number))
    }

    fn damaged_bucket(&self, number: u32) -> Error {
        let what = format!("bucket {number} of the run is damaged");
        Error::corrupt(self.path(), self.buckets_offset(), what)
    }
}
