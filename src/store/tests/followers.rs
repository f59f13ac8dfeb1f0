//! Followers beside the writer, as another process has them: what they see, and what it costs to wait.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use super::TestClock;
use super::append;
use super::event;
use super::open;
use super::open_with;
use super::small;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::event::Event;
use crate::event::Performer;
use crate::filter::Filter;
use crate::id::Sequence;
use crate::options::Options;
use crate::options::ReadMode;
use crate::store::Follower;
use crate::store::reader::open_on;

fn follow(disk: &SimDisk) -> Result<Follower> {
    let disk = Arc::new(disk.clone());
    let reader = open_on(disk, Path::new("/sim"), ReadMode::Positional)?;
    Ok(reader.follow(Filter::new(), Sequence(0)))
}

/// Every operation on the disk so far.
fn operations(disk: &SimDisk) -> u64 {
    Operation::ALL
        .iter()
        .map(|operation| disk.count(*operation))
        .sum()
}

/// Takes all that can be seen; gives how many there were.
fn take(follower: &mut Follower, from: u64) -> Result<u64> {
    let mut seq = from;
    while let Some(stored) = follower.next(Duration::ZERO)? {
        assert_eq!(stored.seq.0, seq);
        assert_eq!(stored.event, event(seq));
        seq += 1;
    }
    Ok(seq - from)
}

/// What happened: each poll looked at the lock, its holder, the boot and the point: ten system calls
/// fifty times a second, for nothing.
#[test]
fn a_poll_for_nothing_is_one_read() -> Result<()> {
    const POLLS: u64 = 200;
    let disk = SimDisk::new(1);
    let store = open_with(&disk, &TestClock::new(), Options::default())?;
    append(&store, 0..5)?;
    let mut follower = follow(&disk)?;
    assert_eq!(take(&mut follower, 0)?, 5);
    let begun = Instant::now();
    let before = [Operation::Read, Operation::Open].map(|kind| disk.count(kind));
    let all_before = operations(&disk);
    for _ in 0..POLLS {
        assert_eq!(follower.next(Duration::ZERO)?, None);
    }
    let after = [Operation::Read, Operation::Open].map(|kind| disk.count(kind));
    // Once a second all is looked at, which a slow machine may do meanwhile.
    let looks = begun.elapsed().as_secs() + 1;
    assert!(after[0] - before[0] <= POLLS + looks * 8);
    assert!(after[1] - before[1] <= looks * 4);
    assert!(operations(&disk) - all_before <= POLLS + looks * 20);
    Ok(())
}

/// What happened: each look read the manifest again, which grows with the store.
#[test]
fn what_comes_costs_a_follower_the_same_in_a_large_store() -> Result<()> {
    let disk = SimDisk::new(1);
    let options = Options {
        merge_fan_in: 48,
        ..Options::default()
    };
    let store = open_with(&disk, &TestClock::new(), options)?;
    let mut follower = follow(&disk)?;
    let (mut seen, mut costs) = (0, Vec::new());
    for segments in [1, 20] {
        while store.snapshot().segments().len() < segments {
            append(&store, seen..seen + 1)?;
            store.flush()?;
            seen += take(&mut follower, seen)?;
        }
        let mut least = u64::MAX;
        for _ in 0..5 {
            append(&store, seen..seen + 1)?;
            let before = operations(&disk);
            let stored = follower.next(Duration::ZERO)?;
            least = least.min(operations(&disk) - before);
            assert_eq!(stored.map(|stored| stored.seq.0), Some(seen));
            seen += 1;
        }
        costs.push(least);
    }
    assert_eq!(costs[0], costs[1], "{costs:?}");
    Ok(())
}

#[test]
fn a_follower_beside_the_writer_goes_on_through_all_it_does() -> Result<()> {
    const EVENTS: u64 = 600;
    let disk = SimDisk::new(1);
    let mut store = open(&disk)?;
    let mut follower = follow(&disk)?;
    let follow = std::thread::spawn(move || -> Result<()> {
        for seq in 0..EVENTS {
            let stored = follower.next(Duration::from_secs(60))?.expect("more comes");
            assert_eq!(stored.seq.0, seq);
            assert_eq!(stored.event, event(seq));
        }
        assert_eq!(follower.next(Duration::from_millis(50))?, None);
        assert_eq!(follower.next_seq(), Sequence(EVENTS));
        Ok(())
    });
    for seq in 0..EVENTS {
        append(&store, seq..seq + 1)?;
        // Sealed and merged, and its log written over; closed; killed.
        match seq % 100 {
            20 | 40 | 60 => store.flush()?,
            80 => {
                store.close()?;
                store = open(&disk)?;
            }
            99 => {
                drop(store);
                store = open(&disk)?;
            }
            _ => {}
        }
    }
    store.close()?;
    follow.join().unwrap()
}

/// `Duration::MAX` is how one says "for ever", and was once more than the clock can count.
#[test]
fn patience_may_have_no_end() -> Result<()> {
    let store = open(&SimDisk::new(1))?;
    append(&store, 0..1)?;
    let mut follower = store.follow(Filter::new(), Sequence(0));
    assert!(follower.next(Duration::MAX)?.is_some());
    Ok(())
}

/// A follower that was begun before there was a writer, and one whose `LOCK` was replaced.
#[test]
fn a_follower_finds_the_writer_that_comes() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open_with(&disk, &TestClock::new(), small())?;
    append(&store, 0..3)?;
    store.close()?;
    crate::disk::Disk::unlink(&disk, crate::disk::names::lock())?;
    let mut follower = follow(&disk)?;
    assert_eq!(take(&mut follower, 0)?, 3);
    let store = open(&disk)?;
    append(&store, 3..6)?;
    let next = follower.next(Duration::from_secs(60))?;
    assert_eq!(next.map(|stored| stored.seq.0), Some(3));
    store.close()?;
    crate::disk::Disk::unlink(&disk, crate::disk::names::lock())?;
    let store = open(&disk)?;
    append(&store, 6..7)?;
    for seq in 4..7 {
        let next = follower.next(Duration::from_secs(60))?;
        assert_eq!(next.map(|stored| stored.seq.0), Some(seq));
    }
    Ok(())
}

/// What happened: what a follower had read for everybody was given to an organisation as it was.
#[test]
fn mission_c5_a_follower_that_becomes_a_view_gives_nothing_it_read_before() -> Result<()> {
    let store = open(&SimDisk::new(1))?;
    let told = |org: &str| {
        let performer = Performer::new("admin").id("secret").org("north");
        Event::new("user.updated").org(org).performer(performer)
    };
    store.append_batch(&["north", "north", "south"].map(told))?;
    let mut follower = store.follow(Filter::new(), Sequence(0));
    assert_eq!(follower.next(Duration::ZERO)?.unwrap().seq, Sequence(0));
    let mut follower = follower.of_view("south");
    let shown = follower.next(Duration::ZERO)?.unwrap();
    assert_eq!(shown.event.org.as_deref(), Some("south"));
    assert!(shown.event.performer.value().unwrap().id.is_absent());
    assert_eq!(follower.next(Duration::ZERO)?, None);
    store.close()
}
