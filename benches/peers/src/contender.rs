//! What every contender can do. Each takes the same events and gives back the same records.

use std::io::Read;
use std::io::Write;
use std::path::Path;

use auditdb::Event;

use crate::ask::Ask;
use crate::record::Record;

/// Where a page goes on: the last row's time and number.
pub type Mark = (i64, i64);

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    Csv,
    Ndjson,
}

pub trait Contender {
    /// Loads all events in the quickest way that ends in the final, synced, queryable state.
    fn load(&mut self, events: &mut dyn Iterator<Item = Event>);

    /// Loads all events of native lines, to the same state.
    fn load_lines(&mut self, lines: &mut dyn Read);

    /// Appends one event; it is durable on return.
    fn append(&mut self, event: &Event);

    /// Appends a batch as one commit; it is durable on return.
    fn append_batch(&mut self, events: &[Event]);

    /// The newest `limit` rows that fit, from the top.
    fn page(&self, ask: &Ask, limit: usize) -> Vec<Record>;

    /// Calls `each` with every page of `limit` rows, going on by cursor, at most `pages` times.
    fn walk(&self, ask: &Ask, limit: usize, pages: usize, each: &mut dyn FnMut(Vec<Record>));

    /// Writes the newest `limit` rows that fit and gives their number.
    fn export(&self, ask: &Ask, limit: usize, form: Form, out: &mut dyn Write) -> u64;
}

/// Bytes of all files below a folder.
pub fn bytes_below(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => bytes_below(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}
