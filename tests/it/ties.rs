//! Events that share a microsecond: never repeated, never lost, whatever the limit, the direction
//! and what is appended meanwhile. The three systems this store replaces page by time; their own
//! loop is replayed here to show what it does to the same events.

use std::collections::HashSet;

use auditdb::Cursor;
use auditdb::Event;
use auditdb::Filter;
use auditdb::Options;
use auditdb::Order;
use auditdb::Query;
use auditdb::Store;
use auditdb::StoredEvent;
use auditdb::Time;

use crate::support::Random;
use crate::support::folder;

const MOMENT: i64 = 1_778_000_000_000_000;

fn at(micros: i64) -> Event {
    Event::new("role.state_permission.added")
        .occurred_at(Time::from_micros(micros).expect("the time is in range"))
}

fn fill(store: &Store, times: impl Iterator<Item = i64>) {
    let mut batch = Vec::new();
    for micros in times {
        batch.push(at(micros));
        if batch.len() == 4096 {
            store.append_batch(&batch).expect("a batch");
            batch.clear();
        }
    }
    store.append_batch(&batch).expect("a batch");
}

/// The sequence numbers of one whole scan.
fn scan(store: &Store, order: Order) -> Vec<u64> {
    let scan = store
        .snapshot()
        .scan(&Query {
            order,
            ..Query::default()
        })
        .expect("a scan");
    scan.map(|event| event.expect("an event").seq.0).collect()
}

/// The same by parts of `limit` events, each reached through the text of a cursor alone;
/// `between` runs after every part.
fn by_parts(store: &Store, order: Order, limit: usize, mut between: impl FnMut(usize)) -> Vec<u64> {
    let mut query = Query {
        order,
        limit,
        ..Query::default()
    };
    let mut seqs = Vec::new();
    for part in 0.. {
        let page = store.page(&query).expect("a page");
        seqs.extend(page.events.iter().map(|event| event.seq.0));
        let Some(cursor) = page.next_cursor else {
            break;
        };
        assert!(!page.complete);
        let cursor: Cursor = cursor.to_string().parse().expect("a cursor's own text");
        query.cursor = Some(cursor);
        between(part);
    }
    seqs
}

fn check(store: &Store, events: usize, limits: &[usize]) {
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let whole = scan(store, order);
        assert_eq!(whole.len(), events);
        assert_eq!(whole.iter().collect::<HashSet<_>>().len(), events);
        for limit in limits {
            let parts = by_parts(store, order, *limit, |_| {});
            assert!(
                parts == whole,
                "{order:?}, limit {limit}: the parts are not the scan"
            );
        }
    }
}

#[test]
fn mission_a22_ties_never_repeat_one_by_one() {
    let folder = folder();
    let store = Store::open(folder.path(), Options::default()).expect("a new store");
    fill(&store, (0..300).map(|event| MOMENT + event / 100));
    check(&store, 300, &[1]);
    store.flush().expect("a flush");
    check(&store, 300, &[1]);
}

#[test]
fn mission_a24_more_ties_than_any_limit() {
    let folder = folder();
    let store = Store::open(folder.path(), Options::default()).expect("a new store");
    fill(&store, std::iter::repeat_n(MOMENT, 120_000));
    store.flush().expect("a flush");
    check(&store, 120_000, &[7, 50, 50_000]);
}

#[test]
fn mission_a22_a_million_events_with_a_fifth_in_ties() {
    let folder = folder();
    let store = Store::open(folder.path(), Options::default()).expect("a new store");
    let mut random = Random::new(22);
    let mut micros = MOMENT;
    let times = (0..1_000_000).map(|_| {
        micros += if random.below(5) == 0 {
            0
        } else {
            1 + random.below(1_000_000) as i64
        };
        micros
    });
    fill(&store, times);
    store.flush().expect("a flush");
    check(&store, 1_000_000, &[7, 50, 50_000]);
}

/// A walk by pages sees the store as its first page did, while late and on-time events come in.
#[test]
fn mission_a26_what_comes_meanwhile_shifts_nothing() {
    let folder = folder();
    let store = Store::open(folder.path(), Options::default()).expect("a new store");
    fill(&store, (0..20_000).map(|event| MOMENT + event / 400));
    for order in [Order::NewestFirst, Order::OldestFirst] {
        for limit in [7, 50, 5_000] {
            let before = scan(&store, order);
            let parts = by_parts(&store, order, limit, |part| {
                if part % 16 == 0 {
                    let times = [MOMENT, MOMENT + 25, MOMENT - 1, MOMENT + 1_000_000];
                    store.append_batch(&times.map(at)).expect("a batch");
                }
                if part % 500 == 0 {
                    store.flush().expect("a flush");
                }
            });
            assert!(parts == before, "{order:?}, limit {limit}");
        }
    }
}

/// The loop of the documented export: newest 50,000 up to `dateEnd`, and the last row's time as
/// the next `dateEnd`. It repeats what shares that time, and among more ties than its limit it
/// asks for the same rows for ever.
#[test]
fn mission_a22_the_documented_loop_repeats_and_never_ends() {
    const LIMIT: usize = 50;
    let export = |store: &Store, date_end: Option<Time>| -> Vec<StoredEvent> {
        let filter = date_end.map_or(Filter::new(), |end| Filter::new().until(end));
        let query = Query {
            filter,
            limit: LIMIT,
            ..Query::default()
        };
        store.page(&query).expect("a page").events
    };
    let folder = folder();
    let store = Store::open(folder.path().join("some"), Options::default()).expect("a new store");
    fill(&store, (0..1_000).map(|event| MOMENT + event / 8));
    let (mut date_end, mut rows) = (None, Vec::new());
    loop {
        let part = export(&store, date_end);
        date_end = part.last().map(|last| last.occurred_at);
        rows.extend(part.iter().map(|event| event.seq.0));
        if part.len() < LIMIT {
            break;
        }
    }
    let distinct: HashSet<&u64> = rows.iter().collect();
    assert!(
        rows.len() > distinct.len(),
        "the loop repeats the rows at its boundaries"
    );

    let store = Store::open(folder.path().join("many"), Options::default()).expect("a new store");
    fill(&store, std::iter::repeat_n(MOMENT, 2 * LIMIT));
    let first = export(&store, None);
    let second = export(&store, first.last().map(|last| last.occurred_at));
    assert_eq!(
        first, second,
        "the loop stands still, and the other half is out of its reach"
    );
}
