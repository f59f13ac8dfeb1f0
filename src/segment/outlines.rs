//! The contents of a segment's rows taken apart without being parsed: where its pieces stand is
//! known from reading a row, and what they hold from the outline of each template, which is made
//! when a row first has it.

use std::sync::OnceLock;

use super::dictionary::Store;
use super::schema::Base;
use super::schema::NO_COLUMN;
use super::schema::Reference;
use super::schema::Schema;
use crate::codec::content::Behind;
use crate::codec::content::Content;
use crate::codec::content::Outline;
use crate::codec::content::Piece;

/// The outlines of all templates.
#[derive(Debug)]
pub(super) struct Outlines(Vec<OnceLock<Option<Box<Outline>>>>);

/// Where the pieces of the row read last stand, if that is asked for.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    pub(super) wanted: bool,
    /// Where each literal begins, and where the last member ends.
    pub(super) starts: Vec<u32>,
    /// The template of each member, and its first literal.
    pub(super) members: Vec<(u32, u32)>,
}

impl Outlines {
    pub(super) fn new(schema: &Schema) -> Outlines {
        Outlines(
            (0..schema.templates_len())
                .map(|_| OnceLock::new())
                .collect(),
        )
    }

    /// Takes `text` apart, the content that `cuts` are of. `None` where it has to be parsed to know.
    pub(super) fn content<'a>(
        &self,
        schema: &Schema,
        text: &'a str,
        cuts: &Cuts,
    ) -> Option<Content<'a>> {
        let mut content = Content::default();
        let mut next = 0;
        for (place, (template, first)) in cuts.members.iter().enumerate() {
            let outline = self.0.get(*template as usize)?;
            let outline = outline.get_or_init(|| outline_of(schema, *template).map(Box::new));
            let outline = outline.as_deref()?;
            // Every field once and in order, the first one among them.
            if outline.field() < next || next == 0 && outline.field() > 0 {
                return None;
            }
            next = outline.field() + 1;
            let end = match cuts.members.get(place + 1) {
                Some((_, first)) => *first as usize + 1,
                None => cuts.starts.len(),
            };
            outline.put(text, cuts.starts.get(*first as usize..end)?, &mut content)?;
        }
        (next > 0).then_some(content)
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
    let Some(column) = schema.columns.get(column as usize) else {
        return Behind::Leaf;
    };
    if matches!(column.reference, Reference::Copy(_)) {
        return Behind::Leaf;
    }
    let is_clean = match &column.base {
        Base::Integer { .. } => return Behind::Number,
        Base::Time { .. } => true,
        Base::Fixed(fixed) => fixed.is_clean(),
        Base::Letters(alphabet) => alphabet.is_clean(),
        Base::Dictionary(dictionary) => match &dictionary.store {
            Store::Fixed(fixed) => fixed.is_clean(),
            Store::Texts | Store::Runs { .. } => false,
        },
        Base::None | Base::Text { .. } => false,
    };
    if is_clean {
        Behind::Clean
    } else {
        Behind::Leaf
    }
}
