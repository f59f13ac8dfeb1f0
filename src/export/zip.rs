//! The files of an export in one zip archive, streamed: deflate, fixed times and permissions, the
//! manifest as the last entry, so that equal exports are equal archives.

use std::cell::Cell;
use std::io;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;

use sha2::Digest;
use sha2::Sha256;
use zip::CompressionMethod;
use zip::DateTime;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;
use zip::write::StreamWriter;

use super::Compression;
use super::Export;
use super::ExportManifest;
use super::ExportReport;
use super::ExportedArchive;
use super::ExportedFile;
use super::OutputFile;
use super::sink;
use super::split::Files;
use super::split::Names;
use super::split::Write1;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::query::Query;
use crate::snapshot::Snapshot;

/// The level of deflate, its own default: fixed, so that it stays when the library's changes.
const LEVEL: i64 = 6;
const PERMISSIONS: u32 = 0o644;
const MANIFEST: &str = "manifest.json";

/// An archive that grows by one file after the other.
struct Archive<W: Write> {
    zip: ZipWriter<StreamWriter<Counted<W>>>,
}

/// Counts and hashes what leaves.
struct Counted<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
    given_up: GivenUp,
}

/// Nothing leaves any more. The library ends an archive that is dropped, and says on stderr where that
/// fails; one that was given up is not to look like a whole one.
#[derive(Clone, Default)]
struct GivenUp(Rc<Cell<bool>>);

impl Export {
    /// Makes the zip archive `path` with the export's files in it, of `rows_per_file` rows each or one
    /// of all rows, and the manifest `manifest.json`. The same snapshot and query give the same bytes.
    ///
    /// ```
    /// use auditdb::{Event, Export, Options, Query, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-zip-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    ///
    /// let store = Store::open(folder.join("store"), Options::default())?;
    /// store.append_batch(&[Event::new("a.b"), Event::new("a.c")])?;
    /// let (snapshot, path) = (store.snapshot(), folder.join("trail.zip"));
    /// let go_on = &mut |_| std::ops::ControlFlow::Continue(());
    /// let made = Export::default().to_zip(&snapshot, &Query::default(), &path, Some(1), false, go_on)?;
    /// assert_eq!(made.files[0].name, "trail-000001.ndjson");
    /// assert!(std::fs::read(&path)?.starts_with(b"PK"));
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`OutputFile::claim`], [`Export::run`] and [`Export::validate_split`], and
    /// [`ErrorKind::OutOfRange`] for a compression of its own. Then no archive was made or changed.
    pub fn to_zip(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        path: &Path,
        rows_per_file: Option<u64>,
        force: bool,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ExportManifest> {
        self.validate_zip(rows_per_file)?;
        OutputFile::claim(path, force)?.make_if(|out| {
            let names = Names::of(path);
            let made = self.zip(snapshot, query, names, out, rows_per_file, watch)?;
            let whole = !made.whole.interrupted;
            Ok((made, whole))
        })
    }

    /// As [`Export::to_zip`], written to `out`; the files in the archive are called `export`. An export
    /// that the watcher ends leaves no archive that can be opened.
    ///
    /// # Errors
    /// As [`Export::to_zip`].
    pub fn zip_into(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        out: impl Write,
        rows_per_file: Option<u64>,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ExportManifest> {
        self.validate_zip(rows_per_file)?;
        let names = Names::of(Path::new("export"));
        self.zip(snapshot, query, names, out, rows_per_file, watch)
    }

    /// Checks that the export can be packed into an archive of files of `rows_per_file` rows.
    ///
    /// # Errors
    /// As [`Export::validate_split`], and [`ErrorKind::OutOfRange`] for a compression of its own.
    pub fn validate_zip(&self, rows_per_file: Option<u64>) -> Result<()> {
        self.validate_split(rows_per_file.unwrap_or(u64::MAX))?;
        if self.compression != Compression::None {
            let what = "compression: an archive packs its files itself";
            return Err(Error::new(ErrorKind::OutOfRange, what));
        }
        Ok(())
    }

    fn zip(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        mut names: Names,
        out: impl Write,
        rows_per_file: Option<u64>,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ExportManifest> {
        let (mut archive, given_up) = Archive::begin_in(out);
        names.ending = format!(".{}", self.format.as_str());
        let rows = rows_per_file.unwrap_or(u64::MAX);
        let made = self.split(snapshot, query, &names, rows, &mut archive, watch);
        let is_whole = |made: &ExportManifest| !made.whole.interrupted;
        given_up.0.set(!made.as_ref().is_ok_and(is_whole));
        let mut made = made?;
        if made.whole.interrupted {
            return Ok(made);
        }
        made.archive = Some(archive.end(&made)?);
        Ok(made)
    }
}

/// Makes the archive of files that are there: `copy` writes each, and completes what the manifest tells
/// of it.
pub(super) fn archive_of(
    made: &mut ExportManifest,
    out: impl Write,
    copy: &mut dyn FnMut(&mut ExportedFile, &mut dyn Write) -> Result<()>,
) -> Result<()> {
    let (mut archive, given_up) = Archive::begin_in(out);
    let mut fill = || -> Result<()> {
        for file in &mut made.files {
            archive.begin(&file.name)?;
            copy(file, &mut archive.zip)?;
        }
        Ok(())
    };
    let filled = fill();
    given_up.0.set(filled.is_err());
    filled?;
    archive.end(made).map(drop)
}

impl<W: Write> Archive<W> {
    fn begin_in(out: W) -> (Archive<W>, GivenUp) {
        let given_up = GivenUp::default();
        let counted = Counted {
            out,
            hash: Sha256::new(),
            bytes: 0,
            given_up: given_up.clone(),
        };
        let zip = ZipWriter::new_stream(counted);
        (Archive { zip }, given_up)
    }

    /// Puts the manifest behind the files, and ends the archive.
    fn end(mut self, made: &ExportManifest) -> Result<ExportedArchive> {
        self.begin(MANIFEST)?;
        let written = self.zip.write_all(made.to_json().as_bytes());
        written.map_err(sink::failed)?;
        let mut counted = self.zip.finish().map_err(refused)?.into_inner();
        counted.out.flush().map_err(sink::failed)?;
        Ok(ExportedArchive {
            bytes: counted.bytes,
            sha256: sink::hexadecimal(counted.hash),
        })
    }

    fn begin(&mut self, name: &str) -> Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .last_modified_time(DateTime::default())
            .unix_permissions(PERMISSIONS)
            // How long a file becomes is not known when it begins.
            .large_file(true);
        self.zip.start_file(name, options).map_err(refused)
    }
}

impl<W: Write> Files for Archive<W> {
    fn file(&mut self, name: &str, write: &mut Write1<'_>) -> Result<ExportReport> {
        self.begin(name)?;
        write(&mut self.zip)
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.given_up.0.get() {
            return Ok(bytes.len());
        }
        let written = self.out.write_all(bytes);
        written.inspect_err(|_| self.given_up.0.set(true))?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.given_up.0.get() {
            true => Ok(()),
            false => self.out.flush(),
        }
    }
}

fn refused(error: zip::result::ZipError) -> Error {
    sink::failed(io::Error::from(error))
}
