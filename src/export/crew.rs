//! The threads that read and format batches, and the table over which work goes to them and parts
//! come back. The caller's thread hands out batches and takes the parts in their order; it also
//! works itself whenever it would have to wait. Nobody holds the table while working.

use core::ops::ControlFlow;
use std::collections::BTreeMap;
use std::collections::VecDeque;

use parking_lot::Condvar;
use parking_lot::Mutex;

use super::Export;
use super::Format;
use super::pack::Packed;
use super::pack::Packer;
use crate::codec::buffer::Buffer;
use crate::codec::content::Parts;
use crate::codec::row::Row;
use crate::error::Result;
use crate::planted::Bug;
use crate::planted::planted;
use crate::query::Batch;
use crate::query::Blocks;

/// Bytes at which a part ends, however few rows it has. A part is at most this and one row.
pub(super) const PART_BYTES: usize = 2 << 20;

/// A batch and how far it is formatted.
pub(super) struct Job {
    /// Its place among the batches.
    pub(super) number: u64,
    pub(super) batch: Batch,
    /// Rows that are in parts already.
    pub(super) done: usize,
}

/// What came of a job: its next part, or why there is none.
pub(super) struct Part {
    pub(super) job: Job,
    pub(super) packed: Result<Packed>,
}

/// Formats and packs parts; each thread has one.
pub(super) struct Maker<'e> {
    export: &'e Export,
    packer: Packer,
    blocks: Blocks,
    /// What is packed; empty between parts, and gone with a part that leaves as it is.
    raw: Buffer,
}

/// The table.
#[derive(Default)]
pub(super) struct Crew {
    table: Mutex<Table>,
    /// There is something new on the table.
    changed: Condvar,
}

#[derive(Default)]
struct Table {
    jobs: VecDeque<Job>,
    parts: BTreeMap<u64, Part>,
    /// Buffers to be filled again.
    spare: Vec<Buffer>,
    closed: bool,
    /// A worker panicked: its part will not come.
    broken: bool,
}

/// Sends the workers home, also when the caller's thread leaves in an unforeseen way.
pub(super) struct Shift<'c>(pub(super) &'c Crew);

/// Tells of a worker's panic, which would otherwise be waited for in vain.
struct Watch<'c>(&'c Crew);

impl<'e> Maker<'e> {
    pub(super) fn new(export: &'e Export) -> Result<Maker<'e>> {
        Ok(Maker {
            export,
            packer: Packer::new(export.compression)?,
            blocks: Blocks::default(),
            raw: Buffer::default(),
        })
    }

    /// The next part of `job`. The first part of all begins as the export does.
    pub(super) fn part(&mut self, mut job: Job, spare: Option<Buffer>) -> Part {
        if let Some(spare) = spare {
            self.raw = spare;
        }
        let packed = self
            .format(&mut job)
            .and_then(|()| self.packer.pack(&mut self.raw));
        Part { job, packed }
    }

    fn format(&mut self, job: &mut Job) -> Result<()> {
        let (export, raw) = (self.export, &mut self.raw);
        raw.clear();
        let mut first = job.number == 0 && job.done == 0;
        if first {
            let mut head = Vec::new();
            export.begin(&mut head);
            raw.extend(&head);
        }
        let mut each = |row: &Row<'_>, parts: Option<Parts<'_>>| {
            export.row(row, parts, core::mem::take(&mut first), raw)?;
            Ok(match raw.len() >= PART_BYTES {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        };
        let (batch, parts) = (&job.batch, export.format == Format::Csv);
        job.done = batch.read(job.done, parts, &mut self.blocks, &mut each)?;
        job.done += usize::from(planted(Bug::ExportLosesOne));
        Ok(())
    }

    /// A part of bytes that are no rows.
    pub(super) fn pack(&mut self, raw: Vec<u8>) -> Result<Packed> {
        self.packer.pack(&mut Buffer::from(raw))
    }
}

impl Crew {
    /// Works until the crew is sent home.
    pub(super) fn work(&self, export: &Export) {
        let _watch = Watch(self);
        // The caller's thread has met the same failure by then, or does so soon.
        let Ok(mut maker) = Maker::new(export) else {
            return;
        };
        let mut table = self.table.lock();
        while !table.closed {
            let Some(job) = table.jobs.pop_front() else {
                self.changed.wait(&mut table);
                continue;
            };
            let spare = table.spare.pop();
            drop(table);
            let part = maker.part(job, spare);
            table = self.table.lock();
            table.parts.insert(part.job.number, part);
            self.changed.notify_all();
        }
    }

    /// Puts a job on the table.
    pub(super) fn give(&self, job: Job) {
        self.table.lock().jobs.push_back(job);
        self.changed.notify_one();
    }

    /// The part of this number, made by this thread if nobody has begun it. While another makes it,
    /// this thread makes those behind it. `None` when it will not come any more.
    pub(super) fn take(&self, number: u64, maker: &mut Maker<'_>) -> Option<Part> {
        let mut table = self.table.lock();
        loop {
            if let Some(part) = table.parts.remove(&number) {
                return Some(part);
            }
            let Some(job) = table.jobs.pop_front() else {
                if table.broken {
                    return None;
                }
                self.changed.wait(&mut table);
                continue;
            };
            let spare = table.spare.pop();
            drop(table);
            let part = maker.part(job, spare);
            if part.job.number == number {
                return Some(part);
            }
            table = self.table.lock();
            table.parts.insert(part.job.number, part);
        }
    }

    /// Whether the part of this number lies on the table.
    pub(super) fn has(&self, number: u64) -> bool {
        self.table.lock().parts.contains_key(&number)
    }

    /// Takes a buffer back.
    pub(super) fn reuse(&self, buffer: Buffer) {
        self.table.lock().spare.push(buffer);
    }
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        self.0.table.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.table.lock().broken = true;
            self.0.changed.notify_all();
        }
    }
}
