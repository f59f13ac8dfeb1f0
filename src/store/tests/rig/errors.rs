//! Every operation of every workload, reads too, fails in every way that it can: once, or from then on.
//! Whoever asked is told so by an error that says what failed and names the file, and everything that
//! was acknowledged is there when the store is opened on a disk that is well again.

use std::io::ErrorKind::Other;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::Scale;
use super::explore::Explorer;
use super::explore::Tally;
use super::recorded;
use super::run::Run;
use super::workloads::Workload;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::error::Error;
use crate::error::ErrorKind;

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Device,
    Full,
    TooManyFiles,
    Short,
}

/// All of them.
pub(super) const KINDS: [Kind; 4] = [Kind::Device, Kind::Full, Kind::TooManyFiles, Kind::Short];

impl Kind {
    /// Whether this operation can fail in this way.
    fn fits(self, operation: Operation) -> bool {
        use Operation as Op;
        match self {
            Kind::Device => true,
            Kind::Full => operation.is_change(),
            Kind::TooManyFiles => {
                matches!(operation, Op::Create | Op::Open | Op::SyncDir | Op::Lock)
            }
            Kind::Short => matches!(operation, Op::Read | Op::Write),
        }
    }

    fn fault(self) -> Fault {
        const EIO: i32 = 5;
        const EMFILE: i32 = 24;
        const ENOSPC: i32 = 28;
        let fault = Fault::anything(Other);
        match self {
            Kind::Device => fault.code(EIO),
            Kind::Full => fault.code(ENOSPC),
            Kind::TooManyFiles => fault.code(EMFILE),
            Kind::Short => fault.short(),
        }
    }
}

/// Runs the workload once for each of its operations and each way to fail that is wanted, and says how
/// many runs that were.
pub(super) fn fail_all(workload: &Workload, seed: u64, every: usize, tally: &Tally) -> u64 {
    let operations = recorded(workload, seed).0.operations;
    let mut runs = 0;
    for (at, operation) in operations.iter().enumerate() {
        let ways = KINDS
            .iter()
            .flat_map(|kind| [(*kind, false), (*kind, true)]);
        for (way, (kind, sticky)) in ways.enumerate() {
            if kind.fits(*operation) && (at * 8 + way).is_multiple_of(every) {
                fail_one(workload, seed, (at, kind, sticky), tally);
                runs += 1;
            }
        }
    }
    runs
}

fn fail_one(
    workload: &Workload,
    seed: u64,
    (at, kind, sticky): (usize, Kind, bool),
    tally: &Tally,
) {
    let mut run = Run::new(workload, seed);
    let fault = kind.fault().after(at as u64);
    run.disk.fail(if sticky { fault.sticky() } else { fault });
    let outcome = catch_unwind(AssertUnwindSafe(|| (workload.work)(&mut run)));
    run.disk.heal();
    let often = if sticky { "from then on" } else { "once" };
    let story = format!("{kind:?} at operation {at} {often}");
    let explorer = Explorer {
        ledger: &run.ledger,
        options: &run.options,
        scale: Scale::of(1),
        seed,
        tally,
    };
    match outcome {
        Ok(Err(error)) => {
            if let Some(fault) = unclear(&error) {
                explorer.report(&story, &format!("{fault}: {error:?}"));
            }
        }
        Ok(Ok(())) => {}
        Err(_) => explorer.report(&story, "a panic, told above"),
    }
    explorer.check_both(&run.disk, at as u64, &story);
}

/// What is wrong with an error, if anything is.
fn unclear(error: &Error) -> Option<&'static str> {
    let is_known = matches!(
        error.kind(),
        ErrorKind::Io
            | ErrorKind::Full
            | ErrorKind::Corrupt
            | ErrorKind::Poisoned
            | ErrorKind::Indeterminate
    );
    match error.place() {
        _ if !is_known => Some("an error of another kind"),
        None => Some("an error that names no file"),
        Some(place) if !place.file.starts_with("/sim") => {
            Some("an error that names no file of ours")
        }
        Some(_) => None,
    }
}
