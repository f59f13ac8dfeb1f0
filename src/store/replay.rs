//! What the logs hold beyond the segments, read into a memtable and written anew into a fresh log:
//! after a failed sync the old pages may read well and still not be on the medium. While that log is
//! written and synced, other threads take the contents apart, which is most of the work.

use core::ops::Range;
use std::panic::resume_unwind;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use super::logs::Known;
use super::logs::log_ids;
use super::open::Recovery;
use super::open::put_aside;
use crate::codec::row::Fingerprints;
use crate::codec::row::Row;
use crate::disk::Disk;
use crate::disk::names;
use crate::error::Error;
use crate::error::Result;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::id::WalId;
use crate::manifest::State;
use crate::memtable::Memtable;
use crate::planted::Bug;
use crate::planted::instead;
use crate::planted::unless;
use crate::time::Time;
use crate::wal;
use crate::wal::Extent;

/// Rows for which it pays to start threads.
const ROWS_MIN: usize = 512;

/// What the logs held beyond the segments.
pub(super) struct Replayed {
    pub(super) table: Arc<Memtable>,
    pub(super) next_seq: u64,
    pub(super) recorded_at: Time,
}

/// Rows as the logs hold them, whose contents nobody has looked at.
pub(super) struct Unread {
    table: Memtable,
    next_seq: u64,
    recorded_at: Time,
    /// Each log with the number of its first row in the table.
    logs: Vec<(usize, PathBuf)>,
    /// The log with the highest number, of which there may be no row.
    last_wal: WalId,
}

impl Replayed {
    pub(super) fn new(sealed_seq: Sequence, recorded_at: Time) -> Replayed {
        Replayed {
            table: Arc::new(Memtable::new(sealed_seq)),
            next_seq: sealed_seq.0,
            recorded_at,
        }
    }

    /// Takes a row of a log, unless it is there already: a log that recovery was writing when it
    /// crashed repeats rows of the logs before it.
    pub(super) fn push(&mut self, row: &Row<'_>, file: &Path) -> Result<()> {
        if follows(row, self.next_seq, file)? {
            self.table.push(row, fingerprints(row, file)?);
            self.next_seq += 1;
            self.recorded_at = self.recorded_at.max(row.recorded_at);
        }
        Ok(())
    }
}

/// Whether `row` is the next one, and not one that was there before.
fn follows(row: &Row<'_>, next_seq: u64, file: &Path) -> Result<bool> {
    let seq = row.position.seq.0;
    if seq > next_seq {
        let what = format!("event {next_seq} is missing: event {seq} follows");
        return Err(Error::corrupt(file, 0, what));
    }
    Ok(seq == next_seq)
}

/// What a row is found by, which must be an event.
fn fingerprints(row: &Row<'_>, file: &Path) -> Result<Fingerprints> {
    let content = row.content().ok_or_else(|| {
        let seq = row.position.seq;
        Error::corrupt(file, 0, format!("the content of event {seq} is no event"))
    })?;
    let prints = row.content_fingerprints(&content);
    Ok(instead(Bug::KeysForgotten, prints, |_| {
        Fingerprints::default()
    }))
}

/// Reads what the logs hold beyond the segments.
pub(super) fn read(
    disk: &dyn Disk,
    state: &State,
    known: &Known,
    recovery: &mut Recovery,
) -> Result<Unread> {
    let mut unread = Unread {
        table: Memtable::new(state.sealed_seq),
        next_seq: state.sealed_seq.0,
        recorded_at: state.recorded_at.unwrap_or(Time::MIN),
        logs: Vec::new(),
        last_wal: state.wal_first,
    };
    for (id, extent) in known.logs(disk, state)? {
        unread.read_log(disk, state.store, id, extent, recovery)?;
    }
    known.check_count(disk, unread.next_seq)?;
    recovery.events_replayed = unread.next_seq - state.sealed_seq.0;
    let last = log_ids(disk)?.last().copied();
    unread.last_wal = unread.last_wal.max(last.unwrap_or(state.wal_first));
    Ok(unread)
}

impl Unread {
    pub(super) const fn next_seq(&self) -> u64 {
        self.next_seq
    }

    pub(super) const fn last_wal(&self) -> WalId {
        self.last_wal
    }

    fn read_log(
        &mut self,
        disk: &dyn Disk,
        store: StoreId,
        id: WalId,
        extent: Extent,
        recovery: &mut Recovery,
    ) -> Result<()> {
        let mut log = wal::Reader::open(disk, id, store, extent)?;
        let file = disk.place(&names::wal(id));
        self.logs.push((self.table.len(), file.clone()));
        while let Some(group) = log.next()? {
            for row in group.rows() {
                let row = row?;
                if follows(&row, self.next_seq, &file)? {
                    self.table.push(&row, Fingerprints::default());
                    self.next_seq += 1;
                    self.recorded_at = self.recorded_at.max(row.recorded_at);
                }
            }
        }
        if let Some(torn) = log.tail().and_then(|tail| tail.torn) {
            put_aside(disk, names::torn_wal(id), torn.bytes, recovery, |sink| {
                log.copy_torn(sink)
            })?;
        }
        Ok(())
    }

    /// Writes all rows into `wal` and syncs it, while their contents are taken apart.
    pub(super) fn take_over(mut self, wal: &mut wal::Writer) -> Result<Replayed> {
        let (unread, rows) = (&self, self.table.len());
        let mut write = || {
            copy_rows(&unread.table, wal)?;
            unless(Bug::TrustCacheOnReopen, || wal.sync())
        };
        let prints = if rows < ROWS_MIN {
            write()?;
            unread.fingerprints(0..rows)?
        } else {
            thread::scope(|scope| {
                let halves = [0..rows / 2, rows / 2..rows];
                let helpers = halves.map(|half| {
                    let own = half.clone();
                    let read = move || unread.fingerprints(own);
                    (thread::Builder::new().spawn_scoped(scope, read), half)
                });
                write()?;
                let mut prints = Vec::with_capacity(rows);
                for (helper, half) in helpers {
                    let read = match helper {
                        Ok(helper) => helper.join().unwrap_or_else(|panic| resume_unwind(panic)),
                        // The system has no thread left to give.
                        Err(_) => unread.fingerprints(half),
                    };
                    prints.append(&mut read?);
                }
                Ok::<_, Error>(prints)
            })?
        };
        self.table.set_fingerprints(prints);
        Ok(Replayed {
            table: Arc::new(self.table),
            next_seq: self.next_seq,
            recorded_at: self.recorded_at,
        })
    }

    /// What some rows are found by.
    fn fingerprints(&self, rows: Range<usize>) -> Result<Vec<Fingerprints>> {
        let entries = rows.map(|row| (row, self.table.entry(row as u32)));
        let prints = entries.filter_map(|(number, entry)| {
            let entry = entry?;
            let log = self.logs.iter().rev().find(|(first, _)| *first <= number);
            let file = log.map_or(Path::new(""), |(_, file)| file);
            Some(fingerprints(&entry.row(), file))
        });
        prints.collect()
    }
}

/// Writes all rows of a memtable into a log, in groups as they were recorded.
fn copy_rows(table: &Memtable, wal: &mut wal::Writer) -> Result<()> {
    const GROUP_BYTES: usize = 1 << 20;
    let entries: Vec<_> = (0..table.len() as u32)
        .filter_map(|row| table.entry(row))
        .collect();
    let rows: Vec<Row<'_>> = entries.iter().map(|entry| entry.row()).collect();
    for recorded in rows.chunk_by(|left, right| left.recorded_at == right.recorded_at) {
        let mut bytes = 0;
        let small = recorded.chunk_by(|left, _| {
            bytes = if bytes < GROUP_BYTES {
                bytes + left.body.content.len()
            } else {
                0
            };
            bytes < GROUP_BYTES
        });
        for group in small {
            let Some(first) = group.first() else { continue };
            let rows = group.iter().map(|row| (row.position.occurred_at, row.body));
            wal.append(first.position.seq, first.recorded_at, rows)?;
        }
    }
    Ok(())
}
