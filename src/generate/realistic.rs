//! The realistic profile: who does what to what in a middling company's products. Types, subjects,
//! performers, addresses and the rest are drawn by rank, so that few are seen all the time and most
//! hardly ever; what depends on what is said where it is drawn.

use super::catalogue::About;
use super::catalogue::Carries;
use super::catalogue::KINDS;
use super::catalogue::Kind;
use super::catalogue::SUBJECTS;
use super::payload;
use super::random::Random;
use super::random::mix;
use super::text;
use super::zipf;
use super::zipf::Alias;
use crate::event::Context;
use crate::event::Event;
use crate::event::Field;
use crate::event::Outcome;
use crate::event::Performer;
use crate::event::Subject;
use crate::event::Target;
use crate::time::Time;

const SUBJECT_COUNT: u32 = 200_000;
const PERFORMER_COUNT: u32 = 5_000;
const ORG_COUNT: u32 = 20;
const SOURCE_COUNT: u32 = 8;
const IP_COUNT: u32 = 50_000;
const AGENT_COUNT: u32 = 300;
/// Events in a million that end well.
const SUCCESS: f64 = 920_000.0;

/// The tables that all events are drawn from.
#[derive(Clone, Debug)]
pub(super) struct World {
    salt: u64,
    types: Alias,
    /// For each kind of subject, the ranks that are of this kind and their weights.
    subjects: Vec<(Vec<u32>, Alias)>,
    performers: Alias,
    orgs: Alias,
    sources: Alias,
    ips: Alias,
    agents: Alias,
    agent_names: Vec<String>,
    /// Events in a million of the other types that do not end well.
    failures: u64,
}

/// One draw of everything that an event's fields are written from.
struct Draw<'a> {
    kind: &'a Kind,
    subject: u64,
    performer: u64,
}

impl World {
    pub(super) fn new(seed: u64) -> World {
        let type_weights = zipf::weights(KINDS.len() as u32, 1.1);
        let total: f64 = type_weights.iter().sum();
        let told: f64 = (KINDS.iter().zip(&type_weights))
            .filter(|(kind, _)| kind.outcome.is_some())
            .map(|(_, weight)| weight / total)
            .sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a million, from 0 to 1,000,000"
        )]
        let failures = (1_000_000.0 - SUCCESS / (1.0 - told)).max(0.0) as u64;
        World {
            salt: mix(seed ^ 0x0077_6f72_6c64),
            types: Alias::new(&type_weights),
            subjects: subjects(&type_weights),
            performers: Alias::zipf(PERFORMER_COUNT, 1.05),
            orgs: Alias::zipf(ORG_COUNT, 0.8),
            sources: Alias::zipf(SOURCE_COUNT, 1.1),
            ips: Alias::zipf(IP_COUNT, 0.8),
            agents: Alias::zipf(AGENT_COUNT, 1.0),
            agent_names: (0..AGENT_COUNT).map(payload::agent).collect(),
            failures,
        }
    }

    /// An event that happened at `time`.
    pub(super) fn event(&self, time: Time, random: &mut Random) -> Event {
        let Some(kind) = KINDS.get(self.types.draw(random) as usize) else {
            return Event::new("unknown");
        };
        self.event_of(kind, time, random)
    }

    /// An event of `kind` that happened at `time`.
    pub(super) fn event_of(&self, kind: &Kind, time: Time, random: &mut Random) -> Event {
        let draw = Draw {
            kind,
            subject: self.subject(kind.about, random),
            performer: u64::from(self.performers.draw(random)),
        };
        let outcome = kind.outcome.unwrap_or_else(|| self.outcome(random));
        let mut event = Event {
            event_type: kind.name.to_owned(),
            occurred_at: Field::Value(time),
            org: Field::Value(self.org(random)),
            performer: Field::Value(self.performer(draw.performer)),
            subject: Field::Value(self.subject_field(kind.about, draw.subject)),
            outcome: Field::Value(outcome),
            source: text::entry(&text::SOURCES, u64::from(self.sources.draw(random))).into(),
            metadata: Field::Value(payload::metadata(kind, random)),
            context: Field::Value(self.context(random)),
            origin: Field::Value(payload::origin(time, random)),
            ..Event::default()
        };
        if !kind.sub_type.is_empty() {
            event.sub_type = kind.sub_type.into();
        }
        if outcome != Outcome::Success {
            event.reason = random.pick(&text::REASONS).into();
        }
        self.carry(&draw, &mut event, random);
        event
    }

    /// What tells the names of one seed's world from those of another.
    pub(super) fn salt(&self) -> u64 {
        self.salt
    }

    /// A subject of this kind, by how often it is seen.
    pub(super) fn draw_subject(&self, about: About, random: &mut Random) -> Subject {
        let rank = self.subject(about, random);
        self.subject_field(about, rank)
    }

    /// The rank of a subject of this kind, over all kinds.
    fn subject(&self, about: About, random: &mut Random) -> u64 {
        let Some((ranks, table)) = self.subjects.get(about as usize) else {
            return 0;
        };
        let rank = ranks.get(table.draw(random) as usize);
        u64::from(rank.copied().unwrap_or(0))
    }

    fn outcome(&self, random: &mut Random) -> Outcome {
        if !random.chance(self.failures) {
            return Outcome::Success;
        }
        match random.below(100) {
            0..70 => Outcome::Failure,
            70..88 => Outcome::Denied,
            88..96 => Outcome::Partial,
            _ => Outcome::Unknown,
        }
    }

    fn org(&self, random: &mut Random) -> String {
        let mut org = "org_".to_owned();
        let number = u64::from(self.orgs.draw(random));
        text::put_base_32(&mut org, u128::from(mix(self.salt ^ number)), 4);
        org
    }

    fn performer(&self, number: u64) -> Performer {
        let id = |prefix| text::name(prefix, self.salt ^ (1 << 40) ^ number);
        match number % 25 {
            17 => Performer::new("application")
                .id(id("app_"))
                .label(text::entry(&text::CLIENTS, number / 25)),
            23 => Performer::new("system").id(id("sys_")),
            _ => {
                let user = Performer::new("user")
                    .id(id("usr_"))
                    .label(text::person(self.salt ^ number));
                // A third of the people are known by an address.
                match number % 3 {
                    0 => user.email(format!("e{number}@corp.example")),
                    _ => user,
                }
            }
        }
    }

    fn subject_field(&self, about: About, rank: u64) -> Subject {
        let (kind, prefix) = SUBJECTS.get(about as usize).copied().unwrap_or_default();
        Subject::new(kind)
            .id(text::name(prefix, self.salt ^ rank))
            .label(self.label(about, rank))
    }

    fn label(&self, about: About, rank: u64) -> String {
        let bits = mix(self.salt ^ rank ^ (1 << 41));
        match about {
            About::User | About::Login => text::person(self.salt ^ rank),
            About::Group => {
                let number = (bits >> 20) % 100;
                format!("Team {} {number}", text::entry(&text::PLACES, bits >> 40))
            }
            About::Role => {
                let number = (bits >> 20) % 100;
                format!("{} {number}", text::entry(&text::DUTIES, bits >> 40))
            }
            About::Address => format!("10.{}.{}.0/24", (bits >> 40) % 256, (bits >> 20) % 256),
        }
    }

    fn context(&self, random: &mut Random) -> Context {
        let address = mix(self.salt ^ (1 << 42) ^ u64::from(self.ips.draw(random)));
        let mut ip = String::with_capacity(15);
        for part in 0..4 {
            if part > 0 {
                ip.push('.');
            }
            // No part is 0 or 255, so that every address reads like a host's.
            text::put_number(&mut ip, 1 + (address >> (16 * part) & 0xffff) % 254);
        }
        let agent = self.agent_names.get(self.agents.draw(random) as usize);
        Context {
            ip: Field::Value(ip),
            user_agent: Field::Value(agent.cloned().unwrap_or_default()),
            request_id: Field::Value(payload::request_id(random)),
            ..Context::default()
        }
    }

    /// Adds what the event's type carries beside the fields that all events have.
    fn carry(&self, draw: &Draw<'_>, event: &mut Event, random: &mut Random) {
        event.data = match draw.kind.carries {
            Carries::Changes => {
                event.changes = Field::Value(payload::changes(random));
                return;
            }
            Carries::Session => payload::session(random),
            Carries::Look => payload::look(random),
            Carries::Thing => payload::thing(random),
            Carries::Member => {
                let rank = self.subject(About::User, random);
                let target = Target::new("user").id(text::name("usr_", self.salt ^ rank));
                let label = self.label(About::User, rank);
                event.targets = Field::Value(vec![target.label(label)]);
                payload::member(random)
            }
            Carries::Mask => {
                let id = text::name("usr_", self.salt ^ draw.subject);
                let label = self.label(About::User, draw.subject);
                event.on_behalf_of = Field::Value(Performer::new("user").id(id).label(label));
                payload::session(random)
            }
        };
    }
}

/// Deals the ranks of all subjects out to the kinds of subject, each time to the kind that is
/// furthest behind its share of the events. So subjects follow one law over all kinds, although a
/// type decides the kind of its subject.
fn subjects(type_weights: &[f64]) -> Vec<(Vec<u32>, Alias)> {
    let weights = zipf::weights(SUBJECT_COUNT, 1.05);
    let total: f64 = type_weights.iter().sum();
    let share = |about: usize| -> f64 {
        let of_kind = KINDS.iter().zip(type_weights);
        let of_kind = of_kind.filter(|(kind, _)| kind.about as usize == about);
        of_kind.map(|(_, weight)| weight / total).sum()
    };
    let shares: Vec<f64> = (0..SUBJECTS.len()).map(share).collect();
    let mut behind = vec![0.0; shares.len()];
    let mut dealt = vec![(Vec::new(), Vec::new()); shares.len()];
    for (rank, weight) in (0..SUBJECT_COUNT).zip(weights) {
        let (mut best, mut most) = (0, f64::MIN);
        for (about, (due, share)) in behind.iter_mut().zip(&shares).enumerate() {
            *due += share * weight;
            if *due > most {
                (best, most) = (about, *due);
            }
        }
        if let (Some(due), Some((ranks, kept))) = (behind.get_mut(best), dealt.get_mut(best)) {
            *due -= weight;
            ranks.push(rank);
            kept.push(weight);
        }
    }
    dealt
        .into_iter()
        .map(|(ranks, weights)| (ranks, Alias::new(&weights)))
        .collect()
}
