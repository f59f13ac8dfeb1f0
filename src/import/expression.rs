//! What a mapping file writes for one field: where the value comes from, the steps on its way, and
//! the conditions under which it counts. Evaluation is total: a missing member, a value to ignore
//! or a step that finds nothing all give nothing.

use std::borrow::Cow;

use super::record::Pointer;
use super::record::Record;
use super::record::Value;
use super::step::Step;

/// Alternatives; the first that gives a value is the value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Choice(pub(super) Vec<Expression>);

/// One way to a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expression {
    pub(super) source: Source,
    pub(super) steps: Vec<Step>,
    pub(super) when: Vec<Test>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// A member of the record, or of the item an `each` stands at.
    At(Pointer),
    /// A member of the record, also inside an `each`.
    Root(Pointer),
    /// The text the mapping extracts from.
    Text,
    /// The same for every record.
    Const(String),
    /// All of these, joined; nothing if one of them is missing.
    Join(Vec<Choice>, String),
}

/// A condition on the record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    pub(super) value: Choice,
    pub(super) check: Check,
    /// The condition holds when the check does not.
    pub(super) not: bool,
}

/// What a condition asks of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Check {
    /// The members are there, whatever they hold; null counts as absent.
    Has(Vec<Pointer>),
    /// The text is one of these.
    Is(Vec<String>),
    /// The text begins with this.
    Starts(String),
    /// The text ends with this.
    Ends(String),
    /// The text holds this.
    Contains(String),
}

/// What expressions are evaluated on.
#[derive(Clone, Copy)]
pub(super) struct Scope<'r, 'a> {
    pub(super) record: &'r Record<'a>,
    /// The item an `each` stands at.
    pub(super) item: Option<Value<'a>>,
    /// Where the mapping's text is.
    pub(super) text: &'r [Pointer],
    /// Texts that mean "nothing" in this source.
    pub(super) ignore: &'r [String],
}

impl<'r, 'a: 'r> Scope<'r, 'a> {
    /// The member a pointer leads to, from the item if there is one.
    pub(super) fn at(self, pointer: &Pointer) -> Option<Value<'a>> {
        match self.item {
            Some(item) => pointer.walk(item),
            None => self.record.at(pointer),
        }
    }

    fn counts(self, text: &str) -> bool {
        !text.is_empty() && !self.ignore.iter().any(|unwanted| unwanted == text)
    }
}

impl Choice {
    pub(super) fn value<'r, 'a: 'r>(&'r self, scope: Scope<'r, 'a>) -> Option<Cow<'r, str>> {
        self.0.iter().find_map(|expression| expression.value(scope))
    }
}

impl Expression {
    pub(super) fn value<'r, 'a: 'r>(&'r self, scope: Scope<'r, 'a>) -> Option<Cow<'r, str>> {
        if !self.when.iter().all(|test| test.holds(scope)) {
            return None;
        }
        let text = match &self.source {
            Source::At(pointer) => scope.at(pointer)?.text()?,
            Source::Root(pointer) => scope.record.at(pointer)?.text()?,
            Source::Text => Cow::Borrowed(scope.record.text(scope.text)?),
            Source::Const(text) => return Some(Cow::Borrowed(text)),
            Source::Join(parts, with) => Cow::Owned(join(parts, with, scope)?),
        };
        if !scope.counts(&text) {
            return None;
        }
        let text = self
            .steps
            .iter()
            .try_fold(text, |text, step| step.apply(text))?;
        scope.counts(&text).then_some(text)
    }
}

fn join<'r, 'a: 'r>(parts: &'r [Choice], with: &str, scope: Scope<'r, 'a>) -> Option<String> {
    let mut joined = String::new();
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            joined.push_str(with);
        }
        joined.push_str(&part.value(scope)?);
    }
    Some(joined)
}

impl Test {
    pub(super) fn holds<'r, 'a: 'r>(&'r self, scope: Scope<'r, 'a>) -> bool {
        let found = match &self.check {
            Check::Has(pointers) => pointers
                .iter()
                .all(|pointer| scope.at(pointer).is_some_and(|value| value.raw() != "null")),
            Check::Is(texts) => self.text(scope, |text| texts.iter().any(|wanted| wanted == text)),
            Check::Starts(head) => self.text(scope, |text| text.starts_with(head.as_str())),
            Check::Ends(tail) => self.text(scope, |text| text.ends_with(tail.as_str())),
            Check::Contains(part) => self.text(scope, |text| text.contains(part.as_str())),
        };
        found != self.not
    }

    fn text<'r, 'a: 'r>(&'r self, scope: Scope<'r, 'a>, check: impl Fn(&str) -> bool) -> bool {
        self.value.value(scope).is_some_and(|text| check(&text))
    }
}
