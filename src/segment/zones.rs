//! The index of row blocks: where each begins, how new its newest row is, and which seqs it can
//! hold. Seqs are told roughly, never too narrowly; the block itself is exact.
//!
//! ```text
//! lowest seq u64 · shift u8 · for each block: offset 5 bytes · newest occurred_at u64 ·
//! lowest and highest seq u16 each, counted from the lowest of all in steps of 2^shift
//! ```

use core::ops::Range;

use super::format;
use super::format::Section;
use super::pages::Pages;
use crate::codec::bits;
use crate::codec::varint::Bytes;
use crate::error::Result;
use crate::id::Sequence;
use crate::time::Time;

const HEAD_LEN: u64 = 9;
const ENTRY_LEN: u64 = 17;

/// What the index says of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    /// Where the block begins in the section of rows.
    pub(super) offset: u64,
    /// The moment of its newest row.
    pub(super) newest: Time,
    /// No row has a lower or a higher seq.
    pub(super) seqs: (Sequence, Sequence),
}

/// The index of an open segment.
#[derive(Clone, Copy)]
pub(super) struct Zones {
    index: Section,
    rows: u32,
    lowest: u64,
    shift: u32,
}

/// Writes the index of blocks that hold seqs within `range`, both ends inclusive.
pub(super) fn encode(zones: &[Zone], range: (Sequence, Sequence)) -> Vec<u8> {
    let (lowest, highest) = (range.0.0, range.1.0.max(range.0.0));
    let shift = bits::width_of(highest - lowest).saturating_sub(u16::BITS);
    let mut out = Vec::with_capacity((HEAD_LEN + ENTRY_LEN * zones.len() as u64) as usize);
    out.extend_from_slice(&lowest.to_le_bytes());
    out.push(shift as u8);
    for zone in zones {
        out.extend(zone.offset.to_le_bytes().iter().take(5));
        out.extend_from_slice(&zone.newest.as_micros().to_le_bytes());
        for seq in [zone.seqs.0, zone.seqs.1] {
            out.extend_from_slice(&((seq.0.saturating_sub(lowest) >> shift) as u16).to_le_bytes());
        }
    }
    out
}

impl Zones {
    /// `None` where the index does not tell of as many blocks as `rows` rows make.
    pub(super) fn open(pages: &Pages, index: Section, rows: u32) -> Result<Option<Zones>> {
        let blocks = u64::from(rows).div_ceil(format::BLOCK_ROWS as u64);
        if index.items != blocks || index.len != HEAD_LEN + blocks * ENTRY_LEN {
            return Ok(None);
        }
        let head = pages.read(index.offset, HEAD_LEN as usize)?;
        let mut head = Bytes::new(&head);
        let (Some(lowest), Some(shift)) = (head.u64(), head.u8()) else {
            return Ok(None);
        };
        let zones = Zones {
            index,
            rows,
            lowest,
            shift: u32::from(shift),
        };
        Ok((shift <= 48).then_some(zones))
    }

    /// Number of blocks.
    pub(super) const fn len(&self) -> usize {
        (self.rows as usize).div_ceil(format::BLOCK_ROWS)
    }

    /// The rows of a block.
    pub(super) fn rows_of(&self, block: usize) -> Range<u32> {
        let first = (block * format::BLOCK_ROWS) as u32;
        first
            ..self
                .rows
                .min(first.saturating_add(format::BLOCK_ROWS as u32))
    }

    /// What the index says of a block; `None` behind the last one, or where no time can be.
    pub(super) fn get(&self, pages: &Pages, block: usize) -> Result<Option<Zone>> {
        if block >= self.len() {
            return Ok(None);
        }
        let at = self.index.offset + HEAD_LEN + block as u64 * ENTRY_LEN;
        let entry = pages.read(at, ENTRY_LEN as usize)?;
        let mut entry = Bytes::new(&entry);
        let mut zone = || -> Option<Zone> {
            let offset = u64::from(entry.u32()?) | u64::from(entry.u8()?) << 32;
            let newest = Time::from_micros(entry.i64()?)?;
            let low = u64::from(entry.u16()?) << self.shift;
            let high = (u64::from(entry.u16()?) << self.shift) | bits::mask(self.shift);
            let seqs = (
                Sequence(self.lowest.saturating_add(low)),
                Sequence(self.lowest.saturating_add(high)),
            );
            Some(Zone {
                offset,
                newest,
                seqs,
            })
        };
        Ok(zone())
    }
}
