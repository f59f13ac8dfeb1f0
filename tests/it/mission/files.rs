//! Exports in several files and in one archive, and the limits that the described systems have.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Value;
use sha2::Digest;

use crate::cli::Place;
use crate::cli::files;
use crate::cli::json;
use crate::cli::lines;
use crate::cli::text;

pub(super) fn sha256(bytes: &[u8]) -> String {
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The manifest of this name, compared with the files that it tells of; gives what they hold together.
fn checked(manifest: &[u8], read: impl Fn(&str) -> Vec<u8>) -> (Value, Vec<u8>) {
    let manifest = json(&String::from_utf8_lossy(manifest));
    let mut whole = Vec::new();
    for file in manifest["files"].as_array().expect("files") {
        let bytes = read(text(file, "/name"));
        assert_eq!(file["bytes"].as_u64(), Some(bytes.len() as u64));
        assert_eq!(text(file, "/sha256"), sha256(&bytes));
        whole.extend(bytes);
    }
    assert_eq!(text(&manifest, "/sha256"), sha256(&whole));
    assert_eq!(manifest["bytes"].as_u64(), Some(whole.len() as u64));
    (manifest, whole)
}

fn names(manifest: &Value) -> Vec<String> {
    let files = manifest["files"].as_array().expect("files").iter();
    files.map(|file| text(file, "/name").to_owned()).collect()
}

fn unzipped(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).expect("an archive");
    (0..archive.len())
        .map(|number| {
            let mut file = archive.by_index(number).expect("a file");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("its bytes");
            (file.name().to_owned(), bytes)
        })
        .collect()
}

#[test]
fn mission_a17_files_of_so_many_rows_are_together_the_export_made_in_one_go() {
    let place = Place::with_events(300);
    for words in [
        &["-f", "csv"][..],
        &["-f", "ndjson", "--oldest-first"],
        &["-f", "csv", "--layout", "entries", "--no-header"],
    ] {
        let export = [&["export", "DB"], words].concat();
        let whole = place.run(&export, b"").done().out;
        for (rows, expected) in [("1000", 1), ("300", 1), ("100", 3), ("299", 2), ("7", 43)] {
            let cut = ["--rows-per-file", rows, "-o", "@trail.csv", "--force"];
            place.run(&[&export[..], &cut].concat(), b"").done();
            let manifest = place.read("trail.csv.manifest.json");
            let (manifest, together) = checked(&manifest, |name| place.read(name));
            assert!(together == whole, "{words:?} by {rows}");
            assert_eq!(manifest["files"].as_array().map(Vec::len), Some(expected));
            assert_eq!(manifest["complete"], true);
            // An older set, which may have had more files, is gone.
            let there = files(&place.path(""));
            let there = there
                .iter()
                .filter(|path| path.to_string_lossy().contains("trail-"));
            assert_eq!(there.count(), expected);
        }
    }
}

/// What the documented files leave out: which event a line is, and whether the file is whole.
#[test]
fn mission_a28_lines_say_which_event_they_are_and_the_report_what_the_file_is() {
    let place = Place::with_events(20);
    place
        .run(
            &[
                "export", "DB", "-f", "csv", "-o", "@all.csv", "--report", "@report",
            ],
            b"",
        )
        .done();
    let (file, report) = (place.read("all.csv"), place.read("report"));
    let report = json(&String::from_utf8_lossy(&report));
    assert_eq!(text(&report, "/sha256"), sha256(&file));
    assert_eq!(report["bytes"].as_u64(), Some(file.len() as u64));
    assert_eq!(report["complete"], true);
    let mut reader = csv::Reader::from_reader(&*file);
    let heading = reader.headers().expect("a heading").clone();
    let column = |name| heading.iter().position(|known| known == name);
    let (id, seq) = column("id").zip(column("seq")).expect("both columns");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let mut seqs: Vec<u64> = rows
        .iter()
        .filter_map(|row| row[seq].parse().ok())
        .collect();
    seqs.sort_unstable();
    assert!(seqs.into_iter().eq(0..20), "each event once");
    assert!(rows.iter().all(|row| row[id].starts_with("evt_")));
}

/// A file can be made again by itself, and a set that is there is not touched unasked.
#[test]
fn mission_a17_each_file_stands_for_itself() {
    let place = Place::with_events(50);
    let export = [
        "export",
        "DB",
        "-f",
        "csv",
        "--rows-per-file",
        "20",
        "-o",
        "@trail.csv",
    ];
    place.run(&export, b"").done();
    let manifest = place.read("trail.csv.manifest.json");
    let (manifest, _) = checked(&manifest, |name| place.read(name));
    assert_eq!(
        names(&manifest),
        ["trail-000001.csv", "trail-000002.csv", "trail-000003.csv"]
    );
    assert!(manifest["files"][0]["cursor"].is_null());
    let cursor = text(&manifest, "/files/1/cursor");
    let again = [
        "export",
        "DB",
        "-f",
        "csv",
        "--limit",
        "20",
        "--no-header",
        "--cursor",
        cursor,
    ];
    let second = place.read("trail-000002.csv");
    assert!(place.run(&again, b"").done().out == second);

    let refused = place.run(&export, b"").ends_with(2);
    assert!(refused.error.contains("--output"), "{}", refused.error);
    std::fs::remove_file(place.path("trail.csv.manifest.json")).expect("the manifest");
    let refused = place.run(&export, b"").ends_with(2);
    assert!(
        refused.error.contains("trail-000001.csv"),
        "{}",
        refused.error
    );
    assert_eq!(place.read("trail-000002.csv"), second);
}

/// What cannot be cut or put anywhere is wrong usage, before anything is made.
#[test]
fn mission_a17_what_cannot_be_cut_is_wrong_usage() {
    let place = Place::with_events(10);
    for (words, named) in [
        (
            &["-f", "json", "-o", "@t.json", "--rows-per-file", "5"][..],
            "ndjson",
        ),
        (&["-f", "csv", "--rows-per-file", "5"], "--output"),
        (
            &["-f", "csv", "--rows-per-file", "0", "-o", "@t.csv"],
            "--rows-per-file",
        ),
        (
            &["-f", "csv", "--zip", "--compress", "zstd", "-o", "@t.zip"],
            "--zip",
        ),
    ] {
        let refused = place
            .run(&[&["export", "DB"], words].concat(), b"")
            .ends_with(2);
        assert!(refused.error.contains(named), "{}", refused.error);
    }
    assert!(
        !files(&place.path(""))
            .iter()
            .any(|path| path.ends_with("t.csv"))
    );
}

#[test]
fn mission_d19_a_zip_of_several_files_is_reproducible_and_holds_its_manifest() {
    let place = Place::with_events(120);
    let export = [
        "export",
        "DB",
        "-f",
        "csv",
        "--rows-per-file",
        "50",
        "--zip",
    ];
    let made = [&export[..], &["-o", "@trail.zip", "--report", "@told.json"]].concat();
    place.run(&made, b"").done();
    let archive = place.read("trail.zip");
    let inside = unzipped(&archive);
    let (manifest, whole) = checked(&inside["manifest.json"], |name| inside[name].clone());
    assert_eq!(inside.len(), 4);
    assert_eq!(names(&manifest)[2], "trail-000003.csv");
    let direct = place.run(&["export", "DB", "-f", "csv"], b"").done().out;
    assert!(whole == direct);
    let told = json(&String::from_utf8_lossy(&place.read("told.json")));
    assert_eq!(text(&told, "/archive/sha256"), sha256(&archive));
    assert_eq!(
        told["archive"]["bytes"].as_u64(),
        Some(archive.len() as u64)
    );

    let again = [&export[..], &["-o", "@again/trail.zip"]].concat();
    std::fs::create_dir(place.path("again")).expect("a folder");
    place.run(&again, b"").done();
    assert!(place.read("again/trail.zip") == archive);
    let streamed = unzipped(&place.run(&export, b"").done().out);
    assert_eq!(streamed["export-000001.csv"], inside["trail-000001.csv"]);
}

/// The purposes that exports are made for have limits elsewhere; here they are a preset, and whoever
/// meets one is told so.
#[test]
fn mission_d1_presets_stand_for_purposes() {
    let place = Place::with_events(30);
    let export = [
        "export",
        "DB",
        "-f",
        "csv",
        "--report",
        "@told.json",
        "--force",
        "--profile",
    ];
    for (profile, limit, zipped) in [
        ("evidence", Some(50_000), false),
        ("investigation", Some(500_000), true),
        ("all", None, false),
    ] {
        place
            .run(&[&export[..], &[profile, "-o", "@out"]].concat(), b"")
            .done();
        let told = json(&String::from_utf8_lossy(&place.read("told.json")));
        assert_eq!(told["limit"].as_u64(), limit, "{profile}");
        assert_eq!(told["complete"], true);
        assert_eq!(place.read("out").starts_with(b"PK"), zipped, "{profile}");
    }
    // A flag of one's own goes before the preset's.
    let own = [&export[..], &["evidence", "--limit", "7", "-o", "@out"]].concat();
    place.run(&own, b"").done();
    let told = json(&String::from_utf8_lossy(&place.read("told.json")));
    assert_eq!(
        (told["rows"].as_u64(), &told["complete"]),
        (Some(7), &Value::Bool(false))
    );
}

/// A store of as many events as a limit lets through, one less, and one more.
#[test]
fn mission_a18_d18_d21_a_full_file_says_exactly_whether_more_follows() {
    for (events, complete) in [(49_999, true), (50_000, true), (50_001, false)] {
        let place = Place::with_events(events);
        let export = [
            "export",
            "DB",
            "-f",
            "ndjson",
            "--profile",
            "evidence",
            "-o",
            "@out",
            "--report",
            "@told.json",
            "--require-complete",
        ];
        let ended = place
            .run(&export, b"")
            .ends_with(if complete { 0 } else { 3 });
        let told = json(&String::from_utf8_lossy(&place.read("told.json")));
        assert_eq!(told["rows"].as_u64(), Some(u64::from(events.min(50_000))));
        assert_eq!(
            (&told["complete"], told["next_cursor"].is_null()),
            (&complete.into(), complete)
        );
        assert_eq!(ended.error.contains("cut by --profile evidence"), !complete);
    }
}

/// Above every documented limit the same export goes on, in one stream.
#[test]
fn mission_d20_a_stream_has_no_ceiling() {
    let place = Place::with_events(50_001);
    let out = place
        .run(&["export", "DB", "-f", "ndjson", "--profile", "all"], b"")
        .done()
        .out;
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 50_001);
}

#[test]
fn mission_e11_a_limit_that_fails_makes_nothing() {
    let place = Place::with_events(40);
    let export = [
        "export",
        "DB",
        "-f",
        "csv",
        "-o",
        "@out.csv",
        "--limit-error",
    ];
    let refused = place
        .run(&[&export[..], &["39"]].concat(), b"")
        .ends_with(2);
    assert!(
        refused.error.contains("--limit-error: more than 39 events"),
        "{}",
        refused.error
    );
    assert!(!place.path("out.csv").exists());
    place.run(&[&export[..], &["40"]].concat(), b"").done();
}

/// Where so many events share one moment that no file holds them all, the border between two files loses
/// none and repeats none.
#[test]
fn mission_a22_d21_sixty_thousand_ties_lie_across_files() {
    const TIES: usize = 60_000;
    let place = Place::new();
    let moment: auditdb::Time = "2026-05-17T08:00:00.000001Z".parse().expect("a time");
    let tie = |number: usize| {
        let event = auditdb::Event::new("tie.made").occurred_at(moment);
        event.reason(number.to_string())
    };
    let options = auditdb::Options::default();
    let store = auditdb::Store::open(place.path("store"), options).expect("a store");
    let events: Vec<auditdb::Event> = (0..TIES).map(tie).collect();
    store.append_batch(&events).expect("one batch");
    store.close().expect("closed");
    for rows in ["50000", "59999", "7000"] {
        let cut = ["--rows-per-file", rows, "-o", "@ties.ndjson", "--force"];
        place
            .run(&[&["export", "DB", "-f", "ndjson"], &cut[..]].concat(), b"")
            .done();
        let manifest = place.read("ties.ndjson.manifest.json");
        let (_, together) = checked(&manifest, |name| place.read(name));
        let told = String::from_utf8(together).expect("text");
        let mut numbers: Vec<usize> = lines(&told)
            .iter()
            .filter_map(|event| text(event, "/reason").parse().ok())
            .collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..TIES), "by {rows}");
    }
}
