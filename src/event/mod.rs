//! One audit event: who did what to what, when, and how it ended.
//! The types here are what an application fills and gets back; their serde form is the native
//! line. Absent, null and empty are three different things in every optional field.

mod field;
mod json;
mod native;
mod outside;
mod pairs;
mod shown;
mod validate;

pub use field::Field;
pub use json::Json;
pub(crate) use json::clean_bytes;
pub(crate) use json::compact_json_bytes;
pub use outside::EXTERNAL_KIND;
pub use outside::EXTERNAL_ORG_USER;
pub use pairs::Context;
pub use pairs::Metadata;
pub use shown::MULTIPLE_ATTRIBUTES;
pub use shown::ShownName;
pub use shown::kind_words;

use crate::error::Result;
use crate::id::EventId;
use crate::id::Position;
use crate::id::Sequence;
use crate::time::Time;

/// An event as the application describes it, before the store gives it a place.
///
/// ```
/// use auditdb::{Event, Outcome, Performer, Subject};
///
/// let event = Event::new("user.updated")
///     .performer(Performer::new("user").id("u7").label("Ada"))
///     .subject(Subject::new("user").id("u12"))
///     .outcome(Outcome::Success)
///     .change("email", "\"a@example.org\"", "\"b@example.org\"")?
///     .metadata("ticket", "4711");
/// event.validate()?;
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// What happened: a dotted slug such as `user.updated`, 1 to 256 bytes.
    pub event_type: String,
    /// A finer word below the type, such as `created`.
    pub sub_type: Field<String>,
    /// When it happened; the moment of the append where absent.
    pub occurred_at: Field<Time>,
    /// Minutes east of UTC in which the source told the time, only if it did.
    pub offset: Field<i32>,
    /// The organisation in whose trail the event stands.
    pub org: Field<String>,
    /// Who did it.
    pub performer: Field<Performer>,
    /// For whom the performer acted, as in impersonation.
    pub on_behalf_of: Field<Performer>,
    /// What was changed.
    pub subject: Field<Subject>,
    /// What else was touched.
    pub targets: Field<Vec<Target>>,
    /// How it ended.
    pub outcome: Field<Outcome>,
    /// Why it ended so, as a code or in words.
    pub reason: Field<String>,
    /// The system that reported it.
    pub source: Field<String>,
    /// The application's own indexed pairs, in its own order.
    pub metadata: Field<Metadata>,
    /// What was changed from what to what.
    pub changes: Field<Vec<Change>>,
    /// Where it came from on the network.
    pub context: Field<Context>,
    /// A name that the events of one happening share.
    pub batch: Field<String>,
    /// The id of the event that led to this one; in a batch also `#n`, its n-th event counted from 0.
    pub caused_by: Field<String>,
    /// A name that the events of one longer story share.
    pub correlation: Field<String>,
    /// What the event was called in the store it was imported from.
    pub origin: Field<Origin>,
    /// Idempotency: appending the same key and content again appends nothing.
    pub key: Field<String>,
    /// Anything else, as JSON, byte for byte.
    pub data: Field<Json>,
}

/// An event with what the store gave it. Its serde form is the native line.
///
/// ```
/// let line = r#"{"id":"evt_01KRTF5Z7T0000000000000007","seq":7,"type":"user.login","occurred_at":"2026-05-17T08:00:00.250000Z","recorded_at":"2026-05-17T08:00:01.000000Z","data":1.50}"#;
/// let stored: auditdb::StoredEvent = serde_json::from_str(line)?;
/// assert_eq!(stored.position(), stored.id.position());
/// assert_eq!(serde_json::to_string(&stored)?, line);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// The event's public name.
    pub id: EventId,
    /// Its place in commit order.
    pub seq: Sequence,
    /// When it happened, never absent any more.
    pub occurred_at: Time,
    /// When the store accepted it; never decreases with `seq`.
    pub recorded_at: Time,
    /// What the application said.
    pub event: Event,
}

/// Who did something.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Performer {
    /// `user`, `system`, `application`, `anonymous`, `unknown`, or the application's own word.
    pub kind: String,
    /// The performer's name within its kind.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub id: Field<String>,
    /// What people called it at the time.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub label: Field<String>,
    /// Its e-mail address at the time.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub email: Field<String>,
    /// The organisation it belongs to.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub org: Field<String>,
    /// Its name in another system.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub external_ref: Field<String>,
}

/// What was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The application's word for things of this sort, such as `user` or `invoice`.
    pub kind: String,
    /// The subject's name within its kind.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub id: Field<String>,
    /// What people called it at the time.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub label: Field<String>,
    /// Its name in another system.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub external_ref: Field<String>,
}

/// What else was touched.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The application's word for things of this sort.
    pub kind: String,
    /// The target's name within its kind.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub id: Field<String>,
    /// What people called it at the time.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub label: Field<String>,
}

/// One attribute's change.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Which attribute, such as `email` or `roles.admin`.
    pub path: String,
    /// Its value before; absent if there was none.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub before: Field<Json>,
    /// Its value after; absent if there is none.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub after: Field<Json>,
}

/// What an imported event was called where it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The other store's name.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub store: Field<String>,
    /// The event's id there, verbatim.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub id: Field<String>,
    /// Its place in commit order there.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub seq: Field<u64>,
    /// When it was accepted there.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub recorded_at: Field<Time>,
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was tried and did not work.
    Failure,
    /// It was not allowed.
    Denied,
    /// Some of it was done.
    Partial,
    /// The source does not say.
    Unknown,
}

impl StoredEvent {
    /// The event's place in reading order.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            occurred_at: self.occurred_at,
            seq: self.seq,
        }
    }
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 5] = [
        Outcome::Success,
        Outcome::Failure,
        Outcome::Denied,
        Outcome::Partial,
        Outcome::Unknown,
    ];

    /// The word of the native line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
            Outcome::Denied => "denied",
            Outcome::Partial => "partial",
            Outcome::Unknown => "unknown",
        }
    }
}

/// Setters that take whatever turns into the field's value.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $value:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: impl Into<$value>) -> Self {
            self.$name = Field::Value($name.into());
            self
        }
    )*};
}

impl Event {
    /// An event of `event_type` with everything else absent.
    #[must_use]
    pub fn new(event_type: impl Into<String>) -> Event {
        Event {
            event_type: event_type.into(),
            ..Event::default()
        }
    }

    setters! {
        /// Sets [`Event::sub_type`].
        sub_type: String;
        /// Sets [`Event::occurred_at`].
        occurred_at: Time;
        /// Sets [`Event::offset`], in minutes east of UTC.
        offset: i32;
        /// Sets [`Event::org`].
        org: String;
        /// Sets [`Event::performer`].
        performer: Performer;
        /// Sets [`Event::on_behalf_of`].
        on_behalf_of: Performer;
        /// Sets [`Event::subject`].
        subject: Subject;
        /// Sets [`Event::targets`].
        targets: Vec<Target>;
        /// Sets [`Event::outcome`].
        outcome: Outcome;
        /// Sets [`Event::reason`].
        reason: String;
        /// Sets [`Event::source`].
        source: String;
        /// Sets [`Event::context`].
        context: Context;
        /// Sets [`Event::batch`].
        batch: String;
        /// Sets [`Event::caused_by`].
        caused_by: String;
        /// Sets [`Event::correlation`].
        correlation: String;
        /// Sets [`Event::origin`].
        origin: Origin;
        /// Sets [`Event::key`].
        key: String;
    }

    /// Adds a metadata pair after those that are there.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Event {
        self.metadata.get_or_insert_default().push(key, value);
        self
    }

    /// Adds a change of `path`; `before` and `after` are JSON texts, so that a text is written in
    /// quotation marks: `"\"a@example.org\""`. `""` means absent and `null` is [`Field::Null`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] when a text is not one JSON value.
    pub fn change(mut self, path: impl Into<String>, before: &str, after: &str) -> Result<Event> {
        let path = path.into();
        let value = |side: &str, text: &str| match text {
            "" => Ok(Field::Absent),
            text => Json::of_field(side, text)
                .map(Json::into_field)
                .map_err(|error| {
                    let advice = format!("in the change of {path:?}; a text takes quotation marks");
                    error.with_advice(&advice)
                }),
        };
        let (before, after) = (value("before", before)?, value("after", after)?);
        let change = Change {
            path,
            before,
            after,
        };
        self.changes.get_or_insert_default().push(change);
        Ok(self)
    }

    /// Sets [`Event::data`] from a JSON text; `null` is [`Field::Null`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] when the text is not one JSON value.
    pub fn data(mut self, json: &str) -> Result<Event> {
        self.data = Json::of_field("data", json)?.into_field();
        Ok(self)
    }

    /// Checks every rule of the fields; the store does so on append.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`], its message beginning with the field that breaks a rule.
    pub fn validate(&self) -> Result<()> {
        validate::event(self)
    }
}

impl Performer {
    /// A performer of `kind` with everything else absent.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Performer {
        Performer {
            kind: kind.into(),
            ..Performer::default()
        }
    }

    setters! {
        /// Sets [`Performer::id`].
        id: String;
        /// Sets [`Performer::label`].
        label: String;
        /// Sets [`Performer::email`].
        email: String;
        /// Sets [`Performer::org`].
        org: String;
        /// Sets [`Performer::external_ref`].
        external_ref: String;
    }
}

impl Subject {
    /// A subject of `kind` with everything else absent.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Subject {
        Subject {
            kind: kind.into(),
            ..Subject::default()
        }
    }

    setters! {
        /// Sets [`Subject::id`].
        id: String;
        /// Sets [`Subject::label`].
        label: String;
        /// Sets [`Subject::external_ref`].
        external_ref: String;
    }
}

impl Target {
    /// A target of `kind` with everything else absent.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Target {
        Target {
            kind: kind.into(),
            ..Target::default()
        }
    }

    setters! {
        /// Sets [`Target::id`].
        id: String;
        /// Sets [`Target::label`].
        label: String;
    }
}
