//! Group commit: whoever leads takes everything that waits, writes it as one log frame, syncs once,
//! makes it visible, and hands out the receipts. No timer: the sync itself lets the next group
//! gather. Only the leader touches the log, the sequence and the active memtable.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::Receipt;
use super::Shared;
use super::Writer;
use super::prepare::Prepared;
use super::queue;
use super::queue::Place;
use crate::codec::row::Row;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::EventId;
use crate::id::Position;
use crate::id::Sequence;
use crate::options::Durability;
use crate::planted::Bug;
use crate::planted::instead;
use crate::planted::planted;
use crate::planted::unless;
use crate::segment::reader::Loaded;
use crate::snapshot::Version;
use crate::time::Time;

/// Bytes after which a group is written without waiting for more members.
pub(super) const GROUP_BYTES: usize = 1 << 20;

/// Submissions that wait for a leader.
pub(super) type Queue = queue::Queue<Submission, Answer>;

/// What becomes of a submission.
pub(super) type Answer = Result<Receipts>;

/// What a caller hands in: rows to commit as one, or just a wish for a sync.
pub(super) struct Submission {
    rows: Rows,
    durability: Durability,
}

/// A lone row needs no list, and most submissions are one.
enum Rows {
    One(Prepared),
    Many(Vec<Prepared>),
}

/// The receipts of a submission's rows.
pub(super) enum Receipts {
    One(Receipt),
    Many(Vec<Receipt>),
}

/// A group in the making: what will be written. It is used again for the next group.
pub(super) struct Group {
    rows: Vec<(Prepared, Position)>,
    by_key: HashMap<u64, Vec<usize>>,
    /// Where rows with a key are looked for that were committed before, once there is one.
    version: Option<Version>,
    next_seq: u64,
    recorded_at: Time,
    /// The clock was behind what had been recorded.
    clock_stepped: bool,
}

impl Default for Group {
    fn default() -> Group {
        Group {
            rows: Vec::new(),
            by_key: HashMap::new(),
            version: None,
            next_seq: 0,
            recorded_at: Time::MIN,
            clock_stepped: false,
        }
    }
}

impl Submission {
    pub(super) fn one(row: Prepared, durability: Durability) -> Submission {
        let rows = Rows::One(row);
        Submission { rows, durability }
    }

    /// The receipt of a lone row, from its submission's answer.
    pub(super) fn receipt(answer: Option<Answer>) -> Result<Receipt> {
        match answer {
            Some(Ok(Receipts::One(receipt))) => Ok(receipt),
            Some(Err(error)) => Err(error),
            Some(Ok(Receipts::Many(_))) | None => Err(Error::new(
                ErrorKind::Closed,
                "the receipt was taken before",
            )),
        }
    }

    /// Bytes of its rows; 0 where it is but a wish for a sync.
    fn bytes(&self) -> usize {
        match &self.rows {
            Rows::One(row) => row.bytes(),
            Rows::Many(rows) => rows.iter().map(Prepared::bytes).sum(),
        }
    }
}

impl Shared {
    /// Commits a row and waits for its receipt.
    pub(super) fn commit_one(&self, row: Prepared, durability: Durability) -> Result<Receipt> {
        let durability = durability.max(self.options.durability);
        let bytes = row.bytes();
        Submission::receipt(self.commit(Submission::one(row, durability), bytes))
    }

    /// Commits rows as one and waits for their receipts.
    pub(super) fn commit_all(
        &self,
        rows: Vec<Prepared>,
        durability: Durability,
    ) -> Result<Vec<Receipt>> {
        let durability = durability.max(self.options.durability);
        let bytes = rows.iter().map(Prepared::bytes).sum();
        let rows = Rows::Many(rows);
        match self.commit(Submission { rows, durability }, bytes) {
            Some(Ok(Receipts::Many(receipts))) => Ok(receipts),
            Some(Err(error)) => Err(error),
            Some(Ok(Receipts::One(receipt))) => Ok(vec![receipt]),
            None => Err(Error::new(ErrorKind::Closed, "no receipt came")),
        }
    }

    /// Makes everything accepted so far durable and visible.
    pub(super) fn sync(&self) -> Result<()> {
        self.commit_all(Vec::new(), Durability::Durable).map(drop)
    }

    fn commit(&self, submission: Submission, bytes: usize) -> Option<Answer> {
        if let Err(error) = self.check_process() {
            return Some(Err(error));
        }
        let submitted = self.queue.submit(submission, bytes);
        self.settle(&submitted.place);
        submitted.place.take()
    }

    /// Waits until a submission has its answer.
    pub(super) fn settle(&self, place: &Place<Answer>) {
        let is_left = self.queue.settle(place, &mut |submissions, answers| {
            let count = submissions.len();
            let led = catch_unwind(AssertUnwindSafe(|| self.lead(submissions, answers)));
            if led.is_err() {
                self.panicked(count, submissions, answers);
            }
        });
        if is_left {
            self.sync_soon(false);
        }
    }

    /// A defect must not leave the others waiting for ever: everybody is told, and the store stops.
    fn panicked(&self, count: usize, submissions: &mut Vec<Submission>, answers: &mut Vec<Answer>) {
        let what = "the thread that led the commit panicked";
        let error = Error::new(ErrorKind::Indeterminate, what);
        self.poison(&error);
        submissions.clear();
        answers.clear();
        answers.extend((0..count).map(|_| Err(error.again())));
    }

    /// Answers what nobody waited for when the store went: nothing more is taken.
    pub(super) fn dismiss(&self) {
        if !self.queue.is_empty() {
            drop(self.sync());
        }
    }

    /// Commits a whole group. The answers are in the order of the submissions.
    fn lead(&self, submissions: &mut Vec<Submission>, answers: &mut Vec<Answer>) {
        let mut writer = self.writer.lock();
        let bytes = submissions.iter().map(Submission::bytes).sum();
        let ready = self.check_open().and_then(|()| self.check_lock());
        let ready = ready.and_then(|()| match bytes {
            0 => Ok(()),
            _ => self.with_room(&mut writer, |writer| self.make_room(writer, bytes)),
        });
        if let Err(error) = ready {
            answers.extend(submissions.drain(..).map(|_| Err(error.again())));
            return;
        }
        let strict = |submission: &Submission| submission.durability == Durability::Durable;
        let sync = submissions.iter().any(strict);
        let sync = sync && (!planted(Bug::StrictestIgnored) || submissions.iter().all(strict));
        let sync = sync && !planted(Bug::AckBeforeSync);
        let mut group = core::mem::take(&mut writer.group);
        self.plan(&writer, &mut group, submissions, answers);
        let written = self.with_room(&mut writer, |writer| self.write(writer, &group, sync));
        if let Err(error) = written {
            let taken = answers.iter_mut().filter(|answer| answer.is_ok());
            taken.for_each(|answer| *answer = Err(error.again()));
        }
        group.by_key.clear();
        group.version = None;
        let rows = group.rows.drain(..);
        self.texts.give_back(rows.map(|(row, _)| row.content));
        writer.group = group;
    }

    /// Gives every new row its place, and finds the rows that were committed before.
    fn plan(
        &self,
        writer: &Writer,
        group: &mut Group,
        submissions: &mut Vec<Submission>,
        answers: &mut Vec<Answer>,
    ) {
        let now = self.clock.now();
        group.next_seq = writer.next_seq;
        let latest = now.max(writer.recorded_at);
        group.recorded_at = instead(Bug::ClockGoesBack, latest, |_| now);
        group.clock_stepped = now < writer.recorded_at;
        for submission in submissions.drain(..) {
            let (rows_before, seq_before) = (group.rows.len(), group.next_seq);
            let answer = self.plan_submission(group, submission.rows, now);
            if answer.is_err() {
                group.next_seq = seq_before;
                group.rows.truncate(rows_before);
                for list in group.by_key.values_mut() {
                    list.retain(|row| *row < rows_before);
                }
            }
            answers.push(answer);
        }
    }

    fn plan_submission(&self, group: &mut Group, rows: Rows, now: Time) -> Answer {
        let rows = match rows {
            Rows::One(row) => return self.plan_row(group, row, now).map(Receipts::One),
            Rows::Many(rows) => rows,
        };
        let mut receipts: Vec<Receipt> = Vec::with_capacity(rows.len());
        for (number, mut row) in rows.into_iter().enumerate() {
            row.resolve_cause(|member| receipts.get(member).map(|receipt| receipt.id));
            let receipt = self.plan_row(group, row, now);
            receipts.push(receipt.map_err(|error| error.of_member(number))?);
        }
        Ok(Receipts::Many(receipts))
    }

    fn plan_row(&self, group: &mut Group, row: Prepared, now: Time) -> Result<Receipt> {
        if let Some(receipt) = self.find_committed(group, &row)? {
            return Ok(receipt);
        }
        let occurred_at = row.time.unwrap_or(now);
        let position = Position {
            occurred_at,
            seq: Sequence(group.next_seq),
        };
        if let Some(print) = row.prints.key {
            let rows = group.by_key.entry(print).or_default();
            rows.push(group.rows.len());
        }
        group.rows.push((row, position));
        group.next_seq += 1;
        Ok(Receipt {
            id: EventId::new(position),
            seq: position.seq,
            occurred_at,
            recorded_at: group.recorded_at,
            duplicate: false,
        })
    }

    /// The receipt of the row that carries the same key or import mark with the same content.
    ///
    /// # Errors
    /// [`ErrorKind::KeyConflict`] when the key was used with other content.
    fn find_committed(&self, group: &mut Group, wanted: &Prepared) -> Result<Option<Receipt>> {
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
        // Nothing joins it but what this leader adds, and what it pins stays readable.
        let version = group
            .version
            .get_or_insert_with(|| self.version.read().clone());
        self.find_in(version, wanted, print)
    }

    /// As [`Shared::find_committed`], for a row of this fingerprint in a version alone.
    pub(super) fn find_in(
        &self,
        version: &Version,
        wanted: &Prepared,
        print: u64,
    ) -> Result<Option<Receipt>> {
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
                    writer.next_seq += u64::from(planted(Bug::HoleAfterFullDisk));
                    return Err(error);
                }
                self.poison(&error);
                return Err(indeterminate().because(error));
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
        planted(Bug::SnapshotSeesUnsynced).then(|| self.publish(writer));
        if sync || writer.wal.unsynced_bytes() >= GROUP_BYTES as u64 {
            self.sync_log(writer)?;
        } else if writer.wal.unsynced_bytes() > 0 {
            self.sync_soon(false);
        }
        Ok(())
    }

    /// Syncs the log and makes everything in it visible.
    pub(super) fn sync_log(&self, writer: &mut Writer) -> Result<()> {
        if writer.wal.unsynced_bytes() > 0 {
            // After the write: who replaced the lock later than this found the group in the log.
            if let Err(error) = self.check_lock() {
                return Err(indeterminate().because(error));
            }
            if let Err(error) = unless(Bug::SkipDataSync, || writer.wal.sync()) {
                self.poison(&error);
                return Err(indeterminate().because(error));
            }
        }
        self.publish(writer);
        Ok(())
    }
}

/// Nobody knows whether a group in the log, or an edit of the manifest, will count.
pub(super) fn indeterminate() -> Error {
    let what = "whether the event survives is known after reopening";
    Error::new(ErrorKind::Indeterminate, what)
}

/// The receipt of `row` if it is the row wanted.
fn same(wanted: &Prepared, row: &Row<'_>) -> Result<Option<Receipt>> {
    let time = row.body.time_given.then_some(row.position.occurred_at);
    let same = row.body == wanted.body() && time == wanted.time;
    if same || planted(Bug::FingerprintBelieved) {
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
