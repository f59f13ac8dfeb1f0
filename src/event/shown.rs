//! What people see in place of a subject, a performer or a target: the label that was captured when
//! the event was written, and a fixed form of words where none was. Nothing here looks at anything
//! but the event itself, so what is shown never changes, whatever became of the thing since.

use core::fmt;

use super::Event;
use super::Performer;
use super::Subject;
use super::Target;

/// The name of a subject, a performer or a target as people see it. Its text is the English one;
/// whoever writes in another language has the parts.
///
/// ```
/// use auditdb::{Performer, ShownName, Subject};
///
/// let form = Subject::new("form").id("536");
/// assert_eq!(form.shown_name().to_string(), "Unknown Form with id 536");
/// assert_eq!(form.label("Intake").shown_name(), ShownName::Label("Intake"));
/// assert_eq!(Performer::new("system").shown_name().to_string(), "System");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownName<'a> {
    /// What people called it when the event was written.
    Label(&'a str),
    /// It has no label: `Unknown Form with id 536`.
    Unknown {
        /// What kind of thing it is, as the event has it.
        kind: &'a str,
        /// Its name within its kind.
        id: &'a str,
    },
    /// It has neither label nor id, as the system or an anonymous performer: `System`.
    Kind(&'a str),
}

impl<'a> ShownName<'a> {
    /// The name of what has these fields. An empty label shows nothing and counts as none, and so
    /// does an empty id.
    #[must_use]
    pub fn of(kind: &'a str, id: Option<&'a str>, label: Option<&'a str>) -> ShownName<'a> {
        let given = |text: &&str| !text.is_empty();
        match (label.filter(given), id.filter(given)) {
            (Some(label), _) => ShownName::Label(label),
            (None, Some(id)) => ShownName::Unknown { kind, id },
            (None, None) => ShownName::Kind(kind),
        }
    }
}

impl fmt::Display for ShownName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShownName::Label(label) => formatter.write_str(label),
            // Nobody is an unknown unknown.
            ShownName::Unknown {
                kind: "unknown",
                id,
            } => write!(formatter, "Unknown with id {id}"),
            ShownName::Unknown { kind, id } => {
                write!(formatter, "Unknown {} with id {id}", kind_words(kind))
            }
            ShownName::Kind(kind) => formatter.write_str(&kind_words(kind)),
        }
    }
}

/// The words of a kind, each with a capital: `User Group` for `user_group`.
///
/// ```
/// assert_eq!(auditdb::kind_words("user_group"), "User Group");
/// ```
#[must_use]
pub fn kind_words(kind: &str) -> String {
    let mut words = String::with_capacity(kind.len());
    let parts = kind.split(['_', '-', '.', ' ']);
    for part in parts.filter(|part| !part.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        let mut letters = part.chars();
        words.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        words.push_str(letters.as_str());
    }
    // A kind of nothing but marks is shown as it is.
    match words.is_empty() {
        true => kind.to_owned(),
        false => words,
    }
}

macro_rules! shown_names {
    ($($entity:ident)*) => {$(
        impl $entity {
            /// The name that people see: the label captured with the event, or the fixed words of
            /// [`ShownName`] where there is none.
            #[must_use]
            pub fn shown_name(&self) -> ShownName<'_> {
                ShownName::of(&self.kind, self.id.as_deref(), self.label.as_deref())
            }
        }
    )*};
}

shown_names! { Performer Subject Target }

/// What an event is called that changed several attributes.
pub const MULTIPLE_ATTRIBUTES: &str = "Multiple Attributes Updated";

impl Event {
    /// Whether the event changed more than one attribute: then lists call it
    /// [`MULTIPLE_ATTRIBUTES`], and `auditdb show` tells each.
    ///
    /// ```
    /// use auditdb::Event;
    ///
    /// let event = Event::new("user.updated").change("name", "\"Ada\"", "\"Ada L.\"")?;
    /// assert!(!event.changes_several());
    /// assert!(event.change("admin", "false", "true")?.changes_several());
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    #[must_use]
    pub fn changes_several(&self) -> bool {
        let changes = self.changes.value();
        let mut paths = changes.into_iter().flatten().map(|change| &change.path);
        let first = paths.next();
        paths.any(|path| Some(path) != first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_label_or_the_fixed_words() {
        for (kind, id, label, shown) in [
            ("form", Some("536"), None, "Unknown Form with id 536"),
            ("form", Some("536"), Some(""), "Unknown Form with id 536"),
            ("form", Some("536"), Some("Intake"), "Intake"),
            ("form", None, Some("Intake"), "Intake"),
            (
                "user_group",
                Some("g 1"),
                None,
                "Unknown User Group with id g 1",
            ),
            (
                "object-type.v2",
                Some("1"),
                None,
                "Unknown Object Type V2 with id 1",
            ),
            ("userGroup", Some("1"), None, "Unknown UserGroup with id 1"),
            ("élève", Some("1"), None, "Unknown Élève with id 1"),
            ("unknown", Some("eve"), None, "Unknown with id eve"),
            ("unknown", None, None, "Unknown"),
            ("anonymous", Some(""), None, "Anonymous"),
            ("__", Some("1"), None, "Unknown __ with id 1"),
        ] {
            assert_eq!(ShownName::of(kind, id, label).to_string(), shown);
        }
    }

    #[test]
    fn one_attribute_that_is_named_twice_is_one() {
        let event = |paths: &[&str]| {
            let made = paths
                .iter()
                .try_fold(Event::new("a"), |event, path| event.change(*path, "1", "2"));
            made.unwrap_or_else(|error| panic!("{error}"))
        };
        for (paths, several) in [
            (&[][..], false),
            (&["a"], false),
            (&["a", "a"], false),
            (&["a", "a", "b"], true),
        ] {
            assert_eq!(event(paths).changes_several(), several, "{paths:?}");
        }
    }
}
