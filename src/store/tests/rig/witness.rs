//! The second reader, a program that was written from the pages of the formats alone, reads what a
//! crash and a recovery left of some moments: the same lines as the store itself gives. Only in the long
//! form, and where `AUDITDB_PYTHON`, the environment that `.ci/run` makes for it, or the system has a
//! Python with zstandard; where there is none the report says so.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use super::Scale;
use super::lies::files;
use super::recorded;
use super::report;
use super::run::Run;
use super::seed_of;
use super::workloads::Workload;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::disk::sim::SimDisk;
use crate::query::Query;
use crate::store::tests::TestClock;
use crate::store::tests::open_with;

/// Images of a workload.
const IMAGES: usize = 24;

/// Has a sample of a workload's images read twice.
pub(super) fn agrees(workload: &Workload) {
    if !Scale::asked().is_long() {
        return;
    }
    let Some(python) = python() else {
        let missing = "DID NOT RUN: it needs Python with zstandard";
        return report(&format!("rig read {:<14} {missing}", workload.name));
    };
    let seed = seed_of(workload);
    let (record, run) = recorded(workload, seed);
    let mut read = 0;
    for moment in record
        .moments
        .iter()
        .step_by(record.moments.len() / IMAGES + 1)
    {
        let images = moment.images(1024, seed);
        let number = images.count() / 2;
        let disk = images.image(number).disk;
        let wanted = recovered(&run, &disk);
        let folder = tempfile::tempdir().expect("a temporary folder");
        put_down(&disk, folder.path());
        let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/reader.py");
        let told = Command::new(&python)
            .arg(reader)
            .arg(folder.path())
            .output();
        let told = told.expect("the second reader runs");
        let story = format!(
            "{}, seed {seed:#018x}, cut at change {}: {}: {}",
            workload.name,
            moment.changes,
            images.story(number),
            String::from_utf8_lossy(&told.stderr),
        );
        assert!(told.status.success() && told.stdout == wanted, "{story}");
        read += 1;
    }
    report(&format!(
        "rig read {:<14} seed {seed:#018x}: {read} images read alike",
        workload.name
    ));
}

/// The first Python that has what the reader needs.
fn python() -> Option<PathBuf> {
    let asked = std::env::var_os("AUDITDB_PYTHON").map(PathBuf::from);
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/second-reader/venv/bin/python");
    let known = asked.into_iter().chain([made, PathBuf::from("python3")]);
    known.into_iter().find(|python| {
        let has = Command::new(python)
            .args(["-c", "import zstandard"])
            .output();
        has.is_ok_and(|answer| answer.status.success())
    })
}

/// All lines, newest first, of what a recovery makes of an image.
fn recovered(run: &Run, disk: &SimDisk) -> Vec<u8> {
    let store = open_with(disk, &TestClock::new(), run.options.clone()).expect("a recovery");
    let mut lines = Vec::new();
    let mut scan = store.snapshot().scan(&Query::default()).expect("a scan");
    while scan.next_line(&mut lines).expect("a line") {}
    lines
}

/// Copies a store's own files to a real folder.
fn put_down(disk: &SimDisk, folder: &Path) {
    for path in files(disk, names::root()) {
        let len = disk.len(&path).expect("a length").unwrap_or(0);
        let mut bytes = vec![0; usize::try_from(len).expect("a small file")];
        let file = disk.open_read(&path).expect("a file");
        file.read_at(0, &mut bytes).expect("its bytes");
        let place = folder.join(&path);
        std::fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
        std::fs::write(place, bytes).expect("a file");
    }
}
