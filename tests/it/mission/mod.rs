//! What the product was asked to do, row by row: a test is named for the row that it shows, and
//! shows it through the public API or the binary.

mod aliases;
mod at_once;
#[cfg(feature = "cli")]
mod audited;
mod back;
#[cfg(feature = "cli")]
mod details;
mod effects;
#[cfg(feature = "cli")]
mod entries;
#[cfg(feature = "cli")]
mod estimates;
#[cfg(feature = "cli")]
mod files;
#[cfg(feature = "cli")]
mod filters;
#[cfg(feature = "cli")]
mod for_people;
mod history;
#[cfg(feature = "cli")]
mod jobs;
mod layouts;
mod names;
mod natural_ties;
#[cfg(feature = "cli")]
mod notes;
mod orgs;
#[cfg(feature = "cli")]
mod pages;
#[cfg(feature = "cli")]
mod parameters;
#[cfg(feature = "cli")]
mod parts;
mod round_trip;
#[cfg(feature = "cli")]
mod saved;
mod shapes;
#[cfg(feature = "cli")]
mod trail;
mod types;
mod unknown;
mod values;
#[cfg(feature = "cli")]
mod words;

use std::path::Path;
use std::sync::Arc;

use auditdb::Error;
use auditdb::ErrorKind;
use auditdb::Event;
use auditdb::Filter;
use auditdb::OnUnknown;
use auditdb::Options;
use auditdb::Performer;
use auditdb::Query;
use auditdb::Registry;
use auditdb::Store;
use auditdb::StoredEvent;
use auditdb::Subject;

/// A store that knows the built-in pack.
pub(crate) fn open(path: &Path, on_unknown: OnUnknown) -> Store {
    let options = Options {
        registry: Some(Arc::new(Registry::built_in())),
        on_unknown,
        ..Options::default()
    };
    Store::open(path, options).expect("a store")
}

/// The newest events that `filter` asks for.
pub(crate) fn found(store: &Store, filter: Filter) -> Vec<StoredEvent> {
    let query = Query {
        filter,
        ..Query::default()
    };
    store.page(&query).expect("a page").events
}

/// An event of an administrator's about this user.
pub(crate) fn of_user(event_type: &str) -> Event {
    Event::new(event_type)
        .performer(Performer::new("admin").id("a1"))
        .subject(Subject::new("user").id("u1"))
}

/// The error of a call that has to be refused so.
#[track_caller]
pub(crate) fn refused<T>(result: Result<T, Error>, kind: ErrorKind, words: &str) -> Error {
    let error = result.err().expect("a refusal");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(
        error.to_string().contains(words),
        "no {words:?} in: {error}"
    );
    error
}
