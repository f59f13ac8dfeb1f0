//! Writes one segment from ranges of rows of others: their rows in order under the dictionaries of
//! all, and their terms with new row numbers. Rows are put together as text, but what they are made
//! of is looked up by the inputs' numbers. In memory are the new segment's columns, one row of each
//! input, and a number for each row and each value.

use core::ops::Range;
use std::collections::BinaryHeap;

use super::Summary;
use super::known::Known;
use super::reader::Loaded;
use super::reader::Reader;
use super::rows::Trace;
use super::union;
use super::union::Moved;
use super::writer::Writer;
use crate::disk::File;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::StoreId;

/// Writes the rows of all `inputs` into the empty `file`. The caller syncs it.
///
/// # Errors
/// As [`super::writer::write`]; two inputs that hold the same event are out of order.
pub(crate) fn merge(
    file: &dyn File,
    store: StoreId,
    segment: SegmentId,
    inputs: &[(Reader, Range<u32>)],
) -> Result<Summary> {
    let mut writer = Writer::begin(file, store, segment)?;
    let mut heads: BinaryHeap<(Position, usize)> = BinaryHeap::new();
    let mut walks: Vec<(Range<u32>, Loaded, Known)> = Vec::with_capacity(inputs.len());
    let mut moved = Vec::with_capacity(inputs.len());
    for (place, (reader, rows)) in inputs.iter().enumerate() {
        let rows = rows.start..rows.end.min(reader.rows());
        let mut loaded = Loaded::default();
        loaded.trace = Some(Trace::default());
        if rows.start < rows.end {
            heads.push((reader.position(rows.start, &mut loaded)?, place));
        }
        moved.push(Moved {
            reader,
            first: rows.start,
            numbers: Vec::with_capacity(rows.len()),
        });
        walks.push((rows, loaded, Known::new(reader.schema())));
    }
    let mut number = 0;
    while let Some((_, place)) = heads.pop() {
        let (Some(moved), Some((rows, loaded, known))) =
            (moved.get_mut(place), walks.get_mut(place))
        else {
            break;
        };
        match moved.reader.traced_row(rows.start, loaded)? {
            (row, Some(trace)) => writer.push_traced(&row, trace, known)?,
            (row, None) => drop(writer.push(&row)?),
        }
        moved.numbers.push(number);
        number += 1;
        rows.start += 1;
        if rows.start < rows.end {
            heads.push((moved.reader.position(rows.start, loaded)?, place));
        }
    }
    writer.finish(|take| union::each(&moved, take))
}
