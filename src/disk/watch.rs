//! `LOCK` kept open by somebody who asks again and again whether the writer has gone on: one read of
//! the two slots, and nothing else while they are what they were. Followers in other processes call it.

use crate::disk::Disk;
use crate::disk::File;
use crate::disk::lock;
use crate::disk::names;
use crate::error::Result;

/// What was published when it was last asked for.
pub(crate) struct Watch {
    file: Box<dyn File>,
    slots: [u8; lock::SLOTS],
}

impl Watch {
    /// Begins to watch the file that bears the name now. `None` where no writer has been yet.
    pub(crate) fn begin(disk: &dyn Disk) -> Result<Option<Watch>> {
        if disk.len(names::lock())?.is_none() {
            return Ok(None);
        }
        let file = disk.open_read(names::lock())?;
        if file.len()? < lock::FILE_LEN {
            return Ok(None);
        }
        let mut watch = Watch {
            file,
            slots: [0; lock::SLOTS],
        };
        watch.has_moved()?;
        Ok(Some(watch))
    }

    /// Whether anything was published since it was asked last. Half of what a writer is writing
    /// counts too: whoever looks then finds the point before, and is told again.
    pub(crate) fn has_moved(&mut self) -> Result<bool> {
        let mut slots = [0; lock::SLOTS];
        self.file.read_at(lock::SLOTS_AT, &mut slots)?;
        Ok(core::mem::replace(&mut self.slots, slots) != slots)
    }
}
