//! What others leave for the writer is in the trail once, whatever ends in the middle of leaving it or of
//! taking it over, and whatever else lies beside it.

use std::io::ErrorKind::Other;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use super::append;
use super::at;
use super::events;
use super::open;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::blob::Blob;
use crate::disk::names;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::event::Event;
use crate::id::StoreId;
use crate::inbox;
use crate::inbox::Inbox;
use crate::limits;
use crate::manifest::Current;
use crate::options::ReadMode;
use crate::segment;
use crate::segment::format::Kind;
use crate::store::Store;
use crate::store::adopt::Looks;

fn record(number: u64) -> Event {
    Event::new("audit.queried")
        .occurred_at(at(number as i64))
        .key(format!("record {number}"))
}

fn leave(disk: &SimDisk, number: u64) -> Result<()> {
    Inbox(disk).leave(Current::read(disk)?.store, &record(number))
}

/// The numbers of the records that the store took over, sorted.
fn adopted(store: &Store) -> Vec<i64> {
    let events = events(store).unwrap().into_iter();
    let audit = events.filter(|stored| stored.event.event_type == "audit.queried");
    let mut numbers: Vec<i64> = audit.map(|stored| stored.occurred_at.as_micros()).collect();
    numbers.sort_unstable();
    numbers
}

/// Puts a file there that nobody synced or checked.
fn put(disk: &SimDisk, name: &str, bytes: &[u8]) {
    let path = names::inbox_dir().join(name);
    disk.create_dir(names::inbox_dir()).unwrap();
    disk.create_new(&path).unwrap().write_at(0, bytes).unwrap();
}

/// Cut at each change of the disk in turn, by a kill and by power failures.
#[test]
fn mission_d24_a_record_left_beside_the_writer_is_taken_over_once() {
    for n in 0.. {
        let disk = SimDisk::new(n);
        let store = open(&disk).unwrap();
        append(&store, 0..3).unwrap();
        store.close().unwrap();
        leave(&disk, 1).unwrap();
        disk.fail(Fault::any_change(Other).after(n).sticky());
        let told = leave(&disk, 2).is_ok();
        let opened = open(&disk);
        let whole = told && opened.is_ok_and(|store| store.close().is_ok());
        for left in [disk.kill(), disk.crash(n), disk.crash(n + 1)] {
            for _ in 0..2 {
                let store = open(&left).unwrap();
                let adopted = adopted(&store);
                assert!(
                    adopted == [1, 2] || adopted == [1] && !told,
                    "change {n}: {adopted:?}"
                );
                assert_eq!(inbox::list(&left).unwrap(), Vec::<String>::new());
                assert_eq!(left.list(names::inbox_dir()).unwrap(), []);
                store.close().unwrap();
            }
        }
        if whole {
            break;
        }
    }
}

/// A writer that has the store open takes a record over soon, and without an append of its own.
#[test]
fn mission_d24_a_running_writer_takes_records_over_by_itself() {
    let disk = SimDisk::new(1);
    let store = open(&disk).unwrap();
    for number in 0..3 {
        leave(&disk, number).unwrap();
        // Left twice, as by a job that is gone on with: told once.
        leave(&disk, number).unwrap();
        let begun = Instant::now();
        while adopted(&store).len() as u64 <= number {
            assert!(begun.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    assert_eq!(adopted(&store), [0, 1, 2]);
}

/// What happened: a record was taken over while a load had the store to itself, under the number that the
/// load had given to its own first event. When the load counted, the record's event was gone, and its file
/// with it.
#[test]
fn p1_a_record_left_during_a_load_is_not_lost() {
    let disk = SimDisk::new(1);
    let mut store = open(&disk).unwrap();
    append(&store, 0..3).unwrap();
    let shared = Arc::clone(&store.shared);
    let mut bulk = store.bulk().unwrap();
    bulk.append(&record(1)).unwrap();
    leave(&disk, 2).unwrap();
    shared.keep_house();
    assert_eq!(inbox::list(&disk).unwrap().len(), 1, "it waits");
    let seq = bulk.append(&record(3)).unwrap().unwrap();
    bulk.finish().unwrap();
    shared.keep_house();
    assert_eq!(inbox::list(&disk).unwrap(), Vec::<String>::new());
    assert_eq!(adopted(&store), [1, 2, 3]);
    let events = events(&store).unwrap();
    assert!(events.iter().map(|event| event.seq.0).eq(0..6));
    let loaded = events.iter().find(|event| event.seq == seq).unwrap();
    assert_eq!(loaded.occurred_at, at(3));
    store.close().unwrap();
}

/// What happened: a record went as taken over because some other event had its key, and the trail never
/// told of what the record told of.
#[test]
fn mission_d24_a_record_whose_key_another_event_has_stays() {
    let disk = SimDisk::new(1);
    let store = open(&disk).unwrap();
    let key = |number: u64| format!("record {number}");
    store.append(&Event::new("forged").key(key(1))).unwrap();
    store.append(&record(2).occurred_at(at(77))).unwrap();
    for number in 1..4 {
        leave(&disk, number).unwrap();
    }
    store.close().unwrap();
    let store = open(&disk).unwrap();
    let left = inbox::list(&disk).unwrap();
    let id = Current::read(&disk).unwrap().store;
    let left: Vec<_> = left
        .iter()
        .map(|name| inbox::read(&disk, name, id))
        .collect();
    assert!(
        matches!(&left[..], [Ok(event)] if *event == record(1)),
        "{left:?}"
    );
    assert_eq!(
        adopted(&store),
        [3, 77],
        "and what was told of is there once"
    );
    store.close().unwrap();
}

/// Files that are no records, or not for this store, stay, are counted, and stop nobody: neither one
/// another, nor the store, nor a record that sorts behind them all.
#[test]
fn hostile_files_in_the_inbox_stop_nobody() {
    let disk = SimDisk::new(1);
    open(&disk).unwrap().close().unwrap();
    let foreign = SimDisk::new(2);
    Inbox(&foreign)
        .leave(StoreId([7; 16]), &record(100))
        .unwrap();
    let name = inbox::list(&foreign).unwrap().remove(0);
    let path = names::inbox(&name);
    let file = foreign.open_read(&path).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(0, &mut bytes).unwrap();
    put(&disk, path.file_name().unwrap().to_str().unwrap(), &bytes);
    for number in 0..2 * limits::INBOX_RECORDS {
        put(
            &disk,
            &format!("{number:032x}.event"),
            b"garbage\n00000000\n",
        );
    }
    put(
        &disk,
        &format!("{:032x}.event", u64::MAX),
        &vec![b'x'; limits::INBOX_BYTES + 1],
    );
    put(&disk, "who knows.txt", b"?");
    disk.create_dir(&names::inbox("ffffffffffffffffffffffffffffffff"))
        .unwrap();
    for number in 0..20 {
        leave(&disk, number).unwrap();
    }
    let store = open(&disk).unwrap();
    append(&store, 0..3).unwrap();
    let mut looks = Looks::default();
    (0..4).for_each(|_| store.shared.adopt(&mut looks));
    assert_eq!(adopted(&store), (0..20).collect::<Vec<_>>());
    let strange = 2 * limits::INBOX_RECORDS as u64 + 2;
    assert_eq!(store.stats().unwrap().inbox_records, strange);
    store.close().unwrap();
}

/// A folder in which nothing changes is looked at by one call, and one that is not there is not made.
#[test]
fn an_idle_inbox_is_not_read() {
    let disk = SimDisk::new(1);
    let store = open(&disk).unwrap();
    let mut looks = Looks::default();
    let cost = |looks: &mut Looks| {
        let before = [Operation::Look, Operation::Open].map(|kind| disk.count(kind));
        store.shared.adopt(looks);
        [Operation::Look, Operation::Open].map(|kind| disk.count(kind)) != before
    };
    assert!(!cost(&mut looks));
    assert_eq!(disk.folder_stamp(names::inbox_dir()).unwrap(), None);
    put(&disk, "00000000000000000000000000000000.event", b"garbage");
    // Twice: what comes within one tick of the clock may not show.
    assert!(cost(&mut looks) && cost(&mut looks));
    assert!(!cost(&mut looks) && !cost(&mut looks));
    leave(&disk, 1).unwrap();
    assert!(cost(&mut looks));
    assert_eq!(adopted(&store), [1]);
}

/// What happened: a record whose key stood in a damaged part of a segment ended every walk, and those
/// behind it waited until somebody had mended the store.
#[test]
fn p6_a_record_that_meets_damage_keeps_no_other_waiting() {
    let disk = SimDisk::new(1);
    let mut store = open(&disk).unwrap();
    let mut bulk = store.bulk().unwrap();
    for number in 0..3_000 {
        bulk.append(&record(number)).unwrap();
    }
    bulk.finish().unwrap();
    store.close().unwrap();
    let folder = disk.list(names::segment_dir()).unwrap().remove(0);
    let folder = names::segment_dir().join(folder.name);
    let path = folder.join(disk.list(&folder).unwrap().remove(0).name);
    let len = disk.len(&path).unwrap().unwrap();
    let blob = Blob::open(&disk, &path, len, ReadMode::Positional).unwrap();
    let reader = segment::reader::Reader::open_any(blob).unwrap();
    let mut sections = reader.directory().iter();
    let rows = sections.find(|section| section.kind == Kind::Rows as u16);
    let rows = rows.unwrap();
    let page = (rows.offset + rows.len / 2).next_multiple_of(4_096);
    disk.rot(&path, 8 * page as usize);
    let store = open(&disk).unwrap();
    let known = (0..3_000).step_by(100);
    for number in known.chain(10_000..10_005) {
        leave(&disk, number).unwrap();
    }
    let mut looks = Looks::default();
    for _ in 0..3 {
        store.shared.adopt(&mut looks);
    }
    let left = inbox::list(&disk).unwrap();
    assert!((1..30).contains(&left.len()), "{left:?}");
    let id = Current::read(&disk).unwrap().store;
    for name in left {
        let event = inbox::read(&disk, &name, id).unwrap();
        let is_known = (0..3_000).any(|number| event == record(number));
        assert!(is_known, "{event:?}");
    }
}
