//! Answers from a part of what there is: of a single moment, of what there was when a cursor was made,
//! and of a prefix.

use super::BASE;
use super::TestClock;
use super::at;
use super::open_with;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::options::Options;
use crate::query::FacetOrder;
use crate::query::FacetQuery;
use crate::query::Query;
use crate::store::Store;
use crate::time::Time;

fn minute(number: i64) -> Time {
    at(BASE + number * 60_000_000)
}

fn event(number: i64) -> Event {
    Event::new(["a.a", "b.b", "c.c"][(number % 3) as usize]).occurred_at(minute(number))
}

fn add(store: &Store, numbers: core::ops::Range<i64>) -> Result<()> {
    let events: Vec<Event> = numbers.map(event).collect();
    store.append_batch(&events).map(drop)
}

fn new_store() -> Result<Store> {
    open_with(&SimDisk::new(1), &TestClock::new(), Options::default())
}

/// The first event of all stands at the first place of its moment.
#[test]
fn a_single_event_counts_since_its_own_moment() -> Result<()> {
    let store = new_store()?;
    add(&store, 0..1)?;
    let query = Query {
        filter: Filter::new().since(minute(0)).until(minute(0)),
        ..Query::default()
    };
    for place in ["in memory", "in a segment"] {
        assert_eq!(store.snapshot().count(&query)?, 1, "{place}");
        store.flush()?;
    }
    store.close()
}

/// A list of facets goes on with the events that its first part counted, whatever came since, and a
/// page with those before its cursor: what came later is not even opened.
#[test]
fn what_came_after_a_cursor_is_neither_counted_nor_opened() -> Result<()> {
    for is_split in [false, true] {
        let store = new_store()?;
        add(&store, 100..130)?;
        if is_split {
            store.flush()?;
        }
        let mut asked = FacetQuery {
            order: FacetOrder::Name,
            top: 1,
            ..FacetQuery::of(FilterField::Type)
        };
        let first = store.snapshot().facets(&Query::default(), &asked)?;
        let page = store.page(&Query {
            limit: 10,
            ..Query::default()
        })?;
        // Told late: all of it happened before.
        add(&store, 0..90)?;
        store.flush()?;
        let snapshot = store.snapshot();
        (asked.cursor, asked.top) = (first.next_cursor, 10);
        let rest = snapshot.facets(&Query::default(), &asked)?;
        let counts = first.values.iter().chain(&rest.values);
        let counts: Vec<u64> = counts.map(|value| value.count).collect();
        assert_eq!(counts, [10; 3], "{is_split}");
        let mut scan = snapshot.scan(&Query {
            cursor: page.next_cursor,
            ..Query::default()
        })?;
        assert_eq!(scan.by_ref().count(), 20);
        assert_eq!(scan.looked().segments, 1, "{is_split}");
        let passed = snapshot
            .as_of(30, None)
            .rows_passed(&Query::default(), None)?;
        let held = if is_split { 30 } else { 120 };
        assert_eq!(passed, held, "{is_split}");
        store.close()?;
    }
    Ok(())
}

/// Cursors of facets belong to a prefix, the end of which is the first value that lacks it.
#[test]
fn a_facet_cursor_behind_all_values_of_a_prefix_is_refused() -> Result<()> {
    let store = new_store()?;
    store.append_batch(&["a.b", "a.c", "a.d"].map(Event::new))?;
    let mut asked = FacetQuery {
        order: FacetOrder::Name,
        top: 2,
        ..FacetQuery::of(FilterField::Type)
    };
    let first = store.snapshot().facets(&Query::default(), &asked)?;
    assert_eq!(first.values[1].value, "a.c");
    asked.cursor = first.next_cursor;
    asked.prefix = "a.b".to_owned();
    let error = store.snapshot().facets(&Query::default(), &asked);
    let error = error.expect_err("another prefix");
    assert_eq!(error.kind(), ErrorKind::CursorFilter);
    asked.prefix = "a.".to_owned();
    let rest = store.snapshot().facets(&Query::default(), &asked)?;
    assert_eq!(rest.values[0].value, "a.d");
    store.close()
}
