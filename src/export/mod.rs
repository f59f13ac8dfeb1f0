//! Bounded exports: every match of a query as CSV, NDJSON, JSON or PDF, streamed with bounded memory,
//! restartable at any row, and as a file whole or not at all. Parts made one after the other, each
//! from the cursor at which the one before ended, are together the export made in one go.

mod audit;
mod crew;
mod estimate;
mod file;
mod font;
mod job;
mod manifest;
mod pack;
#[cfg(feature = "pdf")]
mod pdf;
#[cfg(not(feature = "pdf"))]
#[path = "pdf_absent.rs"]
mod pdf;
mod report;
mod run;
mod sheet;
mod shown;
mod sink;
mod split;
mod target;
#[cfg(feature = "zip")]
mod zip;

pub use audit::AuditedExport;
pub use audit::ExportAudit;
pub use estimate::Estimate;
pub use estimate::EstimatedSize;
pub use font::ExportFont;
pub use font::MissingGlyphs;
pub use job::ExportJob;
pub use job::ExportJobOptions;
pub use job::ExportJobState;
pub use job::ExportJobs;
pub use manifest::ExportManifest;
pub use manifest::ExportedArchive;
pub use manifest::ExportedFile;
pub use report::ExportReport;
pub use target::OutputFile;

use crate::codec::buffer::Append;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::layout::Audience;
use crate::layout::CsvSafety;
use crate::layout::Layout;
#[cfg(doc)]
use crate::snapshot::Snapshot;

/// How events are exported; which ones is the query's matter.
///
/// ```
/// use auditdb::{Event, Export, Format, Options, Query, Store};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-export-{}", std::process::id()));
///
/// let store = Store::open(&folder, Options::default())?;
/// store.append(&Event::new("user.created"))?;
/// let mut bytes = Vec::new();
/// let export = Export { format: Format::Csv, ..Export::default() };
/// let report = export.run(&store.snapshot(), &Query::default(), &mut bytes)?;
/// assert_eq!((report.rows, report.complete), (1, true));
/// assert!(bytes.starts_with(b"id,seq,type,"));
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The file format.
    pub format: Format,
    /// Which columns and keys an event gets.
    pub layout: Layout,
    /// Whether CSV cells that look like formulas are made harmless.
    pub csv_safety: CsvSafety,
    /// Rows of this export at the most; all by default. The query's own limit plays no part.
    pub limit: Option<u64>,
    /// How the bytes are packed.
    pub compression: Compression,
    /// Begin a CSV with the line that names its columns. Parts after the first leave it out.
    pub header: bool,
    /// Whom it is for: language, zone, and what they call things.
    pub audience: Audience,
    /// What a PDF is set in beside the faces that come along; each is tried in turn.
    pub fonts: Vec<ExportFont>,
    /// Export what this organisation is shown, as [`Snapshot::view`] says, instead of all that is stored.
    pub view: Option<String>,
}

/// A file format of exports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// RFC 4180, one record an event.
    Csv,
    /// One line of JSON an event; in the native layout the canonical lines.
    #[default]
    Ndjson,
    /// One JSON array of those lines.
    Json,
    /// Pages for people: a table in the layouts for them, with headings on every page, and what it
    /// is of at the top of the first. One file holds 1,000 pages at the most; [`Export::run`] ends
    /// there as at a limit, [`Export::to_files`] and [`Export::to_zip`] go on in a next file. Needs
    /// the feature `pdf`.
    ///
    /// ```
    /// use auditdb::{Event, Export, Format, Layout, Options, Query, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-pdf-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// store.append(&Event::new("user.created"))?;
    /// let export = Export { format: Format::Pdf, layout: Layout::Trail, ..Export::default() };
    /// if cfg!(feature = "pdf") {
    ///     let mut bytes = Vec::new();
    ///     let report = export.run(&store.snapshot(), &Query::default(), &mut bytes)?;
    ///     assert_eq!((report.rows, report.missing_glyphs.count), (1, 0));
    ///     assert!(bytes.starts_with(b"%PDF-"));
    /// } else {
    ///     let error = export.validate().unwrap_err();
    ///     assert!(error.to_string().contains("--features pdf"));
    /// }
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    Pdf,
}

/// How an export's bytes are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// As they are.
    #[default]
    None,
    /// Zstandard.
    Zstd,
    /// Gzip, without name or time, so equal exports are equal files.
    Gzip,
}

/// Every pair of format and layout that exists.
const PAIRS: [(Format, Layout); 9] = [
    (Format::Csv, Layout::Native),
    (Format::Csv, Layout::Entries),
    (Format::Csv, Layout::Trail),
    (Format::Csv, Layout::Sentinel),
    (Format::Ndjson, Layout::Native),
    (Format::Ndjson, Layout::Entries),
    (Format::Json, Layout::Native),
    (Format::Pdf, Layout::Trail),
    (Format::Pdf, Layout::Sentinel),
];

impl Format {
    /// The format's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
            Format::Json => "json",
            Format::Pdf => "pdf",
        }
    }
}

impl Compression {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Zstd => "zstd",
            Compression::Gzip => "gzip",
        }
    }
}

impl Default for Export {
    fn default() -> Export {
        Export {
            format: Format::default(),
            layout: Layout::default(),
            csv_safety: CsvSafety::default(),
            limit: None,
            compression: Compression::default(),
            header: true,
            audience: Audience::default(),
            fonts: Vec::new(),
            view: None,
        }
    }
}

impl Export {
    /// Checks that the settings go together; every export does so before it writes.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] names the setting, or the feature `pdf` where a PDF needs it.
    pub fn validate(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::new(ErrorKind::OutOfRange, what));
        if !PAIRS.contains(&(self.format, self.layout)) {
            let pairs =
                PAIRS.map(|(format, layout)| format!("{}+{}", format.as_str(), layout.as_str()));
            return refuse(format!(
                "format {} does not exist in layout {}; there are {}",
                self.format.as_str(),
                self.layout.as_str(),
                pairs.join(", ")
            ));
        }
        self.validate_sheet()?;
        self.validate_pages()?;
        if self.limit == Some(0) {
            return refuse("limit: 0 rows are no export".to_owned());
        }
        if self.format == Format::Json && !self.header {
            return refuse(
                "header: one JSON array cannot be put together from parts; take ndjson".to_owned(),
            );
        }
        Ok(())
    }

    /// Checks that the settings go together with pages, where it is for them.
    fn validate_pages(&self) -> Result<()> {
        let refuse = |what: &str| Err(Error::new(ErrorKind::OutOfRange, what));
        if self.format != Format::Pdf {
            return match self.fonts.is_empty() {
                true => Ok(()),
                false => refuse("fonts: only a pdf is set in fonts"),
            };
        }
        if !self.header {
            return refuse("header: each page of a pdf has its headings");
        }
        if self.compression != Compression::None {
            return refuse("compression: a pdf is packed inside");
        }
        pdf::check(self)
    }

    /// Appends what stands before the first event. A PDF is not made event by event, and has none.
    pub fn begin(&self, out: &mut Vec<u8>) {
        match self.format {
            Format::Csv if self.header => {
                if self.csv_safety == CsvSafety::Excel {
                    out.extend_from_slice(sheet::MARK);
                }
                self.layout.csv_header(&self.audience, out);
            }
            Format::Json => out.push(b'['),
            Format::Csv | Format::Ndjson | Format::Pdf => {}
        }
    }

    /// Appends one event; `first` says that none of this export stands before it.
    pub fn event(&self, event: &StoredEvent, first: bool, out: &mut Vec<u8>) {
        match self.format {
            Format::Csv => {
                let (safety, audience) = (self.csv_safety, &self.audience);
                self.layout.csv_record(event, safety, audience, out);
            }
            Format::Ndjson => {
                self.layout.json_line(event, out);
                out.push(b'\n');
            }
            Format::Json => {
                separate(first, out);
                self.layout.json_line(event, out);
            }
            Format::Pdf => {}
        }
    }

    /// Appends what stands behind the last event.
    pub fn end(&self, out: &mut Vec<u8>) {
        if self.format == Format::Json {
            out.extend_from_slice(b"\n]\n");
        }
    }
}

/// Puts each member of a JSON array on a line of its own.
fn separate(first: bool, out: &mut impl Append) {
    out.append(if first { b"\n" } else { b",\n" });
}

#[cfg(test)]
mod tests;
