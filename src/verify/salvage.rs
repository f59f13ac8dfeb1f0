//! Hands out every event that can still be read, each once: row blocks through the index where
//! there is one, by their own headers where there is none, and the logs up to their damage.

use std::collections::BTreeSet;
use std::io::Write;

use super::log;
use super::moment::Looks;
use super::moment::Verdict;
use super::plan::Plan;
use super::plan::Source;
use super::report::Report;
use super::report::Salvage;
use super::segment;
use super::seqs::Seqs;
use crate::codec::row::Row;
use crate::disk::Disk;
use crate::disk::File;
use crate::disk::names;
use crate::error::Error;
use crate::error::Result;
use crate::segment::block::Block;
use crate::segment::block::BlockHeader;
use crate::segment::format;

/// Ranges of missing seqs that are told.
const GAPS_MAX: usize = 10_000;
/// Bytes looked through at once for the beginning of a block.
const WINDOW: usize = 1 << 20;

/// Where salvaged events go.
struct Sink<'o> {
    out: &'o mut dyn Write,
    line: Vec<u8>,
    seqs: Seqs,
}

pub(super) fn salvage_on(disk: &dyn Disk, out: &mut dyn Write) -> Result<Salvage> {
    let mut report = Report::silent();
    let mut saved = BTreeSet::new();
    let mut looks = Looks::default();
    let mut sink = Sink {
        out,
        line: Vec::new(),
        seqs: Seqs::default(),
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
        match looks.judge(&plan, &look, &count) {
            Verdict::Again => continue,
            Verdict::Counts => {}
            Verdict::Unsettled => look.unsettle(looks.missed(), &disk.place(names::root())),
        }
        report.accept(look);
        sink.out.flush().map_err(refused)?;
        return Ok(Salvage {
            events: sink.seqs.len(),
            missing: sink.seqs.gaps(end, GAPS_MAX),
            missing_total: end - sink.seqs.len(),
            damages: report.into_damages(),
        });
    }
}

fn save_logs(
    disk: &dyn Disk,
    plan: &Plan,
    logs: Vec<log::Log>,
    sink: &mut Sink<'_>,
    report: &mut Report<'_>,
) -> Result<()> {
    for log in logs {
        let mut refused = None;
        let read = log::for_each_row(disk, plan, log, &mut |row, _| {
            let saved = sink.save(row);
            saved.inspect_err(|error| refused = Some(error.again()))
        });
        if let Some(error) = refused {
            return Err(error);
        }
        if let Err(error) = read {
            report.error(&error);
        }
    }
    Ok(())
}

impl Sink<'_> {
    /// Writes an event, unless it was written before.
    fn save(&mut self, row: &Row<'_>) -> Result<()> {
        if row.model_event().is_none() || !self.seqs.insert(row.position.seq.0) {
            return Ok(());
        }
        self.line.clear();
        row.write_line(&mut self.line);
        self.line.push(b'\n');
        self.out.write_all(&self.line).map_err(refused)
    }

    fn save_block(&mut self, block: &Block) -> Result<()> {
        for number in (block.first_row()..).take(block.heads().len()) {
            if let Some(row) = block.row(number) {
                self.save(&row)?;
            }
        }
        Ok(())
    }
}

fn refused(error: std::io::Error) -> Error {
    Error::io(
        "write salvaged events",
        std::path::Path::new("output"),
        error,
    )
}

fn save_segment(
    disk: &dyn Disk,
    plan: &Plan,
    source: &Source,
    sink: &mut Sink<'_>,
    report: &mut Report<'_>,
) -> Result<()> {
    let reader = match segment::open(disk, plan.store(), source) {
        Ok(reader) => reader,
        Err(error) => {
            report.error(&error);
            return scan(disk, source, sink, report);
        }
    };
    for number in 0..reader.zones().len() {
        match reader.block(number) {
            Ok(block) => sink.save_block(&block)?,
            Err(error) => report.error(&error),
        }
    }
    Ok(())
}

/// Looks through a file for row blocks, which say themselves where they end.
fn scan(
    disk: &dyn Disk,
    source: &Source,
    sink: &mut Sink<'_>,
    report: &mut Report<'_>,
) -> Result<()> {
    let opened = disk.open_read(&source.path);
    let (file, len) = match opened.and_then(|file| file.len().map(|len| (file, len))) {
        Ok(opened) => opened,
        Err(error) => {
            report.error(&error);
            return Ok(());
        }
    };
    let mut at = 0;
    while at < len {
        match block_at(&*file, at, len) {
            Some((block, end)) => {
                sink.save_block(&block)?;
                at = end;
            }
            None => match next_magic(&*file, at + 1, len) {
                Ok(next) => at = next,
                Err(error) => {
                    report.error(&error);
                    return Ok(());
                }
            },
        }
    }
    Ok(())
}

/// The block that begins at `at`, and where it ends.
fn block_at(file: &dyn File, at: u64, len: u64) -> Option<(Block, u64)> {
    let mut stored = vec![0; format::BLOCK_HEADER_LEN];
    if at + stored.len() as u64 > len {
        return None;
    }
    file.read_at(at, &mut stored).ok()?;
    let header = BlockHeader::decode(&stored)?;
    let end = at + (stored.len() + header.stored_len) as u64;
    if end > len {
        return None;
    }
    stored.resize(format::BLOCK_HEADER_LEN + header.stored_len, 0);
    file.read_at(at, &mut stored).ok()?;
    Some((Block::decode(&stored)?, end))
}

/// Where the next block can begin at or behind `at`; the file's end if nowhere.
fn next_magic(file: &dyn File, mut at: u64, len: u64) -> Result<u64> {
    let magic = format::BLOCK_MAGIC;
    let mut window = Vec::new();
    while at < len {
        let step = (len - at).min(WINDOW as u64);
        window.resize(step as usize, 0);
        file.read_at(at, &mut window)?;
        let found = window.windows(magic.len()).position(|bytes| bytes == magic);
        if let Some(place) = found {
            return Ok(at + place as u64);
        }
        // The magic can lie across two windows.
        let kept = magic.len() as u64 - 1;
        at = if step > kept && at + step < len {
            at + step - kept
        } else {
            len
        };
    }
    Ok(len)
}
