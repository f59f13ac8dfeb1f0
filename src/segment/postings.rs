//! The rows of one term, walked in either direction: one stored list, or several joined where a term
//! stands for more than one that is stored. Nothing is unpacked ahead; a seek reads one chunk.

use core::ops::Range;

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

    /// Sets a bit for each row of a stretch, counted from the end that is walked from first; gives how
    /// many entries were looked at. Bits behind those of the stretch may be set too.
    pub(crate) fn lay_out(
        &mut self,
        rows: &Range<u32>,
        direction: Direction,
        words: &mut [u64],
    ) -> Result<u64> {
        // Walked downwards, the stretch ends with the last bit, and all are turned round.
        let before = match direction {
            Direction::Up => 0,
            Direction::Down => words.len() * 64 - rows.len(),
        };
        let stretch = u64::from(rows.start)..u64::from(rows.end);
        let (mut entries, mut own) = (0, Vec::new());
        for (list, leaps) in self.lists.iter().zip(&mut self.leaps) {
            own.clear();
            own.resize(words.len(), 0);
            entries += leaps.lay_out(self.reader.pages(), stretch.clone(), before, &mut own)?;
            if list.inverted {
                own.iter_mut().for_each(|word| *word = !*word);
            }
            if direction == Direction::Down {
                own.reverse();
                own.iter_mut().for_each(|word| *word = word.reverse_bits());
            }
            let pairs = words.iter_mut().zip(&own);
            pairs.for_each(|(word, own)| *word |= own);
        }
        Ok(entries)
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
