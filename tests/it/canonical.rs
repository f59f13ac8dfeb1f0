//! The canonical line (docs/format/canonical.md) through a real store: byte for byte what the golden
//! file says, the same from memory, from segments and after a reopen, and its rules one by one.
//! The golden lines were written by hand from the page, not by the code under test.

mod arbitrary;
mod bounds;

use auditdb::ErrorKind;
use auditdb::Event;
use auditdb::Options;
use auditdb::Order;
use auditdb::Query;
use auditdb::ReadMode;
use auditdb::Snapshot;
use auditdb::Store;
use auditdb::StoredEvent;
use serde_json::value::RawValue;

use crate::support::folder;

const INPUT: &str = include_str!("../golden/canonical-input.ndjson");
const GOLDEN: &str = include_str!("../golden/canonical.ndjson");

/// The moment that stands in the golden file for the one at which the test ran.
const RECORDED: &str = "2026-05-17T08:00:00.000000Z";

/// One line of the input file.
#[derive(serde::Deserialize)]
struct Case<'a> {
    about: String,
    #[serde(borrow)]
    event: &'a RawValue,
}

fn cases() -> Vec<Case<'static>> {
    let case = |line| serde_json::from_str(line).expect("a case of the input file");
    INPUT.lines().map(case).collect()
}

fn event(line: &str) -> Event {
    Event::from_native_line(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn store(folder: &std::path::Path) -> Store {
    Store::open(folder, Options::default()).expect("a store")
}

/// The line with its key of the store's clock set to [`RECORDED`]. The first match is the key
/// itself: inside a text its quotation marks would be escaped, and `origin` comes later.
fn settled(line: &str) -> String {
    let (head, tail) = line
        .split_once(",\"recorded_at\":\"")
        .expect("a recording time");
    format!(
        "{head},\"recorded_at\":\"{RECORDED}{}",
        &tail[RECORDED.len()..]
    )
}

/// Every canonical line of the snapshot in commit order. Each is also what serde makes of the
/// event that the scan gives, and reads back as that event.
fn lines(snapshot: &Snapshot) -> Vec<String> {
    let query = Query {
        order: Order::OldestFirst,
        ..Query::default()
    };
    let mut scan = snapshot.scan(&query).expect("a scan");
    let mut events = snapshot.scan(&query).expect("a scan");
    let mut lines = Vec::new();
    let mut out = Vec::new();
    while scan.next_line(&mut out).expect("a line") {
        let line = String::from_utf8(std::mem::take(&mut out)).expect("UTF-8");
        let line = line.strip_suffix('\n').expect("a line end").to_owned();
        let stored = events.next().expect("as many events").expect("an event");
        assert_eq!(serde_json::to_string(&stored).expect("a line"), line);
        let read: StoredEvent = serde_json::from_str(&line).expect("a stored event");
        assert_eq!(read, stored, "{line}");
        lines.push((stored.seq, line));
    }
    assert!(events.next().is_none());
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

#[test]
fn mission_d26_canonical_lines_are_byte_stable() {
    let cases = cases();
    let golden: Vec<&str> = GOLDEN.lines().collect();
    assert!(golden.len() >= 30);
    assert_eq!(cases.len(), golden.len());
    assert!(GOLDEN.ends_with('\n') && !GOLDEN.contains('\r'));
    let compare = |when: &str, snapshot: &Snapshot| {
        let lines = lines(snapshot);
        assert_eq!(lines.len(), golden.len(), "{when}");
        for ((line, golden), case) in lines.iter().zip(&golden).zip(&cases) {
            assert_eq!(settled(line), *golden, "{when}: {}", case.about);
        }
    };
    let folder = folder();
    let first = store(folder.path());
    for case in &cases {
        first
            .append(&event(case.event.get()))
            .unwrap_or_else(|error| panic!("{}: {error}", case.about));
    }
    compare("from memory", &first.snapshot());
    first.flush().expect("a flush");
    compare("from segments", &first.snapshot());
    first.close().expect("a clean end");
    for read_mode in [ReadMode::Mapped, ReadMode::Positional] {
        let options = Options {
            read_mode,
            ..Options::default()
        };
        let again = Store::open(folder.path(), options).expect("a reopen");
        compare("after a reopen", &again.snapshot());
        again.close().expect("a clean end");
    }
}

#[test]
fn mission_d26_a_line_read_again_is_the_same_line() {
    let input: Vec<Event> = GOLDEN.lines().map(event).collect();
    let folder = folder();
    let store = store(folder.path());
    for (event, line) in input.iter().zip(GOLDEN.lines()) {
        let stored: StoredEvent = serde_json::from_str(line).expect("a stored event");
        assert_eq!(serde_json::to_string(&stored).expect("a line"), line);
        let as_application = Event {
            origin: stored.event.origin.clone(),
            ..event.clone()
        };
        assert_eq!(as_application, stored.event);
        store.append(event).expect("an append");
    }
    for (line, golden) in lines(&store.snapshot()).iter().zip(GOLDEN.lines()) {
        assert_eq!(members(line, &STORE_SET), members(golden, &STORE_SET));
    }
}

/// What another store sets anew.
const STORE_SET: [&str; 4] = ["id", "seq", "recorded_at", "origin"];

/// The members of an object in order, each with its bytes, without those called `but`.
fn members(line: &str, but: &[&str]) -> Vec<(String, String)> {
    struct Members(Vec<(String, String)>);
    impl<'de> serde::Deserialize<'de> for Members {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Members, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Members;

                fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    out.write_str("an object")
                }

                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Members, A::Error> {
                    let mut members = Vec::new();
                    while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                        members.push((key, value.get().to_owned()));
                    }
                    Ok(Members(members))
                }
            }
            from.deserialize_map(Visitor)
        }
    }
    let mut members: Members = serde_json::from_str(line).expect("an object");
    members.0.retain(|(key, _)| !but.contains(&key.as_str()));
    members.0
}

/// Each optional field, and what it can be beside a value.
const STATES: [(&str, &[&str]); 17] = [
    ("sub_type", &["null", "\"\""]),
    ("offset", &["null", "0"]),
    ("org", &["null", "\"\""]),
    (
        "performer",
        &[
            "null",
            r#"{"kind":"k"}"#,
            r#"{"kind":"k","id":null}"#,
            r#"{"kind":"k","id":""}"#,
        ],
    ),
    (
        "on_behalf_of",
        &[
            "null",
            r#"{"kind":"k"}"#,
            r#"{"kind":"k","email":null}"#,
            r#"{"kind":"k","email":""}"#,
        ],
    ),
    (
        "subject",
        &[
            "null",
            r#"{"kind":"k"}"#,
            r#"{"kind":"k","label":null}"#,
            r#"{"kind":"k","label":""}"#,
        ],
    ),
    (
        "targets",
        &[
            "null",
            "[]",
            r#"[{"kind":"k"}]"#,
            r#"[{"kind":"k","id":null}]"#,
            r#"[{"kind":"k","id":""}]"#,
        ],
    ),
    ("outcome", &["null", "\"unknown\""]),
    ("reason", &["null", "\"\""]),
    ("source", &["null", "\"\""]),
    ("metadata", &["null", "{}", r#"{"k":""}"#]),
    (
        "changes",
        &[
            "null",
            "[]",
            r#"[{"path":""}]"#,
            r#"[{"path":"","after":null}]"#,
            r#"[{"path":"","after":""}]"#,
            r#"[{"path":"","after":[]}]"#,
        ],
    ),
    ("context", &["null", "{}", r#"{"ip":null}"#, r#"{"ip":""}"#]),
    ("batch", &["null", "\"\""]),
    ("correlation", &["null", "\"\""]),
    ("origin", &["null", "{}", r#"{"id":null}"#, r#"{"id":""}"#]),
    (
        "data",
        &["null", "\"\"", "[]", "{}", "false", "0", "\"null\""],
    ),
];

/// No two states of a field become one.
#[test]
fn mission_d26_absent_null_and_empty_stay_apart() {
    let folder = folder();
    let store = store(folder.path());
    let at = "\"type\":\"a.b\",\"occurred_at\":\"2026-05-17T08:00:00Z\"";
    store
        .append(&event(&format!("{{{at}}}")))
        .expect("an append");
    let states: Vec<(&str, &str)> = STATES
        .into_iter()
        .flat_map(|(field, states)| states.iter().map(move |state| (field, *state)))
        .collect();
    for (field, state) in &states {
        let line = format!("{{{at},\"{field}\":{state}}}");
        store
            .append(&event(&line))
            .unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    store.flush().expect("a flush");
    let mut lines = lines(&store.snapshot()).into_iter();
    let absent = members(&lines.next().expect("the first line"), &STORE_SET[..3]);
    let mut seen = std::collections::HashSet::from([absent]);
    assert_eq!(lines.len(), states.len());
    for (line, (field, state)) in lines.zip(states) {
        let kept = members(&line, &STORE_SET[..3]);
        assert!(
            kept.contains(&(field.to_owned(), state.to_owned())),
            "{line}"
        );
        assert!(seen.insert(kept), "{field}: {state}");
    }
}

/// What is no event, and the field that its refusal begins with.
const REFUSED: [(&str, &str); 34] = [
    (r#"{"type":"a.b","reason":"\ud800"}"#, "reason"),
    (r#"{"type":"a.b","reason":"\udc00"}"#, "reason"),
    (r#"{"type":"a.b","metadata":{"\ud83d":""}}"#, "metadata"),
    (r#"{"type":"a.b","data":["\ud800\u0041"]}"#, "data"),
    (r#"{"type":"a.b","data":{"\udfff":1}}"#, "data"),
    (
        r#"{"type":"a.b","changes":[{"path":"p","after":"\udc00"}]}"#,
        "changes",
    ),
    (
        r#"{"type":"a.b","metadata":{"k":"1","k":"2"},"org":""}"#,
        "metadata",
    ),
    (
        r#"{"type":"a.b","metadata":{"k":"1","\u006b":"1"}}"#,
        "metadata",
    ),
    (r#"{"type":"a.b","metadata":{"k":null}}"#, "metadata"),
    (r#"{"type":"a.b","context":{"ip":"1","ip":"1"}}"#, "context"),
    (r#"{"type":"a.b","context":{"x":"1","x":"1"}}"#, "context"),
    (r#"{"type":"a.b","org":"","org":""}"#, "org"),
    (r#"{"type":"a.b","performer":{"id":"x"}}"#, "performer"),
    (
        r#"{"type":"a.b","performer":{"kind":"k","name":"x"}}"#,
        "performer",
    ),
    (r#"{"type":"a.b","org":"","who":"x"}"#, "who"),
    (r#"{"type":"a.b","offset":1.5}"#, "offset"),
    (
        r#"{"type":"a.b","occurred_at":"2026-02-30T00:00:00Z"}"#,
        "occurred_at",
    ),
    (
        r#"{"type":"a.b","occurred_at":"2026-02-03T00:00:00.1234567Z"}"#,
        "occurred_at",
    ),
    (
        r#"{"type":"a.b","occurred_at":"2026-02-03T00:00:00+01:00","offset":0}"#,
        "offset",
    ),
    (r#"{"type":"a.b","outcome":"fine"}"#, "outcome"),
    (r#"{"type":"a.b","targets":{}}"#, "targets"),
    (r#"{"org":""}"#, "type"),
    ("{\"type\":\"a.b\",\"reason\":\"a\tb\"}", "line"),
    (r#"{"type":"a.b""#, "line"),
    (r#"{"type":"a.b"} {}"#, "line"),
    ("[]", "line"),
    (r#"["x",1,"a.b"]"#, "line"),
    (r#"{"type":"a.b","performer":["user","u7"]}"#, "performer"),
    (r#"{"type":"a.b","subject":["user"]}"#, "subject"),
    (r#"{"type":"a.b","targets":[["role"]]}"#, "targets"),
    (r#"{"type":"a.b","changes":[["p",1]]}"#, "changes"),
    (r#"{"type":"a.b","origin":[]}"#, "origin"),
    (r#"{"type":"a.b","metadata":[]}"#, "metadata"),
    ("", "line"),
];

#[test]
fn mission_d26_what_is_no_event_is_refused_by_the_name_of_its_field() {
    for (line, field) in REFUSED {
        let error = Event::from_native_line(line).expect_err(line);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{line}");
        assert!(
            error.to_string().starts_with(&format!("{field}: ")),
            "{line}: {error}"
        );
    }
    let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
    let line = format!(r#"{{"type":"a.b","data":{deep}}}"#);
    for error in [
        Event::from_native_line(&line),
        Event::new("a.b").data(&deep),
    ] {
        let words = error.expect_err("too deep").to_string();
        assert!(words.starts_with("data: more than 128"), "{words}");
    }
    let error = Event::new("a.b")
        .change("p", "1", "\"\\ud800\"")
        .expect_err("a lone surrogate");
    assert!(error.to_string().starts_with("after: "), "{error}");
}
