//! The fault rig: runs small workloads on the simulated disk, cuts them off at every change in every
//! way that the disk allows, fails every operation they do, and compares what is left with an outside
//! ledger (decision 0030). `AUDITDB_RIG` says how much is tried: 1 in a plain run, 10 before every
//! change is taken. A violation is told with its seed; `AUDITDB_RIG_SEED` runs that one again.

mod errors;
mod explore;
mod ledger;
mod lies;
mod run;
mod seen;
mod witness;
mod workloads;

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Instant;

use explore::Explorer;
use explore::Tally;
use ledger::Ledger;
use run::Run;
use seen::Seen;
use workloads::Workload;

use crate::disk::names;
use crate::disk::sim::Record;
use crate::disk::sim::fold;

/// How much is tried.
#[derive(Clone, Copy)]
struct Scale {
    /// New states that are to be seen of a workload, in as many seeds as that takes.
    states: usize,
    /// Seeds at the most.
    seeds: u64,
    /// Images of a moment: where there are no more subsets all of them, else so many samples.
    images: u64,
    /// The same of a moment in a recovery.
    recovery_images: u64,
    /// Of so many images one is recovered on the record.
    recovery_every: u64,
    /// Of so many images one is opened again, appended to and closed.
    whole_every: u64,
    /// Of so many ways to fail one is tried.
    errors_every: usize,
    /// Of so many reads or writes one is lied about.
    lies_every: usize,
}

impl Scale {
    /// What `AUDITDB_RIG` asks for.
    fn asked() -> Scale {
        let asked = std::env::var("AUDITDB_RIG").ok();
        Scale::of(asked.and_then(|times| times.parse().ok()).unwrap_or(1))
    }

    /// Whether this is more than a plain run.
    const fn is_long(self) -> bool {
        self.states > 0
    }

    fn of(times: u64) -> Scale {
        match times {
            0 | 1 => Scale {
                states: 0,
                seeds: 1,
                images: 4,
                recovery_images: 0,
                recovery_every: 200,
                whole_every: 16,
                errors_every: 29,
                lies_every: 19,
            },
            times => Scale {
                states: 12_000 * times as usize,
                seeds: 200 * times,
                images: 1024,
                recovery_images: 16,
                recovery_every: 400,
                whole_every: 64,
                errors_every: 1,
                lies_every: 1,
            },
        }
    }
}

/// The seed of a workload: always the same, unless another one is asked for.
fn seed_of(workload: &Workload) -> u64 {
    let asked = std::env::var("AUDITDB_RIG_SEED").ok();
    let asked = asked.and_then(|seed| u64::from_str_radix(seed.trim_start_matches("0x"), 16).ok());
    asked.unwrap_or_else(|| fold(2026, workload.name.as_bytes()))
}

/// Runs a workload on a disk that remembers every moment.
fn recorded(workload: &Workload, seed: u64) -> (Record, Run) {
    let mut run = Run::new(workload, seed);
    run.disk.record(names::lock());
    let worked = (workload.work)(&mut run);
    assert!(
        worked.is_ok(),
        "{}, seed {seed:#018x}: {worked:?}",
        workload.name
    );
    (run.disk.take_record(), run)
}

/// One line of the report, on the standard output and where `AUDITDB_RIG_REPORT` says.
fn report(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").expect("the standard output");
    if let Some(path) = std::env::var_os("AUDITDB_RIG_REPORT") {
        let file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path);
        let written = file.and_then(|mut file| writeln!(file, "{line}"));
        written.expect("AUDITDB_RIG_REPORT names a file that can be written");
    }
}

/// Fails with the first violations.
fn assert_none(workload: &Workload, tally: &Tally) {
    let violations = tally.violations.lock();
    let first: Vec<&String> = violations.iter().take(5).collect();
    assert!(
        violations.is_empty(),
        "{}: {} violations, such as {first:#?}",
        workload.name,
        violations.len()
    );
}

/// Power failures at every change, under one seed after the other until enough states were seen.
fn cut_everywhere(workload: &Workload) {
    let (scale, first) = (Scale::asked(), seed_of(workload));
    let (seen, begun) = (Seen::load(workload), Instant::now());
    let before = seen.states.len();
    let tally = Tally::after(seen.states.into_iter());
    let (mut seeds, mut operations) = (0, 0);
    let is_enough = |seeds| {
        let is_new = tally.distinct() - before;
        seeds >= scale.seeds || is_new >= scale.states || tally.has_violations()
    };
    while seeds == 0 || !is_enough(seeds) {
        let seed = first.wrapping_add(seen.seeds + seeds);
        let (record, run) = recorded(workload, seed);
        let explorer = Explorer {
            ledger: &run.ledger,
            options: &run.options,
            scale,
            seed,
            tally: &tally,
        };
        explorer.cut_all(&record);
        operations += record.operations.len();
        seeds += 1;
    }
    let seconds = begun.elapsed().as_secs_f64().max(0.001);
    let distinct = tally.distinct() - before;
    report(&format!(
        "rig cut {:<14} from seed {:#018x}: {seeds} seeds, {operations} operations, \
         {} moments ({} with every subset), {} images, {distinct} distinct ({} in recovery), \
         {} violations, {seconds:.1} s, {:.0} a second",
        workload.name,
        first.wrapping_add(seen.seeds),
        tally.moments.load(Ordering::Relaxed),
        tally.exhausted.load(Ordering::Relaxed),
        tally.images.load(Ordering::Relaxed),
        tally.in_recovery.load(Ordering::Relaxed),
        tally.violations.lock().len(),
        distinct as f64 / seconds,
    ));
    assert_none(workload, &tally);
    let seen = Seen {
        seeds: seen.seeds + seeds,
        states: tally.states(),
    };
    seen.save(workload);
}

/// Errors at every operation.
fn fail_everywhere(workload: &Workload) {
    let seed = seed_of(workload);
    let (tally, begun) = (Tally::default(), Instant::now());
    let runs = errors::fail_all(workload, seed, Scale::asked().errors_every, &tally);
    report(&format!(
        "rig fail {:<14} seed {seed:#018x}: {runs} runs, {} violations, {:.1} s",
        workload.name,
        tally.violations.lock().len(),
        begun.elapsed().as_secs_f64(),
    ));
    assert_none(workload, &tally);
}

/// What a failure says can be run again: the same seed does the same operations on the same bytes.
fn is_one_story(workload: &Workload) {
    let seed = seed_of(workload);
    let [one, other] = [(), ()].map(|()| recorded(workload, seed).0.hash());
    assert_eq!(one, other, "{}", workload.name);
    let another = recorded(workload, seed + 1).0.hash();
    assert_ne!(one, another, "{}: another seed", workload.name);
}

/// A test of each kind for each workload, so that any of them can be run alone.
macro_rules! tests {
    ($($kind:ident $check:path { $($work:ident $(of $golden:literal)?,)* })*) => {
        $(mod $kind {
            $(#[test]
            fn $work() {
                let golden: &[&'static str] = &[$($golden)?];
                $check(&super::Workload {
                    name: stringify!($work),
                    work: super::workloads::$work,
                    golden: golden.first().copied(),
                });
            })*
        })*
    };
}

macro_rules! tests_of_all {
    ($($kind:ident $check:path,)*) => {
        $(tests! { $kind $check {
            append, batch, seal, merge, compact, late_arrivals, bulk_load, import, export, recovery,
            first_create, upgrade of "canonical", close, follow, presence, full_disk, tickets,
        } })*
    };
}

tests_of_all! {
    p1_p2_p3_p7_power_cuts_at_every_change super::cut_everywhere,
    p5_errors_at_every_operation super::fail_everywhere,
    p4_reads_that_lie super::lies::about_reads,
    p4_writes_that_lie super::lies::about_writes,
    p4_bits_that_turn super::lies::about_bits,
    p3_the_second_reader_agrees super::witness::agrees,
}

// The store's own thread leads where tickets are handed in, so these are not among them.
tests! { one_seed_is_one_story super::is_one_story {
    append, batch, seal, merge, compact, late_arrivals, bulk_load, import, export, recovery,
    first_create, upgrade of "canonical", close, follow, presence, full_disk,
} }
