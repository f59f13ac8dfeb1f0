//! The steps a mapping may put between a source's text and an event's field: spelling, cutting,
//! tables, and finding a value inside a longer text. Each is pure; a step that finds nothing gives
//! nothing, and the next alternative of the mapping has its turn.

use std::borrow::Cow;
use std::collections::HashMap;

/// One step from text to text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// ASCII and other letters in lower case.
    Lower,
    /// Blanks at both ends go.
    Trim,
    /// A part of a type: lower case, anything but letters, digits, `_` and `-` becomes one `-`.
    Slug,
    /// A part of a type from `CamelCase`: `ListMFADevices` becomes `list-mfa-devices`.
    Kebab,
    /// Several parts of a type: dots stay, each part becomes a slug as by `Kebab`.
    Dotted,
    /// The text without this head, if it has it.
    CutPrefix(String),
    /// The text without this tail, if it has it.
    CutSuffix(String),
    /// What follows the first place of this text, or nothing.
    After(String),
    /// What precedes the first place of this text, or all of it.
    Before(String),
    /// What follows the last place of this text, or all of it.
    Last(String),
    /// The value of `key=` as logs write it: in quotes, or up to a blank, comma or bracket.
    Pair(String),
    /// The rest of the first line that begins with `key=`.
    Line(String),
    /// The rest of the first line that, behind blanks, begins with `label:`.
    Label(String),
    /// Text written as hexadecimal digits, as `auditd` does with what it does not trust.
    Hex,
    /// Another text for each of these, and perhaps one for all others.
    Table(HashMap<String, String>, Option<String>),
    /// The first of these masks that has a bit in common with the number the text spells.
    Bits(Vec<(u64, String)>),
    /// Nothing if the text is one of these.
    Not(Vec<String>),
}

impl Step {
    pub(super) fn apply<'t>(&self, text: Cow<'t, str>) -> Option<Cow<'t, str>> {
        Some(match self {
            Step::Lower if text.chars().any(char::is_uppercase) => Cow::Owned(text.to_lowercase()),
            Step::Lower => text,
            Step::Trim => part(text, |text| Some(text.trim()))?,
            Step::Slug => slug(text),
            Step::Kebab => slug(Cow::Owned(split_camel(&text))),
            Step::Dotted => Cow::Owned(dotted(&split_camel(&text))),
            Step::CutPrefix(head) => part(text, |text| {
                Some(text.strip_prefix(head.as_str()).unwrap_or(text))
            })?,
            Step::CutSuffix(tail) => part(text, |text| {
                Some(text.strip_suffix(tail.as_str()).unwrap_or(text))
            })?,
            Step::After(mark) => part(text, |text| Some(text.split_once(mark.as_str())?.1))?,
            Step::Before(mark) => part(text, |text| text.split(mark.as_str()).next())?,
            Step::Last(mark) => part(text, |text| text.rsplit(mark.as_str()).next())?,
            Step::Pair(key) => part(text, |text| pair(text, key))?,
            Step::Line(key) => part(text, |text| line(text, key))?,
            Step::Label(label) => part(text, |text| labelled(text, label))?,
            Step::Hex => unhex(&text).map_or(text, Cow::Owned),
            Step::Table(table, other) => {
                let found = table.get(text.as_ref()).or(other.as_ref());
                Cow::Owned(found?.clone())
            }
            Step::Bits(masks) => {
                let number = number(&text)?;
                let (_, word) = masks.iter().find(|(mask, _)| number & mask != 0)?;
                Cow::Owned(word.clone())
            }
            Step::Not(texts) if texts.iter().any(|unwanted| *unwanted == text) => return None,
            Step::Not(_) => text,
        })
    }
}

/// A part of `text`, borrowed where `text` is.
fn part<'t>(text: Cow<'t, str>, cut: impl Fn(&str) -> Option<&str>) -> Option<Cow<'t, str>> {
    match text {
        Cow::Borrowed(text) => cut(text).map(Cow::Borrowed),
        Cow::Owned(text) => cut(&text).map(|found| Cow::Owned(found.to_owned())),
    }
}

const fn plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
}

/// One part of a dotted slug; text without a letter or digit gives the empty text.
pub(super) fn slug(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.is_empty() && text.bytes().all(plain) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let low = character.to_ascii_lowercase();
        if u8::try_from(low).is_ok_and(plain) {
            out.push(low);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    Cow::Owned(out)
}

/// Slugs joined by dots; empty parts are left out.
pub(super) fn dotted(text: &str) -> String {
    let parts = text.split('.').map(|part| slug(Cow::Borrowed(part)));
    let kept: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    kept.join(".")
}

/// Puts `-` where a word begins inside `CamelCase`.
pub(super) fn split_camel(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before: Option<char> = None;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let next_is_low = rest.peek().is_some_and(char::is_ascii_lowercase);
        let begins = character.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && next_is_low)
            });
        if begins {
            out.push('-');
        }
        out.push(character);
        before = Some(character);
    }
    out
}

/// The value of the first `key=` that stands at the beginning of a word.
fn pair<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find(key)?;
        let end = at + key.len();
        let begins =
            text.get(..at)?.chars().next_back().is_none_or(|before| {
                !(before.is_alphanumeric() || matches!(before, '_' | '-' | '.'))
            });
        if begins && text.as_bytes().get(end) == Some(&b'=') {
            return Some(pair_value(text.get(end + 1..)?));
        }
        from = end;
    }
}

fn pair_value(rest: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inside) = rest.strip_prefix(quote) {
            return inside.split(quote).next().unwrap_or_default();
        }
    }
    let end = |character: char| {
        character.is_whitespace() || matches!(character, ',' | ']' | '\'' | '\u{1d}')
    };
    let value = rest.split(end).next().unwrap_or_default();
    // A bracket around the whole list of pairs is no part of its last value.
    if value.contains('(') {
        value
    } else {
        value.trim_end_matches(')')
    }
}

fn line<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        .map(str::trim)
}

fn labelled<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    text.lines()
        .find_map(|line| {
            line.trim_start()
                .strip_prefix(label)?
                .trim_start()
                .strip_prefix(':')
        })
        .map(str::trim)
}

/// Bytes written as pairs of hexadecimal digits; NULs between arguments become blanks.
fn unhex(text: &str) -> Option<String> {
    let digits = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
    if text.len() < 4 || !text.len().is_multiple_of(2) || !digits {
        return None;
    }
    let nibble = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    let bytes: Option<Vec<u8>> = text
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(nibble(high)? << 4 | nibble(low)?),
            _ => None,
        })
        .collect();
    let text = String::from_utf8(bytes?).ok()?;
    let readable = text.trim_end_matches('\0').replace('\0', " ");
    // A number such as 1000 is no text in hexadecimal: what it would spell cannot be read.
    (!readable.chars().any(char::is_control)).then_some(readable)
}

/// A decimal number, signed or not, or `0x` and hexadecimal digits, as its 64 bits.
fn number(text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok();
    }
    text.parse::<u64>()
        .ok()
        .or_else(|| text.parse::<i64>().ok().map(i64::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(step: Step, cases: &[(&str, Option<&str>)]) {
        for (text, expected) in cases {
            let found = step.apply(Cow::Borrowed(text));
            assert_eq!(found.as_deref(), *expected, "{step:?} of {text:?}");
        }
    }

    #[test]
    fn words_become_parts_of_types() {
        check(
            Step::Kebab,
            &[
                ("GetObject", Some("get-object")),
                ("ListMFADevices", Some("list-mfa-devices")),
                ("DescribeDBInstances", Some("describe-db-instances")),
                (
                    "GetBucketPublicAccessBlock",
                    Some("get-bucket-public-access-block"),
                ),
                ("already-low", Some("already-low")),
                ("EC2Start", Some("ec2-start")),
            ],
        );
        check(
            Step::Slug,
            &[
                (
                    "Send for Credit Collection",
                    Some("send-for-credit-collection"),
                ),
                ("user_logged_in", Some("user_logged_in")),
                ("  A / B!  ", Some("a-b")),
                ("\u{65e5}\u{672c}", Some("")),
            ],
        );
        check(
            Step::Dotted,
            &[("Google.Iam.v1..Set X", Some("google.iam.v1.set-x"))],
        );
    }

    #[test]
    fn values_are_found_in_log_text() {
        let text = "type=USER_CMD msg=audit(1.2:3): pid=1 old-auid=5 auid=1000 msg='op=x acct=\"a b\" res=success'";
        for (key, value) in [
            ("type", Some("USER_CMD")),
            ("msg", Some("audit(1.2:3):")),
            ("auid", Some("1000")),
            ("acct", Some("a b")),
            ("res", Some("success")),
            ("op", Some("x")),
            ("none", None),
        ] {
            check(Step::Pair(key.to_owned()), &[(text, value)]);
        }
        check(
            Step::Line("Keywords".to_owned()),
            &[("a=1\nKeywords=Audit Success\n", Some("Audit Success"))],
        );
        check(
            Step::Label("Account Name".to_owned()),
            &[("Subject:\n\tAccount Name:\t\tuserA\n", Some("userA"))],
        );
    }

    #[test]
    fn bits_are_read_from_every_spelling() {
        let masks = vec![
            (0x10_0000_0000_0000, "failure".to_owned()),
            (0x20_0000_0000_0000, "success".to_owned()),
        ];
        check(
            Step::Bits(masks),
            &[
                ("-9214364837600034816", Some("success")),
                ("-9218868437227405312", Some("failure")),
                ("0x8020000000000000", Some("success")),
                ("0x8000000000000000", None),
                ("Audit Success", None),
            ],
        );
    }

    #[test]
    fn hexadecimal_text_is_read_and_other_text_stays() {
        check(
            Step::Hex,
            &[
                ("6C73002D6C00", Some("ls -l")),
                ("/bin/ls", Some("/bin/ls")),
                ("1000", Some("1000")),
                ("FF00", Some("FF00")),
            ],
        );
    }
}
