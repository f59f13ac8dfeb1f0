//! What an event of a type must not hold, and what it must: secrets, and the shape that the pack
//! declares. Every refusal names the field, and never what a secret field holds.

use super::EventType;
use super::Registry;
use super::members;
use crate::error::Error;
use crate::error::Result;
use crate::event::Event;
use crate::event::Field;
use crate::event::Json;

impl EventType {
    /// Nothing of the type's events has to be looked at but the type itself.
    pub(crate) fn is_plain(&self) -> bool {
        self.secret.is_empty() && !self.has_shape()
    }

    /// The type has secrets.
    pub(crate) fn has_secrets(&self) -> bool {
        !self.secret.is_empty()
    }

    fn has_shape(&self) -> bool {
        let any = self.subject.is_empty() && self.outcome.is_empty() && self.requires.is_empty();
        !any || self.performer.is_some()
    }

    /// Refuses an event that holds something under a name that the pack calls secret: a metadata or
    /// context key, a changed attribute, or a member of `data` or of a value before or after.
    pub(crate) fn refuse_secrets(&self, event: &Event) -> Result<()> {
        if !self.has_secrets() {
            return Ok(());
        }
        for (key, _) in event.metadata.value().iter().flat_map(|pairs| pairs.iter()) {
            self.refuse_named(key, || format!("metadata.{key}"))?;
        }
        let context = event.context.value();
        for (key, _) in context.iter().flat_map(|context| &context.further) {
            self.refuse_named(key, || format!("context.{key}"))?;
        }
        let changes = event.changes.as_deref().unwrap_or_default();
        for (number, change) in changes.iter().enumerate() {
            for (side, value) in [("before", &change.before), ("after", &change.after)] {
                let Field::Value(value) = value else { continue };
                let place = || format!("changes[{number}].{side}");
                let part_of_path =
                    |letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '-' | ' '));
                for part in change.path.split(part_of_path) {
                    self.refuse_named(part, place)?;
                }
                self.refuse_within(value, place)?;
            }
        }
        match &event.data {
            Field::Value(data) => self.refuse_within(data, || "data".to_owned()),
            Field::Null | Field::Absent => Ok(()),
        }
    }

    fn refuse_within(&self, json: &Json, place: impl Fn() -> String) -> Result<()> {
        let mut found = Ok(());
        members::each(json.as_str(), |path, null| {
            if let (Some(name), false, true) = (path.last(), null, found.is_ok()) {
                found = self.refuse_named(name, || format!("{}.{}", place(), path.join(".")));
            }
        });
        found
    }

    fn refuse_named(&self, name: &str, place: impl Fn() -> String) -> Result<()> {
        let Some(secret) = self.secret.iter().find(|secret| is_same(secret, name)) else {
            return Ok(());
        };
        let rule = format!(
            "the pack {} calls {secret} of {} a secret, and a store keeps what it is given for ever: \
             leave it out",
            self.pack, self.name
        );
        Err(Error::secret(place(), rule))
    }

    /// Refuses an event that is not of the shape that the pack declares for its type.
    pub(crate) fn refuse_misfit(&self, registry: &Registry, event: &Event) -> Result<()> {
        let is_any_of = |kinds: &[String], kind: &str| {
            kinds.is_empty() || kinds.iter().any(|one| registry.is_same_kind(one, kind))
        };
        let refuse = |field: &str, found: &str, taken: &[&str]| {
            let rule = format!("{found:?}, and {} takes {}", self.name, taken.join(", "));
            Err(Error::invalid(field, rule))
        };
        if let Field::Value(subject) = &event.subject
            && !is_any_of(&self.subject, &subject.kind)
        {
            let taken: Vec<&str> = self.subject.iter().map(String::as_str).collect();
            return refuse("subject.kind", &subject.kind, &taken);
        }
        if let Field::Value(outcome) = event.outcome
            && !(self.outcome.is_empty() || self.outcome.contains(&outcome))
        {
            let taken: Vec<&str> = self.outcome.iter().map(|one| one.as_str()).collect();
            return refuse("outcome", outcome.as_str(), &taken);
        }
        let mut required = self
            .requires
            .iter()
            .map(|path| (path, None))
            .collect::<Vec<_>>();
        if let (Field::Value(performer), Some(kinds)) = (&event.performer, &self.performer) {
            let of_kind = |one: &&(String, _)| registry.is_same_kind(&one.0, &performer.kind);
            let Some((kind, also)) = kinds.iter().find(of_kind) else {
                let taken: Vec<&str> = self.performer_kinds().collect();
                return refuse("performer.kind", &performer.kind, &taken);
            };
            required.extend(also.iter().map(|path| (path, Some(kind))));
        }
        match required.into_iter().find(|(path, _)| !path.is_in(event)) {
            None => Ok(()),
            Some((path, None)) => {
                let rule = format!("{} does not go without it", self.name);
                Err(Error::invalid(path, rule))
            }
            Some((path, Some(kind))) => {
                let rule = format!(
                    "{} by a performer of kind {kind} does not go without it",
                    self.name
                );
                Err(Error::invalid(path, rule))
            }
        }
    }
}

/// Names are the same whatever their case, and with or without `_` and `-`: `apiKey` is `api_key`.
fn is_same(this: &str, that: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = char> {
        let letters = name
            .chars()
            .filter(|letter| !matches!(letter, '_' | '-' | ' '));
        letters.map(|letter| letter.to_ascii_lowercase())
    }
    letters(this).eq(letters(that))
}
