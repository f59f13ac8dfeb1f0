//! What the append path takes from the allocator once it runs evenly, counted.

use std::alloc::System;

use auditdb::Durability;
use auditdb::Event;
use auditdb::Options;
use auditdb::Store;
use stats_alloc::Region;
use stats_alloc::StatsAlloc;

use super::Asked;
use super::Line;
use super::events;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &stats_alloc::INSTRUMENTED_SYSTEM;

const WARM: usize = 4_000;
const COUNTED: usize = 8_000;

/// Allocations of each way to append, for each event, while nothing is sealed.
pub(crate) fn count(asked: &Asked) -> Vec<Line> {
    let events = events((WARM + COUNTED) as u64);
    let durable = |store: &Store, events: &[Event]| {
        let append = |event| store.append_with(event, Durability::Buffered).map(|_| ());
        events.iter().try_for_each(append).expect("receipts");
        store.sync().expect("a sync");
    };
    let batches = |store: &Store, events: &[Event]| {
        let mut batches = events.chunks(1_000);
        batches
            .try_for_each(|batch| store.append_batch(batch).map(drop))
            .expect("receipts");
    };
    let tickets = |store: &Store, events: &[Event]| {
        let mut held = Vec::with_capacity(1_000);
        for events in events.chunks(1_000) {
            held.extend(
                events
                    .iter()
                    .map(|event| store.append_async(event).expect("a ticket")),
            );
            for ticket in held.drain(..) {
                ticket.wait().expect("a receipt");
            }
        }
    };
    type Append = fn(&Store, &[Event]);
    let ways: [(&str, Append); 3] = [
        ("events one by one", durable),
        ("batches of 1,000", batches),
        ("tickets", tickets),
    ];
    let line = |(what, append): (&str, Append)| {
        let folder = asked.scratch();
        let options = Options {
            durability: match what {
                "events one by one" => Durability::Buffered,
                _ => Durability::Durable,
            },
            ..Options::default()
        };
        let store = Store::open(folder.path(), options).expect("a store");
        let (warm, counted) = events.split_at(WARM);
        append(&store, warm);
        let region = Region::new(ALLOCATOR);
        append(&store, counted);
        let change = region.change();
        let count = change.allocations + change.reallocations;
        let each = count as f64 / COUNTED as f64;
        let bytes = change.bytes_allocated as f64 / COUNTED as f64;
        let figures = [String::new(), String::new(), String::new()];
        let rate = format!("{each:.3} an event, {bytes:.0} bytes");
        Line::new(
            format!("allocations, {what}"),
            figures.into_iter().chain([rate]),
        )
    };
    ways.map(line).into()
}
