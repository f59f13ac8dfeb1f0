//! Hands out every event that can still be read, each once: the rows of segments whose pages are
//! whole, and the logs up to their damage.

use std::collections::BTreeSet;
use std::io::Write;

use super::inbox;
use super::log;
use super::moment::Looks;
use super::moment::Verdict;
use super::plan::Plan;
use super::plan::Source;
use super::report::Report;
use super::report::Salvage;
use super::segment;
use super::seqs::Seqs;
use super::watched::Watched;
use crate::codec::row::Row;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::error::Error;
use crate::error::Result;
use crate::planted::Bug;
use crate::planted::planted;
use crate::segment::reader::Loaded;

/// Ranges of missing seqs that are told.
const GAPS_MAX: usize = 10_000;

/// Where salvaged events go.
struct Sink<'o> {
    out: &'o mut dyn Write,
    line: Vec<u8>,
    seqs: Seqs,
    /// Events from here on are none of the store's.
    below: u64,
}

pub(crate) fn salvage_on(disk: &dyn ReadDisk, out: &mut dyn Write) -> Result<Salvage> {
    let disk = Watched::new(disk);
    let saved = save_all(&disk, out);
    disk.judge(saved)
}

fn save_all(disk: &Watched<'_>, out: &mut dyn Write) -> Result<Salvage> {
    let mut report = Report::silent();
    let mut saved = BTreeSet::new();
    let mut looks = Looks::default();
    let mut sink = Sink {
        out,
        line: Vec::new(),
        seqs: Seqs::default(),
        below: u64::MAX,
    };
    loop {
        let mut look = report.trial();
        let plan = Plan::of(disk, &mut look)?;
        let logs = log::open(disk, &plan, &mut look);
        for source in plan.segments() {
            if saved.contains(&source.id) {
                continue;
            }
            let mut written = Ok(());
            let is_there = report.attempt(|report| {
                written = save_segment(disk, &plan, source, &mut sink, report);
            });
            written?;
            if is_there {
                saved.insert(source.id);
            } else {
                look.missing_file(&disk.place(&source.path), "the segment is missing");
            }
        }
        save_logs(disk, &plan, logs, &mut sink, &mut look)?;
        let end = sink.seqs.end().max(plan.events_known());
        let mut count = report.trial();
        plan.check_count(disk, end, &sink.seqs, &mut count);
        disk.check()?;
        match looks.judge(plan.is_settled(), &look, &count) {
            Verdict::Again => continue,
            Verdict::Counts => {}
            Verdict::Unsettled => look.unsettle(looks.missed(), &disk.place(names::root())),
        }
        report.accept(look);
        // Last, so that what the records name counts where both have an event of one number.
        for source in plan.unnamed(disk) {
            sink.below = match plan.is_given(&source) {
                true => end,
                false => u64::MAX,
            };
            save_segment(disk, &plan, &source, &mut sink, &mut report)?;
        }
        let end = end.max(sink.seqs.end());
        sink.out.flush().map_err(refused)?;
        return Ok(Salvage {
            events: sink.seqs.len(),
            missing: sink.seqs.gaps(end, GAPS_MAX),
            missing_total: end - sink.seqs.len(),
            damages: report.into_damages(),
            waiting: inbox::listed(disk).len() as u64,
        });
    }
}

fn save_logs(
    disk: &dyn ReadDisk,
    plan: &Plan,
    logs: Vec<log::Log>,
    sink: &mut Sink<'_>,
    report: &mut Report<'_>,
) -> Result<()> {
    for log in logs {
        log::for_each_row(disk, plan, log, report, &mut |row, _| sink.save(row))?;
    }
    Ok(())
}

impl Sink<'_> {
    /// Writes an event, unless it was written before.
    fn save(&mut self, row: &Row<'_>) -> Result<()> {
        let seq = row.position.seq.0;
        let mut is_new = || self.seqs.insert(seq) || planted(Bug::SalvageTwice);
        if seq >= self.below || row.model_event().is_none() || !is_new() {
            return Ok(());
        }
        self.line.clear();
        row.write_line(&mut self.line);
        self.line.push(b'\n');
        self.out.write_all(&self.line).map_err(refused)
    }
}

fn refused(error: std::io::Error) -> Error {
    Error::io(
        "write salvaged events",
        std::path::Path::new("output"),
        error,
    )
}

/// Saves every row that can still be read, and tells once of each reason why others cannot.
fn save_segment(
    disk: &dyn ReadDisk,
    plan: &Plan,
    source: &Source,
    sink: &mut Sink<'_>,
    report: &mut Report<'_>,
) -> Result<()> {
    let whole = segment::open(disk, plan.store(), source);
    let opened = whole.or_else(|error| {
        report.error(&error);
        segment::open_left(disk, plan.store(), source)
    });
    let Ok(reader) = opened else {
        return Ok(());
    };
    let mut loaded = Loaded::default();
    for block in 0..reader.blocks() {
        for number in reader.rows_of_block(block) {
            match reader.row(number, &mut loaded) {
                Ok(row) => sink.save(&row)?,
                Err(error) => report.error(&error),
            }
        }
    }
    Ok(())
}
