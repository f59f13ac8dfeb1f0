//! Lines that already are events: this store's own (`native`) and those of the `entries` layout,
//! which says `actor` and `target` where a native line says `performer` and `subject`.
//! Both are read strictly, because they have no `data` to keep what would not fit.

use super::record::Record;
use crate::codec::canonical::seams;
use crate::codec::content::Content;
use crate::codec::fingerprint;
use crate::event::Event;
use crate::event::Field;
use crate::event::clean_bytes;
use crate::store::Ready;
use crate::time::Time;

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

/// The key by which an `entries` line tells the version of its keys.
const SCHEMA_VERSION: &str = "schema_version";

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
        entries |= matches!(*key, "actor" | "target" | SCHEMA_VERSION);
        typed |= *key == "type" && value.is_string();
        timed |= *key == "occurred_at" && value.is_string();
        if !KEYS.contains(&renamed(key)) && *key != SCHEMA_VERSION {
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

/// Bytes of a time as the store prints it.
const TIME_BYTES: usize = 27;

/// A line in canonical form that says when it happened, read in one pass.
#[derive(Debug)]
pub(super) struct Canonical {
    ready: Ready,
    /// What the store that wrote the line called the event.
    id: Field<String>,
    seq: Field<u64>,
    recorded_at: Field<Time>,
    /// No rule is broken, as far as that is quickly told.
    is_valid: bool,
}

impl Canonical {
    /// Reads a line; `None` for every one that is not canonical, of which serde may make the same
    /// event or another reader something else.
    pub(super) fn read(line: &str) -> Option<Canonical> {
        let mut rest = line.strip_prefix('{')?;
        let id = head(&mut rest, "\"id\":\"", "\",")?;
        let seq = head(&mut rest, "\"seq\":", ",")?;
        let mut text = String::with_capacity(line.len());
        text.push('{');
        text.push_str(rest);
        let (at, _) = seams(&text)?;
        let occurred_at = time(&mut text, at, ",\"occurred_at\":\"")?;
        let (_, at) = seams(&text)?;
        let recorded_at = time(&mut text, at, ",\"recorded_at\":\"")?;
        let content = Content::parse(&text)?;
        let is_valid = content.is_surely_valid(text.len())
            // A cause may be told by its number in a batch, which an import does not have.
            && content.caused_by.value().is_none_or(|cause| !cause.raw().starts_with('#'));
        let key = content
            .key
            .value()
            .map(|key| fingerprint::proven_key(&key.text()));
        let origin = content
            .origin_id()
            .map(|id| fingerprint::origin_id(&id.text()));
        if id.is_some_and(|id| clean_bytes(id.as_bytes()) != id.len()) {
            return None;
        }
        let id = id.map_or(Field::Absent, |id| Field::Value(id.to_owned()));
        let seq = match seq {
            None => Field::Absent,
            Some(digits) => {
                let seq: u64 = digits.parse().ok()?;
                if seq.to_string() != digits {
                    return None;
                }
                Field::Value(seq)
            }
        };
        let time = occurred_at.value().copied()?;
        let content = text;
        Some(Canonical {
            ready: Ready {
                content,
                time,
                key,
                origin,
            },
            id,
            seq,
            recorded_at,
            is_valid,
        })
    }

    /// The line says nothing that another store set, and breaks no rule: its content is the row's.
    pub(super) fn is_plain(&self) -> bool {
        let named = [
            self.id.is_absent(),
            self.seq.is_absent(),
            self.recorded_at.is_absent(),
        ];
        self.is_valid && named == [true; 3]
    }

    /// What is stored of a plain line.
    pub(super) fn ready(self) -> Ready {
        self.ready
    }

    /// The event of any line.
    pub(super) fn event(self) -> Event {
        event_of(&self.ready).named(self.id, self.seq, self.recorded_at)
    }
}

/// The event of a content that was read from a line.
pub(super) fn event_of(ready: &Ready) -> Event {
    let content = Content::parse(&ready.content);
    let mut event = content.map_or_else(Event::default, |content| content.event());
    event.occurred_at = Field::Value(ready.time);
    event
}

/// Takes a member that ends with `end` from the head of `rest`, if that begins with `start`; `None`
/// where it begins so and has no end.
fn head<'r>(rest: &mut &'r str, start: &str, end: &str) -> Option<Option<&'r str>> {
    let Some(behind) = rest.strip_prefix(start) else {
        return Some(None);
    };
    let (value, behind) = behind.split_once(end)?;
    *rest = behind;
    Some(Some(value))
}

/// Takes the member `start` out of `content` at byte `at`, if it is there; `None` where it is, and
/// is no time as the store prints it.
fn time(content: &mut String, at: usize, start: &str) -> Option<Field<Time>> {
    if !content.get(at..)?.starts_with(start) {
        return Some(Field::Absent);
    }
    let from = at + start.len();
    let text = content.get(from..from + TIME_BYTES)?;
    let (time, None) = Time::parse_with_offset(text).ok()? else {
        return None;
    };
    let end = from + TIME_BYTES;
    if time.to_text() != text.as_bytes() || content.as_bytes().get(end) != Some(&b'"') {
        return None;
    }
    content.replace_range(at..=end, "");
    Some(Field::Value(time))
}

/// The same line in native words.
fn native_line(record: &Record<'_>) -> String {
    let mut line = String::with_capacity(record.root().raw().len() + 16);
    line.push('{');
    // The version of the keys says nothing of the event.
    let members = record
        .members()
        .iter()
        .filter(|(key, _)| *key != SCHEMA_VERSION);
    for (key, value) in members {
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
    use crate::codec::canonical::content;

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

    /// The golden lines with and without what a store sets, whole and with a byte changed, left out
    /// or doubled.
    #[test]
    fn one_pass_reads_what_serde_reads() {
        let golden = include_str!("../../tests/golden/canonical.ndjson");
        let (mut whole, mut taken, mut plain) = (0, 0, 0);
        for (number, line) in golden.lines().enumerate() {
            let (_, unnamed) = line
                .split_once("\"type\"")
                .expect("a golden line has a type");
            let unnamed = format!("{{\"type\"{unnamed}");
            let recorded = ",\"recorded_at\":\"";
            let (head, tail) = unnamed
                .split_once(recorded)
                .expect("a golden line tells when it was recorded");
            let untold = format!("{head}{}", tail.get(TIME_BYTES + 1..).unwrap_or_default());
            let forms = [line, &unnamed, &untold];
            whole += forms.map(Canonical::read).iter().flatten().count();
            let mut lines = Vec::new();
            for line in forms {
                lines.push(line.to_owned());
                for at in (number % 3..line.len().min(500)).step_by(3) {
                    let parts = (line.get(..at), line.get(at..=at), line.get(at + 1..));
                    let (Some(head), Some(byte), Some(tail)) = parts else {
                        continue;
                    };
                    lines.push(format!("{head}{tail}"));
                    lines.push(format!("{head}{byte}{byte}{tail}"));
                    for other in ["\"", "\\", "0", ",", "x", "\u{1}", " ", "+", "}"] {
                        lines.push(format!("{head}{other}{tail}"));
                    }
                }
            }
            for line in lines {
                let Some(found) = Canonical::read(&line) else {
                    continue;
                };
                taken += 1;
                let (is_plain, ready) = (found.is_plain(), found.ready.clone());
                let event = found.event();
                if is_plain {
                    plain += 1;
                    assert!(event.validate().is_ok(), "{line}");
                    assert_eq!(ready.content, content(&event), "{line}");
                    assert_eq!(event_of(&ready), event, "{line}");
                }
                let read = Event::from_native_line(&line).expect("serde reads it too");
                assert_eq!(event, read, "{line}");
                let own = layout(&Record::new(&line));
                assert_eq!(own, Some(Layout::Native), "{line}");
            }
        }
        let lines = golden.lines().count();
        assert_eq!(whole, 3 * lines, "a golden line is canonical");
        assert!(
            taken > 100 * lines,
            "{taken} of the changed lines are canonical"
        );
        assert!(plain > 20 * lines, "{plain} of {taken} are plain");
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
