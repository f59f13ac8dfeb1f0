//! What a job says about itself.

use std::path::PathBuf;

use super::ExportJobs;
use super::time;
use crate::disk::names;
use crate::error::Error;
use crate::error::Result;
use crate::export::MissingGlyphs;
use crate::id::EventId;
use crate::id::ExportId;
use crate::jobs::Record;
use crate::jobs::State;
use crate::query::Cursor;
use crate::time::Time;

/// An export job, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportJob {
    /// Its name.
    pub id: ExportId,
    /// The key under which it was started.
    pub key: Option<String>,
    /// How far it is.
    pub state: ExportJobState,
    /// Why it failed; running it again goes on at the same byte.
    pub reason: Option<String>,
    /// Events in its file so far, durably.
    pub rows: u64,
    /// Bytes of its file so far, durably.
    pub bytes: u64,
    /// SHA-256 of those bytes, in hexadecimal.
    pub sha256: String,
    /// How much of the store's time range was walked through, from 0 to 1, by the bounds of segments.
    pub progress: f64,
    /// Rows that the file will have if the rest of the store is as what was walked through; exact once
    /// the job is ready, and `None` as long as nothing is known.
    pub rows_estimate: Option<u64>,
    /// Nothing follows behind the file; known once the job is ready.
    pub complete: Option<bool>,
    /// Where the next part begins, of a job that its limit cut.
    pub next_cursor: Option<Cursor>,
    /// Events of the snapshot that is exported.
    pub snapshot_seq: u64,
    /// The first event in the file.
    pub first: Option<EventId>,
    /// The last event in the file.
    pub last: Option<EventId>,
    /// When it was started.
    pub created_at: Time,
    /// When it came to its end.
    pub ended_at: Option<Time>,
    /// When its file may be purged.
    pub expires_at: Option<Time>,
    /// The file, once the job is ready; `None` also where it is gone.
    pub file: Option<PathBuf>,
    /// The trail tells of the export, from its beginning to its end so far.
    pub audited: bool,
    /// Characters that a PDF shows by their numbers so far, because no font had them.
    pub missing_glyphs: MissingGlyphs,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExportJobState {
    /// Nobody works on it; some of its file may be there already.
    Queued,
    /// A process works on it.
    Running,
    /// Its file is whole.
    Ready,
    /// It met an error; running it again goes on.
    Failed,
    /// It was given up.
    Cancelled,
    /// Its file's time is over.
    Expired,
}

impl ExportJobState {
    /// The state's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ExportJobState::Queued => "queued",
            ExportJobState::Running => "running",
            ExportJobState::Ready => "ready",
            ExportJobState::Failed => "failed",
            ExportJobState::Cancelled => "cancelled",
            ExportJobState::Expired => "expired",
        }
    }

    /// Whether nothing more comes of the job.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(
            self,
            ExportJobState::Ready | ExportJobState::Cancelled | ExportJobState::Expired
        )
    }
}

impl ExportJobs<'_> {
    pub(super) fn tell(&self, id: ExportId, record: &Record) -> Result<ExportJob> {
        let odd = |what: &str| Error::corrupt(&self.place(&names::job(id)), 0, what);
        let created_at =
            time(Some(&record.created_at)).ok_or_else(|| odd("created_at: no time"))?;
        let reached = &record.reached;
        let event = |text: &Option<String>| text.as_ref().and_then(|id| id.parse().ok());
        let expires_at = time(record.expires_at.as_deref());
        let state = match record.state {
            State::Running | State::Queued
                if self.folder().is_worked_on(id, &record.ending())? =>
            {
                ExportJobState::Running
            }
            State::Running | State::Queued => ExportJobState::Queued,
            State::Ready if expires_at.is_some_and(|at| at <= self.clock.now()) => {
                ExportJobState::Expired
            }
            State::Ready => ExportJobState::Ready,
            State::Failed => ExportJobState::Failed,
            State::Cancelled => ExportJobState::Cancelled,
            State::Expired => ExportJobState::Expired,
        };
        let named = names::export(id, &record.ending());
        let has_file = state == ExportJobState::Ready && self.disk.len(&named)?.is_some();
        let cursor = reached.cursor.as_ref();
        Ok(ExportJob {
            id,
            key: record.key.clone(),
            state,
            reason: record.reason.clone(),
            rows: reached.rows,
            bytes: record.made().0,
            sha256: record.made().1.to_owned(),
            progress: progress(record),
            rows_estimate: estimate(record),
            complete: reached.whole.then_some(cursor.is_none()),
            next_cursor: cursor
                .filter(|_| reached.whole)
                .and_then(|cursor| cursor.parse().ok()),
            snapshot_seq: record.snapshot_seq,
            first: event(&reached.first),
            last: event(&reached.last),
            created_at,
            ended_at: time(record.ended_at.as_deref()),
            expires_at,
            file: has_file.then(|| self.place(&named)),
            audited: record.audited,
            missing_glyphs: MissingGlyphs::of_record(reached.missing_glyphs.as_ref()),
        })
    }
}

fn progress(record: &Record) -> f64 {
    if record.reached.whole {
        return 1.0;
    }
    let part = |done: u64, all: u64| (done as f64 / all.max(1) as f64).min(1.0);
    let walked = part(record.reached.rows_passed, record.rows_in_range);
    let limited = record
        .asked
        .limit
        .map(|limit| part(record.reached.rows, limit));
    walked.max(limited.unwrap_or(0.0))
}

fn estimate(record: &Record) -> Option<u64> {
    let reached = &record.reached;
    if reached.whole {
        return Some(reached.rows);
    }
    if reached.rows_passed == 0 {
        return None;
    }
    let rows = u128::from(reached.rows) * u128::from(record.rows_in_range);
    let rows = rows / u128::from(reached.rows_passed);
    let rows = u64::try_from(rows).unwrap_or(u64::MAX).max(reached.rows);
    Some(record.asked.limit.map_or(rows, |limit| rows.min(limit)))
}
