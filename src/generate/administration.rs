//! The profile of the built-in pack: its 38 types, every event in the shape that the pack declares.
//! Who does what is drawn as in the realistic profile; what depends on the type is said here. An
//! object type that a role gets or loses is one event for each state of its workflow, all of one
//! moment and one batch: the ties that such a trail has by nature.

use std::collections::VecDeque;

use super::catalogue::About;
use super::catalogue::KINDS;
use super::catalogue::Kind;
use super::payload;
use super::random::Random;
use super::realistic::World;
use super::text;
use crate::event::Change;
use crate::event::Event;
use crate::event::Field;
use crate::event::Outcome;
use crate::event::Performer;
use crate::event::Target;
use crate::registry::Registry;
use crate::time::Time;

/// What the pack's events are drawn from.
#[derive(Clone, Debug)]
pub(super) struct Administration {
    world: World,
    /// The catalogue's types that the pack has, from the most frequent to the rarest.
    kinds: Vec<&'static Kind>,
    /// The types that come next, the last one first: all of them before the second deck is dealt,
    /// then the frequent ones more often.
    deck: Vec<&'static Kind>,
    /// What is left of a batch.
    batch: VecDeque<Event>,
    decks: u64,
    batches: u64,
}

/// Times that the most frequent type is in a deck; the next one is half as often in it, and so on.
const MOST: usize = 40;
const STATES_MIN: u64 = 3;
const STATES_MAX: u64 = 6;
const STATES: [&str; 6] = [
    "Draft",
    "Submitted",
    "In Review",
    "Approved",
    "Active",
    "Closed",
];
const OBJECTS: [&str; 5] = ["Contract", "Incident", "Invoice", "Supplier", "Vehicle"];
const PERMISSIONS: [&str; 4] = ["read", "edit", "assign", "delete"];
const SWITCHES: [&str; 3] = ["admin", "all_access", "active"];

impl Administration {
    pub(super) fn new(seed: u64) -> Administration {
        let pack = Registry::built_in();
        let known = |kind: &&Kind| pack.find(kind.name).is_some();
        Administration {
            world: World::new(seed),
            kinds: KINDS.iter().filter(known).collect(),
            deck: Vec::new(),
            batch: VecDeque::new(),
            decks: 0,
            batches: 0,
        }
    }

    /// The event that follows in the batch that was begun.
    pub(super) fn of_batch(&mut self) -> Option<Event> {
        self.batch.pop_front()
    }

    /// An event that happened at `time`, the first of its batch where it has one; `left` more may
    /// follow it.
    pub(super) fn event(&mut self, time: Time, left: u64, random: &mut Random) -> Event {
        let Some(kind) = self.deal(random) else {
            return Event::new("unknown");
        };
        let event = self.shaped(kind, time, random);
        match kind.name {
            "role.state_permission.added" | "role.state_permission.removed" => {
                let states = STATES_MIN + random.below(STATES_MAX - STATES_MIN + 1);
                self.begin_batch(&event, states.min(left + 1), random)
            }
            "role.state_permission.updated"
            | "role.state_trigger.added"
            | "role.state_trigger.removed" => {
                let object = random.pick(&OBJECTS);
                let number = random.below(STATES.len() as u64);
                in_state(event, object, number, random)
            }
            _ => event,
        }
    }

    /// The type of the next event.
    fn deal(&mut self, random: &mut Random) -> Option<&'static Kind> {
        if self.deck.is_empty() {
            for (rank, kind) in self.kinds.iter().enumerate() {
                let times = if self.decks == 0 {
                    1
                } else {
                    1 + MOST / (rank + 1)
                };
                self.deck.extend(core::iter::repeat_n(*kind, times));
            }
            self.decks += 1;
            for place in (1..self.deck.len()).rev() {
                self.deck.swap(place, random.index(place + 1));
            }
        }
        self.deck.pop()
    }

    /// One event for each state of a workflow; gives the first of them.
    fn begin_batch(&mut self, event: &Event, states: u64, random: &mut Random) -> Event {
        let object = random.pick(&OBJECTS);
        let batch = text::name("bat_", self.world.salt() ^ (1 << 43) ^ self.batches);
        self.batches += 1;
        for number in 0..states {
            let event = event.clone().batch(batch.as_str());
            let event = event.metadata("ordinal", number.to_string());
            self.batch
                .push_back(in_state(event, object, number, random));
        }
        self.batch.pop_front().unwrap_or_default()
    }

    /// An event in the shape of its type.
    fn shaped(&self, kind: &'static Kind, time: Time, random: &mut Random) -> Event {
        let mut event = self.world.event_of(kind, time, random);
        // What another system called it is an import's to say.
        event.origin = Field::Absent;
        let outcome = kind.outcome.unwrap_or(Outcome::Success);
        event.outcome = Field::Value(outcome);
        event.reason = match outcome {
            Outcome::Success => Field::Absent,
            Outcome::Denied => Field::from("ip_not_authorized"),
            _ => Field::from("bad_password"),
        };
        match kind.name {
            "user.updated" => event.changes = Field::Value(switched(random)),
            "role.group_added" | "role.group_removed" => {
                let group = self.world.draw_subject(About::Group, random);
                let target = Target {
                    kind: group.kind,
                    id: group.id,
                    label: group.label,
                };
                event.targets = Field::Value(vec![target]);
            }
            "api_key.created" | "api_key.deleted" => {
                let key = text::name("key_", random.bits());
                event.targets = Field::Value(vec![Target::new("api_key").id(key)]);
            }
            "session.login.failed" => refused(&mut event, random),
            "session.login.succeeded" | "session.logout" => by_itself(&mut event),
            "session.confidential.succeeded" | "session.confidential.denied" => {
                event.performer = Field::Value(Performer::new("anonymous"));
            }
            "user.password_changed" => {
                by_itself(&mut event);
                let reasons = [
                    r#"{"reason":"changed"}"#,
                    r#"{"reason":"first_after_activation"}"#,
                ];
                event.data = payload::json(random.pick(&reasons));
            }
            "user.locked_out" => {
                event.performer = Field::Value(Performer::new("system"));
                event.data = payload::json(r#"{"reason":"too_many_attempts"}"#);
            }
            _ => {}
        }
        event
    }
}

/// The user does it, to nobody else.
fn by_itself(event: &mut Event) {
    let user = event.subject.value().map(|user| Performer {
        kind: user.kind.clone(),
        id: user.id.clone(),
        label: user.label.clone(),
        ..Performer::default()
    });
    event.performer = user.map_or(Field::Absent, Field::Value);
}

/// A login that failed: of a user, from a place that is not allowed, or of nobody who exists.
fn refused(event: &mut Event, random: &mut Random) {
    by_itself(event);
    match random.below(3) {
        0 => {}
        1 => {
            event.outcome = Field::Value(Outcome::Denied);
            event.reason = Field::from("ip_not_authorized");
        }
        _ => {
            let claimed = format!("{}@corp.example", random.pick(&text::LAST).to_lowercase());
            event
                .metadata
                .get_or_insert_default()
                .push("claimed_id", claimed);
            event.performer = Field::Value(Performer::new("unknown"));
            event.subject = Field::Absent;
            event.reason = Field::from("no_such_user");
        }
    }
}

/// What is switched on or off of a user: one attribute, or several at once.
fn switched(random: &mut Random) -> Vec<Change> {
    let (first, count) = (
        random.index(SWITCHES.len()),
        1 + random.index(SWITCHES.len()),
    );
    let paths = SWITCHES.iter().cycle().skip(first).take(count);
    paths
        .map(|path| {
            let sides = [["false", "true"], ["true", "false"]];
            let [before, after] = random.pick(&sides);
            Change {
                path: (*path).to_owned(),
                before: payload::json(before),
                after: payload::json(after),
            }
        })
        .collect()
}

/// The event about one state of an object type's workflow.
fn in_state(mut event: Event, object: &str, number: u64, random: &mut Random) -> Event {
    let state = text::entry(&STATES, number);
    let target = Target::new("workflow_state")
        .id(format!("{object}/{number}"))
        .label(format!("{object}: {state}"));
    event.targets = Field::Value(vec![target]);
    let allowed: Vec<String> = (PERMISSIONS.iter())
        .filter(|_| random.chance(600_000))
        .map(|permission| format!("\"{permission}\""))
        .collect();
    let data = format!(
        r#"{{"object_type":"{object}","state":"{state}","default_form":"{object} {state}","permissions":[{}]}}"#,
        allowed.join(",")
    );
    event.data = payload::json(&data);
    event
}
