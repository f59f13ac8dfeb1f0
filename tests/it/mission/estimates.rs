//! Row D15: how much an export would be, before it is made.

use crate::cli::Place;
use crate::cli::json;

#[test]
fn mission_d15_a_dry_run_counts_exactly_and_estimates_every_format() {
    let place = Place::with_events(5_000);
    for (filter, limit) in [
        (&[][..], None),
        (&["--type", "user.*"], None),
        (&["--outcome", "!success", "--last", "9999w"], None),
        (&["--text", "a"], Some("2000")),
        (&["--type", "no.such"], None),
        (&[], Some("700")),
        (&["--oldest-first"], Some("1500")),
    ] {
        let limit: Vec<&str> = limit.map_or_else(Vec::new, |limit| vec!["--limit", limit]);
        let asked = [filter, &limit].concat();
        let words = [
            &["export", "DB", "-f", "csv", "--dry-run=json", "-o", "@none"],
            &asked[..],
        ]
        .concat();
        let estimate = place.json(&words);
        assert!(!place.path("none").exists(), "nothing is written");
        for size in estimate["sizes"].as_array().expect("sizes") {
            let word = |key: &str| size[key].as_str().expect("a word");
            let words = [
                &[
                    "export",
                    "DB",
                    "-f",
                    word("format"),
                    "--layout",
                    word("layout"),
                    "-o",
                    "@out",
                    "--force",
                ],
                &asked[..],
            ]
            .concat();
            drop(std::fs::remove_file(place.path("report")));
            place
                .run(&[&words[..], &["--report", "@report"]].concat(), b"")
                .done();
            let report = json(&String::from_utf8_lossy(&place.read("report")));
            assert_eq!(report["rows"], estimate["rows"], "{asked:?}");
            assert_eq!(report["complete"], estimate["complete"], "{asked:?}");
            let (real, told) = (report["bytes"].as_f64(), size["bytes"].as_f64());
            let (real, told) = (real.expect("bytes"), told.expect("bytes"));
            let wrong = (told - real).abs() / real.max(1.0);
            let allowed = if estimate["exact"] == true { 0.0 } else { 0.05 };
            assert!(wrong <= allowed, "{asked:?} {size}: {real}");
        }
    }
    let shown = place.out(&["export", "DB", "-f", "csv", "--limit", "100", "--dry-run"]);
    assert!(
        shown.starts_with("100 rows of 5,000 events, more remain"),
        "{shown}"
    );
}
