//! Which logs hold what the segments do not, and what is known of where each ends. Opening for
//! writing and reading without a writer both go by this, so that neither takes for complete what
//! the other refuses.

use crate::disk::Disk;
use crate::disk::lock::DurablePoint;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::WalId;
use crate::manifest::Current;
use crate::manifest::Phase;
use crate::manifest::State;
use crate::planted::Bug;
use crate::planted::instead;
use crate::wal;
use crate::wal::Extent;

/// What is known of a store that nobody writes.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) current: Current,
    /// What its last writer published, if the machine has not booted since and the store was not
    /// closed: in a closed store `CURRENT` is exact, and a point is at best as old as it.
    pub(super) point: Option<DurablePoint>,
}

impl Known {
    pub(super) fn new(current: Current, point: Option<DurablePoint>) -> Known {
        let point = point.filter(|_| current.phase == Phase::Open);
        let point = instead(Bug::DurablePointIgnored, point, |_| None);
        Known { current, point }
    }

    /// Events that were durable.
    pub(super) fn events(&self) -> u64 {
        let published = self.point.map_or(0, |point| point.events);
        published.max(self.current.ends.events)
    }

    /// The logs from the first that is needed on, in order. Behind the last one of a closed store
    /// there can be one that a writer began which then went no further; it holds nothing new.
    pub(super) fn logs(&self, disk: &dyn Disk, state: &State) -> Result<Vec<(WalId, Extent)>> {
        let mut ids = log_ids(disk)?;
        let closed = self.current.phase == Phase::Closed;
        ids.retain(|id| *id >= state.wal_first && !(closed && *id > self.current.ends.wal));
        self.check_missing(disk, state, &ids)?;
        let mut logs = Vec::with_capacity(ids.len());
        for (place, id) in ids.iter().enumerate() {
            let end_before = match ids.get(place + 1) {
                Some(next) => {
                    let any = Extent::Unclean { durable: 0 };
                    wal::Reader::open(disk, *next, state.store, any)?.end_before()
                }
                None => None,
            };
            logs.push((*id, self.extent(*id, end_before)));
        }
        Ok(logs)
    }

    fn extent(&self, id: WalId, end_before: Option<u64>) -> Extent {
        let published = self.point.filter(|point| point.wal == id);
        match (self.current.wal_extent(id, end_before), published) {
            (Extent::Unclean { durable }, Some(point)) => Extent::Unclean {
                durable: durable.max(point.wal_end),
            },
            (extent, _) => extent,
        }
    }

    /// Every log that is still needed must be there.
    fn check_missing(&self, disk: &dyn Disk, state: &State, ids: &[WalId]) -> Result<()> {
        let published = self.point.map_or(WalId(0), |point| point.wal);
        let known = self.current.ends.wal.max(published).max(state.wal_first);
        let last = ids.last().copied().unwrap_or(known).max(known);
        // Nobody skips a number, so the first one out of step is missing.
        let wanted = (state.wal_first.0..=last.0).map(WalId);
        let there = ids.iter().map(Some).chain(core::iter::repeat(None));
        let missing = wanted.zip(there).find(|(id, there)| *there != Some(id));
        let Some((missing, _)) = missing else {
            return Ok(());
        };
        let what = "a log that the manifest needs is not there";
        Err(Error::new(ErrorKind::Missing, what).in_file(&disk.place(&names::wal(missing))))
    }

    /// What logs and segments hold must be all that was durable.
    pub(super) fn check_count(&self, disk: &dyn Disk, events: u64) -> Result<()> {
        check_count(disk, self.events(), events)
    }
}

/// Refuses to show `held` events for the `durable` ones.
pub(super) fn check_count(disk: &dyn Disk, durable: u64, held: u64) -> Result<()> {
    if held >= durable {
        return Ok(());
    }
    let what = format!("{durable} events were durable, and the logs and segments hold {held}");
    Err(Error::corrupt(&disk.place(names::wal_dir()), 0, what))
}

/// The logs that are there, in order.
pub(super) fn log_ids(disk: &dyn Disk) -> Result<Vec<WalId>> {
    let entries = disk.list(names::wal_dir())?;
    let ids = entries
        .iter()
        .filter_map(|entry| names::wal_id(&entry.name));
    let mut ids: Vec<WalId> = ids.collect();
    ids.sort_unstable();
    Ok(ids)
}
