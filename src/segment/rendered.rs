//! Finds the values in texts that were rendered from fields: the lines of an event of Windows
//! (`Account Name:\t\tADFS01$`), the pairs of an audit record (`uid=0 exe=\"/bin/su\"`). What stands
//! around the values is the same from event to event, and the values often stand in other fields too.
//! Texts are the insides of JSON strings; a value never begins or ends within an escape.

use core::ops::Range;

use super::letters::TEXT_MAX;

/// Shorter texts are values themselves.
const TEXT_MIN: usize = 64;
/// Fewer values do not make a rendered text.
const VALUES_MIN: usize = 3;
/// Bytes of the name before a value.
const NAME_MAX: usize = 48;
/// A text that ends with a number is taken apart from this length on, numbers up to this one.
const NUMBERED_MIN: usize = 12;
const DIGITS_MAX: usize = 18;

/// Appends where the values of `text` stand; `false`, and nothing of use, if it was not rendered.
pub(super) fn values(text: &[u8], found: &mut Vec<Range<usize>>) -> bool {
    if text.len() < TEXT_MIN {
        return false;
    }
    let mut lines = 0;
    let mut at = 0;
    while at < text.len() {
        let end = line_end(text, at);
        let whole = at == 0 && end == text.len();
        line(text, at..end, whole, found);
        lines += 1;
        at = end + 2;
    }
    found.len() >= VALUES_MIN && (lines > 1 || found.len() < text.len() / 8)
}

/// Where the number begins that ends a `text` such as `dc1/Security/4711`, behind a slash.
pub(super) fn number(text: &[u8]) -> Option<usize> {
    // Nearly all texts end otherwise.
    if !text.last().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let start = text.len() - digits.count();
    let plain = match text.get(start..)? {
        [b'0', _, ..] => false,
        digits => (1..=DIGITS_MAX).contains(&digits.len()),
    };
    let behind = text.get(..start)?.ends_with(b"/");
    (plain && behind && text.len() >= NUMBERED_MIN && text.len() < TEXT_MAX).then_some(start)
}

/// What leads to a value, of all that stands between it and the value before.
pub(super) fn lead(between: &[u8]) -> &[u8] {
    let start = (0..between.len())
        .rev()
        .find(|at| is_break(between, *at))
        .map_or(0, |at| at + 2);
    let lead = between.get(start..).unwrap_or_default();
    lead.get(lead.len().saturating_sub(NAME_MAX)..)
        .unwrap_or_default()
}

/// Where the line ends that begins at `at`: at an escaped line end, or with the text.
fn line_end(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        if is_break(text, at) {
            return at;
        }
        at += step(text, at);
    }
    text.len()
}

fn is_break(text: &[u8], at: usize) -> bool {
    matches!(text.get(at..at + 2), Some(b"\\n" | b"\\r"))
}

/// The length of the character, or of the escape, at `at`.
fn step(text: &[u8], at: usize) -> usize {
    if text.get(at) == Some(&b'\\') { 2 } else { 1 }
}

/// Finds the values of one line; `whole` if there is no other.
fn line(text: &[u8], range: Range<usize>, whole: bool, found: &mut Vec<Range<usize>>) {
    let bytes = text.get(..range.end).unwrap_or_default();
    if !whole && let Some(start) = after_colon(bytes, range.start) {
        if start < range.end {
            found.push(start..range.end);
        }
        return;
    }
    let before = found.len();
    let mut name = range.start;
    let mut at = range.start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'=' if at > name && at - name <= NAME_MAX => {
                let value = pair_value(bytes, at + 1);
                at = value.end;
                name = at;
                if !value.is_empty() {
                    found.push(value);
                }
                continue;
            }
            byte if is_word(*byte) => at += 1,
            _ => {
                at += step(bytes, at);
                name = at;
            }
        }
    }
    let odd = |byte: &u8| byte.is_ascii_digit() || *byte == b'\\';
    let rest = bytes.get(range.start..).unwrap_or_default();
    if !whole && found.len() == before && rest.iter().any(odd) {
        found.push(range);
    }
}

/// Where the value begins behind `name:` and white space in the line that begins at `start`.
fn after_colon(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while at < bytes.len() && at - start <= NAME_MAX {
        if bytes.get(at) == Some(&b':') {
            let mut value = at + 1;
            loop {
                match bytes.get(value..) {
                    Some([b' ', ..]) => value += 1,
                    Some([b'\\', b't', ..]) => value += 2,
                    _ => break,
                }
            }
            return (value > at + 1 || value == bytes.len()).then_some(value);
        }
        at += step(bytes, at);
    }
    None
}

/// The value behind an equals sign: what stands in quotation marks, or up to a separator or the next
/// name.
fn pair_value(bytes: &[u8], start: usize) -> Range<usize> {
    let quoted = matches!(bytes.get(start..start + 2), Some(b"\\\""));
    let start = if quoted { start + 2 } else { start };
    let mut end = start;
    while let Some(byte) = bytes.get(end) {
        let ends = match (byte, quoted) {
            (b'\\', true) => bytes.get(end + 1) == Some(&b'"'),
            (b',' | b';' | b')' | b']' | b'&' | b'\\', false) => true,
            (b' ', false) => is_name(bytes.get(end + 1..).unwrap_or_default()),
            _ => false,
        };
        if ends {
            break;
        }
        end += step(bytes, end);
    }
    start..end.min(bytes.len())
}

/// Whether these bytes begin with a name and an equals sign, or with no word at all.
fn is_name(bytes: &[u8]) -> bool {
    let word = bytes.iter().take(NAME_MAX + 1);
    let len = word.take_while(|byte| is_word(**byte)).count();
    len == 0 || bytes.get(len) == Some(&b'=')
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        match values(text.as_bytes(), &mut found) {
            true => found
                .into_iter()
                .map(|range| text.get(range).unwrap_or("cut within a letter"))
                .collect(),
            false => Vec::new(),
        }
    }

    #[test]
    fn lines_give_what_stands_behind_their_names() {
        let text = r"A handle was asked for.\r\n\r\nSubject:\r\n\tSecurity ID:\t\tS-1-5-18\r\n\tAccount:\t\t-\r\n\tEmpty:\t\t\r\n\\\\?\\C:\\file\r\nEnd.";
        assert_eq!(of(text), ["S-1-5-18", "-", r"\\\\?\\C:\\file"]);
    }

    #[test]
    fn pairs_give_what_stands_behind_their_signs() {
        let text = r#"Audit:[timestamp=10-06-2022 18:11:09.813, user=n/a, action=add,path=\"/opt/a \\\\b\", hash=]"#;
        let wanted = ["10-06-2022 18:11:09.813", "n/a", "add", r"/opt/a \\\\b"];
        assert_eq!(of(text), wanted);
    }

    #[test]
    fn prose_and_short_texts_are_values_themselves() {
        assert_eq!(of("a=1 b=2 c=3"), [""; 0]);
        assert_eq!(
            of(&"Mozilla/5.0 (X11; Linux x86_64) like: Gecko ".repeat(4)),
            [""; 0]
        );
    }

    #[test]
    fn a_number_behind_the_last_slash_is_a_value() {
        assert_eq!(number(b"dc1.lan/Security/4711"), Some(17));
        for text in [
            "a/4711",
            "dc1.lan/Security/0711",
            "10.11.12.13.14",
            "dc1.lan/Security/",
        ] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_same_lead_is_found_from_template_to_template() {
        assert_eq!(
            lead(br"\r\n\r\nSubject:\r\n\tLogon ID:\t\t"),
            br"\tLogon ID:\t\t"
        );
        assert_eq!(lead(b", user="), b", user=");
        assert_eq!(lead(b""), b"");
    }

    proptest::proptest! {
        /// Values stand in order, none within an escape, whatever the text is.
        #[test]
        fn values_of_any_text_stand_in_order(text in r#"([a=:, ]|\\n|\\r|\\t|\\"|\\\\|é){0,80}"#) {
            let mut found = Vec::new();
            values(text.as_bytes(), &mut found);
            let mut last = 0;
            for range in found {
                proptest::prop_assert!(last <= range.start && range.start < range.end);
                proptest::prop_assert!(text.get(range.clone()).is_some());
                let escapes = |at: usize| {
                    let before = text.get(..at).unwrap_or("");
                    before.len() - before.trim_end_matches('\\').len()
                };
                proptest::prop_assert!(escapes(range.start) % 2 == 0 && escapes(range.end) % 2 == 0);
                last = range.end;
            }
        }
    }
}
