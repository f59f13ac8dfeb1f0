//! The way back from index terms to the values of a field, for counting them.

use crate::error::Result;
use crate::filter::compile;
use crate::filter::condition::Pattern;
use crate::filter::expression::Expression;
use crate::filter::expression::Leaf;
use crate::filter::field::FilterField;
use crate::filter::field::Shape;
use crate::filter::term;
use crate::filter::term::Role;

/// Terms at or after `from` and before `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TermRange {
    pub(crate) from: Vec<u8>,
    pub(crate) to: Vec<u8>,
}

impl FilterField {
    /// The terms of this field's values that begin with `prefix`, one term a value. Null and
    /// absent are no values. Of an entity the prefix is `KIND` or `KIND:ID`, with `\:` for a colon
    /// in the kind.
    pub(crate) fn term_range(&self, prefix: &str) -> Result<TermRange> {
        let expression = match self.shape() {
            Shape::Entity(role) => match split_pair(prefix) {
                (kind, Some(id)) => {
                    let kind = Some(kind);
                    compile::pattern(self, &Pattern::IdPrefix { kind, prefix: id })?
                }
                // The prefix of a kind, over the terms that hold kind and id.
                (kind, None) => {
                    compile::pattern(self, &Pattern::Prefix(kind))?.with_code(role.pair)
                }
            },
            _ => compile::pattern(self, &Pattern::Prefix(prefix.to_owned()))?,
        };
        Ok(match expression {
            Expression::Leaf(Leaf::Terms { from, to }) => TermRange { from, to },
            _ => TermRange {
                from: Vec::new(),
                to: Vec::new(),
            },
        })
    }
}

impl Expression {
    /// The same range of values under another field code.
    fn with_code(mut self, code: u8) -> Expression {
        if let Expression::Leaf(Leaf::Terms { from, to }) = &mut self {
            for end in [from, to] {
                if let Some(first) = end.first_mut() {
                    *first = code;
                }
            }
        }
        self
    }
}

/// The value that a term of [`FilterField::term_range`] stands for, as filters spell it, an entity
/// as `KIND:ID`; and whether it is only the head of a value too long for a term. `None` for a term
/// that no event has.
pub(crate) fn facet_value(term: &[u8]) -> Option<(String, bool)> {
    let (code, rest) = term.split_first()?;
    let (marker, value) = rest.split_first()?;
    match (*code, *marker) {
        (term::IP, term::VALUE) => Some((term::address_text(value.try_into().ok()?), false)),
        (term::IP, term::OTHER) => text(value),
        (_, term::NULL | term::OTHER) => None,
        (term::META, _) => {
            let key = value.iter().position(|byte| *byte == 0)?;
            text(value.get(key + 1..)?)
        }
        (code, _) if is_pair(code) => {
            let Some(end) = value.iter().position(|byte| *byte == 0) else {
                let kind = core::str::from_utf8(value).ok()?;
                return Some((escape_kind(kind), false));
            };
            let kind = core::str::from_utf8(value.get(..end)?).ok()?;
            let (id, cut) = text(value.get(end + 1..)?)?;
            Some((format!("{}:{id}", escape_kind(kind)), cut))
        }
        _ => text(value),
    }
}

const ROLES: [Role; 4] = [
    term::SUBJECT,
    term::TARGET,
    term::PERFORMER,
    term::ON_BEHALF_OF,
];

fn is_pair(code: u8) -> bool {
    ROLES.iter().any(|role| role.pair == code)
}

/// Whether a term stands for an entity, by kind and id.
pub(crate) fn is_entity(term: &[u8]) -> bool {
    term.first().is_some_and(|code| is_pair(*code))
}

/// Whether `found` is the term of an entity of this kind and id.
pub(crate) fn is_term_of(found: &[u8], kind: &str, id: Option<&str>) -> bool {
    let role = ROLES.iter().find(|role| found.first() == Some(&role.pair));
    role.is_some_and(|role| {
        let mut made = Vec::with_capacity(found.len());
        term::put_pair(&mut made, *role, kind, id);
        made == found
    })
}

fn text(value: &[u8]) -> Option<(String, bool)> {
    let Some(cut) = value.iter().position(|byte| *byte == term::CUT) else {
        return Some((core::str::from_utf8(value).ok()?.to_owned(), false));
    };
    let head = value.get(..cut)?.utf8_chunks().next();
    // The head may end inside a character; what is whole of it is shown.
    Some((head.map_or("", |chunk| chunk.valid()).to_owned(), true))
}

fn escape_kind(kind: &str) -> String {
    kind.replace('\\', "\\\\").replace(':', "\\:")
}

/// `KIND` or `KIND:ID`, the kind's escapes resolved.
fn split_pair(text: &str) -> (String, Option<String>) {
    let mut kind = String::new();
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        match char {
            ':' => return (kind, Some(rest.as_str().to_owned())),
            '\\' => {
                let next = rest
                    .clone()
                    .next()
                    .filter(|char| matches!(char, ':' | '\\'));
                if next.is_some() {
                    rest.next();
                }
                kind.push(next.unwrap_or('\\'));
            }
            char => kind.push(char),
        }
    }
    (kind, None)
}
