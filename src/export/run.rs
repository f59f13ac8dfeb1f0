//! The export's loop: scan, format, write, and at the end look one match ahead.

use std::io::Write;
use std::ops::ControlFlow;

use super::Export;
use super::ExportReport;
use super::Format;
use super::separate;
use super::sink::Sink;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::id::EventId;
use crate::layout::Layout;
use crate::query::Query;
use crate::query::Scan;
use crate::snapshot::Snapshot;

/// Bytes gathered before they are handed on; the watcher is asked as often.
const CHUNK_BYTES: usize = 64 << 10;

impl Export {
    /// Writes every match of `query` that `snapshot` holds to `out`, from the query's cursor on if
    /// it has one.
    ///
    /// # Errors
    /// As [`Export::validate`] and [`Snapshot::page`], and [`crate::ErrorKind::Io`] where `out`
    /// fails.
    pub fn run(&self, snapshot: &Snapshot, query: &Query, out: impl Write) -> Result<ExportReport> {
        self.run_watched(snapshot, query, out, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`Export::run`]; `watch` is told the number of rows now and then and may end the export
    /// between two rows.
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
        self.validate()?;
        let mut sink = Sink::new(out, self.compression)?;
        let mut rows = Rows {
            scan: snapshot.scan(query)?,
            count: 0,
            first: None,
            last: None,
        };
        let mut chunk = Vec::with_capacity(CHUNK_BYTES * 2);
        self.begin(&mut chunk);
        let mut interrupted = false;
        while self.limit.is_none_or(|limit| rows.count < limit)
            && self.row(&mut rows, &mut chunk)?
        {
            if chunk.len() >= CHUNK_BYTES {
                sink.write(&chunk)?;
                chunk.clear();
                if watch(rows.count).is_break() {
                    interrupted = true;
                    break;
                }
            }
        }
        self.end(&mut chunk);
        sink.write(&chunk)?;
        let complete = !rows.scan.has_more()?;
        let next_cursor = if complete {
            None
        } else {
            rows.scan.cursor().or(query.cursor)
        };
        let (bytes, sha256) = sink.finish()?;
        Ok(ExportReport {
            rows: rows.count,
            bytes,
            sha256,
            complete,
            next_cursor,
            snapshot_seq: rows.scan.snapshot_seq(),
            first: rows.first,
            last: rows.last,
            interrupted,
        })
    }

    /// Appends the next match; `false` at the end. Native lines are spliced from the stored bytes,
    /// without making an event of them.
    fn row(&self, rows: &mut Rows, out: &mut Vec<u8>) -> Result<bool> {
        let first = rows.count == 0;
        match (self.format, self.layout) {
            (Format::Ndjson, Layout::Native) => rows.line(out),
            (Format::Json, Layout::Native) => {
                let start = out.len();
                separate(first, out);
                if !rows.line(out)? {
                    out.truncate(start);
                    return Ok(false);
                }
                // The array's own line ends stand before its members.
                out.pop();
                Ok(true)
            }
            _ => {
                let Some(event) = rows.event()? else {
                    return Ok(false);
                };
                self.event(&event, first, out);
                Ok(true)
            }
        }
    }
}

/// The scan, and what the report tells of its rows.
struct Rows {
    scan: Scan,
    count: u64,
    first: Option<EventId>,
    last: Option<EventId>,
}

impl Rows {
    fn line(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let found = self.scan.next_line(out)?;
        if found {
            self.count(self.scan.reached().map(EventId::new));
        }
        Ok(found)
    }

    fn event(&mut self) -> Result<Option<StoredEvent>> {
        let event = self.scan.next().transpose()?;
        if let Some(event) = &event {
            self.count(Some(event.id));
        }
        Ok(event)
    }

    fn count(&mut self, id: Option<EventId>) {
        self.count += 1;
        self.first = self.first.or(id);
        self.last = id;
    }
}
