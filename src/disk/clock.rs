//! The operating system's clock as a [`Clock`]. It may step back; the store clamps what it records.

use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use crate::time::Clock;
use crate::time::Time;

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        // A clock before 1970 gives the earliest moment there is.
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = since.map_or(0, |since| {
            i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
        });
        Time::saturating_from_micros(micros)
    }
}
