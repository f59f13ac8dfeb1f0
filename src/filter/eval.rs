//! Whether an event fulfils a filter, decided on the event itself: the slow and obvious reading of
//! the filter's words. Nothing here knows index terms, so that comparing the two proves both.

use core::net::IpAddr;

use crate::event::Event;
use crate::event::Field;
use crate::event::Outcome;
use crate::event::Performer;
use crate::event::StoredEvent;
use crate::filter::condition::Condition;
use crate::filter::condition::IpPrefix;
use crate::filter::condition::Pattern;
use crate::filter::condition::ip_prefix;
use crate::filter::field::FilterField;
use crate::filter::text;

/// Whether `condition` holds for `stored`.
pub(crate) fn holds(condition: &Condition, stored: &StoredEvent) -> bool {
    let event = &stored.event;
    match condition {
        Condition::All(members) => members.iter().all(|member| holds(member, stored)),
        Condition::Any(members) => members.iter().any(|member| holds(member, stored)),
        Condition::Not(member) => !holds(member, stored),
        Condition::Field(field, pattern) => field_is(field, pattern, event),
        Condition::Id(id) => *id == stored.id || origin_is(event, &id.to_string()),
        Condition::OriginId(text) => origin_is(event, text),
        Condition::Text(word) => text::holds(event, &text::folded(word)),
        Condition::Key(text) => event.key.as_deref() == Some(text),
    }
}

fn origin_is(event: &Event, text: &str) -> bool {
    let origin = event.origin.value();
    origin.and_then(|origin| origin.id.as_deref()) == Some(text)
}

fn field_is(field: &FilterField, pattern: &Pattern, event: &Event) -> bool {
    match field {
        FilterField::Type => text_is(&Field::Value(&event.event_type), pattern),
        FilterField::SubType => text_is(&borrowed(&event.sub_type), pattern),
        FilterField::Org => text_is(&borrowed(&event.org), pattern),
        FilterField::Source => text_is(&borrowed(&event.source), pattern),
        FilterField::Outcome => text_is(&outcome(event.outcome), pattern),
        FilterField::Ip => match &event.context {
            Field::Value(context) => ip_is(&borrowed(&context.ip), pattern),
            Field::Null | Field::Absent => *pattern == Pattern::Absent,
        },
        FilterField::Meta(key) => {
            let value = event.metadata.value().and_then(|pairs| pairs.get(key));
            text_is(&value.map_or(Field::Absent, Field::Value), pattern)
        }
        FilterField::Subject | FilterField::SubjectKind => {
            entities_are(&subject(event), event.subject.is_null(), pattern)
        }
        FilterField::Target | FilterField::TargetKind => {
            let mut all = subject(event);
            let further = event.targets.as_deref().unwrap_or_default();
            all.extend(further.iter().map(|target| Entity {
                kind: &target.kind,
                id: target.id.as_deref(),
            }));
            let null = event.subject.is_null() || event.targets.is_null();
            entities_are(&all, null, pattern)
        }
        FilterField::Performer | FilterField::PerformerKind => {
            performer_is(&event.performer, pattern)
        }
        FilterField::OnBehalfOf | FilterField::OnBehalfOfKind => {
            performer_is(&event.on_behalf_of, pattern)
        }
    }
}

struct Entity<'a> {
    kind: &'a str,
    id: Option<&'a str>,
}

fn subject(event: &Event) -> Vec<Entity<'_>> {
    let subject = event.subject.value();
    let entity = subject.map(|subject| Entity {
        kind: &subject.kind,
        id: subject.id.as_deref(),
    });
    entity.into_iter().collect()
}

fn performer_is(performer: &Field<Performer>, pattern: &Pattern) -> bool {
    let entity = performer.value().map(|performer| Entity {
        kind: &performer.kind,
        id: performer.id.as_deref(),
    });
    let entities: Vec<Entity<'_>> = entity.into_iter().collect();
    entities_are(&entities, performer.is_null(), pattern)
}

fn entities_are(entities: &[Entity<'_>], null: bool, pattern: &Pattern) -> bool {
    let of_kind = |entity: &Entity<'_>, kind: &Option<String>| match kind {
        Some(kind) => entity.kind == kind,
        None => true,
    };
    match pattern {
        Pattern::Is(kind) => entities.iter().any(|entity| entity.kind == kind),
        Pattern::Prefix(prefix) => entities
            .iter()
            .any(|entity| entity.kind.starts_with(prefix)),
        Pattern::Id { kind, id } => entities
            .iter()
            .any(|entity| of_kind(entity, kind) && entity.id == Some(id)),
        Pattern::IdPrefix { kind, prefix } => entities.iter().any(|entity| {
            of_kind(entity, kind) && entity.id.is_some_and(|id| id.starts_with(prefix))
        }),
        Pattern::Network { .. } => false,
        Pattern::Null => null,
        Pattern::Absent => entities.is_empty() && !null,
    }
}

fn text_is(field: &Field<&str>, pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Is(text) => *field == Field::Value(text.as_str()),
        Pattern::Prefix(prefix) => field.value().is_some_and(|text| text.starts_with(prefix)),
        Pattern::Null => field.is_null(),
        Pattern::Absent => field.is_absent(),
        Pattern::Id { .. } | Pattern::IdPrefix { .. } | Pattern::Network { .. } => false,
    }
}

fn ip_is(field: &Field<&str>, pattern: &Pattern) -> bool {
    let address = field.value().and_then(|text| text.parse::<IpAddr>().ok());
    match pattern {
        Pattern::Is(text) => match (text.parse::<IpAddr>(), address) {
            (Ok(asked), Some(address)) => wide(asked) == wide(address),
            (Ok(_), None) | (Err(_), Some(_)) => false,
            (Err(_), None) => text_is(field, pattern),
        },
        Pattern::Prefix(prefix) => match ip_prefix(prefix) {
            Ok(IpPrefix::Any) => field.value().is_some(),
            Ok(IpPrefix::Network { address: of, bits }) => within(address, of, bits),
            Ok(IpPrefix::Text(_)) => address.is_none() && text_is(field, pattern),
            Err(_) => false,
        },
        Pattern::Network { address: of, bits } => within(address, *of, *bits),
        Pattern::Id { .. } | Pattern::IdPrefix { .. } | Pattern::Null | Pattern::Absent => {
            text_is(field, pattern)
        }
    }
}

/// Whether the leading `bits` of both addresses are the same.
fn within(address: Option<IpAddr>, network: IpAddr, bits: u8) -> bool {
    let bits = u32::from(bits) + if network.is_ipv4() { 96 } else { 0 };
    let differ = |address| (wide(address) ^ wide(network)).leading_zeros() < bits;
    address.is_some_and(|address| !differ(address))
}

fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => four.to_ipv6_mapped().to_bits(),
        IpAddr::V6(six) => six.to_bits(),
    }
}

fn borrowed(field: &Field<String>) -> Field<&str> {
    match field {
        Field::Absent => Field::Absent,
        Field::Null => Field::Null,
        Field::Value(text) => Field::Value(text),
    }
}

fn outcome(outcome: Field<Outcome>) -> Field<&'static str> {
    match outcome {
        Field::Absent => Field::Absent,
        Field::Null => Field::Null,
        Field::Value(outcome) => Field::Value(outcome.as_str()),
    }
}
