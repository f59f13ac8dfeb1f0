//! Writes a run, bucket after bucket. In memory are the index and, of a single segment, the prints
//! of as many buckets as fit into a bound: its terms are told again for each such part.

use super::bucket;
use super::bucket::Content;
use super::bucket::Entry;
use super::bucket::Shape;
use super::format;
use super::format::Column;
use super::format::Footer;
use super::format::Header;
use crate::disk::Disk;
use crate::disk::durable::Draft;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::StoreId;

/// Prints of a segment that are held in memory: 16 MiB.
const HELD_MAX: u64 = if cfg!(test) { 512 } else { 4 << 20 };

/// Hands on the prints of a segment.
pub(crate) type Tell<'t> = dyn FnMut(&mut dyn FnMut(u32)) -> Result<()> + 't;

/// A run under construction.
pub(super) struct Writer<'disk> {
    draft: Draft<'disk>,
    pub(super) shape: Shape,
    places: Vec<u8>,
    written: u32,
    next: u32,
    prints: u64,
    bytes: Vec<u8>,
}

impl<'disk> Writer<'disk> {
    /// Begins the run of a number for about this many prints.
    pub(super) fn begin(
        disk: &'disk dyn Disk,
        number: u64,
        store: StoreId,
        columns: Vec<Column>,
        prints: u64,
    ) -> Result<Writer<'disk>> {
        let mut draft = Draft::begin(disk, &names::presence(number))?;
        let shape = Shape {
            buckets_log: format::buckets_log(prints),
            columns: columns.len(),
        };
        draft.write(&Header { store, columns }.encode())?;
        Ok(Writer {
            draft,
            shape,
            places: Vec::with_capacity(format::PLACE_LEN << shape.buckets_log),
            written: 0,
            next: 0,
            prints: 0,
            bytes: Vec::new(),
        })
    }

    /// Appends the next bucket.
    pub(super) fn push(&mut self, content: &Content) -> Result<()> {
        self.bytes.clear();
        bucket::encode(self.next, self.shape, content, &mut self.bytes);
        self.places.extend_from_slice(&self.written.to_le_bytes());
        let end = self.written.checked_add(self.bytes.len() as u32);
        self.written = end.ok_or_else(|| too_large(&self.draft))?;
        self.next += 1;
        if let Content::Entries(entries) = content {
            self.prints += entries.len() as u64;
        }
        self.draft.write(&self.bytes)
    }

    /// Puts the file in its place, durably.
    pub(super) fn finish(mut self) -> Result<()> {
        self.places.extend_from_slice(&self.written.to_le_bytes());
        self.draft.write(&self.places)?;
        let footer = Footer {
            prints: self.prints,
            buckets_len: self.written,
            buckets_log: self.shape.buckets_log,
        };
        self.draft.write(&footer.encode())?;
        self.draft.publish()
    }
}

fn too_large(draft: &Draft<'_>) -> Error {
    let what = "a presence run cannot have 4 GiB";
    Error::new(ErrorKind::OutOfRange, what).in_file(draft.path())
}

/// Writes the run of a single segment. `tell` hands on all its prints, in any order and any number
/// of times each, `prints_max` at the most; it may be called more than once and tells the same.
pub(crate) fn write(
    disk: &dyn Disk,
    number: u64,
    store: StoreId,
    column: Column,
    prints_max: u64,
    tell: &mut Tell<'_>,
) -> Result<()> {
    let mut held: Vec<u32> = Vec::new();
    let mut prints = prints_max;
    if prints_max <= HELD_MAX {
        tell(&mut |print| held.push(print))?;
        held.sort_unstable();
        held.dedup();
        prints = held.len() as u64;
    }
    let mut writer = Writer::begin(disk, number, store, vec![column], prints)?;
    let buckets = 1_u64 << writer.shape.buckets_log;
    let parts = prints_max
        .div_ceil(HELD_MAX)
        .next_power_of_two()
        .min(buckets);
    let part = buckets / parts;
    let mut columns = bucket::Columns::default();
    bucket::put(&mut columns, 0);
    for first in (0..buckets).step_by(part as usize) {
        let stretch = writer.shape.first_of(first)..writer.shape.first_of(first + part);
        if prints_max > HELD_MAX {
            held.clear();
            tell(&mut |print| {
                if stretch.contains(&u64::from(print)) {
                    held.push(print);
                }
            })?;
            held.sort_unstable();
            held.dedup();
        }
        let mut next = held.iter().copied().peekable();
        for bucket in first..first + part {
            let here = |print: &u32| u64::from(writer.shape.bucket_of(*print)) == bucket;
            let entries = core::iter::from_fn(|| next.next_if(here));
            let entries = entries.map(|print| Entry { print, columns }).collect();
            writer.push(&Content::Entries(entries))?;
        }
    }
    writer.finish()
}
