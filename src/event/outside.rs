//! Events that concern several organisations: one copy for the trail of each, and what one of them
//! is shown of a performer who belongs to another.

use std::collections::HashSet;

use super::Event;
use super::Field;
use super::Performer;
use super::StoredEvent;
use super::Target;

/// What a performer of another organisation is called; its kind is [`EXTERNAL_KIND`].
pub const EXTERNAL_ORG_USER: &str = "External Org User";

/// The kind that stands in place of the kind of a performer of another organisation.
pub const EXTERNAL_KIND: &str = "external_org_user";

impl Event {
    /// One copy of the event for the trail of each organisation, also where it is named twice, to be
    /// appended with
    /// [`crate::Store::append_batch`], all or none. They share `name` as [`Event::batch`] and
    /// [`Event::correlation`] where those are absent, so that whoever may see all trails sees that it
    /// is one event; a key becomes `KEY/ORG`, one for each copy, and makes repeating the batch safe.
    ///
    /// ```
    /// use auditdb::Event;
    ///
    /// let changed = Event::new("user.updated").key("k1");
    /// let copies = changed.for_orgs(["north", "south"], "change-4711");
    /// assert_eq!(copies[1].org.as_deref(), Some("south"));
    /// assert_eq!(copies[1].key.as_deref(), Some("k1/south"));
    /// assert_eq!(copies[0].batch, copies[1].batch);
    /// ```
    #[must_use]
    pub fn for_orgs<O: Into<String>>(
        &self,
        orgs: impl IntoIterator<Item = O>,
        name: &str,
    ) -> Vec<Event> {
        let shared = |field: &Field<String>| match field {
            Field::Absent => Field::from(name),
            given => given.clone(),
        };
        let copy = |org: String| {
            let key = self.key.as_deref().map(|key| format!("{key}/{org}"));
            Event {
                key: key.map_or_else(|| self.key.clone(), Field::Value),
                batch: shared(&self.batch),
                correlation: shared(&self.correlation),
                org: Field::Value(org),
                ..self.clone()
            }
        };
        let mut named = HashSet::new();
        let orgs = orgs.into_iter().map(Into::into);
        orgs.filter(|org: &String| named.insert(org.clone()))
            .map(copy)
            .collect()
    }

    /// Whether the event's performer, or the one it acted for, belongs to another organisation than
    /// `org`. One without an organisation of its own belongs to the event's.
    #[must_use]
    pub fn is_from_outside(&self, org: &str) -> bool {
        is_outside(&self.performer, org) || is_outside(&self.on_behalf_of, org)
    }
}

impl StoredEvent {
    /// The event as `org` is shown it. Where [`Event::is_from_outside`], whoever is of another
    /// organisation is an `External Org User` without id, label, address or anything else; and left
    /// out is what could tell who it is: `context`, `metadata`, `data`, `key`, `origin`, and the
    /// performer among the further targets. What remains is what happened: type, times, subject,
    /// changes, outcome and reason, and the names of batch, cause and correlation.
    ///
    /// ```
    /// # let line = r#"{"id":"evt_01KRTF5Z7T0000000000000007","seq":7,"type":"user.updated","occurred_at":"2026-05-17T08:00:00.250000Z","recorded_at":"2026-05-17T08:00:01.000000Z","org":"south","performer":{"kind":"admin","id":"a1","org":"north"},"context":{"ip":"::1"}}"#;
    /// let stored: auditdb::StoredEvent = serde_json::from_str(line)?;
    /// let shown = stored.as_shown_to("south").event;
    /// let performer = shown.performer.value().expect("somebody did it");
    /// assert_eq!(performer.shown_name().to_string(), "External Org User");
    /// assert!(performer.id.is_absent() && shown.context.is_absent());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn as_shown_to(mut self, org: &str) -> StoredEvent {
        if !self.event.is_from_outside(org) {
            return self;
        }
        let event = &mut self.event;
        let performers = [&mut event.performer, &mut event.on_behalf_of];
        for performer in performers {
            if !is_outside(performer, org) {
                continue;
            }
            if let (Field::Value(performer), Field::Value(targets)) =
                (&performer, &mut event.targets)
            {
                targets.retain(|target| !is_same(target, performer));
            }
            let shown = Performer::new(EXTERNAL_KIND).label(EXTERNAL_ORG_USER);
            *performer = Field::Value(shown);
        }
        event.context = Field::Absent;
        event.metadata = Field::Absent;
        event.data = Field::Absent;
        event.key = Field::Absent;
        event.origin = Field::Absent;
        self
    }
}

fn is_outside(performer: &Field<Performer>, org: &str) -> bool {
    let performer = performer.value();
    let of = performer.and_then(|performer| performer.org.as_deref());
    of.is_some_and(|of| of != org)
}

fn is_same(target: &Target, performer: &Performer) -> bool {
    target.id.value().is_some() && target.id == performer.id
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happened: an organisation that was named twice had the event twice.
    #[test]
    fn mission_b6_an_organisation_that_is_named_twice_has_one_copy() {
        let copies = Event::new("a.a").for_orgs(["north", "south", "north"], "one");
        let orgs: Vec<_> = copies.iter().map(|copy| copy.org.as_deref()).collect();
        assert_eq!(orgs, [Some("north"), Some("south")]);
    }
}
