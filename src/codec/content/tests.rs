//! The pass against its model: what serde reads and the writer then writes again as it was.

use proptest::prelude::*;

use super::Content;
use super::Text;
use crate::codec::canonical;
use crate::event::Event;
use crate::event::StoredEvent;

/// The event that serde makes of `text`, if writing it gives `text` again.
fn model(text: &str) -> Option<Event> {
    let event: Event = serde_json::from_str(text).ok()?;
    (canonical::content(&event) == text).then_some(event)
}

/// Asserts that the pass takes and gives what the model does; whether it took the text.
fn agrees(text: &str) -> bool {
    let found = Content::parse(text).map(|content| content.event());
    assert_eq!(found, model(text), "{text}");
    found.is_some()
}

/// The contents of the golden lines, which hold every field in every state.
fn golden() -> Vec<String> {
    let lines = include_str!("../../../tests/golden/canonical.ndjson").lines();
    let stored = lines.filter_map(|line| serde_json::from_str::<StoredEvent>(line).ok());
    let found: Vec<String> = stored.map(|one| canonical::content(&one.event)).collect();
    assert!(found.len() >= 30, "the golden lines are there");
    found
}

#[test]
fn what_stands_between_quotation_marks_is_read_with_its_escapes() {
    for (raw, wanted) in [
        ("", ""),
        ("plain é", "plain é"),
        (r#"a\\b\"c"#, r#"a\b"c"#),
        (r"a\nb\u0001", "a\nb\u{1}"),
    ] {
        let text = Text::inside(raw);
        assert_eq!((text.raw(), &*text.text()), (raw, wanted));
        assert_eq!(text.plain().is_some(), !raw.contains('\\'), "{raw}");
        assert!(text.is(wanted) && !text.is("another"), "{raw}");
    }
}

/// What mutations put in: the marks of the grammar, keys of every object, odd and forbidden texts.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    " ",
    "\n",
    "null",
    "0",
    "-0",
    "007",
    "-5",
    "1e5",
    "\"\"",
    "\"x\"",
    "\\u0001",
    "\\u0009",
    "\\u001F",
    "\\u00e9",
    "\\/",
    "\\n",
    "\\ud800",
    "é",
    "\u{1}",
    "\u{7f}",
    "\u{2028}",
    ",\"key\":\"k\"",
    ",\"org\":null",
    ",\"id\":\"\"",
    "\"ip\":\"1\"",
    "\"geo\":null",
    ",\"further\":\"x\"",
    ",\"data\":[1,{}]",
    "\"2025-01-01T00:00:00Z\"",
    "18446744073709551616",
    "4294967296",
    "{\"kind\":\"k\"}",
];

#[test]
fn golden_contents_read_as_serde_reads_them() {
    for text in golden() {
        assert!(agrees(&text), "{text}");
    }
}

#[test]
fn no_prefix_of_a_content_is_one() {
    for text in golden() {
        for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            assert!(!agrees(text.get(..cut).unwrap_or_default()), "{text}");
        }
    }
}

#[test]
fn keys_out_of_place_twice_or_unknown_are_refused() {
    for rest in [
        r#","sub_type":"a","sub_type":"a""#,
        r#","org":"a","offset":1"#,
        r#","seq":1"#,
        r#","occurred_at":"2025-01-01T00:00:00.000000Z""#,
        r#","performer":{"id":"x","kind":"user"}"#,
        r#","performer":{"kind":null}"#,
        r#","performer":["user"]"#,
        r#","subject":{"kind":"k","email":"x"}"#,
        r#","metadata":{"a":"1","a":"2"}"#,
        r#","metadata":{"a":null}"#,
        r#","context":{"geo":"x","ip":"y"}"#,
        r#","context":{"x":"1","ip":"y"}"#,
        r#","context":{"ip":"x","ip":"y"}"#,
        r#","context":{"x":"1","x":"2"}"#,
        r#","context":{"ip":1}"#,
        r#","origin":{"id":"x","store":"y"}"#,
        r#","origin":{"seq":-1}"#,
        r#","origin":{"recorded_at":"2025-01-01T00:00:00Z"}"#,
        r#","outcome":"Success""#,
        r#","offset":-0"#,
        r#","offset":2147483648"#,
        r#","data":[1, 2]"#,
        r#","data":"\ud800""#,
        r#","data":1,"key":"k""#,
        r#","targets":[{"kind":"k"},]"#,
        r#","changes":[{"path":"p","after":1,"before":2}]"#,
    ] {
        let text = format!("{{\"type\":\"a\"{rest}}}");
        assert!(!agrees(&text), "{text}");
    }
}

#[test]
fn as_many_keys_are_taken_as_the_bounds_allow() {
    for object in ["metadata", "context"] {
        for count in 1..70_usize {
            let pairs: Vec<String> = (0..count).map(|n| format!("\"{n}\":\"\"")).collect();
            let text = |again: &str| {
                let pairs = pairs.join(",");
                format!("{{\"type\":\"a\",\"{object}\":{{{pairs}{again}}}}}")
            };
            assert_eq!(agrees(&text("")), count <= 64);
            let last = format!(",\"{}\":\"\"", count - 1);
            assert!(!agrees(&text(&last)), "a key that came before");
        }
    }
}

/// A million keys or brackets: a square of them would take minutes.
#[test]
fn hostile_contents_cost_no_square() {
    let pairs: Vec<String> = (0..1_000_000).map(|n| format!("\"{n}\":\"\"")).collect();
    for object in ["metadata", "context"] {
        let text = format!("{{\"type\":\"a\",\"{object}\":{{{}}}}}", pairs.join(","));
        assert!(Content::parse(&text).is_none());
    }
    let deep = format!("{{\"type\":\"a\",\"data\":{}}}", "[".repeat(1_000_000));
    assert!(Content::parse(&deep).is_none());
}

proptest! {
    #[test]
    fn texts_come_back_from_their_escapes(
        words in proptest::collection::vec("[a-z\"\\\\/u0-9\u{0}-\u{1f}\u{7f}é\u{2028}\u{ffff}\u{10000}]{0,24}", 6),
        metadata in proptest::collection::vec("[a-c\"\\\\\u{0}-\u{8}é]{0,3}", 0..12),
    ) {
        let [a, b, c, d, e, f] = words.try_into().unwrap_or_default();
        let mut event = Event::new(a).org(b).reason(c).key(d);
        for key in metadata {
            event = event.metadata(key, e.clone());
        }
        let event = event.performer(crate::event::Performer::new(f.clone()).id(e).email(f));
        agrees(&canonical::content(&event));
    }

    #[test]
    fn contents_with_pieces_put_in_or_taken_out_read_as_serde_reads_them(
        which: proptest::sample::Index,
        changes in proptest::collection::vec(
            (any::<proptest::sample::Index>(), 0_usize..12, 0_usize..PIECES.len() + 20),
            1..4,
        ),
    ) {
        let golden = golden();
        let mut text = which.get(&golden).clone();
        for (place, taken, piece) in changes {
            let places: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
            let from = *place.get(&places);
            let to = places.iter().copied().find(|at| *at >= from + taken).unwrap_or(text.len());
            text.replace_range(from..to, PIECES.get(piece).copied().unwrap_or_default());
        }
        agrees(&text);
    }
}
