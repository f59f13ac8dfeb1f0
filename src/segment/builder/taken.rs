//! What the row that was taken in last was made of, for who gathers what rows are found by.

use super::Builder;
use super::ahead::Leaf;

/// A member of the present row, as it was taken in.
pub(in crate::segment) struct Taken<'b> {
    pub(in crate::segment) member: usize,
    pub(in crate::segment) name: &'b [u8],
    pub(in crate::segment) template: u32,
    /// It was taken in as it is, whatever it holds.
    pub(in crate::segment) is_whole: bool,
    pub(in crate::segment) leaves: &'b [Leaf],
}

impl Builder {
    /// The members of the row that was taken in last.
    pub(in crate::segment) fn taken(&self) -> impl Iterator<Item = Taken<'_>> {
        let shape = self.shapes.get(self.current.shape_number as usize);
        let members = shape.into_iter().flat_map(|shape| &shape.members);
        let mut place = 0;
        members
            .zip(self.current.taken.iter())
            .filter_map(move |(number, part)| {
                let (template, columns) = part;
                let member = self.members.get(*number)?;
                let start = place;
                place += columns.len();
                Some(Taken {
                    member: *number,
                    name: &member.name,
                    template: *template,
                    is_whole: member.whole == Some(*template),
                    leaves: self.current.ahead.leaves(start..place),
                })
            })
    }
}
