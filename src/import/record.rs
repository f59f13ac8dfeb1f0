//! A source record as borrowed text: looked into by JSON pointers without building a tree.
//! The text is always one that [`crate::event::Json`] has checked and compacted, so walking it
//! needs no error path; on any other text the walk would end early, never out of bounds.

use core::cell::OnceCell;
use std::borrow::Cow;

/// One JSON value inside a record's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value<'a>(&'a str);

/// A whole record with its top-level members found once.
pub(super) struct Record<'a> {
    root: Value<'a>,
    members: Vec<(&'a str, Value<'a>)>,
    /// One bit for each look of a key that is there: most look-ups are for keys that are not, and
    /// comparing each with thirty members was a quarter of an import's time.
    looks: u64,
    /// A key is spelled with escapes, so looks say nothing.
    escaped: bool,
    /// The text a mapping extracts from, unescaped once per record.
    text: OnceCell<Option<Cow<'a, str>>>,
}

/// A JSON pointer (RFC 6901), split when a mapping is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pointer(Vec<String>);

impl Pointer {
    /// Reads a pointer: empty for the whole record, else parts that each begin with `/`.
    pub(super) fn parse(text: &str) -> Option<Pointer> {
        if text.is_empty() {
            return Some(Pointer::default());
        }
        let parts = text.strip_prefix('/')?.split('/');
        Some(Pointer(
            parts
                .map(|part| part.replace("~1", "/").replace("~0", "~"))
                .collect(),
        ))
    }

    /// The value this pointer leads to from `value`.
    pub(super) fn walk<'a>(&self, value: Value<'a>) -> Option<Value<'a>> {
        self.0.iter().try_fold(value, |value, part| value.get(part))
    }
}

impl<'a> Record<'a> {
    /// Takes the text of one checked, compact JSON value.
    pub(super) fn new(text: &'a str) -> Record<'a> {
        let root = Value(text);
        let members: Vec<_> = root.members().collect();
        Record {
            root,
            looks: members.iter().fold(0, |looks, (key, _)| looks | look(key)),
            escaped: members.iter().any(|(key, _)| key.contains('\\')),
            members,
            text: OnceCell::new(),
        }
    }

    pub(super) fn root(&self) -> Value<'a> {
        self.root
    }

    /// The top-level members in order: keys as they are spelled, escapes included.
    pub(super) fn members(&self) -> &[(&'a str, Value<'a>)] {
        &self.members
    }

    pub(super) fn at(&self, pointer: &Pointer) -> Option<Value<'a>> {
        let Some((first, rest)) = pointer.0.split_first() else {
            return Some(self.root);
        };
        let found = if self.root.is_object() {
            if self.looks & look(first) == 0 && !self.escaped {
                return None;
            }
            self.members
                .iter()
                .find(|(key, _)| key == first || (self.escaped && same_key(key, first)))
                .map(|(_, value)| *value)
        } else {
            self.root.get(first)
        };
        rest.iter().try_fold(found?, |value, part| value.get(part))
    }

    /// The text found by the first of `pointers` that leads to a string; remembered, so all calls
    /// on one record must name the same pointers.
    pub(super) fn text(&self, pointers: &[Pointer]) -> Option<&str> {
        let find = || {
            pointers
                .iter()
                .filter_map(|pointer| self.at(pointer))
                .filter(|value| value.is_string())
                .find_map(Value::text)
        };
        self.text.get_or_init(find).as_deref()
    }
}

impl<'a> Value<'a> {
    /// The value of a whole text.
    pub(super) fn whole(text: &'a str) -> Value<'a> {
        Value(text)
    }

    /// The value's own spelling.
    pub(super) fn raw(self) -> &'a str {
        self.0
    }

    pub(super) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    pub(super) fn is_array(self) -> bool {
        self.0.starts_with('[')
    }

    pub(super) fn is_string(self) -> bool {
        self.0.starts_with('"')
    }

    /// A string's content, or the spelling of a number or of `true` and `false`.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self.0.as_bytes().first()? {
            b'"' => unescape(self.0.get(1..self.0.len() - 1)?),
            b'{' | b'[' | b'n' => None,
            _ => Some(Cow::Borrowed(self.0)),
        }
    }

    /// A member of an object, or an item of an array counted from 0.
    pub(super) fn get(self, part: &str) -> Option<Value<'a>> {
        if self.is_array() {
            return self.items().nth(part.parse().ok()?);
        }
        self.members()
            .find(|(key, _)| same_key(key, part))
            .map(|(_, value)| value)
    }

    /// An object's members in order, keys as they are spelled; of anything else, nothing.
    pub(super) fn members(self) -> Members<'a> {
        Members(Walk::into(self.0, b'{'))
    }

    /// An array's items in order; of anything else, nothing.
    pub(super) fn items(self) -> Items<'a> {
        Items(Walk::into(self.0, b'['))
    }
}

pub(super) struct Members<'a>(Walk<'a>);
pub(super) struct Items<'a>(Walk<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.separator();
        let quoted = self.0.value().filter(|text| text.starts_with('"'))?;
        self.0.separator();
        let value = self.0.value()?;
        Some((quoted.get(1..quoted.len() - 1)?, Value(value)))
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.separator();
        self.0.value().map(Value)
    }
}

/// A place in compact JSON.
struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Walk<'a> {
    /// Stands behind the opening bracket, or at the end if the value is of another kind.
    fn into(text: &'a str, open: u8) -> Walk<'a> {
        let at = if text.as_bytes().first() == Some(&open) {
            1
        } else {
            text.len()
        };
        Walk { text, at }
    }

    fn separator(&mut self) {
        if matches!(self.text.as_bytes().get(self.at), Some(b',' | b':')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        match bytes.get(start)? {
            b'"' => self.string(),
            b'{' | b'[' => self.nest(),
            b'}' | b']' => return None,
            _ => {
                let rest = bytes.get(start..)?;
                let plain = |byte: &u8| !matches!(byte, b',' | b'}' | b']');
                self.at += rest.iter().take_while(|byte| plain(byte)).count();
            }
        }
        self.text.get(start..self.at)
    }

    fn string(&mut self) {
        let bytes = self.text.as_bytes();
        self.at += 1;
        while let Some(byte) = bytes.get(self.at) {
            self.at += match byte {
                b'"' => break,
                b'\\' => 2,
                _ => 1,
            };
        }
        self.at = (self.at + 1).min(bytes.len());
    }

    fn nest(&mut self) {
        let bytes = self.text.as_bytes();
        let mut depth = 0_usize;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }
}

/// A bit by a key's length and ends.
fn look(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let end = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
    let mixed = bytes.len() * 29 + end(bytes.first()) * 7 + end(bytes.last());
    1 << (mixed % 64)
}

/// Whether a key as spelled means `name`; escapes only make a spelling longer.
pub(super) fn same_key(spelled: &str, name: &str) -> bool {
    let escaped = spelled.len() > name.len() && spelled.contains('\\');
    spelled == name || (escaped && unescape(spelled).is_some_and(|key| key == name))
}

/// The content of a JSON string's inside.
pub(super) fn unescape(inside: &str) -> Option<Cow<'_, str>> {
    if !inside.contains('\\') {
        return Some(Cow::Borrowed(inside));
    }
    serde_json::from_str::<String>(&format!("\"{inside}\""))
        .ok()
        .map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, pointer: &str) -> Option<String> {
        let record = Record::new(text);
        let value = record.at(&Pointer::parse(pointer)?)?;
        Some(value.raw().to_owned())
    }

    #[test]
    fn pointers_lead_where_rfc_6901_says() {
        let text = r#"{"a/b":1,"m~n":{"":[10,{"x":"}]"}]},"q\"":-9214364837600034816,"e":{}}"#;
        for (pointer, value) in [
            ("/a~1b", Some("1")),
            ("/m~0n//1/x", Some("\"}]\"")),
            ("/m~0n//0", Some("10")),
            ("/m~0n//2", None),
            ("/q\"", Some("-9214364837600034816")),
            ("/e", Some("{}")),
            ("/e/x", None),
            ("/none", None),
            ("", Some(text)),
        ] {
            assert_eq!(at(text, pointer).as_deref(), value, "{pointer}");
        }
    }

    #[test]
    fn text_is_unescaped_and_numbers_keep_their_spelling() {
        let record = Record::new(r#"{"s":"a\u00e9\n","n":1.50,"t":true,"z":null,"o":{}}"#);
        let text = |name: &str| record.root().get(name).and_then(Value::text);
        assert_eq!(text("s").as_deref(), Some("a\u{e9}\n"));
        assert_eq!(text("n").as_deref(), Some("1.50"));
        assert_eq!(text("t").as_deref(), Some("true"));
        assert_eq!(text("z"), None);
        assert_eq!(text("o"), None);
    }
}
