//! Rows D2 and D5: filters that are saved by name, asked again, narrowed, listed and removed.

use auditdb::ErrorKind;
use auditdb::Options;
use auditdb::SavedQueries;
use auditdb::SavedQuery;
use auditdb::Store;

use super::trail::found;
use super::trail::keys;
use super::trail::place;
use super::trail::refused;
use crate::cli::Place;
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

/// What happened: of several processes that saved one name at once, one was told that it had, and
/// another's words were there; a writer that opened the store in that moment made a save fail.
#[test]
fn mission_d2_what_is_said_to_be_saved_is_what_is_there() {
    let place = Place::with_events(1);
    let path = place.path("store");
    let save = |name: &str, number: usize| {
        let query = SavedQuery {
            flags: vec![("type".to_owned(), format!("t{number}"))],
            zone: "UTC".to_owned(),
        };
        let saved = SavedQueries::open(&path).expect("a store");
        match saved.save(name, &query, false) {
            Ok(()) => Some(number),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
                None
            }
        }
    };
    for round in 0..40 {
        let name = format!("q{round}");
        let saved: Vec<usize> = std::thread::scope(|scope| {
            let (name, save) = (&name, &save);
            scope.spawn(|| {
                let store = Store::open(&path, Options::default());
                store.and_then(Store::close).expect("opened");
            });
            let savers = [0, 1, 2].map(|number| scope.spawn(move || save(name, number)));
            let saved = savers.map(|saver| saver.join().expect("a thread"));
            saved.into_iter().flatten().collect()
        });
        let [number] = saved.as_slice() else {
            panic!("one of three: {saved:?}");
        };
        let there = SavedQueries::open(&path).and_then(|saved| saved.get(&name));
        assert_eq!(there.expect("saved").flags[0].1, format!("t{number}"));
    }
}

/// What happened: a filter was kept, and then its cursor or the name of who asks was refused.
#[test]
fn mission_d2_a_query_that_is_refused_is_not_saved() {
    let place = Place::with_events(3);
    for words in [["--cursor", "zzz"], ["--as", ""]] {
        let save = [&["query", "DB", "--save", "never"][..], &words].concat();
        place.run(&save, b"").ends_with(2);
        let kept = place.path("store/queries/never.query");
        assert!(!kept.exists(), "{words:?}");
    }
}
