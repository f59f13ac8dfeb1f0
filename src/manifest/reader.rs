//! Reads a manifest into the state it describes, changing nothing. Readers in other processes,
//! `verify` and the writer's own opening come this way. A writer beside can put a new manifest in
//! force at any moment and remove the old one: who meets [`crate::error::ErrorKind::Missing`]
//! begins again.

use super::Current;
use super::State;
use super::format;
use super::format::Record;
use crate::codec::frame;
use crate::codec::frame::Chain;
use crate::codec::frame::Extent;
use crate::codec::frame::Tail;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::error::Error;
use crate::error::Result;
use crate::id::ManifestId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::id::WalId;

/// Fills a buffer from an offset of the file.
type Read = Box<dyn Fn(u64, &mut [u8]) -> Result<()> + Send + Sync>;

/// A store's records as a reader finds them.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// What the manifest says.
    pub(crate) state: State,
    /// What `CURRENT` says.
    pub(crate) current: Current,
}

/// A manifest read to its end.
pub(super) struct Loaded {
    pub(super) state: State,
    pub(super) tail: Tail,
    pub(super) chain: Chain,
    /// Bytes up to the end of the first record, the whole state.
    pub(super) whole_end: u64,
    pub(super) frames: frame::Reader<Read>,
}

/// Reads a store that no writer has open.
pub(crate) fn view(disk: &dyn ReadDisk) -> Result<View> {
    let current = Current::read(disk)?;
    let extent = current.manifest_extent();
    let loaded = load(disk, current.manifest, Some(current.store), extent)?;
    Ok(View {
        state: loaded.state,
        current,
    })
}

/// Reads a store beside its writer: the manifest of this number up to `end`, as published.
pub(crate) fn view_live(disk: &dyn ReadDisk, id: ManifestId, end: u64) -> Result<View> {
    let current = Current::read(disk)?;
    let loaded = load(disk, id, Some(current.store), Extent::Live(end))?;
    Ok(View {
        state: loaded.state,
        current,
    })
}

/// Whether the manifest of this number is of a store that never had an event: without segments, and
/// with its first log among the `logs`, which hold none.
pub(crate) fn is_blank(disk: &dyn ReadDisk, id: ManifestId, logs: &[WalId]) -> Result<bool> {
    let state = load(disk, id, None, Extent::Unclean { durable: 0 })?.state;
    let is_empty = state.segments.is_empty() && state.sealed_seq == Sequence(0);
    Ok(is_empty && logs.contains(&state.wal_first))
}

/// Reads the manifest of this number, which must belong to `store` where one is given.
pub(super) fn load(
    disk: &dyn ReadDisk,
    id: ManifestId,
    store: Option<StoreId>,
    extent: Extent,
) -> Result<Loaded> {
    let file = disk.open_read(&names::manifest(id))?;
    let (path, len) = (file.path().to_owned(), file.len()?);
    let read: Read = Box::new(move |offset, buffer| file.read_at(offset, buffer));
    let mut frames = frame::Reader::open(read, &path, len, format::MAGIC, extent)?;
    let header = frames.header();
    let store = store.unwrap_or(header.store);
    if (header.store, header.file) != (store, id.0) {
        let what = format!(
            "the file is manifest {} of store {}, not manifest {} of store {store}",
            header.file, header.store, id.0
        );
        return Err(Error::corrupt(&path, 24, what));
    }
    let mut state = None;
    let mut whole_end = 0;
    while let Some(frame) = frames.next()? {
        let damaged = |what: String| Error::corrupt(frame.path, frame.offset, what);
        let record = Record::decode(frame.payload, store);
        let record = record.ok_or_else(|| damaged("the record cannot be read".to_owned()))?;
        state = Some(State::apply(state, record).map_err(damaged)?);
        if whole_end == 0 {
            whole_end = frames.chain().offset();
        }
    }
    let (Some(state), Some(tail)) = (state, frames.tail()) else {
        let what = "the manifest holds no state";
        return Err(Error::corrupt(&path, frames.chain().offset(), what));
    };
    Ok(Loaded {
        state,
        tail,
        chain: frames.chain(),
        whole_end,
        frames,
    })
}
