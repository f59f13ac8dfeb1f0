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
use proptest::prop_assert_eq;

use super::Extent;
use super::Group;
use super::Reader;
use super::Tail;
use super::Writer;
use crate::codec::frame::Frame;
use crate::codec::frame::tests::dump;
use crate::codec::frame::tests::is_damage;
use crate::codec::frame::tests::shows;
use crate::codec::row::Body;
use crate::codec::row::ImportMark;
use crate::disk::Disk;
use crate::disk::durable;
use crate::disk::names;
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
    let mut reader = Reader::open(disk, WalId(1), STORE, extent)?;
    let (mut counts, mut seq) = (Vec::new(), 0);
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
    durable::read(disk, &names::wal(WalId(1)), 1 << 20).unwrap()
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
    let second = first.successor(&disk, WalId(2), Sequence(46)).unwrap();
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
    let (_, ends) = filled(&disk, &[1, 30, 2]);
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
    disk.fail(Fault::new(Operation::Write, io::ErrorKind::Other));
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

proptest::proptest! {
    #[test]
    fn a_crash_keeps_every_synced_group(
        groups in proptest::collection::vec((1_usize..60, any::<bool>()), 1..8),
        seed: u64,
    ) {
        let disk = disk(seed);
        let (mut writer, mut seq, mut synced) = (writer(&disk), 0, 0);
        for (number, (count, sync)) in groups.iter().enumerate() {
            append(&mut writer, &mut seq, *count).unwrap();
            if *sync {
                writer.sync().unwrap();
                synced = number + 1;
            }
        }
        let durable = writer.end() - writer.unsynced_bytes();
        for disk in [disk.crash(seed), disk.crash(!seed), disk.kill()] {
            for extent in [UNCLEAN, Extent::Unclean { durable }] {
                let (counts, tail) = read(&disk, extent).unwrap();
                prop_assert!(counts.len() >= synced && tail.end >= durable);
                let written = groups.iter().map(|(count, _)| *count).take(counts.len());
                prop_assert_eq!(&counts, &written.collect::<Vec<_>>());
            }
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
