//! Exports as PDF: a table for people, page by page, with what it is of at the top of the first.
//! One document holds [`PAGES_MAX`] pages at the most, which bounds the memory; an export ends there
//! as at a limit, and its next part goes on behind it. The same snapshot and query give the same
//! bytes.

mod bidi;
mod face;
mod front;
mod ink;
mod paper;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod wrap;

use core::ops::ControlFlow;
use std::borrow::Cow;
use std::io::Write;

use self::face::Faces;
use self::front::Came;
use self::front::Front;
use self::ink::Frame;
use self::paper::Line;
use self::paper::Paper;
use self::source::Source;
use self::table::Table;
use super::Compression;
use super::Export;
use super::ExportReport;
use super::MissingGlyphs;
use super::pack::Packed;
use super::sink::Sink;
use crate::codec::buffer::Buffer;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::id::EventId;
use crate::query::Query;
use crate::snapshot::Snapshot;

/// Pages of one document. Unit tests come to several documents with few events.
const PAGES_MAX: usize = if cfg!(test) { 3 } else { 1000 };
/// Rows found at once, after which the watcher is asked.
const BATCH_ROWS: usize = 64;

/// A document as it fills.
struct Document<'e> {
    faces: Faces<'e>,
    table: Table<'e>,
    headings: Vec<Line>,
    paper: Paper,
    came: Came,
    missing: MissingGlyphs,
    /// Pages for rows.
    pages_max: usize,
}

/// Checks that the fonts given can be read.
pub(super) fn check(export: &Export) -> Result<()> {
    Faces::new(&export.fonts, export.audience.locale()).map(drop)
}

/// Writes one document of the matches of `query`: all, or as many as the limit lets through, or as
/// many as fit.
pub(super) fn run(
    export: &Export,
    snapshot: &Snapshot,
    query: &Query,
    out: impl Write,
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<ExportReport> {
    run_within(PAGES_MAX, export, snapshot, query, out, watch)
}

/// As [`run`], with so many pages.
fn run_within(
    pages_max: usize,
    export: &Export,
    snapshot: &Snapshot,
    query: &Query,
    out: impl Write,
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<ExportReport> {
    let mut source = Source::of(export, snapshot, query)?;
    let front = Front {
        export,
        snapshot,
        query,
        snapshot_seq: source.snapshot_seq(),
        // How much of it is shown to an organisation is known only by reading it.
        selected: match &export.view {
            None => Some(snapshot.count(query)?),
            Some(_) => None,
        },
    };
    let mut document = Document::begin(pages_max, &front)?;
    let (is_full, interrupted) = document.fill(&mut source, export.limit, watch)?;
    let more = is_full || source.has_more()?;
    document.came.more = more;
    let (came, missing) = (document.came, document.missing.clone());
    let mut sink = Sink::new(out, Compression::None)?;
    if !interrupted {
        let bytes = Buffer::from(document.draw(&front)?);
        sink.write(&Packed { bytes, crc: None })?;
    }
    let (bytes, sha256) = sink.finish()?;
    let cursor = source.cursor(came.last);
    Ok(ExportReport {
        rows: came.rows,
        bytes,
        sha256,
        complete: !more,
        next_cursor: cursor.filter(|_| more),
        snapshot_seq: source.snapshot_seq(),
        first: came.first.map(EventId::new),
        last: came.last.map(EventId::new),
        interrupted,
        missing_glyphs: missing,
    })
}

impl<'e> Document<'e> {
    /// A document of so many pages, without a row.
    fn begin(pages_max: usize, front: &Front<'e>) -> Result<Document<'e>> {
        let export = front.export;
        let mut faces = Faces::new(&export.fonts, export.audience.locale())?;
        let table = Table::new(export.layout, &export.audience);
        let headings = table.headings(&mut faces);
        let (taken, top) = front.pages(&mut faces, &Came::default());
        Ok(Document {
            faces,
            table,
            paper: Paper::new(taken.len(), top, ink::head_height(&headings)),
            headings,
            came: Came::default(),
            missing: MissingGlyphs::default(),
            // One is left for what could not be shown.
            pages_max: pages_max.saturating_sub(1),
        })
    }

    /// Adds rows until they end, or the limit is reached, or the pages are full, or the watcher ends
    /// it: whether one of the last two was so.
    fn fill(
        &mut self,
        source: &mut Source,
        limit: Option<u64>,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(bool, bool)> {
        let (mut is_full, mut interrupted) = (false, false);
        while !is_full && !interrupted {
            let left = limit.map_or(u64::MAX, |limit| limit - self.came.rows);
            let rows = usize::try_from(left).unwrap_or(usize::MAX).min(BATCH_ROWS);
            let mut take = |event: &StoredEvent| {
                is_full = !self.add(event)?;
                Ok(!is_full)
            };
            if rows == 0 || !source.next(rows, &mut take)? {
                break;
            }
            interrupted = watch(self.came.rows).is_break();
        }
        Ok((is_full, interrupted))
    }

    /// Adds a row, unless the document has no room for it.
    fn add(&mut self, event: &StoredEvent) -> Result<bool> {
        let cells = self.table.cells(event);
        let lines = self.table.row(&mut self.faces, &cells);
        if self.paper.pages_with(&lines) > self.pages_max {
            if self.came.rows > 0 {
                return Ok(false);
            }
            let what = format!(
                "pdf: event {} alone does not fit a document of {} pages; export it as csv or ndjson",
                event.id, self.pages_max
            );
            return Err(Error::new(ErrorKind::OutOfRange, what));
        }
        for (_, text) in &cells {
            self.missing.extend(self.faces.missing(text));
        }
        self.paper.place(lines);
        self.came.rows += 1;
        self.came.first.get_or_insert(event.id.position());
        self.came.last = Some(event.id.position());
        Ok(true)
    }

    /// The document, with the characters that it could not show at its end.
    fn draw(mut self, front: &Front<'_>) -> Result<Vec<u8>> {
        self.came.missing = self.missing.count;
        if self.missing.count > 0 {
            let list = Cow::Owned(self.missing.to_string());
            let lines = self.table.row(&mut self.faces, &[("missing_glyphs", list)]);
            self.paper.place(lines);
        }
        let store = front.snapshot.store_id().to_string();
        let id = |id: Option<crate::id::Position>| {
            id.map_or_else(String::new, |id| EventId::new(id).to_string())
        };
        let frame = Frame {
            headings: &self.headings,
            locale: front.export.audience.locale(),
            store: &store,
            id: format!(
                "{store} {} {} {}",
                front.snapshot_seq,
                id(self.came.first),
                id(self.came.last)
            ),
            date: front.snapshot.complete_through(),
        };
        let (front, _) = front.pages(&mut self.faces, &self.came);
        ink::document(&mut self.faces, &frame, front, self.paper.pages)
    }
}
