//! Events whose stored forms differ in all the ways that a segment tells apart.

use crate::event::Event;
use crate::event::Field;
use crate::event::Json;
use crate::event::Performer;
use crate::event::Target;
use crate::id::EventId;
use crate::id::Position;

/// Gives the event what makes its stored form differ: leaves that follow from others or equal them,
/// numbers, ids of one length, nulls, further targets, and values that no other event has.
pub(super) fn give(event: &mut Event, position: Position, seed: u32) {
    let user = format!("u{}", seed % 40);
    event.performer = match seed % 13 {
        0 => Field::Null,
        1 => Field::Absent,
        kind => Field::Value(
            Performer::new(["user", "key", "a\"b"][kind as usize % 3])
                .id(user.clone())
                .label(format!(
                    "User {}",
                    seed % 40 + u32::from(seed.is_multiple_of(31))
                )),
        ),
    };
    match seed % 10 {
        0 => event.subject = Field::Null,
        1 => event.targets = Field::Value(Vec::new()),
        2 => event.targets = Field::Null,
        3..=5 => {
            let target = |number: u32| Target::new("user").id(format!("u{}", number % 50));
            event.targets = Field::Value(vec![target(seed), target(seed + 1), target(seed)]);
        }
        _ => {}
    }
    let ulid = EventId::new(position).to_string();
    let time = String::from_utf8(position.occurred_at.to_text().to_vec()).unwrap();
    let time = time.get(..19).unwrap();
    let data = match seed % 8 {
        0 => format!(
            r#"{{"by":"{user}","n":{seed},"at":"{ulid}","ok":{}}}"#,
            seed.is_multiple_of(2)
        ),
        1 => format!(
            r#"[{},-0,1.50,1e9,"","\u00e9\\",null,{{}}]"#,
            i64::from(seed) - 77
        ),
        2 => format!(
            r#"{{"digest":"{:032x}","by":"{user}","time":"{time}Z"}}"#,
            u128::from(seed) * 0x1_0001_0001
        ),
        3 => format!(r#""{}""#, "x".repeat(seed as usize % 300)),
        4 => format!(
            r#"{{"k{seed}":{{"deep":[[[{seed}]]]}},"wide":[{}0]}}"#,
            "1,".repeat(seed as usize % 200)
        ),
        5 => "null".to_owned(),
        6 => format!(
            r#"{{"Message":"Accessed.\r\n\tName:\t\t{user}\r\nSeed: {seed}\nSame: -\nC:\\{seed}","User":"{user}"}}"#
        ),
        _ => format!(
            r#"{{"raw":"type=SYSCALL uid={} exe=\"/bin/{user}\" key={}, when=1 {seed} ]"}}"#,
            seed % 9,
            if seed.is_multiple_of(3) { "" } else { "(null)" },
        ),
    };
    event.data = match data.as_str() {
        "null" => Field::Null,
        data => Field::Value(Json::parse(data).unwrap()),
    };
}
