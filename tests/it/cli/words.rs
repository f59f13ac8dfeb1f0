//! Every command explains itself with examples; what is not understood ends with 2 and names the
//! flag; a folder that is no store, or a locked one, ends with 4.

use super::Place;
use super::run;

const COMMANDS: [&str; 15] = [
    "demo", "generate", "import", "append", "query", "show", "export", "facets", "follow", "stats",
    "types", "verify", "dump", "errors", "queries",
];

#[test]
fn every_command_explains_itself_with_examples() {
    let listed = run(&["--help"], b"").done().text();
    for command in COMMANDS {
        assert!(listed.contains(command), "{command} is not in --help");
        let help = run(&[command, "--help"], b"").done().text();
        assert!(
            help.contains("Examples:") && help.contains(&format!("auditdb {command}")),
            "{command}"
        );
    }
}

#[test]
fn what_is_not_understood_ends_with_2_and_names_the_flag() {
    let place = Place::with_events(20);
    place.write("there", "mine");
    for (words, named) in [
        (&["query", "DB", "--nonsense"][..], "--nonsense"),
        (&["frobnicate"], "frobnicate"),
        (&["query", "DB", "--since", "1715932800"], "--since"),
        (
            &[
                "query",
                "DB",
                "--since",
                "2026-01-02",
                "--until",
                "2026-01-01",
            ],
            "since",
        ),
        (
            &[
                "query",
                "DB",
                "--tz",
                "Mars/Olympus",
                "--since",
                "2026-01-02T03:04",
            ],
            "--tz",
        ),
        (&["query", "DB", "--ip", "10.0.0.0/99"], "--ip"),
        (&["query", "DB", "-n", "0"], "-n"),
        (&["query", "DB", "--cursor", ""], "cursor"),
        (&["query", "DB", "--cursor", "nonsense"], "cursor"),
        (&["query", "DB", "-o", "yaml"], "--output"),
        (&["export", "DB", "-f", "csv", "--limit", "0"], "--limit"),
        (&["export", "DB", "-f", "docx"], "--format"),
        (
            &["export", "DB", "-f", "json", "--layout", "entries"],
            "csv+entries",
        ),
        (
            &["export", "DB", "-f", "json", "--no-header"],
            "--no-header",
        ),
        (
            &["export", "DB", "-f", "json", "--layout", "entries"],
            "--layout",
        ),
        (&["export", "DB", "-f", "csv", "-o", "@there"], "--output"),
        (&["query", "DB", "-n", "-1"], "-n"),
        (&["export", "DB"], "--format"),
        (&["export", "DB", "-f", "csv", "-o", "@there"], "exists"),
        (&["facets", "DB", "shoe-size"], "FIELD"),
        (&["import", "DB", "--format", "nonsense"], "--format"),
        (&["import", "DB", "--map", "@nowhere"], "--map"),
        (&["generate"], "--events"),
        (&["generate", "--events", "1", "--ties", "101"], "--ties"),
    ] {
        let ended = place.run(words, b"").ends_with(2);
        assert!(
            ended.error.contains(named),
            "{words:?} said {}",
            ended.error
        );
        assert!(ended.out.is_empty(), "{words:?} printed");
    }
    assert_eq!(place.read("there"), b"mine");
}

#[test]
fn a_folder_that_is_no_store_ends_with_4() {
    let place = Place::new();
    place.write("file", "");
    for command in ["query", "stats", "verify", "dump", "follow"] {
        place.run(&[command, "@absent"], b"").ends_with(4);
        place.run(&[command, "@file"], b"").ends_with(4);
    }
    place
        .run(&["export", "@absent", "-f", "csv"], b"")
        .ends_with(4);
    assert!(!place.path("absent").exists());
}

#[test]
fn a_locked_store_ends_with_4_and_reading_goes_on() -> auditdb::Result<()> {
    let place = Place::with_events(20);
    let store = auditdb::Store::open(place.path("store"), auditdb::Options::default())?;
    let ended = place
        .run(&["append", "DB", "--type", "a.b"], b"")
        .ends_with(4);
    assert!(
        ended.error.contains(&std::process::id().to_string()),
        "{}",
        ended.error
    );
    assert_eq!(
        place.out(&["export", "DB", "-f", "ndjson"]).lines().count(),
        20
    );
    store.close()
}

#[test]
fn an_event_that_is_refused_names_the_flag() {
    let place = Place::new();
    for (flag, value) in [
        ("--type", "A B"),
        ("--outcome", "splendid"),
        ("--occurred-at", "-24h"),
        ("--meta", "=v"),
        ("--meta", "no-pair"),
        ("--change", "no-change"),
        ("--performer", ":a"),
        ("--subject", "\u{7}:a"),
        ("--data", "{"),
    ] {
        let words: &[&str] = match flag {
            "--type" => &["append", "DB"],
            _ => &["append", "DB", "--type", "a.b"],
        };
        let ended = place.run(&[words, &[flag, value]].concat(), b"");
        let ended = ended.ends_with(2);
        assert!(ended.error.contains(flag), "{flag}: {}", ended.error);
    }
}

/// `--reason -x` was taken for a flag that nobody knows, on `append` alone.
#[test]
fn values_that_begin_with_a_minus_are_values() {
    let place = Place::new();
    let words = ["append", "DB", "--type", "a.b", "--reason", "-x"];
    let more = ["--meta", "-k=-v", "--data", "-1", "--subject", "-k:-1"];
    place.out(&[&words[..], &more].concat());
    let line = place.out(&["export", "DB", "-f", "ndjson"]);
    for part in [
        r#""subject":{"kind":"-k","id":"-1"}"#,
        r#""reason":"-x""#,
        r#""metadata":{"-k":"-v"}"#,
        r#""data":-1"#,
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}

/// A folder in the target's place was answered with the advice to replace it by --force.
#[test]
fn advice_fits_what_is_in_the_way() {
    let place = Place::with_events(1);
    place.write("file", "");
    for (target, reason, hint) in [
        ("@store", "no plain file", "another name"),
        ("@file", "exists", "--force"),
        ("@nowhere/file", "No such file", ""),
    ] {
        let target = place.word(target);
        let ended = place.run(&["export", "DB", "-f", "csv", "-o", &target], b"");
        assert_ne!(ended.code, Some(0), "{target}");
        let told = &ended.error;
        assert!(told.contains(reason) && told.contains(hint), "{told}");
        assert_eq!(told.contains("--force"), hint == "--force", "{told}");
    }
}
