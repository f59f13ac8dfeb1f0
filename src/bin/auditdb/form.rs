//! The words that say what an export looks like: its format, which columns and keys, and for whom.
//! `docs/format/csv.md` tells what each layout has.

use std::path::PathBuf;
use std::sync::Arc;

use auditdb::Audience;
use auditdb::CsvSafety;
use auditdb::Export;
use auditdb::ExportFont;
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
    /// Which columns and keys; native by default, trail in a pdf
    #[arg(long, value_enum, value_name = "LAYOUT")]
    layout: Option<LayoutWord>,
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
    /// A font for stored text in a pdf, TrueType or OpenType, beside those that come along for Latin,
    /// Greek and Cyrillic; as often as there are scripts
    #[arg(long = "font", value_name = "FILE")]
    fonts: Vec<PathBuf>,
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
    /// Pages with a table for people
    Pdf,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LayoutWord {
    /// Every field under its own name
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
                FormatWord::Pdf => Format::Pdf,
            },
            layout: self.layout(),
            csv_safety: self.safety()?,
            header: !self.no_header,
            audience: Audience {
                locale: self.locale()?,
                zone: filters.zone()?.local(),
                registry: Arc::new(filters.registry()?),
            },
            fonts: self.fonts()?,
            ..Export::default()
        };
        let checked = export.validate();
        checked.map_err(|error| {
            let flag = self.flag(&error);
            Failure::from(error).about(flag)
        })?;
        Ok(export)
    }

    fn layout(&self) -> Layout {
        match (self.layout, self.format) {
            (None, FormatWord::Pdf) | (Some(LayoutWord::Trail), _) => Layout::Trail,
            (None, _) | (Some(LayoutWord::Native), _) => Layout::Native,
            (Some(LayoutWord::Entries), _) => Layout::Entries,
            (Some(LayoutWord::Sentinel), _) => Layout::Sentinel,
        }
    }

    fn fonts(&self) -> Outcome<Vec<ExportFont>> {
        let fonts = self.fonts.iter().map(|path| ExportFont::read(path));
        let fonts: auditdb::Result<_> = fonts.collect();
        fonts.map_err(|error| Failure::usage(format!("--font: {error}")))
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
    fn flag(&self, error: &auditdb::Error) -> &'static str {
        let csv = matches!(self.format, FormatWord::Csv);
        let pdf = matches!(self.format, FormatWord::Pdf);
        match self.layout {
            _ if self.excel && !csv => "--excel",
            _ if pdf && !cfg!(feature = "pdf") => "--format",
            _ if error.to_string().starts_with("font") => "--font",
            None | Some(LayoutWord::Native) if self.no_header => "--no-header",
            _ => "--layout",
        }
    }
}
