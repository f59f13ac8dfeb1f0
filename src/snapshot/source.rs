//! One segment or one memtable as a scan sees it: rows numbered newest first, with lists of rows
//! by term. Both kinds answer the same questions, so that nothing above asks which it is.

use core::ops::ControlFlow;
use core::ops::Range;
use std::sync::Arc;

use super::Pinned;
use super::Segments;
use crate::codec::content::Content;
use crate::codec::content::Located;
use crate::codec::content::Parts;
use crate::codec::fingerprint;
use crate::codec::row::Row;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::filter::expression::Leaf;
use crate::id::Position;
use crate::id::Sequence;
use crate::memtable::Memtable;
use crate::memtable::View;
use crate::segment::postings::Postings;
use crate::segment::reader::Loaded;
use crate::segment::reader::Reader;

/// A range of terms with more lists than this is joined at once instead of being walked lazily.
const LAZY_LISTS_MAX: usize = 16;

/// A readable source.
pub(crate) enum Source {
    /// A segment, pinned for as long as it is read.
    Segment {
        reader: Reader,
        _pinned: Arc<Pinned>,
    },
    /// The visible rows of a memtable.
    Memtable {
        table: Arc<Memtable>,
        view: Arc<View>,
    },
}

/// The block decoded last: neighbours of a row come from it without decoding again.
pub(crate) type Kept = Loaded;

/// The rows that a leaf of a filter names.
pub(crate) enum Listed {
    /// Ascending, each once.
    Rows(Vec<u32>),
    /// Lists to be walked lazily and joined.
    Postings(Vec<Postings>),
}

/// The event of a row.
pub(crate) fn event_of(row: &Row<'_>) -> Result<StoredEvent> {
    row.to_event().ok_or_else(|| no_event(row))
}

/// The content of a row, taken apart.
fn content_of<'a>(row: &Row<'a>) -> Result<Content<'a>> {
    row.content().ok_or_else(|| no_event(row))
}

/// What a row is refused with whose content is no event.
pub(crate) fn no_event(row: &Row<'_>) -> Error {
    let seq = row.position.seq;
    let what = format!("event {seq}: its content is no event");
    Error::new(ErrorKind::Corrupt, what)
}

impl Source {
    pub(crate) fn segment(pinned: Arc<Pinned>, segments: &Segments) -> Result<Source> {
        let reader = segments.reader(&pinned.entry)?;
        Ok(Source::Segment {
            reader,
            _pinned: pinned,
        })
    }

    pub(crate) fn memtable(table: Arc<Memtable>, len: usize) -> Source {
        let view = table.view(len);
        Source::Memtable { table, view }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u32 {
        match self {
            Source::Segment { reader, .. } => reader.rows(),
            Source::Memtable { view, .. } => view.len() as u32,
        }
    }

    /// The place in reading order of `row`.
    pub(crate) fn position(&self, row: u32, kept: &mut Kept) -> Result<Position> {
        match self {
            Source::Segment { reader, .. } => reader.position(row, kept),
            Source::Memtable { view, .. } => view.position(row).ok_or_else(|| no_row(row)),
        }
    }

    /// The first row at or before `position` in time; the number of rows if there is none.
    pub(crate) fn lower_bound(&self, position: Position, kept: &mut Kept) -> Result<u32> {
        match self {
            Source::Segment { reader, .. } => reader.lower_bound(position, kept),
            Source::Memtable { view, .. } => Ok(view.lower_bound(position)),
        }
    }

    /// Reads `row`.
    pub(crate) fn read<T>(
        &self,
        row: u32,
        kept: &mut Kept,
        read: impl FnOnce(Row<'_>) -> Result<T>,
    ) -> Result<T> {
        match self {
            Source::Segment { reader, .. } => read(reader.row(row, kept)?),
            Source::Memtable { table, view } => {
                let entry = view.number(row).and_then(|number| table.entry(number));
                let entry = entry.ok_or_else(|| no_row(row))?;
                read(entry.row())
            }
        }
    }

    /// Reads `row` with its content taken apart.
    pub(crate) fn read_parts<T>(
        &self,
        row: u32,
        kept: &mut Kept,
        read: impl FnOnce(Row<'_>, Parts<'_>) -> Result<T>,
    ) -> Result<T> {
        match self {
            Source::Segment { reader, .. } => {
                let mut located = Located::default();
                match reader.parts(row, kept, &mut located)? {
                    (row, true) => read(row, Parts::Located(&located)),
                    (row, false) => read(row, Parts::Parsed(&content_of(&row)?)),
                }
            }
            Source::Memtable { .. } => self.read(row, kept, |row| {
                let content = content_of(&row)?;
                read(row, Parts::Parsed(&content))
            }),
        }
    }

    /// The rows that `leaf` names.
    pub(crate) fn listed(&self, leaf: &Leaf, kept: &mut Kept) -> Result<Listed> {
        match leaf {
            Leaf::Term(term) => self.of_term(term),
            Leaf::Terms { from, to } => self.of_terms(from, to),
            Leaf::Id(position) => {
                let row = self.lower_bound(*position, kept)?;
                let found = row < self.rows() && self.position(row, kept)? == *position;
                Ok(Listed::Rows(if found { vec![row] } else { Vec::new() }))
            }
            Leaf::Origin(id) => {
                let of_origin = |parts: Parts<'_>| {
                    let origin = parts.origin_id();
                    origin.is_some_and(|origin| origin.text() == id.as_str())
                };
                self.confirmed(fingerprint::origin_id(id), kept, of_origin)
            }
            Leaf::Key(key) => {
                let of_key = |parts: Parts<'_>| {
                    let held = parts.key();
                    held.value().is_some_and(|held| held.text() == key.as_str())
                };
                self.confirmed(fingerprint::key(key), kept, of_key)
            }
        }
    }

    fn of_term(&self, term: &[u8]) -> Result<Listed> {
        match self {
            Source::Segment { reader, .. } => Ok(Listed::Postings(
                reader.postings(term)?.into_iter().collect(),
            )),
            Source::Memtable { table, view } => {
                let mut after = term.to_vec();
                after.push(0);
                let numbers = table.numbers_of_terms(term, Some(&after), view.len());
                Ok(Listed::Rows(view.rows_of(&numbers)))
            }
        }
    }

    fn of_terms(&self, from: &[u8], to: &[u8]) -> Result<Listed> {
        let reader = match self {
            Source::Segment { reader, .. } => reader,
            Source::Memtable { table, view } => {
                let numbers = table.numbers_of_terms(from, Some(to), view.len());
                return Ok(Listed::Rows(view.rows_of(&numbers)));
            }
        };
        let mut lists = Vec::new();
        let mut marked: Option<Vec<bool>> = None;
        let mut terms = reader.terms(from);
        while terms.advance()? && terms.term() < to {
            lists.push(terms.postings());
            if lists.len() > LAZY_LISTS_MAX {
                let marked = marked.get_or_insert_with(|| vec![false; reader.rows() as usize]);
                mark(marked, &mut lists)?;
            }
        }
        let Some(mut marked) = marked else {
            return Ok(Listed::Postings(lists));
        };
        mark(&mut marked, &mut lists)?;
        let rows = marked.iter().enumerate().filter(|(_, marked)| **marked);
        Ok(Listed::Rows(rows.map(|(row, _)| row as u32).collect()))
    }

    fn confirmed(
        &self,
        fingerprint: u64,
        kept: &mut Kept,
        confirm: impl Fn(Parts<'_>) -> bool,
    ) -> Result<Listed> {
        let candidates = self.by_fingerprint(fingerprint)?;
        let mut rows = Vec::new();
        for number in candidates {
            if self.read_parts(number, kept, |_, held| Ok(confirm(held)))? {
                rows.push(number);
            }
        }
        rows.sort_unstable();
        rows.dedup();
        Ok(Listed::Rows(rows))
    }

    /// Rows that may carry a key, an import mark or an origin of this fingerprint.
    pub(crate) fn by_fingerprint(&self, fingerprint: u64) -> Result<Vec<u32>> {
        match self {
            Source::Segment { reader, .. } => reader.fingerprint(fingerprint),
            Source::Memtable { table, view } => {
                let mut numbers = table.numbers_by_fingerprint(fingerprint);
                numbers.retain(|number| (*number as usize) < view.len());
                Ok(view.rows_of(&numbers))
            }
        }
    }

    /// Hands out the rows with sequence numbers in `seqs`, in commit order, until `each` breaks.
    pub(crate) fn rows_of(
        &self,
        seqs: Range<u64>,
        each: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        match self {
            Source::Segment { reader, .. } => {
                let mut kept = Kept::default();
                let Some(last) = seqs.end.checked_sub(1) else {
                    return Ok(());
                };
                let mut rows = reader.by_seq(Sequence(seqs.start), Sequence(last));
                while let Some((_, row)) = rows.next()? {
                    if each(&reader.row(row, &mut kept)?)?.is_break() {
                        break;
                    }
                }
            }
            Source::Memtable { table, view } => {
                let first = table.first_seq().0;
                let from = seqs.start.saturating_sub(first);
                let to = seqs.end.saturating_sub(first).min(view.len() as u64);
                for number in from..to {
                    let entry = u32::try_from(number)
                        .ok()
                        .and_then(|number| table.entry(number));
                    let entry = entry.ok_or_else(|| no_row(0))?;
                    let row = entry.row();
                    if each(&row)?.is_break() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Marks the rows of all lists and empties them.
fn mark(marked: &mut [bool], lists: &mut Vec<Postings>) -> Result<()> {
    for list in lists.drain(..) {
        for row in list.rows()? {
            if let Some(slot) = marked.get_mut(row as usize) {
                *slot = true;
            }
        }
    }
    Ok(())
}

fn no_row(row: u32) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("row {row} is not there or does not decode"),
    )
}
