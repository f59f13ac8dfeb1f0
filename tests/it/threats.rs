//! What docs/THREATS.md says of files, links, messages and of what nobody can detect, where no other
//! test keeps it.

use std::fs;
#[cfg(feature = "cli")]
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;

use auditdb::ErrorKind;
use auditdb::Event;
use auditdb::Options;
use auditdb::ReadMode;
use auditdb::Store;

use crate::support::folder;
use crate::support::lines;

/// A closed store with a segment and a log.
fn store(path: &Path, reason: &str) {
    let store = Store::open(path, Options::default()).expect("a store");
    let event = |number: u64| Event::new("threat.tested").reason(format!("{reason} {number}"));
    let events: Vec<Event> = (0..50).map(event).collect();
    store.append_batch(&events).expect("a batch");
    store.flush().expect("a seal");
    store.append(&event(50)).expect("an event");
    store.close().expect("a close");
}

fn segment(path: &Path) -> PathBuf {
    let folder = fs::read_dir(path.join("seg"))
        .expect("a folder of segments")
        .next();
    let folder = folder.expect("a partition").expect("its name").path();
    let file = fs::read_dir(folder).expect("a partition").next();
    file.expect("a segment").expect("its name").path()
}

/// Every file and folder below a path.
#[cfg(feature = "cli")]
fn below(path: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(path).expect("a folder") {
        let path = entry.expect("a name").path();
        if path.is_dir() {
            below(&path, found);
        }
        found.push(path);
    }
}

/// Nothing on a medium can tell what its owner wrote from what somebody wrote in the owner's place.
#[test]
fn what_somebody_wrote_anew_is_not_told_from_what_was_there() {
    let folder = folder();
    let (path, forged) = (folder.path().join("store"), folder.path().join("forged"));
    store(&path, "denied");
    store(&forged, "granted");
    fs::remove_dir_all(&path).expect("it goes");
    fs::rename(&forged, &path).expect("another takes its place");
    assert!(auditdb::verify(&path).expect("a verification").is_clean());
}

#[test]
fn a_link_in_place_of_a_file_is_refused() {
    for name in ["segment", "CURRENT", "LOCK"] {
        let folder = folder();
        let path = folder.path().join("store");
        store(&path, "linked");
        let file = match name {
            "segment" => segment(&path),
            name => path.join(name),
        };
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&file, &elsewhere).expect("it is moved");
        symlink(&elsewhere, &file).expect("a link to it");
        let before = fs::read(&elsewhere).expect("it can be read");
        for mode in [ReadMode::Mapped, ReadMode::Positional] {
            assert!(lines(&path, mode).is_err(), "{name} is followed");
        }
        // A writer need not read a segment to open its store, but nobody is led elsewhere.
        if let Ok(store) = Store::open(&path, Options::default()) {
            assert_eq!(name, "segment");
            store.close().expect("a close");
        }
        assert_eq!(
            fs::read(&elsewhere).expect("it can be read"),
            before,
            "{name} was written to"
        );
    }
}

#[test]
fn a_cut_segment_is_an_error_and_no_shorter_answer() {
    let folder = folder();
    let path = folder.path().join("store");
    store(&path, "cut");
    let store = Store::open(
        &path,
        Options {
            read_mode: ReadMode::Positional,
            ..Options::default()
        },
    );
    let store = store.expect("the store");
    let file = fs::File::options()
        .write(true)
        .open(segment(&path))
        .expect("the segment");
    file.set_len(600)
        .expect("it is cut while the store is open");
    let query = auditdb::Query::default();
    let error = store.page(&query).expect_err("it is damage");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

#[cfg(feature = "cli")]
#[test]
fn what_commands_make_is_for_its_owner_whatever_the_umask() {
    let folder = folder();
    let script = r#"
        umask 000
        "$1" generate --events 3000 > "$2/lines"
        "$1" import "$2/new/store" "$2/lines"
        "$1" append "$2/new/store" --type a.b
        "$1" export "$2/new/store" -f ndjson -o "$2/new/exported" --report "$2/new/report"
    "#;
    let shell = std::process::Command::new("sh")
        .args(["-e", "-c", script, "sh", env!("CARGO_BIN_EXE_auditdb")])
        .arg(folder.path())
        .output()
        .expect("a shell");
    assert!(
        shell.status.success(),
        "{}",
        String::from_utf8_lossy(&shell.stderr)
    );
    let made = folder.path().join("new");
    let mut found = vec![made.clone()];
    below(&made, &mut found);
    assert!(found.len() > 10, "{found:?}");
    for path in found {
        let metadata = fs::metadata(&path).expect("it is there");
        let wanted = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(
            metadata.permissions().mode() & 0o777,
            wanted,
            "{}",
            path.display()
        );
    }
}

#[cfg(feature = "cli")]
#[test]
fn messages_carry_no_control_character() {
    let folder = folder();
    let path = folder.path().join("store");
    store(&path, "told");
    let hostile = "\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m\r\n";
    let named = folder.path().join(hostile);
    let (path, named) = (path.display().to_string(), named.display().to_string());
    for words in [
        vec!["query", &named],
        vec!["query", &path, "--since", hostile],
        vec!["query", &path, "--cursor", hostile],
        vec!["query", &path, "--explain", "--type", hostile],
        vec!["facets", &path, hostile],
        vec!["show", &path, hostile],
        vec!["dump", &path, hostile],
        vec!["import", &path, &named],
        vec!["append", &path, "--type", hostile],
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_auditdb"));
        let output = command.args(&words).output().expect("a run");
        let text = String::from_utf8(output.stderr).expect("messages are text");
        let is_bad = |sign: char| {
            (sign.is_control() && sign != '\n') || matches!(sign, '\u{202a}'..='\u{202e}')
        };
        assert!(!text.contains(is_bad), "{words:?}: {text:?}");
    }
}
