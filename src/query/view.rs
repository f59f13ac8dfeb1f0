//! A stored event read where it lies: every text is a slice of the row, and only one that was
//! written with escapes is a copy. What pages and scans hand to callers that make something of their
//! own from each event, and what an owned event is not needed for.

use std::borrow::Cow;

use crate::codec::content::Entity;
use crate::codec::content::Parts;
use crate::codec::content::Text;
use crate::codec::row::Row;
use crate::event::Context;
use crate::event::Field;
use crate::event::Outcome;
use crate::event::ShownName;
use crate::event::StoredEvent;
use crate::id::EventId;
use crate::id::Sequence;
use crate::time::Time;

/// A stored event that is borrowed while it is looked at. Its fields are those of [`StoredEvent`]
/// and [`crate::Event`], in three states alike.
///
/// ```
/// use auditdb::{Event, Options, Performer, Query, Store};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-view-{}", std::process::id()));
///
/// let store = Store::open(&folder, Options::default())?;
/// store.append(&Event::new("user.created").performer(Performer::new("user").id("ada")))?;
/// let mut shown = String::new();
/// let page = store.snapshot().page_with(&Query::default(), |event| {
///     shown.push_str(&event.event_type());
///     if let Some(who) = event.performer().value() {
///         shown.push_str(who.id.as_deref().unwrap_or_default());
///     }
/// })?;
/// assert_eq!((shown.as_str(), page.complete), ("user.createdada", true));
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EventView<'a> {
    row: Row<'a>,
    parts: Parts<'a>,
}

/// A performer, a subject or a further target, borrowed; what its kind of entity does not have is
/// absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityView<'a> {
    /// The whole entity as the JSON object that it is written as.
    pub json: &'a str,
    /// What kind of entity it is.
    pub kind: Cow<'a, str>,
    /// Its name within its kind.
    pub id: Field<Cow<'a, str>>,
    /// What people called it at the time.
    pub label: Field<Cow<'a, str>>,
    /// A performer's e-mail address at the time.
    pub email: Field<Cow<'a, str>>,
    /// A performer's organisation.
    pub org: Field<Cow<'a, str>>,
    /// A performer's or a subject's name in another system.
    pub external_ref: Field<Cow<'a, str>>,
}

/// One change, borrowed: its path, and the JSON before and after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeView<'a> {
    /// Which field of the subject.
    pub path: Cow<'a, str>,
    /// What it held before.
    pub before: Field<&'a str>,
    /// What it holds now.
    pub after: Field<&'a str>,
}

/// What an imported event was called where it came from, borrowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginView<'a> {
    /// The store it came from.
    pub store: Field<Cow<'a, str>>,
    /// Its id there.
    pub id: Field<Cow<'a, str>>,
    /// Its place in commit order there.
    pub seq: Field<u64>,
    /// When it was accepted there.
    pub recorded_at: Field<Time>,
}

impl EntityView<'_> {
    /// As [`crate::Subject::shown_name`].
    #[must_use]
    pub fn shown_name(&self) -> ShownName<'_> {
        ShownName::of(&self.kind, self.id.as_deref(), self.label.as_deref())
    }
}

impl<'a> EventView<'a> {
    /// Looks at a row with its own content.
    pub(super) const fn new(row: Row<'a>, parts: Parts<'a>) -> EventView<'a> {
        EventView { row, parts }
    }

    /// The event's public name.
    #[must_use]
    pub const fn id(&self) -> EventId {
        EventId::new(self.row.position)
    }

    /// Its place in commit order.
    #[must_use]
    pub const fn seq(&self) -> Sequence {
        self.row.position.seq
    }

    /// When it happened.
    #[must_use]
    pub const fn occurred_at(&self) -> Time {
        self.row.position.occurred_at
    }

    /// When the store accepted it.
    #[must_use]
    pub const fn recorded_at(&self) -> Time {
        self.row.recorded_at
    }

    /// What kind of thing happened.
    #[must_use]
    pub fn event_type(&self) -> Cow<'a, str> {
        self.parts.event_type().text()
    }

    /// As [`crate::Event::sub_type`].
    #[must_use]
    pub fn sub_type(&self) -> Field<Cow<'a, str>> {
        text(self.parts.sub_type())
    }

    /// As [`crate::Event::offset`].
    #[must_use]
    pub fn offset(&self) -> Field<i32> {
        self.parts.offset()
    }

    /// As [`crate::Event::org`].
    #[must_use]
    pub fn org(&self) -> Field<Cow<'a, str>> {
        text(self.parts.org())
    }

    /// As [`crate::Event::performer`].
    #[must_use]
    pub fn performer(&self) -> Field<EntityView<'a>> {
        self.parts.performer().map(entity)
    }

    /// As [`crate::Event::on_behalf_of`].
    #[must_use]
    pub fn on_behalf_of(&self) -> Field<EntityView<'a>> {
        self.parts.on_behalf_of().map(entity)
    }

    /// As [`crate::Event::subject`].
    #[must_use]
    pub fn subject(&self) -> Field<EntityView<'a>> {
        self.parts.subject().map(entity)
    }

    /// As [`crate::Event::targets`], one after the other.
    #[must_use]
    pub fn targets(&self) -> Field<impl Iterator<Item = EntityView<'a>> + use<'a>> {
        let targets = self.parts.targets();
        targets.map(|targets| targets.iter().map(entity))
    }

    /// All targets as the JSON list that they are written as, for whoever keeps them as one text.
    #[must_use]
    pub fn targets_json(&self) -> Field<&'a str> {
        self.parts.targets().map(|targets| targets.json)
    }

    /// As [`crate::Event::outcome`].
    #[must_use]
    pub fn outcome(&self) -> Field<Outcome> {
        self.parts.outcome()
    }

    /// As [`crate::Event::reason`].
    #[must_use]
    pub fn reason(&self) -> Field<Cow<'a, str>> {
        text(self.parts.reason())
    }

    /// As [`crate::Event::source`].
    #[must_use]
    pub fn source(&self) -> Field<Cow<'a, str>> {
        text(self.parts.source())
    }

    /// As [`crate::Event::metadata`], key and value one after the other.
    #[must_use]
    pub fn metadata(&self) -> Field<impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a>> {
        let metadata = self.parts.metadata();
        metadata.map(|pairs| pairs.iter().map(|(key, value)| (key.text(), value.text())))
    }

    /// The metadata as the JSON object that they are written as.
    #[must_use]
    pub fn metadata_json(&self) -> Field<&'a str> {
        self.parts.metadata().map(|metadata| metadata.json)
    }

    /// What the metadata hold for `key`.
    #[must_use]
    pub fn metadata_value(&self, key: &str) -> Option<Cow<'a, str>> {
        let metadata = self.parts.metadata();
        let found = metadata.value()?.iter().find(|(name, _)| name.is(key));
        found.map(|(_, value)| value.text())
    }

    /// As [`crate::Event::changes`], one after the other.
    #[must_use]
    pub fn changes(&self) -> Field<impl Iterator<Item = ChangeView<'a>> + use<'a>> {
        let changes = self.parts.changes();
        changes.map(|changes| {
            changes.iter().map(|change| ChangeView {
                path: change.path.text(),
                before: change.before,
                after: change.after,
            })
        })
    }

    /// The changes as the JSON list that they are written as.
    #[must_use]
    pub fn changes_json(&self) -> Field<&'a str> {
        self.parts.changes().map(|changes| changes.json)
    }

    /// As [`crate::Event::context`]: the keys that are there with their values, null where they
    /// are, well-known ones first.
    #[must_use]
    pub fn context(
        &self,
    ) -> Field<impl Iterator<Item = (Cow<'a, str>, Field<Cow<'a, str>>)> + use<'a>> {
        let context = self.parts.context();
        context.map(|context| {
            let known = Context::KEYS.into_iter().zip(context.known);
            let known = known.filter(|(_, value)| !value.is_absent());
            let known = known.map(|(key, value)| (Cow::Borrowed(key), text(value)));
            let further = context.further.iter();
            known.chain(further.map(|(key, value)| (key.text(), Field::Value(value.text()))))
        })
    }

    /// The context as the JSON object that it is written as.
    #[must_use]
    pub fn context_json(&self) -> Field<&'a str> {
        self.parts.context().map(|context| context.json)
    }

    /// What the context holds for `key`, a well-known one or a further one.
    #[must_use]
    pub fn context_value(&self, key: &str) -> Field<Cow<'a, str>> {
        if let Some(place) = Context::KEYS.iter().position(|known| *known == key) {
            return text(self.parts.known(place));
        }
        let Field::Value(context) = self.parts.context() else {
            return Field::Absent;
        };
        let found = context.further.iter().find(|(name, _)| name.is(key));
        found.map_or(Field::Absent, |(_, value)| Field::Value(value.text()))
    }

    /// As [`crate::Event::batch`].
    #[must_use]
    pub fn batch(&self) -> Field<Cow<'a, str>> {
        text(self.parts.batch())
    }

    /// As [`crate::Event::caused_by`].
    #[must_use]
    pub fn caused_by(&self) -> Field<Cow<'a, str>> {
        text(self.parts.caused_by())
    }

    /// As [`crate::Event::correlation`].
    #[must_use]
    pub fn correlation(&self) -> Field<Cow<'a, str>> {
        text(self.parts.correlation())
    }

    /// As [`crate::Event::origin`].
    #[must_use]
    pub fn origin(&self) -> Field<OriginView<'a>> {
        self.parts.origin().map(|origin| OriginView {
            store: text(origin.store),
            id: text(origin.id),
            seq: origin.seq,
            recorded_at: origin.recorded_at,
        })
    }

    /// As [`crate::Event::key`].
    #[must_use]
    pub fn key(&self) -> Field<Cow<'a, str>> {
        text(self.parts.key())
    }

    /// As [`crate::Event::data`]: one JSON value, as the application wrote it.
    #[must_use]
    pub fn data(&self) -> Field<&'a str> {
        self.parts.data()
    }

    /// Appends the canonical line, without a line end.
    pub fn write_line(&self, out: &mut Vec<u8>) {
        self.row.write_line(out);
    }

    /// The event with every text copied.
    #[must_use]
    pub fn to_event(&self) -> StoredEvent {
        self.row.event_with(self.parts)
    }
}

fn text<'a>(field: Field<Text<'a>>) -> Field<Cow<'a, str>> {
    field.map(Text::text)
}

fn entity(entity: Entity<'_>) -> EntityView<'_> {
    EntityView {
        json: entity.json,
        kind: entity.kind.text(),
        id: text(entity.id),
        label: text(entity.label),
        email: text(entity.email),
        org: text(entity.org),
        external_ref: text(entity.external_ref),
    }
}

#[cfg(test)]
mod tests;
