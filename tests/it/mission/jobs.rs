//! Export jobs through the binary: started once, seen from outside, killed, gone on with, purged.

use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::cli::Place;
use crate::cli::auditdb;
use crate::cli::lines;
use crate::cli::text;

fn job(place: &Place, words: &[&str]) -> Value {
    place.json(&[&["jobs", "DB"], words].concat())
}

fn file(job: &Value) -> Vec<u8> {
    std::fs::read(text(job, "/file")).expect("the job's file")
}

#[test]
fn mission_a13_a14_a15_a_job_is_started_followed_and_gives_a_whole_file() {
    let place = Place::with_events(500);
    let whole = place.run(&["export", "DB", "-f", "csv"], b"").done().out;
    let start = ["start", "-f", "csv", "--job-key", "nightly", "--queue"];
    let queued = job(&place, &start);
    assert_eq!(text(&queued, "/state"), "queued");
    assert!(text(&queued, "/id").starts_with("exp_") && queued["file"].is_null());
    // The same start again is the same job; what the store takes meanwhile is not in it.
    assert_eq!(job(&place, &start)["id"], queued["id"]);
    place
        .run(&["append", "DB", "--type", "user.added"], b"")
        .done();
    let id = text(&queued, "/id");
    let ready = job(&place, &["status", id, "--wait"]);
    assert_eq!(text(&ready, "/state"), "ready");
    assert_eq!(
        (&ready["rows"], &ready["complete"]),
        (&500.into(), &true.into())
    );
    assert_eq!(ready["audited"], true);
    assert!(file(&ready) == whole);
    assert_eq!(job(&place, &["status", id]), ready);
    assert_eq!(lines(&place.out(&["jobs", "DB", "list"])), [ready]);
    let verified = place.run(&["verify", "DB"], b"").done().out;
    let verified = String::from_utf8_lossy(&verified);
    // A check once said of the files that it had checked that it had not.
    assert!(!verified.contains("exp_"), "{verified}");

    let other = [
        "jobs",
        "DB",
        "start",
        "-f",
        "ndjson",
        "--job-key",
        "nightly",
    ];
    let refused = place.run(&other, b"").ends_with(2);
    assert!(refused.error.contains("--job-key"), "{}", refused.error);
    for words in [
        &["status", "exp_1"][..],
        &["status", "exp_00000000000000000000000000"],
    ] {
        place
            .run(&[&["jobs", "DB"], words].concat(), b"")
            .ends_with(2);
    }
}

/// Progress is known from outside while the job's process works, and after it was killed.
#[test]
fn mission_d6_progress_is_told_of_a_job_that_was_interrupted() {
    let place = Place::with_events(150_000);
    let whole = place.run(&["export", "DB", "-f", "csv"], b"").done().out;
    let queued = job(&place, &["start", "-f", "csv", "--queue"]);
    let id = text(&queued, "/id").to_owned();
    assert_eq!(queued["progress"], 0.0);
    let store = place.name("store");
    let mut told = Vec::new();
    // Killed as soon as a step is durable, until it comes to its end.
    for kills in 0.. {
        assert!(kills < 50, "the job does not get on");
        let mut child = auditdb(&["jobs", &store, "status", &id, "--wait"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("a process");
        let before = job(&place, &["status", &id])["rows"].clone();
        let begun = Instant::now();
        while job(&place, &["status", &id])["rows"] == before
            && begun.elapsed() < Duration::from_secs(20)
            && child.try_wait().expect("its end").is_none()
        {}
        drop(child.kill());
        drop(child.wait());
        let now = job(&place, &["status", &id]);
        told.push(now["progress"].as_f64().expect("a number"));
        if text(&now, "/state") == "ready" {
            assert!(file(&now) == whole);
            assert_eq!(now["rows_estimate"], 150_000);
            break;
        }
    }
    assert!(told.is_sorted(), "{told:?}");
    let records = ["query", "DB", "-o", "ndjson", "--type", "audit.*"];
    let kinds: Vec<Value> = lines(&place.out(&records));
    let count = |kind: &str| {
        kinds
            .iter()
            .filter(|event| text(event, "/type") == kind)
            .count()
    };
    assert_eq!(
        (count("audit.export_started"), count("audit.exported")),
        (1, 1)
    );
}

/// What happened: under the key of a job whose file was gone a script was told that all was done.
#[test]
fn mission_d22_a_key_whose_file_is_gone_is_no_success() {
    let place = Place::with_events(30);
    let start = ["jobs", "DB", "start", "-f", "ndjson", "--job-key", "k"];
    place
        .run(&[&start[..], &["--keep-days", "0"]].concat(), b"")
        .done();
    let again = place.run(&start, b"").ends_with(1);
    assert!(
        again.error.contains("is expired") && again.error.contains("--job-key"),
        "{}",
        again.error
    );
}

#[test]
fn mission_d22_a_file_is_purged_when_its_time_is_over() {
    let place = Place::with_events(30);
    let ready = job(
        &place,
        &[
            "start",
            "-f",
            "ndjson",
            "--keep-days",
            "0",
            "--as",
            "user:u7",
        ],
    );
    // Its time is over at once.
    assert_eq!(text(&ready, "/state"), "expired");
    let id = text(&ready, "/id");
    assert_eq!(lines(&place.out(&["jobs", "DB", "purge"])).len(), 1);
    assert!(
        !place
            .path("store/exports")
            .join(format!("{id}.ndjson"))
            .exists()
    );
    let purged = [
        "query",
        "DB",
        "-o",
        "ndjson",
        "--type",
        "audit.export_purged",
    ];
    let purged = lines(&place.out(&purged));
    assert_eq!(text(&purged[0], "/subject/id"), id);
    assert_eq!(text(&purged[0], "/performer/id"), "u7");
    place.run(&["verify", "DB"], b"").done();
}

#[test]
fn a_job_can_be_cancelled_and_damage_of_its_file_is_found() {
    let place = Place::with_events(30);
    let queued = job(&place, &["start", "-f", "ndjson", "--queue"]);
    let id = text(&queued, "/id");
    assert_eq!(text(&job(&place, &["cancel", id]), "/state"), "cancelled");
    let waited = ["jobs", "DB", "status", id, "--wait"];
    place.run(&waited, b"").ends_with(1);

    let ready = job(&place, &["start", "-f", "ndjson"]);
    let mut bytes = file(&ready);
    bytes[7] ^= 1;
    std::fs::write(text(&ready, "/file"), bytes).expect("a damaged file");
    let found = place.run(&["verify", "DB"], b"").ends_with(1);
    assert!(String::from_utf8_lossy(&found.out).contains("exports/exp_"));
}

/// A job takes what an export takes: words to search for, saved queries, zone, language, Excel, a profile,
/// a view. Its file is the export's.
#[test]
fn mission_d19_a27_a_job_takes_what_an_export_takes() {
    let place = Place::with_events(3_000);
    let saved = [
        "query",
        "DB",
        "--save",
        "logins",
        "--type",
        "session.*",
        "-n",
        "1",
    ];
    place.run(&saved, b"").done();
    let type_of = |event: &str| text(&lines(event)[0], "/type").to_owned();
    let first = type_of(&place.out(&["query", "DB", "-n", "1", "-o", "ndjson"]));
    for words in [
        &["-f", "csv", "--text", "user"][..],
        &["-f", "ndjson", "--query", "logins", "--outcome", "success"],
        &[
            "-f",
            "csv",
            "--layout",
            "trail",
            "--tz",
            "Asia/Kolkata",
            "--locale",
            "de",
        ],
        &["-f", "csv", "--excel", "--type", &first],
        &["-f", "csv", "--layout", "sentinel", "--pack", "none"],
        &["-f", "csv", "--profile", "evidence"],
        &["-f", "ndjson", "--view", "nobody"],
        &[
            "-f",
            "csv",
            "--rows-per-file",
            "1000",
            "--zip",
            "--limit",
            "2500",
        ],
    ] {
        // What the trail tells of the jobs before is in no export.
        let words = [words, &["--type", "!audit.*"]].concat();
        let out = place.path("whole").display().to_string();
        let export = [&["export", "DB", "--force", "-o", &out], &words[..]].concat();
        place.run(&export, b"").done();
        let ready = job(&place, &[&["start"], &words[..]].concat());
        assert_eq!(text(&ready, "/state"), "ready", "{words:?}");
        let is_zip = words.contains(&"--zip");
        assert!(text(&ready, "/file").ends_with(".zip") == is_zip);
        if !is_zip {
            assert!(file(&ready) == place.read("whole"), "{words:?}");
        }
    }
    for (words, flag) in [
        (
            &["-f", "csv", "--rows-per-file", "10"][..],
            "--rows-per-file",
        ),
        (&["-f", "json"], "--format json"),
        (&["-f", "csv", "--limit-error", "5"], "--limit-error"),
        (&["-f", "csv", "--query", "no-such"], "--query"),
    ] {
        let refused = place.run(&[&["jobs", "DB", "start"], words].concat(), b"");
        let refused = refused.ends_with(2);
        assert!(refused.error.contains(flag), "{words:?}: {}", refused.error);
    }
}

/// What the synchronous export of other systems leaves open is answered by one job: how many, where to go
/// on, which bytes, no ceiling, and a record of who did it.
#[test]
fn mission_e24_an_export_has_a_count_a_cursor_a_digest_no_ceiling_and_a_record() {
    let place = Place::with_events(60_000);
    let estimate = place.json(&["export", "DB", "-f", "csv", "--dry-run=json"]);
    assert_eq!(estimate["matches"], 60_000);
    let whole = job(&place, &["start", "-f", "csv", "--as", "admin:a1"]);
    assert_eq!(
        (&whole["rows"], &whole["complete"], &whole["next_cursor"]),
        (&60_000.into(), &true.into(), &Value::Null)
    );
    assert_eq!(whole["bytes"], file(&whole).len());
    let part = job(&place, &["start", "-f", "csv", "--limit", "10"]);
    assert_eq!(part["complete"], false);
    assert!(!text(&part, "/next_cursor").is_empty());
    let told = [
        "query",
        "DB",
        "-o",
        "ndjson",
        "--type",
        "audit.exported",
        "--oldest-first",
    ];
    let told = lines(&place.out(&told));
    assert_eq!(told.len(), 2);
    assert_eq!(text(&told[0], "/performer/id"), "a1");
    assert_eq!(told[0]["data"]["sha256"], whole["sha256"]);
}
