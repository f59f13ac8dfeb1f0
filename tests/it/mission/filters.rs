//! Rows A1, A6, A11, A12, A27, C19 to C24, D4, D16 and E5 to E20: which events a filter finds, by the
//! binary.

use super::trail::found;
use super::trail::keys;
use super::trail::place;
use super::trail::refused;
use crate::cli::Place;
use crate::cli::text;

/// Questions, and the keys of the events that answer them.
#[track_caller]
pub(super) fn check(cases: &[(&[&str], &str)]) {
    let place = place();
    for (filter, expected) in cases {
        assert_eq!(found(&place, filter), *expected, "{filter:?}");
    }
}

#[test]
fn mission_a1_any_range_with_either_bound_or_none() {
    check(&[
        (&[], "123456789"),
        (&["--since", "2026-06-30"], "56789"),
        (&["--until", "2026-05-17"], "1234"),
        (&["--since", "2026-05-17", "--until", "2026-06-30"], "456"),
        (
            &["--since", "2026-05-17", "--before", "2026-06-30T22:30:00Z"],
            "45",
        ),
    ]);
}

#[test]
fn mission_a6_fields_are_and_values_are_or_and_not_is_not() {
    check(&[
        (&["--type", "user.updated", "--outcome", "denied"], "2"),
        (&["--outcome", "denied,failure"], "23"),
        (&["--outcome", "denied", "--outcome", "failure"], "23"),
        (&["--type", "user.*,!user.updated"], "56"),
        (&["--outcome", "!success"], "2345689"),
        (&["--no", "outcome"], "45689"),
        (&["--no", "!outcome"], "1237"),
        (&["--meta", "entity_id=e1", "--meta", "tag=t2"], "2"),
    ]);
}

#[test]
fn mission_a11_an_unset_bound_is_not_zero_and_an_empty_range_says_so() {
    let place = place();
    for (filter, says) in [
        (&["--since", ""][..], "--since"),
        (&["--until", "0"], "bare number"),
        (
            &["--since", "2026-05-02", "--until", "2026-05-01"],
            "the range is empty",
        ),
        (
            &["--during", "2026-05", "--since", "2026-05-02"],
            "contradicts --since",
        ),
        // A day that the clocks of Samoa went over.
        (
            &["--during", "2011-12-30", "--tz", "Pacific/Apia"],
            "--during \"2011-12-30\": no such day",
        ),
        (&["--last", "24h", "--until", "now"], "--last"),
        (&["--last", "0h"], "no time at all"),
    ] {
        let error = refused(&place, filter);
        assert!(error.contains(says), "{filter:?}: {error}");
    }
}

#[test]
fn mission_a12_a_bare_integer_is_refused_and_each_unit_is_named() {
    let place = place();
    let error = refused(&place, &["--since", "1775779200"]);
    assert!(error.contains("@1775779200s, @1775779200ms"), "{error}");
    for text in [
        "@1775779200s",
        "@1775779200000ms",
        "@1775779200000000us",
        "2026-04-10T00:00:00Z",
    ] {
        assert_eq!(found(&place, &["--since", text]), "123456789", "{text}");
        let before = found(&place, &["--before", text]);
        assert_eq!(before, "", "{text}");
    }
}

#[test]
fn mission_a27_an_export_takes_every_filter_that_a_query_takes() {
    let place = place();
    let (event, other) = (
        place.out(&["query", "DB", "-n", "1", "-o", "ndjson"]),
        "evt_x",
    );
    let id = text(&crate::cli::json(&event), "/id").to_owned();
    for flag in auditdb::Filter::FLAGS {
        let value = match *flag {
            "since" | "until" | "before" => "2026-05-17",
            "during" => "2026-Q2",
            "last" => "9999w",
            "subject" | "target" | "performer" | "on-behalf-of" => "user:*",
            "ip" => "10.0.0.0/8",
            "meta" => "entity_id=*",
            "id" => &id,
            "key" => "k3",
            "no" => "outcome",
            "filter" => "event_type=user.updated",
            "outcome" => "success",
            "text" => "ada",
            _ => "*",
        };
        let flag = format!("--{flag}");
        let filter = [flag.as_str(), value];
        let exported = place.out(
            &[
                &["export", "DB", "-f", "ndjson", "--oldest-first"],
                &filter[..],
            ]
            .concat(),
        );
        assert_eq!(keys(&exported), found(&place, &filter), "{filter:?}");
    }
    assert_eq!(found(&place, &["--id", other]), "");
}

#[test]
fn mission_c19_time_from_to_and_by_one_word() {
    check(&[
        (&["--during", "2026-Q2"], "123456"),
        (&["--during", "2026-Q2", "--tz", "Europe/Berlin"], "12345"),
        (&["--during", "2026-07"], "789"),
        (&["--during", "2026-04-10"], "123"),
        (&["--during", "2026-05-18"], ""),
        (&["--since", "2026-06-30", "--until", "2026-07-01"], "567"),
    ]);
    let place = Place::new();
    for ago in ["2000-01-01T00:00:00Z", "now"] {
        let mut words = vec!["append", "DB", "--type", "a.b"];
        if ago != "now" {
            words.extend(["--occurred-at", ago]);
        }
        place.run(&words, b"").done();
    }
    let recent = place.out(&["query", "DB", "--last", "24h", "-o", "ndjson"]);
    assert_eq!(recent.lines().count(), 1);
}

#[test]
fn mission_c20_subjects_by_kind_and_by_one_of_a_kind() {
    check(&[
        (&["--subject", "user"], "1256"),
        (&["--subject", "user:u1"], "1"),
        (&["--subject", "user,role"], "12356"),
        (&["--target", "user:u1"], "13"),
        (&["--subject", ":g1"], "4"),
    ]);
}

#[test]
fn mission_c21_events_by_several_exact_names_or_a_prefix() {
    check(&[
        (&["--type", "user.removed,user.disabled"], "56"),
        (&["--type", "admin.*"], "347"),
        (&["--type", "admin.*,session.login"], "34789"),
    ]);
}

#[test]
fn mission_c22_removed_and_disabled_subjects_are_found_and_listed() {
    check(&[(&["--subject", "user:u3,user:u4"], "56")]);
    let facets = place().json(&["facets", "DB", "subject", "-o", "json"]);
    for subject in ["user:u3", "user:u4"] {
        assert!(
            facets.to_string().contains(&format!("\"{subject}\"")),
            "{facets}"
        );
    }
}

#[test]
fn mission_c23_departed_and_outside_performers_are_found_and_listed() {
    check(&[
        (&["--performer", "admin:gone"], "56"),
        (&["--performer", "admin:x9"], "7"),
        (&["--performer", "system"], "4"),
        (&["--on-behalf-of", "user:u7"], "3"),
    ]);
    let facets = place().json(&["facets", "DB", "performer", "-o", "json"]);
    for performer in ["admin:gone", "admin:x9", "system"] {
        assert!(
            facets.to_string().contains(&format!("\"{performer}\"")),
            "{facets}"
        );
    }
}

#[test]
fn mission_c24_outcome_address_and_exclusion_are_filters_too() {
    check(&[
        (&["--outcome", "failure"], "3"),
        (&["--ip", "10.0.0.0/8"], "12"),
        (&["--ip", "10.1.2.3"], "1"),
        (&["--ip", "::ffff:10.1.2.3"], "1"),
        (&["--ip", "2001:db8::/32"], "5"),
        (&["--ip", "!10.0.0.0/8", "--no", "!ip"], "5"),
        (&["--org", "o1"], "1"),
        (&["--type", "!user.*"], "34789"),
    ]);
}

#[test]
fn mission_d4_a_query_and_an_export_take_one_filter_and_say_since_when_there_is_anything() {
    let place = place();
    let all = place.out(&["export", "DB", "-f", "ndjson", "--oldest-first"]);
    assert_eq!(keys(&all), "123456789", "all entries");
    let page = place.json(&["query", "DB", "--type", "user.*", "-o", "json"]);
    assert_eq!(text(&page, "/covered_from"), "2026-04-10T00:00:00.000000Z");
}

#[test]
fn mission_d16_one_family_of_events_in_the_relevant_quarter() {
    check(&[
        (&["--type", "admin.*", "--during", "2026-Q2"], "34"),
        (&["--type", "admin.*", "--during", "2026-Q3"], "7"),
    ]);
}

#[test]
fn mission_e5_an_export_without_a_filter_is_everything_and_says_so() {
    let place = place();
    let words = [
        "export",
        "DB",
        "-f",
        "ndjson",
        "--explain",
        "--report",
        "@report",
    ];
    let ended = place.run(&words, b"").done();
    assert!(
        ended.error.contains("filter: every event"),
        "{}",
        ended.error
    );
    assert!(ended.error.contains("times: all"), "{}", ended.error);
    let report = crate::cli::json(&String::from_utf8_lossy(&place.read("report")));
    assert_eq!(
        (&report["rows"], &report["complete"]),
        (&9.into(), &true.into())
    );
}

#[test]
fn mission_e7_several_event_types() {
    check(&[
        (
            &[
                "--filter",
                "event_type=user.removed&event_type=user.disabled",
            ],
            "56",
        ),
        (&["--type", "user.removed", "--type", "user.disabled"], "56"),
    ]);
}

#[test]
fn mission_e8_the_sub_type_is_a_field_of_its_own() {
    check(&[
        (&["--sub-type", "created"], "13"),
        (&["--sub-type", "created,updated"], "123"),
        (&["--type", "user.updated", "--sub-type", "created"], "1"),
        (&["--filter", "sub_type=updated"], "2"),
        (&["--no", "sub_type"], "456789"),
    ]);
}

#[test]
fn mission_e9_the_source_system_is_a_field_and_has_counts() {
    check(&[
        (&["--source", "task_platform"], "2"),
        (
            &[
                "--filter",
                "system_source=assessment_service&system_source=task_platform",
            ],
            "12",
        ),
    ]);
    let facets = place().json(&["facets", "DB", "source", "-o", "json"]);
    assert_eq!(facets["distinct"], 2);
}

#[test]
fn mission_e15_the_end_is_inclusive_dates_are_whole_days_and_both_are_echoed() {
    check(&[
        (&["--filter", "range_end=2026-04-10"], "123"),
        (
            &["--filter", "range_start=2026-04-10&range_end=2026-04-10"],
            "123",
        ),
        (&["--filter", "range_end=2026-04-10T23:59:59.999Z"], "123"),
        (&["--filter", "range_end=2026-04-10T23:59:59.998Z"], "12"),
    ]);
    let place = place();
    for command in [&["query", "DB"][..], &["export", "DB", "-f", "csv"]] {
        let bounds = [
            "--since",
            "2026-04-10",
            "--until",
            "2026-06-30",
            "--tz",
            "Europe/Berlin",
            "--explain",
        ];
        let error = place.run(&[command, &bounds].concat(), b"").done().error;
        let resolved = "times: from 2026-04-09T22:00:00.000000Z up to and including 2026-06-30T21:59:59.999999Z";
        assert!(error.contains(resolved), "{error}");
    }
    let error = place
        .run(&["query", "DB", "--last", "24h", "--explain"], b"")
        .done()
        .error;
    assert!(
        error.contains("at or after 1 d before now") && error.contains("times: from 20"),
        "{error}"
    );
}

/// The documented end, inclusive to the millisecond, once lost what happened within it; an end that
/// was meant as a day lost the day.
#[test]
fn mission_e16_an_inclusive_millisecond_is_all_of_it_and_so_is_a_day() {
    check(&[
        // The two events at .000000 and .000500 are of one millisecond.
        (&["--until", "2026-04-10T00:00:00.000Z"], "12"),
        (&["--until", "2026-04-10T00:00:00.000000Z"], "1"),
        (&["--until", "2026-04-10T00:00:00.000499Z"], "1"),
        (&["--until", "@1775779200000ms"], "12"),
        (
            &[
                "--since",
                "2026-04-10T00:00:00.000Z",
                "--until",
                "2026-04-10T00:00:00.000Z",
            ],
            "12",
        ),
        (&["--before", "2026-04-10T00:00:00.001Z"], "12"),
        // Of the day, the last microsecond too.
        (&["--until", "2026-04-10"], "123"),
        (&["--until", "2026-04-10T23:59"], "123"),
        (&["--before", "2026-04-11"], "123"),
        (&["--before", "2026-04-10"], ""),
    ]);
}

#[test]
fn mission_e18_explain_says_how_a_filter_is_read() {
    let place = place();
    let words = [
        "query",
        "DB",
        "--type",
        "user.*,admin.login",
        "--outcome",
        "!denied",
        "--explain",
    ];
    let error = place.run(&words, b"").done().error;
    for line in [
        "(type begins with \"user.\" or type is \"admin.login\")",
        "not outcome is \"denied\"",
        "plan, tried on the first",
    ] {
        assert!(error.contains(line), "{error}");
    }
    for (filter, says) in [
        (
            &["--type", "a,!a"][..],
            "--type: contradiction: type is \"a\" and not type is \"a\"",
        ),
        (
            &["--outcome", "denied", "--no", "outcome"],
            "--outcome: contradiction",
        ),
        (
            &["--filter", "event_type=a", "--type", "!a"],
            "--type: contradiction",
        ),
        (
            &["--subject", "user:u1", "--target", "!user"],
            "--subject: contradiction",
        ),
        (
            &["--type", "confidential_login.added,!anonymous_login.added"],
            "type: contradiction",
        ),
    ] {
        let error = refused(&place, filter);
        assert!(error.contains(says), "{filter:?}: {error}");
    }
}

#[test]
fn mission_e20_a_start_behind_the_end_names_the_field_and_writes_nothing() {
    let place = place();
    let range = ["--since", "2026-05-02", "--until", "2026-05-01"];
    let words = [
        &[
            "export", "DB", "-f", "csv", "-o", "@out.csv", "--report", "@report",
        ],
        &range[..],
    ]
    .concat();
    let error = place.run(&words, b"").ends_with(2).error;
    assert!(
        error.contains("--since 2026-05-02") && error.contains("--until 2026-05-01"),
        "{error}"
    );
    assert!(!place.path("out.csv").exists() && !place.path("report").exists());
}
