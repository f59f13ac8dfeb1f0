//! The measured works of one contender in a process of its own, each printed as one line of JSON,
//! so that memory is counted for this contender alone.

use std::fs::File;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use auditdb::Event;
use auditdb::Generator;
use auditdb::Profile;

use crate::ask::Ask;
use crate::ask::Asks;
use crate::contender::Contender;
use crate::contender::Form;
use crate::contender::bytes_below;
use crate::measure::Figure;
use crate::measure::Memory;
use crate::measure::micros;
use crate::record::Rows;

/// One measured work.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    pub work: String,
    pub unit: String,
    pub figure: Figure,
    /// Rows and their digest, where the work returns rows.
    pub rows: Option<String>,
}

fn tell(work: &str, unit: &str, figure: Figure, rows: Option<String>) {
    let outcome = Outcome {
        work: work.to_owned(),
        unit: unit.to_owned(),
        figure,
        rows,
    };
    println!(
        "{}",
        serde_json::to_string(&outcome).expect("an outcome is JSON")
    );
}

fn tell_memory(work: &str, memory: Memory) {
    let (anonymous, file) = memory.peaks();
    tell(
        &format!("{work}: peak anonymous memory"),
        "MiB",
        Figure::one(anonymous),
        None,
    );
    tell(
        &format!("{work}: peak file-backed memory"),
        "MiB",
        Figure::one(file),
        None,
    );
}

/// I3: from nothing to the final, synced, queryable state.
pub fn load<C: Contender>(open: impl Fn() -> C, close: impl Fn(C), asks: &Asks, folder: &Path) {
    let memory = Memory::watch();
    let begin = Instant::now();
    let mut contender = open();
    let mut events = Generator::new(asks.seed, Profile::realistic(asks.events));
    contender.load(&mut events);
    close(contender);
    let rate = asks.events as f64 / begin.elapsed().as_secs_f64();
    tell("I3 bulk load", "events/s", Figure::one(rate), None);
    tell_memory("I3 bulk load", memory);
    let bytes = bytes_below(folder) as f64 / asks.events as f64;
    tell(
        "bytes per event, all indexes",
        "B",
        Figure::one(bytes),
        None,
    );
}

/// Native lines of generated events, made as they are read.
struct Lines {
    events: Generator,
    line: Vec<u8>,
    read: usize,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.read == self.line.len() {
            self.line.clear();
            self.read = 0;
            // Many lines at a time, as files are read.
            for event in self.events.by_ref().take(256) {
                serde_json::to_writer(&mut self.line, &event)?;
                self.line.push(b'\n');
            }
        }
        let read = (&self.line[self.read..]).read(buffer)?;
        self.read += read;
        Ok(read)
    }
}

/// I3n: the same from native lines.
pub fn lines<C: Contender>(open: impl Fn() -> C, close: impl Fn(C), asks: &Asks) {
    let memory = Memory::watch();
    let begin = Instant::now();
    let mut contender = open();
    let mut lines = Lines {
        events: Generator::new(asks.seed, Profile::realistic(asks.events)),
        line: Vec::new(),
        read: 0,
    };
    contender.load_lines(&mut lines);
    close(contender);
    let rate = asks.events as f64 / begin.elapsed().as_secs_f64();
    tell("I3n import of NDJSON", "events/s", Figure::one(rate), None);
    tell_memory("I3n import of NDJSON", memory);
}

/// The reading works on a loaded store.
pub fn read<C: Contender>(open: impl Fn() -> C, close: impl Fn(C), asks: &Asks, scratch: &Path) {
    let begin = Instant::now();
    let contender = open();
    let _ = contender.page(&Ask::default(), 50);
    let first = begin.elapsed().as_secs_f64() * 1e6;
    tell(
        "O1 open and first page, warm files",
        "µs",
        Figure::one(first),
        None,
    );
    pages(&contender, asks);
    exports(&contender, asks, scratch);
    close(contender);
}

fn pages<C: Contender>(contender: &C, asks: &Asks) {
    for (name, ask) in &asks.pages {
        let mut rows = Rows::default();
        contender
            .page(ask, 50)
            .iter()
            .for_each(|record| rows.add(record));
        let figure = micros(200, || {
            std::hint::black_box(contender.page(ask, 50));
        });
        tell(name, "µs", figure, Some(rows.digest()));
    }
    let mut rows = Rows::default();
    let mut times = Vec::new();
    for ask in &asks.fresh {
        let begin = Instant::now();
        let page = contender.page(ask, 50);
        times.push(begin.elapsed().as_secs_f64() * 1e6);
        page.iter().for_each(|record| rows.add(record));
    }
    let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
    let digest = Some(rows.digest());
    tell(
        "Q2r fresh subjects, median",
        "µs",
        Figure::of(times),
        digest,
    );
    tell("Q2r fresh subjects, mean", "µs", Figure::one(mean), None);
    let mut rows = Rows::default();
    contender.walk(&Ask::default(), 50, 1_000, &mut |page| {
        page.iter().for_each(|record| rows.add(record));
    });
    let figure = micros(5, || {
        contender.walk(&Ask::default(), 50, 1_000, &mut |page| {
            std::hint::black_box(page);
        });
    });
    tell("Q5 walking 1,000 pages", "µs", figure, Some(rows.digest()));
}

fn exports<C: Contender>(contender: &C, asks: &Asks, scratch: &Path) {
    let file = scratch.join("export");
    let mut times = Vec::new();
    let mut count = 0;
    for _ in 0..5 {
        let begin = Instant::now();
        let mut out = File::create(&file).expect("a file");
        count = contender.export(&Ask::default(), 50_000, Form::Csv, &mut out);
        out.sync_all().expect("a sync");
        times.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    tell(
        "E1 newest 50,000 as CSV, synced",
        "ms",
        Figure::of(times),
        Some(count.to_string()),
    );
    let limit = usize::try_from(asks.events).unwrap_or(usize::MAX);
    let runs = if asks.events > 2_000_000 { 1 } else { 3 };
    for (name, form) in [
        ("E2 everything as CSV", Form::Csv),
        ("E2 everything as NDJSON", Form::Ndjson),
    ] {
        let memory = Memory::watch();
        let mut rates = Vec::new();
        for _ in 0..runs {
            let begin = Instant::now();
            count = contender.export(&Ask::default(), limit, form, &mut std::io::sink());
            rates.push(count as f64 / begin.elapsed().as_secs_f64());
        }
        tell(name, "events/s", Figure::of(rates), Some(count.to_string()));
        tell_memory(name, memory);
    }
    let mut times = Vec::new();
    for _ in 0..5 {
        let begin = Instant::now();
        count = contender.export(&asks.quarter, limit, Form::Csv, &mut std::io::sink());
        times.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    tell(
        "E3 one type over a quarter as CSV",
        "ms",
        Figure::of(times),
        Some(count.to_string()),
    );
    let _ = std::fs::remove_file(&file);
}

/// Microseconds of `fdatasync` behind a write of `len` bytes at the end of a growing file.
fn sync_floor(scratch: &Path, len: usize, times: usize) -> Figure {
    let path = scratch.join("floor");
    let mut file = File::create(&path).expect("a file");
    let bytes = vec![7_u8; len];
    let figure = micros(times, || {
        file.write_all(&bytes).expect("a write");
        file.sync_data().expect("a sync");
    });
    let _ = std::fs::remove_file(&path);
    figure
}

/// I1 and I2 on a loaded store, the disk's own floor measured in the same minute.
pub fn append<C: Contender>(open: impl Fn() -> C, close: impl Fn(C), asks: &Asks, scratch: &Path) {
    let mut contender = open();
    let more = Profile::realistic(25_000);
    let more: Vec<Event> = Generator::new(asks.seed + 1, more).collect();
    let (single, batches) = more.split_at(500);
    let mut next = single.iter();
    tell(
        "floor: 600 B and fdatasync",
        "µs",
        sync_floor(scratch, 600, 200),
        None,
    );
    let figure = micros(400, || {
        if let Some(event) = next.next() {
            contender.append(event);
        }
    });
    tell("I1 one durable event, one thread", "µs", figure, None);
    tell(
        "floor: 600 KB and fdatasync",
        "µs",
        sync_floor(scratch, 600_000, 20),
        None,
    );
    let mut next = batches.chunks_exact(1_000);
    let figure = micros(12, || {
        if let Some(batch) = next.next() {
            contender.append_batch(batch);
        }
    });
    tell("I2 durable batch of 1,000", "µs", figure, None);
    let figure = micros(200, || {
        std::hint::black_box(contender.page(&Ask::default(), 50));
    });
    tell("Q1 newest 50, just appended", "µs", figure, None);
    close(contender);
}
