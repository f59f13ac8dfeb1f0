//! Taking over what processes beside the writer left in `inbox/`: each record's event is appended, by its
//! key, and then its file goes. A crash in between appends nothing twice. What cannot be read, or is not
//! for this store, is left as it is and stops nobody; `verify` names it.

use super::Shared;
use crate::disk::names;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::inbox;
use crate::inbox::Inbox;
use crate::limits;

/// What is known of the inbox since it was looked at last.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The folder's stamp at the last look.
    stamp: Option<u64>,
    /// The stamp that the folder had, for a whole look's time, before it was gone through to its end:
    /// nothing is new as long as it has it.
    known: Option<u64>,
    /// As `known`, of the walk that is under way.
    walked: Option<u64>,
    /// The last name that was looked at, where more lie behind it.
    after: Option<String>,
}

impl Shared {
    /// Looks at the inbox, by one look at its folder where nothing is new, and takes over some of what
    /// there is. Looks lie further apart than a tick of the file system's clock.
    pub(super) fn adopt(&self, looks: &mut Looks) {
        let Ok(Some(stamp)) = self.disk.folder_stamp(names::inbox_dir()) else {
            *looks = Looks::default();
            return;
        };
        if looks.known == Some(stamp) || self.check_open().is_err() {
            return;
        }
        let has_rested = looks.stamp.replace(stamp) == Some(stamp);
        if looks.after.is_none() {
            looks.walked = has_rested.then_some(stamp);
        }
        // What fails now is tried again: only a walk that came to its end is believed.
        if let Ok(true) = self.adopt_some(looks) {
            looks.known = looks.walked;
        }
    }

    /// Takes over the next records; whether there are no more behind them.
    fn adopt_some(&self, looks: &mut Looks) -> Result<bool> {
        let inbox = Inbox(&*self.disk);
        let names = inbox::list(inbox.0)?;
        let from = match &looks.after {
            Some(after) => names.partition_point(|name| name <= after),
            None => 0,
        };
        let rest = names.get(from..).unwrap_or_default();
        let (now, later) = rest.split_at(rest.len().min(limits::INBOX_RECORDS));
        for name in now {
            match inbox::read(inbox.0, name, self.base.store) {
                Ok(event) => match self.append_own(&event) {
                    Ok(true) => inbox.remove(name)?,
                    // One that the store's rules refuse, or whose key another event has.
                    Ok(false) => {}
                    // Damage hides whether the store has it: those behind it do not wait.
                    Err(error) if error.kind() == ErrorKind::Corrupt => {}
                    Err(error) => return Err(error),
                },
                // Of the disk nobody knows whether it says so for good: it is looked at again.
                Err(error) if error.kind() == ErrorKind::Io => looks.walked = None,
                Err(error) if error.is_full() => return Err(error),
                Err(_) => {}
            }
        }
        looks.after = now.last().filter(|_| !later.is_empty()).cloned();
        Ok(later.is_empty())
    }
}
