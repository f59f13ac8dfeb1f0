//! A workload at work: a disk, a clock, the books, and a source of chance that makes each seed another
//! story. Nothing happens at the same time, so that the same seed does the same operations.

use std::fs::File;
use std::io::Read;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use flate2::read::GzDecoder;

use super::Ledger;
use super::workloads::Workload;
use crate::disk::Disk;
use crate::disk::durable::Draft;
use crate::disk::sim::Random;
use crate::disk::sim::SimDisk;
use crate::error::Error;
use crate::error::Result;
use crate::event::Event;
use crate::event::Performer;
use crate::event::Subject;
use crate::options::Options;
use crate::options::ReadMode;
use crate::query::Order;
use crate::query::Query;
use crate::store::Store;
use crate::store::tests::BASE;
use crate::store::tests::TestClock;
use crate::store::tests::at;
use crate::store::tests::events;
use crate::store::tests::open_with;
use crate::store::tests::small;

/// One run of a workload.
pub(super) struct Run {
    pub(super) disk: SimDisk,
    pub(super) clock: Arc<TestClock>,
    pub(super) ledger: Ledger,
    pub(super) random: Random,
    pub(super) options: Options,
}

const DAY: i64 = 86_400_000_000;

impl Run {
    /// A run of this seed, before its first operation.
    pub(super) fn new(workload: &Workload, seed: u64) -> Run {
        let mut run = Run::on_empty(seed);
        if let Some(golden) = workload.golden {
            unpack(&run.disk, golden).expect("a golden store");
            let copy = open_with(&run.disk.kill(), &run.clock, small());
            let held = copy
                .and_then(|store| events(&store))
                .expect("a golden store");
            let held: Vec<Event> = held.into_iter().map(|stored| stored.event).collect();
            run.ledger.begin(&held, 0);
            run.ledger.told(0);
        }
        run
    }

    fn on_empty(seed: u64) -> Run {
        let mut random = Random::new(seed);
        let read_mode = match random.percent(50) {
            true => ReadMode::Positional,
            false => ReadMode::default(),
        };
        Run {
            disk: SimDisk::new(random.next()),
            clock: TestClock::new(),
            ledger: Ledger::default(),
            random,
            options: Options {
                read_mode,
                ..small()
            },
        }
    }

    /// Opens the store and waits until it is at rest.
    pub(super) fn open(&self) -> Result<Store> {
        let store = open_with(&self.disk, &self.clock, self.options.clone())?;
        store.shared.drain()?;
        Ok(store)
    }

    /// A number of events, from one to this many.
    pub(super) fn some(&mut self, most: usize) -> usize {
        1 + self.random.below(most)
    }

    /// Events that were never submitted: of a few types, near each other and in several months.
    pub(super) fn events(&mut self, count: usize) -> Vec<Event> {
        let first = self.ledger.len();
        (first..first + count)
            .map(|number| self.event(number))
            .collect()
    }

    fn event(&mut self, number: usize) -> Event {
        let random = &mut self.random;
        let days = [0, 0, 0, 1, 31, 62]
            .get(random.below(6))
            .copied()
            .unwrap_or(0);
        let micros = BASE - days * DAY + random.below(5_000) as i64;
        let mut event = Event::new(
            ["user.created", "key.used", "file.read"]
                .get(random.below(3))
                .copied()
                .unwrap_or("x.y"),
        )
        .occurred_at(at(micros))
        .subject(Subject::new("number").id(number.to_string()))
        .metadata("chance", format!("{:x}", random.next()));
        if random.percent(50) {
            event = event.performer(Performer::new("user").id(format!("u{}", random.below(9))));
        }
        if random.percent(30) {
            event = event.reason("because ".repeat(random.below(120)));
        }
        event
    }

    /// Submits this many new events: one by an append, more by a batch.
    pub(super) fn submit(&mut self, store: &Store, count: usize) -> Result<()> {
        let events = self.events(count);
        self.submit_these(store, &events)
    }

    /// Submits these events, of which none was submitted before.
    pub(super) fn submit_these(&mut self, store: &Store, events: &[Event]) -> Result<()> {
        self.ledger.begin(events, self.disk.changes());
        self.append_these(store, events)
    }

    /// Appends events that are in the books, and writes the receipts there.
    pub(super) fn append_these(&mut self, store: &Store, events: &[Event]) -> Result<()> {
        let receipts = match events {
            [event] => vec![store.append(event)?],
            events => store.append_batch(events)?,
        };
        self.ledger.told(self.disk.changes());
        for receipt in receipts {
            self.ledger.receipt(receipt);
        }
        store.shared.drain()
    }

    /// Loads parts of this many events in bulk.
    pub(super) fn load(&mut self, store: &mut Store, parts: &[usize]) -> Result<()> {
        let mut bulk = store.bulk()?;
        for count in parts {
            let events = self.events(*count);
            self.ledger.begin(&events, self.disk.changes());
            for event in &events {
                bulk.append(event)?;
            }
            bulk.commit()?;
            self.ledger.told(self.disk.changes());
            bulk.drain()?;
        }
        Ok(())
    }

    /// Makes a file of everything, as an export does, in a folder beside the store's own.
    pub(super) fn export(&mut self, store: &Store, name: &str) -> Result<()> {
        let folder = Path::new("out");
        self.disk.create_dir(folder)?;
        self.disk.sync_dir(Path::new(""))?;
        let query = Query {
            order: Order::OldestFirst,
            ..Query::default()
        };
        let mut bytes = Vec::new();
        let mut scan = store.snapshot().scan(&query)?;
        while scan.next_line(&mut bytes)? {}
        let path: PathBuf = folder.join(name);
        self.ledger
            .begin_output(path.clone(), bytes.clone(), self.disk.changes());
        let mut draft = Draft::begin_beside(&self.disk, &path)?;
        for piece in bytes.chunks(700) {
            draft.write(piece)?;
        }
        draft.publish_new()?;
        self.ledger.told_output(self.disk.changes());
        Ok(())
    }
}

/// Puts a golden store on the disk, durably.
fn unpack(disk: &SimDisk, name: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v1/{name}.tar.gz"));
    let refused = |error| Error::io("unpack", &path, error);
    let packed = File::open(&path).map_err(refused)?;
    let mut archive = tar::Archive::new(GzDecoder::new(packed));
    let mut folders = vec![PathBuf::new()];
    for entry in archive.entries().map_err(refused)? {
        let mut entry = entry.map_err(refused)?;
        let path = entry.path().map_err(refused)?;
        let name: PathBuf = path
            .components()
            .filter(|part| *part != Component::CurDir)
            .collect();
        if entry.header().entry_type().is_dir() {
            if !name.as_os_str().is_empty() {
                disk.create_dir(&name)?;
                folders.push(name);
            }
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(refused)?;
        let file = disk.create_new(&name)?;
        file.write_at(0, &bytes)?;
        file.sync_all()?;
    }
    folders.iter().try_for_each(|folder| disk.sync_dir(folder))
}
