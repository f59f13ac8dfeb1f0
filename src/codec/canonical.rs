//! The canonical form of an event, byte for byte the same for ever: one line of JSON with keys in
//! a fixed order. Grammar: `docs/format/canonical.md`. A row stores the line without the four keys
//! the store computes (id, seq, occurred_at, recorded_at): that part is called its content.

use crate::event;
use crate::event::Change;
use crate::event::Context;
use crate::event::Event;
use crate::event::Field;
use crate::event::Origin;
use crate::event::Performer;
use crate::event::Subject;
use crate::event::Target;

/// The content of `event`: its canonical object without the keys that the store computes.
pub(crate) fn content(event: &Event) -> String {
    let mut object = Object::begin(String::with_capacity(1024));
    object.text("type", &event.event_type);
    object.field_text("sub_type", &event.sub_type);
    object.field("offset", &event.offset, |out, minutes| {
        out.push_str(&minutes.to_string())
    });
    object.field_text("org", &event.org);
    object.field("performer", &event.performer, performer);
    object.field("on_behalf_of", &event.on_behalf_of, performer);
    object.field("subject", &event.subject, subject);
    object.field("targets", &event.targets, |out, targets| {
        list(out, targets, target)
    });
    object.field("outcome", &event.outcome, |out, outcome| {
        text(out, outcome.as_str())
    });
    object.field_text("reason", &event.reason);
    object.field_text("source", &event.source);
    object.field("metadata", &event.metadata, |out, metadata| {
        nested(out, |object| {
            metadata
                .iter()
                .for_each(|(key, value)| object.text(key, value))
        });
    });
    object.field("changes", &event.changes, |out, changes| {
        list(out, changes, change)
    });
    object.field("context", &event.context, context);
    object.field_text("batch", &event.batch);
    object.field_text("caused_by", &event.caused_by);
    object.field_text("correlation", &event.correlation);
    object.field("origin", &event.origin, origin);
    object.field_text("key", &event.key);
    object.field("data", &event.data, |out, json| out.push_str(json.as_str()));
    object.end()
}

/// Where the store's keys are put into a content: behind `sub_type` (or `type`), and behind `offset`.
/// `None` when `content` does not begin as a content does.
pub(crate) fn seams(content: &str) -> Option<(usize, usize)> {
    let mut at = "{".len();
    at += member(content.get(at..)?.strip_prefix("\"type\":")?)? + "\"type\":".len();
    at += optional(content.get(at..)?, ",\"sub_type\":")?;
    let offset = optional(content.get(at..)?, ",\"offset\":")?;
    content.starts_with('{').then_some((at, at + offset))
}

/// Appends `value` as a JSON string: only `"`, `\` and U+0000–001F are escaped.
pub(crate) fn text(out: &mut String, value: &str) {
    out.push('"');
    let mut rest = value;
    while let Some((clean, tail)) = rest.split_at_checked(event::clean_bytes(rest.as_bytes())) {
        out.push_str(clean);
        let Some(byte) = tail.as_bytes().first().copied() else {
            break;
        };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x08 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            0x0c => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            _ => {
                out.push_str("\\u00");
                out.push(if byte < 0x10 { '0' } else { '1' });
                out.push(char::from_digit(u32::from(byte & 0xf), 16).unwrap_or('0'));
            }
        }
        rest = tail.get(1..).unwrap_or_default();
    }
    out.push('"');
}

/// Writes one JSON object member by member.
struct Object {
    out: String,
    empty: bool,
}

impl Object {
    fn begin(mut out: String) -> Object {
        out.push('{');
        Object { out, empty: true }
    }

    fn end(mut self) -> String {
        self.out.push('}');
        self.out
    }

    fn key(&mut self, key: &str) -> &mut String {
        if !core::mem::take(&mut self.empty) {
            self.out.push(',');
        }
        text(&mut self.out, key);
        self.out.push(':');
        &mut self.out
    }

    fn text(&mut self, key: &str, value: &str) {
        text(self.key(key), value);
    }

    fn field<T>(&mut self, key: &str, field: &Field<T>, write: impl FnOnce(&mut String, &T)) {
        match field {
            Field::Absent => {}
            Field::Null => self.key(key).push_str("null"),
            Field::Value(value) => write(self.key(key), value),
        }
    }

    fn field_text(&mut self, key: &str, field: &Field<String>) {
        self.field(key, field, |out, value| text(out, value));
    }
}

fn nested(out: &mut String, members: impl FnOnce(&mut Object)) {
    let mut object = Object::begin(core::mem::take(out));
    members(&mut object);
    *out = object.end();
}

fn list<T>(out: &mut String, items: &[T], write: impl Fn(&mut String, &T)) {
    out.push('[');
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

fn performer(out: &mut String, performer: &Performer) {
    nested(out, |object| {
        object.text("kind", &performer.kind);
        object.field_text("id", &performer.id);
        object.field_text("label", &performer.label);
        object.field_text("email", &performer.email);
        object.field_text("org", &performer.org);
        object.field_text("external_ref", &performer.external_ref);
    });
}

fn subject(out: &mut String, subject: &Subject) {
    nested(out, |object| {
        object.text("kind", &subject.kind);
        object.field_text("id", &subject.id);
        object.field_text("label", &subject.label);
        object.field_text("external_ref", &subject.external_ref);
    });
}

fn target(out: &mut String, target: &Target) {
    nested(out, |object| {
        object.text("kind", &target.kind);
        object.field_text("id", &target.id);
        object.field_text("label", &target.label);
    });
}

fn change(out: &mut String, change: &Change) {
    nested(out, |object| {
        object.text("path", &change.path);
        object.field("before", &change.before, |out, json| {
            out.push_str(json.as_str())
        });
        object.field("after", &change.after, |out, json| {
            out.push_str(json.as_str())
        });
    });
}

fn context(out: &mut String, context: &Context) {
    nested(out, |object| {
        for (key, field) in Context::KEYS.into_iter().zip(context.known()) {
            object.field_text(key, field);
        }
        context
            .further
            .iter()
            .for_each(|(key, value)| object.text(key, value));
    });
}

fn origin(out: &mut String, origin: &Origin) {
    nested(out, |object| {
        object.field_text("store", &origin.store);
        object.field_text("id", &origin.id);
        object.field("seq", &origin.seq, |out, seq| {
            out.push_str(&seq.to_string())
        });
        object.field("recorded_at", &origin.recorded_at, |out, time| {
            text(out, &time.to_string())
        });
    });
}

/// Bytes of the member `key` at the head of `content`, 0 when it is not there.
fn optional(content: &str, key: &str) -> Option<usize> {
    content
        .strip_prefix(key)
        .map_or(Some(0), |value| Some(key.len() + member(value)?))
}

/// Bytes of the string, number or null at the head of `value`.
fn member(value: &str) -> Option<usize> {
    let bytes = value.as_bytes();
    if bytes.first() != Some(&b'"') {
        return bytes.iter().position(|byte| matches!(byte, b',' | b'}'));
    }
    let mut at = 1;
    loop {
        at += event::clean_bytes(bytes.get(at..)?);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}
