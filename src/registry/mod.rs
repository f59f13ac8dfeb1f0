//! What can happen, by name: event types with their groups, the kinds of what they are about and of
//! who does them, labels for people, former names, and what an event of a type has to look like.
//! A registry is made of packs, which are data (`docs/packs.md`). It knows events and nothing of
//! stores: whether an unknown type is taken is a setting of the store, and names are only widened
//! to their other names where a filter is read, never where an event is kept.

mod fit;
mod label;
mod lint;
mod members;
mod near;
mod pack;
mod path;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Outcome;

use label::Labels;
use path::Path;

pub use lint::Lint;
pub use pack::Pack;

/// The event types that an application knows.
///
/// ```
/// use auditdb::{Event, Pack, Registry};
///
/// let own = r#"{"name": "billing", "types": [
///     {"name": "invoice.paid", "label": "Invoice Paid", "subject": ["invoice"], "secret": ["iban"]}
/// ]}"#;
/// let registry = Registry::built_in().with(Pack::parse(own)?)?;
/// assert_eq!(registry.type_label("invoice.paid", "en"), Some("Invoice Paid"));
/// assert_eq!(registry.type_label("user.added", "en"), Some("Add User"));
///
/// let error = registry.check(&Event::new("invoice.payed")).unwrap_err();
/// assert!(error.to_string().contains("invoice.paid"), "it tells what is near: {error}");
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    packs: Vec<Coverage>,
    groups: Vec<String>,
    kinds: Vec<Kind>,
    types: Vec<EventType>,
    /// Names and aliases of types, each with its place among them.
    by_name: HashMap<String, usize>,
    kind_by_name: HashMap<String, usize>,
    labels: BTreeMap<String, Labels>,
}

/// A type of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventType {
    name: String,
    aliases: Vec<String>,
    group: Option<String>,
    about: String,
    pack: String,
    subject: Vec<String>,
    performer: Option<Vec<(String, Vec<Path>)>>,
    outcome: Vec<Outcome>,
    requires: Vec<Path>,
    secret: Vec<String>,
}

/// What a pack covers, and what it leaves out on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Coverage {
    name: String,
    about: String,
    covers: String,
    /// Names, or beginnings of names before a `*`, each with the reason.
    leaves_out: Vec<(String, String)>,
    /// The name of a pack that comes with the library, or the text of the file.
    source: String,
}

/// A kind of subjects, targets or performers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kind {
    name: String,
    aliases: Vec<String>,
}

static BUILT_IN: LazyLock<Registry> = LazyLock::new(|| {
    let built_in = Pack::built_in().into_iter();
    // A test adds them one by one, so none is left out here.
    built_in.fold(Registry::new(), |registry, pack| {
        registry.clone().with(pack).unwrap_or(registry)
    })
});

impl Registry {
    /// A registry that knows nothing.
    #[must_use]
    pub fn new() -> Registry {
        Registry::default()
    }

    /// The packs that come with the library: `administration`, the 38 events of users, user groups,
    /// roles, logins and address lists, and `audit`, what the trail says about itself.
    #[must_use]
    pub fn built_in() -> Registry {
        BUILT_IN.clone()
    }

    /// The types of `pack` too. A kind or group that is known already is the same one: its aliases
    /// come together, and the label that is added last counts.
    ///
    /// # Errors
    /// [`ErrorKind::Pack`] when a name, or another name of it, stands for something else already, or a
    /// label is of nothing that is known.
    pub fn with(mut self, pack: Pack) -> Result<Registry> {
        let refuse = |what: String| {
            let what = format!("pack {}: {what}", pack.coverage.name);
            Err(Error::new(ErrorKind::Pack, what))
        };
        if self.packs.iter().any(|one| one.name == pack.coverage.name) {
            return refuse("a pack of this name is there already".to_owned());
        }
        for group in pack.groups {
            if !self.groups.contains(&group) {
                self.groups.push(group);
            }
        }
        for kind in pack.kinds {
            if let Some(name) = self.add_kind(kind) {
                return refuse(format!("kinds: {name:?} stands for another kind already"));
            }
        }
        for one in pack.types {
            if let Some(group) = one
                .group
                .as_ref()
                .filter(|name| !self.groups.contains(name))
            {
                return refuse(format!("types: {}: group: no group {group:?}", one.name));
            }
            if let Some(name) = self.add_type(one) {
                return refuse(format!("types: {name:?} stands for another type already"));
            }
        }
        for (locale, labels) in pack.labels {
            if let Some(unknown) = labels.unknown(&self) {
                return refuse(format!("labels: {locale}: {unknown}"));
            }
            self.labels.entry(locale).or_default().add(labels);
        }
        self.packs.push(pack.coverage);
        Ok(self)
    }

    /// What it is made of, from which [`Registry::of_sources`] makes it again: names of packs that come
    /// with the library, and texts of others.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &str> {
        self.packs.iter().map(|pack| pack.source.as_str())
    }

    /// The registry that is made of these.
    pub(crate) fn of_sources<'s>(sources: impl IntoIterator<Item = &'s str>) -> Result<Registry> {
        sources
            .into_iter()
            .try_fold(Registry::new(), |registry, source| {
                registry.with(Pack::of_source(source)?)
            })
    }

    /// Adds a type, or gives the name of it that is taken.
    fn add_type(&mut self, one: EventType) -> Option<String> {
        let place = self.types.len();
        for name in one.names() {
            if self.by_name.insert(name.to_owned(), place).is_some() {
                return Some(name.to_owned());
            }
        }
        self.types.push(one);
        None
    }

    /// Adds a kind, or gives the name of it that is taken.
    fn add_kind(&mut self, kind: Kind) -> Option<String> {
        let known = self.kinds.iter().position(|one| one.name == kind.name);
        let place = known.unwrap_or(self.kinds.len());
        if known.is_none() {
            let name = kind.name.clone();
            self.kinds.push(Kind {
                name,
                aliases: Vec::new(),
            });
        }
        for name in core::iter::once(&kind.name).chain(&kind.aliases) {
            match self.kind_by_name.insert(name.clone(), place) {
                Some(other) if other != place => return Some(name.clone()),
                Some(_) => {}
                None if *name == kind.name => {}
                None => self.kinds.get_mut(place)?.aliases.push(name.clone()),
            }
        }
        None
    }

    /// The type of this name, or of which this is another name.
    ///
    /// ```
    /// let registry = auditdb::Registry::built_in();
    /// let found = registry.find("anonymous_login.added").expect("a former name");
    /// assert_eq!(found.name(), "confidential_login.added");
    /// ```
    #[must_use]
    pub fn find(&self, event_type: &str) -> Option<&EventType> {
        self.types.get(*self.by_name.get(event_type)?)
    }

    /// Every type, in the order of the packs.
    pub fn types(&self) -> impl ExactSizeIterator<Item = &EventType> {
        self.types.iter()
    }

    /// The groups of types, in the order of the packs.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &str> {
        self.groups.iter().map(String::as_str)
    }

    /// The kinds of subjects and performers, each with its other names behind it.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = (&str, &[String])> {
        let kinds = self.kinds.iter();
        kinds.map(|kind| (kind.name.as_str(), kind.aliases.as_slice()))
    }

    /// Every pack's name, and one line on it.
    pub fn packs(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        let packs = self.packs.iter();
        packs.map(|pack| (pack.name.as_str(), pack.about.as_str()))
    }

    /// What `pack` says it covers, and what it leaves out on purpose: types, with the reason.
    pub fn coverage(&self, pack: &str) -> Option<(&str, &[(String, String)])> {
        let found = self.packs.iter().find(|one| one.name == pack)?;
        Some((&found.covers, &found.leaves_out))
    }

    /// Whether an event is one of a known type, holds none of its secrets and has its shape: what a
    /// store with this registry and [`crate::OnUnknown::Refuse`] takes.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownType`] names what is known nearby, [`ErrorKind::Secret`] the field that
    /// holds a secret, [`ErrorKind::Invalid`] the field that the type wants otherwise.
    pub fn check(&self, event: &Event) -> Result<()> {
        let known = self.find(&event.event_type);
        let known = known.ok_or_else(|| self.unknown(&event.event_type))?;
        known.refuse_secrets(event)?;
        known.refuse_misfit(self, event)
    }

    /// Whether an event holds none of its type's secrets; one of an unknown type has none.
    ///
    /// # Errors
    /// [`ErrorKind::Secret`] names the field that holds a secret.
    pub fn check_secrets(&self, event: &Event) -> Result<()> {
        self.find(&event.event_type)
            .map_or(Ok(()), |known| known.refuse_secrets(event))
    }

    /// What an event of a type that is not known is refused with.
    pub(crate) fn unknown(&self, event_type: &str) -> Error {
        let shown = format!("{event_type:?}");
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(start) => event_type.starts_with(start),
            None => event_type == pattern,
        };
        for pack in &self.packs {
            let left_out = pack.leaves_out.iter().find(|(types, _)| fits(types));
            if let Some((_, why)) = left_out {
                let rule = format!("{shown} is left out by the pack {}: {why}", pack.name);
                return Error::unknown_type(rule);
            }
        }
        let packs: Vec<&str> = self.packs().map(|(name, _)| name).collect();
        let near = near::near(event_type, self.by_name.keys());
        let known = match near.is_empty() {
            true => "nothing known is near it".to_owned(),
            false => format!("near it: {}", near.join(", ")),
        };
        let packs = match packs.is_empty() {
            true => "the registry is empty".to_owned(),
            false => format!("no type of the packs {}", packs.join(", ")),
        };
        Error::unknown_type(format!("{shown} is not registered ({packs}); {known}"))
    }

    /// Whether two names stand for one kind.
    fn is_same_kind(&self, this: &str, that: &str) -> bool {
        let place = |name| self.kind_by_name.get(name);
        this == that || place(this).is_some_and(|place_of| Some(place_of) == place(that))
    }
}

impl EventType {
    /// The name that events of this type are to have.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Other names, such as former ones: filters for any of them find all of them.
    #[must_use]
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// The group that people find it in.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// What happened when there is such an event.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The pack that it comes from.
    #[must_use]
    pub fn pack(&self) -> &str {
        &self.pack
    }

    /// The kinds its subject may be of; none means any.
    #[must_use]
    pub fn subject_kinds(&self) -> &[String] {
        &self.subject
    }

    /// The kinds its performer may be of; none means any.
    pub fn performer_kinds(&self) -> impl Iterator<Item = &str> {
        let kinds = self.performer.iter().flatten();
        kinds.map(|(kind, _)| kind.as_str())
    }

    /// The fields that an event of this type does not go without.
    pub fn required_fields(&self) -> impl Iterator<Item = String> {
        self.requires.iter().map(Path::to_string)
    }

    /// Names under which an event of this type may hold nothing.
    #[must_use]
    pub fn secrets(&self) -> &[String] {
        &self.secret
    }

    /// Name and aliases.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        core::iter::once(self.name()).chain(self.aliases.iter().map(String::as_str))
    }
}
