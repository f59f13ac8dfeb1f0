//! Events by number, such as tests of what is written and what is read put into segments: those of an
//! application, and those that make a writer choose: whether texts get a dictionary, whether a member is
//! taken apart, how values are spelled, which column follows from which, where a limit ends a search.

use core::fmt::Write as _;
use core::net::Ipv4Addr;

use super::Model;
use super::position;
use crate::codec::canonical;
use crate::disk::sim::random::Random;
use crate::event::Context;
use crate::event::Event;
use crate::event::Field;
use crate::event::Json;
use crate::event::Origin;
use crate::event::Outcome;
use crate::event::Performer;
use crate::event::Subject;
use crate::time::Time;

pub(super) const BASE: i64 = 1_778_000_000_000_000;

/// The first choice of a seed.
pub(super) fn mixed(seed: u64) -> u64 {
    Random::new(seed).next()
}

/// One of so many, the first ones far more often than the last.
fn often(chance: u64, many: u64) -> u64 {
    (mixed(chance) % many) * (mixed(chance ^ 1) % many) / many
}

/// What an application tells: ids by chance, labels that follow from ids, addresses, changes.
pub(super) fn told(number: u64) -> Event {
    let chance = mixed(number);
    let (user, thing) = (often(chance, 400), often(chance ^ 7, 2_000));
    let address = mixed(user) as u32;
    let event =
        Event::new(["user.updated", "user.login", "form.sent", "file.read"][(chance % 4) as usize])
            .performer(
                Performer::new("user")
                    .id(format!("u{user}"))
                    .label(format!("User {user}")),
            )
            .subject(
                Subject::new(["user", "form"][(thing % 2) as usize])
                    .id(format!("{:08}", thing * 37)),
            )
            .org(format!("org-{}", user % 12))
            .source(["web", "api", "batch job"][(chance / 4 % 3) as usize])
            .outcome([Outcome::Success, Outcome::Failure][usize::from(chance.is_multiple_of(12))])
            .metadata("entity_id", format!("{:x}", thing * 7919))
            .metadata("day", format!("2026-05-{:02}", number / 300 % 28 + 1));
    let event = Event {
        context: Field::Value(Context {
            ip: Field::Value(Ipv4Addr::from(address).to_string()),
            user_agent: Field::Value(format!("Agent/{}.0 (system {})", user % 30, user % 7)),
            request_id: Field::Value(format!("{:016x}{:016x}", chance, mixed(chance))),
            ..Context::default()
        }),
        ..event
    };
    let data = match chance % 5 {
        0 => format!(
            r#"{{"count":{},"share":0.{},"of":"u{user}"}}"#,
            chance % 1000,
            chance % 97
        ),
        1 => format!(
            r#"{{"url":"https://example.org/{thing}?page={}","retry":false}}"#,
            chance % 9
        ),
        2 => format!(
            r#""{}""#,
            format!("The form {thing} was sent by User {user}. ").repeat((chance % 60) as usize)
        ),
        3 => {
            return match chance % 3 {
                0 => event
                    .change(
                        "email",
                        &format!("\"u{user}@a.org\""),
                        &format!("\"u{user}@b.org\""),
                    )
                    .unwrap(),
                1 => event.change("admin", "false", "true").unwrap(),
                _ => event,
            };
        }
        _ => return event,
    };
    Event {
        data: Field::Value(Json::parse(&data).unwrap()),
        ..event
    }
}

/// So many rows of such events, some late, some in bursts of one moment, newest first.
pub(crate) fn rows(count: u64, make: impl Fn(u64) -> Event) -> Vec<Model> {
    let mut models: Vec<Model> = (0..count)
        .map(|seq| {
            let event = make(seq);
            let burst = seq - seq % (1 + mixed(seq / 50) % 5);
            let late = if mixed(seq).is_multiple_of(100) {
                90_000_000
            } else {
                0
            };
            let micros = BASE + burst as i64 * 730_017 - late;
            Model {
                content: canonical::content(&event),
                event,
                position: position(micros, seq),
                recorded_at: Time::saturating_from_micros(BASE + seq as i64 * 730_000),
                imported: false,
            }
        })
        .collect();
    models.sort_by_key(|model| core::cmp::Reverse(model.position));
    models
}

fn with(data: &str) -> Event {
    Event {
        data: Field::Value(Json::parse(data).unwrap()),
        ..Event::new("kind")
    }
}

/// Prose of so many words, from a vocabulary of so many.
fn prose(number: u64, words: u64, vocabulary: u64) -> String {
    let mut text = String::new();
    for word in 0..words {
        let word = mixed(often(mixed(number * 1_000 + word), vocabulary));
        write!(text, "{} ", &format!("{word:x}")[..3 + (word % 9) as usize]).unwrap();
    }
    text
}

/// Texts too long for a dictionary of values; one in seven is there twice.
pub(super) fn long_text(number: u64) -> Event {
    let number = number - u64::from(number % 7 == 6);
    with(&format!("\"{}\"", prose(number, 90 + number % 60, 300)))
}

/// A member of ever new shape: which of its fields are there, and how many values a list has.
pub(super) fn manifold(number: u64) -> Event {
    let mut data = String::from("{");
    for field in 0..13 {
        if mixed(number) >> field & 1 == 1 {
            write!(data, "\"f{field}\":{},", ["true", "{}", "[]"][field % 3]).unwrap();
        }
    }
    let many = match number % 40 {
        7 => number / 40 % 4 + 127,
        9 => 2_700 + number / 40 % 50,
        many => many % 5,
    };
    let value = if number % 40 == 9 { "{}" } else { "7" };
    let list = vec![value; many as usize].join(",");
    with(&format!("{data}\"list\":[{list}]}}"))
}

/// A member whose every object has keys of its own, until columns run out.
pub(super) fn own_keys(number: u64) -> Event {
    let key = number / 3;
    with(&format!(
        "{{\"k{key}\":{number},\"l{key}\":\"x{}\",\"m{}\":1.5}}",
        number % 50,
        key % 9
    ))
}

/// Texts that were rendered from fields, with more and more kinds of them.
pub(super) fn rendered(number: u64) -> Event {
    let (chance, name) = (mixed(number), "N".repeat(44 + (number % 8) as usize));
    let mut text = String::from("Something was asked for.\\r\\n");
    if number.is_multiple_of(2) {
        for line in 0..11 {
            if chance >> line & 1 == 1 {
                write!(text, "\\tField {line}:\\t\\tvalue {}\\r\\n", number % 90).unwrap();
            }
        }
        write!(text, "{name}:\\t{}\\r\\nLine 12 of it.\\r\\n", number % 7).unwrap();
    } else {
        let (user, group) = (chance % 30, chance % 7);
        text = format!("audit: uid={user} gid={group} exe=\\\"/bin/{user}\\\" {name}={number}");
        write!(text, " res=success, terminal=pts/{group}; done").unwrap();
    }
    with(&format!(
        "{{\"text\":\"{text}\",\"user\":\"value {}\",\"log\":\"dc1/Security/{}\"}}",
        number % 90,
        10_u64.pow((number % 20) as u32 % 19) - u64::from(number % 3 == 1)
    ))
}

/// Values of each alphabet, of fixed and of any length, numbers and times as texts among them.
pub(super) fn spelled(number: u64) -> Event {
    let (one, two) = (mixed(number), mixed(number ^ 99));
    let letters = |alphabet: &[u8], len: u64| -> String {
        let chosen = (0..len).map(|at| mixed(one ^ at << 20) % alphabet.len() as u64);
        chosen.map(|at| char::from(alphabet[at as usize])).collect()
    };
    let base64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let crockford = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let seconds = 1_778_000_000 + number;
    with(&format!(
        r#"{{"hex":"{one:016x}","HEX":"{two:X}","uuid":"{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        "base64":"{}==","ulid":"01J{}","bits":"{}","digits":"{}","padded":"{:012}","long":"{}",
        "mail":"{}@{}.example","number":{},"less":-{},"part":{}.{:02},"flag":{},"unix":{seconds},
        "millis":{}{:03},"day":"2026-05-{:02}","clock":"{:02}:{:02}:{:02}.{:03}Z",
        "instant":"2026-05-{:02}T{:02}:00:{:02}+02:00","mixed":{},"unit":"{}ms","path":"/a/{}/{:x}"}}"#,
        one as u32,
        two as u16,
        one >> 40 & 0xfff,
        two >> 40 & 0xfff,
        one >> 16,
        letters(base64, 22),
        letters(crockford, 23),
        letters(b"01", number % 40),
        two % 10_u64.pow(1 + (number % 18) as u32),
        one % 1_000_000_007,
        letters(base64, 120 + number % 12),
        letters(b"abcdefghijklmnopqrstuvwxyz", 3 + number % 9),
        letters(b"xyz", 2),
        one as i32,
        two % 1_000,
        one % 10,
        two % 100,
        one % 3 == 0,
        seconds,
        one % 1_000,
        number / 100 % 28 + 1,
        number / 3_600 % 24,
        number / 60 % 60,
        number % 60,
        two % 1_000,
        number / 100 % 28 + 1,
        number % 24,
        two % 60,
        match number % 4 {
            0 => "null".to_owned(),
            1 => format!("\"{}\"", one % 50),
            2 => format!("{}", one % 50),
            _ => format!("[{},\"{}\"]", one % 5, two % 5),
        },
        two % 5_000,
        one % 20,
        two % 400,
    ))
}

/// Values that are copies of others, that follow from others, and that cease to.
pub(super) fn following(number: u64) -> Event {
    let value = often(mixed(number), 500);
    let broken =
        |since: u64, seldom: u64| number > since && mixed(number ^ 3).is_multiple_of(seldom);
    let noise = mixed(number ^ 4) % 300;
    let or = |broken: bool, value: u64| if broken { noise } else { value };
    with(&format!(
        r#"{{"id":"user-{value}","same":"user-{}","often":"user-{}","name":"Name {}","team":"Team {}",
        "seldom":"Team {}","once":"user-{}","short":"{}","deep":{{"id":"user-{value}","of":{}}}}}"#,
        or(broken(1_500, 3), value),
        or(broken(300, 9), value),
        mixed(value) % 1_000,
        or(broken(900, 20), value % 17),
        or(broken(400, 2), value % 17),
        or(number > 0, value),
        or(broken(200, 2), value % 10),
        or(broken(700, 4), value * 3),
    ))
}

/// Long values of which each is there a few times: a dictionary that is worth packing.
pub(super) fn links(number: u64) -> Event {
    let page = number % 900;
    with(&format!(
        r#"{{"url":"https://www.example.org/{}/{page}?section={:x}&of=the-same-kind","code":"{:x}-{:x}"}}"#,
        prose(page % 30, 3, 50).replace(' ', "-"),
        mixed(page) % 4_096,
        mixed(page),
        mixed(page ^ 1),
    ))
}

/// What was imported: keys and origins, some of them again and again.
pub(super) fn taken_over(number: u64) -> Event {
    let chance = mixed(number);
    let key = match chance % 5 {
        0 => Field::Value(format!("key-{}", chance % 400)),
        _ => Field::Absent,
    };
    let origin = Origin {
        id: Field::Value(format!("{:x}", often(chance ^ 5, 3_000))),
        ..Origin::default()
    };
    Event {
        key,
        origin: Field::Value(origin),
        ..with(&format!("{{\"line\":{number}}}"))
    }
}
