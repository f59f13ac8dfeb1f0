//! The `entries` layout as JSON: the eight keys its readers know come first and are spelled as they
//! know them, fields that have no such key follow under their native names, and then what the store
//! says of the event. The id is the one the event was imported with, where it was.

use serde::Serialize;

use crate::event::Change;
use crate::event::Context;
use crate::event::Field;
use crate::event::Json;
use crate::event::Metadata;
use crate::event::Outcome;
use crate::event::Performer;
use crate::event::StoredEvent;
use crate::event::Subject;
use crate::event::Target;
use crate::time::Time;

/// The version of the keys that a line tells. New keys come behind the last and leave it as it is.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// One line; a key whose field is absent is left out. What stands behind `context` has no key of
/// the layout's own.
#[derive(Serialize)]
pub(super) struct Entry<'a> {
    id: String,
    #[serde(rename = "type")]
    event_type: &'a str,
    occurred_at: Time,
    #[serde(skip_serializing_if = "Field::is_absent")]
    actor: &'a Field<Performer>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    target: &'a Field<Subject>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    outcome: &'a Field<Outcome>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    data: &'a Field<Json>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    context: &'a Field<Context>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    sub_type: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    offset: &'a Field<i32>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    org: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    on_behalf_of: &'a Field<Performer>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    targets: &'a Field<Vec<Target>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    reason: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    source: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    metadata: &'a Field<Metadata>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    changes: &'a Field<Vec<Change>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    batch: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    caused_by: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    correlation: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    key: &'a Field<String>,
    seq: u64,
    recorded_at: Time,
    schema_version: u32,
}

impl<'a> Entry<'a> {
    pub(super) fn new(stored: &'a StoredEvent) -> Entry<'a> {
        let event = &stored.event;
        let origin = event.origin.value().and_then(|origin| origin.id.value());
        Entry {
            id: origin.map_or_else(|| stored.id.to_string(), String::clone),
            event_type: &event.event_type,
            occurred_at: stored.occurred_at,
            actor: &event.performer,
            target: &event.subject,
            outcome: &event.outcome,
            data: &event.data,
            context: &event.context,
            sub_type: &event.sub_type,
            offset: &event.offset,
            org: &event.org,
            on_behalf_of: &event.on_behalf_of,
            targets: &event.targets,
            reason: &event.reason,
            source: &event.source,
            metadata: &event.metadata,
            changes: &event.changes,
            batch: &event.batch,
            caused_by: &event.caused_by,
            correlation: &event.correlation,
            key: &event.key,
            seq: stored.seq.0,
            recorded_at: stored.recorded_at,
            schema_version: SCHEMA_VERSION,
        }
    }
}
