//! A small trail that the rows about filters and pages are shown on: each event has a key, and a
//! question is answered by keys.

use crate::cli::Place;
use crate::cli::lines;
use crate::cli::text;

/// Nine events, oldest first. The first two share a millisecond, the last two a microsecond.
const TRAIL: &str = r#"{"key":"k1","type":"user.updated","sub_type":"created","occurred_at":"2026-04-10T00:00:00.000000Z","performer":{"kind":"admin","id":"a1"},"subject":{"kind":"user","id":"u1"},"outcome":"success","source":"assessment_service","org":"o1","context":{"ip":"10.1.2.3"},"metadata":{"entity_id":"e1","tag":"t1"}}
{"key":"k2","type":"user.updated","sub_type":"updated","occurred_at":"2026-04-10T00:00:00.000500Z","performer":{"kind":"admin","id":"a2"},"subject":{"kind":"user","id":"u2"},"outcome":"denied","source":"task_platform","org":"o2","context":{"ip":"10.9.9.9"},"metadata":{"entity_id":"e1","tag":"t2"}}
{"key":"k3","type":"admin.role.added","sub_type":"created","occurred_at":"2026-04-10T23:59:59.999999Z","performer":{"kind":"admin","id":"a1"},"on_behalf_of":{"kind":"user","id":"u7"},"subject":{"kind":"role","id":"r1"},"targets":[{"kind":"user","id":"u1"}],"outcome":"failure","metadata":{"entity_id":"e2"}}
{"key":"k4","type":"admin.login","occurred_at":"2026-05-17T08:00:00.000000Z","performer":{"kind":"system"},"subject":{"kind":"group","id":"g1"}}
{"key":"k5","type":"user.removed","occurred_at":"2026-06-30T21:30:00.000000Z","performer":{"kind":"admin","id":"gone"},"subject":{"kind":"user","id":"u3","label":"Ada"},"context":{"ip":"2001:db8::1"}}
{"key":"k6","type":"user.disabled","occurred_at":"2026-06-30T22:30:00.000000Z","performer":{"kind":"admin","id":"gone"},"subject":{"kind":"user","id":"u4"}}
{"key":"k7","type":"admin.login","occurred_at":"2026-07-01T00:00:00.000000Z","performer":{"kind":"admin","id":"x9","org":"elsewhere"},"outcome":"success"}
{"key":"k8","type":"session.login","occurred_at":"2026-07-02T00:00:00.000000Z","performer":{"kind":"user","id":"u1"}}
{"key":"k9","type":"session.login","occurred_at":"2026-07-02T00:00:00.000000Z","performer":{"kind":"user","id":"u2"}}
"#;

/// A place with the trail in its store.
pub(super) fn place() -> Place {
    let place = Place::new();
    place
        .run(
            &["import", "DB", "--format", "native", "-"],
            TRAIL.as_bytes(),
        )
        .done();
    place
}

/// The digits of the keys that a question finds, oldest first.
#[track_caller]
pub(super) fn found(place: &Place, filter: &[&str]) -> String {
    let words = [&["query", "DB", "-o", "ndjson", "--oldest-first"], filter].concat();
    keys(&place.out(&words))
}

/// The digits of the keys of these lines.
pub(super) fn keys(ndjson: &str) -> String {
    lines(ndjson)
        .iter()
        .map(|event| text(event, "/key").trim_start_matches('k'))
        .collect()
}

/// What a question that has to be refused says, by every command that takes filters; nothing else
/// is printed.
#[track_caller]
pub(super) fn refused(place: &Place, filter: &[&str]) -> String {
    let commands: [&[&str]; 4] = [
        &["query", "DB"],
        &["export", "DB", "-f", "csv"],
        &["facets", "DB", "type"],
        &["follow", "DB"],
    ];
    let mut error = String::new();
    for command in commands {
        let ended = place.run(&[command, filter].concat(), b"").ends_with(2);
        assert!(ended.out.is_empty(), "{command:?} printed");
        error = ended.error;
    }
    error
}
