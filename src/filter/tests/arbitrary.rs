//! Events and filters by chance: few values, so that filters often hit, with all that is special in
//! words and in terms among them.

use proptest::prelude::*;

use crate::event::Context;
use crate::event::Event;
use crate::event::Field;
use crate::event::Metadata;
use crate::event::Origin;
use crate::event::Outcome;
use crate::event::Performer;
use crate::event::Subject;
use crate::event::Target;
use crate::filter::Condition;
use crate::filter::FilterField;
use crate::filter::Pattern;
use crate::limits::PREFIX_BYTES;

/// A text of one of the fields.
fn value() -> BoxedStrategy<String> {
    let head = "é".repeat(PREFIX_BYTES / 2);
    let fixed = [
        "",
        "a",
        "ab",
        "abc",
        "b",
        "a.b",
        "!a",
        "a*",
        "*",
        "a:b",
        ":",
        "a,b",
        "a\\",
        "\\*",
        "a=b",
        "\u{0}",
        "a\u{0}b",
        "\u{10ffff}",
        "ä",
    ];
    let long = [
        head.clone(),
        format!("{head}x"),
        format!("{head}y"),
        format!("a{head}"),
        format!("a{head}z"),
    ];
    let all: Vec<String> = fixed.map(str::to_owned).into_iter().chain(long).collect();
    proptest::sample::select(all).boxed()
}

fn word() -> BoxedStrategy<String> {
    let long = "k".repeat(PREFIX_BYTES + 9);
    proptest::sample::select(vec!["a", "ab", "b", "a:b", "*", "!a", "é", "a=b", "a,b"])
        .prop_map(str::to_owned)
        .boxed()
        .prop_union(Just(long).boxed())
        .boxed()
}

fn address() -> BoxedStrategy<String> {
    proptest::sample::select(vec![
        "10.0.0.1",
        "10.0.0.2",
        "10.1.0.1",
        "11.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "::",
        "::ffff:10.0.0.1",
        "2001:db8::1",
        "2001:DB8:0::2",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "AWS Internal",
        "AWS",
        "",
        "10.0.0.1:80",
        "10.0.0",
        "10.0.0.0/8",
    ])
    .prop_map(str::to_owned)
    .boxed()
}

fn field<T: core::fmt::Debug + Clone + 'static>(
    of: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Field<T>> {
    prop_oneof![
        1 => Just(Field::Absent),
        1 => Just(Field::Null),
        4 => of.prop_map(Field::Value),
    ]
    .boxed()
}

prop_compose! {
    fn performer()(kind in word(), id in field(value())) -> Performer {
        Performer { kind, id, ..Performer::default() }
    }
}

prop_compose! {
    fn subject()(kind in word(), id in field(value())) -> Subject {
        Subject { kind, id, ..Subject::default() }
    }
}

prop_compose! {
    fn target()(kind in word(), id in field(value())) -> Target {
        Target { kind, id, ..Target::default() }
    }
}

fn metadata() -> impl Strategy<Value = Metadata> {
    proptest::collection::btree_map(word(), value(), 0..4)
        .prop_map(|pairs| pairs.into_iter().collect())
}

fn context() -> impl Strategy<Value = Context> {
    field(address()).prop_map(|ip| Context {
        ip,
        ..Context::default()
    })
}

prop_compose! {
    pub(super) fn event()(
        event_type in proptest::sample::select(vec!["a", "a.b", "a.bc", "b"]),
        texts in (field(value()), field(value()), field(value()), field(value())),
        outcome in field(proptest::sample::select(Outcome::ALL.to_vec())),
        who in (field(performer()), field(performer()), field(subject())),
        targets in field(proptest::collection::vec(target(), 0..4)),
        metadata in field(metadata()),
        context in field(context()),
        origin in field(value()),
        reason in field(value()),
    ) -> Event {
        let (sub_type, org, source, key) = texts;
        let (performer, on_behalf_of, subject) = who;
        let origin = Field::Value(Origin { id: origin, ..Origin::default() });
        Event {
            event_type: event_type.to_owned(),
            sub_type, org, source, key, outcome, performer, on_behalf_of, subject, targets,
            metadata, context, origin, reason,
            ..Event::default()
        }
    }
}

/// A flag, and values for it as they are, before anything is escaped.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) flag: &'static str,
    pub(super) key: Option<String>,
    pub(super) values: Vec<(bool, String, bool)>,
}

fn escape(text: &str, colons: bool) -> String {
    let mut out = String::new();
    for char in text.chars() {
        if matches!(char, ',' | '!' | '*' | '\\' | '=') || colons && char == ':' {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

impl Asked {
    /// The flag's text, its values written so that they are read as they are.
    pub(super) fn text(&self) -> String {
        let values: Vec<String> = self
            .values
            .iter()
            .map(|(negated, value, star)| {
                let value = escape(value, false).replace("\\=", "=");
                let (not, star) = (
                    if *negated { "!" } else { "" },
                    if *star { "*" } else { "" },
                );
                format!("{not}{value}{star}")
            })
            .collect();
        match &self.key {
            Some(key) => format!("{}={}", escape(key, false), values.join(",")),
            None => values.join(","),
        }
    }
}

pub(super) fn asked() -> impl Strategy<Value = Asked> {
    let short = value().prop_filter("prefixes are short", |text| text.len() <= PREFIX_BYTES);
    let plain = (
        any::<bool>(),
        prop_oneof![value(), short.clone()],
        Just(false),
    );
    let starred = (any::<bool>(), short, Just(true));
    let one = prop_oneof![plain, starred].prop_filter("one empty value is no list", |it| {
        it.0 || it.2 || !it.1.is_empty()
    });
    let flags = vec!["type", "sub-type", "org", "source", "meta"];
    let texts = (
        proptest::sample::select(flags),
        word(),
        proptest::collection::vec(one, 1..4),
    )
        .prop_map(|(flag, key, values)| Asked {
            flag,
            key: (flag == "meta").then_some(key),
            values,
        });
    let networks = vec![
        "10.0.0.1",
        "10.0.0.0/24",
        "10.*",
        "0.0.0.0/0",
        "::/0",
        "2001:db8::/64",
    ];
    let more = vec![
        "ffff::/16",
        "::ffff:0:0/96",
        "AWS*",
        "AWS",
        "*",
        "255.255.255.255/32",
    ];
    let networks: Vec<&'static str> = networks.into_iter().chain(more).collect();
    let ips = (any::<bool>(), proptest::sample::select(networks)).prop_map(|(negated, text)| {
        let (value, star) = text
            .strip_suffix('*')
            .map_or((text, false), |text| (text, true));
        Asked {
            flag: "ip",
            key: None,
            values: vec![(negated, value.to_owned(), star)],
        }
    });
    prop_oneof![texts, ips]
}

/// An entity's value as words: kind, or kind and id, or id of any kind.
fn entity_words() -> impl Strategy<Value = (&'static str, String)> {
    let roles = vec!["subject", "target", "performer", "on-behalf-of"];
    let short = value().prop_filter("prefixes are short", |text| text.len() <= PREFIX_BYTES);
    let id = prop_oneof![
        value().prop_map(|id| escape(&id, false)),
        short.prop_map(|id| format!("{}*", escape(&id, false))),
    ];
    let kind = word().prop_map(|kind| escape(&kind, true).replace("\\=", "="));
    let id = id.prop_map(|id| id.replace("\\=", "="));
    (
        proptest::sample::select(roles),
        any::<bool>(),
        proptest::option::of(kind),
        proptest::option::of(id),
    )
        .prop_map(|(role, negated, kind, id)| {
            let not = if negated { "!" } else { "" };
            let kind = kind.unwrap_or_default();
            let text = match id {
                Some(id) => format!("{not}{kind}:{id}"),
                None => format!("{not}{kind}"),
            };
            (role, text)
        })
}

fn other_words() -> impl Strategy<Value = (&'static str, String)> {
    let fields: Vec<String> = FilterField::named()
        .map(|field| field.to_string())
        .collect();
    let absent = proptest::sample::select(fields).prop_map(|field| ("no", field));
    let outcomes = vec!["success", "!failure", "denied,partial", "un*", ""];
    let outcome = proptest::sample::select(outcomes).prop_map(|text| ("outcome", text.to_owned()));
    let key = value().prop_map(|text| ("key", escape(&text, false).replace("\\=", "=")));
    prop_oneof![absent, outcome, key]
}

pub(super) fn flags() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let texts = asked().prop_map(|asked| (asked.flag, asked.text()));
    let one = prop_oneof![3 => texts, 3 => entity_words(), 1 => other_words()];
    proptest::collection::vec(one, 3..6)
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let short = || value().prop_filter("prefixes are short", |text| text.len() <= PREFIX_BYTES);
    let kind = || proptest::option::of(word());
    prop_oneof![
        value().prop_map(Pattern::Is),
        word().prop_map(Pattern::Is),
        short().prop_map(Pattern::Prefix),
        (kind(), value()).prop_map(|(kind, id)| Pattern::Id { kind, id }),
        (kind(), short()).prop_map(|(kind, prefix)| Pattern::IdPrefix { kind, prefix }),
        (any::<[u8; 4]>(), 0_u8..=32).prop_map(|(address, bits)| Pattern::Network {
            address: address.into(),
            bits
        }),
        Just(Pattern::Null),
        Just(Pattern::Absent),
    ]
}

pub(super) fn condition() -> impl Strategy<Value = Condition> {
    let fields: Vec<FilterField> = FilterField::named().collect();
    let fields = prop_oneof![
        4 => proptest::sample::select(fields),
        1 => word().prop_map(FilterField::Meta),
    ];
    let leaf = prop_oneof![
        6 => (fields, pattern())
            .prop_filter("what may be asked", |(field, pattern)| pattern.refuse(field).is_none())
            .prop_map(|(field, pattern)| Condition::Field(field, pattern)),
        1 => value().prop_map(Condition::Key),
        1 => value().prop_map(Condition::OriginId),
        1 => value().prop_filter("a word", |word| !word.is_empty()).prop_map(Condition::Text),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::All),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::Any),
            inner.prop_map(Condition::not),
        ]
    })
}
