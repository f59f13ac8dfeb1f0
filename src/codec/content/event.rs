//! From a content to the event it is of: every text copied, nothing checked again.

use super::Content;
use super::Entity;
use super::Pairs;
use super::Text;
use crate::event::Change;
use crate::event::Context;
use crate::event::Event;
use crate::event::Field;
use crate::event::Json;
use crate::event::Origin;
use crate::event::Performer;
use crate::event::Subject;
use crate::event::Target;

impl Content<'_> {
    /// The event, without the time that its row holds.
    pub(crate) fn event(&self) -> Event {
        Event {
            event_type: owned(self.event_type),
            sub_type: text(self.sub_type),
            occurred_at: Field::Absent,
            offset: self.offset,
            org: text(self.org),
            performer: self.performer.map(performer),
            on_behalf_of: self.on_behalf_of.map(performer),
            subject: self.subject.map(|subject| Subject {
                kind: owned(subject.kind),
                id: text(subject.id),
                label: text(subject.label),
                external_ref: text(subject.external_ref),
            }),
            targets: self.targets.map(|targets| {
                let target = |target: Entity<'_>| Target {
                    kind: owned(target.kind),
                    id: text(target.id),
                    label: text(target.label),
                };
                targets.iter().map(target).collect()
            }),
            outcome: self.outcome,
            reason: text(self.reason),
            source: text(self.source),
            metadata: self.metadata.map(|metadata| pairs(metadata).collect()),
            changes: self.changes.map(|changes| {
                let change = |change: super::Changed<'_>| Change {
                    path: owned(change.path),
                    before: change.before.map(Json::of_compact),
                    after: change.after.map(Json::of_compact),
                };
                changes.iter().map(change).collect()
            }),
            context: self.context.map(|context| {
                let further = pairs(context.further).collect();
                Context::of_known(context.known.map(text), further)
            }),
            batch: text(self.batch),
            caused_by: text(self.caused_by),
            correlation: text(self.correlation),
            origin: self.origin.map(|origin| Origin {
                store: text(origin.store),
                id: text(origin.id),
                seq: origin.seq,
                recorded_at: origin.recorded_at,
            }),
            key: text(self.key),
            data: self.data.map(Json::of_compact),
        }
    }
}

fn owned(text: Text<'_>) -> String {
    text.text().into_owned()
}

fn text(field: Field<Text<'_>>) -> Field<String> {
    field.map(owned)
}

fn pairs<'a>(pairs: Pairs<'a>) -> impl Iterator<Item = (String, String)> + 'a {
    pairs.iter().map(|(key, value)| (owned(key), owned(value)))
}

fn performer(who: Entity<'_>) -> Performer {
    Performer {
        kind: owned(who.kind),
        id: text(who.id),
        label: text(who.label),
        email: text(who.email),
        org: text(who.org),
        external_ref: text(who.external_ref),
    }
}
