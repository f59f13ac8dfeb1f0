//! Every moment of a recorded run, cut: makes the images of each moment, opens each that was not seen
//! before, and holds what is in it against the books. Of some images the recovery is recorded and cut
//! in its turn, and of some of those again.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use super::Ledger;
use super::Scale;
use crate::disk::Disk;
use crate::disk::names;
use crate::disk::sim::Moment;
use crate::disk::sim::Record;
use crate::disk::sim::SimDisk;
use crate::error::Error;
use crate::event::StoredEvent;
use crate::filter::Filter;
use crate::id::Sequence;
use crate::manifest::SegmentEntry;
use crate::options::Options;
use crate::store::Store;
use crate::store::open::recover_on;
use crate::store::tests::TestClock;
use crate::store::tests::event;
use crate::store::tests::events;
use crate::store::tests::open_with;

/// What was tried, and what came of it.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) moments: AtomicU64,
    /// Moments of which every subset of what was unsynced was tried.
    pub(super) exhausted: AtomicU64,
    pub(super) images: AtomicU64,
    pub(super) in_recovery: AtomicU64,
    pub(super) violations: Mutex<Vec<String>>,
    /// Every state that was opened, by a number that tells it from others, and how many events it was
    /// found to hold.
    seen: Mutex<HashMap<u64, Option<usize>>>,
}

/// What is known of a state.
enum Visit {
    /// Nobody was here before.
    First,
    /// Somebody was, in a run before this one or at this very moment.
    Unknown,
    /// It was opened and held so many events.
    Held(usize),
}

/// What all of the images of one run have in common.
pub(super) struct Explorer<'r> {
    pub(super) ledger: &'r Ledger,
    pub(super) options: &'r Options,
    pub(super) scale: Scale,
    pub(super) seed: u64,
    pub(super) tally: &'r Tally,
}

/// Where an image comes from: the changes of the run, how deep in recoveries, the least to be held.
#[derive(Clone, Copy)]
struct Origin<'s> {
    changes: u64,
    depth: u32,
    least: usize,
    story: &'s str,
}

impl Tally {
    /// What runs before this one have opened is not counted again.
    pub(super) fn after(seen: impl Iterator<Item = u64>) -> Tally {
        Tally {
            seen: Mutex::new(seen.map(|state| (state, None)).collect()),
            ..Tally::default()
        }
    }

    /// The numbers of all states that were opened, in these runs and those before.
    pub(super) fn states(&self) -> Vec<u64> {
        self.seen.lock().keys().copied().collect()
    }

    /// How many different states were opened.
    pub(super) fn distinct(&self) -> usize {
        self.seen.lock().len()
    }

    /// Whether anything was found.
    pub(super) fn has_violations(&self) -> bool {
        !self.violations.lock().is_empty()
    }

    fn visit(&self, state: u64) -> Visit {
        match self.seen.lock().entry(state) {
            Entry::Vacant(vacant) => {
                vacant.insert(None);
                Visit::First
            }
            Entry::Occupied(known) => known.get().map_or(Visit::Unknown, Visit::Held),
        }
    }

    fn note(&self, state: u64, held: usize) {
        self.seen.lock().insert(state, Some(held));
    }

    fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

impl Explorer<'_> {
    /// Cuts every moment of a run, on as many threads as the machine has.
    pub(super) fn cut_all(&self, record: &Record) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(moment) =
                        record.moments.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        self.cut_run(moment);
                    }
                });
            }
        });
    }

    fn cut_run(&self, moment: &Moment) {
        let origin = Origin {
            changes: moment.changes,
            depth: 0,
            least: 0,
            story: "",
        };
        // Of the many moments of a long run, few are gone on from: that costs as much as ten looks.
        let turn = self.seed.wrapping_add(moment.changes);
        let is_whole = !self.scale.is_long() || turn.is_multiple_of(self.scale.whole_every);
        let story = format!("killed at change {}", moment.changes);
        self.judge(&moment.killed(), origin, &story, is_whole);
        self.cut(moment, origin, self.scale.images);
        Tally::add(&self.tally.moments, 1);
    }

    /// All images of a moment.
    fn cut(&self, moment: &Moment, origin: Origin<'_>, max: u64) {
        let images = moment.images(max, self.seed);
        if origin.depth == 0 && images.is_exhaustive() {
            Tally::add(&self.tally.exhausted, 1);
        }
        Tally::add(&self.tally.images, images.count());
        for number in 0..images.count() {
            let image = images.image(number);
            // Told only if it is wanted: to say it costs as much as to make an image.
            let story = || {
                let (before, changes) = (origin.story, moment.changes);
                format!("{before}cut at change {changes}: {}", images.story(number))
            };
            let visit = self.tally.visit(image.hash);
            if let Visit::First = visit {
                if image.hash % self.scale.recovery_every == 1 && origin.depth < 2 {
                    self.cut_recovery(&image.disk, origin, &story());
                }
                if origin.depth > 0 {
                    Tally::add(&self.tally.in_recovery, 1);
                }
            }
            let checked = match visit {
                // Opened again it would show the same; but more may have been acknowledged since.
                Visit::Held(held) => self.recheck(&image.disk, origin, held),
                Visit::First | Visit::Unknown => {
                    let is_whole = image.hash.is_multiple_of(self.scale.whole_every);
                    let checked = self.check(&image.disk, origin, is_whole);
                    checked.map(|held| self.tally.note(image.hash, held))
                }
            };
            if let Err(what) = checked {
                self.report(&story(), &what);
            }
        }
    }

    /// Holds a state that was opened before, and what it held, against what had been acknowledged here.
    fn recheck(&self, disk: &SimDisk, origin: Origin<'_>, held: usize) -> Result<(), String> {
        self.ledger.check_outputs(disk, origin.changes)?;
        self.ledger.check_count(held, origin.changes, origin.least)
    }

    /// Recovers once more, with every change of it on record, and cuts that.
    fn cut_recovery(&self, disk: &SimDisk, origin: Origin<'_>, story: &str) {
        let disk = disk.kill();
        disk.record(names::lock());
        let mut least = origin.least;
        let mut opened = u64::MAX;
        let worked = self.open(&disk).and_then(|store| {
            opened = disk.changes();
            store.shared.drain()?;
            Ok(tail(&store)?.len())
        });
        match worked {
            Ok(held) => least = least.max(held),
            Err(error) => self.report(story, &format!("no recovery: {error:?}")),
        }
        let story = format!("{story}, then in its recovery ");
        let record = disk.take_record();
        for moment in &record.moments {
            // What was shown once stays.
            let least = if moment.changes >= opened {
                least
            } else {
                origin.least
            };
            let origin = Origin {
                depth: origin.depth + 1,
                least,
                story: &story,
                ..origin
            };
            self.cut(moment, origin, self.scale.recovery_images);
        }
    }

    fn judge(&self, disk: &SimDisk, origin: Origin<'_>, story: &str, is_whole: bool) {
        if let Err(what) = self.check(disk, origin, is_whole) {
            self.report(&format!("{}{story}", origin.story), &what);
        }
    }

    /// The disk as it is and after a power failure, neither of which may lack what was acknowledged.
    pub(super) fn check_both(&self, disk: &SimDisk, crash: u64, story: &str) {
        let origin = Origin {
            changes: disk.changes(),
            depth: 0,
            least: 0,
            story: "",
        };
        self.judge(&disk.kill(), origin, &format!("{story}, killed"), false);
        self.judge(&disk.crash(crash), origin, &format!("{story}, cut"), true);
    }

    pub(super) fn report(&self, story: &str, what: &str) {
        let mut violations = self.tally.violations.lock();
        violations.push(format!("seed {:#018x}, {story}: {what}", self.seed));
    }

    /// Opens an image and compares; nothing that it does may end the test.
    fn check(&self, disk: &SimDisk, origin: Origin<'_>, is_whole: bool) -> Result<usize, String> {
        let checked = catch_unwind(AssertUnwindSafe(|| {
            self.ledger.check_outputs(disk, origin.changes)?;
            let held = self.check_once(disk, origin)?;
            if is_whole {
                self.check_on(disk, held)?;
            }
            Ok(held)
        }));
        checked.unwrap_or_else(|_| Err("a panic, told above".to_owned()))
    }

    /// One recovery and a look at all that it left, without the threads that would go on from there.
    fn check_once(&self, disk: &SimDisk, origin: Origin<'_>) -> Result<usize, String> {
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let path = Path::new("/sim");
        let store = recover_on(shared, TestClock::new(), path, self.options.clone())
            .map_err(|error| format!("no recovery: {error:?}"))?;
        let found = tail(&store).map_err(|error| format!("no reading: {error:?}"))?;
        self.ledger.check(&found, origin.changes, origin.least)?;
        // The tail goes by numbers, and would not show an event that two segments hold.
        let manifest = store.shared.manifest.lock();
        let (state, rows) = (manifest.state(), |entry: &SegmentEntry| {
            u64::from(entry.rows)
        });
        let kept: u64 = state.segments.values().map(rows).sum();
        let sealed = state.sealed_seq.0;
        match kept == sealed {
            true => Ok(found.len()),
            false => Err(format!(
                "segments hold {kept} rows of {sealed} sealed events"
            )),
        }
    }

    /// The second recovery finds the same, every way of reading agrees, and the store goes on working.
    fn check_on(&self, disk: &SimDisk, held: usize) -> Result<(), String> {
        let disk = disk.kill();
        let again = || -> crate::error::Result<(usize, usize)> {
            let store = self.open(&disk)?;
            let found = events(&store)?.len();
            for number in 0..3 {
                store.append(&event(number))?;
            }
            store.flush()?;
            store.close()?;
            let store = self.open(&disk)?;
            let after = events(&store)?.len();
            store.close()?;
            Ok((found, after))
        };
        match again() {
            Ok((found, after)) if (found, after) == (held, held + 3) => Ok(()),
            other => Err(format!(
                "{held} events were held, and after another recovery {other:?}"
            )),
        }
    }

    fn open(&self, disk: &SimDisk) -> Result<Store, Error> {
        open_with(disk, &TestClock::new(), self.options.clone())
    }
}

/// Every visible event in commit order.
fn tail(store: &Store) -> Result<Vec<StoredEvent>, Error> {
    let snapshot = store.snapshot();
    let mut found = Vec::new();
    let mut from = Sequence(0);
    loop {
        let tail = snapshot.tail(&Filter::new(), from)?;
        from = tail.next_seq;
        found.extend(tail.events);
        if tail.complete {
            return Ok(found);
        }
    }
}
