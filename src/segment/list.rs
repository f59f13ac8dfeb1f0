//! The stored form of a term's rows: a table of chunks, then the chunks, each under a checksum of
//! its own, so that a reader fetches only those it walks through. Pure; used by the term writer
//! and by `postings`.
//!
//! ```text
//! list   table · CRC-32 of the table · chunks
//! table  for each chunk: first row u32 · end of its bytes behind the table u32 · CRC-32 u32
//! chunk  differences to the row before, from the second row on, as varints
//! ```

use super::format::CHUNK_LEN;
use super::format::CHUNK_ROWS;
use crate::codec::checksum::crc32;
use crate::codec::varint;
use crate::codec::varint::Bytes;

/// Where one chunk of a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) first_row: u32,
    /// Of its bytes, counted from the end of the table's checksum.
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) crc: u32,
    /// Rows it holds.
    pub(crate) rows: usize,
}

/// Appends the list of `rows`, which ascend, and of which there is at least one.
pub(crate) fn encode(rows: &[u32], out: &mut Vec<u8>) {
    let mut table = Vec::with_capacity(rows.len().div_ceil(CHUNK_ROWS) * CHUNK_LEN + 4);
    let mut chunks = Vec::with_capacity(rows.len() * 2);
    for chunk in rows.chunks(CHUNK_ROWS) {
        let start = chunks.len();
        for pair in chunk.windows(2) {
            if let [before, row] = pair {
                varint::put_u64(&mut chunks, u64::from(row.wrapping_sub(*before)));
            }
        }
        let first_row = chunk.first().copied().unwrap_or_default();
        let crc = crc32(chunks.get(start..).unwrap_or_default());
        table.extend_from_slice(&first_row.to_le_bytes());
        table.extend_from_slice(&(chunks.len() as u32).to_le_bytes());
        table.extend_from_slice(&crc.to_le_bytes());
    }
    let crc = crc32(&table);
    table.extend_from_slice(&crc.to_le_bytes());
    out.append(&mut table);
    out.append(&mut chunks);
}

/// Bytes of the table, with its checksum, of a list of `rows`.
pub(crate) const fn table_len(rows: usize) -> usize {
    rows.div_ceil(CHUNK_ROWS) * CHUNK_LEN + 4
}

/// Reads the table of a list of `rows` rows whose chunks take `chunk_bytes`.
pub(crate) fn decode_table(bytes: &[u8], rows: usize, chunk_bytes: usize) -> Option<Vec<Chunk>> {
    let (table, crc) = bytes.split_last_chunk::<4>()?;
    if bytes.len() != table_len(rows) || crc32(table) != u32::from_le_bytes(*crc) {
        return None;
    }
    let mut bytes = Bytes::new(table);
    let mut chunks: Vec<Chunk> = Vec::with_capacity(table.len() / CHUNK_LEN);
    let mut left = rows;
    let mut start = 0;
    while !bytes.is_empty() {
        let chunk = Chunk {
            first_row: bytes.u32()?,
            start,
            end: bytes.u32()?,
            crc: bytes.u32()?,
            rows: left.min(CHUNK_ROWS),
        };
        let ascends = chunks
            .last()
            .is_none_or(|before| before.first_row < chunk.first_row);
        if !ascends || chunk.end < chunk.start {
            return None;
        }
        left -= chunk.rows;
        start = chunk.end;
        chunks.push(chunk);
    }
    (usize::try_from(start).ok()? == chunk_bytes).then_some(chunks)
}

/// Reads the rows of a chunk; all of them are below `limit`.
pub(crate) fn decode_chunk(chunk: &Chunk, bytes: &[u8], limit: u32) -> Option<Vec<u32>> {
    if crc32(bytes) != chunk.crc {
        return None;
    }
    let mut bytes = Bytes::new(bytes);
    let mut rows = Vec::with_capacity(chunk.rows);
    decode_rows(chunk.first_row, chunk.rows, limit, &mut bytes, &mut rows)?;
    bytes.is_empty().then_some(rows)
}

/// Appends `count` ascending rows below `limit` to `rows`, of which `first` is the first and the
/// others stand in `bytes` as differences.
pub(crate) fn decode_rows(
    first: u32,
    count: usize,
    limit: u32,
    bytes: &mut Bytes<'_>,
    rows: &mut Vec<u32>,
) -> Option<()> {
    let mut row = first;
    rows.push(row);
    for _ in 1..count {
        let step = u32::try_from(bytes.varint()?)
            .ok()
            .filter(|step| *step > 0)?;
        row = row.checked_add(step)?;
        rows.push(row);
    }
    (row < limit).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(rows: &[u32]) -> Option<Vec<u32>> {
        let mut out = Vec::new();
        encode(rows, &mut out);
        let (table, payload) = out.split_at_checked(table_len(rows.len()))?;
        let mut found = Vec::new();
        for chunk in decode_table(table, rows.len(), payload.len())? {
            let bytes = payload.get(chunk.start as usize..chunk.end as usize)?;
            found.extend(decode_chunk(&chunk, bytes, u32::MAX)?);
        }
        Some(found)
    }

    #[test]
    fn lists_of_every_number_of_chunks_round_trip() {
        for len in [1, 2, CHUNK_ROWS, CHUNK_ROWS + 1, 3 * CHUNK_ROWS - 1] {
            let rows: Vec<u32> = (0..len as u32).map(|row| row * 3 + row % 2).collect();
            assert_eq!(round_trip(&rows), Some(rows));
        }
    }

    #[test]
    fn a_row_outside_the_segment_is_refused() {
        let mut out = Vec::new();
        encode(&[1, 5, 9], &mut out);
        let (table, payload) = out.split_at(table_len(3));
        let chunks = decode_table(table, 3, payload.len()).unwrap_or_default();
        let chunk = chunks.first().expect("a list has a chunk");
        assert_eq!(decode_chunk(chunk, payload, 10), Some(vec![1, 5, 9]));
        assert_eq!(decode_chunk(chunk, payload, 9), None);
        assert_eq!(decode_table(table, 2, payload.len() + 1), None);
    }
}
