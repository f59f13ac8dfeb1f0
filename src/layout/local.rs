//! Local times for people: the moment that is stored, told by the clocks of one place. A local time
//! says by how much it is off, so it names the moment as exactly as the UTC time beside it.

use core::fmt;
use std::sync::Arc;

use crate::time::Time;

/// How many seconds east of UTC the clocks were at a moment.
type Offset = dyn Fn(Time) -> i32 + Send + Sync;

/// The zone in which an export tells times, beside UTC. Where its rules come from is the
/// application's matter; the command has those of the IANA database.
///
/// ```
/// use auditdb::{LocalZone, Time};
///
/// let zone = LocalZone::new("Asia/Kolkata", |_| 5 * 3600 + 1800);
/// let time: Time = "2026-05-17T08:00:00.25Z".parse()?;
/// assert_eq!(zone.show(time), "2026-05-17T13:30:00.250000+05:30");
/// assert_eq!(LocalZone::default().show(time), "2026-05-17T08:00:00.250000Z");
/// # Ok::<(), auditdb::TimeError>(())
/// ```
#[derive(Clone, Default)]
pub struct LocalZone(Option<(Arc<str>, Arc<Offset>)>);

/// The calendar repeats itself after so many microseconds, which are 400 years.
const CYCLE_MICROS: i64 = 146_097 * 86_400 * 1_000_000;
const CYCLE_YEARS: i32 = 400;

impl LocalZone {
    /// The zone called `name`, whose clocks are `offset` seconds east of UTC at a moment: the same
    /// at the same moment, whenever and by whichever thread it is asked.
    pub fn new(name: &str, offset: impl Fn(Time) -> i32 + Send + Sync + 'static) -> LocalZone {
        LocalZone(Some((Arc::from(name), Arc::new(offset))))
    }

    /// The zone's name; `UTC` by default.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.as_ref().map_or("UTC", |(name, _)| name)
    }

    /// Its clocks are UTC's.
    #[must_use]
    pub fn is_utc(&self) -> bool {
        self.name() == "UTC"
    }

    /// The moment as RFC 3339, with six digits and the offset. An offset of odd seconds is told to
    /// the minute, and so is the time then, so that both together are the moment; one that would
    /// fall behind the year 9999 is told in UTC.
    #[must_use]
    pub fn show(&self, time: Time) -> String {
        let offset = self.0.as_ref().filter(|_| !self.is_utc());
        let minutes = offset.map(|(_, offset)| offset(time).div_euclid(60));
        let local = minutes.and_then(|minutes| local_text(time, minutes));
        local.unwrap_or_else(|| time.to_string())
    }
}

fn local_text(time: Time, minutes: i32) -> Option<String> {
    let micros = time.as_micros() + i64::from(minutes) * 60_000_000;
    // The first hours of 1970 are 1969 in the west, which is no `Time`.
    let cycles = i32::from(micros < 0);
    let text = Time::from_micros(micros + i64::from(cycles) * CYCLE_MICROS)?.to_string();
    let (year, rest) = text.strip_suffix('Z')?.split_at_checked(4)?;
    let year = year.parse::<i32>().ok()? - cycles * CYCLE_YEARS;
    let (sign, size) = if minutes < 0 {
        ('-', -minutes)
    } else {
        ('+', minutes)
    };
    let (hours, minutes) = (size / 60, size % 60);
    Some(format!("{year:04}{rest}{sign}{hours:02}:{minutes:02}"))
}

/// Two zones of one name are the same zone.
impl PartialEq for LocalZone {
    fn eq(&self, other: &LocalZone) -> bool {
        self.name() == other.name()
    }
}

impl Eq for LocalZone {}

impl fmt::Debug for LocalZone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("LocalZone")
            .field(&self.name())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_names_the_moment_that_it_was_made_of() {
        for (micros, offset, shown) in [
            (0, 0, "1970-01-01T00:00:00.000000+00:00"),
            (0, -1, "1969-12-31T23:59:00.000000-00:01"),
            (1, -5 * 3600, "1969-12-31T19:00:00.000001-05:00"),
            (0, 14 * 3600, "1970-01-01T14:00:00.000000+14:00"),
            (0, -2_670, "1969-12-31T23:15:00.000000-00:45"),
            (Time::MAX.as_micros(), 3600, "9999-12-31T23:59:59.999999Z"),
        ] {
            let zone = LocalZone::new("somewhere", move |_| offset);
            let time = Time::saturating_from_micros(micros);
            assert_eq!(zone.show(time), shown);
            if !shown.starts_with("1969") {
                assert_eq!(shown.parse::<Time>(), Ok(time), "{shown}");
            }
        }
    }
}
