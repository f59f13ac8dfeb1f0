//! What other processes know of the store. They read by a durable point, which one small write puts
//! into `LOCK`. Where that write fails the point before goes on being true, so the files that it
//! leads to stay in their places: they go with the next point that can be written, or at the next
//! open.

use std::sync::Arc;

use super::Shared;
use crate::disk::lock::DurablePoint;
use crate::error::Error;
use crate::error::Result;
use crate::planted::Bug;
use crate::planted::planted;
use crate::snapshot::Pinned;

/// The point that others read by.
pub(super) struct Told {
    /// As it is here.
    point: DurablePoint,
    /// Why others know an older one.
    error: Option<Error>,
    /// Segments that were replaced, and that the older one leads to.
    replaced: Vec<Arc<Pinned>>,
}

impl Told {
    /// Nothing of `point` is known to others yet.
    pub(super) const fn new(point: DurablePoint) -> Told {
        Told {
            point,
            error: None,
            replaced: Vec::new(),
        }
    }
}

impl Shared {
    /// Changes the durable point that other processes read by. That it cannot be written is no
    /// error of whoever brought the change about, who has committed all the same: others see the
    /// point before until the next one, which holds this change too.
    pub(super) fn tell_others(&self, change: impl FnOnce(&mut DurablePoint)) {
        let mut told = self.told.lock();
        change(&mut told.point);
        let point = told.point;
        let lock = self.lock.lock();
        let published = lock.as_ref().map_or(Ok(()), |lock| lock.publish(point));
        drop(lock);
        told.error = published.err().filter(|_| !planted(Bug::NeededByOthers));
        let replaced = match told.error {
            None => core::mem::take(&mut told.replaced),
            Some(_) => Vec::new(),
        };
        drop(told);
        // Their files go here, unless somebody in this process still reads them.
        replaced.iter().for_each(|pinned| pinned.replace());
    }

    /// Has the files of segments removed that the manifest names no more: once nobody here reads
    /// them, and nobody elsewhere is led to them.
    pub(super) fn let_go(&self, replaced: Vec<Arc<Pinned>>) {
        let mut told = self.told.lock();
        if told.error.is_some() {
            told.replaced.extend(replaced);
            return;
        }
        drop(told);
        replaced.iter().for_each(|pinned| pinned.replace());
    }

    /// An error if others know an older point than the one that is here.
    pub(super) fn check_told(&self) -> Result<()> {
        let told = self.told.lock();
        let error = told.error.as_ref();
        error.map_or(Ok(()), |error| Err(error.again()))
    }
}
