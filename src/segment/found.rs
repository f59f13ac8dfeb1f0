//! The terms that an open segment was asked for last, each with its lists: whoever pages through a
//! filter, or looks at it again, asks every segment for the same terms, and to look one up takes
//! longer than to read the rows that a segment has of it. A segment does not change, so nothing
//! here is ever wrong.

use parking_lot::Mutex;

use super::terms::Rows;
use crate::codec::hash::Keys;

/// Terms that are remembered, each in the slot that its hash names.
const SLOTS: usize = 32;
/// Bytes of a term, and lists of one, that are remembered: some 6 KiB a segment.
const TERM_MAX: usize = 128;
const LISTS_MAX: usize = 2;

/// Terms with the lists that make up their rows.
#[derive(Default)]
pub(super) struct Found {
    keys: Keys,
    slots: Mutex<Vec<Option<Known>>>,
}

struct Known {
    term: Box<[u8]>,
    lists: Box<[Rows]>,
}

impl Found {
    /// The lists of `term`, if they are remembered; none are those of a term that no row has.
    pub(super) fn get(&self, term: &[u8]) -> Option<Vec<Rows>> {
        let slots = self.slots.lock();
        let known = slots.get(self.slot(term))?.as_ref()?;
        (*known.term == *term).then(|| known.lists.to_vec())
    }

    /// Remembers the lists of `term`, and forgets the term that had its slot.
    pub(super) fn put(&self, term: &[u8], lists: &[Rows]) {
        if term.len() > TERM_MAX || lists.len() > LISTS_MAX {
            return;
        }
        let mut slots = self.slots.lock();
        if slots.is_empty() {
            slots.resize_with(SLOTS, || None);
        }
        if let Some(slot) = slots.get_mut(self.slot(term)) {
            *slot = Some(Known {
                term: term.into(),
                lists: lists.into(),
            });
        }
    }

    fn slot(&self, term: &[u8]) -> usize {
        (self.keys.hash(term) % SLOTS as u64) as usize
    }
}
