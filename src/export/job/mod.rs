//! Exports as durable jobs: started once for a key, worked on by whoever asks for that, gone on with
//! at the byte after a kill, kept for some days and then purged. A job names its snapshot, so the
//! file is the same bytes whoever makes it, how often it was interrupted and whatever is appended or
//! merged meanwhile. What a process leaves behind is told in `docs/format/job.md`.

#[cfg(feature = "zip")]
mod archive;
#[cfg(not(feature = "zip"))]
#[path = "unarchived.rs"]
mod archive;
mod ask;
mod part;
mod run;
mod status;
#[cfg(test)]
mod tests;
mod watch;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::ExportAudit;
use super::audit::Keep;
use crate::disk::Disk;
use crate::disk::clock::SystemClock;
use crate::disk::names;
use crate::disk::real::RealDisk;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Performer;
use crate::id::ExportId;
use crate::jobs;
use crate::jobs::Folder;
use crate::jobs::Record;
use crate::jobs::State;
use crate::layout::LocalZone;
use crate::options::ReadMode;
use crate::snapshot::Snapshot;
use crate::store::Reader;
use crate::store::Store;
use crate::time::Clock;
use crate::time::Time;

pub use status::ExportJob;
pub use status::ExportJobState;

/// The export jobs of a store.
///
/// ```
/// use auditdb::{Event, Export, ExportJobOptions, ExportJobState, ExportJobs, Options, Query, Store};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-jobs-{}", std::process::id()));
///
/// let store = Store::open(&folder, Options::default())?;
/// store.append(&Event::new("user.created"))?;
///
/// let jobs = ExportJobs::in_store(&store)?;
/// let nightly = ExportJobOptions { key: Some("nightly-2026-05-17".into()), ..Default::default() };
/// let id = jobs.start(&Export::default(), &Query::default(), &nightly)?.id;
/// // After a crash the same two calls go on where it was interrupted.
/// let job = jobs.run(id, &mut |_| std::ops::ControlFlow::Continue(()))?;
/// assert_eq!((job.state, job.rows, job.audited), (ExportJobState::Ready, 1, true));
/// assert_eq!(std::fs::read(job.file.expect("its file"))?.len() as u64, job.bytes);
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ExportJobs<'s> {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    keep: Keep<'s>,
    require_audit: bool,
    zones: Arc<Zones>,
    /// Rows after which the file is made durable.
    step_rows: u64,
}

/// How a job is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportJobOptions {
    /// A name of the caller's under which the job is started once: starting it again gives the job
    /// that there is. Without one each start is a job of its own.
    pub key: Option<String>,
    /// For whom the export is made, in the trail's records of it.
    pub performer: Performer,
    /// How long the file is kept once it is made; 7 days by default.
    pub keep: Duration,
    /// The file is a zip archive with the export in it and a manifest, as
    /// [`Export::to_zip`](crate::Export::to_zip) makes it.
    pub zip: bool,
    /// Of an archive: begin a new file in it after so many rows.
    pub rows_per_file: Option<u64>,
}

/// Where time zones are found by name.
type Zones = dyn Fn(&str) -> Option<LocalZone> + Send + Sync;

/// Rows after which a job's file is made durable, a multiple of what one thread packs at a time: some
/// 45 MiB of usual events, beside which a sync and a record are nothing.
const STEP_ROWS: u64 = 64 << 10;
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Default for ExportJobOptions {
    fn default() -> ExportJobOptions {
        ExportJobOptions {
            key: None,
            performer: Performer::new("system"),
            keep: 7 * DAY,
            zip: false,
            rows_per_file: None,
        }
    }
}

impl<'s> ExportJobs<'s> {
    /// The jobs of an open store, which records them.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the store's folder cannot be used.
    pub fn in_store(store: &'s Store) -> Result<ExportJobs<'s>> {
        let disk = Arc::new(RealDisk::open(store.path())?);
        let clock = Arc::new(SystemClock);
        Ok(ExportJobs::on(disk, clock, Keep::Store(store)))
    }

    /// The jobs of the store in this folder, which may be open elsewhere. It is opened for writing for
    /// a moment where something is to be recorded, or the record is left for whoever has it open.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn in_folder(path: impl AsRef<Path>) -> Result<ExportJobs<'static>> {
        let path = path.as_ref();
        Reader::open(path, ReadMode::default())?;
        let disk = Arc::new(RealDisk::open(path)?);
        let clock = Arc::new(SystemClock);
        Ok(ExportJobs::on(disk, clock, Keep::Folder(path.to_owned())))
    }

    pub(super) fn on(disk: Arc<dyn Disk>, clock: Arc<dyn Clock>, keep: Keep<'s>) -> ExportJobs<'s> {
        ExportJobs {
            disk,
            clock,
            keep,
            require_audit: false,
            zones: Arc::new(|_| None),
            step_rows: STEP_ROWS,
        }
    }

    /// Makes no file that the trail does not tell of: a job fails where its record cannot be kept.
    #[must_use]
    pub fn require_audit(self) -> ExportJobs<'s> {
        ExportJobs {
            require_audit: true,
            ..self
        }
    }

    /// Says where time zones are found by name: a job keeps the name of its zone alone, and whoever works
    /// on it must know the zone. Without this, only UTC is known.
    ///
    /// ```
    /// # use auditdb::{Audience, Export, ExportJobs, Format, LocalZone, Options, Query, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-zones-{}", std::process::id()));
    /// # let store = Store::open(&folder, Options::default())?;
    /// let india = || LocalZone::new("Asia/Kolkata", |_| 5 * 3600 + 1800);
    /// let jobs = ExportJobs::in_store(&store)?;
    /// let jobs = jobs.zones(move |name| (name == "Asia/Kolkata").then(india));
    /// let audience = Audience { zone: india(), ..Audience::default() };
    /// let export = Export { format: Format::Csv, audience, ..Export::default() };
    /// let id = jobs.start(&export, &Query::default(), &Default::default())?.id;
    /// # let _ = jobs.run(id, &mut |_| std::ops::ControlFlow::Continue(()))?;
    /// # drop(jobs);
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    #[must_use]
    pub fn zones(
        self,
        find: impl Fn(&str) -> Option<LocalZone> + Send + Sync + 'static,
    ) -> ExportJobs<'s> {
        ExportJobs {
            zones: Arc::new(find),
            ..self
        }
    }

    /// What is known of a job.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] if there is none of this name; [`ErrorKind::Corrupt`] if its record
    /// is damaged.
    pub fn status(&self, id: ExportId) -> Result<ExportJob> {
        let record = jobs::read(&*self.disk, id)?;
        self.tell(id, &record)
    }

    /// Every job, sorted by when it was started. One whose record cannot be read is an error among
    /// them, behind all others, and hides none.
    ///
    /// # Errors
    /// What reading the folder gives.
    pub fn list(&self) -> Result<Vec<Result<ExportJob>>> {
        let ids = jobs::list(&*self.disk)?.into_iter();
        let mut jobs: Vec<Result<ExportJob>> = ids.map(|id| self.status(id)).collect();
        jobs.sort_by_key(|job| match job {
            Ok(job) => (false, Some((job.created_at, job.id))),
            Err(_) => (true, None),
        });
        Ok(jobs)
    }

    /// Gives a job up: at once where nobody works on it, else as soon as whoever does so looks.
    /// A job that came to its end stays as it is.
    ///
    /// # Errors
    /// As [`ExportJobs::status`], and what the disk gives.
    pub fn cancel(&self, id: ExportId) -> Result<ExportJob> {
        let folder = self.folder();
        let record = jobs::read(folder.0, id)?;
        if record.state.is_open() {
            folder.ask_to_cancel(id)?;
            let file = folder.lock(id, &record.ending())?;
            let mut record = jobs::read(folder.0, id)?;
            if !record.state.is_open() {
                // It came to its end meanwhile.
                folder.forget_cancel(id)?;
                if file.is_some() {
                    folder.remove_file(&names::export_part(id))?;
                }
            } else if file.is_some() {
                self.give_up(id, &mut record)?;
            }
            drop(file);
        }
        self.status(id)
    }

    /// Removes the files whose time has come, and what jobs that were cancelled left. The events are
    /// untouched, and the records stay, as `expired`. Gives the jobs whose files went.
    ///
    /// # Errors
    /// What the disk gives, and what keeping the records of it gives where they are required.
    pub fn purge(&self) -> Result<Vec<ExportJob>> {
        let mut tell = |event: &Event| self.allow(self.keep.append(event));
        let purged = self.folder().purge(self.clock.now(), &mut tell)?;
        purged.into_iter().map(|id| self.status(id)).collect()
    }

    /// Ends a job that is to be cancelled, with its file locked.
    fn give_up(&self, id: ExportId, record: &mut Record) -> Result<()> {
        let folder = self.folder();
        record.state = State::Cancelled;
        record.ended_at = Some(self.clock.now().to_string());
        let told = folder.replace(id, record);
        if told.as_ref().is_err_and(|error| !error.is_full()) {
            return told;
        }
        // Also under its own name: whoever made it may have ended before the record said so.
        folder.remove_file(&names::export(id, &record.ending()))?;
        folder.remove_file(&names::export_part(id))?;
        folder.remove_file(&names::export_archive_part(id))?;
        // Where the disk was full, there is room now; a job whose files are gone begins anew.
        told.or_else(|_| folder.replace(id, record))?;
        folder.forget_cancel(id)
    }

    fn audit(&self, record: &Record) -> Result<ExportAudit<'s>> {
        Ok(ExportAudit::by(self.keep.clone(), record.performer()?))
    }

    fn folder(&self) -> Folder<'_> {
        Folder(&*self.disk)
    }

    /// The store as it is now.
    fn snapshot(&self) -> Result<Snapshot> {
        match &self.keep {
            Keep::Store(store) => Ok(store.snapshot()),
            Keep::Folder(path) => Reader::open(path, ReadMode::default())?.snapshot(),
        }
    }

    fn place(&self, path: &Path) -> PathBuf {
        self.disk.place(path)
    }
}

fn time(text: Option<&str>) -> Option<Time> {
    text?.parse().ok()
}
