//! Messages that a person can act on: each says what is the case and what to do about it.

use super::Place;
use super::text;

#[track_caller]
fn says(told: &str, words: &[&str]) {
    for word in words {
        assert!(told.contains(word), "no {word:?} in: {told}");
    }
}

#[test]
fn a_subject_with_no_events_is_no_error_and_says_how_to_look() {
    let place = Place::with_events(200);
    let ask = |words: &[&str]| place.run(words, b"").done();
    let nobody = ["--subject", "user:nobody"];
    let page = ask(&[&["query", "DB"], &nobody[..]].concat());
    says(&page.error, &["no events", "--explain"]);
    let counts = ask(&[&["facets", "DB", "type"], &nobody[..]].concat());
    says(&counts.error, &["no values", "--explain"]);
    let history = ask(&["history", "DB", "user:nobody"]);
    says(
        &history.error,
        &["no change of it is recorded", "facets DB subject"],
    );
    let export = ask(&[&["export", "DB", "-f", "csv"], &nobody[..]].concat());
    says(&export.error, &["0 rows", "complete"]);
    let shown = place.run(&["show", "DB", "evt_01HY2Z0J80FM00000000000001"], b"");
    says(
        &shown.ends_with(1).error,
        &["no event is called", "hint:", "evt_"],
    );
    // Nothing is in the store at all, and nothing was asked for in particular.
    let empty = Place::new();
    empty.run(&["import", "DB", "-"], b"").done();
    let told = empty.run(&["query", "DB"], b"").done().error;
    says(&told, &["no events; that is all"]);
    assert!(!told.contains("--explain"), "{told}");
}

#[test]
fn a_departed_performer_is_found_by_what_the_list_shows() {
    let place = Place::new();
    for (event_type, subject, performer) in [
        ("user.updated", "user:u1", "admin:gone"),
        ("user.removed", "user:gone", "admin:a1"),
    ] {
        let words = ["append", "DB", "--type", event_type, "--subject", subject];
        place
            .run(&[&words[..], &["--performer", performer]].concat(), b"")
            .done();
    }
    let listed = place.out(&["facets", "DB", "performer", "--prefix", "admin:go"]);
    says(&listed, &["admin:gone"]);
    let found = place.out(&["query", "DB", "--performer", "admin:gone"]);
    says(
        &found,
        &["user.updated", "Unknown Administrator with id gone"],
    );
}

#[test]
fn an_event_of_1_mib_is_kept_whole_and_a_larger_one_says_what_to_do() {
    let place = Place::new();
    let line = |bytes: usize| {
        let data = "x".repeat(bytes);
        format!(r#"{{"type":"a.b","occurred_at":"2026-05-17T08:00:00Z","data":"{data}"}}"#)
    };
    let spare = line(0).len() + 16;
    let whole = (1 << 20) - spare;
    place.run(&["append", "DB"], line(whole).as_bytes()).done();
    let kept = place.json(&["query", "DB", "-o", "json"]);
    assert_eq!(text(&kept, "/events/0/data").len(), whole);
    for command in [
        &["append", "DB"][..],
        &["import", "DB", "-", "--format", "native"],
    ] {
        let ended = place.run(command, line(1 << 20).as_bytes());
        assert_ne!(ended.code, Some(0));
        says(
            &ended.error,
            &["at most 1048576 are taken", "keep what is large elsewhere"],
        );
    }
    assert_eq!(place.json(&["stats", "DB", "--json"])["events"], 1);
}

#[test]
fn a_locale_or_zone_that_does_not_exist_is_named_with_those_that_do() {
    let place = Place::with_events(10);
    let export = ["export", "DB", "-f", "csv", "-o", "@out.csv"];
    for (words, told) in [
        (
            &["--locale", "xx"][..],
            &["--locale", "\"xx\"", "there are ar, de, en"][..],
        ),
        (
            &["--tz", "Mars/Phobos"],
            &["--tz", "\"Mars/Phobos\"", "Europe/Berlin"],
        ),
    ] {
        let ended = place.run(&[&export[..], words].concat(), b"").ends_with(2);
        says(&ended.error, told);
        assert!(!place.path("out.csv").exists());
    }
}

#[test]
fn a_cursor_of_another_filter_says_what_to_repeat() {
    let place = Place::with_events(200);
    let page = place.json(&["query", "DB", "-n", "1", "--type", "user.*", "-o", "json"]);
    let cursor = ["--cursor", text(&page, "/next_cursor")];
    for command in [&["query", "DB"][..], &["export", "DB", "-f", "csv"]] {
        let ended = place.run(&[command, &cursor].concat(), b"").ends_with(2);
        says(
            &ended.error,
            &[
                "--cursor",
                "another filter",
                "repeat that filter",
                "leave the cursor out",
            ],
        );
        assert!(ended.out.is_empty());
    }
}
