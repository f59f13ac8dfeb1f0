//! Where records lie, and the steps by which they come and go. A record appears under its name whole and
//! durable; only the store's writer takes one away, after what it tells is durable in the store.

use std::path::PathBuf;

use super::format;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::durable;
use crate::disk::durable::Draft;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::id::StoreId;
use crate::limits;

/// How often a record is begun whose draft a writer removed that was just opening the store.
const TRIES: usize = 5;

/// The names of all records, sorted.
pub(crate) fn list(disk: &dyn ReadDisk) -> Result<Vec<String>> {
    let names = entries(disk)?.into_iter();
    Ok(names
        .filter_map(|file| names::inbox_name(&file).map(str::to_owned))
        .collect())
}

/// The event of a record.
pub(crate) fn read(disk: &dyn ReadDisk, name: &str, store: StoreId) -> Result<Event> {
    let path = names::inbox(name);
    let bytes = durable::read(disk, &path, limits::INBOX_BYTES)?;
    format::decode(&disk.place(&path), name, store, &bytes)
}

/// What lies in the folder and is no folder itself.
fn entries(disk: &dyn ReadDisk) -> Result<Vec<String>> {
    if disk.folder_stamp(names::inbox_dir())?.is_none() {
        return Ok(Vec::new());
    }
    let entries = disk.list(names::inbox_dir())?.into_iter();
    let files = entries.filter(|entry| !entry.is_dir);
    Ok(files.map(|entry| entry.name).collect())
}

/// The inbox of the store on a disk.
#[derive(Clone, Copy)]
pub(crate) struct Inbox<'d>(pub(crate) &'d dyn Disk);

impl Inbox<'_> {
    /// Leaves an event for the store's writer: when this returns, it is durable. One of the same key is
    /// replaced, as it tells the same.
    pub(crate) fn leave(self, store: StoreId, event: &Event) -> Result<()> {
        let path = names::inbox(&format::name(event)?);
        let bytes = format::encode(store, event)?;
        let mut tries = 0;
        loop {
            self.make()?;
            tries += 1;
            let left = Draft::begin_beside(self.0, &path).and_then(|mut draft| {
                draft.write(&bytes)?;
                draft.publish()
            });
            match left {
                Err(error) if error.kind() == ErrorKind::Missing && tries < TRIES => {}
                left => return left,
            }
        }
    }

    /// Makes the folder; what is no folder is not written to, wherever it leads.
    fn make(self) -> Result<()> {
        let made = durable::create_dir(self.0, names::inbox_dir());
        match self.0.folder_stamp(names::inbox_dir())? {
            Some(_) => made,
            None => {
                let what = "nothing can be left for the writer: this is no folder";
                let place = self.0.place(names::inbox_dir());
                Err(Error::new(ErrorKind::Io, what).in_file(&place))
            }
        }
    }

    /// Takes a record away. Not durable: what comes back is known by its key.
    pub(crate) fn remove(self, name: &str) -> Result<()> {
        self.unlink(names::inbox(name))
    }

    /// Removes the drafts of records whose processes ended.
    pub(crate) fn remove_drafts(self) -> Result<()> {
        durable::remove_dead_drafts(self.0, names::inbox_dir(), names::is_inbox_draft)
    }

    fn unlink(self, path: PathBuf) -> Result<()> {
        match self.0.unlink(&path) {
            Err(error) if error.kind() == ErrorKind::Missing => Ok(()),
            removed => removed,
        }
    }
}
