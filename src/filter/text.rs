//! Words looked for in the texts that people wrote: no index knows them, so an event is read for it.
//! A word is found wherever it stands, upper and lower case alike, in the labels of people and
//! things, the reason, the values of metadata, and the paths and values of changes and of data.

use std::borrow::Cow;

use crate::event::Event;
use crate::event::Json;

/// Why the empty text is no word.
pub(crate) const EMPTY: &str = "read as the empty text, which stands in every text";

/// A text in the form in which it is compared: in lower case, letter by letter.
pub(crate) fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Whether a text of `event` holds `word`, which is folded.
pub(crate) fn holds(event: &Event, word: &str) -> bool {
    any(event, &mut |text| folded(text).contains(word))
}

/// Whether an event may hold `word`, which is folded, by its content as it is stored: quick, and
/// never wrong when it says no. Escapes and letters beyond ASCII may stand for others, so content
/// that has them is not judged.
pub(crate) fn may_hold(content: &[u8], word: &str) -> bool {
    if word.is_empty() || !content.is_ascii() || content.contains(&b'\\') {
        return true;
    }
    let mut windows = content.windows(word.len());
    windows.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

fn any(event: &Event, found: &mut dyn FnMut(&str) -> bool) -> bool {
    let labels = [
        event.performer.value().map(|who| &who.label),
        event.on_behalf_of.value().map(|who| &who.label),
        event.subject.value().map(|what| &what.label),
    ];
    let further = event.targets.as_deref().unwrap_or_default();
    let labels = labels.into_iter().flatten();
    let mut labels = labels.chain(further.iter().map(|target| &target.label));
    let metadata = event
        .metadata
        .value()
        .into_iter()
        .flat_map(|pairs| pairs.iter());
    let changes = event.changes.as_deref().unwrap_or_default();
    labels.any(|label| label.as_deref().is_some_and(&mut *found))
        || event.reason.as_deref().is_some_and(&mut *found)
        || metadata.into_iter().any(|(_, value)| found(value))
        || changes.iter().any(|change| {
            found(&change.path)
                || in_json(change.before.value(), found)
                || in_json(change.after.value(), found)
        })
        || in_json(event.data.value(), found)
}

/// Whether `found` takes a value in `json`: a text without its escapes, or a number or word as it is
/// written. Names of members are no values.
fn in_json(json: Option<&Json>, found: &mut dyn FnMut(&str) -> bool) -> bool {
    let mut rest = json.map_or("", Json::as_str);
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '"' => 1 + string_len(rest.get(1..).unwrap_or_default()),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => rest
                .find(['{', '}', '[', ']', ',', ':', '"'])
                .unwrap_or(rest.len()),
        };
        let Some((token, behind)) = rest.split_at_checked(len) else {
            return false;
        };
        let is_value = match first {
            '"' => !behind.starts_with(':'),
            '{' | '}' | '[' | ']' | ',' | ':' => false,
            _ => true,
        };
        if is_value && found(&plain(token)) {
            return true;
        }
        rest = behind;
    }
    false
}

/// The bytes of a JSON string behind its first quotation mark, the last one included.
fn string_len(rest: &str) -> usize {
    let mut bytes = rest.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return at + 1,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    rest.len()
}

/// A JSON string without quotation marks and escapes, anything else as it is.
fn plain(token: &str) -> Cow<'_, str> {
    let inner = token
        .strip_prefix('"')
        .and_then(|token| token.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        Some(inner) => Cow::Owned(serde_json::from_str(token).unwrap_or_else(|_| inner.to_owned())),
        None => Cow::Borrowed(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::canonical;
    use crate::event::Field;

    fn event() -> Event {
        let line = r#"{"type":"user.updated","performer":{"kind":"admin","id":"a1","label":"Ada Lovelace"},"subject":{"kind":"user","id":"u1","label":"ΟΔΥΣΣΕΥΣ"},"targets":[{"kind":"group","label":"東京オフィス"}],"reason":"Left the company","metadata":{"ticket":"INC-4711"},"changes":[{"path":"e-mail","before":"a@example.org","after":"caf\u00e9@example.org"}],"data":{"amount":1250,"note":["say \"hi\"",{"deep":true}]}}"#;
        Event::from_native_line(line).unwrap_or_else(|error| panic!("{error}"))
    }

    fn with_reason(reason: &str) -> Event {
        Event {
            reason: Field::Value(reason.to_owned()),
            ..Event::new("a")
        }
    }

    #[test]
    fn a_word_is_found_in_every_text_that_people_wrote_and_nowhere_else() {
        let event = event();
        let content = canonical::content(&event);
        for word in [
            "ada",
            "LOVELACE",
            "da lo",
            "οδυσσ",
            "東京",
            "left",
            "inc-47",
            "e-mail",
            "a@EXAMPLE",
            "café@",
            "1250",
            "say \"hi\"",
            "true",
        ] {
            assert!(holds(&event, &folded(word)), "{word}");
            assert!(may_hold(content.as_bytes(), &folded(word)), "{word}");
        }
        for word in [
            "a1",
            "user.updated",
            "admin",
            "ticket",
            "amount",
            "deep",
            "company left",
        ] {
            assert!(!holds(&event, &folded(word)), "{word}");
        }
    }

    #[test]
    fn plain_content_tells_at_once_what_it_cannot_hold() {
        let event = with_reason("Left the company");
        let content = canonical::content(&event);
        assert!(may_hold(
            content.as_bytes(),
            "COMPANY".to_lowercase().as_str()
        ));
        assert!(!may_hold(content.as_bytes(), "compact"));
        // The sign for kelvin is a k when it is folded.
        let event = with_reason("300 \u{212a}");
        assert!(holds(&event, "300 k") && may_hold(canonical::content(&event).as_bytes(), "300 k"));
    }
}
