//! Presence: which segments may hold a term. A run is a file that tells it of up to 512 segments at
//! once: of each term 32 bits, its print, and beside it the segments that have it. One look-up reads
//! one bucket of a run, however many segments that tells of. Runs are written for single segments
//! and merged by eights. They are derived from the segments and bound to them by their hashes, so
//! a run that is missing, damaged or of something else costs time and changes no answer.
//! Normative page: `docs/format/presence.md`.

mod bucket;
#[cfg(test)]
mod example;
mod format;
pub(crate) mod merge;
mod prints;
pub(crate) mod reader;
#[cfg(test)]
mod tests;
pub(crate) mod writer;

pub(crate) use bucket::Columns;
pub(crate) use bucket::Found;
pub(crate) use format::COLUMNS_MAX;
pub(crate) use format::Column;
pub(crate) use prints::asked;
pub(crate) use prints::told;
pub(crate) use reader::Run;
