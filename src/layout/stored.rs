//! Stored rows in their columns and keys, without an event in between: what exports write. Column
//! for column and byte for byte as `column` and `entries` write the row's event, which tests hold
//! beside it; those write the events that a caller already has.

use super::cells::Cells;
use super::entries::SCHEMA_VERSION;
use crate::codec::buffer::Buffer;
use crate::codec::content::Entity;
use crate::codec::content::Named;
use crate::codec::content::Parts;
use crate::codec::content::Surroundings;
use crate::codec::content::Text;
use crate::codec::digits::Digits;
use crate::codec::row::Row;
use crate::event::Field;
use crate::event::Outcome;
use crate::id::EventId;

/// The fields of a row that have fields of their own, looked at once.
struct Objects<'a> {
    performer: Field<Entity<'a>>,
    on_behalf_of: Field<Entity<'a>>,
    subject: Field<Entity<'a>>,
    context: Field<Surroundings<'a>>,
    origin: Field<Named<'a>>,
}

impl<'a> Objects<'a> {
    fn of(parts: Parts<'a>) -> Objects<'a> {
        Objects {
            performer: parts.performer(),
            on_behalf_of: parts.on_behalf_of(),
            subject: parts.subject(),
            context: parts.context(),
            origin: parts.origin(),
        }
    }

    /// Marks those that are null or have no keys.
    fn mark(&self, cells: &mut Cells<'_>) {
        cells.object("performer", &self.performer, |_| false);
        cells.object("on_behalf_of", &self.on_behalf_of, |_| false);
        cells.object("subject", &self.subject, |_| false);
        cells.object("context", &self.context, Surroundings::is_empty);
        cells.object("origin", &self.origin, Named::is_empty);
    }
}

/// The cells of [`super::Layout::Native`].
pub(super) fn native(row: &Row<'_>, parts: Parts<'_>, cells: &mut Cells<'_>) {
    let objects = Objects::of(parts);
    objects.mark(cells);
    cells.word(&EventId::new(row.position).to_text());
    cells.word(Digits::of(row.position.seq.0).as_bytes());
    cells.text("type", Field::Value(parts.event_type()));
    cells.text("sub_type", parts.sub_type());
    cells.word(&row.position.occurred_at.to_text());
    cells.shown("offset", parts.offset());
    cells.word(&row.recorded_at.to_text());
    cells.text("org", parts.org());
    let who = &objects.performer;
    cells.inside("performer.kind", who, kind);
    cells.inside("performer.id", who, |who| who.id);
    cells.inside("performer.label", who, |who| who.label);
    cells.inside("performer.email", who, |who| who.email);
    cells.inside("performer.org", who, |who| who.org);
    cells.inside("performer.external_ref", who, |who| who.external_ref);
    let whom = &objects.on_behalf_of;
    cells.inside("on_behalf_of.kind", whom, kind);
    cells.inside("on_behalf_of.id", whom, |whom| whom.id);
    cells.inside("on_behalf_of.label", whom, |whom| whom.label);
    cells.inside("on_behalf_of.email", whom, |whom| whom.email);
    cells.inside("on_behalf_of.org", whom, |whom| whom.org);
    cells.inside("on_behalf_of.external_ref", whom, |whom| whom.external_ref);
    let subject = &objects.subject;
    cells.inside("subject.kind", subject, kind);
    cells.inside("subject.id", subject, |subject| subject.id);
    cells.inside("subject.label", subject, |subject| subject.label);
    cells.inside("subject.external_ref", subject, |what| what.external_ref);
    cells.json(parts.targets().map(|targets| targets.json));
    outcome(parts, cells);
    cells.text("reason", parts.reason());
    cells.text("source", parts.source());
    cells.json(parts.metadata().map(|metadata| metadata.json));
    cells.json(parts.changes().map(|changes| changes.json));
    known(&objects.context, 0..6, cells);
    further(&objects.context, cells);
    cells.text("batch", parts.batch());
    cells.text("caused_by", parts.caused_by());
    cells.text("correlation", parts.correlation());
    let origin = &objects.origin;
    cells.inside("origin.store", origin, |origin| origin.store);
    cells.inside("origin.id", origin, |origin| origin.id);
    let named = origin.value();
    cells.shown("origin.seq", named.map_or(Field::Absent, |named| named.seq));
    let recorded_at = named.map_or(Field::Absent, |named| named.recorded_at);
    cells.shown("origin.recorded_at", recorded_at);
    cells.text("key", parts.key());
    cells.json(parts.data());
}

/// The cells of [`super::Layout::Entries`].
pub(super) fn entries(row: &Row<'_>, parts: Parts<'_>, cells: &mut Cells<'_>) {
    let own_id = EventId::new(row.position).to_text();
    let objects = Objects::of(parts);
    let (actor, target) = (&objects.performer, &objects.subject);
    objects.mark(cells);
    match parts.origin_id() {
        Some(id) => cells.text("id", Field::Value(id)),
        None => cells.word(&own_id),
    }
    cells.text("type", Field::Value(parts.event_type()));
    cells.word(&row.position.occurred_at.to_text());
    cells.inside("performer.kind", actor, kind);
    cells.inside("performer.id", actor, |actor| actor.id);
    cells.inside("subject.kind", target, kind);
    cells.inside("subject.id", target, |target| target.id);
    outcome(parts, cells);
    known(&objects.context, 0..1, cells);
    cells.inside("performer.label", actor, |actor| actor.label);
    cells.inside("performer.email", actor, |actor| actor.email);
    cells.inside("subject.label", target, |target| target.label);
    known(&objects.context, 1..5, cells);
    cells.json(parts.data());
    cells.inside("performer.org", actor, |actor| actor.org);
    cells.inside("performer.external_ref", actor, |actor| actor.external_ref);
    cells.inside("subject.external_ref", target, |what| what.external_ref);
    known(&objects.context, 5..6, cells);
    further(&objects.context, cells);
    cells.word(&own_id);
    cells.word(Digits::of(row.position.seq.0).as_bytes());
    cells.text("sub_type", parts.sub_type());
    cells.shown("offset", parts.offset());
    cells.word(&row.recorded_at.to_text());
    cells.text("org", parts.org());
    cells.json(objects.on_behalf_of.map(|whom| whom.json));
    cells.json(parts.targets().map(|targets| targets.json));
    cells.text("reason", parts.reason());
    cells.text("source", parts.source());
    cells.json(parts.metadata().map(|metadata| metadata.json));
    cells.json(parts.changes().map(|changes| changes.json));
    cells.text("batch", parts.batch());
    cells.text("caused_by", parts.caused_by());
    cells.text("correlation", parts.correlation());
    cells.json(objects.origin.map(|origin| origin.json));
    cells.text("key", parts.key());
}

/// The line of JSON of [`super::Layout::Entries`].
pub(super) fn entry_line(row: &Row<'_>, parts: Parts<'_>, out: &mut Buffer) {
    out.extend(b"{\"id\":\"");
    match parts.origin_id() {
        Some(id) => out.extend(id.raw().as_bytes()),
        None => out.extend(&EventId::new(row.position).to_text()),
    }
    out.extend(b"\",\"type\":\"");
    out.extend(parts.event_type().raw().as_bytes());
    out.extend(b"\",\"occurred_at\":\"");
    out.extend(&row.position.occurred_at.to_text());
    out.push(b'"');
    json(out, "actor", parts.performer().map(|actor| actor.json));
    json(out, "target", parts.subject().map(|target| target.json));
    word(out, "outcome", parts.outcome().map(Outcome::as_str));
    json(out, "data", parts.data());
    json(out, "context", parts.context().map(|context| context.json));
    text(out, "sub_type", parts.sub_type());
    let offset = parts.offset().map(|minutes| minutes.to_string());
    let offset = match &offset {
        Field::Absent => Field::Absent,
        Field::Null => Field::Null,
        Field::Value(minutes) => Field::Value(minutes.as_str()),
    };
    json(out, "offset", offset);
    text(out, "org", parts.org());
    json(
        out,
        "on_behalf_of",
        parts.on_behalf_of().map(|whom| whom.json),
    );
    json(out, "targets", parts.targets().map(|targets| targets.json));
    text(out, "reason", parts.reason());
    text(out, "source", parts.source());
    json(
        out,
        "metadata",
        parts.metadata().map(|metadata| metadata.json),
    );
    json(out, "changes", parts.changes().map(|changes| changes.json));
    text(out, "batch", parts.batch());
    text(out, "caused_by", parts.caused_by());
    text(out, "correlation", parts.correlation());
    text(out, "key", parts.key());
    out.extend(b",\"seq\":");
    out.extend(Digits::of(row.position.seq.0).as_bytes());
    out.extend(b",\"recorded_at\":\"");
    out.extend(&row.recorded_at.to_text());
    out.extend(b"\",\"schema_version\":");
    out.extend(Digits::of(u64::from(SCHEMA_VERSION)).as_bytes());
    out.push(b'}');
}

fn kind<'a>(who: &Entity<'a>) -> Field<Text<'a>> {
    Field::Value(who.kind)
}

fn outcome(parts: Parts<'_>, cells: &mut Cells<'_>) {
    cells.known("outcome", parts.outcome().map(Outcome::as_str));
}

/// The context's well-known fields with these places.
fn known(
    context: &Field<Surroundings<'_>>,
    places: core::ops::Range<usize>,
    cells: &mut Cells<'_>,
) {
    const NAMES: [&str; 6] = [
        "context.ip",
        "context.user_agent",
        "context.fingerprint",
        "context.geo",
        "context.request_id",
        "context.session_id",
    ];
    for (place, name) in NAMES
        .into_iter()
        .enumerate()
        .take(places.end)
        .skip(places.start)
    {
        cells.inside(name, context, |context| {
            context.known.get(place).copied().unwrap_or_default()
        });
    }
}

/// The context's further keys as one JSON object; a cell only where there are some.
fn further(context: &Field<Surroundings<'_>>, cells: &mut Cells<'_>) {
    let members = context.value().map(|context| context.further.members());
    match members {
        Some(members) if !members.is_empty() => {
            cells.json(Field::Value(&format!("{{{members}}}")));
        }
        _ => cells.json(Field::Absent),
    }
}

/// A member of an object that is not its first: the key and the JSON behind it.
fn json(out: &mut Buffer, key: &str, value: Field<&str>) {
    let value = match value {
        Field::Absent => return,
        Field::Null => "null",
        Field::Value(value) => value,
    };
    out.extend(b",\"");
    out.extend(key.as_bytes());
    out.extend(b"\":");
    out.extend(value.as_bytes());
}

/// As [`json`], of what stands between the quotation marks of a string.
fn word(out: &mut Buffer, key: &str, value: Field<&str>) {
    let Field::Value(value) = value else {
        return json(out, key, value);
    };
    json(out, key, Field::Value("\""));
    out.extend(value.as_bytes());
    out.push(b'"');
}

fn text(out: &mut Buffer, key: &str, value: Field<Text<'_>>) {
    word(out, key, value.map(Text::raw));
}
