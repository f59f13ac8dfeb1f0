//! Pages: concatenated they are one scan, `next_cursor` is null exactly at the end, and every
//! output format shows the same events.

use serde_json::Value;

use super::Place;
use super::lines;
use super::text;

/// All ids, read page by page.
fn by_pages(place: &Place, words: &[&str], size: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut words = [words, &["-o", "json", "-n", size]].concat();
        if let Some(cursor) = &cursor {
            words.extend(["--cursor", cursor]);
        }
        let page = place.json(&words);
        let events = page["events"].as_array().into_iter().flatten();
        ids.extend(events.map(|event| text(event, "/id").to_owned()));
        assert_eq!(
            page["complete"] == true,
            page["next_cursor"].is_null(),
            "{page}"
        );
        assert_eq!(page["stopped"] == "end", page["complete"] == true);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return ids,
        }
    }
}

#[test]
fn pages_put_together_are_one_scan() {
    let place = Place::with_events(400);
    for filter in [&[][..], &["--type", "session.*"], &["--no", "on-behalf-of"]] {
        let export = [&["export", "DB", "-f", "ndjson"], filter].concat();
        let all = lines(&place.out(&export));
        let all: Vec<String> = all
            .iter()
            .map(|event| text(event, "/id").to_owned())
            .collect();
        assert!(all.is_sorted_by(|newer, older| newer > older));
        for size in ["7", "50", "1000"] {
            let words = [&["query", "DB"], filter].concat();
            assert_eq!(by_pages(&place, &words, size), all, "{filter:?} by {size}");
        }
        let words = [&["query", "DB", "--oldest-first"], filter].concat();
        let mut backward = by_pages(&place, &words, "33");
        backward.reverse();
        assert_eq!(backward, all, "{filter:?} backwards");
    }
}

/// The plan once counted segments and memtables together, said nothing of blocks and rows, and told
/// every command of 50 events.
#[test]
fn the_plan_tells_what_was_looked_at() {
    let place = Place::with_events(400);
    let words = ["query", "DB", "--explain", "-n", "7", "-o", "ndjson"];
    let ended = place.run(&words, b"");
    let wanted = "plan, tried on the first 7 events: ";
    let plan = ended
        .error
        .lines()
        .find_map(|line| line.strip_prefix(wanted));
    let plan = plan.unwrap_or_else(|| panic!("{}", ended.error));
    let counted: Vec<&str> = plan
        .split([',', ' '])
        .filter(|word| word.trim_end_matches('s').len() > 2)
        .collect();
    for word in ["segment", "memtable", "block", "row"] {
        assert!(
            counted.iter().any(|found| found.starts_with(word)),
            "{plan}"
        );
    }
    let words = ["facets", "DB", "type", "--explain", "--type", "no.such"];
    let ended = place.run(&words, b"");
    assert!(
        ended.error.contains("tried where nothing matches"),
        "{}",
        ended.error
    );
}

#[test]
fn a_page_of_bounded_work_is_not_taken_for_the_end() {
    let place = Place::with_events(400);
    let words = [
        "query",
        "DB",
        "--subject",
        ":nobody",
        "--type",
        "!x.y",
        "--max-work",
        "1",
    ];
    let ids = by_pages(&place, &words, "5");
    assert!(ids.is_empty());
    let ids = by_pages(&place, &["query", "DB", "--max-work", "3"], "1000");
    assert_eq!(ids.len(), 400);
}

#[test]
fn every_output_format_shows_the_same_events() {
    let place = Place::with_events(60);
    let page = place.json(&["query", "DB", "-n", "20", "-o", "json"]);
    let ids: Vec<&str> = page["events"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| text(event, "/id"))
        .collect();
    assert_eq!(ids.len(), 20);
    assert_eq!(page["snapshot_seq"], 60);
    for key in ["scanned_until", "complete_through", "covered_from"] {
        assert!(page[key].is_string(), "{key}");
    }
    let table = place.out(&["query", "DB", "-n", "20"]);
    let csv = place.out(&["query", "DB", "-n", "20", "-o", "csv"]);
    let ndjson = place.out(&["query", "DB", "-n", "20", "-o", "ndjson"]);
    let export = place.out(&["export", "DB", "-f", "ndjson", "--limit", "20"]);
    assert_eq!(ndjson, export);
    assert_eq!(
        place.out(&["export", "DB", "-f", "csv", "--limit", "20"]),
        csv
    );
    for id in ids {
        assert!(
            table.contains(id) && csv.contains(id) && ndjson.contains(id),
            "{id}"
        );
    }
}

#[test]
fn facets_count_what_an_export_holds() {
    let place = Place::with_events(300);
    let events = lines(&place.out(&["export", "DB", "-f", "ndjson"]));
    for (field, pointer) in [
        ("type", "/type"),
        ("outcome", "/outcome"),
        ("source", "/source"),
    ] {
        let mut counts = std::collections::BTreeMap::<&str, u64>::new();
        for event in &events {
            if let Some(value) = event.pointer(pointer).and_then(Value::as_str) {
                *counts.entry(value).or_default() += 1;
            }
        }
        let facets = place.json(&["facets", "DB", field, "-o", "json", "--top", "1000"]);
        let told = facets["values"].as_array().into_iter().flatten();
        let told: std::collections::BTreeMap<&str, u64> = told
            .map(|facet| (text(facet, "/value"), facet["count"].as_u64().unwrap_or(0)))
            .collect();
        assert_eq!(told, counts, "{field}");
        assert_eq!(facets["distinct"], counts.len());
    }
}

/// `-o json` used to print `{"events":[` before it looked at the cursor, and `-o csv` its header: a
/// script that piped the answer on got half an object from a query that never ran. Now the first
/// page is read before anything is printed.
#[test]
fn a_query_that_does_not_run_prints_nothing() {
    let place = Place::with_events(20);
    for shape in ["table", "json", "ndjson", "csv"] {
        let words = ["query", "DB", "-o", shape, "--cursor"];
        let ended = place.run(&[&words[..], &["nonsense"]].concat(), b"");
        assert!(ended.ends_with(2).out.is_empty(), "{shape}");
        // Well formed, but of another filter: found out only when the page is asked for.
        let page = place.json(&[
            "query",
            "DB",
            "-n",
            "1",
            "-o",
            "json",
            "--outcome",
            "success",
        ]);
        let ended = place.run(&[&words[..], &[text(&page, "/next_cursor")]].concat(), b"");
        assert!(ended.ends_with(2).out.is_empty(), "{shape}");
    }
    let none = ["query", "DB", "--type", "no.such", "-o"];
    let page = place.json(&[&none[..], &["json"]].concat());
    assert_eq!(page["events"], Value::Array(Vec::new()));
    let csv = place.out(&[&none[..], &["csv"]].concat());
    assert!(csv.starts_with("id,seq,type,") && csv.lines().count() == 1);
}

/// Index terms keep 200 bytes of a value, so two long subjects that differ behind them were printed
/// as one text, twice, and nothing told that it was not the whole value. Now it is marked.
#[test]
fn a_value_that_facets_cut_says_so() {
    let place = Place::new();
    let head = "s".repeat(250);
    for id in [format!("{head}1"), format!("{head}2"), "short…".to_owned()] {
        let subject = format!("doc:{id}");
        place.out(&["append", "DB", "--type", "a.b", "--subject", &subject]);
    }
    let facets = place.json(&["facets", "DB", "subject", "-o", "json"]);
    let values = facets["values"].as_array().cloned().unwrap_or_default();
    assert_eq!(values.len(), 3);
    for value in &values {
        let shown = text(value, "/value");
        let cut = shown != "doc:short…";
        assert_eq!(
            value.get("cut"),
            cut.then_some(&Value::Bool(true)),
            "{value}"
        );
        // What is left of a cut value is its beginning, as a prefix filter takes it.
        assert_eq!(format!("doc:{head}").starts_with(shown), cut, "{value}");
    }
    let told = lines(&place.out(&["facets", "DB", "subject", "-o", "ndjson"]));
    assert_eq!(told, values);
    let table = place.out(&["facets", "DB", "subject"]);
    assert_eq!(table.matches("ss…").count(), 2, "{table}");
}
