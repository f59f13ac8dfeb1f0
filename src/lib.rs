//! An embedded, append-only audit store.

// 0 words: no I/O, no policy.
mod error;
mod event;
mod id;
mod limits;
mod options;
mod time;

// 1 machinery: bytes and words in, bytes and words out; pure.
mod codec;
mod filter;
mod layout;

// 2 disk: the only floor that touches the file system.
mod disk;

// 3 kept: one folder per thing kept.
mod manifest;
mod memtable;
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

#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;

pub use error::Error;
pub use error::ErrorKind;
pub use error::Place;
pub use error::Result;
pub use event::Change;
pub use event::Context;
pub use event::Event;
pub use event::Field;
pub use event::Json;
pub use event::Metadata;
pub use event::Origin;
pub use event::Outcome;
pub use event::Performer;
pub use event::StoredEvent;
pub use event::Subject;
pub use event::Target;
pub use export::Compression;
pub use export::Export;
pub use export::ExportReport;
pub use export::Format;
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
pub use import::Mapping;
pub use import::OnRefusal;
pub use import::Refusal;
pub use layout::CsvSafety;
pub use layout::Layout;
pub use options::Durability;
pub use options::Options;
pub use options::Partition;
pub use options::ReadMode;
pub use query::Cursor;
pub use query::FacetValue;
pub use query::Facets;
pub use query::Order;
pub use query::Page;
pub use query::Query;
pub use query::Scan;
pub use query::Stopped;
pub use query::Tail;
pub use snapshot::Snapshot;
pub use store::Follower;
pub use store::Reader;
pub use store::Receipt;
pub use store::Recovery;
pub use store::SegmentStats;
pub use store::Stats;
pub use store::Store;
pub use time::Clock;
pub use time::Time;
pub use time::TimeError;
pub use verify::Damage;
pub use verify::Salvage;
pub use verify::Verification;
pub use verify::salvage;
pub use verify::verify;
pub use verify::verify_with;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
