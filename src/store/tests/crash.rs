//! Power failures and killed processes under threads that share commits, and those that once kept a
//! store from opening. The rig cuts everything else, step by step.

use std::io::ErrorKind::Other;
use std::io::ErrorKind::StorageFull;

use super::append;
use super::count;
use super::event;
use super::events;
use super::open;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::store::Receipt;

/// Threads that share commits, on a disk that stops at change `n`: what any of them was told is in
/// the store, at the place it was told, and nothing else but whole submissions.
#[test]
fn p1_group_commits_keep_what_every_thread_was_told() {
    const THREADS: u64 = 4;
    for n in (20..400).step_by(7) {
        let disk = SimDisk::new(n);
        let store = open(&disk).unwrap();
        disk.fail(Fault::any_change(Other).after(n).sticky());
        let told: Vec<(u64, Receipt)> = std::thread::scope(|scope| {
            let append = |thread: u64| {
                let numbers = (0..).map(move |round| round * THREADS + thread);
                let receipts =
                    numbers.map_while(|number| Some((number, store.append(&event(number)).ok()?)));
                receipts.collect::<Vec<_>>()
            };
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| scope.spawn(move || append(thread)))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        drop(store);
        for left in [disk.kill(), disk.crash(n), disk.crash(n + 1)] {
            let store = open(&left).unwrap();
            let held = events(&store).unwrap();
            assert!(
                held.len() <= told.len() + THREADS as usize,
                "change {n}: more than was submitted"
            );
            for (number, receipt) in &told {
                let stored = &held[receipt.seq.0 as usize];
                assert_eq!(
                    (stored.id, &stored.event),
                    (receipt.id, &event(*number)),
                    "change {n}"
                );
            }
        }
    }
}

/// What happened: on a full disk the zeros that a log puts ahead of itself were written in part. Nobody
/// cut them off, the log that took the file over was told that the one before ended there, and after
/// the next crash the store did not open.
#[test]
fn p1_zeros_that_found_no_room_are_cut_off() -> Result<()> {
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let store = open(&disk)?;
        disk.fail(Fault::new(Operation::Write, StorageFull).within("wal/"));
        for number in 0..4 {
            append(&store, number..number + 1)?;
            store.flush()?;
        }
        for left in [disk.kill(), disk.crash(seed)] {
            assert_eq!(count(&open(&left)?)?, 4, "seed {seed}");
        }
    }
    Ok(())
}

/// What happened: a group was written in part, cut off, and written again a moment later. A crash kept
/// the first part under the length of the second, and the store took it for damage and did not open.
#[test]
fn p1_what_was_cut_off_does_not_come_back() -> Result<()> {
    for seed in 0..200 {
        let disk = SimDisk::new(seed);
        let store = open(&disk)?;
        disk.fail(
            Fault::new(Operation::Write, StorageFull)
                .within("wal/")
                .sticky(),
        );
        assert!(append(&store, 0..1).unwrap_err().is_full());
        disk.heal();
        disk.fail(Fault::new(Operation::Sync, Other).within("wal/"));
        append(&store, 0..1).unwrap_err();
        drop(store);
        for left in [disk.kill(), disk.crash(seed)] {
            assert!(count(&open(&left)?)? <= 1, "seed {seed}");
        }
    }
    Ok(())
}
