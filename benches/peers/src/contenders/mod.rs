//! What every contender can do. Each takes the same events and gives back the same rows.

pub mod audit;
pub mod fjall;
pub mod keyed;
pub mod redb;
pub mod sqlite;
pub mod wheels;

use std::borrow::Cow;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use auditdb::Event;

use crate::ask::Ask;
use crate::record::Record;

/// All contenders, in the order of the tables' columns.
pub const ALL: [&str; 9] = [
    "sqlite",
    "sqlite-lines",
    "redb",
    "fjall",
    "duckdb",
    "clickhouse",
    "parquet",
    "auditdb",
    "auditdb-lines",
];

/// Those that are driven through their Python wheels.
pub const WHEELS: [&str; 3] = ["duckdb", "clickhouse", "parquet"];

/// Where a page goes on.
#[derive(Clone, Debug, Default)]
pub enum Mark {
    /// From the top.
    #[default]
    Top,
    /// Behind the row of this time and number.
    Row(i64, i64),
    Cursor(auditdb::Cursor),
    /// There is nothing more.
    End,
}

/// Rows as the application gets them: as its struct, or as the text of their lines.
pub enum Rows {
    Records(Vec<Record>),
    Lines(Vec<u8>),
}

impl Rows {
    /// The rows as records, which are read from the lines where there are only those.
    pub fn records(self) -> Vec<Record> {
        match self {
            Rows::Records(records) => records,
            Rows::Lines(lines) => {
                let lines = String::from_utf8(lines).expect("lines are text");
                lines.lines().map(Record::from_line).collect()
            }
        }
    }
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    Csv,
    Ndjson,
}

/// Events to load, many at a time.
pub type Batches<'a> = dyn Iterator<Item = Cow<'a, [Event]>> + 'a;

pub trait Contender: Sync {
    fn open(folder: &Path) -> Self
    where
        Self: Sized;

    /// Opens for reading alone where that is something else.
    fn open_reader(folder: &Path) -> Self
    where
        Self: Sized,
    {
        Self::open(folder)
    }

    fn close(self)
    where
        Self: Sized;

    /// Loads all events in the quickest way that ends in the final, synced, queryable state.
    fn load(&mut self, batches: &mut Batches<'_>);

    /// As [`Contender::load`], and makes sure that no two events have the same external id, which is
    /// what an idempotency key is for.
    fn load_keyed(&mut self, batches: &mut Batches<'_>);

    /// Loads all events of a file of native lines, to the same state.
    fn load_lines(&mut self, lines: &Path);

    /// Appends one event; it is durable on return. Any number of threads may do so.
    fn append(&self, event: &Event);

    /// Appends a batch as one commit; it is durable on return.
    fn append_batch(&self, events: &[Event]);

    /// The newest `limit` rows that fit, and where to go on.
    fn page(&self, ask: &Ask, limit: usize, from: &Mark) -> (Rows, Mark);

    /// Writes the newest `limit` rows that fit and gives their number.
    fn export(&self, ask: &Ask, limit: usize, form: Form, out: &mut dyn Write) -> u64;

    /// As [`Contender::export`] of all rows as lines packed by Zstandard.
    fn export_packed(&self, out: std::fs::File) -> u64 {
        let mut zstd = std::process::Command::new("zstd")
            .args(["-1", "-T2", "-q", "-c"])
            .stdin(std::process::Stdio::piped())
            .stdout(out)
            .spawn()
            .expect("the program zstd");
        let mut pipe = zstd.stdin.take().expect("its input");
        let count = self.export(&Ask::default(), usize::MAX, Form::Ndjson, &mut pipe);
        drop(pipe);
        assert!(zstd.wait().expect("its end").success());
        count
    }
}

/// The folder a contender's store lies in: variants read the same one.
pub fn store_of(contender: &str) -> &str {
    match contender {
        "auditdb-lines" => "auditdb",
        other => other,
    }
}

/// Writes the records that `rows` hands over in the given form, as applications do.
pub fn write_records(
    form: Form,
    out: &mut dyn Write,
    rows: impl FnOnce(&mut dyn FnMut(Record)),
) -> u64 {
    let mut count = 0;
    match form {
        Form::Csv => {
            let mut csv = csv::WriterBuilder::new()
                .buffer_capacity(1 << 20)
                .from_writer(out);
            rows(&mut |record| {
                csv.serialize(record).expect("a record");
                count += 1;
            });
            csv.flush().expect("the rest");
        }
        Form::Ndjson => {
            let mut out = std::io::BufWriter::with_capacity(1 << 20, out);
            rows(&mut |record| {
                serde_json::to_writer(&mut out, &record).expect("a record");
                out.write_all(b"\n").expect("a line");
                count += 1;
            });
            out.flush().expect("the rest");
        }
    }
    count
}

/// The events of a file of native lines, many at a time.
pub fn events_of(lines: &Path) -> impl Iterator<Item = Cow<'static, [Event]>> + use<> {
    use std::io::BufRead;
    let file = std::fs::File::open(lines).expect("a file of lines");
    let mut lines = std::io::BufReader::with_capacity(1 << 20, file).lines();
    std::iter::from_fn(move || {
        let batch: Vec<Event> = lines
            .by_ref()
            .take(10_000)
            .map(|line| Event::from_native_line(&line.expect("a line")).expect("an event"))
            .collect();
        (!batch.is_empty()).then_some(Cow::Owned(batch))
    })
}

/// Bytes that all files below a folder take on the disk; room that a file has only set aside, as
/// fjall's journal does, is none.
pub fn bytes_below(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => bytes_below(&entry.path()),
            Ok(found) => found.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}
