//! A stored content as it lies there, taken apart in one pass without a copy: the grammar of
//! `docs/format/canonical.md` fixes the order of the keys, one form for each escape and no white
//! space, so each field is a slice of the text. What is not canonical to the last byte is no
//! content. Readers, the index and exports look at rows through this; the event that serde reads
//! is the model that tests and `verify` compare with.

mod event;
mod located;
mod names;
mod outline;
mod parts;
mod rules;
mod scan;

use std::borrow::Cow;

pub(crate) use self::located::Located;
pub(crate) use self::outline::Behind;
pub(crate) use self::outline::Outline;
pub(crate) use self::outline::Piece;
pub(crate) use self::parts::Parts;
use self::scan::Scan;
use crate::event::Field;
use crate::event::Outcome;
use crate::time::Time;

/// One event's content. Every slice is of the stored text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Content<'a> {
    pub(crate) event_type: Text<'a>,
    pub(crate) sub_type: Field<Text<'a>>,
    pub(crate) offset: Field<i32>,
    pub(crate) org: Field<Text<'a>>,
    pub(crate) performer: Field<Entity<'a>>,
    pub(crate) on_behalf_of: Field<Entity<'a>>,
    pub(crate) subject: Field<Entity<'a>>,
    pub(crate) targets: Field<Targets<'a>>,
    pub(crate) outcome: Field<Outcome>,
    pub(crate) reason: Field<Text<'a>>,
    pub(crate) source: Field<Text<'a>>,
    pub(crate) metadata: Field<Pairs<'a>>,
    pub(crate) changes: Field<Changes<'a>>,
    pub(crate) context: Field<Surroundings<'a>>,
    pub(crate) batch: Field<Text<'a>>,
    pub(crate) caused_by: Field<Text<'a>>,
    pub(crate) correlation: Field<Text<'a>>,
    pub(crate) origin: Field<Named<'a>>,
    pub(crate) key: Field<Text<'a>>,
    /// One JSON value, as the application wrote it.
    pub(crate) data: Field<&'a str>,
}

/// A JSON string: what stands between its quotation marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    raw: &'a str,
    /// Nothing in it is escaped, so it is its own text.
    plain: bool,
}

/// A performer, a subject or a further target; what its kind of entity does not have is absent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entity<'a> {
    /// The whole object.
    pub(crate) json: &'a str,
    pub(crate) kind: Text<'a>,
    pub(crate) id: Field<Text<'a>>,
    pub(crate) label: Field<Text<'a>>,
    pub(crate) email: Field<Text<'a>>,
    pub(crate) org: Field<Text<'a>>,
    pub(crate) external_ref: Field<Text<'a>>,
}

/// Further targets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Targets<'a> {
    /// The whole list.
    pub(crate) json: &'a str,
}

/// Pairs of text, each key once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pairs<'a> {
    /// The whole object that the pairs stand in.
    pub(crate) json: &'a str,
    /// The pairs without the braces around them.
    members: &'a str,
}

/// A list of changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Changes<'a> {
    /// The whole list.
    pub(crate) json: &'a str,
}

/// One change: its path, and the JSON before and after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Changed<'a> {
    pub(crate) path: Text<'a>,
    pub(crate) before: Field<&'a str>,
    pub(crate) after: Field<&'a str>,
}

/// A context: its well-known keys and the further ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    /// The whole object.
    pub(crate) json: &'a str,
    /// The well-known fields in the order of [`crate::event::Context::KEYS`].
    pub(crate) known: [Field<Text<'a>>; 6],
    pub(crate) further: Pairs<'a>,
}

/// What an imported event was called where it came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    /// The whole object.
    pub(crate) json: &'a str,
    pub(crate) store: Field<Text<'a>>,
    pub(crate) id: Field<Text<'a>>,
    pub(crate) seq: Field<u64>,
    pub(crate) recorded_at: Field<Time>,
}

impl<'a> Content<'a> {
    /// Takes `text` apart. `None` when it is no content, canonical to the last byte; time and
    /// memory follow its length whatever it holds.
    pub(crate) fn parse(text: &'a str) -> Option<Content<'a>> {
        Scan::new(text).content()
    }

    /// The id the event had where it came from.
    pub(crate) fn origin_id(&self) -> Option<Text<'a>> {
        self.origin.value()?.id.value().copied()
    }
}

impl<'a> Text<'a> {
    /// What stands between the quotation marks of a canonical string.
    pub(crate) fn inside(raw: &'a str) -> Text<'a> {
        let plain = !raw.as_bytes().contains(&b'\\');
        Text { raw, plain }
    }

    /// What stands between the quotation marks, escapes and all.
    pub(crate) const fn raw(self) -> &'a str {
        self.raw
    }

    /// The text itself where nothing in it is escaped: it then holds no `"`, no `\` and none of
    /// U+0000 to U+001F.
    pub(crate) const fn plain(self) -> Option<&'a str> {
        if self.plain { Some(self.raw) } else { None }
    }

    /// The text itself.
    #[inline]
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self.plain {
            true => Cow::Borrowed(self.raw),
            false => Cow::Owned(scan::unescape(self.raw)),
        }
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.raw.is_empty()
    }

    /// Whether it stands for `wanted`.
    pub(crate) fn is(self, wanted: &str) -> bool {
        match self.plain {
            true => self.raw == wanted,
            false => scan::unescape(self.raw) == wanted,
        }
    }
}

impl<'a> Targets<'a> {
    /// The targets in order.
    pub(crate) fn iter(self) -> impl Iterator<Item = Entity<'a>> {
        scan::items(self.json, Scan::target)
    }
}

impl<'a> Changes<'a> {
    /// The changes in order.
    pub(crate) fn iter(self) -> impl Iterator<Item = Changed<'a>> {
        scan::items(self.json, Scan::change)
    }
}

impl<'a> Pairs<'a> {
    /// Keys and values in order.
    pub(crate) fn iter(self) -> impl Iterator<Item = (Text<'a>, Text<'a>)> {
        scan::members(self.members)
    }

    /// The pairs without the braces around them.
    pub(crate) const fn members(self) -> &'a str {
        self.members
    }
}

/// The well-known field of a context at this place of [`crate::event::Context::KEYS`].
fn known<'a>(context: Field<Surroundings<'a>>, place: usize) -> Field<Text<'a>> {
    let known = context.value().and_then(|context| context.known.get(place));
    known.copied().unwrap_or_default()
}

impl Surroundings<'_> {
    /// There is no key in it at all.
    pub(crate) const fn is_empty(&self) -> bool {
        self.json.len() == "{}".len()
    }
}

impl Named<'_> {
    /// There is no key in it at all.
    pub(crate) const fn is_empty(&self) -> bool {
        self.json.len() == "{}".len()
    }
}

#[cfg(test)]
mod tests;
