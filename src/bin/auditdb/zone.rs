//! Local times of people's time zones, by the time-zone database that is built in.

use auditdb::LocalTime;
use auditdb::LocalZone;
use auditdb::Moments;
use auditdb::Time;
use auditdb::Utc;
use auditdb::Zone;
use jiff::civil::DateTime;
use jiff::tz::AmbiguousOffset;
use jiff::tz::Offset;
use jiff::tz::TimeZone;

use crate::failure::Failure;
use crate::failure::Outcome;

/// A zone by name.
pub(crate) struct NamedZone(TimeZone);

impl NamedZone {
    /// The zone called `name` in the database, such as `Europe/Berlin`, or `UTC`.
    pub(crate) fn find(name: &str) -> Outcome<NamedZone> {
        TimeZone::get(name).map(NamedZone).map_err(|_| {
            Failure::usage(format!("--tz {name:?}: no such time zone")).hint(
                "zones are called as in the IANA database: UTC, Europe/Berlin, America/New_York",
            )
        })
    }

    /// The zone as exports tell times in it.
    pub(crate) fn local(&self) -> LocalZone {
        let zone = self.0.clone();
        LocalZone::new(self.0.iana_name().unwrap_or("UTC"), move |time| {
            // The database's moments end a day before the calendar does.
            let known = jiff::Timestamp::from_microsecond(time.as_micros());
            zone.to_offset(known.unwrap_or(jiff::Timestamp::MAX))
                .seconds()
        })
    }

    fn try_moments(&self, local: LocalTime) -> Option<Moments> {
        // The database's moments end a day before the calendar does.
        let as_utc = match Utc.moments(local) {
            Moments::Once(time) => Some(time.as_micros()),
            _ => None,
        };
        let local = DateTime::new(
            i16::try_from(local.year).ok()?,
            i8::try_from(local.month).ok()?,
            i8::try_from(local.day).ok()?,
            i8::try_from(local.hour).ok()?,
            i8::try_from(local.minute).ok()?,
            i8::try_from(local.second).ok()?,
            i32::try_from(local.micros).ok()?.checked_mul(1000)?,
        )
        .ok()?;
        let at = |offset: Offset| offset.to_timestamp(local).ok();
        let time = |timestamp: jiff::Timestamp| Time::from_micros(timestamp.as_microsecond());
        let once = |offset: Offset| match at(offset) {
            Some(timestamp) => time(timestamp),
            None => Time::from_micros(as_utc? - i64::from(offset.seconds()) * 1_000_000),
        };
        match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => Some(Moments::Once(once(offset)?)),
            AmbiguousOffset::Fold { before, after } => Some(Moments::Twice {
                earlier: time(at(before)?)?,
                later: time(at(after)?)?,
            }),
            AmbiguousOffset::Gap { before, .. } => {
                // Read with the offset before the jump, the time lies behind it by as much as it
                // lies inside the gap, so the jump is the last one up to there.
                let behind = at(before)?
                    .checked_add(jiff::SignedDuration::from_secs(1))
                    .ok()?;
                let jump = self.0.preceding(behind).next()?;
                Some(Moments::Skipped(time(jump.timestamp())?))
            }
        }
    }
}

impl Zone for NamedZone {
    fn moments(&self, local: LocalTime) -> Moments {
        self.try_moments(local).unwrap_or(Moments::OutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_put_forward_and_back() {
        let Ok(zone) = NamedZone::find("Europe/Berlin") else {
            panic!("the database is built in");
        };
        let local = |month, day, hour, minute| LocalTime {
            year: 2026,
            month,
            day,
            hour,
            minute,
            second: 0,
            micros: 1,
        };
        let time = |text: &str| text.parse::<Time>().unwrap_or(Time::MIN);
        assert_eq!(
            zone.moments(local(5, 17, 10, 0)),
            Moments::Once(time("2026-05-17T08:00:00.000001Z"))
        );
        assert_eq!(
            zone.moments(local(10, 25, 2, 30)),
            Moments::Twice {
                earlier: time("2026-10-25T00:30:00.000001Z"),
                later: time("2026-10-25T01:30:00.000001Z"),
            }
        );
        assert_eq!(
            zone.moments(local(3, 29, 2, 30)),
            Moments::Skipped(time("2026-03-29T01:00:00Z"))
        );
    }

    /// The last two days were once outside every zone's reach.
    #[test]
    fn the_calendar_reaches_its_end() {
        let last = LocalTime {
            year: 9999,
            month: 12,
            day: 31,
            hour: 23,
            minute: 59,
            second: 59,
            micros: 999_999,
        };
        for (name, time) in [
            ("UTC", "9999-12-31T23:59:59.999999Z"),
            ("Asia/Tokyo", "9999-12-31T14:59:59.999999Z"),
        ] {
            let Ok(zone) = NamedZone::find(name) else {
                panic!("the database is built in");
            };
            let wanted = Moments::Once(time.parse().unwrap_or(Time::MIN));
            assert_eq!(zone.moments(last), wanted, "{name}");
        }
    }
}
