//! A filter with other names finds what the filter itself would find if each stored name could be
//! any of those that it stands for: the widened tree against that reading, on the event.

use proptest::prelude::*;

use super::arbitrary::condition;
use super::arbitrary::event;
use super::stored;
use crate::event::Event;
use crate::event::Field;
use crate::event::StoredEvent;
use crate::filter::Condition;
use crate::filter::Filter;
use crate::filter::Range;
use crate::filter::eval;
use crate::registry::Pack;
use crate::registry::Registry;

/// Names that the events by chance have, some of them for one thing.
const PACK: &str = r#"{
    "name": "chance",
    "kinds": [{"name": "a", "aliases": ["b", "a:b"]}, {"name": "*", "aliases": ["é"]}, {"name": "ab"}],
    "types": [{"name": "a.b", "aliases": ["b"]}, {"name": "a", "aliases": ["c", "a.bc"]}]
}"#;

fn registry() -> Registry {
    Registry::new().with(Pack::parse(PACK).unwrap()).unwrap()
}

/// The event under every other name, one of its names changed at a time.
fn renamed(event: &Event, registry: &Registry) -> Vec<Event> {
    let mut all = vec![event.clone()];
    if let Some(known) = registry.find(&event.event_type) {
        all.extend(known.names().map(|name| Event {
            event_type: name.to_owned(),
            ..event.clone()
        }));
    }
    let others = |kind: &str| -> Vec<String> {
        let mut kinds = registry.kinds().map(|(name, aliases)| {
            let names = aliases.iter().map(String::as_str);
            core::iter::once(name)
                .chain(names)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        kinds
            .find(|names| names.iter().any(|name| name == kind))
            .unwrap_or_default()
    };
    for (role, kind) in kinds(event).into_iter().enumerate() {
        for other in others(&kind) {
            let mut event = event.clone();
            *kinds_mut(&mut event).swap_remove(role) = other;
            all.push(event);
        }
    }
    all
}

fn kinds(event: &Event) -> Vec<String> {
    kinds_mut(&mut event.clone())
        .into_iter()
        .map(|kind| kind.clone())
        .collect()
}

fn kinds_mut(event: &mut Event) -> Vec<&mut String> {
    let mut all = Vec::new();
    for performer in [&mut event.performer, &mut event.on_behalf_of] {
        if let Field::Value(performer) = performer {
            all.push(&mut performer.kind);
        }
    }
    if let Field::Value(subject) = &mut event.subject {
        all.push(&mut subject.kind);
    }
    if let Field::Value(targets) = &mut event.targets {
        all.extend(targets.iter_mut().map(|target| &mut target.kind));
    }
    all
}

/// The filter as it was asked, each part of it on the event under any of its names.
fn holds(condition: &Condition, event: &StoredEvent, renamed: &[Event]) -> bool {
    match condition {
        Condition::All(members) => members.iter().all(|one| holds(one, event, renamed)),
        Condition::Any(members) => members.iter().any(|one| holds(one, event, renamed)),
        Condition::Not(member) => !holds(member, event, renamed),
        leaf => renamed.iter().any(|other| {
            let other = StoredEvent {
                event: other.clone(),
                ..event.clone()
            };
            eval::holds(leaf, &other)
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_filter_for_one_name_finds_them_all(
        conditions in proptest::collection::vec(condition(), 1..4),
        events in proptest::collection::vec(event(), 1..6),
    ) {
        let registry = registry();
        for event in events {
            let renamed = renamed(&event, &registry);
            let event = stored(event);
            for condition in &conditions {
                let filter = Filter::new().and(condition.clone()).with_aliases(&registry);
                let expected = holds(condition, &event, &renamed);
                prop_assert_eq!(filter.matches(&event, Range::ALL), expected, "{} on {:?}", filter, event);
            }
        }
    }
}

#[test]
fn a_filter_that_names_nothing_else_stays_as_it_is() {
    let plain = Filter::new().and(Condition::Key("k".to_owned()));
    assert_eq!(plain.clone().with_aliases(&registry()), plain);
    let spelled = super::read(&[("type", "user.*"), ("subject", "user:u1"), ("no", "org")]);
    assert_eq!(spelled.clone().with_aliases(&Registry::built_in()), spelled);
}
