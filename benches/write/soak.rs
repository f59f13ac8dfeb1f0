//! Eight threads appending single events while segments are sealed and merged all the time, another
//! process follows, and exports run one after the other: every acknowledged event must be there once
//! in every reader.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use auditdb::Event;
use auditdb::Export;
use auditdb::Options;
use auditdb::Query;
use auditdb::ReadMode;
use auditdb::Reader;
use auditdb::Store;

use super::Line;
use super::events;
use super::follower;
use super::histogram::Histogram;
use super::histogram::text;
use super::rates::rate;

const THREADS: u64 = 8;
const DIFFERENT: u64 = 20_000;

/// What one thread was told.
struct Told {
    /// For each receipt its number, and the moment it came.
    receipts: Vec<(u64, u64)>,
    latencies: Histogram,
}

pub(crate) fn run(folder: &tempfile::TempDir, time: Duration) -> Vec<Line> {
    // Small memtables and a low fan-in: something is sealed or merged at every moment.
    let options = Options {
        memtable_bytes_max: 2 << 20,
        merge_fan_in: 4,
        ..Options::default()
    };
    let store = Store::open(folder.path(), options).expect("a store");
    let different = events(DIFFERENT);
    let mut child = follower::start(folder.path(), u64::from(u32::MAX));
    let seen = follower::moments(&mut child);
    let (is_over, followed) = (AtomicBool::new(false), AtomicUsize::new(0));
    let begun = Instant::now();
    let (told, exports, seen) = std::thread::scope(|scope| {
        let exporter = scope.spawn(|| export_again(folder.path(), &is_over));
        let counting = scope.spawn(|| {
            let count = |_: &u64| {
                followed.fetch_add(1, Ordering::SeqCst);
            };
            seen.inspect(count).collect::<Vec<u64>>()
        });
        let threads: Vec<_> = (0..THREADS)
            .map(|number| (number, &store, &different))
            .map(|(number, store, events)| {
                scope.spawn(move || append(store, events, number, begun, time))
            })
            .collect();
        let told: Vec<Told> = threads
            .into_iter()
            .map(|thread| thread.join().expect("a thread"))
            .collect();
        is_over.store(true, Ordering::SeqCst);
        let count: usize = told.iter().map(|told| told.receipts.len()).sum();
        while followed.load(Ordering::SeqCst) < count {
            // It ends by itself, and the lines with it, if nothing comes for a minute.
            assert!(!counting.is_finished(), "the follower ended");
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().and_then(|()| child.wait()).expect("its end");
        let exports = exporter.join().expect("exports");
        (told, exports, counting.join().expect("moments"))
    });
    let took = begun.elapsed();
    let receipts = each_once(told.iter().flat_map(|told| &told.receipts));
    check(&store, folder.path(), receipts.len() as u64);
    assert!(seen.len() >= receipts.len(), "the follower has every event");
    let mut follower = Histogram::new();
    for (receipt, moment) in receipts.iter().zip(&seen) {
        follower.add(Duration::from_micros(moment.saturating_sub(*receipt)));
    }
    let mut commits = Histogram::new();
    told.iter().for_each(|told| commits.merge(&told.latencies));
    lines(&store, time.min(took), &commits, &follower, exports)
}

fn append(store: &Store, events: &[Event], number: u64, begun: Instant, time: Duration) -> Told {
    let mut told = Told {
        receipts: Vec::new(),
        latencies: Histogram::new(),
    };
    let from = number as usize * events.len() / THREADS as usize;
    for event in events.iter().cycle().skip(from) {
        let sent = Instant::now();
        let receipt = store.append(event).expect("a receipt");
        told.receipts.push((receipt.seq.0, follower::now()));
        told.latencies.add(sent.elapsed());
        if begun.elapsed() >= time {
            break;
        }
    }
    told
}

/// The moments of all receipts by their numbers, which must be dense.
fn each_once<'r>(receipts: impl Iterator<Item = &'r (u64, u64)>) -> Vec<u64> {
    let mut receipts: Vec<(u64, u64)> = receipts.copied().collect();
    receipts.sort_unstable();
    let dense = receipts
        .iter()
        .map(|(seq, _)| *seq)
        .eq(0..receipts.len() as u64);
    assert!(
        dense,
        "every receipt has a number of its own, none is left out"
    );
    receipts.into_iter().map(|(_, moment)| moment).collect()
}

/// Exports the newest events again and again until it is over; gives how many there were.
fn export_again(path: &Path, is_over: &AtomicBool) -> (u64, u64) {
    let reader = Reader::open(path, ReadMode::default()).expect("a reader");
    let export = Export::default();
    let (mut exports, mut rows) = (0, 0);
    while !is_over.load(Ordering::SeqCst) {
        let snapshot = reader.snapshot().expect("a snapshot");
        let report = export
            .run(&snapshot, &Query::default(), std::io::sink())
            .expect("an export");
        assert_eq!(
            report.rows,
            snapshot.seq_count(),
            "an export has every event of its moment"
        );
        (exports, rows) = (exports + 1, rows + report.rows);
    }
    (exports, rows)
}

/// Every event once in the writer's own scan, a reader's, and an export.
fn check(store: &Store, path: &Path, count: u64) {
    let reader = Reader::open(path, ReadMode::Positional).expect("a reader");
    for snapshot in [store.snapshot(), reader.snapshot().expect("a snapshot")] {
        let mut is_there = vec![false; count as usize];
        let mut rows = 0;
        for event in snapshot.scan(&Query::default()).expect("a scan") {
            let seq = event.expect("an event").seq.0 as usize;
            let slot = is_there.get_mut(seq).expect("an event with a receipt");
            assert!(
                !core::mem::replace(slot, true),
                "event {seq} is there twice"
            );
            rows += 1;
        }
        assert_eq!(rows, count, "every event is there");
        let report = Export::default().run(&snapshot, &Query::default(), std::io::sink());
        assert_eq!(report.expect("an export").rows, count);
    }
}

fn lines(
    store: &Store,
    time: Duration,
    commits: &Histogram,
    follower: &Histogram,
    (exports, exported): (u64, u64),
) -> Vec<Line> {
    let line = |what: &str, figures: &[String]| Line::new(what, figures.iter().cloned());
    let pressure = store.pressure();
    let latencies = |what: &str, histogram: &Histogram| {
        let quantiles = [0.5, 0.99, 0.999, 1.0].map(|share| text(histogram.quantile(share)));
        line(what, &quantiles)
    };
    vec![
        line("", &["p50", "p99", "p99.9", "max"].map(str::to_owned)),
        latencies("append, 8 threads", commits),
        latencies("follower behind the receipt", follower),
        line(
            "events",
            &[commits.count().to_string(), rate(commits.count(), time)],
        ),
        line(
            "exports of all, rows",
            &[exports.to_string(), exported.to_string()],
        ),
        line(
            "delayed, held",
            &[text(pressure.delayed), text(pressure.blocked)],
        ),
        line(
            "each event once in follower, scans, exports",
            &["yes".to_owned()],
        ),
    ]
}
