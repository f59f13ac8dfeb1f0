//! A JSON value kept as the application wrote it: number spelling, key order and escapes stay, only
//! whitespace outside strings goes. Grammar: RFC 8259; lone surrogates and nesting past the bound
//! are refused, because they could not be given back to every reader.

use core::fmt;
use std::borrow::Cow;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde_json::value::RawValue;

use super::Field;
use crate::error::Error;
use crate::limits;

/// One JSON value, byte for byte as it was given, without whitespace outside strings.
///
/// ```
/// let json = auditdb::Json::parse(r#"{ "price": 1.50, "big": 9223372036854775808 }"#)?;
/// assert_eq!(json.as_str(), r#"{"price":1.50,"big":9223372036854775808}"#);
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Box<str>);

impl Json {
    /// Reads one JSON value.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] says at which byte the text stops being JSON.
    pub fn parse(text: &str) -> Result<Json, Error> {
        Json::of_field("json", text)
    }

    /// Reads the JSON value of `field`, which a refusal names first.
    pub(super) fn of_field(field: &str, text: &str) -> Result<Json, Error> {
        let text = compact(text).map_err(|rule| Error::invalid(field, rule))?;
        Ok(Json(text.into()))
    }

    /// Takes a value that is known to be one, without white space outside strings.
    pub(crate) fn of_compact(text: &str) -> Json {
        Json(text.into())
    }

    /// A JSON string that holds `text`.
    #[must_use]
    pub fn string(text: &str) -> Json {
        Json(serde_json::Value::from(text).to_string().into())
    }

    /// The field that holds this value. JSON's null is the field's own null, so that an event
    /// equals itself read back.
    pub(super) fn into_field(self) -> Field<Json> {
        if &*self.0 == "null" {
            Field::Null
        } else {
            Field::Value(self)
        }
    }

    /// The value's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0)
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = compact(raw.get()).map_err(serde::de::Error::custom)?;
        Ok(Json(text.into()))
    }
}

/// Bytes of the JSON value at the head of `text`; `None` when there is none, or one with white
/// space outside strings.
pub(crate) fn compact_json_bytes(text: &str) -> Option<usize> {
    let mut scan = Scan::new(text);
    scan.value(0).ok()?;
    (scan.kept == 0).then_some(scan.at)
}

/// Bytes at the head of `bytes` that a JSON string holds as they are: everything but `"`, `\` and
/// the control characters. Eight at a time: strings are most of what is read.
pub(crate) fn clean_bytes(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHS: u64 = ONES << 7;
    // The high bit of each byte that is less than `most`; exact for the first such byte.
    let less = |word: u64, most: u64| word.wrapping_sub(ONES * most) & !word & HIGHS;
    let found = |word: u64| {
        let quote = less(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = less(word ^ (ONES * u64::from(b'\\')), 1);
        let found = quote | backslash | less(word, 0x20);
        (found != 0).then(|| (found.trailing_zeros() / 8) as usize)
    };
    let (words, tail) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        if let Some(place) = found(u64::from_le_bytes(*word)) {
            return 8 * number + place;
        }
    }
    if tail.is_empty() {
        return bytes.len();
    }
    // The last eight: some are looked at twice, and are clean.
    if let Some(word) = bytes.last_chunk::<8>() {
        let place = found(u64::from_le_bytes(*word));
        return place.map_or(bytes.len(), |place| bytes.len() - 8 + place);
    }
    let clean = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    tail.iter().take_while(|byte| clean(byte)).count()
}

/// Checks that `text` is one JSON value and takes the whitespace outside strings out.
fn compact(text: &str) -> Result<Cow<'_, str>, String> {
    let mut scan = Scan::new(text);
    scan.blank();
    scan.value(0)?;
    scan.blank();
    if scan.at < text.len() {
        return Err(scan.refuse("text after the value"));
    }
    Ok(scan.finish())
}

/// Walks the text once; `out` takes what stands before `kept` as soon as a blank is cut out.
struct Scan<'a> {
    text: &'a str,
    at: usize,
    kept: usize,
    out: String,
}

impl<'a> Scan<'a> {
    const fn new(text: &'a str) -> Scan<'a> {
        Scan {
            text,
            at: 0,
            kept: 0,
            out: String::new(),
        }
    }

    fn refuse(&self, what: &str) -> String {
        format!("{what} at byte {}", self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn blank(&mut self) {
        let start = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        if self.at > start {
            self.out
                .push_str(self.text.get(self.kept..start).unwrap_or_default());
            self.kept = self.at;
        }
    }

    fn finish(mut self) -> Cow<'a, str> {
        let rest = self.text.get(self.kept..).unwrap_or_default();
        if self.out.is_empty() {
            return Cow::Borrowed(rest);
        }
        self.out.push_str(rest);
        Cow::Owned(self.out)
    }

    fn value(&mut self, depth: usize) -> Result<(), String> {
        match self.peek() {
            Some(b'{' | b'[') if depth >= limits::JSON_DEPTH => {
                let rule = format!("more than {} levels of nesting", limits::JSON_DEPTH);
                Err(self.refuse(&rule))
            }
            Some(b'{') => self.items(b'}', |scan| {
                scan.string()?;
                scan.blank();
                if !scan.take(b':') {
                    return Err(scan.refuse("a colon is missing"));
                }
                scan.blank();
                scan.value(depth + 1)
            }),
            Some(b'[') => self.items(b']', |scan| scan.value(depth + 1)),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn items(
        &mut self,
        end: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.at += 1;
        self.blank();
        if self.take(end) {
            return Ok(());
        }
        loop {
            item(self)?;
            self.blank();
            if self.take(end) {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.refuse("a comma or a closing bracket is missing"));
            }
            self.blank();
        }
    }

    fn word(&mut self) -> Result<(), String> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = ["true", "false", "null"]
            .into_iter()
            .find(|word| rest.starts_with(word));
        self.at += word.ok_or_else(|| self.refuse("no JSON value"))?.len();
        Ok(())
    }

    fn digits(&mut self) -> Result<(), String> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.refuse("a digit is missing"))
        } else {
            Ok(())
        }
    }

    fn number(&mut self) -> Result<(), String> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), String> {
        if !self.take(b'"') {
            return Err(self.refuse("a string is missing"));
        }
        loop {
            self.at += clean_bytes(self.text.as_bytes().get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.refuse("a control character in a string")),
                None => return Err(self.refuse("an unended string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        self.at += 1;
        if !self.take(b'u') {
            let known = self
                .peek()
                .is_some_and(|byte| b"\"\\/bfnrt".contains(&byte));
            self.at += 1;
            return if known {
                Ok(())
            } else {
                Err(self.refuse("an unknown escape"))
            };
        }
        match self.hex()? {
            0xd800..=0xdbff => {
                let paired = self.take(b'\\') && self.take(b'u');
                if paired && matches!(self.hex()?, 0xdc00..=0xdfff) {
                    Ok(())
                } else {
                    Err(self.refuse("a lone surrogate"))
                }
            }
            0xdc00..=0xdfff => Err(self.refuse("a lone surrogate")),
            _ => Ok(()),
        }
    }

    fn hex(&mut self) -> Result<u32, String> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.refuse("four hexadecimal digits are missing"));
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.refuse("no hexadecimal number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn clean_is_what_no_byte_of_is_escaped(
            bytes in proptest::collection::vec(
                proptest::prop_oneof![12 => 0x20_u8..=0xff, 1 => 0_u8..0x24, 1 => 0x5b_u8..0x5e],
                0..40,
            ),
        ) {
            let dirty = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
            let wanted = bytes.iter().position(dirty).unwrap_or(bytes.len());
            proptest::prop_assert_eq!(clean_bytes(&bytes), wanted);
        }
    }

    #[test]
    fn bytes_stay_and_blanks_outside_strings_go() {
        for (text, kept) in [
            (" null ", "null"),
            ("{ \"a\" : [ 1.50 , -0E+2 ] }", "{\"a\":[1.50,-0E+2]}"),
            ("\" a\\u00e9\\/ \"", "\" a\\u00e9\\/ \""),
            ("{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}"),
            ("\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\""),
        ] {
            assert_eq!(
                Json::parse(text)
                    .map(|json| json.as_str().to_owned())
                    .ok()
                    .as_deref(),
                Some(kept)
            );
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
        for text in [
            "",
            " ",
            "nul",
            "01",
            "1.",
            "+1",
            "\"",
            "\"\\x\"",
            "\"\u{1}\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "[1,]",
            "{\"a\"}",
            "{a:1}",
            "1 2",
            "NaN",
            "\"\\u12\u{e9}4\"",
            deep.as_str(),
        ] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
        assert!(Json::parse(&format!("{}{}", "[".repeat(128), "]".repeat(128))).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn serde_json_takes_what_is_taken_here(text in "[\\[\\]{}\",:0-9eE.+\\- \\\\utrnalsf]{0,24}") {
            if let Ok(json) = Json::parse(&text) {
                let ours: serde_json::Value = serde_json::from_str(json.as_str()).map_err(|error| proptest::test_runner::TestCaseError::fail(error.to_string()))?;
                let theirs: serde_json::Value = serde_json::from_str(&text).map_err(|error| proptest::test_runner::TestCaseError::fail(error.to_string()))?;
                proptest::prop_assert_eq!(ours, theirs);
            }
        }
    }
}
