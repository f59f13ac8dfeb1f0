//! The words of the command line that several commands share, and the list of commands.
//! `docs/cli.md` is the contract; each command's own words stand in its file below `cmd/`.

use std::path::Path;
use std::path::PathBuf;

use auditdb::Cursor;
use auditdb::Filter;
use auditdb::Order;
use auditdb::Query;
use auditdb::ReadMode;
use auditdb::Reader;
use auditdb::Registry;
use auditdb::SavedQueries;
use auditdb::SavedQuery;
use auditdb::Sequence;
use auditdb::Snapshot;
use clap::Args;
use clap::Parser;

use crate::cmd::Command;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::output::Color;
use crate::output::Output;
use crate::packs::Packs;
use crate::text;
use crate::zone::NamedZone;

/// An append-only audit store: who did what to what, when, and how it ended
#[derive(Parser)]
#[command(
    name = "auditdb",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Examples:
  auditdb demo                                   see all of it on generated data
  auditdb import trail events.ndjson.zst         make a store from a file
  auditdb query trail --type 'admin.*' --since -7d
  auditdb export trail --performer user:u7 -f csv -o u7.csv

Exit codes: 0 done, 1 damage or failure, 2 wrong usage, 3 more remained (--require-complete),
4 the store is locked or is none, 130 interrupted."
)]
pub(crate) struct Arguments {
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which events: the same words on query, export, facets and follow.
#[derive(Args)]
#[command(
    next_help_heading = "Filters (a flag given twice, or a,b: any of them; different flags: all of them; !x: not; x*: prefix; \\ takes , ! * : \\ literally)"
)]
pub(crate) struct Filters {
    /// At or after T: 2026-05-17, 2026-05-17T08:00, RFC 3339, @1715932800s, now, -24h, -7d
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    since: Vec<String>,
    /// Up to and including T, to the precision written: a date is that whole day
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    until: Vec<String>,
    /// Before T
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    before: Vec<String>,
    /// In this period of the calendar: 2026-Q2, 2026-05 or 2026-05-17
    #[arg(long, value_name = "PERIOD", allow_hyphen_values = true)]
    during: Vec<String>,
    /// In the time up to now: 24h, 7d; units are s, m, h, d, w
    #[arg(long, value_name = "LENGTH", allow_hyphen_values = true)]
    last: Vec<String>,
    /// What happened, such as user.updated or 'admin.*'
    #[arg(long = "type", value_name = "X", allow_hyphen_values = true)]
    event_type: Vec<String>,
    /// The finer word below the type
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    sub_type: Vec<String>,
    /// What was changed; a leading : is any kind
    #[arg(long, value_name = "KIND[:ID]", allow_hyphen_values = true)]
    subject: Vec<String>,
    /// What was changed, or else touched
    #[arg(long, value_name = "KIND[:ID]", allow_hyphen_values = true)]
    target: Vec<String>,
    /// Who did it
    #[arg(long, value_name = "KIND[:ID]", allow_hyphen_values = true)]
    performer: Vec<String>,
    /// For whom it was done
    #[arg(long, value_name = "KIND[:ID]", allow_hyphen_values = true)]
    on_behalf_of: Vec<String>,
    /// success, failure, denied, partial or unknown
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    outcome: Vec<String>,
    /// The system that reported it
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    source: Vec<String>,
    /// The organisation
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    org: Vec<String>,
    /// The client's address, or a network such as 10.0.0.0/8
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    ip: Vec<String>,
    /// A metadata pair; different keys are all required
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    meta: Vec<String>,
    /// The event's id, here or where it was imported from
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    id: Vec<String>,
    /// The event's idempotency key
    #[arg(long, value_name = "K", allow_hyphen_values = true)]
    key: Vec<String>,
    /// A word in what people wrote: labels, reason, values of metadata, changes and data
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    text: Vec<String>,
    /// Without this field, such as outcome or meta:ticket
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    no: Vec<String>,
    /// Parameters as web services write them, such as 'event_type=a&metadata[entity_id]=x'
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    filter: Vec<String>,
    /// The filter that was saved under this name; further words narrow it
    #[arg(long, value_name = "NAME")]
    query: Option<String>,
    /// The time zone in which times without one are read, and which exports for people tell beside UTC
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: String,
    #[command(flatten)]
    packs: Packs,
    /// Tell on stderr how the filter was read and what was looked at
    #[arg(long)]
    pub(crate) explain: bool,
}

/// How a command answers that prints one thing.
#[derive(Args)]
pub(crate) struct Answer {
    /// What to print
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(crate) shape: Shape,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, clap::ValueEnum)]
pub(crate) enum Shape {
    /// Columns for people
    #[default]
    Table,
    /// One object with all there is
    Json,
}

/// Where in the events to read.
#[derive(Args)]
pub(crate) struct Place {
    /// Go on where a former page or part ended
    #[arg(long, value_name = "C", allow_hyphen_values = true)]
    cursor: Option<String>,
    /// Oldest events first
    #[arg(long)]
    oldest_first: bool,
    /// Only events committed at or after this sequence number
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    since_seq: Option<u64>,
}

impl Filters {
    /// The filter that the words describe, within the saved query that they name.
    pub(crate) fn read(&self, database: &Database) -> Outcome<Filter> {
        let zone = self.zone()?;
        let filter = match &self.query {
            None => Filter::from_flags(self.words(), &zone)?,
            Some(name) => {
                let about = |error| Failure::from(error).about("--query");
                let saved = SavedQueries::open(&database.path)?
                    .get(name)
                    .map_err(about)?;
                let saved_zone = NamedZone::find(&saved.zone)?;
                Filter::from_flags_within(saved.words(), &saved_zone, self.words(), &zone)?
            }
        };
        // Names that stand for one thing find all of it, whichever of them was stored.
        Ok(filter.with_aliases(&self.registry()?))
    }

    /// The words as they are saved.
    pub(crate) fn to_saved(&self) -> SavedQuery {
        let owned = |(flag, text): (&str, &str)| (flag.to_owned(), text.to_owned());
        SavedQuery {
            flags: self.words().map(owned).collect(),
            zone: self.tz.clone(),
        }
    }

    fn words(&self) -> impl Iterator<Item = (&str, &str)> {
        let flags = [
            ("since", &self.since),
            ("until", &self.until),
            ("before", &self.before),
            ("during", &self.during),
            ("last", &self.last),
            ("type", &self.event_type),
            ("sub-type", &self.sub_type),
            ("subject", &self.subject),
            ("target", &self.target),
            ("performer", &self.performer),
            ("on-behalf-of", &self.on_behalf_of),
            ("outcome", &self.outcome),
            ("source", &self.source),
            ("org", &self.org),
            ("ip", &self.ip),
            ("meta", &self.meta),
            ("id", &self.id),
            ("key", &self.key),
            ("text", &self.text),
            ("no", &self.no),
            ("filter", &self.filter),
        ];
        flags
            .into_iter()
            .flat_map(|(flag, texts)| texts.iter().map(move |text| (flag, text.as_str())))
    }

    /// The zone in which times are read, and which exports for people tell.
    pub(crate) fn zone(&self) -> Outcome<NamedZone> {
        NamedZone::find(&self.tz)
    }

    /// The packs whose names count.
    pub(crate) fn registry(&self) -> Outcome<Registry> {
        self.packs.registry()
    }

    /// What stands behind the word that nothing was found, where something was asked for.
    pub(crate) fn if_nothing(&self) -> &'static str {
        let is_everything = self.query.is_none() && self.words().next().is_none();
        match is_everything || self.explain {
            true => "",
            false => "; --explain says how the filter was read",
        }
    }

    /// Tells how the filter was read, if that was asked for.
    pub(crate) fn explain(&self, filter: &Filter, output: &Output) {
        if self.explain {
            let read = filter.explain();
            let read = if read.is_empty() {
                "every event"
            } else {
                read.as_str()
            };
            output.note(&format!("filter: {}", text::several_lines(read)));
            if !self.text.is_empty() {
                output.note(
                    "cost: no index knows --text, so every event that the rest of the filter leaves is \
                     read for it",
                );
            }
        }
    }
}

impl Place {
    /// The query that reads `filter` from here.
    pub(crate) fn query(&self, filter: Filter) -> Outcome<Query> {
        let cursor = self.cursor.as_deref().map(str::parse::<Cursor>).transpose();
        let cursor = cursor.map_err(Failure::from)?;
        Ok(Query {
            filter,
            order: if self.oldest_first {
                Order::OldestFirst
            } else {
                Order::NewestFirst
            },
            cursor,
            since_seq: self.since_seq.map(Sequence),
            ..Query::default()
        })
    }
}

/// The store's folder.
#[derive(Args)]
pub(crate) struct Database {
    /// The store's folder
    #[arg(value_name = "DB")]
    pub(crate) path: PathBuf,
}

impl Database {
    /// Opens the store for reading, also beside a process that writes to it.
    pub(crate) fn reader(&self) -> Outcome<Reader> {
        open(&self.path)
    }

    pub(crate) fn snapshot(&self) -> Outcome<Snapshot> {
        Ok(self.reader()?.snapshot()?)
    }
}

/// Opens the store at `path` for reading.
pub(crate) fn open(path: &Path) -> Outcome<Reader> {
    Ok(Reader::open(path, ReadMode::default())?)
}
