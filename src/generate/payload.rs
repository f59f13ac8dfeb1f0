//! What a realistic event carries: metadata, names in other systems, changes and small objects.
//! Nothing here depends on who did it or to whom.

use super::catalogue::Carries;
use super::catalogue::Kind;
use super::random::Random;
use super::text;
use crate::event::Change;
use crate::event::Field;
use crate::event::Json;
use crate::event::Metadata;
use crate::event::Origin;
use crate::time::Time;

const ENTITY_COUNT: u64 = 30_000;
const TICKET_COUNT: u64 = 20_000;
const BUILD_COUNT: u64 = 200;

/// A JSON object under construction from keys and texts that need no escapes.
struct Object(String);

impl Object {
    fn new() -> Object {
        Object(String::with_capacity(160))
    }

    fn raw(mut self, key: &str, quote: &str, value: &str) -> Object {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        for part in ["\"", key, "\":", quote, value, quote] {
            self.0.push_str(part);
        }
        self
    }

    fn text(self, key: &str, value: &str) -> Object {
        self.raw(key, "\"", value)
    }

    fn truth(self, key: &str, value: bool) -> Object {
        self.raw(key, "", if value { "true" } else { "false" })
    }

    fn number(self, key: &str, value: u64) -> Object {
        let mut out = self.raw(key, "", "");
        text::put_number(&mut out.0, value);
        out
    }

    fn finish(mut self) -> Field<Json> {
        self.0.push('}');
        json(&self.0)
    }
}

/// `text` as a value, where a null is the field's own; absent if it were no JSON, which the tests
/// rule out.
pub(super) fn json(text: &str) -> Field<Json> {
    if text == "null" {
        return Field::Null;
    }
    Json::parse(text).map_or(Field::Absent, Field::Value)
}

/// The description of a client program; there are as many as there are numbers.
pub(super) fn agent(number: u32) -> String {
    let version = 90 + number / 5;
    match number % 5 {
        0 => format!("Firefox/{version}.0 (Linux x86_64)"),
        1 => format!("Chrome/{version}.0.0.0 (Windows NT 10.0)"),
        2 => format!("Safari/{}.{} (Macintosh)", version / 10, version % 10),
        3 => format!("corp-mobile/{}.{} (Android)", version / 10, version % 10),
        _ => format!("corp-cli/1.{version}.0 (linux; amd64)"),
    }
}

/// Two or three pairs: an entity, of which there are many, and one or two from short and long lists.
pub(super) fn metadata(kind: &Kind, random: &mut Random) -> Metadata {
    let mut metadata = Metadata::default();
    metadata.push("entity_id", entity(random.below(ENTITY_COUNT)));
    match kind.carries {
        Carries::Session | Carries::Mask => {
            metadata.push("region", random.pick(&text::REGIONS));
        }
        Carries::Look => {
            metadata.push("region", random.pick(&text::REGIONS));
            metadata.push("build", format!("b{}", 4_000 + random.below(BUILD_COUNT)));
        }
        Carries::Changes | Carries::Thing => {
            metadata.push(
                "ticket",
                format!("OPS-{}", 10_000 + random.below(TICKET_COUNT)),
            );
            metadata.push("plan", random.pick(&text::PLANS));
        }
        Carries::Member => metadata.push("channel", random.pick(&text::CHANNELS)),
    }
    metadata
}

/// `ent_` and six letters of base 32 that only `number` decides. The factor is odd, so that no two
/// numbers share a name.
fn entity(number: u64) -> String {
    let mut id = String::with_capacity(10);
    id.push_str("ent_");
    text::put_base_32(&mut id, u128::from(number.wrapping_mul(0x2545_f491)), 6);
    id
}

/// What another system called the event: a ULID of its time and 80 random bits.
pub(super) fn origin(time: Time, random: &mut Random) -> Origin {
    let millis = time.as_micros().unsigned_abs() / 1_000;
    let chance = u128::from(random.bits()) << 16 | u128::from(random.bits() >> 48);
    let mut id = String::with_capacity(26);
    text::put_base_32(&mut id, u128::from(millis) << 80 | chance, 26);
    Origin {
        id: Field::Value(id),
        ..Origin::default()
    }
}

/// 128 random bits in hexadecimal.
pub(super) fn request_id(random: &mut Random) -> String {
    let bits = u128::from(random.bits()) << 64 | u128::from(random.bits());
    let mut id = String::with_capacity(32);
    text::put_hex(&mut id, bits, 32);
    id
}

/// One to three changes of attributes that stand beside each other in the list.
pub(super) fn changes(random: &mut Random) -> Vec<Change> {
    let attribute = |at: u64, random: &mut Random| {
        let mut word = |list: &[&'static str]| [r#"""#, random.pick(list), r#"""#].concat();
        match at % 8 {
            0 => ("billing.plan", word(&text::PLANS), word(&text::PLANS)),
            1 => ("notifications.email", "true".to_owned(), "false".to_owned()),
            2 => ("display_name", word(&text::LAST), word(&text::LAST)),
            3 => ("home.region", word(&text::REGIONS), word(&text::REGIONS)),
            4 => ("approval_duty", word(&text::DUTIES), word(&text::DUTIES)),
            5 => (
                "limits.seats",
                random.below(500).to_string(),
                random.below(500).to_string(),
            ),
            6 => ("primary_site", "null".to_owned(), word(&text::PLACES)),
            _ => (
                "default_channel",
                word(&text::CHANNELS),
                word(&text::CHANNELS),
            ),
        }
    };
    let (first, count) = (random.below(8), 1 + random.below(3));
    (first..first + count)
        .map(|at| {
            let (path, before, after) = attribute(at, random);
            Change {
                path: path.to_owned(),
                before: json(&before),
                after: json(&after),
            }
        })
        .collect()
}

/// How a session was opened or used.
pub(super) fn session(random: &mut Random) -> Field<Json> {
    let mut session = String::with_capacity(12);
    text::put_hex(&mut session, u128::from(random.bits()), 12);
    Object::new()
        .text("session", &session)
        .text("method", random.pick(&text::METHODS))
        .text("client", random.pick(&text::CLIENTS))
        .truth("mfa", random.chance(700_000))
        .number("asn", 1_000 + random.below(60_000))
        .text("country", random.pick(&text::COUNTRIES))
        .text("tls", random.pick(&["1.2", "1.3"]))
        .number("risk", random.below(100))
        .truth("known_device", random.chance(800_000))
        .finish()
}

/// What was looked at or taken out.
pub(super) fn look(random: &mut Random) -> Field<Json> {
    Object::new()
        .text("format", random.pick(&text::FORMATS))
        .text("view", random.pick(&text::DUTIES))
        .number("rows", random.below(5_000))
        .number("page", 1 + random.below(40))
        .truth("personal_data", random.chance(200_000))
        .number("took_ms", 3 + random.below(900))
        .number("columns", 4 + random.below(20))
        .text("sort", random.pick(&["name", "newest", "oldest"]))
        .finish()
}

/// What was made or taken away.
pub(super) fn thing(random: &mut Random) -> Field<Json> {
    Object::new()
        .text("site", random.pick(&text::PLACES))
        .text("duty", random.pick(&text::DUTIES))
        .text("via", random.pick(&text::CHANNELS))
        .number("members", random.below(300))
        .truth("inherited", random.chance(500_000))
        .number("implied_count", random.below(20))
        .number("expires_days", 30 * (1 + random.below(12)))
        .text("template", random.pick(&["standard", "strict", "legacy"]))
        .finish()
}

/// How a member came or went.
pub(super) fn member(random: &mut Random) -> Field<Json> {
    Object::new()
        .text("site", random.pick(&text::PLACES))
        .text("duty", random.pick(&text::DUTIES))
        .text("via", random.pick(&text::CHANNELS))
        .number("members", 1 + random.below(300))
        .truth("inherited", random.chance(500_000))
        .number("expires_days", 30 * (1 + random.below(12)))
        .finish()
}
