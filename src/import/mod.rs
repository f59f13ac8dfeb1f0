//! Source lines in, events out: streaming, with bounded memory, losing nothing.
//! Every line read ends as exactly one of imported, duplicate or refused. A record's identity
//! follows from the line and the mapping alone, so importing again adds nothing. Used by faces.

mod columns;
#[cfg(test)]
mod corpus;
mod expression;
mod formats;
mod generic;
mod grammar;
mod input;
mod mapping;
mod moment;
mod native;
mod record;
mod repeats;
mod run;
mod shape;
mod step;
mod store;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod tests;

pub use formats::ImportFormat;
pub use mapping::Mapping;

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use crate::error::Result;
use crate::event::Event;
use crate::id::Sequence;
use crate::layout::CsvSafety;
use crate::store::Offer;

use formats::Formats;
use repeats::Repeats;

/// Events of one batch handed to the store.
const BATCH_EVENTS: usize = 2048;
/// Bytes of source lines after which a batch is handed over, however few events it holds.
const BATCH_BYTES: usize = 8 << 20;
/// Refusals kept in the outcome; further ones are counted and written, not kept.
const REFUSALS_KEPT: usize = 100;

/// What an import asks for; the default reads each line by its content.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// How lines are read.
    pub format: ImportFormat,
    /// A mapping that comes first: on the records its `detect` fits, or on all if it has none.
    pub map: Option<Arc<Mapping>>,
    /// Keep exact repeats within the import, numbered, instead of counting them as duplicates.
    pub keep_repeats: bool,
    /// Minutes east of UTC for times written without a zone; otherwise the mapping says.
    pub zone: Option<i32>,
    /// How cells of CSV files were written: one `'` is taken from a cell's beginning, or none of
    /// `Raw` files.
    pub csv_safety: CsvSafety,
}

/// What becomes of lines that are refused.
#[derive(Default)]
pub enum OnRefusal<'a> {
    /// The first one ends the import with an error.
    #[default]
    Stop,
    /// They are counted, and the first hundred named in the outcome.
    Skip,
    /// As `Skip`, and each is written as a line of JSON with input, line, reason and text.
    Write(&'a mut dyn Write),
}

/// A line that was not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The input's name.
    pub input: String,
    /// The line's number in it, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// How an import went; `imported + duplicates + refused = read`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOutcome {
    /// Lines that were not blank.
    pub read: u64,
    /// Events the store took.
    pub imported: u64,
    /// Lines whose event the store has already, or that repeat a line of this import.
    pub duplicates: u64,
    /// Lines that are no events.
    pub refused: u64,
    /// The lowest place in commit order that was given.
    pub first_seq: Option<Sequence>,
    /// The highest place in commit order that was given.
    pub last_seq: Option<Sequence>,
    /// The first hundred refusals.
    pub refusals: Vec<Refusal>,
    /// Lines by what read them, in the order of first use; none where a bulk load took lines back, as
    /// nobody knows then which.
    pub mappings: Vec<(Arc<str>, u64)>,
}

impl ImportOutcome {
    /// Takes back what a bulk load did not come to keep: of the events that were imported only the
    /// first `kept` are in the store.
    pub fn keep(&mut self, kept: u64) {
        if kept < self.imported {
            self.mappings.clear();
        }
        self.read -= self.imported.saturating_sub(kept);
        self.imported = self.imported.min(kept);
        // A load has the store to itself, so they are dense.
        self.first_seq = self.first_seq.filter(|_| kept > 0);
        let last = self.first_seq.map(|first| Sequence(first.0 + kept - 1));
        self.last_seq = self.last_seq.min(last);
    }
}

/// What names an imported event that has no key of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImportMark {
    /// The mapping that made it.
    pub mapping: Arc<str>,
    /// How many identical records came before it in the import.
    pub repeat: u64,
}

/// An event that an import offers to where it goes.
#[derive(Debug)]
pub struct ImportedEvent {
    offer: Offer,
    mark: Option<ImportMark>,
}

impl ImportedEvent {
    /// The event, and what names it if it has no key of its own.
    ///
    /// ```
    /// # use auditdb::{Event, ImportMark, ImportedEvent};
    /// fn look_at(one: ImportedEvent) -> Event {
    ///     let (event, mark): (Event, Option<ImportMark>) = one.into_parts();
    ///     assert!(mark.is_some() || event.key.value().is_some());
    ///     event
    /// }
    /// ```
    #[must_use]
    pub fn into_parts(self) -> (Event, Option<ImportMark>) {
        let event = match self.offer {
            Offer::Event(event) => *event,
            Offer::Content(ready) => native::event_of(&ready),
        };
        (event, self.mark)
    }
}

/// What a store did with one event of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It has this place in commit order now.
    Stored(Sequence),
    /// It was there already.
    Duplicate,
    /// It breaks a rule, which is named.
    Refused(String),
}

/// Where imported events go: a [`crate::Store`] by reference, or something of one's own.
///
/// ```
/// use auditdb::{Accepted, ImportSink, ImportedEvent, Sequence};
///
/// struct Count(u64);
/// impl ImportSink for Count {
///     fn accept(&mut self, batch: Vec<ImportedEvent>) -> Result<Vec<Accepted>, auditdb::Error> {
///         let stored = |_| { self.0 += 1; Accepted::Stored(Sequence(self.0 - 1)) };
///         Ok(batch.into_iter().map(stored).collect())
///     }
/// }
/// ```
pub trait ImportSink {
    /// Takes a batch in order and says for each event what became of it; one answer per event.
    /// When it returns, what it calls stored is as durable as the store promises, or becomes so when
    /// a bulk load commits it; after an error nothing of the batch counts as imported, and the same
    /// batch may be offered again.
    ///
    /// # Errors
    /// Whatever keeps the store from taking events at all; it ends the import.
    fn accept(&mut self, batch: Vec<ImportedEvent>) -> Result<Vec<Accepted>>;
}

/// An import under way: one sink, which mostly is a store, and any number of inputs.
///
/// ```
/// use auditdb::{Import, ImportOptions, OnRefusal, Options, Store};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-import-{}", std::process::id()));
///
/// let store = Store::open(&folder, Options::default())?;
/// let line = br#"{"type":"user.created","occurred_at":"2026-05-17T08:00:00Z"}"#;
/// for imported in [1, 0] {
///     let mut sink = &store;
///     let mut import = Import::new(&mut sink, ImportOptions::default(), OnRefusal::Stop);
///     import.read("lines", line.as_slice())?;
///     assert_eq!(import.outcome().imported, imported, "importing again adds nothing");
/// }
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
pub struct Import<'s> {
    sink: &'s mut dyn ImportSink,
    formats: Formats,
    csv_safety: CsvSafety,
    repeats: Option<Repeats>,
    on_refusal: OnRefusal<'s>,
    progress: Option<Progress<'s>>,
    outcome: ImportOutcome,
    batch: Batch,
}

/// Who is told how far an import is.
type Progress<'s> = Box<dyn FnMut(&ImportOutcome) + 's>;

/// Lines of one input that were read and not yet settled.
#[derive(Default)]
struct Batch {
    lines: Vec<Pending>,
    events: Vec<ImportedEvent>,
    /// The texts of the lines, one after the other, for refusals and for telling repeats.
    texts: Vec<u8>,
    /// Where records of this batch stand, by their digest.
    identities: HashMap<u64, usize>,
    /// Lines by what read them.
    mappings: Vec<(Arc<str>, u64)>,
}

struct Pending {
    number: u64,
    text: core::ops::Range<usize>,
    fate: Fate,
}

enum Fate {
    Offered,
    Repeats,
    Refused(String),
}
