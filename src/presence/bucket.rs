//! A bucket: the prints of one stretch of all prints, ascending, and behind them the columns of
//! each. The prints are told by their distances (Rice 1979), so that a look-up passes over those
//! before its own and reads no columns but theirs.
//!
//! ```text
//! checksum u32, with the bucket's number · prints u16 · bits: for each print its distance ·
//! for each print its columns
//! ```

use super::format::COLUMNS_MAX;
use crate::codec::bits;
use crate::codec::bits::BitWriter;
use crate::codec::checksum::crc32;
use crate::planted::Bug;
use crate::planted::planted;

/// A set of columns, one bit each.
pub(crate) type Columns = [u64; COLUMNS_MAX / 64];

/// Bytes before the bits.
const HEAD_LEN: usize = 6;
/// Said instead of the number of prints where there are too many: any print may be in any column.
const FULL: u16 = u16::MAX;
/// Prints that a bucket tells apart. Hashes make some 30; only someone who chooses terms makes more.
pub(super) const PRINTS_MAX: usize = 1024;

/// A print and the columns that have it, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) print: u32,
    pub(super) columns: Columns,
}

/// What a bucket holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// These prints, ascending.
    Entries(Vec<Entry>),
    /// Too many to tell.
    Full,
}

/// What a run says of a print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// No column has it.
    Nowhere,
    /// Only these columns may have it.
    In(Columns),
    /// It is not known.
    Anywhere,
}

/// Which stretch of the prints a bucket is for, and how many columns there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) buckets_log: u32,
    pub(super) columns: usize,
}

impl Shape {
    /// The bucket of a print.
    pub(super) const fn bucket_of(self, print: u32) -> u32 {
        (print as u64 >> self.value_width()) as u32
    }

    /// The first print of a bucket's stretch; behind the last bucket, one more than the last print.
    pub(super) const fn first_of(self, bucket: u64) -> u64 {
        bucket << self.value_width()
    }

    const fn value_width(self) -> u32 {
        u32::BITS - self.buckets_log
    }

    /// Bits of a distance that are told as they are.
    const fn low_width(self) -> u32 {
        self.value_width() - 5
    }

    const fn column_width(self) -> u32 {
        bits::width_of(self.columns as u64 - 1)
    }

    /// Bits of `count` columns.
    fn set_len(self, count: u64) -> Option<usize> {
        let columns = self.columns as u64;
        if count == 0 || count > columns {
            return None;
        }
        let listed = count * u64::from(self.column_width());
        let len = if count == columns {
            0
        } else {
            listed.min(columns)
        };
        Some(len as usize)
    }

    fn is_listed(self, count: u64) -> bool {
        count * u64::from(self.column_width()) < self.columns as u64
    }
}

/// Puts a column into a set.
pub(super) fn put(columns: &mut Columns, column: usize) {
    if let Some(word) = columns.get_mut(column / 64) {
        *word |= 1 << (column % 64);
    }
}

/// The columns of a set, ascending.
pub(super) fn each(columns: &Columns) -> impl Iterator<Item = usize> {
    columns.iter().enumerate().flat_map(|(place, word)| {
        let bits = (0..64).filter(move |bit| word >> bit & 1 == 1);
        bits.map(move |bit| place * 64 + bit)
    })
}

/// Appends a bucket. Its entries ascend and lie in its stretch.
pub(super) fn encode(number: u32, shape: Shape, content: &Content, out: &mut Vec<u8>) {
    let (count, entries) = match content {
        Content::Entries(entries) if entries.len() <= PRINTS_MAX => {
            (entries.len() as u16, entries.as_slice())
        }
        _ => (FULL, &[][..]),
    };
    let mut packed = BitWriter::default();
    let mut next = shape.first_of(u64::from(number));
    for entry in entries {
        let distance = u64::from(entry.print) - next;
        packed.put_unary(distance >> shape.low_width());
        packed.put(distance & bits::mask(shape.low_width()), shape.low_width());
        next = u64::from(entry.print) + 1;
    }
    for entry in entries {
        put_columns(shape, &entry.columns, &mut packed);
    }
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&count.to_le_bytes());
    packed.flush(out);
    let sum = crc32(out.get(start + 4..).unwrap_or_default()) ^ number;
    if let Some(slot) = out.get_mut(start..start + 4) {
        slot.copy_from_slice(&sum.to_le_bytes());
    }
}

fn put_columns(shape: Shape, columns: &Columns, packed: &mut BitWriter) {
    if shape.columns == 1 {
        return;
    }
    let count: u64 = columns
        .iter()
        .map(|word| u64::from(word.count_ones()))
        .sum();
    let width = bits::width_of(count) - 1;
    packed.put_unary(u64::from(width));
    packed.put(count & bits::mask(width), width);
    if count == shape.columns as u64 {
        return;
    }
    if shape.is_listed(count) {
        for column in each(columns) {
            packed.put(column as u64, shape.column_width());
        }
        return;
    }
    let mut left = shape.columns;
    for word in columns {
        let width = left.min(64);
        packed.put(word & bits::mask(width as u32), width as u32);
        left -= width;
    }
}

/// What a bucket says of a print; `None` where the bytes are no bucket of this number.
pub(super) fn find(bytes: &[u8], number: u32, shape: Shape, print: u32) -> Option<Found> {
    let (count, mut bits) = open(bytes, number)?;
    if count == FULL {
        return Some(Found::Anywhere);
    }
    let (mut next, mut place) = (shape.first_of(u64::from(number)), None);
    for number in 0..count {
        let found = next.checked_add(bits.distance(shape)?)?;
        if found == u64::from(print) {
            place = Some(number);
        } else if found > u64::from(print) && place.is_none() {
            return Some(Found::Nowhere);
        }
        next = found.checked_add(1)?;
    }
    let Some(place) = place else {
        return Some(Found::Nowhere);
    };
    for _ in 0..place {
        bits.skip_columns(shape)?;
    }
    Some(Found::In(bits.columns(shape)?))
}

/// All that a bucket holds; `None` where the bytes are no bucket of this number.
pub(super) fn decode(bytes: &[u8], number: u32, shape: Shape) -> Option<Content> {
    let (count, mut bits) = open(bytes, number)?;
    if count == FULL {
        return Some(Content::Full);
    }
    let end = shape.first_of(u64::from(number)) + (1 << shape.value_width());
    let mut next = shape.first_of(u64::from(number));
    let mut entries = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let found = next.checked_add(bits.distance(shape)?)?;
        let print = u32::try_from(found).ok().filter(|_| found < end)?;
        let columns = [0; COLUMNS_MAX / 64];
        entries.push(Entry { print, columns });
        next = found + 1;
    }
    for entry in &mut entries {
        entry.columns = bits.columns(shape)?;
    }
    Some(Content::Entries(entries))
}

/// The number of prints, and the bits behind it.
fn open(bytes: &[u8], number: u32) -> Option<(u16, Bits<'_>)> {
    let (sum, covered) = bytes.split_first_chunk()?;
    if u32::from_le_bytes(*sum) != crc32(covered) ^ number && !planted(Bug::PresenceUnchecked) {
        return None;
    }
    let (count, _) = covered.split_first_chunk()?;
    let count = u16::from_le_bytes(*count);
    let fits = count == FULL || usize::from(count) <= PRINTS_MAX;
    let at = HEAD_LEN * 8;
    fits.then_some((count, Bits { bytes, at }))
}

/// Bits that are still to be read.
struct Bits<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, width: u32) -> Option<u64> {
        let taken = bits::read(self.bytes, self.at, width)?;
        self.at += width as usize;
        Some(taken)
    }

    /// The zeros before the next one, fewer than 64.
    fn unary(&mut self) -> Option<u32> {
        let left = (self.bytes.len() * 8).checked_sub(self.at)?;
        let width = left.min(64) as u32;
        let zeros = bits::read(self.bytes, self.at, width)?.trailing_zeros();
        if zeros >= width {
            return None;
        }
        self.at += zeros as usize + 1;
        Some(zeros)
    }

    fn distance(&mut self, shape: Shape) -> Option<u64> {
        let high = u64::from(self.unary()?);
        let low = self.take(shape.low_width())?;
        Some(high << shape.low_width() | low)
    }

    /// How many columns follow.
    fn count(&mut self) -> Option<u64> {
        let width = self.unary().filter(|width| *width <= 9)?;
        Some(1 << width | self.take(width)?)
    }

    fn skip_columns(&mut self, shape: Shape) -> Option<()> {
        if shape.columns > 1 {
            let count = self.count()?;
            self.at += shape.set_len(count)?;
        }
        Some(())
    }

    fn columns(&mut self, shape: Shape) -> Option<Columns> {
        let mut columns = [0; COLUMNS_MAX / 64];
        if shape.columns == 1 {
            put(&mut columns, 0);
            return Some(columns);
        }
        let count = self.count()?;
        shape.set_len(count)?;
        if count < shape.columns as u64 && shape.is_listed(count) {
            for _ in 0..count {
                let column = self.take(shape.column_width())? as usize;
                if column >= shape.columns {
                    return None;
                }
                put(&mut columns, column);
            }
            return Some(columns);
        }
        let mut left = shape.columns as u32;
        for word in &mut columns {
            let width = left.min(u64::BITS);
            *word = match count == shape.columns as u64 {
                true => bits::mask(width),
                false => self.take(width)?,
            };
            left -= width;
        }
        let found: u64 = columns
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum();
        (found == count).then_some(columns)
    }
}
