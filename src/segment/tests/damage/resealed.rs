//! What becomes of a segment whose every checksum is right and which is wrong all the same, as a writer
//! with a defect or with bad intent would make it: bytes of each section are altered and the file is
//! sealed anew. Nothing panics or goes on for ever, as it did where the first terms of blocks that the
//! index names were out of order, and what is refused and what is read stands in a file beside the goldens,
//! written anew with `AUDITDB_BLESS` set: a reader that looks at less than before would change it.

use core::fmt::Write as _;
use std::path::Path;

use crate::codec::checksum::crc32;
use crate::disk::Disk;
use crate::disk::blob::Blob;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::options::ReadMode;
use crate::segment::format::Kind;
use crate::segment::output::Output;
use crate::segment::postings::Direction;
use crate::segment::reader::Loaded;
use crate::segment::reader::Reader;
use crate::segment::tests::Folder;
use crate::segment::tests::Model;
use crate::segment::tests::STORE;
use crate::segment::tests::kinds;
use crate::segment::tests::kinds::rows;
use crate::segment::tests::kinds::told;
use crate::segment::tests::written::hold;

const FILE: &str = "tests/golden/resealed.txt";
/// Bytes of a section that are altered, about: all of a short one, and others evenly.
const PLACES: usize = 48;

/// A section as it is put into a file again.
#[derive(Clone)]
struct Part {
    kind: Kind,
    items: u64,
    bytes: Vec<u8>,
}

/// The sections of a file that do not follow from the others.
fn parts(folder: &Folder, id: u64, reader: &Reader) -> Vec<Part> {
    let file = folder.disk.open_write(Path::new(&id.to_string())).unwrap();
    let part = |kind: &Kind| {
        let sections = reader.directory().iter();
        let section = sections.clone().find(|found| found.kind == *kind as u16)?;
        let mut bytes = vec![0; section.len as usize];
        file.read_at(section.offset, &mut bytes).unwrap();
        Some(Part {
            kind: *kind,
            items: section.items,
            bytes,
        })
    };
    let all = Kind::ALL.iter();
    all.filter(|kind| !matches!(kind, Kind::PageSums | Kind::PageSumsTwin))
        .filter_map(part)
        .collect()
}

/// Everything that can be asked of the segment of these parts; gives a digest of the answers.
fn asked(folder: &Folder, parts: &[Part], count: u32, models: &[Model]) -> Result<u32> {
    let path = Path::new("resealed");
    let file = folder.disk.open_write(path)?;
    let mut output = Output::begin(&*file, STORE, SegmentId(1))?;
    for part in parts {
        output.put(&part.bytes)?;
        output.end_section(part.kind, part.items);
    }
    let (len, _) = output.finish(count)?;
    file.set_len(len)?;
    let blob = Blob::open(&folder.disk, path, len, ReadMode::Positional)?;
    let reader = Reader::open_any(blob)?;
    let mut found = String::new();
    let mut loaded = Loaded::default();
    for row in 0..reader.rows() {
        write!(found, "{:?}", reader.row(row, &mut loaded)?).unwrap();
    }
    for model in models.iter().step_by(7) {
        let place = reader.lower_bound(model.position, &mut loaded)?;
        write!(found, "{place} ").unwrap();
    }
    let mut terms = reader.terms(&[]);
    while terms.advance()? {
        let (term, rows) = (terms.term().to_vec(), terms.postings().rows()?);
        let mut known = reader.postings(&term)?;
        let middle = rows.get(rows.len() / 2).copied().unwrap_or(0);
        let near = match &mut known {
            Some(known) => (
                known.seek(middle, Direction::Up)?,
                known.seek(middle, Direction::Down)?,
            ),
            None => (None, None),
        };
        write!(found, "{term:?} {rows:?} {near:?}").unwrap();
    }
    let mut seqs = reader.by_seq(Sequence(0), Sequence(u64::MAX));
    while let Some(pair) = seqs.next()? {
        write!(found, "{pair:?}").unwrap();
    }
    write!(found, "{:?}", reader.fingerprints()?).unwrap();
    Ok(crc32(found.as_bytes()))
}

/// What came of altered files: how many of them were refused, or read the same, and a digest of all.
#[derive(Default)]
struct Outcomes {
    files: u32,
    refused: u32,
    same: u32,
    all: Vec<u8>,
}

impl Outcomes {
    fn add(&mut self, outcome: &Result<u32>, whole: u32) {
        self.files += 1;
        let digest = match outcome {
            Err(error) => {
                let kinds = [ErrorKind::Corrupt, ErrorKind::Unsupported];
                assert!(kinds.contains(&error.kind()), "{error:?}");
                self.refused += 1;
                0
            }
            Ok(digest) => {
                self.same += u32::from(*digest == whole);
                *digest
            }
        };
        self.all.extend(digest.to_le_bytes());
    }

    fn told(&self, name: &str, what: &str) -> String {
        let Outcomes {
            files,
            refused,
            same,
            all,
        } = self;
        let digest = crc32(all);
        format!("{name}, {what}: {files} files, {refused} refused, {same} the same, {digest:08x}\n")
    }
}

/// Alters each section of the segment of these rows.
fn alter(folder: &Folder, id: u64, name: &str, models: &[Model], out: &mut String) {
    let summary = folder.write(id, models);
    let reader = folder.open(id, &summary, ReadMode::Positional);
    let parts = parts(folder, id, &reader);
    let whole = asked(folder, &parts, summary.rows, models).unwrap();
    let mut counts = Outcomes::default();
    for rows in [0, 1, summary.rows - 1, summary.rows + 1, u32::MAX] {
        counts.add(&asked(folder, &parts, rows, models), whole);
    }
    *out += &counts.told(name, "rows");
    for place in 0..parts.len() {
        let kind = parts[place].kind;
        if kind == Kind::SchemaTwin {
            continue;
        }
        let mut outcomes = Outcomes::default();
        // Both schemas alike, so that it does not matter which is read.
        let is_meant = |part: &Part| {
            part.kind == kind || kind == Kind::Schema && part.kind == Kind::SchemaTwin
        };
        let mut with = |alter: &dyn Fn(&mut Part)| {
            let mut parts = parts.clone();
            let meant = parts.iter_mut().filter(|part| is_meant(part));
            meant.for_each(alter);
            outcomes.add(&asked(folder, &parts, summary.rows, models), whole);
        };
        let len = parts[place].bytes.len();
        for at in (0..len).step_by(len.div_ceil(PLACES).max(1)) {
            let bit = 1 << (kinds::mixed(at as u64) % 8);
            with(&|part| part.bytes[at] ^= bit);
        }
        with(&|part| part.items += 1);
        with(&|part| part.items = part.items.wrapping_sub(1));
        with(&|part| part.bytes.push(0));
        with(&|part| part.bytes.truncate(len.saturating_sub(1)));
        with(&|part| part.bytes.clear());
        with(&|part| part.kind = Kind::Terms);
        *out += &outcomes.told(name, &format!("{kind:?}"));
    }
}

#[test]
fn p4_what_is_wrong_under_right_checksums_is_refused_or_read_as_written_down() {
    let folder = Folder::new();
    drop(folder.disk.create_new(Path::new("resealed")).unwrap());
    let shape = |number: u64| Model::new(0, number, kinds::mixed(number) as u32).event;
    let inputs = [
        ("an application's events", rows(140, told)),
        ("long texts", rows(70, kinds::long_text)),
        ("spelled values", rows(70, kinds::spelled)),
        ("imported events", rows(70, kinds::taken_over)),
        ("stored forms", rows(70, shape)),
    ];
    let mut found = String::new();
    for (id, (name, models)) in (1..).zip(inputs) {
        alter(&folder, id, name, &models, &mut found);
    }
    hold(FILE, &found);
}
