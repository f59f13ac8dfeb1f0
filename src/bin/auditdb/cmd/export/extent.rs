//! How much an export takes, and into how many files it goes.

use auditdb::Export;
use auditdb::ExportManifest;
use auditdb::Query;
use auditdb::Snapshot;
use clap::Args;

use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::table;

#[derive(Args)]
pub(in crate::cmd) struct Extent {
    /// Events at the most
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Begin a new file after every N events; a manifest tells of all of them
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    rows_per_file: Option<u64>,
    /// Make one zip archive of the file, or the files, and their manifest
    #[arg(long, conflicts_with = "compress")]
    zip: bool,
    /// Take the limits that are usual for a purpose; each of the flags above goes before it
    #[arg(long, value_enum, value_name = "PURPOSE")]
    profile: Option<ProfileWord>,
    /// Exit with 3 if more remained than the limit let through
    #[arg(long)]
    require_complete: bool,
    /// Export nothing and exit with 2 if more than N events match
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        conflicts_with = "view"
    )]
    limit_error: Option<u64>,
    /// What this organisation is shown: the events of its own trail, with performers of others as
    /// External Org User
    #[arg(long, value_name = "ORG", allow_hyphen_values = true)]
    view: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ProfileWord {
    /// At most 50,000 events in one file
    Evidence,
    /// At most 500,000 events in files of 50,000, zipped
    Investigation,
    /// Every event in one file
    All,
}

/// What one file holds, and a download of several, where such exports are limited.
const FILE_ROWS: u64 = 50_000;
const ZIP_ROWS: u64 = 500_000;

impl Extent {
    pub(in crate::cmd) fn limit(&self) -> Option<u64> {
        self.limit.or(match self.profile {
            Some(ProfileWord::Evidence) => Some(FILE_ROWS),
            Some(ProfileWord::Investigation) => Some(ZIP_ROWS),
            Some(ProfileWord::All) | None => None,
        })
    }

    pub(in crate::cmd) fn rows_per_file(&self) -> Option<u64> {
        let investigation = self.profile == Some(ProfileWord::Investigation);
        self.rows_per_file.or(investigation.then_some(FILE_ROWS))
    }

    pub(in crate::cmd) fn view(&self) -> Option<String> {
        self.view.clone()
    }

    pub(in crate::cmd) fn zip(&self) -> bool {
        self.zip || self.profile == Some(ProfileWord::Investigation)
    }

    /// Refuses what cannot be cut or packed as asked.
    pub(in crate::cmd) fn check(&self, export: &Export, to_stdout: bool) -> Outcome<()> {
        let rows = self.rows_per_file();
        let (flag, checked) = if self.zip() {
            ("--zip", export.validate_zip(rows))
        } else if let Some(rows) = rows {
            if to_stdout {
                let what = "--rows-per-file: several files need --output FILE, or --zip";
                return Err(Failure::usage(what));
            }
            ("--rows-per-file", export.validate_split(rows))
        } else {
            return Ok(());
        };
        checked.map_err(|error| Failure::from(error).about(flag))
    }

    /// Refuses an export of more events than `--limit-error` allows, before anything is made.
    pub(in crate::cmd) fn count(&self, snapshot: &Snapshot, query: &Query) -> Outcome<()> {
        let Some(most) = self.limit_error else {
            return Ok(());
        };
        if snapshot.has_more_than(query, most)? {
            let most = table::counted(most, "event");
            let what = format!("--limit-error: more than {most} match; nothing was exported");
            let hint = "ask for a shorter time or a narrower filter, or leave the flag out";
            return Err(Failure::usage(what).hint(hint));
        }
        Ok(())
    }

    /// What stands in the line of facts for how the export ended.
    pub(in crate::cmd) fn ending(&self, made: &ExportManifest) -> String {
        let whole = &made.whole;
        if whole.complete {
            return "complete".to_owned();
        }
        let by = match (self.limit, self.profile) {
            (Some(_), _) => "--limit",
            (None, Some(ProfileWord::Evidence)) => "--profile evidence",
            (None, Some(ProfileWord::Investigation)) => "--profile investigation",
            (None, _) => return "more remain".to_owned(),
        };
        format!("cut by {by}, more remain")
    }

    /// Ends with 3 where all was to be exported and was not, behind so many rows.
    pub(in crate::cmd) fn check_complete(&self, complete: bool, rows: u64) -> Outcome<Code> {
        if !self.require_complete || complete {
            return Ok(Code::Done);
        }
        let rows = table::grouped(rows);
        let what = format!("--require-complete: more events remained behind these {rows}");
        Err(Failure::new(Code::Incomplete, what))
    }
}
