//! `auditdb export`: events to a file that appears whole or not at all, or to stdout.

use std::ops::ControlFlow;
use std::path::Path;
use std::path::PathBuf;

use auditdb::Compression;
use auditdb::CsvSafety;
use auditdb::Export;
use auditdb::ExportReport;
use auditdb::Format;
use auditdb::Layout;
use auditdb::Query;
use auditdb::Snapshot;
use clap::Args;

use crate::args::Database;
use crate::args::Filters;
use crate::args::Place;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::output::Output;
use crate::progress::Progress;
use crate::table;
use crate::target::Target;
use crate::text;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb export trail -f ndjson -o trail.ndjson              everything, every field
  auditdb export trail --type 'admin.*' --since 2026-04-01 --until 2026-06-30 -f csv -o q2.csv
  auditdb export trail -f csv --limit 50000 --report part1.json -o part1.csv
  auditdb export trail -f csv --limit 50000 --cursor TOKEN --no-header -o part2.csv

The parts of an export, each from the next_cursor of the one before, put one behind the other are
the export made in one go: no event twice, none missing, also where many share one time.

Formats and layouts that exist: csv+native, csv+entries, ndjson+native, ndjson+entries, json+native.")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    /// The file format
    #[arg(short = 'f', long, value_enum, value_name = "FORMAT")]
    format: FormatWord,
    /// The file to make; - is stdout
    #[arg(short = 'o', long = "output", default_value = "-", value_name = "FILE")]
    output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
    /// Events at the most
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Leave out the CSV line that names the columns, for parts after the first
    #[arg(long)]
    no_header: bool,
    /// Which columns and keys
    #[arg(long, value_enum, default_value_t, value_name = "LAYOUT")]
    layout: LayoutWord,
    /// Whether CSV cells that look like formulas get a ' in front
    #[arg(long, value_enum, default_value_t, value_name = "SAFETY")]
    csv_safety: SafetyWord,
    /// Pack the file
    #[arg(long, value_enum, value_name = "HOW")]
    compress: Option<CompressWord>,
    /// Write what was exported, and where to go on, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Exit with 3 if more remained than --limit let through
    #[arg(long)]
    require_complete: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    filters: Filters,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormatWord {
    /// RFC 4180, one record an event
    Csv,
    /// One line of JSON an event
    Ndjson,
    /// One JSON array
    Json,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum LayoutWord {
    /// Every field under its own name
    #[default]
    Native,
    /// Audit entries with actor, target, data and context
    Entries,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum SafetyWord {
    #[default]
    Guard,
    Raw,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum CompressWord {
    Zstd,
    Gzip,
}

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let export = words.export();
    export.validate().map_err(|error| {
        let pair = words.layout_flag();
        Failure::from(error).about(pair)
    })?;
    let to_stdout = words.output == Path::new("-");
    if to_stdout && words.compress.is_some() && output.is_terminal() {
        return Err(Failure::usage(
            "--compress: packed bytes are not written to a terminal",
        ));
    }
    let told = words.claim(to_stdout)?;
    let filter = words.filters.read()?;
    words.filters.explain(&filter, output);
    let query = words.place.query(filter)?;
    let snapshot = words.database.snapshot()?;
    if words.filters.explain {
        let events = words.limit.unwrap_or(u64::MAX).min(super::PLANNED);
        super::explain_plan(&snapshot, &query, events, output)?;
    }
    output.interrupt.arm();
    let report = words.write(&export, &snapshot, &query, to_stdout, output)?;
    if report.interrupted && !to_stdout {
        return Err(interrupted(&report, to_stdout));
    }
    words.tell(&report, output);
    if let Some(told) = told {
        told.make_of(&words.json(&export, &report))?;
    }
    if report.interrupted {
        Err(interrupted(&report, to_stdout))
    } else if words.require_complete && !report.complete {
        let rows = table::grouped(report.rows);
        let what = format!("--require-complete: more events remained behind these {rows}");
        Err(Failure::new(Code::Incomplete, what))
    } else {
        Ok(Code::Done)
    }
}

impl Words {
    fn export(&self) -> Export {
        Export {
            format: match self.format {
                FormatWord::Csv => Format::Csv,
                FormatWord::Ndjson => Format::Ndjson,
                FormatWord::Json => Format::Json,
            },
            layout: match self.layout {
                LayoutWord::Native => Layout::Native,
                LayoutWord::Entries => Layout::Entries,
            },
            csv_safety: match self.csv_safety {
                SafetyWord::Guard => CsvSafety::Guard,
                SafetyWord::Raw => CsvSafety::Raw,
            },
            limit: self.limit,
            compression: match self.compress {
                None => Compression::None,
                Some(CompressWord::Zstd) => Compression::Zstd,
                Some(CompressWord::Gzip) => Compression::Gzip,
            },
            header: !self.no_header,
        }
    }

    /// Claims the files that are to be made; gives the one for the report.
    fn claim(&self, to_stdout: bool) -> Outcome<Option<Target>> {
        let claim = |flag, path: &PathBuf| Target::claim(flag, path, self.force);
        let file = (!to_stdout).then(|| claim("--output", &self.output));
        let report = self.report.as_ref().map(|path| claim("--report", path));
        let (file, report) = (file.transpose()?, report.transpose()?);
        if let (Some(file), Some(report)) = (&file, &report) {
            report.refuse_same(file)?;
        }
        Ok(report)
    }

    /// The flag that does not go together with the format.
    fn layout_flag(&self) -> &'static str {
        match self.layout {
            LayoutWord::Native if self.no_header => "--no-header",
            _ => "--layout",
        }
    }

    fn write(
        &self,
        export: &Export,
        snapshot: &Snapshot,
        query: &Query,
        to_stdout: bool,
        output: &Output,
    ) -> Outcome<ExportReport> {
        let quiet = to_stdout && output.is_terminal();
        let progress = (!quiet).then(|| Progress::new("events exported", self.limit));
        let mut watch = |rows| {
            if let Some(progress) = &progress {
                progress.at(rows);
            }
            if output.interrupt.seen() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        Ok(if to_stdout {
            export.run_watched(snapshot, query, output.data(), &mut watch)?
        } else {
            export.to_file_watched(snapshot, query, &self.output, self.force, &mut watch)?
        })
    }

    /// The facts in one line on stderr.
    fn tell(&self, report: &ExportReport, output: &Output) {
        let ends = match (report.first, report.last) {
            (Some(first), Some(last)) => format!(", first {first}, last {last}"),
            _ => String::new(),
        };
        let cursor = report.next_cursor.as_ref();
        let cursor = cursor.map_or_else(String::new, |cursor| {
            format!(", go on with --cursor {cursor}")
        });
        let file = match self.output.to_str() {
            Some("-") => String::new(),
            _ => {
                let name = self.output.display().to_string();
                format!(" to {}", text::one_line(&name))
            }
        };
        let rest = if report.complete {
            "complete"
        } else {
            "more remain"
        };
        output.note(&format!(
            "{}, {}{file}, sha256 {}, {rest}{ends}, snapshot of {}{cursor}",
            table::counted(report.rows, "row"),
            table::counted(report.bytes, "byte"),
            report.sha256,
            table::counted(report.snapshot_seq, "event"),
        ));
    }

    fn json(&self, export: &Export, report: &ExportReport) -> String {
        let files = if self.output == Path::new("-") || report.interrupted {
            String::new()
        } else {
            let name = self.output.display().to_string();
            format!(
                "{{\"name\":{},\"rows\":{},\"bytes\":{},\"sha256\":\"{}\"}}",
                super::json_text(&name),
                report.rows,
                report.bytes,
                report.sha256
            )
        };
        format!(
            "{{\"rows\":{},\"bytes\":{},\"sha256\":\"{}\",\"complete\":{},\"next_cursor\":{},\
             \"snapshot_seq\":{},\"first\":{},\"last\":{},\"files\":[{files}],\"format\":\"{}\",\
             \"layout\":\"{}\",\"csv_safety\":\"{}\",\"header\":{}}}\n",
            report.rows,
            report.bytes,
            report.sha256,
            report.complete,
            super::quoted(report.next_cursor),
            report.snapshot_seq,
            super::quoted(report.first),
            super::quoted(report.last),
            export.format.as_str(),
            export.layout.as_str(),
            export.csv_safety.as_str(),
            export.header,
        )
    }
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
