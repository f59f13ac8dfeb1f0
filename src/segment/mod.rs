//! Segments: immutable files of up to [`crate::limits::SEGMENT_ROWS`] rows, newest first, with
//! their terms, fingerprints and seqs. Every byte lies under a checksum that the read of it
//! verifies, and a read holds at most one block, chunk or page of each kind in memory.
//! Written when a memtable is sealed, by bulk loads and by merges; read by snapshots and `verify`.

mod block;
mod blocks;
mod builder;
mod by_value;
mod classes;
mod codes;
mod dictionary;
mod drawn;
#[cfg(test)]
mod example;
mod fingerprints;
pub(crate) mod format;
mod found;
mod gather;
mod index;
mod indexing;
mod known;
mod lanes;
mod leaves;
mod letters;
mod line;
mod list;
mod lists;
pub(crate) mod load;
pub(crate) mod merge;
#[cfg(test)]
pub(crate) mod misindexed;
mod named;
mod notes;
mod numbered;
mod open;
mod outlines;
mod output;
mod packed;
mod packing;
mod pages;
pub(crate) mod postings;
mod quick;
mod raw;
pub(crate) mod reader;
mod recorded;
mod region;
mod relay;
mod rendered;
mod rows;
mod sample;
mod schema;
mod shape;
mod shelf;
mod slab;
mod spelled_time;
mod spelling;
mod stands;
pub(crate) mod streams;
mod term_values;
mod term_writer;
mod terms;
#[cfg(test)]
pub(crate) mod tests;
mod texts;
mod union;
mod values;
mod walk;
pub(crate) mod writer;
mod zones;

use crate::id::Position;
use crate::id::Sequence;
use crate::time::Time;

/// What a finished segment is, for its manifest entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) rows: u32,
    pub(crate) file_len: u64,
    /// Of the first row.
    pub(crate) newest: Position,
    /// Of the last row.
    pub(crate) oldest: Position,
    pub(crate) seq_min: Sequence,
    pub(crate) seq_max: Sequence,
    pub(crate) recorded_min: Time,
    pub(crate) recorded_max: Time,
    /// SHA-256 of every byte before the footer.
    pub(crate) content_hash: [u8; 32],
}
