//! What is written of given rows, to the last byte: how long each section is, and a digest of the file.
//! The format says what may be written; which of it a writer chooses decides how large a segment is,
//! and no other test would notice that it became larger. The file beside the goldens is written anew
//! with `AUDITDB_BLESS` set; a change of it is one of what stores take, and has to be meant.

use core::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::Folder;
use super::Model;
use super::Reader;
use super::STORE;
use super::contents_of;
use super::kinds;
use super::kinds::BASE;
use super::kinds::mixed;
use super::kinds::rows;
use super::kinds::told;
use super::load::arrival;
use super::read_all;
use crate::codec::digits::hex;
use crate::disk::Disk;
use crate::disk::File;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::options::ReadMode;
use crate::segment::Summary;
use crate::segment::load::Load;
use crate::time::Time;

fn line(name: &str, reader: &Reader, summary: &Summary) -> String {
    let mut line = format!("{name}: {} rows, {} bytes:", summary.rows, summary.file_len);
    for section in reader.directory() {
        write!(line, " {} {},", section.kind, section.len).unwrap();
    }
    line + &format!(" hash {}", &hex(&summary.content_hash)[..16])
}

/// The rows in the order in which they arrived, by the way of bulk loads.
fn loaded(folder: &Folder, id: u64, models: &[Model]) -> Summary {
    let file = folder.disk.create_new(Path::new(&id.to_string())).unwrap();
    let file: Arc<dyn File> = Arc::from(file);
    let mut arriving: Vec<&Model> = models.iter().collect();
    arriving.sort_by_key(|model| model.position.seq);
    let mut load = Load::begin(&file, STORE, SegmentId(id), Sequence(0)).unwrap();
    for model in arriving {
        load.push(arrival(model), &model.content);
    }
    load.finish(Time::saturating_from_micros(BASE)).unwrap()
}

/// Compares with a file beside the goldens, line by line; with `AUDITDB_BLESS` set, writes it.
pub(crate) fn hold(file: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("AUDITDB_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap();
    let differs = found
        .lines()
        .zip(wanted.lines())
        .find(|(found, wanted)| found != wanted);
    assert_eq!(differs, None, "AUDITDB_BLESS=1 writes {file} anew");
    assert_eq!(found.lines().count(), wanted.lines().count());
}

/// What is written of such inputs, by both ways, beside what `file` says; what was written reads back.
pub(crate) fn compare(file: &str, inputs: Vec<(&str, Vec<Model>)>) {
    let folder = Folder::new();
    let mut found = String::new();
    let mut check = |id: u64, name: &str, summary: &Summary, models: &[Model]| {
        let reader = folder.open(id, summary, ReadMode::Positional);
        writeln!(found, "{}", line(name, &reader, summary)).unwrap();
        let is_same = read_all(&reader).unwrap() == contents_of(models);
        assert!(is_same, "{name}: something else is read");
    };
    for (id, (name, mut models)) in (1..).zip(inputs) {
        let summary = folder.write(id, &models);
        check(id, name, &summary, &models);
        let summary = loaded(&folder, id + 100, &models);
        for model in &mut models {
            model.recorded_at = Time::saturating_from_micros(BASE);
        }
        check(id + 100, &format!("{name}, loaded"), &summary, &models);
    }
    hold(file, &found);
}

#[test]
fn what_is_written_is_what_was_written_down() {
    let shape = |number: u64| Model::new(0, number, mixed(number) as u32).event;
    let apart = |number: u64| told(number << 32 | number);
    compare(
        "tests/golden/segments.txt",
        vec![
            ("one row", rows(1, told)),
            ("a block and a row", rows(65, told)),
            ("an application's events", rows(6_000, told)),
            ("one event again and again", rows(2_000, |_| told(7))),
            ("events that share nothing", rows(700, apart)),
            ("stored forms of every kind", rows(1_500, shape)),
        ],
    );
}

#[test]
fn what_is_chosen_is_what_was_written_down() {
    let mut imported = rows(3_000, kinds::taken_over);
    for model in &mut imported {
        model.imported = model.position.seq.0 % 11 > 0;
    }
    compare(
        "tests/golden/segments-chosen.txt",
        vec![
            ("some long texts", rows(150, kinds::long_text)),
            ("many long texts", rows(1_800, kinds::long_text)),
            ("a member of many shapes", rows(6_000, kinds::manifold)),
            ("keys of their own", rows(5_000, kinds::own_keys)),
            ("rendered texts", rows(4_500, kinds::rendered)),
            ("spelled values", rows(1_500, kinds::spelled)),
            ("values that follow", rows(4_000, kinds::following)),
            ("links", rows(2_700, kinds::links)),
            ("imported events", imported),
        ],
    );
}
