//! Writes one segment from ranges of rows of others, as a stream: rows are copied, terms,
//! fingerprints and seqs are merged in their order with each row renumbered, and no event is
//! parsed. In memory are one block of each input, the new number of every row, and one term's rows.

use core::cmp::Reverse;
use core::ops::Range;
use std::collections::BinaryHeap;

use super::Summary;
use super::format::Kind;
use super::output::Output;
use super::postings::Direction;
use super::postings::Postings;
use super::reader::Loaded;
use super::reader::Reader;
use super::streams::Pairs;
use super::streams::Terms;
use super::writer::PairWriter;
use super::writer::RowWriter;
use super::writer::TermWriter;
use crate::disk::File;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;

/// Some rows of a segment and, once they are written, their new numbers.
struct Input<'r> {
    reader: &'r Reader,
    rows: Range<u32>,
    loaded: Loaded,
    numbers: Vec<u32>,
}

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
    let mut inputs: Vec<Input<'_>> = inputs
        .iter()
        .map(|(reader, rows)| Input {
            reader,
            rows: rows.start..rows.end.min(reader.rows()),
            loaded: Loaded::default(),
            numbers: Vec::new(),
        })
        .collect();
    let mut writer = RowWriter::begin(file, store, segment)?;
    merge_rows(&mut writer, &mut inputs)?;
    let (mut output, totals) = writer.finish()?;
    merge_terms(&mut output, &inputs)?;
    let fingerprints = |input: &Input<'_>| input.reader.fingerprints();
    merge_pairs(&mut output, &inputs, Kind::Fingerprints, fingerprints)?;
    let seqs = |input: &Input<'_>| input.reader.by_seq(Sequence(0), Sequence(u64::MAX));
    merge_pairs(&mut output, &inputs, Kind::Sequences, seqs)?;
    totals.finish(output)
}

impl Input<'_> {
    /// The new number of a row; `None` if it is not taken over.
    fn number(&self, row: u32) -> Option<u32> {
        let place = row.checked_sub(self.rows.start)?;
        self.numbers.get(place as usize).copied()
    }

    /// Appends the new numbers of a term's rows.
    fn renumber(&self, mut postings: Postings, out: &mut Vec<u32>) -> Result<()> {
        let mut next = self.rows.start;
        while let Some(row) = postings.seek(next, Direction::Up)? {
            let Some(number) = self.number(row) else {
                break;
            };
            out.push(number);
            next = row + 1;
        }
        Ok(())
    }
}

fn merge_rows(writer: &mut RowWriter<'_>, inputs: &mut [Input<'_>]) -> Result<()> {
    let mut heap: BinaryHeap<(Position, usize)> = BinaryHeap::new();
    for (place, input) in inputs.iter_mut().enumerate() {
        if !input.rows.is_empty() {
            let position = input.reader.position(input.rows.start, &mut input.loaded)?;
            heap.push((position, place));
        }
    }
    while let Some((_, place)) = heap.pop() {
        let Some(input) = inputs.get_mut(place) else {
            break;
        };
        let row = input.rows.start + input.numbers.len() as u32;
        let number = writer.push(&input.reader.row(row, &mut input.loaded)?)?;
        input.numbers.push(number);
        if row + 1 < input.rows.end {
            let position = input.reader.position(row + 1, &mut input.loaded)?;
            heap.push((position, place));
        }
    }
    // The blocks are not needed any more; the lists that follow can be large.
    for input in inputs {
        input.loaded = Loaded::default();
    }
    Ok(())
}

fn merge_terms(output: &mut Output<'_>, inputs: &[Input<'_>]) -> Result<()> {
    let mut writer = TermWriter::new(output)?;
    let mut streams: Vec<Terms> = Vec::new();
    let mut heap: BinaryHeap<Reverse<(Vec<u8>, usize)>> = BinaryHeap::new();
    for (place, input) in inputs.iter().enumerate() {
        let mut terms = input.reader.terms(&[])?;
        if terms.advance()? {
            heap.push(Reverse((terms.term().to_vec(), place)));
        }
        streams.push(terms);
    }
    let mut rows: Vec<u32> = Vec::new();
    while let Some(Reverse((term, place))) = heap.pop() {
        if let (Some(terms), Some(input)) = (streams.get_mut(place), inputs.get(place)) {
            input.renumber(terms.postings()?, &mut rows)?;
            if terms.advance()? {
                heap.push(Reverse((terms.term().to_vec(), place)));
            }
        }
        let last = heap.peek().is_none_or(|Reverse((next, _))| *next != term);
        if last && !rows.is_empty() {
            rows.sort_unstable();
            writer.push(output, &term, &rows)?;
            rows.clear();
        }
    }
    writer.finish(output)
}

fn merge_pairs(
    output: &mut Output<'_>,
    inputs: &[Input<'_>],
    kind: Kind,
    pairs_of: impl Fn(&Input<'_>) -> Pairs,
) -> Result<()> {
    let mut writer = PairWriter::default();
    let mut streams: Vec<Pairs> = inputs.iter().map(pairs_of).collect();
    let mut heap = BinaryHeap::new();
    let mut refill = |heap: &mut BinaryHeap<_>, place: usize| -> Result<()> {
        let (Some(pairs), Some(input)) = (streams.get_mut(place), inputs.get(place)) else {
            return Ok(());
        };
        while let Some((key, row)) = pairs.next()? {
            if let Some(number) = input.number(row) {
                heap.push(Reverse((key, number, place)));
                break;
            }
        }
        Ok(())
    };
    for place in 0..inputs.len() {
        refill(&mut heap, place)?;
    }
    // Renumbering keeps the order of each input's rows, so the merged pairs come in order.
    while let Some(Reverse((key, number, place))) = heap.pop() {
        writer.push(output, key, number)?;
        refill(&mut heap, place)?;
    }
    let index = match kind {
        Kind::Sequences => Kind::SequenceIndex,
        _ => Kind::FingerprintIndex,
    };
    writer.finish(output, kind, index)
}
