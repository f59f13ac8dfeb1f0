//! Row C12, and a subject's history rebuilt from its changes: who made what of it and when, what it
//! was at any moment, and where something happened that was not recorded.

use std::collections::BTreeMap;

use auditdb::ErrorKind;
use auditdb::Event;
use auditdb::Field;
use auditdb::Filter;
use auditdb::FilterField;
use auditdb::Json;
use auditdb::OnUnknown;
use auditdb::Performer;
use auditdb::Query;
use auditdb::Store;
use auditdb::Subject;
use auditdb::Time;

use super::open;
use super::refused;
use crate::support::Random;
use crate::support::folder;

const START: i64 = 1_779_000_000_000_000;

fn at(micros: u64) -> Time {
    Time::from_micros(START + micros as i64).expect("a time")
}

fn text(field: &Field<Json>) -> &str {
    field.value().map_or("null", |json| json.as_str())
}

/// Moment, user, attribute, before and after of a change.
type Made = (u64, &'static str, &'static str, String, String);

/// Random changes of two users that come in random order, in the order of time.
fn fill(store: &Store) -> Vec<Made> {
    let mut random = Random::new(12);
    let mut changes = Vec::new();
    for number in 0..400 {
        let user = random.pick(&["u1", "u2"]);
        let path = random.pick(&["admin", "all_access", "name"]);
        let (before, after) = (random.below(3).to_string(), random.below(3).to_string());
        let moment = random.below(100_000) * 1_000 + number;
        let event = Event::new("user.updated")
            .occurred_at(at(moment))
            .performer(Performer::new("admin").id(format!("a{number}")))
            .subject(Subject::new("user").id(user))
            .change(path, &before, &after)
            .expect("JSON");
        store.append(&event).expect("taken");
        changes.push((moment, user, path, before, after));
        if number % 120 == 119 {
            store.flush().expect("sealed");
        }
    }
    changes.sort_unstable();
    changes
}

#[test]
fn mission_c12_a_history_is_what_the_changes_make_of_it() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Accept);
    let changes = fill(&store);
    for (user, until) in [
        ("u1", 0),
        ("u1", 50_000_000),
        ("u1", u64::MAX >> 20),
        ("u2", 90_000_000),
    ] {
        let filter = Filter::new().is_entity(FilterField::Subject, "user", user);
        let query = Query {
            filter: filter.until(at(until)),
            ..Query::default()
        };
        let mut history = store.snapshot().history(&query).expect("a history");
        let mut state: BTreeMap<&str, &str> = BTreeMap::new();
        let wanted = changes
            .iter()
            .filter(|(moment, of, ..)| *of == user && *moment <= until);
        for (moment, _, path, before, after) in wanted {
            let change = history.next().expect("one more").expect("read");
            assert_eq!(
                (change.by.occurred_at, change.path.as_str()),
                (at(*moment), *path)
            );
            assert_eq!(
                (text(&change.before), text(&change.after)),
                (before.as_str(), after.as_str())
            );
            let left = state.insert(path, after).filter(|left| left != before);
            assert_eq!(change.contradicts.as_ref().map(text), left, "at {moment}");
        }
        assert!(history.next().is_none());
        let found: BTreeMap<&str, &str> = history
            .state()
            .map(|(path, state)| (path, text(&state.value)))
            .collect();
        assert_eq!(found, state, "{user} until {until}");
    }
    let filter = Filter::new().is(FilterField::Subject, "user");
    let mut both = store
        .snapshot()
        .history(&Query {
            filter,
            ..Query::default()
        })
        .expect("a scan");
    let error = both
        .find_map(Result::err)
        .ok_or(())
        .expect("two users are in it");
    refused::<()>(Err(error), ErrorKind::Filter, "one subject");
    assert!(both.next().is_none(), "it is over");
    store.close().expect("closed");
}

#[cfg(feature = "cli")]
mod by_the_command {
    use crate::cli::Place;

    fn place() -> Place {
        let place = Place::new();
        for (at, admin, changes) in [
            (
                "2026-03-01T08:00:00Z",
                "a1",
                &["admin=no:yes", "name=Ada:Ada L."][..],
            ),
            ("2026-03-31T23:59:59Z", "a2", &["admin=yes:no"]),
            (
                "2026-04-02T08:00:00Z",
                "a2",
                &["admin=yes:", "mail=:x@example.org"],
            ),
        ] {
            let admin = format!("admin:{admin}");
            let mut words = vec![
                "append",
                "DB",
                "--type",
                "user.updated",
                "--occurred-at",
                at,
            ];
            words.extend(["--subject", "user:u1", "--performer", &admin]);
            words.extend(changes.iter().flat_map(|change| ["--change", *change]));
            place.run(&words, b"").done();
        }
        place
    }

    #[test]
    fn mission_c12_history_tells_who_made_someone_an_administrator_and_when() {
        let place = place();
        let ended = place.run(&["history", "DB", "user:u1"], b"").done();
        assert!(
            ended
                .error
                .contains("5 changes, 1 contradiction to the one before"),
            "{}",
            ended.error
        );
        let told = ended.text();
        let rows: Vec<&str> = told.lines().collect();
        assert!(
            rows[1].starts_with("2026-03-01T08:00:00.000000Z  admin"),
            "{told}"
        );
        assert!(
            rows[1].contains("\"no\"") && rows[1].contains("Unknown Administrator with id a1"),
            "{told}"
        );
        assert!(rows[4].contains("\"yes\" (was left \"no\")"), "{told}");
        assert!(rows[4].contains("  -  "), "absent after: {told}");
        assert_eq!(rows[6..].len(), 5, "the state: {told}");
        assert!(
            told.contains("\nname       \"Ada L.\"         2026-03-01T08:00:00.000000Z\n"),
            "{told}"
        );
    }

    #[test]
    fn mission_c12_history_tells_what_someone_was_at_a_moment() {
        let place = place();
        for (at, admin, name, changes) in [
            ("2026-03-15", "yes", "Ada L.", 2),
            ("2026-03-31", "no", "Ada L.", 3),
            ("2026-03-31T23:59:58Z", "yes", "Ada L.", 2),
        ] {
            let words = ["history", "DB", "user:u1", "--at", at, "-o", "json"];
            let history = place.json(&words);
            assert_eq!(history["state"]["admin"]["value"], admin, "{at}: {history}");
            assert_eq!(history["state"]["name"]["value"], name);
            assert_eq!(
                history["changes"].as_array().map(Vec::len),
                Some(changes),
                "{at}"
            );
            assert_eq!(history["contradictions"], 0);
        }
        let history = place.json(&["history", "DB", "user:u1", "-o", "json"]);
        let last = &history["changes"][3];
        assert_eq!(
            (&last["before"], &last["contradicts"]),
            (&"yes".into(), &"no".into())
        );
        assert!(last.get("after").is_none() && history["state"]["admin"]["value"].is_null());
        assert_eq!(last["performer"]["id"], "a2");
        assert_eq!(history["contradictions"], 1);
    }

    #[test]
    fn a_history_of_nobody_says_where_to_look() {
        let place = place();
        let ended = place.run(&["history", "DB", "user:u9"], b"").done();
        assert!(ended.error.contains("facets DB subject"), "{}", ended.error);
        for (words, said) in [
            (&["history", "DB", "user"][..], "SUBJECT"),
            (&["history", "DB", "user:u1", "--at", "soon"], "--at"),
            (&["history", "DB", "user:u1", "--at", "1715932800"], "--at"),
        ] {
            let error = place.run(words, b"").ends_with(2).error;
            assert!(error.contains(said), "{error}");
        }
    }
}
