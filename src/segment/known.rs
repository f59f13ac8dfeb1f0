//! What a merge knows of one of its inputs: under which numbers the new segment has the shapes, the
//! templates and the values that the input's rows are made of. Learned row by row, so that a row
//! whose parts were met before is not taken apart as text, and a value is looked up once.

use super::builder::RENDERED_MAX;
use super::notes::Trace;
use super::notes::TracedLeaf;
use super::schema::Schema;

/// Stands for a number that was not met yet.
pub(super) const UNKNOWN: u32 = u32::MAX;
/// Of a template that is to be looked at anew each time.
const NEVER: u32 = u32::MAX - 1;

/// The new segment's numbers, by the input's own.
pub(super) struct Known {
    shapes: Vec<u32>,
    templates: Vec<u32>,
    /// By column.
    values: Vec<Vec<u32>>,
}

impl Known {
    /// Nothing yet of an input with this schema.
    pub(super) fn new(schema: &Schema) -> Known {
        // A member that proved manifold may have its texts whole in templates that others of the
        // same form do not fit.
        let templates = schema.template_counts().flat_map(|count| {
            let manifold = count as usize >= RENDERED_MAX;
            core::iter::repeat_n(if manifold { NEVER } else { UNKNOWN }, count as usize)
        });
        Known {
            shapes: vec![UNKNOWN; schema.shapes.len()],
            templates: templates.collect(),
            values: vec![Vec::new(); schema.columns.len()],
        }
    }

    pub(super) fn shape(&self, number: u32) -> Option<u32> {
        let found = self.shapes.get(number as usize).copied();
        found.filter(|found| *found != UNKNOWN)
    }

    pub(super) fn template(&self, place: u32) -> Option<u32> {
        let found = self.templates.get(place as usize).copied();
        found.filter(|found| *found < NEVER)
    }

    /// Where the number of a leaf's value is kept, if it has one.
    pub(super) fn value(&mut self, leaf: &TracedLeaf) -> Option<&mut u32> {
        let number = leaf.value? as usize;
        let values = self.values.get_mut(leaf.column as usize)?;
        if values.len() <= number {
            values.resize(number + 1, UNKNOWN);
        }
        values.get_mut(number)
    }

    /// Remembers what a row was made of there, and here.
    pub(super) fn learn(&mut self, trace: &Trace, shape: u32, templates: &[Option<u32>]) {
        if templates.len() != trace.templates.len() || templates.contains(&None) {
            return;
        }
        if let Some(slot) = self.shapes.get_mut(trace.shape as usize) {
            *slot = shape;
        }
        for (place, template) in trace.templates.iter().zip(templates) {
            if let (Some(slot), Some(number)) = (self.templates.get_mut(*place as usize), template)
                && *slot != NEVER
            {
                *slot = *number;
            }
        }
    }
}
