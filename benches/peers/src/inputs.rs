//! What all contenders of one size share, made once and kept: the terms that are asked for, and the
//! events as lines and as columns for those that read files.

use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use auditdb::Generator;
use auditdb::Profile;

use crate::ask::Asks;
use crate::record::COLUMNS;
use crate::record::Record;
use crate::record::Rows;
use crate::works::MORE;

pub const SEED: u64 = 20_260_517;

/// A digest of the first events.
pub fn profile() -> String {
    let mut rows = Rows::default();
    for event in Generator::new(SEED, Profile::realistic(1_000)) {
        rows.add(&Record::from_event(&event, 0));
    }
    let digest = rows.digest();
    digest.split(':').next_back().unwrap_or_default().to_owned()
}

/// The folder for this many events, below `cache`.
pub fn folder(cache: &Path, events: u64) -> PathBuf {
    let folder = cache.join(format!("{events}-{}", profile()));
    std::fs::create_dir_all(&folder).expect("a folder for the stores");
    folder
}

pub fn asks(shared: &Path) -> Asks {
    let asks = std::fs::read(shared.join("asks.json")).expect("the drawn terms");
    serde_json::from_slice(&asks).expect("the drawn terms")
}

/// Makes a file once: it appears under its name when it is whole.
fn once(path: &Path, write: impl FnOnce(&mut BufWriter<File>)) {
    if path.exists() {
        return;
    }
    eprintln!("making {}", path.display());
    let draft = path.with_extension("draft");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&draft).expect("a file"));
    write(&mut out);
    out.flush().expect("the rest");
    std::fs::rename(&draft, path).expect("a name");
}

pub fn make_asks(shared: &Path, events: u64) {
    once(&shared.join("asks.json"), |out| {
        serde_json::to_writer(out, &Asks::draw(SEED, events)).expect("terms are JSON");
    });
}

/// The events as native lines.
pub fn make_lines(shared: &Path, events: u64) {
    once(&shared.join("events.ndjson"), |out| {
        for event in Generator::new(SEED, Profile::realistic(events)) {
            serde_json::to_writer(&mut *out, &event).expect("an event is JSON");
            out.write_all(b"\n").expect("a line");
        }
    });
}

/// The events as columns, and those that are appended later; `\N` is an absent text.
pub fn make_columns(shared: &Path, events: u64) {
    once(&shared.join("events.csv"), |out| {
        columns(out, SEED, events, 0)
    });
    once(&shared.join("more.csv"), |out| {
        columns(out, SEED + 1, MORE, 1 << 40)
    });
}

fn columns(out: &mut BufWriter<File>, seed: u64, events: u64, first: i64) {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS.split(',').map(str::trim))
        .expect("a header");
    for (seq, event) in (first..).zip(Generator::new(seed, Profile::realistic(events))) {
        let record = Record::from_event(&event, seq);
        let numbers = [record.seq.to_string(), record.ts.to_string()];
        for number in &numbers {
            csv.write_field(number).expect("a cell");
        }
        for text in record.texts() {
            csv.write_field(text.unwrap_or("\\N")).expect("a cell");
        }
        csv.write_record(None::<&[u8]>).expect("a record");
    }
    csv.flush().expect("the rest");
}
