//! What a workload submitted and what it was told, with how often the disk had changed by then: the
//! outside truth that every image is held against. It knows events in full and nothing of the store.

use std::path::PathBuf;

use crate::disk::ReadDisk;
use crate::disk::sim::SimDisk;
use crate::event::Event;
use crate::event::StoredEvent;
use crate::store::Receipt;

/// The books of one run.
#[derive(Default)]
pub(super) struct Ledger {
    /// Every event submitted, by its place in commit order.
    events: Vec<Event>,
    receipts: Vec<Option<Receipt>>,
    submissions: Vec<Submission>,
    outputs: Vec<Output>,
}

/// Events that are in the store together or not at all.
struct Submission {
    /// The events up to its last one.
    end: usize,
    begun: u64,
    told: Option<u64>,
}

/// A file that somebody was promised outside of the store's own.
struct Output {
    path: PathBuf,
    bytes: Vec<u8>,
    begun: u64,
    told: Option<u64>,
}

impl Ledger {
    /// Something begins that may bring these events.
    pub(super) fn begin(&mut self, events: &[Event], changes: u64) {
        self.events.extend_from_slice(events);
        self.receipts.resize(self.events.len(), None);
        self.submissions.push(Submission {
            end: self.events.len(),
            begun: changes,
            told: None,
        });
    }

    /// Everything begun so far was acknowledged.
    pub(super) fn told(&mut self, changes: u64) {
        let open = self.submissions.iter_mut().rev();
        for submission in open.take_while(|submission| submission.told.is_none()) {
            submission.told = Some(changes);
        }
    }

    /// What was given for it.
    pub(super) fn receipt(&mut self, receipt: Receipt) {
        let at = usize::try_from(receipt.seq.0).unwrap_or(usize::MAX);
        if let Some(place) = self.receipts.get_mut(at) {
            *place = Some(receipt);
        }
    }

    /// A file of these bytes begins to be made.
    pub(super) fn begin_output(&mut self, path: PathBuf, bytes: Vec<u8>, changes: u64) {
        self.outputs.push(Output {
            path,
            bytes,
            begun: changes,
            told: None,
        });
    }

    /// The last file is in its place.
    pub(super) fn told_output(&mut self, changes: u64) {
        if let Some(output) = self.outputs.last_mut() {
            output.told = Some(changes);
        }
    }

    /// How many events there are by now.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// How many events have to be in the store after so many changes.
    pub(super) fn acknowledged(&self, changes: u64) -> usize {
        let told = |submission: &&Submission| submission.told.is_some_and(|told| told <= changes);
        let last = self
            .submissions
            .iter()
            .filter(told)
            .map(|submission| submission.end);
        last.max().unwrap_or(0)
    }

    /// Holds what a store shows after so many changes against the books: at least what was
    /// acknowledged, whole submissions, each event as it was given, in order, and nothing else.
    pub(super) fn check(
        &self,
        found: &[StoredEvent],
        changes: u64,
        least: usize,
    ) -> Result<(), String> {
        self.check_count(found.len(), changes, least)?;
        let least = least.max(self.acknowledged(changes));
        let mut recorded_at = None;
        for (place, stored) in found.iter().enumerate() {
            let submitted = self.events.get(place);
            if stored.seq.0 != place as u64 || submitted != Some(&stored.event) {
                return Err(format!("event {place} is {stored:?} and was {submitted:?}"));
            }
            if recorded_at > Some(stored.recorded_at) {
                return Err(format!(
                    "event {place} was recorded before the one before it"
                ));
            }
            recorded_at = Some(stored.recorded_at);
            let told = self.receipts.get(place).copied().flatten();
            let given = (stored.id, stored.occurred_at, stored.recorded_at);
            let is_as_told = |told: Receipt| given == (told.id, told.occurred_at, told.recorded_at);
            if place < least && !told.is_none_or(is_as_told) {
                return Err(format!("event {place} is {stored:?}, its receipt {told:?}"));
            }
        }
        Ok(())
    }

    /// The part of [`Ledger::check`] for which the number of events is enough.
    pub(super) fn check_count(
        &self,
        held: usize,
        changes: u64,
        least: usize,
    ) -> Result<(), String> {
        let least = least.max(self.acknowledged(changes));
        if held < least {
            return Err(format!("{least} events were acknowledged, {held} are held"));
        }
        let ends = |submission: &Submission| submission.begun <= changes && submission.end == held;
        if held > 0 && !self.submissions.iter().any(ends) {
            return Err(format!("{held} events are held, where no submission ends"));
        }
        Ok(())
    }

    /// Holds the files outside of the store against the books: whole or not there.
    pub(super) fn check_outputs(&self, disk: &SimDisk, changes: u64) -> Result<(), String> {
        for output in self.outputs.iter().filter(|output| output.begun <= changes) {
            let read = |len| -> crate::error::Result<Vec<u8>> {
                let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
                disk.open_read(&output.path)?.read_at(0, &mut bytes)?;
                Ok(bytes)
            };
            let found = disk.len(&output.path).ok().flatten().map(read);
            let is_promised = output.told.is_some_and(|told| told <= changes);
            match found {
                None if !is_promised => {}
                Some(Ok(bytes)) if bytes == output.bytes => {}
                other => {
                    let found = other.map(|read| read.map(|bytes| bytes.len()));
                    return Err(format!("the file {}: {found:?}", output.path.display()));
                }
            }
        }
        Ok(())
    }
}
