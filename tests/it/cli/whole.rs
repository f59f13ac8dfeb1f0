//! The whole of a store: the demonstration, facts, verification and the raw structure.

use super::Place;
use super::files;

#[test]
fn the_demonstration_comes_to_its_end() {
    let place = Place::new();
    let told = place.out(&["demo", "@demo"]);
    for command in ["generate", "import", "query", "facets", "export", "verify"] {
        assert!(
            told.contains(&format!("$ auditdb {command} ")),
            "{command} is not in {told}"
        );
    }
    assert!(place.path("demo/denied.csv").exists());
    place.run(&["demo", "@demo"], b"").ends_with(2);
}

#[test]
fn a_flipped_bit_is_found_by_verify() -> Result<(), Box<dyn std::error::Error>> {
    let place = Place::with_events(200);
    let store = auditdb::Store::open(place.path("store"), auditdb::Options::default())?;
    store.flush()?;
    store.close()?;
    place.run(&["verify", "DB"], b"").done();
    let all = files(&place.path("store"));
    let segment = all
        .iter()
        .find(|path| path.extension().is_some_and(|end| end == "seg"));
    let Some(segment) = segment else {
        panic!("no segment among {all:?}");
    };
    let mut bytes = std::fs::read(segment)?;
    // Row blocks begin right behind the short header.
    if let Some(byte) = bytes.get_mut(1000) {
        *byte ^= 4;
    }
    std::fs::write(segment, bytes)?;
    let ended = place.run(&["verify", "DB"], b"").ends_with(1);
    let name = segment
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let told = ended.text();
    assert!(told.contains(&name) && told.contains("at byte"), "{told}");
    let words = ["verify", "DB", "--salvage", "@rescued.ndjson"];
    let told = place.run(&words, b"").ends_with(1).text();
    let saved = place.read("rescued.ndjson");
    let saved = saved.iter().filter(|byte| **byte == b'\n').count();
    assert!(
        saved < 200 && told.contains(&format!("{saved} events saved")),
        "{told}"
    );
    assert!(
        told.contains(&format!("{} events are gone", 200 - saved)),
        "{told}"
    );
    Ok(())
}

/// What happened: of a log that somebody had cut, whose last event had been acknowledged, it was said
/// that what is left of it never was, and that the next opening removes it.
#[test]
fn p4_what_is_left_of_a_cut_log_is_not_called_unacknowledged() {
    let place = Place::new();
    for number in ["1", "2", "3"] {
        let append = ["append", "DB", "--type", "a.a", "--reason", number];
        place.run(&append, b"").done();
    }
    let all = files(&place.path("store/wal"));
    let log = all.iter().max().expect("a log");
    let bytes = std::fs::read(log).expect("the log");
    std::fs::write(log, &bytes[..bytes.len() - 100]).expect("cut");
    let ended = place.run(&["verify", "DB"], b"").ends_with(1);
    let told = ended.text();
    assert!(told.contains("missing"), "{told}");
    assert!(!told.contains("never acknowledged"), "{told}");
}

#[test]
fn facts_and_structure_are_printed() -> auditdb::Result<()> {
    let place = Place::with_events(100);
    let stats = place.json(&["stats", "DB", "--json"]);
    assert_eq!(stats["events"], 100);
    assert!(stats["oldest"].as_str() <= stats["newest"].as_str());
    assert!(place.out(&["stats", "DB"]).contains("events"));
    let store = auditdb::Store::open(place.path("store"), auditdb::Options::default())?;
    store.flush()?;
    // With a second segment come presence runs.
    store.append(&auditdb::Event::new("user.created"))?;
    store.flush()?;
    store.close()?;
    let stats = place.json(&["stats", "DB", "--json"]);
    let partitions = stats["partitions"].as_array().expect("partitions");
    let (newest, oldest) = (&partitions[partitions.len() - 1], &partitions[0]);
    assert_eq!(newest["newest"], stats["newest"], "{stats}");
    assert_eq!(oldest["oldest"], stats["oldest"], "{stats}");
    for part in ["segments", "presence", "wal", "manifest"] {
        assert!(stats["bytes"][part].as_u64() > Some(0), "{part}: {stats}");
    }
    for (words, told) in [
        (&["dump", "DB"][..], ".seg"),
        (&["dump", "DB", "wal"], "log "),
        (&["dump", "DB", "manifest"], "rows "),
        (&["dump", "DB", "1"], "term "),
    ] {
        let dumped = place.out(words);
        assert!(dumped.contains(told), "{words:?} said {dumped}");
    }
    let dumped = place.out(&["dump", "DB", "presence"]);
    let (runs, segments): (Vec<&str>, Vec<&str>) =
        dumped.lines().partition(|line| line.starts_with("flt/"));
    assert_eq!((runs.len(), segments.len()), (2, 2), "{dumped}");
    for run in runs {
        assert!(
            run.contains("  prints ") && run.ends_with("  segments 1"),
            "{run}"
        );
    }
    for segment in segments {
        assert!(segment.starts_with("  segment 0000"), "{segment}");
        assert!(segment.contains("  sha256 "), "{segment}");
    }
    place
        .run(&["dump", "DB", "no-such-segment"], b"")
        .ends_with(2);
    // By its number, its file's name with and without the ending, and its path in the store.
    let files = place.out(&["dump", "DB"]);
    let path = files.lines().find(|line| line.starts_with("seg/"));
    let path = path
        .and_then(|line| line.split(' ').next())
        .expect("a segment");
    let file = path.rsplit('/').next().expect("its name");
    let stem = file.trim_end_matches(".seg");
    let number = stem.trim_start_matches('0');
    let dumped = place.out(&["dump", "DB", path]);
    for name in [file, stem, number] {
        assert!(place.out(&["dump", "DB", name]) == dumped, "{name}");
    }
    Ok(())
}

/// What happened: a check that could not open a file for want of handles called it damaged, and its
/// events missing.
#[cfg(unix)]
#[test]
fn p5_too_few_file_handles_are_a_failure_and_no_damage() {
    let place = Place::with_events(100);
    let mut refused = 0;
    for handles in 4..16 {
        let script = format!("ulimit -n {handles}; exec \"$0\" verify \"$1\"");
        let ended = std::process::Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_auditdb")])
            .arg(place.path("store"))
            .output()
            .expect("a shell");
        let told = String::from_utf8_lossy(&ended.stdout);
        assert!(!told.contains("damaged"), "{handles} handles: {told}");
        if ended.status.code() != Some(0) {
            let error = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(1), "{handles} handles: {error}");
            assert!(error.contains("open files"), "{handles} handles: {error}");
            refused += 1;
        }
    }
    assert!(refused > 0, "no limit was too low");
}
