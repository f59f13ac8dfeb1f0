//! Rows A5, B3, B15 and E23: what had to be read up before is told by the program.

use std::collections::BTreeSet;

use super::trail::place;
use crate::cli::Place;
use crate::cli::run;
use crate::cli::text;

#[test]
fn mission_a5_the_notes_that_came_first_are_facts() {
    let place = place();
    let stats = place.json(&["stats", "DB", "--json"]);
    for key in ["covered_from", "complete_through", "time_zone", "latest"] {
        assert!(!stats[key].is_null(), "{key}: {stats}");
    }
    let shown = place.out(&["stats", "DB"]);
    for line in [
        "covers from",
        "complete through",
        "times shown in",
        "latest recorded",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn mission_b3_a_store_says_since_when_it_covers_anything() {
    let place = place();
    let stats = place.json(&["stats", "DB", "--json"]);
    assert_eq!(text(&stats, "/covered_from"), "2026-04-10T00:00:00.000000Z");
    let before = place.json(&["query", "DB", "--until", "2026-04-09", "-o", "json"]);
    assert_eq!(before["events"].as_array().map(Vec::len), Some(0));
    assert_eq!(
        before["covered_from"], stats["covered_from"],
        "not covered, not none"
    );
    // An empty store covers from its creation on.
    let empty = Place::new();
    empty.run(&["import", "DB", "-"], b"").done();
    let stats = empty.json(&["stats", "DB", "--json"]);
    assert_eq!(stats["covered_from"], stats["created_at"]);
    assert!(stats["latest"].is_null());
}

#[test]
fn mission_b15_one_zone_in_the_store_and_the_lateness_of_the_last_event() {
    let place = Place::new();
    let append = |time: &str| {
        place
            .run(
                &["append", "DB", "--type", "a.b", "--occurred-at", time],
                b"",
            )
            .done();
        place.json(&["stats", "DB", "--json"])
    };
    let stats = append("2026-05-17T10:00:00+02:00");
    assert_eq!(stats["time_zone"], "UTC");
    assert_eq!(
        text(&stats, "/latest/occurred_at"),
        "2026-05-17T08:00:00.000000Z"
    );
    assert!(stats["latest"]["late_us"].as_i64() > Some(0), "{stats}");
    assert_eq!(stats["latest"]["recorded_at"], stats["complete_through"]);
    assert!(place.out(&["stats", "DB"]).contains(" after it happened"));
    // Later than now: said, not hidden.
    let stats = append("9000-01-01T00:00:00Z");
    assert!(stats["latest"]["late_us"].as_i64() < Some(0), "{stats}");
    assert!(place.out(&["stats", "DB"]).contains(" before it happened"));
}

#[test]
fn mission_e23_errors_lists_every_code_with_its_exit() {
    let listed = run(&["errors", "-o", "json"], b"").done().text();
    let listed = crate::cli::json(&listed);
    let errors = listed["errors"].as_array().expect("a list");
    let page = include_str!("../../../docs/errors.md");
    let mut codes = BTreeSet::new();
    for error in errors {
        let (code, meaning) = (text(error, "/code"), text(error, "/meaning"));
        let line = format!("| `{code}` | {} | {meaning} |", error["exit"]);
        assert!(page.contains(&line), "no line: {line}");
        codes.insert(code);
    }
    let kinds = auditdb::ErrorKind::ALL.map(auditdb::ErrorKind::code);
    assert_eq!(codes, BTreeSet::from(kinds));
    let table = run(&["errors"], b"").done().text();
    assert!(codes.iter().all(|code| table.contains(code)));
}
