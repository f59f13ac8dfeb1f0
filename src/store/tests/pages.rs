//! Where pages end by their bytes, of the store and of what an organisation is shown, and whose
//! cursors go on with them.

use super::BASE;
use super::TestClock;
use super::at;
use super::open_with;
use crate::codec::canonical;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::filter::Filter;
use crate::id::Sequence;
use crate::limits;
use crate::options::Options;
use crate::query::Query;
use crate::query::Stopped;
use crate::store::Store;

/// Events of which this many fill a page to the byte.
const FULL: usize = 16;

fn large(number: i64) -> Result<Event> {
    let of = |filler: usize| {
        let event = Event::new("a.a").org("south");
        let event = event.occurred_at(at(BASE + number));
        event.data(&format!("\"{}\"", "x".repeat(filler)))
    };
    let wanted = limits::PAGE_BYTES / FULL;
    let event = of(wanted - canonical::content(&of(0)?).len())?;
    assert_eq!(canonical::content(&event).len(), wanted);
    Ok(event)
}

fn store_of(parts: &[&[Event]]) -> Result<Store> {
    let store = open_with(&SimDisk::new(1), &TestClock::new(), Options::default())?;
    for part in parts {
        store.flush()?;
        store.append_batch(part)?;
    }
    Ok(store)
}

/// Whether they come from one source or by turns from two: the event with which a page comes to its
/// bytes is the last one of it.
#[test]
fn a_page_ends_with_the_event_that_fills_its_bytes() -> Result<()> {
    let events: Vec<Event> = (0..20).map(large).collect::<Result<_>>()?;
    let turn = |odd: usize| events.iter().skip(odd).step_by(2).cloned();
    let (even, odd): (Vec<Event>, Vec<Event>) = (turn(0).collect(), turn(1).collect());
    for parts in [vec![events.as_slice()], vec![even.as_slice(), &odd]] {
        let store = store_of(&parts)?;
        let snapshot = store.snapshot();
        let view = snapshot.view("south");
        for is_view in [false, true] {
            let read = |query: &Query| match is_view {
                false => snapshot.page(query),
                true => view.page(query),
            };
            let page = read(&Query::default())?;
            assert_eq!((page.events.len(), page.stopped), (FULL, Stopped::Budget));
            let page = read(&Query {
                cursor: page.next_cursor,
                ..Query::default()
            })?;
            assert_eq!((page.events.len(), page.stopped), (4, Stopped::End));
        }
        store.close()?;
    }
    Ok(())
}

#[test]
fn a_cursor_of_a_view_belongs_to_where_its_query_begins_in_commit_order() -> Result<()> {
    let store = store_of(&[&["a.a", "b.b", "c.c"].map(|name| Event::new(name).org("south"))])?;
    let view = store.snapshot().view("south");
    let one = Query {
        limit: 1,
        filter: Filter::new().since(at(BASE - 1)),
        ..Query::default()
    };
    let cursor = view.page(&one)?.next_cursor;
    for since in (0..64).map(|bit| 1 << bit) {
        let elsewhere = Query {
            cursor,
            since_seq: Some(Sequence(since)),
            ..one.clone()
        };
        let error = view.page(&elsewhere).expect_err("another query");
        assert_eq!(error.kind(), ErrorKind::CursorFilter, "{since}");
    }
    assert_eq!(view.page(&Query { cursor, ..one })?.events.len(), 1);
    store.close()
}
