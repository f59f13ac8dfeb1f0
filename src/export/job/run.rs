//! Work on a job, step by step. After each step the file is synced, and then the record says how far
//! it is; a process that goes on cuts the file there. Steps end at the same rows whoever makes them,
//! so that packed files, too, are the same bytes however often the work was interrupted.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::json;

use super::ExportJob;
use super::ExportJobs;
use super::archive;
use super::ask;
use super::part;
use super::part::Part;
use super::time;
use super::watch::Ended;
use super::watch::Watch;
use crate::disk::File;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Outcome;
use crate::export::AuditedExport;
use crate::export::Export;
use crate::export::ExportReport;
use crate::export::Format;
use crate::export::MissingGlyphs;
use crate::id::ExportId;
use crate::jobs;
use crate::jobs::ChunkRecord;
use crate::jobs::Folder;
use crate::jobs::Reached;
use crate::jobs::Record;
use crate::jobs::State;
use crate::query::Query;
use crate::snapshot::Snapshot;
use crate::time::Time;

/// A job that is being worked on, with its file locked.
pub(super) struct Work<'w> {
    pub(super) folder: Folder<'w>,
    pub(super) id: ExportId,
    pub(super) record: Record,
    pub(super) export: Export,
    query: Query,
    snapshot: Snapshot,
    step_rows: u64,
}

impl<'s> ExportJobs<'s> {
    /// Works on a job until its file is whole, from where anybody came with it before. One that came
    /// to its end is left as it is. `watch` is told the number of rows now and then and may end the
    /// work, which then goes on from the last row that was made durable, whoever runs the job next.
    ///
    /// Where the trail cannot be told of the export, the job's `audited` says so, unless
    /// [`ExportJobs::require_audit`] makes that an error.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] while another process works on the job; as [`Export::run`], and what the
    /// disk gives. Then the job is `failed`, which running it again changes.
    pub fn run(
        &self,
        id: ExportId,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ExportJob> {
        let folder = self.folder();
        // A job whose work is over has no unfinished file, and gets none.
        let record = jobs::read(folder.0, id)?;
        if !record.state.is_open() {
            return self.status(id);
        }
        folder.make()?;
        let Some(file) = folder.lock(id, &record.ending())? else {
            let what = format!("another process works on job {id}");
            return Err(Error::new(ErrorKind::Locked, what));
        };
        let mut record = jobs::read(folder.0, id)?;
        if !record.state.is_open() {
            folder.remove_file(&names::export_part(id))?;
            return self.status(id);
        }
        if folder.is_asked_to_cancel(id)? {
            self.give_up(id, &mut record)?;
            return self.status(id);
        }
        record.state = State::Running;
        record.reason = None;
        folder.replace(id, &record)?;
        // Locked, under whichever name, until the last word about it is in the record.
        let file: Arc<dyn File> = Arc::from(file);
        let worked = self.work(id, record, Arc::clone(&file), watch);
        if let Err(error) = &worked {
            drop(self.make_room(id, &*file));
            self.note_failure(id, error);
        }
        drop(file);
        worked.and_then(|()| self.status(id))
    }

    fn work(
        &self,
        id: ExportId,
        record: Record,
        file: Arc<dyn File>,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut work = Work {
            folder: self.folder(),
            id,
            export: self.asked_export(&record)?,
            query: ask::asked_query(&record)?,
            snapshot: snapshot_of(self.snapshot()?, &record)?,
            step_rows: self.step_rows,
            record,
        };
        let audited = self.begin_audit(&mut work)?;
        let mut watch = Watch::of(work.folder, id, watch);
        let made = work.make(file, &mut watch);
        match watch.end_of(made)? {
            Ended::Cancelled => {
                if let Some(audited) = audited {
                    self.allow(audited.failed("cancelled"))?;
                }
                return self.give_up(id, &mut work.record);
            }
            Ended::Interrupted => {
                work.folder.remove_file(&names::export_archive_part(id))?;
                work.record.state = State::Queued;
                return work.folder.replace(id, &work.record);
            }
            Ended::Whole => {}
        }
        let told = match &audited {
            Some(audited) => self.allow(tell_of_end(audited, &work.record))?,
            None => false,
        };
        let now = self.clock.now();
        let record = &mut work.record;
        record.audited = told;
        record.state = State::Ready;
        record.ended_at = Some(now.to_string());
        let keep = i64::try_from(record.keep_seconds).unwrap_or(i64::MAX);
        let expires = now
            .as_micros()
            .saturating_add(keep.saturating_mul(1_000_000));
        record.expires_at = Some(Time::saturating_from_micros(expires).to_string());
        work.folder.replace(id, &work.record)?;
        work.folder.remove_file(&names::export_part(id))?;
        work.folder.forget_cancel(id)
    }

    /// Records that the job began; whoever goes on with it gives the same record again.
    fn begin_audit(&self, work: &mut Work<'_>) -> Result<Option<AuditedExport<'s>>> {
        let audit = self.audit(&work.record)?;
        let begun = audit
            .named(work.id, &work.export, &work.snapshot, &work.query)?
            .of_job(&work.record.created_at);
        let told = self.allow(begun.started())?;
        work.record.audited = told;
        Ok(told.then_some(begun))
    }

    /// Whether something was recorded; that it was not is an error where it has to be.
    pub(super) fn allow(&self, recorded: Result<()>) -> Result<bool> {
        match recorded {
            Ok(()) => Ok(true),
            Err(error) if self.require_audit => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Gives back what a job that failed holds and nobody can go on with: bytes behind those that its
    /// record counts, and the archive that it was packing. On a full disk nothing else could be written.
    fn make_room(&self, id: ExportId, file: &dyn File) -> Result<()> {
        let folder = self.folder();
        let reached = jobs::read(folder.0, id)?.reached.bytes;
        if file.len()? > reached {
            file.set_len(reached)?;
        }
        folder.remove_file(&names::export_archive_part(id))
    }

    /// What cannot be noted stands in the error that is returned all the same.
    fn note_failure(&self, id: ExportId, error: &Error) {
        let folder = self.folder();
        let Ok(mut record) = jobs::read(folder.0, id) else {
            return;
        };
        record.state = State::Failed;
        record.reason = Some(error.to_string());
        drop(folder.replace(id, &record));
        let told = || -> Result<()> {
            let (export, query) = (self.asked_export(&record)?, ask::asked_query(&record)?);
            let audit = self.audit(&record)?;
            let begun = audit.named(
                id,
                &export,
                &snapshot_of(self.snapshot()?, &record)?,
                &query,
            )?;
            begun.failed(&error.to_string())
        };
        drop(told());
    }
}

impl Work<'_> {
    /// Makes the file whole, step by step, and gives it its name.
    fn make(&mut self, file: Arc<dyn File>, watch: &mut Watch<'_>) -> Result<()> {
        let ending = self.record.ending();
        let named = names::export(self.id, &ending);
        let reached = &self.record.reached;
        let rows = reached.rows;
        let is_made =
            reached.whole && (self.record.asked.zip.is_none() || reached.archive.is_some());
        let (bytes, sha256) = self.record.made();
        let mut goes_on = || watch.ask(rows);
        if is_made && part::is_whole(self.folder.0, &named, bytes, sha256, &mut goes_on)? {
            // It got its name, and the process ended before the record said so.
            return Ok(());
        }
        let mut part = Part::resume(file, reached, &mut goes_on)?;
        if part.bytes() != self.record.reached.bytes {
            self.record.reached = Reached::default();
            self.folder.replace(self.id, &self.record)?;
        }
        // The name must be there before a record counts on what is in the file.
        self.folder.0.sync_dir(names::export_dir())?;
        while !self.record.reached.whole {
            let report = self.step(&mut part, watch)?;
            part.sync()?;
            self.reach(&part, &report)?;
            self.folder.replace(self.id, &self.record)?;
        }
        if self.record.asked.zip.is_none() {
            return self.folder.publish(self.id, &ending);
        }
        let rows = self.record.reached.rows;
        self.record.reached.archive = Some(archive::make(self, &part, &mut || watch.ask(rows))?);
        self.folder.replace(self.id, &self.record)
    }

    fn step(&self, part: &mut Part, watch: &mut Watch<'_>) -> Result<ExportReport> {
        let reached = &self.record.reached;
        let left = self.export.rows_max().saturating_sub(reached.rows);
        let is_document = self.export.format == Format::Pdf;
        let rows = match is_document {
            true => self.chunk_rows(),
            false => self.step_rows.min(self.chunk_left()),
        };
        let step = Export {
            limit: Some(left.min(rows)),
            header: self.export.header && (reached.cursor.is_none() || is_document),
            ..self.export.clone()
        };
        let cursor = reached.cursor.as_ref().map(|cursor| cursor.parse());
        let query = Query {
            cursor: cursor.transpose()?,
            ..self.query.clone()
        };
        let mut asked = Ok(());
        let report = step.run_watched(&self.snapshot, &query, part, &mut |rows| {
            asked = watch.ask(reached.rows + rows);
            match asked {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        asked.map(|()| report)
    }

    /// Rows of a file in the archive, where there is one.
    fn chunk_rows(&self) -> u64 {
        let zip = self.record.asked.zip.as_ref();
        zip.and_then(|zip| zip.rows_per_file).unwrap_or(u64::MAX)
    }

    /// Rows that are missing from the last of them; all, where the next one begins.
    fn chunk_left(&self) -> u64 {
        let last = self
            .record
            .reached
            .chunks
            .last()
            .map_or(0, |chunk| chunk.rows);
        match self.chunk_rows().saturating_sub(last) {
            0 => self.chunk_rows(),
            left => left,
        }
    }

    /// Notes what a step added to the files in the archive.
    fn count_in_chunk(&mut self, bytes: u64, report: &ExportReport) {
        let rows_max = self.chunk_rows();
        let reached = &mut self.record.reached;
        let (first, last) = (report.first, report.last.map(|id| id.to_string()));
        match reached.chunks.last_mut() {
            // A document is whole, also where its pages were full before the rows were.
            Some(chunk) if chunk.rows < rows_max && self.export.format != Format::Pdf => {
                chunk.rows += report.rows;
                chunk.bytes += bytes;
                chunk.last = last.or(chunk.last.take());
            }
            _ => reached.chunks.push(ChunkRecord {
                rows: report.rows,
                bytes,
                cursor: reached.cursor.clone(),
                first: first.map(|id| id.to_string()),
                last,
            }),
        }
    }

    /// Notes how far the file is.
    fn reach(&mut self, part: &Part, report: &ExportReport) -> Result<()> {
        let rows_passed = match report.last {
            Some(last) => self
                .snapshot
                .rows_passed(&self.query, Some(last.position()))?,
            None => self.record.rows_in_range,
        };
        let rows = self.record.reached.rows + report.rows;
        self.export.refuse_overflow(!report.complete, rows)?;
        let limited = rows >= self.export.rows_max();
        if self.record.asked.zip.is_some() {
            self.count_in_chunk(part.bytes() - self.record.reached.bytes, report);
        }
        let reached = &mut self.record.reached;
        let mut missing = MissingGlyphs::of_record(reached.missing_glyphs.as_ref());
        missing.add_all(&report.missing_glyphs);
        *reached = Reached {
            rows,
            bytes: part.bytes(),
            sha256: part.sha256(),
            cursor: report.next_cursor.map(|cursor| cursor.to_string()),
            rows_passed,
            first: reached
                .first
                .take()
                .or(report.first.map(|id| id.to_string())),
            last: report.last.map(|id| id.to_string()).or(reached.last.take()),
            whole: report.complete || limited,
            chunks: core::mem::take(&mut reached.chunks),
            archive: None,
            missing_glyphs: missing.to_record(),
        };
        Ok(())
    }
}

fn tell_of_end(audited: &AuditedExport<'_>, record: &Record) -> Result<()> {
    let reached = &record.reached;
    let came_of_it = json!({
        "rows": reached.rows,
        "bytes": record.made().0,
        "sha256": record.made().1,
        "files": reached.chunks.len().max(1),
        "complete": reached.cursor.is_none(),
        "first": reached.first,
        "last": reached.last,
    });
    let ended = |event: Event| event.outcome(Outcome::Success);
    audited.record("audit.exported", came_of_it, ended)
}

/// The snapshot that a job is of.
fn snapshot_of(now: Snapshot, record: &Record) -> Result<Snapshot> {
    if now.store_id().to_string() != record.store {
        let what = "the job was started for another store";
        return Err(Error::new(ErrorKind::CursorForeign, what));
    }
    if now.seq_count() < record.snapshot_seq {
        let what = format!(
            "the job is of {} events and the store has {}: it was put back to an older state",
            record.snapshot_seq,
            now.seq_count()
        );
        return Err(Error::new(ErrorKind::CursorAhead, what));
    }
    Ok(now.as_of(
        record.snapshot_seq,
        time(record.complete_through.as_deref()),
    ))
}
