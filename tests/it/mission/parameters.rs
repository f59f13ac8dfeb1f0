//! Rows E6, E13 and E14: the documented parameters of an export, read strictly.

use crate::cli::Place;
use crate::cli::lines;

/// Three events that the parameters tell apart.
fn place() -> Place {
    let place = Place::new();
    for (entity, performer, key) in [
        ("e1", "user:u1", "a"),
        ("e1", "app:u2", "b"),
        ("e2", "user:u1", "a"),
    ] {
        let (entity, key) = (
            format!("entity_id={entity}"),
            format!("assessment_id={key}"),
        );
        let words = [
            "append",
            "DB",
            "--type",
            "assessment",
            "--performer",
            performer,
            "--meta",
            &entity,
            "--meta",
            &key,
        ];
        place.run(&words, b"").done();
    }
    place
}

fn count(place: &Place, words: &[&str]) -> usize {
    let words = [&["query", "DB", "-o", "ndjson"], words].concat();
    lines(&place.out(&words)).len()
}

#[test]
fn mission_e13_several_metadata_keys_in_the_documented_form() {
    let place = place();
    for (text, expected) in [
        ("event_type=assessment", 3),
        ("metadata[entity_id]=e1", 2),
        ("metadata[entity_id]=e1&metadata[assessment_id]=a", 1),
        ("metadata%5Bentity_id%5D=e1&metadata[entity_id]=e2", 3),
        ("event_type=other", 0),
        ("range_end=2020-01-01", 0),
    ] {
        assert_eq!(count(&place, &["--filter", text]), expected, "{text}");
    }
    let both = [
        "--filter",
        "metadata[entity_id]=e1",
        "--meta",
        "assessment_id=a",
    ];
    assert_eq!(count(&place, &both), 1, "beside other flags");
}

#[test]
fn mission_e6_auditee_id_is_who_caused_the_event() {
    let place = place();
    assert_eq!(count(&place, &["--filter", "auditee_id=u1"]), 2);
    assert_eq!(
        count(&place, &["--filter", "auditee_id=u1&auditee_id=u2"]),
        3,
        "of any kind"
    );
}

#[test]
fn mission_e14_what_is_malformed_is_an_error_and_never_no_filter() {
    let place = place();
    for (text, why) in [
        ("metadata[entity_id=e1]", "is not closed before the ="),
        (
            "file_type=pdf&metadata[entity_id=e1]&locale=en",
            "no filter: the format",
        ),
        ("metadata[]=e1", "metadata without a key"),
        ("entity_id=e1", "no parameter \"entity_id\""),
        ("range_start=1715932800", "a bare number"),
        ("range_start=2026-04-11&range_end=2026-04-10", "since"),
        ("", "no parameter at all"),
    ] {
        for command in ["query", "export"] {
            let format: &[&str] = if command == "export" {
                &["-f", "csv"]
            } else {
                &[]
            };
            let words = [&[command, "DB", "--filter", text], format].concat();
            let ended = place.run(&words, b"").ends_with(2);
            assert!(ended.error.contains(why), "{text}: {}", ended.error);
            assert!(ended.out.is_empty(), "{text}");
        }
    }
    let twice = [
        "query",
        "DB",
        "--since",
        "2026-01-01",
        "--filter",
        "range_start=2026-01-01",
    ];
    let error = place.run(&twice, b"").ends_with(2).error;
    assert!(
        error.contains("--filter") && error.contains("given twice"),
        "{error}"
    );
}
