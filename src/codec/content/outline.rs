//! Where the fields of a member stand, found once for every content that is made of the same
//! literals: the member is parsed with stand-ins for its leaves, and each slice that comes of it is
//! remembered as so many bytes into so many literals. What [`super::Located`] finds by outlines is
//! what [`Content::parse`] gives; whatever they cannot tell is left to that.

use super::Content;
use super::Entity;
use super::Named;
use super::Pairs;
use super::Surroundings;
use super::Text;
use super::scan;
use super::scan::FIELDS;
use super::scan::Scan;
use crate::event;
use crate::event::Field;

/// A literal of a template, and what stands behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'p> {
    pub(crate) literal: &'p [u8],
    pub(crate) behind: Behind,
}

/// What stands behind a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    Nothing,
    Leaf,
    /// A leaf that is a number.
    Number,
}

/// Where the field of one member stands.
#[derive(Debug)]
pub(crate) struct Outline {
    /// Its number among the fields.
    field: usize,
    held: Held,
    /// How many literals it has.
    literals: u32,
    /// The leaves outside of strings that have to be looked at.
    scalars: Vec<Span>,
}

/// What a member holds.
#[derive(Debug)]
pub(super) enum Held {
    /// The member is parsed: a number that stands for something, or null.
    Parsed,
    Type(Words),
    Outcome(Words),
    Text(Words),
    /// Without the fields of an origin that are no texts.
    Origin(Span, [Field<Words>; 2]),
    Json(Span),
    Entity(Box<Outlined>),
    Metadata(Listed),
    Context(Box<Context>),
}

/// A context: its well-known fields, and the further ones.
pub(super) type Context = ([Field<Words>; 6], Listed);

/// An entity: the whole object, and its texts in their order.
#[derive(Debug)]
pub(super) struct Outlined {
    json: Span,
    kind: Words,
    texts: [Field<Words>; 5],
}

/// Pairs: the whole object, and what stands between its braces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    json: Span,
    members: Span,
}

/// What stands between quotation marks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    pub(super) span: Span,
    plain: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    from: Point,
    to: Point,
}

/// So many bytes behind where a literal begins; behind the last literal is where the member ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    literal: u32,
    bytes: u32,
}

impl Point {
    /// Where a literal begins.
    const fn first(literal: u32) -> Point {
        Point { literal, bytes: 0 }
    }
}

impl Span {
    /// The leaf behind this literal.
    fn behind(number: u32, literal: &[u8]) -> Span {
        Span {
            from: Point {
                literal: number,
                bytes: literal.len() as u32,
            },
            to: Point::first(number + 1),
        }
    }
}

impl Outline {
    /// The outline of a member whose template consists of `pieces`; the first literal begins with
    /// the comma before the member. `None` where the literals do not tell what field it is.
    pub(crate) fn of(pieces: &[Piece<'_>]) -> Option<Outline> {
        let first = pieces.first()?.literal;
        let mut keys = FIELDS.iter();
        let field = keys.position(|key| first.starts_with(key.as_bytes()))?;
        let (held, scalars) = Sample::of(pieces)
            .and_then(|sample| Some((sample.held(field)?, sample.scalars)))
            .unwrap_or((Held::Parsed, Vec::new()));
        Some(Outline {
            field,
            held,
            literals: pieces.len() as u32,
            scalars,
        })
    }

    /// Which of the fields it is of, in their order.
    pub(crate) const fn field(&self) -> usize {
        self.field
    }

    pub(super) const fn held(&self) -> &Held {
        &self.held
    }

    /// The text of the whole member.
    pub(super) fn member<'a>(&self, cut: Cut<'a>) -> &'a str {
        let (first, last) = (Point::first(0), Point::first(self.literals));
        cut.slice(Span {
            from: first,
            to: last,
        })
    }

    /// Looks at what the literals do not tell. `None` where the member is no such field, or none
    /// that the outline can tell from a damaged one.
    #[inline]
    pub(super) fn check(&self, cut: Cut<'_>) -> Option<()> {
        if !self.scalars.iter().all(|scalar| cut.is_scalar(*scalar)) {
            return None;
        }
        match &self.held {
            Held::Parsed => {
                let member = Scan::new(self.member(cut));
                member.lone_field(self.field, &mut Content::default())
            }
            Held::Outcome(words) => scan::outcome(cut.slice(words.span)).map(|_| ()),
            _ => Some(()),
        }
    }
}

/// The numbers of the fields that are told apart here.
const TYPE: usize = 0;
const OUTCOME: usize = 8;
const PERFORMER: usize = 4;
const ON_BEHALF_OF: usize = 5;
const TARGETS: usize = 7;
const CHANGES: usize = 12;

/// The field of this number, if it is one text.
const fn text_of<'c, 'a>(
    field: usize,
    content: &'c mut Content<'a>,
) -> Option<&'c mut Field<Text<'a>>> {
    Some(match field {
        1 => &mut content.sub_type,
        3 => &mut content.org,
        9 => &mut content.reason,
        10 => &mut content.source,
        14 => &mut content.batch,
        15 => &mut content.caused_by,
        16 => &mut content.correlation,
        18 => &mut content.key,
        _ => return None,
    })
}

/// Slices of a text by where they stand in a member.
///
/// They are always there. A span begins and ends within literals, or where a leaf does, and literals
/// are whole characters: so is what stands between them in valid UTF-8.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut<'a> {
    pub(super) text: &'a str,
    /// Where the member's literals begin, and what follows it.
    pub(super) starts: &'a [u32],
}

impl<'a> Cut<'a> {
    #[inline]
    fn at(self, point: Point) -> usize {
        let start = self.starts.get(point.literal as usize);
        start.map_or(0, |start| *start as usize + point.bytes as usize)
    }

    #[inline]
    pub(super) fn slice(self, span: Span) -> &'a str {
        let slice = self.text.get(self.at(span.from)..self.at(span.to));
        slice.unwrap_or_default()
    }

    /// Whether a leaf is a number, `true` or `false`.
    fn is_scalar(self, leaf: Span) -> bool {
        let leaf = self.slice(leaf);
        leaf.starts_with(|first: char| matches!(first, '-' | '0'..='9' | 't' | 'f'))
            && event::compact_json_bytes(leaf) == Some(leaf.len())
    }

    #[inline]
    pub(super) fn text(self, words: Words) -> Text<'a> {
        Text {
            raw: self.slice(words.span),
            plain: words.plain,
        }
    }

    #[inline]
    pub(super) fn words(self, words: Field<Words>) -> Field<Text<'a>> {
        words.map(|words| self.text(words))
    }

    pub(super) fn entity(self, entity: &Outlined) -> Entity<'a> {
        let [id, label, email, org, external_ref] = entity.texts;
        Entity {
            json: self.slice(entity.json),
            kind: self.text(entity.kind),
            id: self.words(id),
            label: self.words(label),
            email: self.words(email),
            org: self.words(org),
            external_ref: self.words(external_ref),
        }
    }

    pub(super) fn pairs(self, listed: Listed) -> Pairs<'a> {
        Pairs {
            json: self.slice(listed.json),
            members: self.slice(listed.members),
        }
    }

    pub(super) fn context(self, (known, listed): &Context) -> Surroundings<'a> {
        let further = self.pairs(*listed);
        Surroundings {
            json: further.json,
            known: known.map(|words| self.words(words)),
            further,
        }
    }

    pub(super) fn origin(self, json: Span, [store, id]: &[Field<Words>; 2]) -> Named<'a> {
        Named {
            json: self.slice(json),
            store: self.words(*store),
            id: self.words(*id),
            seq: Field::Absent,
            recorded_at: Field::Absent,
        }
    }
}

/// A member with a stand-in for each leaf.
struct Sample {
    text: String,
    /// Where each literal begins, and where the member ends.
    starts: Vec<usize>,
    scalars: Vec<Span>,
}

impl Sample {
    /// `None` where a leaf may stand for more than a part of a string or a scalar.
    fn of(pieces: &[Piece<'_>]) -> Option<Sample> {
        let (mut bytes, mut starts, mut scalars) = (Vec::new(), Vec::new(), Vec::new());
        let (mut inside, mut escaped, mut bare) = (false, false, false);
        for (number, Piece { literal, behind }) in (0..).zip(pieces) {
            if bare && !literal.first().is_none_or(|next| b",]}".contains(next)) {
                return None;
            }
            starts.push(bytes.len());
            bytes.extend_from_slice(literal);
            for byte in *literal {
                (inside, escaped) = match byte {
                    _ if escaped => (inside, false),
                    b'\\' => (inside, true),
                    b'"' => (!inside, false),
                    _ => (inside, false),
                };
            }
            bare = !inside && *behind != Behind::Nothing;
            if escaped || bare && !literal.last().is_some_and(|last| b":[,".contains(last)) {
                return None;
            }
            match behind {
                Behind::Nothing => continue,
                Behind::Leaf if !inside => scalars.push(Span::behind(number, literal)),
                Behind::Leaf | Behind::Number => {}
            }
            bytes.push(if inside { b'x' } else { b'0' });
        }
        starts.push(bytes.len());
        Some(Sample {
            text: String::from_utf8(bytes).ok()?,
            starts,
            scalars,
        })
    }

    /// `None` where the field is to be parsed.
    fn held(&self, field: usize) -> Option<Held> {
        let mut content = Content::default();
        let is_text = text_of(field, &mut content).is_some();
        if let (TYPE | OUTCOME, _) | (_, true) = (field, is_text) {
            let words = self.text(Scan::new(&self.text).lone_text(field)?);
            return Some(match field {
                TYPE => Held::Type(words),
                OUTCOME => Held::Outcome(words),
                _ => Held::Text(words),
            });
        }
        Scan::new(&self.text).lone_field(field, &mut content)?;
        let entity = match field {
            PERFORMER => content.performer,
            ON_BEHALF_OF => content.on_behalf_of,
            _ => content.subject,
        };
        let json = match field {
            TARGETS => content.targets.map(|targets| targets.json),
            CHANGES => content.changes.map(|changes| changes.json),
            _ => content.data,
        };
        Some(if let Field::Value(entity) = entity {
            self.entity(&entity)
        } else if let Field::Value(json) = json {
            Held::Json(self.span(json))
        } else if let Field::Value(pairs) = content.metadata {
            Held::Metadata(self.pairs(pairs)?)
        } else if let Field::Value(context) = content.context {
            let known = context.known.map(|text| self.words(text));
            Held::Context(Box::new((known, self.pairs(context.further)?)))
        } else if let Field::Value(origin) = content.origin
            && origin.seq.is_absent()
            && origin.recorded_at.is_absent()
        {
            let texts = [origin.store, origin.id];
            Held::Origin(self.span(origin.json), texts.map(|text| self.words(text)))
        } else {
            return None;
        })
    }

    /// Where a slice of the sample stands.
    fn span(&self, slice: &str) -> Span {
        let from = (slice.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        Span {
            from: self.point(from),
            to: self.point(from + slice.len()),
        }
    }

    fn point(&self, at: usize) -> Point {
        let behind = self.starts.partition_point(|start| *start <= at);
        let literal = behind.saturating_sub(1);
        let start = self.starts.get(literal).copied().unwrap_or(0);
        Point {
            literal: literal as u32,
            bytes: (at - start) as u32,
        }
    }

    fn text(&self, text: Text<'_>) -> Words {
        Words {
            span: self.span(text.raw),
            plain: text.plain,
        }
    }

    fn words(&self, text: Field<Text<'_>>) -> Field<Words> {
        text.map(|text| self.text(text))
    }

    fn entity(&self, entity: &Entity<'_>) -> Held {
        let texts = [
            entity.id,
            entity.label,
            entity.email,
            entity.org,
            entity.external_ref,
        ];
        Held::Entity(Box::new(Outlined {
            json: self.span(entity.json),
            kind: self.text(entity.kind),
            texts: texts.map(|text| self.words(text)),
        }))
    }

    /// `None` where a key is a leaf, which might be one that came before.
    fn pairs(&self, pairs: Pairs<'_>) -> Option<Listed> {
        let is_fixed = |key: Text<'_>| {
            let Span { from, to } = self.span(key.raw);
            from.literal == to.literal
        };
        pairs.iter().all(|(key, _)| is_fixed(key)).then(|| Listed {
            json: self.span(pairs.json),
            members: self.span(pairs.members),
        })
    }
}

#[cfg(test)]
mod tests;
