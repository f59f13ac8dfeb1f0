//! The layouts for people: columns as data, each with the key of its heading and how it reads an
//! event for an audience. What people see stands first; what identifies it, which no language
//! changes, follows, so that each row leads back to its event. New columns come behind the last.

use std::borrow::Cow;

use super::Audience;
use super::csv::CsvSafety;
use super::csv::Record;
use crate::event::Change;
use crate::event::Field;
use crate::event::Json;
use crate::event::Performer;
use crate::event::StoredEvent;
use crate::event::Subject;

/// One column.
pub(super) struct Shown {
    /// What the catalogues call its heading.
    heading: &'static str,
    read: for<'a> fn(&'a StoredEvent, &'a Audience) -> Cow<'a, str>,
}

macro_rules! shown {
    ($($heading:literal = $read:expr;)*) => {
        &[$(Shown { heading: $heading, read: $read }),*]
    };
}

/// Columns of [`super::Layout::Trail`]: when, what, what happened to it and who did it, as people
/// read a trail, and what else there is to know of an event.
pub(super) const TRAIL: &[Shown] = shown![
    "date_and_time" = local_time;
    "subject" = subject;
    "event" = |e, a| a.type_label(&e.event.event_type).into();
    "performed_by" = performed_by;
    "date_and_time_utc" = |e, _| e.occurred_at.to_string().into();
    "details" = details;
    "outcome" = |e, a| a.outcome(e.event.outcome.value().copied()).into();
    "reason" = |e, _| text(&e.event.reason);
    "on_behalf_of" = |e, a| {
        e.event.on_behalf_of.value().map_or(NOTHING, |whom| a.name(whom.shown_name()).into())
    };
    "ip_address" = ip_address;
    "organization" = |e, _| text(&e.event.org);
    "type" = |e, _| (&e.event.event_type).into();
    "sub_type" = |e, _| text(&e.event.sub_type);
    "system_source" = |e, _| text(&e.event.source);
    "subject_kind" = |e, _| inside(&e.event.subject, |what| (&what.kind).into());
    "subject_id" = |e, _| inside(&e.event.subject, |what| text(&what.id));
    "subject_reference" = |e, _| inside(&e.event.subject, |what| text(&what.external_ref));
    "performer_kind" = |e, _| inside(&e.event.performer, |who| (&who.kind).into());
    "performer_id" = |e, _| inside(&e.event.performer, |who| text(&who.id));
    "targets" = |e, _| json(&e.event.targets);
    "metadata" = |e, _| json(&e.event.metadata);
    "changes" = |e, _| json(&e.event.changes);
    "data" = |e, _| json(&e.event.data);
    "event_id" = |e, _| e.id.to_string().into();
    "sequence" = |e, _| e.seq.to_string().into();
];

/// Columns of [`super::Layout::Sentinel`]: those by which the events of an entity's audit are asked
/// for, and what else there is to know of one.
pub(super) const SENTINEL: &[Shown] = shown![
    "date_and_time" = local_time;
    "type" = |e, _| (&e.event.event_type).into();
    "sub_type" = |e, _| text(&e.event.sub_type);
    "system_source" = |e, _| text(&e.event.source);
    "auditee_id" = |e, _| inside(&e.event.performer, |who| text(&who.id));
    "entity_id" = |e, _| pair(e, "entity_id");
    "assessment_id" = |e, _| pair(e, "assessment_id");
    "task_id" = |e, _| pair(e, "task_id");
    "workflow_instance_id" = |e, _| pair(e, "workflow_instance_id");
    "screening_application_id" = |e, _| pair(e, "screening_application_id");
    "screening_config_id" = |e, _| pair(e, "screening_config_id");
    "match_id" = |e, _| pair(e, "match_id");
    "inquiry_id" = |e, _| pair(e, "inquiry_id");
    "tag" = |e, _| pair(e, "tag");
    "cache_id" = |e, _| pair(e, "cache_id");
    "workflow_step" = |e, _| pair(e, "workflow_step");
    "date_and_time_utc" = |e, _| e.occurred_at.to_string().into();
    "event" = |e, a| a.type_label(&e.event.event_type).into();
    "performed_by" = performed_by;
    "subject" = subject;
    "details" = details;
    "outcome" = |e, a| a.outcome(e.event.outcome.value().copied()).into();
    "reason" = |e, _| text(&e.event.reason);
    "ip_address" = ip_address;
    "performer_kind" = |e, _| inside(&e.event.performer, |who| (&who.kind).into());
    "subject_kind" = |e, _| inside(&e.event.subject, |what| (&what.kind).into());
    "subject_id" = |e, _| inside(&e.event.subject, |what| text(&what.id));
    "metadata" = |e, _| json(&e.event.metadata);
    "changes" = |e, _| json(&e.event.changes);
    "data" = |e, _| json(&e.event.data);
    "event_id" = |e, _| e.id.to_string().into();
    "sequence" = |e, _| e.seq.to_string().into();
];

/// What an absent field shows; what tells it from null and empty is in the layouts for programs.
const NOTHING: Cow<'static, str> = Cow::Borrowed("");

/// What an event shows an audience, by what the catalogues call the headings.
pub(super) fn cells<'a>(
    columns: &'static [Shown],
    event: &'a StoredEvent,
    audience: &'a Audience,
) -> impl Iterator<Item = (&'static str, Cow<'a, str>)> {
    let cell = move |column: &Shown| (column.heading, (column.read)(event, audience));
    columns.iter().map(cell)
}

/// Writes the CSV line that names the columns.
pub(super) fn header(columns: &[Shown], audience: &Audience, out: &mut Vec<u8>) {
    let mut record = Record::new(CsvSafety::Raw, out);
    for column in columns {
        record.cell(audience.locale().heading(column.heading));
    }
    record.end();
}

/// Writes what an event shows as a CSV record.
pub(super) fn record<'a>(
    cells: impl Iterator<Item = (&'static str, Cow<'a, str>)>,
    safety: CsvSafety,
    out: &mut Vec<u8>,
) {
    let mut record = Record::new(safety, out);
    for (_, cell) in cells {
        record.cell(&cell);
    }
    record.end();
}

fn local_time<'a>(event: &'a StoredEvent, audience: &'a Audience) -> Cow<'a, str> {
    audience.zone.show(event.occurred_at).into()
}

fn subject<'a>(event: &'a StoredEvent, audience: &'a Audience) -> Cow<'a, str> {
    let subject = event.event.subject.value().map(Subject::shown_name);
    subject.map_or(NOTHING, |name| audience.name(name).into())
}

fn performed_by<'a>(event: &'a StoredEvent, audience: &'a Audience) -> Cow<'a, str> {
    let performer = event.event.performer.value().map(Performer::shown_name);
    performer.map_or(NOTHING, |name| audience.name(name).into())
}

/// What was changed: the values where it was one attribute, and that there were several where there
/// were; `changes` then has all of them.
fn details<'a>(event: &'a StoredEvent, audience: &'a Audience) -> Cow<'a, str> {
    if event.event.changes_several() {
        return audience.phrase("multiple_attributes").into();
    }
    let changes = event.event.changes.value().map_or(&[][..], Vec::as_slice);
    let told: Vec<String> = changes.iter().map(change).collect();
    told.join("; ").into()
}

fn change(change: &Change) -> String {
    let value = |value: &Field<Json>, before: &str, behind: &str| match value {
        Field::Absent => String::new(),
        Field::Null => format!("{before}null{behind}"),
        Field::Value(json) => format!("{before}{}{behind}", json.as_str()),
    };
    let (from, to) = (&change.before, &change.after);
    let (from, to) = (value(from, "", " "), value(to, " ", ""));
    format!("{}: {from}→{to}", change.path)
}

fn ip_address<'a>(event: &'a StoredEvent, _: &'a Audience) -> Cow<'a, str> {
    inside(&event.event.context, |context| text(&context.ip))
}

/// The value of a metadata key.
fn pair<'a>(event: &'a StoredEvent, key: &str) -> Cow<'a, str> {
    let value = event
        .event
        .metadata
        .value()
        .and_then(|pairs| pairs.get(key));
    value.map_or(NOTHING, Cow::Borrowed)
}

fn text(field: &Field<String>) -> Cow<'_, str> {
    field.as_deref().map_or(NOTHING, Cow::Borrowed)
}

fn inside<T>(object: &Field<T>, read: fn(&T) -> Cow<'_, str>) -> Cow<'_, str> {
    object.value().map_or(NOTHING, read)
}

fn json<T: serde::Serialize>(field: &Field<T>) -> Cow<'static, str> {
    let json = field
        .value()
        .and_then(|value| serde_json::to_string(value).ok());
    json.map_or(NOTHING, Cow::Owned)
}
