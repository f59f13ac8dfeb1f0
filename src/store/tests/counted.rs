//! Counts, facets and counts by time are those of the events that a scan of the same query gives, at
//! every bound that parts two events: in memory, in a segment beside a memtable, and merged.

use std::collections::BTreeMap;

use super::BASE;
use super::TestClock;
use super::at;
use super::open_with;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::event::Event;
use crate::event::StoredEvent;
use crate::event::Subject;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::id::Sequence;
use crate::options::Options;
use crate::query::Every;
use crate::query::FacetQuery;
use crate::query::Query;
use crate::store::Store;
use crate::time::Time;

const EVENTS: u64 = 40;
const MOMENTS: i64 = 8;
const HOUR: i64 = 3_600_000_000;

fn moment(number: i64) -> Time {
    at(BASE + number * HOUR)
}

/// Several of each moment, in an order of their own.
fn event(number: u64) -> Event {
    Event::new(["a.even", "a.odd"][(number % 2) as usize])
        .occurred_at(moment((number * 13 % MOMENTS as u64) as i64))
        .subject(Subject::new("thing").id((number % 3).to_string()))
}

fn filters() -> Vec<Filter> {
    let odd = Filter::new().is(FilterField::Type, "a.odd");
    let both = odd.clone().is_entity(FilterField::Subject, "thing", "1");
    vec![Filter::new(), odd, both]
}

fn bounded(filter: &Filter, since: i64, until: i64, seq: u64) -> Query {
    Query {
        filter: filter.clone().since(moment(since)).until(moment(until)),
        since_seq: Some(Sequence(seq)),
        ..Query::default()
    }
}

fn agree(store: &Store, query: &Query) -> Result<()> {
    let snapshot = store.snapshot();
    let found: Vec<StoredEvent> = snapshot.scan(query)?.collect::<Result<_>>()?;
    assert_eq!(snapshot.count(query)?, found.len() as u64, "{query:?}");
    let mut wanted = BTreeMap::new();
    for one in &found {
        *wanted.entry(one.event.event_type.clone()).or_insert(0) += 1;
    }
    let facets = snapshot.facets(query, &FacetQuery::of(FilterField::Type))?;
    let counted = facets.values.into_iter();
    let counted: BTreeMap<_, _> = counted.map(|one| (one.value, one.count)).collect();
    assert_eq!(counted, wanted, "{query:?}");
    let times = snapshot.counts_by_time(query, Every::Hour)?;
    let mut wanted = BTreeMap::new();
    for one in &found {
        *wanted.entry(one.occurred_at).or_insert(0) += 1;
    }
    let counts: Vec<u64> = times.counts.into_iter().map(|(_, count)| count).collect();
    assert_eq!(
        counts,
        wanted.into_values().collect::<Vec<u64>>(),
        "{query:?}"
    );
    Ok(())
}

#[test]
fn what_is_counted_is_what_is_read_at_every_bound() -> Result<()> {
    let store = open_with(&SimDisk::new(1), &TestClock::new(), Options::default())?;
    let events: Vec<Event> = (0..EVENTS).map(event).collect();
    let (first, last) = events.split_at(25);
    store.append_batch(first)?;
    for step in 0..3 {
        for filter in filters() {
            for since in -1..=MOMENTS {
                for until in since..=MOMENTS {
                    for seq in [0, 11, 25, EVENTS] {
                        agree(&store, &bounded(&filter, since, until, seq))?;
                    }
                }
            }
        }
        match step {
            0 => {
                store.flush()?;
                store.append_batch(last)?;
            }
            _ => store.compact()?,
        }
    }
    store.close()
}
