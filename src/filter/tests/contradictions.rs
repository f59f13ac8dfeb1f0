//! Filters that nothing can match are errors, and nothing else is.

use proptest::prelude::*;

use super::arbitrary::condition;
use super::arbitrary::event;
use super::read;
use super::refused;
use super::stored;
use crate::filter::Condition;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::filter::Pattern;
use crate::filter::Range;

/// Flags that exclude each other, and what the message begins with.
const CONTRADICTIONS: &[(&[(&str, &str)], &str)] = &[
    (
        &[("type", "a,!a")],
        "--type: contradiction: type is \"a\" and not type is \"a\"",
    ),
    (&[("type", "a.b,a.c,!a.*")], "--type: "),
    (&[("type", "!*")], "--type: "),
    (&[("no", "type")], "--type: "),
    (
        &[("outcome", "denied"), ("outcome", "!denied")],
        "--outcome: ",
    ),
    (&[("outcome", "success"), ("no", "outcome")], "--outcome: "),
    (&[("no", "org,!org")], "--org: "),
    (&[("meta", "k=a"), ("meta", "!k=a")], "--meta: "),
    (&[("meta", "k=a"), ("no", "meta:k")], "--meta: "),
    (&[("ip", "10.1.2.3,!10.0.0.0/8")], "--ip: "),
    (&[("ip", "::ffff:1.2.3.4,!1.2.3.4")], "--ip: "),
    (&[("subject", "user:u1,!user")], "--subject: "),
    (&[("subject", "user:u1,!:u1")], "--subject: "),
    (&[("subject", "user:u*,!us*")], "--subject: "),
    (&[("performer", "app,!app"), ("type", "a")], "--performer: "),
    (&[("subject", "user:u1"), ("no", "target")], "--target: "),
    (
        &[("subject", "user:u1"), ("target", "!user")],
        "--subject: ",
    ),
    (&[("key", "a,!a")], "--key: "),
    (&[("id", "x,!x")], "--id: "),
    (&[("text", "Lovelace,!love")], "--text: "),
    (&[("filter", "event_type=a"), ("type", "!a*")], "--type: "),
    (&[("filter", "metadata[k]=a"), ("no", "meta:k")], "--meta: "),
];

/// Flags that look alike and that an event can fulfil.
const SOUND: &[&[(&str, &str)]] = &[
    &[("type", "a*,!a")],
    &[("type", "a,b,!a")],
    &[("type", "!a,!b")],
    &[("outcome", "!*")],
    &[("org", "!*"), ("no", "!org")],
    &[("subject", "user,!user:u1")],
    &[("subject", "user:u1"), ("target", "group")],
    &[("target", "user,!user:u1")],
    &[("target", "user:u1"), ("subject", "!user:u1")],
    &[("no", "subject"), ("target", "user")],
    &[("ip", "10.0.0.0/8,!10.1.2.3")],
    &[("meta", "k=a"), ("meta", "!l=a")],
    &[("id", "x"), ("key", "x")],
    &[("text", "love,!lovelace")],
    &[("text", "a"), ("text", "b")],
    &[("performer", "user:u1"), ("on-behalf-of", "!user:u1")],
];

#[test]
fn what_nothing_can_match_is_an_error_that_names_the_flag() {
    for (flags, says) in CONTRADICTIONS {
        let message = refused(flags);
        assert!(message.starts_with(says), "{flags:?}: {message}");
        assert!(message.contains("contradiction: "), "{flags:?}: {message}");
    }
    for flags in SOUND {
        assert!(read(flags).validate().is_ok(), "{flags:?}");
    }
}

#[test]
fn filters_built_by_hand_are_refused_with_the_field() {
    let is = |text: &str| Condition::Field(FilterField::Type, Pattern::is(text));
    let of_kind = |kind: &str| Condition::Field(FilterField::SubjectKind, Pattern::is(kind));
    let entity = Condition::Field(FilterField::Subject, Pattern::entity("user", "u1"));
    for (conditions, field) in [
        (vec![is("a"), is("b")], "type: "),
        (
            vec![
                Condition::not(Condition::Any(vec![is("a"), is("b")])),
                is("b"),
            ],
            "type: ",
        ),
        (
            vec![Condition::Any(vec![
                Condition::All(vec![is("a"), is("b")]),
                Condition::All(vec![is("c"), Condition::not(is("c"))]),
            ])],
            "type: ",
        ),
        (vec![entity.clone(), of_kind("group")], "subject: "),
        (
            vec![Condition::Key("a".into()), Condition::Key("b".into())],
            "key: ",
        ),
    ] {
        let filter = conditions.into_iter().fold(Filter::new(), Filter::and);
        let error = filter.validate().unwrap_err().to_string();
        assert!(error.starts_with(field), "{error}");
    }
    for sound in [
        // Said on purpose: none of no alternatives.
        vec![Condition::Any(Vec::new())],
        vec![Condition::Any(vec![
            Condition::All(vec![is("a"), is("b")]),
            is("c"),
        ])],
        vec![entity, of_kind("user")],
        vec![
            Condition::not(Condition::All(vec![is("a"), is("b")])),
            is("a"),
        ],
    ] {
        let filter = sound.into_iter().fold(Filter::new(), Filter::and);
        assert!(filter.validate().is_ok(), "{filter}");
    }
}

#[test]
fn long_filters_are_compared_quickly_and_told_briefly() {
    let list = |mark: &str| -> String {
        let values = (0..500).map(|number| format!("{mark}value{number}"));
        values.collect::<Vec<_>>().join(",")
    };
    let (plain, none) = (list(""), list("!"));
    let message = refused(&[("type", &plain), ("type", &none)]);
    assert!(message.len() < 400, "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1024,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The one promise: a filter that is refused as a contradiction matches nothing.
    #[test]
    fn what_is_refused_matches_no_event(
        conditions in proptest::collection::vec(condition(), 1..5),
        events in proptest::collection::vec(event(), 1..8),
    ) {
        let filter = conditions.into_iter().fold(Filter::new(), Filter::and);
        if let Err(error) = filter.validate() {
            for event in events {
                prop_assert!(!filter.matches(&stored(event), Range::ALL), "{}\n{}", error, filter);
            }
        }
    }
}
