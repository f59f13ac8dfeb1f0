//! The one application struct that every contender fills for every row it returns: all fields
//! owned, nested ones as JSON text, which is how a table keeps them. Its digest is the same for
//! every contender, whatever language it is driven from.

use std::borrow::Cow;

use auditdb::Event;
use auditdb::EventView;
use auditdb::Field;
use auditdb::Time;
use serde_json::value::RawValue;
use sha2::Digest;
use sha2::Sha256;

#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Record {
    pub seq: i64,
    pub ts: i64,
    pub external_id: String,
    pub request_id: String,
    #[serde(rename = "type")]
    pub event_type: String,
    pub sub_type: Option<String>,
    pub org: String,
    pub source: String,
    pub outcome: String,
    pub reason: Option<String>,
    pub performer_kind: String,
    pub performer_id: String,
    pub performer_label: Option<String>,
    pub performer_email: Option<String>,
    pub on_behalf_of: Option<String>,
    pub subject_kind: String,
    pub subject_id: String,
    pub subject_label: String,
    pub targets: Option<String>,
    pub ip: String,
    pub user_agent: String,
    pub entity: String,
    pub metadata: String,
    pub changes: Option<String>,
    pub data: Option<String>,
}

/// The names of the columns, in the order of [`Record`]'s fields.
pub const COLUMNS: &str = "seq, ts, external_id, request_id, type, sub_type, org, source, outcome, \
    reason, performer_kind, performer_id, performer_label, performer_email, on_behalf_of, \
    subject_kind, subject_id, subject_label, targets, ip, user_agent, entity, metadata, changes, data";

/// The texts among them: all but the first two.
pub const TEXTS: usize = 23;

fn text(field: &Field<String>) -> String {
    field.value().cloned().unwrap_or_default()
}

fn json<T: serde::Serialize>(field: &Field<T>) -> Option<String> {
    field
        .value()
        .map(|value| serde_json::to_string(value).expect("an event is JSON"))
}

fn copied(field: Field<Cow<'_, str>>) -> Option<String> {
    match field {
        Field::Value(value) => Some(value.into_owned()),
        Field::Absent | Field::Null => None,
    }
}

fn kept(json: Field<&str>) -> Option<String> {
    json.value().map(|json| (*json).to_owned())
}

impl Record {
    /// What an application hands to a table for `event`.
    pub fn from_event(event: &Event, seq: i64) -> Record {
        let occurred_at = event.occurred_at.value().copied().unwrap_or(Time::MIN);
        let mut record = Record {
            seq,
            ts: occurred_at.as_micros(),
            event_type: event.event_type.clone(),
            sub_type: event.sub_type.value().cloned(),
            org: text(&event.org),
            source: text(&event.source),
            reason: event.reason.value().cloned(),
            ..Record::default()
        };
        record.nested(event);
        if let Some(performer) = event.performer.value() {
            record.performer_kind.clone_from(&performer.kind);
            record.performer_id = text(&performer.id);
            record.performer_label = performer.label.value().cloned();
            record.performer_email = performer.email.value().cloned();
        }
        if let Some(subject) = event.subject.value() {
            record.subject_kind.clone_from(&subject.kind);
            record.subject_id = text(&subject.id);
            record.subject_label = text(&subject.label);
        }
        if let Some(context) = event.context.value() {
            record.ip = text(&context.ip);
            record.user_agent = text(&context.user_agent);
            record.request_id = text(&context.request_id);
        }
        if let Some(origin) = event.origin.value() {
            record.external_id = text(&origin.id);
        }
        record
    }

    /// Takes an event apart where it lies.
    pub fn from_view(view: &EventView<'_>) -> Record {
        let mut record = Record {
            seq: view.seq().0 as i64,
            ts: view.occurred_at().as_micros(),
            event_type: view.event_type().into_owned(),
            sub_type: copied(view.sub_type()),
            org: copied(view.org()).unwrap_or_default(),
            source: copied(view.source()).unwrap_or_default(),
            outcome: view.outcome().value().map_or("", |o| o.as_str()).to_owned(),
            reason: copied(view.reason()),
            on_behalf_of: (view.on_behalf_of().value()).map(|whom| whom.json.to_owned()),
            targets: kept(view.targets_json()),
            metadata: kept(view.metadata_json()).unwrap_or_default(),
            changes: kept(view.changes_json()),
            data: kept(view.data()),
            ..Record::default()
        };
        if let Field::Value(performer) = view.performer() {
            record.performer_kind = performer.kind.into_owned();
            record.performer_id = copied(performer.id).unwrap_or_default();
            record.performer_label = copied(performer.label);
            record.performer_email = copied(performer.email);
        }
        if let Field::Value(subject) = view.subject() {
            record.subject_kind = subject.kind.into_owned();
            record.subject_id = copied(subject.id).unwrap_or_default();
            record.subject_label = copied(subject.label).unwrap_or_default();
        }
        record.ip = copied(view.context_value("ip")).unwrap_or_default();
        record.user_agent = copied(view.context_value("user_agent")).unwrap_or_default();
        record.request_id = copied(view.context_value("request_id")).unwrap_or_default();
        if let Field::Value(origin) = view.origin() {
            record.external_id = copied(origin.id).unwrap_or_default();
        }
        let entity = view.metadata_value("entity_id");
        record.entity = entity.map_or_else(String::new, Cow::into_owned);
        record
    }

    /// The fields that are no plain text in an event.
    fn nested(&mut self, event: &Event) {
        let outcome = event.outcome.value();
        outcome
            .map_or("", |outcome| outcome.as_str())
            .clone_into(&mut self.outcome);
        self.on_behalf_of = json(&event.on_behalf_of);
        self.targets = json(&event.targets);
        self.metadata = json(&event.metadata).unwrap_or_default();
        self.changes = json(&event.changes);
        self.data = event.data.value().map(|data| data.as_str().to_owned());
        if let Some(metadata) = event.metadata.value() {
            metadata
                .get("entity_id")
                .unwrap_or_default()
                .clone_into(&mut self.entity);
        }
    }

    /// Reads a native line, to compare contenders that give lines.
    pub fn from_line(line: &str) -> Record {
        let line: Line<'_> = serde_json::from_str(line).expect("a native line");
        let ts: Time = line.occurred_at.parse().expect("a time");
        let raw = |value: Option<&RawValue>| value.map(|value| value.get().to_owned());
        let metadata: std::collections::HashMap<String, String> =
            line.metadata.map_or_else(Default::default, |metadata| {
                serde_json::from_str(metadata.get()).expect("pairs")
            });
        Record {
            seq: 0,
            ts: ts.as_micros(),
            external_id: line.origin.id.unwrap_or_default(),
            request_id: line.context.request_id.unwrap_or_default(),
            event_type: line.event_type,
            sub_type: line.sub_type,
            org: line.org.unwrap_or_default(),
            source: line.source.unwrap_or_default(),
            outcome: line.outcome.unwrap_or_default(),
            reason: line.reason,
            performer_kind: line.performer.kind.unwrap_or_default(),
            performer_id: line.performer.id.unwrap_or_default(),
            performer_label: line.performer.label,
            performer_email: line.performer.email,
            on_behalf_of: raw(line.on_behalf_of),
            subject_kind: line.subject.kind.unwrap_or_default(),
            subject_id: line.subject.id.unwrap_or_default(),
            subject_label: line.subject.label.unwrap_or_default(),
            targets: raw(line.targets),
            ip: line.context.ip.unwrap_or_default(),
            user_agent: line.context.user_agent.unwrap_or_default(),
            entity: metadata.get("entity_id").cloned().unwrap_or_default(),
            metadata: raw(line.metadata).unwrap_or_default(),
            changes: raw(line.changes),
            data: raw(line.data),
        }
    }

    /// The texts in the order of [`COLUMNS`].
    pub fn texts(&self) -> [Option<&str>; TEXTS] {
        [
            Some(&self.external_id),
            Some(&self.request_id),
            Some(&self.event_type),
            self.sub_type.as_deref(),
            Some(&self.org),
            Some(&self.source),
            Some(&self.outcome),
            self.reason.as_deref(),
            Some(&self.performer_kind),
            Some(&self.performer_id),
            self.performer_label.as_deref(),
            self.performer_email.as_deref(),
            self.on_behalf_of.as_deref(),
            Some(&self.subject_kind),
            Some(&self.subject_id),
            Some(&self.subject_label),
            self.targets.as_deref(),
            Some(&self.ip),
            Some(&self.user_agent),
            Some(&self.entity),
            Some(&self.metadata),
            self.changes.as_deref(),
            self.data.as_deref(),
        ]
    }
}

/// A native line as its reader takes it apart.
#[derive(serde::Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    event_type: String,
    occurred_at: String,
    sub_type: Option<String>,
    org: Option<String>,
    source: Option<String>,
    outcome: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    performer: Who,
    #[serde(default)]
    subject: Who,
    #[serde(default)]
    context: Where,
    #[serde(default)]
    origin: Named,
    #[serde(borrow)]
    on_behalf_of: Option<&'a RawValue>,
    #[serde(borrow)]
    targets: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    changes: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Default, serde::Deserialize)]
struct Who {
    kind: Option<String>,
    id: Option<String>,
    label: Option<String>,
    email: Option<String>,
}

#[derive(Default, serde::Deserialize)]
struct Where {
    ip: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
}

#[derive(Default, serde::Deserialize)]
struct Named {
    id: Option<String>,
}

/// A digest of rows in their order: the time and all texts, `-` for an absent one and `+` before
/// each other. The number a contender gives a row is its own matter and left out.
#[derive(Default)]
pub struct Rows {
    hash: Sha256,
    count: u64,
}

impl Rows {
    pub fn add(&mut self, record: &Record) {
        let mut row = record.ts.to_string().into_bytes();
        for text in record.texts() {
            row.push(0x1f);
            match text {
                None => row.push(b'-'),
                Some(text) => {
                    row.push(b'+');
                    row.extend_from_slice(text.as_bytes());
                }
            }
        }
        row.push(0x1e);
        self.hash.update(&row);
        self.count += 1;
    }

    /// Adds a row of which only the name is at hand.
    pub fn add_name(&mut self, name: &str) {
        self.hash.update(name.as_bytes());
        self.hash.update([0x1e]);
        self.count += 1;
    }

    pub fn digest(self) -> String {
        let digest = self.hash.finalize();
        let short: String = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{}:{short}", self.count)
    }
}
