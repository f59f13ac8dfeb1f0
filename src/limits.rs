//! Every bound of the store in one place, checked against each other when the crate is compiled.
//! Nothing is cut to fit a bound: what exceeds one is refused with an error that names the field.

/// Bytes of one event's canonical form, unless [`crate::options::Options::event_bytes_max`] says otherwise.
pub(crate) const EVENT_BYTES: usize = 1 << 20;
/// The largest value [`crate::options::Options::event_bytes_max`] takes.
pub(crate) const EVENT_BYTES_CEILING: usize = 16 << 20;
/// Bytes of any single text field; `data`, `before` and `after` are bounded by the event alone.
pub(crate) const TEXT_BYTES: usize = 64 << 10;
/// Bytes of a word that names something: a type, a kind, a metadata or context key.
pub(crate) const WORD_BYTES: usize = 256;
/// Nesting of a JSON value; also what `serde_json` takes.
pub(crate) const JSON_DEPTH: usize = 128;
/// Metadata keys of one event.
pub(crate) const METADATA_KEYS: usize = 64;
/// Further context keys of one event.
pub(crate) const CONTEXT_KEYS: usize = 64;
/// Further targets of one event.
pub(crate) const TARGETS: usize = 256;
/// Changes of one event.
pub(crate) const CHANGES: usize = 4096;
/// Minutes an offset may lie from UTC, either way.
pub(crate) const OFFSET_MINUTES: i32 = 24 * 60 - 1;
/// Events of one atomic batch.
pub(crate) const BATCH_EVENTS: usize = 100_000;
/// Bytes of one atomic batch, as stored.
pub(crate) const BATCH_BYTES: usize = 64 << 20;
/// Values one filter may hold over all its fields.
pub(crate) const FILTER_VALUES: usize = 1024;
/// Depth of a filter expression.
pub(crate) const FILTER_DEPTH: usize = 32;
/// Bytes of a prefix pattern. Index terms keep this much of a value's head.
pub(crate) const PREFIX_BYTES: usize = 200;
/// Events of one page.
pub(crate) const PAGE_EVENTS: usize = 100_000;
/// Bytes of content after which a page, and a step of a follower, ends; it holds one event at least.
pub(crate) const PAGE_BYTES: usize = 8 << 20;
/// Types that an open store keeps count of among those its registry does not know.
pub(crate) const FLAGGED_TYPES: usize = 1024;
/// Bytes of the record of an export job: its filter, and the files of its archive.
pub(crate) const JOB_BYTES: usize = 1 << 20;
/// Bytes of a record that somebody left for the writer: room for the filter of any export.
pub(crate) const INBOX_BYTES: usize = 1 << 20;
/// Records that the writer reads at one look into the inbox.
pub(crate) const INBOX_RECORDS: usize = 256;
/// Rows of one segment: keeps row numbers in 32 bits and bounds what a reader believes of a file.
pub(crate) const SEGMENT_ROWS: usize = 1 << 20;
/// The fewest rows of a final segment, whatever the memory budget: the number of segments stays
/// within 64 and one for each time this many events.
pub(crate) const FINAL_ROWS_MIN: usize = 64 << 10;

const _: () = {
    assert!(EVENT_BYTES <= EVENT_BYTES_CEILING);
    assert!(EVENT_BYTES_CEILING < BATCH_BYTES);
    assert!(TEXT_BYTES < EVENT_BYTES);
    assert!(PREFIX_BYTES < WORD_BYTES);
    assert!(FINAL_ROWS_MIN * 2 <= SEGMENT_ROWS);
};
