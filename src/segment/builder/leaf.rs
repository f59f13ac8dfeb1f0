//! Takes in one leaf: a copy of another of its row, what follows from another, or a value of its own.

use core::ops::Range;

use super::Before;
use super::Builder;
use super::Current;
use super::Last;
use super::Texts;
use crate::error::Result;
use crate::segment::by_value::Valued;
use crate::segment::codes::Code;
use crate::segment::gather::Reference;
use crate::segment::known::UNKNOWN;
use crate::segment::shape::Mark;

/// Shorter leaves are not worth telling from others.
const COPY_MIN: usize = 4;

impl Builder {
    /// The code of one leaf. `known` is the number of its value, or [`UNKNOWN`], and becomes it.
    pub(super) fn leaf(
        &mut self,
        number: usize,
        range: Range<usize>,
        before: &mut Before,
        known: &mut u32,
        content: &[u8],
        texts: &mut Texts<'_, '_>,
    ) -> Result<Code> {
        let value = content.get(range.clone()).unwrap_or_default();
        let copied = self.is_copy(number, value, content);
        let copied_value = self.copied_value(number).filter(|_| copied);
        let previous = core::mem::take(before);
        let Current {
            moment,
            number: row,
            leaves,
            ..
        } = &mut self.current;
        let (Some(column), Some(last)) = (self.columns.get_mut(number), self.last.get_mut(number))
        else {
            return Ok(Code::Copied);
        };
        *last = Last {
            row: *row,
            range: range.clone(),
            value: None,
            is: copied_value,
        };
        leaves.push((number, range));
        let gather = &mut column.gather;
        if copied {
            gather.hits += 1;
            return Ok(Code::Copied);
        }
        gather.begin_deriving(number, previous);
        let remembered = Some(*known).filter(|number| *number != UNKNOWN);
        let (value_number, is_new) = match (column.mark, remembered) {
            (Mark::Long, Some(number)) => (number, false),
            (Mark::Long, None) => texts.writer.push(value, texts.output)?,
            _ => gather.number(value, remembered, self.keys, moment),
        };
        *known = value_number;
        if gather.is_interned() && column.mark != Mark::Long {
            *before = Some((number, value_number));
            last.value = Some(value_number);
            last.is = Some(Valued::new(number, value_number));
        }
        let source = match &gather.reference {
            Reference::Derived(source, _) => self.last.get(*source),
            _ => None,
        };
        let source = source.filter(|source| source.row == *row);
        let source = source.and_then(|source| source.value);
        if gather.follows(source, value_number, value.len()) {
            return Ok(Code::Derived);
        }
        // Only who walks the rows as they came can count what is new.
        Ok(match is_new && self.arrived.is_none() {
            true => Code::New,
            false => Code::Known(value_number),
        })
    }

    /// The value of the leaf that leaves of a column copy.
    fn copied_value(&self, number: usize) -> Option<Valued> {
        let column = self.columns.get(number)?;
        match column.gather.reference {
            Reference::Copy(source) => self.last.get(source)?.is,
            _ => None,
        }
    }

    /// Whether a leaf equals the one its column copies; the first leaf of a column decides which.
    fn is_copy(&mut self, number: usize, value: &[u8], content: &[u8]) -> bool {
        let Some(gather) = self
            .columns
            .get_mut(number)
            .map(|column| &mut column.gather)
        else {
            return false;
        };
        match gather.reference {
            Reference::Copy(source) if !gather.retired => {
                let last = self.last.get(source);
                last.is_some_and(|last| {
                    last.row == self.current.number
                        && content.get(last.range.clone()) == Some(value)
                })
            }
            Reference::Unseen if value.len() >= COPY_MIN => {
                let mut leaves = self.current.leaves.iter();
                let equal = leaves.find(|(other, range)| {
                    *other != number && content.get(range.clone()) == Some(value)
                });
                if let Some((source, _)) = equal {
                    gather.reference = Reference::Copy(*source);
                }
                // The last leaf of that column is the one that counts.
                equal.is_some() && self.is_copy(number, value, content)
            }
            _ => false,
        }
    }
}
