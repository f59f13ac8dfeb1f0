//! Where a store's bytes are: `cargo bench --bench cost` prints bytes an event by part of the
//! segments for the generator's profile, for the hostile one and, where `AUDITDB_CORPUS` names
//! their folder, for real logs, beside the same lines as one `zstd -3` stream. What a field costs is
//! what the store is smaller without it, all its indexes included. `AUDITDB_COSTS` names a file that
//! gets the figures as lines of JSON, which the page of benches/peers reads.

use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use auditdb::Durability;
use auditdb::Event;
use auditdb::Field;
use auditdb::Generator;
use auditdb::Import;
use auditdb::ImportOptions;
use auditdb::OnRefusal;
use auditdb::Options;
use auditdb::Part;
use auditdb::Profile;
use auditdb::Store;

const SEED: u64 = 20_260_517;
const EVENTS: u64 = 200_000;
const HOSTILE: u64 = 2_000;
const PRESENCE: &str = "presence";
/// Below this a log says more about the fixed parts than about its events.
const LINES_MIN: u64 = 100;

/// The parts that the sections of a segment belong to, by their kinds in docs/format/segment.md; the
/// presence runs are files of their own.
const PARTS: [(&str, &[u16]); 8] = [
    (PRESENCE, &[]),
    ("rows", &[3, 4]),
    ("dictionaries", &[6]),
    ("lists", &[7]),
    ("terms", &[8, 9]),
    ("fingerprints", &[10]),
    ("texts", &[1, 2]),
    ("schema", &[5, 12]),
];

/// Bytes of a store by part.
#[derive(Clone, Debug, Default)]
struct Sheet {
    events: u64,
    parts: [u64; PARTS.len()],
    /// All segments and runs, with what belongs to no part: checksums, directories, new kinds.
    all: u64,
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "bytes an event; the rest is checksums and directories\n"
    )?;
    write!(out, "{:<34}{:>9}", "log", "events")?;
    for name in PARTS
        .map(|part| part.0)
        .iter()
        .chain(&["rest", "all", "lines", "zstd -3"])
    {
        write!(out, "{name:>13}")?;
    }
    writeln!(out)?;
    let realistic = || Generator::new(SEED, Profile::realistic(EVENTS));
    let whole = generated(&mut out, "profile", realistic())?;
    generated(
        &mut out,
        "hostile",
        Generator::new(SEED, Profile::hostile(HOSTILE)),
    )?;
    if let Some(folder) = std::env::var_os("AUDITDB_CORPUS") {
        for path in logs(Path::new(&folder)) {
            log(&mut out, Path::new(&folder), &path)?;
        }
    }
    writeln!(out, "\nthe profile without a field, {EVENTS} events\n")?;
    write!(out, "{:<34}{:>9}", "field", "")?;
    for name in PARTS.map(|part| part.0).iter().chain(&["rest", "all"]) {
        write!(out, "{name:>13}")?;
    }
    writeln!(out)?;
    for (name, without) in FIELDS {
        let mut events: Vec<Event> = realistic().collect();
        events.iter_mut().for_each(without);
        let rest = sheet(|store| append(store, &events));
        let saved = whole.less(&rest);
        saved.print(&mut out, name, "")?;
        writeln!(out)?;
        tell("profile", &whole, &format!("field {name}"), saved.all)?;
    }
    Ok(())
}

/// A field's name and how an event loses it.
type Loss = (&'static str, fn(&mut Event));

const FIELDS: [Loss; 16] = [
    ("type, sub_type", |event| {
        "a".clone_into(&mut event.event_type);
        event.sub_type = Field::Absent;
    }),
    ("org", |event| event.org = Field::Absent),
    ("performer", |event| event.performer = Field::Absent),
    ("on_behalf_of", |event| event.on_behalf_of = Field::Absent),
    ("subject", |event| event.subject = Field::Absent),
    ("targets", |event| event.targets = Field::Absent),
    ("outcome, reason", |event| {
        event.outcome = Field::Absent;
        event.reason = Field::Absent;
    }),
    ("source", |event| event.source = Field::Absent),
    ("metadata", |event| event.metadata = Field::Absent),
    ("changes", |event| event.changes = Field::Absent),
    ("context", |event| event.context = Field::Absent),
    ("context.ip", |event| {
        context(event, |context| context.ip = Field::Absent)
    }),
    ("context.user_agent", |event| {
        context(event, |context| context.user_agent = Field::Absent);
    }),
    ("context.request_id", |event| {
        context(event, |context| context.request_id = Field::Absent);
    }),
    ("origin", |event| event.origin = Field::Absent),
    ("data", |event| event.data = Field::Absent),
];

fn context(event: &mut Event, change: fn(&mut auditdb::Context)) {
    if let Field::Value(context) = &mut event.context {
        change(context);
    }
}

impl Sheet {
    fn rest(&self) -> u64 {
        self.all.saturating_sub(self.parts.iter().sum())
    }

    /// What this store has more; a part that grows without a field counts as nothing.
    fn less(&self, other: &Sheet) -> Sheet {
        let mut less = self.clone();
        less.all = less.all.saturating_sub(other.all);
        for (part, other) in less.parts.iter_mut().zip(other.parts) {
            *part = part.saturating_sub(other);
        }
        less
    }

    fn print(&self, out: &mut impl Write, name: &str, events: &str) -> std::io::Result<()> {
        write!(out, "{name:<34}{events:>9}")?;
        for bytes in self.parts.iter().chain(&[self.rest(), self.all]) {
            write!(out, "{:>13.2}", *bytes as f64 / self.events.max(1) as f64)?;
        }
        Ok(())
    }

    /// Prints and tells the whole sheet beside the same lines as they are and packed.
    fn finish(&self, out: &mut impl Write, log: &str, lines: &[u64; 2]) -> std::io::Result<()> {
        self.print(out, log, &self.events.to_string())?;
        for bytes in lines {
            write!(out, "{:>13.2}", *bytes as f64 / self.events.max(1) as f64)?;
        }
        writeln!(out)?;
        for ((name, _), bytes) in PARTS.iter().zip(self.parts) {
            tell(log, self, name, bytes)?;
        }
        tell(log, self, "rest", self.rest())?;
        tell(log, self, "all", self.all)?;
        tell(log, self, "lines", lines.first().copied().unwrap_or(0))?;
        tell(log, self, "zstd -3", lines.last().copied().unwrap_or(0))
    }
}

/// One figure as a line of JSON, where a file for them is named.
fn tell(log: &str, sheet: &Sheet, part: &str, bytes: u64) -> std::io::Result<()> {
    let Some(path) = std::env::var_os("AUDITDB_COSTS") else {
        return Ok(());
    };
    let mut file = File::options().create(true).append(true).open(path)?;
    let events = sheet.events;
    let (log, part) = (serde_json::to_string(log)?, serde_json::to_string(part)?);
    writeln!(
        file,
        r#"{{"line":"cost","log":{log},"events":{events},"part":{part},"bytes":{bytes}}}"#
    )
}

fn append(store: &Store, events: &[Event]) {
    for batch in events.chunks(10_000) {
        store
            .append_batch_with(batch, Durability::Buffered)
            .expect("a batch");
    }
}

/// The bytes of a store that `fill` fills.
fn sheet(fill: impl FnOnce(&Store)) -> Sheet {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), Options::default()).expect("a store");
    fill(&store);
    store.sync().expect("a sync");
    store.compact().expect("a merge");
    let stats = store.stats().expect("facts");
    store.close().expect("a clean close");
    let mut sheet = Sheet {
        events: stats.events,
        all: stats.segment_bytes(),
        ..Sheet::default()
    };
    let runs = std::fs::read_dir(folder.path().join("flt"));
    let runs = runs.into_iter().flatten().flatten();
    let presence: u64 = runs
        .flat_map(|run| run.metadata())
        .map(|run| run.len())
        .sum();
    if let Some((first, _)) = sheet.parts.split_first_mut() {
        *first = presence;
        sheet.all += presence;
    }
    for segment in &stats.segments {
        let mut sections = Sections::default();
        let part = Part::Segment(segment.path.to_string_lossy().into_owned());
        // Ends with the refusal of the line behind the sections.
        let _ = auditdb::inspect(folder.path(), &part, &mut sections);
        for (kind, bytes) in sections.found {
            let place = PARTS.iter().position(|(_, kinds)| kinds.contains(&kind));
            if let Some(sum) = place.and_then(|place| sheet.parts.get_mut(place)) {
                *sum += bytes;
            }
        }
    }
    sheet
}

/// Takes kinds and lengths of sections from the text about a segment, and no more than those.
#[derive(Default)]
struct Sections {
    found: Vec<(u16, u64)>,
    line: Vec<u8>,
}

impl Write for Sections {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = String::from_utf8_lossy(&self.line).into_owned();
            self.line.clear();
            if !line.starts_with("section ") && !self.found.is_empty() {
                return Err(std::io::Error::other("enough"));
            }
            let number = |name: &str| -> Option<u64> {
                let (_, rest) = line.split_once(name)?;
                rest.split_whitespace().next()?.parse().ok()
            };
            if let (Some(kind), Some(bytes)) = (number("kind "), number("bytes ")) {
                self.found.push((u16::try_from(kind).unwrap_or(0), bytes));
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Lines as they are and as one stream of `zstd -3`.
#[derive(Default)]
struct Packed {
    lines: u64,
    packed: u64,
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.packed += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Packed {
    fn of(lines: impl Iterator<Item = Vec<u8>>) -> std::io::Result<[u64; 2]> {
        let mut packed = Packed::default();
        let mut count = 0;
        let mut zstd = zstd::stream::Encoder::new(&mut packed, 3)?;
        for mut line in lines {
            line.push(b'\n');
            count += line.len() as u64;
            zstd.write_all(&line)?;
        }
        zstd.finish()?;
        packed.lines = count;
        Ok([packed.lines, packed.packed])
    }
}

fn generated(out: &mut impl Write, name: &str, events: Generator) -> std::io::Result<Sheet> {
    let events: Vec<Event> = events.collect();
    let sheet = sheet(|store| append(store, &events));
    let line = |event| serde_json::to_vec(event).expect("an event is JSON");
    let packed = Packed::of(events.iter().map(line))?;
    sheet.finish(out, name, &packed)?;
    Ok(sheet)
}

/// The real logs below a folder.
fn logs(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(logs(&path));
        } else if path.to_string_lossy().ends_with(".ndjson.zst") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn log(out: &mut impl Write, corpus: &Path, path: &Path) -> std::io::Result<()> {
    let lines = || -> std::io::Result<_> {
        let unpacked = zstd::stream::Decoder::new(File::open(path)?)?;
        Ok(BufReader::new(unpacked).split(b'\n').map_while(Result::ok))
    };
    if (lines()?.count() as u64) < LINES_MIN {
        return Ok(());
    }
    let packed = Packed::of(lines()?)?;
    let sheet = sheet(|store| {
        let mut sink = store;
        let mut import = Import::new(&mut sink, ImportOptions::default(), OnRefusal::Skip);
        let file = File::open(path).expect("a log");
        import
            .read(&path.to_string_lossy(), file)
            .expect("an import");
    });
    let name = path.strip_prefix(corpus).unwrap_or(path).to_string_lossy();
    sheet.finish(out, name.trim_end_matches(".ndjson.zst"), &packed)
}
