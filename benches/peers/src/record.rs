//! The one application struct that every contender fills for every row it returns: all fields
//! owned, nested ones as JSON text, which is how a table keeps them.

use auditdb::Field;
use auditdb::StoredEvent;
use sha2::Digest;
use sha2::Sha256;

#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Record {
    pub seq: i64,
    pub ts: i64,
    pub external_id: String,
    pub request_id: String,
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

fn owned(field: Field<String>) -> Option<String> {
    match field {
        Field::Value(value) => Some(value),
        Field::Absent | Field::Null => None,
    }
}

fn json<T: serde::Serialize>(field: &Field<T>) -> Option<String> {
    field
        .value()
        .map(|value| serde_json::to_string(value).expect("an event is JSON"))
}

impl Record {
    /// Takes a stored event apart; texts move, nested fields are written as JSON.
    pub fn from_stored(stored: StoredEvent) -> Record {
        let event = stored.event;
        let mut record = Record {
            seq: stored.seq.0 as i64,
            ts: stored.occurred_at.as_micros(),
            event_type: event.event_type,
            sub_type: owned(event.sub_type),
            org: owned(event.org).unwrap_or_default(),
            source: owned(event.source).unwrap_or_default(),
            outcome: event.outcome.value().map_or("", |o| o.as_str()).to_owned(),
            reason: owned(event.reason),
            on_behalf_of: json(&event.on_behalf_of),
            targets: json(&event.targets),
            metadata: json(&event.metadata).unwrap_or_default(),
            changes: json(&event.changes),
            data: event.data.value().map(|data| data.as_str().to_owned()),
            ..Record::default()
        };
        if let Some(metadata) = event.metadata.value() {
            record.entity = metadata.get("entity_id").unwrap_or_default().to_owned();
        }
        if let Field::Value(performer) = event.performer {
            record.performer_kind = performer.kind;
            record.performer_id = owned(performer.id).unwrap_or_default();
            record.performer_label = owned(performer.label);
            record.performer_email = owned(performer.email);
        }
        if let Field::Value(subject) = event.subject {
            record.subject_kind = subject.kind;
            record.subject_id = owned(subject.id).unwrap_or_default();
            record.subject_label = owned(subject.label).unwrap_or_default();
        }
        if let Field::Value(context) = event.context {
            record.ip = owned(context.ip).unwrap_or_default();
            record.user_agent = owned(context.user_agent).unwrap_or_default();
            record.request_id = owned(context.request_id).unwrap_or_default();
        }
        if let Field::Value(origin) = event.origin {
            record.external_id = owned(origin.id).unwrap_or_default();
        }
        record
    }
}

/// A digest of rows in their order, all fields counted.
#[derive(Default)]
pub struct Rows {
    hash: Sha256,
    pub count: u64,
}

impl Rows {
    pub fn add(&mut self, record: &Record) {
        self.hash
            .update(serde_json::to_vec(record).expect("a record is JSON"));
        self.hash.update(b"\n");
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
