//! Headings and words in the languages that come along, as catalogues: one JSON file for each in
//! `locales/`. Every catalogue has every key, which a test proves. What identifies something, such
//! as a type, a kind, an id or an outcome's own word, is never translated: its words stand beside it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Outcome;

/// A language in which headings and labels are written.
///
/// ```
/// use auditdb::Locale;
///
/// assert_eq!(Locale::find("de")?.as_str(), "de");
/// assert_eq!(Locale::default().as_str(), "en");
/// let error = Locale::find("xx").unwrap_err();
/// assert!(error.to_string().contains("de, en, es"), "it lists them: {error}");
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Locale(usize);

/// The catalogues by locale, in order.
const FILES: [(&str, &str); 11] = [
    ("ar", include_str!("locales/ar.json")),
    ("de", include_str!("locales/de.json")),
    ("en", include_str!("locales/en.json")),
    ("es", include_str!("locales/es.json")),
    ("fr", include_str!("locales/fr.json")),
    ("it", include_str!("locales/it.json")),
    ("ja", include_str!("locales/ja.json")),
    ("nl", include_str!("locales/nl.json")),
    ("pl", include_str!("locales/pl.json")),
    ("pt", include_str!("locales/pt.json")),
    ("zh", include_str!("locales/zh.json")),
];

/// The place of English among them.
const ENGLISH: usize = 2;

/// One language's words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    headings: BTreeMap<String, String>,
    outcomes: BTreeMap<String, String>,
    phrases: BTreeMap<String, String>,
}

static CATALOGUES: LazyLock<Vec<Option<Catalogue>>> = LazyLock::new(|| {
    // A test reads them one by one, so none is missing here.
    let read = FILES.iter().map(|(_, text)| serde_json::from_str(text));
    read.map(core::result::Result::ok).collect()
});

impl Locale {
    /// The locale of this two-letter code.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] lists those there are.
    pub fn find(code: &str) -> Result<Locale> {
        let found = FILES.iter().position(|(known, _)| *known == code);
        found.map(Locale).ok_or_else(|| {
            let codes: Vec<&str> = Locale::all().map(Locale::as_str).collect();
            let what = format!(
                "locale {code:?} does not exist; there are {}",
                codes.join(", ")
            );
            Error::new(ErrorKind::OutOfRange, what)
        })
    }

    /// Every locale, in the order of their codes.
    pub fn all() -> impl ExactSizeIterator<Item = Locale> {
        (0..FILES.len()).map(Locale)
    }

    /// The locale's two-letter code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        FILES.get(self.0).map_or("en", |(code, _)| code)
    }

    /// Whether it is read from right to left.
    #[must_use]
    pub fn is_right_to_left(self) -> bool {
        self.as_str() == "ar"
    }

    /// The heading of the column `key`.
    pub(crate) fn heading(self, key: &'static str) -> &'static str {
        self.word(key, |catalogue| &catalogue.headings)
    }

    /// Every word of the catalogue.
    #[cfg(all(test, feature = "pdf"))]
    pub(crate) fn words(self) -> impl Iterator<Item = &'static str> {
        let catalogue = CATALOGUES.get(self.0).and_then(Option::as_ref);
        let shelves = catalogue.map(|all| [&all.headings, &all.outcomes, &all.phrases]);
        let words = shelves.into_iter().flatten().flat_map(BTreeMap::values);
        words.map(String::as_str)
    }

    /// What people call an outcome.
    pub(super) fn outcome(self, outcome: Outcome) -> &'static str {
        self.word(outcome.as_str(), |catalogue| &catalogue.outcomes)
    }

    /// The phrase `key` with each `{name}` in it replaced.
    pub(crate) fn phrase(self, key: &'static str, values: &[(&str, &str)]) -> String {
        let mut rest = self.word(key, |catalogue| &catalogue.phrases);
        let mut said = String::with_capacity(rest.len() + 32);
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
            let value = values.iter().find(|(known, _)| *known == name);
            said.push_str(before);
            said.push_str(value.map_or(name, |(_, value)| value));
            rest = after;
        }
        said.push_str(rest);
        said
    }

    fn word(
        self,
        key: &'static str,
        shelf: fn(&'static Catalogue) -> &'static BTreeMap<String, String>,
    ) -> &'static str {
        let of = |place: usize| shelf(CATALOGUES.get(place)?.as_ref()?).get(key);
        of(self.0)
            .or_else(|| of(ENGLISH))
            .map_or(key, String::as_str)
    }
}

impl Default for Locale {
    fn default() -> Locale {
        Locale(ENGLISH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Words = BTreeMap<String, String>;

    fn catalogue(locale: Locale) -> &'static Catalogue {
        let (code, text) = FILES.get(locale.0).expect("a file");
        let read: core::result::Result<Catalogue, _> = serde_json::from_str(text);
        read.unwrap_or_else(|error| panic!("{code}: {error}"));
        let found = CATALOGUES.get(locale.0).and_then(Option::as_ref);
        found.expect("it was read just now")
    }

    fn shelves(catalogue: &'static Catalogue) -> [&'static Words; 3] {
        [&catalogue.headings, &catalogue.outcomes, &catalogue.phrases]
    }

    fn names(phrase: &str) -> Vec<&str> {
        let mut names: Vec<&str> = phrase
            .split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}').map(|(name, _)| name))
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_catalogue_has_every_key_and_nothing_was_left_in_english() {
        let english = shelves(catalogue(Locale::default()));
        for locale in Locale::all() {
            let own = shelves(catalogue(locale));
            for (own, english) in own.iter().zip(english) {
                let keys = |words: &Words| words.keys().cloned().collect::<Vec<_>>();
                assert_eq!(keys(own), keys(english), "{}", locale.as_str());
                for (key, word) in *own {
                    let plain = english.get(key).map_or("", String::as_str);
                    assert_eq!(names(word), names(plain), "{}: {key}", locale.as_str());
                    assert!(!word.trim().is_empty() && word.trim() == word, "{key}");
                    let translated = locale == Locale::default() || word != plain;
                    assert!(translated, "{}: {key}: {word}", locale.as_str());
                }
            }
        }
        for outcome in Outcome::ALL {
            assert!(english[1].contains_key(outcome.as_str()));
        }
    }

    #[test]
    fn a_phrase_takes_its_values_as_they_are() {
        let said = Locale::default().phrase("unknown", &[("kind", "{id}"), ("id", "536")]);
        assert_eq!(said, "Unknown {id} with id 536");
    }
}
