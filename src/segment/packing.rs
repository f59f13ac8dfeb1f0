//! Decides how each column of gathered rows is stored, by what that takes, and turns the rows into
//! bits. A leaf that nothing else tells is a number in a dictionary, an integer, letters, or the
//! number of a long text: whichever is smallest over the whole column.

use super::builder::Builder;
use super::builder::Column;
use super::dictionary::Dictionary;
use super::gather;
use super::gather::COPIED;
use super::gather::DERIVED;
use super::letters::Alphabet;
use super::letters::Fixed;
use super::letters::ULID;
use super::schema;
use super::schema::Base;
use super::schema::SchemaWriter;
use super::shape::Mark;
use crate::codec::bits;
use crate::codec::bits::BitWriter;

/// How the rows of a segment are written.
pub(super) struct Packing {
    builder: Builder,
    plans: Vec<Plan>,
    pub(super) schema: SchemaWriter,
    /// The section of dictionaries.
    pub(super) dictionaries: Vec<u8>,
    shape_width: u32,
    /// Where the next row begins in the builder's codes.
    at: usize,
    /// The number of the last value of each column.
    last: Vec<u32>,
}

/// How one column is written.
struct Plan {
    kept: bool,
    /// The place of each value in the dictionary.
    ranks: Vec<u32>,
}

impl Packing {
    /// Plans all columns; `texts` is the number of long texts.
    pub(super) fn new(mut builder: Builder, texts: u32) -> Packing {
        let text_width = bits::width_of(u64::from(texts).saturating_sub(1));
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
        let mut dictionaries = Vec::new();
        let mut plans = Vec::new();
        let mut bases = Vec::new();
        for ((column, kept), pinned) in builder.columns.iter().zip(kept).zip(pinned) {
            let (base, ranks) = base(column, kept, pinned, text_width, &mut dictionaries);
            bases.push(base);
            plans.push(Plan { kept, ranks });
        }
        let columns = columns(&builder, &plans, bases, &mut dictionaries);
        let schema = SchemaWriter {
            mappings: core::mem::take(&mut builder.mappings),
            members: templates(&mut builder),
            shapes: shapes(&builder),
            repeat_width: bits::width_of(builder.repeat_max),
            columns,
        };
        Packing {
            shape_width: bits::width_of((builder.shapes.len() as u64).saturating_sub(1)),
            last: vec![u32::MAX; plans.len()],
            plans,
            schema,
            dictionaries,
            at: 0,
            builder,
        }
    }

    pub(super) const fn builder(&self) -> &Builder {
        &self.builder
    }

    fn code(&mut self) -> u32 {
        self.at += 1;
        self.builder.codes.get(self.at - 1).copied().unwrap_or(0)
    }

    /// Appends the bits of the next row.
    pub(super) fn write_row(&mut self, out: &mut BitWriter) {
        let shape = self.code();
        out.put(u64::from(shape), self.shape_width);
        let Some((_, mapping, members)) = self.schema.shapes.get(shape as usize) else {
            return;
        };
        let members = members.clone();
        if mapping.is_some() {
            let repeat = u64::from(self.code()) | u64::from(self.code()) << 32;
            out.put(repeat, self.schema.repeat_width);
        }
        for member in members {
            let template = self.code() as usize;
            let Some(templates) = self.schema.members.get(member) else {
                continue;
            };
            let width = bits::width_of((templates.len() as u64).saturating_sub(1));
            out.put(template as u64, width);
            let columns = templates
                .get(template)
                .map_or(0, |(_, columns)| columns.len());
            for place in 0..columns {
                let templates = self.schema.members.get(member);
                let column = templates
                    .and_then(|templates| templates.get(template)?.1.get(place))
                    .copied();
                let code = self.code();
                if let Some(column) = column {
                    self.write_leaf(column, code, out);
                }
            }
        }
    }

    fn write_leaf(&mut self, number: usize, code: u32, out: &mut BitWriter) {
        let (Some(plan), Some(column), Some(stored)) = (
            self.plans.get(number),
            self.builder.columns.get(number),
            self.schema.columns.get(number),
        ) else {
            return;
        };
        let told = match code {
            COPIED => None,
            DERIVED => derived(column, &self.last),
            code => Some(code),
        };
        if let Some(last) = self.last.get_mut(number) {
            *last = told.unwrap_or(u32::MAX);
        }
        let by_reference = code == COPIED || (code == DERIVED && plan.kept);
        if stored.reference != schema::Reference::None && !stored.always {
            out.put(u64::from(by_reference), 1);
        }
        if by_reference {
            return;
        }
        let value = told.unwrap_or(0);
        match &stored.base {
            Base::None => {}
            Base::Dictionary(dictionary) => {
                let rank = plan.ranks.get(value as usize).copied().unwrap_or(0);
                out.put(u64::from(rank), dictionary.width);
            }
            Base::Integer { low, width } => {
                let text = core::str::from_utf8(column.gather.values.get(value));
                let number = text.ok().and_then(|text| text.parse().ok()).unwrap_or(*low);
                out.put(number.wrapping_sub(*low).cast_unsigned(), *width);
            }
            Base::Fixed(fixed) => fixed.write(column.gather.values.get(value), out),
            Base::Letters(alphabet) => alphabet.write(column.gather.values.get(value), out),
            Base::Text { width } => out.put(u64::from(value), *width),
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
        _ => bits::width_of((gather.values.len() as u64).saturating_sub(1)),
    };
    let flags = if gather.misses > 0 {
        gather.hits + gather.misses
    } else {
        0
    };
    let table = source.gather.values.len() as u64 * u64::from(width);
    gather.hits * u64::from(width) > flags + table
}

/// The smallest way to store a column's leaves, and the places of its values if it is a dictionary.
fn base(
    column: &Column,
    kept: bool,
    pinned: bool,
    text_width: u32,
    dictionaries: &mut Vec<u8>,
) -> (Base, Vec<u32>) {
    let gather = &column.gather;
    if column.mark == Mark::Long {
        return (Base::Text { width: text_width }, Vec::new());
    }
    if gather.values.len() == 0 {
        return (Base::None, Vec::new());
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
    let alphabet: Alphabet = gather.form.letters.alphabet();
    let letters =
        leaves * alphabet.text_len(0) + len * (alphabet.text_len(1) - alphabet.text_len(0));
    offer(letters, Base::Letters(alphabet));
    if gather.is_interned() {
        let (dictionary, ranks, len) = dictionary(column, fixed(false), dictionaries);
        let bits = leaves * u64::from(dictionary.width) + len * 8;
        if derives || pinned || best.as_ref().is_none_or(|(least, _)| bits <= *least) {
            return (Base::Dictionary(dictionary), ranks);
        }
        dictionaries.truncate(dictionaries.len() - len as usize);
    }
    (best.map_or(Base::None, |(_, base)| base), Vec::new())
}

/// Writes the dictionary of a column; gives its length too.
fn dictionary(
    column: &Column,
    fixed: Option<Fixed>,
    dictionaries: &mut Vec<u8>,
) -> (Dictionary, Vec<u32>, u64) {
    let values = &column.gather.values;
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_unstable_by(|one, other| values.get(*one).cmp(values.get(*other)));
    let mut ranks = vec![0; order.len()];
    for (rank, number) in order.iter().enumerate() {
        if let Some(slot) = ranks.get_mut(*number as usize) {
            *slot = rank as u32;
        }
    }
    let before = dictionaries.len();
    let sorted = order.iter().map(|number| values.get(*number));
    let dictionary = Dictionary::write(sorted, fixed, dictionaries);
    (dictionary, ranks, (dictionaries.len() - before) as u64)
}

/// The columns as the schema tells them; the tables of derived ones join the dictionaries.
fn columns(
    builder: &Builder,
    plans: &[Plan],
    bases: Vec<Base>,
    dictionaries: &mut Vec<u8>,
) -> Vec<schema::Column> {
    let mut columns = Vec::with_capacity(bases.len());
    for ((column, plan), base) in builder.columns.iter().zip(plans).zip(bases) {
        let gather = &column.gather;
        let reference = match &gather.reference {
            gather::Reference::Copy(source) if plan.kept => schema::Reference::Copy(*source as u32),
            gather::Reference::Derived(source, map) if plan.kept => {
                let at = dictionaries.len() as u64;
                let ranks = plans.get(*source).map(|plan| plan.ranks.as_slice());
                let width = match &base {
                    Base::Dictionary(dictionary) => dictionary.width,
                    Base::Text { width } => *width,
                    _ => 0,
                };
                write_table(
                    map,
                    ranks.unwrap_or_default(),
                    &plan.ranks,
                    width,
                    dictionaries,
                );
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
