//! Filters that no event can match, whatever is stored: they are mistakes, and an empty answer would
//! hide them. Found by comparing what is asked of one field; sound, so that a filter which is refused
//! matches nothing, but not complete: what only several values together exclude is not looked for.
//! `Condition::Any` without members says "no event" on purpose and is none of them.

use crate::filter::compile;
use crate::filter::condition::Condition;
use crate::filter::condition::Pattern;
use crate::filter::explain;
use crate::filter::expression::Expression;
use crate::filter::expression::Leaf;
use crate::filter::field::FilterField;
use crate::filter::field::Shape;
use crate::filter::term;
use crate::filter::text;

/// Why no event fulfils all of `conditions`, if that is so: begins with the field. No condition
/// breaks a rule or a limit.
pub(crate) fn find(conditions: &[Condition]) -> Option<String> {
    // One pattern alone is what some event has, unless it says that there is no type.
    if only_field(conditions).is_some_and(|field| *field != FilterField::Type) {
        return None;
    }
    let members: Vec<(&Condition, bool)> = conditions.iter().map(|one| (one, false)).collect();
    among(&members)
}

/// The field of a filter that asks for one pattern.
fn only_field(conditions: &[Condition]) -> Option<&FilterField> {
    match conditions {
        [Condition::Field(field, _)] => Some(field),
        [Condition::All(members) | Condition::Any(members)] => only_field(members),
        _ => None,
    }
}

/// What is asked of one event: a value of each group, none of `none`, and one member of each choice.
#[derive(Default)]
struct Asked<'c> {
    groups: Vec<Vec<Wanted<'c>>>,
    none: Vec<Wanted<'c>>,
    choices: Vec<Vec<(&'c Condition, bool)>>,
}

/// One leaf of the filter.
#[derive(Clone)]
struct Wanted<'c> {
    condition: &'c Condition,
    slot: Slot<'c>,
    reach: Reach<'c>,
}

/// What a leaf speaks of. A field and the field of its kinds are one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot<'c> {
    /// A field with one value at the most.
    Text(&'c FilterField),
    /// A field with one entity at the most, by the code of its kinds.
    Entity(u8),
    /// The subject and all further targets.
    Targets,
    Key,
    /// The names of an event, here and where it came from.
    Names,
    /// The words in its texts.
    Words,
}

/// What a leaf lets through of its slot.
#[derive(Clone)]
enum Reach<'c> {
    /// Values with a term from `from` on and before `to`.
    Terms {
        from: Vec<u8>,
        to: Vec<u8>,
    },
    Entity {
        kind: Part<'c>,
        id: Option<Part<'c>>,
    },
    Null,
    Absent,
    /// This very name.
    Name,
    /// Texts that hold this one, which is folded.
    Word(String),
}

#[derive(Clone, Copy)]
enum Part<'c> {
    Is(&'c str),
    Begins(&'c str),
}

/// Every event has a type.
static ANY_TYPE: Condition = Condition::Field(FilterField::Type, Pattern::Prefix(String::new()));

fn among(members: &[(&Condition, bool)]) -> Option<String> {
    let mut asked = Asked::default();
    for (condition, negated) in members {
        asked.take(condition, *negated);
    }
    let type_slot = Slot::Text(&FilterField::Type);
    let mut leaves = asked.groups.iter().flatten().chain(&asked.none);
    if leaves.any(|wanted| wanted.slot == type_slot) {
        asked
            .groups
            .extend(Wanted::of(&ANY_TYPE).map(|any| vec![any]));
    }
    asked.take_subjects_as_targets();
    asked
        .excluded()
        .or_else(|| asked.apart())
        .or_else(|| asked.no_choice())
}

impl<'c> Asked<'c> {
    fn take(&mut self, condition: &'c Condition, negated: bool) {
        match (condition, negated) {
            (Condition::All(members), false) | (Condition::Any(members), true) => {
                members.iter().for_each(|member| self.take(member, negated));
            }
            (Condition::Not(member), _) => self.take(member, !negated),
            (Condition::Any(_), false) | (Condition::All(_), true) => {
                let mut choice = Vec::new();
                alternatives(condition, negated, &mut choice);
                self.take_choice(choice);
            }
            (_, true) => self.none.extend(Wanted::of(condition)),
            (_, false) => self
                .groups
                .extend(Wanted::of(condition).map(|one| vec![one])),
        }
    }

    fn take_choice(&mut self, choice: Vec<(&'c Condition, bool)>) {
        if let [(only, negated)] = choice.as_slice() {
            return self.take(only, *negated);
        }
        let leaf = |(condition, negated): &(&'c Condition, bool)| match negated {
            false => Wanted::of(condition),
            true => None,
        };
        let group: Option<Vec<Wanted<'c>>> = choice.iter().map(leaf).collect();
        match group {
            Some(group) if group.windows(2).all(|two| same_slot(two)) => {
                self.groups.extend((!group.is_empty()).then_some(group));
            }
            _ => self.choices.push(choice),
        }
    }

    /// A subject is a target too.
    fn take_subjects_as_targets(&mut self) {
        let of_subject = |wanted: &Wanted<'_>| {
            wanted.slot == Slot::Entity(term::SUBJECT.kind)
                && !matches!(wanted.reach, Reach::Absent)
        };
        let as_target = |wanted: &Wanted<'c>| Wanted {
            slot: Slot::Targets,
            ..wanted.clone()
        };
        let subjects = self
            .groups
            .iter()
            .filter(|group| group.iter().all(of_subject));
        let targets: Vec<_> = subjects
            .map(|group| group.iter().map(as_target).collect())
            .collect();
        self.groups.extend(targets);
    }

    /// A group of which every value is excluded.
    fn excluded(&self) -> Option<String> {
        let excluded = |wanted: &Wanted<'_>| self.none.iter().find(|none| none.covers(wanted));
        self.groups.iter().find_map(|group| {
            let by: Option<Vec<&Wanted<'_>>> = group.iter().map(excluded).collect();
            let by = by?;
            let field = group.first()?.field();
            let (asked, none) = (words(group.iter()), words(by.into_iter()));
            Some(format!("{field}: contradiction: {asked} and not {none}"))
        })
    }

    /// Two groups that no value is in.
    fn apart(&self) -> Option<String> {
        let mut rest = self.groups.as_slice();
        while let Some((group, others)) = rest.split_first() {
            let is_apart = |other: &&Vec<Wanted<'_>>| {
                let mut pairs = group
                    .iter()
                    .flat_map(|one| other.iter().map(move |two| (one, two)));
                pairs.all(|(one, two)| one.is_apart_from(two))
            };
            if let Some(other) = others.iter().find(is_apart) {
                let field = group.first()?.field();
                let (one, two) = (words(group.iter()), words(other.iter()));
                return Some(format!("{field}: contradiction: {one} and {two}"));
            }
            rest = others;
        }
        None
    }

    /// A choice of which every member is a contradiction by itself.
    fn no_choice(&self) -> Option<String> {
        self.choices.iter().find_map(|choice| {
            let why: Option<Vec<String>> = choice.iter().map(|one| among(&[*one])).collect();
            why?.into_iter().next()
        })
    }
}

fn alternatives<'c>(condition: &'c Condition, negated: bool, out: &mut Vec<(&'c Condition, bool)>) {
    match (condition, negated) {
        (Condition::Any(members), false) | (Condition::All(members), true) => {
            members
                .iter()
                .for_each(|member| alternatives(member, negated, out));
        }
        (Condition::Not(member), _) => alternatives(member, !negated, out),
        _ => out.push((condition, negated)),
    }
}

fn same_slot(two: &[Wanted<'_>]) -> bool {
    matches!(two, [one, other] if one.slot == other.slot)
}

/// The values of a group, the first few of them.
fn words<'a>(group: impl Iterator<Item = &'a Wanted<'a>>) -> String {
    const SHOWN: usize = 3;
    let mut shown: Vec<String> = Vec::new();
    for wanted in group {
        let words = explain::leaf(wanted.condition);
        if shown.len() == SHOWN {
            shown.push("…".to_owned());
            break;
        }
        if !shown.contains(&words) {
            shown.push(words);
        }
    }
    match shown.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(" or ")),
    }
}

impl<'c> Wanted<'c> {
    /// `None` for what says nothing that could be compared.
    fn of(condition: &'c Condition) -> Option<Wanted<'c>> {
        let (slot, reach) = match condition {
            Condition::All(_) | Condition::Any(_) | Condition::Not(_) => return None,
            Condition::Id(_) | Condition::OriginId(_) => (Slot::Names, Reach::Name),
            Condition::Key(_) => (Slot::Key, Reach::Name),
            Condition::Text(word) => (Slot::Words, Reach::Word(text::folded(word))),
            Condition::Field(field, pattern) => match field.shape() {
                Shape::Text(_) | Shape::Ip | Shape::Meta(_) => {
                    (Slot::Text(field), Reach::of_text(field, pattern)?)
                }
                Shape::Entity(role) | Shape::Kind(role) if role == term::TARGET => {
                    (Slot::Targets, Reach::of_entity(pattern)?)
                }
                Shape::Entity(role) | Shape::Kind(role) => {
                    (Slot::Entity(role.kind), Reach::of_entity(pattern)?)
                }
            },
        };
        Some(Wanted {
            condition,
            slot,
            reach,
        })
    }

    fn field(&self) -> String {
        match self.condition {
            Condition::Field(FilterField::Meta(_), _) => "meta".to_owned(),
            Condition::Field(field, _) => field.to_string(),
            Condition::Key(_) => "key".to_owned(),
            Condition::Text(_) => "text".to_owned(),
            _ => "id".to_owned(),
        }
    }

    /// Whether every event that the other lets through is one that this lets through.
    fn covers(&self, other: &Wanted<'_>) -> bool {
        self.slot == other.slot
            && match (&self.reach, &other.reach) {
                (Reach::Absent, Reach::Absent) | (Reach::Null, Reach::Null) => true,
                (
                    Reach::Terms { from, to },
                    Reach::Terms {
                        from: first,
                        to: end,
                    },
                ) => from <= first && end <= to,
                (
                    Reach::Entity { kind, id },
                    Reach::Entity {
                        kind: narrow,
                        id: name,
                    },
                ) => {
                    let covers_id = match (id, name) {
                        (None, _) => true,
                        (Some(id), Some(name)) => id.covers(*name),
                        (Some(_), None) => false,
                    };
                    kind.covers(*narrow) && covers_id
                }
                (Reach::Name, Reach::Name) => self.condition == other.condition,
                (Reach::Word(word), Reach::Word(longer)) => longer.contains(word),
                _ => false,
            }
    }

    /// Whether no event is let through by both.
    fn is_apart_from(&self, other: &Wanted<'_>) -> bool {
        if self.slot != other.slot {
            return false;
        }
        match (&self.reach, &other.reach) {
            (Reach::Absent, Reach::Absent) => false,
            (Reach::Absent, _) | (_, Reach::Absent) => true,
            // Of several entities one may be this and another that, and a name is one of several.
            _ if matches!(self.slot, Slot::Targets | Slot::Names) => false,
            (
                Reach::Terms { from, to },
                Reach::Terms {
                    from: first,
                    to: end,
                },
            ) => to <= first || end <= from,
            (
                Reach::Entity { kind, id },
                Reach::Entity {
                    kind: other,
                    id: name,
                },
            ) => {
                let apart = |(one, two): (&Part<'_>, &Part<'_>)| one.is_apart_from(*two);
                kind.is_apart_from(*other) || id.as_ref().zip(name.as_ref()).is_some_and(apart)
            }
            (Reach::Null, Reach::Entity { .. }) | (Reach::Entity { .. }, Reach::Null) => true,
            (Reach::Name, Reach::Name) => self.condition != other.condition,
            _ => false,
        }
    }
}

impl<'c> Reach<'c> {
    fn of_text(field: &FilterField, pattern: &Pattern) -> Option<Reach<'c>> {
        match compile::pattern(field, pattern).ok()? {
            Expression::Leaf(Leaf::Term(from)) => {
                let mut to = from.clone();
                to.push(0);
                Some(Reach::Terms { from, to })
            }
            Expression::Leaf(Leaf::Terms { from, to }) => Some(Reach::Terms { from, to }),
            Expression::Not(_) => Some(Reach::Absent),
            _ => None,
        }
    }

    fn of_entity(pattern: &'c Pattern) -> Option<Reach<'c>> {
        let of_kind = |kind: &'c Option<String>| kind.as_deref().map_or(Part::Begins(""), Part::Is);
        Some(match pattern {
            Pattern::Is(kind) => Reach::Entity {
                kind: Part::Is(kind),
                id: None,
            },
            Pattern::Prefix(kind) => Reach::Entity {
                kind: Part::Begins(kind),
                id: None,
            },
            Pattern::Id { kind, id } => Reach::Entity {
                kind: of_kind(kind),
                id: Some(Part::Is(id)),
            },
            Pattern::IdPrefix { kind, prefix } => Reach::Entity {
                kind: of_kind(kind),
                id: Some(Part::Begins(prefix)),
            },
            Pattern::Null => Reach::Null,
            Pattern::Absent => Reach::Absent,
            Pattern::Network { .. } => return None,
        })
    }
}

impl Part<'_> {
    fn covers(self, other: Part<'_>) -> bool {
        match (self, other) {
            (Part::Is(text), Part::Is(other)) => text == other,
            (Part::Is(_), Part::Begins(_)) => false,
            (Part::Begins(head), Part::Is(other) | Part::Begins(other)) => other.starts_with(head),
        }
    }

    fn is_apart_from(self, other: Part<'_>) -> bool {
        match (self, other) {
            (Part::Is(text), Part::Is(other)) => text != other,
            (Part::Is(text), Part::Begins(head)) | (Part::Begins(head), Part::Is(text)) => {
                !text.starts_with(head)
            }
            (Part::Begins(one), Part::Begins(two)) => {
                !one.starts_with(two) && !two.starts_with(one)
            }
        }
    }
}
