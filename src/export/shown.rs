//! Exports of what an organisation is shown: read page by page by its view, on one thread, as events are
//! and not as rows. The files are made, cut and packed as all others.

use std::io::Write;
use std::ops::ControlFlow;

use super::Export;
use super::ExportReport;
use super::crew::Maker;
use super::sink::Sink;
use crate::error::Result;
use crate::query::Cursor;
use crate::query::OrgView;
use crate::query::Query;
use crate::snapshot::Snapshot;

/// Events that are read at once.
const PAGE_EVENTS: usize = 1000;

impl Export {
    /// As [`Export::run_watched`], of what `org` is shown.
    pub(super) fn run_shown(
        &self,
        org: &str,
        snapshot: &Snapshot,
        query: &Query,
        out: impl Write,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ExportReport> {
        let view = snapshot.view(org);
        let mut maker = Maker::new(self)?;
        let mut sink = Sink::new(out, self.compression)?;
        let (mut raw, mut rows, mut query) = (Vec::new(), 0, query.clone());
        let (mut first, mut last, mut interrupted) = (None, None, false);
        self.begin(&mut raw);
        let page = loop {
            let left = self.rows_max() - rows;
            query.limit = usize::try_from(left).map_or(PAGE_EVENTS, |left| left.min(PAGE_EVENTS));
            let page = view.page(&query)?;
            for event in &page.events {
                let before = raw.len();
                self.event(event, rows == 0, &mut raw);
                self.check_cells(event.id, raw.get(before..).unwrap_or_default())?;
                rows += 1;
                first = first.or(Some(event.id));
                last = Some(event.id);
            }
            if page.complete || rows >= self.rows_max() {
                break page;
            }
            if watch(rows).is_break() {
                interrupted = true;
                break page;
            }
            sink.write(&maker.pack(core::mem::take(&mut raw))?)?;
            query.cursor = page.next_cursor;
        };
        let next_cursor = page.next_cursor;
        let more = match next_cursor {
            Some(_) => has_more(&view, &query, next_cursor)?,
            None => false,
        };
        self.refuse_overflow(more, rows)?;
        self.end(&mut raw);
        sink.write(&maker.pack(raw)?)?;
        let (bytes, sha256) = sink.finish()?;
        Ok(ExportReport {
            rows,
            bytes,
            sha256,
            complete: !more,
            next_cursor: next_cursor.filter(|_| more),
            snapshot_seq: page.snapshot_seq,
            first,
            last,
            interrupted,
            missing_glyphs: Default::default(),
        })
    }
}

/// Whether anything follows: a page that is full may not have looked.
pub(super) fn has_more(view: &OrgView, query: &Query, cursor: Option<Cursor>) -> Result<bool> {
    let mut query = Query {
        limit: 1,
        cursor,
        ..query.clone()
    };
    loop {
        let page = view.page(&query)?;
        if page.complete || !page.events.is_empty() {
            return Ok(!page.events.is_empty());
        }
        query.cursor = page.next_cursor;
    }
}
