//! Files that commands make by name never take the place of anything else: not of a store's files,
//! not of what the same command reads or makes, not of what a link points to.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;

use super::Place;
use super::auditdb;
use super::files;
use super::run;

/// What lies in a folder, file by file.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).unwrap_or_default();
        (path, bytes)
    };
    files(folder).into_iter().map(read).collect()
}

/// `export -o a --report ./a` compared spellings: the report was written over the export it told
/// of, with exit code 0.
#[test]
fn a_report_never_takes_the_place_of_its_export() -> std::io::Result<()> {
    let place = Place::with_events(20);
    let folder = place.name("");
    std::fs::create_dir(place.path("sub"))?;
    symlink(place.path(""), place.path("round"))?;
    for report in ["a.csv", "./a.csv", "sub/../a.csv", "round/a.csv"] {
        let report = format!("{folder}{report}");
        let words = ["export", "DB", "-f", "csv", "-o", "@a.csv", "--report"];
        for force in [&[][..], &["--force"]] {
            let words = [&words[..], &[report.as_str()], force].concat();
            let ended = place.run(&words, b"").ends_with(2);
            assert!(ended.error.contains("--report"), "{}", ended.error);
            assert!(!place.path("a.csv").exists(), "{report}");
        }
    }
    // Two names of one file are one file too.
    place.write("a.csv", "mine");
    std::fs::hard_link(place.path("a.csv"), place.path("b.json"))?;
    let words = ["export", "DB", "-f", "csv", "-o", "@a.csv", "--force"];
    let words = [&words[..], &["--report", "@b.json"]].concat();
    place.run(&words, b"").ends_with(2);
    assert_eq!(place.read("a.csv"), b"mine");
    Ok(())
}

/// `import DB in.ndjson --on-error in.ndjson` emptied its own input before it read it, and any
/// other file that was there, through links too, even when the input did not exist.
#[test]
fn refused_lines_never_take_the_place_of_a_file() -> std::io::Result<()> {
    let place = Place::new();
    let line = "{\"type\":\"a.b\",\"occurred_at\":\"2026-05-17T08:00:00Z\"}\nnot an event\n";
    place.write("in.ndjson", line);
    place.write("precious", "mine");
    symlink(place.path("in.ndjson"), place.path("link"))?;
    symlink(place.path("nowhere"), place.path("dangling"))?;
    for target in ["in.ndjson", "./in.ndjson", "link", "precious", "dangling"] {
        let target = format!("{}{target}", place.name(""));
        let words = ["import", "DB", "@in.ndjson", "--format", "native"];
        let words = [&words[..], &["--on-error", &target]].concat();
        let ended = place.run(&words, b"").ends_with(2);
        assert!(ended.error.contains("--on-error"), "{}", ended.error);
    }
    assert_eq!(place.read("in.ndjson"), line.as_bytes());
    assert_eq!(place.read("precious"), b"mine");
    assert!(!place.path("nowhere").exists() && !place.path("store").exists());
    let words = ["import", "DB", "@absent", "--on-error", "@refused"];
    place.run(&words, b"").ends_with(1);
    assert!(!place.path("refused").exists() && !place.path("store").exists());

    // An empty file is nothing that could be lost, so a scheduled import can name one file always.
    place.write("refused", "");
    let words = ["import", "DB", "@in.ndjson", "--format", "native"];
    let words = [&words[..], &["--on-error", "@refused"]].concat();
    place.run(&words, b"").done();
    assert_eq!(
        place
            .read("refused")
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
        1
    );
    place.run(&words, b"").ends_with(2);
    Ok(())
}

/// Every option that names a file to be made could name one of a store's own: `--on-error
/// s/CURRENT` and `-o s/CURRENT --force` left a store that does not open, and a file called like a
/// log in `wal/` left one that `verify` called clean and that took no event any more.
#[test]
fn no_file_is_made_inside_a_store() -> std::io::Result<()> {
    let place = Place::with_events(20);
    place.write("in.ndjson", "not an event\n");
    symlink(place.path("store/wal"), place.path("logs"))?;
    std::fs::create_dir(place.path("store/seg/notes"))?;
    let before = contents(&place.path("store"));
    for name in [
        "store/CURRENT",
        "store/LOCK",
        "store/new",
        "store/wal/000099.wal",
        "logs/000099.wal",
        "store/seg/notes/export",
    ] {
        let target = place.name(name);
        for words in [
            &["import", "DB", "@in.ndjson", "--on-error"][..],
            &["import", "@other", "@in.ndjson", "--on-error"],
            &["export", "DB", "-f", "csv", "-o"],
            &["export", "DB", "-f", "csv", "--force", "-o"],
            &["export", "DB", "-f", "csv", "--report"],
            &["export", "DB", "-f", "csv", "--force", "--report"],
            &["verify", "DB", "--salvage"],
        ] {
            let ended = place.run(&[words, &[&target]].concat(), b"").ends_with(2);
            assert!(ended.out.is_empty(), "{words:?} {name} printed");
        }
        assert!(contents(&place.path("store")) == before, "{name}");
    }
    // Also where damage took the files that name a store.
    for gone in ["CURRENT", "LOCK"] {
        std::fs::remove_file(place.path("store").join(gone))?;
        let words = ["verify", "DB", "--salvage", "@store/rescued"];
        assert_ne!(place.run(&words, b"").code, Some(0));
        assert!(!place.path("store/rescued").exists(), "{gone}");
    }
    Ok(())
}

/// `--report LINK --force` wrote into the file that the link named.
#[test]
fn a_link_is_not_followed_to_what_it_names() -> std::io::Result<()> {
    let place = Place::with_events(20);
    place.write("precious", "mine");
    symlink(place.path("precious"), place.path("link"))?;
    for words in [
        &["export", "DB", "-f", "csv", "--force", "--report", "@link"][..],
        &["export", "DB", "-f", "csv", "--force", "-o", "@link"],
        &["verify", "DB", "--salvage", "@link"],
    ] {
        place.run(words, b"").ends_with(2);
    }
    assert_eq!(place.read("precious"), b"mine");
    // A pipe holds nothing that could be lost.
    let words = [
        "export",
        "DB",
        "-f",
        "csv",
        "-o",
        "@all.csv",
        "--report",
        "/dev/stdout",
    ];
    let told = place.run(&words, b"").done().text();
    assert!(told.starts_with("{\"rows\":20,"), "{told}");
    Ok(())
}

/// Whether a report's name was free was looked at before the export and never again: of two exports
/// that named the same report both ended with 0, and one report was gone.
#[test]
fn of_two_exports_with_one_report_one_says_so() {
    let place = Place::with_events(2_000);
    let (store, report) = (place.name("store"), place.name("report.json"));
    let words = ["export", &store, "-f", "ndjson", "--report", &report];
    // Nobody reads it yet, so it waits with its pipe full.
    let slow = auditdb(&words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{words:?}: {error}"));
    std::thread::sleep(std::time::Duration::from_millis(1000));
    let quick = run(&[&words[..], &["--limit", "3"]].concat(), b"").done();
    assert_eq!(quick.text().lines().count(), 3);
    let told = place.read("report.json");
    let ended = slow.wait_with_output();
    let ended = ended.unwrap_or_else(|error| panic!("{words:?}: {error}"));
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("--report"));
    assert_eq!(place.read("report.json"), told);
}

/// Exports were for their owner only, reports, refused lines and salvaged events for everybody.
#[test]
fn files_of_events_are_for_their_owner() -> std::io::Result<()> {
    let place = Place::with_events(20);
    place.write("in", "no event");
    let words = ["export", "DB", "-f", "csv", "-o", "@a", "--report", "@b"];
    place.out(&words);
    place.out(&[
        "import",
        "DB",
        "@in",
        "--format",
        "native",
        "--on-error",
        "@c",
    ]);
    place.out(&["verify", "DB", "--salvage", "@d"]);
    for name in ["a", "b", "c", "d"] {
        let mode = std::fs::metadata(place.path(name))?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    Ok(())
}

/// A killed export left `.NAME.PID.part` in the user's folder, and nothing ever removed it.
#[test]
fn what_a_killed_export_left_goes_with_the_next_one() -> std::io::Result<()> {
    let place = Place::with_events(20);
    let held = std::fs::File::create(place.path(".all.csv.5.part"))?;
    held.lock()?;
    for name in [
        ".all.csv.4294967294.part",
        ".all.csv.7.part",
        ".all.csv.part",
        ".all.csv.x.part",
        ".all.csv.07.part",
        ".other.csv.7.part",
        "all.csv.7.part",
    ] {
        place.write(name, "half");
    }
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    for path in files(&place.path("")) {
        if path.extension().is_some_and(|end| end == "part") && !path.ends_with(".all.csv.7.part") {
            let file = std::fs::File::options().write(true).open(path)?;
            file.set_modified(hour_ago)?;
        }
    }
    place.out(&["export", "DB", "-f", "csv", "-o", "@all.csv"]);
    assert!(!place.path(".all.csv.4294967294.part").exists());
    // Others' files stay, and drafts that are held, or so young that they may not be held yet.
    for kept in [
        ".all.csv.5.part",
        ".all.csv.7.part",
        ".all.csv.part",
        ".all.csv.x.part",
        ".all.csv.07.part",
        ".other.csv.7.part",
        "all.csv.7.part",
    ] {
        assert!(place.path(kept).exists(), "{kept}");
    }
    Ok(())
}

/// A draft is held while it is made, so that another export of the same name leaves it alone.
#[test]
fn a_draft_is_held_while_it_is_made() {
    let place = Place::with_events(20);
    let file = auditdb::OutputFile::claim(&place.path("a"), false);
    let file = file.unwrap_or_else(|error| panic!("{error}"));
    let made = file.make(|_| {
        let drafts = files(&place.path(""));
        let drafts = drafts
            .iter()
            .filter(|path| path.extension().is_some_and(|end| end == "part"));
        let locks: Vec<bool> = drafts
            .map(|path| std::fs::File::open(path).is_ok_and(|file| file.try_lock().is_ok()))
            .collect();
        assert_eq!(locks, [false]);
        Ok(())
    });
    assert!(made.is_ok());
    assert_eq!(place.read("a"), b"");
}

/// What happened: an output whose folder went away while it was made was told as damage of the store.
#[test]
fn an_output_whose_folder_went_away_is_no_damage() {
    let place = Place::new();
    let folder = place.path("out");
    std::fs::create_dir(&folder).unwrap_or_else(|error| panic!("{error}"));
    let file = auditdb::OutputFile::claim(&folder.join("a.csv"), false);
    let file = file.unwrap_or_else(|error| panic!("{error}"));
    let made = file.make(|_| {
        std::fs::remove_dir_all(&folder).unwrap_or_else(|error| panic!("{error}"));
        Ok(())
    });
    let error = made.expect_err("no folder");
    assert_eq!(error.kind(), auditdb::ErrorKind::Io);
    let text = error.to_string();
    assert!(
        text.contains("its folder went away") && text.contains("a.csv"),
        "{text}"
    );
}

/// The longest name that a file system takes is one for an output, too.
#[test]
fn an_output_may_have_the_longest_name() {
    let place = Place::with_events(3);
    let name = "x".repeat(255);
    place.out(&["export", "DB", "-f", "csv", "-o", &format!("@{name}")]);
    assert!(!place.read(&name).is_empty());
}
