//! `auditdb verify`: every byte read, everything stored beside the rows computed anew.

use core::ops::Range;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use auditdb::Salvage;
use auditdb::Verification;
use clap::Args;

use crate::args::Database;
use crate::failure::Code;
use crate::failure::Outcome;
use crate::output::Output;
use crate::progress::Progress;
use crate::table;
use crate::target::Target;
use crate::text;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb verify trail
  auditdb verify trail --salvage rescued.ndjson

Changes nothing and works beside a writer. Exit code 1 means damage; each damage is told with file,
byte and reason.")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    /// Write every event that can be read to this file, as native NDJSON, and say what is gone
    #[arg(long, value_name = "OUT")]
    salvage: Option<PathBuf>,
}

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let salvaged = words.salvage.as_deref();
    let salvaged = salvaged.map(|path| Target::claim_new("--salvage", path));
    let salvaged = salvaged.transpose()?;
    let begun = Instant::now();
    let progress = Progress::new("bytes checked", None);
    let found = auditdb::verify_with(&words.database.path, &mut |done, _| progress.at(done))?;
    drop(progress);
    tell(&found, begun.elapsed().as_secs_f64(), output)?;
    if let Some(target) = salvaged {
        let store = &words.database.path;
        let saved = target.make(|out| auditdb::salvage(store, out))?;
        print_saved(&saved, target.path(), output)?;
    }
    Ok(if found.is_clean() {
        Code::Done
    } else {
        Code::Failed
    })
}

fn tell(found: &Verification, seconds: f64, output: &Output) -> Outcome<()> {
    let style = output.style();
    let mut out = output.page();
    for damage in &found.damages {
        let what = damage.to_string();
        writeln!(out, "{} {}", style.bad("damaged:"), text::one_line(&what))?;
    }
    let told = found.damages.len() as u64;
    if found.damages_total > told {
        writeln!(
            out,
            "and {} more",
            table::grouped(found.damages_total - told)
        )?;
    }
    tell_ranges("missing", &found.missing, found.missing_total, &mut out)?;
    if found.torn_bytes > 0 {
        let what = match found.is_clean() {
            true => "were never acknowledged; the next opening removes them",
            false => "are the rest of a write, which may be among what is missing",
        };
        let bytes = table::grouped(found.torn_bytes);
        writeln!(out, "{bytes} bytes behind the last whole write {what}")?;
    }
    if found.waiting > 0 {
        writeln!(
            out,
            "{} in inbox/ not taken over yet: the next writer does",
            table::counted(found.waiting, "record")
        )?;
    }
    // Every store has a lock, so telling of it says nothing.
    let strange = found.scratch.iter().filter(|file| !file.ends_with("LOCK"));
    for file in strange {
        writeln!(
            out,
            "{}",
            style.dim(&format!(
                "not checked, means nothing for any answer: {}",
                text::one_line(&file.display().to_string())
            ))
        )?;
    }
    let verdict = if found.is_clean() {
        style.good("clean")
    } else {
        style.bad("damaged")
    };
    writeln!(
        out,
        "{verdict}: {} in {} and {}, {} checked in {seconds:.1} s{}",
        table::counted(found.events, "event"),
        table::counted(found.segments, "segment"),
        table::counted(found.logs, "log"),
        table::counted(found.bytes, "byte"),
        if found.live { ", beside a writer" } else { "" },
    )?;
    Ok(out.flush()?)
}

fn print_saved(saved: &Salvage, path: &Path, output: &Output) -> Outcome<()> {
    let mut out = output.page();
    let name = path.display().to_string();
    writeln!(
        out,
        "{} saved to {}",
        table::counted(saved.events, "event"),
        text::one_line(&name)
    )?;
    tell_ranges("gone", &saved.missing, saved.missing_total, &mut out)?;
    if saved.waiting > 0 {
        writeln!(
            out,
            "{} in inbox/ that no writer took over are not among them",
            table::counted(saved.waiting, "record")
        )?;
    }
    Ok(out.flush()?)
}

/// The seqs of events that are not there, and how many there are of them.
fn tell_ranges(word: &str, ranges: &[Range<u64>], total: u64, out: &mut impl Write) -> Outcome<()> {
    for range in ranges {
        let last = range.end.saturating_sub(1);
        match last == range.start {
            true => writeln!(out, "{word}: seq {last}")?,
            false => writeln!(out, "{word}: seq {} to {last}", range.start)?,
        }
    }
    if total > 0 {
        let be = if total == 1 { "is" } else { "are" };
        writeln!(out, "{} {be} {word}", table::counted(total, "event"))?;
    }
    Ok(())
}
