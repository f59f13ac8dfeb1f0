//! Figures: the median and the spread of repeated work, and the peak of this process' memory that
//! no file stands behind, sampled every 10 ms.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

/// A median, the lowest and the highest.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Figure {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

/// The middle of sorted values, or between the two that stand there.
pub fn middle(values: &[f64]) -> f64 {
    let half = values.len() / 2;
    match values.len() % 2 {
        0 => f64::midpoint(values[half - 1], values[half]),
        _ => values[half],
    }
}

impl Figure {
    pub fn of(mut values: Vec<f64>) -> Figure {
        values.sort_by(f64::total_cmp);
        Figure {
            median: middle(&values),
            low: values[0],
            high: values[values.len() - 1],
        }
    }

    pub fn one(value: f64) -> Figure {
        Figure::of(vec![value])
    }
}

/// Microseconds that `work` takes, `times` times after a few that do not count; fewer times, five at
/// the least, where it takes longer than half a second in all.
pub fn micros(times: usize, mut work: impl FnMut()) -> Figure {
    let begin = Instant::now();
    for _ in 0..times.min(10) {
        work();
        if begin.elapsed() > BUDGET / 4 {
            break;
        }
    }
    let begin = Instant::now();
    let mut values = Vec::with_capacity(times);
    while values.len() < times && (values.len() < 5 || begin.elapsed() < BUDGET) {
        let begin = Instant::now();
        work();
        values.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    Figure::of(values)
}

const BUDGET: Duration = Duration::from_millis(500);

/// Bytes this process has had written to the disk.
pub fn written() -> u64 {
    let text = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    account("write_bytes:", &text)
}

/// Anonymous memory of this process now, in KiB.
pub fn anonymous() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    account("RssAnon:", &text)
}

/// Watches this process' memory until it is asked for the peak.
pub struct Memory {
    stop: Arc<AtomicBool>,
    anonymous: Arc<AtomicU64>,
    file: Arc<AtomicU64>,
    thread: JoinHandle<()>,
    /// Held before the work began and not its own, in KiB.
    base: u64,
}

/// A line of the kernel's account of this process.
fn account(name: &str, text: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

impl Memory {
    /// Leaves out `base` KiB that the bench holds.
    pub fn watch(base: u64) -> Memory {
        let stop = Arc::new(AtomicBool::new(false));
        let (anonymous, file) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let seen = (Arc::clone(&stop), Arc::clone(&anonymous), Arc::clone(&file));
        let thread = std::thread::spawn(move || {
            let (stop, anonymous, file) = seen;
            while !stop.load(Ordering::Relaxed) {
                let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
                anonymous.fetch_max(account("RssAnon:", &text), Ordering::Relaxed);
                file.fetch_max(account("RssFile:", &text), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Memory {
            stop,
            anonymous,
            file,
            thread,
            base,
        }
    }

    /// The peaks so far of anonymous and of file-backed memory, in MiB.
    pub fn peaks(self) -> (f64, f64) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .expect("the watching thread does not fail");
        let peak = |kib: &AtomicU64| kib.load(Ordering::Relaxed);
        let mib = |kib: u64| kib as f64 / 1024.0;
        let own = peak(&self.anonymous).saturating_sub(self.base);
        (mib(own), mib(peak(&self.file)))
    }
}
