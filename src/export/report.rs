//! What an export says about itself when it is done: enough to check the file and to go on.

use super::MissingGlyphs;
use crate::id::EventId;
use crate::query::Cursor;

/// How an export went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportReport {
    /// Events written.
    pub rows: u64,
    /// Bytes written, as packed.
    pub bytes: u64,
    /// SHA-256 of those bytes, in hexadecimal.
    pub sha256: String,
    /// Nothing follows: proven by looking one match ahead.
    pub complete: bool,
    /// Where the next part begins; `None` exactly when `complete`.
    pub next_cursor: Option<Cursor>,
    /// Events of the snapshot that was exported.
    pub snapshot_seq: u64,
    /// The first event written.
    pub first: Option<EventId>,
    /// The last event written.
    pub last: Option<EventId>,
    /// The watcher ended the export early. A file is not made then.
    pub interrupted: bool,
    /// Characters that a PDF shows by their numbers, because no font had them.
    pub missing_glyphs: MissingGlyphs,
}
