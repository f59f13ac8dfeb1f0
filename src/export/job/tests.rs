//! Jobs on a simulated disk, cut at every change that they make, and through their whole life. What a
//! job's file holds is compared with the export that is made in one go.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what it did not expect"
)]

#[cfg(feature = "zip")]
mod archives;
#[cfg(all(feature = "pdf", feature = "zip"))]
mod documents;
mod ended;
mod made_for;

use std::io::ErrorKind::Other;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use super::ExportJobOptions;
use super::ExportJobState;
use super::ExportJobs;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::durable::Draft;
use crate::disk::names;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Subject;
use crate::export::Compression;
use crate::export::Export;
use crate::export::Format;
use crate::export::audit::Keep;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::id::ExportId;
use crate::jobs;
use crate::jobs::Folder;
use crate::jobs::Record;
use crate::jobs::State;
use crate::layout::LocalZone;
use crate::options::Options;
use crate::query::Order;
use crate::query::Query;
use crate::store::Store;
use crate::store::open_on;
use crate::time::Clock;
use crate::time::Time;

const EVENTS: u64 = 45;
const STEP: u64 = 10;
const INDIA: &str = "Asia/Kolkata";
const BASE: i64 = 1_778_000_000_000_000;

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Time {
        Time::saturating_from_micros(self.0.load(Ordering::SeqCst))
    }
}

fn clock() -> Arc<TestClock> {
    Arc::new(TestClock(AtomicI64::new(BASE)))
}

fn open(disk: &SimDisk) -> Result<Store> {
    open_at(disk, &clock())
}

fn open_at(disk: &SimDisk, clock: &Arc<TestClock>) -> Result<Store> {
    let options = Options {
        memtable_bytes_max: 4 << 10,
        merge_fan_in: 2,
        ..Options::default()
    };
    let clock = Arc::<TestClock>::clone(clock);
    open_on(Arc::new(disk.clone()), clock, Path::new("/sim"), options)
}

fn append(store: &Store, numbers: core::ops::Range<u64>) {
    let event = |number: u64| {
        let micros = BASE - (number * 7919 % 50) as i64;
        Event::new("job.tested")
            .occurred_at(Time::saturating_from_micros(micros))
            .subject(Subject::new("number").id(number.to_string()))
            .reason("x".repeat((number * 31 % 200) as usize))
    };
    let events: Vec<Event> = numbers.map(event).collect();
    store.append_batch(&events).unwrap();
}

fn filled(seed: u64) -> (SimDisk, Store) {
    let disk = SimDisk::new(seed);
    let store = open(&disk).unwrap();
    append(&store, 0..EVENTS);
    (disk, store)
}

fn jobs<'s>(disk: &SimDisk, store: &'s Store) -> Result<ExportJobs<'s>> {
    let jobs = ExportJobs::on(Arc::new(disk.clone()), clock(), Keep::Store(store));
    Ok(ExportJobs {
        step_rows: STEP,
        ..jobs.zones(|name| (name == INDIA).then(india))
    })
}

fn india() -> LocalZone {
    LocalZone::new(INDIA, |_| 5 * 3600 + 1800)
}

fn keyed(key: &str) -> ExportJobOptions {
    ExportJobOptions {
        key: Some(key.to_owned()),
        ..ExportJobOptions::default()
    }
}

/// Only what the tests appended: the trail's own records come and go with faults.
fn query() -> Query {
    Query {
        filter: Filter::new().is(FilterField::Type, "job.tested"),
        ..Query::default()
    }
}

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn read(disk: &SimDisk, path: &Path) -> Vec<u8> {
    let file = disk.open_read(path).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(0, &mut bytes).unwrap();
    bytes
}

fn count(store: &Store, event_type: &str) -> usize {
    let filter = Filter::new().is(FilterField::Type, event_type);
    let query = Query {
        filter,
        ..Query::default()
    };
    store.snapshot().scan(&query).unwrap().count()
}

fn exports() -> [Export; 3] {
    [
        (Format::Csv, Compression::None),
        (Format::Ndjson, Compression::Zstd),
        (Format::Csv, Compression::Gzip),
    ]
    .map(|(format, compression)| Export {
        format,
        compression,
        limit: Some(EVENTS - 2),
        ..Export::default()
    })
}

fn ending(export: &Export) -> &'static str {
    match export.compression {
        Compression::None => "csv",
        Compression::Zstd => "ndjson.zst",
        Compression::Gzip => "csv.gz",
    }
}

/// Starts the job and works on it until it is ready; gives its file.
fn done(disk: &SimDisk, store: &Store, export: &Export) -> Result<Vec<u8>> {
    done_as(disk, store, export, &keyed("nightly"))
}

fn done_as(
    disk: &SimDisk,
    store: &Store,
    export: &Export,
    options: &ExportJobOptions,
) -> Result<Vec<u8>> {
    let jobs = jobs(disk, store)?;
    let id = jobs.start(export, &query(), options)?.id;
    let job = jobs.run(id, &mut on)?;
    assert_eq!(job.state, ExportJobState::Ready);
    let ending = if options.zip { "zip" } else { ending(export) };
    let bytes = read(disk, &names::export(id, ending));
    assert_eq!(disk.len(&names::export_part(id))?, None);
    assert_eq!((job.rows, job.bytes), (EVENTS - 2, bytes.len() as u64));
    assert_eq!((job.complete, job.audited), (Some(false), true));
    Ok(bytes)
}

/// A job is cut at each change of the disk in turn: its process is killed, or the power fails. Whoever
/// starts it again under its key gets the same bytes, and the trail tells of it once.
#[test]
fn mission_e22_a_job_that_was_cut_anywhere_goes_on_to_the_same_bytes() {
    for export in exports() {
        let (disk, store) = filled(1);
        let undisturbed = done(&disk, &store, &export).unwrap();
        for n in 0.. {
            let (disk, store) = filled(n);
            disk.fail(Fault::any_change(Other).after(n).sticky());
            let whole = done(&disk, &store, &export).is_ok();
            drop(store);
            for left in [disk.kill(), disk.crash(n), disk.crash(n + 1)] {
                let store = open(&left).unwrap();
                let again = done(&left, &store, &export).unwrap();
                assert!(again == undisturbed, "change {n}, {:?}", export.compression);
                assert_eq!(count(&store, "audit.exported"), 1, "change {n}");
                assert_eq!(count(&store, "audit.export_started"), 1, "change {n}");
            }
            if whole {
                break;
            }
        }
    }
}

/// What is made in steps is what is made in one go, and stays so while the store goes on.
#[test]
fn mission_d22_a_job_gives_the_same_bytes_over_appends_and_merges() {
    let (disk, store) = filled(1);
    let (snapshot, mut whole) = (store.snapshot(), Vec::new());
    let export = Export::default();
    export.run(&snapshot, &query(), &mut whole).unwrap();
    let jobs = jobs(&disk, &store).unwrap();
    let ids = ["a", "b"].map(|key| jobs.start(&export, &query(), &keyed(key)).unwrap().id);
    // One is interrupted behind its second step; then the store is another.
    let mut stop = |rows| match rows {
        0..=STEP => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let job = jobs.run(ids[0], &mut stop).unwrap();
    assert_eq!((job.state, job.rows), (ExportJobState::Queued, STEP));
    assert!(job.progress > 0.0 && job.progress < 1.0 && job.file.is_none());
    append(&store, EVENTS..3 * EVENTS);
    store.compact().unwrap();
    for id in ids {
        let job = jobs.run(id, &mut on).unwrap();
        assert_eq!((job.rows, job.complete), (EVENTS, Some(true)));
        assert_eq!((job.progress, job.rows_estimate), (1.0, Some(EVENTS)));
        assert!(read(&disk, &names::export(id, "ndjson")) == whole);
    }
}

#[test]
fn mission_a13_a_key_starts_one_job() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let (export, key) = (Export::default(), keyed("k"));
    let first = jobs.start(&export, &query(), &key).unwrap();
    append(&store, EVENTS..EVENTS + 1);
    assert_eq!(jobs.start(&export, &query(), &key).unwrap(), first);
    let csv = Export {
        format: Format::Csv,
        ..Export::default()
    };
    let other = [
        jobs.start(&csv, &query(), &key),
        jobs.start(&export, &Query::default(), &key),
        jobs.start(
            &export,
            &Query {
                order: Order::OldestFirst,
                ..query()
            },
            &key,
        ),
    ];
    for refused in other {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::KeyConflict);
    }
    let nameless = ExportJobOptions::default();
    let two = [(); 2].map(|()| jobs.start(&export, &query(), &nameless).unwrap().id);
    assert_ne!(two[0], two[1]);
    assert_eq!(jobs.list().unwrap().len(), 3);
    let json = Export {
        format: Format::Json,
        ..Export::default()
    };
    let refused = jobs.start(&json, &query(), &nameless).unwrap_err();
    assert!(refused.to_string().contains("ndjson"), "{refused}");
}

#[test]
fn a_job_that_is_cancelled_leaves_nothing_and_stays_cancelled() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let start = |key| {
        jobs.start(&Export::default(), &query(), &keyed(key))
            .unwrap()
            .id
    };
    // One on which nobody works, one in the middle of its work.
    let (idle, busy) = (start("idle"), start("busy"));
    jobs.cancel(idle).unwrap();
    let mut cancel = |_| {
        assert_eq!(jobs.cancel(busy).unwrap().state, ExportJobState::Running);
        assert_eq!(
            jobs.run(busy, &mut on).unwrap_err().kind(),
            ErrorKind::Locked
        );
        ControlFlow::Continue(())
    };
    jobs.run(busy, &mut cancel).unwrap();
    for id in [idle, busy] {
        assert_eq!(
            jobs.run(id, &mut on).unwrap().state,
            ExportJobState::Cancelled
        );
        assert_eq!(disk.len(&names::export_part(id)).unwrap(), None);
        assert_eq!(disk.len(&names::job_cancel(id)).unwrap(), None);
    }
    assert_eq!(count(&store, "audit.export_failed"), 1);
}

/// The file goes when its time has come, the events do not, and the trail says so.
#[test]
fn mission_d22_files_are_purged_when_their_time_has_come() {
    let (disk, store) = filled(1);
    let clock = clock();
    let at = |clock: &Arc<TestClock>| {
        let clock = Arc::<TestClock>::clone(clock);
        ExportJobs::on(Arc::new(disk.clone()), clock, Keep::Store(&store))
    };
    let jobs = at(&clock);
    let id = jobs
        .start(&Export::default(), &query(), &keyed("k"))
        .unwrap()
        .id;
    let file = names::export(id, "ndjson");
    jobs.run(id, &mut on).unwrap();
    let week = Duration::from_secs(7 * 24 * 3600).as_micros() as i64;
    for (later, there) in [(week - 1, true), (week, false)] {
        clock.0.store(BASE + later, Ordering::SeqCst);
        assert_eq!(jobs.purge().unwrap().len(), usize::from(!there));
        assert_eq!(disk.len(&file).unwrap().is_some(), there);
    }
    let job = jobs.status(id).unwrap();
    assert_eq!((job.state, job.file), (ExportJobState::Expired, None));
    assert_eq!(count(&store, "audit.export_purged"), 1);
    assert_eq!(count(&store, "job.tested") as u64, EVENTS);
    assert_eq!(jobs.purge().unwrap().len(), 0);
}

/// Nobody has to ask: the store's writer purges when it opens the store, and while it has it open.
#[test]
fn mission_d22_the_writer_purges_at_open_and_hourly() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let ids = ["a", "b"].map(|key| {
        let keep = Duration::from_secs(if key == "a" { 3600 } else { 3 * 3600 });
        let options = ExportJobOptions { keep, ..keyed(key) };
        let id = jobs
            .start(&Export::default(), &query(), &options)
            .unwrap()
            .id;
        jobs.run(id, &mut on).unwrap().id
    });
    drop(jobs);
    store.close().unwrap();
    let there = |id: ExportId| disk.len(&names::export(id, "ndjson")).unwrap().is_some();
    let hour = Duration::from_secs(3600).as_micros() as i64;
    let clock = Arc::new(TestClock(AtomicI64::new(BASE + hour)));
    let store = open_at(&disk, &clock).unwrap();
    assert!(!there(ids[0]) && there(ids[1]));
    clock.0.store(BASE + 4 * hour, Ordering::SeqCst);
    let begun = Instant::now();
    while there(ids[1]) || count(&store, "audit.export_purged") < 2 {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(20));
    }
    let now = ids.map(|id| jobs::read(&disk, id).unwrap());
    assert!(
        now.iter()
            .all(|record| record.state == State::Expired && record.audited)
    );
    assert_eq!(count(&store, "job.tested") as u64, EVENTS);
}

/// A full disk fails the job, with room it goes on; a file that was changed meanwhile is made anew.
#[test]
fn a_failed_job_goes_on_and_a_changed_file_is_made_anew() {
    let (disk, store) = filled(1);
    let mut whole = Vec::new();
    let export = Export::default();
    export.run(&store.snapshot(), &query(), &mut whole).unwrap();
    let jobs = jobs(&disk, &store).unwrap();
    let id = jobs.start(&export, &query(), &keyed("k")).unwrap().id;
    let full = std::io::ErrorKind::StorageFull;
    disk.fail(
        Fault::new(Operation::Write, full)
            .within("exports/")
            .after(2),
    );
    assert!(jobs.run(id, &mut on).unwrap_err().is_full());
    let failed = jobs.status(id).unwrap();
    assert_eq!(
        (failed.state, failed.rows),
        (ExportJobState::Failed, 2 * STEP)
    );
    assert!(failed.reason.is_some());
    disk.rot(&names::export_part(id), 99);
    assert_eq!(jobs.run(id, &mut on).unwrap().state, ExportJobState::Ready);
    assert!(read(&disk, &names::export(id, "ndjson")) == whole);
}

/// What happened: a job that met a full disk kept all that it had written, behind what its record
/// counts, so that nothing could be appended any more; and it could not be cancelled, as the record
/// that says so is written before the file goes.
#[test]
fn p5_a_job_that_met_a_full_disk_gives_its_room_back() {
    let plain = keyed("k");
    let zipped = ExportJobOptions {
        zip: true,
        ..keyed("k")
    };
    for options in [plain, zipped] {
        let mut failures = 0;
        for room in (0..).step_by(400) {
            let (disk, store) = filled(1);
            let jobs = jobs(&disk, &store).unwrap();
            let export = Export::default();
            let id = jobs.start(&export, &query(), &options).unwrap().id;
            disk.leave_room(room);
            let Err(error) = jobs.run(id, &mut on) else {
                break;
            };
            assert!(error.is_full(), "{error}");
            failures += 1;
            let reached = jobs::read(&disk, id).unwrap().reached.bytes;
            let left = disk.len(&names::export_part(id)).unwrap();
            assert!(left.is_none_or(|len| len <= reached), "{left:?}, {reached}");
            assert_eq!(disk.len(&names::export_archive_part(id)).unwrap(), None);
            // A record takes less than that.
            if reached > 4_096 {
                disk.leave_room(0);
                assert_eq!(jobs.cancel(id).unwrap().state, ExportJobState::Cancelled);
                assert_eq!(disk.len(&names::export_part(id)).unwrap(), None);
            }
        }
        assert!(failures > 10, "{failures}");
    }
}

/// Every bit of a record matters, and what it says is what it is read as.
#[test]
fn a_damaged_record_is_refused_with_its_file() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let id = jobs
        .start(&Export::default(), &query(), &keyed("k"))
        .unwrap()
        .id;
    let (path, folder) = (names::job(id), Folder(&disk));
    let bytes = read(&disk, &path);
    assert_eq!(jobs::read(folder.0, id).unwrap().encode().unwrap(), bytes);
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Record::decode(&path, &damaged).is_err(), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(Record::decode(&path, &bytes[..len]).is_err(), "{len} bytes");
    }
    let refused = jobs.status(ExportId::of_key("no such")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::OutOfRange);
}
