//! A segment in memory, for benches of its structures: rows read back, terms looked up, lists
//! walked. What a bench calls here is what queries call.

use core::ops::Range;
use std::path::Path;

use super::sealed_at;
use crate::codec::canonical;
use crate::disk::ReadDisk;
use crate::disk::blob::Blob;
use crate::error::Result;
use crate::event::Event;
use crate::options::ReadMode;
use crate::segment::postings::Direction;
use crate::segment::reader::Loaded;
use crate::segment::reader::Reader;
use crate::time::Time;

const PATH: &str = "bench.seg";

/// An open segment on a disk in memory.
pub struct Sealed {
    reader: Reader,
    loaded: Loaded,
}

impl Sealed {
    /// Writes `events` as a segment and opens it.
    ///
    /// # Errors
    /// What the simulated disk says; it says nothing.
    pub fn new(events: &[Event]) -> Result<Sealed> {
        let contents: Vec<(Time, String)> = events
            .iter()
            .map(|event| {
                let occurred_at = event.occurred_at.value().copied().unwrap_or(Time::MIN);
                (occurred_at, canonical::content(event))
            })
            .collect();
        let path = Path::new(PATH);
        let disk = sealed_at(path, &contents)?;
        let len = disk.len(path)?.unwrap_or(0);
        let blob = Blob::open(&disk, path, len, ReadMode::Positional)?;
        Ok(Sealed {
            reader: Reader::open_any(blob)?,
            loaded: Loaded::default(),
        })
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.reader.rows()
    }

    /// Writes the lines of some rows, and gives their bytes.
    ///
    /// # Errors
    /// What an unreadable row says.
    pub fn lines(&mut self, rows: impl Iterator<Item = u32>) -> Result<usize> {
        let mut line = Vec::new();
        let mut bytes = 0;
        for row in rows {
            line.clear();
            self.reader
                .row(row, &mut self.loaded)?
                .write_line(&mut line);
            bytes += line.len();
        }
        Ok(bytes)
    }

    /// The first row at or behind the position of `row`, which is `row`.
    ///
    /// # Errors
    /// What an unreadable row says.
    pub fn place(&mut self, row: u32) -> Result<u32> {
        let position = self.reader.position(row, &mut self.loaded)?;
        self.reader.lower_bound(position, &mut self.loaded)
    }

    /// The index terms and how many rows each has, the most frequent first.
    ///
    /// # Errors
    /// What an unreadable term says.
    pub fn terms(&self) -> Result<Vec<(Vec<u8>, u32)>> {
        let mut found = Vec::new();
        let mut terms = self.reader.terms(&[]);
        while terms.advance()? {
            found.push((terms.term().to_vec(), terms.count()?));
        }
        found.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
        Ok(found)
    }

    /// Looks a term up, and gives the number of its rows.
    ///
    /// # Errors
    /// What an unreadable block of terms says.
    pub fn find(&self, term: &[u8]) -> Result<u32> {
        Ok(self.reader.postings(term)?.map_or(0, |rows| rows.len()))
    }

    /// Seeks in the list of a term from each of some rows on, and gives how often one was found.
    ///
    /// # Errors
    /// What an unreadable list says.
    pub fn seek(&self, term: &[u8], from: Range<u32>, step: usize) -> Result<u32> {
        let Some(mut rows) = self.reader.postings(term)? else {
            return Ok(0);
        };
        let mut found = 0;
        for row in from.step_by(step) {
            found += u32::from(rows.seek(row, Direction::Up)?.is_some());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Generator;
    use crate::generate::Profile;

    /// A bench that looked for nothing would be quick.
    #[test]
    fn what_is_sealed_is_found() -> Result<()> {
        let events: Vec<Event> = Generator::new(5, Profile::realistic(200)).collect();
        let mut sealed = Sealed::new(&events)?;
        assert_eq!(sealed.rows(), 200);
        assert!(sealed.lines(0..200)? > 200 * 500);
        assert_eq!(sealed.place(77)?, 77);
        let terms = sealed.terms()?;
        let (term, count) = terms.first().cloned().unwrap_or_default();
        assert_eq!(sealed.find(&term)?, count);
        assert!(sealed.seek(&term, 0..200, 10)? > 0);
        Ok(())
    }
}
