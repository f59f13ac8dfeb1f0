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
