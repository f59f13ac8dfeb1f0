//! Row C16: events that share their moment by nature, and the generator that makes them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use auditdb::Filter;
use auditdb::FilterField;
use auditdb::Generator;
use auditdb::OnUnknown;
use auditdb::Pattern;
use auditdb::Profile;
use auditdb::Query;
use auditdb::StoredEvent;

use super::open;
use crate::support::folder;

/// Of each batch, its states in the order in which they were appended.
fn batches(newest_first: &[StoredEvent]) -> BTreeMap<&str, Vec<&StoredEvent>> {
    let mut batches: BTreeMap<&str, Vec<&StoredEvent>> = BTreeMap::new();
    for stored in newest_first.iter().rev() {
        let batch = stored.event.batch.as_deref().expect("a batch");
        batches.entry(batch).or_default().push(stored);
    }
    batches
}

#[test]
fn mission_c16_an_object_type_gives_one_event_a_state_of_one_moment_and_batch() {
    let folder = folder();
    let mut store = open(folder.path(), OnUnknown::Refuse);
    let mut bulk = store.bulk().expect("a load");
    let mut types = BTreeSet::new();
    for (number, event) in Generator::new(7, Profile::administration(3_000)).enumerate() {
        bulk.append(&event).expect("in the shape of its type");
        types.insert(event.event_type);
        assert!(
            number != 47 || types.len() == 38,
            "all come soon: {types:?}"
        );
    }
    bulk.finish().expect("committed");

    let verbs = ["added", "removed"];
    let types = verbs.map(|verb| Pattern::is(format!("role.state_permission.{verb}")));
    let asked = Query {
        filter: Filter::new().any_of(&FilterField::Type, types),
        ..Query::default()
    };
    let scan = store.snapshot().scan(&asked).expect("a scan");
    let whole: Vec<StoredEvent> = scan.collect::<Result<_, _>>().expect("read");
    let batches = batches(&whole);
    assert!(batches.len() > 20, "{}", batches.len());
    for (batch, states) in &batches {
        for (number, state) in states.iter().enumerate() {
            let pairs = state.event.metadata.value();
            let ordinal = pairs.and_then(|pairs| pairs.get("ordinal"));
            assert_eq!(ordinal, Some(number.to_string().as_str()), "{batch}");
            assert_eq!(
                state.occurred_at, states[0].occurred_at,
                "{batch}: one moment"
            );
            assert_eq!(
                state.event.event_type, states[0].event.event_type,
                "{batch}"
            );
        }
    }
    // Pages that end inside a batch lose and repeat nothing.
    for limit in [1, 2, 7] {
        let mut query = Query {
            limit,
            ..asked.clone()
        };
        let mut paged = Vec::new();
        loop {
            let page = store.page(&query).expect("a page");
            paged.extend(page.events);
            query.cursor = page.next_cursor;
            if page.complete {
                break;
            }
        }
        assert_eq!(paged, whole, "by {limit}");
    }
}

#[cfg(feature = "cli")]
mod by_the_command {
    use crate::cli::Place;

    #[test]
    fn mission_c16_the_command_generates_the_events_of_the_pack() {
        let place = Place::new();
        let made = place
            .run(
                &["generate", "--events", "400", "--pack", "administration"],
                b"",
            )
            .done()
            .out;
        place
            .run(&["import", "DB", "-", "--unknown", "refuse"], &made)
            .done();
        let listed = place.json(&["types", "DB", "-o", "json"]);
        assert_eq!(listed["types"].as_array().map(Vec::len), Some(38));
        let error = place
            .run(&["generate", "--events", "1", "--pack", "other"], b"")
            .ends_with(2)
            .error;
        assert!(error.contains("--pack \"other\""), "{error}");
    }
}
