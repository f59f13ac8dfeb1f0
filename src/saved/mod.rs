//! Questions that people keep by name beside the events: the words of a filter as they were written,
//! so that `-24h` means the day before whoever asks. One file each, which appears whole or not at
//! all; nothing of the events depends on it. Used by whoever has the store's folder, beside a writer
//! too.

mod folder;
mod format;

pub use folder::SavedQueries;

pub(crate) use folder::FILE_BYTES_MAX;
pub(crate) use format::decode;
#[cfg(any(test, feature = "internals"))]
pub(crate) use format::encode;

/// A filter by its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedQuery {
    /// The flags without their dashes, and their texts, in the order in which they were given: what
    /// [`crate::Filter::from_flags`] takes.
    pub flags: Vec<(String, String)>,
    /// The zone in which times without one are read, by its IANA name. Kept for the caller, who
    /// knows zones; the library looks none up.
    pub zone: String,
}

impl SavedQuery {
    /// The flags as [`crate::Filter::from_flags`] takes them.
    pub fn words(&self) -> impl Iterator<Item = (&str, &str)> {
        let flags = self.flags.iter();
        flags.map(|(flag, text)| (flag.as_str(), text.as_str()))
    }
}
