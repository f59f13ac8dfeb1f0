//! The terms of one source in order, one at a time, so that the terms of many sources can be
//! counted side by side without holding more than one of each in memory.

use core::ops::Range;

use super::source::Source;
use crate::error::Result;
use crate::segment::streams::Terms;

/// Which rows of a source count: one bit each.
pub(crate) struct Selected(Vec<u64>);

/// A walk over the terms of one source, from one term up to, but without, another.
pub(crate) struct TermWalk {
    terms: Sorted,
    to: Vec<u8>,
}

enum Sorted {
    Segment(Box<Terms>),
    /// The terms of a memtable, which are in memory anyway, with their rows.
    Memtable {
        terms: std::vec::IntoIter<(Vec<u8>, Vec<u32>)>,
        current: (Vec<u8>, Vec<u32>),
    },
}

impl Selected {
    pub(crate) fn none_of(rows: u32) -> Selected {
        Selected(vec![0; (rows as usize).div_ceil(64)])
    }

    pub(crate) fn select(&mut self, row: u32) {
        if let Some(word) = self.0.get_mut(row as usize / 64) {
            *word |= 1 << (row % 64);
        }
    }

    /// How many rows are selected.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The rows that are selected, ascending.
    pub(crate) fn rows(&self) -> impl Iterator<Item = u32> {
        let words = (0_u32..).step_by(64).zip(&self.0);
        words.flat_map(|(first, word)| {
            (0..64)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| first + bit)
        })
    }

    /// How many of these rows are selected.
    pub(crate) fn count_in(&self, rows: Range<u32>) -> u64 {
        let (start, end) = (rows.start as usize, rows.end as usize);
        let first = start / 64;
        let words = self.0.iter().enumerate().take(end.div_ceil(64)).skip(first);
        let inside = |(place, word): (usize, &u64)| {
            let from = start.saturating_sub(place * 64).min(63);
            let to = (end - place * 64).min(64);
            let mask = (u64::MAX << from) & (u64::MAX >> (64 - to));
            u64::from((word & mask).count_ones())
        };
        words.map(inside).sum()
    }

    fn contains(&self, row: u32) -> bool {
        self.0
            .get(row as usize / 64)
            .is_some_and(|word| word >> (row % 64) & 1 == 1)
    }
}

impl Source {
    /// The terms from `from` up to, but without, `to`.
    pub(crate) fn terms(&self, from: &[u8], to: &[u8]) -> Result<TermWalk> {
        let terms = match self {
            Source::Segment { reader, .. } => Sorted::Segment(Box::new(reader.terms(from))),
            Source::Memtable { table, view } => {
                let mut terms = Vec::new();
                table.each_term(from, Some(to), view.len(), |term, numbers| {
                    terms.push((term.to_vec(), view.rows_of(numbers)));
                });
                Sorted::Memtable {
                    terms: terms.into_iter(),
                    current: Default::default(),
                }
            }
        };
        Ok(TermWalk {
            terms,
            to: to.to_vec(),
        })
    }
}

impl TermWalk {
    /// Goes to the next term; `false` behind the last one.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        match &mut self.terms {
            Sorted::Segment(terms) => Ok(terms.advance()? && terms.term() < self.to.as_slice()),
            Sorted::Memtable { terms, current } => {
                let next = terms.next();
                let found = next.is_some();
                *current = next.unwrap_or_default();
                Ok(found)
            }
        }
    }

    /// The term that the walk stands on.
    pub(crate) fn term(&self) -> &[u8] {
        match &self.terms {
            Sorted::Segment(terms) => terms.term(),
            Sorted::Memtable { current, .. } => &current.0,
        }
    }

    /// How many of its rows are selected; all are where nothing was selected.
    pub(crate) fn count(&self, selected: Option<&Selected>) -> Result<u64> {
        let count = |rows: &[u32]| match selected {
            Some(selected) => rows.iter().filter(|row| selected.contains(**row)).count(),
            None => rows.len(),
        };
        Ok(match (&self.terms, selected) {
            (Sorted::Segment(terms), None) => u64::from(terms.count()?),
            (Sorted::Segment(terms), Some(_)) => count(&terms.postings().rows()?) as u64,
            (Sorted::Memtable { current, .. }, _) => count(&current.1) as u64,
        })
    }

    /// The newest of its rows that are selected.
    pub(crate) fn newest(&self, selected: Option<&Selected>) -> Result<Option<u32>> {
        let counts = |row: &u32| selected.is_none_or(|selected| selected.contains(*row));
        // Rows are numbered newest first.
        Ok(match &self.terms {
            Sorted::Segment(terms) => terms.postings().rows()?.into_iter().find(counts),
            Sorted::Memtable { current, .. } => current.1.iter().copied().find(counts),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_between_any_two() {
        const ROWS: u32 = 200;
        let rows: Vec<u32> = (0..ROWS)
            .filter(|row| row % 7 < 3 || row / 64 == 1)
            .collect();
        let mut selected = Selected::none_of(ROWS);
        rows.iter().for_each(|row| selected.select(*row));
        for start in 0..=ROWS {
            for end in start..=ROWS {
                let counted = rows.iter().filter(|row| (start..end).contains(row)).count();
                assert_eq!(
                    selected.count_in(start..end),
                    counted as u64,
                    "{start}..{end}"
                );
            }
        }
    }
}
