//! Lines that already are events: this store's own (`native`) and those of the `entries` layout,
//! which says `actor` and `target` where a native line says `performer` and `subject`.
//! Both are read strictly, because they have no `data` to keep what would not fit.

use super::record::Record;
use crate::event::Event;

/// The keys of a native line.
const KEYS: [&str; 24] = [
    "id",
    "seq",
    "type",
    "sub_type",
    "occurred_at",
    "offset",
    "recorded_at",
    "org",
    "performer",
    "on_behalf_of",
    "subject",
    "targets",
    "outcome",
    "reason",
    "source",
    "metadata",
    "changes",
    "context",
    "batch",
    "caused_by",
    "correlation",
    "origin",
    "key",
    "data",
];

/// Which of the two a line is, by its keys alone, so that equal lines are always read alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// The canonical line's keys.
    Native,
    /// `actor` and `target` for `performer` and `subject`.
    Entries,
}

/// What an `entries` key is called in a native line.
fn renamed(key: &str) -> &str {
    match key {
        "actor" => "performer",
        "target" => "subject",
        other => other,
    }
}

/// The layout of a record all of whose keys are known, and which says what happened and when.
pub(super) fn layout(record: &Record<'_>) -> Option<Layout> {
    let mut entries = false;
    let (mut typed, mut timed) = (false, false);
    for (key, value) in record.members() {
        entries |= matches!(*key, "actor" | "target");
        typed |= *key == "type" && value.is_string();
        timed |= *key == "occurred_at" && value.is_string();
        if !KEYS.contains(&renamed(key)) {
            return None;
        }
    }
    let layout = if entries {
        Layout::Entries
    } else {
        Layout::Native
    };
    (typed && timed).then_some(layout)
}

/// Reads the line; the error is the reason for its refusal.
pub(super) fn event(record: &Record<'_>, layout: Layout) -> Result<Event, String> {
    let line = match layout {
        Layout::Native => {
            return Event::from_native_line(record.root().raw()).map_err(|error| error.to_string());
        }
        Layout::Entries => native_line(record),
    };
    Event::from_native_line(&line).map_err(|error| error.to_string())
}

/// The same line in native words.
fn native_line(record: &Record<'_>) -> String {
    let mut line = String::with_capacity(record.root().raw().len() + 16);
    line.push('{');
    for (key, value) in record.members() {
        if line.len() > 1 {
            line.push(',');
        }
        line.push('"');
        line.push_str(renamed(key));
        line.push_str("\":");
        line.push_str(value.raw());
    }
    line.push('}');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Field;

    #[test]
    fn an_entry_becomes_an_event_and_keeps_its_id() {
        let text = r#"{"id":"evt_01HZ","type":"user.signed_in","occurred_at":"2026-05-17T08:00:00Z","actor":{"kind":"user","id":"u"},"target":{"kind":"session","id":"s"},"outcome":"success","data":{"a":1.50},"context":{"ip":"203.0.113.45"}}"#;
        let record = Record::new(text);
        assert_eq!(layout(&record), Some(Layout::Entries));
        let event = event(&record, Layout::Entries).expect("a whole entry");
        assert_eq!(
            event.origin.value().and_then(|origin| origin.id.as_deref()),
            Some("evt_01HZ")
        );
        assert_eq!(
            event.performer.value().and_then(|who| who.id.as_deref()),
            Some("u")
        );
        assert_eq!(
            event.subject.value().map(|what| what.kind.as_str()),
            Some("session")
        );
        assert_eq!(
            event.data.value().map(|data| data.as_str()),
            Some(r#"{"a":1.50}"#)
        );
    }

    #[test]
    fn keys_nobody_knows_make_it_another_source() {
        for (text, expected) in [
            (
                r#"{"type":"a.b","occurred_at":"2026-05-17T08:00:00Z"}"#,
                Some(Layout::Native),
            ),
            (
                r#"{"type":"a.b","occurred_at":"2026-05-17T08:00:00Z","x":1}"#,
                None,
            ),
            (r#"{"type":"a.b","id":"1"}"#, None),
            (r#"{"type":"a.b","occurred_at":1}"#, None),
        ] {
            assert_eq!(layout(&Record::new(text)), expected, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_reason() {
        let text = r#"{"type":"a.b","occurred_at":"2026-05-17T08:00:00Z","actor":{"kind":"user","rank":1}}"#;
        let refusal = event(&Record::new(text), Layout::Entries).expect_err("an unknown key");
        assert!(refusal.contains("rank"), "{refusal}");
        let empty = event(&Record::new(r#"{"type":"a"}"#), Layout::Native).expect("no time is now");
        assert_eq!(empty.occurred_at, Field::Absent);
    }
}
