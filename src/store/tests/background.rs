//! What happens without a caller who waits for it: syncing what was buffered, and nothing at all
//! in a store that nobody writes to.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use super::count;
use super::event;
use super::events;
use super::open;
use super::open_buffered;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::filter::Filter;
use crate::id::Sequence;
use crate::id::WalId;
use crate::options::Durability;

#[test]
fn buffered_events_become_visible_by_themselves() -> Result<()> {
    let store = open_buffered(&SimDisk::new(1))?;
    let mut follower = store.follow(Filter::new(), Sequence(0));
    for number in 0..5 {
        let receipt = store.append_with(&event(number), Durability::Buffered)?;
        let begun = Instant::now();
        let next = follower.next(Duration::from_secs(10))?;
        assert_eq!(next.map(|event| event.id), Some(receipt.id));
        // 20 ms are promised; the rest is for a machine that has more to do than this.
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "after {:?}",
            begun.elapsed()
        );
        std::thread::sleep(Duration::from_millis(30));
    }
    Ok(())
}

/// Logs are written over the files of logs that are needed no more, unless somebody still reads
/// those; a closed store keeps nothing of it.
#[test]
fn logs_go_round_in_the_same_files() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    store.append(&event(0))?;
    store.flush()?;
    let logs = || -> Result<usize> { Ok(disk.list(names::wal_dir())?.len()) };
    for number in 1..6 {
        store.append(&event(number))?;
        store.flush()?;
        assert_eq!(logs()?, 1);
    }
    let log = disk.open_read(&names::wal(WalId(7)))?;
    let mut former = [0; 8];
    log.read_at(72, &mut former)?;
    assert_eq!(u64::from_le_bytes(former), 5, "the one but last");
    assert_eq!(disk.list(names::draft_dir())?.len(), 1, "the spare");
    store.close()?;
    assert_eq!(disk.list(names::draft_dir())?.len(), 0);
    assert_eq!(count(&open(&disk)?)?, 6);
    Ok(())
}

#[test]
fn an_idle_store_touches_nothing() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    store.append(&event(0))?;
    store.shared.drain()?;
    let operations = |disk: &SimDisk| {
        (
            disk.changes(),
            disk.count(Operation::Look),
            disk.count(Operation::Read),
        )
    };
    let before = operations(&disk);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(operations(&disk), before);
    assert_eq!(events(&store)?.len(), 1);
    Ok(())
}

#[test]
fn a_follower_sees_commit_order_through_seals_and_closing() -> Result<()> {
    let store = open_buffered(&SimDisk::new(1))?;
    let mut follower = store.follow(Filter::new(), Sequence(0));
    let follow = std::thread::spawn(move || -> Result<Vec<u64>> {
        let mut seqs = Vec::new();
        while let Some(stored) = follower.next(Duration::from_secs(10))? {
            assert_eq!(stored.event, event(stored.seq.0));
            seqs.push(stored.seq.0);
        }
        Ok(seqs)
    });
    for number in 0..300 {
        let durability = [Durability::Buffered, Durability::Durable][(number % 2) as usize];
        store.append_with(&event(number), durability)?;
        if number % 50 == 0 {
            store.flush()?;
        }
    }
    store.close()?;
    assert!(follow.join().unwrap()?.into_iter().eq(0..300));
    Ok(())
}

/// Readers of the same process, while the store is appended to, sealed and merged.
#[test]
fn p2_snapshots_beside_appends_and_merges_are_prefixes() -> Result<()> {
    let store = open(&SimDisk::new(1))?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<()> {
        let read = || -> Result<()> {
            let mut before = 0;
            while !done.load(Ordering::SeqCst) {
                let held = count(&store)?;
                assert!(held >= before, "the store does not shrink");
                before = held;
            }
            Ok(())
        };
        let readers = [scope.spawn(read), scope.spawn(read)];
        for number in 0..600 {
            store.append(&event(number))?;
            if number % 40 == 0 {
                store.flush()?;
            }
        }
        done.store(true, Ordering::SeqCst);
        readers
            .into_iter()
            .try_for_each(|reader| reader.join().unwrap())
    })?;
    assert_eq!(count(&store)?, 600);
    Ok(())
}
