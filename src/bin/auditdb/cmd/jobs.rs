//! `auditdb jobs`: exports that survive the process that makes them.

use std::io::Write;
use std::ops::ControlFlow;
use std::time::Duration;

use auditdb::Compression;
use auditdb::ErrorKind;
use auditdb::Export;
use auditdb::ExportId;
use auditdb::ExportJob;
use auditdb::ExportJobOptions;
use auditdb::ExportJobState;
use auditdb::ExportJobs;
use auditdb::Format;
use clap::Args;
use clap::Subcommand;

use super::export::CompressWord;
use super::export::extent::Extent;
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
use crate::zone::NamedZone;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb jobs trail start -f csv --type 'admin.*' --job-key 2026-Q2 --as user:u7
  auditdb jobs trail start -f ndjson --compress zstd --queue      only note it, and print its name
  auditdb jobs trail start -f csv --profile investigation         files of 50,000 in one archive
  auditdb jobs trail start -f csv --layout trail --tz Europe/Berlin --locale de --text Umzug
  auditdb jobs trail status exp_01… --wait                        go on with it, or wait for it
  auditdb jobs trail list
  auditdb jobs trail purge                                        remove files whose time is over

A job is of the store as it is when the job is started. Its file lies in DB/exports and is the same
bytes however often the work was interrupted; whoever runs it next goes on at the last 65,536 rows
that were made durable, or behind the last whole document. It takes what export takes; --rows-per-file
and pdf only together with --zip, since a job makes one file, and no JSON array and no --font. With a
program that was built with --features pdf it makes documents of 1,000 pages each:

  auditdb jobs trail start -f pdf --zip --during 2026-Q2

The store's own trail tells of each job: audit.export_started, audit.exported, audit.export_failed,
audit.export_purged.")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Every job, one line of JSON each, the one that was started last at the end
    List,
    /// Start an export as a job and work on it until its file is there
    Start(Box<Start>),
    /// Tell how far a job is
    Status(Status),
    /// Give a job up and remove what there is of its file
    Cancel(Named),
    /// Remove the files of jobs whose time is over
    Purge(Auditing),
}

#[derive(Args)]
struct Start {
    #[command(flatten)]
    form: Form,
    /// Pack the file
    #[arg(long, value_enum, value_name = "HOW")]
    compress: Option<CompressWord>,
    /// Start one job under this name: the same words again go on with it
    #[arg(long, value_name = "NAME")]
    job_key: Option<String>,
    /// Days for which the file is kept
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u64).range(..=36_500))]
    keep_days: u64,
    /// Only note the job; `status --wait` works on it
    #[arg(long)]
    queue: bool,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    auditing: Auditing,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    filters: Filters,
}

#[derive(Args)]
struct Status {
    #[command(flatten)]
    job: Named,
    /// Wait until the job is over; where nobody works on it, do
    #[arg(long)]
    wait: bool,
}

#[derive(Args)]
struct Named {
    /// The job's name, exp_…
    #[arg(value_name = "ID")]
    id: String,
}

/// How often a job that another process works on is looked at.
const PATIENCE: Duration = Duration::from_millis(200);
const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let jobs = || -> Outcome<ExportJobs<'static>> {
        let zone = |name: &str| NamedZone::find(name).ok().map(|zone| zone.local());
        Ok(ExportJobs::in_folder(&words.database.path)?.zones(zone))
    };
    match &words.action {
        Action::List => {
            let mut unread = Ok(Code::Done);
            for job in jobs()?.list()? {
                match job {
                    Ok(job) => print(&job, output)?,
                    Err(error) => unread = unread.and(Err(Failure::from(error))),
                }
            }
            unread
        }
        Action::Start(start) => begin(&words.database, start, jobs()?, output),
        Action::Status(status) => {
            let (jobs, id) = (jobs()?, status.job.id()?);
            let job = match status.wait {
                true => wait(&jobs, id, output)?,
                false => jobs.status(id)?,
            };
            end(&job, status.wait, output)
        }
        Action::Cancel(named) => {
            let job = jobs()?.cancel(named.id()?)?;
            if job.state == ExportJobState::Ready {
                output.note("it was ready before, and keeps its file until its time is over");
            }
            end(&job, false, output)
        }
        Action::Purge(auditing) => {
            for job in required(jobs()?, auditing).purge()? {
                print(&job, output)?;
            }
            Ok(Code::Done)
        }
    }
}

fn begin(
    database: &Database,
    start: &Start,
    jobs: ExportJobs<'_>,
    output: &Output,
) -> Outcome<Code> {
    let jobs = required(jobs, &start.auditing);
    let export = Export {
        limit: start.extent.limit(),
        view: start.extent.view(),
        compression: start
            .compress
            .map_or(Compression::None, CompressWord::meaning),
        ..start.form.export(&start.filters)?
    };
    if start.extent.rows_per_file().is_some() && !start.extent.zip() {
        let what = "--rows-per-file: a job makes one file; add --zip for several in one archive";
        return Err(Failure::usage(what));
    }
    if export.format == Format::Json {
        let what = "--format json: a job works in steps, and one JSON array has none";
        return Err(Failure::usage(what).hint("take -f ndjson"));
    }
    if export.format == Format::Pdf && !start.extent.zip() {
        let what = "--format pdf: a job makes one file, and a pdf may come to several documents";
        return Err(Failure::usage(what).hint("add --zip for an archive of them"));
    }
    if !export.fonts.is_empty() {
        let what = "--font: a job keeps no fonts; `auditdb export` takes them";
        return Err(Failure::usage(what));
    }
    start.extent.check(&export, false)?;
    let filter = start.filters.read(database)?;
    start.filters.explain(&filter, output);
    let query = start.place.query(filter)?;
    start.extent.count(&database.snapshot()?, &query)?;
    let options = ExportJobOptions {
        key: start.job_key.clone(),
        performer: start.auditing.performer()?,
        keep: DAY.saturating_mul(u32::try_from(start.keep_days).unwrap_or(u32::MAX)),
        zip: start.extent.zip(),
        rows_per_file: start.extent.rows_per_file(),
    };
    let started = jobs.start(&export, &query, &options);
    let job = started.map_err(|error| match error.kind() {
        ErrorKind::KeyConflict => Failure::usage(format!("--job-key: {error}")),
        _ if error.to_string().starts_with("rows_per_file") => {
            Failure::from(error).about("--rows-per-file")
        }
        _ => Failure::from(error),
    })?;
    let was_over = job.state.is_over();
    // What is over its time goes whenever a job begins; the files of others are no reason to fail.
    drop(jobs.purge());
    if start.queue {
        return end(&job, false, output);
    }
    output.note(&format!("job {}", job.id));
    let job = wait(&jobs, job.id, output)?;
    // One that is kept for no time at all was made all the same.
    end(
        &job,
        was_over || job.state != ExportJobState::Expired,
        output,
    )?;
    start
        .extent
        .check_complete(job.complete != Some(false), job.rows)
}

fn required<'s>(jobs: ExportJobs<'s>, auditing: &Auditing) -> ExportJobs<'s> {
    match auditing.is_required() {
        true => jobs.require_audit(),
        false => jobs,
    }
}

/// Works on a job, or waits for whoever does, until it is over.
fn wait(jobs: &ExportJobs<'_>, id: ExportId, output: &Output) -> Outcome<ExportJob> {
    output.interrupt.arm();
    let estimate = jobs.status(id)?.rows_estimate;
    let progress = Progress::new("events exported", estimate);
    loop {
        let mut watch = |rows| {
            progress.at(rows);
            match output.interrupt.seen() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        match jobs.run(id, &mut watch) {
            Err(error) if error.kind() == ErrorKind::Locked => std::thread::sleep(PATIENCE),
            Err(error) => return Err(Failure::from(error).about(&format!("job {id}"))),
            Ok(job) if job.state.is_over() => return Ok(job),
            Ok(_) => {}
        }
        if output.interrupt.seen() {
            let what = format!("interrupted; `jobs DB status {id} --wait` goes on with the job");
            return Err(Failure::new(Code::Interrupted, what));
        }
    }
}

/// Prints a job, and says whether it came to what was waited for.
fn end(job: &ExportJob, waited: bool, output: &Output) -> Outcome<Code> {
    print(job, output)?;
    if waited && job.state == ExportJobState::Ready && !job.audited {
        output.note("not recorded in the store: it cannot be written");
    }
    if let Some(missing) = super::export::missing(&job.missing_glyphs).filter(|_| waited) {
        output.note(&missing);
    }
    match job.state {
        ExportJobState::Cancelled | ExportJobState::Expired if waited => {
            let what = format!(
                "job {} is {}, and has no file; another job makes it again, under a --job-key of its own",
                job.id,
                job.state.as_str()
            );
            Err(Failure::new(Code::Failed, what))
        }
        ExportJobState::Ready if waited && job.file.is_none() => {
            let what = format!(
                "job {} was made, and its file is gone; another job makes it again, under a --job-key \
                 of its own",
                job.id
            );
            Err(Failure::new(Code::Failed, what))
        }
        _ => Ok(Code::Done),
    }
}

impl Named {
    fn id(&self) -> Outcome<ExportId> {
        self.id
            .parse()
            .map_err(|error| Failure::from(error).about("ID"))
    }
}

fn print(job: &ExportJob, output: &Output) -> Outcome<()> {
    let number = |value: Option<u64>| value.map_or_else(|| "null".to_owned(), |n| n.to_string());
    let text = |value: Option<&str>| value.map_or_else(|| "null".to_owned(), super::json_text);
    let file = job.file.as_ref().map(|file| file.display().to_string());
    let complete = job.complete.map_or("null", |complete| match complete {
        true => "true",
        false => "false",
    });
    let mut out = output.data();
    write!(
        out,
        "{{\"id\":\"{}\",\"key\":{},\"state\":\"{}\",\"reason\":{},\"rows\":{},\"bytes\":{},\
         \"sha256\":{},\"progress\":{:.4},\"rows_estimate\":{},\"complete\":{complete},\
         \"next_cursor\":{},\"snapshot_seq\":{},\"first\":{},\"last\":{},\"created_at\":\"{}\",\
         \"ended_at\":{},\"expires_at\":{},\"file\":{},\"audited\":{}",
        job.id,
        text(job.key.as_deref()),
        job.state.as_str(),
        text(job.reason.as_deref()),
        job.rows,
        job.bytes,
        text(Some(job.sha256.as_str()).filter(|digest| !digest.is_empty())),
        job.progress,
        number(job.rows_estimate),
        super::quoted(job.next_cursor),
        job.snapshot_seq,
        super::quoted(job.first),
        super::quoted(job.last),
        job.created_at,
        super::quoted(job.ended_at),
        super::quoted(job.expires_at),
        text(file.as_deref()),
        job.audited,
    )?;
    let missing = &job.missing_glyphs;
    if missing.count > 0 {
        let count = missing.count;
        write!(
            out,
            ",\"missing_glyphs\":{{\"count\":{count},\"characters\":\"{missing}\"}}"
        )?;
    }
    writeln!(out, "}}")?;
    out.flush()?;
    Ok(())
}
