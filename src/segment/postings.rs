//! The rows of one term, walked in either direction. Of a long list only the table is read at
//! first, and then the one chunk that a seek ends in.

use super::list;
use super::list::Chunk;
use super::reader::Reader;
use crate::error::Error;
use crate::error::Result;

/// Which way a seek goes on. Rows are numbered newest first, so `Up` is towards older events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To higher row numbers.
    Up,
    /// To lower row numbers.
    Down,
}

/// The ascending rows of one term.
pub(crate) struct Postings {
    reader: Reader,
    rows: u32,
    chunks: Vec<Chunk>,
    /// Where the bytes of the chunks begin in the file.
    offset: u64,
    loaded: Option<(usize, Vec<u32>)>,
}

impl Postings {
    pub(crate) fn inline(reader: &Reader, rows: &[u32]) -> Postings {
        let chunk = Chunk {
            first_row: rows.first().copied().unwrap_or_default(),
            start: 0,
            end: 0,
            crc: 0,
            rows: rows.len(),
        };
        Postings {
            reader: reader.clone(),
            rows: rows.len() as u32,
            chunks: vec![chunk],
            offset: 0,
            loaded: Some((0, rows.to_vec())),
        }
    }

    pub(crate) fn list(reader: &Reader, rows: u32, offset: u64, len: u32) -> Result<Postings> {
        let damaged = || Error::corrupt(reader.path(), offset, "this list of rows is damaged");
        let table_len = list::table_len(rows as usize);
        let chunk_bytes = (len as usize).checked_sub(table_len).ok_or_else(damaged)?;
        let table = reader.blob().read(offset, table_len)?;
        let chunks = list::decode_table(&table, rows as usize, chunk_bytes).ok_or_else(damaged)?;
        Ok(Postings {
            reader: reader.clone(),
            rows,
            chunks,
            offset: offset + table_len as u64,
            loaded: None,
        })
    }

    /// Number of rows.
    pub(crate) const fn len(&self) -> u32 {
        self.rows
    }

    /// The nearest row at or beyond `row` in this direction.
    pub(crate) fn seek(&mut self, row: u32, direction: Direction) -> Result<Option<u32>> {
        let behind = self.chunks.partition_point(|chunk| chunk.first_row <= row);
        let Some(number) = behind.checked_sub(1) else {
            let first = self.chunks.first().map(|chunk| chunk.first_row);
            return Ok(first.filter(|_| direction == Direction::Up));
        };
        let rows = self.load(number)?;
        let found = match direction {
            Direction::Up => rows.get(rows.partition_point(|found| *found < row)),
            Direction::Down => {
                let before = rows.partition_point(|found| *found <= row);
                before.checked_sub(1).and_then(|place| rows.get(place))
            }
        };
        let found = found.copied();
        let next = self.chunks.get(behind).map(|chunk| chunk.first_row);
        Ok(found.or(next.filter(|_| direction == Direction::Up)))
    }

    fn load(&mut self, number: usize) -> Result<&[u32]> {
        let kept = self.loaded.take().filter(|(loaded, _)| *loaded == number);
        let rows = match kept {
            Some((_, rows)) => rows,
            None => self.read(number)?,
        };
        Ok(&self.loaded.insert((number, rows)).1)
    }

    fn read(&self, number: usize) -> Result<Vec<u32>> {
        let path = self.reader.path();
        let chunk = self.chunks.get(number);
        let chunk = chunk.ok_or_else(|| Error::corrupt(path, self.offset, "no such chunk"))?;
        let offset = self.offset + u64::from(chunk.start);
        let bytes = self
            .reader
            .blob()
            .read(offset, (chunk.end - chunk.start) as usize)?;
        // A chunk ends below the first row of the next one, or the list would not ascend.
        let next = self.chunks.get(number + 1).map(|next| next.first_row);
        let limit = next.unwrap_or(self.reader.rows());
        list::decode_chunk(chunk, &bytes, limit)
            .ok_or_else(|| Error::corrupt(path, offset, "this list of rows is damaged"))
    }
}
