//! Packs put together, what they refuse, and what events they take.

use super::*;
use crate::event::Change;
use crate::event::Context;
use crate::event::Field;
use crate::event::Json;
use crate::event::Performer;
use crate::event::Subject;

fn pack(types: &str) -> Pack {
    let text = format!(r#"{{"name": "own", "types": [{types}]}}"#);
    Pack::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn own(types: &str) -> Registry {
    let made = Registry::new().with(pack(types));
    made.unwrap_or_else(|error| panic!("{types}: {error}"))
}

/// How `event` is refused: with this kind, and these words in the message.
#[track_caller]
fn refused(registry: &Registry, event: &Event, kind: ErrorKind, words: &[&str]) {
    let error = match registry.check(event) {
        Ok(()) => panic!("taken: {event:?}"),
        Err(error) => error,
    };
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "no {word} in: {error}");
    }
}

#[test]
fn packs_that_come_along_go_together() {
    let mut registry = Registry::new();
    for pack in Pack::built_in() {
        let name = pack.name().to_owned();
        registry = match registry.with(pack) {
            Ok(registry) => registry,
            Err(error) => panic!("{name}: {error}"),
        };
    }
    assert_eq!(registry, Registry::built_in());
    for one in registry.types() {
        assert!(
            one.group().is_some() && !one.about().is_empty(),
            "{}",
            one.name()
        );
        assert!(
            registry.type_label(one.name(), "en").is_some(),
            "{}",
            one.name()
        );
        for kind in one
            .subject_kinds()
            .iter()
            .map(String::as_str)
            .chain(one.performer_kinds())
        {
            assert!(
                registry.kind_label(kind, "en").is_some(),
                "{}: {kind}",
                one.name()
            );
        }
    }
}

#[test]
fn a_pack_that_breaks_a_rule_is_refused_by_the_entry() {
    for (text, words) in [
        ("", "EOF"),
        ("[]", "invalid"),
        (r#"{"types": []}"#, "missing field `name`"),
        (r#"{"name": ""}"#, "name: \"\" is no name"),
        (r#"{"name": "p", "type": []}"#, "unknown field `type`"),
        (
            r#"{"name": "p", "types": [{"name": "a b"}]}"#,
            "types: \"a b\": type: ",
        ),
        (
            r#"{"name": "p", "types": [{"name": "a", "aliases": [".b"]}]}"#,
            "types: \"a\": type: ",
        ),
        (
            r#"{"name": "p", "types": [{"name": "a", "secrets": []}]}"#,
            "unknown field `secrets`",
        ),
        (
            r#"{"name": "p", "types": [{"name": "a", "outcome": ["good"]}]}"#,
            "unknown variant `good`",
        ),
        (
            r#"{"name": "p", "types": [{"name": "a", "requires": ["metdata.x"]}]}"#,
            "types: \"a\": requires: \"metdata.x\" is no field; the fields are sub_type,",
        ),
        (
            r#"{"name": "p", "types": [{"name": "a", "performer": "user"}]}"#,
            "a list of kinds",
        ),
        (
            r#"{"name": "p", "types": [{"name": "a", "performer": {"user": ["data."]}}]}"#,
            "performer: user: \"data.\" is no field",
        ),
        (
            r#"{"name": "p", "kinds": [{"name": "a\u0007"}]}"#,
            "kinds: ",
        ),
        (
            r#"{"name": "p", "groups": [{"name": "a", "aliases": ["b"]}]}"#,
            "a group has no aliases",
        ),
        (
            r#"{"name": "p", "leaves_out": [{"types": "*", "why": "all"}]}"#,
            "leaves_out: \"*\"",
        ),
        (
            r#"{"name": "p", "labels": {"de": {"types": {"a": "x", "a": "y"}}}}"#,
            "duplicate key `a`",
        ),
        (
            r#"{"name": "p", "labels": {"de": {}, "de": {}}}"#,
            "duplicate key `de`",
        ),
    ] {
        let error = match Pack::parse(text) {
            Ok(pack) => panic!("{text} is taken: {pack:?}"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::Pack);
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

#[test]
fn packs_that_do_not_go_together_are_refused_by_the_name() {
    let built_in = Registry::built_in();
    for (text, words) in [
        (
            r#"{"name": "administration"}"#,
            "a pack of this name is there already",
        ),
        (
            r#"{"name": "p", "types": [{"name": "user.added"}]}"#,
            "\"user.added\" stands for another type",
        ),
        (
            r#"{"name": "p", "types": [{"name": "x", "aliases": ["anonymous_login.added"]}]}"#,
            "\"anonymous_login.added\" stands for another type",
        ),
        (
            r#"{"name": "p", "types": [{"name": "x"}, {"name": "x"}]}"#,
            "\"x\" stands for another",
        ),
        (
            r#"{"name": "p", "types": [{"name": "x", "group": "guests"}]}"#,
            "x: group: no group \"guests\"",
        ),
        (
            r#"{"name": "p", "kinds": [{"name": "guest", "aliases": ["user"]}]}"#,
            "kinds: \"user\" stands for another kind already",
        ),
        (
            r#"{"name": "p", "labels": {"de": {"types": {"user.aded": "x"}}}}"#,
            "labels: de: types: no \"user.aded\" to have a label",
        ),
        (
            r#"{"name": "p", "labels": {"de": {"kinds": {"usr": "x"}}}}"#,
            "kinds: no \"usr\"",
        ),
        (
            r#"{"name": "p", "labels": {"de": {"groups": {"x": "x"}}}}"#,
            "groups: no \"x\"",
        ),
    ] {
        let made = Pack::parse(text).and_then(|pack| built_in.clone().with(pack));
        let error = match made {
            Ok(_) => panic!("{text} is taken"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::Pack);
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

#[test]
fn kinds_of_several_packs_come_together_and_the_last_label_counts() {
    let text = r#"{
        "name": "p",
        "kinds": [{"name": "user", "label": "Member", "aliases": ["member", "user"]}],
        "labels": {"sv": {"kinds": {"user": "Medlem"}, "types": {"user.added": "Ny medlem"}}}
    }"#;
    let made = Pack::parse(text).and_then(|pack| Registry::built_in().with(pack));
    let registry = made.unwrap_or_else(|error| panic!("{error}"));
    for (kind, locale, label) in [
        ("user", "en", Some("Member")),
        ("member", "en", Some("Member")),
        ("member", "sv", Some("Medlem")),
        ("role", "sv", Some("Role")),
        ("roll", "sv", None),
    ] {
        assert_eq!(registry.kind_label(kind, locale), label, "{kind} {locale}");
    }
    assert_eq!(registry.type_label("user.added", "sv"), Some("Ny medlem"));
    assert_eq!(
        registry.type_label("user.removed", "sv"),
        Some("Remove User")
    );
    let named: Vec<(&str, &[String])> = registry
        .kinds()
        .filter(|(name, _)| *name == "user")
        .collect();
    assert_eq!(named, [("user", ["member".to_owned()].as_slice())]);
}

#[test]
fn unknown_types_are_told_what_is_near_or_why_they_are_left_out() {
    let registry = Registry::built_in();
    for (event_type, words) in [
        (
            "user.upated",
            "type: \"user.upated\" is not registered (no type of the packs administration, audit); near it: user.updated,",
        ),
        ("role.added_state_permission", "near it: role."),
        ("invoice.paid", "nothing known is near it"),
        (
            "workflow.created",
            "is left out by the pack administration: making, changing",
        ),
    ] {
        refused(
            &registry,
            &Event::new(event_type),
            ErrorKind::UnknownType,
            &[words],
        );
    }
    refused(
        &Registry::new(),
        &Event::new("a"),
        ErrorKind::UnknownType,
        &["the registry is empty"],
    );
    let long = "x".repeat(256);
    refused(
        &registry,
        &Event::new(long),
        ErrorKind::UnknownType,
        &["nothing known is near"],
    );
}

/// A registry of one type with two secrets.
fn with_secrets() -> Registry {
    own(r#"{"name": "a", "secret": ["api_key", "hash"]}"#)
}

fn json(text: &str) -> Field<Json> {
    match Json::parse(text) {
        Ok(json) => Field::Value(json),
        Err(error) => panic!("{text}: {error}"),
    }
}

fn data(text: &str) -> Event {
    Event {
        data: json(text),
        ..Event::new("a")
    }
}

fn change(path: &str, before: Field<Json>, after: Field<Json>) -> Event {
    let change = Change {
        path: path.to_owned(),
        before,
        after,
    };
    Event {
        changes: Field::Value(vec![change]),
        ..Event::new("a")
    }
}

#[test]
fn secrets_are_refused_wherever_they_stand_and_never_told() {
    let registry = with_secrets();
    let context = Context {
        further: vec![("APIKEY".to_owned(), "s3cret".to_owned())],
        ..Context::default()
    };
    let text = || json("\"s3cret\"");
    for (event, field) in [
        (
            Event::new("a").metadata("api-key", "s3cret"),
            "metadata.api-key: ",
        ),
        (Event::new("a").context(context), "context.APIKEY: "),
        (data(r#"{"apiKey":"s3cret"}"#), "data.apiKey: "),
        (data(r#"[{"x":[{"hash":"s3cret"}]}]"#), "data.x.hash: "),
        (data(r#"{"h\u0061sh":5}"#), "data.hash: "),
        // The second of two members of one name must not hide the first.
        (data(r#"{"hash":"s3cret","hash":null}"#), "data.hash: "),
        (
            change("login.hash", Field::Absent, text()),
            "changes[0].after: ",
        ),
        (
            change("/hash/0", text(), Field::Null),
            "changes[0].before: ",
        ),
        (
            change("login", json(r#"{"hash":"s3cret"}"#), Field::Null),
            "changes[0].before.hash: ",
        ),
    ] {
        let words = [field, "the pack own calls", "leave it out"];
        refused(&registry, &event, ErrorKind::Secret, &words);
        let told = registry.check_secrets(&event);
        let told = told.map_or_else(|error| error.to_string(), |()| String::new());
        assert!(
            told.starts_with(field) && !told.contains("s3cret"),
            "{told}"
        );
        let unknown = Event {
            event_type: "b".to_owned(),
            ..event
        };
        assert!(registry.check_secrets(&unknown).is_ok(), "another type");
    }
}

#[test]
fn what_only_looks_like_a_secret_is_taken() {
    for event in [
        data(r#"{"hash":null,"hashes":1,"x":"hash"}"#),
        data("\"hash\""),
        change("hash", Field::Absent, Field::Null),
        change("hashes", Field::Absent, json("1")),
    ] {
        assert!(with_secrets().check(&event).is_ok(), "{event:?}");
    }
}

#[test]
fn an_event_has_the_shape_that_its_type_declares() {
    let registry = own(r#"{"name": "a", "subject": ["user"], "outcome": ["denied"],
            "performer": {"user": [], "unknown": ["metadata.claimed_id"]},
            "requires": ["batch", "context.ip", "data.place.room", "changes.name"]}"#);
    let whole = || {
        let context = Context {
            ip: Field::from("::1"),
            ..Context::default()
        };
        let event = Event::new("a").batch("b").context(context);
        let event = event
            .change("name", "1", "2")
            .and_then(|event| event.data(r#"{"place":[{"room":1}]}"#));
        event.unwrap_or_else(|error| panic!("{error}"))
    };
    assert!(registry.check(&whole()).is_ok());
    let claimed = whole()
        .performer(Performer::new("unknown"))
        .metadata("claimed_id", "");
    assert!(registry.check(&claimed).is_ok());
    for (event, words) in [
        (
            whole().subject(Subject::new("role")),
            "subject.kind: \"role\", and a takes user",
        ),
        (
            whole().outcome(Outcome::Success),
            "outcome: \"success\", and a takes denied",
        ),
        (
            whole().performer(Performer::new("robot")),
            "performer.kind: \"robot\", and a takes unknown, user",
        ),
        (
            whole().performer(Performer::new("unknown")),
            "metadata.claimed_id: a by a performer of kind unknown does not go without it",
        ),
        (
            Event {
                batch: Field::Null,
                ..whole()
            },
            "batch: a does not go without it",
        ),
        (
            Event {
                context: Field::Absent,
                ..whole()
            },
            "context.ip: a does not",
        ),
        (
            Event {
                data: Field::Absent,
                ..whole()
            },
            "data.place.room: a does not",
        ),
        (
            Event {
                changes: Field::Absent,
                ..whole()
            },
            "changes.name: a does not",
        ),
    ] {
        refused(&registry, &event, ErrorKind::Invalid, &[words]);
    }
}

#[test]
fn an_event_under_another_name_has_the_same_shape_and_secrets() {
    let registry = Registry::built_in();
    let event = Event::new("anonymous_login.added")
        .performer(Performer::new("admin"))
        .subject(Subject::new("anonymous_login"));
    assert!(registry.check(&event).is_ok());
    let secret = event.clone().metadata("url", "https://example.org/s3cret");
    refused(&registry, &secret, ErrorKind::Secret, &["metadata.url"]);
    refused(
        &registry,
        &event.subject(Subject::new("user")),
        ErrorKind::Invalid,
        &["subject.kind"],
    );
}
