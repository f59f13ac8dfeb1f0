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
