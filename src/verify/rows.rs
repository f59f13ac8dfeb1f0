//! What must hold for every row wherever it stands, and a sum over things in any order: two files
//! of pairs are the same set when their sums are, whatever order they come in, and the memory it
//! takes is a number.

use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;

use crate::codec::canonical;
use crate::codec::row::Row;
use crate::event::Event;

/// A sum of hashes. Accidents change it; it is no proof against a forger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum(u64);

impl Sum {
    /// Adds a term, or something else with a hash of its own, and the row it belongs to.
    pub(super) fn add(&mut self, hash: u64, row: u32) {
        let mut hasher = DefaultHasher::new();
        (hash, row).hash(&mut hasher);
        self.0 = self.0.wrapping_add(hasher.finish());
    }
}

pub(super) fn hash(term: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    term.hash(&mut hasher);
    hasher.finish()
}

/// The row's event, or what is wrong with the row.
pub(super) fn event(row: &Row<'_>) -> Result<Event, String> {
    let seq = row.position.seq;
    let Some(event) = row.model_event() else {
        return Err(format!("the content of event {seq} is no event"));
    };
    if canonical::content(&event) != row.body.content {
        return Err(format!(
            "the content of event {seq} is not in canonical form"
        ));
    }
    Ok(event)
}
