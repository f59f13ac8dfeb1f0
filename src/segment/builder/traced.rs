//! Gathers rows that a reader of another segment put together, by the numbers they were made of.

use std::sync::Arc;

use super::Builder;
use super::HEAP_MAX;
use super::Texts;
use crate::codec::row::Row;
use crate::error::Result;
use crate::segment::known::Known;
use crate::segment::known::UNKNOWN;
use crate::segment::notes::Trace;
use crate::segment::notes::TracedLeaf;
use crate::segment::shape::Leaf;
use crate::segment::shape::Shape;

impl Builder {
    /// Takes in the next older row, which another segment's reader put together as `trace` says.
    pub(in crate::segment) fn push_traced(
        &mut self,
        row: &Row<'_>,
        trace: &Trace,
        known: &mut Known,
        shape: &mut Shape,
        texts: &mut Texts<'_, '_>,
    ) -> Result<()> {
        let Some(number) = self.known_shape(trace, known) else {
            self.push(row, shape, texts)?;
            let alike = |(leaf, traced): (&Leaf, &TracedLeaf)| leaf.range == traced.range;
            if shape.leaves.len() == trace.leaves.len()
                && shape.leaves.iter().zip(&trace.leaves).all(alike)
            {
                let number = self.current.shape_number;
                known.learn(trace, number, &self.current.templates);
            }
            return Ok(());
        };
        self.begin(row);
        self.put_head(number, row);
        let content = row.body.content.as_bytes();
        let mut leaves = trace.leaves.iter();
        let mut parts = core::mem::take(&mut self.current.parts);
        parts.clear();
        for (place, template) in trace.templates.iter().enumerate() {
            let template = known.template(*template).unwrap_or(0);
            let columns = self.columns_of(number, place, template);
            for (column, leaf) in columns.iter().zip(&mut leaves) {
                let value = known.value(leaf).map_or(UNKNOWN, |value| *value);
                self.current.ahead.add(*column, leaf.range.clone(), value);
            }
            parts.push((template, columns));
        }
        self.put_leaves(&parts, content, texts)?;
        self.current.parts = parts;
        let numbers = self.current.ahead.numbers();
        for (leaf, number) in trace.leaves.iter().zip(numbers) {
            if let Some(value) = known.value(leaf) {
                *value = number;
            }
        }
        self.weigh();
        Ok(())
    }

    /// The number of a traced row's shape, if all that it is made of was met before in this input
    /// and nothing is taken apart otherwise by now.
    fn known_shape(&self, trace: &Trace, known: &Known) -> Option<u32> {
        let plain = !self.plain.is_empty() || self.heap > HEAP_MAX;
        let number = known.shape(trace.shape).filter(|_| !plain)?;
        let mut templates = trace.templates.iter();
        let all = templates.all(|template| known.template(*template).is_some());
        all.then_some(number)
    }

    /// The columns of a template of the member at `place` of a shape.
    fn columns_of(&self, shape: u32, place: usize, template: u32) -> Arc<[usize]> {
        let shape = self.shapes.get(shape as usize);
        let member = shape.and_then(|shape| shape.members.get(place));
        let member = member.and_then(|member| self.members.get(*member));
        let template = member.and_then(|member| member.templates.get(template as usize));
        template
            .map(|template| Arc::clone(&template.columns))
            .unwrap_or_default()
    }
}
