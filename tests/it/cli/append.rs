//! One event by flags or as a line, its receipt, and how it is shown.

use super::Place;
use super::auditdb;
use super::json;
use super::lines;
use super::text;

#[test]
fn an_event_by_flags_is_shown_whole() {
    let place = Place::new();
    let receipt = json(&place.out(&[
        "append",
        "DB",
        "--type",
        "user.updated",
        "--subject",
        "user:u1",
        "--performer",
        "user:a1:b",
        "--change",
        "name=old:new",
        "--change",
        "team=:blue",
        "--meta",
        "ticket=4711",
        "--outcome",
        "success",
        "--ip",
        "203.0.113.9",
        "--data",
        r#"{"b":1.50,"a":"="}"#,
        "--key",
        "k1",
        "--occurred-at",
        "2026-05-17T10:00:00+02:00",
    ]));
    assert_eq!(
        (receipt["seq"].as_u64(), receipt["duplicate"].as_bool()),
        (Some(0), Some(false))
    );
    let id = text(&receipt, "/id");
    let line = place.out(&["show", "DB", id, "-o", "json"]);
    assert_eq!(line, place.out(&["export", "DB", "-f", "ndjson"]));
    for part in [
        r#""type":"user.updated","occurred_at":"2026-05-17T08:00:00.000000Z","offset":120,"#,
        r#""performer":{"kind":"user","id":"a1:b"}"#,
        r#""changes":[{"path":"name","before":"old","after":"new"},{"path":"team","after":"blue"}]"#,
        r#""key":"k1","data":{"b":1.50,"a":"="}}"#,
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    let shown = place.out(&["show", "DB", id]);
    let row = shown
        .lines()
        .find(|line| line.contains("name"))
        .unwrap_or_default();
    assert!(
        row.contains("\"old\"") && row.contains("\"new\""),
        "{shown}"
    );
    assert!(shown.contains("1.50"), "{shown}");
    place.run(&["show", "DB", "evt_nobody"], b"").ends_with(1);
}

#[test]
fn a_key_makes_appending_repeatable() {
    let place = Place::new();
    let append = |line: &str| place.run(&["append", "DB"], line.as_bytes());
    let line = r#"{"type":"a.b","key":"k","occurred_at":"2026-05-17T08:00:00Z"}"#;
    let first = json(&append(line).done().text());
    let again = json(&append(line).done().text());
    assert_eq!(again["duplicate"], true);
    assert_eq!(again["id"], first["id"]);
    append(&line.replace("a.b", "a.c")).ends_with(1);
    append("").ends_with(2);
    append("{}").ends_with(2);
    assert_eq!(place.json(&["stats", "DB", "--json"])["events"], 1);
}

/// It said only that nothing could be written, and whoever appended again had the event twice.
#[test]
#[cfg(target_os = "linux")]
fn a_receipt_that_cannot_be_written_is_of_an_event_that_is_stored() -> std::io::Result<()> {
    let place = Place::new();
    let full = std::fs::File::options().write(true).open("/dev/full")?;
    let ended = auditdb(&["append", &place.name("store"), "--type", "a.b"])
        .stdout(full)
        .output()?;
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    let id = told.split(' ').find(|word| word.starts_with("evt_"));
    let id = id.map(|word| word.trim_end_matches([',', ':']));
    let stored = place.json(&["query", &place.name("store"), "-o", "ndjson"]);
    assert_eq!(stored["id"].as_str(), id, "{told}");
    Ok(())
}

/// One event for the trails of several organisations, and what people call those whom it is about.
#[test]
fn mission_b6_copies_for_several_organisations_are_one_commit() {
    let place = Place::new();
    let append = [
        "append",
        "DB",
        "--type",
        "user.updated",
        "--subject",
        "user:u1",
        "--subject-label",
        "Ada",
        "--subject-external-ref",
        "hr-7",
        "--performer",
        "admin:a1",
        "--performer-label",
        "Eve",
        "--performer-org",
        "north",
        "--performer-email",
        "eve@north.example",
        "--performer-external-ref",
        "n-1",
        "--org",
        "north",
        "--org",
        "south",
        "--key",
        "k1",
    ];
    let receipts = lines(&place.out(&append));
    assert_eq!(receipts.len(), 2);
    assert_eq!(receipts[0]["recorded_at"], receipts[1]["recorded_at"]);
    let again = lines(&place.out(&append));
    assert!(again.iter().all(|receipt| receipt["duplicate"] == true));
    let told = lines(&place.out(&["query", "DB", "-o", "ndjson", "--org", "south"]));
    assert_eq!((told.len(), text(&told[0], "/subject/label")), (1, "Ada"));
    assert_eq!(text(&told[0], "/subject/external_ref"), "hr-7");
    assert_eq!(text(&told[0], "/performer/email"), "eve@north.example");
    assert_eq!(text(&told[0], "/performer/external_ref"), "n-1");
    assert_eq!(told[0]["batch"], told[0]["correlation"]);
    let shown = place.out(&["query", "DB", "-o", "ndjson", "--view", "south"]);
    assert!(
        shown.contains("External Org User") && !shown.contains("Eve"),
        "{shown}"
    );
    let lonely = ["append", "DB", "--type", "a.b", "--subject-label", "Ada"];
    place.run(&lonely, b"").ends_with(2);
}
