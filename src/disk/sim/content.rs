//! The bytes of one simulated file: what every process sees, what a power failure leaves for sure,
//! and of each sector of 512 bytes between the two all that it has held since the last sync. A cache
//! writes a sector as a whole at a moment of its own choice, so any of those may be on the medium,
//! under any length that the file has had.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::OnceLock;

use crate::disk::sim::random::fold;

/// A file's bytes.
#[derive(Clone, Default)]
pub(super) struct Content {
    live: Arc<Vec<u8>>,
    kept: Arc<Vec<u8>>,
    /// What each sector that is not settled has held since the last sync, oldest first.
    dirty: BTreeMap<usize, Vec<Arc<[u8]>>>,
    /// The lengths since the last sync, oldest first; that of the sync itself is not among them.
    lens: Vec<usize>,
    hash: OnceLock<u64>,
}

/// What becomes of something unsynced in a power failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It never arrived.
    Lost,
    /// It arrived as it was last.
    Kept,
    /// It arrived as it was some time before.
    Older(u64),
    /// The place was taken and something else is in it: noise, or what another file had there.
    Garbage(u64),
}

/// The unit that a disk writes whole.
pub(super) const SECTOR: usize = 512;

impl Content {
    /// A file that is on the medium.
    pub(super) fn settled(bytes: Vec<u8>) -> Content {
        let live = Arc::new(bytes);
        Content {
            kept: Arc::clone(&live),
            live,
            ..Content::default()
        }
    }

    /// What every process sees.
    pub(super) fn live(&self) -> &[u8] {
        &self.live
    }

    /// A number that tells these bytes from others.
    pub(super) fn hash(&self) -> u64 {
        *self.hash.get_or_init(|| fold(0, &self.live))
    }

    /// Whether a power failure changes nothing.
    pub(super) fn is_settled(&self) -> bool {
        self.dirty.is_empty() && self.lens.is_empty() && Arc::ptr_eq(&self.live, &self.kept)
    }

    /// Sectors that may arrive or not, in the order of their places.
    pub(super) fn unsettled(&self) -> impl Iterator<Item = usize> {
        self.dirty.keys().copied()
    }

    /// Whether the length may be another one after a power failure.
    pub(super) fn has_lengths(&self) -> bool {
        !self.lens.is_empty()
    }

    /// Whether a sector was given to the file since the last sync, so that anything may be in it.
    pub(super) fn is_new(&self, sector: usize) -> bool {
        sector * SECTOR >= self.kept.len()
    }

    /// Writes `bytes`; a gap before them is zeros.
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if bytes.is_empty() {
            return;
        }
        self.hash = OnceLock::new();
        let live = Arc::make_mut(&mut self.live);
        if live.len() < end {
            live.resize(end, 0);
            self.lens.push(end);
        }
        if let Some(place) = live.get_mut(offset..end) {
            place.copy_from_slice(bytes);
        }
        self.note(offset, end);
    }

    /// Cuts the file, or fills it up with zeros.
    pub(super) fn set_len(&mut self, len: usize) {
        let before = self.live.len();
        if len == before {
            return;
        }
        self.hash = OnceLock::new();
        Arc::make_mut(&mut self.live).resize(len, 0);
        self.lens.push(len);
        self.note(len, before);
    }

    /// Settles everything. What an earlier failed sync lost stays lost, under a length that is right.
    pub(super) fn sync(&mut self) {
        if self.is_settled() {
            return;
        }
        let kept = self.survivor(self.live.len(), |_| Fate::Kept, |_| Vec::new());
        self.kept = match kept == *self.live {
            true => Arc::clone(&self.live),
            false => Arc::new(kept),
        };
        self.clear();
    }

    /// Settles some sectors and forgets the others, although they still read well.
    pub(super) fn half_sync(&mut self, len: usize, fate: impl FnMut(usize) -> Fate) {
        self.kept = Arc::new(self.survivor(len, fate, |_| Vec::new()));
        self.clear();
    }

    /// The length that a fate leaves.
    pub(super) fn len_of(&self, fate: Fate) -> usize {
        let older = |at: u64| {
            let at = usize::try_from(at).unwrap_or(0) % (self.lens.len() + 1);
            at.checked_sub(1).and_then(|at| self.lens.get(at))
        };
        let len = match fate {
            Fate::Lost => None,
            Fate::Kept => self.lens.last(),
            Fate::Older(at) | Fate::Garbage(at) => older(at),
        };
        len.copied().unwrap_or(self.kept.len())
    }

    /// The bytes after a power failure that leaves this length, and of each sector what `fate` says.
    pub(super) fn survivor(
        &self,
        len: usize,
        mut fate: impl FnMut(usize) -> Fate,
        mut garbage: impl FnMut(u64) -> Vec<u8>,
    ) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len.max(self.kept.len()));
        bytes.extend_from_slice(&self.kept);
        bytes.resize(len, 0);
        for (sector, versions) in &self.dirty {
            let garbled;
            let piece: &[u8] = match fate(*sector) {
                Fate::Lost => continue,
                Fate::Garbage(seed) if self.is_new(*sector) => {
                    garbled = garbage(seed);
                    &garbled
                }
                Fate::Older(at) => {
                    let at = usize::try_from(at).unwrap_or(0) % versions.len();
                    versions.get(at).map_or(&[], |piece| piece)
                }
                Fate::Kept | Fate::Garbage(_) => versions.last().map_or(&[], |piece| piece),
            };
            let start = sector * SECTOR;
            let end = len.min(start + piece.len());
            if let Some(place) = bytes.get_mut(start..end) {
                let there = place.len();
                place.copy_from_slice(piece.get(..there).unwrap_or_default());
            }
        }
        bytes
    }

    /// Turns one bit of the medium and of what is seen of it.
    pub(super) fn flip(&mut self, bit: usize) {
        self.hash = OnceLock::new();
        for bytes in [&mut self.live, &mut self.kept] {
            if let Some(byte) = Arc::make_mut(bytes).get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }

    fn clear(&mut self) {
        self.dirty.clear();
        self.lens.clear();
    }

    /// Writes down what the sectors from `start` to `end` hold now, unless they held it before.
    fn note(&mut self, start: usize, end: usize) {
        for sector in start / SECTOR..end.div_ceil(SECTOR) {
            let now = sector_of(&self.live, sector);
            let before = self.dirty.get(&sector).and_then(|all| all.last());
            let is_known = match before {
                Some(before) => **before == now,
                None => sector_of(&self.kept, sector) == now,
            };
            if !is_known {
                let versions = self.dirty.entry(sector).or_default();
                versions.push(Arc::from(now));
            }
        }
    }
}

/// A sector as it is on a medium: zeros behind the end of the file.
fn sector_of(bytes: &[u8], sector: usize) -> [u8; SECTOR] {
    let mut whole = [0; SECTOR];
    let start = (sector * SECTOR).min(bytes.len());
    let end = (start + SECTOR).min(bytes.len());
    let part = bytes.get(start..end).unwrap_or_default();
    if let Some(place) = whole.get_mut(..part.len()) {
        place.copy_from_slice(part);
    }
    whole
}
