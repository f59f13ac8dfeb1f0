//! The only floor that touches the file system: everything above writes and reads through
//! [`ReadDisk`], [`Disk`] and [`File`], so that a test can put a simulated disk in their place. Paths are
//! relative to the store's folder and come from [`names`]. The recipes that make a file appear
//! whole or not at all stand in [`durable`].

use std::path::Path;
use std::path::PathBuf;

use crate::error::Result;
use crate::id::StoreId;

pub(crate) mod blob;
pub(crate) mod clock;
pub(crate) mod durable;
pub(crate) mod lock;
#[cfg(feature = "mmap")]
mod map;
#[cfg(not(feature = "mmap"))]
#[path = "unmapped.rs"]
mod map;
#[cfg(test)]
mod meddled;
pub(crate) mod names;
pub(crate) mod real;
#[cfg(any(test, feature = "internals"))]
pub(crate) mod sim;
pub(crate) mod watch;

/// A folder that holds one store, as who changes nothing sees it: a check and a salvage get no more
/// of a disk than this. All methods may be called from any thread at any time.
///
/// No method retries what failed; an interrupted system call is continued and is no failure.
/// Errors name the file by its full path: [`crate::error::ErrorKind::Missing`] where there is
/// none, [`crate::error::ErrorKind::Full`] where there is no room.
pub(crate) trait ReadDisk: Send + Sync {
    /// The full path of `path`, for messages.
    fn place(&self, path: &Path) -> PathBuf;

    /// Opens a file for reading. Links and what is no plain file are refused.
    fn open_read(&self, path: &Path) -> Result<Box<dyn File>>;

    /// What a folder holds, by name, without a look at any of it. Names made or removed meanwhile may
    /// or may not be among it.
    fn list(&self, path: &Path) -> Result<Vec<Entry>>;

    /// A number that is another one after a name came into a folder or went, once a tick of the file
    /// system's clock has passed, which is far less than a second; `None` if there is no such folder.
    /// Costs one look, whatever the folder holds.
    fn folder_stamp(&self, path: &Path) -> Result<Option<u64>>;

    /// The length of a file, or `None` if there is none.
    fn len(&self, path: &Path) -> Result<Option<u64>>;

    /// Maps a file that nobody changes any more and whose length must be `len`
    /// ([`crate::error::ErrorKind::Corrupt`] otherwise). `None` if this disk cannot map.
    fn map(&self, path: &Path, len: u64) -> Result<Option<blob::Bytes>>;

    /// Whether some handle holds [`Disk::lock`] on this file. While it looks, a [`Disk::lock`]
    /// elsewhere can be refused, so a refusal is worth a second try.
    fn is_locked(&self, path: &Path) -> Result<bool>;

    /// A number that changes when the machine boots, or `None` where it cannot be learned.
    fn boot(&self) -> Option<u64>;
}

/// The same folder, as its writer sees it.
pub(crate) trait Disk: ReadDisk {
    /// Makes a file that must not exist ([`crate::error::ErrorKind::Exists`]) and opens it for
    /// reading and writing. Its name is durable after [`Disk::sync_dir`] of its folder.
    fn create_new(&self, path: &Path) -> Result<Box<dyn File>>;

    /// Opens a file that exists for reading and writing.
    fn open_write(&self, path: &Path) -> Result<Box<dyn File>>;

    /// Gives a file another name, in place of any file of that name, in one step that other
    /// processes see whole or not at all. Durable after [`Disk::sync_dir`] of the new name's folder.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// As [`Disk::rename`], but refuses with [`crate::error::ErrorKind::Exists`] if the new name is
    /// taken: of two callers at once exactly one succeeds.
    fn rename_new(&self, from: &Path, to: &Path) -> Result<()>;

    /// Removes a file's name. Handles and mappings go on reading it. Durable after
    /// [`Disk::sync_dir`] of its folder; a caller that repeats it takes `Missing` as success.
    fn unlink(&self, path: &Path) -> Result<()>;

    /// Makes a folder; one that exists is success. Durable after [`Disk::sync_dir`] of its parent.
    fn create_dir(&self, path: &Path) -> Result<()>;

    /// Removes a folder that holds nothing and gives back whether it is gone; one that holds
    /// something stays. It may come back after a crash.
    fn remove_dir(&self, path: &Path) -> Result<bool>;

    /// Makes durable which names a folder holds; the empty path is the store's own folder. After
    /// an error nothing is known of any name since the last success: do not repeat, reopen.
    fn sync_dir(&self, path: &Path) -> Result<()>;

    /// Opens a file, making it if need be, and locks it against every other handle, of this process
    /// too, until the handle is dropped or the process ends. `None` if it is locked; never waits.
    fn lock(&self, path: &Path) -> Result<Option<Box<dyn File>>>;

    /// The number of the process that asks. A fork has another than the process it is a copy of.
    fn process(&self) -> u32;

    /// A name for a new store, which no other store has.
    fn store_id(&self) -> StoreId;
}

/// An open file. All methods may be called from any thread at any time; a read beside a write of
/// the same bytes may see part of it. Nothing is durable before a sync returns.
pub(crate) trait File: Send + Sync {
    /// The full path under which the file was opened, for messages.
    fn path(&self) -> &Path;

    /// Fills `buffer` with the bytes at `offset`. A file that ends before is
    /// [`crate::error::ErrorKind::Corrupt`]: ask [`File::len`] where an end is no damage.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// Writes all of `bytes` at `offset`; a gap before it reads as zeros. After an error any part
    /// may have been written, but of a sector of 512 bytes that was in the file before and is written
    /// over as a whole, all or nothing; the call may be repeated.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Makes all bytes written, and the length they need, durable. After an error any part may be
    /// lost although it still reads well, and a later success says nothing about it: never
    /// repeat, give the file up.
    fn sync_data(&self) -> Result<()>;

    /// As [`File::sync_data`], with all that the file system keeps about the file.
    fn sync_all(&self) -> Result<()>;

    /// Cuts the file, or fills it up with zeros. Durable after a sync; may be repeated.
    fn set_len(&self, len: u64) -> Result<()>;

    /// The file's present length.
    fn len(&self) -> Result<u64>;

    /// Keeps [`File::claim`] of any other handle out until this one is dropped; `false` while one has
    /// the file. Never waits.
    fn hold(&self) -> Result<bool>;

    /// Takes the file for this handle alone until it is dropped; `false` while another handle holds
    /// it, in this process or another. Never waits.
    fn claim(&self) -> Result<bool>;

    /// Whether one name at most leads to the file: what a snapshot made of links shares is not to be
    /// written over.
    fn is_single(&self) -> Result<bool>;

    /// Whether the name it was opened under still leads to this very file, and not to another one
    /// or nowhere.
    fn is_in_place(&self) -> Result<bool>;
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// The name; bytes that are no UTF-8 are replaced, as no file of a store has any.
    pub(crate) name: String,
    /// Whether it is itself a folder.
    pub(crate) is_dir: bool,
}

#[cfg(test)]
mod tests;
