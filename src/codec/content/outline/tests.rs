//! Outlines against the parser, on every field of the golden lines cut up at random.

use proptest::prelude::*;

use super::*;
use crate::codec::content::Located;
use crate::codec::content::Parts;

/// Members of every field in many states, as they stand in contents.
fn members() -> Vec<String> {
    let lines = include_str!("../../../../tests/golden/canonical.ndjson").lines();
    let mut members = Vec::new();
    for line in lines {
        let Ok(stored) = serde_json::from_str::<event::StoredEvent>(line) else {
            continue;
        };
        let text = crate::codec::canonical::content(&stored.event);
        let (mut depth, mut inside, mut escaped, mut start) = (0, false, false, 0);
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => inside = !inside,
                b'{' | b'[' if !inside => depth += 1,
                b'}' | b']' if !inside => depth -= 1,
                _ => {}
            }
            if !inside && (depth == 0 || depth == 1 && byte == b',') {
                members.push(text.get(start..at).unwrap_or_default().to_owned());
                start = at;
            }
        }
    }
    members.retain(|member| member.starts_with(','));
    assert!(members.len() > 100);
    members
}

proptest! {
    /// Whatever is taken for a leaf and whatever then stands there: what an outline gives is
    /// what parsing gives.
    #[test]
    fn outlines_tell_what_parsing_tells(
        which: prop::sample::Index,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..6), 0..6),
        texts in prop::collection::vec("[a-z0-9]{0,6}|[0-9]{1,3}|-?[0-9](\\.5)?|true|null|[\"\\\\{}:,é\u{1} ]{0,3}", 6),
        number: bool,
    ) {
        let members = members();
        let member = which.get(&members);
        let mut ranges: Vec<(usize, usize)> = cuts
            .iter()
            .map(|(at, len)| (1 + at.index(member.len()), *len))
            .map(|(at, len)| (at.min(member.len()), (at + len).min(member.len())))
            .collect();
        ranges.sort_unstable();
        let (mut pieces, mut leaves, mut done) = (Vec::new(), Vec::new(), 0);
        let (mut text, mut starts) = (Vec::new(), Vec::new());
        for ((from, to), leaf) in ranges.into_iter().zip(&texts) {
            if from < done {
                continue;
            }
            let literal = member.as_bytes().get(done..from).unwrap_or_default();
            let is_number = number && leaf.parse::<u8>().is_ok_and(|it| it.to_string() == *leaf);
            let behind = if is_number { Behind::Number } else { Behind::Leaf };
            starts.push(text.len() as u32);
            text.extend_from_slice(literal);
            text.extend_from_slice(leaf.as_bytes());
            pieces.push(Piece { literal, behind });
            leaves.push(leaf.as_str());
            done = to;
        }
        let literal = member.as_bytes().get(done..).unwrap_or_default();
        if !literal.is_empty() {
            starts.push(text.len() as u32);
            text.extend_from_slice(literal);
            pieces.push(Piece { literal, behind: Behind::Nothing });
        }
        starts.push(text.len() as u32);
        let Ok(text) = String::from_utf8(text) else {
            return Ok(());
        };
        if let Some(outline) = Outline::of(&pieces) {
            let mut located = Located::of(&text, &starts);
            let is_clean = |leaf: &&str| event::clean_bytes(leaf.as_bytes()) == leaf.len();
            let is_clean = leaves.iter().all(is_clean);
            if is_clean && located.add(&outline, 0).is_some() {
                let found = Parts::Located(&located).content();
                prop_assert_eq!(Some(format!("{found:?}")), parsed(outline.field(), &text), "{}", text);
            }
        }
    }
}

/// What parsing the member gives, shown. Of the first member the parser knows the brace that takes
/// the comma's place.
fn parsed(field: usize, member: &str) -> Option<String> {
    let member = match field {
        TYPE => member.replacen(',', "{", 1),
        _ => member.to_owned(),
    };
    let mut content = Content::default();
    Scan::new(&member).lone_field(field, &mut content)?;
    Some(format!("{content:?}"))
}

#[test]
fn members_without_leaves_are_outlined_and_told() {
    let mut outlined = 0;
    for member in members() {
        let piece = Piece {
            literal: member.as_bytes(),
            behind: Behind::Nothing,
        };
        let outline = Outline::of(&[piece]);
        let outline = outline.expect("a field");
        outlined += usize::from(!matches!(outline.held, Held::Parsed));
        let starts = [0, member.len() as u32];
        let mut located = Located::of(&member, &starts);
        assert_eq!(located.add(&outline, 0), Some(()), "{member}");
        let found = Parts::Located(&located).content();
        let wanted = parsed(outline.field, &member);
        assert_eq!(Some(format!("{found:?}")), wanted, "{member}");
    }
    assert!(outlined > 50, "{outlined}");
}

/// Where a number, `true` or `false` stood when the outline was made, nothing else is taken for one:
/// what is told otherwise is parsed.
#[test]
fn p4_a_bare_leaf_is_a_whole_number_or_a_truth_value() {
    let pieces = [
        (&b",\"data\":{\"n\":"[..], Behind::Leaf),
        (&b",\"m\":\"a\"}"[..], Behind::Nothing),
    ];
    let pieces = pieces.map(|(literal, behind)| Piece { literal, behind });
    let outline = Outline::of(&pieces).expect("a field");
    for (leaf, is_told) in [
        ("5", true),
        ("-1.5", true),
        ("true", true),
        ("false", true),
        ("", false),
        ("tru", false),
        ("truest", false),
        ("5,6", false),
        ("5}", false),
        ("05", false),
        ("-", false),
        ("x", false),
        ("1 2", false),
        ("\"5\"", false),
    ] {
        let mut text = String::new();
        let mut starts = vec![0];
        for (piece, leaf) in pieces.iter().zip([leaf, ""]) {
            text.push_str(str::from_utf8(piece.literal).expect("a text"));
            text.push_str(leaf);
            starts.push(text.len() as u32);
        }
        let mut located = Located::of(&text, &starts);
        let told = located.add(&outline, 0).is_some();
        assert_eq!(told, is_told, "{text}");
    }
}
