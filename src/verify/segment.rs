//! Checks one segment: every row and list by reading it, every index by computing it anew
//! from the rows, the manifest's entry against both, and at last each section's checksum and the
//! hash of the whole file, for what nothing else reads.

use sha2::Digest;
use sha2::Sha256;

use super::plan::Source;
use super::report::Report;
use super::rows;
use super::rows::Sum;
use super::seqs::Seqs;
use crate::codec::checksum::Running;
use crate::codec::checksum::crc32;
use crate::codec::row::Row;
use crate::disk::ReadDisk;
use crate::disk::blob::Blob;
use crate::error::Error;
use crate::error::Result;
use crate::filter::term;
use crate::id::Position;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::manifest::SegmentEntry;
use crate::options::ReadMode;
use crate::planted::Bug;
use crate::planted::planted;
use crate::planted::unless;
use crate::segment::format::FOOTER_LEN;
use crate::segment::format::Kind;
use crate::segment::format::ORIGIN_ROWS_MAX;
use crate::segment::format::Section;
use crate::segment::reader::Expected;
use crate::segment::reader::Loaded;
use crate::segment::reader::Reader;
use crate::time::Time;

/// Bytes read at once where a file is only hashed.
const PIECE: u64 = 1 << 20;

/// What the rows of a segment come to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Computed {
    terms: Sum,
    fingerprints: Sum,
    /// What is kept of every fingerprint, and of the imported rows with an origin's id: that of the
    /// id, of the mark, and the row.
    kept: Vec<u64>,
    imported: Vec<(u64, u64, u32)>,
    /// Of the terms of the row looked at.
    hashes: Vec<u64>,
    newest: Option<Position>,
    oldest: Option<Position>,
    seq: Option<(Sequence, Sequence)>,
    recorded: Option<(Time, Time)>,
}

/// Opens a segment as the manifest knows it, or as it says it is.
pub(super) fn open(disk: &dyn ReadDisk, store: Option<StoreId>, source: &Source) -> Result<Reader> {
    let blob = blob(disk, source)?;
    match expected(store, source) {
        Some(expected) => Reader::open(blob, &expected),
        None => Reader::open_any(blob),
    }
}

/// Opens what is left of a segment of this store, whatever its end or the manifest say.
pub(super) fn open_left(
    disk: &dyn ReadDisk,
    store: Option<StoreId>,
    source: &Source,
) -> Result<Reader> {
    let open = || {
        let len = disk.len(&source.path)?.unwrap_or(0);
        Blob::open(disk, &source.path, len, ReadMode::Positional)
    };
    let reader = Reader::open_left(open, expected(store, source).as_ref())?;
    if store.is_some_and(|store| store != reader.store()) && !planted(Bug::AdoptOrphan) {
        let what = "this is the segment of another store";
        return Err(Error::corrupt(reader.path(), 0, what));
    }
    Ok(reader)
}

/// What the store's records say of a segment.
fn expected(store: Option<StoreId>, source: &Source) -> Option<Expected> {
    let (entry, store) = source.entry.as_ref().zip(store)?;
    Some(Expected {
        store,
        segment: entry.id,
        rows: entry.rows,
        content_hash: entry.content_hash,
    })
}

fn blob(disk: &dyn ReadDisk, source: &Source) -> Result<Blob> {
    let len = match &source.entry {
        Some(entry) => entry.file_len,
        None => disk.len(&source.path)?.unwrap_or(0),
    };
    Blob::open(disk, &source.path, len, ReadMode::Positional)
}

/// Checks everything about one segment.
pub(super) fn check(
    disk: &dyn ReadDisk,
    store: Option<StoreId>,
    source: &Source,
    report: &mut Report<'_>,
) {
    let before = report.damages();
    let reader = match open(disk, store, source) {
        Ok(reader) => reader,
        Err(error) => return report.error(&error),
    };
    let mut computed = check_rows(&reader, report);
    computed.add_imported();
    let rows_whole = report.damages() == before;
    if rows_whole && let Some(entry) = &source.entry {
        check_entry(&reader, entry, &computed, report);
    }
    let section = |kind: Kind| section(&reader, kind);
    let terms = sum_terms(&reader, report);
    let fingerprints = sum_fingerprints(&reader, report);
    for (kind, stored, computed, what) in [
        (
            Kind::Terms,
            terms,
            computed.terms,
            "the terms are not those of the rows",
        ),
        (
            Kind::Fingerprints,
            fingerprints,
            computed.fingerprints,
            "the fingerprints are not those of the rows",
        ),
    ] {
        let differs = stored.is_some_and(|stored| stored != computed);
        if rows_whole && differs && !planted(Bug::VerifyTrustsIndexes) {
            report.damage(reader.path(), section(kind).map(|found| found.offset), what);
        }
    }
    let rest = || check_bytes(&reader, before, report);
    if let Err(error) = unless(Bug::VerifyReadsNoBytes, rest) {
        report.error(&error);
    }
}

fn section(reader: &Reader, kind: Kind) -> Option<Section> {
    let mut sections = reader.directory().iter();
    sections
        .find(|section| section.kind == kind as u16)
        .copied()
}

/// Reads every row and computes anew what is stored beside the rows. Of a block that cannot be read
/// the first row tells.
fn check_rows(reader: &Reader, report: &mut Report<'_>) -> Computed {
    let mut computed = Computed::default();
    let mut loaded = Loaded::default();
    let mut before: Option<Position> = None;
    for block in 0..reader.blocks() {
        let mut newest = None;
        let mut seqs: Option<(Sequence, Sequence)> = None;
        for number in reader.rows_of_block(block) {
            let row = match reader.row(number, &mut loaded) {
                Ok(row) => row,
                Err(error) => {
                    report.error(&error);
                    break;
                }
            };
            let (position, seq) = (row.position, row.position.seq);
            if before.is_some_and(|before| before <= position) {
                let what = format!("row {number} is not older than the one before");
                report.damage(reader.path(), None, what);
            }
            before = Some(position);
            newest = newest.or(Some(position));
            let (low, high) = seqs.unwrap_or((seq, seq));
            seqs = Some((low.min(seq), high.max(seq)));
            if let Err(what) = computed.add(&row, number, reader) {
                report.damage(reader.path(), None, what);
            }
        }
        if let Some((newest, seqs)) = newest.zip(seqs) {
            match reader.block_has(block, newest, seqs) {
                Ok(true) => {}
                Ok(false) => {
                    let what = format!("the row index is wrong about block {block}");
                    report.damage(reader.path(), None, what);
                }
                Err(error) => report.error(&error),
            }
        }
    }
    computed
}

impl Computed {
    /// Adds a row, or says what is wrong with it.
    fn add(
        &mut self,
        row: &Row<'_>,
        number: u32,
        reader: &Reader,
    ) -> core::result::Result<(), String> {
        let event = rows::event(row)?;
        // Told apart by their hashes, which is what is added up of them.
        self.hashes.clear();
        term::terms(&event, |term| self.hashes.push(rows::hash(term)));
        self.hashes.sort_unstable();
        self.hashes.dedup();
        for hash in &self.hashes {
            self.terms.add(*hash, number);
        }
        let found = row.fingerprints(&event);
        let key = found.key.map(|key| reader.kept_of(key));
        let origin = found.origin.map(|origin| reader.kept_of(origin));
        self.kept.extend(key.into_iter().chain(origin));
        // An event without a key of its own has that of its import.
        let mark = key.filter(|_| event.key.value().is_none());
        match (mark, origin) {
            (Some(mark), Some(origin)) => self.imported.push((origin, mark, number)),
            _ => self.add_fingerprints(key, origin, number),
        }
        let (position, recorded) = (row.position, row.recorded_at);
        self.newest = self.newest.max(Some(position));
        self.oldest = Some(self.oldest.map_or(position, |oldest| oldest.min(position)));
        let (low, high) = self.seq.unwrap_or((position.seq, position.seq));
        self.seq = Some((low.min(position.seq), high.max(position.seq)));
        let (low, high) = self.recorded.unwrap_or((recorded, recorded));
        self.recorded = Some((low.min(recorded), high.max(recorded)));
        Ok(())
    }

    /// Adds those fingerprints of a row that are stored, each different one once.
    fn add_fingerprints(&mut self, key: Option<u64>, origin: Option<u64>, number: u32) {
        let others = key.filter(|key| Some(*key) != origin);
        for kept in others.into_iter().chain(origin) {
            self.fingerprints.add(kept, number);
        }
    }

    /// Adds the fingerprints of imported rows once those of all rows are known: a mark's is stored
    /// only where too many equal the origin's.
    fn add_imported(&mut self) {
        self.kept.sort_unstable();
        for (origin, mark, number) in core::mem::take(&mut self.imported) {
            let first = self.kept.partition_point(|kept| *kept < origin);
            let alike = self.kept.get(first + ORIGIN_ROWS_MAX) == Some(&origin);
            self.add_fingerprints(Some(mark).filter(|_| alike), Some(origin), number);
        }
        self.kept = Vec::new();
    }
}

/// Compares the manifest's entry with the rows.
fn check_entry(
    reader: &Reader,
    entry: &SegmentEntry,
    computed: &Computed,
    report: &mut Report<'_>,
) {
    let said = (
        Some(entry.max),
        Some(entry.min),
        Some((entry.seq_min, entry.seq_max)),
        Some((entry.recorded_min, entry.recorded_max)),
    );
    let found = (
        computed.newest,
        computed.oldest,
        computed.seq,
        computed.recorded,
    );
    if said != found {
        let what = "the manifest is wrong about the times or seqs of this segment";
        report.damage(reader.path(), None, what);
    }
}

/// The sum over all terms and their rows; none if some cannot be read.
fn sum_terms(reader: &Reader, report: &mut Report<'_>) -> Option<Sum> {
    let mut sum = Sum::default();
    let mut whole = true;
    let mut terms = reader.terms(&[]);
    loop {
        match terms.advance() {
            Ok(false) => return whole.then_some(sum),
            Ok(true) => {
                let hash = rows::hash(terms.term());
                match terms.postings().rows() {
                    Ok(rows) => rows.into_iter().for_each(|row| sum.add(hash, row)),
                    Err(error) => {
                        report.error(&error);
                        whole = false;
                    }
                }
            }
            Err(error) => {
                report.error(&error);
                whole = false;
            }
        }
    }
}

/// The sum over all fingerprints; none if they cannot be read.
fn sum_fingerprints(reader: &Reader, report: &mut Report<'_>) -> Option<Sum> {
    let pairs = match reader.fingerprints() {
        Ok(pairs) => pairs,
        Err(error) => {
            report.error(&error);
            return None;
        }
    };
    let mut sum = Sum::default();
    pairs.into_iter().for_each(|(pair, row)| sum.add(pair, row));
    Some(sum)
}

/// Reads the file from front to end once more: the checksum of each section, the hash of all, and
/// unused bytes. Tells only of what nothing found before.
fn check_bytes(reader: &Reader, before: u64, report: &mut Report<'_>) -> Result<()> {
    let blob = reader.blob();
    let mut hash = Sha256::new();
    let mut sections = reader.directory().to_vec();
    sections.sort_by_key(|section| section.offset);
    let end = reader.footer_offset();
    let starts = sections.iter().map(|section| section.offset);
    let ends = sections.iter().filter_map(Section::end);
    let mut cuts: Vec<u64> = starts.chain(ends).chain([0, end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    for (start, stop) in cuts.iter().zip(cuts.iter().skip(1)) {
        let mut section_crc = Running::default();
        let mut at = *start;
        while at < *stop {
            let len = PIECE.min(*stop - at);
            blob.will_need(at + len, PIECE);
            let piece = blob.read(at, len as usize)?;
            hash.update(&piece);
            section_crc.update(&piece);
            report.read(len);
            at += len;
        }
        let section = sections
            .iter()
            .find(|section| section.offset == *start && section.len > 0);
        let crc = section_crc.finish();
        if section.is_some_and(|section| section.crc != crc) && report.damages() == before {
            let what = "the checksum of this section does not match";
            report.damage(reader.path(), Some(*start), what);
        }
    }
    let hash: [u8; 32] = hash.finalize().into();
    if hash != reader.content_hash() && report.damages() == before {
        report.damage(reader.path(), Some(0), "the content hash does not match");
    }
    let empty = sections.iter().filter(|section| section.len == 0);
    if empty.clone().any(|section| section.crc != crc32(&[])) && report.damages() == before {
        let what = "an empty section has a checksum that is not one of nothing";
        report.damage(reader.path(), Some(end), what);
    }
    report.read(FOOTER_LEN as u64);
    Ok(())
}

/// Adds a segment's seqs; one that is there already is damage.
pub(super) fn collect_seqs(
    disk: &dyn ReadDisk,
    store: Option<StoreId>,
    source: &Source,
    seqs: &mut Seqs,
    report: &mut Report<'_>,
) {
    let opened = open(disk, store, source).or_else(|error| {
        report.error(&error);
        open_left(disk, store, source)
    });
    let Ok(reader) = opened else {
        return;
    };
    let mut pairs = reader.by_seq(Sequence(0), Sequence(u64::MAX));
    let mut twice = None;
    loop {
        match pairs.next() {
            Ok(Some((seq, _))) if seqs.insert(seq) => {}
            Ok(Some((seq, _))) => twice = twice.or(Some(seq)),
            Ok(None) => break,
            Err(error) => report.error(&error),
        }
    }
    // Without a manifest, files that a merge replaced lie beside those it made.
    if let (Some(seq), true) = (twice, source.entry.is_some()) {
        let what = format!("event {seq}, and maybe others, is in another segment too");
        report.damage(reader.path(), None, what);
    }
}
