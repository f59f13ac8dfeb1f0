//! Views against the events that are made of the same rows.

use std::borrow::Cow;

use super::EntityView;
use super::EventView;
use crate::codec::canonical;
use crate::codec::content::Parts;
use crate::codec::row::Body;
use crate::codec::row::Row;
use crate::event::Change;
use crate::event::Context;
use crate::event::Event;
use crate::event::Field;
use crate::event::Json;
use crate::event::Origin;
use crate::event::Performer;
use crate::event::StoredEvent;
use crate::event::Subject;
use crate::event::Target;

fn owned(field: Field<Cow<'_, str>>) -> Field<String> {
    field.map(Cow::into_owned)
}

fn performer(who: EntityView<'_>) -> Performer {
    Performer {
        kind: who.kind.into_owned(),
        id: owned(who.id),
        label: owned(who.label),
        email: owned(who.email),
        org: owned(who.org),
        external_ref: owned(who.external_ref),
    }
}

fn json(field: Field<&str>) -> Field<Json> {
    field.map(Json::of_compact)
}

fn context(view: &EventView<'_>) -> Field<Context> {
    view.context().map(|pairs| {
        let mut known = [const { Field::Absent }; 6];
        let mut further = Vec::new();
        for (key, value) in pairs {
            let place = Context::KEYS.iter().position(|known| *known == key);
            match place.and_then(|place| known.get_mut(place)) {
                Some(slot) => *slot = owned(value),
                None => further.extend(
                    value
                        .value()
                        .map(|text| (key.to_string(), text.to_string())),
                ),
            }
        }
        Context::of_known(known, further)
    })
}

/// Field by field what an application would make of a view.
fn event_of(view: &EventView<'_>) -> Event {
    Event {
        event_type: view.event_type().into_owned(),
        sub_type: owned(view.sub_type()),
        occurred_at: Field::Value(view.occurred_at()),
        offset: view.offset(),
        org: owned(view.org()),
        performer: view.performer().map(performer),
        on_behalf_of: view.on_behalf_of().map(performer),
        subject: view.subject().map(|subject| Subject {
            kind: subject.kind.into_owned(),
            id: owned(subject.id),
            label: owned(subject.label),
            external_ref: owned(subject.external_ref),
        }),
        targets: view.targets().map(|targets| {
            let target = |target: EntityView<'_>| Target {
                kind: target.kind.into_owned(),
                id: owned(target.id),
                label: owned(target.label),
            };
            targets.map(target).collect()
        }),
        outcome: view.outcome(),
        reason: owned(view.reason()),
        source: owned(view.source()),
        metadata: view.metadata().map(|pairs| {
            let pairs = pairs.map(|(key, value)| (key.into_owned(), value.into_owned()));
            pairs.collect()
        }),
        changes: view.changes().map(|changes| {
            let changes = changes.map(|change| Change {
                path: change.path.into_owned(),
                before: json(change.before),
                after: json(change.after),
            });
            changes.collect()
        }),
        context: context(view),
        batch: owned(view.batch()),
        caused_by: owned(view.caused_by()),
        correlation: owned(view.correlation()),
        origin: view.origin().map(|origin| Origin {
            store: owned(origin.store),
            id: owned(origin.id),
            seq: origin.seq,
            recorded_at: origin.recorded_at,
        }),
        key: owned(view.key()),
        data: json(view.data()),
    }
}

fn assert_the_json_is_what_serde_writes(view: &EventView<'_>, event: &Event) {
    fn of<T: serde::Serialize>(field: &Field<T>) -> Field<String> {
        let value = match field {
            Field::Absent => return Field::Absent,
            Field::Null => return Field::Null,
            Field::Value(value) => value,
        };
        serde_json::to_string(value).map_or(Field::Absent, Field::Value)
    }
    let found = [
        view.performer().map(|who| who.json),
        view.on_behalf_of().map(|whom| whom.json),
        view.subject().map(|subject| subject.json),
        view.targets_json(),
        view.metadata_json(),
        view.changes_json(),
        view.context_json(),
    ];
    let wanted = [
        of(&event.performer),
        of(&event.on_behalf_of),
        of(&event.subject),
        of(&event.targets),
        of(&event.metadata),
        of(&event.changes),
        of(&event.context),
    ];
    assert_eq!(found.map(|json| json.map(str::to_owned)), wanted);
}

fn assert_values_are_found_by_their_keys(view: &EventView<'_>, event: &Event) {
    if let Field::Value(pairs) = view.metadata() {
        pairs.for_each(|(key, value)| assert_eq!(view.metadata_value(&key), Some(value)));
    }
    if let Field::Value(pairs) = view.context() {
        pairs.for_each(|(key, value)| assert_eq!(view.context_value(&key), value));
    }
    let strange = "no such key";
    let known = event.metadata.value().and_then(|pairs| pairs.get(strange));
    assert_eq!(view.metadata_value(strange).as_deref(), known);
    assert_eq!(view.context_value(strange), Field::Absent);
}

#[test]
fn every_field_of_a_view_is_that_of_the_event() -> crate::error::Result<()> {
    let lines = include_str!("../../../tests/golden/canonical.ndjson").lines();
    let mut seen = 0;
    for line in lines {
        let Ok(stored) = serde_json::from_str::<StoredEvent>(line) else {
            continue;
        };
        let content = canonical::content(&stored.event);
        let row = Row {
            position: stored.position(),
            recorded_at: stored.recorded_at,
            body: Body {
                time_given: true,
                import: None,
                content: &content,
            },
        };
        let parts = row.content();
        let parts = parts.ok_or_else(|| crate::snapshot::no_event(&row))?;
        let view = EventView::new(row, Parts::Parsed(&parts));
        assert_eq!(event_of(&view), stored.event, "{line}");
        assert_eq!(view.to_event(), stored);
        assert_the_json_is_what_serde_writes(&view, &stored.event);
        assert_values_are_found_by_their_keys(&view, &stored.event);
        let place = (view.id(), view.seq(), view.recorded_at());
        assert_eq!(place, (stored.id, stored.seq, stored.recorded_at));
        let mut written = Vec::new();
        view.write_line(&mut written);
        assert_eq!(written, line.as_bytes());
        seen += 1;
    }
    assert!(seen >= 30, "the golden lines are there");
    Ok(())
}
