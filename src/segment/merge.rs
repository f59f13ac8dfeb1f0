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
use super::sample;
use super::union;
use super::union::Moved;
use super::writer::Writer;
use crate::disk::File;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::StoreId;

/// Rows between two moments at which a merge lets its caller do something else.
const PAUSE_ROWS: u32 = 4096;

/// Writes the rows of all `inputs` into the empty `file`. The caller syncs it. `pause` is called
/// now and then, because a merge takes long, and ends it with an error.
///
/// # Errors
/// As [`super::writer::write`]; two inputs that hold the same event are out of order.
pub(crate) fn merge(
    file: &dyn File,
    store: StoreId,
    segment: SegmentId,
    inputs: &[(Reader, Range<u32>)],
    pause: &mut dyn FnMut() -> Result<()>,
) -> Result<Summary> {
    let mut writer = Writer::begin(file, store, segment)?;
    writer.settle(&some_contents(inputs)?);
    let mut order = Order::new(inputs, true)?;
    let mut known: Vec<Known> = inputs
        .iter()
        .map(|(reader, _)| Known::new(reader.schema()))
        .collect();
    let mut moved: Vec<Moved<'_>> = inputs
        .iter()
        .map(|(reader, rows)| Moved {
            reader,
            first: rows.start,
            numbers: Vec::with_capacity(rows.len()),
        })
        .collect();
    let mut number = 0;
    while let Some((place, row)) = order.next()? {
        let (Some(moved), Some(known), Some((_, loaded))) = (
            moved.get_mut(place),
            known.get_mut(place),
            order.walks.get_mut(place),
        ) else {
            break;
        };
        match moved.reader.traced_row(row, loaded)? {
            (row, Some(trace)) => writer.push_traced(&row, trace, known)?,
            (row, None) => drop(writer.push(&row)?),
        }
        moved.numbers.push(number);
        number += 1;
        if number % PAUSE_ROWS == 0 {
            pause()?;
        }
    }
    writer.finish(|take| union::each(&moved, take))
}

/// The rows of all inputs in reading order.
struct Order<'i> {
    inputs: &'i [(Reader, Range<u32>)],
    heads: BinaryHeap<(Position, usize)>,
    /// The rows of each input that are still to come, and what its reader keeps.
    walks: Vec<(Range<u32>, Loaded)>,
    /// The input whose row was given last.
    given: Option<usize>,
}

impl<'i> Order<'i> {
    fn new(inputs: &'i [(Reader, Range<u32>)], traced: bool) -> Result<Order<'i>> {
        let mut order = Order {
            inputs,
            heads: BinaryHeap::new(),
            walks: Vec::with_capacity(inputs.len()),
            given: None,
        };
        for (place, (reader, rows)) in inputs.iter().enumerate() {
            let mut loaded = Loaded::default();
            loaded.row.trace = traced.then(Trace::default);
            let rows = rows.start..rows.end.min(reader.rows());
            order.walks.push((rows, loaded));
            order.line_up(place)?;
        }
        Ok(order)
    }

    /// Puts the next row of an input among the heads.
    fn line_up(&mut self, place: usize) -> Result<()> {
        let input = self.inputs.get(place).zip(self.walks.get_mut(place));
        if let Some(((reader, _), (rows, loaded))) = input
            && rows.start < rows.end
        {
            self.heads
                .push((reader.position(rows.start, loaded)?, place));
        }
        Ok(())
    }

    /// The next row, and the input that has it.
    fn next(&mut self) -> Result<Option<(usize, u32)>> {
        if let Some(place) = self.given.take() {
            self.line_up(place)?;
        }
        let Some((_, place)) = self.heads.pop() else {
            return Ok(None);
        };
        self.given = Some(place);
        let rows = self.walks.get_mut(place).map(|(rows, _)| rows);
        Ok(rows.and_then(Range::next).map(|row| (place, row)))
    }
}

/// Contents from all over the inputs: those that a writer of all rows would look at.
fn some_contents(inputs: &[(Reader, Range<u32>)]) -> Result<Vec<String>> {
    let rows: usize = inputs.iter().map(|(_, rows)| rows.len()).sum();
    let step = rows.div_ceil(sample::ROWS).max(1);
    let mut contents = Vec::with_capacity(sample::ROWS);
    let mut order = Order::new(inputs, false)?;
    let mut number = 0;
    while let Some((place, row)) = order.next()? {
        let input = inputs.get(place).zip(order.walks.get_mut(place));
        if let Some(((reader, _), (_, loaded))) = input.filter(|_| number % step == 0) {
            let row = reader.row(row, loaded)?;
            contents.push(row.body.content.to_owned());
        }
        number += 1;
    }
    Ok(contents)
}
