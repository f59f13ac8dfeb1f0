//! Writes a segment from rows, newest first. Rows are gathered, their long texts written at once;
//! when all are there the columns are planned, and rows, indexes and checksums follow. The indexes are
//! put together beside that by another thread. Called when a memtable is sealed, by bulk loads and by
//! merges.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread::Scope;

use super::Summary;
use super::blocks;
use super::builder::Builder;
use super::builder::Stand;
use super::builder::Texts;
use super::fingerprints::Fingerprints;
use super::fingerprints::Gathered;
use super::format::Kind;
use super::indexing::Indexing;
use super::known::Known;
use super::notes::Trace;
use super::output::Output;
use super::packed;
use super::packing::Packing;
use super::sample;
use super::shape::Shape;
use super::stands::Stands;
use super::term_writer::TermWriter;
use super::texts::TextWriter;
use super::walk::Arrived;
use super::zones;
use crate::codec::row;
use crate::codec::row::Row;
use crate::disk::File;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::limits;

/// Takes the next term with its rows, both ascending.
pub(super) type TakeTerm<'t> = &'t mut dyn FnMut(&[u8], &[u32]) -> Result<()>;

/// A segment under construction.
pub(super) struct Writer<'f> {
    output: Output<'f>,
    builder: Builder,
    shape: Shape,
    texts: TextWriter,
}

/// A row, and what it is found by if its giver knows that already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printed<'r> {
    pub(crate) row: Row<'r>,
    pub(crate) fingerprints: Option<row::Fingerprints>,
}

impl<'r> From<Row<'r>> for Printed<'r> {
    fn from(row: Row<'r>) -> Printed<'r> {
        Printed {
            row,
            fingerprints: None,
        }
    }
}

/// Writes a whole segment of `rows`, which come newest first and at least one of them, into the
/// empty `file`. The caller syncs it.
///
/// # Errors
/// [`ErrorKind::OutOfRange`] for rows out of order, none, or more than a segment takes;
/// [`ErrorKind::Corrupt`] for a row whose content is no event; and what the file says.
pub(crate) fn write<'r>(
    file: &dyn File,
    store: StoreId,
    segment: SegmentId,
    rows: impl IntoIterator<Item: Into<Printed<'r>>, IntoIter: Clone>,
) -> Result<Summary> {
    let rows = rows.into_iter().map(Into::into);
    let mut writer = Writer::begin(file, store, segment)?;
    let step = rows.size_hint().1.unwrap_or(0).div_ceil(sample::ROWS);
    let some = rows.clone().step_by(step.max(1)).take(sample::ROWS);
    writer.settle(
        &some
            .map(|printed| printed.row.body.content.to_owned())
            .collect::<Vec<String>>(),
    );
    let mut indexing = Indexing::default();
    for printed in rows {
        writer.push(&printed.row)?;
        writer.index(&mut indexing, &printed)?;
    }
    writer.finish_with(indexing, None)
}

/// Has `work` done by a thread of its own; what is given back waits for it.
pub(super) fn beside<'s, T: Send + 's>(
    scope: &'s Scope<'s, '_>,
    name: &str,
    work: impl FnOnce() -> Result<T> + Send + 's,
) -> Result<impl FnOnce() -> Result<T> + 's> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    let thread = builder
        .spawn_scoped(scope, work)
        .map_err(|error| Error::io("start a thread", Path::new(name), error))?;
    Ok(|| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
}

/// What rows are found by.
pub(super) struct Indexes {
    pub(super) fingerprints: Gathered,
    pub(super) terms: TermWriter,
}

impl<'f> Writer<'f> {
    pub(super) fn begin(
        file: &'f dyn File,
        store: StoreId,
        segment: SegmentId,
    ) -> Result<Writer<'f>> {
        Ok(Writer {
            output: Output::begin(file, store, segment)?,
            builder: Builder::default(),
            shape: Shape::default(),
            texts: TextWriter::new(),
        })
    }

    /// Looks at contents from all over the rows that will come.
    pub(super) fn settle(&mut self, contents: &[String]) {
        self.builder.settle(contents, &mut self.shape);
    }

    /// From now on rows come in any order, until they are [arranged](Writer::arrange).
    pub(super) fn expect_any_order(&mut self) {
        self.builder.arrived = Some(Arrived::default());
    }

    /// Says in which order the rows are read that came in any, and gives each its place.
    pub(super) fn arrange(&mut self, order: &Arc<[u32]>, stands: impl Iterator<Item = Stand>) {
        stands.for_each(|stand| self.builder.stands.push(stand));
        if let Some(arrived) = &mut self.builder.arrived {
            arrived.arrange(order);
        }
    }

    /// Bytes of memory that is gathered, about.
    pub(super) fn memory(&self) -> usize {
        self.builder.memory() + self.texts.memory()
    }

    /// Takes in the next older row.
    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<()> {
        self.check(row.position)?;
        let mut texts = Texts {
            writer: &mut self.texts,
            output: &mut self.output,
        };
        self.builder.push(row, &mut self.shape, &mut texts)
    }

    /// Takes in the next row, which was taken apart, if it was, with all names of
    /// [`Writer::plain`] in mind.
    pub(super) fn push_apart(&mut self, row: &Row<'_>, apart: Option<&mut Shape>) -> Result<()> {
        let Some(shape) = apart else {
            return self.push(row);
        };
        self.check(row.position)?;
        let mut texts = Texts {
            writer: &mut self.texts,
            output: &mut self.output,
        };
        self.builder.push_apart(row, shape, &mut texts)
    }

    /// Names of members whose rendered texts are left as they are; they only get more.
    pub(super) fn plain(&self) -> &[Vec<u8>] {
        self.builder.plain()
    }

    /// Takes in the next older row, which a reader of another segment put together as `trace` says.
    pub(super) fn push_traced(
        &mut self,
        row: &Row<'_>,
        trace: &Trace,
        known: &mut Known,
    ) -> Result<()> {
        self.check(row.position)?;
        let mut texts = Texts {
            writer: &mut self.texts,
            output: &mut self.output,
        };
        let shape = &mut self.shape;
        self.builder
            .push_traced(row, trace, known, shape, &mut texts)
    }

    /// Refuses what cannot be the next row.
    fn check(&self, position: Position) -> Result<()> {
        let path = self.output.file().path();
        let refuse = |what: &str| Err(Error::new(ErrorKind::OutOfRange, what).in_file(path));
        let stands = &self.builder.stands;
        if stands.last().is_some_and(|last| last.position <= position) {
            return refuse("rows of a segment come newest first, each position once");
        }
        let arrived = self.builder.arrived.as_ref().map_or(0, Arrived::len);
        if arrived.max(stands.len() as usize) >= limits::SEGMENT_ROWS {
            return refuse("more rows than a segment takes");
        }
        Ok(())
    }

    /// Takes in what the row that was pushed last is found by.
    pub(super) fn index(&self, indexing: &mut Indexing, printed: &Printed<'_>) -> Result<()> {
        let path = self.output.file().path();
        indexing.take(&self.builder, printed, path)
    }

    /// Writes what was gathered, on two threads; `order` says how rows are read that came in any.
    pub(super) fn finish_with(self, indexing: Indexing, order: Option<&[u32]>) -> Result<Summary> {
        let path = self.output.file().path().to_owned();
        std::thread::scope(|scope| {
            let path = path.as_path();
            let indexes = move || indexing.finish(order, path);
            self.finish(beside(scope, "auditdb-index", indexes)?)
        })
    }

    /// Writes what was gathered; `indexes`, asked for when the rows are written, are those of all rows.
    pub(super) fn finish(self, indexes: impl FnOnce() -> Result<Indexes>) -> Result<Summary> {
        let Writer {
            mut output,
            builder,
            shape: _,
            mut texts,
        } = self;
        let summary = summary(&builder.stands);
        let Some(mut summary) = summary else {
            let error = Error::new(ErrorKind::OutOfRange, "a segment of no rows");
            return Err(error.in_file(output.file().path()));
        };
        let mut packed = Texts {
            writer: &mut texts,
            output: &mut output,
        };
        let mut packing = Packing::new(builder, &mut packed)?;
        let values = core::mem::take(&mut packing.term_values);
        texts.finish(&mut output)?;
        let columns = packing.schema.columns.len() as u64;
        let seqs = (summary.seq_min, summary.seq_max);
        let schema = write_rows(packing, seqs, &mut output)?;
        let Indexes {
            fingerprints,
            terms,
        } = indexes()?;
        terms.finish(&values, &mut output)?;
        Fingerprints::write(fingerprints, summary.rows, &mut output)?;
        output.put(&schema)?;
        output.end_section(Kind::SchemaTwin, columns);
        (summary.file_len, summary.content_hash) = output.finish(summary.rows)?;
        Ok(summary)
    }
}

/// What the rows' places say of the segment; `None` for no rows.
fn summary(stands: &Stands) -> Option<Summary> {
    let (seq_min, seq_max) = stands.seqs();
    let (recorded_min, recorded_max) = stands.recorded();
    Some(Summary {
        rows: stands.len(),
        file_len: 0,
        newest: stands.first()?.position,
        oldest: stands.last()?.position,
        seq_min,
        seq_max,
        recorded_min,
        recorded_max,
        content_hash: [0; 32],
    })
}

/// Writes row blocks, their index, the schema and the dictionaries; gives back the stored schema.
fn write_rows(
    packing: Packing,
    seqs: (Sequence, Sequence),
    output: &mut Output<'_>,
) -> Result<Vec<u8>> {
    let found = blocks::write(&packing, output)?;
    output.end_section(Kind::Rows, packing.rows() as u64);
    output.put(&zones::encode(&found, seqs))?;
    output.end_section(Kind::RowIndex, found.len() as u64);
    let schema = packing.schema.encode();
    let refused = |error| Error::io("compress the schema of", output.file().path(), error);
    let frame = packed::pack(&schema);
    let mut stored = (schema.len() as u32).to_le_bytes().to_vec();
    stored.append(&mut frame.map_err(refused)?);
    output.put(&stored)?;
    output.end_section(Kind::Schema, packing.schema.columns.len() as u64);
    output.put(&packing.dictionaries)?;
    output.end_section(Kind::Dictionaries, packing.schema.columns.len() as u64);
    Ok(stored)
}
