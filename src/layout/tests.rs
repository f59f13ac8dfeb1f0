//! Round trips through the `csv` crate, and the promises about headers and the guard.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails where it panics"
)]

use std::collections::HashMap;

use serde_json::Value;

use super::Audience;
use super::CsvSafety;
use super::Layout;
use super::LocalZone;
use super::Locale;
use crate::codec::buffer::Buffer;
use crate::codec::canonical;
use crate::codec::content::Parts;
use crate::codec::row::Body;
use crate::codec::row::Row;
use crate::event::Context;
use crate::event::Event;
use crate::event::Field;
use crate::event::Json;
use crate::event::Metadata;
use crate::event::Origin;
use crate::event::Performer;
use crate::event::StoredEvent;
use crate::id::EventId;
use crate::id::Position;
use crate::id::Sequence;
use crate::time::Time;

fn stored(line: &str) -> StoredEvent {
    let event: Event = serde_json::from_str(line).unwrap();
    let position = Position {
        occurred_at: event.occurred_at.value().copied().unwrap_or(Time::MIN),
        seq: Sequence(7),
    };
    StoredEvent {
        id: EventId::new(position),
        seq: position.seq,
        occurred_at: position.occurred_at,
        recorded_at: Time::MAX,
        event: Event {
            occurred_at: position.occurred_at.into(),
            ..event
        },
    }
}

fn lines() -> Vec<&'static str> {
    vec![
        r#"{"type":"a","occurred_at":"2026-05-17T08:00:00Z"}"#,
        r#"{"type":"a.b","sub_type":"","occurred_at":"2026-05-17T08:00:00Z","offset":-90,"org":null,"performer":null,"on_behalf_of":{"kind":"user","id":"","label":null,"email":"a@example.org","org":"o","external_ref":"x"},"subject":{"kind":"k","id":"=1+1","label":"a, \"b\"\r\nc","external_ref":null},"targets":[],"outcome":null,"reason":"'quoted","source":"s","metadata":{},"changes":null,"context":{},"batch":"","caused_by":null,"correlation":"c","origin":{},"key":"\t","data":null}"#,
        r#"{"type":"a","occurred_at":"1970-01-01T00:00:00Z","performer":{"kind":"user","org":""},"targets":[{"kind":"t","id":null},{"kind":"t","label":""}],"outcome":"denied","metadata":{"b":"1","a":"\u001b[0m"},"changes":[{"path":"p","before":null,"after":1.50},{"path":"","after":{"z":1,"a":[ ]}}],"context":{"ip":null,"geo":"","later":"x","é":""},"origin":{"store":"s","id":"i","seq":18446744073709551615,"recorded_at":"2026-05-17T08:00:00Z"},"data":{"b":[1.0,-0,1e400],"a":"\u2028"}}"#,
        r#"{"type":"a","occurred_at":"2026-05-17T08:00:00Z","targets":null,"metadata":null,"changes":[],"context":null,"origin":null,"subject":{"kind":"k"},"data":"-"}"#,
        r#"{"type":"a","occurred_at":"2026-05-17T08:00:00Z","context":{"later":"x"},"origin":{"id":""},"data":[]}"#,
    ]
}

/// Asserts that a row is written as its event is, in every layout and form, and as the `csv` crate
/// would write the cells.
fn written_alike(event: &StoredEvent) {
    let content = canonical::content(&event.event);
    let row = Row {
        position: event.position(),
        recorded_at: event.recorded_at,
        body: Body {
            time_given: true,
            import: None,
            content: &content,
        },
    };
    let parts = row.content().unwrap();
    for layout in Layout::ALL {
        let (mut found, mut wanted) = (Buffer::default(), Vec::new());
        let has_lines = layout.json_row(&row, &mut found).is_some();
        assert_eq!(
            has_lines,
            [Layout::Native, Layout::Entries].contains(&layout)
        );
        layout.json_line(event, &mut wanted);
        let found = found.as_slice().to_vec();
        assert_eq!(text(found), text(wanted));
        let audiences = [Audience::default(), far_away()];
        let forms = [CsvSafety::Guard, CsvSafety::Raw]
            .map(|safety| audiences.iter().map(move |one| (safety, one)));
        for (safety, audience) in forms.into_iter().flatten() {
            let (mut found, mut wanted) = (Buffer::default(), Vec::new());
            layout.csv_row(&row, Parts::Parsed(&parts), safety, audience, &mut found);
            let found = found.as_slice().to_vec();
            layout.csv_record(event, safety, audience, &mut wanted);
            let mut reader = csv::ReaderBuilder::new();
            let mut reader = reader.has_headers(false).from_reader(found.as_slice());
            let cells = reader.records().next().unwrap().unwrap();
            let mut writer = csv::WriterBuilder::new();
            writer.terminator(csv::Terminator::CRLF);
            let mut writer = writer.from_writer(Vec::new());
            writer.write_record(&cells).unwrap();
            // The csv crate puts only what its own reader needs between quotation marks.
            let more = cells.iter().any(|cell| cell.contains([';', '\t']));
            let theirs = text(writer.into_inner().unwrap());
            assert!(more || theirs == text(found.clone()), "{theirs}");
            assert_eq!(text(found), text(wanted));
        }
    }
}

/// Whom something is added for.
fn far_away() -> Audience {
    Audience {
        locale: Some(Locale::default()),
        zone: LocalZone::new("somewhere", |_| -5 * 3600),
        ..Audience::default()
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn rows_are_written_as_their_events_are() {
    lines()
        .into_iter()
        .map(stored)
        .for_each(|event| written_alike(&event));
    let golden = include_str!("../../tests/golden/canonical.ndjson").lines();
    for line in golden {
        written_alike(&serde_json::from_str(line).unwrap());
    }
}

proptest::proptest! {
    #[test]
    fn hostile_texts_are_written_alike_from_rows_and_events(
        texts in proptest::collection::vec("[=+@',;\"\\\\\r\n\t\u{0}\u{1f}\u{ff1d}\u{2212}é a-]{0,8}", 8),
        data in "[-0-9]{1,3}|\"[,a=]{0,3}\"",
        states in 0_u32..6561,
    ) {
        let mut event = stored(r#"{"type":"a","occurred_at":"2026-05-17T08:00:00Z"}"#);
        let field = |number: usize| match states / 3_u32.pow(number as u32) % 3 {
            0 => Field::Absent,
            1 => Field::Null,
            _ => Field::Value(texts[number].clone()),
        };
        let said = &mut event.event;
        (said.sub_type, said.reason, said.key) = (field(0), field(1), field(2));
        let performer = Performer { id: field(3), email: field(4), ..Performer::new(texts[5].clone()) };
        (said.performer, said.on_behalf_of) = (Field::Value(performer.clone()), Field::Value(performer));
        said.context = Field::Value(Context {
            ip: field(5),
            session_id: field(6),
            further: vec![(texts[6].clone(), texts[7].clone())],
            ..Context::default()
        });
        said.metadata = [(texts[3].clone(), texts[4].clone())].into_iter().collect::<Metadata>().into();
        said.origin = Field::Value(Origin { id: field(7), ..Origin::default() });
        said.offset = Field::Value(states as i32 - 700);
        if let Ok(json) = Json::parse(&data) {
            said.data = Field::Value(json);
        }
        written_alike(&event);
    }
}

/// The columns of one event, read back by the `csv` crate.
fn read_back(layout: Layout, safety: CsvSafety, event: &StoredEvent) -> HashMap<String, String> {
    let mut bytes = Vec::new();
    let audience = Audience::default();
    layout.csv_header(&audience, &mut bytes);
    layout.csv_record(event, safety, &audience, &mut bytes);
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes.as_slice());
    let mut records = reader.deserialize();
    let record = records.next().unwrap().unwrap();
    assert!(records.next().is_none());
    record
}

/// Undoes the native columns, by nothing but what `docs/format/csv.md` says.
fn rebuild(mut cells: HashMap<String, String>) -> String {
    for cell in cells.values_mut() {
        if let Some(rest) = cell.strip_prefix('\'') {
            *cell = rest.to_owned();
        }
    }
    let names = |column: &str| -> Vec<String> {
        cells[column]
            .split(' ')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (null, empty) = (names("null_fields"), names("empty_fields"));
    let value = |column: &str, field: &str| -> Option<Value> {
        let text = &cells[column];
        if null.iter().any(|name| name == field) {
            Some(Value::Null)
        } else if column.ends_with("_json") {
            serde_json::from_str(text).ok()
        } else if ["seq", "offset", "origin_seq"].contains(&column) {
            text.parse::<serde_json::Number>().ok().map(Value::Number)
        } else if !text.is_empty() || empty.iter().any(|name| name == field) {
            Some(Value::from(text.as_str()))
        } else {
            None
        }
    };
    let mut event = serde_json::Map::new();
    for name in [
        "type",
        "sub_type",
        "occurred_at",
        "offset",
        "org",
        "outcome",
        "reason",
        "source",
        "batch",
        "caused_by",
        "correlation",
        "key",
    ] {
        event.extend(value(name, name).map(|value| (name.to_owned(), value)));
    }
    for (object, keys) in [
        (
            "performer",
            &["kind", "id", "label", "email", "org", "external_ref"][..],
        ),
        (
            "on_behalf_of",
            &["kind", "id", "label", "email", "org", "external_ref"],
        ),
        ("subject", &["kind", "id", "label", "external_ref"]),
        (
            "context",
            &[
                "ip",
                "user_agent",
                "fingerprint",
                "geo",
                "request_id",
                "session_id",
            ],
        ),
        ("origin", &["store", "id", "seq", "recorded_at"]),
    ] {
        let mut inner = serde_json::Map::new();
        for key in keys {
            let found = value(&format!("{object}_{key}"), &format!("{object}.{key}"));
            inner.extend(found.map(|value| ((*key).to_owned(), value)));
        }
        if object == "context"
            && let Ok(Value::Object(further)) = serde_json::from_str(&cells["context_further_json"])
        {
            inner.extend(further);
        }
        if null.iter().any(|name| name == object) {
            event.insert(object.to_owned(), Value::Null);
        } else if !inner.is_empty() || empty.iter().any(|name| name == object) {
            event.insert(object.to_owned(), Value::Object(inner));
        }
    }
    let mut text = Value::Object(event).to_string();
    text.pop();
    for field in ["targets", "metadata", "changes", "data"] {
        let json = &cells[&format!("{field}_json")];
        if !json.is_empty() {
            text.push_str(&format!(",\"{field}\":{json}"));
        }
    }
    text + "}"
}

#[test]
fn native_csv_loses_nothing() {
    for line in lines() {
        let event = stored(line);
        let cells = read_back(Layout::Native, CsvSafety::Guard, &event);
        assert_eq!(cells["id"], event.id.to_string());
        let again = stored(&rebuild(cells));
        assert_eq!(again, event, "{line}");
    }
}

#[test]
fn the_guard_is_one_apostrophe_and_only_where_needed() {
    for (text, guarded) in [
        ("=1", true),
        ("+1", true),
        ("-1", true),
        ("@a", true),
        ("\t1", true),
        ("\r1", true),
        ("\n1", true),
        ("\0", true),
        ("\u{ff1d}1", true),
        ("\u{ff0b}1", true),
        ("\u{ff0d}1", true),
        ("\u{ff20}1", true),
        ("\u{2212}1", true),
        (" =1", true),
        ("\u{a0}\u{3000}-1", true),
        ("\u{feff}@a", true),
        ("\u{200b} +1", true),
        ("'", true),
        ("", false),
        (" ", false),
        (" a=1", false),
        ("a=1", false),
        ("\"=1\"", false),
    ] {
        let mut event = stored(lines()[0]);
        event.event.reason = text.into();
        let raw = read_back(Layout::Native, CsvSafety::Raw, &event);
        assert_eq!(raw["reason"], text);
        let cells = read_back(Layout::Native, CsvSafety::Guard, &event);
        let expected = if guarded {
            format!("'{text}")
        } else {
            text.to_owned()
        };
        assert_eq!(cells["reason"], expected);
    }
}

#[test]
fn entries_begin_with_what_their_readers_know() {
    let mut header = Vec::new();
    Layout::Entries.csv_header(&Audience::default(), &mut header);
    let header = String::from_utf8(header).unwrap();
    assert!(header.starts_with(
        "id,type,occurred_at,actor_kind,actor_id,target_kind,target_id,outcome,context_ip,"
    ));
    assert!(header.ends_with("null_fields,empty_fields\r\n"));
    let event = stored(
        r#"{"type":"user.signed_in","occurred_at":"2026-05-17T08:00:00Z","org":"o","performer":{"kind":"user","id":"u1"},"subject":{"kind":"session","id":"s1"},"outcome":"success","context":{"ip":"203.0.113.45"},"origin":{"id":"evt_01HZ"},"data":{"z":1,"a":2}}"#,
    );
    let mut line = Vec::new();
    Layout::Entries.json_line(&event, &mut line);
    assert_eq!(
        String::from_utf8(line).unwrap(),
        r#"{"id":"evt_01HZ","type":"user.signed_in","occurred_at":"2026-05-17T08:00:00.000000Z","actor":{"kind":"user","id":"u1"},"target":{"kind":"session","id":"s1"},"outcome":"success","data":{"z":1,"a":2},"context":{"ip":"203.0.113.45"},"org":"o","seq":7,"recorded_at":"9999-12-31T23:59:59.999999Z","schema_version":1}"#
    );
    let cells = read_back(Layout::Entries, CsvSafety::Guard, &event);
    assert_eq!(cells["id"], "evt_01HZ");
    assert_eq!(cells["event_id"], event.id.to_string());
    assert_eq!(cells["origin_json"], r#"{"id":"evt_01HZ"}"#);
}

#[test]
fn column_names_are_unique_and_documented() {
    let page = include_str!("../../docs/format/csv.md");
    for layout in Layout::ALL {
        let mut header = Vec::new();
        layout.csv_header(&far_away(), &mut header);
        let header = String::from_utf8(header).unwrap();
        let mut names: Vec<&str> = header.trim_end().split(',').collect();
        for name in &names {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
