//! Writes one segment from rows as they arrive, in any order: each is taken apart once, when it comes,
//! and packed once, in its place, when the last one has come. One thread takes rows apart, another
//! gathers them and what they are found by, and has all it needs of a row when it has seen it. In
//! memory are what [`super::merge`] has and the terms of each row. Called by bulk loads.

mod apart;

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use self::apart::Apart;
use self::apart::Plain;
use super::Summary;
use super::builder::Stand;
use super::indexing::Indexing;
use super::shape::Shape;
use super::writer::Printed;
use super::writer::Writer;
use crate::codec::row;
use crate::codec::row::Body;
use crate::codec::row::ImportMark;
use crate::codec::row::Row;
use crate::disk::File;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::time::Time;

/// Rows of a batch, bytes of contents from which it is full with fewer, and batches that wait.
const BATCH_ROWS: usize = 64;
const BATCH_BYTES: usize = 256 << 10;
const BATCHES: usize = 4;

/// A row that has come, but for its content.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) time: Time,
    pub(crate) time_given: bool,
    /// The mapping and the repeat, if it was imported.
    pub(crate) import: Option<(Arc<str>, u64)>,
    pub(crate) fingerprints: row::Fingerprints,
}

/// Rows that came one after the other, and the number of the first.
#[derive(Default)]
struct Batch {
    first: u32,
    /// Each row with where its content ends among all of them.
    rows: Vec<(Arrival, usize)>,
    contents: String,
}

/// What is known once all rows are there.
struct Arranged {
    /// The rows as they are read, newest first, by the numbers in which they came.
    order: Arc<[u32]>,
    times: Vec<Time>,
    first_seq: Sequence,
    recorded_at: Time,
}

/// What a thread is told.
enum Step {
    Rows(Batch),
    End(Arranged),
}

/// A segment under construction. Dropping it ends the threads; the file is the caller's.
pub(crate) struct Load {
    batch: Batch,
    times: Vec<Time>,
    first_seq: Sequence,
    /// Bytes of memory that the threads hold.
    held: Arc<AtomicUsize>,
    /// A thread has ended before its time.
    is_over: bool,
    way: SyncSender<Step>,
    packing: JoinHandle<Result<Option<Summary>>>,
}

impl Load {
    /// Begins a segment whose rows have seqs from `first_seq` on, in the empty `file`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if no thread can be had.
    pub(crate) fn begin(
        file: &Arc<dyn File>,
        store: StoreId,
        segment: SegmentId,
        first_seq: Sequence,
    ) -> Result<Load> {
        let held = Arc::new(AtomicUsize::new(0));
        let (way, steps) = sync_channel(BATCHES);
        let (hand_on, rows) = sync_channel(BATCHES);
        // Room for all that there are, so that giving one back never waits.
        let (give_back, spare) = sync_channel(BATCHES + 2);
        let plain = Arc::new(Plain::default());
        let told = Arc::clone(&plain);
        let apart = spawn("auditdb-apart", move || {
            apart::run(&steps, &hand_on, &spare, &told);
            Ok(())
        })?;
        let (here, own) = (Arc::clone(file), Arc::clone(&held));
        let packing = spawn("auditdb-pack", move || {
            let writer = Writer::begin(&*here, store, segment)?;
            let packed = pack(writer, &rows, &give_back, first_seq, (&own, &plain));
            drop(rows);
            packed.and_then(|packed| join(apart).map(|()| packed))
        })?;
        Ok(Load {
            batch: Batch::default(),
            times: Vec::new(),
            first_seq,
            held,
            is_over: false,
            way,
            packing,
        })
    }

    /// How many rows have come.
    pub(crate) const fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether something went wrong already, which [`Load::finish`] tells: no row is of use any more.
    pub(crate) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// Bytes of memory taken, about.
    pub(crate) fn memory(&self) -> usize {
        self.held.load(Ordering::Relaxed) + self.times.capacity() * size_of::<Time>()
    }

    /// Takes a row.
    pub(crate) fn push(&mut self, row: Arrival, content: &str) {
        self.times.push(row.time);
        let Batch { rows, contents, .. } = &mut self.batch;
        contents.push_str(content);
        rows.push((row, contents.len()));
        if rows.len() >= BATCH_ROWS || contents.len() >= BATCH_BYTES {
            self.hand_on();
        }
    }

    /// Ends the threads, whatever they have done.
    pub(crate) fn give_up(self) {
        let Load { way, packing, .. } = self;
        drop(way);
        // What was wrong has no say any more.
        drop(join(packing));
    }

    fn hand_on(&mut self) {
        let next = Batch {
            first: self.times.len() as u32,
            rows: Vec::with_capacity(BATCH_ROWS),
            contents: String::with_capacity(self.batch.contents.len() + (4 << 10)),
        };
        let full = core::mem::replace(&mut self.batch, next);
        self.is_over |= self.way.send(Step::Rows(full)).is_err();
    }

    /// Writes the segment of all rows, which are recorded at this moment. The caller syncs the file.
    ///
    /// # Errors
    /// As [`super::writer::write`].
    pub(crate) fn finish(mut self, recorded_at: Time) -> Result<Summary> {
        self.hand_on();
        let Load {
            times,
            first_seq,
            way,
            packing,
            ..
        } = self;
        let mut order: Vec<(Time, u32)> = times.iter().copied().zip(0..).collect();
        order.sort_unstable_by(|one, other| other.cmp(one));
        let arranged = Arranged {
            order: order.into_iter().map(|(_, number)| number).collect(),
            times,
            first_seq,
            recorded_at,
        };
        // A thread that has ended tells why when it is joined.
        drop(way.send(Step::End(arranged)));
        join(packing)?.ok_or_else(|| Error::new(ErrorKind::Io, "a thread of the load is gone"))
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<JoinHandle<Result<T>>> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    let spawned = builder.spawn(work);
    spawned.map_err(|error| Error::io("start a thread", Path::new(name), error))
}

fn join<T>(thread: JoinHandle<Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

impl Batch {
    /// The contents of the rows.
    fn contents(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.rows.iter().map(move |(_, end)| {
            let content = self.contents.get(start..*end);
            start = *end;
            content.unwrap_or_default()
        })
    }

    /// The rows, as far as they are known.
    fn rows(&self, first_seq: Sequence) -> impl Iterator<Item = Printed<'_>> {
        let rows = (self.first..).zip(self.rows.iter().zip(self.contents()));
        rows.map(move |(number, ((one, _), content))| {
            let import = one.import.as_ref();
            let row = Row {
                position: Position {
                    occurred_at: one.time,
                    seq: Sequence(first_seq.0 + u64::from(number)),
                },
                // Not known before the last row has come, and not looked at before.
                recorded_at: one.time,
                body: Body {
                    time_given: one.time_given,
                    import: import.map(|(mapping, repeat)| ImportMark {
                        mapping,
                        repeat: *repeat,
                    }),
                    content,
                },
            };
            Printed {
                row,
                fingerprints: Some(one.fingerprints),
            }
        })
    }
}

impl Arranged {
    /// Where each row stands, in reading order.
    fn stands(&self) -> impl Iterator<Item = Stand> {
        self.order.iter().filter_map(|number| {
            Some(Stand {
                position: Position {
                    occurred_at: *self.times.get(*number as usize)?,
                    seq: Sequence(self.first_seq.0 + u64::from(*number)),
                },
                recorded_at: self.recorded_at,
            })
        })
    }
}

/// Gathers all rows, then writes them; `None` if the load was given up.
fn pack(
    mut writer: Writer<'_>,
    steps: &Receiver<Apart>,
    give_back: &SyncSender<Vec<Shape>>,
    first_seq: Sequence,
    (held, plain): (&AtomicUsize, &Plain),
) -> Result<Option<Summary>> {
    writer.expect_any_order();
    let mut indexing = Indexing::default();
    while let Ok(step) = steps.recv() {
        match step {
            Apart::Some(contents) => writer.settle(&contents),
            Apart::Rows(batch, mut shapes, names) => {
                for (printed, shape) in batch.rows(first_seq).zip(&mut shapes) {
                    // What was taken apart before a name was told is taken apart again.
                    let apart = Some(shape).filter(|_| names == writer.plain().len());
                    writer.push_apart(&printed.row, apart)?;
                    writer.index(&mut indexing, &printed)?;
                }
                // Without room for them they are let go.
                drop(give_back.try_send(shapes));
                plain.tell(writer.plain());
                held.store(writer.memory() + indexing.memory(), Ordering::Relaxed);
            }
            Apart::End(arranged) => {
                writer.arrange(&arranged.order, arranged.stands());
                let summary = writer.finish_with(indexing, Some(&arranged.order))?;
                return Ok(Some(summary));
            }
        }
    }
    Ok(None)
}
