//! Arbitrary events: whatever an application appends comes back, as a line, as an event read from
//! that line, and through further stores that are fed with nothing but the lines.

use auditdb::Change;
use auditdb::Context;
use auditdb::Event;
use auditdb::Field;
use auditdb::Json;
use auditdb::Metadata;
use auditdb::Origin;
use auditdb::Outcome;
use auditdb::Performer;
use auditdb::Subject;
use auditdb::Target;
use auditdb::Time;

use super::STORE_SET;
use super::lines;
use super::members;
use super::store;
use crate::support::Random;
use crate::support::folder;

/// An arbitrary event: every field in each of its states, texts of awkward characters, JSON of
/// awkward spellings.
struct Arbitrary(Random);

impl Arbitrary {
    fn text(&mut self) -> String {
        let pieces = [
            "",
            "a",
            "Ada",
            "\"",
            "\\",
            "\u{0}",
            "\u{1f}",
            "\n",
            "\r\n",
            "\t",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "é",
            "e\u{301}",
            "😀",
            "\u{feff}",
            "\u{ffff}",
            "\u{10ffff}",
            " ",
            "null",
            "\\u0041",
            "/",
            "{\"id\":",
            ",\"offset\":1",
        ];
        (0..self.0.below(5)).map(|_| self.0.pick(&pieces)).collect()
    }

    fn word(&mut self) -> String {
        let pieces = ["a", "user", "é", " ", "\"", "\\", "😀", ":", "\u{2028}"];
        (0..=self.0.below(3))
            .map(|_| self.0.pick(&pieces))
            .collect()
    }

    fn field<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Field<T> {
        match self.0.below(4) {
            0 => Field::Absent,
            1 => Field::Null,
            _ => Field::Value(value(self)),
        }
    }

    fn texts(&mut self) -> Field<String> {
        self.field(Arbitrary::text)
    }

    fn json(&mut self, depth: u64) -> String {
        let leaves = [
            "null",
            "true",
            "-0",
            "1.50",
            "1e5",
            "9223372036854775808",
            "1E-400",
            "\"\"",
            "\"\\u00e9\\/\"",
            "\" \u{2028} \"",
            "\"\\ud83d\\ude00\"",
            "[ ]",
            "{ }",
            "\"\\\\\"",
        ];
        if depth == 0 {
            return self.0.pick(&leaves).to_owned();
        }
        let blank = self.0.pick(&["", " ", "\t\r\n "]);
        let items = self.0.below(4);
        if self.0.below(2) == 0 {
            let items: Vec<String> = (0..items).map(|_| self.json(depth - 1)).collect();
            return format!(
                "[{blank}{}{blank}]",
                items.join(&format!("{blank},{blank}"))
            );
        }
        let member = |own: &mut Self| {
            format!(
                "\"{}\"{blank}:{}",
                own.0.pick(&["", "a", "\\u0061", "b \\n"]),
                own.json(depth - 1)
            )
        };
        let items: Vec<String> = (0..items).map(|_| member(self)).collect();
        format!("{{{blank}{}{blank}}}", items.join(","))
    }

    /// Any value but null, which is the field's own null.
    fn value(&mut self) -> Json {
        loop {
            let depth = self.0.below(4);
            let json = Json::parse(&self.json(depth)).expect("JSON");
            if json.as_str() != "null" {
                return json;
            }
        }
    }

    fn time(&mut self) -> Time {
        let micros = match self.0.below(4) {
            0 => 0,
            1 => Time::MAX.as_micros(),
            _ => self.0.below(Time::MAX.as_micros() as u64) as i64,
        };
        Time::from_micros(micros).expect("a time")
    }

    fn pairs(&mut self) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for _ in 0..self.0.below(4) {
            let (key, value) = (format!("+{}", self.word()), self.text());
            if pairs.iter().all(|(known, _)| *known != key) {
                pairs.push((key, value));
            }
        }
        pairs
    }

    fn performer(&mut self) -> Performer {
        Performer {
            kind: self.word(),
            id: self.texts(),
            label: self.texts(),
            email: self.texts(),
            org: self.texts(),
            external_ref: self.texts(),
        }
    }

    fn subject(&mut self) -> Subject {
        Subject {
            kind: self.word(),
            id: self.texts(),
            label: self.texts(),
            external_ref: self.texts(),
        }
    }

    fn target(&mut self) -> Target {
        Target {
            kind: self.word(),
            id: self.texts(),
            label: self.texts(),
        }
    }

    fn change(&mut self) -> Change {
        Change {
            path: self.text(),
            before: self.field(Arbitrary::value),
            after: self.field(Arbitrary::value),
        }
    }

    fn context(&mut self) -> Context {
        Context {
            ip: self.texts(),
            user_agent: self.texts(),
            fingerprint: self.texts(),
            geo: self.texts(),
            request_id: self.texts(),
            session_id: self.texts(),
            further: self.pairs(),
        }
    }

    fn origin(&mut self) -> Origin {
        Origin {
            store: self.texts(),
            id: self.texts(),
            seq: self.field(|own| own.0.next()),
            recorded_at: self.field(Arbitrary::time),
        }
    }

    /// The event `number`; its key, where it has one, is its own.
    fn event(&mut self, number: usize) -> Event {
        Event {
            event_type: self.0.pick(&["a", "user.updated", "A-z_0.9"]).to_owned(),
            sub_type: self.texts(),
            occurred_at: if self.0.below(4) == 0 {
                Field::Absent
            } else {
                Field::Value(self.time())
            },
            offset: self.field(|own| own.0.below(2879) as i32 - 1439),
            org: self.texts(),
            performer: self.field(Arbitrary::performer),
            on_behalf_of: self.field(Arbitrary::performer),
            subject: self.field(Arbitrary::subject),
            targets: self.field(|own| (0..own.0.below(3)).map(|_| own.target()).collect()),
            outcome: self.field(|own| *own.0.choose(&Outcome::ALL)),
            reason: self.texts(),
            source: self.texts(),
            metadata: self.field(|own| own.pairs().into_iter().collect::<Metadata>()),
            changes: self.field(|own| (0..own.0.below(3)).map(|_| own.change()).collect()),
            context: self.field(Arbitrary::context),
            batch: self.texts(),
            caused_by: self.texts(),
            correlation: self.texts(),
            origin: self.field(Arbitrary::origin),
            key: self.field(|own| format!("{number}{}", own.text())),
            data: self.field(Arbitrary::value),
        }
    }
}

#[test]
fn mission_d26_arbitrary_events_survive_line_and_import() {
    let seed = 0x26d;
    let mut arbitrary = Arbitrary(Random::new(seed));
    let events: Vec<Event> = (0..3000).map(|number| arbitrary.event(number)).collect();
    let mut given = events.clone();
    let mut before: Option<Vec<String>> = None;
    for round in ["the first", "the second", "the third"] {
        let folder = folder();
        let store = store(folder.path());
        store.append_batch(&given).expect("an append");
        if round == "the second" {
            store.flush().expect("a flush");
        }
        let lines = lines(&store.snapshot());
        assert_eq!(lines.len(), events.len());
        for (number, line) in lines.iter().enumerate() {
            let context = format!("seed {seed}, {round} store, event {number}: {line}");
            let read = Event::from_native_line(line).expect(&context);
            let want = &events[number];
            let occurred_at = if want.occurred_at.is_absent() {
                read.occurred_at
            } else {
                want.occurred_at
            };
            let want = Event {
                occurred_at,
                origin: read.origin.clone(),
                ..want.clone()
            };
            assert_eq!(read, want, "{context}");
            if let Some(before) = &before {
                let kept = if round == "the third" {
                    &STORE_SET[..3]
                } else {
                    &STORE_SET[..]
                };
                assert_eq!(
                    members(line, kept),
                    members(&before[number], kept),
                    "{context}"
                );
            }
        }
        given = lines.iter().map(|line| super::event(line)).collect();
        before = Some(lines);
        store.close().expect("a clean end");
    }
}
