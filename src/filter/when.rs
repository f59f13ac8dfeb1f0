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
                "read as a time before now with the unit {}: write -…s, -…m, -…h, -…d or -…w",
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
                "read as {} {unit} before now, which is no time",
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
