//! Makes an event of a record by a mapping. The whole record always becomes `data`, so a mapped
//! text that breaks a rule of its field (too long, say) is left out of the field and lost nowhere;
//! the one thing an event cannot do without is its time.

use std::borrow::Cow;

use super::expression::Choice;
use super::expression::Scope;
use super::mapping::ChangeRule;
use super::mapping::Entity;
use super::mapping::Fields;
use super::mapping::Mapping;
use super::moment;
use super::record::Record;
use super::record::Value;
use super::step;
use crate::event::Change;
use crate::event::Context;
use crate::event::Event;
use crate::event::Field;
use crate::event::Json;
use crate::event::Metadata;
use crate::event::Origin;
use crate::event::Outcome;
use crate::event::Performer;
use crate::event::Subject;
use crate::event::Target;
use crate::limits;

/// Makes the event of one record, still without `data`; `zone` wins over the mapping's own.
///
/// The error is the reason for the refusal, in words for the person who imports.
pub(super) fn event(
    mapping: &Mapping,
    record: &Record<'_>,
    zone: Option<i32>,
) -> Result<Event, String> {
    let scope = mapping.scope(record);
    let fields = &mapping.fields;
    let zone = zone.unwrap_or(mapping.zone);
    let (time, offset) = time(fields, scope, zone)
        .ok_or_else(|| format!("no time that the mapping `{}` can read", mapping.name()))?;
    let mut event = Event {
        event_type: event_type(fields, scope, mapping.name()),
        sub_type: text(&fields.sub_type, scope),
        occurred_at: Field::Value(time),
        offset: offset.map_or(Field::Absent, Field::Value),
        org: text(&fields.org, scope),
        performer: performer(&fields.performer, scope),
        on_behalf_of: performer(&fields.on_behalf_of, scope),
        subject: subject(&fields.subject, scope),
        outcome: outcome(&fields.outcome, scope),
        reason: text(&fields.reason, scope),
        source: text(&fields.source, scope),
        metadata: metadata(fields, scope),
        changes: changes(&fields.changes, scope),
        context: context(fields, scope),
        batch: text(&fields.batch, scope),
        caused_by: text(&fields.caused_by, scope),
        correlation: text(&fields.correlation, scope),
        origin: origin(fields, scope),
        ..Event::default()
    };
    event.targets = targets(&fields.targets, scope, event.subject.value());
    Ok(event)
}

fn time(fields: &Fields, scope: Scope<'_, '_>, zone: i32) -> Option<moment::Written> {
    fields
        .occurred_at
        .iter()
        .find_map(|(choice, form)| moment::parse(&choice.value(scope)?, *form, zone))
}

/// The mapped type made a valid one; `NAME.event` where the record gives none.
fn event_type(fields: &Fields, scope: Scope<'_, '_>, name: &str) -> String {
    let mapped = fields.event_type.value(scope);
    let mapped = mapped.as_deref().unwrap_or_default();
    let valid = |text: &str| !text.is_empty() && text.len() <= limits::WORD_BYTES;
    let mapped = step::dotted(mapped);
    if valid(&mapped) {
        return mapped;
    }
    format!("{}.event", step::dotted(name))
}

/// A text that its field takes.
fn fitting(choice: &Choice, scope: Scope<'_, '_>) -> Option<String> {
    choice
        .value(scope)
        .filter(|text| text.len() <= limits::TEXT_BYTES)
        .map(Cow::into_owned)
}

fn text(choice: &Choice, scope: Scope<'_, '_>) -> Field<String> {
    fitting(choice, scope).map_or(Field::Absent, Field::Value)
}

/// A kind without control characters and short enough; `unknown` where the record gives none.
fn kind(choice: &Choice, scope: Scope<'_, '_>) -> String {
    let found = choice.value(scope).unwrap_or_default();
    let clean: String = found
        .chars()
        .filter(|letter| !letter.is_control())
        .collect();
    if clean.is_empty() || clean.len() > limits::WORD_BYTES {
        return "unknown".to_owned();
    }
    clean
}

impl Entity {
    fn applies(&self, scope: Scope<'_, '_>) -> bool {
        self.when.iter().all(|test| test.holds(scope))
    }
}

fn performer(alternatives: &[Entity], scope: Scope<'_, '_>) -> Field<Performer> {
    let found = alternatives.iter().find_map(|entity| {
        let (id, label, email) = named(entity, scope)?;
        Some(Performer {
            kind: kind(&entity.kind, scope),
            id,
            label,
            email,
            org: text(&entity.org, scope),
            external_ref: text(&entity.external_ref, scope),
        })
    });
    found.map_or(Field::Absent, Field::Value)
}

fn subject(alternatives: &[Entity], scope: Scope<'_, '_>) -> Field<Subject> {
    let found = alternatives.iter().find_map(|entity| {
        let (id, label, _) = named(entity, scope)?;
        Some(Subject {
            kind: kind(&entity.kind, scope),
            id,
            label,
            external_ref: text(&entity.external_ref, scope),
        })
    });
    found.map_or(Field::Absent, Field::Value)
}

/// Id, label and e-mail address, if there is one of them.
fn named(
    entity: &Entity,
    scope: Scope<'_, '_>,
) -> Option<(Field<String>, Field<String>, Field<String>)> {
    if !entity.applies(scope) {
        return None;
    }
    let found = (
        text(&entity.id, scope),
        text(&entity.label, scope),
        text(&entity.email, scope),
    );
    let none = found.0.is_absent() && found.1.is_absent() && found.2.is_absent();
    (!none).then_some(found)
}

/// Every target the rules give, each once, without the subject itself; those beyond the bound
/// stand in `data` only.
fn targets(
    rules: &[Entity],
    scope: Scope<'_, '_>,
    subject: Option<&Subject>,
) -> Field<Vec<Target>> {
    let mut targets: Vec<Target> = Vec::new();
    for rule in rules {
        for scope in scopes(rule.each.as_ref(), scope) {
            let Some((id, label, _)) = named(rule, scope) else {
                continue;
            };
            let target = Target {
                kind: kind(&rule.kind, scope),
                id,
                label,
            };
            let is_subject = subject
                .is_some_and(|subject| subject.kind == target.kind && subject.id == target.id);
            if !is_subject && targets.len() < limits::TARGETS && !targets.contains(&target) {
                targets.push(target);
            }
        }
    }
    if targets.is_empty() {
        Field::Absent
    } else {
        Field::Value(targets)
    }
}

/// The scope itself, or one for each item of the array that `each` names.
fn scopes<'r, 'a: 'r>(
    each: Option<&super::record::Pointer>,
    scope: Scope<'r, 'a>,
) -> Vec<Scope<'r, 'a>> {
    let Some(pointer) = each else {
        return vec![scope];
    };
    let items = scope.at(pointer).map(Value::items).into_iter().flatten();
    items
        .take(limits::CHANGES)
        .map(|item| Scope {
            item: Some(item),
            ..scope
        })
        .collect()
}

fn outcome(choice: &Choice, scope: Scope<'_, '_>) -> Field<Outcome> {
    let word = choice.value(scope);
    let known = Outcome::ALL
        .into_iter()
        .find(|outcome| word.as_deref() == Some(outcome.as_str()));
    known.map_or(Field::Absent, Field::Value)
}

fn metadata(fields: &Fields, scope: Scope<'_, '_>) -> Field<Metadata> {
    let pairs = fields.metadata.iter();
    let found: Metadata = pairs
        .filter_map(|(key, choice)| Some((key.clone(), fitting(choice, scope)?)))
        .collect();
    if found.is_empty() {
        Field::Absent
    } else {
        Field::Value(found)
    }
}

fn context(fields: &Fields, scope: Scope<'_, '_>) -> Field<Context> {
    let mut context = Context::default();
    for (key, choice) in &fields.context {
        let Some(value) = fitting(choice, scope) else {
            continue;
        };
        let field = match key.as_str() {
            "ip" => &mut context.ip,
            "user_agent" => &mut context.user_agent,
            "fingerprint" => &mut context.fingerprint,
            "geo" => &mut context.geo,
            "request_id" => &mut context.request_id,
            "session_id" => &mut context.session_id,
            _ => {
                context.further.push((key.clone(), value));
                continue;
            }
        };
        *field = Field::Value(value);
    }
    if context == Context::default() {
        Field::Absent
    } else {
        Field::Value(context)
    }
}

fn changes(rules: &[ChangeRule], scope: Scope<'_, '_>) -> Field<Vec<Change>> {
    let mut changes = Vec::new();
    for rule in rules {
        for scope in scopes(rule.each.as_ref(), scope) {
            if !rule.when.iter().all(|test| test.holds(scope)) {
                continue;
            }
            let json = |pointer: &Option<super::record::Pointer>| {
                let value = pointer.as_ref().and_then(|pointer| scope.at(pointer));
                value.and_then(|value| Json::parse(value.raw()).ok())
            };
            let (before, after) = (json(&rule.before), json(&rule.after));
            if let (Some(path), true) = (
                fitting(&rule.path, scope),
                before.is_some() || after.is_some(),
            ) {
                changes.push(Change {
                    path,
                    before: before.map_or(Field::Absent, Field::Value),
                    after: after.map_or(Field::Absent, Field::Value),
                });
            }
        }
    }
    changes.truncate(limits::CHANGES);
    if changes.is_empty() {
        Field::Absent
    } else {
        Field::Value(changes)
    }
}

fn origin(fields: &Fields, scope: Scope<'_, '_>) -> Field<Origin> {
    let id = text(&fields.origin_id, scope);
    if id.is_absent() {
        return Field::Absent;
    }
    Field::Value(Origin {
        store: text(&fields.origin_store, scope),
        id,
        ..Origin::default()
    })
}
