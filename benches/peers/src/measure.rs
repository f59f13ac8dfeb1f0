//! Figures: the median and the spread of repeated work, and the peak of this process' memory that
//! no file stands behind, sampled every 10 ms.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

/// A median with its tenth and ninetieth percentile.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Figure {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Figure {
    pub fn of(mut values: Vec<f64>) -> Figure {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        Figure {
            median: at(0.5),
            low: at(0.1),
            high: at(0.9),
        }
    }

    pub fn one(value: f64) -> Figure {
        Figure::of(vec![value])
    }
}

/// Microseconds that `work` takes, `times` times after a few that do not count.
pub fn micros(times: usize, mut work: impl FnMut()) -> Figure {
    for _ in 0..times.min(10) {
        work();
    }
    let values = (0..times).map(|_| {
        let begin = Instant::now();
        work();
        begin.elapsed().as_secs_f64() * 1e6
    });
    Figure::of(values.collect())
}

/// Watches this process' memory until it is asked for the peak.
pub struct Memory {
    stop: Arc<AtomicBool>,
    anonymous: Arc<AtomicU64>,
    file: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

/// A line of the kernel's account of this process, in KiB.
fn account(name: &str, text: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

impl Memory {
    pub fn watch() -> Memory {
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
        }
    }

    /// The peaks so far of anonymous and of file-backed memory, in MiB.
    pub fn peaks(self) -> (f64, f64) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .expect("the watching thread does not fail");
        let mib = |kib: &AtomicU64| kib.load(Ordering::Relaxed) as f64 / 1024.0;
        (mib(&self.anonymous), mib(&self.file))
    }
}
