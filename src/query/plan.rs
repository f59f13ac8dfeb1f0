//! From a filter to the rows of one source: values become terms, terms become row lists, and a
//! conjunction walks its rarest list first. Words in texts come last: rows are read for them.

use std::sync::Arc;

use super::meeting::Meeting;
use super::reading::Reading;
use super::reading::Word;
use super::rows::Rows;
use super::rows::Walk;
use crate::error::Result;
use crate::filter::expression::Expression;
use crate::planted::Bug;
use crate::planted::planted;
use crate::snapshot::Kept;
use crate::snapshot::Listed;
use crate::snapshot::Source;

/// The rows of `source` that fulfil `expression`.
pub(crate) fn rows(
    expression: &Expression,
    source: &Arc<Source>,
    walk: Walk,
    kept: &mut Kept,
) -> Result<Rows> {
    Ok(match expression {
        Expression::All => Rows::All,
        Expression::And(members) => {
            let mut sets = Vec::with_capacity(members.len());
            let (words, members) = split(members);
            for member in members {
                match rows(member, source, walk, kept)? {
                    Rows::None => return Ok(Rows::None),
                    Rows::All => {}
                    set => sets.push(set),
                }
            }
            sets.sort_by_key(|set| set.len_max(walk));
            planted(Bug::LostPredicate).then(|| sets.truncate(2));
            let set = one_or(sets, Rows::All, |sets| {
                Rows::And(Box::new(Meeting::of(sets)))
            });
            match words.is_empty() {
                true => set,
                false => Rows::Reading(Box::new(Reading::of(set, words, source))),
            }
        }
        Expression::Or(members) => {
            let mut sets = Vec::with_capacity(members.len());
            for member in members {
                match rows(member, source, walk, kept)? {
                    Rows::All => return Ok(Rows::All),
                    Rows::None => {}
                    set => sets.push(set),
                }
            }
            one_or(sets, Rows::None, Rows::Or)
        }
        Expression::Text(_) => read(expression, source),
        Expression::Not(member) if matches!(**member, Expression::Text(_)) => {
            read(expression, source)
        }
        Expression::Not(member) => match rows(member, source, walk, kept)? {
            Rows::None => Rows::All,
            set => Rows::Not(Box::new(set)),
        },
        Expression::Leaf(leaf) => match source.listed(leaf, kept)? {
            Listed::Rows(list) => Rows::list(list, walk),
            Listed::Postings(lists) => {
                let sets = lists
                    .into_iter()
                    .map(|list| Rows::Postings(Box::new(list)))
                    .collect();
                one_or(sets, Rows::None, Rows::Or)
            }
        },
    })
}

/// The words among the members of a conjunction, which are looked for in the rows that the others
/// leave, and the others.
fn split(members: &[Expression]) -> (Vec<Word>, Vec<&Expression>) {
    let (mut words, mut others) = (Vec::new(), Vec::new());
    for member in members {
        match word(member) {
            Some(word) => words.push(word),
            None => others.push(member),
        }
    }
    (words, others)
}

fn word(expression: &Expression) -> Option<Word> {
    let (inner, negated) = match expression {
        Expression::Not(member) => (&**member, true),
        other => (other, false),
    };
    match inner {
        Expression::Text(text) => Some(Word {
            text: text.clone(),
            negated,
        }),
        _ => None,
    }
}

/// The rows with a word, or without it, of all there are.
fn read(expression: &Expression, source: &Arc<Source>) -> Rows {
    let words = word(expression).into_iter().collect();
    Rows::Reading(Box::new(Reading::of(Rows::All, words, source)))
}

/// The only set of `sets`, `none` if there is none, or all of them joined.
fn one_or(mut sets: Vec<Rows>, none: Rows, join: impl FnOnce(Vec<Rows>) -> Rows) -> Rows {
    match sets.len() {
        0 => none,
        1 => sets.pop().unwrap_or(none),
        _ => join(sets),
    }
}
