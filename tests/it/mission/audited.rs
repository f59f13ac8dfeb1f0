//! The trail tells of itself: who exported what, and what came of it.

use serde_json::Value;

use crate::cli::Place;
use crate::cli::json;
use crate::cli::lines;
use crate::cli::text;

fn records(place: &Place, event_type: &str) -> Vec<Value> {
    let words = [
        "query",
        "DB",
        "-o",
        "ndjson",
        "--oldest-first",
        "--type",
        event_type,
    ];
    lines(&place.out(&words))
}

#[test]
fn mission_d24_an_export_is_recorded_from_its_beginning_to_its_end() {
    let place = Place::with_events(20);
    let export = [
        "export",
        "DB",
        "-f",
        "csv",
        "--type",
        "session.*",
        "--oldest-first",
        "-o",
        "@out.csv",
        "--report",
        "@told.json",
        "--as",
        "admin:a1",
    ];
    place.run(&export, b"").done();
    let told = json(&String::from_utf8_lossy(&place.read("told.json")));
    assert_eq!(told["audited"], true);
    let (began, ended) = (
        records(&place, "audit.export_started"),
        records(&place, "audit.exported"),
    );
    assert_eq!((began.len(), ended.len()), (1, 1));
    let ended = &ended[0];
    assert_eq!(text(ended, "/performer/kind"), "admin");
    assert_eq!(text(ended, "/performer/id"), "a1");
    assert_eq!(text(ended, "/outcome"), "success");
    assert_eq!(began[0]["subject"], ended["subject"]);
    assert!(text(ended, "/subject/id").starts_with("exp_"));
    let data = &ended["data"];
    for (key, value) in [
        ("rows", &told["rows"]),
        ("bytes", &told["bytes"]),
        ("sha256", &told["sha256"]),
        ("complete", &told["complete"]),
        ("snapshot_seq", &Value::from(20)),
        ("order", &Value::from("oldest_first")),
        ("format", &Value::from("csv")),
        ("layout", &Value::from("native")),
        ("filter", &Value::from("type begins with \"session.\"")),
    ] {
        assert_eq!(&data[key], value, "{key}");
    }
    // The snapshot was taken before: the export holds none of its records.
    assert_eq!(told["snapshot_seq"], 20);

    // Without a word the store is only read.
    place.run(&["export", "DB", "-f", "ndjson"], b"").done();
    assert_eq!(records(&place, "audit.*").len(), 2);
    // The types are known to the built-in packs.
    let lint = place.out(&["types", "DB", "-o", "json"]);
    assert!(lint.contains("audit.exported"), "{lint}");
}

#[test]
fn mission_d24_an_export_that_fails_is_recorded_too() {
    let place = Place::with_events(20);
    let export = [
        "export",
        "DB",
        "-f",
        "csv",
        "--as",
        "u7",
        "--rows-per-file",
        "5",
        "-o",
        "@out.csv",
    ];
    place.run(&export, b"").done();
    place.run(&export, b"").ends_with(2);
    let failed = records(&place, "audit.export_failed");
    assert_eq!(failed.len(), 1);
    assert_eq!(text(&failed[0], "/performer/kind"), "user");
    assert!(text(&failed[0], "/reason").contains("--output"));
}

/// What cannot be recorded is said, or refused where it has to be.
#[test]
fn mission_d24_what_is_not_recorded_is_said() {
    let place = Place::with_events(5);
    let _held =
        auditdb::Store::open(place.path("store"), auditdb::Options::default()).expect("a store");
    let export = [
        "export",
        "DB",
        "-f",
        "ndjson",
        "--as",
        "u7",
        "--report",
        "@told.json",
    ];
    let ended = place.run(&export, b"").done();
    assert!(ended.error.contains("not recorded"), "{}", ended.error);
    let told = json(&String::from_utf8_lossy(&place.read("told.json")));
    assert_eq!(told["audited"], false);
    let required = [
        "export",
        "DB",
        "-f",
        "ndjson",
        "--require-audit",
        "-o",
        "@out",
    ];
    let refused = place.run(&required, b"").ends_with(4);
    assert!(
        refused.error.contains("--require-audit"),
        "{}",
        refused.error
    );
    assert!(!place.path("out").exists());
}

/// Without a name given it is the operating system's user.
#[test]
fn mission_d24_somebody_is_always_named() {
    let place = Place::with_events(5);
    place
        .run(&["export", "DB", "-f", "ndjson", "--require-audit"], b"")
        .done();
    let ended = records(&place, "audit.exported");
    assert_eq!(text(&ended[0], "/performer/kind"), "system");
    assert!(!text(&ended[0], "/performer/id").is_empty());
    for word in ["", ":", "user:", ":u7"] {
        let refused = place.run(&["export", "DB", "-f", "ndjson", "--as", word], b"");
        assert!(refused.ends_with(2).error.contains("--as"));
    }
}

/// Reading is recorded where that is asked for, and nothing of it where it is not.
#[test]
fn mission_d25_who_saw_the_trail_is_recorded_by_option() {
    let place = Place::with_events(20);
    place.out(&["query", "DB", "-n", "5", "-o", "json"]);
    assert_eq!(records(&place, "audit.*").len(), 0);
    place.out(&[
        "query",
        "DB",
        "-n",
        "5",
        "--type",
        "session.*",
        "--as",
        "auditor:x",
    ]);
    let seen = records(&place, "audit.queried");
    assert_eq!(seen.len(), 1);
    assert_eq!(text(&seen[0], "/performer/id"), "x");
    assert_eq!(seen[0]["data"]["snapshot_seq"], 20);
    assert_eq!(
        text(&seen[0], "/data/filter"),
        "type begins with \"session.\""
    );
    assert!(
        seen[0]["data"]["rows"]
            .as_u64()
            .is_some_and(|rows| rows <= 5)
    );
}
