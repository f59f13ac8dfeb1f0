//! The words for times, at every edge: precision, zones, hints and empty ranges.

use super::at;
use super::read;
use super::refused;
use crate::filter::Filter;
use crate::filter::LocalTime;
use crate::filter::Moments;
use crate::filter::Zone;
use crate::time::Time;

const NOW: &str = "2026-05-17T12:00:00Z";

fn range(flags: &[(&str, &str)]) -> (String, String) {
    let range = read(flags).range(at(NOW)).unwrap();
    (range.first.to_string(), range.last.to_string())
}

/// A text, and the first and the last moment it means.
const SPELLINGS: &[(&str, &str, &str)] = &[
    (
        "2026-04-10",
        "2026-04-10T00:00:00.000000Z",
        "2026-04-10T23:59:59.999999Z",
    ),
    (
        "2026-04-10T08:30",
        "2026-04-10T08:30:00.000000Z",
        "2026-04-10T08:30:59.999999Z",
    ),
    (
        "2026-04-10 08:30:07",
        "2026-04-10T08:30:07.000000Z",
        "2026-04-10T08:30:07.999999Z",
    ),
    (
        "2026-04-10T08:30:07Z",
        "2026-04-10T08:30:07.000000Z",
        "2026-04-10T08:30:07.999999Z",
    ),
    (
        "2026-04-10T08:30:07.5Z",
        "2026-04-10T08:30:07.500000Z",
        "2026-04-10T08:30:07.599999Z",
    ),
    (
        "2026-04-10T00:00:00.000Z",
        "2026-04-10T00:00:00.000000Z",
        "2026-04-10T00:00:00.000999Z",
    ),
    (
        "2026-04-10T00:00:00.000000Z",
        "2026-04-10T00:00:00.000000Z",
        "2026-04-10T00:00:00.000000Z",
    ),
    (
        "2026-04-10T00:00:00.000001000Z",
        "2026-04-10T00:00:00.000001Z",
        "2026-04-10T00:00:00.000001Z",
    ),
    (
        "2026-04-10T02:00:00+02:00",
        "2026-04-10T00:00:00.000000Z",
        "2026-04-10T00:00:00.999999Z",
    ),
    (
        "2024-02-29",
        "2024-02-29T00:00:00.000000Z",
        "2024-02-29T23:59:59.999999Z",
    ),
    (
        "9999-12-31",
        "9999-12-31T00:00:00.000000Z",
        "9999-12-31T23:59:59.999999Z",
    ),
    (
        "1969-12-31T23:30:00-01:00",
        "1970-01-01T00:30:00.000000Z",
        "1970-01-01T00:30:00.999999Z",
    ),
    (
        "@1715932800s",
        "2024-05-17T08:00:00.000000Z",
        "2024-05-17T08:00:00.999999Z",
    ),
    (
        "@1715932800123ms",
        "2024-05-17T08:00:00.123000Z",
        "2024-05-17T08:00:00.123999Z",
    ),
    (
        "@1715932800123456us",
        "2024-05-17T08:00:00.123456Z",
        "2024-05-17T08:00:00.123456Z",
    ),
    (
        "now",
        "2026-05-17T12:00:00.000000Z",
        "2026-05-17T12:00:00.000000Z",
    ),
    (
        "-24h",
        "2026-05-16T12:00:00.000000Z",
        "2026-05-16T12:00:00.000000Z",
    ),
    (
        "-7d",
        "2026-05-10T12:00:00.000000Z",
        "2026-05-10T12:00:00.000000Z",
    ),
    (
        "-30m",
        "2026-05-17T11:30:00.000000Z",
        "2026-05-17T11:30:00.000000Z",
    ),
    (
        "-2w",
        "2026-05-03T12:00:00.000000Z",
        "2026-05-03T12:00:00.000000Z",
    ),
    (
        "-15s",
        "2026-05-17T11:59:45.000000Z",
        "2026-05-17T11:59:45.000000Z",
    ),
    (
        "-9999w",
        "1970-01-01T00:00:00.000000Z",
        "1970-01-01T00:00:00.000000Z",
    ),
];

#[test]
fn each_spelling_means_the_whole_of_what_was_written() {
    for &(text, first, last) in SPELLINGS {
        assert_eq!(range(&[("since", text)]).0, first, "--since {text}");
        assert_eq!(range(&[("until", text)]).1, last, "--until {text}");
        assert_eq!(
            range(&[("since", text), ("until", text)]),
            (first.into(), last.into())
        );
        let before = Filter::from_flags([("before", text)], &super::Utc).unwrap();
        let before = before
            .range(at(NOW))
            .map(|range| range.last.as_micros() + 1);
        if let Ok(before) = before {
            assert_eq!(before, at(first).as_micros(), "--before {text}");
        }
    }
}

#[test]
fn refusals_name_the_flag_and_how_the_text_was_read() {
    for (text, says) in [
        (
            "1715932800",
            "bare number, whose unit nobody knows: write @1715932800s",
        ),
        ("2026", "bare number"),
        ("@1715932800", "@…s, @…ms or @…us"),
        ("@12h", "unit \"h\""),
        ("@s", "no time from 1970"),
        ("@99999999999999999999s", "no time from 1970"),
        ("@253402300800s", "no time from 1970"),
        ("-24", "as in 24h"),
        ("-1y", "unit \"y\""),
        ("-99999999999999w", "no length of time"),
        ("-", "a length of time"),
        ("", "read as a time, which it is not"),
        ("yesterday", "read as a time, which it is not"),
        ("2026-13-01", "no calendar or clock shows"),
        ("2026-02-29", "no calendar or clock shows"),
        ("2026-02-28T24:00:00Z", "no calendar or clock shows"),
        ("2026-02-28T23:59:60Z", "no calendar or clock shows"),
        ("2026-02-28T23:59:59.0000001Z", "finer than a microsecond"),
        ("2026-02-28T23:59:59.Z", "read as a time, which it is not"),
        (
            "2026-02-28T23:59:59+24:00",
            "read as a time, which it is not",
        ),
        ("2026-02-28Z", "read as a time, which it is not"),
        ("1969-12-31", "outside 1970 to 9999"),
        ("0000-01-01", "outside 1970 to 9999"),
        ("1970-01-01T00:00:00+00:01", "outside 1970 to 9999"),
    ] {
        let message = refused(&[("since", text)]);
        assert!(message.starts_with("--since "), "{message}");
        assert!(message.contains(says), "{message}");
    }
    let message = refused(&[("since", "now"), ("since", "-1h")]);
    assert!(message.contains("given twice"), "{message}");
}

/// A period, and its first and last moment.
const PERIODS: &[(&str, &str, &str)] = &[
    ("2026-Q1", "2026-01-01", "2026-03-31"),
    ("2026-q2", "2026-04-01", "2026-06-30"),
    ("2026-Q3", "2026-07-01", "2026-09-30"),
    ("2026-Q4", "2026-10-01", "2026-12-31"),
    ("2026-05", "2026-05-01", "2026-05-31"),
    ("2026-02", "2026-02-01", "2026-02-28"),
    ("2024-02", "2024-02-01", "2024-02-29"),
    ("2000-02", "2000-02-01", "2000-02-29"),
    ("2100-02", "2100-02-01", "2100-02-28"),
    ("2026-11", "2026-11-01", "2026-11-30"),
    ("2026-05-17", "2026-05-17", "2026-05-17"),
    ("9999-Q4", "9999-10-01", "9999-12-31"),
];

#[test]
fn a_period_is_all_of_its_days() {
    for (period, first, last) in PERIODS {
        let days = [("since", *first), ("until", *last)];
        assert_eq!(read(&[("during", period)]), read(&days), "{period}");
    }
    let berlin = Filter::from_flags([("during", "2026-Q4")], &Berlin).unwrap();
    let range = berlin.range(at(NOW)).unwrap();
    assert_eq!(range.first, at("2026-09-30T22:00:00Z"));
    assert_eq!(range.last, at("2026-12-31T22:59:59.999999Z"));
    for text in [
        "2026",
        "2026-",
        "2026-Q5",
        "2026-Q",
        "2026-13",
        "2026-5",
        "2026-5-17",
        "2026-+5",
        "26-05",
        "2026-05-",
        "2026-05-17T08",
        "now",
        "",
        "é026-05",
        "20é6-Q1",
    ] {
        let message = refused(&[("during", text)]);
        assert!(message.starts_with("--during "), "{message}");
        assert!(
            message.contains("2026-Q2, 2026-05 and 2026-05-17"),
            "{message}"
        );
    }
    assert!(refused(&[("during", "2026-02-30")]).contains("no calendar"));
    assert!(refused(&[("during", "1969-Q4")]).contains("outside 1970 to 9999"));
}

#[test]
fn the_last_hours_end_now() {
    let bounds = [("since", "-36h"), ("until", "now")];
    assert_eq!(read(&[("last", "36h")]), read(&bounds));
    for (text, says) in [
        ("-24h", "with a sign"),
        ("0h", "no time at all"),
        ("24", "as in 24h"),
        ("24y", "unit \"y\""),
        ("", "length of time"),
    ] {
        let message = refused(&[("last", text)]);
        assert!(
            message.starts_with("--last ") && message.contains(says),
            "{message}"
        );
    }
}

#[test]
fn two_words_for_one_end_name_both_flags() {
    let texts = [
        ("since", "2026-04-10"),
        ("until", "2026-04-10"),
        ("before", "2026-04-12"),
        ("during", "2026-Q2"),
        ("last", "24h"),
    ];
    for (one, text) in texts {
        for (other, second) in texts {
            let flags = [(one, text), (other, second)];
            if matches!(
                (one, other),
                ("during" | "last", _) | (_, "during" | "last")
            ) {
                let message = refused(&flags);
                assert!(message.starts_with(&format!("--{other} ")), "{message}");
                let names = message.contains(&format!("--{one}"));
                assert!(
                    names || one == other && message.contains("given twice"),
                    "{message}"
                );
            }
        }
    }
    let message = refused(&[("during", "2026-Q2"), ("filter", "range_start=2026-01-01")]);
    assert!(
        message.contains("--filter") && message.contains("--during"),
        "{message}"
    );
}

#[test]
fn a_range_that_is_empty_by_construction_is_an_error() {
    for flags in [
        [("since", "2026-04-11"), ("until", "2026-04-10")],
        [("since", "2026-04-10"), ("before", "2026-04-10")],
        [("since", "-1h"), ("until", "-2h")],
        [("since", "now"), ("before", "now")],
    ] {
        let message = refused(&flags);
        assert!(
            message.contains("--since") && message.contains(flags[1].0),
            "{message}"
        );
    }
    assert!(refused(&[("before", "1970-01-01")]).contains("--before"));
    let mixed = read(&[("since", "2026-05-18"), ("until", "now")]);
    assert!(mixed.range(at("2026-05-19T00:00:00Z")).is_ok());
    assert!(
        mixed
            .range(at(NOW))
            .unwrap_err()
            .to_string()
            .contains("--since")
    );
    let both = range(&[("until", "2026-04-10"), ("before", "2026-04-09")]);
    assert_eq!(both.1, "2026-04-08T23:59:59.999999Z");
}

/// Clocks two hours ahead in summer and one hour in winter, put forward on 29 March 2026 at 02:00
/// and back on 25 October at 03:00.
struct Berlin;

impl Zone for Berlin {
    fn moments(&self, local: LocalTime) -> Moments {
        let utc = local.in_utc().unwrap();
        let back = |hours: i64| Time::from_micros(utc.as_micros() - hours * 3_600_000_000).unwrap();
        let (winter, summer) = (back(1), back(2));
        let forward = at("2026-03-29T01:00:00Z");
        let backward = at("2026-10-25T01:00:00Z");
        let in_summer = |time: Time| time >= forward && time < backward;
        match (in_summer(summer), in_summer(winter)) {
            (true, true) => Moments::Once(summer),
            (false, false) => Moments::Once(winter),
            (true, false) => Moments::Twice {
                earlier: summer,
                later: winter,
            },
            (false, true) => Moments::Skipped(forward),
        }
    }
}

#[test]
fn local_times_that_come_twice_or_never_widen_the_range() {
    let range = |flag: &str, text: &str| {
        let filter = Filter::from_flags([(flag, text)], &Berlin).unwrap();
        filter.range(at(NOW)).unwrap()
    };
    for (text, first, last) in [
        (
            "2026-07-01",
            "2026-06-30T22:00:00Z",
            "2026-07-01T21:59:59.999999Z",
        ),
        (
            "2026-10-25",
            "2026-10-24T22:00:00Z",
            "2026-10-25T22:59:59.999999Z",
        ),
        (
            "2026-10-25T02:30",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:59.999999Z",
        ),
        (
            "2026-03-29T02:30",
            "2026-03-29T01:00:00Z",
            "2026-03-29T00:59:59.999999Z",
        ),
        (
            "2026-03-29T02:30Z",
            "2026-03-29T02:30:00Z",
            "2026-03-29T02:30:59.999999Z",
        ),
    ] {
        assert_eq!(range("since", text).first, at(first), "{text}");
        assert_eq!(range("until", text).last, at(last), "{text}");
        let before = range("before", text).last.as_micros() + 1;
        assert_eq!(
            before,
            at(first).as_micros(),
            "--before and --since meet at {text}"
        );
    }
}

#[test]
fn digests_take_times_as_written() {
    let digest = |flags: &[(&str, &str)]| read(flags).digest().unwrap();
    assert_eq!(
        digest(&[("until", "2026-04-10")]),
        digest(&[("before", "2026-04-11")])
    );
    assert_eq!(digest(&[("since", "-24h")]), digest(&[("since", "-1d")]));
    assert_ne!(digest(&[("since", "-24h")]), digest(&[("since", "-25h")]));
    assert_ne!(digest(&[("since", "-24h")]), digest(&[("until", "-24h")]));
    assert_ne!(digest(&[("since", "2026-04-10")]), digest(&[]));
}
