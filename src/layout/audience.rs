//! Whom an export is for: the language of headings and labels, the zone in which times are told,
//! and the names that people know. None of it says which events there are, or changes what
//! identifies them.

use std::sync::Arc;

use super::LocalZone;
use super::Locale;
use crate::event::Outcome;
use crate::event::ShownName;
use crate::event::StoredEvent;
use crate::event::kind_words;
use crate::registry::Registry;

/// Whom an export is for.
///
/// Layouts for people ([`crate::Layout::Trail`], [`crate::Layout::Sentinel`]) are written in the
/// locale and the zone. In CSV files of the other layouts, which are for programs, both add columns
/// and change none: `occurred_at_local` in a zone that is not UTC, `type_label` and `outcome_label`
/// in a locale. Lines of JSON are the same for everyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// The language; English where none is given.
    pub locale: Option<Locale>,
    /// The zone beside UTC.
    pub zone: LocalZone,
    /// What people call types and kinds.
    pub registry: Arc<Registry>,
}

impl Default for Audience {
    /// English, UTC, and the names of the built-in pack.
    fn default() -> Audience {
        Audience {
            locale: None,
            zone: LocalZone::default(),
            registry: Arc::new(Registry::built_in()),
        }
    }
}

impl Audience {
    /// The language in which is written.
    #[must_use]
    pub fn locale(&self) -> Locale {
        self.locale.unwrap_or_default()
    }

    /// The columns that programs get more for this audience, by name, in their order.
    pub(super) fn further_columns(&self) -> impl Iterator<Item = &'static str> {
        let local = (!self.zone.is_utc()).then_some("occurred_at_local");
        let labels = self.locale.map(|_| ["type_label", "outcome_label"]);
        local.into_iter().chain(labels.into_iter().flatten())
    }

    /// What stands in them.
    pub(super) fn further_cells(&self, event: &StoredEvent) -> impl Iterator<Item = String> {
        let local = (!self.zone.is_utc()).then(|| self.zone.show(event.occurred_at));
        let labels = self.locale.map(|_| {
            let outcome = event.event.outcome.value().copied();
            [
                self.type_label(&event.event.event_type),
                self.outcome(outcome),
            ]
            .map(str::to_owned)
        });
        local.into_iter().chain(labels.into_iter().flatten())
    }

    /// Nothing is added for this audience.
    pub(super) fn adds_nothing(&self) -> bool {
        self.zone.is_utc() && self.locale.is_none()
    }

    /// What people call a type; its own name where they call it nothing.
    pub(super) fn type_label<'a>(&'a self, event_type: &'a str) -> &'a str {
        let label = self.registry.type_label(event_type, self.locale().as_str());
        label.unwrap_or(event_type)
    }

    /// How something ended, in words; nothing where it does not say.
    pub(super) fn outcome(&self, outcome: Option<Outcome>) -> &'static str {
        outcome.map_or("", |outcome| self.locale().outcome(outcome))
    }

    /// What people call a kind.
    fn kind(&self, kind: &str) -> String {
        let label = self.registry.kind_label(kind, self.locale().as_str());
        label.map_or_else(|| kind_words(kind), str::to_owned)
    }

    /// A subject's or performer's name as people see it.
    pub(super) fn name(&self, name: ShownName<'_>) -> String {
        let locale = self.locale();
        match name {
            ShownName::Label(label) => label.to_owned(),
            ShownName::Unknown {
                kind: "unknown",
                id,
            } => locale.phrase("unknown_kind", &[("id", id)]),
            ShownName::Unknown { kind, id } => {
                locale.phrase("unknown", &[("kind", &self.kind(kind)), ("id", id)])
            }
            ShownName::Kind(kind) => self.kind(kind),
        }
    }

    /// The phrase of this key that takes no values.
    pub(super) fn phrase(&self, key: &'static str) -> String {
        self.locale().phrase(key, &[])
    }
}
