//! The promises of the writing side, on a simulated disk and a clock that the test sets. Events are
//! a function of their number, so that what is recovered can be told from what was invented. Where
//! chance plays a part, a failure names its seed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what it did not expect"
)]

mod background;
mod batches;
mod bulk;
mod copies;
mod costs;
mod counted;
mod crash;
mod cursors;
mod edges;
mod faults;
mod followers;
mod histories;
mod inbox;
mod keys;
mod lifecycle;
mod many;
mod pages;
mod parts;
mod presence;
mod readers;
mod remains;
mod replay;
mod rig;
mod rivals;
mod room;
mod tickets;
mod times;
mod views;
mod work;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::event::Event;
use crate::event::StoredEvent;
use crate::event::Subject;
use crate::filter::Filter;
use crate::id::Sequence;
use crate::options::Durability;
use crate::options::Options;
use crate::query::Order;
use crate::query::Query;
use crate::store::Receipt;
use crate::store::Store;
use crate::store::open::open_on;
use crate::time::Clock;
use crate::time::Time;

/// A moment in May 2026, at which every test's clock begins.
const BASE: i64 = 1_778_000_000_000_000;

/// A clock that stands still unless it is set.
struct TestClock(AtomicI64);

impl TestClock {
    fn new() -> Arc<TestClock> {
        Arc::new(TestClock(AtomicI64::new(BASE)))
    }

    fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Time {
        Time::saturating_from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Limits so small that a few dozen events are sealed and merged several times.
fn small() -> Options {
    Options {
        memtable_bytes_max: 4 << 10,
        merge_fan_in: 2,
        open_segments_max: 8,
        ..Options::default()
    }
}

/// A moment of the given number of microseconds.
fn at(micros: i64) -> Time {
    Time::from_micros(micros).unwrap()
}

/// The event of a number: recognisable, out of time order, in several months, of varying length.
fn event(number: u64) -> Event {
    const MONTH: i64 = 31 * 86_400 * 1_000_000;
    let micros = BASE - (number % 3) as i64 * MONTH + (number * 7919 % 50) as i64;
    Event::new("store.tested")
        .occurred_at(at(micros))
        .subject(Subject::new("number").id(number.to_string()))
        .reason("x".repeat((number * 31 % 200) as usize))
}

fn open_with(disk: &SimDisk, clock: &Arc<TestClock>, options: Options) -> Result<Store> {
    open_on(
        Arc::new(disk.clone()),
        Arc::<TestClock>::clone(clock),
        Path::new("/sim"),
        options,
    )
}

fn open(disk: &SimDisk) -> Result<Store> {
    open_with(disk, &TestClock::new(), small())
}

/// A store that acknowledges before it syncs, unless an append asks for more.
fn open_buffered(disk: &SimDisk) -> Result<Store> {
    let durability = Durability::Buffered;
    open_with(
        disk,
        &TestClock::new(),
        Options {
            durability,
            ..small()
        },
    )
}

/// Every visible event in commit order. Reads it in time order too, and the two must agree.
fn events(store: &Store) -> Result<Vec<StoredEvent>> {
    let snapshot = store.snapshot();
    let mut events = Vec::new();
    let mut from = Sequence(0);
    loop {
        let tail = snapshot.tail(&Filter::new(), from)?;
        from = tail.next_seq;
        events.extend(tail.events);
        if tail.complete {
            break;
        }
    }
    assert_eq!(
        events.len() as u64,
        snapshot.seq_count(),
        "a count that is not that of the events"
    );
    assert!(
        events
            .iter()
            .map(|event| event.seq.0)
            .eq(0..events.len() as u64),
        "seq is not dense"
    );
    let query = Query {
        order: Order::OldestFirst,
        ..Query::default()
    };
    let scanned: Vec<StoredEvent> = snapshot.scan(&query)?.collect::<Result<_>>()?;
    let mut sorted = events.clone();
    sorted.sort_by_key(StoredEvent::position);
    let differs = scanned
        .iter()
        .zip(&sorted)
        .find(|(left, right)| left != right);
    let (scanned, sorted) = (scanned.len(), sorted.len());
    assert!(
        differs.is_none() && scanned == sorted,
        "a scan is not the tail, sorted: {scanned} events are not {sorted}, {differs:?}"
    );
    Ok(events)
}

/// How many events the store holds, each of which must be the one of its number.
fn count(store: &Store) -> Result<u64> {
    let events = events(store)?;
    for stored in &events {
        assert_eq!(
            stored.event,
            event(stored.seq.0),
            "an event was invented or changed"
        );
    }
    Ok(events.len() as u64)
}

/// Appends the events of these numbers as one batch.
fn append(store: &Store, numbers: core::ops::Range<u64>) -> Result<Vec<Receipt>> {
    let batch: Vec<Event> = numbers.map(event).collect();
    store.append_batch(&batch)
}
