//! The end of exports' files: those whose time has come go, by whoever looks first. The events stay, and
//! so do the records, which say so.

use serde_json::json;

use super::Folder;
use super::Record;
use super::State;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Field;
use crate::event::Performer;
use crate::event::Subject;
use crate::id::ExportId;
use crate::time::Time;

impl Folder<'_> {
    /// Removes the files whose time has come by `now`, and what jobs left that were cancelled or whose
    /// process ended. `tell` is given the event that tells of a file, and gives back whether the trail
    /// has it. Gives the jobs whose files went. A record that cannot be read keeps no other file.
    pub(crate) fn purge(
        self,
        now: Time,
        tell: &mut dyn FnMut(&Event) -> Result<bool>,
    ) -> Result<Vec<ExportId>> {
        let (mut due, mut purged) = (Vec::new(), Vec::new());
        let mut failed = None;
        let mut done = |done: Result<()>| failed = failed.take().or(done.err());
        for id in super::list(self.0)? {
            done(
                super::read(self.0, id).and_then(|record| match record.is_due(now) {
                    true => {
                        due.push(id);
                        Ok(())
                    }
                    false => self.tidy(id, &record),
                }),
            );
        }
        for id in due {
            done(
                self.purge_one(id, now, tell)
                    .map(|gone| purged.extend(gone.then_some(id))),
            );
        }
        self.remove_drafts()?;
        failed.map_or(Ok(purged), Err)
    }

    /// Whether the file of this job is gone, which was due. Telling of the one before may have opened the
    /// store, and its writer may have removed this one, too.
    fn purge_one(
        self,
        id: ExportId,
        now: Time,
        tell: &mut dyn FnMut(&Event) -> Result<bool>,
    ) -> Result<bool> {
        let mut record = super::read(self.0, id)?;
        if record.is_due(now) {
            // First the words, then the deed: where one is cut off, all of it is done again, and the
            // trail, which knows the event by its key, has it once.
            record.audited &= tell(&of_purge(id, &record)?)?;
            record.state = State::Expired;
            self.replace(id, &record)?;
        }
        self.tidy(id, &record)?;
        Ok(record.state == State::Expired)
    }

    /// Removes what a job left that came to its end.
    fn tidy(self, id: ExportId, record: &Record) -> Result<()> {
        if record.state == State::Expired {
            self.remove_file(&names::export(id, &record.ending()))?;
        }
        if !record.state.is_open() && !self.is_worked_on(id, &record.ending())? {
            self.remove_file(&names::export_part(id))?;
            self.remove_file(&names::export_archive_part(id))?;
        }
        Ok(())
    }
}

impl Record {
    /// Whether the time of the job's file has come by `now`.
    fn is_due(&self, now: Time) -> bool {
        let expires: Option<Time> = self.expires_at.as_ref().and_then(|at| at.parse().ok());
        self.state == State::Ready && expires.is_some_and(|at| at <= now)
    }

    /// For whom the job was started.
    pub(crate) fn performer(&self) -> Result<Performer> {
        serde_json::from_value(self.performer.clone()).map_err(|error| {
            let what = "performer: the job's record does not tell it";
            Error::new(ErrorKind::Unsupported, what).with_source(error)
        })
    }
}

/// What the trail is told of a file that goes.
fn of_purge(id: ExportId, record: &Record) -> Result<Event> {
    let data = json!({
        "rows": record.reached.rows,
        "bytes": record.made().0,
        "sha256": record.made().1,
        "expired_at": record.expires_at,
    });
    let event = Event::new("audit.export_purged")
        .performer(record.performer()?)
        .subject(Subject::new("export").id(id.to_string()))
        .data(&data.to_string())?;
    Ok(Event {
        key: Field::Value(format!("audit.export_purged:{id}:{}", record.created_at)),
        ..event
    })
}
