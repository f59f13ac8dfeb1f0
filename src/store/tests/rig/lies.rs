//! Disks that lie: bits that turn on the medium or on the way, reads and writes that go to another
//! sector or another file and say that they worked. What comes out of the store is what went in, or an
//! error that names the file; never a panic, and never something else. No power fails here: of a store
//! that nobody closed, a boot later, a damaged last frame of a log reads as torn (decision 0002).

use std::io::ErrorKind::Other;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;
use std::path::PathBuf;

use super::Run;
use super::Scale;
use super::seed_of;
use super::workloads::Workload;
use crate::disk::ReadDisk;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::Random;
use crate::disk::sim::SimDisk;
use crate::options::Options;
use crate::options::ReadMode;
use crate::store::tests::TestClock;
use crate::store::tests::events;
use crate::store::tests::open_with;

/// A lie of each kind about an operation of this kind, the one behind `after` others.
fn lies(operation: Operation, after: u64, random: &mut Random) -> [Fault; 3] {
    let lie = Fault::new(operation, Other).after(after);
    let bit = random.below(1 << 20);
    [
        lie.clone().misdirected(),
        lie.clone().elsewhere(),
        lie.flipped(bit),
    ]
}

/// Opens and reads everything: all that was acknowledged, or an error that says where.
fn check(run: &Run, disk: &SimDisk, story: &str) {
    let options = Options {
        read_mode: ReadMode::Positional,
        ..run.options.clone()
    };
    let found = catch_unwind(AssertUnwindSafe(|| {
        events(&open_with(disk, &TestClock::new(), options)?)
    }));
    match found {
        Ok(Ok(found)) => assert_eq!(run.ledger.check(&found, u64::MAX, 0), Ok(()), "{story}"),
        Ok(Err(error)) => {
            let place = error.place().map(|place| place.file.clone());
            let is_named = place.is_some_and(|file| file.starts_with("/sim"));
            assert!(is_named, "{story}: {error:?} names no file");
        }
        Err(_) => panic!("{story}: a panic, told above"),
    }
}

/// A run to its end.
fn finished(workload: &Workload) -> Run {
    let mut run = Run::new(workload, seed_of(workload));
    let worked = (workload.work)(&mut run);
    assert!(worked.is_ok(), "{}: {worked:?}", workload.name);
    run
}

/// The files of a disk.
pub(super) fn files(disk: &SimDisk, folder: &Path) -> Vec<PathBuf> {
    let entries = disk.list(folder).expect("a folder");
    let inside = entries.into_iter().flat_map(|entry| {
        let path = folder.join(&entry.name);
        match entry.is_dir {
            true => files(disk, &path),
            false => vec![path],
        }
    });
    inside.collect()
}

/// Reads that lie are found out.
pub(super) fn about_reads(workload: &Workload) {
    let run = finished(workload);
    let calm = run.disk.kill();
    check(&run, &calm, workload.name);
    let mut random = Random::new(seed_of(workload));
    for after in (0..calm.count(Operation::Read)).step_by(Scale::asked().lies_every) {
        for lie in lies(Operation::Read, after, &mut random) {
            let disk = run.disk.kill();
            let story = format!("{}: {lie:?}", workload.name);
            disk.fail(lie);
            check(&run, &disk, &story);
        }
    }
}

/// Writes that lie are found out, at the latest by whoever reads.
pub(super) fn about_writes(workload: &Workload) {
    let seed = seed_of(workload);
    let calm = Run::new(workload, seed);
    let before = calm.disk.count(Operation::Write);
    let writes = finished(workload).disk.count(Operation::Write) - before;
    let mut random = Random::new(seed);
    for after in (0..writes).step_by(Scale::asked().lies_every) {
        for lie in lies(Operation::Write, after, &mut random) {
            let mut run = Run::new(workload, seed);
            let story = format!("{}: {lie:?}", workload.name);
            run.disk.fail(lie);
            // It may come to an error, and then stops.
            drop((workload.work)(&mut run));
            check(&run, &run.disk.kill(), &story);
        }
    }
}

/// Bits that turn on the medium are found out.
pub(super) fn about_bits(workload: &Workload) {
    let bits = 400 / Scale::asked().lies_every;
    let run = finished(workload);
    let mut random = Random::new(seed_of(workload));
    for path in files(&run.disk, Path::new("")) {
        let len = run.disk.len(&path).ok().flatten().unwrap_or(0);
        for _ in 0..bits {
            let disk = run.disk.kill();
            let bit = random.below(8 * usize::try_from(len).unwrap_or(0));
            disk.rot(&path, bit);
            let story = format!("{}: bit {bit} of {}", workload.name, path.display());
            check(&run, &disk, &story);
        }
    }
}
