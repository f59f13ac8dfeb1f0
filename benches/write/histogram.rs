//! Latencies by their size: buckets a sixteenth of a power of two wide, so that hours of them take a
//! few kilobytes and a quantile is right within four percent.

use std::time::Duration;

const STEPS: u64 = 16;

#[derive(Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    max: Duration,
}

impl Histogram {
    pub(crate) fn new() -> Histogram {
        Histogram {
            counts: vec![0; 64 * STEPS as usize],
            max: Duration::ZERO,
        }
    }

    pub(crate) fn add(&mut self, latency: Duration) {
        let nanos = (latency.as_nanos() as u64).max(STEPS);
        let power = u64::from(nanos.ilog2());
        let step = (nanos >> (power - 4)) - STEPS;
        if let Some(count) = self.counts.get_mut((power * STEPS + step) as usize) {
            *count += 1;
        }
        self.max = self.max.max(latency);
    }

    pub(crate) fn merge(&mut self, other: &Histogram) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.max = self.max.max(other.max);
    }

    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The latency that this share of all stay within.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in (0_u64..).zip(&self.counts) {
            seen += count;
            if seen >= wanted.max(1) {
                let (power, step) = (bucket / STEPS, bucket % STEPS);
                let nanos = (STEPS + step + 1) << power.saturating_sub(4);
                return Duration::from_nanos(nanos).min(self.max);
            }
        }
        self.max
    }

    /// Median, 99th percentile and largest, as the table shows them.
    pub(crate) fn figures(&self) -> [String; 3] {
        [self.quantile(0.5), self.quantile(0.99), self.max].map(text)
    }
}

/// A latency for people.
pub(crate) fn text(latency: Duration) -> String {
    match latency.as_micros() {
        micros @ 0..10_000 => format!("{micros} µs"),
        micros => format!("{:.1} ms", micros as f64 / 1e3),
    }
}
