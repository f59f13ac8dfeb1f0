//! The raw structure of a store's files as text, for people who debug the formats. It reads as the
//! check does and stops at the first damage it meets.

use std::io;
use std::io::Write;
use std::path::Path;

use super::inbox;
use super::plan::Plan;
use super::plan::Source;
use super::presence;
use super::report::Report;
use super::segment;
use crate::codec::digits::hex;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::disk::real::RealDisk;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::manifest::SegmentEntry;
use crate::segment::reader::Reader;
use crate::wal;

/// Which of a store's files [`crate::inspect`] prints.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Which files there are.
    Files,
    /// What the manifest says of each segment.
    Manifest,
    /// The presence runs: which segments each tells of.
    Presence,
    /// The logs, group by group and row by row.
    Log,
    /// One segment, by its number or its file's name or path.
    Segment(String),
}

/// Prints the raw structure of a part of the store in the folder `path`. The text is for people
/// and may change with any version.
///
/// # Errors
/// [`ErrorKind::NotAStore`] where there is none, [`ErrorKind::OutOfRange`] for a segment that does
/// not exist, what damaged files give, and [`ErrorKind::Io`] where `out` fails.
pub fn inspect(path: impl AsRef<Path>, part: &Part, out: &mut dyn Write) -> Result<()> {
    let disk = RealDisk::open(path.as_ref())?;
    let mut report = Report::silent();
    let plan = Plan::of(&disk, &mut report)?;
    for damage in report.into_damages() {
        line(out, &format!("damaged: {damage}"))?;
    }
    match part {
        Part::Files => files(&disk, &plan, out),
        Part::Manifest => manifest(&plan, out),
        Part::Presence => runs(&disk, &plan, out),
        Part::Log => logs(&disk, &plan, out),
        Part::Segment(name) => {
            let source = plan
                .segments()
                .iter()
                .find(|source| is_called(source, name));
            let source = source.ok_or_else(|| {
                let what = format!("segment {name:?}: the manifest knows none of this name");
                Error::new(ErrorKind::OutOfRange, what)
            })?;
            one_segment(&segment::open(&disk, plan.store(), source)?, out)
        }
    }
}

fn line(out: &mut dyn Write, text: &str) -> Result<()> {
    writeln!(out, "{text}").map_err(failed)
}

fn failed(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot write: {error}")).with_source(error)
}

fn is_called(source: &Source, name: &str) -> bool {
    let stem = source
        .path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let file = source
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    source.path == Path::new(name)
        || file == name
        || stem == name
        || stem.trim_start_matches('0') == name
}

fn files(disk: &dyn ReadDisk, plan: &Plan, out: &mut dyn Write) -> Result<()> {
    if let Some(store) = plan.store() {
        line(out, &format!("store {store}"))?;
    }
    line(out, &format!("a writer has it open: {}", plan.is_live()))?;
    line(
        out,
        &format!("events below {} are in segments", plan.sealed_seq()),
    )?;
    for (id, extent) in plan.logs() {
        let path = names::wal(*id);
        let len = disk.len(&path)?.unwrap_or(0);
        line(
            out,
            &format!("{}  {len} bytes, read to {extent:?}", path.display()),
        )?;
    }
    for source in plan.segments() {
        let len = disk.len(&source.path)?.unwrap_or(0);
        line(out, &format!("{}  {len} bytes", source.path.display()))?;
    }
    for (path, _, len) in presence::listed(disk) {
        line(out, &format!("{}  {len} bytes", path.display()))?;
    }
    for path in inbox::listed(disk) {
        line(out, &format!("{}  waits for the writer", path.display()))?;
    }
    for path in plan.scratch(disk) {
        line(
            out,
            &format!("{}  means nothing for any answer", path.display()),
        )?;
    }
    Ok(())
}

fn manifest(plan: &Plan, out: &mut dyn Write) -> Result<()> {
    line(out, &format!("sealed seq {}", plan.sealed_seq()))?;
    plan.segments()
        .iter()
        .filter_map(|source| source.entry.as_ref())
        .try_for_each(|entry| line(out, &entry_line(entry)))
}

fn runs(disk: &dyn ReadDisk, plan: &Plan, out: &mut dyn Write) -> Result<()> {
    for (path, number, len) in presence::listed(disk) {
        let run = presence::open(disk, plan, number, len)?;
        let (segments, prints) = (run.columns().len(), run.prints());
        line(
            out,
            &format!(
                "{}  {len} bytes  prints {prints}  segments {segments}",
                path.display()
            ),
        )?;
        for column in run.columns() {
            let text = format!(
                "  segment {:016x}  sha256 {}…",
                column.segment.0,
                hex(&column.hash)
            );
            line(out, &text)?;
        }
    }
    Ok(())
}

fn entry_line(entry: &SegmentEntry) -> String {
    format!(
        "segment {:016x}  level {}  rows {}  bytes {}  {} seq {} .. {} seq {}  seqs {} .. {}  \
         recorded {} .. {}  sha256 {}",
        entry.id.0,
        entry.level,
        entry.rows,
        entry.file_len,
        entry.min.occurred_at,
        entry.min.seq,
        entry.max.occurred_at,
        entry.max.seq,
        entry.seq_min,
        entry.seq_max,
        entry.recorded_min,
        entry.recorded_max,
        hex(&entry.content_hash),
    )
}

fn logs(disk: &dyn ReadDisk, plan: &Plan, out: &mut dyn Write) -> Result<()> {
    let Some(store) = plan.store() else {
        return Ok(());
    };
    let mut text = Vec::new();
    for (id, extent) in plan.logs() {
        let mut reader = wal::Reader::open(disk, *id, store, *extent)?;
        line(
            out,
            &format!("log {}  first seq {}", id.0, reader.first_seq()),
        )?;
        while let Some(group) = reader.next()? {
            text.clear();
            let head = format!(
                "group at byte {}  first seq {}  rows {}  recorded {}\n",
                group.offset(),
                group.first_seq,
                group.count,
                group.recorded_at
            );
            text.extend_from_slice(head.as_bytes());
            for row in group.rows() {
                text.extend_from_slice(b"  ");
                row?.write_line(&mut text);
                text.push(b'\n');
            }
            out.write_all(&text).map_err(failed)?;
        }
        if let Some(tail) = reader.tail() {
            line(out, &format!("end at byte {}  {:?}", tail.end, tail.torn))?;
        }
    }
    Ok(())
}

fn one_segment(reader: &Reader, out: &mut dyn Write) -> Result<()> {
    line(
        out,
        &format!(
            "segment {:016x} of store {}  rows {}  footer at byte {}  sha256 {}",
            reader.segment().0,
            reader.store(),
            reader.rows(),
            reader.footer_offset(),
            hex(&reader.content_hash())
        ),
    )?;
    for section in reader.directory() {
        let text = format!(
            "section kind {}  flags {:#06x}  at byte {}  bytes {}  items {}  crc {:08x}",
            section.kind, section.flags, section.offset, section.len, section.items, section.crc
        );
        line(out, &text)?;
    }
    for block in 0..reader.blocks() {
        line(out, &reader.describe_block(block)?)?;
    }
    let mut terms = reader.terms(&[]);
    while terms.advance()? {
        let text = format!(
            "term {}  rows {}",
            terms.term().escape_ascii(),
            terms.count()?
        );
        line(out, &text)?;
    }
    Ok(())
}
