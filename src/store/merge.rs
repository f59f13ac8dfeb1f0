//! Merging small segments, so that their number stays bounded by that of the events. Segments with
//! fewer rows than a partition is worth are sorted into size classes; a class that is full becomes
//! one segment of a higher class, or final ones that are merged no more. An event is thus rewritten
//! once in the common case (sealed from a full memtable) and at most once per class otherwise.

use core::ops::Range;
use std::sync::Arc;

use super::Shared;
use super::cut;
use super::seal::ends;
use crate::error::Result;
use crate::id::Position;
use crate::limits;
use crate::manifest::Edit;
use crate::segment;
use crate::segment::reader::Loaded;
use crate::segment::reader::Reader;
use crate::snapshot::Pinned;

impl Shared {
    /// Merges one full size class. `false` if none is full.
    pub(super) fn merge_one(&self) -> Result<bool> {
        let version = self.version.read().clone();
        let fan_in = self.options.merge_fan_in;
        let Some(class) = full_class(&version.segments, fan_in) else {
            return Ok(false);
        };
        let readers: Vec<Reader> = class
            .iter()
            .map(|pinned| self.base.segments.reader(&pinned.entry))
            .collect::<Result<_>>()?;
        let positions = positions(&readers)?;
        let pieces = cut::pieces(&positions, self.partition);
        let added = self.write_segments(pieces, |piece, file, id| {
            let (oldest, newest) = ends(&positions, &piece);
            let inputs = inputs(&readers, oldest, newest)?;
            segment::merge::merge(file, self.base.store, id, &inputs)
        })?;
        let removed = class.iter().map(|pinned| pinned.entry.id).collect();
        self.put_in_force(added, removed, Edit::default(), None)?;
        Ok(true)
    }
}

/// More segments that are not final than this are merged whatever their classes hold.
const SMALL_MAX: usize = 48;

/// The smallest class of segments that has `fan_in` members. With a wide fan-in the classes can
/// hold more than the bound on the number of segments between them; then the fullest one.
fn full_class(segments: &[Arc<Pinned>], fan_in: usize) -> Option<Vec<Arc<Pinned>>> {
    let mut classes: Vec<Vec<Arc<Pinned>>> = Vec::new();
    for pinned in segments.iter().filter(|pinned| pinned.entry.level == 0) {
        let class = size_class(pinned.entry.rows, fan_in);
        if classes.len() <= class {
            classes.resize_with(class + 1, Vec::new);
        }
        if let Some(class) = classes.get_mut(class) {
            class.push(Arc::clone(pinned));
        }
    }
    let small: usize = classes.iter().map(Vec::len).sum();
    match classes.iter().position(|class| class.len() >= fan_in) {
        Some(full) => Some(classes.swap_remove(full)),
        None if small > SMALL_MAX => classes.into_iter().max_by_key(Vec::len),
        None => None,
    }
}

/// How often `rows` can be divided by `fan_in`: at most 16 for a segment that is not final.
fn size_class(rows: u32, fan_in: usize) -> usize {
    debug_assert!(
        (rows as usize) < limits::PARTITION_ROWS_MIN,
        "final segments have no class"
    );
    rows.max(1).ilog(u32::try_from(fan_in).unwrap_or(2).max(2)) as usize
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The bound on the number of segments rests on this: while more than that are not final, two
    /// of them share a class, whatever the fan-in.
    #[test]
    fn segments_below_final_stay_within_64() {
        for fan_in in 2..=64 {
            let classes = size_class(limits::PARTITION_ROWS_MIN as u32 - 1, fan_in) + 1;
            assert!(classes < SMALL_MAX && SMALL_MAX < 64, "{fan_in}");
        }
    }
}
