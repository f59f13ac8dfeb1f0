//! Damaged stores: whatever bit flips and whatever file is cut or lost, `verify` names the file and
//! the place, no read gives a wrong answer without an error, and `salvage` saves the rest.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use auditdb::ErrorKind;
use auditdb::Event;
use auditdb::Options;
use auditdb::ReadMode;
use auditdb::Store;
use auditdb::Subject;
use auditdb::Time;

use crate::support::folder;
use crate::support::lines;

mod every;

fn event(number: u64) -> Event {
    let micros = 1_778_000_000_000_000 + (number * 7919 % 5) as i64 * 1_000_000;
    let event = Event::new("damage.tested")
        .occurred_at(Time::from_micros(micros).expect("the time is in range"))
        .subject(Subject::new("number").id(number.to_string()))
        .metadata(
            "parity",
            if number.is_multiple_of(2) {
                "even"
            } else {
                "odd"
            },
        );
    match number % 3 {
        0 => event.key(format!("key-{number}")),
        _ => event,
    }
}

/// A closed store of two segments and a log.
fn closed_store(path: &Path) {
    let store = Store::open(path, Options::default()).expect("a new store");
    for part in [0..4, 4..7, 7..9] {
        for number in part {
            store.append(&event(number)).expect("an append");
        }
        store.flush().expect("a flush");
    }
    store.append(&event(9)).expect("an append");
    drop(store);
    // Opened once more, so that the last event lies in a log of a closed store.
    let store = Store::open(path, Options::default()).expect("the store again");
    store.append(&event(10)).expect("an append");
    store.close().expect("a close");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_flipped_bit_in_any_byte_is_found_and_never_believed() {
    let folder = folder();
    let path = folder.path().join("store");
    closed_store(&path);
    let wanted = lines(&path, ReadMode::Positional).expect("a whole store");
    let clean = auditdb::verify(&path).expect("a whole store");
    assert!(clean.is_clean(), "{:?}", clean.damages);
    assert_eq!(clean.events, wanted.len() as u64);
    let scratch: BTreeSet<PathBuf> = clean.scratch.into_iter().collect();
    let names: Vec<&str> = scratch
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    assert_eq!(
        names,
        ["LOCK"],
        "only the lock is scratch in a closed store"
    );
    for file in files(&path)
        .into_iter()
        .filter(|file| !scratch.contains(file))
    {
        let whole = fs::read(&file).expect("a file");
        for offset in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[offset] ^= 1 << (offset % 8);
            fs::write(&file, &damaged).expect("a write");
            let found = auditdb::verify(&path).expect("a store is there");
            let named = found
                .damages
                .iter()
                .any(|damage| damage.file == file && damage.offset.is_some());
            assert!(
                named,
                "{} byte {offset}: {:?}",
                file.display(),
                found.damages
            );
            for mode in [ReadMode::Mapped, ReadMode::Positional] {
                if let Ok(read) = lines(&path, mode) {
                    assert_eq!(read, wanted, "{} byte {offset}", file.display());
                }
            }
        }
        fs::write(&file, &whole).expect("a write");
    }
    assert!(auditdb::verify(&path).expect("a whole store").is_clean());
}

#[test]
fn a_file_that_is_cut_or_gone_is_found() {
    let folder = folder();
    let path = folder.path().join("store");
    closed_store(&path);
    for file in files(&path) {
        if file.ends_with("LOCK") {
            continue;
        }
        let whole = fs::read(&file).expect("a file");
        for len in [0, whole.len() / 2, whole.len() - 1] {
            fs::write(&file, &whole[..len]).expect("a write");
            let found = auditdb::verify(&path).expect("files are there");
            assert!(!found.is_clean(), "{} cut to {len}", file.display());
        }
        fs::remove_file(&file).expect("a removal");
        let found = auditdb::verify(&path).expect("files are there");
        // A presence run only saves time, and is made again.
        let is_run = file.extension().is_some_and(|end| end == "flt");
        assert_eq!(found.is_clean(), is_run, "{} removed", file.display());
        fs::write(&file, &whole).expect("a write");
    }
}

fn segments(path: &Path) -> impl Iterator<Item = PathBuf> {
    let is_segment = |file: &PathBuf| file.extension().is_some_and(|end| end == "seg");
    files(path).into_iter().filter(is_segment)
}

/// Salvages, checks that every line is one of the store's, and gives back how many there are.
fn salvaged(path: &Path, wanted: &[String]) -> (usize, auditdb::Salvage) {
    let mut out = Vec::new();
    let report = auditdb::salvage(path, &mut out).expect("something to salvage");
    let text = String::from_utf8(out).expect("lines are text");
    let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    let found: BTreeSet<&str> = text.lines().collect();
    assert_eq!(text.lines().count(), found.len(), "every event once");
    assert_eq!(found.len() as u64, report.events);
    assert!(
        found.is_subset(&wanted),
        "nothing that was not in the store"
    );
    (found.len(), report)
}

#[test]
fn what_is_left_is_salvaged_and_what_is_gone_is_named() {
    let folder = folder();
    let path = folder.path().join("store");
    closed_store(&path);
    let wanted = lines(&path, ReadMode::Positional).expect("a whole store");
    let (all, report) = salvaged(&path, &wanted);
    assert_eq!((all, report.missing_total), (wanted.len(), 0));
    // Without the records, from the files alone.
    for name in files(&path) {
        let records = name
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if records == "CURRENT" || records.starts_with("MANIFEST") {
            let whole = fs::read(&name).expect("a file");
            fs::write(&name, &whole[..whole.len() / 2]).expect("a write");
            assert_eq!(
                salvaged(&path, &wanted).0,
                wanted.len(),
                "without {records}"
            );
            fs::write(&name, &whole).expect("a write");
        }
    }
    // As the refusal to open a store without its CURRENT says.
    let whole = fs::read(path.join("CURRENT")).expect("a file");
    fs::remove_file(path.join("CURRENT")).expect("a removal");
    let error = Store::open(&path, Options::default()).expect_err("a store that lost a file");
    assert_eq!(error.kind(), ErrorKind::Missing, "{error}");
    assert_eq!(salvaged(&path, &wanted).0, wanted.len());
    fs::write(path.join("CURRENT"), &whole).expect("a write");
    for file in &segments(&path).collect::<Vec<_>>() {
        let whole = fs::read(file).expect("a file");
        // A segment without its end: the end stands in it twice.
        fs::write(file, &whole[..whole.len() - 1]).expect("a write");
        assert_eq!(salvaged(&path, &wanted).0, wanted.len());
        // A segment without its rows: the events are gone, and named.
        let mut damaged = whole.clone();
        damaged[100] ^= 1;
        fs::write(file, &damaged).expect("a write");
        let (left, report) = salvaged(&path, &wanted);
        assert_eq!(left as u64 + report.missing_total, wanted.len() as u64);
        let named: u64 = report.missing.iter().map(|gap| gap.end - gap.start).sum();
        assert_eq!(named, report.missing_total);
        assert!(named > 0 && !report.damages.is_empty());
        fs::write(file, &whole).expect("a write");
    }
}

/// `verify` once called every event of a segment missing whose last byte was wrong, and `salvage` of
/// the same folder saved them all; a damaged header lost them.
#[test]
fn p6_a_segment_that_opens_badly_keeps_its_events() {
    let folder = folder();
    let path = folder.path().join("store");
    let store = Store::open(&path, Options::default()).expect("a new store");
    let events: Vec<Event> = (0..2_000).map(event).collect();
    store.append_batch(&events).expect("an append");
    store.flush().expect("a flush");
    store.close().expect("a close");
    let wanted = lines(&path, ReadMode::Positional).expect("a whole store");
    let file = segments(&path).next().expect("a segment");
    let whole = fs::read(&file).expect("a file");
    for (at, lost) in [(0, 1..2_000), (20, 1..2_000), (whole.len() - 1, 0..1)] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&file, &damaged).expect("a write");
        let found = auditdb::verify(&path).expect("a store is there");
        let (left, report) = salvaged(&path, &wanted);
        assert!(!found.is_clean() && !report.damages.is_empty(), "byte {at}");
        assert_eq!(found.missing, report.missing, "byte {at}");
        assert_eq!(found.events, left as u64, "byte {at}");
        let gone = wanted.len() - left;
        assert!(lost.contains(&gone), "byte {at}: {gone} gone");
    }
}

/// One flipped bit in the first of sixty groups, in the header, or the loss of the last group alone
/// once took all sixty.
#[test]
fn p6_damage_in_a_log_keeps_the_groups_around_it() {
    const GROUPS: usize = 60;
    let folder = folder();
    let path = folder.path().join("store");
    let store = Store::open(&path, Options::default()).expect("a new store");
    for number in 0..GROUPS as u64 {
        store.append(&event(number)).expect("an append");
    }
    store.close().expect("a close");
    let wanted = lines(&path, ReadMode::Positional).expect("a whole store");
    let logs = files(&path);
    let log = logs
        .iter()
        .find(|file| file.extension().is_some_and(|end| end == "wal"));
    let log = log.expect("a log");
    let whole = fs::read(log).expect("a file");
    let sector = |number: usize| number * 512;
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    for (story, bytes, left) in [
        ("the header", flipped(60), GROUPS),
        ("the first group's stamp", flipped(sector(1)), GROUPS - 1),
        ("the first group's head", flipped(sector(1) + 9), GROUPS - 1),
        (
            "the tenth group's rows",
            flipped(sector(10) + 60),
            GROUPS - 1,
        ),
        ("the end", whole[..whole.len() - 512].to_vec(), GROUPS - 1),
    ] {
        fs::write(log, bytes).expect("a write");
        let (saved, report) = salvaged(&path, &wanted);
        assert_eq!(saved, left, "{story}: {:?}", report.damages);
        assert_eq!(report.missing_total, (GROUPS - left) as u64, "{story}");
        let found = auditdb::verify(&path).expect("a store is there");
        assert_eq!(found.missing, report.missing, "{story}");
        assert_eq!(found.damages.len(), 1, "{story}: {:?}", found.damages);
    }
}

/// Without its records a folder can hold an event in a log and in the segment that was sealed from it.
#[test]
fn p3_an_event_in_two_files_is_salvaged_once() {
    let folder = folder();
    let path = folder.path().join("store");
    let store = Store::open(&path, Options::default()).expect("a new store");
    for number in 0..5 {
        store.append(&event(number)).expect("an append");
    }
    let is_log = |file: &PathBuf| file.extension().is_some_and(|end| end == "wal");
    let logs: Vec<PathBuf> = files(&path).into_iter().filter(is_log).collect();
    let read = |log: &PathBuf| fs::read(log).expect("a file");
    let before: Vec<Vec<u8>> = logs.iter().map(read).collect();
    store.flush().expect("a flush");
    store.close().expect("a close");
    let wanted = lines(&path, ReadMode::Positional).expect("a whole store");
    for (log, bytes) in logs.iter().zip(before) {
        fs::write(log, bytes).expect("a write");
    }
    fs::remove_file(path.join("CURRENT")).expect("a removal");
    assert_eq!(salvaged(&path, &wanted).0, wanted.len());
}

#[test]
fn p3_the_segment_of_another_store_is_never_salvaged() {
    let folder = folder();
    let (path, other) = (folder.path().join("store"), folder.path().join("other"));
    closed_store(&path);
    closed_store(&other);
    let wanted = lines(&path, ReadMode::Positional).expect("a whole store");
    let mut pairs = segments(&path).zip(segments(&other));
    let (own, foreign) = pairs.next().expect("segments");
    fs::copy(foreign, &own).expect("a copy");
    let found = auditdb::verify(&path).expect("a store is there");
    let (left, report) = salvaged(&path, &wanted);
    assert!(left < wanted.len());
    assert_eq!(found.missing, report.missing);
    assert_eq!(found.missing_total, (wanted.len() - left) as u64);
}

/// Records that are older than the segments beside them: `verify` names the segment that they do not
/// know, and salvage reads it.
#[test]
fn p4_segments_that_old_records_do_not_name_are_found_and_salvaged() {
    let folder = folder();
    let path = folder.path().join("store");
    let append = |numbers: core::ops::Range<u64>| {
        let store = Store::open(&path, Options::default()).expect("a store");
        for number in numbers {
            store.append(&event(number)).expect("an append");
        }
        store.flush().expect("a flush");
        store.close().expect("a close");
    };
    append(0..5);
    let old: Vec<(PathBuf, Vec<u8>)> = files(&path)
        .into_iter()
        .filter(|file| file.extension().is_none_or(|end| end != "seg"))
        .map(|file| (file.clone(), fs::read(&file).expect("a file")))
        .collect();
    append(5..9);
    let wanted = lines(&path, ReadMode::Positional).expect("a whole store");
    for file in files(&path) {
        if file.extension().is_none_or(|end| end != "seg") {
            fs::remove_file(file).expect("a removal");
        }
    }
    for (file, bytes) in old {
        fs::write(file, bytes).expect("a write");
    }
    let found = auditdb::verify(&path).expect("a store is there");
    assert!(
        found
            .damages
            .iter()
            .any(|damage| damage.reason.contains("no record names it")),
        "{:?}",
        found.damages
    );
    assert_eq!(salvaged(&path, &wanted).0, 9);
}

#[test]
fn a_store_is_verified_beside_its_writer() {
    let folder = folder();
    let options = Options {
        memtable_bytes_max: 8 << 10,
        merge_fan_in: 2,
        ..Options::default()
    };
    let store = Store::open(folder.path(), options).expect("a new store");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..3_000 {
                store.append(&event(number)).expect("an append");
            }
        });
        let mut events = 0;
        while !writer.is_finished() {
            let found = auditdb::verify(folder.path()).expect("a store is there");
            assert!(found.is_clean(), "{:?}", found.damages);
            assert!(
                found.live && found.events >= events,
                "{} after {events}",
                found.events
            );
            events = found.events;
        }
    });
    store.close().expect("a close");
    let found = auditdb::verify(folder.path()).expect("a store is there");
    assert!(found.is_clean() && !found.live, "{:?}", found.damages);
    assert_eq!(found.events, 3_000);
}
