//! Rows that have the same members in the same templates come to the same numbers but for their
//! values. What was found once for such a form is found again by one look-up, not two for each member.

use std::sync::Arc;

use super::RowShape;
use crate::segment::shape::Shape;
use crate::segment::values::Interner;

/// Forms that are remembered, and bytes of what tells one.
const FORMS_MAX: usize = 4096;
const BYTES_MAX: usize = 2048;

/// The number of a member's template, and its columns.
pub(super) type Part = (u32, Arc<[usize]>);

/// What rows of one form have in common.
#[derive(Clone)]
pub(super) struct Form {
    /// The number of the row's shape.
    pub(super) shape: u32,
    pub(super) parts: Arc<[Part]>,
}

/// The forms of rows so far.
#[derive(Default)]
pub(super) struct Forms {
    texts: Interner,
    forms: Vec<Form>,
    /// What tells the form of the present row.
    text: Vec<u8>,
}

impl Forms {
    /// Looks for the form of a row that came in like `came` and was taken apart into `shape`.
    pub(super) fn find(&mut self, came: &RowShape, shape: &Shape) -> Option<Form> {
        self.text.clear();
        self.text.push(u8::from(came.time_given));
        let mapping = came.mapping.map_or(0, |mapping| mapping as u32 + 1);
        self.text.extend_from_slice(&mapping.to_le_bytes());
        self.text
            .extend_from_slice(&(shape.members.len() as u32).to_le_bytes());
        for member in &shape.members {
            self.text
                .extend_from_slice(&(member.template.end as u32).to_le_bytes());
        }
        self.text.extend_from_slice(shape.templates());
        let number = self.texts.find(&self.text)?;
        self.forms.get(number as usize).cloned()
    }

    /// Remembers the form that was looked for last.
    pub(super) fn add(&mut self, form: Form) {
        if self.forms.len() < FORMS_MAX && self.text.len() <= BYTES_MAX {
            let (_, is_new) = self.texts.number(&self.text);
            if is_new {
                self.forms.push(form);
            }
        }
    }
}
