//! auditdb beside SQLite on the same events: same rows, checked by count and digest, same
//! durability, and the indexes each needs. Run with `cargo run --release --manifest-path
//! benches/peers/Cargo.toml -- [EVENTS] [FOLDER]`; only ratios within one run count.

mod ask;
mod audit;
mod contender;
mod measure;
mod record;
mod sqlite;
mod works;

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use auditdb::Generator;
use auditdb::Profile;

use ask::Asks;
use audit::Audit;
use sqlite::Sqlite;
use works::Outcome;

const SEED: u64 = 20_260_517;
const CONTENDERS: [&str; 2] = ["sqlite", "auditdb"];
const PHASES: [&str; 4] = ["lines", "load", "read", "append"];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--child", phase, contender, folder] => child(phase, contender, Path::new(folder)),
        [] => compare(1_000_000, &std::env::temp_dir().join("auditdb-peers")),
        [events] => compare(number(events), &std::env::temp_dir().join("auditdb-peers")),
        [events, folder] => compare(number(events), Path::new(folder)),
        _ => panic!("words: [EVENTS] [FOLDER]"),
    }
}

fn number(word: &str) -> u64 {
    word.replace('_', "").parse().expect("a number of events")
}

/// One phase of one contender, in a process of its own.
fn child(phase: &str, contender: &str, folder: &Path) {
    let asks = std::fs::read(folder.join("asks.json")).expect("the drawn terms");
    let asks: Asks = serde_json::from_slice(&asks).expect("the drawn terms");
    let own = folder.join(contender);
    match contender {
        "sqlite" => phases(phase, || Sqlite::open(&own), drop, &asks, folder, &own),
        "auditdb" => phases(
            phase,
            || Audit::open(&own),
            Audit::close,
            &asks,
            folder,
            &own,
        ),
        _ => panic!("no contender {contender}"),
    }
}

fn phases<C: contender::Contender>(
    phase: &str,
    open: impl Fn() -> C,
    close: impl Fn(C),
    asks: &Asks,
    folder: &Path,
    own: &Path,
) {
    match phase {
        "lines" => {
            works::lines(open, close, asks);
            // Loaded anew from structs afterwards.
            std::fs::remove_dir_all(own).expect("the folder goes");
        }
        "load" => works::load(open, close, asks, own),
        "read" => works::read(open, close, asks, folder),
        "append" => works::append(open, close, asks, folder),
        _ => panic!("no phase {phase}"),
    }
}

/// Runs all phases of all contenders side by side and prints the table.
fn compare(events: u64, folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).expect("a folder for the stores");
    let begin = Instant::now();
    let made = Generator::new(SEED, Profile::realistic(events)).count();
    let each = begin.elapsed().as_secs_f64() * 1e6 / made as f64;
    println!("{events} events; making one takes {each:.2} µs, which every load includes");
    let asks = Asks::draw(SEED, events);
    let text = serde_json::to_vec(&asks).expect("terms are JSON");
    std::fs::write(folder.join("asks.json"), text).expect("a file of terms");
    println!("\n| work | unit | SQLite | auditdb | auditdb ÷ SQLite |");
    println!("|---|---|---|---|---|");
    let mut differ = Vec::new();
    for phase in PHASES {
        let [sqlite, audit] = CONTENDERS.map(|contender| run(phase, contender, folder));
        for ours in audit {
            let Some(theirs) = sqlite.iter().find(|theirs| theirs.work == ours.work) else {
                continue;
            };
            println!("{}", line(theirs, &ours));
            if ours.rows != theirs.rows {
                differ.push(format!(
                    "{}: {:?} and {:?}",
                    ours.work, theirs.rows, ours.rows
                ));
            }
        }
    }
    let _ = std::fs::remove_dir_all(folder);
    assert!(differ.is_empty(), "rows differ:\n{}", differ.join("\n"));
    println!("\nAll rows agree by count and digest.");
}

fn run(phase: &str, contender: &str, folder: &Path) -> Vec<Outcome> {
    let program: PathBuf = std::env::current_exe().expect("this program's own path");
    let output = Command::new(program)
        .args(["--child", phase, contender])
        .arg(folder)
        .stderr(std::process::Stdio::inherit())
        .output()
        .expect("a child process");
    assert!(output.status.success(), "{contender} failed in {phase}");
    let text = String::from_utf8(output.stdout).expect("outcomes are text");
    let outcome = |line: &str| serde_json::from_str(line).expect("an outcome");
    text.lines().map(outcome).collect()
}

fn line(theirs: &Outcome, ours: &Outcome) -> String {
    let figure = |outcome: &Outcome| {
        let figure = &outcome.figure;
        let digits = if figure.median < 100.0 { 1 } else { 0 };
        match figure.low == figure.high {
            true => format!("{:.digits$}", figure.median),
            false => format!(
                "{:.digits$} ({:.digits$}–{:.digits$})",
                figure.median, figure.low, figure.high
            ),
        }
    };
    let ratio = ours.figure.median / theirs.figure.median;
    format!(
        "| {} | {} | {} | {} | {ratio:.2} |",
        ours.work,
        ours.unit,
        figure(theirs),
        figure(ours)
    )
}
