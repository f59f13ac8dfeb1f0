//! The words that say what an export looks like: its format, which columns and keys, and for whom.
//! `docs/format/csv.md` tells what each layout has.

use std::sync::Arc;

use auditdb::Audience;
use auditdb::CsvSafety;
use auditdb::Export;
use auditdb::Format;
use auditdb::Layout;
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

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum SafetyWord {
    #[default]
    Guard,
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
            csv_safety: match self.csv_safety {
                SafetyWord::Guard => CsvSafety::Guard,
                SafetyWord::Raw => CsvSafety::Raw,
            },
            header: !self.no_header,
            audience: Audience {
                locale: None,
                zone: filters.zone()?.local(),
                registry: Arc::new(filters.registry()?),
            },
            ..Export::default()
        };
        let checked = export.validate();
        checked.map_err(|error| Failure::from(error).about(self.flag()))?;
        Ok(export)
    }

    /// The flag that does not go together with the format.
    fn flag(&self) -> &'static str {
        match self.layout {
            LayoutWord::Native if self.no_header => "--no-header",
            _ => "--layout",
        }
    }
}
