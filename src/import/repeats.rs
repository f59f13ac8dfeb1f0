//! Counts how often a record came in one import, for `keep_repeats`. Memory: 16 to 32 bytes for
//! each different record, up to [`RECORDS_MAX`] of them; further ones stop the import with an
//! error, because a number guessed wrong would break the promise that importing again adds nothing.
//! Two records that share a 64-bit digest are numbered as if equal, which loses neither.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Different records one import with `keep_repeats` may hold: at most 512 MiB of digests.
pub(super) const RECORDS_MAX: usize = 16 << 20;

/// The digests seen, and the counts of those seen more than once.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    seen: HashSet<u64>,
    again: HashMap<u64, u64>,
}

impl Repeats {
    /// How many identical records came before this one.
    pub(super) fn number(&mut self, identity: u64) -> Result<u64> {
        if self.seen.insert(identity) {
            if self.seen.len() > RECORDS_MAX {
                let what = format!(
                    "more than {RECORDS_MAX} different records; import the file in parts to keep repeats"
                );
                return Err(Error::new(ErrorKind::Import, what));
            }
            return Ok(0);
        }
        let count = self.again.entry(identity).or_insert(0);
        *count += 1;
        Ok(*count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_records_are_numbered_from_nought() {
        let mut repeats = Repeats::default();
        let numbers: Result<Vec<_>> = [7, 8, 7, 7, 8]
            .into_iter()
            .map(|one| repeats.number(one))
            .collect();
        assert_eq!(numbers.ok(), Some(vec![0, 0, 1, 2, 1]));
    }
}
