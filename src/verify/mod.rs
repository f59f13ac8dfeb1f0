//! Reads every byte of a store, checks every checksum and every promise, and goes on after damage
//! until all of it is found. It changes nothing, may run beside a writer, and shares with the
//! writers only what the formats say: what is stored beside the rows is computed anew from the rows
//! and compared. Salvage is the same reading with the readable events handed out.

mod inspect;
mod log;
mod plan;
mod report;
mod rows;
mod salvage;
mod segment;
mod seqs;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

pub use inspect::Part;
pub use inspect::inspect;
pub use report::Damage;
pub use report::Salvage;
pub use report::Verification;

use crate::disk::Disk;
use crate::disk::real::RealDisk;
use crate::error::Result;
use crate::id::SegmentId;

use plan::Plan;
use report::Report;
use seqs::Seqs;

/// How often a store that changes underfoot is looked at anew.
const LOOKS_MAX: usize = 64;

/// Checks the store in the folder `path`, which a writer may have open.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-verify-{}", std::process::id()));
/// # let store = auditdb::Store::open(&folder, auditdb::Options::default())?;
/// # store.append(&auditdb::Event::new("user.created"))?;
/// # store.close()?;
/// let found = auditdb::verify(&folder)?;
/// assert!(found.is_clean());
/// assert_eq!(found.events, 1);
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
///
/// # Errors
/// [`crate::ErrorKind::NotAStore`] where there is nothing to check. Damage is no error here: it
/// stands in the result.
pub fn verify(path: impl AsRef<Path>) -> Result<Verification> {
    verify_with(path, &mut |_, _| ())
}

/// As [`verify`], telling `progress` from time to time how many bytes of how many were checked.
///
/// # Errors
/// As [`verify`].
pub fn verify_with(
    path: impl AsRef<Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification> {
    let disk = RealDisk::open(path.as_ref())?;
    verify_on(&disk, progress)
}

/// Writes every event that can still be read to `out`, one canonical line each, and says exactly
/// which are gone. Of a store whose records are intact these are the committed events; where the
/// records are damaged too, all that its files hold.
///
/// # Errors
/// [`crate::ErrorKind::NotAStore`] where there is nothing to read, and what `out` refuses.
pub fn salvage(path: impl AsRef<Path>, out: &mut dyn Write) -> Result<Salvage> {
    let disk = RealDisk::open(path.as_ref())?;
    salvage::salvage_on(&disk, out)
}

/// Checks the store on a disk of the caller's choice.
pub(crate) fn verify_on(
    disk: &dyn Disk,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification> {
    let mut report = Report::new(progress);
    let mut checked = BTreeSet::new();
    let mut plan = Plan::of(disk, &mut report)?;
    for look in 1.. {
        report.expect_bytes(plan.bytes());
        check_segments(disk, &plan, &mut checked, &mut report);
        // Logs and the seqs of the segments are read again after every look, and only the last
        // look counts: a merge in between moves rows from one file to another.
        let mut trial = report.trial();
        let found = check_order(disk, &plan, &mut trial);
        let moved = plan.is_live() && trial.is_missing();
        if !moved || look == LOOKS_MAX {
            report.accept(trial);
            report.count(&plan, found);
            break;
        }
        plan = Plan::of(disk, &mut report)?;
    }
    Ok(report.finish(disk, &plan))
}

/// Checks every segment that was not checked yet; one that a merge removed meanwhile is passed over.
fn check_segments(
    disk: &dyn Disk,
    plan: &Plan,
    checked: &mut BTreeSet<SegmentId>,
    report: &mut Report<'_>,
) {
    for source in plan.segments() {
        if !checked.contains(&source.id) {
            let there = disk.len(&source.path);
            if plan.is_live() && matches!(there, Ok(None)) {
                continue;
            }
            segment::check(disk, plan.store(), source, report);
            checked.insert(source.id);
        }
    }
}

/// Reads the logs, and checks that segments and logs together hold every seq exactly once.
fn check_order(disk: &dyn Disk, plan: &Plan, report: &mut Report<'_>) -> u64 {
    let mut seqs = Seqs::default();
    for source in plan.segments() {
        segment::collect_seqs(disk, plan.store(), source, &mut seqs, report);
    }
    let end = log::check(disk, plan, &mut seqs, report).max(seqs.end());
    plan.check_count(disk, end, &seqs, report);
    seqs.len()
}
