//! How many events a second, alone and beside each other, and the disk's own floor before them.

use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;
use std::time::Instant;

use auditdb::Event;
use auditdb::Generator;
use auditdb::Options;
use auditdb::Profile;
use auditdb::Store;

use super::Asked;
use super::Line;
use super::SEED;
use super::events;
use super::histogram::Histogram;
use super::histogram::text;

/// Different events before they come again.
const DIFFERENT: u64 = 20_000;
/// Tickets held before the oldest is asked for.
const HELD: usize = 50_000;

/// A write over bytes that are there and its `fdatasync`: what no durable append can be quicker than.
pub(crate) fn floor(asked: &Asked) -> Vec<Line> {
    let folder = asked.scratch();
    let mut lines = Vec::new();
    for (what, len) in [("600 B", 600), ("600 KB", 600_000)] {
        let file = File::create(folder.path().join(what)).expect("a file");
        let bytes = vec![7; len];
        let room = 64 << 20;
        file.write_all_at(&vec![0; room], 0).expect("zeros");
        file.sync_all().expect("a sync");
        let mut offset = 0;
        let latencies = repeat(asked.seconds / 2, || {
            file.write_all_at(&bytes, offset as u64).expect("a write");
            file.sync_data().expect("a sync");
            offset = (offset + len) % (room - len);
        });
        lines.push(Line::new(
            format!("floor: {what} and fdatasync"),
            latencies.figures(),
        ));
    }
    lines
}

/// Repeats work for so long.
fn repeat(time: Duration, mut work: impl FnMut()) -> Histogram {
    let mut latencies = Histogram::new();
    let begun = Instant::now();
    while begun.elapsed() < time {
        let begun = Instant::now();
        work();
        latencies.add(begun.elapsed());
    }
    latencies
}

/// Durable events of one thread, each waited for.
pub(crate) fn one(asked: &Asked) -> Vec<Line> {
    let (folder, events) = (asked.scratch(), events(DIFFERENT));
    let store = Store::open(folder.path(), Options::default()).expect("a store");
    let mut next = events.iter().cycle();
    let latencies = repeat(asked.seconds, || {
        next.next()
            .map(|event| store.append(event).expect("a receipt"));
    });
    let figures = latencies.figures().into_iter();
    let rate = rate(latencies.count(), asked.seconds);
    vec![Line::new(
        "durable event, one thread",
        figures.chain([rate]),
    )]
}

/// The same of many threads.
pub(crate) fn threads(asked: &Asked) -> Vec<Line> {
    let events = events(DIFFERENT);
    let line = |threads: usize| {
        let folder = asked.scratch();
        let store = Store::open(folder.path(), Options::default()).expect("a store");
        let mut latencies = Histogram::new();
        std::thread::scope(|scope| {
            let shares = events.chunks(events.len() / threads).take(threads);
            let threads = shares.map(|share| {
                let store = &store;
                let mut next = share.iter().cycle();
                scope.spawn(move || {
                    repeat(asked.seconds, || {
                        next.next()
                            .map(|event| store.append(event).expect("a receipt"));
                    })
                })
            });
            let threads: Vec<_> = threads.collect();
            for thread in threads {
                latencies.merge(&thread.join().expect("a thread"));
            }
        });
        let rate = rate(latencies.count(), asked.seconds);
        let what = format!("durable event, {threads} threads");
        Line::new(what, latencies.figures().into_iter().chain([rate]))
    };
    [16, 64].map(line).into()
}

/// Durable batches of a thousand: of events that were made long ago and lie in cold memory, and of
/// events that were made just before, as applications make them.
pub(crate) fn batch(asked: &Asked) -> Vec<Line> {
    let made = events(DIFFERENT);
    let mut made = made.chunks_exact(1_000).cycle();
    let mut new = Generator::new(SEED + 1, Profile::realistic(u64::MAX));
    vec![
        batches(asked, "durable batch of 1,000", || {
            made.next().unwrap_or_default()
        }),
        batches(
            asked,
            "… of events just made; the rate with making them",
            || new.by_ref().take(1_000).collect::<Vec<_>>(),
        ),
    ]
}

fn batches<B: AsRef<[Event]>>(asked: &Asked, what: &str, mut next: impl FnMut() -> B) -> Line {
    let folder = asked.scratch();
    let store = Store::open(folder.path(), Options::default()).expect("a store");
    let mut latencies = Histogram::new();
    let begun = Instant::now();
    while begun.elapsed() < asked.seconds {
        let batch = next();
        let sent = Instant::now();
        store.append_batch(batch.as_ref()).expect("receipts");
        latencies.add(sent.elapsed());
    }
    let rate = rate(1_000 * latencies.count(), begun.elapsed());
    Line::new(what, latencies.figures().into_iter().chain([rate]))
}

/// Tickets of one thread, from idle on; and how long until all of it is merged.
pub(crate) fn tickets(asked: &Asked) -> Vec<Line> {
    let (folder, events) = (asked.scratch(), events(DIFFERENT));
    let store = Store::open(folder.path(), Options::default()).expect("a store");
    let mut latencies = Histogram::new();
    let mut held: VecDeque<(auditdb::Ticket, Instant)> = VecDeque::with_capacity(HELD + 1);
    let begun = Instant::now();
    let mut count = 0;
    let settle = |ticket: auditdb::Ticket, handed_in: Instant, latencies: &mut Histogram| {
        ticket.wait().expect("a receipt");
        latencies.add(handed_in.elapsed());
    };
    let hand_in = |event: &Event| store.append_async(event).expect("a ticket");
    for event in events.iter().cycle() {
        held.push_back((hand_in(event), Instant::now()));
        count += 1;
        if held.len() > HELD
            && let Some((ticket, handed_in)) = held.pop_front()
        {
            settle(ticket, handed_in, &mut latencies);
        }
        if count % 256 == 0 && begun.elapsed() >= asked.seconds {
            break;
        }
    }
    let mut left = Histogram::new();
    for (ticket, handed_in) in held {
        settle(ticket, handed_in, &mut left);
    }
    let took = begun.elapsed();
    let pressure = store.pressure();
    store.flush().expect("a flush");
    let merged = begun.elapsed() - took;
    vec![
        Line::new(
            "tickets, one thread, to the last receipt",
            [
                String::new(),
                String::new(),
                String::new(),
                rate(count, took),
            ],
        ),
        Line::new(
            format!(
                "… of it delayed {}, held {}; until all was merged",
                text(pressure.delayed),
                text(pressure.blocked)
            ),
            [String::new(), String::new(), text(merged)],
        ),
    ]
}

/// Events a second, for people.
pub(crate) fn rate(count: u64, time: Duration) -> String {
    format!("{:.0}/s", count as f64 / time.as_secs_f64())
}
