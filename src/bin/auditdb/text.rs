//! Stored text on its way to a terminal: nothing that moves the cursor, changes colours, turns
//! the reading direction or hides itself gets there as such.

use std::borrow::Cow;
use std::io;
use std::io::Write;

use auditdb::printable;

/// The text on one line, for cells and messages.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    printable(text, &[])
}

/// The text with its line ends.
pub(crate) fn several_lines(text: &str) -> Cow<'_, str> {
    printable(text, &['\n'])
}

/// A JSON text on several lines, byte for byte but for the blanks between its parts.
pub(crate) fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut before = ' ';
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    for character in json.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            out.push(character);
        } else {
            let closes = matches!(character, '}' | ']');
            if closes {
                depth = depth.saturating_sub(1);
            }
            let opened = matches!(before, '{' | '[');
            if before == ',' || opened != closes {
                line(&mut out, depth);
            }
            out.push(character);
            match character {
                '{' | '[' => depth += 1,
                ':' => out.push(' '),
                '"' => in_string = true,
                _ => {}
            }
        }
        // A bracket inside a string is no bracket to what follows the string.
        before = if in_string { '"' } else { character };
    }
    out
}

/// Escapes what passes to a terminal. In JSON dangerous characters stand in strings only, where
/// the escapes written here mean the same characters, so it stays the same JSON.
pub(crate) struct Escaping<W> {
    out: W,
    /// The first bytes of a character whose rest is still to come.
    begun: Vec<u8>,
}

impl<W: Write> Escaping<W> {
    pub(crate) fn new(out: W) -> Escaping<W> {
        Escaping {
            out,
            begun: Vec::new(),
        }
    }
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut gathered = std::mem::take(&mut self.begun);
        gathered.extend_from_slice(bytes);
        let mut chunks = gathered.utf8_chunks().peekable();
        let mut shown = String::with_capacity(bytes.len());
        while let Some(chunk) = chunks.next() {
            let lines = chunk.valid().replace("\r\n", "\n");
            shown.push_str(&printable(&lines, &['\n', '\t']));
            if chunks.peek().is_none() && is_beginning(chunk.invalid()) {
                self.begun = chunk.invalid().to_vec();
            } else if !chunk.invalid().is_empty() {
                shown.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.out.write_all(shown.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether bytes that end a text are only the first part of a character.
fn is_beginning(bytes: &[u8]) -> bool {
    let incomplete = |error: core::str::Utf8Error| error.error_len().is_none();
    core::str::from_utf8(bytes).is_err_and(incomplete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_dangerous_gets_through() {
        for (text, shown) in [
            ("plain ü 漢 🙂", "plain ü 漢 🙂"),
            ("\u{1b}[31mred\u{7f}\u{9b}", "\\u001b[31mred\\u007f\\u009b"),
            (
                "a\u{202e}b\u{2066}\u{200b}\u{2028}",
                "a\\u202eb\\u2066\\u200b\\u2028",
            ),
            ("a\nb\tc\r\0", "a\\nb\\tc\\r\\u0000"),
            ("\u{e0041}", "\\udb40\\udc41"),
        ] {
            assert_eq!(one_line(text), shown);
        }
        assert_eq!(several_lines("a\nb\r"), "a\nb\\r");
    }

    #[test]
    fn json_is_broken_into_lines_and_nothing_else() {
        assert_eq!(
            indented(r#"{"a":[1.50,{}],"b":"{,\"[","c":[]}"#),
            "{\n  \"a\": [\n    1.50,\n    {}\n  ],\n  \"b\": \"{,\\\"[\",\n  \"c\": []\n}"
        );
        assert_eq!(indented("\"a\""), "\"a\"");
    }

    #[test]
    fn characters_may_come_in_pieces() {
        let mut out = Escaping::new(Vec::new());
        for byte in "ü\u{1b}漢\u{202e}\n".bytes() {
            assert_eq!(out.write(&[byte]).ok(), Some(1));
        }
        assert_eq!(out.out, "ü\\u001b漢\\u202e\n".as_bytes());
        assert_eq!(out.write(b"a\xff\xfe").ok(), Some(3));
        assert!(out.out.ends_with("a\u{fffd}\u{fffd}".as_bytes()));
    }
}
