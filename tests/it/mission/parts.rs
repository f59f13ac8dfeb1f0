//! Rows A7, A16, B16, D17 and E3, by the binary: pages back and forth, the same events in each format,
//! an export that is cut and goes on, an incident's window, and what stands behind a stream.

use serde_json::Value;

use super::trail::keys;
use super::trail::place;
use crate::cli::Place;
use crate::cli::json;
use crate::cli::lines;
use crate::cli::text;

#[test]
fn mission_a7_the_command_goes_on_and_back() {
    let place = place();
    let page = |words: &[&str]| -> (String, Value) {
        let words = [&["query", "DB", "-o", "json", "-n", "4"], words].concat();
        let page = place.json(&words);
        let events = page["events"].as_array().into_iter().flatten();
        let keys = events.map(|event| text(event, "/key").trim_start_matches('k').to_owned());
        (keys.collect(), page)
    };
    for filter in [&[][..], &["--oldest-first"]] {
        let (first, top) = page(filter);
        assert!(
            top["prev_cursor"].is_null(),
            "nothing is before the first page"
        );
        let on = |from: &Value| page(&[filter, &["--cursor", text(from, "/next_cursor")]].concat());
        let back = |from: &Value| {
            page(&[filter, &["--back", "--cursor", text(from, "/prev_cursor")]].concat())
        };
        let (second, middle) = on(&top);
        let (last, end) = on(&middle);
        assert_eq!((last.len(), &end["complete"]), (1, &true.into()));
        let (again, middle) = back(&end);
        assert_eq!(again, second);
        let (again, top) = back(&middle);
        assert_eq!(again, first);
        assert!(top["prev_cursor"].is_null() && top["complete"] == false);
        assert_eq!(on(&top).0, second);
    }
    let cursor = page(&[]).1["next_cursor"].to_string();
    let cursor = cursor.trim_matches('"');
    let told = place.run(&["query", "DB", "--cursor", cursor], b"").done();
    assert!(
        told.error.contains("the page before with --back --cursor "),
        "{}",
        told.error
    );
    for (words, named) in [
        (&["--back"][..], "--cursor"),
        (&["--back", "--cursor", cursor, "-n", "100001"], "--back"),
    ] {
        let words = [&["query", "DB"], words].concat();
        let refused = place.run(&words, b"").ends_with(2);
        assert!(refused.error.contains(named), "{}", refused.error);
    }
}

#[test]
fn mission_a16_each_format_has_the_same_events_in_the_same_order() {
    let place = Place::with_events(300);
    let filter = ["export", "DB", "--type", "user.*", "-f"];
    let ids = |events: Vec<Value>| -> Vec<String> {
        let ids = events.iter().map(|event| text(event, "/id").to_owned());
        ids.collect()
    };
    let out = |words: &[&str]| place.out(&[&filter[..], words].concat());
    let wanted = ids(lines(&out(&["ndjson"])));
    assert!(wanted.len() > 50, "{}", wanted.len());
    let array = json(&out(&["json"]));
    assert_eq!(ids(array.as_array().cloned().unwrap_or_default()), wanted);
    // In entries an event has the id that its application gave it.
    let entries = ids(lines(&out(&["ndjson", "--layout", "entries"])));
    assert_eq!(entries.len(), wanted.len());
    for (layout, wanted) in [("native", wanted), ("entries", entries)] {
        let csv = out(&["csv", "--layout", layout]);
        let mut rows = csv::Reader::from_reader(csv.as_bytes());
        let found = rows.records().map(|row| row.expect("a row")[0].to_owned());
        assert_eq!(found.collect::<Vec<_>>(), wanted, "{layout}");
    }
}

/// The documented way: the newest 50,000 of a range, and the rest by asking again.
#[test]
fn mission_b16_the_newest_50000_of_a_range_and_then_the_rest_once() {
    let place = Place::with_events(51_000);
    let range = ["--since", "2025-01-01", "-f", "csv"];
    let export = |words: &[&str]| place.run(&[&["export", "DB"], &range[..], words].concat(), b"");
    let whole = export(&[]).done().out;
    let part = ["--profile", "evidence", "--report", "@told", "--force"];
    let mut found = export(&part).done().out;
    let told = json(&String::from_utf8_lossy(&place.read("told")));
    assert_eq!(
        (told["rows"].as_u64(), &told["complete"]),
        (Some(50_000), &false.into())
    );
    let rest = ["--no-header", "--cursor", text(&told, "/next_cursor")];
    found.extend(export(&[&part[..], &rest].concat()).done().out);
    let told = json(&String::from_utf8_lossy(&place.read("told")));
    assert_eq!(told["complete"], true);
    assert!(found == whole, "the parts are not the whole");
}

#[test]
fn mission_d17_an_incident_costs_what_it_holds_and_a_dump_is_everything() {
    let place = Place::with_events(20_000);
    let all = lines(&place.out(&["export", "DB", "-f", "ndjson"]));
    assert_eq!(all.len(), 20_000, "without a filter everything");
    let (newest, oldest) = (
        text(&all[8_000], "/occurred_at"),
        text(&all[8_099], "/occurred_at"),
    );
    let within = |event: &&Value| (oldest..=newest).contains(&text(event, "/occurred_at"));
    let wanted: Vec<&Value> = all.iter().filter(within).collect();
    let window = ["--since", oldest, "--until", newest];
    let found = place.out(&[&["export", "DB", "-f", "ndjson"], &window[..]].concat());
    assert_eq!(lines(&found).iter().collect::<Vec<_>>(), wanted);
    let query = ["query", "DB", "-n", "1000", "-o", "ndjson", "--explain"];
    let explained = place.run(&[&query[..], &window].concat(), b"").done().error;
    let rows = explained
        .split(" rows looked at")
        .next()
        .unwrap_or_default();
    let rows = rows.rsplit(' ').next().unwrap_or_default().replace(',', "");
    let rows: usize = rows.parse().unwrap_or_else(|_| panic!("{explained}"));
    assert!(
        rows <= wanted.len() + 128,
        "{rows} rows for {}",
        wanted.len()
    );
}

/// What goes to stdout is followed by a line on stderr that says what it was, and whether it was all.
#[test]
fn mission_e3_a_stream_is_followed_by_what_it_was() {
    let place = place();
    for (words, ending) in [
        (&[][..], "complete"),
        (&["--limit", "4"], "cut by --limit more remain"),
    ] {
        let words = [&["export", "DB", "-f", "ndjson"], words].concat();
        let ended = place.run(&words, b"").done();
        let facts = format!(
            "{} rows {} bytes sha256 {} {ending} ",
            ended.out.split_inclusive(|byte| *byte == b'\n').count(),
            ended.out.len(),
            super::files::sha256(&ended.out)
        );
        // People read numbers and lists with commas.
        let told = ended.error.replace(',', "");
        assert!(told.starts_with(&facts), "{facts}: {told}");
        assert!("987654321".starts_with(&keys(&ended.text())));
    }
}

/// What one call without a cursor could not give: each fact about an export, in its report and in the
/// trail.
#[test]
fn mission_e24_an_export_has_a_count_a_digest_a_place_to_go_on_and_a_record_of_itself() {
    let place = Place::with_events(200);
    let dry = place.json(&["export", "DB", "-f", "csv", "--dry-run=json"]);
    assert_eq!(dry["rows"], 200, "counted before");
    let export = [
        "export", "DB", "-f", "csv", "--limit", "150", "--as", "user:u7",
    ];
    let made = ["-o", "@out.csv", "--report", "@told.json"];
    place.run(&[&export[..], &made].concat(), b"").done();
    let told = json(&String::from_utf8_lossy(&place.read("told.json")));
    let file = place.read("out.csv");
    assert_eq!(text(&told, "/sha256"), super::files::sha256(&file));
    assert_eq!(
        (&told["rows"], &told["limit"], &told["complete"]),
        (&150.into(), &150.into(), &false.into())
    );
    let rest = ["--no-header", "--cursor", text(&told, "/next_cursor")];
    let rest = [&["export", "DB", "-f", "csv"], &rest[..]].concat();
    let rest = place.run(&rest, b"").done().out;
    assert_eq!(rest.split_inclusive(|byte| *byte == b'\n').count(), 50);
    let recorded = place.out(&["query", "DB", "--type", "audit.exported", "-o", "ndjson"]);
    let recorded = lines(&recorded);
    assert_eq!(recorded[0]["data"]["sha256"], told["sha256"]);
    assert_eq!(recorded[0]["data"]["rows"], 150);
}
