//! Proofs of the write-ahead log: groups come back whole and in order; a closed log accounts for
//! every byte; a failed append leaves the log as it was; a crash keeps every synced group.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is what it should do"
)]

use std::io;
use std::path::Path;

use proptest::prelude::any;
use proptest::prop_assert;

use super::Extent;
use super::Group;
use super::Reader;
use super::Spare;
use super::Tail;
use super::Writer;
use crate::codec::frame::Frame;
use crate::codec::frame::tests::dump;
use crate::codec::frame::tests::is_damage;
use crate::codec::frame::tests::shows;
use crate::codec::row::Body;
use crate::codec::row::ImportMark;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::durable;
use crate::disk::names;
use crate::disk::real::RealDisk;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::id::WalId;
use crate::time::Time;

mod edges;

const STORE: StoreId = StoreId(*b"0123456789abcdef");
const UNCLEAN: Extent = Extent::Unclean { durable: 0 };
const CREATED: Body<'_> = Body {
    time_given: false,
    import: None,
    content: r#"{"type":"user.created"}"#,
};
const UPDATED: Body<'_> = Body {
    time_given: true,
    import: None,
    content: r#"{"type":"user.updated"}"#,
};
const IMPORTED: Body<'_> = Body {
    time_given: true,
    import: Some(ImportMark {
        mapping: "entries",
        repeat: 3,
    }),
    content: r#"{"type":"login","sub_type":"x"}"#,
};

type Rows = Vec<(Time, Body<'static>)>;

fn disk(seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed);
    durable::create_dir(&disk, names::draft_dir()).unwrap();
    durable::create_dir(&disk, names::wal_dir()).unwrap();
    disk
}

fn time() -> Time {
    "2026-05-17T08:00:00Z".parse().unwrap()
}

fn writer(disk: &SimDisk) -> Writer {
    Writer::create(disk, WalId(1), STORE, Sequence(0), 0).unwrap()
}

/// Rows of one group: `count` of them, of every form in turn, at times before and after.
fn rows(count: usize) -> Rows {
    let bodies = [CREATED, UPDATED, IMPORTED].into_iter().cycle();
    let micros = |number: usize| time().as_micros() + (number as i64 * 7_919 % 1000 - 500) * 1000;
    let times = (0..count).map(|number| Time::from_micros(micros(number)).unwrap());
    times.zip(bodies).collect()
}

fn append(writer: &mut Writer, seq: &mut u64, count: usize) -> Result<()> {
    writer.append(Sequence(*seq), time(), rows(count))?;
    *seq += count as u64;
    Ok(())
}

fn filled(disk: &SimDisk, counts: &[usize]) -> (Writer, Vec<u64>) {
    let mut writer = writer(disk);
    let (mut seq, mut ends) = (0, vec![writer.end()]);
    for count in counts {
        append(&mut writer, &mut seq, *count).unwrap();
        writer.sync().unwrap();
        ends.push(writer.end());
    }
    (writer, ends)
}

/// Reads log 1, checks each group's rows, and answers the groups' sizes and the tail.
fn read(disk: &SimDisk, extent: Extent) -> Result<(Vec<usize>, Tail)> {
    read_log(disk, WalId(1), extent)
}

fn read_log(disk: &SimDisk, id: WalId, extent: Extent) -> Result<(Vec<usize>, Tail)> {
    let mut reader = Reader::open(disk, id, STORE, extent)?;
    let (mut counts, mut seq) = (Vec::new(), reader.first_seq().0);
    while let Some(group) = reader.next()? {
        assert_eq!(
            (group.first_seq, group.recorded_at),
            (Sequence(seq), time())
        );
        let count = group.count as usize;
        for (row, (occurred_at, body)) in group.rows().zip(rows(count)) {
            let row = row?;
            assert_eq!((row.position.occurred_at, row.body), (occurred_at, body));
            assert_eq!(row.position.seq.0, seq);
            seq += 1;
        }
        assert_eq!(group.next_seq(), Sequence(seq));
        counts.push(count);
    }
    Ok((counts, reader.tail().unwrap()))
}

fn bytes(disk: &SimDisk) -> Vec<u8> {
    bytes_of(disk, WalId(1))
}

fn bytes_of(disk: &SimDisk, id: WalId) -> Vec<u8> {
    durable::read(disk, &names::wal(id), 1 << 20).unwrap()
}

#[test]
fn groups_come_back_and_the_next_log_says_where_this_one_ended() {
    let disk = disk(1);
    let (mut first, ends) = filled(&disk, &[1, 3, 40, 2]);
    let end = *ends.last().unwrap();
    assert_eq!((first.end(), first.unsynced_bytes()), (end, 0));
    let (counts, tail) = read(&disk, Extent::Closed(end)).unwrap();
    assert_eq!(
        (counts, tail),
        (vec![1, 3, 40, 2], Tail { end, torn: None })
    );
    for (count, end) in ends.iter().enumerate() {
        assert_eq!(read(&disk, Extent::Live(*end)).unwrap().0.len(), count);
    }
    let second = first
        .successor(&disk, WalId(2), Sequence(46), None)
        .unwrap();
    let reader = Reader::open(&disk, WalId(2), STORE, Extent::Closed(second.end())).unwrap();
    assert_eq!(reader.end_before(), Some(end));
    assert_eq!(reader.first_seq(), Sequence(46));
    append(&mut first, &mut 46, 1).unwrap();
    assert!(first.unsynced_bytes() > 0);
    assert!(first.append(Sequence(47), time(), Rows::new()).is_err());
}

#[test]
fn every_flipped_bit_of_a_closed_log_is_damage() {
    let disk = disk(2);
    let (mut writer, ends) = filled(&disk, &[1, 30, 2]);
    writer.end_here().unwrap();
    let extent = Extent::Closed(*ends.last().unwrap());
    let (good, path) = (bytes(&disk), names::wal(WalId(1)));
    let file = disk.open_write(&path).unwrap();
    for (at, byte) in good.iter().enumerate() {
        let bad = byte ^ 1 << (at % 8);
        file.write_at(at as u64, &[bad]).unwrap();
        let error = read(&disk, extent).unwrap_err();
        assert!(is_damage(&error), "byte {at}: {error}");
        assert_eq!(error.place().unwrap().file, disk.place(&path));
        file.write_at(at as u64, &[*byte]).unwrap();
    }
    for len in (0..good.len()).rev() {
        file.set_len(len as u64).unwrap();
        let error = read(&disk, extent).unwrap_err();
        assert!(is_damage(&error), "cut to {len}: {error}");
        let kept = read(&disk, UNCLEAN);
        match ends.iter().rposition(|end| *end <= len as u64) {
            Some(whole) => assert_eq!(kept.unwrap().0, [1, 30, 2][..whole]),
            None => assert!(is_damage(&kept.unwrap_err())),
        }
    }
}

#[test]
fn a_full_disk_leaves_the_log_as_it_was() {
    let disk = disk(3);
    let (mut writer, mut seq) = (writer(&disk), 0);
    append(&mut writer, &mut seq, 3).unwrap();
    let end = writer.end();
    disk.fail(Fault::new(Operation::Write, io::ErrorKind::StorageFull));
    let error = append(&mut writer, &mut seq, 50).unwrap_err();
    assert!(error.is_full() && !writer.is_broken());
    assert_eq!((writer.end(), bytes(&disk).len() as u64), (end, end));
    append(&mut writer, &mut seq, 5).unwrap();
    writer.sync().unwrap();
    let (counts, _) = read(&disk, Extent::Closed(writer.end())).unwrap();
    assert_eq!(counts, [3, 5]);
}

#[test]
fn what_cannot_be_taken_back_breaks_the_writer() {
    let disk = disk(4);
    let (mut writer, mut seq) = (writer(&disk), 0);
    // The write before it is of zeros, which the log can do without.
    disk.fail(Fault::new(Operation::Write, io::ErrorKind::Other).after(1));
    disk.fail(Fault::new(Operation::SetLen, io::ErrorKind::Other));
    assert!(append(&mut writer, &mut seq, 2).is_err());
    assert!(writer.is_broken());
    let error = append(&mut writer, &mut seq, 2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Poisoned);
    assert!(read(&disk, UNCLEAN).unwrap().0.is_empty());

    let disk = self::disk(5);
    let (mut writer, _) = filled(&disk, &[2]);
    disk.fail(Fault::new(Operation::Sync, io::ErrorKind::Other));
    append(&mut writer, &mut 2, 2).unwrap();
    assert!(writer.sync().is_err() && writer.is_broken());
    assert_eq!(writer.sync().unwrap_err().kind(), ErrorKind::Poisoned);
}

/// Log 2, in the file that was log 1 with groups of these sizes.
fn recycled(disk: &SimDisk, former: &[usize]) -> (Writer, u64) {
    let (mut first, _) = filled(disk, former);
    first.end_here().unwrap();
    let spare = Spare::take(disk, WalId(1)).unwrap();
    assert_eq!(spare.unwrap().end, first.end());
    let seq = former.iter().sum::<usize>() as u64;
    let second = first.successor(disk, WalId(2), Sequence(seq), spare);
    (second.unwrap(), seq)
}

#[test]
fn a_log_that_was_another_one_shows_nothing_of_it() {
    let disk = disk(8);
    let (mut writer, mut seq) = recycled(&disk, &[1, 40, 3, 30]);
    let stale = bytes_of(&disk, WalId(2)).len();
    assert!(stale > 4 * 512);
    let end = writer.end();
    let nothing = (Vec::new(), Tail { end, torn: None });
    assert_eq!(read_log(&disk, WalId(2), UNCLEAN).unwrap(), nothing);
    for count in [2, 1, 25, 40] {
        append(&mut writer, &mut seq, count).unwrap();
        let tail = read_log(&disk, WalId(2), UNCLEAN).unwrap().1;
        let end = writer.end();
        assert_eq!(tail, Tail { end, torn: None });
    }
    writer.end_here().unwrap();
    let (counts, tail) = read_log(&disk, WalId(2), Extent::Closed(writer.end())).unwrap();
    assert_eq!((counts, tail.end), (vec![2, 1, 25, 40], writer.end()));
    assert_eq!(bytes_of(&disk, WalId(2)).len() as u64, writer.end());
}

/// The sectors of the former log could hide what became of this one's last frame: they do not.
#[test]
fn damage_in_the_last_frame_is_told_from_what_the_file_was_before() {
    let disk = disk(9);
    let (mut writer, mut seq) = recycled(&disk, &[60, 60]);
    append(&mut writer, &mut seq, 2).unwrap();
    let last = writer.end() as usize;
    append(&mut writer, &mut seq, 25).unwrap();
    let good = bytes_of(&disk, WalId(2));
    assert!(
        writer.end() as usize + 4 * 512 < good.len(),
        "nothing stale"
    );
    let file = disk.open_write(&names::wal(WalId(2))).unwrap();
    let frame = good.iter().enumerate().skip(last);
    for (at, byte) in frame.take(writer.end() as usize - last) {
        file.write_at(at as u64, &[byte ^ 1 << (at % 8)]).unwrap();
        match read_log(&disk, WalId(2), UNCLEAN) {
            Err(error) => assert!(is_damage(&error), "byte {at}: {error}"),
            Ok((counts, tail)) => {
                assert!(at % 512 < 8, "byte {at} was ignored");
                assert_eq!(counts, [2]);
                let torn = tail.torn.unwrap().bytes;
                assert!(torn > 0 && torn <= writer.end() - last as u64, "byte {at}");
            }
        }
        file.write_at(at as u64, &[*byte]).unwrap();
    }
    for sector in (writer.end() as usize..good.len()).step_by(512) {
        file.write_at(sector as u64 + 20, b"scratch").unwrap();
    }
    let tail = read_log(&disk, WalId(2), UNCLEAN).unwrap().1;
    assert_eq!((tail.end, tail.torn), (writer.end(), None));
}

#[test]
fn a_log_is_not_written_over_while_somebody_reads_it() {
    let disk = disk(10);
    let (mut first, _) = filled(&disk, &[3]);
    first.end_here().unwrap();
    let reader = Reader::open(&disk, WalId(1), STORE, UNCLEAN).unwrap();
    assert_eq!(Spare::take(&disk, WalId(1)).unwrap(), None);
    drop(reader);
    let opened = disk.open_read(&names::wal(WalId(1))).unwrap();
    let spare = Spare::take(&disk, WalId(1)).unwrap();
    assert!(spare.is_some() && opened.hold().unwrap());
    assert!(
        !opened.is_in_place().unwrap(),
        "who opened it before is told"
    );
}

/// A snapshot made of hard links shares the files: the writer's next log once stood in the place of
/// the snapshot's.
#[test]
fn p1_a_log_that_has_another_name_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::open(folder.path()).unwrap();
    for name in [names::wal_dir(), names::draft_dir()] {
        disk.create_dir(name).unwrap();
    }
    let mut log = Writer::create(&disk, WalId(1), STORE, Sequence(0), 0).unwrap();
    log.end_here().unwrap();
    let path = disk.place(&names::wal(WalId(1)));
    let linked = folder.path().join("linked");
    std::fs::hard_link(&path, &linked).unwrap();
    assert_eq!(Spare::take(&disk, WalId(1)).unwrap(), None);
    std::fs::remove_file(&linked).unwrap();
    assert!(Spare::take(&disk, WalId(1)).unwrap().is_some());
}

#[test]
fn small_groups_write_over_bytes_that_are_there() {
    let disk = disk(11);
    let (mut writer, mut seq) = (writer(&disk), 0);
    let mut lengths = Vec::new();
    for _ in 0..200 {
        append(&mut writer, &mut seq, 1).unwrap();
        lengths.push(bytes(&disk).len());
    }
    lengths.dedup();
    assert!(lengths.len() < 10, "{lengths:?}");
    // A group of many events brings its own length and pays it once.
    append(&mut writer, &mut seq, 5000).unwrap();
    assert_eq!(bytes(&disk).len() as u64, writer.end());
    let (counts, _) = read(&disk, UNCLEAN).unwrap();
    assert_eq!(counts.len(), 201);
}

#[test]
fn a_log_of_another_store_or_number_is_refused() {
    let disk = disk(6);
    filled(&disk, &[2]);
    let other = Reader::open(&disk, WalId(1), StoreId([9; 16]), UNCLEAN);
    assert!(other.is_err_and(|error| is_damage(&error)));
    disk.rename(&names::wal(WalId(1)), &names::wal(WalId(3)))
        .unwrap();
    let other = Reader::open(&disk, WalId(3), STORE, UNCLEAN);
    assert!(other.is_err_and(|error| is_damage(&error)));
    let none = Reader::open(&disk, WalId(1), STORE, UNCLEAN);
    assert!(none.is_err_and(|error| error.kind() == ErrorKind::Missing));
}

#[test]
fn the_page_shows_what_the_code_writes() {
    let disk = disk(7);
    let mut writer = writer(&disk);
    let earlier = Time::from_micros(time().as_micros() - 1_000_000).unwrap();
    let rows = [(time(), CREATED), (earlier, UPDATED)];
    writer.append(Sequence(0), time(), rows).unwrap();
    shows(
        include_str!("../../docs/format/wal.md"),
        &dump(&bytes(&disk)),
    );
}

/// Appends groups, some of them synced, to the log `id`, and cuts the power or kills the process: what
/// was synced is there, and what is there are the first groups. Gives where the log ended, and how
/// each image was read.
fn crashed(
    disk: &SimDisk,
    id: WalId,
    (mut writer, mut seq): (Writer, u64),
    groups: &[(usize, bool)],
    seed: u64,
) -> (u64, Vec<Tail>) {
    let mut synced = 0;
    for (number, (count, sync)) in groups.iter().enumerate() {
        append(&mut writer, &mut seq, *count).unwrap();
        if *sync {
            writer.sync().unwrap();
            synced = number + 1;
        }
    }
    let durable = writer.end() - writer.unsynced_bytes();
    let mut tails = Vec::new();
    for disk in [disk.crash(seed), disk.crash(!seed), disk.kill()] {
        for extent in [UNCLEAN, Extent::Unclean { durable }] {
            let (counts, tail) = read_log(&disk, id, extent).unwrap();
            assert!(counts.len() >= synced && tail.end >= durable);
            let written = groups.iter().map(|(count, _)| *count).take(counts.len());
            assert_eq!(counts, written.collect::<Vec<_>>());
            tails.push(tail);
        }
    }
    (writer.end(), tails)
}

proptest::proptest! {
    #[test]
    fn a_crash_keeps_every_synced_group(
        groups in proptest::collection::vec((1_usize..60, any::<bool>()), 1..8),
        seed: u64,
    ) {
        let disk = disk(seed);
        crashed(&disk, WalId(1), (writer(&disk), 0), &groups, seed);
    }

    #[test]
    fn a_crash_of_a_log_that_was_another_one_keeps_every_synced_group(
        former in proptest::collection::vec(1_usize..90, 1..6),
        groups in proptest::collection::vec((1_usize..60, any::<bool>()), 1..8),
        seed: u64,
    ) {
        let disk = disk(seed);
        let log = recycled(&disk, &former);
        let (end, tails) = crashed(&disk, WalId(2), log, &groups, seed);
        for tail in tails {
            let torn = tail.torn.map_or(0, |torn| torn.bytes);
            prop_assert!(tail.end + torn <= end, "what is stale is not torn");
        }
    }

    #[test]
    fn a_hostile_group_is_an_error_and_no_panic(
        head in proptest::option::of((any::<u64>(), 0_i64..1 << 60, 0_u32..5)),
        tail: Vec<u8>,
    ) {
        let mut payload = Vec::new();
        if let Some((seq, time, count)) = head {
            payload.extend_from_slice(&seq.to_le_bytes());
            payload.extend_from_slice(&time.to_le_bytes());
            payload.extend_from_slice(&count.to_le_bytes());
        }
        payload.extend_from_slice(&tail);
        let frame = Frame { path: Path::new("x.wal"), offset: 512, payload: &payload };
        if let Ok(group) = Group::decode(frame) {
            let rows: std::result::Result<Vec<_>, Error> = group.rows().collect();
            prop_assert!(rows.is_err() || rows.is_ok_and(|rows| rows.len() == group.count as usize));
        }
    }
}
