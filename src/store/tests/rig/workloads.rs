//! What a store does in its life, one thing each: small enough that every moment of it can be cut, on
//! limits so small that a few events are sealed and merged.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::run::Run;
use crate::disk::Disk;
use crate::error::Result;
use crate::event::Event;
use crate::filter::Filter;
use crate::id::Sequence;
use crate::options::Durability;
use crate::options::Options;
use crate::options::ReadMode;
use crate::store::Mark;
use crate::store::Offer;
use crate::store::reader;
use crate::store::tests::BASE;
use crate::store::tests::at;

/// A workload by its name.
#[derive(Clone, Copy)]
pub(super) struct Workload {
    pub(super) name: &'static str,
    pub(super) work: fn(&mut Run) -> Result<()>,
    /// The golden store that it begins with.
    pub(super) golden: Option<&'static str>,
}

/// Single events, some or many, while the clock steps forth and back.
pub(super) fn append(run: &mut Run) -> Result<()> {
    let store = run.open()?;
    for _ in 0..run.some(14) {
        let step = run.random.below(20_000_000) as i64 - 10_000_000;
        run.clock.set(BASE + step);
        run.submit(&store, 1)?;
    }
    store.close()
}

/// Groups of many sizes, some over many sectors and several months.
pub(super) fn batch(run: &mut Run) -> Result<()> {
    let store = run.open()?;
    for most in [4, 1, 22, 9] {
        let count = run.some(most);
        run.submit(&store, count)?;
    }
    drop(store);
    Ok(())
}

pub(super) fn seal(run: &mut Run) -> Result<()> {
    run.options.merge_fan_in = 48;
    let store = run.open()?;
    for most in [5, 1, 11] {
        let count = run.some(most);
        run.submit(&store, count)?;
        store.flush()?;
    }
    run.submit(&store, 1)?;
    store.close()
}

/// Seals of a few events, of which every two are merged.
pub(super) fn merge(run: &mut Run) -> Result<()> {
    let store = run.open()?;
    for _ in 0..4 {
        let count = run.some(3);
        run.submit(&store, count)?;
        store.flush()?;
    }
    store.close()
}

/// Small loads, each of which ends by merging what is left small.
pub(super) fn compact(run: &mut Run) -> Result<()> {
    run.options.merge_fan_in = 48;
    let store = run.open()?;
    for most in [5, 3, 7] {
        let count = run.some(most);
        run.submit(&store, count)?;
        store.compact()?;
    }
    store.close()
}

/// Events of years ago between those of now, which a seal puts into segments of their own.
pub(super) fn late_arrivals(run: &mut Run) -> Result<()> {
    const YEAR: i64 = 365 * 86_400_000_000;
    let store = run.open()?;
    for years in [1, 3] {
        let (count, few) = (run.some(9), run.some(3));
        run.submit(&store, count)?;
        let mut late = run.events(few);
        for event in &mut late {
            *event = event.clone().occurred_at(at(BASE - years * YEAR));
        }
        run.submit_these(&store, &late)?;
        store.flush()?;
    }
    store.close()
}

/// Loads in bulk, with appends between them.
pub(super) fn bulk_load(run: &mut Run) -> Result<()> {
    let mut store = run.open()?;
    for parts in [&[14, 1][..], &[7][..]] {
        let count = run.some(4);
        run.submit(&store, count)?;
        let parts: Vec<usize> = parts.iter().map(|most| run.some(*most)).collect();
        run.load(&mut store, &parts)?;
    }
    store.close()
}

/// Records with marks, of which those that came before are known again.
pub(super) fn import(run: &mut Run) -> Result<()> {
    let store = run.open()?;
    let mark = || Mark {
        mapping: Arc::from("rig"),
        repeat: 0,
    };
    let mut before: Vec<Event> = Vec::new();
    for most in [5, 3, 7] {
        let count = run.some(most);
        let new = run.events(count);
        let offers = before
            .iter()
            .chain(&new)
            .map(|event| (Offer::Event(Box::new(event.clone())), Some(mark())));
        // None of them is durable before the sync, and each may be on its own.
        for event in &new {
            run.ledger
                .begin(core::slice::from_ref(event), run.disk.changes());
        }
        for (place, answer) in store
            .import_batch(offers.collect())?
            .into_iter()
            .enumerate()
        {
            assert_eq!(answer?.duplicate, place < before.len(), "record {place}");
        }
        store.sync()?;
        run.ledger.told(run.disk.changes());
        store.shared.drain()?;
        before = new;
    }
    store.flush()?;
    store.close()
}

pub(super) fn export(run: &mut Run) -> Result<()> {
    let store = run.open()?;
    let (first, second) = (run.some(11), run.some(3));
    run.submit(&store, first)?;
    run.export(&store, "first.ndjson")?;
    store.flush()?;
    run.submit(&store, second)?;
    run.export(&store, "second.ndjson")?;
    store.close()
}

/// Left without a word, again and again.
pub(super) fn recovery(run: &mut Run) -> Result<()> {
    for (round, most) in [5, 1, 0, 3, 13].into_iter().enumerate() {
        let store = run.open()?;
        if most > 0 {
            let count = run.some(most);
            run.submit(&store, count)?;
        }
        if round == 3 {
            store.flush()?;
        }
    }
    drop(run.open()?);
    Ok(())
}

pub(super) fn first_create(run: &mut Run) -> Result<()> {
    drop(run.open()?);
    let store = run.open()?;
    let count = run.some(3);
    run.submit(&store, count)?;
    store.close()
}

/// A store as the first version of the format left it, taken further. There is no other version yet.
pub(super) fn upgrade(run: &mut Run) -> Result<()> {
    let store = run.open()?;
    let count = run.some(5);
    run.submit(&store, count)?;
    store.flush()?;
    run.submit(&store, 1)?;
    store.close()
}

/// Opened, left and closed again, with hardly an event.
pub(super) fn close(run: &mut Run) -> Result<()> {
    for round in 0..3 {
        let store = run.open()?;
        if round != 1 {
            let count = run.some(1 + round);
            run.submit(&store, count)?;
        }
        store.close()?;
    }
    Ok(())
}

/// A reader beside the writer, as another process has it.
pub(super) fn follow(run: &mut Run) -> Result<()> {
    let store = run.open()?;
    let beside: Arc<dyn Disk> = Arc::new(run.disk.clone());
    let reader = reader::open_on(beside, Path::new("/sim"), ReadMode::Positional)?;
    let mut follower = reader.follow(Filter::new(), Sequence(0));
    let mut seen = 0;
    for (round, most) in [1, 5, 1, 11, 3].into_iter().enumerate() {
        let count = run.some(most);
        run.submit(&store, count)?;
        if round == 3 {
            store.flush()?;
        }
        while let Some(stored) = follower.next(Duration::ZERO)? {
            assert_eq!(stored.seq.0, seen, "in order, and none left out");
            seen += 1;
        }
        // It lags only where it could not be told.
        assert!(seen <= run.ledger.len() as u64, "only what is durable");
    }
    store.close()?;
    let seen = reader.snapshot()?.seq_count();
    assert_eq!(
        seen,
        run.ledger.len() as u64,
        "in the end it sees everything"
    );
    Ok(())
}

/// Enough segments that their presence runs are merged.
pub(super) fn presence(run: &mut Run) -> Result<()> {
    run.options.merge_fan_in = 48;
    let mut store = run.open()?;
    for _ in 0..9 {
        let count = run.some(2);
        run.load(&mut store, &[count])?;
    }
    store.close()
}

/// A disk that fills up while the store is at work and has room again a moment later.
pub(super) fn full_disk(run: &mut Run) -> Result<()> {
    let store = run.open()?;
    for most in [3, 1, 15, 1, 11] {
        let count = run.some(most);
        let events = run.events(count);
        run.ledger.begin(&events, run.disk.changes());
        run.disk.leave_room(run.random.next() % 3000);
        match run.append_these(&store, &events) {
            Err(error) if error.is_full() => {
                run.disk.heal();
                // A seal may have met the full disk when the events were in the log already.
                let held = store.snapshot().seq_count();
                if held < run.ledger.len() as u64 {
                    run.append_these(&store, &events)?;
                }
            }
            outcome => outcome?,
        }
        run.disk.heal();
        store.flush()?;
    }
    store.close()
}

/// Events that nobody waits for before a whole lot of them is handed in.
pub(super) fn tickets(run: &mut Run) -> Result<()> {
    run.options = Options {
        durability: Durability::Durable,
        ..run.options.clone()
    };
    let store = run.open()?;
    for most in [5, 15, 1] {
        let count = run.some(most);
        let mut tickets = Vec::new();
        for event in run.events(count) {
            run.ledger
                .begin(core::slice::from_ref(&event), run.disk.changes());
            tickets.push(store.append_async(&event)?);
        }
        for ticket in tickets.into_iter().rev() {
            let receipt = ticket.wait()?;
            run.ledger.receipt(receipt);
        }
        run.ledger.told(run.disk.changes());
        store.shared.drain()?;
    }
    store.close()
}
