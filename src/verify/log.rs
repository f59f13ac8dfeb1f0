//! Checks the write-ahead logs: every group whole, every row an event, seqs going on where the
//! segments end.

use super::plan::Plan;
use super::report::Report;
use super::rows;
use super::seqs::Seqs;
use crate::codec::row::Row;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::error::Result;
use crate::id::WalId;
use crate::wal;
use crate::wal::Extent;

/// Logs that are held open at once; there are few but where a store's records are damaged.
const HELD_MAX: usize = 64;

/// A log to be read.
pub(super) struct Log {
    id: WalId,
    extent: Extent,
    len: u64,
    /// Open, unless there are too many.
    reader: Option<Result<wal::Reader>>,
}

/// Opens the logs of a plan that was just made. Reading the segments takes its time, and what is
/// open stays readable whatever a writer beside removes meanwhile. Tells of the missing ones.
pub(super) fn open(disk: &dyn ReadDisk, plan: &Plan, report: &mut Report<'_>) -> Vec<Log> {
    for id in plan.logs_missing() {
        report.missing_file(&disk.place(&names::wal(*id)), "the log is missing");
    }
    let mut logs = Vec::with_capacity(plan.logs().len());
    for (id, extent) in plan.logs() {
        let open = |store| wal::Reader::open(disk, *id, store, *extent);
        let store = plan.store().filter(|_| logs.len() < HELD_MAX);
        logs.push(Log {
            id: *id,
            extent: *extent,
            len: disk.len(&names::wal(*id)).ok().flatten().unwrap_or(0),
            reader: store.map(open),
        });
    }
    logs
}

/// Reads all logs, and gives back one more than the highest seq in them.
pub(super) fn check(
    disk: &dyn ReadDisk,
    plan: &Plan,
    logs: Vec<Log>,
    seqs: &mut Seqs,
    report: &mut Report<'_>,
) -> u64 {
    let mut next = plan.sealed_seq();
    for log in logs {
        let path = disk.place(&names::wal(log.id));
        let len = log.len;
        let mut faults = Vec::new();
        let torn = for_each_row(disk, plan, log, report, &mut |row, offset| {
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
        match torn {
            Ok(torn) => report.torn(torn),
            Err(error) => report.error(&error),
        }
        report.read(len);
    }
    next
}

/// Hands every row of a log that can be read to `take`, with the offset of its group, and gives
/// back the bytes of a torn tail. Damage goes to the report and is passed over; what `take` refuses
/// ends it.
pub(super) fn for_each_row(
    disk: &dyn ReadDisk,
    plan: &Plan,
    log: Log,
    report: &mut Report<'_>,
    take: &mut dyn FnMut(&Row<'_>, u64) -> Result<()>,
) -> Result<u64> {
    let Some(store) = plan.store() else {
        return Ok(0);
    };
    let open = || wal::Reader::open(disk, log.id, store, log.extent);
    let opened = log.reader.unwrap_or_else(open).or_else(|error| {
        report.error(&error);
        wal::Reader::open_left(disk, log.id, store)
    });
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(error) => {
            report.error(&error);
            return Ok(0);
        }
    };
    loop {
        match reader.next() {
            Ok(Some(group)) => {
                let offset = group.offset();
                for row in group.rows() {
                    match row {
                        Ok(row) => take(&row, offset)?,
                        Err(error) => report.error(&error),
                    }
                }
            }
            Ok(None) => break,
            Err(error) => {
                report.error(&error);
                let passed = reader.pass_damage();
                match passed {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        report.error(&error);
                        break;
                    }
                }
            }
        }
    }
    let torn = reader.tail().and_then(|tail| tail.torn);
    Ok(torn.map_or(0, |torn| torn.bytes))
}
