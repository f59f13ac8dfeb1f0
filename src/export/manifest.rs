//! What an export made, file by file, with all that is needed to check it, to make any one file of it
//! again, and to go on behind it. As JSON it is the manifest of several files and the report of one.

use super::Export;
use super::ExportReport;
use super::Format;
use crate::codec::canonical;
use crate::id::EventId;
use crate::query::Cursor;

/// The files of an export, and the facts of all of them together.
///
/// ```
/// use auditdb::{Event, Export, Options, Query, Store};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-manifest-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
///
/// let store = Store::open(folder.join("store"), Options::default())?;
/// store.append_batch(&[Event::new("a.b"), Event::new("a.c"), Event::new("a.d")])?;
/// let (export, path) = (Export::default(), folder.join("trail.ndjson"));
/// let made = export.to_files(&store.snapshot(), &Query::default(), &path, 2, false)?;
/// assert_eq!(made.files[1].name, "trail-000002.ndjson");
/// assert_eq!((made.files[1].rows, made.whole.rows), (1, 3));
/// assert_eq!(std::fs::read_to_string(folder.join("trail.ndjson.manifest.json"))?, made.to_json());
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportManifest {
    /// How the events were exported.
    pub export: Export,
    /// All files put one behind the other; an archive is made of these bytes and is not meant.
    pub whole: ExportReport,
    /// The files in reading order.
    pub files: Vec<ExportedFile>,
    /// The archive that the files are in.
    pub archive: Option<ExportedArchive>,
    /// Whether the store recorded the export; `None` where that is told elsewhere, as in the manifest
    /// of several files, which is made before.
    pub audited: Option<bool>,
}

/// One file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedFile {
    /// Its name; of several files, without their folder.
    pub name: String,
    /// Events in it.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
    /// The first event in it.
    pub first: Option<EventId>,
    /// The last event in it.
    pub last: Option<EventId>,
    /// Where it begins: an export of so many rows from this cursor makes it again. `None` where the
    /// export began at the top.
    pub cursor: Option<Cursor>,
}

/// The archive around the files of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedArchive {
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
}

impl ExportManifest {
    /// The manifest of an export that is one file, or none where it has no `name`.
    #[must_use]
    pub fn of_one(
        export: &Export,
        name: Option<&str>,
        cursor: Option<Cursor>,
        report: ExportReport,
    ) -> ExportManifest {
        let file = name.map(|name| ExportedFile::new(name, cursor, &report));
        ExportManifest {
            export: export.clone(),
            whole: report,
            files: file.into_iter().collect(),
            archive: None,
            audited: None,
        }
    }

    /// The manifest as JSON on one line, with the line's end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let ExportManifest { export, whole, .. } = self;
        let mut out = String::from("{");
        facts(whole.rows, whole.bytes, &whole.sha256, &mut out);
        out.push_str(&format!(
            ",\"complete\":{},\"next_cursor\":{},\"snapshot_seq\":{}",
            whole.complete,
            quoted(whole.next_cursor),
            whole.snapshot_seq
        ));
        ends(whole.first, whole.last, &mut out);
        out.push_str(",\"files\":[");
        for (number, file) in self.files.iter().enumerate() {
            out.push_str(if number == 0 {
                "{\"name\":"
            } else {
                ",{\"name\":"
            });
            canonical::text(&mut out, &file.name);
            out.push(',');
            facts(file.rows, file.bytes, &file.sha256, &mut out);
            ends(file.first, file.last, &mut out);
            out.push_str(&format!(",\"cursor\":{}}}", quoted(file.cursor)));
        }
        let limit = export.limit.map(|limit| limit.to_string());
        out.push_str(&format!(
            "],\"format\":\"{}\",\"layout\":\"{}\",\"csv_safety\":\"{}\",\"header\":{},\
             \"compression\":\"{}\",\"limit\":{},\"locale\":\"{}\",\"tz\":",
            export.format.as_str(),
            export.layout.as_str(),
            export.csv_safety.as_str(),
            export.header,
            export.compression.as_str(),
            limit.as_deref().unwrap_or("null"),
            export.audience.locale().as_str(),
        ));
        canonical::text(&mut out, export.audience.zone.name());
        if export.format == Format::Pdf {
            let missing = &whole.missing_glyphs;
            out.push_str(&format!(
                ",\"missing_glyphs\":{{\"count\":{},\"characters\":\"{missing}\"}}",
                missing.count
            ));
        }
        if let Some(org) = &export.view {
            out.push_str(",\"view\":");
            canonical::text(&mut out, org);
        }
        if let Some(archive) = &self.archive {
            out.push_str(&format!(
                ",\"archive\":{{\"bytes\":{},\"sha256\":\"{}\"}}",
                archive.bytes, archive.sha256
            ));
        }
        if let Some(audited) = self.audited {
            out.push_str(&format!(",\"audited\":{audited}"));
        }
        out.push_str("}\n");
        out
    }
}

impl ExportedFile {
    pub(super) fn new(name: &str, cursor: Option<Cursor>, report: &ExportReport) -> ExportedFile {
        ExportedFile {
            name: name.to_owned(),
            rows: report.rows,
            bytes: report.bytes,
            sha256: report.sha256.clone(),
            first: report.first,
            last: report.last,
            cursor,
        }
    }
}

fn facts(rows: u64, bytes: u64, sha256: &str, out: &mut String) {
    out.push_str(&format!(
        "\"rows\":{rows},\"bytes\":{bytes},\"sha256\":\"{sha256}\""
    ));
}

fn ends(first: Option<EventId>, last: Option<EventId>, out: &mut String) {
    out.push_str(&format!(
        ",\"first\":{},\"last\":{}",
        quoted(first),
        quoted(last)
    ));
}

/// A value as a JSON text, or null. Texts of cursors and ids need no escapes.
fn quoted(value: Option<impl core::fmt::Display>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| format!("\"{value}\""))
}
