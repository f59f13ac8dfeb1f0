//! The fixed parts of a run: header and columns at its beginning, footer at its end.
//! Normative page: `docs/format/presence.md`.

use crate::codec::checksum::crc32;
use crate::codec::varint::Bytes;
use crate::id::SegmentId;
use crate::id::StoreId;

/// The first bytes of every run.
pub(super) const MAGIC: [u8; 8] = *b"auditflt";
/// The last bytes of every run.
pub(super) const END_MAGIC: [u8; 4] = *b"tlfa";
pub(super) const VERSION: u16 = 1;
/// Bytes before the columns.
pub(super) const HEADER_LEN: usize = 32;
/// Bytes of a column.
pub(super) const COLUMN_LEN: usize = 16;
/// Bytes of the checksum behind the columns.
pub(super) const SUM_LEN: usize = 4;
/// Bytes of a place in the index of buckets.
pub(super) const PLACE_LEN: usize = 4;
pub(super) const FOOTER_LEN: usize = 24;
/// Segments that one run tells of.
pub(crate) const COLUMNS_MAX: usize = 512;
/// Prints that a bucket has on average, at the most.
pub(super) const BUCKET_PRINTS: u64 = 32;
/// The logarithm of the number of buckets, at the most.
pub(super) const BUCKETS_LOG_MAX: u32 = 24;

/// A segment that a run tells of, bound to what that segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Column {
    pub(crate) segment: SegmentId,
    /// The first eight bytes of the segment's content hash.
    pub(crate) hash: [u8; 8],
}

/// What stands before the buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) store: StoreId,
    pub(super) columns: Vec<Column>,
}

/// What ends the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    /// How many prints there are.
    pub(super) prints: u64,
    /// Bytes of all buckets.
    pub(super) buckets_len: u32,
    /// The logarithm of the number of buckets.
    pub(super) buckets_log: u32,
}

impl Column {
    pub(crate) fn new(segment: SegmentId, content_hash: [u8; 32]) -> Column {
        let hash = content_hash.first_chunk().copied().unwrap_or_default();
        Column { segment, hash }
    }
}

impl Header {
    /// Where the buckets begin.
    pub(super) const fn len(columns: usize) -> usize {
        HEADER_LEN + columns * COLUMN_LEN + SUM_LEN
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Header::len(self.columns.len()));
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(self.columns.len() as u16).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.store.0);
        for column in &self.columns {
            out.extend_from_slice(&column.segment.0.to_le_bytes());
            out.extend_from_slice(&column.hash);
        }
        let sum = crc32(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// The number of columns that a header begins with says; `None` if it is none of this version.
    pub(super) fn columns_of(bytes: &[u8]) -> Option<usize> {
        let mut bytes = Bytes::new(bytes);
        let known = bytes.array()? == MAGIC && bytes.u16()? == VERSION;
        let columns = usize::from(bytes.u16()?);
        let flags = bytes.u32()?;
        let fits = (1..=COLUMNS_MAX).contains(&columns);
        (known && flags == 0 && fits).then_some(columns)
    }

    /// Reads the header that fills `bytes`.
    pub(super) fn decode(bytes: &[u8]) -> Option<Header> {
        let columns = Header::columns_of(bytes)?;
        let (covered, sum) = bytes.split_last_chunk()?;
        if u32::from_le_bytes(*sum) != crc32(covered) {
            return None;
        }
        let mut bytes = Bytes::new(covered);
        bytes.take(MAGIC.len() + 8)?;
        let store = StoreId(bytes.array()?);
        let mut read: Vec<Column> = Vec::with_capacity(columns);
        for _ in 0..columns {
            let segment = SegmentId(bytes.u64()?);
            if read.last().is_some_and(|before| before.segment >= segment) {
                return None;
            }
            let hash = bytes.array()?;
            read.push(Column { segment, hash });
        }
        bytes.is_empty().then_some(Header {
            store,
            columns: read,
        })
    }
}

impl Footer {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FOOTER_LEN);
        out.extend_from_slice(&self.prints.to_le_bytes());
        out.extend_from_slice(&self.buckets_len.to_le_bytes());
        out.extend_from_slice(&self.buckets_log.to_le_bytes());
        let sum = crc32(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out.extend_from_slice(&END_MAGIC);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Footer> {
        let (covered, end) = bytes.split_last_chunk::<8>()?;
        let (sum, magic) = end.split_first_chunk::<4>()?;
        if u32::from_le_bytes(*sum) != crc32(covered) || *magic != END_MAGIC {
            return None;
        }
        let mut bytes = Bytes::new(covered);
        let footer = Footer {
            prints: bytes.u64()?,
            buckets_len: bytes.u32()?,
            buckets_log: bytes.u32()?,
        };
        let fits = bytes.is_empty() && footer.buckets_log <= BUCKETS_LOG_MAX;
        fits.then_some(footer)
    }
}

/// The logarithm of the number of buckets for this many prints.
pub(super) fn buckets_log(prints: u64) -> u32 {
    let buckets = prints.div_ceil(BUCKET_PRINTS).max(1);
    buckets
        .next_power_of_two()
        .trailing_zeros()
        .min(BUCKETS_LOG_MAX)
}
