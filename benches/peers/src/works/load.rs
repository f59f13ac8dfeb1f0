//! I3 and I3n: from nothing to the final, synced, queryable state, with what it took in memory and
//! in bytes written.

use std::borrow::Cow;
use std::time::Instant;

use auditdb::Event;
use auditdb::Generator;
use auditdb::Profile;

use super::Task;
use super::tell;
use super::tell_memory;
use crate::contenders::Contender;
use crate::contenders::bytes_below;
use crate::measure::Figure;
use crate::measure::Memory;
use crate::measure::anonymous;
use crate::measure::written;

const BATCH: usize = 10_000;
/// Up to here all events are made before the clock starts; of more, each batch is made when it is
/// asked for and counted with the load.
pub const MADE_BEFORE: u64 = 1_000_000;

fn next(events: &mut Generator) -> Option<Vec<Event>> {
    let batch: Vec<Event> = events.take(BATCH).collect();
    (!batch.is_empty()).then_some(batch)
}

pub fn events<C: Contender>(task: &Task<'_>) {
    let work = "I3 bulk load";
    load::<C>(task, work, false);
    let bytes = bytes_below(task.store) as f64 / task.asks.events as f64;
    let figure = Figure::one(bytes);
    tell("bytes per event, all indexes", "B", figure, None);
}

/// Each event has its external id as its idempotency key.
pub fn keyed<C: Contender>(task: &Task<'_>) {
    load::<C>(task, "I3k bulk load with idempotency keys", true);
}

fn load<C: Contender>(task: &Task<'_>, work: &str, with_keys: bool) {
    let before = anonymous();
    let mut events = Generator::new(task.asks.seed, Profile::realistic(task.asks.events));
    let mut batch = || {
        let mut batch = next(&mut events)?;
        for event in batch.iter_mut().filter(|_| with_keys) {
            if let Some(origin) = event.origin.value() {
                event.key = origin.id.clone();
            }
        }
        Some(batch)
    };
    let mut made = Vec::new();
    if task.asks.events <= MADE_BEFORE {
        made.extend(std::iter::from_fn(&mut batch));
    }
    let memory = Memory::watch(anonymous() - before);
    let begin = Instant::now();
    let mut contender = C::open(task.store);
    let fill = match with_keys {
        true => C::load_keyed,
        false => C::load,
    };
    if made.is_empty() {
        let mut batches = std::iter::from_fn(|| batch().map(Cow::Owned));
        fill(&mut contender, &mut batches);
    } else {
        let mut batches = made.iter().map(|batch| Cow::Borrowed(batch.as_slice()));
        fill(&mut contender, &mut batches);
    }
    contender.close();
    settled(work, task, begin, memory);
}

pub fn lines<C: Contender>(task: &Task<'_>) {
    let memory = Memory::watch(0);
    let begin = Instant::now();
    let mut contender = C::open(task.store);
    contender.load_lines(&task.shared.join("events.ndjson"));
    contender.close();
    settled("I3n import of NDJSON", task, begin, memory);
}

fn settled(work: &str, task: &Task<'_>, begin: Instant, memory: Memory) {
    let rate = task.asks.events as f64 / begin.elapsed().as_secs_f64();
    tell(work, "events/s", Figure::one(rate), None);
    tell_memory(work, memory);
    let kept = bytes_below(task.store) as f64;
    let figure = Figure::one(written() as f64 / kept);
    tell(
        &format!("{work}: bytes written per byte kept"),
        "",
        figure,
        None,
    );
}
