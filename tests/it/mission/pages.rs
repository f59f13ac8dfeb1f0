//! Rows A2, A3, A8, A18 to A21, A23, A25, A26 and E19: pages and parts that say whether they are all,
//! and where to go on, by the binary.

use serde_json::Value;

use super::trail::found;
use super::trail::keys;
use super::trail::place;
use crate::cli::Place;
use crate::cli::text;

fn page(place: &Place, words: &[&str]) -> Value {
    place.json(&[&["query", "DB", "-o", "json"], words].concat())
}

fn of(page: &Value) -> String {
    let events = page["events"].as_array().into_iter().flatten();
    events
        .map(|event| text(event, "/key").trim_start_matches('k'))
        .collect()
}

/// All pages of `size`, put together, and how many they are.
fn walk(place: &Place, size: &str, words: &[&str]) -> (String, usize) {
    let (mut all, mut pages, mut cursor) = (String::new(), 0, None::<String>);
    loop {
        let mut asked = [&["-n", size], words].concat();
        if let Some(cursor) = &cursor {
            asked.extend(["--cursor", cursor]);
        }
        let page = page(place, &asked);
        all.push_str(&of(&page));
        pages += 1;
        if page["complete"] == true {
            assert!(page["next_cursor"].is_null());
            return (all, pages);
        }
        cursor = Some(text(&page, "/next_cursor").to_owned());
    }
}

#[test]
fn mission_a2_as_many_as_the_caller_asks_for_newest_first() {
    let place = place();
    for (size, expected) in [("1", "9"), ("4", "9876"), ("50000", "987654321")] {
        assert_eq!(of(&page(&place, &["-n", size])), expected);
    }
    let part = place.out(&["export", "DB", "-f", "ndjson", "--limit", "4"]);
    assert_eq!(keys(&part), "9876");
}

#[test]
fn mission_a3_the_rest_follows_from_an_opaque_cursor() {
    let place = place();
    let first = page(&place, &["-n", "4"]);
    let rest = page(&place, &["--cursor", text(&first, "/next_cursor")]);
    assert_eq!(of(&rest), "54321");
    assert_eq!(rest["complete"], true);
}

#[test]
fn mission_a8_asking_again_shows_what_is_new_and_following_waits_for_it() {
    let place = place();
    let first = page(&place, &["-n", "3"]);
    let appended = place.json(&["append", "DB", "--type", "user.added", "--key", "k0"]);
    assert_eq!(of(&page(&place, &["-n", "1"])), "0", "a new snapshot");
    let rest = page(&place, &["--cursor", text(&first, "/next_cursor")]);
    assert_eq!(of(&rest), "654321", "the old one stays as it was");
    assert_eq!(appended["seq"], 9);
    assert_eq!(found(&place, &["--since-seq", "9"]), "0");
}

#[test]
fn mission_a18_complete_is_right_also_where_the_limit_is_the_total() {
    let place = place();
    for (size, complete) in [("8", false), ("9", true), ("10", true)] {
        let page = page(&place, &["-n", size]);
        assert_eq!(page["complete"], complete, "{size}");
        assert_eq!(page["next_cursor"].is_null(), complete, "{size}");
        let words = [
            "export",
            "DB",
            "-f",
            "csv",
            "--require-complete",
            "--limit",
            size,
        ];
        let code = if complete { 0 } else { 3 };
        place.run(&words, b"").ends_with(code);
    }
}

#[test]
fn mission_a19_a_row_has_id_and_seq_and_a_cursor_the_stored_precision() {
    let place = place();
    // Of the same millisecond, and of the same microsecond: each is met once.
    for filter in [
        &["--until", "2026-04-10T00:00:00.000Z"][..],
        &["--since", "2026-07-02"],
    ] {
        let (all, pages) = walk(&place, "1", filter);
        assert_eq!((all.len(), pages), (2, 2));
    }
    let csv = place.out(&["export", "DB", "-f", "csv"]);
    assert!(csv.starts_with("id,seq,type,"), "{csv}");
}

#[test]
fn mission_a20_a_cursor_of_another_filter_is_refused() {
    let place = place();
    let first = page(&place, &["-n", "1", "--type", "user.*"]);
    let cursor = text(&first, "/next_cursor");
    for other in [
        &["--type", "admin.*"][..],
        &[],
        &["--type", "user.*", "--since", "2026-01-01"],
    ] {
        let words = [&["query", "DB", "--cursor", cursor], other].concat();
        let error = place.run(&words, b"").ends_with(2).error;
        assert!(
            error.contains("--cursor") && error.contains("another filter"),
            "{error}"
        );
    }
}

#[test]
fn mission_a21_whoever_goes_on_until_complete_has_everything_once() {
    let place = place();
    for size in ["1", "2", "3", "9"] {
        assert_eq!(walk(&place, size, &[]).0, "987654321", "{size}");
        assert_eq!(
            walk(&place, size, &["--oldest-first"]).0,
            "123456789",
            "{size}"
        );
    }
}

#[test]
fn mission_a23_every_format_has_microseconds() {
    let place = place();
    for format in ["csv", "ndjson", "json"] {
        let all = place.out(&["export", "DB", "-f", format]);
        for time in ["2026-04-10T00:00:00.000500Z", "2026-04-10T23:59:59.999999Z"] {
            assert!(all.contains(time), "{format}: {all}");
        }
    }
}

/// The documented way on, the time of the last row as the new end, passed over what the rendering
/// had cut off.
#[test]
fn mission_a25_a_time_in_milliseconds_as_the_new_end_passes_over_nothing() {
    let place = place();
    assert_eq!(
        found(&place, &["--until", "2026-04-10T00:00:00.000Z"]),
        "12"
    );
    assert_eq!(walk(&place, "1", &["--during", "2026-04-10"]).0, "321");
}

#[test]
fn mission_a26_what_comes_between_two_calls_is_told_by_its_number() {
    let place = place();
    let first = page(&place, &["-n", "2"]);
    let seen = first["snapshot_seq"].to_string();
    let late = [
        "append",
        "DB",
        "--type",
        "a.b",
        "--key",
        "k0",
        "--occurred-at",
        "2026-04-11T00:00:00Z",
    ];
    place.run(&late, b"").done();
    let rest = page(&place, &["--cursor", text(&first, "/next_cursor")]);
    assert_eq!(of(&rest), "7654321");
    assert_eq!(found(&place, &["--since-seq", &seen]), "0");
}

#[test]
fn mission_e19_success_is_a_report_that_says_complete() {
    let place = place();
    for (limit, complete) in [("5", false), ("9", true)] {
        let words = [
            "export", "DB", "-f", "csv", "--limit", limit, "-o", "@out.csv", "--force", "--report",
            "@report",
        ];
        // The report is a new file each time.
        drop(std::fs::remove_file(place.path("report")));
        place.run(&words, b"").done();
        let report = crate::cli::json(&String::from_utf8_lossy(&place.read("report")));
        assert_eq!(report["complete"], complete);
        assert_eq!(report["next_cursor"].is_null(), complete);
        assert_eq!(report["bytes"], place.read("out.csv").len());
    }
}
