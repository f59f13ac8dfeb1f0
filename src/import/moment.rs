//! Times as sources write them: ISO 8601 in all its habits, American dates, epochs.
//! Digits finer than a microsecond are cut here (the record keeps them in `data`); a time without
//! a zone is taken in the zone the caller names, because no source says which one it meant.

use crate::time::Civil;
use crate::time::Time;

/// How a text tells the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Year, month, day; `T` or a blank; the clock is optional.
    Iso,
    /// Month, day, year.
    American,
    /// Day, month, year.
    European,
    /// Seconds since 1970, with or without decimals.
    Seconds,
    /// Milliseconds since 1970.
    Millis,
    /// Microseconds since 1970.
    Micros,
    /// Nanoseconds since 1970.
    Nanos,
    /// ISO, or a number whose size tells its unit.
    Any,
}

/// The forms by the names mapping files use.
pub(super) const FORMS: [(&str, Form); 8] = [
    ("iso", Form::Iso),
    ("mdy", Form::American),
    ("dmy", Form::European),
    ("epoch_s", Form::Seconds),
    ("epoch_ms", Form::Millis),
    ("epoch_us", Form::Micros),
    ("epoch_ns", Form::Nanos),
    ("any", Form::Any),
];

/// A moment, and the offset it was written with, in minutes east of UTC.
pub(super) type Written = (Time, Option<i32>);

/// Reads `text`; a time without zone is `zone` minutes east of UTC.
pub(super) fn parse(text: &str, form: Form, zone: i32) -> Option<Written> {
    let text = text.trim();
    match form {
        Form::Iso => calendar(text, [0, 1, 2], zone),
        Form::American => calendar(text, [2, 0, 1], zone),
        Form::European => calendar(text, [2, 1, 0], zone),
        Form::Seconds => epoch(text, 6),
        Form::Millis => epoch(text, 3),
        Form::Micros => epoch(text, 0),
        Form::Nanos => epoch(text, -3),
        Form::Any => calendar(text, [0, 1, 2], zone).or_else(|| sized_epoch(text)),
    }
}

/// An epoch whose unit follows from its size: from 1971 to 2200 the four units do not overlap.
fn sized_epoch(text: &str) -> Option<Written> {
    let whole = text.split('.').next()?;
    let places = match whole.len() {
        8..=10 => 6,
        11..=13 => 3,
        14..=16 => 0,
        17..=19 => -3,
        _ => return None,
    };
    epoch(text, places)
}

/// A decimal number times ten to the power of `places`, in microseconds, without floating point.
fn epoch(text: &str, places: i32) -> Option<Written> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let Ok(places) = u32::try_from(places) else {
        return Time::from_micros(whole / 10_i64.pow(places.unsigned_abs()))
            .map(|time| (time, None));
    };
    let width = usize::try_from(places).ok()?;
    let mut part = 0_i64;
    for place in 0..width {
        let digit = fraction.as_bytes().get(place).copied().unwrap_or(b'0');
        part = part * 10 + i64::from(digit - b'0');
    }
    let micros = whole.checked_mul(10_i64.pow(places))?.checked_add(part)?;
    Time::from_micros(micros).map(|time| (time, None))
}

/// What is left of a time's text.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn number(&mut self) -> Option<(u32, usize)> {
        let width = self
            .0
            .bytes()
            .take_while(u8::is_ascii_digit)
            .take(10)
            .count();
        let (digits, rest) = self.0.split_at_checked(width)?;
        self.0 = rest;
        Some((digits.parse().ok()?, width))
    }

    fn any_of(&mut self, wanted: &[char]) -> bool {
        let found = self.0.starts_with(wanted);
        if found {
            self.0 = self.0.get(1..).unwrap_or_default();
        }
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self
            .0
            .get(..word.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(word));
        if found {
            self.0 = self.0.get(word.len()..).unwrap_or_default();
        }
        found
    }

    /// Decimals of a second in microseconds; what is finer is cut.
    fn fraction(&mut self) -> Option<u32> {
        if !self.any_of(&['.', ',']) {
            return Some(0);
        }
        let width = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(width)?;
        self.0 = rest;
        let kept: String = digits.chars().chain("000000".chars()).take(6).collect();
        kept.parse().ok()
    }
}

/// A date in the given order of its numbers (where year, month and day stand), and a clock.
fn calendar(text: &str, order: [usize; 3], zone: i32) -> Option<Written> {
    let mut rest = Rest(text);
    let mut numbers = [0_u32; 3];
    for (place, number) in numbers.iter_mut().enumerate() {
        if place > 0 && !rest.any_of(&['-', '/', '.']) {
            return None;
        }
        let (value, width) = rest.number()?;
        let fits = if order.first() == Some(&place) {
            width == 4
        } else {
            width <= 2
        };
        if !fits {
            return None;
        }
        *number = value;
    }
    let [year, month, day] = order.map(|place| numbers.get(place).copied().unwrap_or(0));
    let (second_of_day, micros) = clock(&mut rest)?;
    let written = offset(&mut rest)?;
    if !rest.0.trim().is_empty() {
        return None;
    }
    let civil = Civil {
        year: i32::try_from(year).ok()?,
        month,
        day,
        second_of_day,
        micros,
    };
    let local = Time::from_civil(civil).ok()?.as_micros();
    let east = match written {
        Zone::Unwritten => zone,
        Zone::Utc => 0,
        Zone::East(minutes) => minutes,
    };
    let time = Time::from_micros(local - i64::from(east) * 60_000_000)?;
    let kept = matches!(written, Zone::East(_)).then_some(east);
    Some((time, kept))
}

/// The zone a time is written with; `Z` names no place, so no offset is kept for it.
#[derive(Clone, Copy)]
enum Zone {
    Unwritten,
    Utc,
    East(i32),
}

/// The seconds of the day and the microseconds; midnight where no clock is written.
fn clock(rest: &mut Rest<'_>) -> Option<(u32, u32)> {
    if rest.0.is_empty() {
        return Some((0, 0));
    }
    if !rest.any_of(&['T', 't', ' ']) {
        return None;
    }
    let (mut hour, _) = rest.number()?;
    if !rest.any_of(&[':']) {
        return None;
    }
    let (minute, _) = rest.number()?;
    let second = if rest.any_of(&[':']) {
        rest.number()?.0
    } else {
        0
    };
    let micros = rest.fraction()?;
    let blank = rest.any_of(&[' ']);
    if rest.word("AM") {
        hour = if hour == 12 { 0 } else { hour };
    } else if rest.word("PM") {
        hour = if hour == 12 { 12 } else { hour + 12 };
    } else if blank {
        rest.any_of(&['(']);
    }
    // A leap second (:60) counts into the next minute.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some((hour * 3600 + minute * 60 + second, micros))
}

/// `Z`, `UTC`, `GMT`, `+hh:mm`, `+hhmm`, `+hh`, or nothing.
fn offset(rest: &mut Rest<'_>) -> Option<Zone> {
    rest.any_of(&[' ']);
    if rest.word("Z") || rest.word("UTC") || rest.word("GMT") {
        rest.any_of(&[')']);
        return Some(Zone::Utc);
    }
    let sign = if rest.0.starts_with('+') {
        1
    } else if rest.0.starts_with('-') {
        -1
    } else {
        return Some(Zone::Unwritten);
    };
    rest.any_of(&['+', '-']);
    let (number, width) = rest.number()?;
    let (hours, minutes) = match width {
        4 => (number / 100, number % 100),
        1 | 2 if rest.any_of(&[':']) => (number, rest.number()?.0),
        1 | 2 => (number, 0),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let east = i32::try_from(hours * 60 + minutes).ok()?;
    Some(Zone::East(sign * east))
}

/// Reads `+hh:mm`, `Z` and the like as minutes east of UTC.
pub(super) fn zone(text: &str) -> Option<i32> {
    let mut rest = Rest(text.trim());
    let east = match offset(&mut rest)? {
        Zone::Unwritten => return None,
        Zone::Utc => 0,
        Zone::East(minutes) => minutes,
    };
    rest.0.is_empty().then_some(east)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text, how it is meant, the time it says, and the minutes east it was written in.
    const HABITS: &[(&str, Form, &str, Option<i32>)] = &[
        (
            "2023-07-10T11:42:36Z",
            Form::Iso,
            "2023-07-10T11:42:36.000000Z",
            None,
        ),
        (
            "2020-10-21 12:19:04.525",
            Form::Iso,
            "2020-10-21T12:19:04.525000Z",
            None,
        ),
        (
            "2025-04-21 20:51:04.058183200",
            Form::Iso,
            "2025-04-21T20:51:04.058183Z",
            None,
        ),
        (
            "2024-10-10 12:56:35.822 -0700",
            Form::Iso,
            "2024-10-10T19:56:35.822000Z",
            Some(-420),
        ),
        (
            "2024-01-15 10:30:45 +0000",
            Form::Iso,
            "2024-01-15T10:30:45.000000Z",
            Some(0),
        ),
        (
            "2022-02-18T17:39:28.127636+00:00",
            Form::Iso,
            "2022-02-18T17:39:28.127636Z",
            Some(0),
        ),
        (
            "2022-02-18T17:39:28+11:00",
            Form::Iso,
            "2022-02-18T06:39:28.000000Z",
            Some(660),
        ),
        (
            "2024-06-19 11:02:03 (UTC)",
            Form::Iso,
            "2024-06-19T11:02:03.000000Z",
            None,
        ),
        (
            "2021-09-18 20:38:51Z",
            Form::Iso,
            "2021-09-18T20:38:51.000000Z",
            None,
        ),
        ("2006-07-24", Form::Iso, "2006-07-24T00:00:00.000000Z", None),
        (
            "10-06-2022 18:11:31.712",
            Form::American,
            "2022-10-06T18:11:31.712000Z",
            None,
        ),
        (
            "01/09/2019 03:56:10 PM",
            Form::American,
            "2019-01-09T15:56:10.000000Z",
            None,
        ),
        (
            "4/11/2025 6:21:02 AM",
            Form::American,
            "2025-04-11T06:21:02.000000Z",
            None,
        ),
        (
            "4/11/2025 12:21:02 AM",
            Form::American,
            "2025-04-11T00:21:02.000000Z",
            None,
        ),
        (
            "31.12.2024 23:59",
            Form::European,
            "2024-12-31T23:59:00.000000Z",
            None,
        ),
        (
            "1490995752.404",
            Form::Seconds,
            "2017-03-31T21:29:12.404000Z",
            None,
        ),
        (
            "1747795144.253623",
            Form::Any,
            "2025-05-21T02:39:04.253623Z",
            None,
        ),
        (
            "1670460538000",
            Form::Any,
            "2022-12-08T00:48:58.000000Z",
            None,
        ),
        ("1670460538", Form::Any, "2022-12-08T00:48:58.000000Z", None),
        (
            "1698604061.0",
            Form::Seconds,
            "2023-10-29T18:27:41.000000Z",
            None,
        ),
        (
            "2016-12-31T23:59:60Z",
            Form::Iso,
            "2017-01-01T00:00:00.000000Z",
            None,
        ),
    ];

    #[test]
    fn every_habit_of_the_corpus_is_read() {
        for (text, form, expected, written) in HABITS {
            let found = parse(text, *form, 0).map(|(time, east)| (time.to_string(), east));
            assert_eq!(found, Some(((*expected).to_owned(), *written)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "-",
            "12",
            "2024",
            "2024-13-01",
            "2024-02-30",
            "10:00:00",
            "2024-01-01x",
            "1.2.3.4",
            "99999999999999999999",
        ] {
            assert_eq!(parse(text, Form::Any, 0), None, "{text}");
        }
    }

    #[test]
    fn a_time_without_zone_is_taken_in_the_given_one() {
        let found = parse("2020-10-21 12:00:00", Form::Iso, 120).map(|(time, _)| time.to_string());
        assert_eq!(found.as_deref(), Some("2020-10-21T10:00:00.000000Z"));
        assert_eq!(zone("+02:00"), Some(120));
        assert_eq!(zone("-0730"), Some(-450));
        assert_eq!(zone("Z"), Some(0));
        assert_eq!(zone("CET"), None);
    }
}
