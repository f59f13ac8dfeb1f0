//! The rows of one term, walked in either direction: one stored list, or several joined where a term
//! stands for more than one that is stored. Nothing is unpacked ahead; a seek reads one chunk.

use super::lists::Leaps;
use super::reader::Reader;
use super::terms::Rows;
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
    lists: Vec<Rows>,
    /// Where the walk over each list stands.
    leaps: Vec<Leaps>,
}

impl Postings {
    /// The rows of all `lists`, at least one.
    pub(super) fn new(reader: &Reader, lists: Vec<Rows>) -> Postings {
        Postings {
            reader: reader.clone(),
            leaps: lists.iter().map(|rows| Leaps::new(rows.list)).collect(),
            lists,
        }
    }

    /// Number of rows at the most: a row may be in more than one of several lists.
    pub(crate) fn len(&self) -> u32 {
        let counts = self.lists.iter().map(|rows| rows.count);
        counts.fold(0, u32::saturating_add).min(self.reader.rows())
    }

    /// The nearest row at or beyond `row` in this direction.
    pub(crate) fn seek(&mut self, row: u32, direction: Direction) -> Result<Option<u32>> {
        let mut nearest: Option<u32> = None;
        for (rows, leaps) in self.lists.iter().zip(&mut self.leaps) {
            let found = seek_one(&self.reader, rows, leaps, row, direction)?;
            nearest = match (nearest, found, direction) {
                (Some(one), Some(other), Direction::Up) => Some(one.min(other)),
                (Some(one), Some(other), Direction::Down) => Some(one.max(other)),
                (one, other, _) => one.or(other),
            };
        }
        Ok(nearest)
    }

    /// Appends up to `max` rows from `row` on in this direction to `out`; gives how far in this
    /// direction no other row has one. `None` where rows can only be sought one by one.
    pub(crate) fn take(
        &mut self,
        row: u32,
        direction: Direction,
        max: usize,
        out: &mut Vec<u32>,
    ) -> Result<Option<u32>> {
        let ([rows], [leaps]) = (self.lists.as_slice(), self.leaps.as_mut_slice()) else {
            return Ok(None);
        };
        if rows.inverted {
            return Ok(None);
        }
        let (pages, row) = (self.reader.pages(), u64::from(row));
        let reached = match direction {
            Direction::Up => leaps.take_up(pages, row, max, out)?,
            Direction::Down => leaps.take_down(pages, row, max, out)?,
        };
        Ok(Some(u32::try_from(reached).unwrap_or(u32::MAX)))
    }

    /// Keeps those of ascending `rows` that are among these.
    pub(crate) fn retain(&mut self, rows: &mut Vec<u32>) -> Result<()> {
        let mut read = Ok(());
        rows.retain(|row| {
            let is_among = read.is_ok().then(|| self.has(*row)).transpose();
            let is_among = is_among.map_err(|error| read = Err(error));
            is_among.is_ok_and(|is_among| is_among == Some(true))
        });
        read
    }

    /// Whether `row` is among the rows.
    fn has(&mut self, row: u32) -> Result<bool> {
        for (rows, leaps) in self.lists.iter().zip(&mut self.leaps) {
            let found = leaps.seek(self.reader.pages(), u64::from(row))?;
            if (found == Some(u64::from(row))) != rows.inverted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Every row, ascending, each once.
    pub(crate) fn rows(&self) -> Result<Vec<u32>> {
        let mut all = Vec::with_capacity(self.len() as usize);
        let mut listed = Vec::new();
        for rows in &self.lists {
            listed.clear();
            let reader = &self.reader;
            if !rows.list.all(reader.pages(), &mut listed)? {
                let what = "this list of rows is damaged";
                return Err(Error::corrupt(
                    reader.path(),
                    reader.list_offset(rows),
                    what,
                ));
            }
            if rows.inverted {
                let mut lacks = listed.iter().copied().peekable();
                let has = |row: &u32| lacks.next_if_eq(&u64::from(*row)).is_none();
                all.extend((0..reader.rows()).filter(has));
            } else {
                all.extend(listed.iter().map(|row| *row as u32));
            }
        }
        if self.lists.len() > 1 {
            all.sort_unstable();
            all.dedup();
        }
        Ok(all)
    }
}

fn seek_one(
    reader: &Reader,
    rows: &Rows,
    leaps: &mut Leaps,
    row: u32,
    direction: Direction,
) -> Result<Option<u32>> {
    let pages = reader.pages();
    let mut listed = |row: u32| {
        let row = u64::from(row);
        Ok::<_, Error>(match direction {
            Direction::Up => leaps.seek(pages, row)?,
            Direction::Down => rows.list.seek_back(pages, row)?,
        })
    };
    if !rows.inverted {
        return Ok(listed(row)?.map(|row| row as u32));
    }
    let last = reader.rows().saturating_sub(1);
    let mut next = match direction {
        Direction::Up => Some(row).filter(|row| *row <= last),
        Direction::Down => Some(row.min(last)),
    };
    while let Some(row) = next {
        if listed(row)? != Some(u64::from(row)) {
            return Ok(Some(row));
        }
        next = match direction {
            Direction::Up => Some(row + 1).filter(|row| *row <= last),
            Direction::Down => row.checked_sub(1),
        };
    }
    Ok(None)
}
