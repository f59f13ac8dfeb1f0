//! The archive that a job's file becomes: made in one go of what is durable already, so that a process
//! that ends meanwhile costs the packing and no reading of the store.

use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::part::GoesOn;
use super::part::Part;
use super::run::Work;
use crate::disk::names;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::export::Export;
use crate::export::ExportManifest;
use crate::export::ExportReport;
use crate::export::ExportedFile;
use crate::export::MissingGlyphs;
use crate::export::sink;
use crate::export::split::Names;
use crate::export::zip::archive_of;
use crate::jobs::ArchiveRecord;
use crate::jobs::Reached;

/// What the files in an archive are called, whatever the job is: the same export is the same archive.
const STEM: &str = "export";
/// Bytes that are written at once.
const WRITE_BYTES: usize = 1 << 20;

/// Checks that a job can make an archive of this export.
pub(super) fn validate(export: &Export, rows_per_file: Option<u64>) -> Result<()> {
    export.validate_zip(rows_per_file)
}

/// Makes the archive of a job's whole file and gives it its name.
pub(super) fn make(work: &Work<'_>, part: &Part, goes_on: GoesOn<'_>) -> Result<ArchiveRecord> {
    let disk = work.folder.0;
    let draft = names::export_archive_part(work.id);
    match disk.unlink(&draft) {
        Err(error) if error.kind() == ErrorKind::Missing => {}
        removed => removed?,
    }
    let file = Arc::from(disk.create_new(&draft)?);
    let mut archive = Part::resume(file, &Reached::default(), goes_on)?;
    let mut from = 0;
    let mut out = BufWriter::with_capacity(WRITE_BYTES, &mut archive);
    archive_of(&mut manifest(work)?, &mut out, &mut |file, out| {
        let to = from + file.bytes;
        file.sha256 = sink::hexadecimal(part.copy(from..to, out, goes_on)?);
        from = to;
        Ok(())
    })?;
    out.flush().map_err(sink::failed)?;
    drop(out);
    archive.sync()?;
    disk.rename(&draft, &names::export(work.id, &work.record.ending()))?;
    disk.sync_dir(names::export_dir())?;
    Ok(ArchiveRecord {
        bytes: archive.bytes(),
        sha256: archive.sha256(),
    })
}

/// What the archive tells of itself, but for the digests of its files.
fn manifest(work: &Work<'_>) -> Result<ExportManifest> {
    let (reached, asked) = (&work.record.reached, &work.record.asked);
    let event = |id: &Option<String>| id.as_ref().map(|id| id.parse()).transpose();
    let cursor = |cursor: &Option<String>| cursor.as_ref().map(|text| text.parse()).transpose();
    let mut names = Names::of(Path::new(STEM));
    names.ending = format!(".{}", asked.format);
    let asked_to_cut = asked
        .zip
        .as_ref()
        .is_some_and(|zip| zip.rows_per_file.is_some());
    let is_cut = asked_to_cut || reached.chunks.len() > 1;
    let files = reached.chunks.iter().enumerate().map(|(number, chunk)| {
        Ok(ExportedFile {
            name: match is_cut {
                true => names.numbered(number + 1),
                false => names.only(),
            },
            rows: chunk.rows,
            bytes: chunk.bytes,
            sha256: String::new(),
            first: event(&chunk.first)?,
            last: event(&chunk.last)?,
            cursor: cursor(&chunk.cursor)?,
        })
    });
    Ok(ExportManifest {
        export: work.export.clone(),
        whole: ExportReport {
            rows: reached.rows,
            bytes: reached.bytes,
            sha256: reached.sha256.clone(),
            complete: reached.cursor.is_none(),
            next_cursor: cursor(&reached.cursor)?,
            snapshot_seq: work.record.snapshot_seq,
            first: event(&reached.first)?,
            last: event(&reached.last)?,
            interrupted: false,
            missing_glyphs: MissingGlyphs::of_record(reached.missing_glyphs.as_ref()),
        },
        files: files.collect::<Result<_>>()?,
        archive: None,
        audited: None,
    })
}
