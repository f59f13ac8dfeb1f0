//! A check beside a writer that acts between any two of its reads. The writer here does what the
//! store's does, in the same order, with the formats' own writers, one step at a time.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it should do"
)]

mod failing;
mod indexes;
mod kept;
mod records;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Damage;
use super::Verification;
use super::salvage::salvage_on;
use super::verify_on;
use crate::codec::row::Body;
use crate::codec::row::Row;
use crate::disk::Disk;
use crate::disk::Entry;
use crate::disk::File;
use crate::disk::ReadDisk;
use crate::disk::blob::Bytes;
use crate::disk::durable;
use crate::disk::lock::DurablePoint;
use crate::disk::lock::Lock;
use crate::disk::names;
use crate::disk::names::Folder;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::id::WalId;
use crate::manifest::Edit;
use crate::manifest::Ends;
use crate::manifest::Manifest;
use crate::options::Partition;
use crate::segment;
use crate::time::Time;
use crate::wal;

const STORE: StoreId = StoreId(*b"0123456789abcdef");
/// Steps from opening a store to having closed it.
const STEPS: u64 = 6;

/// A writer that opens the store, appends an event and closes it, again and again.
struct Writer {
    disk: SimDisk,
    events: u64,
    wal_id: WalId,
    steps: u64,
    /// Does not close the store, but ends with an event in the log that it did not publish.
    dies: bool,
    open: Option<Open>,
}

struct Open {
    lock: Lock,
    manifest: Manifest,
    wal: wal::Writer,
}

impl Writer {
    /// The writer of a new store that was opened and closed once.
    fn new(dies: bool) -> Result<Writer> {
        let disk = SimDisk::new(1);
        for folder in [names::draft_dir(), names::wal_dir(), names::segment_dir()] {
            durable::create_dir(&disk, folder)?;
        }
        let wal = wal::Writer::create(&disk, WalId(1), STORE, Sequence(0), 0)?;
        let ends = Ends {
            wal: WalId(1),
            wal_end: wal.end(),
            events: 0,
        };
        let shared = Arc::new(disk.clone());
        Manifest::create(shared, STORE, Time::MIN, Partition::default(), ends)?;
        let mut writer = Writer {
            disk,
            events: 0,
            wal_id: WalId(1),
            steps: 0,
            dies,
            open: None,
        };
        for _ in 0..STEPS {
            writer.step()?;
        }
        Ok(writer)
    }

    fn step(&mut self) -> Result<()> {
        let step = self.steps % STEPS;
        self.steps += 1;
        if step == 0 {
            let lock = Lock::acquire(&self.disk, Time::MIN)?;
            let manifest = Manifest::open(Arc::new(self.disk.clone()))?.manifest;
            let wal_id = WalId(self.wal_id.0 + 1);
            let mut wal = wal::Writer::create(&self.disk, wal_id, STORE, Sequence(0), 0)?;
            if self.events > 0 {
                append(&mut wal, 0, self.events)?;
            }
            wal.sync()?;
            self.wal_id = wal_id;
            self.open = Some(Open {
                lock,
                manifest,
                wal,
            });
            return Ok(());
        }
        let ends = self.ends();
        let open = self.open.as_mut().unwrap();
        match step {
            1 => open.manifest.mark_open(ends),
            2 => open.manifest.commit(Edit {
                wal_first: Some(self.wal_id),
                ..Edit::default()
            }),
            3 => open.publish(ends),
            4 => {
                self.disk.unlink(&names::wal(WalId(self.wal_id.0 - 1)))?;
                append(&mut open.wal, self.events, 1)?;
                open.wal.sync()?;
                let wal_end = open.wal.end();
                self.events += 1;
                let events = self.events;
                open.publish(Ends {
                    wal_end,
                    events,
                    ..ends
                })
            }
            _ => {
                let mut open = self.open.take().unwrap();
                if !self.dies {
                    return open.manifest.mark_closed(ends);
                }
                append(&mut open.wal, self.events, 1)?;
                self.events += 1;
                Ok(())
            }
        }
    }

    /// Changes the records of the open store, but no log.
    fn edit(&mut self) -> Result<()> {
        let ends = self.ends();
        let open = self.open.as_mut().unwrap();
        open.manifest.commit(Edit::default())?;
        open.publish(ends)
    }

    fn ends(&self) -> Ends {
        Ends {
            wal: self.wal_id,
            wal_end: self.open.as_ref().unwrap().wal.end(),
            events: self.events,
        }
    }
}

impl Open {
    fn publish(&self, ends: Ends) -> Result<()> {
        self.lock.publish(DurablePoint {
            wal: ends.wal,
            wal_end: ends.wal_end,
            events: ends.events,
            manifest: self.manifest.id(),
            manifest_end: self.manifest.len(),
        })
    }
}

fn append(wal: &mut wal::Writer, first: u64, count: u64) -> Result<()> {
    let rows = (0..count).map(|_| (Time::MIN, row(0).body));
    wal.append(Sequence(first), Time::MIN, rows)
}

fn row(seq: u64) -> Row<'static> {
    Row {
        position: Position {
            occurred_at: Time::MIN,
            seq: Sequence(seq),
        },
        recorded_at: Time::MIN,
        body: Body {
            time_given: false,
            import: None,
            content: r#"{"type":"user.created"}"#,
        },
    }
}

/// A disk on which something happens before each operation, which is told its number.
struct Beside {
    disk: SimDisk,
    happens: Happens,
}

type Happens = Arc<Mutex<dyn FnMut() + Send>>;

struct BesideFile {
    file: Box<dyn File>,
    happens: Happens,
}

impl Beside {
    fn disk(&self) -> &SimDisk {
        (self.happens.lock())();
        &self.disk
    }
}

impl ReadDisk for Beside {
    fn place(&self, path: &Path) -> PathBuf {
        self.disk.place(path)
    }

    fn open_read(&self, path: &Path) -> Result<Box<dyn File>> {
        let file = self.disk().open_read(path)?;
        let happens = Arc::clone(&self.happens);
        Ok(Box::new(BesideFile { file, happens }))
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>> {
        self.disk().list(path)
    }

    fn folder_stamp(&self, path: &Path) -> Result<Option<u64>> {
        self.disk().folder_stamp(path)
    }

    fn len(&self, path: &Path) -> Result<Option<u64>> {
        self.disk().len(path)
    }

    fn map(&self, path: &Path, len: u64) -> Result<Option<Bytes>> {
        self.disk().map(path, len)
    }

    fn is_locked(&self, path: &Path) -> Result<bool> {
        self.disk().is_locked(path)
    }

    fn boot(&self) -> Option<u64> {
        self.disk.boot()
    }
}

impl File for BesideFile {
    fn path(&self) -> &Path {
        self.file.path()
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        (self.happens.lock())();
        self.file.read_at(offset, buffer)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.file.write_at(offset, bytes)
    }
    fn sync_data(&self) -> Result<()> {
        self.file.sync_data()
    }
    fn sync_all(&self) -> Result<()> {
        self.file.sync_all()
    }
    fn set_len(&self, len: u64) -> Result<()> {
        self.file.set_len(len)
    }
    fn len(&self) -> Result<u64> {
        self.file.len()
    }

    fn hold(&self) -> Result<bool> {
        self.file.hold()
    }
    fn claim(&self) -> Result<bool> {
        self.file.claim()
    }
    fn is_single(&self) -> Result<bool> {
        self.file.is_single()
    }
    fn is_in_place(&self) -> Result<bool> {
        self.file.is_in_place()
    }
}

/// A disk on which `writer` takes `steps` steps before operation number `at`, and, if `every` is
/// not 0, again before each `every`-th one after it; and how many operations there were.
fn beside(writer: Writer, at: u64, steps: u64, every: u64) -> (Beside, Arc<Mutex<u64>>) {
    let disk = writer.disk.clone();
    let count = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&count);
    let writer = Mutex::new(writer);
    let happens = move || {
        let mut number = counted.lock();
        let due =
            *number == at || (every > 0 && *number > at && (*number - at).is_multiple_of(every));
        *number += 1;
        drop(number);
        for _ in 0..if due { steps } else { 0 } {
            writer.lock().step().unwrap();
        }
    };
    let happens: Happens = Arc::new(Mutex::new(happens));
    (Beside { disk, happens }, count)
}

fn verified(disk: &Beside) -> Result<Verification> {
    verify_on(disk, &mut |_, _| ())
}

/// What happened: `verify` beside `append` in a loop said now and then that a log was missing. The
/// writer had closed the store, opened it again, written a new log and removed the old one, all
/// between the reading of the records and that of the log.
#[test]
fn a_writer_between_any_two_reads_of_a_check_makes_no_damage() -> Result<()> {
    for (begun, steps) in (0..STEPS).flat_map(|begun| (1..=2 * STEPS).map(move |n| (begun, n))) {
        for at in 0.. {
            let mut writer = Writer::new(false)?;
            for _ in 0..begun {
                writer.step()?;
            }
            let least = writer.events;
            let (disk, count) = beside(writer, at, steps, 0);
            let found = verified(&disk)?;
            let case = format!("{steps} steps after {begun} before read {at}");
            assert!(found.is_clean(), "{case}: {:?}", found.damages);
            assert!(found.events >= least, "{case}: {}", found.events);
            if *count.lock() <= at {
                break;
            }
        }
    }
    Ok(())
}

#[test]
fn a_writer_between_any_two_reads_of_a_salvage_takes_nothing_away() -> Result<()> {
    for (begun, steps) in (0..STEPS).flat_map(|begun| (1..=2 * STEPS).map(move |n| (begun, n))) {
        for at in 0.. {
            let mut writer = Writer::new(false)?;
            for _ in 0..begun {
                writer.step()?;
            }
            let least = writer.events;
            let (disk, count) = beside(writer, at, steps, 0);
            let mut out = Vec::new();
            let saved = salvage_on(&disk, &mut out)?;
            let case = format!("{steps} steps after {begun} before read {at}");
            assert!(saved.damages.is_empty(), "{case}: {:?}", saved.damages);
            assert_eq!(saved.missing_total, 0, "{case}");
            let lines = out.iter().filter(|byte| **byte == b'\n').count() as u64;
            assert!(lines == saved.events && lines >= least, "{case}: {lines}");
            if *count.lock() <= at {
                break;
            }
        }
    }
    Ok(())
}

/// Also one that is killed each time, so that its successor counts events it did not publish.
#[test]
fn a_writer_that_never_rests_is_said_to_be_one_and_not_damage() -> Result<()> {
    for (dies, every) in [(false, 1), (true, 1), (false, 5), (true, 14), (false, 40)] {
        let (disk, _) = beside(Writer::new(dies)?, 0, 1, every);
        let found = verified(&disk)?;
        let case = format!("a step every {every} reads, dying: {dies}");
        let restless = |what: &str| what.contains("verify again when the writer rests");
        let honest = found.damages.iter().all(|damage| restless(&damage.reason));
        assert!(honest, "{case}: {:?}", found.damages);
        assert_eq!(found.is_clean(), every > 1, "{case}: {:?}", found.damages);
    }
    Ok(())
}

/// A copy of a store may be of two moments: `verify` once called one clean whose newest log was not
/// there, and every reader refused it.
#[test]
fn a_log_that_only_a_killed_writer_named_is_missed() -> Result<()> {
    let mut writer = Writer::new(false)?;
    for _ in 0..5 {
        writer.step()?;
    }
    let ends = writer.ends();
    let wal = WalId(ends.wal.0 + 1);
    writer
        .open
        .as_ref()
        .unwrap()
        .publish(Ends { wal, ..ends })?;
    let found = verify_on(&writer.disk.kill(), &mut |_, _| ())?;
    let file = writer.disk.place(&names::wal(wal));
    assert!(
        found.damages.iter().any(|damage| damage.file == file),
        "{:?}",
        found.damages
    );
    Ok(())
}

/// What happened: the power went while a bulk load's segment stood in its place and no edit named it
/// yet. `verify` took the store for damaged, and a salvage saved events that were never confirmed.
#[test]
fn a_load_that_never_came_to_its_end_is_no_damage() -> Result<()> {
    for is_given in [true, false] {
        let mut writer = Writer::new(false)?;
        for _ in 0..5 {
            writer.step()?;
        }
        let open = writer.open.as_mut().unwrap();
        let id = match is_given {
            true => open.manifest.take_segment_id(),
            // Only records that were put back to an older state do not know a number that was given.
            false => SegmentId(99),
        };
        open.manifest.commit(Edit::default())?;
        let path = names::segment(Folder::of(Time::MIN, Partition::default()), id);
        durable::create_dir(&writer.disk, path.parent().unwrap())?;
        let file = writer.disk.create_new(&path)?;
        segment::writer::write(&*file, STORE, id, [row(writer.events)])?;
        file.sync_data()?;
        let disk = writer.disk.kill();
        let found = verify_on(&disk, &mut |_, _| ())?;
        assert_eq!(found.is_clean(), is_given, "{:?}", found.damages);
        let saved = salvage_on(&disk, &mut Vec::new())?;
        let unnamed = u64::from(!is_given);
        assert_eq!(saved.events, writer.events + unnamed);
    }
    Ok(())
}

#[test]
fn a_log_that_is_lost_is_damage_whatever_the_writer_does() -> Result<()> {
    // In a closed store, below a writer that rests, and below one whose records never do.
    for (begun, every) in [(0, 0), (5, 0), (5, 1), (5, 7), (5, 40)] {
        let mut writer = Writer::new(false)?;
        for _ in 0..begun {
            writer.step()?;
        }
        let (disk, path) = (writer.disk.clone(), names::wal(writer.wal_id));
        disk.unlink(&path)?;
        let file = disk.place(&path);
        let mut reads: u64 = 0;
        let happens = move || {
            reads += 1;
            if every > 0 && reads.is_multiple_of(every) {
                writer.edit().unwrap();
            }
        };
        let happens: Happens = Arc::new(Mutex::new(happens));
        let disk = Beside { disk, happens };
        let case = format!("after {begun} steps, an edit every {every} reads");
        let found = verified(&disk)?;
        let named = |found: &[Damage]| found.iter().any(|damage| damage.file == file);
        assert!(named(&found.damages), "{case}: {:?}", found.damages);
        let saved = salvage_on(&disk, &mut Vec::new())?;
        assert!(named(&saved.damages), "{case}: {:?}", saved.damages);
        assert!(saved.missing_total > 0, "{case}");
    }
    Ok(())
}
