//! Accepted events that are in no segment yet, in commit order, with the index that a scan needs.
//! Rows are only ever added; a reader looks at a fixed number of them, so it never sees one that a
//! crash could take back. The order, the term lists and the fingerprints' table are built when first
//! asked for: an append pays for none of them, and a bulk load that nobody reads never does.

mod chunk;
mod prints;
mod view;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::Mutex;
use parking_lot::MutexGuard;
use parking_lot::RwLock;

pub(crate) use chunk::Entry;
pub(crate) use view::View;

use self::chunk::Chunk;
use self::prints::Prints;
use crate::codec::row::Fingerprints;
use crate::codec::row::Row;
use crate::filter::indexed;
use crate::id::Position;
use crate::id::Sequence;

/// Bytes that a row takes beside its content: its entry and its share of the tables.
const ROW_OVERHEAD: usize = 208;

/// Rows in commit order, from one sequence number on without a gap.
pub(crate) struct Memtable {
    first_seq: Sequence,
    rows: RwLock<Rows>,
    index: Mutex<Index>,
    printed: Mutex<Printed>,
}

#[derive(Default)]
struct Rows {
    /// Each with the number of its first row.
    full: Vec<(usize, Arc<Chunk>)>,
    /// Takes the rows behind those, under the lock.
    active: Chunk,
    active_first: usize,
    /// The mappings that rows were imported by.
    mappings: Vec<Arc<str>>,
    bytes: usize,
}

/// The rows whose fingerprints were looked at so far.
#[derive(Default)]
struct Printed {
    len: usize,
    keys: Prints,
    origins: Prints,
}

/// What has been indexed so far; `terms` lists row numbers in commit order.
#[derive(Default)]
struct Index {
    indexed: usize,
    terms: BTreeMap<Box<[u8]>, Vec<u32>>,
    view: Option<Arc<View>>,
}

impl Rows {
    /// The one copy of a mapping's name.
    fn mapping(&mut self, name: &str) -> Arc<str> {
        let known = self.mappings.iter().find(|known| known.as_ref() == name);
        known.map(Arc::clone).unwrap_or_else(|| {
            let name: Arc<str> = Arc::from(name);
            self.mappings.push(Arc::clone(&name));
            name
        })
    }

    fn len(&self) -> usize {
        self.active_first + self.active.len()
    }

    fn push(&mut self, row: &Row<'_>, fingerprints: Fingerprints) {
        let content = row.body.content.len();
        if !self.active.fits(content) {
            let next = self.active.next(content);
            let full = core::mem::replace(&mut self.active, next);
            if full.len() > 0 {
                let first = self.active_first;
                self.active_first += full.len();
                self.full.push((first, Arc::new(full)));
            }
        }
        self.bytes += content + ROW_OVERHEAD;
        let import = row.body.import;
        let mapping = import.map(|mark| self.mapping(mark.mapping));
        self.active.push(row, mapping, fingerprints);
    }

    fn entry(&self, number: usize) -> Option<Entry> {
        if let Some(place) = number.checked_sub(self.active_first) {
            return self.active.copy(place);
        }
        let behind = self.full.partition_point(|(first, _)| *first <= number);
        let (first, chunk) = self.full.get(behind.checked_sub(1)?)?;
        chunk.part(number - first)
    }

    /// All chunks with the numbers of their first rows, from the one with row `number` on.
    fn chunks(&self, number: usize) -> impl Iterator<Item = (usize, &Chunk)> {
        let full = self.full.iter().map(|(first, chunk)| (*first, &**chunk));
        let all = full.chain([(self.active_first, &self.active)]);
        all.filter(move |(first, chunk)| first + chunk.len() > number)
    }
}

impl Memtable {
    /// An empty table whose first row will have `first_seq`.
    pub(crate) fn new(first_seq: Sequence) -> Memtable {
        Memtable {
            first_seq,
            rows: RwLock::default(),
            index: Mutex::default(),
            printed: Mutex::default(),
        }
    }

    /// The sequence number of the first row.
    pub(crate) const fn first_seq(&self) -> Sequence {
        self.first_seq
    }

    /// Rows added so far, durable or not.
    pub(crate) fn len(&self) -> usize {
        self.rows.read().len()
    }

    /// Bytes the rows take in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.read().bytes
    }

    /// Adds the row that follows the last one. Rows come densely: a gap is a defect of the caller.
    pub(crate) fn push(&self, row: &Row<'_>, fingerprints: Fingerprints) {
        let mut rows = self.rows.write();
        let next = self.first_seq.0 + rows.len() as u64;
        assert_eq!(row.position.seq.0, next, "rows come densely");
        rows.push(row, fingerprints);
    }

    /// Says what all rows are found by, of a table that was filled without and that nobody else has
    /// looked at yet.
    pub(crate) fn set_fingerprints(&mut self, all: Vec<Fingerprints>) {
        let rows = self.rows.get_mut();
        assert_eq!(all.len(), rows.len(), "each row has its own");
        let mut all = all.into_iter();
        for (_, chunk) in &mut rows.full {
            let chunk = Arc::get_mut(chunk);
            chunk
                .expect("nobody else has it")
                .set_fingerprints(&mut all);
        }
        rows.active.set_fingerprints(&mut all);
    }

    /// The row of commit number `number` within the table.
    pub(crate) fn entry(&self, number: u32) -> Option<Entry> {
        self.rows.read().entry(number as usize)
    }

    /// Rows whose key or import mark has this fingerprint, in commit order.
    pub(crate) fn by_key(&self, fingerprint: u64) -> Vec<Entry> {
        let mut numbers: Vec<u32> = self.printed().keys.numbers(fingerprint).collect();
        numbers.reverse();
        let entries = numbers.into_iter().map(|number| self.entry(number));
        entries.flatten().collect()
    }

    /// Numbers of the rows whose key, import mark or origin has this fingerprint.
    pub(crate) fn numbers_by_fingerprint(&self, fingerprint: u64) -> Vec<u32> {
        let printed = self.printed();
        let keys = printed.keys.numbers(fingerprint);
        keys.chain(printed.origins.numbers(fingerprint)).collect()
    }

    /// The table of fingerprints, with those of all rows.
    fn printed(&self) -> MutexGuard<'_, Printed> {
        let mut printed = self.printed.lock();
        let rows = self.rows.read();
        for (first, chunk) in rows.chunks(printed.len) {
            let from = printed.len.saturating_sub(first);
            for fingerprints in chunk.fingerprints(from) {
                printed.keys.push(fingerprints.key);
                printed.origins.push(fingerprints.origin);
                printed.len += 1;
            }
        }
        printed
    }

    /// The reading order of the first `len` rows.
    pub(crate) fn view(&self, len: usize) -> Arc<View> {
        let mut index = self.index.lock();
        if let Some(view) = index.view.as_ref().filter(|view| view.len() == len) {
            return Arc::clone(view);
        }
        // Sorted without the lock on the rows, for which the next append would wait.
        let positions: Vec<Position> = {
            let rows = self.rows.read();
            let positions = rows.chunks(0).flat_map(|(_, chunk)| chunk.positions());
            positions.take(len).collect()
        };
        let view = Arc::new(View::of(positions));
        index.view = Some(Arc::clone(&view));
        view
    }

    /// The commit numbers below `len` of the rows that carry a term from `from` up to, but without,
    /// `to`; in commit order, each once.
    pub(crate) fn numbers_of_terms(&self, from: &[u8], to: Option<&[u8]>, len: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        self.each_term(from, to, len, |_, list| numbers.extend_from_slice(list));
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Calls `each` with every term from `from` up to, but without, `to`, and the commit numbers
    /// below `len` of its rows, in term order.
    pub(crate) fn each_term(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        len: usize,
        mut each: impl FnMut(&[u8], &[u32]),
    ) {
        let mut index = self.index.lock();
        self.index_up_to(&mut index, len);
        let to = to.map_or(Bound::Unbounded, Bound::Excluded);
        for (term, list) in index.terms.range::<[u8], _>((Bound::Included(from), to)) {
            let end = list.partition_point(|number| (*number as usize) < len);
            if let Some(list) = list.get(..end).filter(|list| !list.is_empty()) {
                each(term, list);
            }
        }
    }

    fn index_up_to(&self, index: &mut Index, len: usize) {
        while index.indexed < len {
            let number = index.indexed as u32;
            let Some(entry) = self.entry(number) else {
                return;
            };
            if let Some(content) = entry.row().content() {
                let terms = &mut index.terms;
                indexed::terms(&content, |term| match terms.get_mut(term) {
                    Some(list) => list.push(number),
                    None => drop(terms.insert(term.into(), vec![number])),
                });
            }
            index.indexed += 1;
        }
    }
}

#[cfg(test)]
mod tests;
