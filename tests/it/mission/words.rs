//! Row C24: words in what people wrote, found by reading, with bounded work.

use super::filters::check;
use crate::cli::Place;
use crate::cli::text;

/// A JSON value's texts and numbers, those of members too.
fn values(value: &serde_json::Value, out: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(members) => members.iter().for_each(|one| values(one, out)),
        serde_json::Value::Object(members) => members.values().for_each(|one| values(one, out)),
        serde_json::Value::String(text) => out.push(text.to_lowercase()),
        other => out.push(other.to_string()),
    }
}

/// Whether somebody wrote this word in an event, the slow and obvious way.
fn wrote(event: &serde_json::Value, word: &str) -> bool {
    let mut texts = Vec::new();
    let mut take = |pointer: &str| {
        if let Some(value) = event.pointer(pointer) {
            values(value, &mut texts);
        }
    };
    for pointer in ["/performer/label", "/on_behalf_of/label", "/subject/label"] {
        take(pointer);
    }
    for pointer in ["/reason", "/metadata", "/changes", "/data"] {
        take(pointer);
    }
    for number in 0..event["targets"].as_array().map_or(0, Vec::len) {
        take(&format!("/targets/{number}/label"));
    }
    texts.iter().any(|text| text.contains(&word.to_lowercase()))
}

#[test]
fn mission_c24_words_in_texts_are_found_wherever_they_stand() {
    check(&[
        (&["--text", "ada"], "5"),
        (&["--text", "aDa", "--type", "user.*"], "5"),
        (&["--text", "!ada", "--during", "2026-Q2"], "12346"),
        (&["--text", "t1,t2"], "12"),
        (&["--text", "no such word"], ""),
    ]);
    let place = Place::with_events(2_000);
    let all = crate::cli::lines(&place.out(&["export", "DB", "-f", "ndjson"]));
    let mut hits = 0;
    for (word, more) in [
        ("an", &[][..]),
        ("e", &["--outcome", "success"]),
        ("1", &["--type", "user.*"]),
        ("ü", &[]),
        ("true", &[]),
    ] {
        let words = [&["export", "DB", "-f", "ndjson", "--text", word], more].concat();
        let found = crate::cli::lines(&place.out(&words));
        let expected = all.iter().filter(|event| wrote(event, word));
        let expected: Vec<_> = match more {
            ["--outcome", outcome] => expected
                .filter(|event| event["outcome"] == *outcome)
                .collect(),
            ["--type", _] => expected
                .filter(|event| text(event, "/type").starts_with("user."))
                .collect(),
            _ => expected.collect(),
        };
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{word}");
        hits += found.len();
        let counted = [
            &["facets", "DB", "type", "-o", "json", "--text", word],
            more,
        ]
        .concat();
        let counted = place.json(&counted);
        let counts = counted["values"].as_array().into_iter().flatten();
        let events: u64 = counts.filter_map(|value| value["count"].as_u64()).sum();
        assert_eq!(events, found.len() as u64, "{word}");
    }
    assert!(hits > 100, "{hits}");
}

#[test]
fn a_word_is_looked_for_with_bounded_work_and_a_warning() {
    let place = Place::with_events(2_000);
    let words = ["query", "DB", "--text", "no such word", "-o", "json"];
    let page = place.json(&[&words[..], &["--max-work", "6400"]].concat());
    let events = page["events"].as_array().map(Vec::len);
    assert_eq!((text(&page, "/stopped"), events), ("budget", Some(0)));
    assert_eq!(place.json(&words)["complete"], true);
    let explained = place
        .run(&[&words[..], &["--explain"]].concat(), b"")
        .done();
    assert!(
        explained.error.contains("no index knows --text"),
        "{}",
        explained.error
    );
}
