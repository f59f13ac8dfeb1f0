//! One flag's text taken apart: a comma list of values with `!`, a trailing `*`, the `:` between
//! kind and id, and `\` before any of them. A `\` before another character is itself.

use crate::filter::compile::too_many;
use crate::filter::condition::Pattern;
use crate::filter::field::FilterField;
use crate::filter::field::Shape;
use crate::filter::field::shown;

/// One value of a comma list, its escapes resolved.
#[derive(Default)]
pub(crate) struct Item {
    /// A `!` that is not escaped came first; it is not in `text`.
    pub(crate) negated: bool,
    pub(crate) text: String,
    /// Where in `text` the first `:` stands that is not escaped.
    colon: Option<usize>,
    /// A `*` that is not escaped came last; it is not in `text`.
    pub(crate) star: bool,
}

impl Item {
    /// The text with the star as it was written.
    pub(crate) fn whole(mut self) -> String {
        if self.star {
            self.text.push('*');
        }
        self.text
    }

    /// The pattern that the value is for `field`.
    pub(crate) fn pattern(mut self, field: &FilterField) -> Result<Pattern, String> {
        match (field.shape(), self.colon) {
            (Shape::Entity(_), Some(colon)) => {
                let id = self.text.get(colon + 1..).unwrap_or_default().to_owned();
                self.text.truncate(colon);
                let kind = (!self.text.is_empty()).then_some(self.text);
                Ok(if self.star {
                    Pattern::IdPrefix { kind, prefix: id }
                } else {
                    Pattern::Id { kind, id }
                })
            }
            (_, _) if self.star => Ok(Pattern::Prefix(self.text)),
            (Shape::Ip, _) => network(self.text),
            (_, _) => Ok(Pattern::Is(self.text)),
        }
    }
}

/// `ADDRESS/BITS` as a network, anything else as it stands.
fn network(text: String) -> Result<Pattern, String> {
    let Some((address, bits)) = text.split_once('/') else {
        return Ok(Pattern::Is(text));
    };
    match (address.parse(), bits.parse()) {
        (Err(_), _) => Ok(Pattern::Is(text)),
        (Ok(address), Ok(bits)) => Ok(Pattern::Network { address, bits }),
        (Ok(_), Err(_)) => Err(format!(
            "read as the network of {address} with {} bits, which is no count of bits",
            shown(bits)
        )),
    }
}

/// Cuts a comma list into at most `most` values.
pub(crate) fn items(text: &str, most: usize) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut item = Item::default();
    let mut fresh = true;
    let mut chars = text.chars().peekable();
    loop {
        let next = chars.next();
        if matches!(next, None | Some(',')) {
            let listed = next.is_some() || !items.is_empty();
            if fresh && listed {
                return Err("read as a list with an empty value: give the empty text by itself, or write \\, for a comma".to_owned());
            }
            if items.len() == most {
                return Err(too_many());
            }
            items.push(core::mem::take(&mut item));
            fresh = true;
            if next.is_none() {
                return Ok(items);
            }
            continue;
        }
        if core::mem::take(&mut item.star) {
            item.text.push('*');
        }
        match next {
            None => {}
            Some('!') if fresh => item.negated = true,
            Some('*') => item.star = true,
            Some(':') => {
                item.colon = item.colon.or(Some(item.text.len()));
                item.text.push(':');
            }
            Some('\\') => item.text.push(escaped(&mut chars, false)),
            Some(char) => item.text.push(char),
        }
        fresh = false;
    }
}

/// `KEY=REST` at the first `=` that is not escaped.
pub(crate) fn split_key(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut chars = text.chars().peekable();
    let mut at = 0;
    while let Some(char) = chars.next() {
        at += char.len_utf8();
        match char {
            '=' => return Some((key, text.get(at..)?)),
            '\\' => {
                let meant = escaped(&mut chars, true);
                at += usize::from(meant != '\\' || text.get(at..)?.starts_with('\\'));
                key.push(meant);
            }
            char => key.push(char),
        }
    }
    None
}

/// What a `\` stands for: the special character after it, or itself before any other.
fn escaped(chars: &mut core::iter::Peekable<core::str::Chars<'_>>, in_key: bool) -> char {
    let special =
        |char: &char| matches!(char, ',' | '!' | '*' | ':' | '\\') || in_key && *char == '=';
    chars.next_if(special).unwrap_or('\\')
}
