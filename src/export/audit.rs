//! Exports as events of the trail that they were made of: who took what out of it, when, and how it
//! ended. The snapshot comes first, so an export never holds its own record. What cannot be recorded
//! is an error of its own, beside how the export went.

use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::json;

use super::Export;
use super::ExportManifest;
use crate::codec::digits::hex;
use crate::disk::Disk;
use crate::disk::clock::SystemClock;
use crate::disk::real::RealDisk;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Field;
use crate::event::Outcome;
use crate::event::Performer;
use crate::event::Subject;
use crate::id::ExportId;
use crate::inbox::Inbox;
use crate::options::Options;
use crate::options::ReadMode;
use crate::query::Order;
use crate::query::Query;
use crate::snapshot::Snapshot;
use crate::store::Reader;
use crate::store::Store;
use crate::time::Clock;

/// Records in a store who exports from it.
///
/// ```
/// use auditdb::{Event, Export, ExportAudit, ExportManifest, Filter, FilterField};
/// use auditdb::{Options, Performer, Query, Store};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-audit-{}", std::process::id()));
///
/// let store = Store::open(&folder, Options::default())?;
/// store.append(&Event::new("user.created"))?;
///
/// let (export, query, snapshot) = (Export::default(), Query::default(), store.snapshot());
/// let audit = ExportAudit::in_store(&store, Performer::new("user").id("u7"));
/// let begun = audit.begin(&export, &snapshot, &query)?;
/// let report = export.run(&snapshot, &query, std::io::sink())?;
/// begun.exported(&ExportManifest::of_one(&export, None, None, report))?;
///
/// let filter = Filter::new().is(FilterField::Type, "audit.exported");
/// let page = store.page(&Query { filter, ..Query::default() })?;
/// let data = page.events[0].event.data.value().expect("what was exported").as_str();
/// assert!(data.contains("\"rows\":1,") && data.contains("\"snapshot_seq\":1"));
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExportAudit<'s> {
    keep: Keep<'s>,
    performer: Performer,
    view: Option<String>,
}

const FAILED: &str = "audit.export_failed";

/// Where records go.
#[derive(Clone, Debug)]
pub(super) enum Keep<'s> {
    Store(&'s Store),
    /// To the store in this folder, which is open for writing just as long as that takes.
    Folder(PathBuf),
}

/// An export whose beginning is recorded, and whose end has to be.
#[derive(Clone, Debug)]
#[must_use = "an export that has begun has to be recorded as made or failed"]
pub struct AuditedExport<'s> {
    audit: ExportAudit<'s>,
    id: ExportId,
    /// What the keys of its records end with: no other export's do.
    story: String,
    /// What is known of the export before it is made.
    asked: Value,
}

impl<'s> ExportAudit<'s> {
    /// Records in `store` what `performer` exports.
    #[must_use]
    pub fn in_store(store: &'s Store, performer: Performer) -> ExportAudit<'s> {
        ExportAudit::by(Keep::Store(store), performer)
    }

    /// Records in the store in the folder `path` what `performer` exports. The store is opened for
    /// writing for each record. Where it is open elsewhere, the record is left in its inbox, durably, and
    /// its writer takes it over within a second, or the next one when it opens the store.
    #[must_use]
    pub fn in_folder(path: &Path, performer: Performer) -> ExportAudit<'static> {
        ExportAudit::by(Keep::Folder(path.to_owned()), performer)
    }

    pub(super) fn by(keep: Keep<'s>, performer: Performer) -> ExportAudit<'s> {
        ExportAudit {
            keep,
            performer,
            view: None,
        }
    }

    /// What is read is what this organisation is shown, and [`ExportAudit::queried`] says so. An export
    /// says it by itself.
    #[must_use]
    pub fn of_view(self, org: impl Into<String>) -> ExportAudit<'s> {
        ExportAudit {
            view: Some(org.into()),
            ..self
        }
    }

    /// Records, as `audit.export_started`, that `query` is to be exported from `snapshot`.
    ///
    /// # Errors
    /// As [`Store::append`], and [`Store::open`] where the store is opened for it; what the disk gives
    /// where the record is left beside a writer.
    pub fn begin(
        &self,
        export: &Export,
        snapshot: &Snapshot,
        query: &Query,
    ) -> Result<AuditedExport<'s>> {
        let id = ExportId::from_random(RealDisk::open(self.folder())?.store_id().0);
        let begun = self.named(id, export, snapshot, query)?;
        begun.started()?;
        Ok(begun)
    }

    /// The export of this name, of which nothing is recorded yet.
    pub(super) fn named(
        &self,
        id: ExportId,
        export: &Export,
        snapshot: &Snapshot,
        query: &Query,
    ) -> Result<AuditedExport<'s>> {
        let mut asked = asked(query, snapshot)?;
        let of_export = json!({
            "export": id.to_string(),
            "format": export.format.as_str(),
            "layout": export.layout.as_str(),
            "compression": export.compression.as_str(),
            "limit": export.limit,
            "locale": export.audience.locale().as_str(),
            "zone": export.audience.zone.name(),
        });
        add(&mut asked, of_export);
        if let Some(org) = &export.view {
            add(&mut asked, json!({ "view": org }));
        }
        Ok(AuditedExport {
            audit: self.clone(),
            id,
            story: id.to_string(),
            asked,
        })
    }

    /// Records, as `audit.queried`, that a page of so many events was read, and whether nothing follows
    /// behind it.
    ///
    /// # Errors
    /// As [`ExportAudit::begin`].
    pub fn queried(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        rows: u64,
        complete: bool,
    ) -> Result<()> {
        let mut data = asked(query, snapshot)?;
        add(&mut data, json!({ "rows": rows, "complete": complete }));
        if let Some(org) = &self.view {
            add(&mut data, json!({ "view": org }));
        }
        self.keep
            .append(&self.event("audit.queried", Subject::new("query"), &data)?)
    }

    fn folder(&self) -> &Path {
        match &self.keep {
            Keep::Store(store) => store.path(),
            Keep::Folder(path) => path,
        }
    }

    fn event(&self, event_type: &str, subject: Subject, data: &Value) -> Result<Event> {
        let event = Event::new(event_type)
            .subject(subject)
            .data(&data.to_string())?;
        Ok(event.performer(self.performer.clone()))
    }
}

impl Keep<'_> {
    pub(super) fn append(&self, event: &Event) -> Result<()> {
        match self {
            Keep::Store(store) => append_to(store, event),
            Keep::Folder(path) => append_in(path, event),
        }
    }
}

/// Appends an event to the store in this folder, or leaves it for whoever has the store open.
fn append_in(path: &Path, event: &Event) -> Result<()> {
    let options = Options {
        create: false,
        ..Options::default()
    };
    let store = match Store::open(path, options) {
        Err(error) if error.kind() == ErrorKind::Locked => return leave(path, event),
        store => store?,
    };
    let appended = append_to(&store, event);
    store.close()?;
    appended
}

/// Appends an event, unless the store has it by its key already: told of when it was open elsewhere, it
/// has the moment of that.
fn append_to(store: &Store, event: &Event) -> Result<()> {
    match store.append(event) {
        Err(error) if error.kind() == ErrorKind::KeyConflict => {
            match store.snapshot().tells(event)? {
                Some(true) => Ok(()),
                _ => Err(error),
            }
        }
        appended => appended.map(drop),
    }
}

/// Leaves an event for the writer of the store in this folder, with what it needs to be taken over once.
fn leave(path: &Path, event: &Event) -> Result<()> {
    let there = Reader::open(path, ReadMode::default())?.snapshot()?;
    match there.tells(event)? {
        None => {}
        Some(true) => return Ok(()),
        Some(false) => {
            let key = event.key.as_deref().unwrap_or_default();
            let what = format!("key {key:?}: an event that says something else has it");
            return Err(Error::new(ErrorKind::KeyConflict, what));
        }
    }
    let disk = RealDisk::open(path)?;
    let mut event = event.clone();
    event.occurred_at = Field::Value(SystemClock.now());
    if event.key.is_absent() {
        let name = ExportId::from_random(disk.store_id().0);
        event.key = Field::Value(format!("{}:{name}", event.event_type));
    }
    Inbox(&disk).leave(there.store_id(), &event)
}

impl AuditedExport<'_> {
    /// The export's name, the subject of its records.
    #[must_use]
    pub fn id(&self) -> ExportId {
        self.id
    }

    /// The same of a job that was started at this moment: another store, or this one without its
    /// records, may have had a job of the same name, whose events are not to be taken for this one's.
    pub(super) fn of_job(self, created_at: &str) -> Self {
        let story = format!("{}:{created_at}", self.id);
        AuditedExport { story, ..self }
    }

    /// Records that the export begins.
    pub(super) fn started(&self) -> Result<()> {
        self.record("audit.export_started", Value::Null, |event| event)
    }

    /// Records, as `audit.exported`, what was made.
    ///
    /// # Errors
    /// As [`ExportAudit::begin`].
    pub fn exported(&self, made: &ExportManifest) -> Result<()> {
        let whole = &made.whole;
        let archive = made.archive.as_ref();
        let came_of_it = json!({
            "rows": whole.rows,
            "bytes": archive.map_or(whole.bytes, |archive| archive.bytes),
            "sha256": archive.map_or(&whole.sha256, |archive| &archive.sha256),
            "files": made.files.len(),
            "complete": whole.complete,
            "first": whole.first.map(|id| id.to_string()),
            "last": whole.last.map(|id| id.to_string()),
        });
        let ended = |event: Event| event.outcome(Outcome::Success);
        self.record("audit.exported", came_of_it, ended)
    }

    /// Records, as `audit.export_failed`, why nothing was made, or not all of it.
    ///
    /// # Errors
    /// As [`ExportAudit::begin`].
    pub fn failed(&self, why: &str) -> Result<()> {
        let ended = |event: Event| event.outcome(Outcome::Failure).reason(why);
        self.record(FAILED, Value::Null, ended)
    }

    pub(super) fn record(
        &self,
        event_type: &str,
        more: Value,
        ended: impl FnOnce(Event) -> Event,
    ) -> Result<()> {
        let mut data = self.asked.clone();
        add(&mut data, more);
        let subject = Subject::new("export").id(self.id.to_string());
        let mut event = ended(self.audit.event(event_type, subject, &data)?);
        // Beginning and end are one story. Each is recorded once, however often work on it was taken
        // up again; a failure may come more than once.
        event.correlation = Field::Value(self.id.to_string());
        if event_type != FAILED {
            event.key = Field::Value(format!("{event_type}:{}", self.story));
        }
        self.audit.keep.append(&event)
    }
}

/// What is asked of a snapshot, for whoever reads the trail later.
fn asked(query: &Query, snapshot: &Snapshot) -> Result<Value> {
    let digest = hex(&query.filter.digest()?);
    let seen = query
        .cursor
        .map_or(snapshot.seq_count(), |cursor| cursor.snapshot_seq);
    Ok(json!({
        "filter": query.filter.to_string(),
        "filter_digest": digest,
        "order": match query.order {
            Order::NewestFirst => "newest_first",
            Order::OldestFirst => "oldest_first",
        },
        "since_seq": query.since_seq.map(|seq| seq.0),
        "cursor": query.cursor.map(|cursor| cursor.to_string()),
        "snapshot_seq": seen,
    }))
}

/// Puts the members of one object behind those of another.
fn add(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
