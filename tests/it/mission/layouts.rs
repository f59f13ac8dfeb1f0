//! What exports look like: the columns and keys that readers rely on, and the words for people.
//! `tests/golden/layouts/` has what each version wrote of the golden events; later versions may add
//! to it, and take nothing away.

use auditdb::Audience;
use auditdb::Event;
use auditdb::Export;
use auditdb::Format;
use auditdb::Layout;
use auditdb::LocalZone;
use auditdb::Performer;
use auditdb::StoredEvent;
use auditdb::Subject;

/// What version 1 wrote.
const VERSION_1: [(Format, Layout, &str); 5] = [
    (
        Format::Csv,
        Layout::Native,
        include_str!("../../golden/layouts/v1/native.csv"),
    ),
    (
        Format::Csv,
        Layout::Entries,
        include_str!("../../golden/layouts/v1/entries.csv"),
    ),
    (
        Format::Csv,
        Layout::Trail,
        include_str!("../../golden/layouts/v1/trail.csv"),
    ),
    (
        Format::Csv,
        Layout::Sentinel,
        include_str!("../../golden/layouts/v1/sentinel.csv"),
    ),
    (
        Format::Ndjson,
        Layout::Entries,
        include_str!("../../golden/layouts/v1/entries.ndjson"),
    ),
];

fn golden() -> Vec<StoredEvent> {
    let lines = include_str!("../../golden/canonical.ndjson").lines();
    let events = lines.map(|line| serde_json::from_str(line).expect("a golden line"));
    events.collect()
}

fn written(export: &Export, events: &[StoredEvent]) -> String {
    let mut bytes = Vec::new();
    export.begin(&mut bytes);
    for (number, event) in events.iter().enumerate() {
        export.event(event, number == 0, &mut bytes);
    }
    export.end(&mut bytes);
    String::from_utf8(bytes).expect("UTF-8")
}

/// The records of a CSV file, the headings first.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.has_headers(false).from_reader(text.as_bytes());
    let records = reader.records().map(|record| record.expect("CSV"));
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

/// The cells under `heading`.
fn column(records: &[Vec<String>], heading: &str) -> Vec<String> {
    let place = records[0].iter().position(|name| name == heading);
    let place = place.unwrap_or_else(|| panic!("no column {heading}"));
    records[1..]
        .iter()
        .map(|cells| cells[place].clone())
        .collect()
}

#[test]
fn mission_d30_columns_and_keys_of_former_versions_stay_as_they_were() {
    for (format, layout, former) in VERSION_1 {
        let export = Export {
            format,
            layout,
            ..Export::default()
        };
        let now = written(&export, &golden());
        if format == Format::Csv {
            let (former, now) = (records(former), records(&now));
            assert_eq!(former.len(), now.len());
            let fixed: Vec<&String> = former[0]
                .iter()
                .filter(|name| !name.ends_with("_fields"))
                .collect();
            assert!(
                now[0]
                    .iter()
                    .zip(&fixed)
                    .all(|(now, former)| now == *former),
                "in their order"
            );
            for heading in &former[0] {
                assert_eq!(
                    column(&now, heading),
                    column(&former, heading),
                    "{layout:?}: {heading}"
                );
            }
        } else {
            for (former, now) in former.lines().zip(now.lines()) {
                let head = former.strip_suffix('}').expect("an object");
                assert!(now.starts_with(head), "{now}");
            }
            assert_eq!(former.lines().count(), now.lines().count());
        }
    }
}

#[test]
fn mission_d8_an_entry_begins_with_the_nine_columns_that_its_readers_know() {
    let export = Export {
        format: Format::Csv,
        layout: Layout::Entries,
        ..Export::default()
    };
    let header = written(&export, &[]);
    let known = "id,type,occurred_at,actor_kind,actor_id,target_kind,target_id,outcome,context_ip,";
    assert!(header.starts_with(known), "{header}");
}

#[test]
fn mission_d9_an_entry_line_begins_with_the_eight_keys_that_its_readers_know() {
    let event = signed_in();
    let export = Export {
        layout: Layout::Entries,
        ..Export::default()
    };
    assert_eq!(
        written(&export, &[event]),
        concat!(
            r#"{"id":"evt_01HZ","type":"user.signed_in","occurred_at":"2026-05-17T08:00:00.000000Z","#,
            r#""actor":{"kind":"user","id":"usr_01HZX"},"target":{"kind":"session","id":"ses_01HZY"},"#,
            r#""outcome":"success","data":{"a":1.50},"context":{"ip":"203.0.113.45"},"#,
            r#""seq":7,"recorded_at":"2026-05-17T08:00:01.000000Z","schema_version":1}"#,
            "\n"
        )
    );
}

/// The event of the page that describes entries.
fn signed_in() -> StoredEvent {
    let line = r#"{"id":"evt_01KRTF5Z000000000000000007","seq":7,"type":"user.signed_in","occurred_at":"2026-05-17T08:00:00.000000Z","recorded_at":"2026-05-17T08:00:01.000000Z","performer":{"kind":"user","id":"usr_01HZX"},"subject":{"kind":"session","id":"ses_01HZY"},"outcome":"success","context":{"ip":"203.0.113.45"},"origin":{"id":"evt_01HZ"},"data":{"a":1.50}}"#;
    serde_json::from_str(line).expect("a native line")
}

/// An event of this store with what `event` says.
fn stored(event: Event) -> StoredEvent {
    let mut stored = signed_in();
    let occurred_at = stored.event.occurred_at;
    stored.event = Event {
        occurred_at,
        ..event
    };
    stored
}

fn trail() -> Export {
    Export {
        format: Format::Csv,
        layout: Layout::Trail,
        ..Export::default()
    }
}

#[test]
fn mission_c1_the_trail_begins_with_the_four_columns_that_people_know() {
    let records = records(&written(&trail(), &[signed_in()]));
    let known = ["Date and Time", "Subject", "Event", "Performed By"];
    assert_eq!(records[0][..4], known);
    let shown = [
        "2026-05-17T08:00:00.000000Z",
        "Unknown Session with id ses_01HZY",
        "user.signed_in",
        "Unknown User with id usr_01HZX",
    ];
    assert_eq!(records[1][..4], shown);
}

#[test]
fn mission_b10_the_trail_tells_several_changes_as_such_and_has_all_of_them() {
    let updated = Event::new("user.updated")
        .subject(Subject::new("user").id("u1").label("Ada"))
        .performer(Performer::new("admin").id("a1").label("Grace"));
    let one = updated
        .change("name", "\"Ada\"", "\"Ada L.\"")
        .expect("JSON");
    let two = one.clone().change("admin", "false", "true").expect("JSON");
    let records = records(&written(&trail(), &[stored(one), stored(two)]));
    assert_eq!(records[1][1..4], ["Ada", "Update User", "Grace"]);
    let details = column(&records, "Details");
    assert_eq!(
        details,
        [r#"name: "Ada" → "Ada L.""#, "Multiple Attributes Updated"]
    );
    let changes = column(&records, "Changes (JSON)");
    assert_eq!(
        changes[1],
        r#"[{"path":"name","before":"Ada","after":"Ada L."},{"path":"admin","before":false,"after":true}]"#
    );
}

#[test]
fn mission_b15_a_zone_changes_what_is_shown_and_keeps_utc_beside_it() {
    let audience = Audience {
        zone: LocalZone::new("Asia/Kolkata", |_| 19_800),
        ..Audience::default()
    };
    for (layout, local, utc) in [
        (Layout::Trail, "Date and Time", "Date and Time (UTC)"),
        (Layout::Sentinel, "Date and Time", "Date and Time (UTC)"),
        (Layout::Entries, "occurred_at_local", "occurred_at"),
        (Layout::Native, "occurred_at_local", "occurred_at"),
    ] {
        let export = Export {
            layout,
            audience: audience.clone(),
            ..trail()
        };
        let records = records(&written(&export, &[signed_in()]));
        assert_eq!(
            column(&records, local),
            ["2026-05-17T13:30:00.000000+05:30"]
        );
        assert_eq!(column(&records, utc), ["2026-05-17T08:00:00.000000Z"]);
    }
}

#[test]
fn mission_a23_every_layout_tells_microseconds() {
    let mut event = signed_in();
    event.occurred_at = "2026-05-17T08:00:00.000001Z".parse().expect("a time");
    for (format, layout, _) in VERSION_1 {
        let export = Export {
            format,
            layout,
            ..Export::default()
        };
        let text = written(&export, std::slice::from_ref(&event));
        assert!(text.contains("2026-05-17T08:00:00.000001Z"), "{text}");
    }
}

#[test]
fn mission_e13_the_sentinel_layout_has_a_column_for_each_documented_key() {
    let keys = [
        ("Entity ID", "entity_id"),
        ("Assessment ID", "assessment_id"),
        ("Task ID", "task_id"),
        ("Workflow Instance ID", "workflow_instance_id"),
        ("Screening Application ID", "screening_application_id"),
        ("Screening Config ID", "screening_config_id"),
        ("Match ID", "match_id"),
        ("Inquiry ID", "inquiry_id"),
        ("Tag", "tag"),
        ("Cache ID", "cache_id"),
        ("Workflow Step", "workflow_step"),
    ];
    let mut event = Event::new("assessment");
    for (_, key) in keys {
        event = event.metadata(key, format!("of {key}"));
    }
    let export = Export {
        layout: Layout::Sentinel,
        ..trail()
    };
    let records = records(&written(&export, &[stored(event)]));
    for (heading, key) in keys {
        assert_eq!(column(&records, heading), [format!("of {key}")]);
    }
}

#[cfg(feature = "cli")]
mod by_the_command {
    use super::column;
    use super::records;
    use crate::cli::Place;

    const EVENT: &str = r#"{"type":"user.updated","occurred_at":"2026-07-01T10:00:00.25Z","performer":{"kind":"admin","id":"a1","label":"Grace"},"subject":{"kind":"form","id":"536"}}"#;

    fn place() -> Place {
        let place = Place::new();
        place.run(&["append", "DB"], EVENT.as_bytes()).done();
        place
    }

    #[test]
    fn mission_e17_tz_tells_times_by_iana_name_and_utc_beside_them() {
        let place = place();
        let words = [
            "export",
            "DB",
            "-f",
            "csv",
            "--tz",
            "Europe/Berlin",
            "--layout",
        ];
        for (layout, local, utc) in [
            ("trail", "Date and Time", "Date and Time (UTC)"),
            ("sentinel", "Date and Time", "Date and Time (UTC)"),
            ("entries", "occurred_at_local", "occurred_at"),
            ("native", "occurred_at_local", "occurred_at"),
        ] {
            let records = records(&place.out(&[&words[..], &[layout]].concat()));
            assert_eq!(
                column(&records, local),
                ["2026-07-01T12:00:00.250000+02:00"]
            );
            assert_eq!(column(&records, utc), ["2026-07-01T10:00:00.250000Z"]);
        }
        let nowhere = ["export", "DB", "-f", "csv", "--tz", "Europe/Atlantis"];
        let error = place.run(&nowhere, b"").ends_with(2).error;
        assert!(
            error.contains("--tz") && error.contains("Europe/Berlin"),
            "{error}"
        );
    }

    #[test]
    fn mission_c2_c3_c4_the_trail_names_subject_event_and_performer() {
        let place = place();
        let text = place.out(&["export", "DB", "-f", "csv", "--layout", "trail"]);
        let records = records(&text);
        let known = ["Date and Time", "Subject", "Event", "Performed By"];
        assert_eq!(records[0][..4], known);
        let shown = [
            "2026-07-01T10:00:00.250000Z",
            "Unknown Form with id 536",
            "Update User",
            "Grace",
        ];
        assert_eq!(records[1][..4], shown);
    }

    #[test]
    fn mission_d3_pairs_of_format_and_layout_that_do_not_exist_are_refused_and_listed() {
        let place = place();
        for (format, layout) in [
            ("json", "entries"),
            ("ndjson", "trail"),
            ("json", "trail"),
            ("ndjson", "sentinel"),
            ("json", "sentinel"),
        ] {
            let words = ["export", "DB", "-f", format, "--layout", layout];
            let error = place.run(&words, b"").ends_with(2).error;
            assert!(error.contains("--layout"), "{error}");
            for pair in [
                "csv+native",
                "csv+trail",
                "csv+sentinel",
                "ndjson+entries",
                "json+native",
            ] {
                assert!(error.contains(pair), "{error}");
            }
        }
    }
}
