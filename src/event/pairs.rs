//! Ordered pairs of text: metadata, and the context with its well-known and further keys.
//! Order is the application's own; a key that comes twice is refused where the line is read.

use core::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::Error as _;
use serde::ser::SerializeMap;

use super::Field;
use crate::limits;

/// The application's own pairs of key and text, in its own order; every key is indexed. A key that
/// is there twice is refused when the event is appended.
///
/// ```
/// let mut metadata = auditdb::Metadata::default();
/// metadata.push("ticket", "4711");
/// metadata.push("branch", "");
/// assert_eq!(metadata.get("branch"), Some(""));
/// assert_eq!(metadata.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["ticket", "branch"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Metadata(Vec<(String, String)>);

/// Where an event came from: well-known keys, and further ones as text.
///
/// ```
/// use auditdb::{Context, Event, Field};
///
/// let context = Context { ip: Field::from("10.0.0.1"), geo: Field::Null, ..Context::default() };
/// Event::new("user.login").context(context).validate()?;
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Context {
    /// The client's network address. Any text is kept; what parses as an address can be filtered.
    pub ip: Field<String>,
    /// The client program's own description.
    pub user_agent: Field<String>,
    /// A device fingerprint.
    pub fingerprint: Field<String>,
    /// A place, in the application's own notation.
    pub geo: Field<String>,
    /// The request's name.
    pub request_id: Field<String>,
    /// The session's name.
    pub session_id: Field<String>,
    /// Further keys, in the application's order.
    pub further: Vec<(String, String)>,
}

impl Metadata {
    /// Adds a pair after those that are there.
    pub fn push(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.push((key.into(), value.into()));
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// How many pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// There are no pairs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, String)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Metadata {
        Metadata(pairs.into_iter().collect())
    }
}

impl Context {
    /// The well-known keys in canonical order.
    pub(crate) const KEYS: [&str; 6] = [
        "ip",
        "user_agent",
        "fingerprint",
        "geo",
        "request_id",
        "session_id",
    ];

    /// A context of the well-known fields, in the order of their keys, and further ones.
    pub(crate) fn of_known(known: [Field<String>; 6], further: Vec<(String, String)>) -> Context {
        let [ip, user_agent, fingerprint, geo, request_id, session_id] = known;
        Context {
            ip,
            user_agent,
            fingerprint,
            geo,
            request_id,
            session_id,
            further,
        }
    }

    /// The well-known fields in the order of their keys.
    pub(crate) fn known(&self) -> [&Field<String>; 6] {
        [
            &self.ip,
            &self.user_agent,
            &self.fingerprint,
            &self.geo,
            &self.request_id,
            &self.session_id,
        ]
    }

    fn known_mut(&mut self, key: &str) -> Option<&mut Field<String>> {
        Some(match key {
            "ip" => &mut self.ip,
            "user_agent" => &mut self.user_agent,
            "fingerprint" => &mut self.fingerprint,
            "geo" => &mut self.geo,
            "request_id" => &mut self.request_id,
            "session_id" => &mut self.session_id,
            _ => return None,
        })
    }
}

/// Ends reading at the first key too many, so that nobody pays for those behind it: whether a key
/// is there already is looked up among all before it, which is quick only because they are few.
fn not_too_many<E: serde::de::Error>(field: &str, count: usize, most: usize) -> Result<(), E> {
    if count < most {
        return Ok(());
    }
    Err(E::custom(format_args!(
        "{field}: more entries than the at most {most} that are taken"
    )))
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Metadata, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Metadata;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object whose values are texts")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Metadata, A::Error> {
                let mut metadata = Metadata::default();
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    if metadata.get(&key).is_some() {
                        return Err(A::Error::custom(format_args!("duplicate key `{key}`")));
                    }
                    not_too_many("metadata", metadata.len(), limits::METADATA_KEYS)?;
                    metadata.push(key, value);
                }
                Ok(metadata)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, field) in Context::KEYS.into_iter().zip(self.known()) {
            if !field.is_absent() {
                map.serialize_entry(key, field)?;
            }
        }
        for (key, value) in &self.further {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Context, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Context;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object whose values are texts")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Context, A::Error> {
                let mut context = Context::default();
                while let Some(key) = map.next_key::<String>()? {
                    let twice = || A::Error::custom(format_args!("duplicate key `{key}`"));
                    let known_further = context.further.iter().any(|(name, _)| *name == key);
                    match context.known_mut(&key) {
                        Some(field) if field.is_absent() => *field = map.next_value()?,
                        None if !known_further => {
                            let count = context.further.len();
                            not_too_many("context", count, limits::CONTEXT_KEYS)?;
                            context.further.push((key, map.next_value()?));
                        }
                        Some(_) | None => return Err(twice()),
                    }
                }
                Ok(context)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
