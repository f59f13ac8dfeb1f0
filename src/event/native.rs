//! The serde form of events: one object with the keys of the canonical line, in its order.
//! Written by hand around one borrowed and one owned mirror, because the store's own keys stand
//! between the application's.

use core::fmt;
use core::marker::PhantomData;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::Error as _;
use serde::de::MapAccess;
use serde::de::value::MapAccessDeserializer;
use serde_json::value::RawValue;

use super::Change;
use super::Context;
use super::Event;
use super::Field;
use super::Json;
use super::Metadata;
use super::Origin;
use super::Outcome;
use super::Performer;
use super::StoredEvent;
use super::Subject;
use super::Target;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::id::EventId;
use crate::id::Sequence;
use crate::time::Time;

/// One native line as it may come: application-set keys, and the store's own where it has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Line {
    id: Field<String>,
    seq: Field<u64>,
    #[serde(rename = "type")]
    event_type: Option<String>,
    sub_type: Field<String>,
    occurred_at: Field<WrittenTime>,
    offset: Field<i32>,
    recorded_at: Field<Time>,
    org: Field<String>,
    performer: Field<Object<Performer>>,
    on_behalf_of: Field<Object<Performer>>,
    subject: Field<Object<Subject>>,
    targets: Field<Vec<Object<Target>>>,
    outcome: Field<Outcome>,
    reason: Field<String>,
    source: Field<String>,
    metadata: Field<Metadata>,
    changes: Field<Vec<Object<Change>>>,
    context: Field<Context>,
    batch: Field<String>,
    caused_by: Field<String>,
    correlation: Field<String>,
    origin: Field<Object<Origin>>,
    key: Field<String>,
    data: Field<Json>,
}

/// The same line, borrowed, for writing.
#[derive(Serialize)]
struct LineRef<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(rename = "type")]
    event_type: &'a str,
    #[serde(skip_serializing_if = "Field::is_absent")]
    sub_type: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    occurred_at: Field<Time>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    offset: &'a Field<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_at: Option<Time>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    org: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    performer: &'a Field<Performer>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    on_behalf_of: &'a Field<Performer>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    subject: &'a Field<Subject>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    targets: &'a Field<Vec<Target>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    outcome: &'a Field<Outcome>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    reason: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    source: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    metadata: &'a Field<Metadata>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    changes: &'a Field<Vec<Change>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    context: &'a Field<Context>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    batch: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    caused_by: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    correlation: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    origin: &'a Field<Origin>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    key: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    data: &'a Field<Json>,
}

/// An event, and the id, seq and recording time that another store gave it.
type Parts = (Event, Field<String>, Field<u64>, Field<Time>);

/// A time together with the offset it was written in.
struct WrittenTime(Time, Option<i32>);

/// Reads an object and nothing else. The derived readers would also take an array of the values in
/// order, and so give a line of one meaning a second spelling.
struct Object<T>(T);

impl<T> Object<T> {
    fn into_inner(self) -> T {
        self.0
    }

    fn into_list(list: Vec<Object<T>>) -> Vec<T> {
        list.into_iter().map(Object::into_inner).collect()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        struct Visitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = Object<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Visitor(PhantomData))
    }
}

impl Line {
    /// The event, and the names another store gave it, if the line has them.
    fn into_parts(self) -> Result<Parts, String> {
        let written = match &self.occurred_at {
            Field::Value(WrittenTime(_, Some(offset))) => Field::Value(*offset),
            _ => Field::Absent,
        };
        let offset = match (self.offset, written) {
            (Field::Value(given), Field::Value(written)) if given != written => {
                return Err("offset: differs from the offset occurred_at is written in".to_owned());
            }
            (Field::Absent, written) => written,
            (given, _) => given,
        };
        let event = Event {
            event_type: self.event_type.ok_or("type: missing")?,
            sub_type: self.sub_type,
            occurred_at: match self.occurred_at {
                Field::Value(WrittenTime(time, _)) => Field::Value(time),
                Field::Absent => Field::Absent,
                Field::Null => Field::Null,
            },
            offset,
            org: self.org,
            performer: self.performer.map(Object::into_inner),
            on_behalf_of: self.on_behalf_of.map(Object::into_inner),
            subject: self.subject.map(Object::into_inner),
            targets: self.targets.map(Object::into_list),
            outcome: self.outcome,
            reason: self.reason,
            source: self.source,
            metadata: self.metadata,
            changes: self.changes.map(Object::into_list),
            context: self.context,
            batch: self.batch,
            caused_by: self.caused_by,
            correlation: self.correlation,
            origin: self.origin.map(Object::into_inner),
            key: self.key,
            data: self.data,
        };
        Ok((event, self.id, self.seq, self.recorded_at))
    }
}

impl<'a> LineRef<'a> {
    fn new(event: &'a Event) -> LineRef<'a> {
        LineRef {
            id: None,
            seq: None,
            event_type: &event.event_type,
            sub_type: &event.sub_type,
            occurred_at: event.occurred_at,
            offset: &event.offset,
            recorded_at: None,
            org: &event.org,
            performer: &event.performer,
            on_behalf_of: &event.on_behalf_of,
            subject: &event.subject,
            targets: &event.targets,
            outcome: &event.outcome,
            reason: &event.reason,
            source: &event.source,
            metadata: &event.metadata,
            changes: &event.changes,
            context: &event.context,
            batch: &event.batch,
            caused_by: &event.caused_by,
            correlation: &event.correlation,
            origin: &event.origin,
            key: &event.key,
            data: &event.data,
        }
    }
}

impl Event {
    /// Reads a native line of any store: names that store gave the event go to [`Event::origin`],
    /// unless the line already carries an origin, which is kept as the older name. What the fields
    /// hold is checked by [`Event::validate`], not here.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the line is not one native event, the message beginning with the
    /// field that is wrong, or with `line` when the whole is no JSON object.
    ///
    /// ```
    /// use auditdb::Event;
    ///
    /// let event = Event::from_native_line(r#"{"type":"user.login","seq":7,"reason":""}"#)?;
    /// assert_eq!(event.reason.as_deref(), Some(""));
    /// assert_eq!(event.origin.value().and_then(|origin| origin.seq.value()), Some(&7));
    ///
    /// let error = Event::from_native_line(r#"{"type":"user.login","org":7}"#).unwrap_err();
    /// assert!(error.to_string().starts_with("org: "));
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn from_native_line(line: &str) -> Result<Event, Error> {
        let refuse = |what: String| Error::new(ErrorKind::Invalid, what);
        let line: Object<Line> = serde_json::from_str(line)
            .map_err(|error| Error::invalid(member_at(line, &error), error))?;
        let line = line.into_inner();
        let (event, id, seq, recorded_at) = line.into_parts().map_err(refuse)?;
        Ok(event.named(id, seq, recorded_at))
    }

    /// The event with what a store called it for its origin, unless the line tells one.
    pub(crate) fn named(
        mut self,
        id: Field<String>,
        seq: Field<u64>,
        recorded_at: Field<Time>,
    ) -> Event {
        let named = !(id.is_absent() && seq.is_absent() && recorded_at.is_absent());
        if self.origin.is_absent() && named {
            self.origin = Field::Value(Origin {
                store: Field::Absent,
                id,
                seq,
                recorded_at,
            });
        }
        self
    }
}

/// The member of `line` that `error` is about, as far as its position and its words tell.
fn member_at(line: &str, error: &serde_json::Error) -> String {
    let known: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(line).ok();
    let known = known.filter(|_| error.line() == 1).unwrap_or_default();
    // An error in a value is reported at a byte of it or right behind it; one about a key, such as
    // a key that nobody knows, before its value begins, and quotes the key.
    let inside = known.iter().find(|(_, value)| {
        let start = value.get().as_ptr().addr() - line.as_ptr().addr();
        (start..=start + value.get().len() + 1).contains(&error.column())
    });
    if let Some((name, _)) = inside {
        return name.clone();
    }
    let words = error.to_string();
    let quoted = words.split('`').nth(1);
    quoted
        .filter(|_| !known.is_empty())
        .unwrap_or("line")
        .to_owned()
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        LineRef::new(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Event, D::Error> {
        let (event, id, seq, recorded_at) = Object::<Line>::deserialize(deserializer)?
            .into_inner()
            .into_parts()
            .map_err(D::Error::custom)?;
        for (name, absent) in [
            ("id", id.is_absent()),
            ("seq", seq.is_absent()),
            ("recorded_at", recorded_at.is_absent()),
        ] {
            if !absent {
                return Err(D::Error::custom(format_args!(
                    "{name}: set by the store; leave it out"
                )));
            }
        }
        Ok(event)
    }
}

impl Serialize for StoredEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        LineRef {
            id: Some(self.id.to_string()),
            seq: Some(self.seq.0),
            occurred_at: Field::Value(self.occurred_at),
            recorded_at: Some(self.recorded_at),
            ..LineRef::new(&self.event)
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StoredEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StoredEvent, D::Error> {
        let (event, id, seq, recorded_at) = Object::<Line>::deserialize(deserializer)?
            .into_inner()
            .into_parts()
            .map_err(D::Error::custom)?;
        let missing = |name: &str| D::Error::custom(format_args!("{name}: missing"));
        let id: EventId = id
            .as_deref()
            .ok_or_else(|| missing("id"))?
            .parse()
            .map_err(D::Error::custom)?;
        let seq = Sequence(*seq.value().ok_or_else(|| missing("seq"))?);
        let occurred_at = *event
            .occurred_at
            .value()
            .ok_or_else(|| missing("occurred_at"))?;
        let recorded_at = *recorded_at.value().ok_or_else(|| missing("recorded_at"))?;
        let stored = StoredEvent {
            id,
            seq,
            occurred_at,
            recorded_at,
            event,
        };
        if stored.position() != id.position() {
            return Err(D::Error::custom("id: does not fit occurred_at and seq"));
        }
        Ok(stored)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        WrittenTime::deserialize(deserializer).map(|written| written.0)
    }
}

impl<'de> Deserialize<'de> for WrittenTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WrittenTime, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let refuse = |error| D::Error::custom(format_args!("{text:?} is {error}"));
        Time::parse_with_offset(&text)
            .map(|(time, offset)| WrittenTime(time, offset))
            .map_err(refuse)
    }
}
