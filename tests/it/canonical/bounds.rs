//! The bounds of an event, each held to the byte by a real store, and the other refusals of fields.

use auditdb::Change;
use auditdb::Context;
use auditdb::ErrorKind;
use auditdb::Event;
use auditdb::Field;
use auditdb::Origin;
use auditdb::Performer;
use auditdb::Store;
use auditdb::Subject;
use auditdb::Target;

use super::lines;
use super::store;
use crate::support::folder;

/// Makes an event whose field in question has this text.
type OfText = fn(String) -> Event;
/// Makes an event with so many of what the field in question holds.
type OfCount = fn(usize) -> Event;

/// Texts of at most 64 KiB.
const TEXTS: [(&str, OfText); 21] = [
    ("sub_type", |text| event().sub_type(text)),
    ("org", |text| event().org(text)),
    ("performer.id", |text| {
        event().performer(Performer::new("k").id(text))
    }),
    ("performer.label", |text| {
        event().performer(Performer::new("k").label(text))
    }),
    ("performer.email", |text| {
        event().performer(Performer::new("k").email(text))
    }),
    ("performer.org", |text| {
        event().performer(Performer::new("k").org(text))
    }),
    ("performer.external_ref", |text| {
        event().performer(Performer::new("k").external_ref(text))
    }),
    ("on_behalf_of.id", |text| {
        event().on_behalf_of(Performer::new("k").id(text))
    }),
    ("subject.id", |text| {
        event().subject(Subject::new("k").id(text))
    }),
    ("subject.label", |text| {
        event().subject(Subject::new("k").label(text))
    }),
    ("targets[1].id", |text| {
        event().targets(vec![Target::new("k"), Target::new("k").id(text)])
    }),
    ("reason", |text| event().reason(text)),
    ("source", |text| event().source(text)),
    ("metadata.m", |text| event().metadata("m", text)),
    ("changes[0].path", |text| changed(vec![change(text)])),
    ("context.geo", |text| {
        event().context(Context {
            geo: Field::Value(text),
            ..Context::default()
        })
    }),
    ("context.more", |text| {
        further(vec![("more".to_owned(), text)])
    }),
    ("caused_by", |text| event().caused_by(text)),
    ("correlation", |text| event().correlation(text)),
    ("origin.id", |text| {
        event().origin(Origin {
            id: Field::Value(text),
            ..Origin::default()
        })
    }),
    ("key", |text| event().key(text)),
];

/// Words of at most 256 bytes.
const WORDS: [(&str, OfText); 6] = [
    ("type", |word| Event::new(word)),
    ("performer.kind", |word| {
        event().performer(Performer::new(word))
    }),
    ("subject.kind", |word| event().subject(Subject::new(word))),
    ("targets[0].kind", |word| {
        event().targets(vec![Target::new(word)])
    }),
    ("metadata key", |word| event().metadata(word, "")),
    ("context key", |word| further(vec![(word, String::new())])),
];

/// Lists, and the most entries each may have.
const COUNTS: [(&str, usize, OfCount); 4] = [
    ("targets", 256, |count| {
        event().targets(vec![Target::new("k"); count])
    }),
    ("metadata", 64, |count| {
        (0..count).fold(event(), |event, n| event.metadata(format!("k{n}"), ""))
    }),
    ("changes", 4096, |count| {
        changed(vec![change("p".to_owned()); count])
    }),
    ("context", 64, |count| {
        further(
            (0..count)
                .map(|n| (format!("k{n}"), String::new()))
                .collect(),
        )
    }),
];

fn event() -> Event {
    Event::new("a.b")
}

fn change(path: String) -> Change {
    Change {
        path,
        before: Field::Absent,
        after: Field::Absent,
    }
}

fn changed(changes: Vec<Change>) -> Event {
    Event {
        changes: Field::Value(changes),
        ..event()
    }
}

fn further(further: Vec<(String, String)>) -> Event {
    event().context(Context {
        further,
        ..Context::default()
    })
}

/// An event whose content has so many bytes.
fn filled(bytes: usize) -> Event {
    let frame = r#"{"type":"a.b","data":""}"#.len();
    event()
        .data(&format!("\"{}\"", "x".repeat(bytes - frame)))
        .expect("data")
}

#[track_caller]
fn refused(store: &Store, field: &str, event: &Event) {
    let error = store.append(event).expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{field}: {error}");
    assert!(error.to_string().starts_with(field), "{field}: {error}");
}

/// What is as large as it may be is kept as it is, what is a byte larger is refused.
#[test]
fn mission_d26_bounds_are_exact_and_refusals_name_the_field() {
    let folder = folder();
    let store = store(folder.path());
    let mut kept = 0;
    let mut check = |field: &str, fits: Event, exceeds: Event| {
        let receipt = store
            .append(&fits)
            .unwrap_or_else(|error| panic!("{field}: {error}"));
        let stored = store
            .get(receipt.id)
            .expect("a look-up")
            .expect("the event")
            .event;
        assert!(
            Event {
                occurred_at: Field::Absent,
                ..stored
            } == fits,
            "{field}"
        );
        refused(&store, field, &exceeds);
        kept += 1;
    };
    let text = "é".repeat((64 << 10) / 2);
    for (field, of) in TEXTS {
        check(field, of(text.clone()), of(format!("{text}x")));
    }
    for (field, of) in WORDS {
        check(field, of("w".repeat(256)), of("w".repeat(257)));
    }
    for (field, most, of) in COUNTS {
        check(field, of(most), of(most + 1));
    }
    for minutes in [-1439_i32, 1439] {
        check(
            "offset",
            event().offset(minutes),
            event().offset(minutes + minutes.signum()),
        );
    }
    check("event", filled(1 << 20), filled((1 << 20) + 1));
    store.flush().expect("a flush");
    assert_eq!(
        lines(&store.snapshot()).len(),
        kept,
        "a refused event left something behind"
    );
}

#[test]
fn mission_d26_refusals_that_are_no_bounds_name_the_field_too() {
    let folder = folder();
    let store = store(folder.path());
    for (field, event) in [
        ("type", Event::new("")),
        ("type", Event::new("a..b")),
        ("type", Event::new("ä")),
        (
            "occurred_at",
            Event {
                occurred_at: Field::Null,
                ..Event::new("a")
            },
        ),
        (
            "performer.kind",
            Event::new("a").performer(Performer::new("")),
        ),
        (
            "subject.kind",
            Event::new("a").subject(Subject::new("a\u{0}")),
        ),
        (
            "targets[0].kind",
            Event::new("a").targets(vec![Target::new("a\u{85}")]),
        ),
        ("metadata key", Event::new("a").metadata("", "")),
        (
            "metadata.k",
            Event::new("a").metadata("k", "1").metadata("k", "1"),
        ),
        (
            "context.ip",
            further(vec![("ip".to_owned(), String::new())]),
        ),
        ("caused_by", Event::new("a").caused_by("#0")),
    ] {
        refused(&store, field, &event);
    }
}

#[test]
fn mission_d26_nesting_of_128_levels_is_kept() {
    let deep = format!("{}1{}", "[{\"a\":".repeat(64), "}]".repeat(64));
    let input = Event::new("a.b")
        .data(&deep)
        .expect("128 levels")
        .change("p", &deep, &deep)
        .expect("128 levels");
    let folder = folder();
    let store = store(folder.path());
    store.append(&input).expect("an append");
    store.flush().expect("a flush");
    let line = &lines(&store.snapshot())[0];
    assert!(line.ends_with(&format!(",\"data\":{deep}}}")));
    assert_eq!(
        Event::from_native_line(line).expect("an event").changes,
        input.changes
    );
}
