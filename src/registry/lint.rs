//! What is odd about a set of type names: a thing that can be taken away and never come, and one
//! idea under two verbs. Names are data that outlives those who chose them, so they are looked at
//! before the first event has them.

use core::fmt;
use std::collections::BTreeMap;

use super::Registry;

/// Something odd about the names of event types.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Lint {
    /// A type whose opposite is not there.
    Unpaired {
        /// The type that stands alone.
        event_type: String,
        /// What its opposite would be called.
        missing: String,
    },
    /// Several verbs for what seems to be one idea.
    Mixed {
        /// Each verb, with the types that have it.
        verbs: Vec<(String, Vec<String>)>,
    },
}

/// Verbs that begin something, and those that end it.
const OPPOSITES: [(&[&str], &[&str]); 13] = [
    (&["added", "created"], &["removed", "deleted"]),
    (&["assigned"], &["unassigned"]),
    (&["attached"], &["detached"]),
    (&["granted"], &["revoked"]),
    (&["enabled"], &["disabled"]),
    (&["activated"], &["deactivated"]),
    (&["locked", "locked_out"], &["unlocked"]),
    (&["blocked"], &["unblocked"]),
    (&["opened"], &["closed"]),
    (&["archived"], &["restored"]),
    (&["joined"], &["left"]),
    (&["linked"], &["unlinked"]),
    (&["suspended"], &["resumed", "reinstated"]),
];

/// The types of one side of a pair of opposites: by verb, what stands before the verb.
type Side<'a> = BTreeMap<&'static str, Vec<&'a str>>;

impl Lint {
    /// What is odd about `names`, in a fixed order.
    ///
    /// ```
    /// use auditdb::Lint;
    ///
    /// let found = Lint::of(["team.member_removed", "door.opened", "door.closed"]);
    /// assert_eq!(found.len(), 1);
    /// assert_eq!(
    ///     found[0].to_string(),
    ///     "team.member_removed is unpaired: there is no team.member_added"
    /// );
    /// ```
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Lint> {
        let names: Vec<&str> = names.into_iter().collect();
        let mut found = Vec::new();
        for (opening, closing) in OPPOSITES {
            let (opens, closes) = (side(&names, opening), side(&names, closing));
            unpaired(&opens, &closes, closing, &mut found);
            unpaired(&closes, &opens, opening, &mut found);
            for side in [opens, closes] {
                if side.len() > 1 {
                    let named = |(verb, stems): (&'static str, Vec<&str>)| {
                        let types = stems.iter().map(|stem| format!("{stem}{verb}"));
                        (verb.to_owned(), types.collect())
                    };
                    let verbs = side.into_iter().map(named).collect();
                    found.push(Lint::Mixed { verbs });
                }
            }
        }
        found.sort();
        found
    }
}

impl Registry {
    /// What is odd about the names of the registry's types.
    #[must_use]
    pub fn lint(&self) -> Vec<Lint> {
        Lint::of(self.types().map(|one| one.name()))
    }
}

/// The names that end in one of `verbs`, a word of its own at the end.
fn side<'a>(names: &[&'a str], verbs: &[&'static str]) -> Side<'a> {
    let mut side = Side::new();
    for name in names {
        let stem = |verb: &&'static str| {
            let stem = name.strip_suffix(verb)?;
            stem.ends_with(['.', '_', '-']).then_some((*verb, stem))
        };
        if let Some((verb, stem)) = verbs.iter().find_map(stem) {
            side.entry(verb).or_default().push(stem);
        }
    }
    side
}

/// Tells of what is on one side and not on the other; its opposite is called as most are.
fn unpaired(here: &Side<'_>, there: &Side<'_>, verbs: &[&'static str], found: &mut Vec<Lint>) {
    let usual = there.iter().max_by_key(|(_, stems)| stems.len());
    let usual = usual.map(|(verb, _)| *verb).or(verbs.first().copied());
    for (verb, stems) in here {
        for stem in stems {
            if !there.values().flatten().any(|other| other == stem) {
                found.push(Lint::Unpaired {
                    event_type: format!("{stem}{verb}"),
                    missing: format!("{stem}{}", usual.unwrap_or_default()),
                });
            }
        }
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lint::Unpaired {
                event_type,
                missing,
            } => write!(formatter, "{event_type} is unpaired: there is no {missing}"),
            Lint::Mixed { verbs } => {
                let verbs: Vec<String> = verbs
                    .iter()
                    .map(|(verb, types)| format!("{verb} ({})", types.join(", ")))
                    .collect();
                write!(formatter, "verbs are mixed: {}", verbs.join(" and "))
            }
        }
    }
}
