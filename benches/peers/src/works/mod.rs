//! The measured works. Each group of them runs in a process of its own for each contender and round,
//! so that memory is counted for that work alone, and prints one line of JSON for each figure.

mod append;
mod load;
mod read;

pub use self::append::MORE;

use std::path::Path;

use crate::ask::Asks;
use crate::contenders::Contender;
use crate::measure::Figure;
use crate::measure::Memory;

/// One measured work.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    pub work: String,
    pub unit: String,
    #[serde(flatten)]
    pub figure: Figure,
    /// Rows and their digest, where the work returns rows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rows: Option<String>,
}

/// Works that run together.
pub struct Group {
    pub name: &'static str,
    pub works: &'static [&'static str],
    /// Loading works leave the store that the others read.
    pub loads: bool,
    /// Contenders that have no such work or would take hours.
    pub without: &'static [&'static str],
}

const LINES: &[&str] = &["sqlite-lines", "auditdb-lines"];

pub const GROUPS: [Group; 12] = [
    Group {
        name: "lines",
        works: &["I3n import of NDJSON"],
        loads: true,
        without: &["auditdb-lines", "parquet"],
    },
    Group {
        name: "load",
        works: &["I3 bulk load", "bytes per event, all indexes"],
        loads: true,
        without: &["auditdb-lines"],
    },
    Group {
        name: "keyed",
        works: &["I3k bulk load with idempotency keys"],
        loads: true,
        without: &[
            "sqlite-lines",
            "duckdb",
            "clickhouse",
            "parquet",
            "auditdb-lines",
        ],
    },
    Group {
        name: "pages",
        works: &[
            "Q1 newest 50, in segments",
            "Q2 hot subject",
            "Q2 middle subject",
            "Q2 subject of ten rows",
            "Q2 rare subject",
            "Q2 absent subject",
            "Q3 type AND performer, common",
            "Q3 type AND performer, common, first asked",
            "Q3 type AND performer, rare",
            "Q3 type AND performer, rare, first asked",
            "Q3e two hot terms that never meet",
            "Q3e two hot terms that never meet, first asked",
            "Q4 a past month, type and org",
            "Q5 page 1,000 by cursor",
            "Q6 one metadata value",
        ],
        loads: false,
        without: &[],
    },
    Group {
        name: "fresh",
        works: &["Q2r fresh subjects, median", "Q2r fresh subjects, mean"],
        loads: false,
        without: &[
            "duckdb",
            "clickhouse",
            "parquet",
            "sqlite-lines",
            "auditdb-lines",
        ],
    },
    Group {
        name: "walk",
        works: &["Q5 walking 1,000 pages"],
        loads: false,
        without: &["clickhouse", "parquet"],
    },
    Group {
        name: "files",
        works: &[
            "E1 newest 50,000 as CSV, synced",
            "E3 one type over a quarter as CSV",
        ],
        loads: false,
        without: LINES,
    },
    Group {
        name: "csv",
        works: &["E2 everything as CSV"],
        loads: false,
        without: LINES,
    },
    Group {
        name: "ndjson",
        works: &["E2 everything as NDJSON"],
        loads: false,
        without: &["auditdb-lines"],
    },
    Group {
        name: "packed",
        works: &["E2z everything as NDJSON, zstd"],
        loads: false,
        without: &["auditdb-lines"],
    },
    Group {
        name: "open",
        works: &["O1 new process, cold cache, open and first page"],
        loads: false,
        without: &["auditdb-lines"],
    },
    Group {
        name: "append",
        works: &[
            "I1 one durable event, one thread",
            "I1p durable events, 16 threads",
            "I1p durable events, 64 threads",
            "I2 durable batch of 1,000",
            "Q1 newest 50, in the memtable",
        ],
        loads: false,
        without: &["auditdb-lines", "parquet"],
    },
];

/// Which works are wanted: patterns of a work's first word or its whole name, where `*` stands for
/// any letters. No pattern wants all.
#[derive(Clone, Debug)]
pub struct Wanted(Vec<String>);

impl Wanted {
    pub fn new(words: &str) -> Wanted {
        let words = words.split(',').map(str::trim);
        Wanted(
            words
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    pub fn has(&self, work: &str) -> bool {
        let code = work.split(' ').next().unwrap_or_default();
        let fits = |pattern: &String| like(pattern, code) || like(pattern, work);
        self.0.is_empty() || self.0.iter().any(fits)
    }

    pub fn words(&self) -> String {
        self.0.join(",")
    }
}

fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|rest| like(tail, rest)))
        }),
    }
}

/// What a child process works on.
pub struct Task<'a> {
    pub asks: &'a Asks,
    /// The contender's store.
    pub store: &'a Path,
    /// What all contenders of this size share: terms, lines.
    pub shared: &'a Path,
    /// For exports and copies; empty.
    pub scratch: &'a Path,
    pub wanted: &'a Wanted,
    /// Whether exports are read back to compare their rows.
    pub check: bool,
}

/// Runs one group on one contender.
pub fn run<C: Contender>(group: &str, task: &Task<'_>) {
    match group {
        "lines" => load::lines::<C>(task),
        "load" => load::events::<C>(task),
        "keyed" => load::keyed::<C>(task),
        "pages" => read::pages(&C::open(task.store), task),
        "fresh" => read::fresh(&C::open(task.store), task),
        "walk" => read::walk(&C::open(task.store), task),
        "files" => read::files(&C::open(task.store), task),
        "csv" => read::everything(&C::open(task.store), task, crate::contenders::Form::Csv),
        "ndjson" => read::everything(&C::open(task.store), task, crate::contenders::Form::Ndjson),
        "packed" => read::packed(&C::open(task.store), task),
        "open" => read::first(|| C::open_reader(task.store)),
        "append" => append::all::<C>(task),
        _ => panic!("no group {group}"),
    }
}

fn tell(work: &str, unit: &str, figure: Figure, rows: Option<String>) {
    let outcome = Outcome {
        work: work.to_owned(),
        unit: unit.to_owned(),
        figure,
        rows,
    };
    let line = serde_json::to_string(&outcome).expect("an outcome is JSON");
    println!("{line}");
}

fn tell_memory(work: &str, memory: Memory) {
    let (anonymous, file) = memory.peaks();
    let peak = |what| format!("{work}: peak {what} memory");
    tell(&peak("anonymous"), "MiB", Figure::one(anonymous), None);
    tell(&peak("file-backed"), "MiB", Figure::one(file), None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_wants_codes_and_names() {
        for (words, work, wanted) in [
            ("", "Q1 newest 50", true),
            ("Q*,E2", "Q2r fresh subjects, mean", true),
            ("Q*,E2", "E2 everything as CSV", true),
            ("Q*,E2", "E2z everything as NDJSON, zstd", false),
            ("E2*CSV", "E2 everything as CSV", true),
            ("E2*CSV", "E2 everything as NDJSON", false),
        ] {
            assert_eq!(Wanted::new(words).has(work), wanted, "{words}: {work}");
        }
    }
}
