//! Where records and files of jobs lie, and the steps by which they change. A job belongs to whoever
//! has its unfinished file locked; a crash leaves the record as it was before the last step.

use std::path::Path;
use std::thread;
use std::time::Duration;

use super::Record;
use crate::disk::Disk;
use crate::disk::File;
use crate::disk::ReadDisk;
use crate::disk::durable;
use crate::disk::durable::Draft;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::ExportId;
use crate::limits;

/// How often a lock is tried, and how long is waited in between.
const LOCK_TRIES: usize = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// Every job's name, sorted.
pub(crate) fn list(disk: &dyn ReadDisk) -> Result<Vec<ExportId>> {
    let entries = match disk.list(names::job_dir()) {
        Err(error) if error.kind() == ErrorKind::Missing => Vec::new(),
        entries => entries?,
    };
    let mut found: Vec<ExportId> = entries
        .iter()
        .filter(|entry| !entry.is_dir)
        .filter_map(|entry| names::job_id(&entry.name))
        .collect();
    found.sort_unstable();
    Ok(found)
}

/// A job's record.
pub(crate) fn read(disk: &dyn ReadDisk, id: ExportId) -> Result<Record> {
    let path = names::job(id);
    let bytes = durable::read(disk, &path, limits::JOB_BYTES).map_err(|error| {
        if error.kind() != ErrorKind::Missing {
            return error;
        }
        let what = format!("there is no job {id}");
        Error::new(ErrorKind::OutOfRange, what).in_file(&disk.place(&path))
    })?;
    let record = Record::decode(&disk.place(&path), &bytes)?;
    if record.id != id.to_string() {
        let what = format!("the record is of the job {}", record.id);
        return Err(Error::corrupt(&disk.place(&path), 0, what));
    }
    Ok(record)
}

/// The jobs of the store on a disk.
#[derive(Clone, Copy)]
pub(crate) struct Folder<'d>(pub(crate) &'d dyn Disk);

impl Folder<'_> {
    /// Makes the folders that jobs need.
    pub(crate) fn make(self) -> Result<()> {
        durable::create_dir(self.0, names::job_dir())?;
        durable::create_dir(self.0, names::export_dir())
    }

    /// Keeps the record of a job that is new; [`ErrorKind::Exists`] if it is not.
    pub(crate) fn add(self, id: ExportId, record: &Record) -> Result<()> {
        let mut draft = Draft::begin_beside(self.0, &names::job(id))?;
        draft.write(&record.encode()?)?;
        draft.publish_new()
    }

    /// Keeps the record of a job in the place of the one before.
    pub(crate) fn replace(self, id: ExportId, record: &Record) -> Result<()> {
        let mut draft = Draft::begin_beside(self.0, &names::job(id))?;
        draft.write(&record.encode()?)?;
        draft.publish()
    }

    /// The unfinished file of a job whose file ends so, for whoever works on the job; `None` while
    /// another does.
    pub(crate) fn lock(self, id: ExportId, ending: &str) -> Result<Option<Box<dyn File>>> {
        let part = names::export_part(id);
        for _ in 0..LOCK_TRIES {
            if let Some(file) = self.0.lock(&part)? {
                // What is locked may have got its name a moment ago, and be another's work by now.
                if !file.is_in_place()? {
                    return Ok(None);
                }
                // Whoever made the file has it locked under its name until the record says so.
                if self.is_locked(&names::export(id, ending))? {
                    self.forget(&part)?;
                    return Ok(None);
                }
                return Ok(Some(file));
            }
            // Whoever looks whether it is locked keeps it from being locked for that moment.
            thread::sleep(LOCK_PAUSE);
        }
        Ok(None)
    }

    /// Whether some process works on a job.
    pub(crate) fn is_worked_on(self, id: ExportId, ending: &str) -> Result<bool> {
        Ok(self.is_locked(&names::export_part(id))?
            || self.is_locked(&names::export(id, ending))?)
    }

    fn is_locked(self, path: &Path) -> Result<bool> {
        if self.0.len(path)?.is_none() {
            return Ok(false);
        }
        match self.0.is_locked(path) {
            Err(error) if error.kind() == ErrorKind::Missing => Ok(false),
            looked => looked,
        }
    }

    /// Gives the unfinished file its name.
    pub(crate) fn publish(self, id: ExportId, ending: &str) -> Result<()> {
        self.0
            .rename(&names::export_part(id), &names::export(id, ending))?;
        self.0.sync_dir(names::export_dir())
    }

    /// Removes what there is of a job's file.
    pub(crate) fn remove_file(self, path: &Path) -> Result<()> {
        match self.0.unlink(path) {
            Err(error) if error.kind() == ErrorKind::Missing => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.0.sync_dir(names::export_dir()),
        }
    }

    /// Removes a draft or a note. Not durable: what comes back goes again.
    pub(crate) fn forget(self, path: &Path) -> Result<()> {
        match self.0.unlink(path) {
            Err(error) if error.kind() == ErrorKind::Missing => Ok(()),
            removed => removed,
        }
    }

    /// Notes that a job is to be given up.
    pub(crate) fn ask_to_cancel(self, id: ExportId) -> Result<()> {
        match self.0.create_new(&names::job_cancel(id)) {
            Err(error) if error.kind() == ErrorKind::Exists => Ok(()),
            Err(error) => Err(error),
            Ok(_) => self.0.sync_dir(names::job_dir()),
        }
    }

    /// Whether a job is to be given up.
    pub(crate) fn is_asked_to_cancel(self, id: ExportId) -> Result<bool> {
        Ok(self.0.len(&names::job_cancel(id))?.is_some())
    }

    /// Removes the note that a job is to be given up.
    pub(crate) fn forget_cancel(self, id: ExportId) -> Result<()> {
        self.forget(&names::job_cancel(id))
    }

    /// Removes the drafts of records whose processes ended.
    pub(crate) fn remove_drafts(self) -> Result<()> {
        let is_draft = |name: &str| names::job_of_draft(name).is_some();
        durable::remove_dead_drafts(self.0, names::job_dir(), is_draft)
    }
}
