//! Exports for people: in their language, and for the spreadsheet that they open it with.

use crate::cli::Place;
use crate::cli::text;

const EVENTS: &str = r#"{"type":"user.updated","occurred_at":"2026-07-01T10:00:00Z","performer":{"kind":"admin","id":"a1","label":"Grace"},"subject":{"kind":"user_group","id":"007"},"outcome":"denied","reason":"3-4","source":"=1+1"}"#;

fn place() -> Place {
    let place = Place::new();
    place.run(&["append", "DB"], EVENTS.as_bytes()).done();
    place
}

fn table(text: &str) -> Vec<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.has_headers(false).from_reader(text.as_bytes());
    reader
        .records()
        .map(|record| record.expect("CSV"))
        .collect()
}

/// A locale, the headings of its first columns, and what it says of subject, event and outcome.
const SHOWN: [(&str, [&str; 4], [&str; 3]); 4] = [
    (
        "en",
        ["Date and Time", "Subject", "Event", "Performed By"],
        ["Unknown User Group with id 007", "Update User", "Denied"],
    ),
    (
        "de",
        [
            "Datum und Uhrzeit",
            "Betroffen",
            "Ereignis",
            "Ausgeführt von",
        ],
        [
            "Unbekannt: Benutzergruppe mit ID 007",
            "Benutzer ändern",
            "Verweigert",
        ],
    ),
    (
        "ja",
        ["日時", "対象", "イベント", "実行者"],
        ["不明なユーザーグループ (ID: 007)", "ユーザーの更新", "拒否"],
    ),
    (
        "ar",
        ["التاريخ والوقت", "الموضوع", "الحدث", "نُفّذ بواسطة"],
        [
            "عنصر غير معروف: مجموعة مستخدمين بالمعرّف 007",
            "تحديث مستخدم",
            "مرفوض",
        ],
    ),
];

#[test]
fn mission_e12_headings_and_labels_are_in_the_locale_and_ids_are_not() {
    let place = place();
    for (locale, headings, cells) in SHOWN {
        let words = [
            "export", "DB", "-f", "csv", "--layout", "trail", "--locale", locale,
        ];
        let report = ["--report", "@told.json", "--force"];
        let rows = table(&place.out(&[&words[..], &report].concat()));
        let (head, row) = (&rows[0], &rows[1]);
        assert_eq!(head.iter().take(4).collect::<Vec<_>>(), headings);
        assert_eq!([&row[1], &row[2], &row[6]], cells);
        assert_eq!([&row[3], &row[11]], ["Grace", "user.updated"]);
        let told = crate::cli::json(&String::from_utf8_lossy(&place.read("told.json")));
        assert_eq!(text(&told, "/locale"), locale);
    }
}

#[test]
fn mission_e12_a_locale_that_does_not_exist_is_refused_with_those_there_are() {
    let place = place();
    let all = [
        "en", "de", "fr", "es", "pt", "it", "nl", "pl", "ja", "zh", "ar",
    ];
    for locale in all {
        for layout in ["native", "entries", "trail", "sentinel"] {
            let words = [
                "export", "DB", "-f", "csv", "--layout", layout, "--locale", locale,
            ];
            let text = place.out(&words);
            assert!(
                text.contains("user.updated"),
                "{locale}: a type is never translated"
            );
        }
    }
    let words = [
        "export",
        "DB",
        "-f",
        "csv",
        "--locale",
        "xx",
        "-o",
        "@none.csv",
    ];
    let error = place.run(&words, b"").ends_with(2).error;
    assert!(error.contains("--locale"), "{error}");
    assert!(all.iter().all(|code| error.contains(code)), "{error}");
    assert!(!place.path("none.csv").exists());
}

#[test]
fn mission_d13_excel_gets_what_it_shows_as_it_is() {
    let place = place();
    let text = place.out(&["export", "DB", "-f", "csv", "--excel"]);
    assert!(
        text.starts_with("\u{feff}id,") && text.ends_with("\r\n"),
        "{text}"
    );
    for guarded in [",'007,", ",'3-4,", ",'=1+1,"] {
        assert!(text.contains(guarded), "{guarded}: {text}");
    }
    let again = place
        .run(&["import", "@again", "-", "--json"], text.as_bytes())
        .done()
        .text();
    assert!(again.contains("\"imported\":1"), "{again}");
    let lines = place.out(&["export", "@again", "-f", "ndjson"]);
    assert!(
        lines.contains(r#""id":"007""#) && lines.contains(r#""source":"=1+1""#),
        "{lines}"
    );

    let raw = [
        "export",
        "DB",
        "-f",
        "csv",
        "--excel",
        "--csv-safety",
        "raw",
    ];
    let error = place.run(&raw, b"").ends_with(2).error;
    assert!(error.contains("--excel"), "{error}");
    let lines = ["export", "DB", "-f", "ndjson", "--excel"];
    let error = place.run(&lines, b"").ends_with(2).error;
    assert!(error.contains("--excel"), "{error}");
    let pieces = ["--excel", "--rows-per-file", "10", "-o", "@parts.csv"];
    let pieces = [&["export", "DB", "-f", "csv"][..], &pieces].concat();
    let error = place.run(&pieces, b"").ends_with(2).error;
    assert!(error.contains("excel"), "{error}");
    let many = ["export", "DB", "-f", "csv", "--excel", "--limit", "1048576"];
    let error = place.run(&many, b"").ends_with(2).error;
    assert!(error.contains("1048575"), "{error}");
}

#[test]
fn what_excel_would_cut_is_refused_with_the_event_and_the_column() {
    let place = place();
    let long = format!("{{\"type\":\"a\",\"data\":\"{}\"}}", "x".repeat(40_000));
    place.run(&["append", "DB"], long.as_bytes()).done();
    let words = ["export", "DB", "-f", "csv", "--excel", "-o", "@long.csv"];
    let error = place.run(&words, b"").ends_with(2).error;
    assert!(
        error.contains("data_json of evt_") && error.contains("40002"),
        "{error}"
    );
    assert!(!place.path("long.csv").exists());
}

#[test]
fn import_takes_csv_and_says_which_heading_it_does_not_know() {
    let place = Place::new();
    let good = "type,occurred_at,reason\na.b,2026-05-17T08:00:00Z,\"two\nlines\"\na.c,yesterday,\n";
    let error = place
        .run(&["import", "DB", "-"], good.as_bytes())
        .ends_with(1)
        .error;
    assert!(error.contains("line 4"), "{error}");
    assert!(
        place
            .out(&["export", "DB", "-f", "ndjson"])
            .contains(r#""reason":"two\nlines""#)
    );
    let bad = "type,occurred_at,colour\na.b,2026-05-17T08:00:00Z,red\n";
    let error = place
        .run(&["import", "DB", "-"], bad.as_bytes())
        .ends_with(1)
        .error;
    assert!(
        error.contains("line 1") && error.contains("\"colour\""),
        "{error}"
    );
    let raw = "type,occurred_at,reason\na.d,2026-05-17T08:00:00Z,'x\n";
    place
        .run(
            &["import", "DB", "-", "--csv-safety", "raw"],
            raw.as_bytes(),
        )
        .done();
    assert!(
        place
            .out(&["export", "DB", "-f", "ndjson"])
            .contains(r#""reason":"'x""#)
    );
}
