//! Gathers the rows of a segment, taken apart into templates and numbered leaves, until all that
//! must be known of them is known. Long texts leave for the file at once.

mod ahead;
mod forms;
mod leaf;
mod settle;
mod taken;
mod traced;

use core::ops::Range;
use std::sync::Arc;

use self::ahead::Ahead;
use self::forms::Form;
use self::forms::Forms;
use self::forms::Part;
pub(super) use self::taken::Taken;
use super::by_value::Valued;
use super::codes::Codes;
use super::gather::Gather;
use super::gather::Moment;
use super::known::UNKNOWN;
use super::letters::ULID_TIME;
use super::letters::moment;
use super::output::Output;
use super::shape::Leaf;
use super::shape::Mark;
use super::shape::Shape;
use super::shape::paths;
use super::stands::Stands;
use super::texts::TextWriter;
use super::values::Interner;
use super::walk::Arrived;
use crate::codec::hash::Keys;
use crate::codec::row::Row;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Position;
use crate::time::Time;

/// Templates of one member, bytes of all, and columns of a segment; what comes beyond is kept whole.
const TEMPLATES_MAX: usize = 4096;
const TEMPLATES_HEAP_MAX: usize = 64 << 20;
const COLUMNS_MAX: usize = 4096;
/// Templates of one member beyond which rendered texts are no longer taken apart if one row in so many
/// brings another: they are prose. A log of Windows of 24,480 lines took 93 bytes a line where all
/// texts beyond that number were kept whole, and takes 79.
pub(super) const RENDERED_MAX: usize = 1024;
const RENDERED_ROWS: usize = 8;
/// Bytes of gathered values beyond which members are kept whole, so that no input takes more.
const HEAP_MAX: usize = 160 << 20;

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
    pub(super) templates: Vec<Template>,
    /// The template that takes the member as it is.
    whole: Option<u32>,
}

/// Which members a row has, and how it came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowShape {
    pub(super) time_given: bool,
    pub(super) mapping: Option<usize>,
    pub(super) members: Vec<usize>,
}

/// Everything gathered.
#[derive(Default)]
pub(super) struct Builder {
    /// In reading order.
    pub(super) stands: Stands,
    pub(super) codes: Codes,
    /// Where the codes of each row are, if rows do not come in reading order.
    pub(super) arrived: Option<Arrived>,
    pub(super) members: Vec<MemberShapes>,
    pub(super) shapes: Vec<RowShape>,
    pub(super) mappings: Vec<String>,
    pub(super) columns: Vec<Column>,
    pub(super) repeat_max: u64,
    names: Interner,
    /// Templates with the names of their members, and for each the member and its number there.
    texts: Interner,
    templates: Vec<(usize, u32)>,
    shape_texts: Interner,
    /// Of each column where it stands: the member's name, the path in it and the mark.
    pub(super) paths: Interner,
    /// Where the last leaf of each column stands.
    last: Vec<Last>,
    current: Current,
    keys: Keys,
    heap: usize,
    /// Names of members whose rendered texts are left as they are.
    plain: Vec<Vec<u8>>,
    forms: Forms,
}

/// A column.
pub(super) struct Column {
    pub(super) mark: Mark,
    pub(super) gather: Gather,
}

/// The row and the place of a leaf, and the number of its value unless it is a copy.
#[derive(Clone, Debug, Default)]
struct Last {
    row: u32,
    range: Range<usize>,
    value: Option<u32>,
    /// The value, also if it is a copy.
    is: Option<Valued>,
}

/// The leaf before another one of the same member: its column and the number of its value.
type Before = Option<(usize, u32)>;

/// The row that is being taken apart.
struct Current {
    moment: Moment,
    number: u32,
    shape: RowShape,
    shape_text: Vec<u8>,
    /// The template of each member that was taken apart.
    templates: Vec<Option<u32>>,
    leaves: Vec<(usize, Range<usize>)>,
    /// The number of its shape.
    shape_number: u32,
    /// The parts of a traced row, for their memory.
    parts: Vec<Part>,
    /// The parts of a row that was taken apart.
    taken: Arc<[Part]>,
    /// The values of all leaves.
    ahead: Ahead,
}

impl Default for Current {
    fn default() -> Current {
        Current {
            moment: Moment {
                position: Position::FIRST,
                ulid: [0; ULID_TIME],
            },
            number: 0,
            shape: RowShape::default(),
            shape_text: Vec::new(),
            templates: Vec::new(),
            leaves: Vec::new(),
            shape_number: 0,
            parts: Vec::new(),
            taken: Arc::default(),
            ahead: Ahead::default(),
        }
    }
}

/// Where long texts go.
pub(super) struct Texts<'w, 'f> {
    pub(super) writer: &'w mut TextWriter,
    pub(super) output: &'w mut Output<'f>,
}

impl Builder {
    /// Takes in the next older row.
    pub(super) fn push(
        &mut self,
        row: &Row<'_>,
        shape: &mut Shape,
        texts: &mut Texts<'_, '_>,
    ) -> Result<()> {
        let taken = shape.take(row.body.content.as_bytes(), &self.plain);
        taken.ok_or_else(|| no_object(row, texts))?;
        self.push_apart(row, shape, texts)
    }

    /// As [`Builder::push`], of a row that was taken apart with all names of [`Builder::plain`] in
    /// mind.
    pub(super) fn push_apart(
        &mut self,
        row: &Row<'_>,
        shape: &mut Shape,
        texts: &mut Texts<'_, '_>,
    ) -> Result<()> {
        let content = row.body.content.as_bytes();
        let kept = self.keep_plain(content, shape);
        kept.ok_or_else(|| no_object(row, texts))?;
        self.begin(row);
        let mapping = row.body.import.map(|mark| self.mapping(mark.mapping));
        let present = &mut self.current.shape;
        present.time_given = row.body.time_given;
        present.mapping = mapping;
        let form = self.forms.find(present, shape);
        let parts = match form.filter(|_| self.heap <= HEAP_MAX) {
            Some(form) => self.put_known(form, row, shape),
            None => self.put_new(row, shape, content),
        };
        self.put_leaves(&parts, content, texts)?;
        self.current.taken = parts;
        self.weigh();
        Ok(())
    }

    /// Takes in the present row but for its leaves, by what others of its form were; gives its parts.
    fn put_known(&mut self, form: Form, row: &Row<'_>, shape: &Shape) -> Arc<[Part]> {
        self.put_head(form.shape, row);
        let columns = form.parts.iter().flat_map(|(_, columns)| columns.iter());
        for (column, leaf) in columns.zip(&shape.leaves) {
            let range = leaf.range.clone();
            self.current.ahead.add(*column, range, UNKNOWN);
        }
        let templates = form.parts.iter().map(|(number, _)| Some(*number));
        self.current.templates.extend(templates);
        form.parts
    }

    /// The same, looking up each member and template; remembers the form if all were taken apart.
    fn put_new(&mut self, row: &Row<'_>, shape: &Shape, content: &[u8]) -> Arc<[Part]> {
        self.current.shape.members.clear();
        for place in 0..shape.members.len() {
            let member = self.member(shape, place, content);
            self.current.shape.members.push(member);
        }
        let number = self.shape();
        self.put_head(number, row);
        let parts = (0..shape.members.len()).filter_map(|place| self.part(place, shape));
        let parts: Arc<[Part]> = parts.collect();
        if !self.current.templates.contains(&None) {
            self.forms.add(Form {
                shape: number,
                parts: Arc::clone(&parts),
            });
        }
        parts
    }

    /// Takes in the leaves of all parts of the present row.
    fn put_leaves(
        &mut self,
        parts: &[Part],
        content: &[u8],
        texts: &mut Texts<'_, '_>,
    ) -> Result<()> {
        self.current.ahead.find(&self.columns, self.keys, content);
        let mut place = 0;
        for (number, columns) in parts {
            self.codes.put(*number);
            let mut before: Before = None;
            for column in columns.iter() {
                let (range, mut known) = self.current.ahead.found(place);
                let known = &mut known;
                let code = self.leaf(*column, range, &mut before, known, content, texts)?;
                self.codes.put_code(code);
                let value = self.last.get(*column).and_then(|last| last.is);
                self.current.ahead.learn(place, *known, value);
                place += 1;
            }
        }
        Ok(())
    }

    fn put_head(&mut self, shape: u32, row: &Row<'_>) {
        self.current.shape_number = shape;
        self.codes.put(shape);
        if let Some(mark) = row.body.import {
            self.codes.put_u64(mark.repeat);
            self.repeat_max = self.repeat_max.max(mark.repeat);
        }
    }

    fn weigh(&mut self) {
        if self.current.number.is_multiple_of(4096) {
            self.heap = self.columns.iter().map(|column| column.gather.heap()).sum();
        }
    }

    /// Makes `row` the present one.
    fn begin(&mut self, row: &Row<'_>) {
        self.current.moment = Moment {
            position: row.position,
            ulid: moment(row.position),
        };
        self.current.templates.clear();
        self.current.leaves.clear();
        self.current.ahead.clear();
        if let Some(arrived) = &mut self.arrived {
            self.current.number = arrived.add(self.codes.len());
            return;
        }
        self.current.number = self.stands.len();
        self.stands.push(Stand {
            position: row.position,
            recorded_at: row.recorded_at,
        });
    }

    /// Bytes of memory that is gathered, about.
    pub(super) fn memory(&self) -> usize {
        let columns = self.columns.iter().map(|column| column.gather.heap());
        let starts = self.arrived.as_ref().map_or(0, Arrived::len) * size_of::<usize>();
        self.codes.len() + starts + columns.sum::<usize>()
    }

    /// The number of the present row's shape.
    fn shape(&mut self) -> u32 {
        let Current {
            shape, shape_text, ..
        } = &mut self.current;
        shape_text.clear();
        shape_text.push(u8::from(shape.time_given));
        let mapping = shape.mapping.map_or(0, |mapping| mapping + 1);
        let parts = core::iter::once(&mapping).chain(&shape.members);
        parts.for_each(|part| shape_text.extend_from_slice(&(*part as u32).to_le_bytes()));
        let (number, is_new) = self.shape_texts.number(shape_text);
        if is_new {
            self.shapes.push(shape.clone());
        }
        number
    }

    /// Names of members whose rendered texts are left as they are; they only get more.
    pub(super) fn plain(&self) -> &[Vec<u8>] {
        &self.plain
    }

    /// Takes a content apart again if a member with rendered texts proves too manifold by it.
    fn keep_plain(&mut self, content: &[u8], shape: &mut Shape) -> Option<()> {
        let plain = self.plain.len();
        for found in shape.members.iter().filter(|found| found.rendered) {
            let name = content.get(found.name.clone())?;
            let number = self.names.find(name);
            let known = number.and_then(|number| self.members.get(number as usize));
            let manifold = known.is_some_and(|member| {
                let templates = member.templates.len();
                let most = templates >= TEMPLATES_MAX / 4 * 3
                    || templates * RENDERED_ROWS > self.current.number as usize;
                templates >= RENDERED_MAX
                    && most
                    && self.texts.find(shape.template(found)).is_none()
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
        let (number, is_new) = self.names.number(name);
        if is_new {
            self.members.push(MemberShapes {
                name: name.to_vec(),
                ..MemberShapes::default()
            });
        }
        number as usize
    }

    /// The template of one member and its columns; has its leaves looked up.
    fn part(&mut self, place: usize, shape: &Shape) -> Option<Part> {
        let member = self.current.shape.members.get(place).copied();
        let (found, member) = shape.members.get(place).zip(member)?;
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
            None => (self.whole(member), whole.as_slice()),
        };
        let whole = self.members.get(member).and_then(|member| member.whole);
        let learnt = apart.filter(|number| Some(*number) != whole);
        self.current.templates.push(learnt);
        let columns = self
            .members
            .get(member)
            .and_then(|member| member.templates.get(number as usize))
            .map(|template| Arc::clone(&template.columns))
            .unwrap_or_default();
        for (column, leaf) in columns.iter().zip(leaves) {
            let range = leaf.range.clone();
            self.current.ahead.add(*column, range, UNKNOWN);
        }
        Some((number, columns))
    }

    /// The number of a template; `None` where a member has too many already.
    fn template(&mut self, member: usize, text: &[u8]) -> Option<u32> {
        if text == [Mark::Long as u8] {
            return Some(self.whole(member));
        }
        // The text tells the member: its name stands in it.
        let known = self.texts.find(text);
        if let Some(known) = known {
            return self
                .templates
                .get(known as usize)
                .map(|(_, number)| *number);
        }
        let templates = self.members.get(member)?.templates.len();
        let paths = paths(text);
        let columns = self.columns.len() + paths.len();
        let is_full = templates >= TEMPLATES_MAX || self.texts.heap() > TEMPLATES_HEAP_MAX;
        if is_full || columns > COLUMNS_MAX {
            return None;
        }
        self.texts.number(text);
        let number = self.add_template(member, text, paths);
        self.templates.push((member, number));
        Some(number)
    }

    /// The number of the template that takes a member as it is.
    fn whole(&mut self, member: usize) -> u32 {
        let known = self.members.get(member).and_then(|member| member.whole);
        known.unwrap_or_else(|| {
            let text = [Mark::Long as u8];
            let number = self.add_template(member, &text, paths(&text));
            if let Some(member) = self.members.get_mut(member) {
                member.whole = Some(number);
            }
            number
        })
    }

    fn add_template(&mut self, member: usize, text: &[u8], paths: Vec<Vec<u8>>) -> u32 {
        let name = self.members.get(member).map(|member| member.name.clone());
        let columns = paths.into_iter().map(|path| {
            // A member that is whole has no path of its own.
            let mut full = name.clone().unwrap_or_default();
            full.push(b'\n');
            full.extend_from_slice(&path);
            let (number, is_new) = self.paths.number(&full);
            if is_new {
                let mark = path.last().copied().and_then(Mark::of);
                self.columns.push(Column {
                    mark: mark.unwrap_or(Mark::Long),
                    gather: Gather::new(),
                });
                self.last.push(Last {
                    row: u32::MAX,
                    ..Last::default()
                });
            }
            number as usize
        });
        let template = Template {
            text: text.to_vec(),
            columns: columns.collect(),
        };
        self.members.get_mut(member).map_or(0, |member| {
            member.templates.push(template);
            member.templates.len() as u32 - 1
        })
    }
}

fn no_object(row: &Row<'_>, texts: &Texts<'_, '_>) -> Error {
    let what = format!("the content of event {} is no object", row.position.seq);
    Error::new(ErrorKind::Corrupt, what).in_file(texts.output.file().path())
}
