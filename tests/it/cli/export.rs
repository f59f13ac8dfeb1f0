//! Exports: parts put together are the whole, a file appears whole or not at all, and the report
//! tells exactly what was written.

use std::io::Read;

use serde_json::Value;
use sha2::Digest;

use super::Place;
use super::json;
use super::lines;
use super::text;

fn report(place: &Place, name: &str) -> Value {
    json(&String::from_utf8_lossy(&place.read(name)))
}

/// Exports in parts of `limit` rows and puts them together.
fn in_parts(place: &Place, words: &[&str], limit: &str) -> Vec<u8> {
    let mut whole = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut words = [&["export", "DB"], words].concat();
        words.extend(["--limit", limit, "--report", "@part.json", "--force"]);
        if let Some(cursor) = &cursor {
            words.extend(["--no-header", "--cursor", cursor]);
        }
        whole.extend(place.run(&words, b"").done().out);
        let report = report(place, "part.json");
        assert_eq!(report["complete"] == true, report["next_cursor"].is_null());
        match report["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return whole,
        }
    }
}

#[test]
fn parts_put_together_are_the_whole() {
    let place = Place::with_events(300);
    for words in [
        &["-f", "csv"][..],
        &["-f", "ndjson"],
        &["-f", "csv", "--layout", "entries", "--oldest-first"],
        &["-f", "ndjson", "--layout", "entries", "--type", "session.*"],
    ] {
        let whole = place
            .run(&[&["export", "DB"], words].concat(), b"")
            .done()
            .out;
        for limit in ["7", "64", "5000"] {
            assert!(
                in_parts(&place, words, limit) == whole,
                "{words:?} by {limit}"
            );
        }
    }
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let place = Place::with_events(50);
    let words = [
        "export",
        "DB",
        "-f",
        "csv",
        "-o",
        "@all.csv",
        "--report",
        "@all.json",
    ];
    place.run(&words, b"").done();
    let bytes = place.read("all.csv");
    let told = report(&place, "all.json");
    let digest: String = sha2::Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(text(&told, "/sha256"), digest);
    assert_eq!(
        (told["rows"].as_u64(), told["bytes"].as_u64()),
        (Some(50), Some(bytes.len() as u64))
    );
    assert_eq!(told["complete"], true);
    assert_eq!(told["snapshot_seq"], 50);
    assert_eq!(text(&told, "/csv_safety"), "guard");
    assert!(text(&told, "/files/0/name").ends_with("all.csv"));

    // An existing file stays as it is without --force, and is replaced with it.
    place.write("all.csv", "mine");
    place.run(&words[..6], b"").ends_with(2);
    assert_eq!(place.read("all.csv"), b"mine");
    place.run(&[&words[..6], &["--force"]].concat(), b"").done();
    assert_eq!(place.read("all.csv"), bytes);

    // A filter that does not work out leaves nothing behind.
    place
        .run(
            &[
                "export",
                "DB",
                "-f",
                "csv",
                "-o",
                "@none.csv",
                "--cursor",
                "x",
            ],
            b"",
        )
        .ends_with(2);
    let folder = place.path("");
    let names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        names
            .iter()
            .all(|name| ["all.csv", "all.json", "store"].contains(&name.as_str())),
        "{names:?}"
    );
}

#[test]
fn more_than_was_asked_for_ends_with_3_if_that_matters() {
    let place = Place::with_events(10);
    let words = [
        "export",
        "DB",
        "-f",
        "ndjson",
        "--require-complete",
        "--limit",
    ];
    assert_eq!(
        place
            .run(&[&words[..], &["9"]].concat(), b"")
            .ends_with(3)
            .text()
            .lines()
            .count(),
        9
    );
    assert_eq!(
        place
            .run(&[&words[..], &["10"]].concat(), b"")
            .done()
            .text()
            .lines()
            .count(),
        10
    );
}

#[test]
fn packed_files_hold_the_same() {
    let place = Place::with_events(50);
    let plain = place.run(&["export", "DB", "-f", "ndjson"], b"").done().out;
    let packed = place
        .run(&["export", "DB", "-f", "ndjson", "--compress", "zstd"], b"")
        .done()
        .out;
    assert_eq!(
        zstd::decode_all(packed.as_slice()).ok(),
        Some(plain.clone())
    );
    let packed = place
        .run(&["export", "DB", "-f", "ndjson", "--compress", "gzip"], b"")
        .done()
        .out;
    let mut unpacked = Vec::new();
    let read = flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked);
    assert!(read.is_ok());
    assert_eq!(unpacked, plain);
    let array = place.json(&["export", "DB", "-f", "json"]);
    let events = lines(&String::from_utf8_lossy(&plain));
    assert_eq!(array.as_array(), Some(&events));
}

#[test]
fn another_csv_reader_agrees() -> Result<(), csv::Error> {
    let place = Place::new();
    let hostile = r#"{"type":"a.b","occurred_at":"2026-05-17T08:00:00Z","reason":"=cmd|' /C calc'!A0","subject":{"kind":"k","id":"a,\"b\"\r\nc","label":"'x"},"metadata":{"m":"\u001b[2J"}}"#;
    place.run(&["import", "DB", "-"], hostile.as_bytes()).done();
    for (safety, reason, label) in [
        ("guard", "'=cmd|' /C calc'!A0", "''x"),
        ("raw", "=cmd|' /C calc'!A0", "'x"),
    ] {
        let bytes = place
            .run(&["export", "DB", "-f", "csv", "--csv-safety", safety], b"")
            .done()
            .out;
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let mut records = reader.deserialize::<std::collections::HashMap<String, String>>();
        let record = records.next().transpose()?.unwrap_or_default();
        assert_eq!(record.get("reason").map(String::as_str), Some(reason));
        assert_eq!(record.get("subject_label").map(String::as_str), Some(label));
        assert_eq!(
            record.get("subject_id").map(String::as_str),
            Some("a,\"b\"\r\nc")
        );
        assert!(records.next().is_none());
    }
    Ok(())
}

#[test]
fn entries_come_back_as_they_went_in() {
    let place = Place::new();
    let entry = r#"{"id":"evt_01HZABC","type":"user.signed_in","occurred_at":"2026-05-17T08:00:00.000000Z","actor":{"kind":"user","id":"usr_01HZX"},"target":{"kind":"session","id":"ses_01HZY"},"outcome":"success","data":{"b":1.50,"a":[]},"context":{"ip":"203.0.113.45"}}"#;
    place
        .run(
            &["import", "DB", "-", "--format", "entries"],
            entry.as_bytes(),
        )
        .done();
    let told = place.out(&["export", "DB", "-f", "ndjson", "--layout", "entries"]);
    let (keys, behind) = told
        .split_once(",\"seq\":0,\"recorded_at\":\"")
        .unwrap_or_default();
    assert_eq!(format!("{keys}}}"), entry);
    assert!(behind.ends_with("\",\"schema_version\":1}\n"), "{behind}");
    let again = ["import", "DB", "-", "--format", "auto", "--json"];
    let again = place.run(&again, told.as_bytes()).done().text();
    assert!(again.contains("\"refused\":0"), "{again}");
    let csv = place.out(&["export", "DB", "-f", "csv", "--layout", "entries"]);
    assert!(csv.contains("\r\nevt_01HZABC,user.signed_in,2026-05-17T08:00:00.000000Z,user,usr_01HZX,session,ses_01HZY,success,203.0.113.45,"));
    assert!(
        place
            .out(&["show", "DB", "evt_01HZABC"])
            .contains("user.signed_in")
    );
}

/// A program told that the separator is `;` or a tab took `a;=1+1` apart and ran what came behind,
/// and some skip a blank or take another minus sign before they look for a formula.
#[test]
fn cells_that_other_programs_read_as_formulas_are_made_harmless() {
    for (text, guarded, raw) in [
        ("a;=1+1", "\"a;=1+1\"", "\"a;=1+1\""),
        ("a\t=1+1", "\"a\t=1+1\"", "\"a\t=1+1\""),
        (" =1+1", "' =1+1", " =1+1"),
        ("\u{a0}+1", "'\u{a0}+1", "\u{a0}+1"),
        ("\u{feff}@a", "'\u{feff}@a", "\u{feff}@a"),
        (
            "\u{3000}\u{200b} =1",
            "'\u{3000}\u{200b} =1",
            "\u{3000}\u{200b} =1",
        ),
        ("\u{2212}1+1", "'\u{2212}1+1", "\u{2212}1+1"),
        (" a=1", " a=1", " a=1"),
        ("", "", ""),
        (" ", " ", " "),
        ("' =1", "'' =1", "' =1"),
        (" 'x", " 'x", " 'x"),
    ] {
        let place = Place::new();
        let event = serde_json::json!({"type": "a.b", "reason": text, "source": "end"});
        place
            .run(&["append", "DB"], event.to_string().as_bytes())
            .done();
        for (safety, shown) in [("guard", guarded), ("raw", raw)] {
            let words = ["export", "DB", "-f", "csv", "--csv-safety", safety];
            let csv = place.out(&words);
            assert!(csv.contains(&format!(",{shown},end,")), "{text:?}: {csv}");
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            let mut records = reader.deserialize::<std::collections::HashMap<String, String>>();
            let record = records.next().and_then(Result::ok).unwrap_or_default();
            let cell = record.get("reason").map_or("", String::as_str);
            let undone = match safety {
                "guard" => cell.strip_prefix('\'').unwrap_or(cell),
                _ => cell,
            };
            assert_eq!(undone, text, "{safety}");
        }
    }
}

#[cfg(not(feature = "pdf"))]
#[test]
fn a_pdf_from_a_program_without_it_names_the_feature() {
    let place = Place::with_events(3);
    let words = ["export", "DB", "-f", "pdf", "-o", "@a.pdf"];
    let ended = place.run(&words, b"").ends_with(2);
    for named in ["--format", "--features pdf"] {
        assert!(ended.error.contains(named), "{}", ended.error);
    }
    assert!(!place.path("a.pdf").exists());
}
