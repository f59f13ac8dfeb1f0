//! A row block: the columns of up to 128 rows in one compressed frame behind a header of its own,
//! so that it can be found and checked without any index.
//! Rows stand newest first; a block that says otherwise is refused as a whole.
//!
//! ```text
//! header  magic "ROWS" · stored len u32 · raw len u32 · first row u32 · CRC-32 of all the rest
//! raw     count u16 · occurred_at: varint, then differences downwards · seq: varint, then signed
//!         differences · recorded_at: the same · body lengths · bodies
//! ```

use super::format;
use super::packed;
use super::packed::Packer;
use crate::codec::checksum::crc32;
use crate::codec::checksum::crc32_after;
use crate::codec::row::Body;
use crate::codec::row::Row;
use crate::codec::varint;
use crate::codec::varint::Bytes;
use crate::id::Position;
use crate::id::Sequence;
use crate::time::Time;

/// The header of a stored block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    /// Bytes of the frame behind the header.
    pub(crate) stored_len: usize,
    /// Bytes it unpacks to.
    pub(crate) raw_len: usize,
    /// Number of its first row within the segment.
    pub(crate) first_row: u32,
    /// CRC-32 of the header's other bytes chained with the frame.
    pub(crate) crc: u32,
}

/// An unpacked block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    first_row: u32,
    heads: Vec<Head>,
    raw: Vec<u8>,
}

/// Everything of a row but its body, which lies in the block's raw bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) position: Position,
    pub(crate) recorded_at: Time,
    start: usize,
    end: usize,
}

/// Collects the rows of one block.
#[derive(Default)]
pub(crate) struct Builder {
    rows: usize,
    last: Option<(Position, Time)>,
    occurred: Vec<u8>,
    seqs: Vec<u8>,
    recorded: Vec<u8>,
    lens: Vec<u8>,
    bodies: Vec<u8>,
}

impl Builder {
    /// Appends the next older row; the caller keeps the order.
    pub(crate) fn push(&mut self, row: &Row<'_>) {
        let (micros, seq) = (row.position.occurred_at.as_micros(), row.position.seq.0);
        let recorded = row.recorded_at.as_micros();
        match self.last {
            None => {
                varint::put_u64(&mut self.occurred, micros.cast_unsigned());
                varint::put_u64(&mut self.seqs, seq);
                varint::put_u64(&mut self.recorded, recorded.cast_unsigned());
            }
            Some((last, last_recorded)) => {
                let step = last.occurred_at.as_micros().wrapping_sub(micros);
                varint::put_u64(&mut self.occurred, step.cast_unsigned());
                let step = seq.wrapping_sub(last.seq.0).cast_signed();
                varint::put_i64(&mut self.seqs, step);
                let step = recorded.wrapping_sub(last_recorded.as_micros());
                varint::put_i64(&mut self.recorded, step);
            }
        }
        let start = self.bodies.len();
        row.body.encode(&mut self.bodies);
        varint::put_u64(&mut self.lens, (self.bodies.len() - start) as u64);
        self.last = Some((row.position, row.recorded_at));
        self.rows += 1;
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes the block has raw.
    pub(crate) const fn raw_len(&self) -> usize {
        2 + self.occurred.len()
            + self.seqs.len()
            + self.recorded.len()
            + self.lens.len()
            + self.bodies.len()
    }

    /// The stored block with its header; the builder is empty again.
    pub(crate) fn finish(
        &mut self,
        first_row: u32,
        packer: &mut Packer,
    ) -> std::io::Result<(BlockHeader, Vec<u8>)> {
        let mut raw = Vec::with_capacity(self.raw_len());
        raw.extend_from_slice(&(self.rows as u16).to_le_bytes());
        for column in [
            &mut self.occurred,
            &mut self.seqs,
            &mut self.recorded,
            &mut self.lens,
            &mut self.bodies,
        ] {
            raw.append(column);
        }
        self.rows = 0;
        self.last = None;
        let frame = packer.pack(&raw)?;
        let mut header = BlockHeader {
            stored_len: frame.len(),
            raw_len: raw.len(),
            first_row,
            crc: 0,
        };
        let mut stored = header.covered();
        header.crc = crc32_after(crc32(&stored), &frame);
        stored.extend_from_slice(&header.crc.to_le_bytes());
        stored.extend_from_slice(&frame);
        Ok((header, stored))
    }
}

impl BlockHeader {
    fn covered(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(format::BLOCK_HEADER_LEN);
        out.extend_from_slice(&format::BLOCK_MAGIC);
        out.extend_from_slice(&(self.stored_len as u32).to_le_bytes());
        out.extend_from_slice(&(self.raw_len as u32).to_le_bytes());
        out.extend_from_slice(&self.first_row.to_le_bytes());
        out
    }

    /// `None` when the bytes cannot begin a block. Nothing is verified yet.
    pub(crate) fn decode(bytes: &[u8]) -> Option<BlockHeader> {
        let mut bytes = Bytes::new(bytes);
        if bytes.array()? != format::BLOCK_MAGIC {
            return None;
        }
        let header = BlockHeader {
            stored_len: usize::try_from(bytes.u32()?).ok()?,
            raw_len: usize::try_from(bytes.u32()?).ok()?,
            first_row: bytes.u32()?,
            crc: bytes.u32()?,
        };
        let fits = header.raw_len <= format::BLOCK_BYTES_MAX
            && header.stored_len <= format::BLOCK_BYTES_MAX + (format::BLOCK_BYTES_MAX >> 7) + 64;
        fits.then_some(header)
    }

    /// Whether `frame` is the one this header was written for.
    pub(crate) fn fits(&self, frame: &[u8]) -> bool {
        frame.len() == self.stored_len && crc32_after(crc32(&self.covered()), frame) == self.crc
    }
}

impl Block {
    /// Reads a stored block, header and frame. `None` when it is damaged in any way.
    pub(crate) fn decode(stored: &[u8]) -> Option<Block> {
        let (head, frame) = stored.split_at_checked(format::BLOCK_HEADER_LEN)?;
        let header = BlockHeader::decode(head)?;
        if !header.fits(frame) {
            return None;
        }
        let raw = packed::unpack(frame, header.raw_len)?;
        let heads = decode_heads(&raw)?;
        Some(Block {
            first_row: header.first_row,
            heads,
            raw,
        })
    }

    pub(crate) const fn first_row(&self) -> u32 {
        self.first_row
    }

    pub(crate) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The row with this number within the segment; `None` when it is not in the block or its body
    /// is none.
    pub(crate) fn row(&self, row: u32) -> Option<Row<'_>> {
        let head = self.head(row)?;
        Some(Row {
            position: head.position,
            recorded_at: head.recorded_at,
            body: Body::decode(self.raw.get(head.start..head.end)?)?,
        })
    }

    pub(crate) fn head(&self, row: u32) -> Option<&Head> {
        let place = usize::try_from(row.checked_sub(self.first_row)?).ok()?;
        self.heads.get(place)
    }
}

fn decode_heads(raw: &[u8]) -> Option<Vec<Head>> {
    let mut bytes = Bytes::new(raw);
    let count = usize::from(bytes.u16()?);
    if count == 0 || count > format::BLOCK_ROWS {
        return None;
    }
    let mut heads: Vec<Head> = Vec::with_capacity(count);
    let mut micros = bytes.varint()?;
    for place in 0..count {
        if place > 0 {
            micros = micros.checked_sub(bytes.varint()?)?;
        }
        heads.push(Head {
            position: Position {
                occurred_at: time(micros)?,
                seq: Sequence(0),
            },
            recorded_at: Time::MIN,
            start: 0,
            end: 0,
        });
    }
    let mut seq = bytes.varint()?;
    for (place, head) in heads.iter_mut().enumerate() {
        if place > 0 {
            seq = seq.wrapping_add(bytes.signed_varint()?.cast_unsigned());
        }
        head.position.seq = Sequence(seq);
    }
    let mut recorded = bytes.varint()?;
    for (place, head) in heads.iter_mut().enumerate() {
        if place > 0 {
            recorded = recorded.wrapping_add(bytes.signed_varint()?.cast_unsigned());
        }
        head.recorded_at = time(recorded)?;
    }
    let mut total = 0_usize;
    for head in &mut heads {
        head.start = total;
        total = total.checked_add(bytes.count()?)?;
        head.end = total;
    }
    if bytes.rest().len() != total {
        return None;
    }
    let base = raw.len() - total;
    for head in &mut heads {
        head.start += base;
        head.end += base;
    }
    let ordered = heads.is_sorted_by(|newer, older| newer.position > older.position);
    ordered.then_some(heads)
}

fn time(micros: u64) -> Option<Time> {
    Time::from_micros(i64::try_from(micros).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_block_or_refused(raw: Vec<u8>, stored: Vec<u8>) {
            if let Some(heads) = decode_heads(&raw) {
                proptest::prop_assert!(heads.iter().all(|head| raw.get(head.start..head.end).is_some()));
            }
            proptest::prop_assert!(Block::decode(&stored).is_none());
        }
    }

    #[test]
    fn lengths_that_add_up_to_more_than_there_is_are_refused() {
        let mut raw = vec![2, 0, 0, 0, 0, 0, 0, 0];
        varint::put_u64(&mut raw, u64::MAX - 1);
        varint::put_u64(&mut raw, 1);
        assert!(decode_heads(&raw).is_none());
    }
}
