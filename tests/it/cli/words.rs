//! Every command explains itself with examples; what is not understood ends with 2 and names the
//! flag; a folder that is no store, or a locked one, ends with 4.

use super::Place;
use super::run;

const COMMANDS: [&str; 12] = [
    "demo", "generate", "import", "append", "query", "show", "export", "facets", "follow", "stats",
    "verify", "dump",
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
        (&["export", "DB", "-f", "json", "--no-header"], "header"),
        (&["export", "DB"], "--format"),
        (&["export", "DB", "-f", "csv", "-o", "@there"], "exists"),
        (&["facets", "DB", "shoe-size"], "FIELD"),
        (&["import", "DB", "--format", "nonsense"], "--format"),
        (&["import", "DB", "--map", "@nowhere"], "--map"),
        (&["append", "DB", "--type", "Not A Slug"], "type"),
        (
            &["append", "DB", "--type", "a.b", "--outcome", "splendid"],
            "--outcome",
        ),
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
