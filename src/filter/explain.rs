//! A filter in words, as it was understood: what `--explain` prints and what `Display` shows.
//! Every stored or typed text in it is quoted and escaped.

use core::fmt;

use crate::filter::Filter;
use crate::filter::condition::Condition;
use crate::filter::condition::IpPrefix;
use crate::filter::condition::Pattern;
use crate::filter::condition::ip_prefix;
use crate::filter::field::FilterField;
use crate::filter::field::Shape;
use crate::filter::field::shown;
use crate::filter::range::Edge;
use crate::filter::term;
use crate::filter::when::Bound;
use crate::filter::when::End;

/// The parts of `filter`, all of which hold, `between` each two.
pub(crate) fn write(
    filter: &Filter,
    between: &str,
    formatter: &mut impl fmt::Write,
) -> fmt::Result {
    let mut parts = Vec::new();
    for condition in &filter.conditions {
        let mut part = String::new();
        condition_words(condition, &mut part, 0)?;
        parts.push(part);
    }
    parts.extend(filter.edges.iter().map(|edge| edge_words(*edge)));
    if parts.is_empty() {
        parts.push("every event".to_owned());
    }
    formatter.write_str(&parts.join(between))
}

/// A condition in words, without brackets around it.
pub(crate) fn leaf(condition: &Condition) -> String {
    let mut words = String::new();
    // Writing to a text does not fail.
    let _ = condition_words(condition, &mut words, 0);
    words
}

/// Deeper than any filter that is accepted, so that one that is not still prints.
const DEPTH_SHOWN: usize = 64;

fn condition_words(condition: &Condition, out: &mut String, depth: usize) -> fmt::Result {
    use fmt::Write as _;
    if depth > DEPTH_SHOWN {
        out.push('…');
        return Ok(());
    }
    match condition {
        Condition::All(members) => group(members, "every event", " and ", out, depth),
        Condition::Any(members) => group(members, "no event", " or ", out, depth),
        Condition::Not(member) => {
            out.push_str("not ");
            condition_words(member, out, depth + 1)
        }
        Condition::Field(field, pattern) => {
            let words = pattern_words(field, pattern);
            match field {
                FilterField::Meta(key) => write!(out, "metadata {} {words}", shown(key)),
                _ => write!(out, "{field} {words}"),
            }
        }
        Condition::Id(id) => write!(out, "id, here or where it came from, is {id}"),
        Condition::OriginId(text) => {
            write!(out, "id where it came from is {}", shown(text))
        }
        Condition::Text(text) => write!(out, "a text holds {}", shown(text)),
        Condition::Key(text) => write!(out, "key is {}", shown(text)),
    }
}

fn group(
    members: &[Condition],
    none: &str,
    between: &str,
    out: &mut String,
    depth: usize,
) -> fmt::Result {
    match members {
        [] => out.push_str(none),
        [only] => condition_words(only, out, depth + 1)?,
        [first, rest @ ..] => {
            // The outermost conditions stand between "and"s, where only an "or" needs brackets.
            let bare = depth == 0 && between == " and ";
            out.push_str(if bare { "" } else { "(" });
            condition_words(first, out, depth + 1)?;
            for member in rest {
                out.push_str(between);
                condition_words(member, out, depth + 1)?;
            }
            out.push_str(if bare { "" } else { ")" });
        }
    }
    Ok(())
}

fn pattern_words(field: &FilterField, pattern: &Pattern) -> String {
    let entity = matches!(field.shape(), Shape::Entity(_));
    let of_kind = |kind: &Option<String>| match kind {
        Some(kind) => format!("of kind {}", shown(kind)),
        None => "of any kind".to_owned(),
    };
    match pattern {
        Pattern::Is(text) if field.shape() == Shape::Ip => match term::address(text) {
            Some(bytes) => format!("is the address {}", term::address_text(bytes)),
            None => format!("is the text {}", shown(text)),
        },
        Pattern::Prefix(prefix) if field.shape() == Shape::Ip => match ip_prefix(prefix) {
            Ok(IpPrefix::Network { address, bits }) => {
                format!("lies in the network {address}/{bits}")
            }
            _ if prefix.is_empty() => "has any value".to_owned(),
            _ => format!("begins with {}", shown(prefix)),
        },
        Pattern::Is(kind) if entity => format!("is {}", of_kind(&Some(kind.clone()))),
        Pattern::Is(text) => format!("is {}", shown(text)),
        Pattern::Prefix(prefix) if prefix.is_empty() => "has any value".to_owned(),
        Pattern::Prefix(prefix) if entity => {
            format!("is of a kind that begins with {}", shown(prefix))
        }
        Pattern::Prefix(prefix) => format!("begins with {}", shown(prefix)),
        Pattern::Id { kind, id } => format!("is {} with id {}", of_kind(kind), shown(id)),
        Pattern::IdPrefix { kind, prefix } if prefix.is_empty() => {
            format!("is {} with any id", of_kind(kind))
        }
        Pattern::IdPrefix { kind, prefix } => format!(
            "is {} with an id that begins with {}",
            of_kind(kind),
            shown(prefix)
        ),
        Pattern::Network { address, bits } => format!("lies in the network {address}/{bits}"),
        Pattern::Null => "is null".to_owned(),
        Pattern::Absent => "is absent".to_owned(),
    }
}

fn edge_words(edge: Edge) -> String {
    let when = match edge.bound {
        Bound::At(time) => time.to_string(),
        Bound::Ago(0) => "now".to_owned(),
        Bound::Ago(micros) => format!("{} before now", length(micros)),
    };
    match edge.end {
        End::Since => format!("occurred_at is at or after {when}"),
        End::Until => format!("occurred_at is at or before {when}"),
        End::Before => format!("occurred_at is before {when}"),
    }
}

/// A length of time in its largest whole unit.
fn length(micros: u64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (86_400_000_000, "d"),
        (3_600_000_000, "h"),
        (60_000_000, "m"),
        (1_000_000, "s"),
        (1, "us"),
    ];
    let unit = UNITS.iter().find(|(unit, _)| micros.is_multiple_of(*unit));
    unit.map_or_else(String::new, |(unit, name)| {
        format!("{} {name}", micros / unit)
    })
}
