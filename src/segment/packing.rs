//! Decides how each column of gathered rows is stored, by what that takes, and turns the rows into
//! bits. A leaf that nothing else tells is a number in a dictionary, an integer, letters, or the
//! number of a long text: whichever is smallest over the whole column.

use super::builder::Builder;
use super::builder::Column;
use super::builder::Texts;
use super::codes::Code;
use super::codes::CodeReader;
use super::gather;
use super::letters::Alphabet;
use super::letters::Codes;
use super::letters::Fixed;
use super::letters::FixedCodes;
use super::letters::ULID;
use super::letters::moment;
use super::schema;
use super::schema::Base;
use super::schema::SchemaWriter;
use super::shape::Mark;
use super::shelf::Shelf;
use super::spelled_time::SpelledTime;
use super::spelled_time::Times;
use crate::codec::bits;
use crate::codec::bits::BitWriter;
use crate::error::Result;
use crate::id::Position;

/// How the rows of a segment are written.
pub(super) struct Packing {
    builder: Builder,
    pub(super) schema: SchemaWriter,
    /// The section of dictionaries.
    pub(super) dictionaries: Vec<u8>,
    shape_width: u32,
    leaves: Leaves,
    /// Where the next row begins in the builder's codes.
    at: usize,
}

/// How leaves are written, and what was written last.
struct Leaves {
    plans: Vec<Plan>,
    /// The number of the last value of each column.
    last: Vec<u32>,
    /// How many values of each column came so far, and how many long texts.
    values: Vec<u32>,
    texts: u32,
    /// The present row's place.
    position: Position,
    /// A value that had to be put together.
    scratch: Vec<u8>,
}

/// How one column is written.
struct Plan {
    kept: bool,
    /// A bit in the row says whether a leaf is told by another.
    flagged: bool,
    form: Form,
}

/// What stands for a leaf that nothing tells.
enum Form {
    Nothing,
    /// The place of each value in the dictionary.
    Ranks(Vec<u32>, u32),
    Integer(i64, u32),
    Time(SpelledTime, i64, u32),
    Fixed(FixedCodes),
    /// As it was packed in memory.
    Packed,
    Letters(Codes),
    Text(u32),
}

impl Packing {
    /// Plans all columns; `texts` is the number of long texts.
    pub(super) fn new(mut builder: Builder, texts: &mut Texts<'_, '_>) -> Result<Packing> {
        let text_width = bits::width_of(u64::from(texts.writer.len()).saturating_sub(1));
        let kept: Vec<bool> = (0..builder.columns.len())
            .map(|column| is_worth_it(&builder, column, text_width))
            .collect();
        let mut pinned = vec![false; builder.columns.len()];
        for (column, kept) in builder.columns.iter().zip(&kept) {
            if let (true, gather::Reference::Derived(source, _)) = (kept, &column.gather.reference)
                && let Some(pinned) = pinned.get_mut(*source)
            {
                *pinned = true;
            }
        }
        let mut shelf = Shelf::new(texts, u64::from(builder.stands.len()));
        let mut ranks = Vec::new();
        let mut bases = Vec::new();
        for ((column, kept), pinned) in builder.columns.iter().zip(&kept).zip(pinned) {
            let (base, places) = base(column, *kept, pinned, text_width, &mut shelf)?;
            bases.push(base);
            ranks.push(places);
        }
        let mut dictionaries = shelf.bytes;
        let columns = columns(&builder, &kept, &ranks, bases, &mut dictionaries);
        let mut plans = Vec::with_capacity(columns.len());
        let told = builder.columns.iter_mut().zip(kept).zip(ranks);
        for (((column, kept), ranks), stored) in told.zip(&columns) {
            plans.push(Plan {
                kept,
                flagged: stored.reference != schema::Reference::None && !stored.always,
                form: Form::new(&stored.base, ranks, &mut column.gather),
            });
        }
        let schema = SchemaWriter {
            mappings: core::mem::take(&mut builder.mappings),
            members: templates(&mut builder),
            shapes: shapes(&builder),
            repeat_width: bits::width_of(builder.repeat_max),
            columns,
        };
        Ok(Packing {
            shape_width: bits::width_of((builder.shapes.len() as u64).saturating_sub(1)),
            leaves: Leaves {
                last: vec![u32::MAX; plans.len()],
                values: vec![0; plans.len()],
                texts: 0,
                position: Position::FIRST,
                scratch: Vec::new(),
                plans,
            },
            schema,
            dictionaries,
            at: 0,
            builder,
        })
    }

    pub(super) const fn builder(&self) -> &Builder {
        &self.builder
    }

    /// Appends the bits of the next row, which stands at `position`.
    pub(super) fn write_row(&mut self, position: Position, out: &mut BitWriter) {
        self.leaves.position = position;
        let mut codes = self.builder.codes.from(self.at);
        let shape = codes.next();
        out.put(shape, self.shape_width);
        let shape = self.schema.shapes.get(shape as usize);
        if let Some((_, Some(_), _)) = shape {
            out.put(codes.next(), self.schema.repeat_width);
        }
        for member in shape.iter().flat_map(|(.., members)| members) {
            let Some(templates) = self.schema.members.get(*member) else {
                continue;
            };
            let template = codes.next();
            let width = bits::width_of((templates.len() as u64).saturating_sub(1));
            out.put(template, width);
            let columns = templates.get(template as usize);
            for column in columns.iter().flat_map(|(_, columns)| columns) {
                self.leaves
                    .write(*column, &self.builder.columns, &mut codes, out);
            }
        }
        self.at = self.builder.codes.len() - codes.left();
    }
}

impl Leaves {
    /// Appends the next leaf of a column.
    fn write(
        &mut self,
        number: usize,
        columns: &[Column],
        codes: &mut CodeReader<'_>,
        out: &mut BitWriter,
    ) {
        let code = codes.next_code();
        let (Some(plan), Some(column)) = (self.plans.get(number), columns.get(number)) else {
            return;
        };
        let values = match column.mark {
            Mark::Long => Some(&mut self.texts),
            _ => self.values.get_mut(number),
        };
        let next = values.as_deref().copied().unwrap_or(0);
        let told = match code {
            Code::Copied => None,
            Code::Derived => derived(column, &self.last),
            Code::New => Some(next),
            Code::Known(number) => Some(number),
        };
        if let (Some(values), true) = (values, told == Some(next)) {
            *values += 1;
        }
        if let Some(last) = self.last.get_mut(number) {
            *last = told.unwrap_or(u32::MAX);
        }
        let by_reference = code == Code::Copied || (code == Code::Derived && plan.kept);
        if plan.flagged {
            out.put(u64::from(by_reference), 1);
        }
        if !by_reference {
            let value = Value {
                gather: &column.gather,
                number: told.unwrap_or(0),
                position: self.position,
            };
            plan.form.write(value, &mut self.scratch, out);
        }
    }
}

/// A value of a column.
struct Value<'c> {
    gather: &'c gather::Gather,
    number: u32,
    position: Position,
}

impl<'c> Value<'c> {
    fn text<'v>(&self, scratch: &'v mut Vec<u8>) -> &'v [u8]
    where
        'c: 'v,
    {
        let Some(raw) = &self.gather.raw else {
            return self.gather.values.get(self.number);
        };
        scratch.clear();
        raw.read(self.number, || moment(self.position), scratch);
        scratch
    }
}

impl Form {
    /// How leaves of this base are written. What is not needed for it is let go.
    fn new(base: &Base, ranks: Vec<u32>, gather: &mut gather::Gather) -> Form {
        let raw = gather.raw.as_ref();
        let form = match base {
            Base::None => Form::Nothing,
            Base::Dictionary(dictionary) => Form::Ranks(ranks, dictionary.width),
            Base::Integer { low, width } => Form::Integer(*low, *width),
            Base::Time {
                spelling,
                low,
                width,
            } => Form::Time(*spelling, *low, *width),
            Base::Fixed(fixed) if raw.is_some_and(|raw| raw.is_packed_as(fixed)) => Form::Packed,
            Base::Fixed(fixed) => Form::Fixed(fixed.codes()),
            Base::Letters(alphabet) => Form::Letters(alphabet.codes()),
            Base::Text { width } => Form::Text(*width),
        };
        gather.let_go(matches!(form, Form::Ranks(..)));
        form
    }

    fn write(&self, value: Value<'_>, scratch: &mut Vec<u8>, out: &mut BitWriter) {
        match self {
            Form::Nothing => {}
            Form::Ranks(ranks, width) => {
                let rank = ranks.get(value.number as usize).copied().unwrap_or(0);
                out.put(u64::from(rank), *width);
            }
            Form::Integer(low, width) => {
                let number = gather::integer(value.text(scratch)).unwrap_or(*low);
                out.put(number.wrapping_sub(*low).cast_unsigned(), *width);
            }
            Form::Time(spelling, low, width) => {
                let distance = spelling.distance(value.text(scratch), value.position);
                let above = distance.unwrap_or(*low).wrapping_sub(*low);
                out.put(above.cast_unsigned(), *width);
            }
            Form::Fixed(codes) => codes.write(value.text(scratch), out),
            Form::Packed => {
                let raw = value.gather.raw.as_ref();
                raw.into_iter().for_each(|raw| raw.copy(value.number, out));
            }
            Form::Letters(codes) => codes.write(value.text(scratch), out),
            Form::Text(width) => out.put(u64::from(value.number), *width),
        }
    }
}

/// The number of the value that follows from the leaf before.
fn derived(column: &Column, last: &[u32]) -> Option<u32> {
    let gather::Reference::Derived(source, map) = &column.gather.reference else {
        return None;
    };
    map.get(*last.get(*source)? as usize).copied()
}

/// Whether telling the leaves of a column from others saves more than it takes.
fn is_worth_it(builder: &Builder, number: usize, text_width: u32) -> bool {
    let Some(Column { gather, mark, .. }) = builder.columns.get(number) else {
        return false;
    };
    let source = match &gather.reference {
        gather::Reference::Copy(_) => return gather.hits > 0,
        gather::Reference::Derived(source, _) => builder.columns.get(*source),
        _ => return false,
    };
    let Some(source) = source.filter(|source| source.gather.is_interned() && gather.is_interned())
    else {
        return false;
    };
    let width = match mark {
        Mark::Long => text_width,
        _ => bits::width_of((gather.len() as u64).saturating_sub(1)),
    };
    let flags = if gather.misses > 0 {
        gather.hits + gather.misses
    } else {
        0
    };
    let table = source.gather.len() as u64 * u64::from(width);
    gather.hits * u64::from(width) > flags + table
}

/// The smallest way to store a column's leaves, and the places of its values if it is a dictionary.
fn base(
    column: &Column,
    kept: bool,
    pinned: bool,
    text_width: u32,
    shelf: &mut Shelf<'_, '_, '_>,
) -> Result<(Base, Vec<u32>)> {
    let gather = &column.gather;
    if column.mark == Mark::Long {
        return Ok((Base::Text { width: text_width }, Vec::new()));
    }
    if gather.len() == 0 {
        return Ok((Base::None, Vec::new()));
    }
    let derives = kept && matches!(gather.reference, gather::Reference::Derived(..));
    let (leaves, len) = match (&gather.reference, derives) {
        (gather::Reference::Copy(_), _) | (_, true) => {
            (gather.misses, gather.total_len - gather.hit_len)
        }
        _ => (gather.hits + gather.misses, gather.total_len),
    };
    let places = gather.form.places.as_deref();
    let fixed = |ulid: bool| {
        let ulid = ulid && gather.form.ulid && places.is_some_and(|places| places.len() >= ULID);
        places.map(|places| Fixed::new(places, ulid))
    };
    let mut best: Option<(u64, Base)> = None;
    let mut offer = |bits: u64, base: Base| {
        if best.as_ref().is_none_or(|(least, _)| bits < *least) {
            best = Some((bits, base));
        }
    };
    if let Some(fixed) = fixed(true) {
        offer(leaves * fixed.width() as u64, Base::Fixed(fixed));
    }
    if let Some((low, high)) = gather.form.integer {
        let width = bits::width_of(high.wrapping_sub(low).cast_unsigned());
        offer(leaves * u64::from(width), Base::Integer { low, width });
    }
    if let Times::Spelled(spelling, low, high) = gather.form.times {
        let width = bits::width_of(high.wrapping_sub(low).cast_unsigned());
        let time = Base::Time {
            spelling,
            low,
            width,
        };
        offer(leaves * u64::from(width), time);
    }
    let alphabet: Alphabet = gather.form.letters().alphabet();
    let letters =
        leaves * alphabet.text_len(0) + len * (alphabet.text_len(1) - alphabet.text_len(0));
    offer(letters, Base::Letters(alphabet));
    if gather.is_interned() {
        let offered = shelf.offer(&gather.values, fixed(false))?;
        let bits = leaves * u64::from(offered.dictionary.width) + offered.len * 8;
        if derives || pinned || best.as_ref().is_none_or(|(least, _)| bits <= *least) {
            let (dictionary, ranks) = shelf.take(offered, &gather.values)?;
            return Ok((Base::Dictionary(dictionary), ranks));
        }
        shelf.leave(&offered);
    }
    Ok((best.map_or(Base::None, |(_, base)| base), Vec::new()))
}

/// The columns as the schema tells them; the tables of derived ones join the dictionaries.
fn columns(
    builder: &Builder,
    kept: &[bool],
    ranks: &[Vec<u32>],
    bases: Vec<Base>,
    dictionaries: &mut Vec<u8>,
) -> Vec<schema::Column> {
    let mut columns = Vec::with_capacity(bases.len());
    let told = builder.columns.iter().zip(kept).zip(ranks);
    for (((column, kept), places), base) in told.zip(bases) {
        let gather = &column.gather;
        let reference = match &gather.reference {
            gather::Reference::Copy(source) if *kept => schema::Reference::Copy(*source as u32),
            gather::Reference::Derived(source, map) if *kept => {
                let at = dictionaries.len() as u64;
                let width = match &base {
                    Base::Dictionary(dictionary) => dictionary.width,
                    Base::Text { width } => *width,
                    _ => 0,
                };
                let from = ranks.get(*source).map(Vec::as_slice).unwrap_or_default();
                write_table(map, from, places, width, dictionaries);
                schema::Reference::Derived(*source as u32, at)
            }
            _ => schema::Reference::None,
        };
        columns.push(schema::Column {
            always: reference != schema::Reference::None && gather.misses == 0,
            reference,
            base,
        });
    }
    columns
}

/// Writes for each value of the source, in the order of its dictionary, the value that follows.
fn write_table(map: &[u32], source_ranks: &[u32], ranks: &[u32], width: u32, out: &mut Vec<u8>) {
    let mut table = vec![0; source_ranks.len()];
    for (number, value) in map
        .iter()
        .enumerate()
        .filter(|(_, value)| **value != u32::MAX)
    {
        let slot = source_ranks
            .get(number)
            .and_then(|rank| table.get_mut(*rank as usize));
        if let Some(slot) = slot {
            // Long texts have no dictionary: their numbers are their places.
            *slot = ranks.get(*value as usize).copied().unwrap_or(*value);
        }
    }
    let mut packed = BitWriter::default();
    table
        .iter()
        .for_each(|value| packed.put(u64::from(*value), width));
    packed.flush(out);
}

fn templates(builder: &mut Builder) -> Vec<Vec<(Vec<u8>, Vec<usize>)>> {
    let members = builder.members.iter_mut().map(|member| {
        let templates = member.templates.drain(..);
        templates
            .map(|template| (template.text, template.columns.to_vec()))
            .collect()
    });
    members.collect()
}

fn shapes(builder: &Builder) -> Vec<(bool, Option<usize>, Vec<usize>)> {
    let shapes = builder.shapes.iter();
    shapes
        .map(|shape| (shape.time_given, shape.mapping, shape.members.clone()))
        .collect()
}
