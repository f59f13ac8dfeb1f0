//! What a simulated disk can be told to fail at, and how.

use std::io;
use std::path::Path;

/// What can be counted and made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Create,
    Open,
    Read,
    Write,
    Sync,
    SetLen,
    Rename,
    Unlink,
    CreateDir,
    RemoveDir,
    SyncDir,
    Look,
    Lock,
}

/// An order to fail: once, at the first operation that fits.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    operation: Option<Operation>,
    within: String,
    pub(super) skip: u64,
    pub(super) sticky: bool,
    pub(super) failure: Failure,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    Kind(io::ErrorKind),
    /// With a number of the operating system's, for what has no kind.
    Code(i32),
    /// The thread panics.
    Panic,
}

impl Operation {
    /// Whether it changes what a crash can leave behind.
    pub(super) fn is_change(self) -> bool {
        !matches!(
            self,
            Operation::Open | Operation::Read | Operation::Look | Operation::Lock
        )
    }
}

impl Fault {
    /// Fails the next operation of this kind with this error (`Other` stands for a device error).
    pub(crate) fn new(operation: Operation, error: io::ErrorKind) -> Fault {
        Fault {
            operation: Some(operation),
            within: String::new(),
            skip: 0,
            sticky: false,
            failure: Failure::Kind(error),
        }
    }

    /// Fails the next operation that changes anything.
    pub(crate) fn any_change(error: io::ErrorKind) -> Fault {
        Fault {
            operation: None,
            ..Fault::new(Operation::Write, error)
        }
    }

    /// Lets this many operations of the kind succeed first.
    pub(crate) fn after(self, skip: u64) -> Fault {
        Fault { skip, ..self }
    }

    /// Only where the path holds this text.
    pub(crate) fn within(self, path: &str) -> Fault {
        Fault {
            within: path.to_owned(),
            ..self
        }
    }

    /// Goes on failing until [`SimDisk::heal`].
    pub(crate) fn sticky(self) -> Fault {
        Fault {
            sticky: true,
            ..self
        }
    }

    /// Fails with this number of the operating system's.
    pub(crate) fn code(self, code: i32) -> Fault {
        Fault {
            failure: Failure::Code(code),
            ..self
        }
    }

    /// Panics where it would fail.
    pub(crate) fn panicking(self) -> Fault {
        Fault {
            failure: Failure::Panic,
            ..self
        }
    }

    pub(super) fn fits(&self, operation: Operation, path: &Path) -> bool {
        let kind = match self.operation {
            Some(wanted) => wanted == operation,
            None => operation.is_change(),
        };
        kind && path.to_string_lossy().contains(&self.within)
    }
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> io::Error {
        match failure {
            Failure::Kind(kind) => kind.into(),
            Failure::Code(code) => io::Error::from_raw_os_error(code),
            Failure::Panic => io::ErrorKind::Other.into(),
        }
    }
}
