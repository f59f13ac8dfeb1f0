//! How the memory that [`Options::memory_bytes_max`] grants is shared out: three quarters for a
//! merge, an eighth for the memtable that takes events and an eighth for one that waits to be
//! sealed. What a merge may hold says how many rows a segment gets, so that less memory means more
//! and smaller segments. Not counted are buffers, sealing, open segments and pages: together less
//! than 64 MiB.

use crate::limits;
use crate::options::Options;

/// Bytes that a merge takes for each row, beside as many as the row takes in its segments.
const MERGE_ROW_BYTES: u64 = 70;
/// Bytes that a merge takes whatever its rows: those between its threads, and what allocators keep of
/// threads that ended. At 64 MiB an import of a million events had 153 MiB without it.
const MERGE_BYTES: u64 = 20 << 20;
/// Full memtables that may wait to be sealed before appends wait too.
const WAITING_MAX: usize = 1;

/// What a store may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Bytes of the memtable that takes events.
    pub(super) memtable_bytes: usize,
    /// Full memtables that may wait.
    pub(super) waiting_max: usize,
    /// Segments kept open.
    pub(super) open_segments: usize,
    /// Bytes that a bulk load gathers before it writes a segment of them, which takes as much again
    /// for each three of them.
    pub(super) load_bytes: usize,
    merge_bytes: u64,
}

impl Budget {
    /// The shares of the options' memory; single options may ask for less.
    pub(super) fn of(options: &Options) -> Budget {
        let memory = options.memory_bytes_max;
        Budget {
            memtable_bytes: options.memtable_bytes_max.min(memory / 8),
            waiting_max: WAITING_MAX,
            open_segments: options.open_segments_max.min(memory >> 20),
            load_bytes: memory / 8 * 5,
            merge_bytes: (memory as u64 / 4 * 3).saturating_sub(MERGE_BYTES),
        }
    }

    /// The rows a segment may get in a merge of `rows` rows that take `bytes` now. Never so few
    /// that the number of segments were not bounded any more.
    pub(super) fn segment_rows(&self, rows: u64, bytes: u64) -> usize {
        let each = MERGE_ROW_BYTES + bytes / rows.max(1);
        let fit = usize::try_from(self.merge_bytes / each).unwrap_or(usize::MAX);
        fit.clamp(2 * limits::FINAL_ROWS_MIN, limits::SEGMENT_ROWS)
    }
}

/// The rows from which a segment is final, and a partition worth segments of its own, where a
/// segment gets up to `segment_rows`. A larger one that is split in equal parts gives final ones.
pub(super) fn final_rows(segment_rows: usize) -> usize {
    (segment_rows / 2).max(limits::FINAL_ROWS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(mib: usize) -> Budget {
        Budget::of(&Options {
            memory_bytes_max: mib << 20,
            ..Options::default()
        })
    }

    #[test]
    fn shares_follow_the_budget_and_stay_within_it() {
        for mib in [64, 128, 256, 1024, 2048] {
            let budget = budget(mib);
            let tables = budget.memtable_bytes * (1 + budget.waiting_max);
            assert!(tables as u64 + budget.merge_bytes <= (mib as u64) << 20);
            assert!(budget.open_segments <= mib);
            for bytes in [0, 90, 1000, 1 << 20] {
                let rows = budget.segment_rows(1000, bytes * 1000);
                let last = final_rows(rows);
                assert!(
                    last >= limits::FINAL_ROWS_MIN && 2 * last <= rows,
                    "{mib} {bytes}"
                );
            }
        }
    }

    #[test]
    fn little_memory_means_small_segments() {
        let rows = |mib| budget(mib).segment_rows(1_000_000, 80_000_000);
        assert!(rows(64) < rows(128) && rows(128) < rows(256));
        assert_eq!(rows(2048), limits::SEGMENT_ROWS);
    }
}
