//! Group commit: whoever finds no leader leads, writes everything that waits as one log frame,
//! syncs once, makes it visible, and hands out the receipts. No timer: the sync itself lets the
//! next group gather. Only the leader touches the log, the sequence and the active memtable.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;

use parking_lot::Mutex;
use parking_lot::MutexGuard;

use super::Receipt;
use super::Shared;
use super::Writer;
use super::prepare::Prepared;
use crate::codec::row::Row;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::EventId;
use crate::id::Position;
use crate::id::Sequence;
use crate::options::Durability;
use crate::segment::reader::Loaded;
use crate::snapshot::Version;
use crate::time::Time;

/// Bytes after which a group is written without waiting for more members.
const GROUP_BYTES: usize = 1 << 20;

/// What a caller hands in: rows to commit as one, or just a wish for a sync.
pub(super) struct Submission {
    pub(super) rows: Vec<Prepared>,
    pub(super) durability: Durability,
}

/// Submissions that wait for a leader.
#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<(Submission, Arc<Slot>)>,
    led: bool,
}

#[derive(Default)]
struct Slot(Mutex<Option<Result<Vec<Receipt>>>>);

/// A group in the making: what will be written, and what each submission gets if that works.
struct Group {
    rows: Vec<(Prepared, Position)>,
    by_key: HashMap<u64, Vec<usize>>,
    answers: Vec<Result<Vec<Receipt>>>,
    next_seq: u64,
    recorded_at: Time,
    /// The clock was behind what had been recorded.
    clock_stepped: bool,
}

impl Shared {
    /// Commits a submission and waits for its receipts.
    pub(super) fn commit(&self, submission: Submission) -> Result<Vec<Receipt>> {
        let slot = Arc::new(Slot::default());
        let mut queue = self.queue.lock();
        queue.waiting.push_back((submission, Arc::clone(&slot)));
        loop {
            if let Some(result) = slot.0.lock().take() {
                return result;
            }
            if queue.led {
                self.queue_moved.wait(&mut queue);
                continue;
            }
            queue.led = true;
            let group = take_group(&mut queue);
            MutexGuard::unlocked(&mut queue, || {
                let (submissions, slots): (Vec<_>, Vec<_>) = group.into_iter().unzip();
                let count = submissions.len();
                let answers = catch_unwind(AssertUnwindSafe(|| self.lead(submissions)));
                let answers = answers.unwrap_or_else(|_| self.panicked(count));
                for (slot, answer) in slots.iter().zip(answers) {
                    *slot.0.lock() = Some(answer);
                }
            });
            queue.led = false;
            self.queue_moved.notify_all();
        }
    }

    /// A defect must not leave the others waiting for ever: everybody is told, and the store stops.
    fn panicked(&self, count: usize) -> Vec<Result<Vec<Receipt>>> {
        let what = "the thread that led the commit panicked";
        let error = Error::new(ErrorKind::Indeterminate, what);
        self.poison(&error);
        (0..count).map(|_| Err(error.again())).collect()
    }

    /// Commits a whole group. The answers are in the order of the submissions.
    fn lead(&self, submissions: Vec<Submission>) -> Vec<Result<Vec<Receipt>>> {
        let count = submissions.len();
        let mut writer = self.writer.lock();
        let told_all = |error: &Error| (0..count).map(|_| Err(error.again())).collect();
        let has_rows = submissions
            .iter()
            .any(|submission| !submission.rows.is_empty());
        let mut room = || {
            if has_rows {
                self.make_room(&mut writer)
            } else {
                Ok(())
            }
        };
        let ready = self.check_open().and_then(|()| self.check_lock());
        if let Err(error) = ready.and_then(|()| room()) {
            return told_all(&error);
        }
        let sync = submissions
            .iter()
            .any(|submission| submission.durability == Durability::Durable);
        let mut group = match self.plan(&writer, submissions) {
            Ok(group) => group,
            Err(error) => return told_all(&error),
        };
        match self.write(&mut writer, &group, sync) {
            Ok(()) => group.answers,
            Err(error) => {
                group
                    .answers
                    .iter_mut()
                    .filter(|answer| answer.is_ok())
                    .for_each(|answer| {
                        *answer = Err(error.again());
                    });
                group.answers
            }
        }
    }

    /// Gives every new row its place, and finds the rows that were committed before.
    fn plan(&self, writer: &Writer, submissions: Vec<Submission>) -> Result<Group> {
        let now = self.clock.now();
        let mut group = Group {
            rows: Vec::new(),
            by_key: HashMap::new(),
            answers: Vec::with_capacity(submissions.len()),
            next_seq: writer.next_seq,
            recorded_at: now.max(writer.recorded_at),
            clock_stepped: now < writer.recorded_at,
        };
        // Nothing joins it but what this leader adds, and what it pins stays readable.
        let version = self.version.read().clone();
        for submission in submissions {
            let (rows_before, seq_before) = (group.rows.len(), group.next_seq);
            let answer = self.plan_submission(&mut group, &version, submission.rows, now);
            if answer.is_err() {
                group.next_seq = seq_before;
                group.rows.truncate(rows_before);
                for list in group.by_key.values_mut() {
                    list.retain(|row| *row < rows_before);
                }
            }
            group.answers.push(answer);
        }
        Ok(group)
    }

    fn plan_submission(
        &self,
        group: &mut Group,
        version: &Version,
        rows: Vec<Prepared>,
        now: Time,
    ) -> Result<Vec<Receipt>> {
        let mut receipts: Vec<Receipt> = Vec::with_capacity(rows.len());
        for (number, mut row) in rows.into_iter().enumerate() {
            row.resolve_cause(|member| receipts.get(member).map(|receipt| receipt.id));
            let known = self
                .find_committed(group, version, &row)
                .map_err(|error| error.of_member(number))?;
            if let Some(receipt) = known {
                receipts.push(receipt);
                continue;
            }
            let occurred_at = row.time.unwrap_or(now);
            let position = Position {
                occurred_at,
                seq: Sequence(group.next_seq),
            };
            receipts.push(Receipt {
                id: EventId::new(position),
                seq: position.seq,
                occurred_at,
                recorded_at: group.recorded_at,
                duplicate: false,
            });
            if let Some(print) = row.prints.key {
                group
                    .by_key
                    .entry(print)
                    .or_default()
                    .push(group.rows.len());
            }
            group.rows.push((row, position));
            group.next_seq += 1;
        }
        Ok(receipts)
    }

    /// The receipt of the row that carries the same key or import mark with the same content.
    ///
    /// # Errors
    /// [`ErrorKind::KeyConflict`] when the key was used with other content.
    fn find_committed(
        &self,
        group: &Group,
        version: &Version,
        wanted: &Prepared,
    ) -> Result<Option<Receipt>> {
        let Some(print) = wanted.prints.key else {
            return Ok(None);
        };
        for member in group.by_key.get(&print).into_iter().flatten() {
            let Some((row, position)) = group.rows.get(*member) else {
                continue;
            };
            let recorded_at = group.recorded_at;
            let row = Row {
                position: *position,
                recorded_at,
                body: row.body(),
            };
            if let Some(receipt) = same(wanted, &row)? {
                return Ok(Some(receipt));
            }
        }
        for table in version.memtables.iter().rev() {
            for entry in table.by_key(print) {
                if let Some(receipt) = same(wanted, &entry.row())? {
                    return Ok(Some(receipt));
                }
            }
        }
        for pinned in version.segments.iter() {
            // An imported record that tells its own time can only be repeated at that time.
            let entry = &pinned.entry;
            let elsewhere =
                |time: Time| time < entry.min.occurred_at || time > entry.max.occurred_at;
            if !wanted.has_key && wanted.time.is_some_and(elsewhere) {
                continue;
            }
            let reader = self.base.segments.reader(entry)?;
            let mut loaded = Loaded::default();
            let rows = match wanted.has_key {
                true => reader.fingerprint(print)?,
                false => reader.imported(print, wanted.prints.origin)?,
            };
            for row in rows {
                if let Some(receipt) = same(wanted, &reader.row(row, &mut loaded)?)? {
                    return Ok(Some(receipt));
                }
            }
        }
        Ok(None)
    }

    /// Writes the group's rows as one frame, syncs if asked to, and makes visible what is durable.
    fn write(&self, writer: &mut Writer, group: &Group, sync: bool) -> Result<()> {
        if !group.rows.is_empty() {
            let first_seq = Sequence(writer.next_seq);
            let rows = group
                .rows
                .iter()
                .map(|(row, position)| (position.occurred_at, row.body()));
            if let Err(error) = writer.wal.append(first_seq, group.recorded_at, rows) {
                // A full disk leaves the log as it was, so the sequence stays dense and the next
                // append may find room again. Anything else leaves it unknown what is in the log.
                if error.is_full() && !writer.wal.is_broken() {
                    return Err(error);
                }
                self.poison(&error);
                let what = "the write failed: whether the event survives is known after reopening";
                return Err(Error::new(ErrorKind::Indeterminate, what).with_source(error));
            }
            writer.clock_steps += u64::from(group.clock_stepped);
            writer.recorded_at = group.recorded_at;
            writer.next_seq = group.next_seq;
            for (row, position) in &group.rows {
                let recorded_at = group.recorded_at;
                let placed = Row {
                    position: *position,
                    recorded_at,
                    body: row.body(),
                };
                writer.table.push(&placed, row.prints);
            }
        }
        if sync || writer.wal.unsynced_bytes() >= GROUP_BYTES as u64 {
            self.sync_log(writer)?;
        } else if writer.wal.unsynced_bytes() > 0 {
            self.sync_soon();
        }
        Ok(())
    }

    /// Syncs the log and makes everything in it visible.
    pub(super) fn sync_log(&self, writer: &mut Writer) -> Result<()> {
        if writer.wal.unsynced_bytes() > 0 {
            // After the write: who replaced the lock later than this found the group in the log.
            if let Err(error) = self.check_lock() {
                let what = format!("{error}; whether the event survives is known after reopening");
                return Err(Error::new(ErrorKind::Indeterminate, what).with_source(error));
            }
            if let Err(error) = writer.wal.sync() {
                self.poison(&error);
                let what = "the sync failed: whether the event survives is known after reopening";
                return Err(Error::new(ErrorKind::Indeterminate, what).with_source(error));
            }
        }
        self.publish(writer);
        Ok(())
    }
}

/// The receipt of `row` if it is the row wanted.
fn same(wanted: &Prepared, row: &Row<'_>) -> Result<Option<Receipt>> {
    let time = row.body.time_given.then_some(row.position.occurred_at);
    if row.body == wanted.body() && time == wanted.time {
        return Ok(Some(Receipt {
            id: EventId::new(row.position),
            seq: row.position.seq,
            occurred_at: row.position.occurred_at,
            recorded_at: row.recorded_at,
            duplicate: true,
        }));
    }
    if !wanted.has_key {
        return Ok(None);
    }
    let (ours, theirs) = (key_of(wanted.body().content), key_of(row.body.content));
    if ours.is_none() || ours != theirs {
        return Ok(None);
    }
    let id = EventId::new(row.position);
    let what = format!("key: used by {id} with other content; give the new event a key of its own");
    Err(Error::new(ErrorKind::KeyConflict, what))
}

/// The key in a content.
fn key_of(content: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Keyed {
        key: Option<String>,
    }
    serde_json::from_str::<Keyed>(content).ok()?.key
}

fn take_group(queue: &mut Queue) -> Vec<(Submission, Arc<Slot>)> {
    let mut group = Vec::new();
    let mut bytes = 0;
    while bytes < GROUP_BYTES {
        let Some((submission, slot)) = queue.waiting.pop_front() else {
            break;
        };
        bytes += submission.rows.iter().map(Prepared::bytes).sum::<usize>();
        group.push((submission, slot));
    }
    group
}
