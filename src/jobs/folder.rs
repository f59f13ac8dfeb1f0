//! Where records and files of jobs lie, and the steps by which they change. A job belongs to whoever
//! has its unfinished file locked; a crash leaves the record as it was before the last step.

use std::path::Path;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::Record;
use crate::disk::Disk;
use crate::disk::File;
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

/// The jobs of the store on a disk.
#[derive(Clone, Copy)]
pub(crate) struct Folder<'d>(pub(crate) &'d dyn Disk);

impl Folder<'_> {
    /// Makes the folders that jobs need.
    pub(crate) fn make(self) -> Result<()> {
        durable::create_dir(self.0, names::job_dir())?;
        durable::create_dir(self.0, names::export_dir())
    }

    /// Every job's name, sorted.
    pub(crate) fn list(self) -> Result<Vec<ExportId>> {
        let entries = match self.0.list(names::job_dir()) {
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
    pub(crate) fn read(self, id: ExportId) -> Result<Record> {
        let path = names::job(id);
        let bytes = durable::read(self.0, &path, limits::JOB_BYTES).map_err(|error| {
            if error.kind() != ErrorKind::Missing {
                return error;
            }
            let what = format!("there is no job {id}");
            Error::new(ErrorKind::OutOfRange, what).in_file(&self.0.place(&path))
        })?;
        let record = Record::decode(&self.0.place(&path), &bytes)?;
        if record.id != id.to_string() {
            let what = format!("the record is of the job {}", record.id);
            return Err(Error::corrupt(&self.0.place(&path), 0, what));
        }
        Ok(record)
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

    /// The unfinished file of a job, for whoever works on the job; `None` while another does.
    pub(crate) fn lock(self, id: ExportId) -> Result<Option<Box<dyn File>>> {
        for _ in 0..LOCK_TRIES {
            if let Some(file) = self.0.lock(&names::export_part(id))? {
                // What is locked may have got its name a moment ago, and be another's work by now.
                return Ok(file.is_in_place()?.then_some(file));
            }
            // Whoever looks whether it is locked keeps it from being locked for that moment.
            thread::sleep(LOCK_PAUSE);
        }
        Ok(None)
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

    /// Drafts of records that processes left which ended in the middle of a change, with their jobs.
    pub(crate) fn drafts(self) -> Result<Vec<(ExportId, PathBuf)>> {
        let entries = match self.0.list(names::job_dir()) {
            Err(error) if error.kind() == ErrorKind::Missing => return Ok(Vec::new()),
            entries => entries?,
        };
        let draft = |name: &str| Some((names::job_of_draft(name)?, names::job_dir().join(name)));
        Ok(entries
            .iter()
            .filter_map(|entry| draft(&entry.name))
            .collect())
    }
}
