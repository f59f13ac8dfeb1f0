//! What one filter asks of an event's fields, as a tree that applications build by hand and the
//! command line's words turn into. The rules of what may be asked are checked here, in one place,
//! whoever built the tree.

use core::net::IpAddr;

use crate::event::Outcome;
use crate::filter::field::FilterField;
use crate::filter::field::Shape;
use crate::filter::field::shown;
use crate::filter::term;
use crate::id::EventId;
use crate::limits;

/// A condition on an event.
///
/// ```
/// use auditdb::{Condition, Filter, FilterField, Pattern};
///
/// let failed_logins = Condition::All(vec![
///     Condition::Field(FilterField::Type, Pattern::prefix("login.")),
///     Condition::not(Condition::Field(FilterField::Outcome, Pattern::is("success"))),
/// ]);
/// let filter = Filter::new().and(failed_logins);
/// assert_eq!(filter.to_string(), "type begins with \"login.\" and not outcome is \"success\"");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Every member holds; without members, every event.
    All(Vec<Condition>),
    /// Any member holds; without members, no event.
    Any(Vec<Condition>),
    /// The member does not hold.
    Not(Box<Condition>),
    /// A field is as the pattern says.
    Field(FilterField, Pattern),
    /// The event is called so here, or was where it came from.
    Id(EventId),
    /// The event's `origin.id` is this text.
    OriginId(String),
    /// The event's `key` is this text.
    Key(String),
    /// A text that somebody wrote holds this one, wherever it stands and upper and lower case alike:
    /// the label of a performer, a subject or a target, the reason, a value of metadata, a change's
    /// path or values, or a value in `data`. No index knows it, so events are read for it: those
    /// that the other conditions leave, each counting as 64 index entries for `Query::work_max`.
    Text(String),
}

/// What a field has to be. On an entity, a bare text is its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pattern {
    /// The whole value. On `ip`, an address is compared as one, whatever its spelling.
    Is(String),
    /// The beginning of the value, at most 200 bytes; the empty one means any value.
    /// On `ip`, whole leading numbers of an IPv4 address, or the beginning of a text that is none.
    Prefix(String),
    /// An entity's id, whole, within one kind or, with `None`, any.
    Id {
        /// The entity's kind.
        kind: Option<String>,
        /// The entity's id.
        id: String,
    },
    /// The beginning of an entity's id, within one kind or, with `None`, any.
    IdPrefix {
        /// The entity's kind.
        kind: Option<String>,
        /// What the id begins with, at most 200 bytes.
        prefix: String,
    },
    /// Of `ip` only: any address whose first `bits` are those of `address`. IPv4 addresses count
    /// as `::ffff:a.b.c.d`.
    Network {
        /// An address of the network.
        address: IpAddr,
        /// How many leading bits are the network's.
        bits: u8,
    },
    /// The field is there and is null.
    Null,
    /// The field is not there.
    Absent,
}

/// How the beginning of an `ip` is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IpPrefix<'a> {
    /// Any value.
    Any,
    /// `10.`, `10.1.` or `10.1.2.`.
    Network { address: IpAddr, bits: u8 },
    /// No address begins so.
    Text(&'a str),
}

impl Condition {
    /// The condition that `condition` does not hold.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "a constructor, not an operator"
    )]
    pub fn not(condition: Condition) -> Condition {
        Condition::Not(Box::new(condition))
    }

    /// Any of several patterns of one field.
    #[must_use]
    pub fn any_of(field: &FilterField, patterns: impl IntoIterator<Item = Pattern>) -> Condition {
        Condition::Any(
            patterns
                .into_iter()
                .map(|pattern| Condition::Field(field.clone(), pattern))
                .collect(),
        )
    }
}

impl Pattern {
    /// The whole value.
    #[must_use]
    pub fn is(text: impl Into<String>) -> Pattern {
        Pattern::Is(text.into())
    }

    /// The beginning of the value.
    #[must_use]
    pub fn prefix(text: impl Into<String>) -> Pattern {
        Pattern::Prefix(text.into())
    }

    /// An entity by kind and id.
    #[must_use]
    pub fn entity(kind: impl Into<String>, id: impl Into<String>) -> Pattern {
        Pattern::Id {
            kind: Some(kind.into()),
            id: id.into(),
        }
    }

    /// An entity by its id, whatever its kind.
    #[must_use]
    pub fn id(id: impl Into<String>) -> Pattern {
        Pattern::Id {
            kind: None,
            id: id.into(),
        }
    }

    /// Why `field` cannot be asked for this, if so; begins with how the pattern is read.
    pub(crate) fn refuse(&self, field: &FilterField) -> Option<String> {
        let shape = field.shape();
        match self {
            Pattern::Is(text) => match shape {
                Shape::Text(term::OUTCOME) => refuse_outcome(text),
                Shape::Entity(_) | Shape::Kind(_) => refuse_kind(text),
                Shape::Text(_) | Shape::Ip | Shape::Meta(_) => None,
            },
            Pattern::Prefix(prefix) => match shape {
                Shape::Ip => ip_prefix(prefix).err().or_else(|| refuse_prefix(prefix)),
                Shape::Entity(_) | Shape::Kind(_) => {
                    refuse_kind(prefix).or_else(|| refuse_prefix(prefix))
                }
                Shape::Text(_) | Shape::Meta(_) => refuse_prefix(prefix),
            },
            Pattern::Id { kind, .. } => refuse_entity(shape, field, kind.as_deref()),
            Pattern::IdPrefix { kind, prefix } => {
                refuse_entity(shape, field, kind.as_deref()).or_else(|| refuse_prefix(prefix))
            }
            Pattern::Network { address, bits } => refuse_network(shape, field, *address, *bits),
            Pattern::Null | Pattern::Absent => None,
        }
    }
}

/// Reads the beginning of an `ip`; the error says how it was read.
pub(crate) fn ip_prefix(prefix: &str) -> Result<IpPrefix<'_>, String> {
    if prefix.is_empty() {
        return Ok(IpPrefix::Any);
    }
    let of_an_address = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
    if !prefix.bytes().all(of_an_address) {
        return Ok(IpPrefix::Text(prefix));
    }
    let numbers = prefix.bytes().filter(|byte| *byte == b'.').count();
    let rest = ["", "0.0.0", "0.0", "0"].get(numbers).copied();
    let address = rest
        .filter(|_| prefix.ends_with('.'))
        .and_then(|rest| format!("{prefix}{rest}").parse::<IpAddr>().ok());
    match (address, u8::try_from(8 * numbers)) {
        (Some(address), Ok(bits)) => Ok(IpPrefix::Network { address, bits }),
        _ => Err(format!(
            "read as addresses that begin with {}, which is no network: write one as 10.1.0.0/16 or 2001:db8::/32, or whole leading numbers as 10.1.*",
            shown(prefix)
        )),
    }
}

fn refuse_outcome(text: &str) -> Option<String> {
    if text.is_empty() || Outcome::ALL.iter().any(|outcome| outcome.as_str() == text) {
        return None;
    }
    let words = Outcome::ALL.map(Outcome::as_str).join(", ");
    let text = shown(text);
    Some(format!(
        "read as the outcome {text}, which is none of {words}"
    ))
}

fn refuse_kind(kind: &str) -> Option<String> {
    kind.chars().any(char::is_control).then(|| {
        let kind = shown(kind);
        format!("read as the kind {kind}, but kinds hold no control characters")
    })
}

fn refuse_prefix(prefix: &str) -> Option<String> {
    (prefix.len() > limits::PREFIX_BYTES).then(|| {
        format!(
            "read as a prefix of {} bytes; at most {} are taken",
            prefix.len(),
            limits::PREFIX_BYTES
        )
    })
}

fn refuse_entity(shape: Shape<'_>, field: &FilterField, kind: Option<&str>) -> Option<String> {
    match shape {
        Shape::Entity(_) => kind.and_then(refuse_kind),
        Shape::Kind(_) | Shape::Text(_) | Shape::Ip | Shape::Meta(_) => {
            Some(format!("read as an entity's id, but {field} has none"))
        }
    }
}

fn refuse_network(
    shape: Shape<'_>,
    field: &FilterField,
    address: IpAddr,
    bits: u8,
) -> Option<String> {
    let most = if address.is_ipv4() { 32 } else { 128 };
    if shape != Shape::Ip {
        return Some(format!("read as a network, but {field} holds no addresses"));
    }
    (bits > most)
        .then(|| format!("read as the network of {address} with {bits} bits; it has 0 to {most}"))
}
