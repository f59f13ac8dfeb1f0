//! A mapping: which member of a source's record becomes which field of an event, as data.
//! The grammar stands in `docs/import.md`; [`Mapping::parse`] reads it (in `grammar`), and
//! `shape` makes events by it. A mapping is plain data and opens nothing.

use std::sync::Arc;

use super::expression::Choice;
use super::expression::Scope;
use super::expression::Test;
use super::moment::Form;
use super::record::Pointer;
use super::record::Record;
use crate::error::Result;

/// How records of one source become events.
///
/// ```
/// let mapping = auditdb::Mapping::parse(
///     r#"{"name": "door", "event": {"occurred_at": ["/at"], "type": {"const": "door.opened"}}}"#,
/// )?;
/// assert_eq!(mapping.name(), "door");
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    pub(super) name: Arc<str>,
    pub(super) about: String,
    /// Any of these, and all tests of it, mark a record as this mapping's; none: every record.
    pub(super) detect: Vec<Vec<Test>>,
    pub(super) ignore: Vec<String>,
    pub(super) text: Vec<Pointer>,
    /// Minutes east of UTC for times without a zone.
    pub(super) zone: i32,
    pub(super) fields: Fields,
}

/// The fields of an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fields {
    pub(super) occurred_at: Vec<(Choice, Form)>,
    pub(super) event_type: Choice,
    pub(super) sub_type: Choice,
    pub(super) org: Choice,
    pub(super) outcome: Choice,
    pub(super) reason: Choice,
    pub(super) source: Choice,
    pub(super) batch: Choice,
    pub(super) caused_by: Choice,
    pub(super) correlation: Choice,
    pub(super) origin_store: Choice,
    pub(super) origin_id: Choice,
    pub(super) performer: Vec<Entity>,
    pub(super) on_behalf_of: Vec<Entity>,
    pub(super) subject: Vec<Entity>,
    pub(super) targets: Vec<Entity>,
    pub(super) context: Vec<(String, Choice)>,
    pub(super) metadata: Vec<(String, Choice)>,
    pub(super) changes: Vec<ChangeRule>,
}

/// Who or what; it counts when it has an id or a label.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entity {
    pub(super) when: Vec<Test>,
    /// One of them per item of this array; only for targets.
    pub(super) each: Option<Pointer>,
    pub(super) kind: Choice,
    pub(super) id: Choice,
    pub(super) label: Choice,
    pub(super) email: Choice,
    pub(super) org: Choice,
    pub(super) external_ref: Choice,
}

/// What was changed from what to what.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ChangeRule {
    pub(super) when: Vec<Test>,
    pub(super) each: Option<Pointer>,
    pub(super) path: Choice,
    pub(super) before: Option<Pointer>,
    pub(super) after: Option<Pointer>,
}

impl Mapping {
    /// Reads a mapping file's text.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Import`] says which part of the file breaks the grammar.
    pub fn parse(text: &str) -> Result<Mapping> {
        super::grammar::mapping(text)
    }

    /// The mapping's name, which is part of an imported event's identity.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line on what it takes.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Whether the mapping tells by content which records are its own.
    pub(super) fn detects(&self) -> bool {
        !self.detect.is_empty()
    }

    pub(super) fn recognises(&self, record: &Record<'_>) -> bool {
        let scope = self.scope(record);
        self.detect
            .iter()
            .any(|tests| tests.iter().all(|test| test.holds(scope)))
    }

    pub(super) fn scope<'r, 'a: 'r>(&'r self, record: &'r Record<'a>) -> Scope<'r, 'a> {
        Scope {
            record,
            item: None,
            text: &self.text,
            ignore: &self.ignore,
        }
    }
}
