//! Answers at the edges of what bounds them: the last event that still fits, the first moment there is,
//! the value at which a list goes on, and what is said where something was left out.

use super::BASE;
use super::TestClock;
use super::at;
use super::open_with;
use crate::disk::sim::SimDisk;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Field;
use crate::event::Performer;
use crate::event::StoredEvent;
use crate::event::Subject;
use crate::event::Target;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::id::Sequence;
use crate::options::Options;
use crate::query::EffectBounds;
use crate::query::Every;
use crate::query::FacetOrder;
use crate::query::FacetQuery;
use crate::query::Query;
use crate::query::Stopped;
use crate::store::Store;
use crate::time::Time;

pub(super) fn store_of(events: &[Event]) -> Result<Store> {
    let store = open_with(&SimDisk::new(1), &TestClock::new(), Options::default())?;
    store.append_batch(events)?;
    Ok(store)
}

fn second(number: i64) -> Time {
    at(BASE + number * 1_000_000)
}

fn values(store: &Store, asked: &FacetQuery) -> Result<Vec<String>> {
    let found = store.snapshot().facets(&Query::default(), asked)?;
    Ok(found.values.into_iter().map(|value| value.value).collect())
}

#[test]
fn a_scan_tells_how_far_it_came_and_whether_more_follows() -> Result<()> {
    let store = store_of(&["a.a", "b.b"].map(Event::new))?;
    let mut scan = store.snapshot().scan(&Query::default())?;
    assert_eq!((scan.snapshot_seq(), scan.reached()), (2, None));
    for more in [true, false] {
        assert!(scan.has_more()? && scan.has_more()?);
        let event = scan.next().transpose()?.unwrap();
        assert_eq!(scan.reached(), Some(event.position()));
        assert_eq!(scan.has_more()?, more);
    }
    assert!(scan.next().is_none());
    store.close()
}

/// The first event of all may stand at the first moment of all, before which there is nothing.
#[test]
fn the_first_moment_of_all_is_counted_with_its_hour() -> Result<()> {
    let times = [Time::MIN, Time::MIN, at(1), at(3_600_000_000)];
    let store = store_of(&times.map(|time| Event::new("a.a").occurred_at(time)))?;
    for place in ["in memory", "in a segment"] {
        let hours = store
            .snapshot()
            .counts_by_time(&Query::default(), Every::Hour)?;
        let wanted = [("1970-01-01T00", 3), ("1970-01-01T01", 1)];
        let wanted = wanted.map(|(name, count)| (name.to_owned(), count));
        assert_eq!(hours.counts, wanted, "{place}");
        store.flush()?;
    }
    store.close()
}

#[test]
fn counts_by_time_have_as_many_stretches_as_they_say_and_no_more() -> Result<()> {
    const STRETCHES: i64 = 100_000;
    let hour = |number: i64| Event::new("a.a").occurred_at(at(number * 3_600_000_000));
    let events: Vec<Event> = (0..STRETCHES).map(hour).collect();
    let store = store_of(&events)?;
    let count = || {
        store
            .snapshot()
            .counts_by_time(&Query::default(), Every::Hour)
    };
    assert_eq!(count()?.counts.len() as i64, STRETCHES);
    store.append(&hour(STRETCHES))?;
    let error = count().expect_err("one too many");
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
    assert!(error.to_string().contains("100000 stretches"), "{error}");
    store.close()
}

/// A value that is the prefix itself is the first that has it, and a list may go on behind it.
#[test]
fn facets_go_on_behind_the_value_that_is_the_prefix_itself() -> Result<()> {
    let store = store_of(&["a.b", "a.bc", "a.bd", "a.c"].map(Event::new))?;
    let mut asked = FacetQuery {
        prefix: "a.b".to_owned(),
        order: FacetOrder::Name,
        top: 1,
        ..FacetQuery::of(FilterField::Type)
    };
    let mut found = Vec::new();
    loop {
        let part = store.snapshot().facets(&Query::default(), &asked)?;
        found.extend(part.values.into_iter().map(|value| value.value));
        asked.cursor = part.next_cursor;
        if asked.cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, ["a.b", "a.bc", "a.bd"]);
    store.close()
}

#[test]
fn the_most_recent_value_is_the_one_that_happened_last_and_not_the_one_told_last() -> Result<()> {
    let named = |name: &str, number| Event::new(name).occurred_at(second(number));
    // Of one moment the one that was told last counts as the later one.
    let store = store_of(&[named("a.late", 9), named("b.tie", 5), named("c.tie", 5)])?;
    let asked = FacetQuery {
        order: FacetOrder::Recency,
        ..FacetQuery::of(FilterField::Type)
    };
    assert_eq!(values(&store, &asked)?, ["a.late", "c.tie", "b.tie"]);
    store.close()
}

#[test]
fn every_field_with_entities_gives_their_labels() -> Result<()> {
    let mut labelled = Event::new("a.a")
        .performer(Performer::new("user").id("p").label("Pat"))
        .on_behalf_of(Performer::new("user").id("o").label("Olga"))
        .subject(Subject::new("user").id("s").label("Sam"));
    labelled.targets = Field::Value(vec![Target::new("form").id("t").label("Tax form")]);
    let store = store_of(&[labelled])?;
    for (field, wanted) in [
        (FilterField::Performer, vec!["Pat"]),
        (FilterField::OnBehalfOf, vec!["Olga"]),
        (FilterField::Subject, vec!["Sam"]),
        (FilterField::Target, vec!["Tax form", "Sam"]),
    ] {
        let asked = FacetQuery {
            newest: true,
            ..FacetQuery::of(field.clone())
        };
        let found = store.snapshot().facets(&Query::default(), &asked)?;
        let labels = found.values.into_iter().map(|value| value.label.unwrap());
        assert_eq!(labels.collect::<Vec<_>>(), wanted, "{field}");
    }
    store.close()
}

/// Four events, of which the second follows from the first and the third from the second; the first
/// and the last are asked for.
#[test]
fn mission_b13_effects_are_said_to_be_all_only_where_everything_was_looked_at() -> Result<()> {
    let store = store_of(&[
        Event::new("role.deleted").occurred_at(second(0)),
        Event::new("role.user_removed")
            .caused_by("#0")
            .occurred_at(second(1)),
        Event::new("session.ended")
            .caused_by("#1")
            .occurred_at(second(2)),
        Event::new("role.created").occurred_at(second(2)),
    ])?;
    let all: Vec<StoredEvent> = store.snapshot().tail(&Filter::new(), Sequence(0))?.events;
    let effects = |causes: &[StoredEvent], looked_max, depth_max| {
        let bounds = EffectBounds {
            looked_max,
            depth_max,
            ..EffectBounds::default()
        };
        let found = store.snapshot().effects(causes, &bounds)?;
        Ok::<_, Error>((found.effects.len(), found.looked, found.complete))
    };
    let first = &all[..1];
    assert_eq!(effects(first, 100, 2)?, (2, 4, true));
    assert_eq!(effects(first, 100, 1)?, (1, 4, false), "one is deeper");
    assert_eq!(effects(first, 4, 2)?, (2, 4, true), "just enough");
    assert_eq!(effects(first, 3, 2)?, (2, 3, false));
    assert_eq!(effects(first, 2, 2)?, (1, 2, false));
    // Two causes share what may be looked at; what lies between their stretches was not.
    let both = [all[0].clone(), all[3].clone()];
    assert_eq!(effects(&both, 6, 2)?, (2, 4, true));
    assert_eq!(effects(&both, 4, 2)?, (2, 4, false));
    assert_eq!(effects(&both, 2, 2)?, (0, 2, false));
    store.close()
}

#[test]
fn an_organisation_s_page_looks_at_as_many_events_as_it_may_and_no_more() -> Result<()> {
    let events: Vec<Event> = (0..10)
        .map(|number| Event::new("a.a").org("south").occurred_at(second(number)))
        .collect();
    let store = store_of(&events)?;
    let view = store.snapshot().view("south");
    assert_eq!(view.org(), "south");
    for (limit, work_max, found, stopped) in [
        (50, 3, 3, Stopped::Budget),
        (3, 3, 3, Stopped::Limit),
        (3, 50, 3, Stopped::Limit),
        (10, 50, 10, Stopped::End),
        (10, 10, 10, Stopped::Limit),
        (50, 11, 10, Stopped::End),
    ] {
        let query = Query {
            limit,
            work_max,
            ..Query::default()
        };
        let page = view.page(&query)?;
        let seen = (page.events.len(), page.stopped);
        assert_eq!(seen, (found, stopped), "limit {limit}, work {work_max}");
        assert_eq!(page.next_cursor.is_none(), stopped == Stopped::End);
    }
    let page = view.page(&Query {
        limit: 3,
        ..Query::default()
    })?;
    let elsewhere = Query {
        cursor: page.next_cursor,
        ..Query::default()
    };
    let error = store.snapshot().view("north").page(&elsewhere);
    assert_eq!(
        error.expect_err("another view").kind(),
        ErrorKind::CursorFilter
    );
    let error = store.page(&elsewhere).expect_err("no view");
    assert_eq!(error.kind(), ErrorKind::CursorFilter);
    store.close()
}

/// Samples of any size are the matches at the middles of equal strides, over the borders of sources.
#[test]
fn a_sample_is_spread_evenly_over_all_that_matches() -> Result<()> {
    let event = |number: i64| {
        Event::new(["a.a", "b.b"][(number % 3 / 2) as usize]).occurred_at(second(number))
    };
    let store = store_of(&[])?;
    for part in [0..40, 40..41, 41..100, 100..117] {
        let events: Vec<Event> = part.clone().map(event).collect();
        store.append_batch(&events)?;
        if part.start < 100 {
            store.flush()?;
        }
    }
    for filter in [
        Filter::new(),
        Filter::new().is(FilterField::Type, "b.b"),
        Filter::new().is(FilterField::Type, "none"),
    ] {
        let query = Query {
            filter,
            ..Query::default()
        };
        let sample = |most: u64| {
            let snapshot = store.snapshot();
            snapshot.sample(&query, most, Vec::new, |found, event| {
                found.push(event.seq.0)
            })
        };
        let all = sample(u64::MAX)?;
        assert_eq!(all.len() as u64, store.snapshot().count(&query)?);
        for most in 1..120 {
            let stride = all.len().div_ceil(most).max(1);
            let wanted = all.iter().skip(stride / 2).step_by(stride).copied();
            assert_eq!(sample(most as u64)?, wanted.collect::<Vec<_>>(), "{most}");
        }
    }
    store.close()
}

/// Pages end behind eight mebibytes, for everybody and for an organisation. What happened: effects were
/// bounded by their number alone, and a thousand could take a gigabyte.
#[test]
fn pages_and_effects_end_behind_as_many_bytes() -> Result<()> {
    let text = "x".repeat((1 << 20) - 1000);
    let effect = || {
        let event = Event::new("a.a").org("north").caused_by("#0");
        event.data(&format!("\"{text}\""))
    };
    let store = store_of(&[Event::new("a.a")])?;
    let mut events = vec![Event::new("b.b")];
    for _ in 0..12 {
        events.push(effect()?);
    }
    let cause = store.append_batch(&events)?[0];
    let cause = store.get(cause.id)?.expect("it was appended");
    let found = store
        .snapshot()
        .effects(&[cause], &EffectBounds::default())?;
    assert!(found.effects.len() == 9 && !found.complete);
    for flushed in [false, true] {
        let north = store.snapshot().view("north");
        for page in [
            store.page(&Query::default())?,
            north.page(&Query::default())?,
        ] {
            assert_eq!(
                (page.events.len(), page.stopped),
                (9, Stopped::Budget),
                "{flushed}"
            );
        }
        store.flush()?;
    }
    store.close()
}

#[test]
fn a_page_has_from_one_to_a_hundred_thousand_events() -> Result<()> {
    let store = store_of(&["a.a", "b.b"].map(Event::new))?;
    let page = |limit| {
        store.page(&Query {
            limit,
            ..Query::default()
        })
    };
    for limit in [0, 100_001, usize::MAX] {
        let error = page(limit).expect_err("no page has it");
        assert_eq!(error.kind(), ErrorKind::OutOfRange);
        assert!(
            error.to_string().contains(&format!("limit: {limit} ")),
            "{error}"
        );
    }
    assert_eq!(
        (page(1)?.events.len(), page(1)?.stopped),
        (1, Stopped::Limit)
    );
    assert_eq!(
        (page(100_000)?.events.len(), page(2)?.stopped),
        (2, Stopped::End)
    );
    store.close()
}

/// Large events end a page before they are many: behind the one with which they come to 8 MiB.
#[test]
fn a_page_of_large_events_ends_at_its_bytes_and_the_next_goes_on() -> Result<()> {
    let large = |number: i64| {
        Event::new("a.a")
            .occurred_at(second(number))
            .data(&format!("\"{}\"", "x".repeat(1_000_000)))
    };
    let few: Result<Vec<Event>> = (0..12).map(large).collect();
    let store = store_of(&few?)?;
    for place in ["in memory", "in a segment"] {
        let mut query = Query::default();
        let page = store.page(&query)?;
        assert_eq!(
            (page.events.len(), page.stopped),
            (9, Stopped::Budget),
            "{place}"
        );
        query.cursor = page.next_cursor;
        let page = store.page(&query)?;
        assert_eq!(
            (page.events.len(), page.stopped),
            (3, Stopped::End),
            "{place}"
        );
        let shown = store.snapshot().view("south").page(&Query::default())?;
        assert_eq!(
            (shown.events.len(), shown.stopped),
            (0, Stopped::End),
            "{place}"
        );
        store.flush()?;
    }
    store.close()
}

#[test]
fn mission_a22_a_cursor_belongs_to_where_its_query_begins_in_commit_order() -> Result<()> {
    let store = store_of(&["a.a", "b.b", "c.c"].map(Event::new))?;
    let one = Query {
        limit: 1,
        ..Query::default()
    };
    let cursor = store.page(&one)?.next_cursor;
    for since in (0..64).map(|bit| 1 << bit) {
        let elsewhere = Query {
            cursor,
            since_seq: Some(Sequence(since)),
            ..one.clone()
        };
        let error = store.page(&elsewhere).expect_err("another query");
        assert_eq!(error.kind(), ErrorKind::CursorFilter, "{since}");
    }
    let rest = Query { cursor, ..one };
    assert_eq!(store.page(&rest)?.events.len(), 1);
    store.close()
}
