//! The ratios to reach and what was reached: each target is about one work, beside the best of the
//! peers that fill the application's struct, one named peer, or a figure.

use super::table::Table;
use super::table::number;

/// Peers that fill the application's struct.
const PEERS: [&str; 6] = ["sqlite", "redb", "fjall", "duckdb", "clickhouse", "parquet"];
/// Those and the one that copies its lines.
const ALL_PEERS: [&str; 7] = [
    "sqlite",
    "sqlite-lines",
    "redb",
    "fjall",
    "duckdb",
    "clickhouse",
    "parquet",
];

#[derive(Clone, Copy)]
enum Aim {
    /// So many times the best peer: at most, or where more is better at least.
    Best(f64),
    /// The same of all peers, also the one that copies lines.
    BestOfAll(f64),
    /// So many times this peer.
    Peer(&'static str, f64),
    /// So many times another work of our own.
    Work(&'static str, f64),
    AtMost(f64),
    AtLeast(f64),
}

/// A work, the size it is asked at, and what is to be reached.
type Target = (&'static str, u64, &'static [Aim]);

const MILLION: u64 = 1_000_000;
const TEN: u64 = 10_000_000;

const READING: [Target; 24] = [
    (
        "bytes per event, all indexes",
        TEN,
        &[
            Aim::AtMost(64.0),
            Aim::Peer("parquet", 0.6),
            Aim::Peer("sqlite", 0.09),
        ],
    ),
    ("Q1 newest 50, in the memtable", MILLION, &[Aim::Best(0.75)]),
    ("Q1 newest 50, in segments", MILLION, &[Aim::Best(0.75)]),
    ("Q2 hot subject", MILLION, &[Aim::Best(0.75)]),
    ("Q2 middle subject", MILLION, &[Aim::Best(0.75)]),
    ("Q2r fresh subjects, mean", MILLION, &[Aim::Best(0.6)]),
    (
        "Q2 rare subject",
        MILLION,
        &[Aim::AtMost(2.0), Aim::Peer("sqlite", 0.1)],
    ),
    (
        "Q2 absent subject",
        MILLION,
        &[Aim::AtMost(1.0), Aim::Peer("sqlite", 0.1)],
    ),
    (
        "Q3 type AND performer, common",
        MILLION,
        &[Aim::Peer("redb", 1.0)],
    ),
    (
        "Q3 type AND performer, rare",
        MILLION,
        &[Aim::Peer("redb", 1.0)],
    ),
    (
        "Q3e two hot terms that never meet, first asked",
        TEN,
        &[Aim::Peer("sqlite", 0.01)],
    ),
    ("Q4 a past month, type and org", MILLION, &[Aim::Best(0.25)]),
    ("Q5 page 1,000 by cursor", MILLION, &[Aim::Best(1.0)]),
    ("Q5 walking 1,000 pages", MILLION, &[Aim::Best(0.3)]),
    ("Q6 one metadata value", MILLION, &[Aim::Best(0.8)]),
    (
        "E1 newest 50,000 as CSV, synced",
        MILLION,
        &[Aim::Best(0.2)],
    ),
    ("E2 everything as CSV", MILLION, &[Aim::Best(5.0)]),
    (
        "E2 everything as NDJSON",
        MILLION,
        &[Aim::Peer("sqlite-lines", 1.8), Aim::Peer("sqlite", 5.0)],
    ),
    (
        "E2z everything as NDJSON, zstd",
        MILLION,
        &[Aim::BestOfAll(3.0)],
    ),
    (
        "E3 one type over a quarter as CSV",
        MILLION,
        &[Aim::Best(0.15)],
    ),
    (
        "O1 new process, cold cache, open and first page",
        MILLION,
        &[Aim::Best(0.25)],
    ),
    (
        "E2 everything as CSV: peak anonymous memory",
        TEN,
        &[Aim::AtMost(256.0)],
    ),
    (
        "E2 everything as NDJSON: peak anonymous memory",
        TEN,
        &[Aim::AtMost(256.0)],
    ),
    ("E2 everything as NDJSON: peak file-backed memory", TEN, &[]),
];

const WRITING: [Target; 9] = [
    (
        "I1 one durable event, one thread",
        MILLION,
        &[
            Aim::Work("floor: 600 B and fdatasync, pre-zeroed file", 1.1),
            Aim::Peer("sqlite", 0.35),
        ],
    ),
    (
        "I1p durable events, 16 threads",
        MILLION,
        &[Aim::Peer("sqlite", 10.0), Aim::Peer("fjall", 3.0)],
    ),
    (
        "I1p durable events, 64 threads",
        MILLION,
        &[Aim::Peer("sqlite", 25.0), Aim::Peer("fjall", 8.0)],
    ),
    (
        "I2 durable batch of 1,000",
        MILLION,
        &[Aim::AtMost(1_400.0), Aim::Best(0.2)],
    ),
    (
        "I3 bulk load",
        MILLION,
        &[Aim::Peer("duckdb", 4.0), Aim::AtLeast(600_000.0)],
    ),
    ("I3k bulk load with idempotency keys", MILLION, &[]),
    ("I3n import of NDJSON", MILLION, &[Aim::BestOfAll(2.5)]),
    ("I3 bulk load: bytes written per byte kept", TEN, &[]),
    (
        "I3 bulk load: peak anonymous memory",
        TEN,
        &[Aim::AtMost(320.0)],
    ),
];

const GROWING: [&str; 8] = [
    "Q1 newest 50, in segments",
    "Q2 hot subject",
    "Q2 middle subject",
    "Q2 subject of ten rows",
    "Q2 rare subject",
    "Q2 absent subject",
    "Q3 type AND performer, common",
    "Q3 type AND performer, rare",
];

/// The tables of targets as Markdown.
pub fn tables(table: &Table) -> String {
    let mut page = String::new();
    for (title, targets) in [("Read side", &READING[..]), ("Write side", &WRITING)] {
        page += &format!("### {title}\n\n");
        page += "| work | events | auditdb | beside | target | measured | |\n";
        page += "|---|---:|---:|---|---|---:|---|\n";
        let mut missing = Vec::new();
        for target in targets {
            page += &rows(table, target, &mut missing);
        }
        if title == "Read side" {
            page += &growth(table);
        }
        page.push('\n');
        if !missing.is_empty() {
            page += &format!("Not measured: {}.\n\n", missing.join("; "));
        }
    }
    page
}

/// The rows of one work; what no result tells of is added to `missing`.
fn rows(table: &Table, (work, size, aims): &Target, missing: &mut Vec<String>) -> String {
    let Some(size) = table.size_for(work, "auditdb", *size) else {
        missing.push((*work).to_owned());
        return String::new();
    };
    let Some(ours) = table.cell(size, work, "auditdb") else {
        return String::new();
    };
    let events = number(size as f64);
    let figure = format!("{} {}", ours.text(), ours.unit);
    if aims.is_empty() {
        return format!("| {work} | {events} | {figure} | | reported | | |\n");
    }
    let mut rows = String::new();
    for aim in *aims {
        let beside = match *aim {
            Aim::Best(times) => table.best(size, work, &PEERS).map(|best| (best, times)),
            Aim::BestOfAll(times) => table.best(size, work, &ALL_PEERS).map(|best| (best, times)),
            Aim::Peer(name, times) => {
                let cell = table.cell(size, work, name);
                cell.map(|cell| ((name, cell), times))
            }
            Aim::Work(work, times) => {
                let cell = table.cell(size, work, "auditdb");
                cell.map(|cell| (("the floor", cell), times))
            }
            Aim::AtMost(most) => {
                let target = format!("≤ {} {}", number(most), ours.unit);
                let met = said(ours.median <= most);
                rows += &format!("| {work} | {events} | {figure} | | {target} | | {met} |\n");
                continue;
            }
            Aim::AtLeast(least) => {
                let target = format!("≥ {} {}", number(least), ours.unit);
                let met = said(ours.median >= least);
                rows += &format!("| {work} | {events} | {figure} | | {target} | | {met} |\n");
                continue;
            }
        };
        let Some(((name, theirs), times)) = beside else {
            missing.push(match *aim {
                Aim::Peer(name, _) => format!("{work}, beside {}", title(name)),
                Aim::Work(other, _) => format!("{work}, beside {other}"),
                _ => format!("{work}, beside any peer"),
            });
            continue;
        };
        let ratio = ours.median / theirs.median;
        let (sign, met) = match ours.is_more_better() {
            true => ("≥", ratio >= times),
            false => ("≤", ratio <= times),
        };
        let other_run = if ours.run == theirs.run { "" } else { " †" };
        let beside = format!("{} {}{other_run}", title(name), theirs.text());
        let (target, ratio) = (format!("{sign} {times}×"), number(ratio));
        let met = said(met);
        rows +=
            &format!("| {work} | {events} | {figure} | {beside} | {target} | {ratio}× | {met} |\n");
    }
    rows
}

/// What a page costs more in a larger store.
fn growth(table: &Table) -> String {
    let mut rows = String::new();
    for (small, large, most) in [
        (100_000, TEN, 1.2),
        (100_000, 100_000_000, 2.0),
        (MILLION, 100_000_000, 2.0),
    ] {
        for work in GROWING {
            let cell = |size| table.cell(size, work, "auditdb");
            if let (Some(before), Some(after)) = (cell(small), cell(large)) {
                let ratio = after.median / before.median;
                let met = said(ratio <= most);
                let (from, to) = (number(small as f64), number(large as f64));
                let (before, after) = (before.text(), after.text());
                rows += &format!(
                    "| growth of {work} | {from} → {to} | {after} µs | {before} µs | ≤ {most}× | {}× | {met} |\n",
                    number(ratio)
                );
            }
        }
    }
    rows
}

fn said(met: bool) -> &'static str {
    if met { "met" } else { "**not met**" }
}

/// What a contender is called in the page.
pub fn title(contender: &str) -> &str {
    match contender {
        "sqlite" => "SQLite",
        "sqlite-lines" => "SQLite (lines)",
        "duckdb" => "DuckDB",
        "clickhouse" => "ClickHouse",
        "parquet" => "Parquet",
        "auditdb-lines" => "auditdb (lines)",
        other => other,
    }
}
