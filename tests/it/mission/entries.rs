//! What readers of exported audit entries rely on, row by row of the page that describes them.

use crate::cli::Place;
use crate::cli::lines;
use crate::cli::text;

const ENTRY: &str = r#"{"id":"evt_01HZABC","type":"user.signed_in","occurred_at":"2026-05-17T08:00:00Z","actor":{"kind":"user","id":"usr_01HZX","label":"Ada","email":"ada@example.org"},"target":{"kind":"session","id":"ses_01HZY","label":"laptop"},"outcome":"success","data":{"nested":{"b":1.50,"a":["x\ny"]}},"context":{"ip":"203.0.113.45","user_agent":"curl/8","fingerprint":"f1","geo":"AT","request_id":"r1"}}"#;

fn place() -> Place {
    let place = Place::new();
    place.run(&["import", "DB", "-"], ENTRY.as_bytes()).done();
    place
}

/// The cell of the only record under `heading`.
fn cell(csv: &str, heading: &str) -> String {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let mut records = reader.deserialize::<std::collections::HashMap<String, String>>();
    let record = records.next().and_then(Result::ok).expect("a record");
    record
        .get(heading)
        .cloned()
        .unwrap_or_else(|| panic!("no {heading}"))
}

fn csv_of(place: &Place) -> String {
    place.out(&["export", "DB", "-f", "csv", "--layout", "entries"])
}

#[test]
fn mission_d7_an_export_has_the_events_of_the_page_in_its_order() {
    let place = Place::with_events(40);
    let ids = |text: &str| -> Vec<String> {
        lines(text)
            .iter()
            .map(|event| self::text(event, "/id").to_owned())
            .collect()
    };
    let filter = ["--type", "session.*", "--since", "2000-01-01"];
    let page = place.out(&[&["query", "DB", "-n", "100", "-o", "ndjson"][..], &filter].concat());
    let export = place.out(&[&["export", "DB", "-f", "ndjson"][..], &filter].concat());
    assert_eq!(ids(&page), ids(&export));
    assert_eq!(page, export);
}

#[test]
fn mission_d10_d26_ids_are_kept_verbatim_and_times_have_six_digits() {
    let place = place();
    for _ in 0..2 {
        let csv = csv_of(&place);
        assert_eq!(cell(&csv, "id"), "evt_01HZABC");
        assert_eq!(cell(&csv, "actor_id"), "usr_01HZX");
        assert_eq!(cell(&csv, "target_id"), "ses_01HZY");
        assert_eq!(cell(&csv, "occurred_at"), "2026-05-17T08:00:00.000000Z");
    }
}

#[test]
fn mission_d12_d27_d29_labels_and_context_have_columns() {
    let csv = csv_of(&place());
    for (heading, value) in [
        ("actor_kind", "user"),
        ("actor_label", "Ada"),
        ("actor_email", "ada@example.org"),
        ("target_kind", "session"),
        ("target_label", "laptop"),
        ("context_ip", "203.0.113.45"),
        ("context_user_agent", "curl/8"),
        ("context_fingerprint", "f1"),
        ("context_geo", "AT"),
        ("context_request_id", "r1"),
    ] {
        assert_eq!(cell(&csv, heading), value, "{heading}");
    }
}

#[test]
fn mission_d14_nested_data_is_one_cell_of_one_physical_line() {
    let csv = csv_of(&place());
    assert_eq!(
        cell(&csv, "data_json"),
        r#"{"nested":{"b":1.50,"a":["x\ny"]}}"#
    );
    assert_eq!(csv.lines().count(), 2, "grep finds the whole record");
}

#[test]
fn mission_d28_every_outcome_is_told_by_its_word() {
    let place = Place::new();
    for outcome in ["success", "failure", "denied", "partial"] {
        let event = format!(r#"{{"type":"a.b","outcome":"{outcome}"}}"#);
        place.run(&["append", "DB"], event.as_bytes()).done();
        let words = [
            "export",
            "DB",
            "-f",
            "csv",
            "--layout",
            "entries",
            "--outcome",
            outcome,
        ];
        assert_eq!(cell(&place.out(&words), "outcome"), outcome);
    }
}

#[test]
fn mission_d31_further_targets_are_exported_and_found() {
    let place = Place::new();
    let event = r#"{"type":"a.b","subject":{"kind":"role","id":"r1"},"targets":[{"kind":"user","id":"u1"},{"kind":"user","id":"u2"}]}"#;
    place.run(&["append", "DB"], event.as_bytes()).done();
    for target in ["role:r1", "user:u1", "user:u2"] {
        let words = [
            "export", "DB", "-f", "csv", "--layout", "entries", "--target", target,
        ];
        let csv = place.out(&words);
        assert_eq!(
            cell(&csv, "target_id"),
            "r1",
            "the first target is the subject"
        );
        let further = r#"[{"kind":"user","id":"u1"},{"kind":"user","id":"u2"}]"#;
        assert_eq!(cell(&csv, "targets_json"), further);
    }
}
