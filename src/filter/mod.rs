//! Which events a reader asks for: conditions on fields and a range of times, built by calls or
//! from the words of the command line. Pure: it knows events and index terms, never a store.

mod alias;
mod compile;
mod condition;
mod contradiction;
pub(crate) mod eval;
mod explain;
pub(crate) mod expression;
pub(crate) mod facet;
mod field;
pub(crate) mod indexed;
mod item;
mod kept;
mod query_text;
mod range;
mod split;
pub(crate) mod term;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod when;
mod words;
mod zone;

use core::fmt;

use sha2::Digest;
use sha2::Sha256;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::filter::expression::Expression;
use crate::filter::range::Edge;
use crate::filter::when::End;
use crate::time::Time;

pub use condition::Condition;
pub use condition::Pattern;
pub use field::FilterField;
pub(crate) use range::Range;
pub use when::Bound;
pub use zone::LocalTime;
pub use zone::Moments;
pub use zone::Utc;
pub use zone::Zone;

/// Which events to read: every condition holds, and `occurred_at` lies in the range.
///
/// ```
/// use auditdb::{Filter, FilterField, Utc};
///
/// let built = Filter::new()
///     .is(FilterField::Type, "user.updated")
///     .since("2026-05-17T00:00:00Z".parse::<auditdb::Time>()?);
/// let read = Filter::from_flags([("type", "user.updated"), ("since", "2026-05-17")], &Utc)?;
/// assert_eq!(built, read);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    conditions: Vec<Condition>,
    edges: Vec<Edge>,
}

impl Filter {
    /// The flags of the command line, without their dashes, that [`Filter::from_flags`] reads.
    pub const FLAGS: &[&str] = &words::FLAGS;

    /// Every event.
    #[must_use]
    pub fn new() -> Filter {
        Filter::default()
    }

    /// Reads the filter words of the command line: a flag's name and its text, flag by flag.
    /// Times without a zone are taken in `zone`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Filter`], naming the flag and how its text was read.
    pub fn from_flags<'a>(
        flags: impl IntoIterator<Item = (&'a str, &'a str)>,
        zone: &dyn Zone,
    ) -> Result<Filter> {
        words::filter(flags, zone)
    }

    /// Reads further words that narrow those of a saved query: an event has to be asked for by both.
    /// Each side has the zone in which its own times are read.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Filter`], naming the flag: as [`Filter::from_flags`], and where both sides
    /// say when in one way.
    ///
    /// ```
    /// use auditdb::{Filter, Utc};
    ///
    /// let saved = [("type", "user.*"), ("during", "2026-Q2")];
    /// let narrower = Filter::from_flags_within(saved, &Utc, [("type", "user.removed")], &Utc)?;
    /// assert!(narrower.explain().starts_with("type begins with \"user.\"\nand type is"));
    /// let twice = Filter::from_flags_within(saved, &Utc, [("since", "-24h")], &Utc);
    /// assert!(twice.unwrap_err().to_string().contains("--during of the saved query"));
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn from_flags_within<'a, 'b>(
        saved: impl IntoIterator<Item = (&'a str, &'a str)>,
        saved_zone: &dyn Zone,
        flags: impl IntoIterator<Item = (&'b str, &'b str)>,
        zone: &dyn Zone,
    ) -> Result<Filter> {
        words::within(saved, saved_zone, flags, zone)
    }

    /// Only events for which `condition` holds too.
    #[must_use]
    pub fn and(mut self, condition: Condition) -> Filter {
        self.conditions.push(condition);
        self
    }

    /// Only events whose `field` is `value`; of an entity, the value is its kind: one kind and one id
    /// is [`Filter::is_entity`].
    #[must_use]
    pub fn is(self, field: FilterField, value: impl Into<String>) -> Filter {
        self.and(Condition::Field(field, Pattern::is(value)))
    }

    /// Only events whose `field`, a subject, a target or a performer, is the entity of this kind
    /// and id.
    ///
    /// ```
    /// use auditdb::{Filter, FilterField, Pattern};
    ///
    /// let by_name = Filter::new().is_entity(FilterField::Subject, "user", "u12");
    /// let pattern = Pattern::entity("user", "u12");
    /// assert_eq!(by_name, Filter::new().any_of(&FilterField::Subject, [pattern]));
    /// ```
    #[must_use]
    pub fn is_entity(
        self,
        field: FilterField,
        kind: impl Into<String>,
        id: impl Into<String>,
    ) -> Filter {
        self.any_of(&field, [Pattern::entity(kind, id)])
    }

    /// Only events whose `field` is as any of `patterns` says.
    #[must_use]
    pub fn any_of(
        self,
        field: &FilterField,
        patterns: impl IntoIterator<Item = Pattern>,
    ) -> Filter {
        self.and(Condition::any_of(field, patterns))
    }

    /// Only events whose `field` is as none of `patterns` says, or is not there.
    #[must_use]
    pub fn none_of(
        self,
        field: &FilterField,
        patterns: impl IntoIterator<Item = Pattern>,
    ) -> Filter {
        self.and(Condition::not(Condition::any_of(field, patterns)))
    }

    /// Only events at or after `bound`.
    #[must_use]
    pub fn since(self, bound: impl Into<Bound>) -> Filter {
        self.edge(End::Since, bound.into())
    }

    /// Only events at or before `bound`.
    #[must_use]
    pub fn until(self, bound: impl Into<Bound>) -> Filter {
        self.edge(End::Until, bound.into())
    }

    /// Only events before `bound`.
    #[must_use]
    pub fn before(self, bound: impl Into<Bound>) -> Filter {
        self.edge(End::Before, bound.into())
    }

    /// Refuses what every reading refuses: a pattern that does not go with its field, more than 1,024
    /// values, and conditions that no event can fulfil, whatever is stored. A range of times is empty
    /// only at a certain moment, so that it is the reading which refuses one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Filter`], naming the field.
    ///
    /// ```
    /// use auditdb::{Filter, FilterField, Pattern};
    ///
    /// let filter = Filter::new()
    ///     .is(FilterField::Type, "user.updated")
    ///     .none_of(&FilterField::Type, [Pattern::prefix("user.")]);
    /// let error = filter.validate().unwrap_err();
    /// assert_eq!(error.kind(), auditdb::ErrorKind::Filter);
    /// assert_eq!(
    ///     error.to_string(),
    ///     "type: contradiction: type is \"user.updated\" and not type begins with \"user.\""
    /// );
    /// ```
    pub fn validate(&self) -> Result<()> {
        self.sound_expression().map(drop)
    }

    /// The filter in words, one condition a line, as `--explain` prints it.
    #[must_use]
    pub fn explain(&self) -> String {
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = explain::write(self, "\nand ", &mut text);
        text
    }

    fn edge(mut self, end: End, bound: Bound) -> Filter {
        self.edges.push(Edge { end, bound });
        self
    }

    /// The conditions as the planner takes them.
    pub(crate) fn expression(&self) -> Result<Expression> {
        compile::all(&self.conditions)
    }

    /// The same, unless no event can fulfil them.
    pub(crate) fn sound_expression(&self) -> Result<Expression> {
        let expression = self.expression()?;
        match contradiction::find(&self.conditions) {
            Some(why) => Err(Error::new(ErrorKind::Filter, why)),
            None => Ok(expression),
        }
    }

    /// The times that are asked for by a reading that begins at `now`.
    pub(crate) fn range(&self, now: Time) -> Result<Range> {
        Range::resolve(&self.edges, now)
    }

    /// The times that are asked for whenever the reading began: relative bounds leave all of them.
    pub(crate) fn fixed_range(&self) -> Result<Range> {
        let is_fixed = |edge: &&Edge| matches!(edge.bound, Bound::At(_));
        let fixed: Vec<Edge> = self.edges.iter().filter(is_fixed).copied().collect();
        Range::resolve(&fixed, Time::MAX)
    }

    /// Names the filter in cursors: equal for two spellings that say the same, and for relative
    /// times whenever they are read.
    pub(crate) fn digest(&self) -> Result<[u8; 16]> {
        Ok(self.digest_of(&self.expression()?))
    }

    /// The same of a filter whose conditions come to `expression`.
    pub(crate) fn digest_of(&self, expression: &Expression) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(b"auditdb filter 1\0");
        expression.digest(&mut hash);
        let mut edges: Vec<&Edge> = self.edges.iter().collect();
        edges.sort_unstable_by_key(|edge| edge.order());
        edges.dedup_by_key(|edge| edge.order());
        edges.iter().for_each(|edge| edge.digest(&mut hash));
        let mut digest = [0; 16];
        digest
            .iter_mut()
            .zip(hash.finalize())
            .for_each(|(to, from)| *to = from);
        digest
    }

    /// Whether `event` is asked for, decided on the event itself.
    pub(crate) fn matches(&self, event: &StoredEvent, range: Range) -> bool {
        range.contains(event.occurred_at)
            && self
                .conditions
                .iter()
                .all(|condition| eval::holds(condition, event))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        explain::write(self, " and ", formatter)
    }
}
