//! A file that nobody changes any more, read as one run of bytes: mapped, or by positional reads.
//! A range outside the file is an error, never a panic. The segment readers hold one per file.

use core::ops::Deref;
use std::borrow::Cow;
use std::path::Path;
use std::path::PathBuf;

use crate::disk::File;
use crate::disk::ReadDisk;
use crate::disk::map::Mapping;
use crate::error::Error;
use crate::error::Result;
use crate::options::ReadMode;

/// A whole file's bytes: mapped, or in memory.
pub(crate) enum Bytes {
    /// Mapped; lives as long as this value, also when the file's name is gone.
    Mapped(Mapping),
    /// Never on a disk at all: what a simulated disk maps.
    #[cfg(any(test, feature = "internals"))]
    Owned(Vec<u8>),
}

/// An open file of known length whose content is final.
pub(crate) struct Blob {
    path: PathBuf,
    len: u64,
    source: Source,
    /// All that was read or read ahead, for tests of what that is.
    #[cfg(test)]
    asked: parking_lot::Mutex<Vec<Asked>>,
}

/// A range that was read, or read ahead.
#[cfg(test)]
pub(crate) struct Asked {
    pub(crate) is_ahead: bool,
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

enum Source {
    Mapped(Bytes),
    Positional(Box<dyn File>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(mapping) => mapping,
            #[cfg(any(test, feature = "internals"))]
            Bytes::Owned(bytes) => bytes,
        }
    }
}

impl Blob {
    /// Opens a file that must be `len` bytes long; any other length is damage. Where the disk
    /// cannot map, [`ReadMode::Mapped`] reads by position.
    pub(crate) fn open(disk: &dyn ReadDisk, path: &Path, len: u64, mode: ReadMode) -> Result<Blob> {
        let mapped = match mode {
            ReadMode::Mapped => disk.map(path, len)?,
            ReadMode::Positional => None,
        };
        let source = match mapped {
            Some(bytes) => Source::Mapped(bytes),
            None => Source::Positional(disk.open_read(path)?),
        };
        let blob = Blob {
            path: disk.place(path),
            len,
            source,
            #[cfg(test)]
            asked: parking_lot::Mutex::default(),
        };
        let found = match &blob.source {
            Source::Mapped(bytes) => bytes.len() as u64,
            Source::Positional(file) => file.len()?,
        };
        if found != len {
            return Err(wrong_length(&blob.path, found, len));
        }
        Ok(blob)
    }

    /// The file's full path, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file's length.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The whole file, where it is mapped.
    #[inline]
    pub(crate) fn mapped(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Mapped(bytes) => Some(bytes),
            Source::Positional(_) => None,
        }
    }

    #[cfg(test)]
    fn note(&self, is_ahead: bool, offset: u64, len: u64) {
        self.asked.lock().push(Asked {
            is_ahead,
            offset,
            len,
        });
    }

    /// What was asked for since the last call.
    #[cfg(test)]
    pub(crate) fn take_asked(&self) -> Vec<Asked> {
        core::mem::take(&mut self.asked.lock())
    }

    /// Has the system read these bytes ahead. A hint: it changes nothing but the time of later reads.
    pub(crate) fn will_need(&self, offset: u64, len: u64) {
        #[cfg(test)]
        self.note(true, offset, len);
        match &self.source {
            Source::Mapped(Bytes::Mapped(mapping)) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                mapping.will_need(start, usize::try_from(len).unwrap_or(usize::MAX));
            }
            #[cfg(any(test, feature = "internals"))]
            Source::Mapped(Bytes::Owned(_)) => {}
            // A positional read is one for all of its bytes, and the system's own guess behind it.
            Source::Positional(_) => {}
        }
    }

    /// The `len` bytes at `offset`: borrowed from the mapping, or read into a buffer of their own.
    /// Memory is taken only after the range was found to lie in the file.
    pub(crate) fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>> {
        #[cfg(test)]
        self.note(false, offset, len as u64);
        let end = offset
            .checked_add(len as u64)
            .filter(|end| *end <= self.len);
        if end.is_none() {
            let what = format!(
                "{len} bytes are wanted here, but the file ends at {}",
                self.len
            );
            return Err(Error::corrupt(&self.path, offset, what));
        }
        match &self.source {
            Source::Mapped(bytes) => {
                let start = usize::try_from(offset).ok();
                let range = start.and_then(|start| bytes.get(start..start.checked_add(len)?));
                range
                    .map(Cow::Borrowed)
                    .ok_or_else(|| Error::corrupt(&self.path, offset, "outside what can be mapped"))
            }
            Source::Positional(file) => {
                let mut buffer = vec![0; len];
                file.read_at(offset, &mut buffer)?;
                Ok(Cow::Owned(buffer))
            }
        }
    }
}

/// The error for a file whose length is not what the store's records say.
pub(crate) fn wrong_length(path: &Path, found: u64, wanted: u64) -> Error {
    let what = format!("the file is {found} bytes long, the store's records say {wanted}");
    Error::corrupt(path, found.min(wanted), what)
}
