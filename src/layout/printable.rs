//! Stored text on its way to people's eyes: nothing that moves a cursor, changes colours, turns the
//! reading direction or hides itself gets there as such.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character does something to a terminal or to a reader's eyes but show itself.
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

fn escape(character: char, out: &mut String) {
    match character {
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a text does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

/// The text with what acts on a terminal or on a reader's eyes written out as it stands between the
/// quotation marks of JSON, but for the characters in `kept`.
///
/// ```
/// assert_eq!(auditdb::printable("plain", &[]), "plain");
/// assert_eq!(auditdb::printable("a\u{202e}b\n", &[]), "a\\u202eb\\n");
/// ```
#[must_use]
pub fn printable<'t>(text: &'t str, kept: &[char]) -> Cow<'t, str> {
    let acts = |character: char| is_dangerous(character) && !kept.contains(&character);
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match acts(character) {
            true => escape(character, &mut out),
            false => out.push(character),
        }
    }
    Cow::Owned(out)
}
