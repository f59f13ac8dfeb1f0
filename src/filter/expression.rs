//! A filter as the planner takes it: AND, OR and NOT over index terms and look-ups, without times.
//! Normalised: NOT stands on leaves only, no `And` in an `And` or `Or` in an `Or`, members sorted
//! and each once, so that two spellings of one filter are equal and have one digest.

use sha2::Digest;
use sha2::Sha256;

use crate::id::Position;

/// What a row has to fulfil.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Expression {
    /// Every row.
    All,
    /// Rows that fulfil every member; at least two members.
    And(Vec<Expression>),
    /// Rows that fulfil any member: without members no row, and never just one member.
    Or(Vec<Expression>),
    /// Rows that do not fulfil the member, which is a leaf or a text.
    Not(Box<Expression>),
    /// Rows that a leaf names.
    Leaf(Leaf),
    /// Rows with a text that holds this one, which is folded; they have to be read.
    Text(String),
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

impl Expression {
    /// No row.
    pub(crate) const NONE: Expression = Expression::Or(Vec::new());

    /// All of `members`, normalised as they are.
    pub(crate) fn and(members: Vec<Expression>) -> Expression {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Expression::All => {}
                Expression::And(inner) => flat.extend(inner),
                Expression::Or(inner) if inner.is_empty() => return Expression::NONE,
                other => flat.push(other),
            }
        }
        flat.sort_unstable();
        flat.dedup();
        match (flat.len(), flat.pop()) {
            (_, None) => Expression::All,
            (1, Some(only)) => only,
            (_, Some(last)) => {
                flat.push(last);
                Expression::And(flat)
            }
        }
    }

    /// Any of `members`, normalised as they are.
    pub(crate) fn or(members: Vec<Expression>) -> Expression {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Expression::All => return Expression::All,
                Expression::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        flat.sort_unstable();
        flat.dedup();
        match (flat.len(), flat.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                flat.extend(last);
                Expression::Or(flat)
            }
        }
    }

    /// The opposite of `member`, with the NOT moved down to the leaves.
    pub(crate) fn not(member: Expression) -> Expression {
        let each = |members: Vec<Expression>| members.into_iter().map(Expression::not).collect();
        match member {
            Expression::All => Expression::NONE,
            Expression::And(members) => Expression::or(each(members)),
            Expression::Or(members) => Expression::and(each(members)),
            Expression::Not(inner) => *inner,
            leaf @ (Expression::Leaf(_) | Expression::Text(_)) => Expression::Not(Box::new(leaf)),
        }
    }

    /// Feeds the expression to a digest, every part with its kind and length before it.
    pub(crate) fn digest(&self, hash: &mut Sha256) {
        match self {
            Expression::All => tag(hash, 0, 0),
            Expression::And(members) => {
                tag(hash, 1, members.len());
                members.iter().for_each(|member| member.digest(hash));
            }
            Expression::Or(members) => {
                tag(hash, 2, members.len());
                members.iter().for_each(|member| member.digest(hash));
            }
            Expression::Not(member) => {
                tag(hash, 3, 1);
                member.digest(hash);
            }
            Expression::Leaf(leaf) => leaf.digest(hash),
            Expression::Text(text) => {
                tag(hash, 9, text.len());
                hash.update(text);
            }
        }
    }
}

impl Leaf {
    fn digest(&self, hash: &mut Sha256) {
        let mut bytes = |kind: u8, bytes: &[u8]| {
            tag(hash, kind, bytes.len());
            hash.update(bytes);
        };
        match self {
            Leaf::Term(term) => bytes(4, term),
            Leaf::Terms { from, to } => {
                bytes(5, from);
                bytes(5, to);
            }
            Leaf::Id(position) => {
                bytes(6, &position.occurred_at.as_micros().to_le_bytes());
                bytes(6, &position.seq.0.to_le_bytes());
            }
            Leaf::Origin(text) => bytes(7, text.as_bytes()),
            Leaf::Key(text) => bytes(8, text.as_bytes()),
        }
    }
}

fn tag(hash: &mut Sha256, kind: u8, length: usize) {
    hash.update([kind]);
    hash.update(u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes());
}
