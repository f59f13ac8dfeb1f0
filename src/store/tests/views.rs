//! Fields of events as they lie in the store, in memory and sealed, where texts have escapes or none.

use super::TestClock;
use super::open_with;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::event::Context;
use crate::event::Event;
use crate::event::Field;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::options::Options;
use crate::query::Query;

const TEXTS: [&str; 4] = ["plain", "with \"marks\"", "two\nlines", "back\\slash"];

fn event(number: usize) -> Event {
    let text = TEXTS[number % TEXTS.len()];
    let known = core::array::from_fn(|place| match (number + place) % 7 {
        0 => Field::Null,
        _ => Field::Value(format!("{text} {place}")),
    });
    let further = vec![("further".to_owned(), text.to_owned())];
    Event {
        context: Field::Value(Context::of_known(known, further)),
        ..Event::new("a.a").source(text).metadata("key", text)
    }
}

#[test]
fn each_value_of_a_context_is_found_by_its_key() -> Result<()> {
    let store = open_with(&SimDisk::new(1), &TestClock::new(), Options::default())?;
    let events: Vec<Event> = (0..280).map(event).collect();
    store.append_batch(&events)?;
    let query = Query {
        limit: events.len(),
        ..Query::default()
    };
    for place in ["in memory", "in a segment"] {
        let mut looked = 0;
        store.snapshot().page_with(&query, |view| {
            let context = event(view.seq().0 as usize).context;
            let context = context.value().unwrap();
            for (key, wanted) in Context::KEYS.into_iter().zip(context.known()) {
                let found = view.context_value(key).map(|text| text.into_owned());
                assert_eq!(found, *wanted, "{place}, {key}");
            }
            let further = view.context_value("further");
            assert_eq!(
                further.value().map(|text| &**text),
                context.further.first().map(|(_, text)| &**text)
            );
            assert!(view.context_value("none").is_absent());
            looked += 1;
        })?;
        assert_eq!(looked, events.len());
        store.flush()?;
    }
    store.close()
}

#[test]
fn values_with_escapes_are_found_by_what_they_say() -> Result<()> {
    let store = open_with(&SimDisk::new(1), &TestClock::new(), Options::default())?;
    let events: Vec<Event> = (0..80).map(event).collect();
    store.append_batch(&events)?;
    for place in ["in memory", "in a segment"] {
        for text in TEXTS {
            for field in [FilterField::Source, FilterField::Meta("key".to_owned())] {
                let query = Query {
                    filter: Filter::new().is(field, text),
                    ..Query::default()
                };
                let found = store.snapshot().count(&query)?;
                assert_eq!(found, 20, "{place}, {text:?}");
            }
        }
        store.flush()?;
    }
    store.close()
}
