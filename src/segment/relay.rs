//! Rows on their way from the thread that reads the inputs of a merge to the one that writes: in
//! batches of bounded size and number, whose memory goes back to be filled again.

use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;

use super::notes::Trace;
use super::reader::Loaded;
use crate::codec::buffer::Buffer;
use crate::error::Error;
use crate::error::Result;
use crate::id::Position;
use crate::time::Time;

/// Rows of a batch, bytes of contents from which it is full with fewer, and batches that wait.
const BATCH_ROWS: usize = 128;
const BATCH_BYTES: usize = 256 << 10;
const BATCHES: usize = 4;

/// A row of an input.
pub(super) struct Relayed {
    /// The input's place among all.
    pub(super) input: usize,
    pub(super) position: Position,
    pub(super) recorded_at: Time,
    pub(super) time_given: bool,
    /// How many records like it came before, if it was imported.
    pub(super) repeat: Option<u64>,
    pub(super) content: Buffer,
    pub(super) trace: Trace,
}

/// The end of the thread that reads.
pub(super) struct Sender {
    rows: Vec<Relayed>,
    bytes: usize,
    /// Rows that were written, for their memory.
    spare: Vec<Relayed>,
    full: SyncSender<Result<Vec<Relayed>>>,
    empty: Receiver<Vec<Relayed>>,
}

/// The end of the thread that writes: batches come, and go back when they are written.
pub(super) struct Taker {
    pub(super) full: Receiver<Result<Vec<Relayed>>>,
    pub(super) empty: SyncSender<Vec<Relayed>>,
}

/// Both ends.
pub(super) fn relay() -> (Sender, Taker) {
    let (full, taken) = sync_channel(BATCHES);
    // Room for all that there are, so that giving one back never waits.
    let (empty, given) = sync_channel(BATCHES + 2);
    let sender = Sender {
        rows: Vec::new(),
        bytes: 0,
        spare: Vec::new(),
        full,
        empty: given,
    };
    let taker = Taker { full: taken, empty };
    (sender, taker)
}

impl Sender {
    /// Takes the content and the trace of the row in `loaded`, which gets other memory for the next.
    pub(super) fn take(&mut self, loaded: &mut Loaded) -> (Buffer, Trace) {
        if self.spare.is_empty() {
            self.spare = self.empty.try_recv().unwrap_or_default();
        }
        let spare = self.spare.pop();
        let (content, trace) = spare
            .map(|row| (row.content, row.trace))
            .unwrap_or_default();
        let trace = loaded.trace.replace(trace);
        let content = core::mem::replace(&mut loaded.row.content, content);
        (content, trace.unwrap_or_default())
    }

    /// Hands a row on. `false` when nobody takes any more.
    pub(super) fn send(&mut self, row: Relayed) -> bool {
        self.bytes += row.content.len();
        self.rows.push(row);
        let is_full = self.rows.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES;
        !is_full || self.flush()
    }

    /// Hands on what waits.
    pub(super) fn flush(&mut self) -> bool {
        self.bytes = 0;
        let full = core::mem::take(&mut self.rows);
        self.full.send(Ok(full)).is_ok()
    }

    /// Says why no more rows come.
    pub(super) fn fail(&self, error: Error) {
        // Whoever does not listen any more has an error of its own.
        drop(self.full.send(Err(error)));
    }
}
