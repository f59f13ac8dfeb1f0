//! The fields that packs name: one of the event's own, or a place in its pairs, changes or data.

use core::fmt;

use super::members;
use crate::event::Context;
use crate::event::Event;
use crate::event::Field;

/// A place in an event that can hold something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// A field of the event itself.
    Own(&'static str),
    /// A pair of the metadata.
    Metadata(String),
    /// A further key of the context.
    Context(String),
    /// The change of an attribute.
    Change(String),
    /// A member of `data`, through objects and into each item of lists.
    Data(Vec<String>),
}

const OWN: [&str; 13] = [
    "sub_type",
    "org",
    "performer",
    "on_behalf_of",
    "subject",
    "targets",
    "outcome",
    "reason",
    "source",
    "changes",
    "batch",
    "correlation",
    "data",
];

impl Path {
    /// Reads a field's name; the error says which there are.
    pub(super) fn parse(text: &str) -> Result<Path, String> {
        if let Some(own) = OWN.into_iter().find(|own| *own == text) {
            return Ok(Path::Own(own));
        }
        let rest = |name: &str| text.strip_prefix(name).filter(|rest| !rest.is_empty());
        if let Some(key) = rest("metadata.") {
            return Ok(Path::Metadata(key.to_owned()));
        }
        if let Some(key) = rest("context.") {
            return Ok(Path::Context(key.to_owned()));
        }
        if let Some(path) = rest("changes.") {
            return Ok(Path::Change(path.to_owned()));
        }
        if let Some(path) = rest("data.") {
            return Ok(Path::Data(path.split('.').map(str::to_owned).collect()));
        }
        Err(format!(
            "{text:?} is no field; the fields are {}, metadata.KEY, context.KEY, changes.PATH and data.MEMBER",
            OWN.join(", ")
        ))
    }

    /// Whether `event` holds something there; null is nothing.
    pub(super) fn is_in(&self, event: &Event) -> bool {
        fn there<T>(field: &Field<T>) -> bool {
            field.value().is_some()
        }
        match self {
            Path::Own(name) => match *name {
                "sub_type" => there(&event.sub_type),
                "org" => there(&event.org),
                "performer" => there(&event.performer),
                "on_behalf_of" => there(&event.on_behalf_of),
                "subject" => there(&event.subject),
                "targets" => !event.targets.as_deref().unwrap_or_default().is_empty(),
                "outcome" => there(&event.outcome),
                "reason" => there(&event.reason),
                "source" => there(&event.source),
                "changes" => !event.changes.as_deref().unwrap_or_default().is_empty(),
                "batch" => there(&event.batch),
                "correlation" => there(&event.correlation),
                _ => there(&event.data),
            },
            Path::Metadata(key) => {
                let pairs = event.metadata.value();
                pairs.is_some_and(|pairs| pairs.get(key).is_some())
            }
            Path::Context(key) => event.context.value().is_some_and(|context| {
                let mut known = Context::KEYS.into_iter().zip(context.known());
                known.any(|(name, field)| name == key && there(field))
                    || context.further.iter().any(|(name, _)| name == key)
            }),
            Path::Change(path) => {
                let mut changes = event.changes.as_deref().unwrap_or_default().iter();
                changes.any(|change| change.path == *path)
            }
            Path::Data(asked) => {
                let mut found = false;
                if let Some(data) = event.data.value() {
                    members::each(data.as_str(), |path, null| {
                        found |= !null && path.iter().eq(asked);
                    });
                }
                found
            }
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Own(name) => formatter.write_str(name),
            Path::Metadata(key) => write!(formatter, "metadata.{key}"),
            Path::Context(key) => write!(formatter, "context.{key}"),
            Path::Change(path) => write!(formatter, "changes.{path}"),
            Path::Data(path) => write!(formatter, "data.{}", path.join(".")),
        }
    }
}
