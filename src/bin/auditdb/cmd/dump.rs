//! `auditdb dump`: the raw structure of a store's files.

use std::io::Write;

use auditdb::Part;
use clap::Args;

use crate::args::Database;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::output::Output;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb dump trail                       which files there are
  auditdb dump trail manifest              what the manifest says of each segment
  auditdb dump trail wal                   the log, group by group and row by row
  auditdb dump trail presence              which segments each presence run tells of
  auditdb dump trail 0000000000000001      one segment: sections, row blocks, index terms

The text is for people who debug the format and may change with any version.")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    /// A segment's number, file name or path, or wal, or manifest, or presence
    #[arg(value_name = "SEGMENT|wal|manifest|presence")]
    part: Option<String>,
}

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let part = match words.part.as_deref() {
        None => Part::Files,
        Some("wal") => Part::Log,
        Some("presence") => Part::Presence,
        Some("manifest") => Part::Manifest,
        Some(segment) => Part::Segment(segment.to_owned()),
    };
    let mut out = output.escaped();
    auditdb::inspect(&words.database.path, &part, &mut out).map_err(Failure::unless_unread)?;
    out.flush()?;
    Ok(Code::Done)
}
