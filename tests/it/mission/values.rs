//! Rows B1, B5, B14, C20, C22 and C23: the values of a field as lists to choose from. Whatever an
//! event ever named is there, in a fixed order that can be chosen, searched and read in parts.

use std::cmp::Reverse;

use auditdb::ErrorKind;
use auditdb::Event;
use auditdb::Every;
use auditdb::FacetCursor;
use auditdb::FacetOrder;
use auditdb::FacetQuery;
use auditdb::Filter;
use auditdb::FilterField;
use auditdb::OnUnknown;
use auditdb::Options;
use auditdb::Performer;
use auditdb::Query;
use auditdb::Snapshot;
use auditdb::Store;
use auditdb::Subject;

use super::open;
use super::refused;
use crate::support::Random;
use crate::support::folder;

const ORDERS: [FacetOrder; 3] = [FacetOrder::Count, FacetOrder::Name, FacetOrder::Recency];

/// A value with its count and the place in commit order of its newest event.
type Expected = (String, u64, u64);

/// Users of a store of random events, one a moment, half of them in segments.
fn store(folder: &std::path::Path) -> (Store, Vec<Expected>) {
    let store = Store::open(folder, Options::default()).expect("a store");
    let mut random = Random::new(9);
    let mut users: Vec<Expected> = Vec::new();
    for number in 0..600 {
        let id = format!("u{:02}", random.below(30) * random.below(3));
        let value = format!("user:{id}");
        let subject = Subject::new("user").id(id);
        let event = Event::new("user.updated").subject(subject.label(format!("at {number}")));
        let at = "2026-05-17T08:00:00Z"
            .parse::<auditdb::Time>()
            .expect("a time");
        let at = auditdb::Time::from_micros(at.as_micros() + number).expect("a time");
        let receipt = store.append(&event.occurred_at(at)).expect("taken");
        match users.iter_mut().find(|(known, ..)| *known == value) {
            Some((_, count, newest)) => (*count, *newest) = (*count + 1, receipt.seq.0),
            None => users.push((value, 1, receipt.seq.0)),
        }
        if number % 150 == 149 && number < 500 {
            store.flush().expect("sealed");
        }
    }
    (store, users)
}

fn expected(users: &[Expected], order: FacetOrder, prefix: &str) -> Vec<Expected> {
    let fits = users.iter().filter(|(value, ..)| value.starts_with(prefix));
    let mut users: Vec<Expected> = fits.cloned().collect();
    users.sort_by_key(|(value, count, newest)| {
        let rank = match order {
            FacetOrder::Count => *count,
            FacetOrder::Name => 0,
            FacetOrder::Recency => *newest,
        };
        (Reverse(rank), value.clone())
    });
    users
}

/// All values, in parts of `top`, each of which goes on where the one before ended.
fn by_parts(snapshot: impl Fn() -> Snapshot, asked: &FacetQuery) -> Vec<(String, u64)> {
    let mut asked = asked.clone();
    let mut values = Vec::new();
    loop {
        let facets = snapshot()
            .facets(&Query::default(), &asked)
            .expect("facets");
        assert!(facets.values.len() <= asked.top);
        values.extend(facets.values.into_iter().map(|one| (one.value, one.count)));
        let Some(next) = facets.next_cursor else {
            return values;
        };
        let text = next.to_string();
        assert_eq!(text.parse::<FacetCursor>().ok().as_ref(), Some(&next));
        asked.cursor = Some(next);
    }
}

#[test]
fn mission_b14_values_have_a_chosen_order_a_prefix_and_parts() {
    let folder = folder();
    let (store, users) = store(folder.path());
    for order in ORDERS {
        for prefix in ["", "us", "user:", "user:u0", "user:u58", "role"] {
            let expected = expected(&users, order, prefix);
            let expected: Vec<(String, u64)> = expected
                .into_iter()
                .map(|(value, count, _)| (value, count))
                .collect();
            for top in [1, 7, 1_000] {
                let asked = FacetQuery {
                    prefix: prefix.to_owned(),
                    order,
                    top,
                    ..FacetQuery::of(FilterField::Subject)
                };
                let found = by_parts(|| store.snapshot(), &asked);
                assert_eq!(found, expected, "{order:?} {prefix:?} by {top}");
            }
        }
    }
    // Parts are of one snapshot: what is appended in between neither moves nor repeats a value.
    let asked = FacetQuery {
        top: 5,
        ..FacetQuery::of(FilterField::Subject)
    };
    let whole = by_parts(|| store.snapshot(), &asked);
    let late = Event::new("a").subject(Subject::new("user").id("u00"));
    let grown = by_parts(
        || {
            let snapshot = store.snapshot();
            store.append(&late).expect("taken");
            snapshot
        },
        &asked,
    );
    assert_eq!(grown, whole);
    store.close().expect("closed");
}

#[test]
fn mission_b14_a_cursor_goes_on_only_with_the_list_it_was_made_for() {
    let folder = folder();
    let (store, _) = store(folder.path());
    let asked = FacetQuery {
        top: 1,
        ..FacetQuery::of(FilterField::Subject)
    };
    let snapshot = store.snapshot();
    let first = snapshot.facets(&Query::default(), &asked).expect("facets");
    let cursor = first.next_cursor.expect("more follow");
    let with = |change: FacetQuery| {
        let cursor = Some(cursor.clone());
        snapshot.facets(&Query::default(), &FacetQuery { cursor, ..change })
    };
    let name = FacetQuery {
        order: FacetOrder::Name,
        ..asked.clone()
    };
    refused(with(name), ErrorKind::CursorDirection, "another order");
    let field = FacetQuery::of(FilterField::Type);
    refused(with(field), ErrorKind::CursorFilter, "another field");
    let text = cursor.to_string();
    refused(
        "".parse::<FacetCursor>(),
        ErrorKind::CursorEmpty,
        "leave it out",
    );
    for end in 1..text.len() {
        refused(
            text[..end].parse::<FacetCursor>(),
            ErrorKind::CursorDamaged,
            "damaged",
        );
        let other = if text.as_bytes()[end] == b'A' {
            "B"
        } else {
            "A"
        };
        let changed = format!("{}{other}{}", &text[..end], &text[end + 1..]);
        refused(
            changed.parse::<FacetCursor>(),
            ErrorKind::CursorDamaged,
            "damaged",
        );
    }
    store.close().expect("closed");
}

#[test]
fn mission_b5_a_deleted_subject_stays_in_the_list_with_its_last_label() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Accept);
    let user = Subject::new("user").id("u1");
    let by = |id: &str, label: &str| Performer::new("admin").id(id).label(label);
    for event in [
        Event::new("user.added")
            .subject(user.clone().label("Ada"))
            .performer(by("a1", "Eve")),
        Event::new("user.updated")
            .subject(user.clone().label("Ada L."))
            .performer(by("a2", "Bob")),
        Event::new("user.removed")
            .subject(user)
            .performer(by("a2", "Bob")),
    ] {
        store.append(&event).expect("taken");
    }
    let listed = |field| {
        let asked = FacetQuery {
            newest: true,
            ..FacetQuery::of(field)
        };
        let facets = store
            .snapshot()
            .facets(&Query::default(), &asked)
            .expect("facets");
        let values = facets.values.into_iter();
        values
            .map(|one| (one.value, one.count, one.label))
            .collect::<Vec<_>>()
    };
    let label = |text: &str| Some(text.to_owned());
    assert_eq!(
        listed(FilterField::Subject),
        [("user:u1".to_owned(), 3, label("Ada L."))]
    );
    // Whoever left is as much there as those who are still here.
    let performers = [
        ("admin:a2".to_owned(), 2, label("Bob")),
        ("admin:a1".to_owned(), 1, label("Eve")),
    ];
    assert_eq!(listed(FilterField::Performer), performers);
    store.close().expect("closed");
}

/// Random events of twenty days and more, half of them in segments, against a slow count.
#[test]
fn mission_b1_events_are_counted_by_the_time_at_which_they_happened() {
    let folder = folder();
    let store = Store::open(folder.path(), Options::default()).expect("a store");
    let mut random = Random::new(1);
    let mut all: Vec<(String, bool)> = Vec::new();
    for number in 0..500_u64 {
        let hour = 1_779_000_000_000_000 + random.below(500) * 3_600_000_000;
        let edge = [0, 1, 1_799_999_999, 3_599_999_999][random.below(4) as usize];
        let at = auditdb::Time::from_micros((hour - hour % 3_600_000_000 + edge) as i64);
        let at = at.expect("a time");
        let is_failed = random.below(3) == 0;
        let event_type = if is_failed { "login.failed" } else { "login" };
        store
            .append(&Event::new(event_type).occurred_at(at))
            .expect("taken");
        all.push((at.to_string(), is_failed));
        if number % 150 == 149 {
            store.flush().expect("sealed");
        }
    }
    let failed = Filter::new().is(FilterField::Type, "login.failed");
    for (every, letters) in [
        (Every::Hour, 13),
        (Every::Day, 10),
        (Every::Month, 7),
        (Every::Year, 4),
    ] {
        for filter in [Filter::new(), failed.clone()] {
            let mut expected = std::collections::BTreeMap::new();
            for (at, _) in all
                .iter()
                .filter(|(_, failed)| *failed || filter == Filter::new())
            {
                *expected.entry(at[..letters].to_owned()).or_insert(0) += 1;
            }
            let query = Query {
                filter,
                ..Query::default()
            };
            let counts = store
                .snapshot()
                .counts_by_time(&query, every)
                .expect("counts");
            assert_eq!(
                counts.counts,
                expected.into_iter().collect::<Vec<_>>(),
                "{every:?}"
            );
            assert_eq!(counts.snapshot_seq, 500);
        }
    }
    store.close().expect("closed");
}

#[cfg(feature = "cli")]
mod by_the_command {
    use serde_json::Value;

    use crate::cli::Place;

    /// Three users of whom one is gone, and administrators of whom one left.
    fn place() -> Place {
        let place = Place::new();
        for (event_type, user, admin, label) in [
            ("user.added", "u1", "a1", "Ada"),
            ("user.added", "u2", "a1", "Bob"),
            ("user.added", "u3", "a1", "Cyd"),
            ("admin.left", "u1", "a1", ""),
            ("user.removed", "u2", "a2", "Bob B."),
            ("user.updated", "u3", "a2", ""),
        ] {
            let line = format!(
                r#"{{"type":"{event_type}","subject":{{"kind":"user","id":"{user}","label":"{label}"}},
                "performer":{{"kind":"admin","id":"{admin}"}}}}"#
            );
            place.run(&["append", "DB"], line.as_bytes()).done();
        }
        place
    }

    fn values(listed: &Value) -> Vec<&str> {
        let values = listed["values"].as_array().into_iter().flatten();
        values
            .map(|one| one["value"].as_str().unwrap_or_default())
            .collect()
    }

    #[test]
    fn mission_c22_the_list_of_subjects_has_deleted_ones_with_labels() {
        let place = place();
        let listed = place.json(&["facets", "DB", "subject", "--order", "name", "-o", "json"]);
        assert_eq!(values(&listed), ["user:u1", "user:u2", "user:u3"]);
        let labels = ["Ada", "Bob B.", "Cyd"];
        for (number, label) in labels.into_iter().enumerate() {
            assert_eq!(listed["values"][number]["label"], label, "{listed}");
        }
        let told = place.out(&["facets", "DB", "subject", "--order", "recency"]);
        let rows: Vec<&str> = told.lines().skip(1).collect();
        assert!(rows[0].ends_with("Cyd     user:u3"), "{told}");
        assert!(rows[1].ends_with("Bob B.  user:u2"), "{told}");
    }

    #[test]
    fn mission_c23_the_list_of_performers_has_departed_ones() {
        let listed = place().json(&["facets", "DB", "performer", "-o", "json"]);
        assert_eq!(values(&listed), ["admin:a1", "admin:a2"]);
        assert_eq!(listed["values"][0]["count"], 4);
        assert!(
            listed["values"][0]["label"].is_null(),
            "none was given: {listed}"
        );
        assert!(listed["next_cursor"].is_null());
    }

    #[test]
    fn mission_b1_counts_by_type_come_in_parts() {
        let place = place();
        let first = ["facets", "DB", "type", "--top", "1", "-o", "json"];
        let listed = place.json(&first);
        assert_eq!(
            (values(&listed), &listed["distinct"]),
            (vec!["user.added"], &Value::from(4))
        );
        let cursor = listed["next_cursor"]
            .as_str()
            .expect("more follow")
            .to_owned();
        let rest = ["facets", "DB", "type", "--cursor", &cursor, "-o", "json"];
        assert_eq!(
            values(&place.json(&rest)),
            ["admin.left", "user.removed", "user.updated"]
        );
        let note = place.run(&first[..5], b"").done().error;
        assert!(note.contains(&format!(
            "1 of 4 different values; go on with --cursor {cursor}"
        )));
        for (cursor, words) in [("x", "damaged"), ("", "empty")] {
            let error = place.run(&["facets", "DB", "type", "--cursor", cursor], b"");
            let error = error.ends_with(2).error;
            assert!(
                error.contains("--cursor") && error.contains(words),
                "{error}"
            );
        }
    }

    #[test]
    fn mission_b1_the_command_counts_by_day() {
        let place = Place::new();
        for at in [
            "2026-05-17T08:00:00Z",
            "2026-05-17T23:59:59Z",
            "2026-05-18T00:00:00Z",
        ] {
            let words = ["append", "DB", "--type", "a", "--occurred-at", at];
            place.run(&words, b"").done();
        }
        let listed = place.out(&["facets", "DB", "day", "-o", "json"]);
        assert_eq!(
            listed,
            "{\"field\":\"day\",\"values\":[{\"value\":\"2026-05-17\",\"count\":2},\
             {\"value\":\"2026-05-18\",\"count\":1}],\"distinct\":2,\"snapshot_seq\":3}\n"
        );
        let words = ["facets", "DB", "hour", "--order", "recency", "--top", "1"];
        let ended = place.run(&words, b"").done();
        assert!(
            ended
                .error
                .contains("1 of 3 different values; --top shows more"),
            "{}",
            ended.error
        );
        assert!(ended.text().ends_with("2026-05-18T00\n"));
        let error = place
            .run(&["facets", "DB", "day", "--prefix", "2026"], b"")
            .ends_with(2)
            .error;
        assert!(error.contains("--prefix"), "{error}");
    }
}
