//! Looks up the values of all leaves of a row before any of them is taken in, step by step for all at
//! once: tables of many columns lie far apart in memory, and waiting for one after the other was a
//! fifth of what writing a segment took.

use core::ops::Range;

use super::Column;
use crate::codec::hash::Keys;
use crate::segment::by_value::Valued;
use crate::segment::gather::Gather;
use crate::segment::known::UNKNOWN;
use crate::segment::shape::Mark;
use crate::segment::values::LookUp;

/// The leaves of the present row in order.
#[derive(Default)]
pub(super) struct Ahead(Vec<Leaf>);

/// A leaf of the present row.
pub(in crate::segment) struct Leaf {
    column: usize,
    pub(in crate::segment) range: Range<usize>,
    /// The number of its value, if that is known.
    number: u32,
    look_up: LookUp,
    /// The value that it is, be it that of a leaf it copies; `None` where values are not looked up.
    pub(in crate::segment) value: Option<Valued>,
}

impl Ahead {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds the next leaf; `number` is that of its value, or [`UNKNOWN`].
    pub(super) fn add(&mut self, column: usize, range: Range<usize>, number: u32) {
        self.0.push(Leaf {
            column,
            range,
            number,
            look_up: LookUp::default(),
            value: None,
        });
    }

    /// Looks for the numbers that are not known.
    pub(super) fn find(&mut self, columns: &[Column], keys: Keys, content: &[u8]) {
        self.each(columns, content, |leaf, gather, value| {
            leaf.look_up = gather.begin(value, keys);
        });
        self.each(columns, content, |leaf, gather, _| {
            leaf.look_up.approach(&gather.values);
        });
        self.each(columns, content, |leaf, gather, value| {
            let number = leaf.look_up.end(value, &gather.values);
            leaf.number = number.unwrap_or(UNKNOWN);
        });
    }

    /// Takes a step for each leaf whose number is not known, given its column and its value.
    #[inline]
    fn each(
        &mut self,
        columns: &[Column],
        content: &[u8],
        mut step: impl FnMut(&mut Leaf, &Gather, &[u8]),
    ) {
        for leaf in self.0.iter_mut().filter(|leaf| leaf.number == UNKNOWN) {
            let column = columns.get(leaf.column);
            let column = column.filter(|column| column.mark != Mark::Long);
            if let Some((column, value)) = column.zip(content.get(leaf.range.clone())) {
                step(leaf, &column.gather, value);
            }
        }
    }

    /// Where the leaf at `place` stands, and the number of its value, or [`UNKNOWN`].
    pub(super) fn found(&self, place: usize) -> (Range<usize>, u32) {
        let leaf = self.0.get(place);
        leaf.map_or((0..0, UNKNOWN), |leaf| (leaf.range.clone(), leaf.number))
    }

    /// Notes the number that the value of the leaf at `place` has now, and which value it is.
    pub(super) fn learn(&mut self, place: usize, number: u32, value: Option<Valued>) {
        if let Some(leaf) = self.0.get_mut(place) {
            leaf.number = number;
            leaf.value = value;
        }
    }

    /// The leaves at these places.
    pub(super) fn leaves(&self, places: Range<usize>) -> &[Leaf] {
        self.0.get(places).unwrap_or_default()
    }

    /// The number of each leaf's value, or [`UNKNOWN`].
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|leaf| leaf.number)
    }
}
