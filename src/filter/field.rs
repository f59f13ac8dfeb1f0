//! The fields that filters and facets name, and the one place that knows their words.
//! A name is the command line's flag without its dashes; metadata is named key by key.

use core::fmt;
use core::str::FromStr;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::filter::term;
use crate::limits;

/// An indexed field of an event, as filters and facets name it.
///
/// ```
/// use auditdb::FilterField;
///
/// let field: FilterField = "meta:ticket".parse()?;
/// assert_eq!(field, FilterField::Meta("ticket".to_owned()));
/// assert_eq!(FilterField::OnBehalfOf.to_string(), "on-behalf-of");
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FilterField {
    /// `type`: what happened.
    Type,
    /// `sub-type`: the finer word below it.
    SubType,
    /// `org`: the organisation in whose trail the event stands.
    Org,
    /// `outcome`: how it ended.
    Outcome,
    /// `source`: the system that reported it.
    Source,
    /// `ip`: the client's network address.
    Ip,
    /// `subject`: what was changed, by kind and id.
    Subject,
    /// `subject-kind`: the kind of it.
    SubjectKind,
    /// `target`: the subject or any further target, by kind and id.
    Target,
    /// `target-kind`: the kind of any of them.
    TargetKind,
    /// `performer`: who did it, by kind and id.
    Performer,
    /// `performer-kind`: the kind of it.
    PerformerKind,
    /// `on-behalf-of`: for whom it was done, by kind and id.
    OnBehalfOf,
    /// `on-behalf-of-kind`: the kind of it.
    OnBehalfOfKind,
    /// `meta:KEY`: the value of one metadata key.
    Meta(String),
}

/// What a field's index terms look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape<'a> {
    /// One text under this code.
    Text(u8),
    /// An address or another text.
    Ip,
    /// The value of this metadata key.
    Meta(&'a str),
    /// An entity by kind, or kind and id.
    Entity(term::Role),
    /// An entity by kind only.
    Kind(term::Role),
}

const NAMES: [(&str, FilterField); 14] = [
    ("type", FilterField::Type),
    ("sub-type", FilterField::SubType),
    ("org", FilterField::Org),
    ("outcome", FilterField::Outcome),
    ("source", FilterField::Source),
    ("ip", FilterField::Ip),
    ("subject", FilterField::Subject),
    ("subject-kind", FilterField::SubjectKind),
    ("target", FilterField::Target),
    ("target-kind", FilterField::TargetKind),
    ("performer", FilterField::Performer),
    ("performer-kind", FilterField::PerformerKind),
    ("on-behalf-of", FilterField::OnBehalfOf),
    ("on-behalf-of-kind", FilterField::OnBehalfOfKind),
];

impl FilterField {
    /// The fields that have a fixed name: all but the metadata keys.
    pub fn named() -> impl Iterator<Item = FilterField> {
        NAMES.into_iter().map(|(_, field)| field)
    }

    pub(crate) fn shape(&self) -> Shape<'_> {
        match self {
            FilterField::Type => Shape::Text(term::TYPE),
            FilterField::SubType => Shape::Text(term::SUB_TYPE),
            FilterField::Org => Shape::Text(term::ORG),
            FilterField::Outcome => Shape::Text(term::OUTCOME),
            FilterField::Source => Shape::Text(term::SOURCE),
            FilterField::Ip => Shape::Ip,
            FilterField::Subject => Shape::Entity(term::SUBJECT),
            FilterField::SubjectKind => Shape::Kind(term::SUBJECT),
            FilterField::Target => Shape::Entity(term::TARGET),
            FilterField::TargetKind => Shape::Kind(term::TARGET),
            FilterField::Performer => Shape::Entity(term::PERFORMER),
            FilterField::PerformerKind => Shape::Kind(term::PERFORMER),
            FilterField::OnBehalfOf => Shape::Entity(term::ON_BEHALF_OF),
            FilterField::OnBehalfOfKind => Shape::Kind(term::ON_BEHALF_OF),
            FilterField::Meta(key) => Shape::Meta(key),
        }
    }
}

/// Why `key` names no metadata, if so.
pub(crate) fn refuse_key(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        Some("a metadata key is never empty")
    } else if key.chars().any(char::is_control) {
        Some("a metadata key holds no control characters")
    } else if key.len() > limits::WORD_BYTES {
        Some("a metadata key has at most 256 bytes")
    } else {
        None
    }
}

impl fmt::Display for FilterField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let FilterField::Meta(key) = self {
            return write!(formatter, "meta:{key}");
        }
        let name = NAMES.iter().find(|(_, field)| field == self);
        formatter.pad(name.map_or("", |(name, _)| name))
    }
}

impl FromStr for FilterField {
    type Err = Error;

    /// Reads a field's name; `_` stands for `-` too, as in the keys of the native line.
    fn from_str(text: &str) -> Result<FilterField, Error> {
        let refuse = |what: String| Error::new(ErrorKind::Filter, what);
        if let Some(key) = text.strip_prefix("meta:") {
            return match refuse_key(key) {
                Some(why) => Err(refuse(format!("{}: {why}", shown(text)))),
                None => Ok(FilterField::Meta(key.to_owned())),
            };
        }
        let dashed = text.replace('_', "-");
        NAMES
            .into_iter()
            .find(|(name, _)| *name == dashed)
            .map(|(_, field)| field)
            .ok_or_else(|| {
                let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                let (text, names) = (shown(text), names.join(", "));
                refuse(format!(
                    "{text} is no field; the fields are {names} and meta:KEY"
                ))
            })
    }
}

/// Text of a stranger in a message: quoted, escaped, and cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    const CHARS: usize = 80;
    match text.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}
