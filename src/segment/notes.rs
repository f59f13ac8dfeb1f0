//! What is noted of a row while it is read: nothing where its text is all that is wanted, where its
//! pieces stand for whoever takes it apart, how it was put together for a merge.

use core::ops::Range;

/// Told of the pieces of a row in their order.
pub(super) trait Note {
    /// Whether it matters that strings hold all leaves as they are.
    const CUTS: bool = false;
    /// A row begins, of this shape.
    fn begin(&mut self, shape: u32);
    /// A member begins that has this template, counted through all members.
    fn member(&mut self, template: u32);
    /// A literal begins here in the text.
    fn literal(&mut self, at: usize);
    /// A leaf of a column stands here; `value` is the number of its value, if it has one.
    fn leaf(&mut self, column: u32, range: Range<usize>, value: Option<u32>);
    /// The last member ends here.
    fn end(&mut self, at: usize);
}

/// Where the pieces of a row stand.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    /// Where each literal begins, and where the last member ends.
    pub(super) starts: Vec<u32>,
    /// The template of each member, and its first literal.
    pub(super) members: Vec<(u32, u32)>,
}

/// How a row was put together, for whoever takes it apart again.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) shape: u32,
    /// The template of each member, counted through all members.
    pub(super) templates: Vec<u32>,
    pub(super) leaves: Vec<TracedLeaf>,
}

/// A leaf of a row: its column, where it stands in the content, and the number of its value, if it
/// has one.
#[derive(Clone, Debug)]
pub(super) struct TracedLeaf {
    pub(super) column: u32,
    pub(super) range: Range<usize>,
    pub(super) value: Option<u32>,
}

impl Note for () {
    #[inline(always)]
    fn begin(&mut self, _: u32) {}
    #[inline(always)]
    fn member(&mut self, _: u32) {}
    #[inline(always)]
    fn literal(&mut self, _: usize) {}
    #[inline(always)]
    fn leaf(&mut self, _: u32, _: Range<usize>, _: Option<u32>) {}
    #[inline(always)]
    fn end(&mut self, _: usize) {}
}

impl Note for Cuts {
    const CUTS: bool = true;

    fn begin(&mut self, _: u32) {
        self.starts.clear();
        self.members.clear();
    }

    #[inline(always)]
    fn member(&mut self, template: u32) {
        self.members.push((template, self.starts.len() as u32));
    }

    #[inline(always)]
    fn literal(&mut self, at: usize) {
        self.starts.push(at as u32);
    }

    #[inline(always)]
    fn leaf(&mut self, _: u32, _: Range<usize>, _: Option<u32>) {}

    fn end(&mut self, at: usize) {
        self.starts.push(at as u32);
    }
}

impl Note for Trace {
    fn begin(&mut self, shape: u32) {
        self.shape = shape;
        self.templates.clear();
        self.leaves.clear();
    }

    fn member(&mut self, template: u32) {
        self.templates.push(template);
    }

    fn literal(&mut self, _: usize) {}

    fn leaf(&mut self, column: u32, range: Range<usize>, value: Option<u32>) {
        self.leaves.push(TracedLeaf {
            column,
            range,
            value,
        });
    }

    fn end(&mut self, _: usize) {}
}
