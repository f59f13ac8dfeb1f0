//! A store's life as bytes say, on a simulated disk: two bytes a step, what is done and how. The
//! events are a function of their number, so that whatever is read can be told from what was lost or
//! made up. Under the fuzzer checksums pass, so that of changed bytes only the manners are judged.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::clock::SystemClock;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::event::Event;
use crate::event::StoredEvent;
use crate::filter::Filter;
use crate::id::Sequence;
use crate::options::Options;
use crate::store::Store;
use crate::store::open_on;
use crate::time::Time;
use crate::verify::salvage_on;
use crate::verify::verify_on;

/// Steps of a life, so that one takes no more than moments.
const STEPS_MAX: usize = 48;
/// What can be made to fail.
const FAILING: [Operation; 8] = [
    Operation::Create,
    Operation::Read,
    Operation::Write,
    Operation::Sync,
    Operation::SetLen,
    Operation::Rename,
    Operation::Unlink,
    Operation::SyncDir,
];

/// A store and what it must hold.
struct Life {
    disk: SimDisk,
    store: Option<Store>,
    acknowledged: u64,
    /// How many events there may be: as many as after each submission that was ever tried.
    possible: Vec<u64>,
}

fn event(number: u64) -> Event {
    let time = Time::saturating_from_micros((number * 7919 % 50).cast_signed());
    let event = Event::new("life.lived")
        .occurred_at(time)
        .reason("x".repeat((number * 37 % 300) as usize));
    match number % 3 {
        0 => event.key(format!("key {number}")),
        _ => event.metadata("number", number.to_string()),
    }
}

/// Lives through `bytes`: steps up to the first `0xff`, and behind it changes of the files that are
/// left, four bytes each.
pub fn live(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == u8::MAX);
    let (steps, changes) = bytes.split_at(end.unwrap_or(bytes.len()));
    let mut life = Life {
        disk: SimDisk::new(1),
        store: None,
        acknowledged: 0,
        possible: vec![0],
    };
    for step in steps.as_chunks::<2>().0.iter().take(STEPS_MAX) {
        life.step(*step);
    }
    life.reopen(life.disk.kill());
    life.suffer(changes.get(1..).unwrap_or_default());
}

impl Life {
    fn step(&mut self, [what, how]: [u8; 2]) {
        let Some(store) = &self.store else {
            return self.reopen(self.disk.kill());
        };
        match what % 9 {
            0 => self.append(1),
            1 => self.append(u64::from(how % 24) + 1),
            2 => drop(store.flush()),
            3 => drop(store.compact()),
            4 => drop(store.sync()),
            5 => {
                let closed = self.store.take().map(Store::close);
                drop(closed);
                self.reopen(self.disk.kill());
            }
            6 => self.reopen(self.disk.kill()),
            7 => self.reopen(self.disk.crash(how.into())),
            _ => {
                let operation = FAILING.get(usize::from(how % 8)).copied();
                let full = [std::io::ErrorKind::Other, std::io::ErrorKind::StorageFull];
                let error = full.get(usize::from(how >> 3 & 1)).copied();
                let fault = operation
                    .zip(error)
                    .map(|(what, error)| Fault::new(what, error));
                let fault = fault.map(|fault| fault.after(u64::from(how >> 5)));
                fault.into_iter().for_each(|fault| match how >> 4 & 1 {
                    0 => self.disk.fail(fault),
                    _ => self.disk.fail(fault.sticky()),
                });
            }
        }
    }

    fn append(&mut self, events: u64) {
        let Some(store) = &self.store else { return };
        let end = self.acknowledged + events;
        let batch: Vec<Event> = (self.acknowledged..end).map(event).collect();
        self.possible.push(end);
        // After an error it may be there all the same; the next takes its place only if it is not.
        if let Ok(receipts) = store.append_batch(&batch) {
            let seqs = receipts.iter().map(|receipt| receipt.seq.0);
            assert!(seqs.eq(self.acknowledged..end));
            self.acknowledged = end;
        }
    }

    /// Goes on with what is left of the disk, once it works again.
    fn reopen(&mut self, disk: SimDisk) {
        self.store = None;
        self.disk = disk;
        let store = open(&self.disk).expect("what is left opens");
        let events = events(&store.snapshot()).expect("and reads");
        let held = events.len() as u64;
        assert!(held >= self.acknowledged, "{held} of {}", self.acknowledged);
        assert!(self.possible.contains(&held), "half a batch: {held}");
        self.acknowledged = held;
        self.store = Some(store);
    }

    /// Has bytes changed in what is left, and everybody look.
    fn suffer(mut self, changes: &[u8]) {
        self.store = None;
        let disk = self.disk.kill();
        let files = files(&disk, Path::new(""));
        for [file, page, byte, by] in changes.as_chunks::<4>().0 {
            let path = files.get(usize::from(*file) % files.len().max(1));
            let at = u64::from(*page) << 8 | u64::from(*byte);
            path.into_iter()
                .for_each(|path| change(&disk, path, at, *by));
        }
        drop(verify_on(&disk, &mut |_, _| ()));
        drop(salvage_on(&disk, &mut std::io::sink()));
        let read = open(&disk.kill()).and_then(|store| events(&store.snapshot()));
        if let Ok(read) = read
            && !cfg!(fuzzing)
        {
            assert!(read.len() as u64 >= self.acknowledged, "a shorter answer");
        }
    }
}

fn open(disk: &SimDisk) -> Result<Store> {
    let options = Options {
        memtable_bytes_max: 4 << 10,
        merge_fan_in: 2,
        ..Options::default()
    };
    let (disk, clock) = (Arc::new(disk.clone()), Arc::new(SystemClock));
    open_on(disk, clock, Path::new("life"), options)
}

/// All events in commit order, each of which must be the one of its number.
fn events(snapshot: &crate::snapshot::Snapshot) -> Result<Vec<StoredEvent>> {
    let mut found = Vec::new();
    loop {
        let tail = snapshot.tail(&Filter::new(), Sequence(found.len() as u64))?;
        found.extend(tail.events);
        if tail.complete {
            break;
        }
    }
    for (number, stored) in (0..).zip(&found) {
        let is_own = stored.seq.0 == number && stored.event == event(number);
        assert!(is_own || cfg!(fuzzing), "event {number} is {stored:?}");
    }
    Ok(found)
}

fn files(disk: &SimDisk, folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in disk.list(folder).unwrap_or_default() {
        let path = folder.join(&entry.name);
        match entry.is_dir {
            true => found.extend(files(disk, &path)),
            false => found.push(path),
        }
    }
    found
}

fn change(disk: &SimDisk, path: &Path, at: u64, by: u8) {
    let Ok(file) = disk.open_write(path) else {
        return;
    };
    let len = file.len().unwrap_or(0).max(1);
    let (at, mut byte) = (at % len, [0]);
    if file.read_at(at, &mut byte).is_ok() {
        drop(file.write_at(at, &byte.map(|byte| byte ^ by)));
    }
}
