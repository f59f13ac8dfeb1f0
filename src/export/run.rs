//! The export's loop: the caller's thread walks the store and hands out batches, a few threads read,
//! format and pack them, and the caller's thread writes the parts in their order; at the end it
//! looks one match ahead.
//!
//! Which rows make up a part follows from the rows alone, never from who was quicker, so equal
//! exports are equal files however many threads made them. Memory is bounded by constants: at most
//! [`IN_FLIGHT`] parts for each thread are under way, each at most [`super::crew::PART_BYTES`] and
//! one row; with all [`THREADS_MAX`] threads that is 48 MiB and 24 rows, on two cores 12 MiB.

use std::io::Write;
use std::ops::ControlFlow;

use super::Compression;
use super::Export;
use super::ExportReport;
use super::Format;
use super::MissingGlyphs;
use super::crew::Crew;
use super::crew::Job;
use super::crew::Maker;
use super::crew::Shift;
use super::pdf;
use super::separate;
use super::sink::Sink;
use crate::codec::buffer::Buffer;
use crate::codec::content::Parts;
use crate::codec::row::Row;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::EventId;
use crate::id::Position;
use crate::query::Batches;
use crate::query::Query;
use crate::snapshot::Snapshot;
use crate::snapshot::no_event;

/// Rows of a batch: enough that handing it over costs nothing beside it, few enough that what is
/// under way stays small. Some 750 KiB of usual events; in frames of half of that Zstandard packs
/// 4 % worse than in one piece.
const BATCH_ROWS: usize = 1024;
/// Parts under way for each thread: the one it makes, one to go on with, and one to be written.
const IN_FLIGHT: usize = 3;
/// Threads of an export at the most, the caller's among them: writing and hashing is one thread's
/// work and keeps up with no more.
const THREADS_MAX: usize = 8;

/// How far an export is.
struct Progress {
    rows: u64,
    first: Option<Position>,
    last: Option<Position>,
}

/// The caller's side of an export: what is handed out and what was written.
struct Combiner<'e, 'w, W: Write> {
    export: &'e Export,
    crew: &'e Crew,
    maker: Maker<'e>,
    batches: Batches,
    sink: Sink<W>,
    watch: &'w mut dyn FnMut(u64) -> ControlFlow<()>,
    /// Batches handed out, and the rows in them.
    given: u64,
    given_rows: u64,
    /// Batches written.
    taken: u64,
    /// The walk has ended, well or with an error that comes behind what was handed out.
    ended: bool,
    failed: Option<Error>,
    progress: Progress,
}

impl Export {
    /// Writes every match of `query` that `snapshot` holds to `out`, from the query's cursor on if
    /// it has one. Uses as many threads as the machine has, up to eight; `out` is written to by the
    /// caller's.
    ///
    /// # Errors
    /// As [`Export::validate`] and [`Snapshot::page`], and [`crate::ErrorKind::Io`] where `out`
    /// fails.
    pub fn run(&self, snapshot: &Snapshot, query: &Query, out: impl Write) -> Result<ExportReport> {
        self.run_watched(snapshot, query, out, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`Export::run`]; `watch` is told the number of rows written now and then and may end the
    /// export between two rows.
    ///
    /// # Errors
    /// As [`Export::run`].
    pub fn run_watched(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        out: impl Write,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ExportReport> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        self.run_on(threads.min(THREADS_MAX), snapshot, query, out, watch)
    }

    /// As [`Export::run_watched`] on this many threads.
    pub(super) fn run_on(
        &self,
        threads: usize,
        snapshot: &Snapshot,
        query: &Query,
        out: impl Write,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ExportReport> {
        self.validate()?;
        if self.format == Format::Pdf {
            return pdf::run(self, snapshot, query, out, watch);
        }
        if let Some(org) = &self.view {
            return self.run_shown(org, snapshot, query, out, watch);
        }
        let crew = Crew::default();
        let batches = snapshot.batches(query)?;
        let mut combiner = Combiner {
            export: self,
            crew: &crew,
            maker: Maker::new(self)?,
            batches,
            sink: Sink::new(out, self.compression)?,
            watch,
            given: 0,
            given_rows: 0,
            taken: 0,
            ended: false,
            failed: None,
            progress: Progress {
                rows: 0,
                first: None,
                last: None,
            },
        };
        let interrupted = std::thread::scope(|scope| {
            let _shift = Shift(&crew);
            let mut helpers = threads.saturating_sub(1);
            let in_flight = if helpers == 0 { 1 } else { threads * IN_FLIGHT };
            while combiner.step(in_flight as u64)? {
                if (combiner.watch)(combiner.progress.rows).is_break() {
                    return Ok(true);
                }
                // What one batch holds is not worth a thread.
                if combiner.given > 1 && helpers > 0 {
                    (0..helpers).for_each(|_| drop(scope.spawn(|| crew.work(self))));
                    helpers = 0;
                }
            }
            Ok(false)
        })?;
        combiner.finish(query, interrupted)
    }

    /// Appends one row from its stored bytes, without making an event of them; `parts` are its own
    /// where the format asks for that, and `first` says that none of this export stands before it.
    pub(super) fn row(
        &self,
        row: &Row<'_>,
        parts: Option<Parts<'_>>,
        first: bool,
        out: &mut Buffer,
    ) -> Result<()> {
        if self.format == Format::Csv {
            let parts = parts.ok_or_else(|| no_event(row))?;
            let (safety, audience) = (self.csv_safety, &self.audience);
            let before = out.len();
            self.layout.csv_row(row, parts, safety, audience, out);
            let record = out.as_slice().get(before..).unwrap_or_default();
            return self.check_cells(EventId::new(row.position), record);
        }
        if self.format == Format::Json {
            separate(first, out);
        }
        self.layout
            .json_row(row, out)
            .ok_or_else(|| no_event(row))?;
        if self.format == Format::Ndjson {
            out.push(b'\n');
        }
        Ok(())
    }
}

impl<W: Write> Combiner<'_, '_, W> {
    /// Hands out what may be under way and writes the next part; `false` when all are written.
    fn step(&mut self, in_flight: u64) -> Result<bool> {
        while !self.ended && self.given - self.taken < in_flight {
            self.give();
            // What is ready is written before more is looked for.
            if self.crew.has(self.taken) {
                break;
            }
        }
        if self.given == self.taken {
            return self.failed.take().map_or(Ok(false), Err);
        }
        let part = self.crew.take(self.taken, &mut self.maker);
        let mut part = part.ok_or_else(|| {
            Error::new(
                ErrorKind::Io,
                "a thread of the export ended before its work",
            )
        })?;
        loop {
            let packed = part.packed?;
            self.sink.write(&packed)?;
            if self.export.compression == Compression::None {
                self.crew.reuse(packed.bytes);
            }
            let job = part.job;
            if job.done >= job.batch.len() {
                self.taken += 1;
                self.progress.rows += job.batch.len() as u64;
                self.progress.first.get_or_insert(job.batch.first());
                self.progress.last = Some(job.batch.last());
                return Ok(true);
            }
            // Rows so large that the batch makes several parts: the rest follows here, one by one.
            part = self.maker.part(job, None);
        }
    }

    /// Puts the next batch on the table.
    fn give(&mut self) {
        let rows = self.export.rows_max().saturating_sub(self.given_rows);
        let rows = usize::try_from(rows).unwrap_or(usize::MAX).min(BATCH_ROWS);
        let batch = match rows {
            0 => Ok(None),
            rows => self.batches.next(rows),
        };
        match batch {
            Ok(Some(batch)) => {
                self.given_rows += batch.len() as u64;
                self.crew.give(Job {
                    number: self.given,
                    batch,
                    done: 0,
                });
                self.given += 1;
            }
            Ok(None) => self.ended = true,
            Err(error) => {
                self.ended = true;
                self.failed = Some(error);
            }
        }
    }

    fn finish(mut self, query: &Query, interrupted: bool) -> Result<ExportReport> {
        let mut rest = Vec::new();
        if self.taken == 0 {
            self.export.begin(&mut rest);
        }
        self.export.end(&mut rest);
        if self.taken == 0 || !rest.is_empty() {
            let packed = self.maker.pack(rest)?;
            self.sink.write(&packed)?;
        }
        let more = self.given > self.taken || self.batches.has_more()?;
        let Progress { rows, first, last } = self.progress;
        self.export.refuse_overflow(more, rows)?;
        let next_cursor = if more {
            last.map(|last| self.batches.cursor(last)).or(query.cursor)
        } else {
            None
        };
        let (bytes, sha256) = self.sink.finish()?;
        Ok(ExportReport {
            rows,
            bytes,
            sha256,
            complete: !more,
            next_cursor,
            snapshot_seq: self.batches.snapshot_seq(),
            first: first.map(EventId::new),
            last: last.map(EventId::new),
            interrupted,
            missing_glyphs: MissingGlyphs::default(),
        })
    }
}
