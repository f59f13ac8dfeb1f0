//! Reads packs: files of event types, `docs/packs.md`. Every refusal says which entry breaks which
//! rule, because these files are written by hand; keys that nobody knows, and names that come twice
//! in one object, are refused.

use core::fmt;
use core::marker::PhantomData;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error as _;

use super::Coverage;
use super::EventType;
use super::Kind;
use super::label::Labels;
use super::label::PLAIN;
use super::path::Path;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Outcome;
use crate::limits;

/// The packs that come with the library, by name.
const FILES: [(&str, &str); 2] = [
    ("administration", include_str!("packs/administration.json")),
    ("audit", include_str!("packs/audit.json")),
];

/// The labels of `administration` in other languages, by locale.
const LABELS: [(&str, &str); 10] = [
    ("ar", include_str!("packs/labels/ar.json")),
    ("de", include_str!("packs/labels/de.json")),
    ("es", include_str!("packs/labels/es.json")),
    ("fr", include_str!("packs/labels/fr.json")),
    ("it", include_str!("packs/labels/it.json")),
    ("ja", include_str!("packs/labels/ja.json")),
    ("nl", include_str!("packs/labels/nl.json")),
    ("pl", include_str!("packs/labels/pl.json")),
    ("pt", include_str!("packs/labels/pt.json")),
    ("zh", include_str!("packs/labels/zh.json")),
];

/// What the text of a pack file begins with, behind what JSON leaves out, and no name does.
const TEXT: [char; 5] = ['{', ' ', '\t', '\r', '\n'];

/// Event types, kinds and labels that belong together, read from a file's text.
///
/// ```
/// use auditdb::{Pack, Registry};
///
/// let pack = Pack::parse(r#"{"name": "door", "types": [{"name": "door.opened"}]}"#)?;
/// let registry = Registry::new().with(pack)?;
/// assert!(registry.find("door.opened").is_some());
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    pub(super) coverage: Coverage,
    pub(super) groups: Vec<String>,
    pub(super) kinds: Vec<Kind>,
    pub(super) types: Vec<EventType>,
    pub(super) labels: Vec<(String, Labels)>,
}

impl Pack {
    /// Reads a pack file's text.
    ///
    /// # Errors
    /// [`ErrorKind::Pack`] says which entry breaks which rule.
    pub fn parse(text: &str) -> Result<Pack> {
        let file: File = serde_json::from_str(text)
            .map_err(|error| Error::new(ErrorKind::Pack, format!("pack file: {error}")))?;
        let name = file.name.clone();
        let mut pack = file.pack().map_err(|rule| {
            let what = format!("pack file {name:?}: {rule}");
            Error::new(ErrorKind::Pack, what)
        })?;
        text.clone_into(&mut pack.coverage.source);
        Ok(pack)
    }

    /// The pack of this source: the name of one that comes with the library, or else a file's text.
    pub(super) fn of_source(source: &str) -> Result<Pack> {
        if source.starts_with(TEXT) {
            return Pack::parse(source);
        }
        let found = Pack::built_in()
            .into_iter()
            .find(|pack| pack.name() == source);
        found.ok_or_else(|| {
            let what = format!("pack {source:?}: none of this name comes with this version");
            Error::new(ErrorKind::Unsupported, what)
        })
    }

    /// The pack's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.coverage.name
    }

    /// The packs that come with the library.
    #[must_use]
    pub fn built_in() -> Vec<Pack> {
        // A test reads them one by one, so none is left out here.
        let packs = FILES.iter().map(|(_, text)| Pack::parse(text));
        let mut packs: Vec<Pack> = packs.filter_map(Result::ok).collect();
        for pack in &mut packs {
            pack.coverage.source.clone_from(&pack.coverage.name);
        }
        if let Some(pack) = packs.first_mut() {
            let labels = LABELS.iter().map(|(locale, text)| {
                let entries: LabelEntries = serde_json::from_str(text).ok()?;
                Some(((*locale).to_owned(), entries.labels()))
            });
            pack.labels.extend(labels.flatten());
        }
        packs
    }
}

/// A file as it stands there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    covers: String,
    #[serde(default)]
    leaves_out: Vec<LeftOut>,
    #[serde(default)]
    groups: Vec<Named>,
    #[serde(default)]
    kinds: Vec<Named>,
    #[serde(default)]
    types: Vec<TypeEntry>,
    #[serde(default)]
    labels: Once<LabelEntries>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LeftOut {
    types: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    label: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeEntry {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    label: Option<String>,
    group: Option<String>,
    #[serde(default)]
    about: String,
    #[serde(default)]
    subject: Vec<String>,
    performer: Option<Performers>,
    #[serde(default)]
    outcome: Vec<Outcome>,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    secret: Vec<String>,
}

/// Kinds, or kinds each with the fields that it does not go without.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a list of kinds, or an object of kinds and what each requires"
)]
enum Performers {
    Kinds(Vec<String>),
    Requiring(Once<Vec<String>>),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelEntries {
    #[serde(default)]
    types: Once<String>,
    #[serde(default)]
    kinds: Once<String>,
    #[serde(default)]
    groups: Once<String>,
}

/// An object whose members have names of their own, each once.
struct Once<T>(BTreeMap<String, T>);

/// What an entry is refused with.
type Rule<T> = core::result::Result<T, String>;

impl File {
    fn pack(self) -> Rule<Pack> {
        word(&self.name).map_err(|rule| format!("name: {rule}"))?;
        let mut plain = Labels::default();
        let groups = groups(self.groups, &mut plain)?;
        let kinds = kinds(self.kinds, &mut plain)?;
        let mut types = Vec::new();
        for mut entry in self.types {
            let shown = format!("types: {:?}", entry.name);
            label(&mut plain.types, &entry.name, entry.label.take());
            let known = entry.event_type(&self.name);
            types.push(known.map_err(|rule| format!("{shown}: {rule}"))?);
        }
        let mut leaves_out = Vec::new();
        for LeftOut { types, why } in self.leaves_out {
            let name = types.strip_suffix('*').unwrap_or(&types);
            if name.is_empty() || name.contains('*') {
                return Err(format!(
                    "leaves_out: {types:?} is no type, nor the beginning of one before a *"
                ));
            }
            leaves_out.push((types, why));
        }
        let mut labels = vec![(PLAIN.to_owned(), plain)];
        for (locale, entries) in self.labels.0 {
            word(&locale).map_err(|rule| format!("labels: {rule}"))?;
            labels.push((locale, entries.labels()));
        }
        let coverage = Coverage {
            name: self.name,
            about: self.about,
            covers: self.covers,
            leaves_out,
            source: String::new(),
        };
        Ok(Pack {
            coverage,
            groups,
            kinds,
            types,
            labels,
        })
    }
}

fn groups(entries: Vec<Named>, plain: &mut Labels) -> Rule<Vec<String>> {
    let mut groups = Vec::new();
    for group in entries {
        word(&group.name).map_err(|rule| format!("groups: {rule}"))?;
        if !group.aliases.is_empty() {
            return Err(format!("groups: {}: a group has no aliases", group.name));
        }
        label(&mut plain.groups, &group.name, group.label);
        groups.push(group.name);
    }
    Ok(groups)
}

fn kinds(entries: Vec<Named>, plain: &mut Labels) -> Rule<Vec<Kind>> {
    let mut kinds = Vec::new();
    for kind in entries {
        for name in core::iter::once(&kind.name).chain(&kind.aliases) {
            word(name).map_err(|rule| format!("kinds: {rule}"))?;
        }
        label(&mut plain.kinds, &kind.name, kind.label);
        kinds.push(Kind {
            name: kind.name,
            aliases: kind.aliases,
        });
    }
    Ok(kinds)
}

impl LabelEntries {
    fn labels(self) -> Labels {
        let (Once(types), Once(kinds), Once(groups)) = (self.types, self.kinds, self.groups);
        Labels {
            types,
            kinds,
            groups,
        }
    }
}

impl TypeEntry {
    fn event_type(self, pack: &str) -> Rule<EventType> {
        for name in core::iter::once(&self.name).chain(&self.aliases) {
            // The rule of an event's own type.
            Event::new(name)
                .validate()
                .map_err(|error| error.to_string())?;
        }
        for kind in &self.subject {
            word(kind).map_err(|rule| format!("subject: {rule}"))?;
        }
        for name in &self.secret {
            word(name).map_err(|rule| format!("secret: {rule}"))?;
        }
        let paths = |field: &str, texts: &[String]| -> Rule<Vec<Path>> {
            let parsed = texts.iter().map(|text| Path::parse(text));
            parsed
                .collect::<Rule<_>>()
                .map_err(|rule| format!("{field}: {rule}"))
        };
        let performer = match self.performer {
            None => None,
            Some(Performers::Kinds(kinds)) => {
                Some(kinds.into_iter().map(|kind| (kind, Vec::new())).collect())
            }
            Some(Performers::Requiring(Once(kinds))) => {
                let mut found: Vec<(String, Vec<Path>)> = Vec::new();
                for (kind, fields) in kinds {
                    let fields = paths(&format!("performer: {kind}"), &fields)?;
                    found.push((kind, fields));
                }
                Some(found)
            }
        };
        for (kind, _) in performer.iter().flatten() {
            word(kind).map_err(|rule| format!("performer: {rule}"))?;
        }
        Ok(EventType {
            requires: paths("requires", &self.requires)?,
            name: self.name,
            aliases: self.aliases,
            group: self.group,
            about: self.about,
            pack: pack.to_owned(),
            subject: self.subject,
            performer,
            outcome: self.outcome,
            secret: self.secret,
        })
    }
}

fn label(labels: &mut BTreeMap<String, String>, name: &str, text: Option<String>) {
    if let Some(text) = text {
        labels.insert(name.to_owned(), text);
    }
}

/// The rule of kinds and keys.
fn word(text: &str) -> Rule<()> {
    let fits = !text.is_empty() && text.len() <= limits::WORD_BYTES;
    if fits && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let most = limits::WORD_BYTES;
    Err(format!(
        "{text:?} is no name: 1 to {most} bytes without control characters"
    ))
}

impl<T> Default for Once<T> {
    fn default() -> Once<T> {
        Once(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Once<T> {
    fn deserialize<D: Deserializer<'de>>(
        deserializer: D,
    ) -> core::result::Result<Once<T>, D::Error> {
        struct Visitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = Once<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> core::result::Result<Once<T>, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, T>()? {
                    if members.contains_key(&name) {
                        return Err(A::Error::custom(format_args!("duplicate key `{name}`")));
                    }
                    members.insert(name, value);
                }
                Ok(Once(members))
            }
        }
        deserializer.deserialize_map(Visitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_comes_along_is_read() {
        for (name, text) in FILES {
            let pack = Pack::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(pack.name(), name);
        }
        assert_eq!(Pack::built_in().len(), FILES.len());
    }

    /// Labels that are the same words in English and another language.
    const SAME: [(&str, &str); 6] = [
        ("de", "admin"),
        ("de", "system"),
        ("es", "roles"),
        ("fr", "application"),
        ("pl", "admin"),
        ("pl", "system"),
    ];

    #[test]
    fn every_language_has_every_label_and_none_was_left_in_english() {
        let english = Pack::parse(FILES[0].1).expect("a pack").labels.remove(0).1;
        for (locale, text) in LABELS {
            let entries: LabelEntries =
                serde_json::from_str(text).unwrap_or_else(|error| panic!("{locale}: {error}"));
            let own = entries.labels();
            for (own, english) in [
                (&own.types, &english.types),
                (&own.kinds, &english.kinds),
                (&own.groups, &english.groups),
            ] {
                assert!(own.keys().eq(english.keys()), "{locale}");
                for (name, label) in own {
                    let same = SAME.contains(&(locale, name));
                    assert_eq!(english.get(name) == Some(label), same, "{locale}: {name}");
                    assert!(
                        !label.is_empty() && label.trim() == label,
                        "{locale}: {name}"
                    );
                }
            }
        }
    }
}
