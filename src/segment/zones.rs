//! The row index: for each row block where it is and which times and seqs it holds, so that a read
//! goes straight to the blocks it needs. Pure.
//!
//! ```text
//! entry  offset u64 · stored len with header u32 · raw len u32 · CRC-32 as in the header u32 ·
//!        first row u32 · newest (occurred_at, seq) i64 u64 · oldest the same ·
//!        lowest seq u64 · highest seq u64
//! ```

use core::ops::Range;

use super::format;
use crate::codec::varint::Bytes;
use crate::id::Position;
use crate::id::Sequence;
use crate::time::Time;

/// What the index knows of one row block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    pub(crate) offset: u64,
    /// Bytes in the file, with the block's header.
    pub(crate) stored_len: u32,
    pub(crate) raw_len: u32,
    pub(crate) crc: u32,
    pub(crate) first_row: u32,
    /// Of its first row.
    pub(crate) newest: Position,
    /// Of its last row.
    pub(crate) oldest: Position,
    pub(crate) seq_min: Sequence,
    pub(crate) seq_max: Sequence,
}

impl Zone {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.offset.to_le_bytes());
        for number in [self.stored_len, self.raw_len, self.crc, self.first_row] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for position in [self.newest, self.oldest] {
            out.extend_from_slice(&position.occurred_at.as_micros().to_le_bytes());
            out.extend_from_slice(&position.seq.0.to_le_bytes());
        }
        out.extend_from_slice(&self.seq_min.0.to_le_bytes());
        out.extend_from_slice(&self.seq_max.0.to_le_bytes());
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Zone> {
        Some(Zone {
            offset: bytes.u64()?,
            stored_len: bytes.u32()?,
            raw_len: bytes.u32()?,
            crc: bytes.u32()?,
            first_row: bytes.u32()?,
            newest: position(bytes)?,
            oldest: position(bytes)?,
            seq_min: Sequence(bytes.u64()?),
            seq_max: Sequence(bytes.u64()?),
        })
    }
}

fn position(bytes: &mut Bytes<'_>) -> Option<Position> {
    Some(Position {
        occurred_at: Time::from_micros(bytes.i64()?)?,
        seq: Sequence(bytes.u64()?),
    })
}

/// The row index as it lies in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zones<'a>(&'a [u8]);

impl<'a> Zones<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Zones<'a> {
        Zones(bytes)
    }

    /// Number of row blocks.
    pub(crate) const fn len(&self) -> usize {
        self.0.len() / format::ROW_INDEX_LEN
    }

    pub(crate) fn get(&self, block: usize) -> Option<Zone> {
        let start = block.checked_mul(format::ROW_INDEX_LEN)?;
        Zone::decode(&mut Bytes::new(self.0.get(start..)?))
    }

    /// The first block for which `is_behind` does not hold; it must hold for a head of them.
    pub(crate) fn partition_point(&self, is_behind: impl Fn(&Zone) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(|zone| is_behind(&zone)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The block that holds `row`.
    pub(crate) fn block_of(&self, row: u32) -> Option<usize> {
        self.partition_point(|zone| zone.first_row <= row)
            .checked_sub(1)
    }

    /// Whether the blocks fill `section` without gaps, number their rows from 0 to `rows`, and
    /// stand newest first.
    pub(crate) fn is_sound(&self, section: Range<u64>, rows: u32) -> Option<bool> {
        let mut offset = section.start;
        let mut before: Option<Zone> = None;
        for block in 0..self.len() {
            let zone = self.get(block)?;
            let follows = match before {
                None => zone.first_row == 0,
                Some(before) => {
                    let count = zone.first_row.checked_sub(before.first_row);
                    before.oldest > zone.newest && is_count(count)
                }
            };
            let sized = zone.raw_len as usize <= format::BLOCK_BYTES_MAX
                && zone.newest >= zone.oldest
                && zone.seq_min <= zone.seq_max;
            if zone.offset != offset || !follows || !sized {
                return Some(false);
            }
            offset = offset.checked_add(u64::from(zone.stored_len))?;
            before = Some(zone);
        }
        let last = before.and_then(|before| rows.checked_sub(before.first_row));
        let whole = self.0.len() == self.len() * format::ROW_INDEX_LEN;
        Some(whole && is_count(last) && offset == section.end)
    }
}

fn is_count(rows: Option<u32>) -> bool {
    rows.is_some_and(|rows| rows > 0 && rows as usize <= format::BLOCK_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_index_or_refused(
            bytes in proptest::collection::vec(0_u8..3, 0..300),
            rows: u32,
            end: u64,
        ) {
            let zones = Zones::new(&bytes);
            let sound = zones.is_sound(64..end, rows);
            proptest::prop_assert!(sound != Some(true) || zones.len() > 0);
            let _ = zones.block_of(rows);
        }
    }
}
