//! The one error of the crate: small, opaque, with a kind to branch on and words to act on.
//! It names nothing above this floor; when bytes are bad it says which file and where.

mod code;

use core::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

/// What every fallible call of this crate returns.
pub type Result<T> = core::result::Result<T, Error>;

/// What went wrong, in the words of the person who has to act on it.
///
/// [`Error::kind`] says which rule was broken; `Display` says where and what to do; the source
/// chain holds the operating system's own error where there is one.
///
/// ```
/// let error = auditdb::Event::new("Not A Slug").validate().unwrap_err();
/// assert_eq!(error.kind(), auditdb::ErrorKind::Invalid);
/// assert!(error.to_string().starts_with("type: "));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    what: String,
    place: Option<Place>,
    batch_index: Option<usize>,
    source: Option<Arc<dyn core::error::Error + Send + Sync>>,
}

/// The file, and the byte in it, that an error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's path.
    pub file: PathBuf,
    /// The byte offset at which the bad part begins, where one is known.
    pub offset: Option<u64>,
}

/// Which rule was broken. New kinds may come with new versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Stored bytes fail their checksum or break the format's rules.
    Corrupt,
    /// A file that the store's own records name is not there.
    Missing,
    /// An earlier write or sync failed, so nothing more is accepted: reopen the store.
    Poisoned,
    /// A sync failed under this very call: whether the event survives is known after reopening.
    Indeterminate,
    /// Another process, or another handle of this one, holds the store's lock.
    Locked,
    /// The folder holds no store.
    NotAStore,
    /// There is no room: the disk, the quota on it, the limit on a file's length or that on open files
    /// is reached. Nothing was changed; the call may be repeated once there is room.
    Full,
    /// The operating system refused an operation.
    Io,
    /// An event breaks a rule of its fields; the message begins with the field.
    Invalid,
    /// The key was used before, with other content.
    KeyConflict,
    /// A filter cannot be understood, or contradicts itself.
    Filter,
    /// A cursor is the empty text, which is no cursor: leave it out to begin at the top.
    CursorEmpty,
    /// A cursor is damaged, cut short, or of a version this library does not know.
    CursorDamaged,
    /// A cursor was made by another store.
    CursorForeign,
    /// A cursor was made for another filter.
    CursorFilter,
    /// A cursor was made for the other reading direction.
    CursorDirection,
    /// A cursor is ahead of this store: the store was put back to an older state.
    CursorAhead,
    /// The format's version, or a required feature of it, is unknown to this library.
    Unsupported,
    /// The handle was closed.
    Closed,
    /// The handle was opened by the process of which this one is a fork: only that one can write with
    /// it.
    Forked,
    /// The target of an export exists already.
    Exists,
    /// A value asked for is outside its range; the message names it.
    OutOfRange,
    /// A source record, or a mapping for source records, cannot be understood.
    Import,
    /// An event's type is in no pack of the store's registry; the message says what is known nearby.
    UnknownType,
    /// A field that the registry calls secret holds something; the message names the field.
    Secret,
    /// A pack of event types cannot be understood, or does not go with another.
    Pack,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            what: what.into(),
            place: None,
            batch_index: None,
            source: None,
        }))
    }

    /// An event's field breaks a rule.
    pub(crate) fn invalid(field: impl fmt::Display, rule: impl fmt::Display) -> Error {
        Error::new(ErrorKind::Invalid, format!("{field}: {rule}"))
    }

    /// An event's type is not registered.
    pub(crate) fn unknown_type(rule: impl fmt::Display) -> Error {
        Error::new(ErrorKind::UnknownType, format!("type: {rule}"))
    }

    /// An event's field holds a secret.
    pub(crate) fn secret(field: impl fmt::Display, rule: impl fmt::Display) -> Error {
        Error::new(ErrorKind::Secret, format!("{field}: {rule}"))
    }

    /// The bytes of `file` at `offset` are not what was written.
    pub(crate) fn corrupt(file: &Path, offset: u64, what: impl Into<String>) -> Error {
        Error::new(ErrorKind::Corrupt, what).at(file, offset)
    }

    /// The operating system refused `operation` on `file`. A full disk or quota becomes
    /// [`ErrorKind::Full`], a file that is not there [`ErrorKind::Missing`].
    pub(crate) fn io(operation: &str, file: &Path, source: std::io::Error) -> Error {
        use std::io::ErrorKind as Io;
        let kind = match source.kind() {
            // A limit on a file's length leaves everything as it was, like a full disk.
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => ErrorKind::Full,
            Io::NotFound => ErrorKind::Missing,
            _ => ErrorKind::Io,
        };
        let place = Place {
            file: file.to_owned(),
            offset: None,
        };
        let mut error = Error::new(kind, format!("cannot {operation}: {source}"));
        error.0.place = Some(place);
        error.0.source = Some(Arc::new(source));
        error
    }

    pub(crate) fn at(mut self, file: &Path, offset: u64) -> Error {
        self.0.place = Some(Place {
            file: file.to_owned(),
            offset: Some(offset),
        });
        self
    }

    pub(crate) fn in_file(mut self, file: &Path) -> Error {
        self.0.place = Some(Place {
            file: file.to_owned(),
            offset: None,
        });
        self
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn core::error::Error + Send + Sync>>,
    ) -> Error {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// What follows from a failure: its words and its place are told too.
    pub(crate) fn because(mut self, cause: Error) -> Error {
        self.0.what = format!("{}: {}", self.0.what, cause.0.what);
        self.0.place.clone_from(&cause.0.place);
        self.with_source(cause)
    }

    /// Says at the end of the words what to do.
    pub(crate) fn with_advice(mut self, advice: &str) -> Error {
        self.0.what = format!("{}; {advice}", self.0.what);
        self
    }

    pub(crate) fn of_member(mut self, number: usize) -> Error {
        self.0.batch_index = Some(number);
        self
    }

    /// The same error, told again to another waiter of one failed operation.
    pub(crate) fn again(&self) -> Error {
        let mut error = Error::new(self.0.kind, self.0.what.clone());
        error.0.batch_index = self.0.batch_index;
        error.0.place.clone_from(&self.0.place);
        error.0.source.clone_from(&self.0.source);
        error
    }

    /// Which rule was broken.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file, and the byte in it, that the error is about.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// Which event of a batch the error is about, counted from 0.
    #[must_use]
    pub fn batch_index(&self) -> Option<usize> {
        self.0.batch_index
    }

    /// Stored bytes are damaged, or a file of the store is gone.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Corrupt | ErrorKind::Missing)
    }

    /// There was no room; the same call can succeed later.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.kind == ErrorKind::Full
    }

    /// The handle takes no more events; reopening the store helps.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Closed | ErrorKind::Forked | ErrorKind::Poisoned | ErrorKind::Indeterminate
        )
    }

    /// The cursor given is not one that this call can go on from.
    #[must_use]
    pub fn is_cursor(&self) -> bool {
        use ErrorKind as Kind;
        matches!(
            self.0.kind,
            Kind::CursorEmpty
                | Kind::CursorDamaged
                | Kind::CursorForeign
                | Kind::CursorFilter
                | Kind::CursorDirection
                | Kind::CursorAhead
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.0.place {
            write!(formatter, "{}", place.file.display())?;
            if let Some(offset) = place.offset {
                write!(formatter, " at byte {offset}")?;
            }
            formatter.write_str(": ")?;
        }
        formatter.write_str(&self.0.what)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}({self})", self.0.kind)
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| &**source as &(dyn core::error::Error + 'static))
    }
}
