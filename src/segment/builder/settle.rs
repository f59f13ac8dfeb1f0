//! Takes some rows apart before any is taken in, to choose what leaves are told from.

use super::Builder;
use crate::segment::sample;
use crate::segment::shape::Mark;
use crate::segment::shape::Shape;

impl Builder {
    /// Chooses what leaves are told from by contents from all over the rows that will come.
    pub(in crate::segment) fn settle(&mut self, contents: &[String], shape: &mut Shape) {
        let mut rows = Vec::with_capacity(contents.len());
        for content in contents.iter().map(String::as_bytes) {
            let taken = shape.take(content, &self.plain);
            if taken
                .and_then(|()| self.keep_plain(content, shape))
                .is_none()
            {
                continue;
            }
            let mut leaves: Vec<(usize, &[u8])> = Vec::with_capacity(shape.leaves.len());
            for (place, found) in shape.members.iter().enumerate() {
                let member = self.member(shape, place, content);
                let template = self.template(member, shape.template(found));
                let member = self.members.get(member);
                let template = template
                    .zip(member)
                    .and_then(|(template, member)| member.templates.get(template as usize));
                let columns = template.map(|template| template.columns.iter());
                let found = shape.leaves.get(found.leaves.clone()).unwrap_or_default();
                let found = columns.into_iter().flatten().zip(found);
                let short = found.filter(|(_, leaf)| leaf.mark != Mark::Long);
                leaves.extend(short.filter_map(|(column, leaf)| {
                    Some((*column, content.get(leaf.range.clone())?))
                }));
            }
            rows.push(leaves);
        }
        for (column, reference) in sample::references(&rows) {
            if let Some(column) = self.columns.get_mut(column) {
                column.gather.reference = reference;
            }
        }
    }
}
