//! Settings of a store as data: they open nothing and check only themselves.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::limits;
use crate::registry::Registry;

/// How a store is opened. Every setting has a default.
///
/// ```
/// let options = auditdb::Options { durability: auditdb::Durability::Buffered, ..Default::default() };
/// options.validate()?;
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// When an append is acknowledged; one append may ask for more than this, never for less.
    pub durability: Durability,
    /// The width of a time partition; fixed when the store is created, ignored afterwards.
    pub partition: Partition,
    /// How sealed segments and presence runs are read.
    pub read_mode: ReadMode,
    /// Bytes of memory for what the store writes and keeps open: 64 MiB to 2 GiB. From it follow
    /// how many events wait in memory, how many rows a merge puts into one segment, and how many
    /// segments are open; less memory means more and smaller segments.
    pub memory_bytes_max: usize,
    /// Bytes of accepted events kept in memory before they are sealed into a segment: 4 KiB to
    /// 256 MiB. More than an eighth of `memory_bytes_max` is taken as that eighth.
    pub memtable_bytes_max: usize,
    /// Bytes of one event's canonical form: 1 KiB to 16 MiB.
    pub event_bytes_max: usize,
    /// Segments kept open at a time: 8 to 2,048. More than one for each MiB of `memory_bytes_max` is
    /// taken as one for each.
    pub open_segments_max: usize,
    /// Small segments that gather before some of them are merged: 2 to 48.
    pub merge_fan_in: usize,
    /// What an append does when the disk is full.
    pub on_full: OnFull,
    /// The event types that are known, with what their events may not hold: a field that the
    /// registry calls secret is refused with [`ErrorKind::Secret`]. Without one, nothing is looked up.
    pub registry: Option<Arc<Registry>>,
    /// What an append or import does with an event that the registry does not know.
    pub on_unknown: OnUnknown,
    /// Create the store if the folder holds none.
    pub create: bool,
    /// Open the folder for writing also if it holds less than its writer had made durable, as a copy
    /// does that was made while the store was being written. What the copy lacks is gone from it,
    /// and new events take its place.
    pub recover_copy: bool,
}

/// When an append is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// On acceptance: durable, visible and final with the sync that follows within 20 ms or 1 MiB.
    Buffered,
    /// When a sync has made it durable and it is visible.
    #[default]
    Durable,
}

/// What an append does when there is no room: on the disk, in the quota on it, or among the files that
/// the process may have open. Either way nothing of it is in the store when it fails, sequence numbers
/// stay dense, and appends work again without reopening once there is room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFull {
    /// It fails with [`ErrorKind::Full`].
    #[default]
    Error,
    /// It waits for room, and fails with [`ErrorKind::Full`] when there was none for so long. An
    /// append that comes while others wait already can wait twice as long.
    Block(Duration),
}

/// What an append or import does with an event whose type the store's registry does not know, or that
/// has not the shape that the registry declares for its type.
///
/// ```
/// use std::sync::Arc;
/// use auditdb::{ErrorKind, Event, OnUnknown, Options, Registry, Store};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-unknown-{}", std::process::id()));
///
/// let options = Options {
///     registry: Some(Arc::new(Registry::built_in())),
///     on_unknown: OnUnknown::Refuse,
///     ..Options::default()
/// };
/// let store = Store::open(&folder, options)?;
/// let error = store.append(&Event::new("user.upated")).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::UnknownType);
/// assert!(error.to_string().contains("near it: user.updated"), "{error}");
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnknown {
    /// It takes it; shapes are not looked at.
    #[default]
    Accept,
    /// It takes it, and [`crate::Store::flagged`] tells of it.
    Flag,
    /// It refuses it: an unknown type with [`ErrorKind::UnknownType`], another shape with
    /// [`ErrorKind::Invalid`].
    Refuse,
}

/// The width of a time partition, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Partition {
    /// A calendar day.
    Day,
    /// A calendar month.
    #[default]
    Month,
    /// A calendar year.
    Year,
}

/// How sealed segments and presence runs are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMode {
    /// Mapped into memory: a page costs about half. A file that someone cuts, or whose device
    /// fails, while it is mapped ends the process. Needs the feature `mmap`; without it, reads are
    /// positional.
    Mapped,
    /// By positional reads: for network file systems and for hosts that must survive such files.
    Positional,
}

impl Default for ReadMode {
    fn default() -> ReadMode {
        if cfg!(feature = "mmap") {
            ReadMode::Mapped
        } else {
            ReadMode::Positional
        }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            durability: Durability::default(),
            partition: Partition::default(),
            read_mode: ReadMode::default(),
            memory_bytes_max: 256 << 20,
            memtable_bytes_max: 32 << 20,
            event_bytes_max: limits::EVENT_BYTES,
            open_segments_max: 256,
            merge_fan_in: 48,
            on_full: OnFull::default(),
            registry: None,
            on_unknown: OnUnknown::default(),
            create: true,
            recover_copy: false,
        }
    }
}

impl Options {
    /// Checks each setting against its range.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] names the setting.
    pub fn validate(&self) -> Result<()> {
        if self.registry.is_none() && self.on_unknown != OnUnknown::Accept {
            let what = "on_unknown: nothing is known without a registry".to_owned();
            return Err(Error::new(ErrorKind::OutOfRange, what));
        }
        for (name, value, range) in [
            (
                "memory_bytes_max",
                self.memory_bytes_max,
                64 << 20..=2 << 30,
            ),
            (
                "memtable_bytes_max",
                self.memtable_bytes_max,
                4 << 10..=256 << 20,
            ),
            (
                "event_bytes_max",
                self.event_bytes_max,
                1 << 10..=limits::EVENT_BYTES_CEILING,
            ),
            ("open_segments_max", self.open_segments_max, 8..=2_048),
            ("merge_fan_in", self.merge_fan_in, 2..=48),
        ] {
            if !range.contains(&value) {
                let what = format!(
                    "{name}: {value} is not from {} to {}",
                    range.start(),
                    range.end()
                );
                return Err(Error::new(ErrorKind::OutOfRange, what));
            }
        }
        Ok(())
    }
}
