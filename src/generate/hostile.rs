//! The hostile profile: every field absent, null, empty or filled regardless of all others, long
//! texts in many scripts, deep and odd JSON, times from 1970 to 9999. It finds what the realistic
//! profile is too tidy to show; still, every event is valid.

use super::payload;
use super::random::Random;
use super::text;
use crate::event::Change;
use crate::event::Context;
use crate::event::Event;
use crate::event::Field;
use crate::event::Json;
use crate::event::Metadata;
use crate::event::Origin;
use crate::event::Outcome;
use crate::event::Performer;
use crate::event::Subject;
use crate::event::Target;
use crate::time::Time;

/// Pieces that break careless writers: controls, quotes, formulas, separators, combining marks,
/// right-to-left text, invisible characters, the edges of the planes.
const PIECES: [&str; 40] = [
    "\0",
    "\u{1}",
    "\t",
    "\n",
    "\r\n",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{9b}",
    "\"",
    "\\",
    "'",
    ",",
    ";",
    "=1+1",
    "+1",
    "-1",
    "@x",
    "\u{a0}",
    "é",
    "e\u{301}",
    "ß",
    "İ",
    "ﬃ",
    "你好",
    "日本語",
    "한국",
    "\u{202e}abc",
    "عربي",
    "עברית",
    "\u{200d}",
    "\u{feff}",
    "\u{2028}",
    "👩\u{200d}🚀",
    "🇳🇴",
    "\u{fffd}",
    "\u{ffff}",
    "\u{10000}",
    "\u{10ffff}",
    "\u{d7ff}\u{e000}",
];
const NUMBERS: [&str; 10] = [
    "0",
    "-0",
    "-0.0",
    "1E400",
    "1e-400",
    "9223372036854775808",
    "-9214364837600034816",
    "1.10",
    "123456789012345678901234567890",
    "2.2250738585072014e-308",
];
const TIMES: [i64; 4] = [0, 1, 253_402_300_799_999_999, 951_868_799_999_999];

/// An event whose `time` the timeline gave; most get another.
pub(super) fn event(time: Time, random: &mut Random) -> Event {
    Event {
        event_type: slug(random),
        sub_type: field(random, long),
        occurred_at: Field::Value(moment(time, random)),
        offset: match random.below(4) {
            0 => Field::Value(i32::try_from(random.below(2_879)).unwrap_or(0) - 1_439),
            1 => Field::Null,
            _ => Field::Absent,
        },
        org: field(random, short),
        performer: structure(random, performer),
        on_behalf_of: structure(random, performer),
        subject: structure(random, subject),
        targets: structure(random, |random| {
            let count = few(random, 256);
            (0..count).map(|_| target(random)).collect()
        }),
        outcome: match random.index(7) {
            0 => Field::Absent,
            1 => Field::Null,
            at => Outcome::ALL
                .get(at - 2)
                .map_or(Field::Null, |o| Field::Value(*o)),
        },
        reason: field(random, long),
        source: field(random, short),
        metadata: structure(random, metadata),
        changes: structure(random, |random| {
            let count = few(random, 300);
            (0..count).map(|_| change(random)).collect()
        }),
        context: structure(random, context),
        batch: field(random, short),
        caused_by: field(random, short),
        correlation: field(random, short),
        origin: structure(random, origin),
        key: Field::Absent,
        data: json(random),
    }
}

/// A burst's time half of the time, else an end of the range, a moment nearby, or any at all.
fn moment(time: Time, random: &mut Random) -> Time {
    Time::saturating_from_micros(match random.below(16) {
        0 => random.pick(&TIMES),
        1 => time.as_micros() + i64::try_from(random.below(3)).unwrap_or(0) - 1,
        2..8 => i64::try_from(random.below(Time::MAX.as_micros().unsigned_abs())).unwrap_or(0),
        _ => time.as_micros(),
    })
}

/// Mostly small, now and then up to `most`.
fn few(random: &mut Random, most: u64) -> u64 {
    let bound = if random.chance(20_000) { most } else { 4 };
    random.below(bound + 1)
}

fn structure<T>(random: &mut Random, fill: impl Fn(&mut Random) -> T) -> Field<T> {
    match random.below(8) {
        0..2 => Field::Absent,
        2 => Field::Null,
        _ => Field::Value(fill(random)),
    }
}

fn field(random: &mut Random, fill: impl Fn(&mut Random) -> String) -> Field<String> {
    match random.below(8) {
        0..2 => Field::Absent,
        2 => Field::Null,
        3 => Field::Value(String::new()),
        _ => Field::Value(fill(random)),
    }
}

/// Random letters and odd pieces, `pieces` of them.
fn noise(random: &mut Random, pieces: u64) -> String {
    let mut out = String::new();
    for _ in 0..pieces {
        if random.chance(300_000) {
            out.push_str(random.pick(&PIECES));
        } else {
            text::put_base_32(&mut out, u128::from(random.bits()), 12);
        }
    }
    out
}

fn short(random: &mut Random) -> String {
    let pieces = 1 + random.below(4);
    noise(random, pieces)
}

/// Of 8 to 300 bytes mostly; one in fifty of tens of KiB.
fn long(random: &mut Random) -> String {
    let bound = if random.chance(20_000) { 4_000 } else { 30 };
    let pieces = 1 + random.below(bound);
    noise(random, pieces)
}

/// A kind or a key: no control characters, never empty.
fn word(random: &mut Random) -> String {
    let mut word = short(random).replace(char::is_control, "");
    word.push_str(random.pick(&["", "%", "*", ":", "!", "~"]));
    text::put_base_32(&mut word, u128::from(random.bits()), 2);
    word
}

/// A type: letters, digits, `_` and `-` in one to many parts.
fn slug(random: &mut Random) -> String {
    let parts = 1 + few(random, 40);
    let mut slug = String::new();
    for part in 0..parts {
        if part > 0 {
            slug.push('.');
        }
        slug.push_str(random.pick(&["", "_", "-", "A", "z", "0"]));
        text::put_hex(&mut slug, u128::from(random.bits()), 3);
    }
    slug
}

fn performer(random: &mut Random) -> Performer {
    Performer {
        kind: word(random),
        id: field(random, short),
        label: field(random, long),
        email: field(random, short),
        org: field(random, short),
        external_ref: field(random, short),
    }
}

fn subject(random: &mut Random) -> Subject {
    Subject {
        kind: word(random),
        id: field(random, long),
        label: field(random, long),
        external_ref: field(random, short),
    }
}

fn target(random: &mut Random) -> Target {
    Target {
        kind: word(random),
        id: field(random, short),
        label: field(random, short),
    }
}

fn origin(random: &mut Random) -> Origin {
    let moment = |random: &mut Random| match random.below(3) {
        0 => Field::Absent,
        1 => Field::Null,
        _ => Field::Value(Time::saturating_from_micros(random.pick(&TIMES))),
    };
    Origin {
        store: field(random, short),
        id: field(random, short),
        seq: match random.below(3) {
            0 => Field::Absent,
            1 => Field::Null,
            _ => Field::Value(random.bits()),
        },
        recorded_at: moment(random),
    }
}

/// Pairs whose keys are told apart by a running number.
fn pairs(random: &mut Random) -> Vec<(String, String)> {
    (0..few(random, 64))
        .map(|number| {
            let value = if random.chance(100_000) {
                String::new()
            } else {
                long(random)
            };
            (format!("{}{number}", word(random)), value)
        })
        .collect()
}

fn metadata(random: &mut Random) -> Metadata {
    Metadata::from_iter(pairs(random))
}

fn context(random: &mut Random) -> Context {
    let ip = |random: &mut Random| match random.below(4) {
        0 => short(random),
        1 => format!("2001:db8::{:x}", random.below(1 << 16)),
        2 => "::ffff:192.0.2.1".to_owned(),
        _ => format!("198.51.100.{}", random.below(256)),
    };
    Context {
        ip: field(random, ip),
        user_agent: field(random, long),
        fingerprint: field(random, short),
        geo: field(random, short),
        request_id: field(random, short),
        session_id: field(random, short),
        further: pairs(random),
    }
}

fn change(random: &mut Random) -> Change {
    Change {
        path: short(random),
        before: json(random),
        after: json(random),
    }
}

fn json(random: &mut Random) -> Field<Json> {
    if random.chance(200_000) {
        return Field::Absent;
    }
    let mut out = String::new();
    let depth = if random.chance(20_000) { 120 } else { 4 };
    value(&mut out, random, depth);
    payload::json(&out)
}

/// One JSON value of at most `depth` levels, with repeated keys and escapes as some writers leave
/// them. Deep values are narrow, so that their size stays bounded.
fn value(out: &mut String, random: &mut Random, depth: u32) {
    let narrow = depth > 8;
    match random.below(if narrow { 2 } else { 9 }) {
        0..2 if depth == 0 => out.push_str("null"),
        0 => items(
            out,
            random,
            ('[', ']'),
            if narrow { 1 } else { 4 },
            |out, random| {
                value(out, random, depth - 1);
            },
        ),
        1 => items(
            out,
            random,
            ('{', '}'),
            if narrow { 1 } else { 4 },
            |out, random| {
                out.push_str(random.pick(&[
                    r#""""#,
                    r#""a""#,
                    r#""a""#,
                    r#""\u0041""#,
                    r#""\/k""#,
                ]));
                out.push(':');
                value(out, random, depth - 1);
            },
        ),
        2 => out.push_str(random.pick(&NUMBERS)),
        3 => out.push_str(random.pick(&["true", "false", "null", "[]", "{}", r#""""#])),
        4 => out.push_str(random.pick(&[r#""\ud83d\ude00""#, r#""\u0000""#, r#""\u00E9\b\f""#])),
        5..7 => text::put_number(out, random.bits()),
        _ => out.push_str(Json::string(&long(random)).as_str()),
    }
}

fn items(
    out: &mut String,
    random: &mut Random,
    (open, close): (char, char),
    most: u64,
    mut item: impl FnMut(&mut String, &mut Random),
) {
    out.push(open);
    for number in 0..1 + random.below(most) {
        if number > 0 {
            out.push(',');
        }
        item(out, random);
    }
    out.push(close);
}
