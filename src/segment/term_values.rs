//! Which values of dictionaries the terms of a segment end with, so that the index names them by
//! number and need not say them again. A term keeps its own bytes where its text stands in JSON
//! otherwise than in the term, or in no dictionary.

use std::collections::HashMap;

use super::shape::Mark;
use super::values::Values;
use crate::filter::term;

/// Where the texts of a code stand in contents; those of metadata are told by their keys.
const PATHS: [(u8, &str); 7] = [
    (term::TYPE, "type\n.type"),
    (term::ORG, "org\n.org"),
    (term::SOURCE, "source\n.source"),
    (term::SUBJECT.pair, "subject\n.subject{.id"),
    (term::TARGET.pair, "targets\n.targets[{.id"),
    (term::PERFORMER.pair, "performer\n.performer{.id"),
    (term::ON_BEHALF_OF.pair, "on_behalf_of\n.on_behalf_of{.id"),
];
const METADATA: &str = "metadata\n.metadata{.";

/// A value of a dictionary that a term ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TermValue {
    /// Bytes of the term before it.
    pub(super) prefix: usize,
    pub(super) column: u32,
    pub(super) number: u32,
}

/// The dictionaries that terms can name, by the paths of their columns.
#[derive(Debug, Default)]
pub(super) struct TermValues {
    columns: HashMap<Vec<u8>, Column>,
}

#[derive(Debug)]
struct Column {
    number: u32,
    values: Values,
    /// The values in the order of the dictionary.
    order: Vec<u32>,
}

impl TermValues {
    /// Adds the dictionary of the column `number` at `path`, if terms can end with what stands
    /// there: takes its values, whose places are `ranks`.
    pub(super) fn add(&mut self, path: &[u8], number: u32, values: &mut Values, ranks: &[u32]) {
        let Some(path) = path.strip_suffix(&[Mark::Text as u8]) else {
            return;
        };
        let known = |(_, known): &(u8, &str)| known.as_bytes() == path;
        if !path.starts_with(METADATA.as_bytes()) && !PATHS.iter().any(known) {
            return;
        }
        let mut order = vec![0; ranks.len()];
        for (value, rank) in (0..).zip(ranks) {
            if let Some(slot) = order.get_mut(*rank as usize) {
                *slot = value;
            }
        }
        let column = Column {
            number,
            values: core::mem::take(values),
            order,
        };
        self.columns.insert(path.to_vec(), column);
    }

    /// The value that `term` ends with.
    pub(super) fn find(&self, term: &[u8]) -> Option<TermValue> {
        let [code, term::VALUE, rest @ ..] = term else {
            return None;
        };
        let pair = rest.iter().position(|byte| *byte == 0);
        let (path, before) = if *code == term::META {
            let key = rest.get(..pair?)?;
            ([METADATA.as_bytes(), key].concat(), pair? + 1)
        } else {
            let (_, path) = PATHS.iter().find(|(known, _)| known == code)?;
            let is_entity = path.contains('{');
            let before = if is_entity { pair? + 1 } else { 0 };
            (path.as_bytes().to_vec(), before)
        };
        let value = rest.get(before..)?;
        if value.contains(&b'\\') {
            return None;
        }
        let column = self.columns.get(&path)?;
        let order = &column.order;
        let number = order.binary_search_by(|at| column.values.get(*at).cmp(value));
        Some(TermValue {
            prefix: 2 + before,
            column: column.number,
            number: number.ok()? as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_end_with_the_values_of_their_own_fields() {
        let mut found = TermValues::default();
        let mut add = |path: &str, number, all: [&str; 2]| {
            let mut values = Values::default();
            all.iter().for_each(|value| {
                values.push(value.as_bytes());
            });
            found.add(path.as_bytes(), number, &mut values, &[1, 0]);
            assert_eq!(values.len(), 0, "{path}");
        };
        add("subject\n.subject{.id\0", 3, ["u7", "a1"]);
        add("metadata\n.metadata{.plan\0", 5, ["team", r"b\\c"]);
        let at = |prefix, column, number| {
            Some(TermValue {
                prefix,
                column,
                number,
            })
        };
        for (term, wanted) in [
            (b"\x09\x01user\0u7".as_slice(), at(7, 3, 1)),
            (b"\x09\x01user\0a1", at(7, 3, 0)),
            (b"\x07\x01plan\0team", at(7, 5, 1)),
            (b"\x07\x01plan\0b\\c", None),
            (b"\x07\x01plan\0b\\\\c", None),
            (b"\x07\x01plan\0none", None),
            (b"\x09\x01user", None),
            (b"\x09\x01u7", None),
            (b"\x0f\x01user\0u7", None),
            (b"\x08\x01u7", None),
            (b"\x09\0", None),
            (b"", None),
        ] {
            assert_eq!(found.find(term), wanted, "{term:?}");
        }
    }
}
