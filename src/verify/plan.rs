//! Which files make up a store: as its records say, or, where the records themselves are damaged,
//! all that lie there. Also says which files mean nothing.

use std::path::Path;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::inbox;
use super::jobs;
use super::moment::Moment;
use super::presence;
use super::report::Report;
use super::saved;
use super::segment;
use super::seqs::Seqs;
use crate::codec::frame;
use crate::disk::ReadDisk;
use crate::disk::lock;
use crate::disk::lock::Durable;
use crate::disk::lock::DurablePoint;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::id::WalId;
use crate::manifest;
use crate::manifest::Phase;
use crate::manifest::SegmentEntry;
use crate::manifest::View;
use crate::planted::Bug;
use crate::planted::instead;
use crate::wal;
use crate::wal::Extent;

/// A writer that is opening the store publishes its first point within this time, or it is taken
/// as it is.
const OPENING_LOOKS: usize = 100;
const OPENING_PAUSE: Duration = Duration::from_millis(20);
/// How often records that change while they are read are read anew.
const TRIES: usize = 8;
/// Ranges of missing seqs that are told.
const GAPS_MAX: usize = 1000;

/// The files to be read.
pub(super) struct Plan {
    store: Option<StoreId>,
    segments: Vec<Source>,
    logs: Vec<(WalId, Extent)>,
    logs_missing: Vec<WalId>,
    sealed_seq: u64,
    next_segment: SegmentId,
    recorded: bool,
    events: Events,
    live: bool,
    settled: bool,
    bytes: u64,
}

/// One segment.
pub(super) struct Source {
    pub(super) id: SegmentId,
    pub(super) path: PathBuf,
    /// What the manifest says of it; none where the manifest is damaged.
    pub(super) entry: Option<SegmentEntry>,
}

/// What is known about the number of events.
enum Events {
    Exactly(u64),
    AtLeast(u64),
}

impl Plan {
    /// Reads the store's records. Damage in them goes to the report, and the plan is made of the
    /// files that lie there.
    pub(super) fn of(disk: &dyn ReadDisk, report: &mut Report<'_>) -> Result<Plan> {
        let (mut looked, mut settled) = Plan::try_records(disk);
        for _ in 1..TRIES {
            if settled {
                break;
            }
            (looked, settled) = Plan::try_records(disk);
        }
        match looked {
            Ok(plan) => Ok(Plan { settled, ..plan }),
            Err(error) => {
                let plan = Plan::by_listing(disk)?;
                let plan = Plan { settled, ..plan };
                if plan.segments.is_empty() && plan.logs.is_empty() {
                    let nothing = disk.len(names::current())?.is_none();
                    if nothing {
                        let what = "not a store: it has no file CURRENT";
                        let error = Error::new(ErrorKind::NotAStore, what);
                        return Err(error.in_file(&disk.place(names::root())));
                    }
                }
                report.error(&error);
                Ok(plan)
            }
        }
    }

    /// The records, and whether they were read at one moment.
    fn try_records(disk: &dyn ReadDisk) -> (Result<Plan>, bool) {
        let before = Moment::of(disk).ok();
        let looked = Plan::by_records(disk);
        let stood_still = before == Moment::of(disk).ok();
        let agrees = before.is_none_or(|moment| moment.agrees());
        (looked, stood_still && agrees)
    }

    fn by_records(disk: &dyn ReadDisk) -> Result<Plan> {
        let mut status = lock::status(disk)?;
        for _ in 0..OPENING_LOOKS {
            if status.durable != Durable::Unpublished {
                break;
            }
            thread::sleep(OPENING_PAUSE);
            status = lock::status(disk)?;
        }
        let live = status.holder.is_some();
        let point = match status.durable {
            Durable::UpTo(point) => Some(point),
            Durable::Unpublished | Durable::Everything => None,
        };
        let view = match point.filter(|_| live) {
            Some(point) => manifest::view_live(disk, point.manifest, point.manifest_end)?,
            None => manifest::view(disk)?,
        };
        let closed = !live && view.current.phase == Phase::Closed;
        let events = match (closed, point) {
            (true, _) => Events::Exactly(view.current.ends.events),
            (false, Some(point)) => Events::AtLeast(point.events.max(view.current.ends.events)),
            (false, None) => Events::AtLeast(view.current.ends.events),
        };
        let state = &view.state;
        let segments = state.segments.values().map(|entry| Source {
            id: entry.id,
            path: entry.path(),
            entry: Some(entry.clone()),
        });
        let mut plan = Plan {
            store: Some(state.store),
            segments: segments.collect(),
            logs: Vec::new(),
            logs_missing: Vec::new(),
            sealed_seq: state.sealed_seq.0,
            next_segment: state.next_segment,
            recorded: true,
            events,
            live,
            settled: false,
            bytes: state.segments.values().map(|entry| entry.file_len).sum(),
        };
        plan.find_logs(disk, &view, point)?;
        Ok(plan)
    }

    /// Finds the logs from the first that is needed on, and what is known of their ends.
    fn find_logs(
        &mut self,
        disk: &dyn ReadDisk,
        view: &View,
        point: Option<DurablePoint>,
    ) -> Result<()> {
        let store = view.state.store;
        let mut ids = log_ids(disk)?;
        ids.retain(|id| *id >= view.state.wal_first);
        let last = match point.filter(|_| self.live) {
            Some(point) => Some(point.wal),
            None if view.current.phase == Phase::Closed => Some(view.current.ends.wal),
            None => None,
        };
        if let Some(last) = last {
            ids.retain(|id| *id <= last);
        }
        // Nobody skips a number, so what is not there between the first and the last is lost. The
        // last one may be known only by what a writer published before it was killed.
        let published = point.map(|point| point.wal);
        let first = view.state.wal_first;
        let last = last.or(ids.last().copied().max(published));
        let wanted = (first.0..=last.unwrap_or(first).max(first).0).map(WalId);
        self.logs_missing = wanted.filter(|id| !ids.contains(id)).take(64).collect();
        for (place, id) in ids.iter().enumerate() {
            let next = ids.get(place + 1);
            let unclean = Extent::Unclean { durable: 0 };
            let before = next.and_then(|next| wal::Reader::open(disk, *next, store, unclean).ok());
            let before = before.and_then(|next| next.end_before());
            let extent = match point.filter(|point| point.wal == *id) {
                Some(point) if self.live => Extent::Live(point.wal_end),
                Some(point) if view.current.phase == Phase::Open && before.is_none() => {
                    Extent::Unclean {
                        durable: point.wal_end,
                    }
                }
                _ => view.current.wal_extent(*id, before),
            };
            self.bytes += disk.len(&names::wal(*id))?.unwrap_or(0);
            self.logs.push((*id, extent));
        }
        Ok(())
    }

    /// Takes every segment and log there is.
    fn by_listing(disk: &dyn ReadDisk) -> Result<Plan> {
        let mut plan = Plan {
            store: find_store(disk),
            segments: Vec::new(),
            logs: Vec::new(),
            logs_missing: Vec::new(),
            sealed_seq: 0,
            next_segment: SegmentId(0),
            recorded: false,
            events: Events::AtLeast(0),
            live: is_live(disk),
            settled: false,
            bytes: 0,
        };
        for (path, len) in files(disk, names::segment_dir()) {
            if let Some(id) = file_name(&path).and_then(names::segment_id) {
                plan.bytes += len;
                let entry = None;
                plan.segments.push(Source { id, path, entry });
            }
        }
        for id in log_ids(disk)? {
            plan.logs.push((id, Extent::Unclean { durable: 0 }));
        }
        Ok(plan)
    }

    pub(super) const fn store(&self) -> Option<StoreId> {
        self.store
    }

    pub(super) fn segments(&self) -> &[Source] {
        &self.segments
    }

    pub(super) fn logs(&self) -> &[(WalId, Extent)] {
        &self.logs
    }

    pub(super) fn logs_missing(&self) -> &[WalId] {
        &self.logs_missing
    }

    /// Rows of logs below this are in segments.
    pub(super) const fn sealed_seq(&self) -> u64 {
        self.sealed_seq
    }

    /// Whether the store's records made this plan; otherwise files of different times lie together.
    pub(super) const fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// Whether a writer is at work.
    pub(super) const fn is_live(&self) -> bool {
        self.live
    }

    /// Whether the records that made it belong together.
    pub(super) const fn is_settled(&self) -> bool {
        self.settled
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// One more than the highest seq that the store is known to have had.
    pub(super) const fn events_known(&self) -> u64 {
        match self.events {
            Events::Exactly(events) | Events::AtLeast(events) => events,
        }
    }

    /// Compares the number of events with what the records say, and looks for holes.
    pub(super) fn check_count(
        &self,
        disk: &dyn ReadDisk,
        end: u64,
        seqs: &Seqs,
        report: &mut Report<'_>,
    ) {
        let place = disk.place(names::current());
        if let Events::Exactly(events) = self.events
            && end > events
        {
            let what = format!("the store was closed with {events} events, and has {end}");
            report.damage(&place, None, what);
        }
        let end = end.max(self.events_known());
        let end = instead(Bug::VerifyCountsNothing, end, |_| seqs.end());
        report.gone(seqs.gaps(end, GAPS_MAX), end - seqs.len());
    }

    /// Whether a segment that no record names has a number that the records count as used. Then they
    /// gave it, and it was replaced, or is of a bulk load that never came to its end. A number that
    /// they never gave is of records newer than they are.
    pub(super) fn is_given(&self, source: &Source) -> bool {
        source.id < self.next_segment
    }

    /// Looks for segments with events that the store, which has `end` of them, knows nothing of. It
    /// takes two looks: a writer that came meanwhile makes such segments, too.
    pub(super) fn check_unnamed(&self, disk: &dyn ReadDisk, end: u64, report: &mut Report<'_>) {
        if self.live {
            return;
        }
        let end = Sequence(end.max(self.events_known()));
        for source in self.unnamed(disk) {
            if self.is_given(&source) {
                continue;
            }
            let Ok(reader) = segment::open(disk, self.store, &source) else {
                continue;
            };
            let mut rows = reader.by_seq(end, Sequence(u64::MAX));
            if let Ok(Some((seq, _))) = rows.next() {
                let what = format!("the segment holds event {seq}, and no record names it");
                report.missing_file(&disk.place(&source.path), &what);
            }
        }
    }

    /// Segments that the records do not name but that are this store's own: what an interrupted
    /// seal or merge left, or what records that were put back have forgotten.
    pub(super) fn unnamed(&self, disk: &dyn ReadDisk) -> Vec<Source> {
        let mut found = Vec::new();
        if !self.recorded {
            return found;
        }
        for (path, _) in files(disk, names::segment_dir()) {
            let Some(id) = file_name(&path).and_then(names::segment_id) else {
                continue;
            };
            if self.segments.iter().any(|source| source.path == path) {
                continue;
            }
            let entry = None;
            let source = Source { id, path, entry };
            let reader = segment::open(disk, self.store, &source);
            if reader.is_ok_and(|reader| Some(reader.store()) == self.store) {
                found.push(source);
            }
        }
        found
    }

    /// The files whose bytes mean nothing.
    pub(super) fn scratch(&self, disk: &dyn ReadDisk) -> Vec<PathBuf> {
        let current = manifest::Current::read(disk).ok();
        let manifest = current.map(|current| names::manifest(current.manifest));
        // Where nothing tells which manifest is the store's, each may be.
        let is_any = manifest.is_none();
        let may_be = |path: &Path| {
            is_any && file_name(path).is_some_and(|name| names::manifest_id(name).is_some())
        };
        let logs = self.logs.iter().map(|(id, _)| names::wal(*id));
        let segments = self.segments.iter().map(|source| source.path.clone());
        let runs = presence::listed(disk).into_iter().map(|(path, ..)| path);
        let queries = saved::listed(disk).into_iter().map(|(path, _)| path);
        let known = logs.chain(segments).chain(manifest).chain(runs);
        let known = known.chain(queries).chain(jobs::listed(disk));
        let known = known.chain(inbox::listed(disk));
        let mut known: Vec<PathBuf> = known.collect();
        known.push(names::current().to_owned());
        known.sort();
        let mut scratch: Vec<PathBuf> = files(disk, names::root())
            .into_iter()
            .map(|(path, _)| path)
            .filter(|path| known.binary_search(path).is_err() && !may_be(path))
            .map(|path| disk.place(&path))
            .collect();
        scratch.sort();
        scratch
    }
}

fn is_live(disk: &dyn ReadDisk) -> bool {
    lock::status(disk).is_ok_and(|status| status.holder.is_some())
}

fn log_ids(disk: &dyn ReadDisk) -> Result<Vec<WalId>> {
    let listed = match disk.list(names::wal_dir()) {
        Err(error) if error.kind() == ErrorKind::Missing => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut ids: Vec<WalId> = listed
        .iter()
        .filter_map(|entry| names::wal_id(&entry.name))
        .collect();
    ids.sort();
    Ok(ids)
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name().and_then(|name| name.to_str())
}

/// Every file below a folder with its length; a folder that cannot be read has none.
pub(super) fn files(disk: &dyn ReadDisk, folder: &Path) -> Vec<(PathBuf, u64)> {
    const FOLDERS_DEEP: usize = 4;
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), FOLDERS_DEEP)];
    while let Some((folder, deep)) = folders.pop() {
        for entry in disk.list(&folder).unwrap_or_default() {
            let path = folder.join(&entry.name);
            if !entry.is_dir {
                let len = disk.len(&path).ok().flatten().unwrap_or(0);
                found.push((path, len));
            } else if deep > 0 {
                folders.push((path, deep - 1));
            }
        }
    }
    found.sort();
    found
}

/// The store's id from the first manifest or log that still has a header, for a store whose
/// `CURRENT` is damaged.
fn find_store(disk: &dyn ReadDisk) -> Option<StoreId> {
    let logs = log_ids(disk).unwrap_or_default();
    let logs = logs.into_iter().map(names::wal);
    let listed = disk.list(names::root()).unwrap_or_default();
    let manifests = listed
        .iter()
        .filter_map(|entry| names::manifest_id(&entry.name))
        .map(names::manifest);
    logs.chain(manifests).find_map(|path| {
        let mut sector = vec![0; frame::SECTOR];
        let file = disk.open_read(&path).ok()?;
        file.read_at(0, &mut sector).ok()?;
        let magic = sector.first_chunk().copied()?;
        let header = frame::Header::decode(&sector, magic, file.path()).ok()?;
        Some(header.store)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;
    use crate::disk::sim::SimDisk;

    /// A store has no folder that deep; whoever put one there is not followed for ever.
    #[test]
    fn files_are_listed_four_folders_deep() -> Result<()> {
        let disk = SimDisk::new(1);
        let mut folder = PathBuf::new();
        let mut wanted = Vec::new();
        for depth in 0..7 {
            let file = folder.join("file");
            disk.create_new(&file)?;
            if depth <= 4 {
                wanted.push((file, 0));
            }
            folder.push("below");
            disk.create_dir(&folder)?;
        }
        wanted.sort();
        assert_eq!(files(&disk, Path::new("")), wanted);
        Ok(())
    }
}
