//! Gathers the rows of a segment, taken apart into templates and numbered leaves, until all that
//! must be known of them is known. A row takes about 150 bytes here however long its texts are:
//! long ones leave for the file at once.

use core::ops::Range;
use std::collections::HashMap;
use std::sync::Arc;

use super::gather::COPIED;
use super::gather::DERIVED;
use super::gather::Gather;
use super::gather::Reference;
use super::letters::ULID_TIME;
use super::output::Output;
use super::shape::Leaf;
use super::shape::Mark;
use super::shape::Shape;
use super::shape::paths;
use super::texts::TextWriter;
use crate::codec::hash::Keys;
use crate::codec::row::Row;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::EventId;
use crate::id::Position;
use crate::time::Time;

/// Templates of one member, and columns of a segment; what comes beyond is kept whole.
const TEMPLATES_MAX: usize = 2048;
const COLUMNS_MAX: usize = 4096;
/// Templates of one member beyond which rendered texts are no longer taken apart: they are prose.
const RENDERED_MAX: usize = 256;
/// Bytes of gathered values beyond which members are kept whole, so that no input takes more.
const HEAP_MAX: usize = 160 << 20;
/// Shorter leaves are not worth telling from others.
const COPY_MIN: usize = 4;

/// Where a row stands, and when it was recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    pub(super) position: Position,
    pub(super) recorded_at: Time,
}

/// A template of a member.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) text: Vec<u8>,
    /// The column of each mark.
    pub(super) columns: Arc<[usize]>,
}

/// A member of contents: a key and all shapes its value comes in.
#[derive(Debug, Default)]
pub(super) struct MemberShapes {
    name: Vec<u8>,
    numbers: HashMap<Vec<u8>, u32>,
    pub(super) templates: Vec<Template>,
}

/// Which members a row has, and how it came in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct RowShape {
    pub(super) time_given: bool,
    pub(super) mapping: Option<usize>,
    pub(super) members: Vec<usize>,
}

/// Everything gathered. `codes` holds for each row its shape, with a mapping the two halves of the
/// repeat, and for each member the template followed by the leaves.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) stands: Vec<Stand>,
    pub(super) codes: Vec<u32>,
    pub(super) members: Vec<MemberShapes>,
    pub(super) shapes: Vec<RowShape>,
    pub(super) mappings: Vec<String>,
    pub(super) columns: Vec<Column>,
    pub(super) repeat_max: u64,
    member_numbers: HashMap<Vec<u8>, usize>,
    shape_numbers: HashMap<RowShape, u32>,
    column_numbers: HashMap<Vec<u8>, usize>,
    keys: Keys,
    heap: usize,
    /// Names of members whose rendered texts are left as they are.
    plain: Vec<Vec<u8>>,
}

/// A column with the leaf it had last.
pub(super) struct Column {
    pub(super) mark: Mark,
    pub(super) gather: Gather,
    last: Option<(usize, Range<usize>)>,
}

/// The leaf before another one of the same member: its column and the number of its value.
type Before = Option<(usize, u32)>;

/// The row that is being taken apart.
struct Current<'c> {
    content: &'c [u8],
    moment: [u8; ULID_TIME],
    number: usize,
    leaves: Vec<(usize, Range<usize>)>,
}

impl Builder {
    /// Takes in the next older row.
    pub(super) fn push(
        &mut self,
        row: &Row<'_>,
        shape: &mut Shape,
        texts: &mut TextWriter,
        output: &mut Output<'_>,
    ) -> Result<()> {
        let content = row.body.content.as_bytes();
        if self.take(content, shape).is_none() {
            let what = format!("the content of event {} is no object", row.position.seq);
            return Err(Error::new(ErrorKind::Corrupt, what).in_file(output.file().path()));
        }
        let mut current = Current {
            content,
            moment: moment(row.position),
            number: self.stands.len(),
            leaves: Vec::new(),
        };
        self.stands.push(Stand {
            position: row.position,
            recorded_at: row.recorded_at,
        });
        let start = self.codes.len();
        self.codes.push(0);
        let mut row_shape = RowShape {
            time_given: row.body.time_given,
            ..RowShape::default()
        };
        if let Some(mark) = row.body.import {
            row_shape.mapping = Some(self.mapping(mark.mapping));
            self.codes.push(mark.repeat as u32);
            self.codes.push((mark.repeat >> 32) as u32);
            self.repeat_max = self.repeat_max.max(mark.repeat);
        }
        for place in 0..shape.members.len() {
            let member = self.member(shape, place, content);
            row_shape.members.push(member);
            self.member_leaves(member, place, shape, &mut current, texts, output)?;
        }
        let known = self.shape_numbers.get(&row_shape).copied();
        let number = known.unwrap_or_else(|| {
            let number = self.shapes.len() as u32;
            self.shapes.push(row_shape.clone());
            self.shape_numbers.insert(row_shape, number);
            number
        });
        if let Some(slot) = self.codes.get_mut(start) {
            *slot = number;
        }
        if current.number.is_multiple_of(4096) {
            self.heap = self.columns.iter().map(|column| column.gather.heap()).sum();
        }
        Ok(())
    }

    /// Takes a content apart, texts that look rendered too, unless their members prove too manifold.
    fn take(&mut self, content: &[u8], shape: &mut Shape) -> Option<()> {
        shape.take(content, &self.plain)?;
        let plain = self.plain.len();
        for found in shape.members.iter().filter(|found| found.rendered) {
            let name = content.get(found.name.clone())?;
            let number = self.member_numbers.get(name);
            let known = number.and_then(|number| self.members.get(*number));
            let manifold = known.is_some_and(|member| {
                member.templates.len() >= RENDERED_MAX
                    && !member.numbers.contains_key(shape.template(found))
            });
            if manifold {
                self.plain.push(name.to_vec());
            }
        }
        match self.plain.len() > plain {
            true => shape.take(content, &self.plain),
            false => Some(()),
        }
    }

    fn mapping(&mut self, name: &str) -> usize {
        let known = self.mappings.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.mappings.push(name.to_owned());
            self.mappings.len() - 1
        })
    }

    /// The number of a member's key.
    fn member(&mut self, shape: &Shape, place: usize, content: &[u8]) -> usize {
        let name = shape.members.get(place).map(|member| member.name.clone());
        let name = name.and_then(|name| content.get(name)).unwrap_or_default();
        if let Some(number) = self.member_numbers.get(name) {
            return *number;
        }
        self.members.push(MemberShapes {
            name: name.to_vec(),
            ..MemberShapes::default()
        });
        self.member_numbers
            .insert(name.to_vec(), self.members.len() - 1);
        self.members.len() - 1
    }

    /// Numbers the template and the leaves of one member.
    fn member_leaves(
        &mut self,
        member: usize,
        place: usize,
        shape: &Shape,
        current: &mut Current<'_>,
        texts: &mut TextWriter,
        output: &mut Output<'_>,
    ) -> Result<()> {
        let Some(found) = shape.members.get(place) else {
            return Ok(());
        };
        let whole = [Leaf {
            mark: Mark::Long,
            range: found.whole.clone(),
        }];
        let apart = match self.heap > HEAP_MAX {
            true => None,
            false => self.template(member, shape.template(found)),
        };
        let (number, leaves) = match apart {
            Some(number) => {
                let leaves = shape.leaves.get(found.leaves.clone());
                (number, leaves.unwrap_or_default())
            }
            None => {
                let number = self.template(member, &[Mark::Long as u8]);
                (number.unwrap_or(0), whole.as_slice())
            }
        };
        self.codes.push(number);
        let columns = self
            .members
            .get(member)
            .and_then(|member| member.templates.get(number as usize))
            .map(|template| Arc::clone(&template.columns))
            .unwrap_or_default();
        let mut before: Before = None;
        for (column, leaf) in columns.iter().zip(leaves) {
            let range = leaf.range.clone();
            let code = self.leaf(*column, range, &mut before, current, texts, output)?;
            self.codes.push(code);
        }
        Ok(())
    }

    /// The number of a template; `None` where a member has too many already.
    fn template(&mut self, member: usize, text: &[u8]) -> Option<u32> {
        let shapes = self.members.get_mut(member)?;
        if let Some(number) = shapes.numbers.get(text) {
            return Some(*number);
        }
        let whole = text == [Mark::Long as u8];
        if !whole && shapes.templates.len() >= TEMPLATES_MAX {
            return None;
        }
        let paths = paths(text);
        if !whole && self.columns.len() + paths.len() > COLUMNS_MAX {
            return None;
        }
        let name = shapes.name.clone();
        let columns = paths.into_iter().map(|path| {
            // A member that is whole has no path of its own.
            let mut full = name.clone();
            full.push(b'\n');
            full.extend_from_slice(&path);
            let mark = path
                .last()
                .copied()
                .and_then(Mark::of)
                .unwrap_or(Mark::Long);
            *self.column_numbers.entry(full).or_insert_with(|| {
                self.columns.push(Column {
                    mark,
                    gather: Gather::new(),
                    last: None,
                });
                self.columns.len() - 1
            })
        });
        let columns: Arc<[usize]> = columns.collect();
        let shapes = self.members.get_mut(member)?;
        let number = shapes.templates.len() as u32;
        shapes.numbers.insert(text.to_vec(), number);
        shapes.templates.push(Template {
            text: text.to_vec(),
            columns,
        });
        Some(number)
    }

    /// The code of one leaf.
    fn leaf(
        &mut self,
        number: usize,
        range: Range<usize>,
        before: &mut Before,
        current: &mut Current<'_>,
        texts: &mut TextWriter,
        output: &mut Output<'_>,
    ) -> Result<u32> {
        let value = current.content.get(range.clone()).unwrap_or_default();
        let copied = self.is_copy(number, value, current);
        let previous = core::mem::take(before);
        let Some(column) = self.columns.get_mut(number) else {
            return Ok(0);
        };
        column.last = Some((current.number, range.clone()));
        current.leaves.push((number, range));
        let gather = &mut column.gather;
        if gather.reference == Reference::Unseen {
            gather.reference = match previous {
                Some((other, _)) if other != number => Reference::Derived(other, Vec::new()),
                _ => Reference::None,
            };
        }
        if copied {
            gather.hits += 1;
            return Ok(COPIED);
        }
        let value_number = match column.mark {
            Mark::Long => texts.push(value, output)?,
            _ => gather.number(value, self.keys.hash(value), &current.moment),
        };
        let interned = gather.is_interned();
        *before = (interned && column.mark != Mark::Long).then_some((number, value_number));
        if gather.retired {
            gather.misses += 1;
            return Ok(value_number);
        }
        let followed = match (&mut gather.reference, previous) {
            (Reference::Derived(other, map), Some((found, at))) if *other == found && interned => {
                let at = at as usize;
                if map.len() <= at {
                    map.resize(at + 1, u32::MAX);
                }
                match map.get_mut(at) {
                    Some(slot) if *slot == u32::MAX => {
                        *slot = value_number;
                        true
                    }
                    Some(slot) => *slot == value_number,
                    None => false,
                }
            }
            _ => false,
        };
        if followed {
            gather.hits += 1;
            gather.hit_len += value.len() as u64;
            return Ok(DERIVED);
        }
        gather.misses += 1;
        gather.retired = match gather.reference {
            Reference::Copy(_) => gather.misses > gather.hits + 16,
            _ => gather.misses > gather.hits / 4 + 64,
        };
        Ok(value_number)
    }

    /// Whether a leaf equals the one its column copies; the first leaf of a column decides which.
    fn is_copy(&mut self, number: usize, value: &[u8], current: &Current<'_>) -> bool {
        let reference = self
            .columns
            .get(number)
            .map(|column| &column.gather.reference);
        let source = match reference {
            Some(Reference::Copy(source)) => *source,
            Some(Reference::Unseen) if value.len() >= COPY_MIN => {
                let found = current.leaves.iter().find(|(other, range)| {
                    *other != number && current.content.get(range.clone()) == Some(value)
                });
                let Some((source, _)) = found else {
                    return false;
                };
                let source = *source;
                if let Some(column) = self.columns.get_mut(number) {
                    column.gather.reference = Reference::Copy(source);
                }
                source
            }
            _ => return false,
        };
        let retired = self
            .columns
            .get(number)
            .is_none_or(|column| column.gather.retired);
        let last = self
            .columns
            .get(source)
            .and_then(|column| column.last.as_ref());
        !retired
            && last.is_some_and(|(row, range)| {
                *row == current.number && current.content.get(range.clone()) == Some(value)
            })
    }
}

/// The letters that begin a ULID of this moment.
pub(super) fn moment(position: Position) -> [u8; ULID_TIME] {
    let text = EventId::new(position).to_text();
    let start = "evt_".len();
    text.get(start..start + ULID_TIME)
        .and_then(|letters| letters.try_into().ok())
        .unwrap_or([0; ULID_TIME])
}
