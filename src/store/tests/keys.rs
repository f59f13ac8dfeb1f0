//! Idempotency keys and causes within a batch: the same key with the same content is the first
//! receipt again wherever the first event is by now, and with other content a conflict.

use std::sync::Barrier;

use super::BASE;
use super::TestClock;
use super::at;
use super::events;
use super::open;
use super::open_buffered;
use super::open_with;
use super::small;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::options::Durability;
use crate::store::Receipt;
use crate::store::Store;

fn keyed(key: &str, reason: &str) -> Event {
    Event::new("key.tested").key(key).reason(reason)
}

/// The same event again gives the first receipt, other content under the key a conflict.
fn check(store: &Store, first: &Receipt, place: &str) -> Result<()> {
    let before = events(store)?.len();
    let again = store.append(&keyed("k", "first"))?;
    assert_eq!(
        again,
        Receipt {
            duplicate: true,
            ..*first
        },
        "{place}"
    );
    let again = store.append_with(&keyed("k", "first"), Durability::Buffered)?;
    assert_eq!(
        again,
        Receipt {
            duplicate: true,
            ..*first
        },
        "{place}"
    );
    let error = store.append(&keyed("k", "second")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyConflict, "{place}");
    assert!(
        error.to_string().contains(&first.id.to_string()),
        "{place}: {error}"
    );
    let dated = keyed("k", "first").occurred_at(at(BASE - 1));
    let error = store.append(&dated).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::KeyConflict,
        "{place}: a time given is content too"
    );
    assert_eq!(
        events(store)?.len(),
        before,
        "{place}: nothing was appended"
    );
    Ok(())
}

#[test]
fn a_key_is_known_in_the_log_in_segments_and_after_restarts() -> Result<()> {
    let disk = SimDisk::new(1);
    let clock = TestClock::new();
    let store = open_with(&disk, &clock, small())?;
    let first = store.append(&keyed("k", "first"))?;
    assert!(!first.duplicate);
    // The time of the append is no content: later, the same event is still the same.
    clock.set(BASE + 1_000_000);
    check(&store, &first, "in memory")?;
    store.flush()?;
    check(&store, &first, "in a segment")?;
    drop(store);
    let store = open_with(&disk, &clock, small())?;
    check(&store, &first, "in a segment after a restart")?;
    for number in 0..6 {
        store.append(&keyed(&number.to_string(), "another"))?;
        store.flush()?;
    }
    check(&store, &first, "in a merged segment")?;
    store.close()?;
    let store = open_with(&disk, &clock, small())?;
    check(&store, &first, "in a merged segment after a restart")?;
    let later = store.append(&keyed("unsealed", "x"))?;
    drop(store);
    let store = open_with(&disk.crash(7), &clock, small())?;
    let again = store.append(&keyed("unsealed", "x"))?;
    assert_eq!(
        again,
        Receipt {
            duplicate: true,
            ..later
        },
        "replayed from the log"
    );
    Ok(())
}

#[test]
fn threads_with_one_key_append_one_event() -> Result<()> {
    let store = open(&SimDisk::new(1))?;
    for round in 0..50 {
        let barrier = Barrier::new(4);
        let key = format!("round {round}");
        let receipts: Vec<Receipt> = std::thread::scope(|scope| {
            let append = || {
                barrier.wait();
                store.append(&keyed(&key, "same"))
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(append)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect::<Result<_>>()
        })?;
        assert_eq!(
            receipts.iter().filter(|receipt| !receipt.duplicate).count(),
            1
        );
        assert!(receipts.iter().all(|receipt| receipt.id == receipts[0].id));
    }
    assert_eq!(events(&store)?.len(), 50);
    Ok(())
}

/// A buffered event is not durable yet. Who appends it again and asks for durability gets it.
#[test]
fn p1_a_duplicate_receipt_is_as_durable_as_it_was_asked_for() -> Result<()> {
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let store = open_buffered(&disk)?;
        store.append(&keyed("k", "first"))?;
        let again = store.append_with(&keyed("k", "first"), Durability::Durable)?;
        assert!(again.duplicate);
        assert_eq!(events(&open(&disk.crash(seed))?)?.len(), 1, "seed {seed}");
    }
    Ok(())
}

#[test]
fn p2_a_conflict_in_a_batch_names_the_event_and_keeps_none() -> Result<()> {
    let store = open(&SimDisk::new(1))?;
    store.append(&keyed("taken", "first"))?;
    for (batch, index) in [
        (
            vec![keyed("a", "x"), keyed("b", "x"), keyed("taken", "other")],
            2,
        ),
        (vec![keyed("a", "x"), keyed("a", "y"), keyed("b", "x")], 1),
    ] {
        let error = store.append_batch(&batch).unwrap_err();
        assert_eq!(
            (error.kind(), error.batch_index()),
            (ErrorKind::KeyConflict, Some(index))
        );
        assert_eq!(events(&store)?.len(), 1);
    }
    // What a refused batch held is not known by its keys, not even to later ones of its group.
    let receipts =
        store.append_batch(&[keyed("a", "z"), keyed("a", "z"), keyed("taken", "first")])?;
    let duplicates: Vec<bool> = receipts.iter().map(|receipt| receipt.duplicate).collect();
    assert_eq!(duplicates, [false, true, true]);
    assert_eq!(receipts[1].id, receipts[0].id);
    assert_eq!(events(&store)?.len(), 2);
    Ok(())
}

#[test]
fn a_cause_in_the_batch_becomes_its_id() -> Result<()> {
    let store = open(&SimDisk::new(1))?;
    let batch = [
        keyed("a", "x"),
        Event::new("cause.tested").caused_by("#0"),
        Event::new("cause.tested").key("c").caused_by("#1"),
    ];
    let first = store.append_batch(&batch)?;
    let stored = events(&store)?;
    assert_eq!(
        stored[1].event.caused_by.as_deref(),
        Some(first[0].id.to_string().as_str())
    );
    assert_eq!(
        stored[2].event.caused_by.as_deref(),
        Some(first[1].id.to_string().as_str())
    );
    // The same cause by its id is the same content.
    let same = Event::new("cause.tested")
        .key("c")
        .caused_by(first[1].id.to_string());
    assert!(store.append(&same)?.duplicate);
    for (cause, index) in [("#1", 1), ("#2", 1), ("#-1", 1), ("#", 1)] {
        let batch = [
            Event::new("cause.tested"),
            Event::new("cause.tested").caused_by(cause),
        ];
        let error = store.append_batch(&batch).unwrap_err();
        assert_eq!(
            (error.kind(), error.batch_index()),
            (ErrorKind::Invalid, Some(index)),
            "{cause}"
        );
    }
    let error = store
        .append(&Event::new("cause.tested").caused_by("#0"))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(events(&store)?.len(), 3);
    Ok(())
}
