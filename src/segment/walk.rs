//! The gathered rows of a segment once more, number after number. A leaf that follows from another
//! one gets its number here. They are walked twice: to count how often each number is met, and to
//! write them.

use std::sync::Arc;

use super::builder::Builder;
use super::builder::Column;
use super::codes::Code;
use super::codes::CodeReader;
use super::gather::Reference;
use super::shape::Mark;

/// Rows that came in any order: where the codes of each begin, and which of them follows which.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    starts: Vec<usize>,
    /// In reading order, once all are there.
    order: Arc<[u32]>,
}

/// Where a walk stands.
#[derive(Debug)]
pub(super) struct Walk {
    /// Rows so far.
    rows: usize,
    /// Where the next row begins in the builder's codes, if rows lie there in order.
    at: usize,
    /// The number of the last value of each column.
    last: Vec<u32>,
    /// How many values of each column came so far, and how many long texts.
    values: Vec<u32>,
    texts: u32,
}

/// Takes what a row is made of, in order.
pub(super) trait Take {
    /// The row's shape and, with a mapping, its repeat.
    fn shape(&mut self, number: u64, repeat: Option<u64>);
    /// The template of a member.
    fn template(&mut self, member: usize, number: u64);
    /// A leaf: what tells it, and the number of its value unless it is a copy.
    fn leaf(&mut self, column: usize, code: Code, number: Option<u32>);
}

/// How often each number stands in the rows.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) shapes: Vec<u32>,
    /// By member.
    pub(super) templates: Vec<Vec<u32>>,
    /// By column; nothing of values without numbers.
    pub(super) leaves: Vec<Vec<u32>>,
    /// The columns whose leaves are told by others where they can be.
    kept: Vec<bool>,
}

impl Arrived {
    /// Adds a row whose codes begin at `at`, and gives its number.
    pub(super) fn add(&mut self, at: usize) -> u32 {
        self.starts.push(at);
        self.starts.len() as u32 - 1
    }

    pub(super) const fn len(&self) -> usize {
        self.starts.len()
    }

    /// Says in which order all rows are read.
    pub(super) fn arrange(&mut self, order: &Arc<[u32]>) {
        self.order = Arc::clone(order);
    }

    /// Where the codes of the row begin that is read as number `place`.
    fn start(&self, place: usize) -> Option<usize> {
        let number = *self.order.get(place)?;
        self.starts.get(number as usize).copied()
    }
}

impl Walk {
    pub(super) fn new(builder: &Builder) -> Walk {
        let columns = builder.columns.len();
        Walk {
            rows: 0,
            at: 0,
            last: vec![u32::MAX; columns],
            values: vec![0; columns],
            texts: 0,
        }
    }

    /// Leaves out rows of those that came in any order.
    pub(super) const fn skip(&mut self, rows: usize) {
        self.rows += rows;
    }

    /// Hands on the next row.
    pub(super) fn row(&mut self, builder: &Builder, take: &mut impl Take) {
        let arrived = builder.arrived.as_ref();
        let at = arrived.map_or(Some(self.at), |arrived| arrived.start(self.rows));
        self.rows += 1;
        let mut codes = builder.codes.from(at.unwrap_or(self.at));
        let number = codes.next();
        let shape = builder.shapes.get(number as usize);
        let mapped = shape.is_some_and(|shape| shape.mapping.is_some());
        take.shape(number, mapped.then(|| codes.next()));
        for number in shape.iter().flat_map(|shape| &shape.members) {
            let Some(member) = builder.members.get(*number) else {
                continue;
            };
            let template = codes.next();
            take.template(*number, template);
            let template = member.templates.get(template as usize);
            for number in template.iter().flat_map(|template| template.columns.iter()) {
                if let Some(column) = builder.columns.get(*number) {
                    let (code, value) = self.leaf(*number, column, &mut codes);
                    take.leaf(*number, code, value);
                }
            }
        }
        self.at = builder.codes.len() - codes.left();
    }

    fn leaf(
        &mut self,
        number: usize,
        column: &Column,
        codes: &mut CodeReader<'_>,
    ) -> (Code, Option<u32>) {
        let code = codes.next_code();
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
        (code, told)
    }
}

/// The number of the value that follows from the leaf before.
fn derived(column: &Column, last: &[u32]) -> Option<u32> {
    let Reference::Derived(source, map) = &column.gather.reference else {
        return None;
    };
    map.get(*last.get(*source)? as usize).copied()
}

impl Counts {
    /// Counts all rows; `kept` says which columns are told by others.
    pub(super) fn of(builder: &Builder, kept: &[bool]) -> Counts {
        let mut counts = Counts {
            shapes: vec![0; builder.shapes.len()],
            kept: kept.to_vec(),
            ..Counts::default()
        };
        let members = builder.members.iter();
        counts.templates = members
            .map(|member| vec![0; member.templates.len()])
            .collect();
        let columns = builder.columns.iter().map(|column| match column.mark {
            Mark::Text | Mark::Plain if column.gather.is_interned() => {
                vec![0; column.gather.len()]
            }
            _ => Vec::new(),
        });
        counts.leaves = columns.collect();
        let mut walk = Walk::new(builder);
        (0..builder.stands.len()).for_each(|_| walk.row(builder, &mut counts));
        counts
    }
}

impl Take for Counts {
    fn shape(&mut self, number: u64, _: Option<u64>) {
        count(Some(&mut self.shapes), number);
    }

    fn template(&mut self, member: usize, number: u64) {
        count(self.templates.get_mut(member), number);
    }

    fn leaf(&mut self, column: usize, code: Code, number: Option<u32>) {
        let is_told = code == Code::Derived && self.kept.get(column).is_some_and(|kept| *kept);
        if let (Some(number), false) = (number, is_told) {
            count(self.leaves.get_mut(column), u64::from(number));
        }
    }
}

fn count(counts: Option<&mut Vec<u32>>, number: u64) {
    if let Some(count) = counts.and_then(|counts| counts.get_mut(number as usize)) {
        *count += 1;
    }
}
