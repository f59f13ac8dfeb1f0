//! The writing side of a store, and the only owner of order and threads. One thread at a time
//! leads a commit; one background thread seals, with one beside it while segments are merged; one
//! more syncs what nobody waits for.
//! Lock order: house, then writer, then version, then visible, then point; the queue's lock is never held
//! across I/O.

mod adopt;
mod append;
mod background;
mod budget;
mod bulk;
mod commit;
mod create;
mod cut;
mod due;
mod follow;
mod house;
mod logs;
mod merge;
mod open;
mod prepare;
mod presence;
mod queue;
mod reader;
mod replay;
mod room;
mod rules;
mod seal;
mod stats;
mod sweep;
mod sync;
#[cfg(test)]
mod tests;
mod texts;
mod ticket;
mod told;

use std::collections::VecDeque;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Condvar;
use parking_lot::Mutex;
use parking_lot::RwLock;

pub use bulk::Bulk;
pub use follow::Follower;
pub use open::Recovery;
#[cfg(any(test, feature = "internals"))]
pub(crate) use open::open_on;
pub(crate) use prepare::Mark;
pub(crate) use prepare::Offer;
pub(crate) use prepare::Ready;
pub use reader::Reader;
pub use room::Pressure;
pub use room::PressureLevel;
pub use rules::FlaggedType;
pub use rules::FlaggedTypes;
pub use stats::LatestEvent;
pub use stats::SegmentStats;
pub use stats::Stats;
pub use ticket::Ticket;

use crate::disk::Disk;
use crate::disk::lock::Lock;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::filter::Filter;
use crate::id::EventId;
use crate::id::Sequence;
use crate::id::WalId;
use crate::manifest::Manifest;
use crate::memtable::Memtable;
use crate::options::Durability;
use crate::options::Options;
use crate::options::Partition;
use crate::planted::Bug;
use crate::planted::planted;
use crate::planted::unless;
use crate::query::Page;
use crate::query::Query;
use crate::snapshot::Base;
use crate::snapshot::Snapshot;
use crate::snapshot::Version;
use crate::time::Clock;
use crate::time::Time;
use crate::wal;

/// A store open for writing. One process, and one handle of it, at a time; share it by reference
/// between threads. Reading it from other processes goes through [`Reader`].
///
/// Dropping a store without [`Store::close`] loses nothing that was acknowledged as durable; it
/// only leaves the next open more to do, and tells nobody what failed. In a fork of the process the
/// handle takes nothing: appends fail with [`ErrorKind::Forked`], and reading goes through a [`Reader`]
/// that is opened there.
///
/// ```
/// use auditdb::{Event, Options, Performer, Query, Store, Subject};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-store-{}", std::process::id()));
///
/// let store = Store::open(&folder, Options::default())?;
/// let receipt = store.append(
///     &Event::new("user.created")
///         .performer(Performer::new("user").id("u7"))
///         .subject(Subject::new("user").id("u12")),
/// )?;
/// assert_eq!(store.get(receipt.id)?.map(|event| event.seq), Some(receipt.seq));
/// store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
pub struct Store {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    recovery: Recovery,
    path: PathBuf,
}

/// What an append gives back: the event is in the store, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The event's public name.
    pub id: EventId,
    /// Its place in commit order.
    pub seq: Sequence,
    /// When it happened; where the event did not say, the moment of the append.
    pub occurred_at: Time,
    /// When the store accepted it.
    pub recorded_at: Time,
    /// The event was there already, by its key: nothing was appended.
    pub duplicate: bool,
}

/// What the handle and the threads of a store share.
struct Shared {
    disk: Arc<dyn Disk>,
    /// The process that opened the store. A fork has the handle, and neither its threads nor a right
    /// to the log.
    process: u32,
    options: Options,
    budget: budget::Budget,
    rules: rules::Rules,
    /// The width of partitions, as the store was created with.
    partition: Partition,
    clock: Arc<dyn Clock>,
    base: Arc<Base>,
    queue: commit::Queue,
    texts: texts::Texts,
    writer: Mutex<Writer>,
    version: Arc<RwLock<Version>>,
    visible: Mutex<Visible>,
    visible_moved: Condvar,
    background: Mutex<background::Background>,
    background_moved: Condvar,
    manifest: Mutex<Manifest>,
    presence: Mutex<presence::Presence>,
    told: Mutex<told::Told>,
    lock: Mutex<Option<Lock>>,
    poison: Mutex<Option<Error>>,
    pressure: Mutex<Pressure>,
    /// Held from when a folder of segments is made until it holds one, and while empty ones go.
    folders: Mutex<()>,
    house: Mutex<house::House>,
    /// A bulk load has the store to itself.
    is_loading: AtomicBool,
}

/// What only the leader of a commit touches.
struct Writer {
    wal: wal::Writer,
    wal_id: WalId,
    /// The file of an earlier log, for the next one.
    spare: Option<wal::Spare>,
    next_seq: u64,
    recorded_at: Time,
    group: commit::Group,
    /// How long appends are to be delayed that were not yet.
    delay_owed: Duration,
    /// How often the clock was found behind what was recorded.
    clock_steps: u64,
    /// The memtable that takes new rows.
    table: Arc<Memtable>,
    /// Memtables that are not sealed yet, each with the log its rows begin in, the active one last.
    tables: VecDeque<(Arc<Memtable>, WalId)>,
}

/// What readers may see.
#[derive(Clone, Copy, Debug, Default)]
struct Visible {
    seq_count: u64,
    complete_through: Option<Time>,
    closed: bool,
}

impl Store {
    /// Opens the store in the folder `path`, and creates it unless `options.create` is false.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] if it is open for writing elsewhere; [`ErrorKind::NotAStore`] if the
    /// folder holds something else, or nothing and `create` is false; [`ErrorKind::Corrupt`] or
    /// [`ErrorKind::Missing`] with the file if its records are damaged; [`ErrorKind::OutOfRange`]
    /// for a bad option.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Store> {
        open::open(path.as_ref(), options)
    }

    /// Appends a batch of imported events, each with the mark by which its record is known again.
    /// Says for each event what became of it: one that breaks a rule does not keep the others out.
    ///
    /// # Errors
    /// Whatever keeps the store from taking events at all; then none of the batch was taken.
    pub(crate) fn import_batch(
        &self,
        events: Vec<(Offer, Option<Mark>)>,
    ) -> Result<Vec<Result<Receipt>>> {
        let prepare = |(offer, mark): &(Offer, Option<Mark>)| {
            let (rules, text) = (&self.shared.rules, self.shared.texts.take());
            prepare::Prepared::imported(offer, mark.clone(), rules, text)
        };
        let mut answers: Vec<Option<Error>> = Vec::with_capacity(events.len());
        let mut rows = Vec::with_capacity(events.len());
        for event in &events {
            let prepared = prepare(event);
            answers.push(prepared.as_ref().err().map(Error::again));
            rows.extend(prepared);
        }
        let committed = self.shared.commit_all(rows, Durability::Buffered);
        let conflict = |error: &Error| error.kind() == ErrorKind::KeyConflict;
        let mut receipts = match committed {
            Ok(receipts) => receipts.into_iter().map(Ok).collect::<Vec<_>>().into_iter(),
            // Some key was used before: one by one, the others are taken all the same.
            Err(error) if conflict(&error) => {
                let mut receipts = Vec::with_capacity(events.len());
                for (event, _) in events
                    .iter()
                    .zip(&answers)
                    .filter(|(_, error)| error.is_none())
                {
                    match self
                        .shared
                        .commit_all(vec![prepare(event)?], Durability::Buffered)
                    {
                        Err(error) if !conflict(&error) => return Err(error),
                        Ok(taken) => receipts.extend(taken.into_iter().map(Ok)),
                        Err(error) => receipts.push(Err(error)),
                    }
                }
                receipts.into_iter()
            }
            Err(error) => return Err(error),
        };
        Ok(answers
            .into_iter()
            .filter_map(|refused| match refused {
                Some(error) => Some(Err(error)),
                None => receipts.next(),
            })
            .collect())
    }

    /// The events that the store's registry does not know and that were handed in since the store
    /// was opened, where [`crate::OnUnknown::Flag`] takes them; empty otherwise.
    #[must_use]
    pub fn flagged(&self) -> FlaggedTypes {
        self.shared.rules.flagged()
    }

    /// Makes everything accepted so far durable and visible.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub fn sync(&self) -> Result<()> {
        self.shared.sync()
    }

    /// Seals what is in memory into segments and waits until sealing and merging are done.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub fn flush(&self) -> Result<()> {
        self.shared.flush(merge::Aim::Bound)
    }

    /// As [`Store::flush`], and merges the small segments that are left, so that the store takes
    /// less room and pages look into fewer files: for the end of a bulk load, or a quiet hour. A
    /// segment takes part only in a merge that makes one at least twice its size, so that calling
    /// this after each of many small loads rewrites an event a bounded number of times. Appends
    /// and reads go on meanwhile.
    ///
    /// # Errors
    /// As [`Store::append`].
    ///
    /// ```
    /// use auditdb::{Event, Options, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-compact-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// for _ in 0..3 {
    ///     store.append(&Event::new("user.created"))?;
    ///     store.flush()?;
    /// }
    /// assert_eq!(store.stats()?.segments.len(), 3);
    /// store.compact()?;
    /// assert_eq!(store.stats()?.segments.len(), 1);
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn compact(&self) -> Result<()> {
        self.shared.flush(merge::Aim::Compact)
    }

    /// The store as it is now; everything acknowledged as durable is in it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot()
    }

    /// Reads one page of the store as it is now, or as the query's cursor fixed it.
    ///
    /// # Errors
    /// As [`Snapshot::page`].
    pub fn page(&self, query: &Query) -> Result<Page> {
        self.snapshot().page(query)
    }

    /// The event of this name.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub fn get(&self, id: EventId) -> Result<Option<StoredEvent>> {
        self.snapshot().get(id)
    }

    /// Events in commit order from `from` on, waiting for those that are still to come.
    #[must_use]
    pub fn follow(&self, filter: Filter, from: Sequence) -> Follower {
        Follower::of_store(Arc::clone(&self.shared), filter, from)
    }

    /// What opening the store found and mended.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The store's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Facts about the store: events, times, segments, bytes.
    ///
    /// # Errors
    /// What asking the file system for the log's length gives.
    pub fn stats(&self) -> Result<Stats> {
        self.shared.stats()
    }

    /// Makes everything durable, ends the threads and leaves a store that opens instantly and in
    /// which every byte is accounted for.
    ///
    /// # Errors
    /// What syncing and sealing give. The store is closed all the same; what was acknowledged is
    /// safe, and the next open mends the rest.
    pub fn close(mut self) -> Result<()> {
        self.shared.check_process()?;
        let closed = self.shared.close();
        self.join();
        closed.and_then(|()| self.shared.mark_closed())
    }

    fn join(&mut self) {
        self.shared.stop();
        for thread in self.threads.drain(..) {
            // A panic there has poisoned the store already; here it has nothing more to say.
            drop(thread.join());
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.shared.check_process().is_err() {
            // The threads are the other process's. A lock that two have open stays until both let go.
            self.shared.lock.try_lock().and_then(|mut lock| lock.take());
            return;
        }
        self.join();
        self.shared.dismiss();
        self.shared.lock.lock().take();
    }
}

impl core::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Store")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn snapshot(&self) -> Snapshot {
        // In this order: a version taken later holds all that was visible before, since nothing
        // leaves a version before it is in the next. The other way round, rows could be counted
        // that are in a memtable the version does not know yet.
        let visible = *self.visible.lock();
        let version = self.version.read().clone();
        Snapshot::new(
            Arc::clone(&self.base),
            version,
            visible.seq_count,
            visible.complete_through,
        )
    }

    /// Refuses to go on in a fork, before anything that another thread may have held when it was
    /// made.
    fn check_process(&self) -> Result<()> {
        if self.disk.process() == self.process {
            return Ok(());
        }
        let what = format!(
            "the store was opened by process {}, of which this one is a fork: open a Reader here, or \
             the store after that process has closed it",
            self.process
        );
        Err(Error::new(ErrorKind::Forked, what))
    }

    /// Refuses what a closed or poisoned store cannot do.
    fn check_open(&self) -> Result<()> {
        self.check_poison()?;
        if self.visible.lock().closed {
            return Err(Error::new(ErrorKind::Closed, "the store was closed"));
        }
        Ok(())
    }

    /// Refuses what a poisoned store cannot do.
    fn check_poison(&self) -> Result<()> {
        let poison = self.poison.lock();
        poison
            .as_ref()
            .filter(|_| !planted(Bug::SkipPoison))
            .map_or(Ok(()), |error| {
                let what = "nothing more is written until the store is reopened, since this failed";
                Err(Error::new(ErrorKind::Poisoned, what).because(error.again()))
            })
    }

    /// Stops the store if its lock is not its own any more.
    fn check_lock(&self) -> Result<()> {
        let lock = self.lock.lock();
        let held = || lock.as_ref().map_or(Ok(()), Lock::check);
        unless(Bug::LockUnchecked, held).inspect_err(|error| self.poison(error))
    }

    /// Takes no more events: it is not known any more what the disk holds.
    fn poison(&self, error: &Error) {
        self.poison.lock().get_or_insert_with(|| error.again());
    }

    /// Makes what the log holds durably visible, to this process and then to others.
    fn publish(&self, writer: &Writer) {
        {
            let mut visible = self.visible.lock();
            visible.seq_count = writer.next_seq;
            visible.complete_through = (writer.next_seq > 0).then_some(writer.recorded_at);
        }
        self.visible_moved.notify_all();
        self.tell_others(|point| {
            point.wal = writer.wal_id;
            point.wal_end = writer.wal.end();
            point.events = writer.next_seq;
        });
    }
}
