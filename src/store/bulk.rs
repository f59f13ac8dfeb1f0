//! Bulk loads: events go straight to segments, taken apart when they come and packed once, without a
//! log, small segments or a rewrite. A load has the store to itself, so its events have their seqs at
//! once; they count with the manifest's edit that names their segment, all of it or nothing. What a
//! crash leaves before that are drafts, or a segment that the next open removes (see `sweep`).

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use super::Mark;
use super::Offer;
use super::Shared;
use super::Store;
use super::cut::Cut;
use super::house::Alone;
use super::merge::Aim;
use super::prepare::Prepared;
use super::seal::DraftSegment;
use crate::codec::fingerprint;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::id::Sequence;
use crate::limits;
use crate::manifest::Edit;
use crate::memtable::Memtable;
use crate::segment::load::Arrival;
use crate::segment::load::Load;
use crate::snapshot::Version;
use crate::time::Time;

/// Bytes of a stored row, about: only where nothing is known of the rows yet.
const ROW_BYTES: u64 = 90;
/// Rows between two looks at how much memory is taken.
const LOOK_ROWS: usize = 1024;
/// Who hands in events slowly loses no more than these by a crash.
const OLD_MICROS: i64 = 60_000_000;

/// Events on their way into a store in bulk, several times as quick as appends. Every so many are
/// committed together, or those of a minute when the next one comes, and the last ones by
/// [`Bulk::finish`]: these are durable and visible at once, and nothing of them before. Dropping a load forgets those that were not committed.
///
/// ```
/// use auditdb::{Event, Options, Store};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-bulk-{}", std::process::id()));
///
/// let mut store = Store::open(&folder, Options::default())?;
/// let mut bulk = store.bulk()?;
/// for number in 0..1000 {
///     bulk.append(&Event::new("page.seen").reason(number.to_string()))?;
/// }
/// bulk.finish()?;
/// assert_eq!(store.snapshot().seq_count(), 1000);
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
pub struct Bulk<'s> {
    store: &'s mut Store,
    loading: Option<Loading>,
    version: Version,
    kept: u64,
    /// The borrow says it of callers, this of what the store adds by itself.
    _alone: Alone,
}

/// A segment that is being loaded.
struct Loading {
    load: Load,
    draft: DraftSegment,
    first_seq: u64,
    names: Names,
    begun: Time,
}

/// By what the rows of a load are known again that are not committed yet.
#[derive(Default)]
struct Names {
    /// Proofs of import marks.
    marks: HashSet<u128>,
    /// Proofs of keys, each with what tells its event from others.
    keys: HashMap<u128, u128>,
}

impl Store {
    /// Begins to load many events. Nothing else can be appended meanwhile, which the borrow says;
    /// reading, following and other processes' readers go on. What others left for the writer waits.
    ///
    /// # Errors
    /// As [`Store::flush`].
    pub fn bulk(&mut self) -> Result<Bulk<'_>> {
        // In a fork there is nobody who would let the house go.
        self.shared.check_process()?;
        let alone = Alone::with(&self.shared);
        // Segments hold a beginning of all events: what is in memory comes before the load.
        self.shared.flush(Aim::Bound)?;
        let version = self.shared.version.read().clone();
        Ok(Bulk {
            store: self,
            loading: None,
            version,
            kept: 0,
            _alone: alone,
        })
    }
}

impl Bulk<'_> {
    /// Takes an event in, and gives its place in commit order; `None` if the store has it already, by
    /// its key.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] names the field, [`ErrorKind::KeyConflict`] says that the key was used
    /// with other content; then the load may go on. Any other error is of committing what came before,
    /// as [`Bulk::commit`] gives it, and the event is not taken.
    pub fn append(&mut self, event: &Event) -> Result<Option<Sequence>> {
        let shared = &self.store.shared;
        let text = shared.texts.take();
        let mut row = Prepared::new(event, None, None, &shared.rules, text)?;
        let taken = self.take(&mut row)?;
        let shared = &self.store.shared;
        shared.texts.give_back(core::iter::once(row.content));
        Ok(taken)
    }

    /// Takes in what an import offers.
    pub(crate) fn offer(&mut self, offer: Offer, mark: Option<Mark>) -> Result<Option<Sequence>> {
        let rules = &self.store.shared.rules;
        self.take(&mut Prepared::taken(offer, mark, rules)?)
    }

    fn take(&mut self, row: &mut Prepared) -> Result<Option<Sequence>> {
        if self.is_known(row)? {
            return Ok(None);
        }
        let shared = &self.store.shared;
        let (memory, now) = (shared.budget.load_bytes, shared.clock.now());
        let is_due = |one: &Loading| one.is_full(memory) || one.is_old(now);
        if self.loading.as_ref().is_some_and(is_due) {
            self.commit()?;
        }
        let shared = &self.store.shared;
        let loading = match &mut self.loading {
            Some(loading) => loading,
            none => none.insert(shared.begin_load()?),
        };
        let seq = Sequence(loading.first_seq + loading.load.len() as u64);
        loading.names.add(row);
        let mark = row.mark.take();
        let arrival = Arrival {
            time: row.time.unwrap_or(now),
            time_given: row.time.is_some(),
            import: mark.map(|mark| (mark.mapping, mark.repeat)),
            fingerprints: row.prints,
        };
        loading.load.push(arrival, &row.content);
        Ok(Some(seq))
    }

    /// Whether the store or this load has the event already.
    fn is_known(&self, row: &Prepared) -> Result<bool> {
        let Some(print) = row.prints.key else {
            return Ok(false);
        };
        let names = self.loading.as_ref().map(|loading| &loading.names);
        if names.map_or(Ok(false), |names| names.has(row))? {
            return Ok(true);
        }
        let found = self.store.shared.find_in(&self.version, row, print)?;
        Ok(found.is_some())
    }

    /// Makes everything taken so far durable and visible. Done every so many events anyway, as memory
    /// and segments allow; fewer make small segments, which are merged later.
    ///
    /// # Errors
    /// As [`Store::append`]. What was taken since the last commit is then not in the store; with
    /// [`ErrorKind::Full`] it may be appended again once there is room.
    pub fn commit(&mut self) -> Result<()> {
        self.store.shared.check_process()?;
        let Some(loading) = self.loading.take() else {
            return Ok(());
        };
        let shared = &self.store.shared;
        let rows = loading.load.len() as u64;
        let is_full = loading.is_full(shared.budget.load_bytes);
        shared.commit_load(loading, is_full)?;
        self.kept += rows;
        self.version = shared.version.read().clone();
        Ok(())
    }

    /// Events of this load that are durable and visible by now.
    #[must_use]
    pub const fn kept(&self) -> u64 {
        self.kept
    }

    /// Waits until there is nothing left to merge.
    #[cfg(test)]
    pub(super) fn drain(&self) -> Result<()> {
        self.store.shared.drain()
    }

    /// Commits what is left.
    ///
    /// # Errors
    /// As [`Bulk::commit`].
    pub fn finish(mut self) -> Result<()> {
        self.commit()
    }
}

impl core::fmt::Debug for Bulk<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Bulk")
            .field("store", &self.store)
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

impl Drop for Bulk<'_> {
    fn drop(&mut self) {
        let shared = &self.store.shared;
        if let Some(Loading { load, draft, .. }) = self.loading.take() {
            // In a fork neither the threads nor the file are its own.
            if shared.check_process().is_err() {
                return;
            }
            load.give_up();
            shared.drop_segment(&draft);
        }
    }
}

impl Shared {
    fn begin_load(&self) -> Result<Loading> {
        self.check_process()?;
        self.check_open()?;
        self.check_lock()?;
        let first_seq = self.writer.lock().next_seq;
        let draft = self.begin_segment()?;
        let load = Load::begin(&draft.file, self.base.store, draft.id, Sequence(first_seq));
        let load = load.inspect_err(|_| self.drop_segment(&draft))?;
        Ok(Loading {
            load,
            draft,
            first_seq,
            names: Names::default(),
            begun: self.clock.now(),
        })
    }

    /// Writes the segment of a load and makes it count; one that is full is as large as memory allows.
    fn commit_load(&self, loading: Loading, is_full: bool) -> Result<()> {
        let Loading {
            load,
            draft,
            first_seq,
            names,
            ..
        } = loading;
        drop(names);
        let rows = load.len() as u64;
        let now = self.clock.now();
        let (recorded_before, steps) = {
            let writer = self.writer.lock();
            (writer.recorded_at, writer.clock_steps)
        };
        let recorded_at = now.max(recorded_before);
        let clock_steps = steps + u64::from(now < recorded_before);
        let ready = self.check_open().and_then(|()| self.check_lock());
        let written = match ready {
            Ok(()) => load.finish(recorded_at),
            Err(error) => {
                load.give_up();
                Err(error)
            }
        };
        // Not before the manifest knows that the number is used is the file put where it would be
        // taken for a segment that the records have forgotten.
        let numbered =
            written.and_then(|summary| self.commit_edit(Edit::default()).map(|()| summary));
        let cut = Cut {
            width: self.partition,
            segment_rows: match is_full {
                true => rows as usize,
                false => self.budget.segment_rows(rows, rows * ROW_BYTES),
            },
        };
        let entry = self.place_segment(&draft, &cut, numbered)?;
        let end = first_seq + rows;
        let edit = Edit {
            sealed_seq: Some(Sequence(end)),
            recorded_at: Some(recorded_at),
            clock_steps: Some(clock_steps),
            ..Edit::default()
        };
        let mut writer = self.writer.lock();
        let before = Arc::clone(&writer.table);
        self.put_in_force(vec![entry], Vec::new(), edit, Some(&before))?;
        // The log goes on behind what it does not hold.
        writer.next_seq = end;
        writer.recorded_at = recorded_at;
        writer.clock_steps = clock_steps;
        writer.table = Arc::new(Memtable::new(Sequence(end)));
        let active = (Arc::clone(&writer.table), writer.wal_id);
        writer.tables.clear();
        writer.tables.push_back(active);
        self.version
            .write()
            .memtables
            .push(Arc::clone(&writer.table));
        self.publish(&writer);
        drop(writer);
        self.wake_background();
        Ok(())
    }
}

impl Loading {
    /// Whether the next event begins another segment.
    fn is_full(&self, memory_max: usize) -> bool {
        let rows = self.load.len();
        let is_due = rows.is_multiple_of(LOOK_ROWS);
        rows >= limits::SEGMENT_ROWS
            || self.load.is_over()
            || is_due && self.load.memory() + self.names.memory() > memory_max
    }

    /// Whether its events have waited long enough.
    fn is_old(&self, now: Time) -> bool {
        now.as_micros() - self.begun.as_micros() >= OLD_MICROS
    }
}

impl Names {
    /// Whether a row of this key or mark is there.
    ///
    /// # Errors
    /// [`ErrorKind::KeyConflict`] when the key was used with other content.
    fn has(&self, row: &Prepared) -> Result<bool> {
        if !row.has_key {
            return Ok(self.marks.contains(&row.proof));
        }
        match self.keys.get(&row.proof) {
            None => Ok(false),
            Some(whole) if *whole == fingerprint::whole(row.time, &row.content) => Ok(true),
            Some(_) => {
                let what = "key: used in this load with other content; give the new event a key of \
                            its own";
                Err(Error::new(ErrorKind::KeyConflict, what))
            }
        }
    }

    fn add(&mut self, row: &Prepared) {
        if row.has_key {
            let whole = fingerprint::whole(row.time, &row.content);
            self.keys.insert(row.proof, whole);
        } else if row.prints.key.is_some() {
            self.marks.insert(row.proof);
        }
    }

    /// Bytes of memory taken, about.
    fn memory(&self) -> usize {
        // A byte beside each, and one place in eight is free.
        self.marks.capacity() * 20 + self.keys.capacity() * 38
    }
}
