//! Rows that have to be read before it is known whether they match: those of a set that an index
//! gave, less those whose texts do not hold the words asked for. The one kind of rows whose cost is
//! that of reading, so each row that is read is charged for as many index entries.

use std::sync::Arc;

use super::rows::Rows;
use super::rows::Step;
use super::rows::Walk;
use super::rows::Work;
use crate::error::Result;
use crate::filter::text;
use crate::snapshot::Kept;
use crate::snapshot::Source;
use crate::snapshot::event_of;

/// What reading a row counts for beside an index entry that is looked at.
const ROW_WORK: u64 = 64;

/// A set of rows whose texts are read.
pub(crate) struct Reading {
    inner: Rows,
    words: Vec<Word>,
    source: Arc<Source>,
    kept: Kept,
}

/// A word that texts have to hold, or must not.
pub(super) struct Word {
    /// Folded.
    pub(super) text: String,
    pub(super) negated: bool,
}

impl Reading {
    pub(super) fn of(inner: Rows, words: Vec<Word>, source: &Arc<Source>) -> Reading {
        Reading {
            inner,
            words,
            source: Arc::clone(source),
            kept: Kept::default(),
        }
    }

    /// As [`Rows::seek`].
    pub(super) fn seek(&mut self, row: u32, walk: Walk, work: &mut Work) -> Result<Step> {
        let mut at = row;
        loop {
            let found = match self.inner.seek(at, walk, work)? {
                Step::Row(found) => found,
                nothing => return Ok(nothing),
            };
            work.spend(ROW_WORK);
            if self.holds(walk.turn(found))? {
                return Ok(Step::Row(found));
            }
            at = found + 1;
            if work.is_spent() {
                return Ok(Step::Spent(at));
            }
        }
    }

    /// As [`Rows::retain`].
    pub(super) fn retain(&mut self, rows: &mut Vec<u32>, walk: Walk) -> Result<()> {
        self.inner.retain(rows, walk)?;
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows.drain(..) {
            if self.holds(walk.turn(row))? {
                kept.push(row);
            }
        }
        *rows = kept;
        Ok(())
    }

    /// As [`Rows::len_max`].
    pub(super) fn len_max(&self, walk: Walk) -> u64 {
        self.inner.len_max(walk)
    }

    /// Blocks that were read for the texts.
    pub(super) fn blocks_read(&self) -> u64 {
        self.kept.blocks_read()
    }

    fn holds(&mut self, row: u32) -> Result<bool> {
        let Reading {
            words,
            source,
            kept,
            ..
        } = self;
        source.read(row, kept, |row| {
            let may_hold = |word: &Word| text::may_hold(row.body.content.as_bytes(), &word.text);
            if words.iter().any(|word| !word.negated && !may_hold(word)) {
                return Ok(false);
            }
            let event = event_of(&row)?.event;
            let mut words = words.iter();
            Ok(words.all(|word| text::holds(&event, &word.text) != word.negated))
        })
    }
}
