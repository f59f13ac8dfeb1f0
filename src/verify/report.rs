//! What a check found, for people and programs to act on: counts, and all damage with file, place
//! and reason.

use core::fmt;
use core::ops::Range;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use super::moment::LOOKS_MAX;
use super::plan::Plan;
use crate::disk::ReadDisk;
use crate::error::Error;
use crate::error::ErrorKind;

/// Damages kept; beyond it they are only counted.
const DAMAGES_MAX: usize = 10_000;

/// One thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// The byte at which the damaged part begins, where one is known.
    pub offset: Option<u64>,
    /// What is wrong with it.
    pub reason: String,
}

/// What [`crate::verify()`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// Events that were found, each counted once.
    pub events: u64,
    /// Segments checked.
    pub segments: u64,
    /// Logs checked.
    pub logs: u64,
    /// Bytes read and checked.
    pub bytes: u64,
    /// Everything that is wrong, at most 10,000 things.
    pub damages: Vec<Damage>,
    /// How many things are wrong.
    pub damages_total: u64,
    /// The seqs of the events that are not there or cannot be read, at most 10,000 ranges.
    pub missing: Vec<Range<u64>>,
    /// How many events these are.
    pub missing_total: u64,
    /// Bytes behind the last whole write of a store that was not closed: the rest of an append that
    /// was never acknowledged. No damage; the next opening removes them. Where other damage is told,
    /// they may be the rest of what is missing.
    pub torn_bytes: u64,
    /// Files whose bytes mean nothing for any answer and were therefore not checked: the lock,
    /// what a crash left behind, and files that are no part of a store.
    pub scratch: Vec<PathBuf>,
    /// Records of exports and of reading that the store's writer has not taken over yet: they are whole,
    /// and their events are not in the trail before it does.
    pub waiting: u64,
    /// A writer had the store open.
    pub live: bool,
}

/// What [`crate::salvage`] could and could not save.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Salvage {
    /// Events written.
    pub events: u64,
    /// The seqs of the events that are gone, as far as the rest tells, at most 10,000 ranges.
    pub missing: Vec<Range<u64>>,
    /// How many events these are.
    pub missing_total: u64,
    /// What is wrong with the files.
    pub damages: Vec<Damage>,
    /// Records in `inbox/` that no writer took over: they have no seq, and are not among the events.
    pub waiting: u64,
}

/// The findings while they are gathered.
pub(super) struct Report<'p> {
    found: Verification,
    /// Files that were not there and should have been.
    missing: BTreeSet<PathBuf>,
    done: u64,
    total: u64,
    progress: Option<&'p mut dyn FnMut(u64, u64)>,
}

impl Verification {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damages_total == 0 && self.missing_total == 0
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.file.display())?;
        if let Some(offset) = self.offset {
            write!(formatter, " at byte {offset}")?;
        }
        write!(formatter, ": {}", self.reason)
    }
}

impl From<&Error> for Damage {
    fn from(error: &Error) -> Damage {
        let place = error.place();
        let mut damage = Damage {
            file: place.map(|place| place.file.clone()).unwrap_or_default(),
            offset: place.and_then(|place| place.offset),
            reason: String::new(),
        };
        let (whole, before) = (error.to_string(), damage.to_string());
        let reason = whole.strip_prefix(&before).unwrap_or(&whole);
        damage.reason = reason.to_owned();
        damage
    }
}

impl<'p> Report<'p> {
    pub(super) fn new(progress: &'p mut dyn FnMut(u64, u64)) -> Report<'p> {
        Report {
            progress: Some(progress),
            ..Report::silent()
        }
    }

    pub(super) fn silent() -> Report<'p> {
        Report {
            found: Verification::default(),
            missing: BTreeSet::new(),
            done: 0,
            total: 0,
            progress: None,
        }
    }

    /// A report on the side, whose findings may be thrown away.
    pub(super) fn trial(&self) -> Report<'p> {
        Report::silent()
    }

    pub(super) fn accept(&mut self, trial: Report<'_>) {
        for damage in trial.found.damages {
            self.add(damage);
        }
        if trial.found.missing_total > 0 {
            self.gone(trial.found.missing, trial.found.missing_total);
        }
        self.found.torn_bytes += trial.found.torn_bytes;
        self.read(trial.found.bytes);
    }

    /// Takes note of damage, or of a file that cannot be read at all. The same finding counts once.
    pub(super) fn error(&mut self, error: &Error) {
        let damage = Damage::from(error);
        if error.kind() == ErrorKind::Missing {
            self.missing.insert(damage.file.clone());
        }
        self.add(damage);
    }

    /// Takes note of a file that is not there, or that no record names: another look may find it so
    /// no more.
    pub(super) fn missing_file(&mut self, file: &Path, reason: &str) {
        self.missing.insert(file.to_owned());
        self.damage(file, None, reason);
    }

    pub(super) fn damage(&mut self, file: &Path, offset: Option<u64>, reason: impl Into<String>) {
        self.add(Damage {
            file: file.to_owned(),
            offset,
            reason: reason.into(),
        });
    }

    fn add(&mut self, damage: Damage) {
        if self.found.damages.contains(&damage) {
            return;
        }
        self.found.damages_total += 1;
        if self.found.damages.len() < DAMAGES_MAX {
            self.found.damages.push(damage);
        }
    }

    /// Takes note of events that are gone: of `total`, these ranges of seqs.
    pub(super) fn gone(&mut self, ranges: Vec<Range<u64>>, total: u64) {
        self.found.missing = ranges;
        self.found.missing_total = total;
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        self.found.is_clean()
    }

    /// How much is wrong so far.
    pub(super) fn damages(&self) -> u64 {
        self.found.damages_total
    }

    /// The files that were not there.
    pub(super) const fn missing(&self) -> &BTreeSet<PathBuf> {
        &self.missing
    }

    /// Runs a check of one file. Where the file turns out not to be there, nothing of it is kept,
    /// and the answer is `false`.
    pub(super) fn attempt(&mut self, check: impl FnOnce(&mut Self)) -> bool {
        let missing = core::mem::take(&mut self.missing);
        let (kept, total) = (self.found.damages.len(), self.found.damages_total);
        check(self);
        let is_there = core::mem::replace(&mut self.missing, missing).is_empty();
        if !is_there {
            self.found.damages.truncate(kept);
            self.found.damages_total = total;
        }
        is_there
    }

    /// Makes of the findings of a look at a store that never stood still what can be said: of the
    /// files that were not there only those that were `missed` before are lost.
    pub(super) fn unsettle(&mut self, missed: &BTreeSet<PathBuf>, place: &Path) {
        let fresh: BTreeSet<&PathBuf> = self.missing.difference(missed).collect();
        self.found
            .damages
            .retain(|damage| !fresh.contains(&damage.file));
        self.found.damages_total = self.found.damages.len() as u64;
        let what = format!(
            "files were replaced in each of {LOOKS_MAX} looks, so whether all events are there is \
             not known: verify again when the writer rests"
        );
        self.damage(place, None, what);
    }

    pub(super) fn torn(&mut self, bytes: u64) {
        self.found.torn_bytes += bytes;
    }

    pub(super) fn expect_bytes(&mut self, total: u64) {
        self.total = self.total.max(total);
    }

    /// Says that so many more bytes were read.
    pub(super) fn read(&mut self, bytes: u64) {
        self.found.bytes += bytes;
        self.done = (self.done + bytes).min(self.total);
        if let Some(progress) = &mut self.progress {
            progress(self.done, self.total);
        }
    }

    pub(super) fn count(&mut self, plan: &Plan, events: u64, waiting: u64) {
        self.found.waiting = waiting;
        self.found.events = events;
        self.found.segments = plan.segments().len() as u64;
        self.found.logs = plan.logs().len() as u64;
        self.found.live = plan.is_live();
    }

    pub(super) fn finish(mut self, disk: &dyn ReadDisk, plan: &Plan) -> Verification {
        self.found.scratch = plan.scratch(disk);
        self.found
    }

    pub(super) fn into_damages(self) -> Vec<Damage> {
        self.found.damages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_store_that_never_rests_only_what_was_missed_twice_is_lost() {
        let (before, fresh) = (PathBuf::from("before"), PathBuf::from("fresh"));
        let mut report = Report::silent();
        for file in [&before, &fresh] {
            report.missing_file(file, "the log is missing");
        }
        report.unsettle(&BTreeSet::from([before.clone()]), Path::new("store"));
        assert_eq!(report.damages(), 2);
        let told = report.into_damages();
        let files: Vec<_> = told.iter().map(|damage| damage.file.clone()).collect();
        assert_eq!(files, [before, PathBuf::from("store")]);
    }
}
