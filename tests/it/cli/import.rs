//! Imports by the binary: counts on stdout as JSON, refusals by line, and nothing twice.

use super::Place;
use super::lines;
use super::run;
use super::text;

#[test]
fn importing_again_adds_nothing() {
    let place = Place::new();
    let made = run(&["generate", "--events", "500", "--ties", "50"], b"").done();
    for imported in [500, 0] {
        let told = place
            .run(&["import", "DB", "-", "--json"], &made.out)
            .done()
            .text();
        let told = super::json(&told);
        assert_eq!(told["read"], 500);
        assert_eq!(told["imported"], imported);
        assert_eq!(told["duplicates"], 500 - imported);
        assert_eq!(told["refused"], 0);
        assert_eq!(told["last_seq"].is_null(), imported == 0);
    }
    assert_eq!(place.json(&["stats", "DB", "--json"])["events"], 500);
}

#[test]
fn equal_seeds_give_equal_events() {
    let made = |seed| {
        run(&["generate", "--events", "50", "--seed", seed], b"")
            .done()
            .text()
    };
    assert_eq!(made("3"), made("3"));
    assert_ne!(made("3"), made("4"));
    for event in lines(&made("3")) {
        for name in ["id", "seq", "recorded_at"] {
            assert!(event.get(name).is_none(), "{event}");
        }
    }
}

#[test]
fn refused_lines_are_stopped_at_skipped_or_kept() {
    let place = Place::new();
    let good = r#"{"type":"a.b","occurred_at":"2026-05-17T08:00:00Z","reason":"N"}"#;
    let input = format!(
        "{}\n{{\"type\":\"a.b\",\n{}\n",
        good.replace('N', "1"),
        good.replace('N', "2")
    );
    let stopped = place.run(
        &["import", "DB", "-", "--format", "native", "--json"],
        input.as_bytes(),
    );
    let stopped = stopped.ends_with(1);
    assert!(stopped.error.contains("line 2"), "{}", stopped.error);
    let told = super::json(&stopped.text());
    assert_eq!(
        (&told["imported"], &told["refused"]),
        (&1.into(), &1.into())
    );

    let words = [
        "import",
        "DB",
        "-",
        "--format",
        "native",
        "--json",
        "--on-error",
    ];
    let kept = place
        .run(&[&words[..], &["@refused"]].concat(), input.as_bytes())
        .done();
    let told = super::json(&kept.text());
    let counts = ["read", "imported", "duplicates", "refused"].map(|name| told[name].as_u64());
    assert_eq!(counts, [Some(3), Some(1), Some(1), Some(1)]);
    let refused = lines(&String::from_utf8_lossy(&place.read("refused")));
    assert_eq!(refused.len(), 1);
    assert_eq!(
        refused.first().map(|line| line["line"].as_u64()),
        Some(Some(2))
    );
    assert!(refused.iter().all(|line| !text(line, "/reason").is_empty()));
}

#[test]
fn formats_are_listed_without_a_store() {
    let listed = run(&["import", "--formats"], b"").done().text();
    for format in ["auto", "native", "entries"] {
        assert!(listed.contains(format), "{format}");
    }
}

#[test]
fn packed_files_are_known_by_content() -> std::io::Result<()> {
    let place = Place::new();
    let made = run(&["generate", "--events", "40"], b"").done().out;
    std::fs::write(place.path("a.log"), zstd::encode_all(made.as_slice(), 1)?)?;
    let told = super::json(
        &place
            .run(&["import", "DB", "@a.log", "--json"], b"")
            .done()
            .text(),
    );
    assert_eq!(told["imported"], 40);
    Ok(())
}
