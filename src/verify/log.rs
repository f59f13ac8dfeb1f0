//! Checks the write-ahead logs: every group whole, every row an event, seqs going on where the
//! segments end.

use super::plan::Plan;
use super::report::Report;
use super::rows;
use super::seqs::Seqs;
use crate::codec::row::Row;
use crate::disk::Disk;
use crate::disk::names;
use crate::error::Result;
use crate::id::WalId;
use crate::wal;
use crate::wal::Extent;

/// Reads all logs, and gives back one more than the highest seq in them.
pub(super) fn check(disk: &dyn Disk, plan: &Plan, seqs: &mut Seqs, report: &mut Report<'_>) -> u64 {
    let mut next = plan.sealed_seq();
    for id in plan.logs_missing() {
        report.damage(&disk.place(&names::wal(*id)), None, "the log is missing");
    }
    for (id, extent) in plan.logs() {
        let path = disk.place(&names::wal(*id));
        let mut faults = Vec::new();
        let read = for_each_row(disk, plan, *id, *extent, &mut |row, offset| {
            if let Err(what) = rows::event(row) {
                faults.push((offset, what));
            }
            let seq = row.position.seq.0;
            // A log written anew by a recovery that did not come to its end repeats the one before.
            if seq >= next {
                next = seq + 1;
                if !seqs.insert(seq) && plan.is_recorded() {
                    faults.push((offset, format!("event {seq} is in a segment too")));
                }
            }
            Ok(())
        });
        for (offset, what) in faults {
            report.damage(&path, Some(offset), what);
        }
        match read {
            Ok(torn) => report.torn(torn),
            Err(error) => report.error(&error),
        }
        report.read(disk.len(&names::wal(*id)).ok().flatten().unwrap_or(0));
    }
    next
}

/// Hands every row of a log to `take`, with the offset of its group as far as it is known, and
/// gives back the bytes of a torn tail.
pub(super) fn for_each_row(
    disk: &dyn Disk,
    plan: &Plan,
    id: WalId,
    extent: Extent,
    take: &mut dyn FnMut(&Row<'_>, u64) -> Result<()>,
) -> Result<u64> {
    let Some(store) = plan.store() else {
        return Ok(0);
    };
    let mut reader = wal::Reader::open(disk, id, store, extent)?;
    while let Some(group) = reader.next()? {
        let offset = group.offset();
        for row in group.rows() {
            take(&row?, offset)?;
        }
    }
    let torn = reader.tail().and_then(|tail| tail.torn);
    Ok(torn.map_or(0, |torn| torn.bytes))
}
