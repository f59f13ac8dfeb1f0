//! The folder of saved queries: making, reading, listing and removing them, on the store's disk.

use std::path::Path;

use super::SavedQuery;
use super::format;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::durable;
use crate::disk::durable::Draft;
use crate::disk::names;
use crate::disk::real::RealDisk;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Bytes of a saved query's file at the most.
pub(crate) const FILE_BYTES_MAX: usize = 1 << 20;

/// The saved queries of a store. Any process may change them, also beside the writer.
///
/// ```
/// use auditdb::{Filter, Options, SavedQueries, SavedQuery, Store, Utc};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-saved-{}", std::process::id()));
///
/// let store = Store::open(&folder, Options::default())?;
/// let saved = SavedQueries::open(&folder)?;
/// let denied = SavedQuery {
///     flags: vec![("outcome".into(), "denied".into()), ("last".into(), "24h".into())],
///     zone: "UTC".into(),
/// };
/// saved.save("denied-today", &denied, false)?;
/// let filter = Filter::from_flags(saved.get("denied-today")?.words(), &Utc)?;
/// assert!(filter.to_string().starts_with("outcome is \"denied\""));
/// assert_eq!(saved.names()?, ["denied-today"]);
/// saved.remove("denied-today")?;
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
pub struct SavedQueries {
    disk: RealDisk,
}

impl SavedQueries {
    /// Those of the store in the folder `path`.
    ///
    /// # Errors
    /// [`ErrorKind::NotAStore`] if there is none.
    pub fn open(path: impl AsRef<Path>) -> Result<SavedQueries> {
        let disk = RealDisk::open(path.as_ref())?;
        if disk.len(names::current())?.is_none() {
            let what = "not a store: it has no file CURRENT";
            return Err(Error::new(ErrorKind::NotAStore, what).in_file(path.as_ref()));
        }
        Ok(SavedQueries { disk })
    }

    /// Keeps `query` under `name`: when this returns, it is durable. In place of one of that name only
    /// if `replace` says so. The words are kept as they are; whether they are a filter is known to
    /// whoever reads them.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] for a name that is none, [`ErrorKind::Exists`] for one that is taken,
    /// or what writing the file gives.
    pub fn save(&self, name: &str, query: &SavedQuery, replace: bool) -> Result<()> {
        let path = names::saved_query(check(name)?);
        let bytes = format::encode(query)?;
        if bytes.len() > FILE_BYTES_MAX {
            let what = format!("query {name}: its words come to more than {FILE_BYTES_MAX} bytes");
            return Err(Error::new(ErrorKind::OutOfRange, what));
        }
        durable::create_dir(&self.disk, names::queries_dir())?;
        let is_draft = |file: &str| names::is_draft_beside(&path, file);
        durable::remove_dead_drafts(&self.disk, names::queries_dir(), is_draft)?;
        let mut draft = Draft::begin_beside(&self.disk, &path)?;
        draft.write(bytes.as_bytes())?;
        match replace {
            true => draft.publish(),
            false => draft.publish_new(),
        }
    }

    /// The query of this name.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] if there is none, [`ErrorKind::Corrupt`] with the file if it is
    /// damaged.
    pub fn get(&self, name: &str) -> Result<SavedQuery> {
        let path = names::saved_query(check(name)?);
        if self.disk.len(&path)?.is_none() {
            return Err(self.none(name));
        }
        let bytes = durable::read(&self.disk, &path, FILE_BYTES_MAX)?;
        format::decode(&bytes, &self.disk.place(&path))
    }

    /// The names of all, in their order.
    ///
    /// # Errors
    /// What reading the folder gives.
    pub fn names(&self) -> Result<Vec<String>> {
        let listed = match self.disk.list(names::queries_dir()) {
            Err(error) if error.kind() == ErrorKind::Missing => Vec::new(),
            listed => listed?,
        };
        let named = listed.iter().filter(|entry| !entry.is_dir);
        let named = named.filter_map(|entry| names::saved_query_name(&entry.name));
        let mut found: Vec<String> = named.map(str::to_owned).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// Removes the query of this name, durably.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] if there is none, or what the disk gives.
    pub fn remove(&self, name: &str) -> Result<()> {
        match self.disk.unlink(&names::saved_query(check(name)?)) {
            Err(error) if error.kind() == ErrorKind::Missing => Err(self.none(name)),
            removed => {
                removed?;
                self.disk.sync_dir(names::queries_dir())
            }
        }
    }

    fn none(&self, name: &str) -> Error {
        let there = match self.names() {
            Ok(names) if names.is_empty() => "there are none".to_owned(),
            Ok(names) => format!("there are {}", names.join(", ")),
            Err(error) => error.to_string(),
        };
        let what = format!("query {name}: none is saved under this name; {there}");
        Error::new(ErrorKind::OutOfRange, what)
    }
}

fn check(name: &str) -> Result<&str> {
    if names::is_query_name(name) {
        return Ok(name);
    }
    let what = format!(
        "query {name:?}: a name is 1 to 64 of a-z, 0-9, -, _ and ., and begins with a letter or digit"
    );
    Err(Error::new(ErrorKind::OutOfRange, what))
}
