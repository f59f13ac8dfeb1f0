//! What people read instead of a name, by locale. A name is never translated where it is stored or
//! filtered; a label is never stored.

use std::collections::BTreeMap;

use super::Registry;
use crate::event::Event;
use crate::event::MULTIPLE_ATTRIBUTES;

/// The locale of the labels that stand beside the names themselves.
pub(super) const PLAIN: &str = "en";

/// The labels of one locale, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) types: BTreeMap<String, String>,
    pub(super) kinds: BTreeMap<String, String>,
    pub(super) groups: BTreeMap<String, String>,
}

impl Labels {
    /// Adds labels; of two for one name the one that comes last counts.
    pub(super) fn add(&mut self, more: Labels) {
        self.types.extend(more.types);
        self.kinds.extend(more.kinds);
        self.groups.extend(more.groups);
    }

    /// A name with a label here that nobody knows, in words.
    pub(super) fn unknown(&self, registry: &Registry) -> Option<String> {
        let no = |what: &str, name: &String| format!("{what}: no {name:?} to have a label");
        let types = self.types.keys().find(|name| registry.find(name).is_none());
        let kinds = self.kinds.keys();
        let kinds = kinds
            .into_iter()
            .find(|name| !registry.kind_by_name.contains_key(*name));
        let groups = self
            .groups
            .keys()
            .find(|name| !registry.groups.contains(name));
        (types.map(|name| no("types", name)))
            .or_else(|| kinds.map(|name| no("kinds", name)))
            .or_else(|| groups.map(|name| no("groups", name)))
    }
}

impl Registry {
    /// The locales that any label is in.
    pub fn locales(&self) -> impl ExactSizeIterator<Item = &str> {
        self.labels.keys().map(String::as_str)
    }

    /// What people call events of this type, in `locale` or else in English; other names of a type
    /// have its label, where they have none of their own. `None` if the type is not known, or has
    /// no label.
    #[must_use]
    pub fn type_label(&self, event_type: &str, locale: &str) -> Option<&str> {
        let name = self.find(event_type)?.name();
        self.in_locale(locale, |labels| {
            labels
                .types
                .get(event_type)
                .or_else(|| labels.types.get(name))
        })
    }

    /// What people call things or performers of this kind, in `locale` or else in English.
    #[must_use]
    pub fn kind_label(&self, kind: &str, locale: &str) -> Option<&str> {
        let place = self.kind_by_name.get(kind)?;
        let name = &self.kinds.get(*place)?.name;
        self.in_locale(locale, |labels| {
            labels.kinds.get(kind).or_else(|| labels.kinds.get(name))
        })
    }

    /// What people call a group of types, in `locale` or else in English.
    #[must_use]
    pub fn group_label(&self, group: &str, locale: &str) -> Option<&str> {
        self.in_locale(locale, |labels| labels.groups.get(group))
    }

    /// What lists call an event: [`MULTIPLE_ATTRIBUTES`] where it changed several attributes, else
    /// the label of its type in `locale`, and its type where that has none.
    ///
    /// ```
    /// use auditdb::{Event, Registry};
    ///
    /// let registry = Registry::built_in();
    /// let event = Event::new("user.updated").change("name", "\"Ada\"", "\"Ada L.\"")?;
    /// assert_eq!(registry.event_label(&event, "en"), "Update User");
    /// let event = event.change("admin", "false", "true")?;
    /// assert_eq!(registry.event_label(&event, "en"), "Multiple Attributes Updated");
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    #[must_use]
    pub fn event_label<'a>(&'a self, event: &'a Event, locale: &str) -> &'a str {
        if event.changes_several() {
            return MULTIPLE_ATTRIBUTES;
        }
        let label = self.type_label(&event.event_type, locale);
        label.unwrap_or(&event.event_type)
    }

    fn in_locale<'a>(
        &'a self,
        locale: &str,
        find: impl Fn(&'a Labels) -> Option<&'a String>,
    ) -> Option<&'a str> {
        let of = |locale: &str| self.labels.get(locale).and_then(&find);
        of(locale).or_else(|| of(PLAIN)).map(String::as_str)
    }
}
