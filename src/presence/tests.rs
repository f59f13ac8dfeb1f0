//! Runs against a set of prints for each segment, and against damage.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what it did not expect"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::Column;
use super::Columns;
use super::Found;
use super::Run;
use super::bucket;
use super::bucket::Content;
use super::bucket::Entry;
use super::bucket::Shape;
use super::merge::merge;
use super::writer::write;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::durable;
use crate::disk::names;
use crate::disk::sim::SimDisk;
use crate::id::SegmentId;
use crate::id::StoreId;
use crate::options::ReadMode;

const STORE: StoreId = StoreId([7; 16]);

fn disk() -> SimDisk {
    let disk = SimDisk::new(1);
    durable::create_dir(&disk, names::draft_dir()).unwrap();
    durable::create_dir(&disk, names::presence_dir()).unwrap();
    disk
}

fn column(segment: usize) -> Column {
    Column::new(SegmentId(segment as u64 + 1), [segment as u8; 32])
}

/// The run of one segment, each print told twice.
fn single(disk: &SimDisk, segment: usize, prints: &BTreeSet<u32>) -> Arc<Run> {
    let mut tell = |print: &mut dyn FnMut(u32)| {
        prints.iter().rev().for_each(|one| print(*one));
        prints.iter().for_each(|one| print(*one));
        Ok(())
    };
    let number = segment as u64 + 1;
    let most = prints.len() as u64 * 2;
    write(disk, number, STORE, column(segment), most, &mut tell).unwrap();
    open(disk, number)
}

fn open(disk: &SimDisk, number: u64) -> Arc<Run> {
    let len = disk.len(&names::presence(number)).unwrap().unwrap();
    Arc::new(Run::open(disk, number, len, Some(STORE), ReadMode::Mapped).unwrap())
}

/// Segments with some prints of their own and some that many have.
fn segments(most: usize) -> impl Strategy<Value = Vec<BTreeSet<u32>>> {
    let print = prop_oneof![0_u32..40, any::<u32>(), (u32::MAX - 9)..=u32::MAX];
    proptest::collection::vec(proptest::collection::btree_set(print, 0..60), 1..most)
}

/// Where a run says that a print may be, as segments; it must know.
fn told(run: &Run, print: u32) -> BTreeSet<usize> {
    match run.find(print) {
        Found::Nowhere => BTreeSet::new(),
        Found::In(columns) => {
            let segments = bucket::each(&columns).map(|place| run.columns()[place].segment.0);
            segments.map(|segment| segment as usize - 1).collect()
        }
        Found::Anywhere => panic!("print {print:x} is not told"),
    }
}

fn check(run: &Run, segments: &[BTreeSet<u32>], kept: &dyn Fn(usize) -> bool) {
    let all: BTreeSet<u32> = segments.iter().flatten().copied().collect();
    let near = all.iter().map(|print| print.wrapping_add(1));
    for print in near.chain(all.iter().copied()).chain([0, u32::MAX]) {
        let having = segments.iter().enumerate();
        let having = having.filter(|(place, prints)| kept(*place) && prints.contains(&print));
        let having: BTreeSet<usize> = having.map(|(place, _)| place).collect();
        assert_eq!(told(run, print), having, "{print:x}");
    }
    let kept = segments
        .iter()
        .enumerate()
        .filter(|(place, _)| kept(*place));
    let kept: BTreeSet<u32> = kept.flat_map(|(_, prints)| prints).copied().collect();
    assert_eq!(
        (run.prints(), run.check().unwrap()),
        (kept.len() as u64, kept.len() as u64)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A merged run tells of each print exactly the segments that have it, however it came about.
    #[test]
    fn a_run_tells_exactly_where_a_print_is(
        segments in segments(80),
        at in 0_usize..80,
        gone in proptest::collection::btree_set(0_usize..80, 0..30),
    ) {
        let disk = disk();
        let runs: Vec<Arc<Run>> = segments
            .iter()
            .enumerate()
            .map(|(segment, prints)| single(&disk, segment, prints))
            .collect();
        for (segment, run) in runs.iter().enumerate() {
            check(run, &segments, &|place| place == segment);
        }
        let (left, right) = runs.split_at(at.min(segments.len() - 1));
        let mut halves = vec![];
        for (number, half) in [(1000, left), (1001, right)] {
            if !half.is_empty() {
                merge(&disk, number, STORE, half, &|_| true).unwrap();
                halves.push(open(&disk, number));
            }
        }
        let kept = |place: usize| !gone.contains(&place) || place == 0;
        let keep = |column: &Column| kept(column.segment.0 as usize - 1);
        merge(&disk, 1002, STORE, &halves, &keep).unwrap();
        check(&open(&disk, 1002), &segments, &kept);
    }

    /// A bucket gives back what it was made of, whatever the number of columns.
    #[test]
    fn a_bucket_is_its_entries(
        prints in proptest::collection::btree_set(0_u32..1 << 20, 0..200),
        columns in 1_usize..=512,
        words in proptest::collection::vec(any::<u64>(), 200),
        sparse in proptest::collection::vec(0_u32..10, 200),
        number in 0_u32..4096,
    ) {
        let shape = Shape { buckets_log: 12, columns };
        let entries: Vec<Entry> = prints
            .iter()
            .zip(words.iter().zip(sparse))
            .map(|(print, (word, sparse))| {
                let mut set = Columns::default();
                bucket::put(&mut set, *word as usize % columns);
                for column in 0..columns {
                    if word.rotate_left(column as u32) % (1 << sparse) == 0 {
                        bucket::put(&mut set, column);
                    }
                }
                Entry { print: number << 20 | print, columns: set }
            })
            .collect();
        let mut bytes = Vec::new();
        bucket::encode(number, shape, &Content::Entries(entries.clone()), &mut bytes);
        prop_assert_eq!(bucket::decode(&bytes, number, shape), Some(Content::Entries(entries.clone())));
        prop_assert_eq!(bucket::decode(&bytes, number ^ 1, shape), None);
        for entry in &entries {
            let found = bucket::find(&bytes, number, shape, entry.print);
            prop_assert_eq!(found, Some(Found::In(entry.columns)));
        }
    }
}

/// Someone who chooses terms can fill a bucket; it then says that it does not know, also when it is
/// merged, and the others go on knowing.
#[test]
fn a_flooded_bucket_knows_nothing_and_the_others_all() {
    let disk = disk();
    let flood: BTreeSet<u32> = (0..bucket::PRINTS_MAX as u32 + 1).collect();
    let spread = (0..40_000_u32).map(|print| print.wrapping_mul(0x9e37_79b9));
    let flooded = single(&disk, 0, &flood.iter().copied().chain(spread).collect());
    let plain = single(&disk, 1, &BTreeSet::from([5, u32::MAX]));
    merge(&disk, 9, STORE, &[flooded, plain], &|_| true).unwrap();
    let merged = open(&disk, 9);
    assert_eq!(merged.find(5), Found::Anywhere);
    assert_eq!(told(&merged, u32::MAX), BTreeSet::from([1]));
    assert!(!merged.is_damaged());
    merged.check().unwrap();
}

/// A changed byte is found by who checks the run, and never makes a look-up lose a segment.
#[test]
fn no_changed_byte_loses_a_segment() {
    let disk = disk();
    let prints: BTreeSet<u32> = (0..90_u32)
        .map(|print| print.wrapping_mul(0x9e37_79b9))
        .collect();
    let halves = [
        single(&disk, 0, &prints),
        single(&disk, 1, &BTreeSet::from([3])),
    ];
    merge(&disk, 9, STORE, &halves, &|_| true).unwrap();
    let path = names::presence(9);
    let len = disk.len(&path).unwrap().unwrap();
    let file = disk.open_write(&path).unwrap();
    for at in 0..len {
        let mut byte = [0];
        file.read_at(at, &mut byte).unwrap();
        let flipped = byte[0] ^ 1 << (at % 8);
        file.write_at(at, &[flipped]).unwrap();
        if let Ok(run) = Run::open(&disk, 9, len, Some(STORE), ReadMode::Positional) {
            assert!(run.check().is_err(), "byte {at}");
            for print in &prints {
                match run.find(*print) {
                    Found::Anywhere => assert!(run.is_damaged()),
                    Found::In(columns) => assert!(columns[0] & 1 == 1, "byte {at}"),
                    Found::Nowhere => panic!("print {print:x} is lost by byte {at}"),
                }
            }
        }
        file.write_at(at, &byte).unwrap();
    }
    for cut in 0..len {
        let opened = Run::open(&disk, 9, cut, Some(STORE), ReadMode::Positional);
        assert!(opened.is_err(), "{cut}");
    }
}
