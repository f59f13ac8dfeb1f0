//! Segments against a sorted `Vec` of events, and against every kind of damage.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what it did not expect"
)]

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;

use super::Summary;
use super::merge::merge;
use super::postings::Direction;
use super::postings::Postings;
use super::reader::Expected;
use super::reader::Loaded;
use super::reader::Reader;
use super::writer::write;
use crate::codec::canonical;
use crate::codec::content::Located;
use crate::codec::content::Parts;
use crate::codec::row::Body;
use crate::codec::row::ImportMark;
use crate::codec::row::Row;
use crate::disk::Disk;
use crate::disk::blob::Blob;
use crate::disk::real::RealDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Field;
use crate::event::Origin;
use crate::filter::term;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::options::ReadMode;
use crate::time::Time;

mod damage;
pub(crate) mod kinds;
mod load;
mod often;
mod reads;
mod shapes;
mod whole;
pub(crate) mod written;

const STORE: StoreId = StoreId([3; 16]);

/// An event and its place, the content rendered once.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    event: Event,
    position: Position,
    recorded_at: Time,
    content: String,
    imported: bool,
}

impl Model {
    fn new(micros: i64, seq: u64, seed: u32) -> Model {
        let mut event = Event::new(["user.updated", "user.login", "file.read"][seed as usize % 3])
            .metadata("ticket", format!("t{}", seed % 7))
            .subject(crate::event::Subject::new("user").id(format!("u{}", seed % 50)));
        if seed.is_multiple_of(5) {
            event.key = Field::Value(format!("key-{}", seed % 20));
        }
        if seed.is_multiple_of(4) {
            event.origin = Field::Value(Origin {
                id: Field::Value(format!("o{}", seed % 12)),
                ..Origin::default()
            });
        }
        if seed.is_multiple_of(11) {
            event.reason = Field::Value("long ".repeat(seed as usize % 900));
        }
        shapes::give(&mut event, position(micros, u64::from(seed)), seed);
        let content = canonical::content(&event);
        Model {
            event,
            position: position(micros, seq),
            recorded_at: Time::saturating_from_micros(micros + i64::from(seed % 9)),
            content,
            imported: seed.is_multiple_of(6),
        }
    }

    fn row(&self) -> Row<'_> {
        let mark = ImportMark {
            mapping: "test",
            repeat: self.position.seq.0 % 3,
        };
        Row {
            position: self.position,
            recorded_at: self.recorded_at,
            body: Body {
                time_given: !self.imported,
                import: self.imported.then_some(mark),
                content: &self.content,
            },
        }
    }
}

fn position(micros: i64, seq: u64) -> Position {
    Position {
        occurred_at: Time::saturating_from_micros(micros),
        seq: Sequence(seq),
    }
}

/// Seeds to events whose times tie often, newest first.
fn models(seeds: &[(u16, u32)]) -> Vec<Model> {
    let numbered = seeds.iter().enumerate();
    let mut models: Vec<Model> = numbered
        .map(|(seq, (micros, seed))| Model::new(i64::from(*micros % 64), seq as u64, *seed))
        .collect();
    models.sort_by_key(|model| core::cmp::Reverse(model.position));
    models
}

struct Folder {
    _folder: tempfile::TempDir,
    disk: RealDisk,
}

impl Folder {
    fn new() -> Folder {
        let folder = tempfile::tempdir().unwrap();
        let disk = RealDisk::open(folder.path()).unwrap();
        Folder {
            _folder: folder,
            disk,
        }
    }

    fn write(&self, id: u64, models: &[Model]) -> Summary {
        let file = self.disk.create_new(Path::new(&id.to_string())).unwrap();
        write(&*file, STORE, SegmentId(id), models.iter().map(Model::row)).unwrap()
    }

    fn merge(&self, id: u64, inputs: &[(Reader, core::ops::Range<u32>)]) -> Result<Summary> {
        let file = self.disk.create_new(Path::new(&id.to_string()))?;
        merge(&*file, STORE, SegmentId(id), inputs)
    }

    fn blob(&self, id: u64, len: u64, mode: ReadMode) -> Blob {
        Blob::open(&self.disk, Path::new(&id.to_string()), len, mode).unwrap()
    }

    fn open(&self, id: u64, summary: &Summary, mode: ReadMode) -> Reader {
        let expected = Expected {
            store: STORE,
            segment: SegmentId(id),
            rows: summary.rows,
            content_hash: summary.content_hash,
        };
        Reader::open(self.blob(id, summary.file_len, mode), &expected).unwrap()
    }
}

/// Everything that can be read from a segment, in one order.
#[derive(Debug, PartialEq)]
struct Contents {
    lines: Vec<String>,
    terms: BTreeMap<Vec<u8>, Vec<u32>>,
    fingerprints: Vec<(u64, u32)>,
    seqs: Vec<(u64, u32)>,
}

fn contents_of(models: &[Model]) -> Contents {
    let mut terms: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
    let (mut lines, mut seqs) = (Vec::new(), Vec::new());
    for (number, model) in models.iter().enumerate() {
        let (row, number) = (model.row(), number as u32);
        let mut line = Vec::new();
        row.write_line(&mut line);
        lines.push(String::from_utf8(line).unwrap());
        let event = row.application_event().unwrap();
        let mut found = Vec::new();
        term::terms(&event, |term| found.push(term.to_vec()));
        found.sort();
        found.dedup();
        for term in found {
            terms.entry(term).or_default().push(number);
        }
        seqs.push((model.position.seq.0, number));
    }
    seqs.sort_unstable();
    Contents {
        lines,
        terms,
        fingerprints: fingerprints_of(models),
        seqs,
    }
}

/// What the page says is stored of the fingerprints of these rows.
fn fingerprints_of(models: &[Model]) -> Vec<(u64, u32)> {
    let width = models.len().ilog2() + 1 + super::format::FINGERPRINT_SPARE;
    let kept = |print: u64| print >> (u64::BITS - width);
    let prints: Vec<_> = models
        .iter()
        .map(|model| model.row().fingerprints(&model.event))
        .map(|found| (found.key.map(kept), found.origin.map(kept)))
        .collect();
    let mut stored = Vec::new();
    for ((row, model), (key, origin)) in (0..).zip(models).zip(&prints) {
        stored.extend(origin.map(|origin| (origin, row)));
        let all = prints.iter().flat_map(|(key, origin)| [key, origin]);
        let alike = all.filter(|print| *print == origin && origin.is_some());
        let marked = model.row().body.import.is_some() && model.event.key.value().is_none();
        if !marked || origin.is_none() || alike.count() > 8 {
            stored.extend(key.map(|key| (key, row)));
        }
    }
    stored.sort_unstable();
    stored.dedup();
    stored
}

fn read_all(reader: &Reader) -> Result<Contents> {
    let mut loaded = Loaded::default();
    let mut lines = Vec::new();
    for row in 0..reader.rows() {
        let mut line = Vec::new();
        reader.row(row, &mut loaded)?.write_line(&mut line);
        let mut located = Located::default();
        let (row, known) = reader.parts(row, &mut loaded, &mut located)?;
        if known {
            let content = Some(Parts::Located(&located).content());
            assert_eq!(format!("{content:?}"), format!("{:?}", row.content()));
        }
        lines.push(String::from_utf8(line).unwrap());
    }
    let mut terms = BTreeMap::new();
    let mut stream = reader.terms(&[]);
    while stream.advance()? {
        let mut postings = stream.postings();
        let mut rows = Vec::new();
        while let Some(row) = postings.seek(rows.last().map_or(0, |row| row + 1), Direction::Up)? {
            rows.push(row);
        }
        assert_eq!(rows, postings.rows()?);
        assert_eq!(rows.len() as u32, stream.count()?);
        assert!(postings.len() >= stream.count()?);
        terms.insert(stream.term().to_vec(), rows);
    }
    let mut stream = reader.by_seq(Sequence(0), Sequence(u64::MAX));
    let mut seqs = Vec::new();
    while let Some(pair) = stream.next()? {
        seqs.push(pair);
    }
    seqs.sort_unstable();
    Ok(Contents {
        lines,
        terms,
        fingerprints: reader.fingerprints()?,
        seqs,
    })
}

/// The segment says all this and nothing else; of fingerprints it keeps the highest bits.
fn assert_same(reader: &Reader, contents: &Contents) {
    let found = read_all(reader).unwrap();
    assert_eq!(found.lines, contents.lines);
    assert_eq!(found.terms, contents.terms);
    assert_eq!(found.seqs, contents.seqs);
    assert_eq!(found.fingerprints, contents.fingerprints);
}

/// The rows at or after `from` and before `to`.
fn rows_between(reader: &Reader, from: Position, to: Position) -> core::ops::Range<u32> {
    let mut loaded = Loaded::default();
    let mut first = |before: Position| match before {
        Position::FIRST => reader.rows(),
        _ => reader
            .lower_bound(before.predecessor(), &mut loaded)
            .unwrap(),
    };
    first(to)..first(from)
}

/// Compares every way of asking with the sorted rows.
fn check_lookups(reader: &Reader, models: &[Model], contents: &Contents) {
    let mut loaded = Loaded::default();
    for micros in -1..66 {
        let seqs = [0, models.len() as u64 / 2, u64::MAX];
        for probe in seqs.map(|seq| position(micros, seq)) {
            let wanted = models.partition_point(|model| model.position > probe);
            assert_eq!(
                reader.lower_bound(probe, &mut loaded).unwrap(),
                wanted as u32
            );
        }
    }
    for (term, rows) in &contents.terms {
        let mut postings = reader.postings(term).unwrap().unwrap();
        for probe in (0..models.len() as u32 + 2).rev() {
            let up = rows.iter().find(|row| **row >= probe).copied();
            let down = rows.iter().rev().find(|row| **row <= probe).copied();
            assert_eq!(postings.seek(probe, Direction::Up).unwrap(), up);
            assert_eq!(postings.seek(probe, Direction::Down).unwrap(), down);
        }
        let mut absent = term.clone();
        absent.push(0);
        if !contents.terms.contains_key(&absent) {
            assert!(reader.postings(&absent).unwrap().is_none());
        }
        let mut stream = reader.terms(&absent);
        let more = stream.advance().unwrap();
        let next = contents
            .terms
            .range(absent..)
            .next()
            .map(|(term, _)| term.as_slice());
        assert_eq!(more.then(|| stream.term()), next);
    }
    check_fingerprints(reader, models);
    let mut pairs = reader.by_seq(Sequence(2), Sequence(5));
    let wanted: Vec<(u64, u32)> = contents
        .seqs
        .iter()
        .filter(|(seq, _)| (2..=5).contains(seq))
        .copied()
        .collect();
    let mut found: Vec<(u64, u32)> = core::iter::from_fn(|| pairs.next().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, wanted);
}

/// Every key, mark and origin's id leads to its row.
fn check_fingerprints(reader: &Reader, models: &[Model]) {
    for (row, model) in models.iter().enumerate() {
        let found = model.row().fingerprints(&model.event);
        let marked = model.row().body.import.is_some() && model.event.key.value().is_none();
        if let Some(mark) = found.key {
            let origin = found.origin.filter(|_| marked);
            let rows = reader.imported(mark, origin).unwrap();
            assert!(rows.contains(&(row as u32)));
        }
        for fingerprint in found
            .origin
            .into_iter()
            .chain(found.key.filter(|_| !marked))
        {
            assert!(
                reader
                    .fingerprint(fingerprint)
                    .unwrap()
                    .contains(&(row as u32))
            );
            // What is found in vain has the same highest bits.
            for row in reader.fingerprint(!fingerprint).unwrap() {
                let kept = (reader.kept_of(!fingerprint), row);
                assert!(reader.fingerprints().unwrap().contains(&kept));
            }
        }
    }
}

fn check(seeds: &[(u16, u32)], parts: usize, cut: u16) {
    let folder = Folder::new();
    let models = models(seeds);
    let summary = folder.write(1, &models);
    let contents = contents_of(&models);
    for mode in [ReadMode::Mapped, ReadMode::Positional] {
        let reader = folder.open(1, &summary, mode);
        assert_same(&reader, &contents);
        check_lookups(&reader, &models, &contents);
    }
    assert_eq!(summary.newest, models[0].position);
    assert_eq!(summary.seq_max, Sequence(models.len() as u64 - 1));

    // The same events in several segments, merged into two at a boundary of time.
    let mut split: Vec<Vec<Model>> = vec![Vec::new(); parts];
    for model in &models {
        split[model.position.seq.0 as usize % parts].push(model.clone());
    }
    let whole = split.iter().filter(|models| !models.is_empty()).enumerate();
    let readers: Vec<Reader> = whole
        .map(|(place, models)| {
            let id = place as u64 + 10;
            folder.open(id, &folder.write(id, models), ReadMode::Positional)
        })
        .collect();
    let boundary = position(i64::from(cut % 64), 0);
    let halves = [(boundary, Position::LAST), (Position::FIRST, boundary)];
    for (id, (from, to)) in halves.into_iter().enumerate() {
        let inputs: Vec<(Reader, core::ops::Range<u32>)> = readers
            .iter()
            .map(|reader| (reader.clone(), rows_between(reader, from, to)))
            .collect();
        let wanted: Vec<Model> = models
            .iter()
            .filter(|model| (from..to).contains(&model.position))
            .cloned()
            .collect();
        let merged = folder.merge(id as u64 + 30, &inputs);
        if wanted.is_empty() {
            assert_eq!(merged.unwrap_err().kind(), ErrorKind::OutOfRange);
            continue;
        }
        let merged = merged.unwrap();
        let reader = folder.open(id as u64 + 30, &merged, ReadMode::Mapped);
        assert_same(&reader, &contents_of(&wanted));
        whole::assert_written_alike(&folder, id as u64 + 30, &merged, &wanted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_segment_is_the_sorted_rows(
        seeds in proptest::collection::vec(any::<(u16, u32)>(), 1..400),
        parts in 1_usize..5,
        cut: u16,
    ) {
        check(&seeds, parts, cut);
    }
}

#[test]
fn long_lists_and_many_pages_are_walked_in_both_directions() {
    let seeds: Vec<(u16, u32)> = (0..13_000).map(|seed| (seed as u16, seed * 7)).collect();
    let models = models(&seeds);
    let folder = Folder::new();
    let summary = folder.write(1, &models);
    let reader = folder.open(1, &summary, ReadMode::Mapped);
    let contents = contents_of(&models);
    assert_same(&reader, &contents);
    for rows in contents.terms.iter().filter(|(_, rows)| rows.len() > 4000) {
        let mut postings = reader.postings(rows.0).unwrap().unwrap();
        let mut found = Vec::new();
        let mut next = Some(u32::MAX);
        while let Some(row) = next
            .map(|row| postings.seek(row, Direction::Down).unwrap())
            .unwrap()
        {
            found.push(row);
            next = row.checked_sub(1);
            if next.is_none() {
                break;
            }
        }
        found.reverse();
        assert_eq!(&found, rows.1);
        assert_taken(&mut postings, rows.1, reader.rows());
    }
    whole::assert_written_alike(&folder, 1, &summary, &models);
    let all = [(reader.clone(), 0..reader.rows())];
    let merged = folder.merge(2, &all).unwrap();
    whole::assert_written_alike(&folder, 2, &merged, &models);
    let same = folder.merge(3, &[(reader.clone(), 0..9), (reader, 5..12)]);
    assert_eq!(same.unwrap_err().kind(), ErrorKind::OutOfRange);
}

/// Rows that are taken from `postings` in batches, either way, or asked for, are those of `rows`.
fn assert_taken(postings: &mut Postings, rows: &[u32], count: u32) {
    for from in [0, 1, 4_000, 4_096, 12_990, count - 1] {
        for direction in [Direction::Up, Direction::Down] {
            let mut wanted: Vec<u32> = match direction {
                Direction::Up => rows.iter().copied().filter(|row| *row >= from).collect(),
                Direction::Down => rows.iter().copied().filter(|row| *row <= from).collect(),
            };
            if direction == Direction::Down {
                wanted.reverse();
            }
            for max in [1, 100, 3_000, rows.len() + 1] {
                let mut found = vec![7];
                let Some(reached) = postings.take(from, direction, max, &mut found).unwrap() else {
                    break;
                };
                let wanted = wanted.get(..max).unwrap_or(&wanted);
                assert_eq!(found.get(1..), Some(wanted), "{from} {direction:?} {max}");
                let is_reached = |row: &u32| match direction {
                    Direction::Up => *row < reached,
                    Direction::Down => *row >= reached,
                };
                assert!(wanted.iter().all(is_reached));
                assert!(wanted.len() == max || [0, count].contains(&reached));
            }
        }
    }
    for step in [1, 3, 700] {
        let mut asked: Vec<u32> = (0..count).step_by(step).collect();
        let wanted: Vec<u32> = rows
            .iter()
            .copied()
            .filter(|row| *row % step as u32 == 0)
            .collect();
        postings.retain(&mut asked).unwrap();
        assert_eq!(asked, wanted, "every {step}th");
    }
}
