//! The reading order of a memtable's first rows: newest first, as a segment has it by nature.

use crate::id::Position;

/// A permutation between commit order and reading order (newest first).
pub(crate) struct View {
    order: Vec<u32>,
    rank: Vec<u32>,
    positions: Vec<Position>,
}

impl View {
    /// Orders rows given in commit order.
    pub(crate) fn of(in_commit_order: Vec<Position>) -> View {
        let mut order: Vec<u32> = (0..in_commit_order.len() as u32).collect();
        let position = |number: u32| in_commit_order.get(number as usize);
        order.sort_by(|left, right| position(*right).cmp(&position(*left)));
        let mut rank = vec![0; order.len()];
        for (row, number) in order.iter().enumerate() {
            if let Some(slot) = rank.get_mut(*number as usize) {
                *slot = row as u32;
            }
        }
        let positions = order
            .iter()
            .filter_map(|number| position(*number).copied())
            .collect();
        View {
            order,
            rank,
            positions,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// The place in reading order of row `row`.
    pub(crate) fn position(&self, row: u32) -> Option<Position> {
        self.positions.get(row as usize).copied()
    }

    /// The commit number of row `row`.
    pub(crate) fn number(&self, row: u32) -> Option<u32> {
        self.order.get(row as usize).copied()
    }

    /// The first row at or before `position` in time, `len` if there is none.
    pub(crate) fn lower_bound(&self, position: Position) -> u32 {
        self.positions.partition_point(|held| *held > position) as u32
    }

    /// Rows of commit numbers, in reading order.
    pub(crate) fn rows_of(&self, numbers: &[u32]) -> Vec<u32> {
        let mut rows: Vec<u32> = numbers
            .iter()
            .filter_map(|number| self.rank.get(*number as usize).copied())
            .collect();
        rows.sort_unstable();
        rows
    }
}
