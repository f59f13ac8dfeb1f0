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

/// What stands before the value of a member of this name that needs no escapes, the comma behind the
/// member before it included.
macro_rules! member {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}

/// The well-known members of a context, in the order of [`Context::known`].
const CONTEXT: [&str; 6] = [
    member!("ip"),
    member!("user_agent"),
    member!("fingerprint"),
    member!("geo"),
    member!("request_id"),
    member!("session_id"),
];

/// The content of `event`: its canonical object without the keys that the store computes.
pub(crate) fn content(event: &Event) -> String {
    content_in(String::with_capacity(1024), event)
}

/// The same in the memory of a text that nobody needs any more.
pub(crate) fn content_in(mut out: String, event: &Event) -> String {
    out.clear();
    let mut object = Object::begin(out);
    object.text(member!("type"), &event.event_type);
    object.field_text(member!("sub_type"), &event.sub_type);
    object.field(member!("offset"), &event.offset, |out, minutes| {
        out.push_str(&minutes.to_string())
    });
    object.field_text(member!("org"), &event.org);
    object.field(member!("performer"), &event.performer, performer);
    object.field(member!("on_behalf_of"), &event.on_behalf_of, performer);
    object.field(member!("subject"), &event.subject, subject);
    object.field(member!("targets"), &event.targets, |out, targets| {
        list(out, targets, target)
    });
    object.field(member!("outcome"), &event.outcome, |out, outcome| {
        text(out, outcome.as_str())
    });
    object.field_text(member!("reason"), &event.reason);
    object.field_text(member!("source"), &event.source);
    object.field(member!("metadata"), &event.metadata, |out, metadata| {
        nested(out, |object| {
            metadata
                .iter()
                .for_each(|(key, value)| object.named(key, value))
        });
    });
    object.field(member!("changes"), &event.changes, |out, changes| {
        list(out, changes, change)
    });
    object.field(member!("context"), &event.context, context);
    object.field_text(member!("batch"), &event.batch);
    object.field_text(member!("caused_by"), &event.caused_by);
    object.field_text(member!("correlation"), &event.correlation);
    object.field(member!("origin"), &event.origin, origin);
    object.field_text(member!("key"), &event.key);
    object.field(member!("data"), &event.data, |out, json| {
        out.push_str(json.as_str())
    });
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
    if event::clean_bytes(value.as_bytes()) < value.len() {
        return escaped(out, value);
    }
    out.reserve(value.len() + 2);
    out.push('"');
    out.push_str(value);
    out.push('"');
}

/// As [`text`], where something is escaped, which is rare.
#[cold]
fn escaped(out: &mut String, value: &str) {
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

    /// Begins a member.
    fn begin_member(&mut self, member: &'static str) -> &mut String {
        let from = usize::from(core::mem::take(&mut self.empty));
        self.out.push_str(member.get(from..).unwrap_or_default());
        &mut self.out
    }

    /// A member whose name is the application's.
    fn named(&mut self, name: &str, value: &str) {
        if !core::mem::take(&mut self.empty) {
            self.out.push(',');
        }
        text(&mut self.out, name);
        self.out.push(':');
        text(&mut self.out, value);
    }

    fn text(&mut self, member: &'static str, value: &str) {
        text(self.begin_member(member), value);
    }

    fn field<T>(
        &mut self,
        member: &'static str,
        field: &Field<T>,
        write: impl FnOnce(&mut String, &T),
    ) {
        match field {
            Field::Absent => {}
            Field::Null => self.begin_member(member).push_str("null"),
            Field::Value(value) => write(self.begin_member(member), value),
        }
    }

    fn field_text(&mut self, member: &'static str, field: &Field<String>) {
        self.field(member, field, |out, value| text(out, value));
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
        object.text(member!("kind"), &performer.kind);
        object.field_text(member!("id"), &performer.id);
        object.field_text(member!("label"), &performer.label);
        object.field_text(member!("email"), &performer.email);
        object.field_text(member!("org"), &performer.org);
        object.field_text(member!("external_ref"), &performer.external_ref);
    });
}

fn subject(out: &mut String, subject: &Subject) {
    nested(out, |object| {
        object.text(member!("kind"), &subject.kind);
        object.field_text(member!("id"), &subject.id);
        object.field_text(member!("label"), &subject.label);
        object.field_text(member!("external_ref"), &subject.external_ref);
    });
}

fn target(out: &mut String, target: &Target) {
    nested(out, |object| {
        object.text(member!("kind"), &target.kind);
        object.field_text(member!("id"), &target.id);
        object.field_text(member!("label"), &target.label);
    });
}

fn change(out: &mut String, change: &Change) {
    nested(out, |object| {
        object.text(member!("path"), &change.path);
        object.field(member!("before"), &change.before, |out, json| {
            out.push_str(json.as_str())
        });
        object.field(member!("after"), &change.after, |out, json| {
            out.push_str(json.as_str())
        });
    });
}

fn context(out: &mut String, context: &Context) {
    nested(out, |object| {
        for (member, field) in CONTEXT.into_iter().zip(context.known()) {
            object.field_text(member, field);
        }
        context
            .further
            .iter()
            .for_each(|(key, value)| object.named(key, value));
    });
}

fn origin(out: &mut String, origin: &Origin) {
    nested(out, |object| {
        object.field_text(member!("store"), &origin.store);
        object.field_text(member!("id"), &origin.id);
        object.field(member!("seq"), &origin.seq, |out, seq| {
            out.push_str(&seq.to_string())
        });
        object.field(member!("recorded_at"), &origin.recorded_at, |out, time| {
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
