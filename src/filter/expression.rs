//! A filter as the planner takes it: AND, OR and NOT over index terms and look-ups, without times.
//! Normalised: no `And` in an `And` or `Or` in an `Or`, members sorted and each once, so that two
//! spellings of one filter are equal and have one digest.

use crate::id::Position;

/// What a row has to fulfil.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Expression {
    /// Every row.
    All,
    /// Rows that fulfil every member; at least two members.
    And(Vec<Expression>),
    /// Rows that fulfil any member; without members, no row.
    Or(Vec<Expression>),
    /// Rows that do not fulfil the member.
    Not(Box<Expression>),
    /// Rows that a leaf names.
    Leaf(Leaf),
}

/// One thing that an index can answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Leaf {
    /// Rows that have this term.
    Term(Vec<u8>),
    /// Rows that have any term at or after `from` and before `to`.
    Terms {
        /// The first term of the range.
        from: Vec<u8>,
        /// The first term after the range.
        to: Vec<u8>,
    },
    /// The row at this place.
    Id(Position),
    /// Rows whose `origin.id` is this text.
    Origin(String),
    /// Rows whose `key` is this text.
    Key(String),
}
