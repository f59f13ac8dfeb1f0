//! The seam through which local times become moments: filters know UTC, the binary brings the rest.

use crate::time::Civil;
use crate::time::Time;

/// A calendar date and wall-clock time, without saying where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// The year, 0 to 9999.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u32,
    /// The day of the month, from 1; it exists in the calendar.
    pub day: u32,
    /// The hour, 0 to 23.
    pub hour: u32,
    /// The minute, 0 to 59.
    pub minute: u32,
    /// The second, 0 to 59.
    pub second: u32,
    /// The microsecond, 0 to 999,999.
    pub micros: u32,
}

/// When the clocks of a zone show a local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moments {
    /// Once.
    Once(Time),
    /// Twice, because they were put back.
    Twice {
        /// The first time.
        earlier: Time,
        /// The second time.
        later: Time,
    },
    /// Never, because they were put forward at this moment, the first after the jump.
    Skipped(Time),
    /// At no moment from 1970 to 9999.
    OutOfRange,
}

/// Knows when the clocks of one place showed a local time. Pure and quick: the answer to one
/// question never changes while a filter is read.
pub trait Zone {
    /// The moments at which clocks showed `local`.
    fn moments(&self, local: LocalTime) -> Moments;
}

/// The zone that is the same everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Utc;

impl LocalTime {
    pub(crate) fn in_utc(self) -> Option<Time> {
        let civil = Civil {
            year: self.year,
            month: self.month,
            day: self.day,
            second_of_day: self.hour * 3600 + self.minute * 60 + self.second,
            micros: self.micros,
        };
        Time::from_civil(civil).ok()
    }
}

impl Zone for Utc {
    fn moments(&self, local: LocalTime) -> Moments {
        local.in_utc().map_or(Moments::OutOfRange, Moments::Once)
    }
}
