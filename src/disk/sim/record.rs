//! What a simulated disk remembers of its own life when it is told to: the moment after each change,
//! the kinds of all operations in their order, and for each name a hash of what was done under it, by
//! which two runs of one seed are compared.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use crate::disk::sim::crash::Moment;
use crate::disk::sim::fault::Operation;
use crate::disk::sim::random::fold;

/// The record of a disk.
#[derive(Default)]
pub(crate) struct Record {
    /// The disk after each change, the first being that before all changes.
    pub(crate) moments: Vec<Moment>,
    /// What was done, reads too.
    pub(crate) operations: Vec<Operation>,
    by_name: BTreeMap<PathBuf, u64>,
    /// What the operation under way reads or writes.
    pub(super) said: u64,
}

impl Record {
    /// A record that begins with this moment.
    pub(super) fn new(first: Moment) -> Record {
        Record {
            moments: vec![first],
            ..Record::default()
        }
    }

    /// Writes an operation down.
    pub(super) fn note(&mut self, operation: Operation, path: &Path, worked: bool) {
        self.operations.push(operation);
        let said = core::mem::take(&mut self.said);
        // Threads that read beside each other take turns as they like, and find what others read.
        if !operation.is_change() {
            return;
        }
        let hash = match self.by_name.get_mut(path) {
            Some(hash) => hash,
            None => self.by_name.entry(path.to_owned()).or_default(),
        };
        let line = [said, operation as u64, u64::from(worked)].map(u64::to_le_bytes);
        *hash = fold(*hash, line.as_flattened());
    }

    /// A number that tells this life from another, by what was changed under each name in its order.
    pub(crate) fn hash(&self) -> u64 {
        let names = self.by_name.iter();
        let lines = names.map(|(path, hash)| fold(*hash, path.as_os_str().as_encoded_bytes()));
        lines.fold(0, u64::wrapping_add)
    }
}
