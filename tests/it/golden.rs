//! Golden stores (`tests/golden/v1/`): stores as released formats wrote them. Each opens for ever,
//! verifies, gives its canonical lines in both read modes, and takes new events. The second reader
//! reads the same files in `.ci/run`.
//!
//! A golden store is never written again. With `AUDITDB_GOLDEN=write` the test of the recipes adds
//! those that a new entry of [`stores`] names; what is there stays as it is.

use std::fs;
use std::fs::File;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use auditdb::Event;
use auditdb::Generator;
use auditdb::Import;
use auditdb::ImportOptions;
use auditdb::OnRefusal;
use auditdb::Options;
use auditdb::Partition;
use auditdb::Profile;
use auditdb::ReadMode;
use auditdb::Reader;
use auditdb::Store;
use auditdb::Subject;
use auditdb::Time;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::support::folder;
use crate::support::lines;

/// How a golden store is filled, and whether it is closed then or left as a killed process leaves it.
type Recipe = (&'static str, Options, fn(&Store), End);

#[derive(Clone, Copy, PartialEq)]
enum End {
    Closed,
    Killed,
}

/// Every store of version 1.
fn stores() -> [Recipe; 7] {
    let by_day = Options {
        partition: Partition::Day,
        ..Options::default()
    };
    [
        ("empty", Options::default(), |_| {}, End::Closed),
        ("canonical", Options::default(), canonical, End::Closed),
        ("logged", Options::default(), logged, End::Killed),
        ("merged", Options::default(), merged, End::Killed),
        ("hostile", Options::default(), hostile, End::Closed),
        ("imported", Options::default(), imported, End::Closed),
        ("times", by_day, times, End::Closed),
    ]
}

fn append(store: &Store, events: impl Iterator<Item = Event>) {
    let events: Vec<Event> = events.collect();
    store.append_batch(&events).expect("a batch");
}

/// Every field in every state, from a segment and from the log.
fn canonical(store: &Store) {
    let cases = include_str!("../golden/canonical.ndjson").lines();
    let event = |line| Event::from_native_line(line).expect("a golden line");
    append(store, cases.clone().map(event));
    store.flush().expect("a flush");
    for event in cases.map(event).filter(|event| event.key.value().is_none()) {
        store.append(&event).expect("an append");
    }
}

/// Nothing sealed yet: single appends and a batch in the log of a process that died.
fn logged(store: &Store) {
    let mut events = Generator::new(1, Profile::realistic(300));
    for event in events.by_ref().take(50) {
        store.append(&event).expect("an append");
    }
    append(store, events);
}

/// Sealed, merged, sealed again and logged: a process that died in the middle of its work.
fn merged(store: &Store) {
    let mut events = Generator::new(2, Profile::realistic(1_500));
    for _ in 0..3 {
        append(store, events.by_ref().take(400));
        store.flush().expect("a flush");
    }
    store.compact().expect("a merge");
    append(store, events.by_ref().take(150));
    store.flush().expect("a flush");
    append(store, events);
}

fn hostile(store: &Store) {
    append(store, Generator::new(3, Profile::hostile(40)));
    store.compact().expect("a merge");
}

/// Records of every source that has a mapping, over and over: marks, repeats, long and rendered texts.
fn imported(store: &Store) {
    let mut sink = store;
    let options = ImportOptions {
        keep_repeats: true,
        ..ImportOptions::default()
    };
    let mut import = Import::new(&mut sink, options, OnRefusal::Stop);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import");
    let mut paths: Vec<PathBuf> = fs::read_dir(fixtures)
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "ndjson"))
        .collect();
    paths.sort();
    for _ in 0..12 {
        for path in &paths {
            let file = File::open(path).expect("a fixture");
            import.read("fixture", file).expect("records");
        }
    }
    assert!(import.finish().refusals.is_empty());
    store.compact().expect("a merge");
}

/// Events from 1970 to 9999, out of order, tied on one microsecond, some of them far from all others.
fn times(store: &Store) {
    let day = 86_400_000_000;
    let moments = [0, 1, 19_000 * day, 20_000 * day, 253_402_300_799_999_999];
    for round in 0..3 {
        let tied = (0..400).map(|number| (20_000 + number / 100) * day);
        let far = moments.iter().rev().copied();
        append(
            store,
            tied.chain(far).enumerate().map(|(number, micros)| {
                Event::new("time.told")
                    .occurred_at(Time::from_micros(micros).expect("a time in range"))
                    .subject(Subject::new("number").id((number * 7 % 50).to_string()))
                    .metadata("round", round.to_string())
            }),
        );
        store.flush().expect("a flush");
    }
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

/// Puts the store `name` into the folder and gives back its canonical lines, newest first.
fn unpack(name: &str, path: &Path) -> Vec<String> {
    let file = File::open(golden().join(format!("{name}.tar.gz"))).expect("a golden store");
    tar::Archive::new(GzDecoder::new(file))
        .unpack(path)
        .expect("a golden store unpacks");
    let file = File::open(golden().join(format!("{name}.ndjson.gz"))).expect("its lines");
    let mut text = String::new();
    GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("its lines unpack");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn p1_golden_stores_open_for_ever() {
    for (name, ..) in stores() {
        let folder = folder();
        let wanted = unpack(name, folder.path());
        for mode in [ReadMode::Mapped, ReadMode::Positional] {
            let read = lines(folder.path(), mode).expect("a golden store opens");
            assert_eq!(read, wanted, "{name}");
        }
        let stats = Reader::open(folder.path(), ReadMode::Mapped).and_then(|reader| reader.stats());
        assert_eq!(
            stats.map(|stats| stats.events).ok(),
            Some(wanted.len() as u64),
            "{name}"
        );
        let found = auditdb::verify(folder.path()).expect("a golden store is a store");
        assert!(found.is_clean(), "{name}: {:?}", found.damages);
        assert_eq!(found.events, wanted.len() as u64, "{name}");
    }
}

#[test]
fn p1_golden_stores_take_new_events() {
    for (name, ..) in stores() {
        let folder = folder();
        let wanted = unpack(name, folder.path());
        let store = Store::open(folder.path(), Options::default()).expect("a golden store");
        let latest = Time::from_micros(253_402_300_799_999_999).expect("the last moment");
        let event = Event::new("store.reopened").occurred_at(latest);
        store.append(&event).expect("an append");
        store.flush().expect("a flush");
        store.compact().expect("a merge");
        store.close().expect("a clean end");
        let read = lines(folder.path(), ReadMode::Mapped).expect("the store");
        assert!(read[0].contains("store.reopened"), "{name}: {}", read[0]);
        assert_eq!(read[1..], wanted, "{name}");
    }
}

#[test]
fn golden_recipes_still_make_whole_stores() {
    let writes = std::env::var_os("AUDITDB_GOLDEN").is_some_and(|wish| wish == "write");
    for (name, options, fill, end) in stores() {
        let folder = folder();
        let path = folder.path().join("store");
        let store = Store::open(&path, options).expect("a new store");
        fill(&store);
        let running = match end {
            End::Closed => store.close().map(|()| None).expect("a clean end"),
            End::Killed => Some(store),
        };
        let lines = lines(&path, ReadMode::Positional).expect("the store");
        let found = auditdb::verify(&path).expect("a store");
        assert!(found.is_clean(), "{name}: {:?}", found.damages);
        assert_eq!(found.events, lines.len() as u64, "{name}");
        if writes && !golden().join(format!("{name}.tar.gz")).exists() {
            keep(name, &path, &lines);
        }
        drop(running);
    }
}

/// Adds a golden store: its files as a killed process would leave them, and its lines.
fn keep(name: &str, path: &Path, lines: &[String]) {
    fs::create_dir_all(golden()).expect("the folder");
    pack(path, &golden().join(format!("{name}.tar.gz")));
    let out = File::create_new(golden().join(format!("{name}.ndjson.gz"))).expect("new");
    let mut out = GzEncoder::new(out, Compression::best());
    for line in lines {
        writeln!(out, "{line}").expect("a line");
    }
    out.finish().expect("the lines");
}

/// An archive of what is in the store's folder.
fn pack(path: &Path, target: &Path) {
    let out = File::create_new(target).expect("a new archive");
    let mut archive = tar::Builder::new(GzEncoder::new(out, Compression::best()));
    archive.mode(tar::HeaderMode::Deterministic);
    archive.append_dir_all(".", path).expect("the files");
    let packed = archive.into_inner().expect("an archive");
    packed.finish().expect("the archive's end");
}
