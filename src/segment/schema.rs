//! What the rows of a segment have in common: the members they are made of, the templates of each,
//! and how each column of leaves is stored. Read once when a segment is opened.

use core::ops::Range;

use super::classes::Numbering;
use super::dictionary::Dictionary;
use super::format;
use super::format::Section;
use super::letters::Alphabet;
use super::letters::Fixed;
use super::packed;
use super::pages::Pages;
use super::recorded::Recorded;
use super::shape::Mark;
use super::spelled_time::SpelledTime;
use crate::codec::buffer::SHORT;
use crate::codec::varint;
use crate::codec::varint::Bytes;
use crate::error::Result;

/// What the rows of a segment have in common.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// The text of all templates, with a little behind it: see [`crate::codec::buffer`].
    pub(super) literals: Vec<u8>,
    steps: Vec<Step>,
    /// The steps of each template, member after member.
    templates: Vec<Range<u32>>,
    members: Vec<Member>,
    pub(super) shapes: Vec<RowShape>,
    pub(super) shape_numbers: Numbering,
    pub(super) repeat_width: u32,
    pub(super) recorded: Recorded,
    pub(super) columns: Vec<Column>,
}

/// A part of a template: a literal, and the leaf behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Where the literal stands among the literals. The first one of a template begins with the
    /// comma before its member.
    pub(super) start: u32,
    pub(super) len: u32,
    /// The leaf's column; [`NO_COLUMN`] where the template ends with the literal.
    pub(super) column: u32,
}

/// No leaf.
pub(super) const NO_COLUMN: u32 = u32::MAX;

#[derive(Clone, Debug)]
struct Member {
    first_template: u32,
    templates: u32,
    numbering: Numbering,
}

/// Which members a row has, and how it came in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RowShape {
    pub(super) time_given: bool,
    pub(super) mapping: Option<String>,
    pub(super) members: Vec<u32>,
}

/// How the leaves of one path are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) reference: Reference,
    /// Every leaf is told by the reference; otherwise a bit says whether it is.
    pub(super) always: bool,
    pub(super) base: Base,
}

/// What a leaf can be told from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    None,
    /// The last leaf of another column.
    Copy(u32),
    /// The number of the last leaf of another column, by a table that begins at this byte of the
    /// section of dictionaries.
    Derived(u32, u64),
}

/// How a leaf is stored that nothing else tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// Not at all.
    None,
    /// By its number in a dictionary.
    Dictionary(Dictionary),
    /// As a number above the lowest.
    Integer { low: i64, width: u32 },
    /// As a time this much and the lowest distance away from that of the row.
    Time {
        spelling: SpelledTime,
        low: i64,
        width: u32,
    },
    /// Letter by letter, all texts of one length.
    Fixed(Fixed),
    /// Letter by letter behind its length.
    Letters(Alphabet),
    /// By its number among the long texts.
    Text { width: u32 },
}

/// The templates of a member, each with the column of each mark, and how they are numbered.
pub(super) type StoredMember = (Vec<(Vec<u8>, Vec<usize>)>, Numbering);

/// The parts of a schema under construction.
#[derive(Debug, Default)]
pub(super) struct SchemaWriter {
    pub(super) mappings: Vec<String>,
    pub(super) members: Vec<StoredMember>,
    /// For each shape whether the time was given, the mapping, and the members.
    pub(super) shapes: Vec<(bool, Option<usize>, Vec<usize>)>,
    pub(super) shape_numbers: Numbering,
    pub(super) repeat_width: u32,
    pub(super) recorded: Recorded,
    pub(super) columns: Vec<Column>,
}

impl SchemaWriter {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        varint::put_u64(&mut out, self.mappings.len() as u64);
        for mapping in &self.mappings {
            varint::put_bytes(&mut out, mapping.as_bytes());
        }
        varint::put_u64(&mut out, self.members.len() as u64);
        for (templates, numbering) in &self.members {
            varint::put_u64(&mut out, templates.len() as u64);
            for (text, columns) in templates {
                varint::put_bytes(&mut out, text);
                for column in columns {
                    varint::put_u64(&mut out, *column as u64);
                }
            }
            numbering.encode(&mut out);
        }
        varint::put_u64(&mut out, self.shapes.len() as u64);
        for (time_given, mapping, members) in &self.shapes {
            let mapping = mapping.map_or(0, |mapping| mapping as u64 + 1);
            varint::put_u64(&mut out, mapping << 1 | u64::from(*time_given));
            varint::put_u64(&mut out, members.len() as u64);
            for member in members {
                varint::put_u64(&mut out, *member as u64);
            }
        }
        self.shape_numbers.encode(&mut out);
        out.push(self.repeat_width as u8);
        self.recorded.encode(&mut out);
        varint::put_u64(&mut out, self.columns.len() as u64);
        for column in &self.columns {
            column.encode(&mut out);
        }
        out
    }
}

impl Schema {
    /// Reads the schema that stands in `section`, one zstd frame behind its raw length; `None` where
    /// it is damaged.
    pub(super) fn read(
        pages: &Pages,
        section: Section,
        dictionaries_len: u64,
    ) -> Result<Option<Schema>> {
        let Ok(len) = usize::try_from(section.len) else {
            return Ok(None);
        };
        let stored = pages.read(section.offset, len)?;
        let mut bytes = Bytes::new(&stored);
        let raw_len = bytes.u32().map_or(0, |len| len as usize);
        if raw_len > format::SCHEMA_BYTES_MAX {
            return Ok(None);
        }
        let raw = packed::unpack(bytes.rest(), raw_len);
        Ok(raw.and_then(|raw| Schema::decode(&raw, dictionaries_len)))
    }

    /// Reads a schema whose dictionaries lie in a section of `dictionaries_len` bytes; `None` where
    /// the bytes are none.
    pub(super) fn decode(bytes: &[u8], dictionaries_len: u64) -> Option<Schema> {
        let mut bytes = Bytes::new(bytes);
        let mappings = (0..bounded(&mut bytes)?)
            .map(|_| bytes.text().map(str::to_owned))
            .collect::<Option<Vec<String>>>()?;
        let mut schema = Schema::default();
        for _ in 0..bounded(&mut bytes)? {
            let templates = bounded(&mut bytes)?;
            let first_template = schema.templates.len() as u32;
            for _ in 0..templates {
                schema.template(&mut bytes)?;
            }
            schema.members.push(Member {
                first_template,
                templates: templates as u32,
                numbering: Numbering::decode(&mut bytes, templates as u64)?,
            });
        }
        for _ in 0..bounded(&mut bytes)? {
            let head = bytes.varint()?;
            let mapping = match (head >> 1).checked_sub(1) {
                Some(number) => Some(mappings.get(usize::try_from(number).ok()?)?.clone()),
                None => None,
            };
            let count = bounded(&mut bytes)?;
            let members = (0..count).map(|_| {
                let member = u32::try_from(bytes.varint()?).ok()?;
                ((member as usize) < schema.members.len()).then_some(member)
            });
            schema.shapes.push(RowShape {
                time_given: head & 1 == 1,
                mapping,
                members: members.collect::<Option<_>>()?,
            });
        }
        schema.shape_numbers = Numbering::decode(&mut bytes, schema.shapes.len() as u64)?;
        schema.repeat_width = u32::from(bytes.u8()?);
        schema.recorded = Recorded::decode(&mut bytes)?;
        for _ in 0..bounded(&mut bytes)? {
            schema
                .columns
                .push(Column::decode(&mut bytes, dictionaries_len)?);
        }
        schema.literals.resize(schema.literals.len() + SHORT, 0);
        (bytes.is_empty() && schema.is_sound()).then_some(schema)
    }

    /// How many templates there are.
    pub(super) const fn templates_len(&self) -> usize {
        self.templates.len()
    }

    fn template(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        let text = bytes.bytes()?;
        let first_step = self.steps.len() as u32;
        let mut start = self.literals.len();
        self.literals.push(b',');
        for part in text.split_inclusive(|byte| Mark::of(*byte).is_some()) {
            let marked = part.last().is_some_and(|byte| Mark::of(*byte).is_some());
            let literal = part.get(..part.len() - usize::from(marked))?;
            self.literals.extend_from_slice(literal);
            let column = match marked {
                true => u32::try_from(bytes.varint()?)
                    .ok()
                    .filter(|column| *column != NO_COLUMN)?,
                false => NO_COLUMN,
            };
            self.step(start, column);
            start = self.literals.len();
        }
        if text.is_empty() {
            self.step(start, NO_COLUMN);
        }
        self.templates.push(first_step..self.steps.len() as u32);
        Some(())
    }

    /// Adds the literal from `start` on and the leaf behind it.
    fn step(&mut self, start: usize, column: u32) {
        self.steps.push(Step {
            start: start as u32,
            len: (self.literals.len() - start) as u32,
            column,
        });
    }

    fn is_sound(&self) -> bool {
        let columns = self.columns.len() as u32;
        let steps =
            (self.steps.iter()).all(|step| step.column < columns || step.column == NO_COLUMN);
        let references = self.columns.iter().all(|column| match &column.reference {
            Reference::None => !column.always,
            Reference::Copy(source) => *source < columns,
            Reference::Derived(source, _) => {
                let source = self.columns.get(*source as usize);
                matches!(source.map(|source| &source.base), Some(Base::Dictionary(_)))
                    && matches!(column.base, Base::Dictionary(_) | Base::Text { .. })
            }
        });
        steps && references && self.repeat_width <= u64::BITS
    }

    /// How many values the dictionary of a column has.
    pub(super) fn values_of(&self, column: u32) -> u64 {
        match self.columns.get(column as usize).map(|column| &column.base) {
            Some(Base::Dictionary(dictionary)) => u64::from(dictionary.count),
            _ => 0,
        }
    }

    /// How the templates of a member are numbered.
    #[inline]
    pub(super) fn template_numbers(&self, member: u32) -> Option<&Numbering> {
        let member = self.members.get(member as usize);
        member.map(|member| &member.numbering)
    }

    /// The place of a member's template among the templates of all members.
    #[inline]
    pub(super) fn place(&self, member: u32, template: u64) -> Option<u32> {
        let member = self.members.get(member as usize)?;
        let template = u32::try_from(template).ok();
        let template = template.filter(|template| *template < member.templates)?;
        Some(member.first_template + template)
    }

    /// The steps of the template at this place.
    #[inline]
    pub(super) fn steps(&self, place: u32) -> Option<&[Step]> {
        let range = self.templates.get(place as usize)?;
        self.steps.get(range.start as usize..range.end as usize)
    }

    /// How many leaves each template has, member after member.
    pub(super) fn leaf_counts(&self) -> impl Iterator<Item = usize> {
        let steps = |range: &Range<u32>| self.steps.get(range.start as usize..range.end as usize);
        self.templates.iter().map(move |range| {
            let steps = steps(range).unwrap_or_default().iter();
            steps.filter(|step| step.column != NO_COLUMN).count()
        })
    }

    /// How many templates each member has, in order.
    pub(super) fn template_counts(&self) -> impl Iterator<Item = u32> {
        self.members.iter().map(|member| member.templates)
    }
}

impl Column {
    fn encode(&self, out: &mut Vec<u8>) {
        let (reference, numbers) = match &self.reference {
            Reference::None => (0, Vec::new()),
            Reference::Copy(source) => (1, vec![u64::from(*source)]),
            Reference::Derived(source, at) => (2, vec![u64::from(*source), *at]),
        };
        out.push(reference | u8::from(self.always) << 2);
        numbers
            .into_iter()
            .for_each(|number| varint::put_u64(out, number));
        match &self.base {
            Base::None => out.push(0),
            Base::Dictionary(dictionary) => {
                out.push(1);
                dictionary.encode(out);
            }
            Base::Integer { low, width } => {
                out.push(2);
                varint::put_i64(out, *low);
                out.push(*width as u8);
            }
            Base::Fixed(fixed) => {
                out.push(3);
                fixed.encode(out);
            }
            Base::Letters(alphabet) => {
                out.push(4);
                alphabet.encode(out);
            }
            Base::Text { width } => {
                out.push(5);
                out.push(*width as u8);
            }
            Base::Time {
                spelling,
                low,
                width,
            } => {
                out.extend_from_slice(&[6, spelling.number()]);
                varint::put_i64(out, *low);
                out.push(*width as u8);
            }
        }
    }

    /// Bits of a value's number.
    pub(super) fn number_width(&self) -> u64 {
        match &self.base {
            Base::Dictionary(dictionary) => u64::from(dictionary.width),
            Base::Text { width } => u64::from(*width),
            _ => 0,
        }
    }

    fn decode(bytes: &mut Bytes<'_>, dictionaries_len: u64) -> Option<Column> {
        let head = bytes.u8()?;
        let source = |bytes: &mut Bytes<'_>| u32::try_from(bytes.varint()?).ok();
        let reference = match head & 3 {
            0 => Reference::None,
            1 => Reference::Copy(source(bytes)?),
            2 => Reference::Derived(source(bytes)?, bytes.varint()?),
            _ => return None,
        };
        let base = match bytes.u8()? {
            0 => Base::None,
            1 => Base::Dictionary(Dictionary::decode(bytes, dictionaries_len)?),
            2 => Base::Integer {
                low: bytes.signed_varint()?,
                width: u32::from(bytes.u8()?),
            },
            3 => Base::Fixed(Fixed::decode(bytes)?),
            4 => Base::Letters(Alphabet::decode(bytes)?),
            5 => Base::Text {
                width: u32::from(bytes.u8()?),
            },
            6 => Base::Time {
                spelling: SpelledTime::of_number(bytes.u8()?)?,
                low: bytes.signed_varint()?,
                width: u32::from(bytes.u8()?),
            },
            _ => return None,
        };
        let sound = match &base {
            Base::Integer { width, .. } | Base::Time { width, .. } => *width <= u64::BITS,
            Base::Text { width } => *width <= u32::BITS,
            _ => true,
        };
        (sound && head < 8).then_some(Column {
            reference,
            always: head & 4 != 0,
            base,
        })
    }
}

/// A count of things that take at least a byte each.
fn bounded(bytes: &mut Bytes<'_>) -> Option<usize> {
    let count = bytes.count()?;
    (count <= bytes.rest().len()).then_some(count)
}
