//! Merging small segments into final ones: one streaming rewrite, from which dictionaries and
//! indexes of the whole come out. Which segments take part is told by [`super::due`], where the
//! result is cut by [`super::cut`]. Readers are not held up: what they pinned stays until they let
//! it go.

use core::ops::Range;
use std::sync::Arc;

use super::Shared;
use super::cut::Cut;
use super::due;
use super::seal::ends;
use crate::error::Result;
use crate::id::Position;
use crate::manifest::Edit;
use crate::segment;
use crate::segment::reader::Loaded;
use crate::segment::reader::Reader;
use crate::snapshot::Pinned;

/// What a merge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// To write final segments, and to keep the number of small ones bounded.
    Bound,
    /// To leave as few small segments as can be had for a bounded number of rewrites.
    Compact,
}

/// Small segments that are to be merged, and how what they become is cut.
pub(super) struct Due {
    segments: Vec<Arc<Pinned>>,
    cut: Cut,
}

impl Shared {
    /// The small segments that are to be merged now, if there are any.
    pub(super) fn due(&self, aim: Aim) -> Option<Due> {
        let version = self.version.read().clone();
        let segments = version.segments.iter();
        let smalls: Vec<&Arc<Pinned>> = segments.filter(|pinned| pinned.entry.level == 0).collect();
        let sizes: Vec<u32> = smalls.iter().map(|pinned| pinned.entry.rows).collect();
        let rows = sizes.iter().copied().map(u64::from).sum();
        let bytes = smalls.iter().map(|pinned| pinned.entry.file_len).sum();
        let cut = Cut {
            width: self.partition,
            segment_rows: self.budget.segment_rows(rows, bytes),
        };
        let due = match aim {
            Aim::Bound => due::due(&sizes, self.options.merge_fan_in, cut.segment_rows),
            Aim::Compact => due::compaction(&sizes),
        };
        let segments: Vec<Arc<Pinned>> = due
            .into_iter()
            .filter_map(|place| smalls.get(place).map(|pinned| Arc::clone(pinned)))
            .collect();
        (!segments.is_empty()).then_some(Due { segments, cut })
    }

    /// Merges what is due. Appends, reads and seals go on meanwhile, but no other merge.
    pub(super) fn merge(&self, due: &Due) -> Result<()> {
        let Due { segments, cut } = due;
        let readers: Vec<Reader> = segments
            .iter()
            .map(|pinned| self.base.segments.open(&pinned.entry))
            .collect::<Result<_>>()?;
        let positions = positions(&readers)?;
        let pieces = cut.pieces(&positions);
        let added = self.write_segments(pieces, cut, |piece, file, id| {
            let (oldest, newest) = ends(&positions, &piece);
            let inputs = inputs(&readers, oldest, newest)?;
            segment::merge::merge(file, self.base.store, id, &inputs)
        })?;
        let removed = segments.iter().map(|pinned| pinned.entry.id).collect();
        self.put_in_force(added, removed, Edit::default(), None)
    }
}

/// The positions of all rows, newest first.
fn positions(readers: &[Reader]) -> Result<Vec<Position>> {
    let rows = readers.iter().map(|reader| reader.rows() as usize).sum();
    let mut positions = Vec::with_capacity(rows);
    for reader in readers {
        let mut loaded = Loaded::default();
        for row in 0..reader.rows() {
            positions.push(reader.position(row, &mut loaded)?);
        }
    }
    positions.sort_unstable_by_key(|position| core::cmp::Reverse(*position));
    Ok(positions)
}

/// The part of every input between two positions, both inclusive.
fn inputs(
    readers: &[Reader],
    oldest: Position,
    newest: Position,
) -> Result<Vec<(Reader, Range<u32>)>> {
    let mut inputs = Vec::with_capacity(readers.len());
    for reader in readers {
        let mut loaded = Loaded::default();
        let first = reader.lower_bound(newest, &mut loaded)?;
        let end = if oldest == Position::FIRST {
            reader.rows()
        } else {
            reader.lower_bound(oldest.predecessor(), &mut loaded)?
        };
        if first < end {
            inputs.push((reader.clone(), first..end));
        }
    }
    Ok(inputs)
}
