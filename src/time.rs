//! Moments in microseconds since 1970-01-01T00:00:00Z, and the seam that says what time it is now.
//! A [`Time`] always lies between 1970 and 9999, so its text is always 27 bytes: six digits of
//! fraction and `Z` (RFC 3339). Lowest floor: it knows nothing of events or files.

use core::fmt;

/// A moment, in whole microseconds since 1970-01-01T00:00:00Z, from [`Time::MIN`] to [`Time::MAX`].
///
/// ```
/// let time: auditdb::Time = "2026-05-17T10:00:00.25+02:00".parse()?;
/// assert_eq!(time.to_string(), "2026-05-17T08:00:00.250000Z");
/// # Ok::<(), auditdb::TimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// Where "now" comes from: the operating system in a store, a fixed moment in tests.
pub trait Clock: Send + Sync {
    /// The present moment. May step backwards; the store clamps what it records.
    fn now(&self) -> Time;
}

/// Why a text is not a [`Time`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not of the form `YYYY-MM-DDTHH:MM:SS[.ffffff](Z|±HH:MM)`.
    #[error("not an RFC 3339 time such as 2026-05-17T08:00:00.000000Z")]
    Form,
    /// A calendar or clock field outside its range, such as month 13.
    #[error("a field of the time is out of its range")]
    Field,
    /// Finer than a microsecond: storing it would cut digits off.
    #[error("finer than a microsecond")]
    Precision,
    /// Before 1970 or after 9999.
    #[error("outside 1970-01-01 to 9999-12-31")]
    Range,
}

/// A calendar date and wall-clock time in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i32,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) second_of_day: u32,
    pub(crate) micros: u32,
}

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

impl Time {
    /// 1970-01-01T00:00:00.000000Z.
    pub const MIN: Time = Time(0);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Time = Time(253_402_300_799_999_999);
    /// Bytes of a time's text.
    pub(crate) const TEXT_LEN: usize = 27;

    /// The moment `micros` microseconds after 1970, or `None` outside 1970 to 9999.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Option<Time> {
        if micros >= Time::MIN.0 && micros <= Time::MAX.0 {
            Some(Time(micros))
        } else {
            None
        }
    }

    /// The nearest representable moment.
    #[must_use]
    pub const fn saturating_from_micros(micros: i64) -> Time {
        if micros < Time::MIN.0 {
            Time::MIN
        } else if micros > Time::MAX.0 {
            Time::MAX
        } else {
            Time(micros)
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 and keeps the offset it was written with, in minutes east of UTC.
    /// `Z` and `z` give an offset of `None`; a leap second (`:60`) is refused.
    ///
    /// # Errors
    /// [`TimeError`] says which rule the text breaks.
    pub fn parse_with_offset(text: &str) -> Result<(Time, Option<i32>), TimeError> {
        parse_rfc3339(text.as_bytes())
    }

    /// The moment of a UTC calendar date and time, if it exists.
    pub(crate) fn from_civil(civil: Civil) -> Result<Time, TimeError> {
        let Civil {
            year,
            month,
            day,
            second_of_day,
            micros,
        } = civil;
        if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
            return Err(TimeError::Field);
        }
        let seconds =
            days_from_civil(year, month, day) * SECONDS_PER_DAY + i64::from(second_of_day);
        Time::from_micros(seconds * MICROS_PER_SECOND + i64::from(micros)).ok_or(TimeError::Range)
    }

    /// The UTC calendar date and time of this moment.
    pub(crate) fn to_civil(self) -> Civil {
        // Never before 1970, so that division need not look for a sign.
        let micros = self.0.unsigned_abs();
        let seconds = micros / MICROS_PER_SECOND.unsigned_abs();
        let days = seconds / SECONDS_PER_DAY.unsigned_abs();
        let (year, month, day) = civil_from_days(days as u32);
        Civil {
            year,
            month,
            day,
            second_of_day: (seconds % SECONDS_PER_DAY.unsigned_abs()) as u32,
            micros: (micros % MICROS_PER_SECOND.unsigned_abs()) as u32,
        }
    }

    /// The 27 bytes of the time's text, without going through [`fmt::Display`].
    pub(crate) fn to_text(self) -> [u8; Time::TEXT_LEN] {
        let Civil {
            year,
            month,
            day,
            second_of_day,
            micros,
        } = self.to_civil();
        let year = year.unsigned_abs();
        let [y0, y1] = two_digits(year / 100);
        let [y2, y3] = two_digits(year % 100);
        let [o0, o1] = two_digits(month);
        let [d0, d1] = two_digits(day);
        let [h0, h1] = two_digits(second_of_day / 3600);
        let [m0, m1] = two_digits(second_of_day / 60 % 60);
        let [s0, s1] = two_digits(second_of_day % 60);
        let [f0, f1] = two_digits(micros / 10_000);
        let [f2, f3] = two_digits(micros / 100 % 100);
        let [f4, f5] = two_digits(micros % 100);
        [
            y0, y1, y2, y3, b'-', o0, o1, b'-', d0, d1, b'T', h0, h1, b':', m0, m1, b':', s0, s1,
            b'.', f0, f1, f2, f3, f4, f5, b'Z',
        ]
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_text();
        formatter.pad(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// As [`fmt::Display`]: microseconds since 1970 tell nobody when something happened.
impl fmt::Debug for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl core::str::FromStr for Time {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Time, TimeError> {
        Time::parse_with_offset(text).map(|(time, _)| time)
    }
}

/// The digits of a number below 100.
const fn two_digits(number: u32) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

/// A cursor over the bytes of one RFC 3339 text.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn expect(&mut self, wanted: &[u8]) -> Result<u8, TimeError> {
        self.byte()
            .filter(|byte| wanted.contains(byte))
            .ok_or(TimeError::Form)
    }

    fn digits(&mut self, count: usize) -> Result<u32, TimeError> {
        let mut value = 0;
        for _ in 0..count {
            value = value * 10 + u32::from(self.expect(b"0123456789")? - b'0');
        }
        Ok(value)
    }

    /// Up to six digits of fraction as microseconds; further digits must be zeros.
    fn fraction(&mut self) -> Result<u32, TimeError> {
        if self.0.first() != Some(&b'.') {
            return Ok(0);
        }
        self.byte();
        let (mut micros, mut count) = (0, 0);
        while let Some(digit) = self.0.first().filter(|byte| byte.is_ascii_digit()) {
            if count < 6 {
                micros = micros * 10 + u32::from(digit - b'0');
            } else if *digit != b'0' {
                return Err(TimeError::Precision);
            }
            count += 1;
            self.byte();
        }
        if count == 0 {
            return Err(TimeError::Form);
        }
        Ok(micros * 10_u32.pow(6_u32.saturating_sub(count)))
    }

    fn offset(&mut self) -> Result<Option<i32>, TimeError> {
        let sign = match self.expect(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Ok(None),
        };
        let hours = self.digits(2)?;
        self.expect(b":")?;
        let minutes = self.digits(2)?;
        if hours > 23 || minutes > 59 {
            return Err(TimeError::Field);
        }
        Ok(i32::try_from(hours * 60 + minutes)
            .ok()
            .map(|east| sign * east))
    }
}

fn parse_rfc3339(text: &[u8]) -> Result<(Time, Option<i32>), TimeError> {
    let mut reader = Reader(text);
    let year = i32::try_from(reader.digits(4)?).map_err(|_| TimeError::Field)?;
    reader.expect(b"-")?;
    let month = reader.digits(2)?;
    reader.expect(b"-")?;
    let day = reader.digits(2)?;
    reader.expect(b"Tt ")?;
    let hour = reader.digits(2)?;
    reader.expect(b":")?;
    let minute = reader.digits(2)?;
    reader.expect(b":")?;
    let second = reader.digits(2)?;
    let micros = reader.fraction()?;
    let offset = reader.offset()?;
    if !reader.0.is_empty() {
        return Err(TimeError::Form);
    }
    if hour > 23 || minute > 59 || second > 59 || !(1..=12).contains(&month) {
        return Err(TimeError::Field);
    }
    if day == 0 || day > days_in_month(year, month) {
        return Err(TimeError::Field);
    }
    let second_of_day = i64::from(hour * 3600 + minute * 60 + second);
    let local = days_from_civil(year, month, day) * SECONDS_PER_DAY + second_of_day;
    let utc = local - i64::from(offset.unwrap_or(0)) * 60;
    let time = Time::from_micros(utc * MICROS_PER_SECOND + i64::from(micros));
    Ok((time.ok_or(TimeError::Range)?, offset))
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counting years from 1 March so that
/// the leap day is a year's last.
fn days_from_civil(year: i32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date of a day since 1970-01-01.
fn civil_from_days(days: u32) -> (i32, u32, u32) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u32::from(month <= 2);
    (year as i32, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_at_the_ends_and_at_leap_days() {
        for text in [
            "1970-01-01T00:00:00.000000Z",
            "2000-02-29T23:59:59.999999Z",
            "2026-05-17T08:00:00.123456Z",
            "9999-12-31T23:59:59.999999Z",
        ] {
            assert_eq!(
                text.parse::<Time>().map(|time| time.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn every_day_of_the_range_round_trips() {
        for days in 0..Time::MAX.0 / MICROS_PER_SECOND / SECONDS_PER_DAY {
            let (year, month, day) = civil_from_days(days as u32);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }

    #[test]
    fn refusals_name_the_rule() {
        for (text, error) in [
            ("2026-05-17", TimeError::Form),
            ("2026-05-17T08:00:00", TimeError::Form),
            ("2026-02-29T00:00:00Z", TimeError::Field),
            ("2026-05-17T24:00:00Z", TimeError::Field),
            ("2026-05-17T08:00:00.1234567Z", TimeError::Precision),
            ("1969-12-31T23:59:59Z", TimeError::Range),
            ("1970-01-01T00:00:00+00:01", TimeError::Range),
        ] {
            assert_eq!(text.parse::<Time>(), Err(error), "{text}");
        }
        assert_eq!(
            Time::parse_with_offset("1970-01-01T01:00:00.1234560+01:00"),
            Ok((Time(123_456), Some(60)))
        );
    }
}
