//! Power failures and killed processes at every operation that changes the disk: of the first
//! creation, of appends, batches, seals, merges, closing, and of recovery itself.

use super::TestClock;
use super::append;
use super::count;
use super::event;
use super::events;
use super::open;
use super::open_with;
use super::small;
use crate::disk::sim::Fault;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::options::Options;
use crate::store::Receipt;
use crate::store::Store;

/// What was submitted and acknowledged, by the numbers of events.
#[derive(Clone, Default)]
struct Ledger {
    acknowledged: u64,
    /// Numbers of events at which a submission ends, the last ones perhaps unacknowledged.
    ends: Vec<u64>,
}

impl Ledger {
    fn submit(&mut self, store: &Store, events: u64) -> Result<()> {
        let end = self.acknowledged + events;
        self.ends.push(end);
        if events == 1 {
            store.append(&event(self.acknowledged))?;
        } else {
            append(store, self.acknowledged..end)?;
        }
        self.acknowledged = end;
        // Nothing happens at the same time, so that operation `n` is the same one in every run.
        store.shared.drain()
    }
}

impl Ledger {
    fn load(&mut self, store: &mut Store, parts: &[u64]) -> Result<()> {
        let mut bulk = store.bulk()?;
        for events in parts {
            let end = self.acknowledged + events;
            self.ends.push(end);
            for number in self.acknowledged..end {
                bulk.append(&event(number))?;
            }
            bulk.commit()?;
            self.acknowledged = end;
            bulk.drain()?;
        }
        Ok(())
    }
}

type Workload = fn(&SimDisk, &mut Ledger) -> Result<()>;

/// Everything a store does in its life, a little of each.
fn a_life(disk: &SimDisk, ledger: &mut Ledger) -> Result<()> {
    let store = open(disk)?;
    for events in [1, 1, 7, 1, 30, 1, 1, 2] {
        ledger.submit(&store, events)?;
    }
    store.flush()?;
    for events in [1, 25, 1] {
        ledger.submit(&store, events)?;
    }
    store.close()?;
    let store = open(disk)?;
    ledger.submit(&store, 3)?;
    drop(store);
    let store = open(disk)?;
    ledger.submit(&store, 1)?;
    store.close()
}

/// Seals of single events, which merge again and again.
fn many_seals(disk: &SimDisk, ledger: &mut Ledger) -> Result<()> {
    let store = open(disk)?;
    for _ in 0..9 {
        ledger.submit(&store, 1)?;
        store.flush()?;
    }
    store.close()
}

/// Small loads, each of which ends by merging what is left small.
fn small_loads(disk: &SimDisk, ledger: &mut Ledger) -> Result<()> {
    let options = Options {
        merge_fan_in: 48,
        ..small()
    };
    let store = open_with(disk, &TestClock::new(), options)?;
    for events in [3, 2, 4, 1] {
        ledger.submit(&store, events)?;
        store.compact()?;
    }
    store.close()
}

/// Loads in bulk, with appends between them.
fn bulk_loads(disk: &SimDisk, ledger: &mut Ledger) -> Result<()> {
    let mut store = open(disk)?;
    ledger.submit(&store, 2)?;
    ledger.load(&mut store, &[40, 1])?;
    ledger.submit(&store, 3)?;
    ledger.load(&mut store, &[7])?;
    store.close()?;
    let mut store = open(disk)?;
    ledger.load(&mut store, &[5])?;
    ledger.submit(&store, 1)?;
    store.close()
}

/// Opened, left and opened again, with hardly an event.
fn many_openings(disk: &SimDisk, ledger: &mut Ledger) -> Result<()> {
    for round in 0..4 {
        let store = open(disk)?;
        ledger.submit(&store, 1 + round % 2)?;
        if round % 2 == 0 {
            store.close()?;
        }
    }
    Ok(())
}

/// Runs the workload on a disk that stops at change number `n`. `None` if it came to its end first.
fn stopped(workload: Workload, seed: u64, n: u64) -> Option<(SimDisk, Ledger)> {
    let disk = SimDisk::new(seed);
    disk.fail(
        Fault::any_change(std::io::ErrorKind::Other)
            .after(n)
            .sticky(),
    );
    let mut ledger = Ledger::default();
    workload(&disk, &mut ledger).err().map(|_| (disk, ledger))
}

/// Opens what is left and holds it against the ledger, twice.
fn check(disk: &SimDisk, ledger: &Ledger, story: &str) {
    let store = open(disk).unwrap_or_else(|error| panic!("{story}: no recovery: {error:?}"));
    let held = count(&store).unwrap_or_else(|error| panic!("{story}: no reading: {error:?}"));
    let acknowledged = ledger.acknowledged;
    assert!(
        held >= acknowledged,
        "{story}: {acknowledged} acknowledged, {held} held"
    );
    assert!(
        held == 0 || ledger.ends.contains(&held),
        "{story}: half a batch: {held} held"
    );
    drop(store);
    let again = open(&disk.kill()).and_then(|store| {
        let held = count(&store)?;
        append(&store, held..held + 30)?;
        store.flush()?;
        store.close()?;
        Ok(held)
    });
    assert_eq!(
        again.ok(),
        Some(held),
        "{story}: the second recovery found something else"
    );
}

fn power_cuts(workload: Workload, seeds: u64) {
    for n in 0.. {
        let Some((disk, ledger)) = stopped(workload, n, n) else {
            break;
        };
        check(&disk.kill(), &ledger, &format!("killed at change {n}"));
        for seed in 0..seeds {
            check(
                &disk.crash(seed),
                &ledger,
                &format!("cut at change {n}, seed {seed}"),
            );
        }
    }
}

#[test]
fn p1_p2_p3_power_cuts_at_every_change_of_a_life() {
    power_cuts(a_life, 6);
}

#[test]
fn p1_p2_p3_power_cuts_between_seals_and_merges() {
    power_cuts(many_seals, 6);
}

#[test]
fn p1_p2_p3_power_cuts_between_small_loads() {
    power_cuts(small_loads, 6);
}

#[test]
fn p1_p2_p3_power_cuts_between_bulk_loads() {
    power_cuts(bulk_loads, 6);
}

#[test]
fn p1_p2_p3_power_cuts_between_openings() {
    power_cuts(many_openings, 12);
}

/// Threads that share commits, on a disk that stops at change `n`: what any of them was told is in
/// the store, at the place it was told, and nothing else but whole submissions.
#[test]
fn p1_group_commits_keep_what_every_thread_was_told() {
    const THREADS: u64 = 4;
    for n in (20..400).step_by(7) {
        let disk = SimDisk::new(n);
        let store = open(&disk).unwrap();
        disk.fail(
            Fault::any_change(std::io::ErrorKind::Other)
                .after(n)
                .sticky(),
        );
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

/// A crash, then another one at every change of the recovery from it.
fn cuts_in_recovery(workload: Workload, step: usize) {
    for n in (0..).step_by(step) {
        let Some((disk, ledger)) = stopped(workload, n, n) else {
            break;
        };
        let first = disk.crash(n);
        for m in 0.. {
            let disk = first.kill();
            disk.fail(
                Fault::any_change(std::io::ErrorKind::Other)
                    .after(m)
                    .sticky(),
            );
            let opened = open_with(&disk, &TestClock::new(), small());
            let is_over = opened.and_then(|store| store.shared.drain()).is_ok();
            let story = format!("cut at change {n}, seed {n}, and at change {m} of recovery");
            check(&disk.crash(m), &ledger, &story);
            if is_over {
                break;
            }
        }
    }
}

#[test]
fn p7_power_cuts_inside_the_recovery_of_a_life() {
    cuts_in_recovery(a_life, 7);
}

#[test]
fn p7_power_cuts_inside_the_recovery_of_bulk_loads() {
    cuts_in_recovery(bulk_loads, 7);
}

#[test]
fn p7_power_cuts_inside_the_recovery_of_openings() {
    cuts_in_recovery(many_openings, 3);
}

/// Each change fails once and the disk is well again: every call either works or says why not, and
/// a reopened store holds what was acknowledged.
#[test]
fn p5_one_failed_change_loses_nothing() {
    for error in [std::io::ErrorKind::Other, std::io::ErrorKind::StorageFull] {
        for n in 0..260 {
            let disk = SimDisk::new(n);
            disk.fail(Fault::any_change(error).after(n));
            let mut ledger = Ledger::default();
            let outcome = a_life(&disk, &mut ledger);
            let story = format!("{error:?} at change {n}: {outcome:?}");
            check(&disk.kill(), &ledger, &story);
            check(&disk.crash(n), &ledger, &story);
        }
    }
}
