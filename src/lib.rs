//! An embedded, append-only store for audit events: who did what to what, when, and how it ended.
//!
//! One process appends, any number read, all on a local folder. Reads go newest first by default,
//! filtered by indexed fields, page by page or as an export, and neither lose nor repeat an event
//! when many share one moment.
//!
//! ```
//! use auditdb::{Event, Filter, FilterField, Options, Performer, Query, Store, Subject};
//!
//! # let folder = std::env::temp_dir().join(format!("auditdb-doc-crate-{}", std::process::id()));
//! let store = Store::open(&folder, Options::default())?;
//! let event = Event::new("user.updated")
//!     .performer(Performer::new("user").id("u7"))
//!     .subject(Subject::new("user").id("u12"))
//!     .change("email", "\"a@example.org\"", "\"b@example.org\"")?;
//! let receipt = store.append(&event)?; // durable and visible from here on
//! let filter = Filter::new().is(FilterField::Type, "user.updated");
//! let page = store.page(&Query { filter, limit: 20, ..Query::default() })?;
//! assert!(page.complete && page.events[0].id == receipt.id);
//! store.close()?;
//! # std::fs::remove_dir_all(&folder).ok();
//! # Ok::<(), auditdb::Error>(())
//! ```
//!
//! # The types
//!
//! | to | use |
//! |---|---|
//! | say what happened | [`Event`] with [`Performer`], [`Subject`], [`Target`], [`Change`], [`Context`], [`Metadata`], [`Outcome`], [`Json`]; every optional part is a [`Field`]: absent, null or a value |
//! | keep it | [`Store`], opened with [`Options`]; each append gives a [`Receipt`] with the event's [`EventId`] and [`Sequence`], or a [`Ticket`] for one, to wait for, ask or `await`; [`Bulk`] loads many at once |
//! | see it as it is now | [`Snapshot`] of a [`Store`], or of a [`Reader`] in this or any other process |
//! | ask | [`Query`]: a [`Filter`] over [`FilterField`]s and times, an [`Order`], a limit, a [`Cursor`] |
//! | read | [`Page`] of [`StoredEvent`]s, [`Scan`] for all matches one after the other, [`Follower`] in commit order as events come, [`Facets`] for counts of values by a [`FacetQuery`], [`Effects`] of events, the [`History`] of a subject, an [`OrgView`] of what one organisation is shown |
//! | take it out | [`Export`], which returns an [`ExportReport`]; into an [`OutputFile`], or into several with an [`ExportManifest`]; as durable [`ExportJobs`]; told of in the store itself by an [`ExportAudit`] |
//! | bring it in | [`Import`] with a [`Mapping`] per source, or [`Event::from_native_line`] |
//! | name what can happen | [`Registry`] of [`EventType`]s from [`Pack`]s, with labels, other names, secrets and shapes; [`OnUnknown`] says what becomes of the rest, [`Lint`] what is odd about the names |
//! | learn what is wrong | [`Error`] with its [`ErrorKind`] and, for bad bytes, the [`Place`] |
//!
//! # What holds
//!
//! - A receipt under [`Durability::Durable`], the default, means durable and visible. Under
//!   [`Durability::Buffered`] it means accepted: durable and visible with the sync that follows
//!   within 20 ms or 1 MiB. An event without a receipt is wholly there or wholly absent, and nobody
//!   sees an event that a crash could take back.
//! - Reads have one total order, `(occurred_at, seq)`; `seq` is the commit order, dense from 0.
//!   [`EventId`]s sort as reads do.
//! - Pages put together are one scan: of one snapshot, in either direction, over restarts, merging
//!   and appends in between. [`Page::complete`] is proven, never guessed from a short page. A cursor
//!   that does not fit is an error of its own, never a start from the top.
//! - A batch is one commit: all of it or nothing, visible at once.
//! - The same [`Event::key`] with the same content again appends nothing and gives the first receipt;
//!   with other content it is [`ErrorKind::KeyConflict`].
//! - Absent, null and empty stay apart, and JSON is kept byte for byte. An event's line in an NDJSON
//!   export is the same bytes for ever (`docs/format/canonical.md`).
//! - Bytes from the disk are checked before they are believed. Damage is [`ErrorKind::Corrupt`] with
//!   file and offset, not a panic and not a wrong answer.
//! - Memory is bounded by [`Options`], not by the size of an answer. Freed memory that the allocator
//!   keeps comes on top while a store is written; the README says what was measured.
//!
//! # Limits, and what may surprise
//!
//! - One writing process at a time, on a local file system; a second one gets
//!   [`ErrorKind::Locked`]. Nothing is changed or deleted; there is no retention yet.
//! - **Mapped reads.** With the feature `mmap` (on by default) sealed segments and presence runs are
//!   mapped. If someone cuts such a file, or its device fails, while it is mapped, the process ends.
//!   [`ReadMode::Positional`] returns an error instead, at about twice the cost of a page.
//! - **A failed sync ends writing.** The append under way gets [`ErrorKind::Indeterminate`], the
//!   later ones [`ErrorKind::Poisoned`]; reading goes on. Drop the store and open it again: what is
//!   there then is durable.
//! - A full disk is [`ErrorKind::Full`]: nothing was appended, and the call may be repeated;
//!   [`Options::on_full`] waits for room instead. [`Store::pressure`] tells who appends faster than the
//!   store can seal.
//! - In a fork of the process the store's handle refuses with [`ErrorKind::Forked`].
//! - An event has at most 1 MiB (16 MiB by [`Options::event_bytes_max`]), a text 64 KiB, metadata 64
//!   keys, `targets` 256 entries, JSON 128 levels, a batch 100,000 events and 64 MiB. What is larger
//!   is refused with the field's name, never cut.
//! - Times are microseconds from 1970 to 9999. A finer one is refused, not rounded.
//! - `data`, `before` and `after` are kept but not indexed; filters do not look into them.
//! - [`Event`] and [`StoredEvent`] implement serde's traits for their native line, which `serde_json`
//!   must write and read itself: going through `serde_json::Value` changes the spelling of numbers.
//! - Dropping a [`Store`] without [`Store::close`] loses nothing acknowledged as durable; the next
//!   open has more to read.
//! - Checksums find accidents, not forgers: there is no tamper evidence and no encryption yet.
//!
//! # Features
//!
//! `mmap`: mapped reads, see above. `zip`: exports as zip archives. `pdf`: exports as PDF (Rust 1.92 or newer).
//! `cli`: the program `auditdb`; a library turns it off with `default-features = false`.

// 0 words: no I/O, no policy.
mod error;
mod event;
mod id;
mod limits;
mod options;
mod planted;
mod registry;
mod time;

// 1 machinery: bytes and words in, bytes and words out; pure.
mod codec;
mod filter;
mod layout;

// 2 disk: the only floor that touches the file system.
mod disk;

// 3 kept: one folder per thing kept.
mod inbox;
mod jobs;
mod manifest;
mod memtable;
mod presence;
mod saved;
mod segment;
mod wal;

// 4 views: decide what to read; change nothing.
mod query;
mod snapshot;

// 5 engine: the only owners of order and threads.
mod store;
mod verify;

// 6 transfer: in and out through the store.
mod export;
mod generate;
mod import;

#[cfg(any(test, feature = "internals"))]
#[doc(hidden)]
pub mod internals;

// Under the names by which the fuzz targets know what they are made of: tests run them, too.
#[cfg(test)]
extern crate self as auditdb;
#[cfg(test)]
extern crate self as libfuzzer_sys;

pub use error::Error;
pub use error::ErrorKind;
pub use error::Place;
pub use error::Result;
pub use event::Change;
pub use event::Context;
pub use event::EXTERNAL_KIND;
pub use event::EXTERNAL_ORG_USER;
pub use event::Event;
pub use event::Field;
pub use event::Json;
pub use event::MULTIPLE_ATTRIBUTES;
pub use event::Metadata;
pub use event::Origin;
pub use event::Outcome;
pub use event::Performer;
pub use event::ShownName;
pub use event::StoredEvent;
pub use event::Subject;
pub use event::Target;
pub use event::kind_words;
pub use export::AuditedExport;
pub use export::Compression;
pub use export::Estimate;
pub use export::EstimatedSize;
pub use export::Export;
pub use export::ExportAudit;
pub use export::ExportFont;
pub use export::ExportJob;
pub use export::ExportJobOptions;
pub use export::ExportJobState;
pub use export::ExportJobs;
pub use export::ExportManifest;
pub use export::ExportReport;
pub use export::ExportedArchive;
pub use export::ExportedFile;
pub use export::Format;
pub use export::MissingGlyphs;
pub use export::OutputFile;
pub use filter::Bound;
pub use filter::Condition;
pub use filter::Filter;
pub use filter::FilterField;
pub use filter::LocalTime;
pub use filter::Moments;
pub use filter::Pattern;
pub use filter::Utc;
pub use filter::Zone;
pub use generate::Generator;
pub use generate::Profile;
pub use id::EventId;
pub use id::ExportId;
pub use id::Position;
pub use id::Sequence;
pub use id::StoreId;
pub use import::Accepted;
pub use import::Import;
pub use import::ImportFormat;
pub use import::ImportMark;
pub use import::ImportOptions;
pub use import::ImportOutcome;
pub use import::ImportSink;
pub use import::ImportedEvent;
pub use import::Mapping;
pub use import::OnRefusal;
pub use import::Refusal;
pub use layout::Audience;
pub use layout::CsvSafety;
pub use layout::Layout;
pub use layout::LocalZone;
pub use layout::Locale;
pub use layout::printable;
pub use options::Durability;
pub use options::OnFull;
pub use options::OnUnknown;
pub use options::Options;
pub use options::Partition;
pub use options::ReadMode;
pub use query::AttributeChange;
pub use query::AttributeState;
pub use query::ChangeView;
pub use query::ChangedBy;
pub use query::Cursor;
pub use query::Effect;
pub use query::EffectBounds;
pub use query::Effects;
pub use query::EntityView;
pub use query::EventView;
pub use query::Every;
pub use query::FacetCursor;
pub use query::FacetOrder;
pub use query::FacetQuery;
pub use query::FacetValue;
pub use query::Facets;
pub use query::History;
pub use query::Looked;
pub use query::Order;
pub use query::OrgView;
pub use query::OriginView;
pub use query::Page;
pub use query::Query;
pub use query::Scan;
pub use query::Stopped;
pub use query::Tail;
pub use query::TimeCounts;
pub use registry::EventType;
pub use registry::Lint;
pub use registry::Pack;
pub use registry::Registry;
pub use saved::SavedQueries;
pub use saved::SavedQuery;
pub use snapshot::Snapshot;
pub use store::Bulk;
pub use store::FlaggedType;
pub use store::FlaggedTypes;
pub use store::Follower;
pub use store::LatestEvent;
pub use store::Pressure;
pub use store::PressureLevel;
pub use store::Reader;
pub use store::Receipt;
pub use store::Recovery;
pub use store::SegmentStats;
pub use store::Stats;
pub use store::Store;
pub use store::Ticket;
pub use time::Clock;
pub use time::Time;
pub use time::TimeError;
pub use verify::Damage;
pub use verify::Part;
pub use verify::Salvage;
pub use verify::Verification;
pub use verify::inspect;
pub use verify::salvage;
pub use verify::verify;
pub use verify::verify_with;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/import.md")]
struct ImportPage;

#[cfg(doctest)]
#[doc = include_str!("../docs/cookbook.md")]
struct Cookbook;

#[cfg(doctest)]
#[doc = include_str!("../docs/packs.md")]
struct PacksPage;
