//! The contents of a segment's rows taken apart without being parsed: where its pieces stand is
//! known from reading a row, and what they hold from the outline of each template, which is made
//! when a row first has it.

use std::sync::OnceLock;

use super::notes::Cuts;
use super::schema::Base;
use super::schema::NO_COLUMN;
use super::schema::Reference;
use super::schema::Schema;
use crate::codec::content::Behind;
use crate::codec::content::Located;
use crate::codec::content::Outline;
use crate::codec::content::Piece;

/// The outlines of all templates.
#[derive(Debug)]
pub(super) struct Outlines(Vec<OnceLock<Option<Box<Outline>>>>);

impl Outlines {
    pub(super) fn new(schema: &Schema) -> Outlines {
        Outlines(
            (0..schema.templates_len())
                .map(|_| OnceLock::new())
                .collect(),
        )
    }

    /// Finds the members of `text`, the content that `cuts` are of, of whose leaves strings hold
    /// every byte as it is. `None` where it has to be parsed to know; then `located` is of no use.
    pub(super) fn locate<'a>(
        &'a self,
        schema: &Schema,
        text: &'a str,
        cuts: &'a Cuts,
        located: &mut Located<'a>,
    ) -> Option<()> {
        *located = Located::of(text, &cuts.starts);
        let mut next = 0;
        for (template, first) in &cuts.members {
            let outline = self.0.get(*template as usize)?;
            let outline = outline.get_or_init(|| outline_of(schema, *template).map(Box::new));
            let outline = outline.as_deref()?;
            // Every field once and in order, the first one among them.
            if outline.field() < next || next == 0 && outline.field() > 0 {
                return None;
            }
            next = outline.field() + 1;
            located.add(outline, *first)?;
        }
        (next > 0).then_some(())
    }
}

fn outline_of(schema: &Schema, template: u32) -> Option<Outline> {
    let pieces = schema.steps(template)?.iter().map(|step| {
        let start = step.start as usize;
        Some(Piece {
            literal: schema.literals.get(start..start + step.len as usize)?,
            behind: match step.column {
                NO_COLUMN => Behind::Nothing,
                column => behind(schema, column),
            },
        })
    });
    Outline::of(&pieces.collect::<Option<Vec<Piece<'_>>>>()?)
}

/// What the leaves of a column are known to be.
fn behind(schema: &Schema, column: u32) -> Behind {
    let column = schema.columns.get(column as usize);
    let is_number = column.is_some_and(|column| {
        matches!(column.base, Base::Integer { .. })
            && !matches!(column.reference, Reference::Copy(_))
    });
    match is_number {
        true => Behind::Number,
        false => Behind::Leaf,
    }
}
