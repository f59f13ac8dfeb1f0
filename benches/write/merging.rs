//! What a durable event waits while segments are merged at full speed, and while nothing is.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use auditdb::Durability;
use auditdb::Options;
use auditdb::Store;

use super::Asked;
use super::Line;
use super::events;
use super::histogram::Histogram;
use super::rates::rate;

/// Events that one second of merging takes, about.
const EVENTS_A_SECOND: u64 = 60_000;
/// Segments that are merged: fewer than are merged by themselves.
const SEGMENTS: u64 = 40;
const EVENT_BYTES: u64 = 950;

pub(crate) fn latency(asked: &Asked) -> Vec<Line> {
    let folder = asked.scratch();
    let count = EVENTS_A_SECOND * asked.seconds.as_secs().max(1);
    fill(folder.path(), count);
    let store = Store::open(folder.path(), Options::default()).expect("a store");
    let idle = until(&store, |begun| begun >= asked.seconds);
    let is_over = AtomicBool::new(false);
    let merging = std::thread::scope(|scope| {
        scope.spawn(|| {
            store.compact().expect("a merge");
            is_over.store(true, Ordering::SeqCst);
        });
        until(&store, |_| is_over.load(Ordering::SeqCst))
    });
    let ratio = merging.1.quantile(0.99).as_secs_f64() / idle.1.quantile(0.99).as_secs_f64();
    let line = |what: &str, (time, latencies): &(Duration, Histogram)| {
        let figures = latencies.figures().into_iter();
        Line::new(what, figures.chain([rate(latencies.count(), *time)]))
    };
    vec![
        line("commit, idle", &idle),
        line("commit, while merging", &merging),
        Line::new("… p99 beside idle", [String::new(), format!("{ratio:.2}x")]),
    ]
}

/// A store of small segments that are not merged yet.
fn fill(path: &Path, count: u64) {
    let memtable = (count * EVENT_BYTES / SEGMENTS) as usize;
    let options = Options {
        durability: Durability::Buffered,
        memtable_bytes_max: memtable.clamp(4 << 10, 32 << 20),
        ..Options::default()
    };
    let store = Store::open(path, options).expect("a store");
    for batch in events(count).chunks(1_000) {
        store.append_batch(batch).expect("receipts");
    }
    store.close().expect("a clean close");
}

/// Appends durable events one by one until it is over.
fn until(store: &Store, is_over: impl Fn(Duration) -> bool) -> (Duration, Histogram) {
    let events = events(5_000);
    let mut latencies = Histogram::new();
    let begun = Instant::now();
    for event in events.iter().cycle() {
        let sent = Instant::now();
        store.append(event).expect("a receipt");
        latencies.add(sent.elapsed());
        if is_over(begun.elapsed()) {
            break;
        }
    }
    (begun.elapsed(), latencies)
}
