//! The members of all objects in a JSON value, however deep, each told once, also one that is there
//! twice: what looks for secrets must not be led past one by a second member of its name. One pass
//! over the text of a [`crate::event::Json`], which is valid and has no blanks outside strings.

/// Tells the path of each member, and whether its value is null. Items of lists have their list's
/// path.
pub(super) fn each(json: &str, mut tell: impl FnMut(&[String], bool)) {
    let mut path: Vec<String> = Vec::new();
    // Of each object and list around this place, whether a member of it is in the path.
    let mut around: Vec<bool> = Vec::new();
    let mut rest = json;
    while let Some(first) = rest.bytes().next() {
        // What is no string is ASCII, so one byte is one character.
        let mut taken = 1;
        match first {
            b'{' | b'[' => around.push(false),
            b'}' | b']' if around.pop() == Some(true) => {
                path.pop();
            }
            b'"' => {
                let string = string(rest);
                taken = string.len();
                let behind = rest.get(taken..).unwrap_or_default();
                if let (Some(value), Some(named)) = (behind.strip_prefix(':'), around.last_mut()) {
                    if core::mem::replace(named, true) {
                        path.pop();
                    }
                    path.push(serde_json::from_str(string).unwrap_or_default());
                    tell(&path, value.starts_with('n'));
                }
            }
            _ => {}
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
}

/// The string at the head of `text`, with its quotation marks.
fn string(text: &str) -> &str {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return text.get(..=at).unwrap_or(text),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Json;

    fn told(json: &str) -> Vec<(String, bool)> {
        let json = Json::parse(json).unwrap_or_else(|error| panic!("{json}: {error}"));
        let mut told = Vec::new();
        each(json.as_str(), |path, null| {
            told.push((path.join("/"), null))
        });
        told
    }

    #[test]
    fn every_member_is_told_once_where_it_stands() {
        let json =
            r#"{"a":{"b":[1,{"c":"x:y"},[{"d":null}]],"e\u0022\\":{}},"a":null,"f":["g","h"]}"#;
        let expected = [
            ("a", false),
            ("a/b", false),
            ("a/b/c", false),
            ("a/b/d", true),
            ("a/e\"\\", false),
            ("a", true),
            ("f", false),
        ];
        let expected = expected.map(|(path, null)| (path.to_owned(), null));
        assert_eq!(told(json), expected);
        for json in ["1", "null", "\"a\"", "[]", "[\"a\",\"b\"]"] {
            assert!(told(json).is_empty(), "{json}");
        }
    }
}
