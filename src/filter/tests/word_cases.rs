//! How each word is read: the text of the parsed filter says it.

use super::read;
use super::refused;
use crate::filter::Condition;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::filter::Pattern;
use crate::limits;

/// Flags, and how they are read.
const READINGS: &[(&[(&str, &str)], &str)] = &[
    (&[], "every event"),
    (&[("type", "a.b")], "type is \"a.b\""),
    (&[("type", "admin.*")], "type begins with \"admin.\""),
    (
        &[("type", "a,b"), ("--type", "c")],
        "(type is \"a\" or type is \"b\" or type is \"c\")",
    ),
    (
        &[("type", "a,!b*")],
        "type is \"a\" and not type begins with \"b\"",
    ),
    (&[("sub-type", "!x")], "not sub-type is \"x\""),
    (&[("sub_type", "*")], "sub-type has any value"),
    (&[("org", "")], "org is \"\""),
    (&[("org", "!")], "not org is \"\""),
    (&[("no", "org")], "org is absent"),
    (&[("no", "!org")], "not org is absent"),
    (
        &[("no", "org"), ("source", "x")],
        "source is \"x\" and org is absent",
    ),
    (
        &[("no", "meta:k,sub_type")],
        "sub-type is absent and metadata \"k\" is absent",
    ),
    (&[("org", "\\!a\\,b\\*")], "org is \"!a,b*\""),
    (&[("org", "a*b")], "org is \"a*b\""),
    (&[("org", "a**")], "org begins with \"a*\""),
    (&[("org", "\\\\*")], "org begins with \"\\\\\""),
    (&[("org", "CORP\\bob\\")], "org is \"CORP\\\\bob\\\\\""),
    (&[("subject", "user")], "subject is of kind \"user\""),
    (
        &[("subject", "us*")],
        "subject is of a kind that begins with \"us\"",
    ),
    (
        &[("subject", "user:u1")],
        "subject is of kind \"user\" with id \"u1\"",
    ),
    (
        &[("subject", "user:")],
        "subject is of kind \"user\" with id \"\"",
    ),
    (
        &[("subject", "user:u*")],
        "subject is of kind \"user\" with an id that begins with \"u\"",
    ),
    (
        &[("subject", "a\\:b:c:d")],
        "subject is of kind \"a:b\" with id \"c:d\"",
    ),
    (&[("subject", ":*")], "subject is of any kind with any id"),
    (
        &[("performer", ":arn:aws:iam::1:user/x")],
        "performer is of any kind with id \"arn:aws:iam::1:user/x\"",
    ),
    (
        &[("target", "!user:u1")],
        "not target is of kind \"user\" with id \"u1\"",
    ),
    (&[("on-behalf-of", "u")], "on-behalf-of is of kind \"u\""),
    (
        &[("outcome", "denied,failure")],
        "(outcome is \"denied\" or outcome is \"failure\")",
    ),
    (&[("ip", "::ffff:10.0.0.1")], "ip is the address 10.0.0.1"),
    (&[("ip", "2001:DB8:0::1")], "ip is the address 2001:db8::1"),
    (&[("ip", "10.0.0.0/8")], "ip lies in the network 10.0.0.0/8"),
    (
        &[("ip", "2001:db8::/32")],
        "ip lies in the network 2001:db8::/32",
    ),
    (&[("ip", "10.1.*")], "ip lies in the network 10.1.0.0/16"),
    (&[("ip", "AWS*")], "ip begins with \"AWS\""),
    (&[("ip", "AWS/Internal")], "ip is the text \"AWS/Internal\""),
    (&[("meta", "k=a:b=c")], "metadata \"k\" is \"a:b=c\""),
    (&[("meta", "k\\=l=*")], "metadata \"k=l\" has any value"),
    (&[("meta", "k=")], "metadata \"k\" is \"\""),
    (
        &[("meta", "k=a,!b"), ("meta", "l=c")],
        "metadata \"k\" is \"a\" and not metadata \"k\" is \"b\" and metadata \"l\" is \"c\"",
    ),
    (&[("meta", "!k=a")], "not metadata \"k\" is \"a\""),
    (&[("meta", "\\!k=a")], "metadata \"!k\" is \"a\""),
    (&[("key", "a:b")], "key is \"a:b\""),
    (
        &[("text", "Ada,!b\\*")],
        "a text holds \"Ada\" and not a text holds \"b*\"",
    ),
    (&[("id", "x1")], "id where it came from is \"x1\""),
    (
        &[("id", "evt_01HY2Z0J80FM00000000000001")],
        "id, here or where it came from, is evt_01HY2Z0J80FM00000000000001",
    ),
    (&[("org", "\u{1b}[31m")], "org is \"\\u{1b}[31m\""),
    (
        &[("during", "2026-Q2")],
        "occurred_at is at or after 2026-04-01T00:00:00.000000Z and occurred_at is at or before 2026-06-30T23:59:59.999999Z",
    ),
    (
        &[("last", "24h")],
        "occurred_at is at or after 1 d before now and occurred_at is at or before now",
    ),
    (
        &[("since", "-90m"), ("before", "now")],
        "occurred_at is at or after 90 m before now and occurred_at is before now",
    ),
];

#[test]
fn words_read_as_they_say() {
    for (flags, says) in READINGS {
        let filter = read(flags);
        assert_eq!(filter.to_string(), *says, "{flags:?}");
        assert!(filter.digest().is_ok(), "{flags:?}");
    }
}

#[test]
fn refusals_name_the_flag_and_how_the_value_was_read() {
    let long = format!("{}*", "x".repeat(limits::PREFIX_BYTES + 1));
    for (flag, text, says) in [
        ("colour", "red", "no such filter"),
        ("meta:k", "red", "no such filter"),
        (
            "outcome",
            "sucess",
            "read as the outcome \"sucess\", which is none of success,",
        ),
        ("type", "a,,b", "list with an empty value"),
        ("type", "a,", "list with an empty value"),
        ("type", &long, "read as a prefix of 201 bytes; at most 200"),
        ("ip", "10.0.0.0/33", "33 bits; it has 0 to 32"),
        ("ip", "10.0.0.0/x", "\"x\" bits"),
        ("ip", "10.0.0.0/", "\"\" bits"),
        ("ip", "10.1*", "read as addresses that begin with \"10.1\""),
        ("ip", "fe80:*", "read as addresses"),
        ("performer", "a\u{1}:x", "read as the kind \"a\\u{1}\""),
        (
            "meta",
            "ticket",
            "read as the key \"ticket\" without a value",
        ),
        ("meta", "=x", "never empty"),
        ("meta", "!k=!x", "read with a ! before the key"),
        ("id", "", "no event's id"),
        ("id", "evt_*", "looked up whole"),
        ("key", "a*", "looked up whole"),
        ("text", "a*", "found wherever it stands"),
        ("text", "", "stands in every text"),
        ("no", "key", "read as the absent field \"key\""),
        ("no", "meta:", "never empty"),
    ] {
        let message = refused(&[(flag, text)]);
        assert!(message.starts_with(&format!("--{flag} ")), "{message}");
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn hostile_lengths_are_refused_or_read_in_linear_time() {
    let many = vec!["x"; limits::FILTER_VALUES + 1].join(",");
    assert!(refused(&[("type", &many)]).contains("1024 values"));
    let most = vec!["x"; limits::FILTER_VALUES].join(",");
    assert!(read(&[("type", &most)]).expression().is_ok());
    assert!(refused(&[("type", &most), ("org", "y")]).contains("1024 values"));
    let huge = "\\".repeat(4 << 20);
    assert!(
        read(&[("org", &huge), ("meta", &format!("k={huge}"))])
            .digest()
            .is_ok()
    );
    assert!(refused(&[("outcome", &huge)]).len() < 1024);
    assert!(refused(&[("since", &"9".repeat(4 << 20))]).len() < 1024);
}

#[test]
fn deep_and_wide_trees_are_refused() {
    let leaf = || Condition::Key("k".into());
    let nested = |depth: usize| (1..depth).fold(leaf(), |inner, _| Condition::not(inner));
    assert!(
        Filter::new()
            .and(nested(limits::FILTER_DEPTH))
            .expression()
            .is_ok()
    );
    let error = Filter::new()
        .and(nested(limits::FILTER_DEPTH + 1))
        .expression()
        .unwrap_err();
    assert!(error.to_string().contains("32 deep"), "{error}");
    let wide = (0..=limits::FILTER_VALUES).map(|_| leaf()).collect();
    let error = Filter::new()
        .and(Condition::Any(wide))
        .expression()
        .unwrap_err();
    assert!(error.to_string().contains("1024 values"), "{error}");
    for (field, pattern) in [
        (FilterField::Type, Pattern::id("x")),
        (FilterField::SubjectKind, Pattern::id("x")),
        (
            FilterField::Org,
            Pattern::Network {
                address: [1, 2, 3, 4].into(),
                bits: 8,
            },
        ),
        (FilterField::Meta(String::new()), Pattern::Absent),
        (FilterField::Outcome, Pattern::is("good")),
    ] {
        let filter = Filter::new().any_of(&field, [pattern]);
        assert!(filter.expression().is_err(), "{filter}");
        assert!(filter.digest().is_err(), "{filter}");
    }
}

#[test]
fn spellings_of_one_filter_share_a_digest() {
    let digest = |flags: &[(&str, &str)]| read(flags).digest().unwrap();
    for (one, other) in [
        (
            &[("type", "a,b")][..],
            &[("type", "b"), ("type", "a"), ("type", "b")][..],
        ),
        (
            &[("type", "a"), ("org", "b")],
            &[("org", "b"), ("type", "a")],
        ),
        (&[("ip", "::ffff:1.2.3.4")], &[("ip", "1.2.3.4")]),
        (&[("ip", "10.*")], &[("ip", "10.9.9.9/8")]),
        (&[("meta", "!k=a,b")], &[("meta", "k=!b,!a")]),
    ] {
        assert_eq!(digest(one), digest(other), "{one:?} {other:?}");
    }
    for (one, other) in [
        (&[("type", "a")][..], &[("type", "a*")][..]),
        (&[("type", "a")], &[("type", "!a")]),
        (&[("subject", "a")], &[("target", "a")]),
        (&[("org", "")], &[("no", "org")]),
        (&[("id", "k")], &[("key", "k")]),
        (&[], &[("type", "a")]),
    ] {
        assert_ne!(digest(one), digest(other), "{one:?} {other:?}");
    }
}

#[test]
fn names_of_fields_round_trip() {
    for field in FilterField::named().chain([FilterField::Meta("a:b,c".into())]) {
        assert_eq!(field.to_string().parse::<FilterField>().unwrap(), field);
    }
    assert!("key".parse::<FilterField>().is_err());
    assert!("meta:a\u{7}".parse::<FilterField>().is_err());
}
