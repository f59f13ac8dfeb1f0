//! What a log must not be taken for, and what it must not do without need: each rule has a log that
//! breaks it alone.

use std::io;

use super::CREATED;
use super::STORE;
use super::UNCLEAN;
use super::append;
use super::bytes;
use super::disk;
use super::filled;
use super::is_damage;
use super::read;
use super::rows;
use super::time;
use super::writer;
use crate::disk::Disk;
use crate::disk::durable;
use crate::disk::names;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::id::Sequence;
use crate::id::WalId;
use crate::time::Time;
use crate::wal::Reader;
use crate::wal::Spare;
use crate::wal::Writer;
use crate::wal::format;
use crate::wal::is_blank;

#[test]
fn p1_only_the_first_log_with_nothing_in_it_is_blank() {
    let disk = disk(20);
    let mut log = writer(&disk);
    assert!(is_blank(&disk, WalId(1)).unwrap());
    disk.rename(&names::wal(WalId(1)), &names::wal(WalId(2)))
        .unwrap();
    assert!(!is_blank(&disk, WalId(2)).unwrap(), "another log's header");
    disk.rename(&names::wal(WalId(2)), &names::wal(WalId(1)))
        .unwrap();
    append(&mut log, &mut 0, 1).unwrap();
    assert!(!is_blank(&disk, WalId(1)).unwrap(), "there is an event");
    Writer::create(&disk, WalId(3), STORE, Sequence(1), 0).unwrap();
    assert!(!is_blank(&disk, WalId(3)).unwrap(), "an event was before");
}

#[test]
fn p3_a_log_that_is_being_taken_for_another_one_is_not_read() {
    let disk = disk(21);
    filled(&disk, &[2]);
    let taker = disk.open_write(&names::wal(WalId(1))).unwrap();
    assert!(taker.claim().unwrap());
    let error = read(&disk, UNCLEAN).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    drop(taker);
    assert_eq!(read(&disk, UNCLEAN).unwrap().0, [2]);
}

#[test]
fn p4_a_log_that_says_it_was_a_later_one_or_ended_within_a_sector_is_damage() {
    for (former, end) in [(1, 512), (2, 512), (0, 511), (1, 511)] {
        let disk = disk(22);
        let header = format::header(STORE, WalId(1), [0, 0, former, end]);
        durable::create(&disk, &names::wal(WalId(1)), &header.encode()).unwrap();
        let error = read(&disk, UNCLEAN).unwrap_err();
        assert!(is_damage(&error), "log {former} up to {end}: {error}");
    }
}

#[test]
fn p4_a_group_that_goes_back_in_number_or_time_is_damage() {
    let at = |micros| Time::from_micros(time().as_micros() + micros).unwrap();
    for (seq, recorded_at, is_good) in [
        (2, at(0), true),
        (9, at(1), true),
        (1, at(0), false),
        (1, at(1), false),
        (2, at(-1), false),
    ] {
        let disk = disk(23);
        let (mut log, _) = filled(&disk, &[2]);
        log.append(Sequence(seq), recorded_at, [(time(), CREATED)])
            .unwrap();
        let mut reader = Reader::open(&disk, WalId(1), STORE, UNCLEAN).unwrap();
        assert!(reader.next().unwrap().is_some());
        match reader.next() {
            Ok(group) => assert!(group.is_some() && is_good, "{seq} {recorded_at}"),
            Err(error) => assert!(is_damage(&error) && !is_good, "{seq} {recorded_at}"),
        }
    }
}

#[test]
fn p6_groups_behind_damage_are_read_by_who_passes_it() {
    let disk = disk(24);
    let (_log, ends) = filled(&disk, &[1, 30, 2]);
    let file = disk.open_write(&names::wal(WalId(1))).unwrap();
    file.write_at(ends[1] + 20, b"scratch").unwrap();
    let mut reader = Reader::open(&disk, WalId(1), STORE, UNCLEAN).unwrap();
    assert!(reader.next().unwrap().is_some());
    assert!(is_damage(&reader.next().err().unwrap()));
    assert!(reader.pass_damage().unwrap());
    assert_eq!(reader.next().unwrap().unwrap().count, 2);
    assert!(reader.next().unwrap().is_none());
}

#[test]
fn a_spare_that_is_gone_is_removed_and_one_that_stays_is_told() {
    let disk = disk(25);
    let (mut log, _) = filled(&disk, &[2]);
    log.end_here().unwrap();
    let spare = Spare::take(&disk, WalId(1)).unwrap().unwrap();
    disk.fail(Fault::new(Operation::Unlink, io::ErrorKind::Other));
    assert!(spare.remove(&disk).is_err());
    spare.remove(&disk).unwrap();
    spare.remove(&disk).unwrap();
}

/// Changes of the file since `before`: cuts and syncs.
fn work(disk: &SimDisk) -> [u64; 2] {
    [Operation::SetLen, Operation::Sync].map(|operation| disk.count(operation))
}

#[test]
fn p1_a_log_that_ends_is_durable_and_one_that_has_ended_costs_nothing() {
    let disk = disk(26);
    let mut log = writer(&disk);
    // So many that nothing is written ahead: the file ends where the log does.
    append(&mut log, &mut 0, 5000).unwrap();
    assert_eq!(bytes(&disk).len() as u64, log.end());
    let before = work(&disk);
    log.end_here().unwrap();
    let [cuts, syncs] = before;
    assert_eq!(work(&disk), [cuts, syncs + 1]);
    assert_eq!(read(&disk.crash(1), UNCLEAN).unwrap().0, [5000]);
    log.end_here().unwrap();
    assert_eq!(work(&disk), [cuts, syncs + 1]);
}

#[test]
fn zeros_are_written_ahead_only_when_a_small_group_does_not_fit() {
    let disk = disk(27);
    let (mut log, mut seq) = (writer(&disk), 0);
    for _ in 0..100 {
        let room = bytes(&disk).len();
        append(&mut log, &mut seq, 1).unwrap();
        let fits = log.end() <= room as u64;
        assert_eq!(bytes(&disk).len() == room, fits, "at {}", log.end());
    }
    // The largest small group, and the smallest large one, by their sectors.
    for (sectors, is_small) in [(128, true), (129, false)] {
        let disk = self::disk(28);
        let mut log = writer(&disk);
        let start = log.end();
        let count = (1..).find(|count| {
            let disk = self::disk(29);
            let mut log = writer(&disk);
            log.append(Sequence(0), time(), rows(count * 16)).unwrap();
            log.end() - start >= sectors * 512
        });
        append(&mut log, &mut 0, count.unwrap() * 16).unwrap();
        assert_eq!(log.end() - start, sectors * 512);
        assert_eq!(bytes(&disk).len() as u64 > log.end(), is_small);
    }
}
