//! The export's loop: scan, format, write, and at the end look one match ahead.

use std::io::Write;
use std::ops::ControlFlow;

use super::Export;
use super::ExportReport;
use super::Format;
use super::separate;
use super::sink::Sink;
use crate::codec::row::Row;
use crate::error::Result;
use crate::id::EventId;
use crate::query::Query;
use crate::query::Scan;
use crate::snapshot::Snapshot;
use crate::snapshot::content_of;
use crate::snapshot::no_event;

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
            && self.next(&mut rows, &mut chunk)?
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

    /// Appends the next match; `false` at the end.
    fn next(&self, rows: &mut Rows, out: &mut Vec<u8>) -> Result<bool> {
        let first = rows.count == 0;
        let found = rows.scan.next_row(|row| self.row(&row, first, out))?;
        if found {
            rows.count += 1;
            rows.last = rows.scan.reached().map(EventId::new);
            rows.first = rows.first.or(rows.last);
        }
        Ok(found)
    }

    /// Appends one row from its stored bytes, without making an event of them; `first` says that
    /// none of this export stands before it.
    fn row(&self, row: &Row<'_>, first: bool, out: &mut Vec<u8>) -> Result<()> {
        if self.format == Format::Csv {
            let content = content_of(row)?;
            self.layout.csv_row(row, &content, self.csv_safety, out);
            return Ok(());
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

/// The scan, and what the report tells of its rows.
struct Rows {
    scan: Scan,
    count: u64,
    first: Option<EventId>,
    last: Option<EventId>,
}
