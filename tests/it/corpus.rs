//! Real audit logs through the whole store: every file of the corpus that `AUDITDB_CORPUS` names is
//! imported twice, closed, reopened and exported, and every source record must be there once.
//! Plain `cargo test` covers the mappings on excerpts; without the variable this has nothing to do.

use std::collections::HashSet;
use std::fs::File;
use std::hash::DefaultHasher;
use std::hash::Hasher;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;

use auditdb::Durability;
use auditdb::Event;
use auditdb::Import;
use auditdb::ImportOptions;
use auditdb::ImportOutcome;
use auditdb::Json;
use auditdb::OnRefusal;
use auditdb::Options;
use auditdb::Query;
use auditdb::Store;

use crate::support;

fn files() -> Vec<PathBuf> {
    let mut folders: Vec<_> = std::env::var_os("AUDITDB_CORPUS")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).expect("the corpus can be listed");
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(".ndjson.zst") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn lines(path: &Path) -> impl Iterator<Item = String> {
    let file = File::open(path).expect("a file of the corpus");
    let decoder = zstd::stream::read::Decoder::new(file).expect("a zstd file");
    let lines = BufReader::new(decoder).lines();
    lines.map(|line| line.expect("a line of valid UTF-8"))
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

fn import(store: &Store, path: &Path) -> ImportOutcome {
    let mut sink = store;
    let mut import = Import::new(&mut sink, ImportOptions::default(), OnRefusal::Skip);
    let file = File::open(path).expect("a file of the corpus");
    import
        .read(&path.to_string_lossy(), file)
        .expect("no failure besides refusals");
    import.finish()
}

/// The digests of the source records in the store, from the lines an export writes.
fn exported(store: &Store) -> Vec<u64> {
    let mut scan = store.snapshot().scan(&Query::default()).expect("a scan");
    let mut line = Vec::new();
    let mut found = Vec::new();
    while scan.next_line(&mut line).expect("a whole store") {
        let text = std::str::from_utf8(&line).expect("a line of UTF-8");
        let event = Event::from_native_line(text.trim_end()).expect("a native line");
        let data = event.data.value().expect("an import keeps the record");
        found.push(digest(data.as_str()));
        line.clear();
    }
    found
}

#[test]
fn every_record_of_every_source_is_kept_once_and_given_back_whole() {
    for path in files() {
        let shown = path.display();
        let folder = support::folder();
        let options = Options {
            durability: Durability::Buffered,
            ..Options::default()
        };
        let store = Store::open(folder.path(), options.clone()).expect("a new store");
        let first = import(&store, &path);
        let count = lines(&path).count() as u64;
        assert_eq!(first.read, count, "{shown}");
        let settled = first.imported + first.duplicates + first.refused;
        assert_eq!(settled, count, "{shown}: {first:?}");
        store.close().expect("a clean end");

        let store = Store::open(folder.path(), options).expect("the store again");
        let again = import(&store, &path);
        assert_eq!(again.imported, 0, "{shown}: importing again adds nothing");
        assert_eq!(again.refused, first.refused, "{shown}");
        store.sync().expect("a sync");

        let mut missing: HashSet<u64> = lines(&path)
            .map(|line| digest(Json::parse(&line).expect("a JSON line").as_str()))
            .collect();
        let found = exported(&store);
        assert_eq!(found.len() as u64, first.imported, "{shown}");
        for record in found {
            assert!(
                missing.remove(&record),
                "{shown}: a record twice, or changed"
            );
        }
        assert!(
            missing.len() as u64 <= first.refused,
            "{shown}: records are missing"
        );
        store.close().expect("a clean end");
    }
}
