//! The oracle on the event and the expression over the event's terms agree, always.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::arbitrary::asked;
use super::arbitrary::condition;
use super::arbitrary::event;
use super::arbitrary::flags;
use super::read;
use super::read_sound;
use super::stored;
use crate::codec::canonical;
use crate::codec::content::Content;
use crate::event::Event;
use crate::event::Field;
use crate::event::Origin;
use crate::event::StoredEvent;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::filter::Pattern;
use crate::filter::Range;
use crate::filter::expression::Expression;
use crate::filter::expression::Leaf;
use crate::filter::facet::facet_value;
use crate::filter::indexed;
use crate::filter::term;
use crate::filter::text;
use crate::limits::PREFIX_BYTES;

/// What an index over one event answers.
fn answers(expression: &Expression, event: &StoredEvent, terms: &BTreeSet<Vec<u8>>) -> bool {
    match expression {
        Expression::All => true,
        Expression::And(all) => all.iter().all(|one| answers(one, event, terms)),
        Expression::Or(all) => all.iter().any(|one| answers(one, event, terms)),
        Expression::Not(one) => !answers(one, event, terms),
        Expression::Leaf(Leaf::Term(term)) => terms.contains(term),
        Expression::Leaf(Leaf::Terms { from, to }) => {
            assert!(from < to, "{from:?} {to:?}");
            terms.range(from.clone()..to.clone()).next().is_some()
        }
        Expression::Leaf(Leaf::Id(position)) => event.position() == *position,
        Expression::Leaf(Leaf::Origin(text)) => {
            let origin = event.event.origin.value();
            origin.and_then(|origin| origin.id.as_deref()) == Some(text)
        }
        Expression::Text(word) => text::holds(&event.event, word),
        Expression::Leaf(Leaf::Key(text)) => event.event.key.as_deref() == Some(text),
    }
}

fn terms(event: &Event) -> BTreeSet<Vec<u8>> {
    let mut all = BTreeSet::new();
    term::terms(event, |term| {
        assert!(all.insert(term.to_vec()), "told twice: {term:?}");
    });
    let content = canonical::content(event);
    if let Some(content) = Content::parse(&content) {
        let mut indexed = BTreeSet::new();
        indexed::terms(&content, |term| {
            assert!(indexed.insert(term.to_vec()), "told twice: {term:?}");
        });
        assert_eq!(indexed, all, "a row's terms are its event's");
    }
    all
}

fn compare(filter: &Filter, event: Event) -> bool {
    let terms = terms(&event);
    let event = stored(event);
    let matches = filter.matches(&event, Range::ALL);
    let expression = filter.expression().unwrap();
    assert_eq!(
        matches,
        answers(&expression, &event, &terms),
        "{filter}\n{expression:?}\n{event:?}"
    );
    matches
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1024,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn words_mean_the_same_on_events_and_on_terms(
        flags in flags(),
        events in proptest::collection::vec(event(), 1..6),
    ) {
        let flags: Vec<(&str, &str)> =
            flags.iter().map(|(flag, text)| (*flag, text.as_str())).collect();
        // Three and more conditions at once seldom hold: each by itself holds often enough.
        let alone = flags.iter().map(|flag| read_sound(&[*flag]));
        let filters: Vec<Filter> = alone.chain([read_sound(&flags)]).flatten().collect();
        for event in events {
            for filter in &filters {
                compare(filter, event.clone());
            }
        }
    }

    #[test]
    fn trees_mean_the_same_on_events_and_on_terms(
        conditions in proptest::collection::vec(condition(), 3..6),
        events in proptest::collection::vec(event(), 1..6),
    ) {
        let all = conditions.iter().cloned().fold(Filter::new(), Filter::and);
        for event in events {
            compare(&all, event.clone());
            for condition in &conditions {
                compare(&Filter::new().and(condition.clone()), event.clone());
            }
        }
    }

    #[test]
    fn escaped_values_are_read_as_they_are(
        asked in asked().prop_filter("an address is read as one", |asked| asked.flag != "ip"),
    ) {
        let text = asked.text();
        let field = match &asked.key {
            Some(key) => FilterField::Meta(key.clone()),
            None => asked.flag.parse().unwrap(),
        };
        let patterns = |wanted: bool| -> Vec<Pattern> {
            let of_sort = asked.values.iter().filter(|(negated, _, _)| *negated == wanted);
            of_sort
                .map(|(_, value, star)| match star {
                    true => Pattern::prefix(value.as_str()),
                    false => Pattern::is(value.as_str()),
                })
                .collect()
        };
        let (plain, none) = (patterns(false), patterns(true));
        let mut built = Filter::new();
        if !plain.is_empty() {
            built = built.any_of(&field, plain);
        }
        let built = built.none_of(&field, none);
        match read_sound(&[(asked.flag, &text)]) {
            Some(read) => prop_assert_eq!(
                read.expression().unwrap(),
                built.sound_expression().unwrap(),
                "{}", text
            ),
            None => prop_assert!(built.validate().is_err(), "{}", text),
        }
    }

    #[test]
    fn facets_cover_every_value_once(event in event()) {
        let terms = terms(&event);
        let mut fields: Vec<FilterField> = FilterField::named().collect();
        fields.extend(event.metadata.value().iter().flat_map(|pairs| pairs.iter())
            .map(|(key, _)| FilterField::Meta(key.to_owned())));
        let event = stored(event);
        for field in fields {
            let range = field.term_range("").unwrap();
            let found: Vec<&Vec<u8>> = terms.range(range.from..range.to).collect();
            let any = Filter::new().any_of(&field, [Pattern::prefix("")]);
            prop_assert_eq!(!found.is_empty(), any.matches(&event, Range::ALL), "{}", field);
            for term in found {
                let (text, cut) = facet_value(term).unwrap();
                let whole = !cut && text.len() <= PREFIX_BYTES;
                if whole && field != FilterField::Ip {
                    let narrow = field.term_range(&text).unwrap();
                    prop_assert!(narrow.from <= *term && *term < narrow.to, "{}", text);
                }
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(
        flag in proptest::sample::select(Filter::FLAGS.to_vec()),
        text in "[-0-9a-zT:.,!*\\\\=/@+ éZ]{0,24}",
        term in proptest::collection::vec(any::<u8>(), 0..24),
    ) {
        if let Ok(filter) = Filter::from_flags([(flag, text.as_str())], &super::Utc) {
            prop_assert!(filter.expression().is_ok() && !filter.explain().is_empty());
        }
        let _ = facet_value(&term);
    }
}

#[test]
fn times_and_ids_decide_too() {
    let event = stored(Event::new("a").origin(Origin {
        id: Field::Value("evt_01HY2Z0J80FM00000000000001".into()),
        ..Origin::default()
    }));
    let own = event.id.to_string();
    for (flag, text, wanted) in [
        ("id", own.as_str(), true),
        ("id", "evt_01HY2Z0J80FM00000000000001", true),
        ("id", "evt_01HY2Z0J80FM00000000000002", false),
        ("since", "2026-05-17T08:00:00Z", true),
        ("until", "2026-05-17T08:00", true),
        ("before", "2026-05-17T08:00:00Z", false),
        ("since", "2026-05-17T08:00:00.000001Z", false),
    ] {
        let filter = read(&[(flag, text)]);
        let range = filter.range(event.occurred_at).unwrap();
        assert_eq!(filter.matches(&event, range), wanted, "--{flag} {text}");
        let terms = terms(&event.event);
        let answer = answers(&filter.expression().unwrap(), &event, &terms);
        assert_eq!(answer && range.contains(event.occurred_at), wanted);
    }
}
