//! `auditdb export`: events to a file that appears whole or not at all, to several, or to stdout.

mod dry_run;
pub(super) mod extent;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::path::PathBuf;

use auditdb::AuditedExport;
use auditdb::Compression;
use auditdb::ErrorKind;
use auditdb::Export;
use auditdb::ExportAudit;
use auditdb::ExportManifest;
use auditdb::ExportReport;
use auditdb::Format;
use auditdb::MissingGlyphs;
use auditdb::Query;
use auditdb::Snapshot;
use clap::Args;

use self::extent::Extent;
use crate::args::Database;
use crate::args::Filters;
use crate::args::Place;
use crate::auditing::Auditing;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::form::Form;
use crate::output::Output;
use crate::progress::Progress;
use crate::table;
use crate::target::Target;
use crate::text;

/// Characters without a glyph that the line on stderr names.
const MISSING_LISTED: usize = 24;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb export trail -f ndjson -o trail.ndjson              everything, every field
  auditdb export trail --type 'admin.*' --since 2026-04-01 --until 2026-06-30 -f csv -o q2.csv
  auditdb export trail -f csv --during 2026-Q2 --dry-run      how much that would be
  auditdb export trail -f csv --limit 50000 --report part1.json -o part1.csv
  auditdb export trail -f csv --limit 50000 --cursor TOKEN --no-header -o part2.csv
  auditdb export trail -f csv --as user:u7 -o trail.csv       the store records who exported what
  auditdb export trail -f csv --view north -o north.csv       what the organisation north is shown
  auditdb export trail -f csv --rows-per-file 50000 -o trail.csv     trail-000001.csv and so on
  auditdb export trail -f csv --profile investigation -o trail.zip   what one download holds
  auditdb export trail -f csv --layout trail --tz Europe/Berlin --locale de --excel -o liste.csv

The parts of an export, each from the next_cursor of the one before, put one behind the other are
the export made in one go: no event twice, none missing, also where many share one time. So are
the files of --rows-per-file; their manifest is made last, and without it the set is not whole.

Formats and layouts that exist: csv+native, csv+entries, csv+trail, csv+sentinel, ndjson+native,
ndjson+entries, json+native, pdf+trail, pdf+sentinel. A PDF needs a program that was built with
--features pdf; behind 1,000 pages it goes on in a next file, and a manifest tells of all files.
Characters that no font has are shown by number and reported; --font FILE adds a font:

  auditdb export trail -f pdf --during 2026-Q2 --tz Europe/Berlin --locale de -o q2.pdf

With --tz the times of the layouts for people, trail and sentinel, are
those of the zone, with UTC in a column beside them; the others, for programs, get a column
occurred_at_local. With --locale headings and labels are of that language; programs get columns
type_label and outcome_label. Lines of JSON are the same for everyone.")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    form: Form,
    /// The file to make; - is stdout
    #[arg(short = 'o', long = "output", default_value = "-", value_name = "FILE")]
    output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
    /// Pack the file
    #[arg(long, value_enum, value_name = "HOW")]
    compress: Option<CompressWord>,
    /// Write what was exported, and where to go on, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Tell how many rows the export would have, and how large it would be in each format, and write
    /// nothing; =json for programs
    #[arg(long, value_enum, value_name = "HOW", conflicts_with = "view", num_args = 0..=1, require_equals = true, default_missing_value = "table")]
    dry_run: Option<dry_run::Shape>,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    auditing: Auditing,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    filters: Filters,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum CompressWord {
    Zstd,
    Gzip,
}

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let export = words.export()?;
    let to_stdout = words.output == Path::new("-");
    if to_stdout && words.compress.is_some() && output.is_terminal() {
        return Err(Failure::usage(
            "--compress: packed bytes are not written to a terminal",
        ));
    }
    if export.format == Format::Pdf && words.compress.is_some() {
        return Err(Failure::usage("--compress: a pdf is packed inside"));
    }
    words.extent.check(&export, to_stdout)?;
    if let Some(shape) = words.dry_run {
        return words.estimate(&export, shape, output);
    }
    let told = words.claim(to_stdout)?;
    let filter = words.filters.read(&words.database)?;
    words.filters.explain(&filter, output);
    let query = words.place.query(filter)?;
    let snapshot = words.database.snapshot()?;
    if words.filters.explain {
        let events = export.limit.unwrap_or(u64::MAX).min(super::PLANNED);
        super::explain_plan(&snapshot, &query, events, output)?;
    }
    words.extent.count(&snapshot, &query)?;
    let begun = words.begin(&export, &snapshot, &query, output)?;
    output.interrupt.arm();
    let made = words.write(&export, &snapshot, &query, to_stdout, output);
    let audited = words.end(begun, &made, output);
    let mut made = made?;
    made.audited = Some(matches!(audited, Ok(true)));
    if made.whole.interrupted && !to_stdout {
        return Err(interrupted(&made.whole, to_stdout));
    }
    words.tell(&made, output);
    if let Some(told) = told {
        told.make_of(&made.to_json())?;
    }
    if made.whole.interrupted {
        return Err(interrupted(&made.whole, to_stdout));
    }
    audited?;
    words
        .extent
        .check_complete(made.whole.complete, made.whole.rows)
}

impl Words {
    fn export(&self) -> Outcome<Export> {
        Ok(Export {
            limit: self.extent.limit(),
            view: self.extent.view(),
            compression: self
                .compress
                .map_or(Compression::None, CompressWord::meaning),
            ..self.form.export(&self.filters)?
        })
    }

    /// Tells what the export would hold.
    fn estimate(&self, export: &Export, shape: dry_run::Shape, output: &Output) -> Outcome<Code> {
        let filter = self.filters.read(&self.database)?;
        self.filters.explain(&filter, output);
        let query = self.place.query(filter)?;
        let estimate = export.estimate(&self.database.snapshot()?, &query)?;
        dry_run::print(&estimate, shape, output)?;
        Ok(Code::Done)
    }

    /// Claims the files that are to be made; gives the one for the report.
    fn claim(&self, to_stdout: bool) -> Outcome<Option<Target>> {
        let claim = |flag, path: &PathBuf| Target::claim(flag, path, self.force);
        // Of several files none has this very name.
        let one = !to_stdout && (self.extent.zip() || self.extent.rows_per_file().is_none());
        let file = one.then(|| claim("--output", &self.output));
        let report = self.report.as_ref().map(|path| claim("--report", path));
        let (file, report) = (file.transpose()?, report.transpose()?);
        if let (Some(file), Some(report)) = (&file, &report) {
            report.refuse_same(file)?;
        }
        Ok(report)
    }

    /// Has the store record that the export begins, of the snapshot that was taken before.
    fn begin(
        &self,
        export: &Export,
        snapshot: &Snapshot,
        query: &Query,
        output: &Output,
    ) -> Outcome<Option<AuditedExport<'static>>> {
        if !self.auditing.is_asked_for() {
            return Ok(None);
        }
        let performer = self.auditing.performer()?;
        let audit = ExportAudit::in_folder(&self.database.path, performer);
        let begun = audit.begin(export, snapshot, query);
        self.auditing.settle(begun, output)
    }

    /// Has the store record how the export ended; whether it did.
    fn end(
        &self,
        begun: Option<AuditedExport<'static>>,
        made: &Outcome<ExportManifest>,
        output: &Output,
    ) -> Outcome<bool> {
        let Some(begun) = begun else {
            return Ok(false);
        };
        let recorded = match made {
            Ok(made) if made.whole.interrupted => begun.failed("interrupted"),
            Ok(made) => begun.exported(made),
            Err(failure) => begun.failed(failure.what()),
        };
        Ok(self.auditing.settle(recorded, output)?.is_some())
    }

    fn write(
        &self,
        export: &Export,
        snapshot: &Snapshot,
        query: &Query,
        to_stdout: bool,
        output: &Output,
    ) -> Outcome<ExportManifest> {
        let quiet = to_stdout && output.is_terminal();
        let progress = (!quiet).then(|| Progress::new("events exported", export.limit));
        let watch = &mut |rows| {
            if let Some(progress) = &progress {
                progress.at(rows);
            }
            if output.interrupt.seen() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let (path, force, rows) = (&self.output, self.force, self.extent.rows_per_file());
        let one = |report: ExportReport| {
            let name = path.display().to_string();
            let name = (!to_stdout).then_some(name.as_str());
            ExportManifest::of_one(export, name, query.cursor, report)
        };
        let made = match (self.extent.zip(), rows) {
            (true, _) if to_stdout => export.zip_into(snapshot, query, output.data(), rows, watch),
            (true, _) => export.to_zip(snapshot, query, path, rows, force, watch),
            (false, Some(rows)) => {
                export.to_files_watched(snapshot, query, path, rows, force, watch)
            }
            (false, None) if export.format == Format::Pdf && to_stdout => {
                return pages_to_stdout(export, snapshot, query, output, watch);
            }
            (false, None) if export.format == Format::Pdf => {
                export.to_files_watched(snapshot, query, path, u64::MAX, force, watch)
            }
            (false, None) if to_stdout => {
                let report = export.run_watched(snapshot, query, output.data(), watch);
                report.map(one)
            }
            (false, None) => {
                let report = export.to_file_watched(snapshot, query, path, force, watch);
                report.map(one)
            }
        };
        made.map_err(|error| match error.kind() {
            ErrorKind::Exists => Failure::from(error).about("--output"),
            _ => Failure::from(error),
        })
    }

    /// The facts in one line on stderr.
    fn tell(&self, made: &ExportManifest, output: &Output) {
        let whole = &made.whole;
        let ends = match (whole.first, whole.last) {
            (Some(first), Some(last)) => format!(", first {first}, last {last}"),
            _ => String::new(),
        };
        let cursor = whole.next_cursor.as_ref();
        let cursor = cursor.map_or_else(String::new, |cursor| {
            format!(", go on with --cursor {cursor}")
        });
        let (mut place, sha256, bytes) = match &made.archive {
            Some(archive) => (" zipped".to_owned(), &archive.sha256, archive.bytes),
            None => (String::new(), &whole.sha256, whole.bytes),
        };
        if self.output != Path::new("-") {
            let name = self.output.display().to_string();
            place += &format!(" to {}", text::one_line(&name));
        }
        if made.files.len() > 1 {
            place += &format!(" in {}", table::counted(made.files.len() as u64, "file"));
        }
        output.note(&format!(
            "{}, {}{place}, sha256 {sha256}, {}{ends}, snapshot of {}{cursor}",
            table::counted(whole.rows, "row"),
            table::counted(bytes, "byte"),
            self.extent.ending(made),
            table::counted(whole.snapshot_seq, "event"),
        ));
        if let Some(missing) = missing(&whole.missing_glyphs) {
            output.note(&format!("{missing}; give one with --font FILE"));
        }
    }
}

/// What to say of characters that no font has.
pub(super) fn missing(glyphs: &MissingGlyphs) -> Option<String> {
    let numbers = glyphs.to_string();
    let mut listed: Vec<&str> = numbers.split(' ').take(MISSING_LISTED + 1).collect();
    if let Some(last) = listed.get_mut(MISSING_LISTED) {
        *last = "and more, which the report lists";
    }
    (glyphs.count > 0).then(|| {
        format!(
            "{} in no font and shown by number: {}",
            table::counted(glyphs.count, "character"),
            listed.join(" "),
        )
    })
}

impl CompressWord {
    pub(super) fn meaning(self) -> Compression {
        match self {
            CompressWord::Zstd => Compression::Zstd,
            CompressWord::Gzip => Compression::Gzip,
        }
    }
}

/// A document is written when it is whole, and only if it holds everything that it was to.
fn pages_to_stdout(
    export: &Export,
    snapshot: &Snapshot,
    query: &Query,
    output: &Output,
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Outcome<ExportManifest> {
    let mut pages = Vec::new();
    let report = export.run_watched(snapshot, query, &mut pages, watch)?;
    let limit = export.limit.unwrap_or(u64::MAX);
    if !report.complete && report.rows < limit && !report.interrupted {
        let what = "--format pdf: the events fill more pages than one document holds";
        let hint = "several documents need --output FILE, or --zip; fewer events --limit";
        return Err(Failure::usage(what).hint(hint));
    }
    let mut out = output.data();
    out.write_all(&pages)?;
    out.flush()?;
    Ok(ExportManifest::of_one(export, None, query.cursor, report))
}

fn interrupted(report: &ExportReport, to_stdout: bool) -> Failure {
    let what = match &report.next_cursor {
        Some(cursor) if to_stdout => {
            format!("interrupted; the rest follows with --no-header --cursor {cursor}")
        }
        _ if to_stdout => "interrupted behind the last event".to_owned(),
        _ => "interrupted; no file was made, run it again".to_owned(),
    };
    Failure::new(Code::Interrupted, what)
}
