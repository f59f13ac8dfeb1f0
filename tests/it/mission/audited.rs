//! The trail tells of itself: who exported what, and what came of it.

use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use auditdb::Options;
use auditdb::Store;
use serde_json::Value;

use crate::cli::Place;
use crate::cli::files;
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

/// Waits for the writer to take over what was left for it.
fn adopted(store: &Store, event_type: &str, count: usize) {
    let filter = auditdb::Filter::new().is(auditdb::FilterField::Type, event_type);
    let query = auditdb::Query {
        filter,
        ..Default::default()
    };
    let begun = Instant::now();
    while store.page(&query).expect("a page").events.len() < count {
        assert!(begun.elapsed() < Duration::from_secs(30), "{event_type}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Beside a running writer, exports, jobs and pages are recorded too, and once.
#[test]
fn mission_d24_what_is_done_beside_a_running_writer_is_recorded() {
    let place = Place::with_events(5);
    let open = || Store::open(place.path("store"), Options::default());
    let store = open().expect("a store");
    let export = ["export", "DB", "-f", "ndjson", "--require-audit"];
    let told = ["-o", "@out", "--report", "@told.json"];
    place.run(&[&export[..], &told].concat(), b"").done();
    let told = json(&String::from_utf8_lossy(&place.read("told.json")));
    assert_eq!(told["audited"], true);
    place.run(&["query", "DB", "--as", "u7"], b"").done();
    let job = place.json(&["jobs", "DB", "start", "-f", "csv", "--require-audit"]);
    assert_eq!(
        (&job["state"], &job["audited"]),
        (&"ready".into(), &true.into())
    );
    adopted(&store, "audit.exported", 2);
    adopted(&store, "audit.queried", 1);
    store.close().expect("closed");
    for (event_type, count) in [
        ("audit.export_started", 2),
        ("audit.exported", 2),
        ("audit.queried", 1),
    ] {
        assert_eq!(records(&place, event_type).len(), count, "{event_type}");
    }
    let ended = &records(&place, "audit.exported")[0];
    assert_eq!(ended["data"]["sha256"], told["sha256"]);
    place.run(&["verify", "DB"], b"").done();

    // What a writer that was killed did not take over, the next one does.
    let store = open().expect("a store");
    place.run(&["query", "DB", "--as", "u8"], b"").done();
    drop(store);
    open().expect("a store").close().expect("closed");
    assert_eq!(records(&place, "audit.queried").len(), 2);
    assert_eq!(files(&place.path("store/inbox")), Vec::<PathBuf>::new());
}

/// What lies in the inbox and is no record stops nobody, stays as it is, and is named.
#[test]
fn mission_d24_hostile_files_in_the_inbox_are_left_and_named() {
    let place = Place::with_events(5);
    let inbox = place.path("store/inbox");
    std::fs::create_dir(&inbox).expect("a folder");
    let hostile = [(1, "garbage"), (2, "empty"), (3, "huge"), (4, "link")].map(|(number, kind)| {
        let name = format!("{number:032x}.event");
        let path = inbox.join(&name);
        match kind {
            "link" => std::os::unix::fs::symlink("/dev/zero", &path).expect("a link"),
            "huge" => {
                let file = std::fs::File::create(&path).expect("a file");
                file.set_len(1 << 40).expect("its length");
            }
            "empty" => std::fs::write(&path, "").expect("a file"),
            _ => std::fs::write(&path, "garbage\n00000000\n").expect("a file"),
        }
        name
    });
    place.write("store/inbox/note.txt", "no record");
    place
        .run(&["append", "DB", "--type", "user.added"], b"")
        .done();
    assert_eq!(place.json(&["stats", "DB", "--json"])["inbox_records"], 4);
    let verified = place.run(&["verify", "DB"], b"").ends_with(1).text();
    for name in hostile {
        assert!(verified.contains(&name), "{name}: {verified}");
    }
    assert!(verified.contains("note.txt"), "{verified}");
    assert_eq!(files(&inbox).len(), 5);
}

/// What cannot be recorded is said, or refused where it has to be.
#[test]
fn mission_d24_what_is_not_recorded_is_said() {
    let place = Place::with_events(5);
    let _held = Store::open(place.path("store"), Options::default()).expect("a store");
    // A writer has the lock, and nothing can be left for it.
    place.write("store/inbox", "in the way");
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
    let refused = place.run(&required, b"").ends_with(1);
    assert!(
        refused.error.contains("--require-audit") && refused.error.contains("inbox"),
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

/// What happened: the page was shown, and then it turned out that it could not be recorded.
#[test]
fn mission_d25_nothing_is_shown_that_has_to_be_recorded_and_cannot_be() {
    let place = Place::with_events(20);
    let store = Store::open(place.path("store"), Options::default()).expect("opened");
    // Nothing can be left for the writer.
    let inbox = place.path("store/inbox");
    std::fs::remove_dir_all(&inbox).ok();
    std::fs::write(&inbox, "").expect("written");
    for shape in ["table", "json", "ndjson", "csv"] {
        let query = ["query", "DB", "-n", "5", "-o", shape, "--as", "u7"];
        let required = [&query[..], &["--require-audit"]].concat();
        let refused = place.run(&required, b"").ends_with(1);
        assert!(refused.out.is_empty(), "{shape}: {:?}", refused.out);
        let shown = place.run(&query, b"").done();
        assert!(!shown.out.is_empty() && shown.error.contains("not recorded"));
    }
    let refused = place.run(&["query", "DB", "--as", ""], b"").ends_with(2);
    assert!(refused.out.is_empty());
    store.close().expect("closed");
}
