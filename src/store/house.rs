//! What the writer does for the processes beside it, without being asked: it takes over what they left in
//! the inbox, looking once a second, and removes the files of export jobs whose time has come, when it
//! opens the store and once an hour. Nothing of it can fail the store: what did not work is tried again.

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::sync::Arc;

use super::Shared;
use super::adopt::Looks;
use super::prepare::Prepared;
use crate::disk::names;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::inbox::Inbox;
use crate::jobs::Folder;
use crate::options::Durability;

/// How often the inbox is looked at, by one call.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often files are looked for whose time has come, in microseconds.
const PURGE_EVERY: i64 = 3_600_000_000;

/// What was done last. Whoever holds it does what is due.
#[derive(Default)]
pub(super) struct House {
    looks: Looks,
    /// When files were last looked for whose time has come, in microseconds since 1970.
    purged_at: i64,
}

/// Keeps the house's own events out of the store: whoever has this is the only one who adds to it.
pub(super) struct Alone(Arc<Shared>);

impl Alone {
    /// Waits until the house is done with what it has begun.
    pub(super) fn with(shared: &Arc<Shared>) -> Alone {
        shared.is_loading.store(true, Ordering::SeqCst);
        drop(shared.house.lock());
        Alone(Arc::clone(shared))
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        // Without the lock: in a fork somebody may have held it who is not there.
        self.0.is_loading.store(false, Ordering::SeqCst);
    }
}

impl Shared {
    /// Does all of it, before anybody has the store.
    pub(super) fn open_house(&self) {
        let mut house = self.house.lock();
        drop(Inbox(&*self.disk).remove_drafts());
        self.adopt(&mut house.looks);
        self.purge_exports(&mut house);
    }

    /// Does what is due, unless somebody has the store alone: then it waits.
    pub(super) fn keep_house(&self) {
        let mut house = self.house.lock();
        if self.is_loading.load(Ordering::SeqCst) {
            return;
        }
        self.adopt(&mut house.looks);
        // Also where the clock was put back behind the last time.
        let since = self.clock.now().as_micros() - house.purged_at;
        if !(0..PURGE_EVERY).contains(&since) {
            self.purge_exports(&mut house);
        }
    }

    fn purge_exports(&self, house: &mut House) {
        let now = self.clock.now();
        house.purged_at = now.as_micros();
        let is_there = matches!(self.disk.folder_stamp(names::job_dir()), Ok(Some(_)));
        if is_there && self.check_open().is_ok() {
            // A file whose end cannot be told of now stays, and so do those behind it.
            let mut failed = None;
            let mut tell = |event: &Event| match &failed {
                None => self
                    .append_own(event)
                    .inspect_err(|error| failed = Some(error.again())),
                Some(error) => Err(error.again()),
            };
            drop(Folder(&*self.disk).purge(now, &mut tell));
        }
    }

    /// Appends an event of the store's own, durably; whether the store's rules let it have the event,
    /// and no event that says something else has its key.
    pub(super) fn append_own(&self, event: &Event) -> Result<bool> {
        let Ok(row) = Prepared::new(event, None, None, &self.rules, self.texts.take()) else {
            return Ok(false);
        };
        match self.commit_one(row, Durability::Durable) {
            // Somebody else may have told of it, at another moment.
            Err(error) if error.kind() == ErrorKind::KeyConflict => {
                Ok(self.snapshot().tells(event)? == Some(true))
            }
            committed => committed.map(|_| true),
        }
    }
}
