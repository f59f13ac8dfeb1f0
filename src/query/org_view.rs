//! A store as one organisation is shown it: the events of its own trail, in which performers of other
//! organisations are nobody in particular. A filter asks what is shown, not what is stored, so that
//! it cannot find out by trying. This is a way of reading and no access control: who holds the store
//! can read all of it.

use super::facets::Every;
use super::facets::FacetQuery;
use super::facets::Facets;
use super::facets::TimeCounts;
use super::page::Bound;
use super::page::Page;
use super::page::Query;
use super::page::Stopped;
use super::page::check_limit;
use super::rows::Work;
use super::scan::Found;
use super::scan::Walker;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::filter::Condition;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::filter::eval;
use crate::id::EventId;
use crate::limits;
use crate::snapshot::Snapshot;

/// What an organisation is shown of a snapshot.
#[derive(Clone)]
pub struct OrgView {
    snapshot: Snapshot,
    org: String,
}

impl Snapshot {
    /// The events whose `org` is `org`, each as [`StoredEvent::as_shown_to`] it.
    ///
    /// ```
    /// use auditdb::{Event, Options, Performer, Query, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-orgs-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// let changed = Event::new("user.updated").performer(Performer::new("admin").id("a1").org("north"));
    /// store.append_batch(&changed.for_orgs(["north", "south"], "change-4711"))?;
    ///
    /// let page = store.snapshot().view("south").page(&Query::default())?;
    /// let performer = page.events[0].event.performer.value().expect("somebody did it");
    /// assert_eq!(performer.label.as_deref(), Some("External Org User"));
    /// assert!(page.complete && page.events.len() == 1 && performer.id.is_absent());
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    #[must_use]
    pub fn view(&self, org: impl Into<String>) -> OrgView {
        OrgView {
            snapshot: self.clone(),
            org: org.into(),
        }
    }
}

impl OrgView {
    /// The organisation.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.org
    }

    /// A page of the events that are shown as `query` asks, as [`Snapshot::page`] otherwise. What a
    /// filter says of performers, further targets, addresses, metadata and names is looked at event by
    /// event, of which `work_max` bounds how many; all else is found by indexes, of which it bounds the
    /// entries.
    ///
    /// # Errors
    /// As [`Snapshot::page`]. A cursor of another view is one of another filter.
    pub fn page(&self, query: &Query) -> Result<Page> {
        check_limit(query.limit)?;
        let (bound, hidden) = self.bound(query)?;
        self.read(&bound, &hidden, query)
    }

    /// The page before the cursor, as [`Snapshot::page_before`] and shown as [`OrgView::page`] does.
    ///
    /// # Errors
    /// As [`OrgView::page`], and [`crate::ErrorKind::OutOfRange`] without a cursor.
    pub fn page_before(&self, query: &Query) -> Result<Page> {
        check_limit(query.limit)?;
        let (bound, hidden) = self.bound(query)?;
        let turned = self.read(&bound.turned()?, &hidden, query)?;
        bound.page_before(turned)
    }

    fn read(&self, bound: &Bound, hidden: &[Condition], query: &Query) -> Result<Page> {
        let mut walker = Walker::new(bound.snapshot.clone(), bound.route.clone());
        let mut events = Vec::new();
        let (mut bytes, mut looked, mut after) = (0, 0, None);
        let mut work = Work::new(query.work_max);
        let stopped = loop {
            let is_full = events.len() >= query.limit;
            let stopped = if is_full {
                Stopped::Limit
            } else {
                Stopped::Budget
            };
            if looked >= query.work_max || bytes >= limits::PAGE_BYTES {
                break stopped;
            }
            let position = match walker.step(&mut work)? {
                Found::End => break Stopped::End,
                Found::Match(position) => position,
                Found::Spent(_) if is_full => break stopped,
                Found::Spent(position) => {
                    after = Some(bound.before(position));
                    break stopped;
                }
            };
            looked += 1;
            let mut len = 0;
            let event = walker.parts(|row, parts| {
                len = row.body.content.len();
                Ok(row.event_with(parts))
            })?;
            let shown = event.map(|event| event.as_shown_to(&self.org));
            match shown.filter(|event| holds(hidden, event)) {
                // One more is there than fits.
                Some(_) if is_full => break Stopped::Limit,
                Some(event) => {
                    events.push(event);
                    bytes += len;
                }
                None => {}
            }
            after = Some(position);
        };
        let after = after.filter(|_| stopped != Stopped::End);
        Ok(Page {
            events,
            ..bound.page(stopped, after)
        })
    }

    /// The events of this name that are shown: by their id, or by the one that they had where they
    /// came from, unless that is hidden.
    ///
    /// # Errors
    /// What reading the files gives.
    pub fn find(&self, name: &str) -> Result<Vec<StoredEvent>> {
        let by_origin = |event: &StoredEvent| {
            let origin = event.event.origin.value();
            origin.and_then(|origin| origin.id.as_deref()) == Some(name)
        };
        let id: Option<EventId> = name.parse().ok();
        let mut found = self.snapshot.find(name)?;
        found.retain(|event| event.event.org.as_deref() == Some(self.org.as_str()));
        let shown = found.into_iter().map(|event| event.as_shown_to(&self.org));
        Ok(shown
            .filter(|event| Some(event.id) == id || by_origin(event))
            .collect())
    }

    /// Counts the values of a field over the events of this trail, as [`Snapshot::facets`] does. Counts
    /// come from the indexes, which know what is stored and not what is shown, so it is a field that
    /// every organisation is shown as it is: the type, outcome, source, organisation or subject.
    ///
    /// # Errors
    /// As [`Snapshot::facets`], and [`ErrorKind::OutOfRange`] for a field, or a filter by one, that may
    /// be hidden.
    ///
    /// ```
    /// # use auditdb::{Event, FacetQuery, FilterField, Options, Query, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-org-facets-{}", std::process::id()));
    /// # let store = Store::open(&folder, Options::default())?;
    /// store.append_batch(&Event::new("user.updated").for_orgs(["north", "south"], "change-4711"))?;
    /// let south = store.snapshot().view("south");
    /// let types = south.facets(&Query::default(), &FacetQuery::of(FilterField::Type))?;
    /// assert_eq!((types.values[0].value.as_str(), types.values[0].count), ("user.updated", 1));
    /// assert!(south.facets(&Query::default(), &FacetQuery::of(FilterField::Performer)).is_err());
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn facets(&self, query: &Query, asked: &FacetQuery) -> Result<Facets> {
        let field = Some(&asked.field).filter(|field| !is_never_hidden(field));
        let query = self.as_stored(query, field.is_some())?;
        self.snapshot.facets(&query, asked)
    }

    /// Counts the events of this trail by when they happened, as [`Snapshot::counts_by_time`] does.
    ///
    /// # Errors
    /// As [`Snapshot::counts_by_time`], and [`ErrorKind::OutOfRange`] for a filter by a field that may
    /// be hidden.
    pub fn counts_by_time(&self, query: &Query, every: Every) -> Result<TimeCounts> {
        self.snapshot
            .counts_by_time(&self.as_stored(query, false)?, every)
    }

    /// The query for the events of this trail, where what it asks for is shown as it is stored.
    fn as_stored(&self, query: &Query, counts_hidden: bool) -> Result<Query> {
        let (filter, hidden) = looked_at(&query.filter, &self.org);
        if counts_hidden || !hidden.is_empty() {
            let what = "view: counts know what is stored and not what is shown; count, and filter by, \
                        type, sub-type, outcome, source, org, subject and subject-kind only, or read \
                        the view's pages";
            return Err(Error::new(ErrorKind::OutOfRange, what));
        }
        Ok(Query {
            filter,
            ..query.clone()
        })
    }

    /// Which events to look at, and the conditions that are to hold for what is shown of them.
    fn bound(&self, query: &Query) -> Result<(Bound, Vec<Condition>)> {
        let (filter, hidden) = looked_at(&query.filter, &self.org);
        let indexed = Query {
            filter,
            ..query.clone()
        };
        // A cursor belongs to the filter as it was asked, and to the organisation.
        let mut asked = query.digest(query.filter.digest()?);
        let expression = indexed.filter.sound_expression()?;
        let looked_at = indexed.digest(indexed.filter.digest_of(&expression));
        for (byte, looked_at) in asked.iter_mut().zip(looked_at) {
            *byte = byte.rotate_left(1) ^ looked_at;
        }
        let bound = Bound::with_digest(&self.snapshot, &indexed, expression, asked)?;
        Ok((bound, hidden))
    }
}

/// The events that are looked at to show an organisation those of a filter, and the conditions that are
/// to hold for what is shown of them.
pub(crate) fn looked_at(filter: &Filter, org: &str) -> (Filter, Vec<Condition>) {
    let (indexed, hidden) = filter.clone().split(is_never_hidden);
    (indexed.is(FilterField::Org, org), hidden)
}

/// Of events that were looked at what the organisation is shown.
pub(crate) fn shown(events: Vec<StoredEvent>, org: &str, hidden: &[Condition]) -> Vec<StoredEvent> {
    let shown = events.into_iter().map(|event| event.as_shown_to(org));
    shown.filter(|event| holds(hidden, event)).collect()
}

fn holds(hidden: &[Condition], event: &StoredEvent) -> bool {
    hidden.iter().all(|one| eval::holds(one, event))
}

/// Whether every organisation is shown a field as it is.
fn is_never_hidden(field: &FilterField) -> bool {
    matches!(
        field,
        FilterField::Type
            | FilterField::SubType
            | FilterField::Org
            | FilterField::Outcome
            | FilterField::Source
            | FilterField::Subject
            | FilterField::SubjectKind
    )
}
