//! Writes a segment from rows, newest first: row blocks leave as they fill, the term index of the
//! segment is gathered in memory and written behind them. Called when a memtable is sealed and by
//! bulk loads; `merge` uses the same parts without gathering.

use std::collections::HashMap;

use super::Summary;
use super::block;
use super::format;
use super::format::Kind;
use super::output::Output;
use super::packed::Packer;
use super::pairs;
use super::terms;
use super::terms::TermIndexEntry;
use super::zones::Zone;
use crate::codec::checksum::crc32;
use crate::codec::row::Row;
use crate::disk::File;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::filter::term;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::limits;
use crate::time::Time;

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
    rows: impl IntoIterator<Item = Row<'r>>,
) -> Result<Summary> {
    let mut writer = RowWriter::begin(file, store, segment)?;
    let mut index: HashMap<Box<[u8]>, Vec<u32>> = HashMap::new();
    let mut fingerprints = Vec::new();
    let mut seqs = Vec::new();
    for row in rows {
        let number = writer.push(&row)?;
        let Some(event) = row.application_event() else {
            let what = format!("the content of event {} is no event", row.position.seq);
            return Err(Error::new(ErrorKind::Corrupt, what).in_file(file.path()));
        };
        term::terms(&event, |term| match index.get_mut(term) {
            Some(rows) if rows.last() == Some(&number) => {}
            Some(rows) => rows.push(number),
            None => {
                index.insert(term.into(), vec![number]);
            }
        });
        let found = row.fingerprints(&event);
        let found = [found.key, found.origin].into_iter().flatten();
        fingerprints.extend(found.map(|fingerprint| (fingerprint, number)));
        seqs.push((row.position.seq.0, number));
    }
    let (mut output, totals) = writer.finish()?;
    let mut index: Vec<(Box<[u8]>, Vec<u32>)> = index.into_iter().collect();
    index.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let mut terms = TermWriter::new(&output)?;
    for (term, rows) in index {
        terms.push(&mut output, &term, &rows)?;
    }
    terms.finish(&mut output)?;
    for (kind, index, mut pairs) in [
        (Kind::Fingerprints, Kind::FingerprintIndex, fingerprints),
        (Kind::Sequences, Kind::SequenceIndex, seqs),
    ] {
        pairs.sort_unstable();
        pairs.dedup();
        let mut writer = PairWriter::default();
        for (key, row) in pairs {
            writer.push(&mut output, key, row)?;
        }
        writer.finish(&mut output, kind, index)?;
    }
    totals.finish(output)
}

/// Writes the row blocks and their index.
pub(crate) struct RowWriter<'f> {
    output: Output<'f>,
    packer: Packer,
    block: block::Builder,
    zone: Option<(Position, Sequence, Sequence)>,
    zones: Vec<u8>,
    totals: Totals,
}

/// What is known of a segment when its rows are written.
pub(crate) struct Totals {
    rows: u32,
    newest: Option<Position>,
    oldest: Option<Position>,
    seq: (Sequence, Sequence),
    recorded: (Time, Time),
}

impl<'f> RowWriter<'f> {
    pub(crate) fn begin(
        file: &'f dyn File,
        store: StoreId,
        segment: SegmentId,
    ) -> Result<RowWriter<'f>> {
        Ok(RowWriter {
            output: Output::begin(file, store, segment)?,
            packer: packer(file)?,
            block: block::Builder::default(),
            zone: None,
            zones: Vec::new(),
            totals: Totals {
                rows: 0,
                newest: None,
                oldest: None,
                seq: (Sequence(u64::MAX), Sequence(0)),
                recorded: (Time::MAX, Time::MIN),
            },
        })
    }

    /// Appends the next older row and gives back its number.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<u32> {
        let refuse = |what: &str| {
            let error = Error::new(ErrorKind::OutOfRange, what);
            Err(error.in_file(self.output.file().path()))
        };
        let totals = &mut self.totals;
        if totals.oldest.is_some_and(|oldest| oldest <= row.position) {
            return refuse("rows of a segment come newest first, each position once");
        }
        if totals.rows as usize >= limits::SEGMENT_ROWS {
            return refuse("more rows than a segment takes");
        }
        let number = totals.rows;
        let seq = row.position.seq;
        totals.rows += 1;
        totals.newest = totals.newest.or(Some(row.position));
        totals.oldest = Some(row.position);
        totals.seq = (totals.seq.0.min(seq), totals.seq.1.max(seq));
        totals.recorded = (
            totals.recorded.0.min(row.recorded_at),
            totals.recorded.1.max(row.recorded_at),
        );
        let (_, low, high) = self.zone.get_or_insert((row.position, seq, seq));
        (*low, *high) = ((*low).min(seq), (*high).max(seq));
        self.block.push(row);
        let full =
            self.block.rows() >= format::BLOCK_ROWS || self.block.raw_len() >= format::BLOCK_BYTES;
        if full {
            self.flush()?;
        }
        Ok(number)
    }

    fn flush(&mut self) -> Result<()> {
        let (Some((newest, seq_min, seq_max)), Some(oldest)) =
            (self.zone.take(), self.totals.oldest)
        else {
            return Ok(());
        };
        let first_row = self.totals.rows - self.block.rows() as u32;
        let finished = self.block.finish(first_row, &mut self.packer);
        let (header, stored) = finished.map_err(|error| packing(self.output.file(), error))?;
        let zone = Zone {
            offset: self.output.offset(),
            stored_len: stored.len() as u32,
            raw_len: header.raw_len as u32,
            crc: header.crc,
            first_row,
            newest,
            oldest,
            seq_min,
            seq_max,
        };
        zone.encode(&mut self.zones);
        self.output.put(&stored)
    }

    /// Writes the last block and the index; the file goes on with the terms.
    pub(crate) fn finish(mut self) -> Result<(Output<'f>, Totals)> {
        self.flush()?;
        if self.totals.rows == 0 {
            let error = Error::new(ErrorKind::OutOfRange, "a segment of no rows");
            return Err(error.in_file(self.output.file().path()));
        }
        let blocks = self.zones.len() / format::ROW_INDEX_LEN;
        let rows = u64::from(self.totals.rows);
        self.output.end_section(Kind::Rows, rows);
        self.output.put(&self.zones)?;
        self.output.end_section(Kind::RowIndex, blocks as u64);
        Ok((self.output, self.totals))
    }
}

impl Totals {
    /// Writes the end of the file.
    pub(crate) fn finish(self, output: Output<'_>) -> Result<Summary> {
        let (file_len, content_hash) = output.finish(self.rows)?;
        Ok(Summary {
            rows: self.rows,
            file_len,
            newest: self.newest.unwrap_or(Position::LAST),
            oldest: self.oldest.unwrap_or(Position::FIRST),
            seq_min: self.seq.0,
            seq_max: self.seq.1,
            recorded_min: self.recorded.0,
            recorded_max: self.recorded.1,
            content_hash,
        })
    }
}

/// Writes lists, term blocks and their index from sorted terms; holds one block at a time, and
/// of the terms written only the first of each block.
pub(crate) struct TermWriter {
    packer: Packer,
    block: terms::Builder,
    lists_start: u64,
    lists: Vec<u8>,
    entries: Vec<u8>,
    firsts: Vec<u8>,
    terms: u64,
}

impl TermWriter {
    pub(crate) fn new(output: &Output<'_>) -> Result<TermWriter> {
        Ok(TermWriter {
            packer: packer(output.file())?,
            block: terms::Builder::default(),
            lists_start: output.offset(),
            lists: Vec::new(),
            entries: Vec::new(),
            firsts: Vec::new(),
            terms: 0,
        })
    }

    /// Appends the next term with its rows, at least one, ascending.
    pub(crate) fn push(
        &mut self,
        output: &mut Output<'_>,
        term: &[u8],
        rows: &[u32],
    ) -> Result<()> {
        let ascends = self.terms == 0 || self.block.last() < term;
        if !ascends || term.len() > format::TERM_BYTES_MAX || rows.is_empty() {
            let error = Error::new(ErrorKind::OutOfRange, "terms of a segment come in order");
            return Err(error.in_file(output.file().path()));
        }
        self.block.push(term, rows, &mut self.lists);
        self.terms += 1;
        output.put(&self.lists)?;
        self.lists.clear();
        if self.block.is_full() {
            self.flush(output)?;
        }
        Ok(())
    }

    fn flush(&mut self, output: &mut Output<'_>) -> Result<()> {
        let (raw, terms, first) = self.block.finish();
        let packed = self.packer.pack(&raw);
        let stored = packed.map_err(|error| packing(output.file(), error))?;
        let entry = TermIndexEntry {
            lists: self.lists_start,
            block: output.offset(),
            stored_len: stored.len() as u32,
            raw_len: raw.len() as u32,
            crc: crc32(&stored),
            terms,
            term_start: self.firsts.len() as u32,
        };
        entry.encode(&mut self.entries);
        self.firsts.extend_from_slice(&first);
        output.put(&stored)?;
        self.lists_start = output.offset();
        Ok(())
    }

    pub(crate) fn finish(mut self, output: &mut Output<'_>) -> Result<()> {
        if !self.block.is_empty() {
            self.flush(output)?;
        }
        output.end_section(Kind::Terms, self.terms);
        output.put(&self.entries)?;
        output.put(&self.firsts)?;
        let blocks = self.entries.len() / format::TERM_INDEX_LEN;
        output.end_section(Kind::TermIndex, blocks as u64);
        Ok(())
    }
}

/// Writes pages of pairs and their index from sorted pairs.
#[derive(Default)]
pub(crate) struct PairWriter {
    page: pairs::Builder,
    index: Vec<u8>,
    pairs: u64,
}

impl PairWriter {
    /// Appends the next pair; the caller keeps the order.
    pub(crate) fn push(&mut self, output: &mut Output<'_>, key: u64, row: u32) -> Result<()> {
        self.page.push(key, row);
        self.pairs += 1;
        if self.page.is_full() {
            self.flush(output)?;
        }
        Ok(())
    }

    fn flush(&mut self, output: &mut Output<'_>) -> Result<()> {
        let (page, entry) = self.page.finish(output.offset());
        entry.encode(&mut self.index);
        output.put(&page)
    }

    pub(crate) fn finish(mut self, output: &mut Output<'_>, kind: Kind, index: Kind) -> Result<()> {
        if !self.page.is_empty() {
            self.flush(output)?;
        }
        output.end_section(kind, self.pairs);
        output.put(&self.index)?;
        let pages = self.index.len() / format::PAGE_INDEX_LEN;
        output.end_section(index, pages as u64);
        Ok(())
    }
}

fn packer(file: &dyn File) -> Result<Packer> {
    Packer::new().map_err(|error| packing(file, error))
}

/// The compressor refused, which only a lack of memory makes it do.
fn packing(file: &dyn File, error: std::io::Error) -> Error {
    Error::io("compress a block of", file.path(), error)
}
