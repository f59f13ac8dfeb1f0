//! The words that say what an export looks like: its format, which columns and keys, and for whom.
//! `docs/format/csv.md` tells what each layout has.

use std::sync::Arc;

use auditdb::Audience;
use auditdb::CsvSafety;
use auditdb::Export;
use auditdb::Format;
use auditdb::Layout;
use auditdb::Locale;
use clap::Args;

use crate::args::Filters;
use crate::failure::Failure;
use crate::failure::Outcome;

/// What an export looks like.
#[derive(Args)]
pub(crate) struct Form {
    /// The file format
    #[arg(short = 'f', long, value_enum, value_name = "FORMAT")]
    format: FormatWord,
    /// Which columns and keys
    #[arg(long, value_enum, default_value_t, value_name = "LAYOUT")]
    layout: LayoutWord,
    /// Whether CSV cells that look like formulas get a ' in front
    #[arg(long, value_enum, default_value_t, value_name = "SAFETY")]
    csv_safety: SafetyWord,
    /// For Excel: CSV that begins with a byte order mark, where cells that it would show as something
    /// else, such as 007 or 3-4, get a ' in front too, and what has no room in a sheet is refused
    #[arg(long)]
    excel: bool,
    /// The language of headings and labels: ar, de, en, es, fr, it, ja, nl, pl, pt, zh
    #[arg(long, value_name = "xx")]
    locale: Option<String>,
    /// Leave out the CSV line that names the columns, for parts after the first
    #[arg(long)]
    no_header: bool,
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
    /// For people: date and time, subject, event, performed by, and the rest behind
    Trail,
    /// For people: the fields by which an entity's audit is searched
    Sentinel,
}

/// How cells that look like formulas are written, and read back.
#[derive(Clone, Copy, Debug, Default, PartialEq, clap::ValueEnum)]
pub(crate) enum SafetyWord {
    /// With a ' in front
    #[default]
    Guard,
    /// As they are
    Raw,
}

impl Form {
    /// An export of everything that looks so, where the filter's words say in which zone times are
    /// told and which packs name types and kinds.
    pub(crate) fn export(&self, filters: &Filters) -> Outcome<Export> {
        let export = Export {
            format: match self.format {
                FormatWord::Csv => Format::Csv,
                FormatWord::Ndjson => Format::Ndjson,
                FormatWord::Json => Format::Json,
            },
            layout: match self.layout {
                LayoutWord::Native => Layout::Native,
                LayoutWord::Entries => Layout::Entries,
                LayoutWord::Trail => Layout::Trail,
                LayoutWord::Sentinel => Layout::Sentinel,
            },
            csv_safety: self.safety()?,
            header: !self.no_header,
            audience: Audience {
                locale: self.locale()?,
                zone: filters.zone()?.local(),
                registry: Arc::new(filters.registry()?),
            },
            ..Export::default()
        };
        let checked = export.validate();
        checked.map_err(|error| Failure::from(error).about(self.flag()))?;
        Ok(export)
    }

    fn safety(&self) -> Outcome<CsvSafety> {
        Ok(match (self.csv_safety, self.excel) {
            (SafetyWord::Guard, false) => CsvSafety::Guard,
            (SafetyWord::Guard, true) => CsvSafety::Excel,
            (SafetyWord::Raw, false) => CsvSafety::Raw,
            (SafetyWord::Raw, true) => {
                let what = "--excel: Excel runs formulas, so --csv-safety raw does not go with it";
                return Err(Failure::usage(what));
            }
        })
    }

    fn locale(&self) -> Outcome<Option<Locale>> {
        let found = self.locale.as_deref().map(Locale::find).transpose();
        found.map_err(|error| Failure::from(error).about("--locale"))
    }

    /// The flag that does not go together with the format.
    fn flag(&self) -> &'static str {
        let csv = matches!(self.format, FormatWord::Csv);
        match self.layout {
            _ if self.excel && !csv => "--excel",
            LayoutWord::Native if self.no_header => "--no-header",
            _ => "--layout",
        }
    }
}
