//! The 32 bits that stand for a term. A segment stores an entity by kind and id under its role; a
//! run tells of its id by itself as well, so that every question is a few prints: of a target those
//! of the subject and of further targets.

use crate::filter::term;
use crate::filter::term::Role;
use crate::planted::Bug;
use crate::planted::instead;

const ROLES: [Role; 4] = [
    term::SUBJECT,
    term::TARGET,
    term::PERFORMER,
    term::ON_BEHALF_OF,
];

/// Hands on the prints that a stored term is told by.
pub(crate) fn told(stored: &[u8], mut print: impl FnMut(u32)) {
    print(of(stored));
    let Some(([code, term::VALUE], rest)) = stored.split_first_chunk() else {
        return;
    };
    let role = ROLES.iter().find(|role| role.pair == *code);
    // No kind holds a zero byte.
    let end_of_kind = rest.iter().position(|byte| *byte == 0);
    let role = instead(Bug::PresenceFalseNegative, role, |_| None);
    if let (Some(role), Some(end)) = (role, end_of_kind) {
        let id = rest.get(end + 1..).unwrap_or_default();
        print(of(&[&[role.id, term::VALUE], id].concat()));
    }
}

/// Hands on the prints of which a segment that has `term` was told at least one.
pub(crate) fn asked(term: &[u8], mut print: impl FnMut(u32)) {
    print(of(term));
    let (target, subject) = (term::TARGET, term::SUBJECT);
    let Some((code, rest)) = term.split_first() else {
        return;
    };
    let of_subject = [
        (target.kind, subject.kind),
        (target.pair, subject.pair),
        (target.id, subject.id),
    ];
    if let Some((_, subject)) = of_subject.iter().find(|(target, _)| target == code) {
        print(of(&[&[*subject], rest].concat()));
    }
}

/// The print of these very bytes: eight of them at a time, the last ones filled up with zeros, each
/// mixed into what came before; the highest 32 bits of the result.
pub(super) fn of(bytes: &[u8]) -> u32 {
    let mut state = bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = mixed(state ^ u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let fold = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
        state = mixed(state ^ rest.iter().rev().fold(0, fold));
    }
    (state >> 32) as u32
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
const fn mixed(mut state: u64) -> u64 {
    state ^= state >> 30;
    state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state ^= state >> 27;
    state = state.wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ state >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::codec::canonical;
    use crate::codec::content::Content;
    use crate::event::Event;
    use crate::filter::indexed;

    /// Whatever can be asked of an event was told of what a segment stores of it.
    #[test]
    fn every_term_of_an_event_is_found_by_its_prints() {
        let long = "x".repeat(300);
        for line in [
            r#"{"type":"a.b","sub_type":"c","org":null,"outcome":"denied","source":"s"}"#,
            r#"{"type":"a.b","subject":{"kind":"user","id":"u7"},"performer":{"kind":"user"}}"#,
            r#"{"type":"a.b","subject":{"kind":"user"},"targets":[{"kind":"user","id":"u7"}]}"#,
            r#"{"type":"a.b","subject":null,"performer":null,"on_behalf_of":null}"#,
            r#"{"type":"a.b","targets":null,"on_behalf_of":{"kind":"user","id":"u8"}}"#,
            r#"{"type":"a.b","targets":[{"kind":"role"},{"kind":"role","id":""},{"kind":"a","id":"1"}]}"#,
            r#"{"type":"a.b","metadata":{"k":"","key of more than eight":"v"},"context":{"ip":"::1"}}"#,
            &format!(
                r#"{{"type":"a.b","subject":{{"kind":"k","id":"{long}"}},"source":"{long}"}}"#
            ),
        ] {
            let Ok(event) = Event::from_native_line(line) else {
                panic!("no event: {line}");
            };
            let text = canonical::content(&event);
            let Some(content) = Content::parse(&text) else {
                panic!("no content: {text}");
            };
            let mut prints = BTreeSet::new();
            indexed::stored(&content, |term| {
                told(term, |print| prints.extend([print]));
            });
            term::terms(&event, |term| {
                let mut found = false;
                asked(term, |print| found |= prints.contains(&print));
                assert!(found, "{}", term.escape_ascii());
            });
        }
    }
}
