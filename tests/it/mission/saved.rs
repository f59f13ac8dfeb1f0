//! Rows D2 and D5: filters that are saved by name, asked again, narrowed, listed and removed.

use super::trail::found;
use super::trail::keys;
use super::trail::place;
use super::trail::refused;
use crate::cli::text;

#[test]
fn mission_d2_a_saved_query_is_asked_by_name_in_every_command() {
    let place = place();
    let save = [
        "query", "DB", "--type", "user.*", "--during", "2026-Q2", "--save", "users-q2",
    ];
    let ended = place.run(&save, b"").done();
    assert!(ended.error.contains("--query users-q2"), "{}", ended.error);
    assert_eq!(found(&place, &["--query", "users-q2"]), "1256");
    let narrower = [
        "--query",
        "users-q2",
        "--type",
        "user.removed,user.updated",
        "--outcome",
        "!denied",
    ];
    assert_eq!(found(&place, &narrower), "15", "further words narrow it");
    let exported = [
        "export",
        "DB",
        "-f",
        "ndjson",
        "--oldest-first",
        "--query",
        "users-q2",
    ];
    assert_eq!(keys(&place.out(&exported)), "1256");
    let facets = place.json(&["facets", "DB", "type", "-o", "json", "--query", "users-q2"]);
    assert_eq!(facets["distinct"], 3);
    let error = place
        .run(&["query", "DB", "--query", "users-q2", "--explain"], b"")
        .done()
        .error;
    assert!(error.contains("type begins with \"user.\""), "{error}");
    assert!(
        error.contains("times: from 2026-04-01T00:00:00.000000Z"),
        "{error}"
    );
    // It lies in the store's folder, is checked with it, and survives a writer.
    assert!(place.path("store/queries/users-q2.query").exists());
    place
        .run(
            &["append", "DB", "--type", "user.added", "--key", "k0"],
            b"",
        )
        .done();
    place.run(&["verify", "DB"], b"").done();
    assert_eq!(found(&place, &["--query", "users-q2"]), "1256");
}

#[test]
fn mission_d2_relative_times_and_zones_stay_as_they_were_written() {
    let place = place();
    let save = [
        "query",
        "DB",
        "--during",
        "2026-07-01",
        "--tz",
        "Europe/Berlin",
        "--save",
        "first-of-july",
    ];
    place.run(&save, b"").done();
    assert_eq!(
        found(&place, &["--query", "first-of-july"]),
        "67",
        "in Berlin's day"
    );
    let listed = place.json(&["queries", "DB", "-o", "json"]);
    assert_eq!(text(&listed, "/queries/0/name"), "first-of-july");
    assert_eq!(text(&listed, "/queries/0/zone"), "Europe/Berlin");
    place
        .run(&["query", "DB", "--last", "24h", "--save", "today"], b"")
        .done();
    let shown = place.out(&["queries", "DB"]);
    assert!(
        shown.contains("first-of-july") && shown.contains("--last 24h"),
        "{shown}"
    );
    place
        .run(&["queries", "DB", "--remove", "first-of-july"], b"")
        .done();
    let error = refused(&place, &["--query", "first-of-july"]);
    assert!(
        error.contains("--query") && error.contains("there are today"),
        "{error}"
    );
}

#[test]
fn mission_d5_a_time_that_the_saved_query_says_already_is_an_error() {
    let place = place();
    place
        .run(
            &[
                "query",
                "DB",
                "--since",
                "2026-05-01",
                "--save",
                "since-may",
            ],
            b"",
        )
        .done();
    assert_eq!(
        found(&place, &["--query", "since-may", "--until", "2026-06-30"]),
        "456"
    );
    for (more, flag) in [
        (["--since", "2026-06-01"], "--since"),
        (["--during", "2026-Q2"], "--during"),
        (["--last", "24h"], "--last"),
        (["--filter", "range_start=2026-06-01"], "--filter"),
    ] {
        let error = refused(&place, &[&["--query", "since-may"], &more[..]].concat());
        assert!(
            error.contains(flag) && error.contains("--since of the saved query"),
            "{error}"
        );
    }
    let error = refused(&place, &["--query", "since-may", "--until", "2026-04-30"]);
    assert!(error.contains("the range is empty"), "{error}");
}

#[test]
fn names_are_strict_taken_ones_are_kept_and_damage_is_told() {
    let place = place();
    for name in [
        "",
        "Upper",
        "../up",
        ".hidden",
        "a/b",
        "-x",
        "a b",
        &"x".repeat(65),
    ] {
        let save = format!("--save={name}");
        let error = place.run(&["query", "DB", &save], b"").ends_with(2).error;
        assert!(error.contains("--save"), "{name}: {error}");
    }
    let save = ["query", "DB", "--type", "user.*", "--save", "mine"];
    place.run(&save, b"").done();
    let other = ["query", "DB", "--type", "admin.*", "--save", "mine"];
    let error = place.run(&other, b"").ends_with(2).error;
    assert!(
        error.contains("--save mine") && error.contains("--replace"),
        "{error}"
    );
    assert_eq!(found(&place, &["--query", "mine"]), "1256");
    place
        .run(&[&other[..], &["--replace"]].concat(), b"")
        .done();
    assert_eq!(found(&place, &["--query", "mine"]), "347");
    // A filter that does not work out is not saved.
    place
        .run(&["query", "DB", "--type", "a,!a", "--save", "never"], b"")
        .ends_with(2);
    assert!(!place.path("store/queries/never.query").exists());
    let path = place.path("store/queries/mine.query");
    let whole = std::fs::read_to_string(&path).expect("the file");
    std::fs::write(&path, whole.replace("admin", "adman")).expect("written");
    let error = place
        .run(&["query", "DB", "--query", "mine"], b"")
        .ends_with(1)
        .error;
    assert!(
        error.contains("mine.query") && error.contains("checksum"),
        "{error}"
    );
    let found = place.run(&["verify", "DB"], b"").ends_with(1);
    assert!(
        format!("{}{}", found.error, String::from_utf8_lossy(&found.out)).contains("mine.query")
    );
    place
        .run(&["queries", "DB", "--remove", "mine"], b"")
        .done();
    place.run(&["verify", "DB"], b"").done();
}
