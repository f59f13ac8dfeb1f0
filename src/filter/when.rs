//! The words for times: RFC 3339, dates, local date-times, `@…s`, `now` and `-24h`.
//! What was written keeps its precision, so that an inclusive end takes the whole of it. Every
//! refusal says how the text was read.

use core::time::Duration;

use crate::filter::field::shown;
use crate::filter::zone::LocalTime;
use crate::filter::zone::Moments;
use crate::filter::zone::Zone;
use crate::time::Time;

/// An end of a filter's time range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// This moment.
    At(Time),
    /// So many microseconds before the moment at which the reading begins.
    Ago(u64),
}

/// Which end of the range a text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The first moment that is meant.
    Since,
    /// The last moment that is meant.
    Until,
    /// The first moment that is not.
    Before,
}

const HINT: &str = "RFC 3339 such as 2026-05-17T10:00:00Z, a date, a date-time, @1715932800s, @…ms, @…us, now, -24h or -7d are taken";

impl Bound {
    /// A bound so long before the moment at which the reading begins.
    #[must_use]
    pub fn ago(duration: Duration) -> Bound {
        Bound::Ago(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }
}

impl From<Time> for Bound {
    fn from(time: Time) -> Bound {
        Bound::At(time)
    }
}

/// Reads the words of one bound; the error says how they were read.
pub(crate) fn bound(text: &str, end: End, zone: &dyn Zone) -> Result<Bound, String> {
    if text == "now" {
        return Ok(Bound::Ago(0));
    }
    if let Some(number) = text.strip_prefix('@') {
        return since_1970(number, end);
    }
    if let Some(length) = text.strip_prefix('-') {
        return ago(length);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = if text.len() <= 20 { text } else { "…" };
        return Err(format!(
            "read as a bare number, whose unit nobody knows: write @{number}s, @{number}ms or @{number}us"
        ));
    }
    calendar(text, end, zone).map(Bound::At)
}

/// Reads a period of the calendar, `2026-Q2`, `2026-05` or `2026-05-17`, as its two inclusive ends.
pub(crate) fn during(text: &str, zone: &dyn Zone) -> Result<(Time, Time), String> {
    let form = || {
        "read as a period, which it is not: 2026-Q2, 2026-05 and 2026-05-17 are taken".to_owned()
    };
    let (first, last) = period(text).ok_or_else(form)?;
    let first = calendar(&first, End::Since, zone)?;
    let last = calendar(&last, End::Until, zone)?;
    if first > last {
        return Err("no such day: the zone's clocks went over it".to_owned());
    }
    Ok((first, last))
}

/// The first and the last day of a period.
fn period(text: &str) -> Option<(String, String)> {
    if !text.is_ascii() {
        return None;
    }
    let (year, rest) = text.split_at_checked(4)?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let rest = rest.strip_prefix('-').filter(|_| is_number(year))?;
    if let Some((month, day)) = rest.split_once('-') {
        let is_day = [month, day]
            .iter()
            .all(|part| part.len() == 2 && is_number(part));
        return is_day.then(|| (text.to_owned(), text.to_owned()));
    }
    let (first, last): (u32, u32) = match rest.strip_prefix(['Q', 'q']) {
        Some("1") => (1, 3),
        Some("2") => (4, 6),
        Some("3") => (7, 9),
        Some("4") => (10, 12),
        Some(_) => return None,
        None => {
            let month = rest
                .parse()
                .ok()
                .filter(|_| rest.len() == 2 && is_number(rest));
            month
                .filter(|month| (1..=12).contains(month))
                .map(|month| (month, month))?
        }
    };
    let days = days_in(year.parse().ok()?, last);
    Some((
        format!("{year}-{first:02}-01"),
        format!("{year}-{last:02}-{days:02}"),
    ))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Reads how long before now a reading begins.
pub(crate) fn last(text: &str) -> Result<Bound, String> {
    if text.starts_with('-') {
        return Err("read with a sign, which is not needed: write 24h or 7d".to_owned());
    }
    match ago(text)? {
        Bound::Ago(0) => Err("read as no time at all: write 24h or 7d".to_owned()),
        bound => Ok(bound),
    }
}

fn since_1970(number: &str, end: End) -> Result<Bound, String> {
    let (digits, unit) = number_and_unit(number);
    let span: i64 = match unit {
        "s" => 1_000_000,
        "ms" => 1_000,
        "us" => 1,
        _ => {
            return Err(format!(
                "read as a time since 1970 with the unit {}: write @…s, @…ms or @…us",
                shown(unit)
            ));
        }
    };
    let first = digits
        .parse::<i64>()
        .ok()
        .and_then(|number| number.checked_mul(span))
        .and_then(Time::from_micros)
        .ok_or_else(|| {
            let digits = shown(digits);
            format!("read as {digits} {unit} since 1970, which is no time from 1970 to 9999")
        })?;
    Ok(Bound::At(match end {
        End::Since | End::Before => first,
        End::Until => Time::saturating_from_micros(first.as_micros() + span - 1),
    }))
}

fn ago(length: &str) -> Result<Bound, String> {
    let (digits, unit) = number_and_unit(length);
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => {
            return Err(format!(
                "read as a length of time with the unit {}: there are s, m, h, d and w, as in 24h",
                shown(unit)
            ));
        }
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(seconds * 1_000_000))
        .map(Bound::Ago)
        .ok_or_else(|| {
            format!(
                "read as {} {unit}, which is no length of time",
                shown(digits)
            )
        })
}

fn number_and_unit(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// A calendar time as it was written: the first and the last local time that it means.
struct Written {
    first: LocalTime,
    last: LocalTime,
    /// Minutes east of UTC, where they were written.
    east: Option<i64>,
}

fn calendar(text: &str, end: End, zone: &dyn Zone) -> Result<Time, String> {
    let written = Scanner(text.as_bytes()).written()?;
    let out_of_range = || {
        let text = shown(text);
        format!("read as the time {text}, which lies outside 1970 to 9999")
    };
    let local = match end {
        End::Since | End::Before => written.first,
        End::Until => written.last,
    };
    if let Some(east) = written.east {
        return with_offset(local, east).ok_or_else(out_of_range);
    }
    match (zone.moments(local), end) {
        (Moments::Once(time), _)
        | (Moments::Twice { earlier: time, .. }, End::Since | End::Before)
        | (Moments::Twice { later: time, .. }, End::Until)
        | (Moments::Skipped(time), End::Since | End::Before) => Ok(time),
        (Moments::Skipped(jump), End::Until) => {
            Time::from_micros(jump.as_micros() - 1).ok_or_else(out_of_range)
        }
        (Moments::OutOfRange, _) => Err(out_of_range()),
    }
}

/// Through the text, because a local time beside 1970 may lie outside the range that its moment
/// lies in.
fn with_offset(local: LocalTime, east: i64) -> Option<Time> {
    let LocalTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
        micros,
    } = local;
    let sign = if east < 0 { '-' } else { '+' };
    let east = east.unsigned_abs();
    let (hours, minutes) = (east / 60, east % 60);
    let text = format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}{sign}{hours:02}:{minutes:02}"
    );
    text.parse().ok()
}

/// Reads a calendar time from the front of its bytes.
struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    fn written(mut self) -> Result<Written, String> {
        let text = String::from_utf8_lossy(self.0).into_owned();
        let form = || format!("read as a time, which it is not: {HINT}");
        let first = self.date().ok_or_else(form)?;
        let written = if self.0.is_empty() {
            let last = LocalTime {
                hour: 23,
                minute: 59,
                second: 59,
                micros: 999_999,
                ..first
            };
            Written {
                first,
                last,
                east: None,
            }
        } else {
            self.eat(b"Tt ").ok_or_else(form)?;
            let (first, last) = self.clock(first)?.ok_or_else(form)?;
            let east = self.offset().ok_or_else(form)?;
            if !self.0.is_empty() {
                return Err(form());
            }
            Written { first, last, east }
        };
        if exists(written.first) {
            Ok(written)
        } else {
            let text = shown(&text);
            Err(format!(
                "read as the time {text}, which no calendar or clock shows"
            ))
        }
    }

    fn eat(&mut self, wanted: &[u8]) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        if !wanted.contains(byte) {
            return None;
        }
        self.0 = rest;
        Some(*byte)
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            value = value * 10 + u32::from(self.eat(b"0123456789")? - b'0');
        }
        Some(value)
    }

    fn date(&mut self) -> Option<LocalTime> {
        let year = i32::try_from(self.digits(4)?).ok()?;
        self.eat(b"-")?;
        let month = self.digits(2)?;
        self.eat(b"-")?;
        let day = self.digits(2)?;
        Some(LocalTime {
            year,
            month,
            day,
            hour: 0,
            minute: 0,
            second: 0,
            micros: 0,
        })
    }

    /// The wall-clock time after a date, down to minutes, seconds or fractions of one.
    fn clock(&mut self, date: LocalTime) -> Result<Option<(LocalTime, LocalTime)>, String> {
        let Some((hour, minute)) = self.hour_and_minute() else {
            return Ok(None);
        };
        let first = LocalTime {
            hour,
            minute,
            ..date
        };
        if self.eat(b":").is_none() {
            let last = LocalTime {
                second: 59,
                micros: 999_999,
                ..first
            };
            return Ok(Some((first, last)));
        }
        let Some(second) = self.digits(2) else {
            return Ok(None);
        };
        let first = LocalTime { second, ..first };
        if self.eat(b".").is_none() {
            let last = LocalTime {
                micros: 999_999,
                ..first
            };
            return Ok(Some((first, last)));
        }
        let Some((micros, span)) = self.fraction()? else {
            return Ok(None);
        };
        let first = LocalTime { micros, ..first };
        let last = LocalTime {
            micros: micros + span - 1,
            ..first
        };
        Ok(Some((first, last)))
    }

    fn hour_and_minute(&mut self) -> Option<(u32, u32)> {
        let hour = self.digits(2)?;
        self.eat(b":")?;
        Some((hour, self.digits(2)?))
    }

    /// Digits of a fraction as microseconds, and how many microseconds the last one stands for.
    fn fraction(&mut self) -> Result<Option<(u32, u32)>, String> {
        let (mut micros, mut span) = (0, 1_000_000);
        while let Some(digit) = self.eat(b"0123456789") {
            if span > 1 {
                span /= 10;
                micros += u32::from(digit - b'0') * span;
            } else if digit != b'0' {
                return Err("read as a time finer than a microsecond, which no event has".into());
            }
        }
        Ok((span < 1_000_000).then_some((micros, span)))
    }

    fn offset(&mut self) -> Option<Option<i64>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let sign = match self.eat(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(Some(0)),
        };
        let (hours, minutes) = self.hour_and_minute()?;
        (hours < 24 && minutes < 60).then(|| Some(sign * i64::from(hours * 60 + minutes)))
    }
}

fn exists(local: LocalTime) -> bool {
    let clock = local.hour < 24 && local.minute < 60 && local.second < 60;
    // A leap year stands for years outside the range of times: whether a year is one is all that
    // counts here, and years repeat after 400.
    let near = LocalTime {
        year: 2000 + local.year.rem_euclid(400),
        ..local
    };
    clock && near.in_utc().is_some()
}
