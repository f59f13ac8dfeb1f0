//! Writes one segment from ranges of rows of others: their rows in order under the dictionaries of
//! all, and their terms with new row numbers. Rows are put together as text, but what they are made
//! of is looked up by the inputs' numbers. One thread reads, and puts the terms together while the
//! other writes the rows. In memory are the new segment's columns, its terms, some rows of each
//! input, and a number for each row and each value.

use core::ops::Range;
use std::collections::BinaryHeap;
use std::path::Path;

use super::Summary;
use super::fingerprints::Gathered;
use super::known::Known;
use super::named::Named;
use super::notes::Trace;
use super::reader::Loaded;
use super::reader::Reader;
use super::relay::Relayed;
use super::relay::Sender;
use super::relay::Taker;
use super::relay::relay;
use super::sample;
use super::term_writer::TermWriter;
use super::union;
use super::union::Moved;
use super::writer::Indexes;
use super::writer::Writer;
use super::writer::beside;
use crate::codec::row::Body;
use crate::codec::row::ImportMark;
use crate::codec::row::Row;
use crate::disk::File;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::StoreId;
use crate::planted::Bug;
use crate::planted::planted;

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
    writer.settle(&some_contents(inputs)?);
    let (sender, taker) = relay();
    std::thread::scope(|scope| {
        let indexes = beside(scope, "auditdb-read", move || {
            read(inputs, sender, file.path())
        })?;
        take(&mut writer, inputs, taker)?;
        writer.finish(indexes)
    })
}

/// Reads all rows in order and hands them on, then puts their terms together while the rows are
/// written.
fn read(inputs: &[(Reader, Range<u32>)], mut sender: Sender, path: &Path) -> Result<Indexes> {
    let mut moved: Vec<Moved<'_>> = inputs
        .iter()
        .map(|(reader, rows)| Moved {
            reader,
            first: rows.start,
            numbers: Vec::with_capacity(rows.len()),
        })
        .collect();
    let mut fingerprints = Gathered::default();
    let rows = read_rows(inputs, &mut moved, &mut fingerprints, &mut sender, path);
    let rows = rows.inspect_err(|error| sender.fail(error.again()))?;
    drop(sender);
    let terms = TermWriter::of(rows, path, |take| union::each(&moved, take))?;
    Ok(Indexes {
        fingerprints,
        terms,
    })
}

/// Hands all rows on, and notes the new number of each; gives how many there are.
fn read_rows(
    inputs: &[(Reader, Range<u32>)],
    moved: &mut [Moved<'_>],
    fingerprints: &mut Gathered,
    sender: &mut Sender,
    path: &Path,
) -> Result<u32> {
    let mut order = Order::new(inputs, true)?;
    let schemas = inputs.iter().map(|(reader, _)| reader.schema());
    let mut named: Vec<Named> = schemas.map(Named::new).collect();
    let mut number = 0;
    while let Some((input, row)) = order.next()? {
        let (Some(moved), Some((_, loaded))) = (moved.get_mut(input), order.walks.get_mut(input))
        else {
            break;
        };
        let Some(named) = named.get_mut(input) else {
            break;
        };
        let (row, trace) = moved.reader.traced_row(row, loaded)?;
        match trace {
            Some(trace) => fingerprints.look_named(&row, trace, named, number, path)?,
            None => drop(fingerprints.look(&row, None, number, path)?),
        }
        let Row {
            position,
            recorded_at,
            body,
        } = row;
        let (time_given, repeat) = (body.time_given, body.import.map(|mark| mark.repeat));
        let (content, trace) = sender.take(loaded);
        moved.numbers.push(number);
        number += 1;
        let is_wanted = sender.send(Relayed {
            input,
            position,
            recorded_at,
            time_given,
            repeat,
            content,
            trace,
        });
        if !is_wanted {
            break;
        }
    }
    sender.flush();
    Ok(number)
}

/// Takes in all rows as they come.
fn take(writer: &mut Writer<'_>, inputs: &[(Reader, Range<u32>)], taker: Taker) -> Result<()> {
    let mut known: Vec<Known> = inputs
        .iter()
        .map(|(reader, _)| Known::new(reader.schema()))
        .collect();
    for batch in taker.full {
        let batch = batch?;
        for one in &batch {
            let (Some((reader, _)), Some(known)) =
                (inputs.get(one.input), known.get_mut(one.input))
            else {
                continue;
            };
            let shape = reader.schema().shapes.get(one.trace.shape as usize);
            let mapping = shape.and_then(|shape| shape.mapping.as_deref());
            let import = mapping.zip(one.repeat);
            // It was text when it was read.
            let content = core::str::from_utf8(one.content.as_slice()).unwrap_or_default();
            let row = Row {
                position: one.position,
                recorded_at: one.recorded_at,
                body: Body {
                    time_given: one.time_given,
                    import: import.map(|(mapping, repeat)| ImportMark { mapping, repeat }),
                    content,
                },
            };
            writer.push_traced(&row, &one.trace, known)?;
        }
        // Not wanted back when all has been read.
        drop(taker.empty.try_send(batch));
    }
    Ok(())
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
            let loaded = Loaded {
                trace: traced.then(Trace::default),
                ..Loaded::default()
            };
            let end = reader.rows() - u32::from(planted(Bug::MergeDropsStraggler));
            let rows = rows.start..rows.end.min(end);
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
