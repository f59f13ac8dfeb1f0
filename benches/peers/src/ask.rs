//! What the contenders are asked: the terms of every query, drawn once from the generated events
//! and written to a file, so that all contenders are asked the same.

use std::collections::HashMap;
use std::collections::HashSet;

use auditdb::Event;
use auditdb::Generator;
use auditdb::Profile;

/// One page: every given field must fit; newest first.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Ask {
    pub subject: Option<(String, String)>,
    pub event_type: Option<String>,
    pub performer: Option<(String, String)>,
    pub org: Option<String>,
    pub entity: Option<String>,
    /// From and before, in microseconds.
    pub between: Option<(i64, i64)>,
}

/// All that is asked of a store of `events` events.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Asks {
    pub seed: u64,
    pub events: u64,
    /// The pages that are asked again and again, by name.
    pub pages: Vec<(String, Ask)>,
    /// Subjects as events draw them, each asked once.
    pub fresh: Vec<Ask>,
    /// One type over a quarter, as an export.
    pub quarter: Ask,
}

type Pair = (String, String);

const DAY: i64 = 86_400_000_000;

#[derive(Default)]
struct Counts {
    subjects: HashMap<Pair, u32>,
    types: HashMap<String, u32>,
    /// A bit for each type, in the order of first use, that a subject was seen with.
    numbers: HashMap<String, u32>,
    types_of: HashMap<Pair, u64>,
    both: HashMap<(String, Pair), u32>,
    entities: HashMap<String, u32>,
    orgs: HashMap<String, u32>,
    drawn: Vec<Pair>,
}

fn pair(kind: &str, id: Option<&str>) -> Pair {
    (kind.to_owned(), id.unwrap_or_default().to_owned())
}

impl Counts {
    fn add(&mut self, event: &Event, number: u64) {
        let subject = event.subject.value().expect("every event has a subject");
        let performer = event
            .performer
            .value()
            .expect("every event has a performer");
        let subject = pair(&subject.kind, subject.id.as_deref());
        let performer = pair(&performer.kind, performer.id.as_deref());
        let entity = event
            .metadata
            .value()
            .and_then(|pairs| pairs.get("entity_id"));
        // Each event in turn decides on a subject to ask for, spread over the whole span.
        if number.is_multiple_of(37) {
            self.drawn.push(subject.clone());
        }
        let next = self.numbers.len() as u32;
        let number = self.numbers.entry(event.event_type.clone());
        let bit = 1_u64 << (*number.or_insert(next) % 64);
        *self.types_of.entry(subject.clone()).or_default() |= bit;
        *self.subjects.entry(subject).or_default() += 1;
        *self.types.entry(event.event_type.clone()).or_default() += 1;
        *self
            .both
            .entry((event.event_type.clone(), performer))
            .or_default() += 1;
        *self
            .entities
            .entry(entity.unwrap_or_default().to_owned())
            .or_default() += 1;
        *self
            .orgs
            .entry(event.org.as_deref().unwrap_or_default().to_owned())
            .or_default() += 1;
    }

    /// The hottest type and subject that never meet: a type decides what kind its subject is of.
    fn strangers(&self) -> Ask {
        let mut types: Vec<_> = self
            .types
            .iter()
            .map(|(name, count)| (count, name))
            .collect();
        types.sort_unstable_by(|a, b| b.cmp(a));
        let mut subjects: Vec<_> = self.subjects.iter().map(|(pair, n)| (n, pair)).collect();
        subjects.sort_unstable_by(|a, b| b.cmp(a));
        subjects.truncate(20);
        let mut best = None;
        for (type_count, name) in &types {
            let bit = 1_u64 << (self.numbers[*name] % 64);
            for (subject_count, subject) in &subjects {
                let product = u64::from(**type_count) * u64::from(**subject_count);
                let is_more = best.as_ref().is_none_or(|(most, _)| product > *most);
                if self.types_of[*subject] & bit == 0 && is_more {
                    let ask = Ask {
                        event_type: Some((*name).clone()),
                        subject: Some((*subject).clone()),
                        ..Ask::default()
                    };
                    best = Some((product, ask));
                }
            }
        }
        best.map(|(_, ask)| ask).expect("kinds of subjects differ")
    }

    /// The pages that are asked again and again.
    fn pages(&self, start: i64) -> Vec<(String, Ask)> {
        let subject = |wanted| Ask {
            subject: Some(nearest(&self.subjects, wanted)),
            ..Ask::default()
        };
        let both = |wanted| {
            let (event_type, performer) = nearest(&self.both, wanted);
            Ask {
                event_type: Some(event_type),
                performer: Some(performer),
                ..Ask::default()
            }
        };
        let hot_type = nearest(&self.types, u32::MAX);
        vec![
            ("Q1 newest 50, in segments".to_owned(), Ask::default()),
            ("Q2 hot subject".to_owned(), subject(u32::MAX)),
            ("Q2 middle subject".to_owned(), subject(100)),
            ("Q2 subject of ten rows".to_owned(), subject(10)),
            ("Q2 rare subject".to_owned(), subject(2)),
            (
                "Q2 absent subject".to_owned(),
                Ask {
                    subject: Some(pair("user", Some("usr_ABSENT"))),
                    ..Ask::default()
                },
            ),
            ("Q3 type AND performer, common".to_owned(), both(u32::MAX)),
            ("Q3 type AND performer, rare".to_owned(), both(10)),
            (
                "Q3e two hot terms that never meet".to_owned(),
                self.strangers(),
            ),
            (
                "Q4 a past month, type and org".to_owned(),
                Ask {
                    event_type: Some(hot_type.clone()),
                    org: Some(nearest(&self.orgs, u32::MAX)),
                    between: Some((start + 90 * DAY, start + 120 * DAY)),
                    ..Ask::default()
                },
            ),
            (
                "Q6 one metadata value".to_owned(),
                Ask {
                    entity: Some(nearest(&self.entities, 67)),
                    ..Ask::default()
                },
            ),
        ]
    }
}

/// The key whose count is nearest to `wanted`, the smallest of several.
fn nearest<K: Clone + Ord>(counts: &HashMap<K, u32>, wanted: u32) -> K {
    let best = counts
        .iter()
        .min_by_key(|(key, count)| (count.abs_diff(wanted), *key));
    best.map(|(key, _)| key.clone()).expect("there are events")
}

impl Asks {
    /// Reads through the generated events once and draws the terms.
    pub fn draw(seed: u64, events: u64) -> Asks {
        let mut counts = Counts::default();
        for (number, event) in (0..).zip(Generator::new(seed, Profile::realistic(events))) {
            counts.add(&event, number);
        }
        let start = Profile::realistic(events).start.as_micros();
        let pages = counts.pages(start);
        let mut seen = HashSet::new();
        let mut fresh: Vec<_> = counts
            .drawn
            .into_iter()
            .filter(|s| seen.insert(s.clone()))
            .collect();
        // An order that has nothing to do with time: by a mixed place.
        let mut places: Vec<_> = (0..fresh.len() as u64)
            .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .collect();
        let mut mixed: Vec<_> = places.drain(..).zip(fresh.drain(..)).collect();
        mixed.sort_unstable();
        mixed.truncate(10_000);
        Asks {
            seed,
            events,
            pages,
            fresh: mixed
                .into_iter()
                .map(|(_, subject)| Ask {
                    subject: Some(subject),
                    ..Ask::default()
                })
                .collect(),
            quarter: Ask {
                event_type: Some(nearest(
                    &counts.types,
                    u32::try_from(events / 40).unwrap_or(u32::MAX),
                )),
                between: Some((start + 100 * DAY, start + 190 * DAY)),
                ..Ask::default()
            },
        }
    }
}
