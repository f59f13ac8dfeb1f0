//! From conditions to the planner's expression: each pattern becomes the term, or the range of
//! terms, that says the same. Refuses what breaks a rule or a limit, so that filters built by hand
//! and from words meet the same checks.

use core::net::IpAddr;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::filter::condition::Condition;
use crate::filter::condition::IpPrefix;
use crate::filter::condition::Pattern;
use crate::filter::condition::ip_prefix;
use crate::filter::expression::Expression;
use crate::filter::expression::Leaf;
use crate::filter::field::FilterField;
use crate::filter::field::Shape;
use crate::filter::field::refuse_key;
use crate::filter::term;
use crate::filter::text;
use crate::limits;

/// The expression that holds where all `conditions` do.
pub(crate) fn all(conditions: &[Condition]) -> Result<Expression> {
    let mut compiler = Compiler { values: 0 };
    Ok(Expression::and(compiler.each(conditions, 1)?))
}

/// Which terms say that `field` is as `pattern` says. The pattern was not refused.
pub(crate) fn pattern(field: &FilterField, pattern: &Pattern) -> Result<Expression> {
    if let Some(why) = pattern.refuse(field) {
        return Err(Error::new(ErrorKind::Filter, format!("{field}: {why}")));
    }
    let shape = field.shape();
    Ok(match pattern {
        Pattern::Is(text) => is(shape, text),
        Pattern::Prefix(prefix) => begins(shape, prefix)?,
        Pattern::Id { kind, id } => match shape {
            Shape::Entity(role) => match kind {
                Some(kind) => one(|out| term::put_pair(out, role, kind, Some(id))),
                None => one(|out| term::put_text(out, role.id, id)),
            },
            _ => Expression::NONE,
        },
        Pattern::IdPrefix { kind, prefix } => match shape {
            Shape::Entity(role) => match kind {
                Some(kind) => {
                    let mut from = Vec::new();
                    term::put_pair(&mut from, role, kind, Some(""));
                    from.extend_from_slice(prefix.as_bytes());
                    beginning_with(from)
                }
                None => text_prefix(role.id, prefix),
            },
            _ => Expression::NONE,
        },
        Pattern::Network { address, bits } => network(*address, *bits),
        Pattern::Null => match shape {
            Shape::Text(code) | Shape::Entity(term::Role { kind: code, .. }) => null(code),
            Shape::Kind(role) => null(role.kind),
            Shape::Ip => null(term::IP),
            Shape::Meta(_) => Expression::NONE,
        },
        Pattern::Absent => Expression::not(present(shape)),
    })
}

struct Compiler {
    values: usize,
}

impl Compiler {
    fn each(&mut self, conditions: &[Condition], depth: usize) -> Result<Vec<Expression>> {
        conditions
            .iter()
            .map(|condition| self.one(condition, depth))
            .collect()
    }

    fn one(&mut self, condition: &Condition, depth: usize) -> Result<Expression> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Filter, what));
        if depth > limits::FILTER_DEPTH {
            return refuse(format!(
                "the filter is nested more than {} deep",
                limits::FILTER_DEPTH
            ));
        }
        let group = matches!(
            condition,
            Condition::All(_) | Condition::Any(_) | Condition::Not(_)
        );
        self.values += usize::from(!group);
        if self.values > limits::FILTER_VALUES {
            return refuse(too_many());
        }
        Ok(match condition {
            Condition::All(members) => Expression::and(self.each(members, depth + 1)?),
            Condition::Any(members) => Expression::or(self.each(members, depth + 1)?),
            Condition::Not(member) => Expression::not(self.one(member, depth + 1)?),
            Condition::Field(field, asked) => {
                if let FilterField::Meta(key) = field
                    && let Some(why) = refuse_key(key)
                {
                    return refuse(format!("meta: {why}"));
                }
                pattern(field, asked)?
            }
            Condition::Id(id) => Expression::or(vec![
                Expression::Leaf(Leaf::Id(id.position())),
                Expression::Leaf(Leaf::Origin(id.to_string())),
            ]),
            Condition::OriginId(text) => Expression::Leaf(Leaf::Origin(text.clone())),
            Condition::Key(text) => Expression::Leaf(Leaf::Key(text.clone())),
            Condition::Text(text) if text.is_empty() => {
                return refuse(format!("text: {}", text::EMPTY));
            }
            Condition::Text(text) => Expression::Text(text::folded(text)),
        })
    }
}

/// What a filter with too many values is refused with.
pub(crate) fn too_many() -> String {
    format!(
        "the filter holds more than {} values",
        limits::FILTER_VALUES
    )
}

fn is(shape: Shape<'_>, text: &str) -> Expression {
    match shape {
        Shape::Text(code) => one(|out| term::put_text(out, code, text)),
        Shape::Entity(role) | Shape::Kind(role) => one(|out| term::put_text(out, role.kind, text)),
        Shape::Ip => one(|out| term::put_ip(out, text)),
        Shape::Meta(key) => one(|out| term::put_meta(out, key, text)),
    }
}

fn begins(shape: Shape<'_>, prefix: &str) -> Result<Expression> {
    Ok(match shape {
        Shape::Text(code) => text_prefix(code, prefix),
        Shape::Entity(role) | Shape::Kind(role) => text_prefix(role.kind, prefix),
        Shape::Ip => match ip_prefix(prefix).map_err(|why| Error::new(ErrorKind::Filter, why))? {
            IpPrefix::Any => Expression::Leaf(Leaf::Terms {
                from: vec![term::IP, term::VALUE],
                to: vec![term::IP, term::OTHER + 1],
            }),
            IpPrefix::Network { address, bits } => network(address, bits),
            IpPrefix::Text(prefix) => {
                let mut from = vec![term::IP, term::OTHER];
                from.extend_from_slice(prefix.as_bytes());
                beginning_with(from)
            }
        },
        Shape::Meta(key) => {
            let mut from = Vec::new();
            term::put_meta_key(&mut from, key);
            from.extend_from_slice(prefix.as_bytes());
            beginning_with(from)
        }
    })
}

fn network(address: IpAddr, bits: u8) -> Expression {
    let (address, bits) = match address {
        IpAddr::V4(four) => (four.to_ipv6_mapped(), u32::from(bits) + 96),
        IpAddr::V6(six) => (six, u32::from(bits)),
    };
    let hosts = u128::MAX.checked_shr(bits).unwrap_or(0);
    let first = address.to_bits() & !hosts;
    let put = |value: u128| {
        let mut out = vec![term::IP, term::VALUE];
        out.extend_from_slice(&core::net::Ipv6Addr::from_bits(value).octets());
        out
    };
    let to = match (first | hosts).checked_add(1) {
        Some(next) => put(next),
        None => vec![term::IP, term::OTHER],
    };
    let from = put(first);
    Expression::Leaf(Leaf::Terms { from, to })
}

fn present(shape: Shape<'_>) -> Expression {
    let code = match shape {
        Shape::Text(code) => code,
        Shape::Ip => term::IP,
        Shape::Entity(role) | Shape::Kind(role) => role.kind,
        Shape::Meta(key) => {
            let mut from = Vec::new();
            term::put_meta_key(&mut from, key);
            return beginning_with(from);
        }
    };
    beginning_with(vec![code])
}

fn null(code: u8) -> Expression {
    one(|out| term::put_null(out, code))
}

fn text_prefix(code: u8, prefix: &str) -> Expression {
    let mut from = vec![code, term::VALUE];
    from.extend_from_slice(prefix.as_bytes());
    beginning_with(from)
}

fn beginning_with(from: Vec<u8>) -> Expression {
    let to = term::after(&from);
    Expression::Leaf(Leaf::Terms { from, to })
}

fn one(put: impl FnOnce(&mut Vec<u8>)) -> Expression {
    let mut out = Vec::new();
    put(&mut out);
    Expression::Leaf(Leaf::Term(out))
}
