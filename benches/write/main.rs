//! What appending costs, and what it costs others: `cargo bench --bench write`. Prints a Markdown
//! table; every work takes seconds.
//!
//! ```text
//! cargo bench --bench write -- [--seconds N] [--folder DIR] [WORK...]
//! cargo bench --bench write -- --soak 600        8 threads, merges, a follower, an exporter
//! ```
//!
//! Works: `floor`, `one`, `threads`, `batch`, `tickets`, `merging`, `follower`, `allocations`,
//! `memory`. The latencies are those of this machine's disk in these minutes: read them beside the
//! floor.

#[path = "allocations.rs"]
mod allocations;
#[path = "follower.rs"]
mod follower;
#[path = "histogram.rs"]
mod histogram;
#[path = "memory.rs"]
mod memory;
#[path = "merging.rs"]
mod merging;
#[path = "rates.rs"]
mod rates;
#[path = "soak.rs"]
mod soak;

use std::path::PathBuf;
use std::time::Duration;

use auditdb::Event;
use auditdb::Generator;
use auditdb::Profile;

const SEED: u64 = 20_260_517;

/// What was asked for.
pub(crate) struct Asked {
    /// How long each work takes, about.
    seconds: Duration,
    soak: Option<Duration>,
    folder: PathBuf,
    works: Vec<String>,
}

/// A line of the table: what was measured, and its figures.
pub(crate) struct Line(String, Vec<String>);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, path, count] = words.as_slice()
        && word == follower::CHILD
    {
        return follower::follow(path.as_ref(), count.parse().expect("a number of events"));
    }
    if let [word, path, way, budget, count] = words.as_slice()
        && word == memory::CHILD
    {
        let number = |text: &String| text.parse().expect("a number");
        return memory::ingest(path.as_ref(), way, number(budget), number(count) as u64);
    }
    let asked = Asked::of(words);
    if let Some(time) = asked.soak {
        print(
            &["soak", "", "", "", ""],
            &soak::run(&asked.scratch(), time),
        );
        return;
    }
    type Work = fn(&Asked) -> Vec<Line>;
    let works: [(&str, Work); 9] = [
        ("floor", rates::floor),
        ("one", rates::one),
        ("threads", rates::threads),
        ("batch", rates::batch),
        ("tickets", rates::tickets),
        ("merging", merging::latency),
        ("follower", follower::latency),
        ("allocations", allocations::count),
        ("memory", memory::peaks),
    ];
    let wanted = |name: &str| asked.works.is_empty() || asked.works.iter().any(|work| work == name);
    let works = works.iter().filter(|(name, _)| wanted(name));
    let lines: Vec<Line> = works.flat_map(|(_, work)| work(&asked)).collect();
    print(&["work", "p50", "p99", "max", "rate"], &lines);
}

impl Asked {
    fn of(words: Vec<String>) -> Asked {
        let mut asked = Asked {
            seconds: Duration::from_secs(3),
            soak: None,
            folder: std::env::temp_dir(),
            works: Vec::new(),
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().expect("a value");
            let seconds = |text: String| Duration::from_secs(text.parse().expect("seconds"));
            match word.as_str() {
                "--seconds" => asked.seconds = seconds(value()),
                "--soak" => asked.soak = Some(seconds(value())),
                "--folder" => asked.folder = value().into(),
                // Cargo's own word for a bench.
                "--bench" => {}
                work => asked.works.push(work.to_owned()),
            }
        }
        asked
    }

    /// A folder of its own, gone when it is dropped.
    fn scratch(&self) -> tempfile::TempDir {
        tempfile::tempdir_in(&self.folder).expect("a folder")
    }
}

impl Line {
    /// A line of as many figures as the table has columns, those of `figures` first.
    fn new(what: impl Into<String>, figures: impl IntoIterator<Item = String>) -> Line {
        let mut figures: Vec<String> = figures.into_iter().collect();
        figures.resize(4, String::new());
        Line(what.into(), figures)
    }
}

/// As many events of the profile.
fn events(count: u64) -> Vec<Event> {
    Generator::new(SEED, Profile::realistic(count)).collect()
}

fn print(heads: &[&str], lines: &[Line]) {
    let mut table = format!(
        "| {} |\n|---|{}\n",
        heads.join(" | "),
        "---:|".repeat(heads.len() - 1)
    );
    for Line(what, figures) in lines {
        table += &format!("| {what} | {} |\n", figures.join(" | "));
    }
    use std::io::Write;
    std::io::stdout()
        .write_all(table.as_bytes())
        .expect("a table");
}
