//! What the writer does for the processes beside it, without being asked: it takes over what they left in
//! the inbox, looking once a second, and removes the files of export jobs whose time has come, when it
//! opens the store and once an hour. Nothing of it can fail the store: what did not work is tried again.

use core::sync::atomic::Ordering;
use core::time::Duration;

use super::Shared;
use super::adopt::Looks;
use super::prepare::Prepared;
use crate::disk::names;
use crate::error::Result;
use crate::event::Event;
use crate::inbox::Inbox;
use crate::jobs::Folder;
use crate::options::Durability;

/// How often the inbox is looked at, by one call.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often files are looked for whose time has come, in microseconds.
const PURGE_EVERY: i64 = 3_600_000_000;

impl Shared {
    /// Does all of it, before anybody has the store.
    pub(super) fn open_house(&self) {
        drop(Inbox(&*self.disk).remove_drafts());
        self.adopt(&mut Looks::default());
        self.purge_exports();
    }

    /// Does what is due.
    pub(super) fn keep_house(&self, looks: &mut Looks) {
        self.adopt(looks);
        let purged_at = self.purged_at.load(Ordering::Relaxed);
        // Also where the clock was put back behind the last time.
        let since = self.clock.now().as_micros() - purged_at;
        if !(0..PURGE_EVERY).contains(&since) {
            self.purge_exports();
        }
    }

    fn purge_exports(&self) {
        let now = self.clock.now();
        self.purged_at.store(now.as_micros(), Ordering::Relaxed);
        if matches!(self.disk.folder_stamp(names::job_dir()), Ok(Some(_))) {
            let mut tell = |event: &Event| Ok(self.append_own(event).is_ok());
            drop(Folder(&*self.disk).purge(now, &mut tell));
        }
    }

    /// Appends an event of the store's own, durably.
    fn append_own(&self, event: &Event) -> Result<()> {
        let row = Prepared::new(event, None, None, &self.rules, self.texts.take())?;
        self.commit_one(row, Durability::Durable).map(drop)
    }
}
