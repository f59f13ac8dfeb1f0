//! `auditdb import`: source lines into a store, file by file, streaming.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Read;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use auditdb::CsvSafety;
use auditdb::Durability;
use auditdb::FlaggedTypes;
use auditdb::Import;
use auditdb::ImportFormat;
use auditdb::ImportOptions;
use auditdb::ImportOutcome;
use auditdb::Mapping;
use auditdb::OnRefusal;
use auditdb::Options;
use auditdb::Store;
use clap::Args;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;
use rustix::event::poll;
use rustix::io::Errno;

use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::form::SafetyWord;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::packs;
use crate::packs::Unknown;
use crate::progress::Progress;
use crate::table;
use crate::table::Table;
use crate::target::Target;
use crate::text;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb import trail cloudtrail.ndjson.zst k8s.ndjson.gz
  auditdb generate --events 100000 | auditdb import trail -
  auditdb import trail app.log --map app.json --on-error refused.ndjson --json
  auditdb export trail -f csv -o trail.csv && auditdb import copy trail.csv
  auditdb import --formats

Every line is read by its content unless --format says otherwise. A record is known again by its
content, so importing a file twice adds nothing. CSV of the layouts native and entries is taken too. FILE may be packed by gzip or zstd; - is stdin.")]
pub(crate) struct Words {
    /// The store's folder; it is made if there is none
    #[arg(value_name = "DB", required_unless_present = "formats")]
    path: Option<PathBuf>,
    /// Files to read; - or none is stdin
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How lines are read: auto, native, entries, or a name that --formats lists
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    format: String,
    /// A mapping of your own, tried before the format
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// What to do with a line that is no event: stop, skip, or a new file to write it to
    #[arg(long, value_name = "stop|skip|FILE", default_value = "stop")]
    on_error: String,
    /// Keep records that repeat exactly, instead of counting them as duplicates
    #[arg(long)]
    keep_repeats: bool,
    /// How cells of CSV files were written: a ' in front is taken away, or belongs to the cell
    #[arg(long, value_enum, default_value_t, value_name = "SAFETY")]
    csv_safety: SafetyWord,
    #[command(flatten)]
    unknown: Unknown,
    /// Print the counts, or the formats, as JSON on stdout
    #[arg(long)]
    json: bool,
    /// List the formats and end
    #[arg(long)]
    formats: bool,
}

/// How long to wait for input before looking whether the user wants an end. A signal ends the wait
/// at once, unless it comes right before it.
const PATIENCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};

/// Refused lines that are named beside a file that holds them all.
const REFUSALS_SHOWN: usize = 3;

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    if words.formats {
        return formats(words.json, output);
    }
    // Clap asks for DB unless --formats is there.
    let path = words
        .path
        .as_deref()
        .ok_or_else(|| Failure::usage("DB is missing"))?;
    let options = words.options()?;
    let inputs = words.inputs()?;
    let mut refused = match words.on_error.as_str() {
        "stop" | "skip" => None,
        file => Some(Target::growing("--on-error", Path::new(file))?),
    };
    let settings = words.unknown.of_import(Options {
        durability: Durability::Buffered,
        ..Options::default()
    })?;
    let mut store = Store::open(path, settings)?;
    output.interrupt.arm();
    let begun = Instant::now();
    let (outcome, ended) = words.read_all(&mut store, options, &mut refused, inputs, output);
    // An import that was stopped goes on before long: what it left small is merged then.
    let compacted = match ended {
        Ok(()) => store.compact(),
        Err(_) => Ok(()),
    };
    let flagged = words.unknown.flags().then(|| store.flagged());
    let closed = compacted.and(store.close());
    if let Some(file) = &mut refused {
        file.flush()?;
    }
    let told = tell(
        &outcome,
        flagged.as_ref(),
        begun.elapsed(),
        words.json,
        output,
    );
    closed?;
    ended?;
    told?;
    if words.on_error != "stop" && outcome.refused > 0 {
        let file = Some(&words.on_error).filter(|word| *word != "skip");
        name_refusals(&outcome, file.map(String::as_str), output);
    }
    Ok(Code::Done)
}

impl Words {
    fn options(&self) -> Outcome<ImportOptions> {
        let format = ImportFormat::named(&self.format)
            .map_err(|error| Failure::usage(format!("--format: {error}")))?;
        let map = self.map.as_deref().map(mapping).transpose()?;
        Ok(ImportOptions {
            format,
            map,
            keep_repeats: self.keep_repeats,
            csv_safety: match self.csv_safety {
                SafetyWord::Guard => CsvSafety::Guard,
                SafetyWord::Raw => CsvSafety::Raw,
            },
            ..ImportOptions::default()
        })
    }

    /// Opens every input before anything is imported, so that a name that is wrong stops it all.
    fn inputs(&self) -> Outcome<Vec<(String, File)>> {
        let stdin = [PathBuf::from("-")];
        let files = if self.files.is_empty() {
            &stdin
        } else {
            self.files.as_slice()
        };
        let open = |path: &PathBuf| -> Outcome<(String, File)> {
            let (name, file) = if path == Path::new("-") {
                // A handle of its own, without the buffer that a wait would not see into.
                let stdin = io::stdin().as_fd().try_clone_to_owned();
                ("stdin".to_owned(), stdin.map(File::from))
            } else {
                (path.display().to_string(), File::open(path))
            };
            let file = file.and_then(|file| match file.metadata()?.is_dir() {
                true => Err(io::Error::other("it is a folder")),
                false => Ok(file),
            });
            let file = file.map_err(|error| {
                Failure::new(Code::Failed, format!("{name}: cannot be read: {error}"))
            })?;
            Ok((name, file))
        };
        files.iter().map(open).collect()
    }

    /// Imports the inputs one after the other; gives what was done also where it did not come to
    /// the end.
    fn read_all(
        &self,
        store: &mut Store,
        options: ImportOptions,
        refused: &mut Option<BufWriter<File>>,
        inputs: Vec<(String, File)>,
        output: &Output,
    ) -> (ImportOutcome, Outcome<()>) {
        let on_file = refused.is_some();
        let on_refusal = match refused {
            Some(file) => OnRefusal::Write(file),
            None if self.on_error == "skip" => OnRefusal::Skip,
            None => OnRefusal::Stop,
        };
        let mut bulk = match store.bulk() {
            Ok(bulk) => bulk,
            Err(error) => return (ImportOutcome::default(), Err(error.into())),
        };
        let progress = Progress::new("lines read", None);
        let mut import = Import::new(&mut bulk, options, on_refusal)
            .on_progress(|outcome: &ImportOutcome| progress.at(outcome.read));
        let mut ended = Ok(());
        for (name, input) in inputs {
            let input = Interruptible {
                input,
                interrupt: output.interrupt.clone(),
            };
            ended = import.read(&name, input).map_err(Failure::from);
            if output.interrupt.seen() {
                ended = Err(interrupted(on_file));
            }
            if ended.is_err() {
                break;
            }
        }
        let mut outcome = import.finish();
        // What was read before the import was stopped is safe too.
        let committed = bulk.commit();
        outcome.keep(bulk.kept());
        (outcome, committed.map_err(Failure::from).and(ended))
    }
}

fn mapping(path: &Path) -> Outcome<Arc<Mapping>> {
    let about = || format!("--map {}", path.display());
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{}: cannot be read: {error}", about())))?;
    let mapping = Mapping::parse(&text);
    let mapping = mapping.map_err(|error| Failure::usage(format!("{}: {error}", about())))?;
    Ok(Arc::new(mapping))
}

fn interrupted(on_file: bool) -> Failure {
    let again = if on_file {
        "Run the same command again, with another file for --on-error"
    } else {
        "Run the same command again"
    };
    let what = format!(
        "interrupted; everything counted above is safe. {again}: what was imported is known and \
         not added twice"
    );
    Failure::new(Code::Interrupted, what)
}

/// An input that ends with an error when the user wants an end, also while it waits for a pipe.
struct Interruptible {
    input: File,
    interrupt: Interrupt,
}

impl Interruptible {
    /// Waits until there is something to read, or for a moment.
    fn is_ready(&self) -> io::Result<bool> {
        let mut watched = [PollFd::new(&self.input, PollFlags::IN)];
        match poll(&mut watched, Some(&PATIENCE)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Read for Interruptible {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.interrupt.seen() {
            if self.is_ready()? {
                return self.input.read(buffer);
            }
        }
        Err(io::Error::other("interrupted"))
    }
}

fn tell(
    outcome: &ImportOutcome,
    flagged: Option<&FlaggedTypes>,
    took: Duration,
    json: bool,
    output: &Output,
) -> Outcome<()> {
    let seconds = took.as_secs_f64();
    let rate = if seconds > 0.0 {
        outcome.read as f64 / seconds
    } else {
        0.0
    };
    output.note(&format!(
        "{} read: {} imported, {}, {} refused; {seconds:.1} s, {} lines/s",
        table::counted(outcome.read, "line"),
        table::grouped(outcome.imported),
        table::counted(outcome.duplicates, "duplicate"),
        table::grouped(outcome.refused),
        table::grouped(rate as u64),
    ));
    if json {
        let mut out = output.data();
        let seq = |seq: Option<auditdb::Sequence>| {
            seq.map_or_else(|| "null".to_owned(), |seq| seq.to_string())
        };
        writeln!(
            out,
            "{{\"read\":{},\"imported\":{},\"duplicates\":{},\"refused\":{},\"first_seq\":{},\"last_seq\":{}{}}}",
            outcome.read,
            outcome.imported,
            outcome.duplicates,
            outcome.refused,
            seq(outcome.first_seq),
            seq(outcome.last_seq),
            flagged.map_or_else(String::new, |flagged| {
                format!(",\"flagged\":{}", packs::flagged_events(flagged))
            }),
        )?;
        out.flush()?;
    } else {
        for (mapping, lines) in &outcome.mappings {
            let lines = table::grouped(*lines);
            output.note(&format!("  {lines} by {}", text::one_line(mapping)));
        }
    }
    if let Some(flagged) = flagged {
        packs::tell_flagged(flagged, output);
    }
    Ok(())
}

/// Names the lines that were refused, of those that stand in a file the first few.
fn name_refusals(outcome: &ImportOutcome, file: Option<&str>, output: &Output) {
    let most = file.map_or(outcome.refusals.len(), |_| REFUSALS_SHOWN);
    for refusal in outcome.refusals.iter().take(most) {
        output.note(&format!(
            "refused: {}",
            text::one_line(&refusal.to_string())
        ));
    }
    let named = outcome.refusals.len().min(most) as u64;
    if outcome.refused > named {
        let place = file.map_or_else(String::new, |file| format!("; all are in {file}"));
        output.note(&format!(
            "and {} more{place}",
            table::grouped(outcome.refused - named)
        ));
    }
}

fn formats(json: bool, output: &Output) -> Outcome<Code> {
    if json {
        let member = |(name, about): (&str, &str)| {
            let (name, about) = (super::json_text(name), super::json_text(about));
            format!("{{\"format\":{name},\"takes\":{about}}}")
        };
        let members: Vec<String> = ImportFormat::list().map(member).collect();
        let mut out = output.data();
        writeln!(out, "[{}]", members.join(","))?;
        out.flush()?;
        return Ok(Code::Done);
    }
    let mut rows = Table::new()
        .column("FORMAT", crate::output::Style::name)
        .column("TAKES", table::plain);
    for (name, about) in ImportFormat::list() {
        rows.row([name.to_owned(), about.to_owned()]);
    }
    let mut out = output.page();
    rows.write(output, &mut out)?;
    out.flush()?;
    Ok(Code::Done)
}
