//! Holds the format's page against the code: its sizes are the constants, and its worked example
//! opens and reads as the page says, for ever. What is written today may differ from it by what
//! another version of zstd makes of the same bytes.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::path::Path;

use super::format;
use super::reader::Expected;
use super::reader::Loaded;
use super::reader::Reader;
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
    let mut terms = reader.terms(&[]).unwrap();
    let mut found = Vec::new();
    while terms.advance().unwrap() {
        found.push((terms.term().to_vec(), terms.count()));
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
        format!(
            "At most {} rows; closed when it has {} KiB raw",
            format::BLOCK_ROWS,
            format::BLOCK_BYTES >> 10
        ),
        format!("{} bytes for each row block", format::ROW_INDEX_LEN),
        format!(
            "At most {} terms, closed at {} KiB raw",
            format::TERM_BLOCK_TERMS,
            format::TERM_BLOCK_BYTES >> 10
        ),
        format!("each is at most {} bytes long", format::TERM_BYTES_MAX),
        format!("up to {} rows", format::INLINE_ROWS),
        format!("chunks of {}, the last one shorter", format::CHUNK_ROWS),
        format!("A table of {} bytes for each chunk", format::CHUNK_LEN),
        format!("{} bytes for each term block", format::TERM_INDEX_LEN),
        format!("{} pairs (key, row)", format::PAGE_PAIRS),
        format!("{} bytes for each page", format::PAGE_INDEX_LEN),
        format!("`{}`", String::from_utf8_lossy(&format::MAGIC)),
        format!("`{}`", String::from_utf8_lossy(&format::END_MAGIC)),
        format!("`{}`", String::from_utf8_lossy(&format::BLOCK_MAGIC)),
    ] {
        assert!(PAGE.contains(&words), "{words}");
    }
    for kind in format::Kind::ALL {
        let row = format!("| {} | ", kind as u16);
        assert!(PAGE.lines().any(|line| line.starts_with(&row)), "{kind:?}");
    }
}
