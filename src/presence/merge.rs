//! One run of several. Stretch by stretch the entries of all are put together, so that one bucket of
//! each is in memory; columns of segments that are gone are left out. The prints are counted first,
//! since their number decides on the buckets.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bucket;
use super::bucket::Columns;
use super::bucket::Content;
use super::bucket::Entry;
use super::bucket::Shape;
use super::format::Column;
use super::reader::Run;
use super::writer::Writer;
use crate::disk::Disk;
use crate::error::Result;
use crate::id::SegmentId;
use crate::id::StoreId;

/// A run that is merged.
struct Input<'run> {
    run: &'run Run,
    /// The new number of each of its columns that are kept.
    columns: Vec<Option<usize>>,
    /// The bucket read last, as the new run has it.
    held: Option<(u32, Content)>,
}

/// Writes the run of a number from `runs`, with those of their columns that `keep` says, of which
/// there are at least one and at most [`super::COLUMNS_MAX`].
pub(crate) fn merge(
    disk: &dyn Disk,
    number: u64,
    store: StoreId,
    runs: &[Arc<Run>],
    keep: &dyn Fn(&Column) -> bool,
) -> Result<()> {
    let all = runs.iter().flat_map(|run| run.columns());
    let kept: BTreeMap<SegmentId, Column> = all
        .filter(|column| keep(column))
        .map(|column| (column.segment, *column))
        .collect();
    let mut inputs: Vec<Input<'_>> = runs.iter().map(|run| Input::new(run, &kept)).collect();
    let columns: Vec<Column> = kept.into_values().collect();
    let widest = runs.iter().map(|run| run.shape().buckets_log).max();
    let counted = Shape {
        buckets_log: widest.unwrap_or(0),
        columns: columns.len(),
    };
    let mut prints = 0;
    for stretch in 0..1 << counted.buckets_log {
        if let Content::Entries(entries) = joined(&mut inputs, counted, stretch)? {
            prints += entries.len() as u64;
        }
    }
    let mut writer = Writer::begin(disk, number, store, columns, prints)?;
    let shape = writer.shape;
    for bucket in 0..1 << shape.buckets_log {
        writer.push(&joined(&mut inputs, shape, bucket)?)?;
    }
    writer.finish()
}

/// What all inputs hold in the stretch of a bucket.
fn joined(inputs: &mut [Input<'_>], shape: Shape, bucket: u32) -> Result<Content> {
    let stretch = shape.first_of(u64::from(bucket))..shape.first_of(u64::from(bucket) + 1);
    let mut joined: Vec<Entry> = Vec::new();
    for input in inputs {
        let its = input.run.shape();
        let first = its.bucket_of(stretch.start as u32);
        let last = its.bucket_of((stretch.end - 1) as u32);
        for number in first..=last {
            match input.bucket(number)? {
                Content::Full => return Ok(Content::Full),
                Content::Entries(entries) => {
                    let here = |entry: &&Entry| stretch.contains(&u64::from(entry.print));
                    joined.extend(entries.iter().filter(here).copied());
                }
            }
        }
    }
    joined.sort_unstable_by_key(|entry| entry.print);
    joined.dedup_by(|next, entry| {
        let same = next.print == entry.print;
        if same {
            let words = entry.columns.iter_mut().zip(next.columns);
            words.for_each(|(word, next)| *word |= next);
        }
        same
    });
    Ok(Content::Entries(joined))
}

impl<'run> Input<'run> {
    fn new(run: &'run Run, kept: &BTreeMap<SegmentId, Column>) -> Input<'run> {
        let place = |column: &Column| {
            let same = kept.get(&column.segment).filter(|kept| *kept == column);
            same.map(|column| kept.range(..column.segment).count())
        };
        Input {
            run,
            columns: run.columns().iter().map(place).collect(),
            held: None,
        }
    }

    /// A bucket with the new run's columns, without prints that no kept column has.
    fn bucket(&mut self, number: u32) -> Result<&Content> {
        let known = self.held.take().filter(|(held, _)| *held == number);
        let content = match known {
            Some((_, content)) => content,
            None => self.renumbered(self.run.bucket(number)?),
        };
        Ok(&self.held.insert((number, content)).1)
    }

    fn renumbered(&self, content: Content) -> Content {
        let Content::Entries(mut entries) = content else {
            return Content::Full;
        };
        entries.retain_mut(|entry| {
            let mut columns = Columns::default();
            for column in bucket::each(&entry.columns) {
                if let Some(Some(place)) = self.columns.get(column) {
                    bucket::put(&mut columns, *place);
                }
            }
            entry.columns = columns;
            columns != Columns::default()
        });
        Content::Entries(entries)
    }
}
