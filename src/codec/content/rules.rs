//! A quick look that nearly every content passes: it lets through only what the event's own rules let
//! through, without an event. What it stops is for those rules to judge, and to name.

use super::Content;
use super::Text;
use crate::event::Field;
use crate::limits;

impl Content<'_> {
    /// Whether the event of this content, which is `len` bytes long, surely keeps all rules.
    pub(crate) fn is_surely_valid(&self, len: usize) -> bool {
        // Of so short a content no text is too long.
        len <= limits::TEXT_BYTES
            && is_slug(self.event_type)
            && !matches!(self.offset, Field::Value(minutes) if minutes.abs() > limits::OFFSET_MINUTES)
            && [self.performer, self.on_behalf_of, self.subject]
                .iter()
                .all(|who| who.value().is_none_or(|who| is_word(who.kind)))
            && self.targets.value().is_none_or(|targets| {
                targets.iter().take(limits::TARGETS + 1).count() <= limits::TARGETS
                    && targets.iter().all(|target| is_word(target.kind))
            })
            && self.changes.value().is_none_or(|changes| {
                changes.iter().take(limits::CHANGES + 1).count() <= limits::CHANGES
            })
            && self
                .metadata
                .value()
                .is_none_or(|pairs| pairs.iter().all(|(key, _)| is_word(key)))
            && self
                .context
                .value()
                .is_none_or(|context| context.further.iter().all(|(key, _)| is_word(key)))
    }
}

/// A kind or a key in letters that are surely no control characters.
fn is_word(word: Text<'_>) -> bool {
    let word = word.plain().unwrap_or_default();
    !word.is_empty()
        && word.len() <= limits::WORD_BYTES
        && word.bytes().all(|byte| byte.is_ascii() && byte != 0x7f)
}

fn is_slug(slug: Text<'_>) -> bool {
    let slug = slug.raw();
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    slug.len() <= limits::WORD_BYTES
        && slug.bytes().all(is_letter)
        && slug.split('.').all(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_surely_valid(text: &str) -> bool {
        let content = Content::parse(text);
        content.is_some_and(|content| content.is_surely_valid(text.len()))
    }

    fn list(count: usize, entry: &str) -> String {
        vec![entry; count].join(",")
    }

    /// Each at its limit, and one step beyond it.
    #[test]
    fn p3_a_quick_look_passes_what_keeps_the_rules_and_nothing_else() {
        let typed = |slug: &str| format!(r#"{{"type":"{slug}"}}"#);
        let by = |kind: &str| format!(r#"{{"type":"a","performer":{{"kind":"{kind}"}}}}"#);
        let at = |count| {
            let list = list(count, r#"{"kind":"file"}"#);
            format!(r#"{{"type":"a","targets":[{list}]}}"#)
        };
        let data = |bytes: usize| format!(r#"{{"type":"a","data":"{}"}}"#, "x".repeat(bytes));
        let room = limits::TEXT_BYTES - data(0).len();
        let long = "w".repeat(limits::WORD_BYTES);
        let longer = format!("{long}w");
        for valid in [
            typed("user.created"),
            typed(&long),
            by("user"),
            by(&long),
            at(limits::TARGETS),
            data(room),
            r#"{"type":"a","metadata":{"k":"v"}}"#.to_owned(),
        ] {
            assert!(
                is_surely_valid(&valid),
                "{} bytes: {valid:.80}",
                valid.len()
            );
        }
        for doubtful in [
            typed(""),
            typed("a..b"),
            typed("a b"),
            typed(&longer),
            by(""),
            by(&longer),
            by("\u{7f}"),
            by("\u{e9}"),
            at(limits::TARGETS + 1),
            data(room + 1),
            r#"{"type":"a","metadata":{"":"v"}}"#.to_owned(),
        ] {
            let len = doubtful.len();
            assert!(!is_surely_valid(&doubtful), "{len} bytes: {doubtful:.80}");
        }
    }

    /// More changes than a content of its length could have: they are counted all the same.
    #[test]
    fn p3_changes_are_counted_up_to_their_limit() {
        for (count, is_valid) in [(limits::CHANGES, true), (limits::CHANGES + 1, false)] {
            let list = list(count, r#"{"path":"p","before":1,"after":2}"#);
            let text = format!(r#"{{"type":"a","changes":[{list}]}}"#);
            let content = Content::parse(&text);
            let found = content.map(|content| content.is_surely_valid(limits::TEXT_BYTES));
            assert_eq!(found, Some(is_valid), "{count} changes");
        }
    }
}
