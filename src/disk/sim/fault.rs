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
    wanted: Wanted,
    within: String,
    pub(super) skip: u64,
    pub(super) sticky: bool,
    pub(super) failure: Failure,
}

#[derive(Clone, Copy, Debug)]
enum Wanted {
    One(Operation),
    Change,
    Any,
}

/// How an operation fails. The last three are lies: it seems to work.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    Kind(io::ErrorKind),
    /// With a number of the operating system's, for what has no kind.
    Code(i32),
    /// It stops in the middle: a read finds the end of the file, a write takes no more.
    Short,
    /// The thread panics.
    Panic,
    /// It goes to a sector further on than it should.
    Misdirected,
    /// It goes to another file, at the place where it should go in this one.
    Elsewhere,
    /// A bit of it, by number, is turned.
    Flipped(usize),
}

impl Operation {
    /// All of them.
    pub(crate) const ALL: [Operation; Operation::KINDS] = [
        Operation::Create,
        Operation::Open,
        Operation::Read,
        Operation::Write,
        Operation::Sync,
        Operation::SetLen,
        Operation::Rename,
        Operation::Unlink,
        Operation::CreateDir,
        Operation::RemoveDir,
        Operation::SyncDir,
        Operation::Look,
        Operation::Lock,
    ];
    /// How many there are.
    pub(super) const KINDS: usize = 13;

    /// Whether it changes what a crash can leave behind.
    pub(crate) fn is_change(self) -> bool {
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
            wanted: Wanted::One(operation),
            within: String::new(),
            skip: 0,
            sticky: false,
            failure: Failure::Kind(error),
        }
    }

    /// Fails the next operation that changes anything.
    pub(crate) fn any_change(error: io::ErrorKind) -> Fault {
        Fault {
            wanted: Wanted::Change,
            ..Fault::new(Operation::Write, error)
        }
    }

    /// Fails the next operation of whatever kind.
    pub(crate) fn anything(error: io::ErrorKind) -> Fault {
        Fault {
            wanted: Wanted::Any,
            ..Fault::new(Operation::Read, error)
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
        self.by(Failure::Code(code))
    }

    /// Stops in the middle where it would fail.
    pub(crate) fn short(self) -> Fault {
        self.by(Failure::Short)
    }

    /// Panics where it would fail.
    pub(crate) fn panicking(self) -> Fault {
        self.by(Failure::Panic)
    }

    /// Reads or writes a sector further on, and says that it worked.
    pub(crate) fn misdirected(self) -> Fault {
        self.by(Failure::Misdirected)
    }

    /// Reads from or writes to another file, and says that it worked.
    pub(crate) fn elsewhere(self) -> Fault {
        self.by(Failure::Elsewhere)
    }

    /// Reads or writes with this bit turned, and says that it worked.
    pub(crate) fn flipped(self, bit: usize) -> Fault {
        self.by(Failure::Flipped(bit))
    }

    fn by(self, failure: Failure) -> Fault {
        Fault { failure, ..self }
    }

    pub(super) fn fits(&self, operation: Operation, path: &Path) -> bool {
        let kind = match self.wanted {
            Wanted::One(wanted) => wanted == operation,
            Wanted::Change => operation.is_change(),
            Wanted::Any => true,
        };
        kind && path.to_string_lossy().contains(&self.within)
    }
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> io::Error {
        match failure {
            Failure::Kind(kind) => kind.into(),
            Failure::Code(code) => io::Error::from_raw_os_error(code),
            Failure::Short => io::ErrorKind::WriteZero.into(),
            // Only reads and writes can lie.
            Failure::Panic | Failure::Misdirected | Failure::Elsewhere | Failure::Flipped(_) => {
                io::ErrorKind::Other.into()
            }
        }
    }
}
