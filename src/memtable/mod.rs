//! Accepted events that are in no segment yet, in commit order, with the index that a scan needs.
//! Rows are only ever added; a reader looks at a fixed number of them, so it never sees one that a
//! crash could take back. The order and the term lists are built when first asked for: a bulk load
//! that nobody reads pays for neither.

mod prints;
mod view;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::Mutex;
use parking_lot::RwLock;

pub(crate) use view::View;

use self::prints::Prints;
use crate::codec::row::Body;
use crate::codec::row::Fingerprints;
use crate::codec::row::ImportMark;
use crate::codec::row::Row;
use crate::filter::indexed;
use crate::id::Position;
use crate::id::Sequence;
use crate::time::Time;

/// Bytes that a row takes beside its content: its entry and its share of the tables.
const ROW_OVERHEAD: usize = 208;

/// Rows in commit order, from one sequence number on without a gap.
pub(crate) struct Memtable {
    first_seq: Sequence,
    rows: RwLock<Rows>,
    index: Mutex<Index>,
}

#[derive(Default)]
struct Rows {
    entries: Vec<Arc<Entry>>,
    keys: Prints,
    origins: Prints,
    /// The mappings that rows were imported by.
    mappings: Vec<Arc<str>>,
    bytes: usize,
}

/// One row, and the fingerprints it is found by.
pub(crate) struct Entry {
    position: Position,
    recorded_at: Time,
    time_given: bool,
    /// The mapping that imported it, and how many records exactly like it came before.
    import: Option<(Arc<str>, u64)>,
    content: Box<str>,
    fingerprints: Fingerprints,
}

/// What has been indexed so far; `terms` lists row numbers in commit order.
#[derive(Default)]
struct Index {
    indexed: usize,
    terms: BTreeMap<Box<[u8]>, Vec<u32>>,
    view: Option<Arc<View>>,
}

impl Entry {
    /// The row.
    pub(crate) fn row(&self) -> Row<'_> {
        let import = self.import.as_ref();
        Row {
            position: self.position,
            recorded_at: self.recorded_at,
            body: Body {
                time_given: self.time_given,
                import: import.map(|(mapping, repeat)| ImportMark {
                    mapping,
                    repeat: *repeat,
                }),
                content: &self.content,
            },
        }
    }

    /// What the row is found by.
    pub(crate) const fn fingerprints(&self) -> Fingerprints {
        self.fingerprints
    }
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
}

impl Memtable {
    /// An empty table whose first row will have `first_seq`.
    pub(crate) fn new(first_seq: Sequence) -> Memtable {
        Memtable {
            first_seq,
            rows: RwLock::default(),
            index: Mutex::default(),
        }
    }

    /// The sequence number of the first row.
    pub(crate) const fn first_seq(&self) -> Sequence {
        self.first_seq
    }

    /// Rows added so far, durable or not.
    pub(crate) fn len(&self) -> usize {
        self.rows.read().entries.len()
    }

    /// Bytes the rows take in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.read().bytes
    }

    /// Adds the row that follows the last one. Rows come densely: a gap is a defect of the caller.
    pub(crate) fn push(&self, row: &Row<'_>, fingerprints: Fingerprints) {
        let content: Box<str> = Box::from(row.body.content);
        let mut rows = self.rows.write();
        let number = rows.entries.len() as u32;
        assert_eq!(
            row.position.seq.0,
            self.first_seq.0 + u64::from(number),
            "rows come densely"
        );
        rows.bytes += content.len() + ROW_OVERHEAD;
        rows.keys.push(fingerprints.key);
        rows.origins.push(fingerprints.origin);
        let import = row.body.import;
        let entry = Entry {
            position: row.position,
            recorded_at: row.recorded_at,
            time_given: row.body.time_given,
            import: import.map(|mark| (rows.mapping(mark.mapping), mark.repeat)),
            content,
            fingerprints,
        };
        rows.entries.push(Arc::new(entry));
    }

    /// The row of commit number `number` within the table.
    pub(crate) fn entry(&self, number: u32) -> Option<Arc<Entry>> {
        self.rows.read().entries.get(number as usize).cloned()
    }

    /// Rows whose key or import mark has this fingerprint, in commit order.
    pub(crate) fn by_key(&self, fingerprint: u64) -> Vec<Arc<Entry>> {
        let rows = self.rows.read();
        let numbers = rows.keys.numbers(fingerprint);
        let mut found: Vec<Arc<Entry>> = numbers
            .filter_map(|number| rows.entries.get(number as usize).cloned())
            .collect();
        found.reverse();
        found
    }

    /// Numbers of the rows whose key, import mark or origin has this fingerprint.
    pub(crate) fn numbers_by_fingerprint(&self, fingerprint: u64) -> Vec<u32> {
        let rows = self.rows.read();
        let keys = rows.keys.numbers(fingerprint);
        keys.chain(rows.origins.numbers(fingerprint)).collect()
    }

    /// The reading order of the first `len` rows.
    pub(crate) fn view(&self, len: usize) -> Arc<View> {
        let mut index = self.index.lock();
        if let Some(view) = index.view.as_ref().filter(|view| view.len() == len) {
            return Arc::clone(view);
        }
        // Sorted without the lock on the rows, for which the next append would wait.
        let positions: Vec<Position> = self
            .rows
            .read()
            .entries
            .iter()
            .take(len)
            .map(|entry| entry.position)
            .collect();
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
