//! Holds the format's page against the code: its sizes are the constants, and its worked example is
//! what is written and read.

#![expect(
    clippy::indexing_slicing,
    reason = "a test may stop at what it did not expect"
)]

use std::sync::Arc;

use super::Column;
use super::Found;
use super::Run;
use super::asked;
use super::bucket;
use super::format;
use super::merge::merge;
use super::told;
use super::writer::write;
use crate::disk::ReadDisk;
use crate::disk::durable;
use crate::disk::names;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::id::SegmentId;
use crate::id::StoreId;
use crate::options::ReadMode;

const PAGE: &str = include_str!("../../docs/format/presence.md");
const STORE: StoreId = StoreId(*b"0123456789abcdef");
const CREATED: &[u8] = b"\x01\x01user.created";
const REMOVED: &[u8] = b"\x01\x01user.removed";
const SUBJECT: &[u8] = b"\x09\x01user\0u7";

fn run(disk: &SimDisk, number: u64, terms: &[&[u8]]) -> Result<Arc<Run>> {
    let column = Column::new(SegmentId(number), [number as u8 * 0x11; 32]);
    let mut tell = |print: &mut dyn FnMut(u32)| {
        terms.iter().for_each(|term| told(term, &mut *print));
        Ok(())
    };
    write(disk, number, STORE, column, 4, &mut tell)?;
    open(disk, number)
}

fn open(disk: &SimDisk, number: u64) -> Result<Arc<Run>> {
    let len = disk.len(&names::presence(number))?.unwrap_or(0);
    Run::open(disk, number, len, Some(STORE), ReadMode::Positional).map(Arc::new)
}

#[test]
fn the_page_s_example_is_what_is_written_and_read() -> Result<()> {
    let disk = SimDisk::new(1);
    durable::create_dir(&disk, names::draft_dir())?;
    durable::create_dir(&disk, names::presence_dir())?;
    let runs = [
        run(&disk, 1, &[CREATED, SUBJECT])?,
        run(&disk, 2, &[CREATED, REMOVED])?,
    ];
    merge(&disk, 3, STORE, &runs, &|_| true)?;
    let merged = open(&disk, 3)?;
    let mut bytes = vec![0; merged.len() as usize];
    disk.open_read(&names::presence(3))?
        .read_at(0, &mut bytes)?;
    let mut lines = String::new();
    for (number, line) in bytes.chunks(16).enumerate() {
        let line: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        lines += &format!("{:04x}  {}\n", number * 16, line.join(" "));
    }
    assert!(PAGE.contains(&format!("```text\n{lines}```")), "{lines}");
    for (term, wanted) in [
        (CREATED, vec![0, 1]),
        (REMOVED, vec![1]),
        (SUBJECT, vec![0]),
        (b"\x0a\x01u7", vec![0]),
        (b"\x0d\x01u7", vec![0]),
        (b"\x0b\x01user", vec![]),
        (b"\x10\x01u7", vec![]),
    ] {
        let mut found = Vec::new();
        asked(term, |print| match merged.find(print) {
            Found::In(columns) => found.extend(bucket::each(&columns)),
            Found::Nowhere => {}
            Found::Anywhere => panic!("the example is damaged"),
        });
        assert_eq!(found, wanted, "{}", term.escape_ascii());
    }
    assert_eq!(merged.check()?, 4);
    assert_eq!(
        bytes[0x48..0x4a],
        [4, 0],
        "the number of prints in the bucket"
    );
    Ok(())
}

#[test]
fn the_page_s_sizes_are_the_constants() {
    for words in [
        format!("version, {}", format::VERSION),
        format!("number of columns, 1 to {}", format::COLUMNS_MAX),
        format!(
            "| {} | {} each | columns",
            format::HEADER_LEN,
            format::COLUMN_LEN
        ),
        format!("| {} each | where each bucket", format::PLACE_LEN),
        format!("| -{} | 8 | number of prints", format::FOOTER_LEN),
        format!("b at most {}", format::BUCKETS_LOG_MAX),
        format!("at most {} prints on average", format::BUCKET_PRINTS),
        format!("number of prints, at most {}", bucket::PRINTS_MAX),
        format!("`{}`", String::from_utf8_lossy(&format::MAGIC)),
        format!("`{}`", String::from_utf8_lossy(&format::END_MAGIC)),
    ] {
        assert!(PAGE.contains(&words), "{words}");
    }
}
