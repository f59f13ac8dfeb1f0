//! Exports as PDF through the program, read back by the text of their pages.

mod paper;

use serde_json::Value;

use crate::cli::Place;
use crate::cli::json;
use crate::cli::lines;

use self::paper::Paper;

/// Texts in several scripts, long ones, and what a reader must not be led astray by.
const EVENTS: &str = concat!(
    r#"{"type":"user.updated","occurred_at":"2026-07-01T10:00:00.25Z","performer":{"kind":"user","id":"u1","label":"Ελένη Παπαδοπούλου"},"subject":{"kind":"form","id":"f1","label":"Анкета о предоставлении стипендии и сопроводительные документы к ней"},"outcome":"success","context":{"ip":"203.0.113.45"},"data":{"note":"a long value without any blank","ids":["#,
    r#"1123456789,2123456789,3123456789,4123456789,5123456789,6123456789,7123456789,8123456789,9123456789,1012345678,1112345678,1212345678,1312345678,1412345678,1512345678,1612345678]}}"#,
    "\n",
    r#"{"type":"form.opened","occurred_at":"2026-07-02T10:00:00Z","performer":{"kind":"admin","id":"a1"},"subject":{"kind":"form","id":"f2","label":"plain\u202etxt.exe\u0007"},"reason":"wórds with āccents, “quotes” → and ½ signs","outcome":"denied","metadata":{"entity_id":"e1"}}"#,
    "\n",
);

fn place() -> Place {
    let place = Place::new();
    place.write("events.ndjson", EVENTS);
    place.run(&["import", "DB", "@events.ndjson"], b"").done();
    place
}

/// The text of an export's pages.
fn pages(place: &Place, words: &[&str]) -> Vec<String> {
    let words = [&["export", "DB", "-f", "pdf"], words].concat();
    Paper::new(&place.run(&words, b"").done().out).pages()
}

/// Without the places where lines are broken.
fn joined(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_whitespace())
        .collect()
}

#[test]
fn mission_e2_a_pdf_has_every_value_of_every_event() {
    let place = place();
    let text = joined(&pages(&place, &[]).concat());
    let csv = place.out(&[
        "export",
        "DB",
        "-f",
        "csv",
        "--layout",
        "trail",
        "--csv-safety",
        "raw",
    ]);
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.has_headers(false).from_reader(csv.as_bytes());
    let mut cells = 0;
    for record in reader.records().skip(1).map(|record| record.expect("CSV")) {
        for (column, cell) in record
            .iter()
            .enumerate()
            .filter(|(_, cell)| !cell.is_empty())
        {
            let cell = auditdb::printable(cell, &[]).into_owned();
            // A column's lines stand between those of its neighbours: its words are found one by one.
            let words: Vec<&str> = match column {
                0 | 4 => cell.split('T').collect(),
                1..7 => cell.split(' ').collect(),
                _ => vec![&cell],
            };
            let is_utc_again = column == 4;
            for word in words {
                let found = text.contains(&joined(word)) || is_utc_again;
                assert!(found, "{word:?} of {cell:?}\n{text}");
            }
            cells += 1;
        }
    }
    assert!(cells > 25, "{cells} cells");
    assert!(
        text.contains(r"plain\u202etxt.exe\u0007"),
        "escaped: {text}"
    );
}

#[test]
fn mission_e10_the_same_export_is_the_same_pdf() {
    let place = place();
    for words in [
        &[][..],
        &["--locale", "ar", "--tz", "Asia/Dubai"],
        &["--layout", "sentinel"],
    ] {
        let words = [&["export", "DB", "-f", "pdf"], words].concat();
        let [one, two] = [(); 2].map(|()| place.run(&words, b"").done());
        assert_eq!(one.out, two.out, "{words:?}");
        let sha256 = |error: &str| {
            error
                .split("sha256 ")
                .nth(1)
                .map(|rest| rest[..64].to_owned())
        };
        assert_eq!(sha256(&one.error), sha256(&two.error));
    }
}

#[test]
fn every_page_has_its_headings_and_its_number_and_the_first_says_what_it_is() {
    let place = Place::with_events(300);
    let found = pages(
        &place,
        &[
            "--since",
            "2000-01-01",
            "--oldest-first",
            "--tz",
            "Europe/Berlin",
            "--locale",
            "de",
        ],
    );
    assert!(found.len() > 10, "{} pages", found.len());
    let count = found.len();
    for (number, page) in found.iter().enumerate() {
        for wanted in ["Datum und Uhrzeit", "Betroffen", "Ausgeführt von"] {
            assert!(page.contains(wanted), "{wanted} on page {number}: {page}");
        }
        assert!(
            page.contains(&format!("Seite {} von {count}", number + 1)),
            "{page}"
        );
        assert_eq!(page.contains("Gefiltert nach"), number == 0);
    }
    for wanted in [
        "Prüfprotokoll",
        "Älteste zuerst",
        "Europe/Berlin",
        "300",
        "1999-12-31T23:00",
        "Zeitzone",
    ] {
        assert!(found[0].contains(wanted), "{wanted}: {}", found[0]);
    }
}

#[test]
fn mission_e12_a_pdf_in_arabic_is_mirrored_and_says_so_in_arabic() {
    let place = place();
    let found = pages(&place, &["--locale", "ar"]);
    // Glyphs stand from left to right, so words that are read from the right stand turned round.
    let heading: String = "الموضوع".chars().rev().collect();
    let plain = found[0].replace('\n', "");
    assert!(
        plain.contains(&heading) || plain.contains("الموضوع"),
        "{plain}"
    );
    assert!(plain.contains("user.updated") && plain.contains("203.0.113.45"));
}

#[test]
fn characters_that_no_font_has_are_shown_by_number_and_reported() {
    let place = Place::new();
    let event = r#"{"type":"a.b","occurred_at":"2026-07-01T10:00:00Z","subject":{"kind":"k","id":"1","label":"กข ก"}}"#;
    place.run(&["append", "DB"], event.as_bytes()).done();
    let words = [
        "export", "DB", "-f", "pdf", "-o", "@a.pdf", "--report", "@a.json",
    ];
    let ended = place.run(&words, b"").done();
    assert!(
        ended.error.contains("3 characters") && ended.error.contains("U+0E01 U+0E02"),
        "{}",
        ended.error
    );
    let report = json(&String::from_utf8_lossy(&place.read("a.json")));
    assert_eq!(report["missing_glyphs"]["count"], 3);
    assert_eq!(report["missing_glyphs"]["characters"], "U+0E01 U+0E02");
    let text = joined(&Paper::new(&place.read("a.pdf")).pages().concat());
    assert!(text.contains("U+0E01U+0E02U+0E01"), "{text}");
    place.write("no.ttf", "this is no font");
    let ended = place
        .run(&["export", "DB", "-f", "pdf", "--font", "@no.ttf"], b"")
        .ends_with(2);
    assert!(
        ended.error.contains("--font") && ended.error.contains("no.ttf"),
        "{}",
        ended.error
    );
}

#[test]
fn mission_e11_sixty_thousand_events_make_documents_with_a_manifest() {
    let place = Place::new();
    let event = |n: u32| {
        format!(
            r#"{{"type":"a.b","occurred_at":"2026-07-01T10:00:{:02}Z","key":"k{n}"}}"#,
            n % 60
        )
    };
    let events: Vec<String> = (0..60_000).map(event).collect();
    place.write("events.ndjson", &events.join("\n"));
    place.run(&["import", "DB", "@events.ndjson"], b"").done();
    let words = [
        "export",
        "DB",
        "-f",
        "pdf",
        "-o",
        "@all.pdf",
        "--report",
        "@report.json",
    ];
    place.run(&words, b"").done();
    let manifest = json(&String::from_utf8_lossy(
        &place.read("all.pdf.manifest.json"),
    ));
    let files = manifest["files"].as_array().expect("files");
    assert!(files.len() > 1 && manifest["rows"] == 60_000, "{manifest}");
    let rows: u64 = files.iter().filter_map(|file| file["rows"].as_u64()).sum();
    assert_eq!(rows, 60_000);
    let name = |file: &Value| file["name"].as_str().map(str::to_owned).expect("a name");
    let second = place.read(&name(&files[1]));
    let again = {
        let rows = files[1]["rows"].to_string();
        let cursor = files[1]["cursor"].as_str().expect("a cursor").to_owned();
        place
            .run(
                &[
                    "export", "DB", "-f", "pdf", "--limit", &rows, "--cursor", &cursor,
                ],
                b"",
            )
            .done()
    };
    assert_eq!(
        again.out, second,
        "any one file can be made again by itself"
    );
    let text = place
        .run(&["export", "DB", "-f", "pdf"], b"")
        .ends_with(2)
        .error;
    assert!(text.contains("--output FILE"), "{text}");
    let refused = [
        "export",
        "DB",
        "-f",
        "pdf",
        "-o",
        "@b.pdf",
        "--limit-error",
        "5000",
    ];
    let text = place.run(&refused, b"").ends_with(2).error;
    assert!(
        text.contains("--limit-error") && !place.path("b.pdf").exists(),
        "{text}"
    );
}

#[test]
fn files_of_so_many_rows_and_archives_hold_whole_documents() {
    let place = Place::with_events(90);
    let words = [
        "export",
        "DB",
        "-f",
        "pdf",
        "-o",
        "@t.pdf",
        "--rows-per-file",
        "40",
    ];
    place.run(&words, b"").done();
    for (file, rows) in [("t-000001.pdf", "40"), ("t-000003.pdf", "10")] {
        let found = Paper::new(&place.read(file)).pages();
        assert!(
            found[0].contains(&format!("Events in This File\n{rows}")),
            "{}",
            found[0]
        );
    }
    let zip = ["export", "DB", "-f", "pdf", "-o", "@t.zip", "--zip"];
    let one = place.run(&zip, b"").done();
    assert!(one.error.contains("90 rows") && place.read("t.zip").starts_with(b"PK"));
}

#[test]
fn mission_e11_a_job_makes_documents_in_one_archive() {
    let place = Place::with_events(90);
    let thai = r#"{"type":"a.b","subject":{"kind":"k","id":"1","label":"กข ก"}}"#;
    place.run(&["append", "DB"], thai.as_bytes()).done();
    let form = ["-f", "pdf", "--zip", "--rows-per-file", "40"];
    let export = place.run(&[&["export", "DB"], &form[..]].concat(), b"");
    let whole = export.done().out;
    let ended = place.run(&[&["jobs", "DB", "start"], &form[..]].concat(), b"");
    let ended = ended.done();
    let job = json(&String::from_utf8_lossy(&ended.out));
    assert_eq!((&job["state"], &job["rows"]), (&"ready".into(), &91.into()));
    let file = std::fs::read(job["file"].as_str().expect("its file")).expect("the file");
    assert!(file == whole, "the export made in one go");
    assert_eq!(job["missing_glyphs"]["count"], 3);
    assert!(ended.error.contains("U+0E01 U+0E02"), "{}", ended.error);
    for (words, named) in [
        (&["--zip", "--font", "@no.ttf"][..], "--font"),
        (&[], "--zip"),
    ] {
        let words = [&["jobs", "DB", "start", "-f", "pdf"], words].concat();
        let ended = place.run(&words, b"").ends_with(2);
        assert!(ended.error.contains(named), "{named}: {}", ended.error);
    }
}

#[test]
fn a_pdf_of_a_view_has_what_the_organisation_is_shown() {
    let place = Place::with_events(60);
    let other = r#"{"type":"a.b","org":"north","performer":{"kind":"user","id":"u9","org":"south"},"subject":{"kind":"k","id":"secret-free"}}"#;
    place.run(&["append", "DB"], other.as_bytes()).done();
    let words = ["export", "DB", "--view", "north"];
    let lines = lines(&place.out(&[&words[..], &["-f", "ndjson"]].concat()));
    assert!(lines.len() < 61, "others have events too");
    let pages = pages(&place, &["--view", "north"]);
    let text = joined(&pages.concat());
    assert!(pages[0].contains("Organization\nnorth"), "{}", pages[0]);
    assert!(!pages[0].contains("Events Selected"), "{}", pages[0]);
    assert!(
        text.contains("ExternalOrgUser") && !text.contains("u9"),
        "{text}"
    );
    for line in &lines {
        let id = line["id"].as_str().expect("its id");
        assert_eq!(text.matches(id).count(), 1, "{id}");
    }
    // A file of few rows goes on behind the last one.
    let words = [
        &words[..],
        &["-f", "pdf", "-o", "@v.pdf", "--rows-per-file", "4"],
    ]
    .concat();
    place.run(&words, b"").done();
    let manifest = json(&String::from_utf8_lossy(&place.read("v.pdf.manifest.json")));
    assert_eq!(manifest["rows"], lines.len());
    assert_eq!(manifest["view"], "north");
}

#[test]
fn hostile_texts_are_bounded_and_typed() {
    let place = Place::new();
    let long = "\\u0001x".repeat(120_000);
    let event = format!(
        r#"{{"type":"a.b","occurred_at":"2026-07-01T10:00:00Z","subject":{{"kind":"k","id":"\u202e\u2066","label":"\u0000\u001b[31m"}},"data":"{long}"}}"#
    );
    place.write("events.ndjson", &event);
    place.run(&["import", "DB", "@events.ndjson"], b"").done();
    let found = pages(&place, &[]);
    assert!(found.len() > 50, "{} pages", found.len());
    let text = joined(&found.concat());
    assert!(
        text.contains(r"\u0000\u001b[31m") && text.contains(r"\u202e\u2066"),
        "escaped"
    );
    assert!(text.matches(r"\u0001x").count() > 118_000, "nothing is cut");
}

#[test]
fn what_does_not_go_together_is_refused_by_name() {
    let place = place();
    for (words, named) in [
        (&["--layout", "native"][..], "pdf+trail"),
        (&["--no-header"], "--no-header"),
        (&["--compress", "gzip"], "--compress"),
        (&["--excel"], "--excel"),
        (&["--font", "@nothing.ttf"], "--font"),
    ] {
        let words = [&["export", "DB", "-f", "pdf", "-o", "@x.pdf"], words].concat();
        let ended = place.run(&words, b"").ends_with(2);
        assert!(ended.error.contains(named), "{named}: {}", ended.error);
    }
    let ended = place
        .run(
            &["export", "DB", "-f", "csv", "--font", "@events.ndjson"],
            b"",
        )
        .ends_with(2);
    assert!(ended.error.contains("--font"), "{}", ended.error);
    place
        .run(
            &[
                "export", "DB", "-f", "pdf", "-o", "@x.pdf", "--as", "user:u7",
            ],
            b"",
        )
        .done();
    let told = lines(&place.out(&["query", "DB", "--type", "audit.exported", "-o", "ndjson"]));
    assert_eq!(told[0]["data"]["format"], "pdf");
}
