//! Which values a field has, and how often: from the rows themselves, so a subject or performer
//! that is long gone elsewhere is still there. Deterministic order; counts are exact.

mod count;
mod cursor;
mod newest;
mod times;

use self::count::Counted;
use self::count::Place;
pub use self::cursor::FacetCursor;
pub use self::times::Every;
pub use self::times::TimeCounts;
use super::page::Bound;
use super::page::Order;
use super::page::Query;
use super::selection::on_fresh;
use crate::error::Result;
use crate::filter::FilterField;
use crate::filter::facet;
use crate::id::Position;
use crate::snapshot::Snapshot;
use crate::time::Time;

/// Which values of which field to count, in which order, and how many of them at a time.
///
/// ```
/// use auditdb::{FacetOrder, FacetQuery, FilterField};
///
/// let asked = FacetQuery { order: FacetOrder::Name, ..FacetQuery::of(FilterField::Performer) };
/// assert_eq!((asked.prefix.as_str(), asked.top), ("", 100));
/// ```
#[derive(Clone, Debug)]
pub struct FacetQuery {
    /// The field whose values are counted.
    pub field: FilterField,
    /// Only values that begin with this; of an entity `KIND`, or `KIND:` and the beginning of an id.
    pub prefix: String,
    /// In which order; the most frequent first by default.
    pub order: FacetOrder,
    /// How many values are given at the most; by default 100.
    pub top: usize,
    /// Where to go on from; from the top by default.
    pub cursor: Option<FacetCursor>,
    /// Whether [`FacetValue::newest`] and [`FacetValue::label`] are looked up, for which the newest
    /// events of each value that is given are read; not by default.
    pub newest: bool,
}

/// The order of values. Values of one count stand as in [`FacetOrder::Name`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FacetOrder {
    /// The most frequent first.
    #[default]
    Count,
    /// By the bytes of the value; entities by kind, then id.
    Name,
    /// The one that an event had last comes first.
    Recency,
}

/// The values of a field with their counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facets {
    /// In the order asked for.
    pub values: Vec<FacetValue>,
    /// How many different values there are, also those before the cursor and behind `top`.
    pub distinct: u64,
    /// Events of the snapshot that was counted; with a cursor, that of the first part.
    pub snapshot_seq: u64,
    /// Where to go on; `None` exactly when nothing follows.
    pub next_cursor: Option<FacetCursor>,
}

/// One value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetValue {
    /// The value; an entity as `kind:id`.
    pub value: String,
    /// How many events have it.
    pub count: u64,
    /// The value is longer than indexes keep: `value` is its beginning, which other values of the
    /// list can share. They are counted apart all the same.
    pub cut: bool,
    /// When the newest of these events happened, if [`FacetQuery::newest`] asks for it.
    pub newest: Option<Time>,
    /// The label that the newest of these events gives a subject, performer or target, of those that
    /// give one; looked for among the newest 1,000. Only if [`FacetQuery::newest`] asks for it.
    pub label: Option<String>,
}

impl FacetQuery {
    /// The values of `field`, the most frequent 100 of them.
    #[must_use]
    pub fn of(field: FilterField) -> FacetQuery {
        FacetQuery {
            field,
            prefix: String::new(),
            order: FacetOrder::default(),
            top: 100,
            cursor: None,
            newest: false,
        }
    }
}

impl Snapshot {
    /// Counts the values of a field over the events that `query` selects. Of the query only `filter`
    /// and `since_seq` select: order, limit and cursor play no part, nor does `work_max` bound the
    /// count, which takes as long as there are terms of the field and events selected. Parts that
    /// follow each other by [`Facets::next_cursor`] are of one snapshot, so they lose and repeat
    /// nothing whatever is appended in between.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Filter`], a cursor's own kinds of error, or what reading the files gives.
    ///
    /// ```
    /// use auditdb::{Event, FacetQuery, FilterField, Options, Query, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-facets-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// for name in ["user.login", "user.login", "user.logout"] {
    ///     store.append(&Event::new(name))?;
    /// }
    /// let asked = FacetQuery { top: 1, ..FacetQuery::of(FilterField::Type) };
    /// let first = store.snapshot().facets(&Query::default(), &asked)?;
    /// assert_eq!((first.distinct, first.values[0].count), (2, 2));
    /// assert_eq!(first.values[0].value, "user.login");
    ///
    /// let asked = FacetQuery { cursor: first.next_cursor, ..asked };
    /// let rest = store.snapshot().facets(&Query::default(), &asked)?;
    /// assert_eq!((rest.values[0].value.as_str(), rest.next_cursor), ("user.logout", None));
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn facets(&self, query: &Query, asked: &FacetQuery) -> Result<Facets> {
        let cursor = asked.cursor.as_ref();
        if let Some(cursor) = cursor {
            cursor.check(asked.order)?;
        }
        let query = Query {
            cursor: cursor.map(|cursor| cursor.page),
            order: Order::NewestFirst,
            work_max: u64::MAX,
            ..query.clone()
        };
        let bound = Bound::new(self, &query)?;
        let counted = on_fresh(&bound.snapshot, |snapshot| {
            count::count(snapshot, &bound, asked)
        })?;
        facets(counted, &bound, asked)
    }
}

fn facets(counted: Counted, bound: &Bound, asked: &FacetQuery) -> Result<Facets> {
    let last = counted.values.last().map(|(place, _)| place.clone());
    let next_cursor = last.filter(|_| counted.has_more).map(|after| FacetCursor {
        // Facets have no place among the events: they begin before the first one.
        page: bound.cursor(Position::LAST),
        order: asked.order,
        after,
    });
    let mut values = Vec::with_capacity(counted.values.len());
    for (Place { term, .. }, count) in counted.values {
        let Some((value, cut)) = facet::facet_value(&term) else {
            continue;
        };
        let (newest, label) = match asked.newest {
            true => newest::of_term(bound, &asked.field, &term)?,
            false => (None, None),
        };
        values.push(FacetValue {
            value,
            count,
            cut,
            newest,
            label,
        });
    }
    Ok(Facets {
        values,
        distinct: counted.distinct,
        snapshot_seq: bound.snapshot.seq_count(),
        next_cursor,
    })
}
