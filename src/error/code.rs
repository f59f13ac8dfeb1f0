//! The words by which programs and pages know each kind of error. They are stable: a kind keeps its
//! code, and `docs/errors.md`, which a test compares with this file, has a line for each.

use super::ErrorKind;

impl ErrorKind {
    /// Every kind there is.
    pub const ALL: [ErrorKind; 26] = [
        ErrorKind::Corrupt,
        ErrorKind::Missing,
        ErrorKind::Poisoned,
        ErrorKind::Indeterminate,
        ErrorKind::Locked,
        ErrorKind::NotAStore,
        ErrorKind::Full,
        ErrorKind::Io,
        ErrorKind::Invalid,
        ErrorKind::KeyConflict,
        ErrorKind::Filter,
        ErrorKind::CursorEmpty,
        ErrorKind::CursorDamaged,
        ErrorKind::CursorForeign,
        ErrorKind::CursorFilter,
        ErrorKind::CursorDirection,
        ErrorKind::CursorAhead,
        ErrorKind::Unsupported,
        ErrorKind::Closed,
        ErrorKind::Forked,
        ErrorKind::Exists,
        ErrorKind::OutOfRange,
        ErrorKind::Import,
        ErrorKind::UnknownType,
        ErrorKind::Secret,
        ErrorKind::Pack,
    ];

    /// The kind's stable code.
    ///
    /// ```
    /// use auditdb::ErrorKind;
    ///
    /// assert_eq!(ErrorKind::CursorFilter.code(), "cursor_filter");
    /// assert!(ErrorKind::ALL.iter().all(|kind| !kind.meaning().is_empty()));
    /// ```
    #[must_use]
    pub const fn code(self) -> &'static str {
        use ErrorKind as Kind;
        match self {
            Kind::Corrupt => "corrupt",
            Kind::Missing => "missing",
            Kind::Poisoned => "poisoned",
            Kind::Indeterminate => "indeterminate",
            Kind::Locked => "locked",
            Kind::NotAStore => "not_a_store",
            Kind::Full => "full",
            Kind::Io => "io",
            Kind::Invalid => "invalid",
            Kind::KeyConflict => "key_conflict",
            Kind::Filter => "filter",
            Kind::CursorEmpty => "cursor_empty",
            Kind::CursorDamaged => "cursor_damaged",
            Kind::CursorForeign => "cursor_foreign",
            Kind::CursorFilter => "cursor_filter",
            Kind::CursorDirection => "cursor_direction",
            Kind::CursorAhead => "cursor_ahead",
            Kind::Unsupported => "unsupported",
            Kind::Closed => "closed",
            Kind::Forked => "forked",
            Kind::Exists => "exists",
            Kind::OutOfRange => "out_of_range",
            Kind::Import => "import",
            Kind::UnknownType => "unknown_type",
            Kind::Secret => "secret",
            Kind::Pack => "pack",
        }
    }

    /// What the kind says, in one sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        use ErrorKind as Kind;
        match self {
            Kind::Corrupt => "stored bytes fail their checksum or break the format's rules",
            Kind::Missing => "a file that the store's own records name is not there",
            Kind::Poisoned => {
                "an earlier write or sync failed: nothing more is accepted until the store is reopened"
            }
            Kind::Indeterminate => {
                "a sync failed under this very call: whether the event survives is known after reopening"
            }
            Kind::Locked => "another process or handle writes to the store",
            Kind::NotAStore => "the folder holds no store",
            Kind::Full => "there is no room; nothing was changed",
            Kind::Io => "the operating system refused an operation",
            Kind::Invalid => {
                "an event breaks a rule of its fields; the message begins with the field"
            }
            Kind::KeyConflict => "the key was used before, with other content",
            Kind::Filter => "a filter cannot be understood, or contradicts itself",
            Kind::CursorEmpty => "a cursor is the empty text",
            Kind::CursorDamaged => "a cursor is damaged, cut short, or of an unknown version",
            Kind::CursorForeign => "a cursor was made by another store",
            Kind::CursorFilter => "a cursor was made for another filter",
            Kind::CursorDirection => "a cursor was made for the other reading direction",
            Kind::CursorAhead => {
                "a cursor is ahead of this store, which was put back to an older state"
            }
            Kind::Unsupported => {
                "a format's version, or a required feature of it, is unknown to this version"
            }
            Kind::Closed => "the handle was closed",
            Kind::Forked => "the handle belongs to the process of which this one is a fork",
            Kind::Exists => "the file to be made exists already",
            Kind::OutOfRange => "a value asked for is outside its range; the message names it",
            Kind::Import => "a source record, or a mapping for such records, cannot be understood",
            Kind::UnknownType => "an event's type is in no pack of the store's registry",
            Kind::Secret => "a field that the registry calls secret holds something",
            Kind::Pack => "a pack of event types cannot be understood, or does not go with another",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The codes of the page's table.
    fn page() -> Vec<&'static str> {
        let page = include_str!("../../docs/errors.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
        rows.filter_map(|row| row.split('`').next()).collect()
    }

    #[test]
    fn mission_e23_every_kind_has_one_code_and_a_line_on_the_page() {
        let source = include_str!("../error.rs");
        let kinds = source
            .lines()
            .skip_while(|line| *line != "pub enum ErrorKind {")
            .skip(1)
            .take_while(|line| *line != "}")
            .filter(|line| !line.trim_start().starts_with("///"));
        let declared: Vec<&str> = kinds
            .map(|line| line.trim().trim_end_matches(','))
            .collect();
        let listed = ErrorKind::ALL.map(|kind| format!("{kind:?}"));
        assert_eq!(declared, listed, "ALL lists what is declared");
        let codes = ErrorKind::ALL.map(ErrorKind::code);
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
        assert_eq!(page(), codes, "docs/errors.md");
    }
}
