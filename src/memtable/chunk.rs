//! Rows one behind the other, their contents in one piece of text: what a memtable is made of, so that
//! a row costs it no allocation. The memtable alone fills a chunk; a full one is never changed.

use core::ops::Range;
use std::sync::Arc;

use crate::codec::row::Body;
use crate::codec::row::Fingerprints;
use crate::codec::row::ImportMark;
use crate::codec::row::Row;
use crate::id::Position;
use crate::time::Time;

/// Text that a chunk has room for: twice as much as the one before it, within these bounds, so that
/// a table of few rows stays small.
const TEXT_MIN: usize = 8 << 10;
const TEXT_MAX: usize = 256 << 10;
/// So much text has room for one row; few contents are shorter.
const ROW_TEXT: usize = 256;

/// Some rows of a memtable.
#[derive(Default)]
pub(super) struct Chunk {
    heads: Vec<Head>,
    contents: String,
}

/// What a row is beside its content.
#[derive(Clone)]
struct Head {
    position: Position,
    recorded_at: Time,
    time_given: bool,
    /// The mapping that imported it, and how many records exactly like it came before.
    import: Option<(Arc<str>, u64)>,
    fingerprints: Fingerprints,
    /// Where its content ends.
    end: usize,
}

/// One row, and the fingerprints it is found by.
pub(crate) struct Entry {
    head: Head,
    content: Content,
}

enum Content {
    /// This part of a full chunk.
    Part(Arc<Chunk>, Range<usize>),
    /// A copy, of a chunk that still grows.
    Copy(Box<str>),
}

impl Chunk {
    /// The chunk to follow this one, with room for a content of `len` bytes at the least.
    pub(super) fn next(&self, len: usize) -> Chunk {
        let text = (2 * self.contents.capacity()).clamp(TEXT_MIN, TEXT_MAX);
        let text = text.max(len);
        Chunk {
            heads: Vec::with_capacity(text.div_ceil(ROW_TEXT)),
            contents: String::with_capacity(text),
        }
    }

    /// Whether a row with a content of `len` bytes fits without an allocation.
    pub(super) fn fits(&self, len: usize) -> bool {
        self.contents.len() + len <= self.contents.capacity()
            && self.heads.len() < self.heads.capacity()
    }

    /// Adds a row; `mapping` is the name of the one that imported it, if one did.
    pub(super) fn push(
        &mut self,
        row: &Row<'_>,
        mapping: Option<Arc<str>>,
        fingerprints: Fingerprints,
    ) {
        self.contents.push_str(row.body.content);
        let repeat = row.body.import.map_or(0, |mark| mark.repeat);
        self.heads.push(Head {
            position: row.position,
            recorded_at: row.recorded_at,
            time_given: row.body.time_given,
            import: mapping.map(|mapping| (mapping, repeat)),
            fingerprints,
            end: self.contents.len(),
        });
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// Each row's place in reading order.
    pub(super) fn positions(&self) -> impl Iterator<Item = Position> {
        self.heads.iter().map(|head| head.position)
    }

    /// What the rows from `place` on are found by.
    pub(super) fn fingerprints(&self, place: usize) -> impl Iterator<Item = Fingerprints> {
        self.heads.iter().skip(place).map(|head| head.fingerprints)
    }

    /// Takes what its rows are found by from `all`.
    pub(super) fn set_fingerprints(&mut self, all: &mut impl Iterator<Item = Fingerprints>) {
        for (head, fingerprints) in self.heads.iter_mut().zip(all) {
            head.fingerprints = fingerprints;
        }
    }

    /// A row of a chunk that still grows.
    pub(super) fn copy(&self, place: usize) -> Option<Entry> {
        let (head, part) = self.find(place)?;
        let content = Content::Copy(self.contents.get(part)?.into());
        Some(Entry { head, content })
    }

    /// A row of a full chunk.
    pub(super) fn part(self: &Arc<Chunk>, place: usize) -> Option<Entry> {
        let (head, part) = self.find(place)?;
        let content = Content::Part(Arc::clone(self), part);
        Some(Entry { head, content })
    }

    fn find(&self, place: usize) -> Option<(Head, Range<usize>)> {
        let end = |place: usize| self.heads.get(place).map(|head| head.end);
        let start = place.checked_sub(1).map_or(Some(0), end)?;
        Some((self.heads.get(place)?.clone(), start..end(place)?))
    }
}

impl Entry {
    /// The row.
    pub(crate) fn row(&self) -> Row<'_> {
        let import = self.head.import.as_ref();
        Row {
            position: self.head.position,
            recorded_at: self.head.recorded_at,
            body: Body {
                time_given: self.head.time_given,
                import: import.map(|(mapping, repeat)| ImportMark {
                    mapping,
                    repeat: *repeat,
                }),
                content: match &self.content {
                    Content::Part(chunk, part) => {
                        chunk.contents.get(part.clone()).unwrap_or_default()
                    }
                    Content::Copy(content) => content,
                },
            },
        }
    }

    /// What the row is found by.
    pub(crate) const fn fingerprints(&self) -> Fingerprints {
        self.head.fingerprints
    }
}
