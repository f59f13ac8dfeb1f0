//! Where a document's events come from: the rows that the query selects, or what an organisation is
//! shown of them.

use core::ops::ControlFlow;

use crate::error::Result;
use crate::event::StoredEvent;
use crate::export::Export;
use crate::export::shown;
use crate::id::Position;
use crate::query::Batches;
use crate::query::Blocks;
use crate::query::Cursor;
use crate::query::OrgView;
use crate::query::Query;
use crate::snapshot::Snapshot;
use crate::snapshot::no_event;

/// Events one after the other, and where to go on behind them.
pub(super) enum Source {
    Selected(Box<Selected>),
    Shown(Box<Shown>),
}

/// What the query selects, from its cursor on.
pub(super) struct Selected {
    batches: Batches,
    blocks: Blocks,
    from: Option<Cursor>,
}

/// What an organisation is shown, from the query's cursor on.
pub(super) struct Shown {
    view: OrgView,
    query: Query,
    snapshot_seq: u64,
    is_over: bool,
}

impl Source {
    pub(super) fn of(export: &Export, snapshot: &Snapshot, query: &Query) -> Result<Source> {
        let Some(org) = &export.view else {
            return Ok(Source::Selected(Box::new(Selected {
                batches: snapshot.batches(query)?,
                blocks: Blocks::default(),
                from: query.cursor,
            })));
        };
        let (view, mut query) = (snapshot.view(org), query.clone());
        query.limit = 1;
        let snapshot_seq = view.page(&query)?.snapshot_seq;
        Ok(Source::Shown(Box::new(Shown {
            view,
            query,
            snapshot_seq,
            is_over: false,
        })))
    }

    /// Events of the snapshot under the query's cursor.
    pub(super) fn snapshot_seq(&self) -> u64 {
        match self {
            Source::Selected(selected) => selected.batches.snapshot_seq(),
            Source::Shown(shown) => shown.snapshot_seq,
        }
    }

    /// Hands on up to `max` events, as long as `take` takes them; `false` where there are no more.
    pub(super) fn next(
        &mut self,
        max: usize,
        take: &mut dyn FnMut(&StoredEvent) -> Result<bool>,
    ) -> Result<bool> {
        match self {
            Source::Selected(selected) => selected.next(max, take),
            Source::Shown(shown) => shown.next(max, take),
        }
    }

    /// Whether anything follows what was handed on.
    pub(super) fn has_more(&mut self) -> Result<bool> {
        match self {
            Source::Selected(selected) => selected.batches.has_more(),
            Source::Shown(shown) if shown.is_over => Ok(false),
            Source::Shown(shown) => shown::has_more(&shown.view, &shown.query, shown.query.cursor),
        }
    }

    /// Where to go on behind `last`, the last event that was taken.
    pub(super) fn cursor(&self, last: Option<Position>) -> Option<Cursor> {
        match self {
            Source::Selected(selected) => {
                let behind = last.map(|last| selected.batches.cursor(last));
                behind.or(selected.from)
            }
            Source::Shown(shown) => shown.query.cursor,
        }
    }
}

impl Selected {
    fn next(
        &mut self,
        max: usize,
        take: &mut dyn FnMut(&StoredEvent) -> Result<bool>,
    ) -> Result<bool> {
        let Some(batch) = self.batches.next(max)? else {
            return Ok(false);
        };
        batch.read(0, true, &mut self.blocks, &mut |row, parts| {
            let event = row.event_with(parts.ok_or_else(|| no_event(row))?);
            Ok(match take(&event)? {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            })
        })?;
        Ok(true)
    }
}

impl Shown {
    fn next(
        &mut self,
        max: usize,
        take: &mut dyn FnMut(&StoredEvent) -> Result<bool>,
    ) -> Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        self.query.limit = max;
        let mut page = self.view.page(&self.query)?;
        let mut taken = 0;
        for event in &page.events {
            if !take(event)? {
                break;
            }
            taken += 1;
        }
        if taken == 0 && !page.events.is_empty() {
            return Ok(true);
        }
        if taken < page.events.len() {
            // Only the end of a page has a cursor.
            self.query.limit = taken;
            page = self.view.page(&self.query)?;
        }
        self.is_over = page.complete;
        self.query.cursor = page.next_cursor;
        Ok(true)
    }
}
