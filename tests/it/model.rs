//! The store against a model that cannot be wrong: a `Vec`, sorted and filtered anew for every
//! question. Limits are so small that sealing and merging never stop.

use std::path::Path;

use auditdb::Condition;
use auditdb::Cursor;
use auditdb::Durability;
use auditdb::Event;
use auditdb::FacetQuery;
use auditdb::Filter;
use auditdb::FilterField;
use auditdb::Options;
use auditdb::Order;
use auditdb::Outcome;
use auditdb::Pattern;
use auditdb::Performer;
use auditdb::Query;
use auditdb::Sequence;
use auditdb::Store;
use auditdb::StoredEvent;
use auditdb::Subject;
use auditdb::Target;
use auditdb::Time;

use crate::support::Random;
use crate::support::folder;

const TYPES: [&str; 6] = [
    "user.created",
    "user.updated",
    "user.removed",
    "role.added",
    "role.removed",
    "session.login",
];
const BASE: i64 = 1_778_000_000_000_000;

/// A condition, and the same said in plain code.
type Predicate = (Condition, Box<dyn Fn(&Event) -> bool>);

fn small() -> Options {
    Options {
        memtable_bytes_max: 16 << 10,
        merge_fan_in: 2,
        open_segments_max: 8,
        ..Options::default()
    }
}

fn event(random: &mut Random) -> Event {
    let mut event = Event::new(random.pick(&TYPES));
    // Few distinct times, so that ties are everywhere, and some that are wildly early or late.
    let micros = match random.below(40) {
        0 => 0,
        1 => Time::MAX.as_micros(),
        2 => BASE - 86_400_000_000 * 40,
        _ => BASE + random.below(50) as i64,
    };
    if random.below(8) > 0 {
        event = event.occurred_at(Time::from_micros(micros).expect("the time is in range"));
    }
    if random.below(5) > 0 {
        let id = format!("u{}", random.below(6));
        event = event.performer(Performer::new(random.pick(&["user", "system"])).id(id));
    }
    if random.below(5) > 0 {
        let id = format!("s{}", random.below(9));
        event = event.subject(Subject::new(random.pick(&["doc", "role"])).id(id));
    }
    if random.below(4) == 0 {
        event = event.targets(vec![Target::new("doc").id(format!("s{}", random.below(9)))]);
    }
    if random.below(3) > 0 {
        event = event.outcome(*random.choose(&Outcome::ALL));
    }
    for key in ["k", "l"] {
        if random.below(2) == 0 {
            event = event.metadata(key, random.pick(&["", "a", "ab", "b"]));
        }
    }
    if random.below(6) == 0 {
        event = event.reason("x".repeat(random.below(600) as usize));
    }
    event
}

fn predicate(random: &mut Random) -> Predicate {
    if random.below(2) == 0 {
        on_entity(random)
    } else {
        on_text(random)
    }
}

/// A predicate on who did it or what it was done to.
fn on_entity(random: &mut Random) -> Predicate {
    let id = random.below(9);
    match random.below(3) {
        0 => {
            let (kind, id) = (random.pick(&["user", "system"]), format!("u{id}"));
            let pattern = Pattern::entity(kind, id.clone());
            let holds = move |event: &Event| {
                let who = event.performer.value();
                who.is_some_and(|who| who.kind == kind && who.id.as_deref() == Some(&id))
            };
            (
                Condition::Field(FilterField::Performer, pattern),
                Box::new(holds),
            )
        }
        1 => {
            let id = format!("s{id}");
            let pattern = Pattern::id(id.clone());
            let holds = move |event: &Event| {
                let subject = event
                    .subject
                    .value()
                    .and_then(|subject| subject.id.as_deref());
                let mut further = event.targets.as_deref().unwrap_or_default().iter();
                subject == Some(&id) || further.any(|target| target.id.as_deref() == Some(&id))
            };
            (
                Condition::Field(FilterField::Target, pattern),
                Box::new(holds),
            )
        }
        _ => {
            let kind = random.pick(&["doc", "role"]);
            let holds = move |event: &Event| {
                event
                    .subject
                    .value()
                    .is_some_and(|subject| subject.kind == kind)
            };
            (
                Condition::Field(FilterField::Subject, Pattern::is(kind)),
                Box::new(holds),
            )
        }
    }
}

/// A predicate on a plain text.
fn on_text(random: &mut Random) -> Predicate {
    match random.below(4) {
        0 => {
            let name = random.pick(&TYPES);
            let condition = Condition::Field(FilterField::Type, Pattern::is(name));
            (condition, Box::new(move |event| event.event_type == name))
        }
        1 => {
            let prefix = random.pick(&["user.", "r", "role.added", "x"]);
            let condition = Condition::Field(FilterField::Type, Pattern::prefix(prefix));
            (
                condition,
                Box::new(move |event| event.event_type.starts_with(prefix)),
            )
        }
        2 => {
            let outcome = *random.choose(&Outcome::ALL);
            let condition = Condition::Field(FilterField::Outcome, Pattern::is(outcome.as_str()));
            (
                condition,
                Box::new(move |event| event.outcome.value() == Some(&outcome)),
            )
        }
        _ => {
            let value = random.pick(&["", "a", "b", "c"]);
            let condition = Condition::Field(FilterField::Meta("k".to_owned()), Pattern::is(value));
            let holds = move |event: &Event| {
                event
                    .metadata
                    .value()
                    .and_then(|metadata| metadata.get("k"))
                    == Some(value)
            };
            (condition, Box::new(holds))
        }
    }
}

/// Three to five predicates joined by AND, OR and NOT, which some event could fulfil.
fn joined(random: &mut Random) -> Predicate {
    loop {
        let (condition, holds) = any_joined(random);
        if Filter::new().and(condition.clone()).validate().is_ok() {
            return (condition, holds);
        }
    }
}

fn any_joined(random: &mut Random) -> Predicate {
    let (mut condition, mut holds) = predicate(random);
    for _ in 0..2 + random.below(3) {
        let (other, other_holds) = predicate(random);
        let negated = random.below(3) == 0;
        let other = if negated {
            Condition::not(other)
        } else {
            other
        };
        if random.below(2) == 0 {
            condition = Condition::All(vec![condition, other]);
            holds = Box::new(move |event| holds(event) && other_holds(event) != negated);
        } else {
            condition = Condition::Any(vec![condition, other]);
            holds = Box::new(move |event| holds(event) || other_holds(event) != negated);
        }
    }
    (condition, holds)
}

/// What the model says a query gives from `snapshot` on.
fn expected(
    model: &[StoredEvent],
    holds: &dyn Fn(&Event) -> bool,
    range: (i64, i64),
    order: Order,
    snapshot: u64,
) -> Vec<StoredEvent> {
    let in_range =
        |event: &&StoredEvent| (range.0..=range.1).contains(&event.occurred_at.as_micros());
    let mut events: Vec<StoredEvent> = model
        .iter()
        .filter(|event| event.seq.0 < snapshot && holds(&event.event))
        .filter(in_range)
        .cloned()
        .collect();
    events.sort_by_key(StoredEvent::position);
    if order == Order::NewestFirst {
        events.reverse();
    }
    events
}

/// A walk by pages that other operations come between.
struct Paging {
    query: Query,
    expected: Vec<StoredEvent>,
    given: usize,
}

struct Run {
    random: Random,
    store: Option<Store>,
    model: Vec<StoredEvent>,
    paging: Option<Paging>,
}

impl Run {
    fn store(&self) -> &Store {
        self.store.as_ref().expect("the store is open")
    }

    fn step(&mut self, path: &Path) {
        match self.random.below(100) {
            0..40 => {
                let event = event(&mut self.random);
                let durability = *self
                    .random
                    .choose(&[Durability::Buffered, Durability::Durable]);
                let receipt = self
                    .store()
                    .append_with(&event, durability)
                    .expect("an append");
                self.keep(event, receipt);
            }
            40..48 => {
                let events: Vec<Event> = (0..self.random.below(30))
                    .map(|_| event(&mut self.random))
                    .collect();
                let receipts = self.store().append_batch(&events).expect("a batch");
                for (event, receipt) in events.into_iter().zip(receipts) {
                    self.keep(event, receipt);
                }
            }
            48..50 => self.store().flush().expect("a flush"),
            50 => {
                self.store
                    .take()
                    .expect("an open store")
                    .close()
                    .expect("a close");
                self.store = Some(Store::open(path, small()).expect("a reopening"));
            }
            51..80 => self.page(),
            80..90 => self.get(),
            90..95 => self.tail(),
            _ => self.facets(),
        }
    }

    fn keep(&mut self, mut event: Event, receipt: auditdb::Receipt) {
        assert_eq!(receipt.seq.0, self.model.len() as u64, "seq is dense");
        let recorded_at = receipt.recorded_at;
        assert!(
            self.model
                .last()
                .is_none_or(|last| last.recorded_at <= recorded_at)
        );
        event.occurred_at = receipt.occurred_at.into();
        let (id, seq, occurred_at) = (receipt.id, receipt.seq, receipt.occurred_at);
        self.model.push(StoredEvent {
            id,
            seq,
            occurred_at,
            recorded_at,
            event,
        });
    }

    /// Goes on with the walk by pages, or begins another.
    fn page(&mut self) {
        self.store().sync().expect("a sync");
        let mut paging = match self.paging.take() {
            Some(paging) => paging,
            None => self.begin_paging(),
        };
        let page = self.store().page(&paging.query).expect("a page");
        let rest = &paging.expected[paging.given..];
        assert!(
            rest.starts_with(&page.events),
            "{}",
            paging.query.filter.explain()
        );
        assert!(page.events.len() <= paging.query.limit);
        paging.given += page.events.len();
        assert_eq!(page.complete, page.next_cursor.is_none());
        if page.complete {
            assert_eq!(
                paging.given,
                paging.expected.len(),
                "{}",
                paging.query.filter.explain()
            );
            return;
        }
        let cursor: Cursor = page
            .next_cursor
            .expect("a cursor")
            .to_string()
            .parse()
            .expect("a token");
        assert_ne!(paging.query.cursor, Some(cursor), "every page moves on");
        paging.query.cursor = Some(cursor);
        self.paging = Some(paging);
    }

    /// A walk with a filter, a direction, a limit and a budget of chance.
    fn begin_paging(&mut self) -> Paging {
        let (condition, holds) = joined(&mut self.random);
        let order = *self
            .random
            .choose(&[Order::NewestFirst, Order::OldestFirst]);
        let (filter, range) = match self.random.below(3) {
            0 => {
                let (since, length) = (self.random.below(50) as i64, self.random.below(30) as i64);
                let range = (BASE + since, BASE + since + length);
                let bound = |micros| Time::from_micros(micros).expect("the time is in range");
                (
                    Filter::new().since(bound(range.0)).until(bound(range.1)),
                    range,
                )
            }
            _ => (Filter::new(), (0, i64::MAX)),
        };
        let all: Box<dyn Fn(&Event) -> bool> = Box::new(|_| true);
        let (filter, holds) = match self.random.below(5) {
            0 => (filter, all),
            _ => (filter.and(condition), holds),
        };
        let expected = expected(&self.model, &*holds, range, order, self.model.len() as u64);
        let limit = *self.random.choose(&[1, 2, 7, 50, 1000]);
        let work_max = *self.random.choose(&[1, 10, 1_000_000]);
        let query = Query {
            filter,
            order,
            limit,
            work_max,
            ..Query::default()
        };
        Paging {
            query,
            expected,
            given: 0,
        }
    }

    fn get(&mut self) {
        self.store().sync().expect("a sync");
        let Some(last) = self.model.len().checked_sub(1) else {
            return;
        };
        let wanted = &self.model[self.random.below(last as u64 + 1) as usize];
        assert_eq!(
            self.store().get(wanted.id).expect("a get").as_ref(),
            Some(wanted)
        );
    }

    fn tail(&mut self) {
        self.store().sync().expect("a sync");
        let from = self.random.below(self.model.len() as u64 + 1);
        let tail = self
            .store()
            .snapshot()
            .tail(&Filter::new(), Sequence(from))
            .expect("a tail");
        let to = (from + tail.events.len() as u64) as usize;
        assert_eq!(tail.events, self.model[from as usize..to]);
        assert_eq!(tail.next_seq, Sequence(to as u64));
        assert_eq!(tail.complete, to == self.model.len());
    }

    fn facets(&mut self) {
        self.store().sync().expect("a sync");
        let (condition, holds) = joined(&mut self.random);
        let query = Query {
            filter: Filter::new().and(condition),
            ..Query::default()
        };
        let facets = self
            .store()
            .snapshot()
            .facets(&query, &FacetQuery::of(FilterField::Type))
            .expect("facets");
        let mut counts = std::collections::BTreeMap::new();
        for stored in self.model.iter().filter(|stored| holds(&stored.event)) {
            *counts
                .entry(stored.event.event_type.clone())
                .or_insert(0_u64) += 1;
        }
        let found: std::collections::BTreeMap<String, u64> = facets
            .values
            .into_iter()
            .map(|value| (value.value, value.count))
            .collect();
        assert_eq!(found, counts);
    }
}

fn check(seed: u64, steps: usize) {
    let folder = folder();
    let path = folder.path().join("store");
    let store = Store::open(&path, small()).expect("a new store");
    let mut run = Run {
        random: Random::new(seed),
        store: Some(store),
        model: Vec::new(),
        paging: None,
    };
    for _ in 0..steps {
        run.step(&path);
    }
    let store = run.store.take().expect("an open store");
    store.close().expect("a close");
}

/// 100,000 operations over many stores: what the store answers is what the model answers. Most of
/// the time goes by in syncs, so several stores wait for theirs at once.
#[test]
fn p3_the_store_answers_as_a_sorted_vec_does() {
    const STORES_AT_ONCE: u64 = 4;
    let seeds = std::env::var("AUDITDB_MODEL_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok());
    let seeds = seeds.unwrap_or(100_u64);
    std::thread::scope(|scope| {
        for first in 0..STORES_AT_ONCE {
            scope.spawn(move || {
                for seed in (first..seeds).step_by(STORES_AT_ONCE as usize) {
                    let checked = std::panic::catch_unwind(|| check(seed, 1_000));
                    assert!(checked.is_ok(), "seed {seed}");
                }
            });
        }
    });
}
