//! Holds the format's page against the code: its sizes are the constants, and its worked example
//! is written, opens and reads as the page says, for ever.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::path::Path;

use super::format;
use super::letters::TEXT_MAX;
use super::lists::CHUNK;
use super::reader::Expected;
use super::reader::Loaded;
use super::reader::Reader;
use super::spelled_time::SPELLINGS;
use super::spelled_time::Spelling;
use super::writer::write;
use crate::codec::row::Body;
use crate::codec::row::Row;
use crate::disk::Disk;
use crate::disk::blob::Blob;
use crate::disk::real::RealDisk;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::options::ReadMode;
use crate::time::Time;

const PAGE: &str = include_str!("../../docs/format/segment.md");
const STORE: StoreId = StoreId(*b"0123456789abcdef");

fn rows() -> [Row<'static>; 2] {
    let recorded_at: Time = "2026-05-17T08:00:00Z".parse().unwrap();
    let row = |seq, seconds: i64, content| Row {
        position: Position {
            occurred_at: Time::saturating_from_micros(
                recorded_at.as_micros() - seconds * 1_000_000,
            ),
            seq: Sequence(seq),
        },
        recorded_at,
        body: Body {
            time_given: seconds > 0,
            import: None,
            content,
        },
    };
    [
        row(0, 0, "{\"type\":\"user.created\"}"),
        row(1, 1, "{\"type\":\"user.updated\"}"),
    ]
}

/// The bytes of the page's example: lines of an offset and sixteen bytes.
fn example() -> Vec<u8> {
    let (_, example) = PAGE.split_once("## Worked example").unwrap();
    let (_, block) = example.split_once("```text\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let words = block
        .lines()
        .flat_map(|line| line.split_whitespace().skip(1));
    words
        .map(|word| u8::from_str_radix(word, 16).unwrap())
        .collect()
}

#[test]
fn the_page_s_example_is_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::open(folder.path()).unwrap();
    let file = disk.create_new(Path::new("example")).unwrap();
    let summary = write(&*file, STORE, SegmentId(1), rows()).unwrap();
    let mut bytes = vec![0; summary.file_len as usize];
    file.read_at(0, &mut bytes).unwrap();
    let mut lines = String::new();
    for (number, line) in bytes.chunks(16).enumerate() {
        let line: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        lines += &format!("{:04x}  {}\n", number * 16, line.join(" "));
    }
    assert!(PAGE.contains(&lines), "{lines}");
}

#[test]
fn the_page_s_example_reads_as_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::open(folder.path()).unwrap();
    let example = example();
    let file = disk.create_new(Path::new("example")).unwrap();
    file.write_at(0, &example).unwrap();
    let len = example.len() as u64;
    let blob = Blob::open(&disk, Path::new("example"), len, ReadMode::Positional).unwrap();
    let hash = Reader::open_any(blob).unwrap().content_hash();
    let expected = Expected {
        store: STORE,
        segment: SegmentId(1),
        rows: 2,
        content_hash: hash,
    };
    let blob = Blob::open(&disk, Path::new("example"), len, ReadMode::Positional).unwrap();
    let reader = Reader::open(blob, &expected).unwrap();
    let mut loaded = Loaded::default();
    for (number, row) in (0..).zip(rows()) {
        assert_eq!(reader.row(number, &mut loaded).unwrap(), row);
    }
    let mut terms = reader.terms(&[]);
    let mut found = Vec::new();
    while terms.advance().unwrap() {
        found.push((terms.term().to_vec(), terms.count().unwrap()));
    }
    assert_eq!(
        found,
        [
            (b"\x01\x01user.created".to_vec(), 1),
            (b"\x01\x01user.updated".to_vec(), 1)
        ]
    );
}

#[test]
fn the_page_s_sizes_are_the_constants() {
    for words in [
        format!("length of the header, {}", format::HEADER_LEN),
        format!("The last {} bytes", format::FOOTER_LEN),
        format!("One entry of {} bytes", format::SECTION_LEN),
        format!("at most {}, in file order", format::SECTIONS_MAX),
        format!("version, {}", format::VERSION),
        format!("pages of {} bytes", format::PAGE_BYTES),
        format!("{} rows, the last block fewer", format::BLOCK_ROWS),
        format!(
            "{} terms (`terms.md`), the last block fewer",
            format::TERM_BLOCK_TERMS
        ),
        format!("each at most {} bytes long", format::TERM_BYTES_MAX),
        format!("a part of it, of at most {} bytes", TEXT_MAX),
        format!("n up to {}: Elias-Fano", CHUNK),
        format!("k = width(rows) + {} bits", format::FINGERPRINT_SPARE),
        format!("more than {} equal", format::ORIGIN_ROWS_MAX),
        format!("if these are at most {}.", format::ORIGIN_ROWS_MAX),
        format!("`{}`", String::from_utf8_lossy(&format::MAGIC)),
        format!("`{}`", String::from_utf8_lossy(&format::DRAFT_MAGIC)),
        format!("`{}`", String::from_utf8_lossy(&format::END_MAGIC)),
    ] {
        assert!(PAGE.contains(&words), "{words}");
    }
    for (number, Spelling(time, unit)) in SPELLINGS.iter().enumerate() {
        let row = format!("| {number} | `{time}` | {unit} |");
        assert!(PAGE.contains(&row), "{row}");
    }
    for kind in format::Kind::ALL {
        let row = format!("| {} | ", kind as u16);
        assert!(PAGE.lines().any(|line| line.starts_with(&row)), "{kind:?}");
    }
}
