//! The columns of each CSV layout as data: a name, the field it shows, and how to read it.
//! A cell alone cannot tell an absent field from null or from the empty text, so each record ends
//! with the names of its null and of its empty fields; nothing else is lost.

use std::borrow::Cow;

use crate::event::Context;
use crate::event::Event;
use crate::event::Field;
use crate::event::Origin;
use crate::event::Performer;
use crate::event::StoredEvent;
use crate::event::Subject;

/// The column with the dotted names of the fields that are null, separated by spaces.
pub(super) const NULL_FIELDS: &str = "null_fields";
/// The column with the dotted names of the fields that are the empty text or the empty object.
pub(super) const EMPTY_FIELDS: &str = "empty_fields";

/// One column.
pub(super) struct Column {
    pub(super) name: &'static str,
    /// The dotted name of the field, as the mark columns tell it.
    field: &'static str,
    pub(super) read: fn(&StoredEvent) -> Cell<'_>,
}

/// What a field puts into its column.
pub(super) enum Cell<'a> {
    Absent,
    Null,
    Text(Cow<'a, str>),
}

/// The two columns at a record's end.
#[derive(Default)]
pub(super) struct Marks {
    pub(super) null: String,
    pub(super) empty: String,
}

impl Cell<'_> {
    pub(super) fn text(&self) -> &str {
        match self {
            Cell::Text(text) => text,
            Cell::Absent | Cell::Null => "",
        }
    }
}

impl Marks {
    /// Marks the objects that are null or have no keys; their columns cannot say it.
    pub(super) fn of_objects(event: &Event) -> Marks {
        let mut marks = Marks::default();
        marks.object("performer", &event.performer, None);
        marks.object("on_behalf_of", &event.on_behalf_of, None);
        marks.object("subject", &event.subject, None);
        marks.object("context", &event.context, Some(&Context::default()));
        marks.object("origin", &event.origin, Some(&Origin::default()));
        marks
    }

    fn object<T: PartialEq>(&mut self, name: &str, field: &Field<T>, empty: Option<&T>) {
        match field {
            Field::Null => append(&mut self.null, name),
            Field::Value(value) if Some(value) == empty => append(&mut self.empty, name),
            Field::Absent | Field::Value(_) => {}
        }
    }

    pub(super) fn note(&mut self, column: &Column, cell: &Cell<'_>) {
        match cell {
            Cell::Null => append(&mut self.null, column.field),
            Cell::Text(text) if text.is_empty() => append(&mut self.empty, column.field),
            Cell::Absent | Cell::Text(_) => {}
        }
    }
}

fn append(names: &mut String, name: &str) {
    if !names.is_empty() {
        names.push(' ');
    }
    names.push_str(name);
}

fn text(field: &Field<String>) -> Cell<'_> {
    match field {
        Field::Absent => Cell::Absent,
        Field::Null => Cell::Null,
        Field::Value(text) => Cell::Text(Cow::Borrowed(text)),
    }
}

fn shown<T: ToString>(field: &Field<T>) -> Cell<'static> {
    match field {
        Field::Absent => Cell::Absent,
        Field::Null => Cell::Null,
        Field::Value(value) => Cell::Text(Cow::Owned(value.to_string())),
    }
}

/// A field inside an object that may not be there.
fn inside<T>(object: &Field<T>, read: fn(&T) -> Cell<'_>) -> Cell<'_> {
    object.value().map_or(Cell::Absent, read)
}

/// JSON says by itself what is null and what is empty.
fn json<T: serde::Serialize>(field: &Field<T>) -> Cell<'static> {
    if field.is_absent() {
        return Cell::Absent;
    }
    serde_json::to_string(field).map_or(Cell::Absent, |text| Cell::Text(Cow::Owned(text)))
}

/// The context's further keys as one JSON object; a column only where there are some.
fn further(context: &Context) -> Cell<'_> {
    if context.further.is_empty() {
        return Cell::Absent;
    }
    let pairs = Context {
        further: context.further.clone(),
        ..Context::default()
    };
    json(&Field::Value(pairs))
}

fn public_id(event: &StoredEvent) -> Cell<'_> {
    let origin = event
        .event
        .origin
        .value()
        .and_then(|origin| origin.id.value());
    origin.map_or_else(|| own_id(event), |id| Cell::Text(Cow::Borrowed(id)))
}

fn own_id(event: &StoredEvent) -> Cell<'_> {
    Cell::Text(Cow::Owned(event.id.to_string()))
}

/// `columns![name "field" = |event| cell; …]` as a static table.
macro_rules! columns {
    ($($name:literal $field:literal = $read:expr;)*) => {
        &[$(Column { name: $name, field: $field, read: $read }),*]
    };
}

/// Columns of [`super::Layout::Native`], in the order of the canonical line.
pub(super) const NATIVE: &[Column] = columns![
    "id" "id" = own_id;
    "seq" "seq" = |e| Cell::Text(Cow::Owned(e.seq.to_string()));
    "type" "type" = |e| Cell::Text(Cow::Borrowed(&e.event.event_type));
    "sub_type" "sub_type" = |e| text(&e.event.sub_type);
    "occurred_at" "occurred_at" = |e| Cell::Text(Cow::Owned(e.occurred_at.to_string()));
    "offset" "offset" = |e| shown(&e.event.offset);
    "recorded_at" "recorded_at" = |e| Cell::Text(Cow::Owned(e.recorded_at.to_string()));
    "org" "org" = |e| text(&e.event.org);
    "performer_kind" "performer.kind" = |e| inside(&e.event.performer, performer_kind);
    "performer_id" "performer.id" = |e| inside(&e.event.performer, |p| text(&p.id));
    "performer_label" "performer.label" = |e| inside(&e.event.performer, |p| text(&p.label));
    "performer_email" "performer.email" = |e| inside(&e.event.performer, |p| text(&p.email));
    "performer_org" "performer.org" = |e| inside(&e.event.performer, |p| text(&p.org));
    "performer_external_ref" "performer.external_ref" = |e| inside(&e.event.performer, |p| text(&p.external_ref));
    "on_behalf_of_kind" "on_behalf_of.kind" = |e| inside(&e.event.on_behalf_of, performer_kind);
    "on_behalf_of_id" "on_behalf_of.id" = |e| inside(&e.event.on_behalf_of, |p| text(&p.id));
    "on_behalf_of_label" "on_behalf_of.label" = |e| inside(&e.event.on_behalf_of, |p| text(&p.label));
    "on_behalf_of_email" "on_behalf_of.email" = |e| inside(&e.event.on_behalf_of, |p| text(&p.email));
    "on_behalf_of_org" "on_behalf_of.org" = |e| inside(&e.event.on_behalf_of, |p| text(&p.org));
    "on_behalf_of_external_ref" "on_behalf_of.external_ref" = |e| inside(&e.event.on_behalf_of, |p| text(&p.external_ref));
    "subject_kind" "subject.kind" = |e| inside(&e.event.subject, subject_kind);
    "subject_id" "subject.id" = |e| inside(&e.event.subject, |s| text(&s.id));
    "subject_label" "subject.label" = |e| inside(&e.event.subject, |s| text(&s.label));
    "subject_external_ref" "subject.external_ref" = |e| inside(&e.event.subject, |s| text(&s.external_ref));
    "targets_json" "targets" = |e| json(&e.event.targets);
    "outcome" "outcome" = outcome;
    "reason" "reason" = |e| text(&e.event.reason);
    "source" "source" = |e| text(&e.event.source);
    "metadata_json" "metadata" = |e| json(&e.event.metadata);
    "changes_json" "changes" = |e| json(&e.event.changes);
    "context_ip" "context.ip" = |e| inside(&e.event.context, |c| text(&c.ip));
    "context_user_agent" "context.user_agent" = |e| inside(&e.event.context, |c| text(&c.user_agent));
    "context_fingerprint" "context.fingerprint" = |e| inside(&e.event.context, |c| text(&c.fingerprint));
    "context_geo" "context.geo" = |e| inside(&e.event.context, |c| text(&c.geo));
    "context_request_id" "context.request_id" = |e| inside(&e.event.context, |c| text(&c.request_id));
    "context_session_id" "context.session_id" = |e| inside(&e.event.context, |c| text(&c.session_id));
    "context_further_json" "context.further" = |e| inside(&e.event.context, further);
    "batch" "batch" = |e| text(&e.event.batch);
    "caused_by" "caused_by" = |e| text(&e.event.caused_by);
    "correlation" "correlation" = |e| text(&e.event.correlation);
    "origin_store" "origin.store" = |e| inside(&e.event.origin, |o| text(&o.store));
    "origin_id" "origin.id" = |e| inside(&e.event.origin, |o| text(&o.id));
    "origin_seq" "origin.seq" = |e| inside(&e.event.origin, |o| shown(&o.seq));
    "origin_recorded_at" "origin.recorded_at" = |e| inside(&e.event.origin, |o| shown(&o.recorded_at));
    "key" "key" = |e| text(&e.event.key);
    "data_json" "data" = |e| json(&e.event.data);
];

/// Columns of [`super::Layout::Entries`]: the nine that its readers know, then those they may
/// meet, then what is left of an event.
pub(super) const ENTRIES: &[Column] = columns![
    "id" "id" = public_id;
    "type" "type" = |e| Cell::Text(Cow::Borrowed(&e.event.event_type));
    "occurred_at" "occurred_at" = |e| Cell::Text(Cow::Owned(e.occurred_at.to_string()));
    "actor_kind" "performer.kind" = |e| inside(&e.event.performer, performer_kind);
    "actor_id" "performer.id" = |e| inside(&e.event.performer, |p| text(&p.id));
    "target_kind" "subject.kind" = |e| inside(&e.event.subject, subject_kind);
    "target_id" "subject.id" = |e| inside(&e.event.subject, |s| text(&s.id));
    "outcome" "outcome" = outcome;
    "context_ip" "context.ip" = |e| inside(&e.event.context, |c| text(&c.ip));
    "actor_label" "performer.label" = |e| inside(&e.event.performer, |p| text(&p.label));
    "actor_email" "performer.email" = |e| inside(&e.event.performer, |p| text(&p.email));
    "target_label" "subject.label" = |e| inside(&e.event.subject, |s| text(&s.label));
    "context_user_agent" "context.user_agent" = |e| inside(&e.event.context, |c| text(&c.user_agent));
    "context_fingerprint" "context.fingerprint" = |e| inside(&e.event.context, |c| text(&c.fingerprint));
    "context_geo" "context.geo" = |e| inside(&e.event.context, |c| text(&c.geo));
    "context_request_id" "context.request_id" = |e| inside(&e.event.context, |c| text(&c.request_id));
    "data_json" "data" = |e| json(&e.event.data);
    "actor_org" "performer.org" = |e| inside(&e.event.performer, |p| text(&p.org));
    "actor_external_ref" "performer.external_ref" = |e| inside(&e.event.performer, |p| text(&p.external_ref));
    "target_external_ref" "subject.external_ref" = |e| inside(&e.event.subject, |s| text(&s.external_ref));
    "context_session_id" "context.session_id" = |e| inside(&e.event.context, |c| text(&c.session_id));
    "context_further_json" "context.further" = |e| inside(&e.event.context, further);
    "event_id" "event_id" = own_id;
    "seq" "seq" = |e| Cell::Text(Cow::Owned(e.seq.to_string()));
    "sub_type" "sub_type" = |e| text(&e.event.sub_type);
    "offset" "offset" = |e| shown(&e.event.offset);
    "recorded_at" "recorded_at" = |e| Cell::Text(Cow::Owned(e.recorded_at.to_string()));
    "org" "org" = |e| text(&e.event.org);
    "on_behalf_of_json" "on_behalf_of" = |e| json(&e.event.on_behalf_of);
    "targets_json" "targets" = |e| json(&e.event.targets);
    "reason" "reason" = |e| text(&e.event.reason);
    "source" "source" = |e| text(&e.event.source);
    "metadata_json" "metadata" = |e| json(&e.event.metadata);
    "changes_json" "changes" = |e| json(&e.event.changes);
    "batch" "batch" = |e| text(&e.event.batch);
    "caused_by" "caused_by" = |e| text(&e.event.caused_by);
    "correlation" "correlation" = |e| text(&e.event.correlation);
    "origin_json" "origin" = |e| json(&e.event.origin);
    "key" "key" = |e| text(&e.event.key);
];

fn performer_kind(performer: &Performer) -> Cell<'_> {
    Cell::Text(Cow::Borrowed(&performer.kind))
}

fn subject_kind(subject: &Subject) -> Cell<'_> {
    Cell::Text(Cow::Borrowed(&subject.kind))
}

fn outcome(event: &StoredEvent) -> Cell<'_> {
    match &event.event.outcome {
        Field::Absent => Cell::Absent,
        Field::Null => Cell::Null,
        Field::Value(outcome) => Cell::Text(Cow::Borrowed(outcome.as_str())),
    }
}
