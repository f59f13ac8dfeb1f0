//! Reads every byte of a store, checks every checksum and every promise, and goes on after damage
//! until all of it is found. It changes nothing, may run beside a writer, and shares with the
//! writers only what the formats say: what is stored beside the rows is computed anew from the rows
//! and compared. Salvage is the same reading with the readable events handed out.

mod inbox;
mod inspect;
mod jobs;
mod log;
mod moment;
mod plan;
mod presence;
mod report;
mod rows;
mod salvage;
mod saved;
mod segment;
mod seqs;
mod watched;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

pub use inspect::Part;
pub use inspect::inspect;
pub use report::Damage;
pub use report::Salvage;
pub use report::Verification;
pub(crate) use salvage::salvage_on;

use crate::disk::ReadDisk;
use crate::disk::names;
use crate::disk::real::RealDisk;
use crate::error::Result;
use crate::id::SegmentId;

use moment::Looks;
use moment::Verdict;
use plan::Plan;
use report::Report;
use seqs::Seqs;
use watched::Watched;

/// Checks the store in the folder `path`, which a writer may have open. Of one that replaces files
/// in every look, a [`Damage`] of the folder says that it is not known whether anything is missing.
///
/// # Errors
/// [`crate::ErrorKind::NotAStore`] where there is nothing to check, and [`crate::ErrorKind::Full`] where
/// too many files are open to look. Damage is no error here: it stands in the result.
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
/// [`crate::ErrorKind::NotAStore`] where there is nothing to read, [`crate::ErrorKind::Full`] where too
/// many files are open to look, and what `out` refuses. What is written by then is not all there is.
pub fn salvage(path: impl AsRef<Path>, out: &mut dyn Write) -> Result<Salvage> {
    let disk = RealDisk::open(path.as_ref())?;
    salvage_on(&disk, out)
}

/// Checks the store on a disk of the caller's choice.
pub(crate) fn verify_on(
    disk: &dyn ReadDisk,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification> {
    let disk = Watched::new(disk);
    let found = check_all(&disk, progress);
    disk.judge(found)
}

fn check_all(disk: &Watched<'_>, progress: &mut dyn FnMut(u64, u64)) -> Result<Verification> {
    let mut report = Report::new(progress);
    let mut checked = BTreeSet::new();
    let mut looks = Looks::default();
    loop {
        // What a look finds is kept apart, since only the last one counts: a writer beside moves
        // rows from one file to another. What is wrong within a segment stays wrong.
        let mut look = report.trial();
        let plan = Plan::of(disk, &mut look)?;
        let logs = log::open(disk, &plan, &mut look);
        report.expect_bytes(plan.bytes());
        check_segments(disk, &plan, &mut checked, &mut report);
        let (end, seqs) = check_order(disk, &plan, logs, &mut look);
        plan.check_unnamed(disk, end, &mut look);
        let mut count = report.trial();
        plan.check_count(disk, end, &seqs, &mut count);
        disk.check()?;
        match looks.judge(plan.is_settled(), &look, &count) {
            Verdict::Again => continue,
            Verdict::Counts => report.accept(count),
            Verdict::Unsettled => look.unsettle(looks.missed(), &disk.place(names::root())),
        }
        presence::check(disk, &plan, &mut look);
        saved::check(disk, &mut look);
        jobs::check(disk, &mut look);
        let waiting = inbox::check(disk, plan.store(), &mut look);
        report.accept(look);
        report.count(&plan, seqs.len(), waiting);
        return Ok(report.finish(disk, &plan));
    }
}

/// Checks every segment that was not checked yet. One that is not there is passed over: who looks
/// for its seqs tells of it.
fn check_segments(
    disk: &dyn ReadDisk,
    plan: &Plan,
    checked: &mut BTreeSet<(SegmentId, bool)>,
    report: &mut Report<'_>,
) {
    for source in plan.segments() {
        // Without records, less is known of a segment, and less is checked.
        let what = (source.id, source.entry.is_some());
        if checked.contains(&what) {
            continue;
        }
        let is_there = report.attempt(|report| segment::check(disk, plan.store(), source, report));
        if is_there {
            checked.insert(what);
        }
    }
}

/// Reads the logs, and checks that segments and logs together hold no seq twice. Gives back one
/// more than the highest seq, and all of them.
fn check_order(
    disk: &dyn ReadDisk,
    plan: &Plan,
    logs: Vec<log::Log>,
    report: &mut Report<'_>,
) -> (u64, Seqs) {
    let mut seqs = Seqs::default();
    for source in plan.segments() {
        segment::collect_seqs(disk, plan.store(), source, &mut seqs, report);
    }
    let end = log::check(disk, plan, logs, &mut seqs, report).max(seqs.end());
    (end, seqs)
}

#[cfg(test)]
mod tests;
