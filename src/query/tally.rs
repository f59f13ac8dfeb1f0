//! How many events a query selects, and some of them spread evenly over all: from the indexes, so
//! that the events themselves are not read, but for those that are asked for. What an export is
//! planned with.

use std::sync::Arc;

use super::page::Bound;
use super::page::Query;
use super::selection::on_fresh;
use super::selection::selected;
use super::selection::sources;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::snapshot::Kept;
use crate::snapshot::Selected;
use crate::snapshot::Snapshot;
use crate::snapshot::Unopened;
use crate::snapshot::event_of;

/// What a query selects of one source.
struct Part {
    source: Unopened,
    /// `None` when it is every row.
    selected: Option<Selected>,
    rows: u32,
    count: u64,
}

impl Snapshot {
    /// How many events `query` selects, behind its cursor if it has one. Exact. Neither `limit` nor
    /// `work_max` bounds it: it looks at the index entries of what the filter names, and costs
    /// nothing for segments that are selected as a whole.
    ///
    /// # Errors
    /// As [`Snapshot::page`].
    ///
    /// ```
    /// use auditdb::{Event, Filter, FilterField, Options, Query, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-count-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// for name in ["user.login", "user.login", "user.logout"] {
    ///     store.append(&Event::new(name))?;
    /// }
    /// let filter = Filter::new().is(FilterField::Type, "user.login");
    /// assert_eq!(store.snapshot().count(&Query { filter, ..Query::default() })?, 2);
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn count(&self, query: &Query) -> Result<u64> {
        on_fresh(self, |snapshot| {
            Ok(parts(snapshot, query)?.iter().map(|part| part.count).sum())
        })
    }

    /// Makes something of about `most` events that `query` selects, spread evenly over all of them:
    /// `make` begins anew where a file that was to be read is gone.
    pub(crate) fn sample<T>(
        &self,
        query: &Query,
        most: u64,
        make: impl Fn() -> T,
        each: impl Fn(&mut T, &StoredEvent),
    ) -> Result<T> {
        on_fresh(self, |snapshot| {
            let parts = parts(snapshot, query)?;
            let count: u64 = parts.iter().map(|part| part.count).sum();
            let stride = count.div_ceil(most.max(1)).max(1);
            let mut made = make();
            // From the middle of the first stride on, over the borders of sources.
            let mut next = stride / 2;
            for part in &parts {
                if next >= part.count {
                    next -= part.count;
                    continue;
                }
                let source = part.source.open(snapshot.base())?;
                let mut kept = Kept::default();
                for row in part.every(next, stride) {
                    let event = source.read(row, &mut kept, |row| event_of(&row))?;
                    each(&mut made, &event);
                }
                let taken = (part.count - 1 - next) / stride + 1;
                next = next + taken * stride - part.count;
            }
            Ok(made)
        })
    }
}

fn parts(snapshot: &Snapshot, query: &Query) -> Result<Vec<Part>> {
    let bound = Bound::new(snapshot, query)?;
    let mut parts = Vec::new();
    for unopened in sources(snapshot, &bound) {
        let source = Arc::new(unopened.open(snapshot.base())?);
        let selected = selected(&source, &bound, unopened.seqs)?;
        let all = u64::from(source.rows());
        parts.push(Part {
            rows: source.rows(),
            count: selected.as_ref().map_or(all, Selected::count),
            selected,
            source: unopened,
        });
    }
    Ok(parts)
}

impl Part {
    /// The selected row number `first`, and every one that is a multiple of `stride` behind it.
    fn every(&self, first: u64, stride: u64) -> Vec<u32> {
        let (first, stride) = (first as usize, stride as usize);
        match &self.selected {
            None => (0..self.rows).skip(first).step_by(stride).collect(),
            Some(selected) => selected.rows().skip(first).step_by(stride).collect(),
        }
    }
}
