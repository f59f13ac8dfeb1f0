//! Keeps presence runs for the segments in force. Once there are two segments each gets a run, and
//! runs are merged by eights, so that each print is rewritten three times at most and a look-up asks
//! few of them.
//! All of it is derived: nothing here may keep the store from taking events, and what fails is left
//! until the store is opened again.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Shared;
use crate::disk::Disk;
use crate::disk::durable;
use crate::disk::names;
use crate::error::Result;
use crate::id::SegmentId;
use crate::id::StoreId;
use crate::options::ReadMode;
use crate::presence;
use crate::presence::Column;
use crate::presence::Run;
use crate::snapshot::Lineup;
use crate::snapshot::Pinned;
use crate::snapshot::Version;

/// Runs that tell of about as many segments and are merged into one.
const FAN_IN: usize = 8;

/// What only the sealing thread touches.
#[derive(Default)]
pub(super) struct Presence {
    /// Higher than the number of any run there was.
    next: u64,
    /// Segments whose run could not be written.
    failed: BTreeSet<SegmentId>,
    /// Some runs could not be merged.
    stuck: bool,
}

/// Opens every run of a store, or takes it from those `known` already. What cannot be opened is
/// left out.
pub(super) fn load(
    disk: &dyn Disk,
    store: StoreId,
    mode: ReadMode,
    known: &[Arc<Run>],
) -> Arc<[Arc<Run>]> {
    let listed = listed(disk).into_iter();
    let opened = listed.filter_map(|number| {
        let len = disk.len(&names::presence(number)).ok()??;
        let same = |run: &&Arc<Run>| (run.number(), run.len()) == (number, len);
        match known.iter().find(same) {
            Some(known) => Some(Arc::clone(known)),
            None => Run::open(disk, number, len, Some(store), mode)
                .ok()
                .map(Arc::new),
        }
    });
    opened.collect()
}

/// Bytes of all runs that lie in the store's folder.
pub(super) fn bytes(disk: &dyn Disk) -> Result<u64> {
    let lens = listed(disk)
        .into_iter()
        .map(|number| Ok(disk.len(&names::presence(number))?.unwrap_or(0)));
    lens.sum()
}

/// The numbers of the files that have a run's name.
fn listed(disk: &dyn Disk) -> Vec<u64> {
    let folder = names::presence_dir();
    let root = disk.list(names::root()).unwrap_or_default();
    if !root
        .iter()
        .any(|entry| folder.as_os_str() == entry.name.as_str())
    {
        return Vec::new();
    }
    let entries = disk.list(folder).unwrap_or_default().into_iter();
    let files = entries.filter(|entry| !entry.is_dir);
    let numbered = files.filter_map(|entry| names::presence_number(&entry.name));
    numbered.collect()
}

impl Presence {
    /// Removes the files that are no runs; `runs` are those that could be opened.
    pub(super) fn new(disk: &dyn Disk, runs: &[Arc<Run>]) -> Presence {
        let mut next = 1;
        for number in listed(disk) {
            next = next.max(number.saturating_add(1));
            if !runs.iter().any(|run| run.number() == number) {
                drop(disk.unlink(&names::presence(number)));
            }
        }
        Presence {
            next,
            ..Presence::default()
        }
    }

    fn take_number(&mut self) -> u64 {
        let number = self.next;
        self.next = number.saturating_add(1);
        number
    }
}

impl Shared {
    /// Does one thing for the runs: removes what is of no use, covers a segment, or merges. While
    /// the thread has segments to seal or to merge, only final ones are covered: the others may be
    /// gone soon. `false` if there was nothing to do.
    pub(super) fn tell_presence(&self, is_idle: bool) -> bool {
        let lineup = Arc::clone(&self.version.read().segments);
        let mut presence = self.presence.lock();
        let useless = |(run, live): &(&Arc<Run>, usize)| *live == 0 || run.is_damaged();
        let gone: Vec<Arc<Run>> = lineup
            .told_by()
            .filter(useless)
            .map(|(run, _)| Arc::clone(run))
            .collect();
        if !gone.is_empty() {
            self.replace_runs(&gone, None);
            return true;
        }
        // A segment alone says by its own terms what a run would say.
        let is_alone = lineup.len() < 2;
        let wanted = lineup.uncovered().find(|pinned| {
            let is_worth_it = !is_alone && (is_idle || pinned.entry.level > 0);
            is_worth_it && !presence.failed.contains(&pinned.entry.id)
        });
        if let Some(pinned) = wanted {
            let number = presence.take_number();
            match self.cover(pinned, number) {
                Ok(run) => self.replace_runs(&[], Some(run)),
                Err(_) => drop(presence.failed.insert(pinned.entry.id)),
            }
            return true;
        }
        let Some(tier) = full_tier(&lineup).filter(|_| !presence.stuck) else {
            return false;
        };
        let number = presence.take_number();
        match self.merge_runs(&lineup, &tier, number) {
            Ok(run) => self.replace_runs(&tier, Some(run)),
            Err(_) => presence.stuck = true,
        }
        true
    }

    /// Writes the run of one segment.
    fn cover(&self, pinned: &Pinned, number: u64) -> Result<Arc<Run>> {
        let reader = self.base.segments.open(&pinned.entry)?;
        let column = Column::new(pinned.entry.id, pinned.entry.content_hash);
        durable::create_dir(&*self.disk, names::presence_dir())?;
        // Of an entity the segment stores one term, of which two prints tell.
        let prints_max = reader.stored_terms().saturating_mul(2);
        let mut tell = |print: &mut dyn FnMut(u32)| {
            reader.each_stored_term(&mut |term| presence::told(term, &mut *print))
        };
        let (disk, store) = (&*self.disk, self.base.store);
        presence::writer::write(disk, number, store, column, prints_max, &mut tell)?;
        self.open_run(number)
    }

    fn merge_runs(&self, lineup: &Lineup, runs: &[Arc<Run>], number: u64) -> Result<Arc<Run>> {
        let live: BTreeSet<Column> = lineup
            .iter()
            .map(|pinned| Column::new(pinned.entry.id, pinned.entry.content_hash))
            .collect();
        let keep = |column: &Column| live.contains(column);
        presence::merge::merge(&*self.disk, number, self.base.store, runs, &keep)?;
        self.open_run(number)
    }

    fn open_run(&self, number: u64) -> Result<Arc<Run>> {
        let len = self.disk.len(&names::presence(number))?.unwrap_or(0);
        let (store, mode) = (Some(self.base.store), self.options.read_mode);
        Run::open(&*self.disk, number, len, store, mode).map(Arc::new)
    }

    /// Puts a run into the version that new snapshots see, and takes out what it replaces. Their
    /// files go at once: who reads them has them open.
    fn replace_runs(&self, gone: &[Arc<Run>], added: Option<Arc<Run>>) {
        let mut version = self.version.write();
        let is_gone = |run: &Arc<Run>| gone.iter().any(|gone| gone.number() == run.number());
        let kept = version.segments.runs().iter().filter(|run| !is_gone(run));
        let runs: Arc<[Arc<Run>]> = kept.map(Arc::clone).chain(added).collect();
        let segments = version.segments.iter().map(Arc::clone);
        *version = Version {
            segments: Arc::new(Lineup::following(&version.segments, segments, runs)),
            memtables: version.memtables.clone(),
        };
        drop(version);
        for run in gone {
            // What cannot be removed is removed when the store is opened and nothing needs it.
            drop(self.disk.unlink(&names::presence(run.number())));
        }
    }
}

/// Runs to be merged: of those that tell of about as many segments, once there are enough.
fn full_tier(lineup: &Lineup) -> Option<Vec<Arc<Run>>> {
    let mut tiers: Vec<(usize, Vec<Arc<Run>>)> = Vec::new();
    for (run, live) in lineup.told_by() {
        let tier = live.max(1).ilog(FAN_IN) as usize;
        if tiers.len() <= tier {
            tiers.resize_with(tier + 1, Default::default);
        }
        if let Some((columns, runs)) = tiers.get_mut(tier)
            && *columns + live <= presence::COLUMNS_MAX
        {
            *columns += live;
            runs.push(Arc::clone(run));
        }
    }
    let mut tiers = tiers.into_iter().map(|(_, runs)| runs);
    tiers.find(|runs| runs.len() >= FAN_IN)
}
