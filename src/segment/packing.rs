//! Decides how each column of gathered rows is stored, by what that takes, and turns the rows into
//! bits. A leaf that nothing else tells is a number in a dictionary, an integer, letters, or the
//! number of a long text: whichever is smallest over the whole column.

use super::builder::Builder;
use super::builder::Column;
use super::builder::Texts;
use super::classes::NumberWriter;
use super::classes::Numbering;
use super::codes::Code;
use super::gather;
use super::letters::Alphabet;
use super::letters::Codes;
use super::letters::Fixed;
use super::letters::FixedCodes;
use super::letters::ULID;
use super::letters::moment;
use super::recorded::Recorded;
use super::schema;
use super::schema::Base;
use super::schema::SchemaWriter;
use super::shape::Mark;
use super::shelf::Shelf;
use super::spelled_time::SpelledTime;
use super::spelled_time::Times;
use super::term_values::TermValues;
use super::walk::Counts;
use super::walk::Take;
use super::walk::Walk;
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
    /// The dictionaries that terms name values of.
    pub(super) term_values: TermValues,
    plans: Plans,
}

/// Who writes rows, and how far that is.
pub(super) struct RowPacker {
    walk: Walk,
    /// A value that had to be put together.
    scratch: Vec<u8>,
}

/// How everything in a row is written.
struct Plans {
    shapes: NumberWriter,
    repeat_width: u32,
    /// By member.
    templates: Vec<NumberWriter>,
    columns: Vec<Plan>,
}

/// A row on its way into bits.
struct RowWriter<'p> {
    plans: &'p Plans,
    columns: &'p [Column],
    position: Position,
    scratch: &'p mut Vec<u8>,
    out: &'p mut BitWriter,
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
    Ranks(Vec<u32>, NumberWriter),
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
        let counts = Counts::of(&builder, &kept);
        let mut shelf = Shelf::new(texts, u64::from(builder.stands.len()));
        let mut ranks = Vec::new();
        let mut bases = Vec::new();
        let told = builder.columns.iter().zip(&kept).zip(pinned);
        for (((column, kept), pinned), counts) in told.zip(&counts.leaves) {
            let (base, places) = base(column, *kept, pinned, text_width, counts, &mut shelf)?;
            bases.push(base);
            ranks.push(places);
        }
        let mut dictionaries = shelf.bytes;
        let columns = columns(&builder, &kept, &ranks, bases, &mut dictionaries);
        let mut plans = Vec::with_capacity(columns.len());
        let told = builder.columns.iter_mut().zip(kept).zip(ranks);
        let mut term_values = TermValues::default();
        let paths = builder.paths.values();
        for (number, (((column, kept), ranks), stored)) in (0..).zip(told.zip(&columns)) {
            if matches!(stored.base, Base::Dictionary(_)) {
                term_values.add(paths.get(number), number, &mut column.gather.values, &ranks);
            }
            plans.push(Plan {
                kept,
                flagged: stored.reference != schema::Reference::None && !stored.always,
                form: Form::new(&stored.base, ranks, &mut column.gather),
            });
        }
        let (shape_numbers, _) = Numbering::of(&counts.shapes);
        let schema = SchemaWriter {
            mappings: core::mem::take(&mut builder.mappings),
            members: members(&mut builder, &counts.templates),
            shapes: shapes(&builder),
            shape_numbers,
            repeat_width: bits::width_of(builder.repeat_max),
            recorded: Recorded::of(&builder.stands),
            columns,
        };
        let templates = schema.members.iter();
        Ok(Packing {
            plans: Plans {
                shapes: schema.shape_numbers.writer(),
                repeat_width: schema.repeat_width,
                templates: templates.map(|(_, numbers)| numbers.writer()).collect(),
                columns: plans,
            },
            schema,
            dictionaries,
            term_values,
            builder,
        })
    }

    pub(super) const fn builder(&self) -> &Builder {
        &self.builder
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.builder.stands.len() as usize
    }

    /// Whether rows can be left out by who writes them.
    pub(super) const fn any_order(&self) -> bool {
        self.builder.arrived.is_some()
    }

    /// Who begins with the first row.
    pub(super) fn row_packer(&self) -> RowPacker {
        RowPacker {
            walk: Walk::new(&self.builder),
            scratch: Vec::new(),
        }
    }

    /// Appends the bits of the next row, which stands at `position`.
    pub(super) fn write_row(&self, at: &mut RowPacker, position: Position, out: &mut BitWriter) {
        let mut row = RowWriter {
            plans: &self.plans,
            columns: &self.builder.columns,
            position,
            scratch: &mut at.scratch,
            out,
        };
        at.walk.row(&self.builder, &mut row);
    }
}

impl RowPacker {
    /// Leaves rows to others.
    pub(super) const fn skip(&mut self, rows: usize) {
        self.walk.skip(rows);
    }
}

impl Take for RowWriter<'_> {
    fn shape(&mut self, number: u64, repeat: Option<u64>) {
        self.plans.shapes.put(number, self.out);
        if let Some(repeat) = repeat {
            self.out.put(repeat, self.plans.repeat_width);
        }
    }

    fn template(&mut self, member: usize, number: u64) {
        if let Some(templates) = self.plans.templates.get(member) {
            templates.put(number, self.out);
        }
    }

    fn leaf(&mut self, column: usize, code: Code, number: Option<u32>) {
        let plan = self.plans.columns.get(column);
        let (Some(plan), Some(column)) = (plan, self.columns.get(column)) else {
            return;
        };
        let by_reference = code == Code::Copied || (code == Code::Derived && plan.kept);
        if plan.flagged {
            self.out.put(u64::from(by_reference), 1);
        }
        if !by_reference {
            let value = Value {
                gather: &column.gather,
                number: number.unwrap_or(0),
                position: self.position,
            };
            plan.form.write(value, self.scratch, self.out);
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
            Base::Dictionary(dictionary) => Form::Ranks(ranks, dictionary.numbering.writer()),
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
            Form::Ranks(ranks, numbers) => {
                let rank = ranks.get(value.number as usize).copied().unwrap_or(0);
                numbers.put(u64::from(rank), out);
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
    counts: &[u32],
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
        let (numbering, bits) = Numbering::of(&offered.ranked(counts));
        let bits = bits + offered.len * 8;
        if derives || pinned || best.as_ref().is_none_or(|(least, _)| bits <= *least) {
            let (mut dictionary, ranks) = shelf.take(offered, &gather.values)?;
            dictionary.numbering = numbering;
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

/// The templates of each member, and how they are numbered.
fn members(builder: &mut Builder, counts: &[Vec<u32>]) -> Vec<schema::StoredMember> {
    let members = builder.members.iter_mut().zip(counts);
    let members = members.map(|(member, counts)| {
        let templates = member.templates.iter_mut();
        let templates = templates.map(|template| {
            let text = core::mem::take(&mut template.text);
            (text, template.columns.to_vec())
        });
        (templates.collect(), Numbering::of(counts).0)
    });
    members.collect()
}

fn shapes(builder: &Builder) -> Vec<(bool, Option<usize>, Vec<usize>)> {
    let shapes = builder.shapes.iter();
    shapes
        .map(|shape| (shape.time_given, shape.mapping, shape.members.clone()))
        .collect()
}
