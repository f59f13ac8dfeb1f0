//! Row A7: the way back from a page, against a vector that is sorted and filtered anew.

use auditdb::Cursor;
use auditdb::ErrorKind;
use auditdb::Event;
use auditdb::Filter;
use auditdb::FilterField;
use auditdb::Options;
use auditdb::Order;
use auditdb::Page;
use auditdb::Performer;
use auditdb::Query;
use auditdb::Store;
use auditdb::Time;

use super::refused;
use crate::support::Random;
use crate::support::folder;

const MOMENT: i64 = 1_778_000_000_000_000;

/// An event as the model knows it: when it happened, where it stands in commit order, of which type.
type Known = (i64, u64, &'static str);

/// Appends events of which many share a microsecond.
fn append(store: &Store, model: &mut Vec<Known>, random: &mut Random, events: usize) {
    let mut batch = Vec::new();
    for _ in 0..events {
        let micros = MOMENT + random.below(6) as i64;
        let event_type = random.pick(&["user.added", "user.added", "role.added"]);
        let time = Time::from_micros(micros).expect("the time is in range");
        batch.push(Event::new(event_type).occurred_at(time));
        model.push((micros, model.len() as u64, event_type));
    }
    store.append_batch(&batch).expect("a batch");
}

/// What a query gives, the slow and obvious way.
fn expected(model: &[Known], query: &Query, only: Option<&str>) -> Vec<u64> {
    let mut found: Vec<_> = model.iter().collect();
    found.retain(|known| only.is_none_or(|only| known.2 == only));
    found.sort();
    if query.order == Order::NewestFirst {
        found.reverse();
    }
    found.iter().map(|known| known.1).collect()
}

fn seqs(page: &Page) -> Vec<u64> {
    page.events.iter().map(|event| event.seq.0).collect()
}

/// A cursor as it comes back from whoever was given its text.
fn told(cursor: Option<Cursor>) -> Option<Cursor> {
    cursor.map(|cursor| cursor.to_string().parse().expect("a cursor's own text"))
}

/// From the page that was reached, all the way back: each is the page that was shown.
fn walk_back(store: &Store, query: &Query, shown: &[Vec<u64>], from: &Page) {
    let mut here = from.clone();
    for wanted in shown.iter().rev() {
        let cursor = told(here.prev_cursor);
        assert!(cursor.is_some(), "a page was before this one");
        let back = Query {
            cursor,
            ..query.clone()
        };
        let page = store.snapshot().page_before(&back).expect("a page");
        assert_eq!(seqs(&page), *wanted);
        assert_eq!(page.snapshot_seq, from.snapshot_seq);
        assert!(!page.complete, "it was left behind");
        // And forth again, to the page one came from.
        let forth = Query {
            cursor: told(page.next_cursor),
            ..query.clone()
        };
        let again = store.page(&forth).expect("a page");
        assert_eq!(again.events, here.events);
        here = page;
    }
    assert_eq!(here.prev_cursor, None, "nothing is before the first page");
}

#[test]
fn mission_a7_the_page_before_is_the_page_that_was_shown() {
    for seed in 0..6 {
        let mut random = Random::new(seed);
        let (folder, mut model) = (folder(), Vec::new());
        let options = Options {
            memtable_bytes_max: 16 << 10,
            ..Options::default()
        };
        let store = Store::open(folder.path(), options).expect("a new store");
        append(&store, &mut model, &mut random, 90);
        let only = *random.choose(&[None, Some("user.added")]);
        let filter = Filter::new();
        let mut query = Query {
            filter: only.map_or(filter.clone(), |only| filter.is(FilterField::Type, only)),
            order: *random.choose(&[Order::NewestFirst, Order::OldestFirst]),
            limit: 1 + random.below(9) as usize,
            ..Query::default()
        };
        let whole = expected(&model, &query, only);
        let mut shown: Vec<Vec<u64>> = Vec::new();
        loop {
            let page = store.page(&query).expect("a page");
            assert_eq!(page.prev_cursor.is_none(), shown.is_empty());
            walk_back(&store, &query, &shown, &page);
            shown.push(seqs(&page));
            query.cursor = told(page.next_cursor);
            if page.complete {
                break;
            }
            // What comes meanwhile, of the same microseconds, and a seal, change no page.
            append(&store, &mut model, &mut random, 3);
            if random.below(4) == 0 {
                store.flush().expect("a flush");
            }
        }
        assert_eq!(shown.concat(), whole, "seed {seed}");
    }
}

#[test]
fn mission_a7_the_way_back_has_bounds_and_errors_of_its_own() {
    let (folder, mut model) = (folder(), Vec::new());
    let store = Store::open(folder.path(), Options::default()).expect("a new store");
    append(&store, &mut model, &mut Random::new(1), 40);
    let top = Query {
        limit: 30,
        ..Query::default()
    };
    refused(
        store.snapshot().page_before(&top),
        ErrorKind::OutOfRange,
        "prev_cursor",
    );
    let query = Query {
        cursor: store.page(&top).expect("a page").next_cursor,
        ..Query::default()
    };
    // Fewer at once, and within a budget: together they are all that stood before.
    let mut back = Query {
        limit: 7,
        work_max: 5,
        ..query.clone()
    };
    let mut found = Vec::new();
    while back.cursor.is_some() {
        let page = store.snapshot().page_before(&back).expect("a page");
        found.splice(0..0, seqs(&page));
        back.cursor = page.prev_cursor;
    }
    assert_eq!(found, expected(&model, &top, None)[..30]);
    let turned = Query {
        order: Order::OldestFirst,
        ..query.clone()
    };
    let other = Query {
        filter: Filter::new().is(FilterField::Type, "user.added"),
        ..query
    };
    let snapshot = store.snapshot();
    let words = "the other reading direction";
    refused(
        snapshot.page_before(&turned),
        ErrorKind::CursorDirection,
        words,
    );
    let words = "another filter";
    refused(snapshot.page_before(&other), ErrorKind::CursorFilter, words);
}

/// What an organisation is shown is looked at event by event, in both directions.
#[test]
fn mission_a7_the_way_back_in_what_an_organisation_is_shown() {
    let folder = folder();
    let store = Store::open(folder.path(), Options::default()).expect("a new store");
    let mut random = Random::new(7);
    let events: Vec<Event> = (0..120)
        .map(|_| {
            let by = Performer::new("admin").id("a1");
            let micros = MOMENT + random.below(6) as i64;
            Event::new("user.updated")
                .occurred_at(Time::from_micros(micros).expect("the time is in range"))
                .org(random.pick(&["north", "south"]))
                .performer(by.org(random.pick(&["north", "south"])))
        })
        .collect();
    store.append_batch(&events).expect("a batch");
    let snapshot = store.snapshot();
    let view = snapshot.view("north");
    let mut query = Query {
        filter: Filter::new().is(FilterField::Performer, "external_org_user"),
        limit: 4,
        ..Query::default()
    };
    let mut pages = Vec::new();
    loop {
        let page = view.page(&query).expect("a page");
        query.cursor = told(page.next_cursor);
        pages.push(page);
        if query.cursor.is_none() {
            break;
        }
    }
    assert!(pages.len() > 4, "{} pages", pages.len());
    query.cursor = pages.last().and_then(|last| told(last.prev_cursor));
    for shown in pages.iter().rev().skip(1) {
        let page = view.page_before(&query).expect("a page");
        assert_eq!(page.events, shown.events);
        query.cursor = told(page.prev_cursor);
    }
    assert_eq!(query.cursor, None);
    refused(
        view.page_before(&query),
        ErrorKind::OutOfRange,
        "prev_cursor",
    );
}
