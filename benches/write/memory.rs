//! How much memory appending takes at full speed, under the default budget and under the least. Each
//! way is a process of its own, this program again, so that none has what another left behind.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use auditdb::Durability;
use auditdb::Generator;
use auditdb::Options;
use auditdb::Profile;
use auditdb::Store;

use super::Asked;
use super::Line;
use super::SEED;
use super::rates::rate;

/// The word by which this program appends for another.
pub(crate) const CHILD: &str = "--ingest";
const BULK: &str = "bulk load";
const BATCHES: &str = "batches of 1,000";
/// Budgets, in MiB.
const BUDGETS: [usize; 2] = [64, 256];
/// Events that a second of the work makes and appends, about.
const EVENTS_A_SECOND: u64 = 200_000;
const SAMPLED: Duration = Duration::from_millis(10);

/// Makes events and appends them, until all are in segments.
pub(crate) fn ingest(path: &Path, way: &str, budget: usize, count: u64) {
    let options = Options {
        memory_bytes_max: budget << 20,
        durability: Durability::Buffered,
        ..Options::default()
    };
    let mut store = Store::open(path, options).expect("a store");
    let mut events = Generator::new(SEED, Profile::realistic(count));
    if way == BULK {
        let mut bulk = store.bulk().expect("a load");
        for event in events.by_ref() {
            bulk.append(&event).expect("room");
        }
        bulk.finish().expect("a load");
    }
    loop {
        let batch: Vec<_> = events.by_ref().take(1_000).collect();
        if batch.is_empty() {
            break;
        }
        store.append_batch(&batch).expect("receipts");
    }
    store.close().expect("a clean close");
}

pub(crate) fn peaks(asked: &Asked) -> Vec<Line> {
    let count = EVENTS_A_SECOND * asked.seconds.as_secs().max(1);
    let ways = [BULK, BATCHES].into_iter();
    let works = ways.flat_map(|way| BUDGETS.map(|budget| (way, budget)));
    let line = |(way, budget): (&str, usize)| {
        let begun = Instant::now();
        let peak = peak(asked, way, budget, count);
        let rate = rate(count, begun.elapsed());
        let what = format!("{way}, {budget} MiB allowed: peak anonymous memory");
        let peak = format!("{:.0} MiB", peak as f64 / 1024.0);
        Line::new(what, [String::new(), String::new(), peak, rate])
    };
    works.map(line).collect()
}

/// The most anonymous memory of a process that appends, in KiB.
fn peak(asked: &Asked, way: &str, budget: usize, count: u64) -> u64 {
    let folder = asked.scratch();
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.arg(CHILD).arg(folder.path()).arg(way);
    command.arg(budget.to_string()).arg(count.to_string());
    let mut child = command.spawn().expect("a process");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Some(end) = child.try_wait().expect("a child") {
            assert!(end.success(), "{way} under {budget} MiB ended with {end}");
            return peak;
        }
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let now = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        peak = peak.max(now.unwrap_or(0));
        std::thread::sleep(SAMPLED);
    }
}
