//! Where and with what a run was measured, as it stands in the results beside the figures.

use std::path::Path;
use std::process::Command;

use auditdb::Time;

/// One run: everything that holds for all its figures.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct About {
    pub run: String,
    pub events: u64,
    /// A digest of the first events, so that runs on other events are not mixed with it.
    pub profile: String,
    pub cpu: String,
    pub cores: usize,
    pub memory_gib: f64,
    pub kernel: String,
    pub file_system: String,
    /// The load averages when the run began.
    pub load: String,
    pub commit: String,
    pub compiler: String,
    /// Names and versions of the contenders.
    pub versions: Vec<(String, String)>,
}

const CRATE: &str = env!("CARGO_MANIFEST_DIR");
const LOCK: &str = include_str!("../Cargo.lock");
pub const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The version of a package that this program was built with.
fn locked(package: &str) -> String {
    let entry = format!("name = \"{package}\"\nversion = \"");
    let rest = LOCK.split_once(&entry).map(|(_, rest)| rest);
    let version = rest.and_then(|rest| rest.split('"').next());
    version.unwrap_or_default().to_owned()
}

/// The version of a wheel that the requirements name.
fn required(wheel: &str) -> String {
    let found = REQUIREMENTS
        .lines()
        .find_map(|line| line.strip_prefix(wheel)?.strip_prefix("=="));
    found.unwrap_or_default().to_owned()
}

pub fn versions() -> Vec<(String, String)> {
    let rusqlite = locked("rusqlite");
    let sqlite = rusqlite::version();
    [
        ("auditdb", locked("auditdb")),
        ("SQLite", format!("{sqlite} (rusqlite {rusqlite}, bundled)")),
        ("redb", locked("redb")),
        ("fjall", locked("fjall")),
        ("DuckDB", required("duckdb")),
        (
            "ClickHouse",
            format!("{} (chdb {})", required("chdb-core"), required("chdb")),
        ),
        ("Parquet", format!("by DuckDB {}", required("duckdb"))),
    ]
    .map(|(name, version)| (name.to_owned(), version))
    .to_vec()
}

/// When a run began, to the minute: it is named after the second.
pub fn date_of(run: &str) -> String {
    let seconds: Option<i64> = run.parse().ok();
    let begun = seconds.and_then(|seconds| Time::from_micros(seconds.checked_mul(1_000_000)?));
    let text = begun.map_or_else(String::new, |begun| begun.to_string());
    text.replace('T', " ").chars().take(16).collect()
}

fn said_by(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default().trim().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

impl About {
    pub fn now(events: u64, profile: String, folder: &Path) -> About {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
        let seconds = since.map_or(0, |since| since.as_secs());
        let cpu = read("/proc/cpuinfo");
        let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name"));
        let memory = read("/proc/meminfo");
        let memory = memory
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"));
        let kib: f64 = memory
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .unwrap_or(0.0);
        let folder = folder.to_string_lossy();
        About {
            run: seconds.to_string(),
            events,
            profile,
            cpu: cpu
                .unwrap_or_default()
                .trim_start_matches([' ', '\t', ':'])
                .to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: (kib / 1024.0 / 1024.0 * 10.0).round() / 10.0,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: said_by("findmnt", &["-n", "-o", "FSTYPE", "-T", &folder]),
            load: read("/proc/loadavg")
                .split(' ')
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
            commit: said_by("git", &["-C", CRATE, "rev-parse", "--short", "HEAD"]),
            compiler: said_by("rustc", &["--version"]),
            versions: versions(),
        }
    }
}
