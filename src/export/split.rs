//! An export cut into files of so many rows. Each begins at the cursor where the one before ended, so
//! that together they are the export made in one go, and any one can be made again by itself. The
//! manifest is written last and alone makes the set valid; a set that is not finished is taken away.

use std::io;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::path::PathBuf;

use sha2::Digest;
use sha2::Sha256;

use super::Export;
use super::ExportManifest;
use super::ExportReport;
use super::ExportedFile;
use super::Format;
use super::MissingGlyphs;
use super::OutputFile;
use super::sink;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::query::Query;
use crate::snapshot::Snapshot;

/// Writes one file of a split export.
pub(super) type Write1<'w> = dyn FnMut(&mut dyn Write) -> Result<ExportReport> + 'w;

/// Takes the files of a split export, one after the other.
pub(super) trait Files {
    /// Makes the file of this name of what `write` writes.
    fn file(&mut self, name: &str, write: &mut Write1<'_>) -> Result<ExportReport>;
}

/// What the files of a set are called: `trail-000001.csv`, `trail-000002.csv` and so on, and
/// `trail.csv.manifest.json`.
pub(super) struct Names {
    stem: String,
    /// With its dot.
    pub(super) ending: String,
}

/// The files of a set in a folder.
struct Folder<'p> {
    path: &'p Path,
    force: bool,
    /// Those made so far; taken away again unless the set is finished.
    made: Vec<PathBuf>,
    finished: bool,
}

/// Hashes what all files hold, one behind the other.
struct Tee<'t> {
    out: &'t mut dyn Write,
    hash: &'t mut Sha256,
}

impl Export {
    /// Makes files of `rows_per_file` rows each, the last one of what is left. Of the path
    /// `folder/trail.csv` they are `folder/trail-000001.csv` and so on, with the manifest
    /// `folder/trail.csv.manifest.json`, which is made last: without it the set is not whole. Put one
    /// behind the other the files are, unpacked, the export made in one go; so of a CSV only the
    /// first has the line that names the columns.
    ///
    /// A PDF is cut behind 1,000 pages too; with [`u64::MAX`] rows only there. If it is one file
    /// then, it is `folder/trail.pdf` itself and has no manifest. Each file is a whole document.
    ///
    /// # Errors
    /// As [`OutputFile::claim`] and [`Export::run`], and [`ErrorKind::OutOfRange`] for no rows in a
    /// file and for a JSON array, which cannot be cut. [`ErrorKind::Exists`] where a file of such a
    /// set is there and `force` is not given; with it the older set goes. The files of a set that
    /// comes to no end are removed.
    pub fn to_files(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        path: &Path,
        rows_per_file: u64,
        force: bool,
    ) -> Result<ExportManifest> {
        let mut watch = |_| ControlFlow::Continue(());
        self.to_files_watched(snapshot, query, path, rows_per_file, force, &mut watch)
    }

    /// As [`Export::to_files`], watched as [`Export::run_watched`] is; an export that the watcher
    /// ends makes no file.
    ///
    /// # Errors
    /// As [`Export::to_files`].
    pub fn to_files_watched(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        path: &Path,
        rows_per_file: u64,
        force: bool,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ExportManifest> {
        // One file that holds all pages has the very name that was asked for.
        let may_be_one = self.format == Format::Pdf && rows_per_file == u64::MAX;
        OutputFile::claim(path, force || !may_be_one)?;
        let names = Names::of(path);
        let manifest_file = OutputFile::claim(&path.with_file_name(names.manifest()), force)?;
        let older = names.find_set(path)?;
        if let Some(older) = older.first().filter(|_| !force) {
            let what = "a file of a set of this name is there";
            return Err(Error::new(ErrorKind::Exists, what).in_file(older));
        }
        let mut files = Folder {
            path,
            force,
            made: Vec::new(),
            finished: false,
        };
        // What stands there is no whole set from the first file on that is replaced.
        manifest_file.remove()?;
        let manifest = self.split(snapshot, query, &names, rows_per_file, &mut files, watch)?;
        if manifest.whole.interrupted {
            return Ok(manifest);
        }
        for older in older.iter().filter(|older| !files.made.contains(older)) {
            OutputFile::claim(older, true)?.remove()?;
        }
        match may_be_one {
            true if manifest.files.len() == 1 => {}
            _ => {
                if may_be_one {
                    OutputFile::claim(path, true)?.remove()?;
                }
                manifest_file.make_of(manifest.to_json().as_bytes())?;
            }
        }
        files.finished = true;
        Ok(manifest)
    }

    /// Checks that the export can be cut into files of `rows_per_file` rows.
    ///
    /// # Errors
    /// As [`Export::validate`], and [`ErrorKind::OutOfRange`] as [`Export::to_files`].
    pub fn validate_split(&self, rows_per_file: u64) -> Result<()> {
        self.validate()?;
        if rows_per_file < u64::MAX {
            self.refuse_pieces()?;
        }
        if rows_per_file == 0 {
            let what = "rows_per_file: 0 rows are no file";
            return Err(Error::new(ErrorKind::OutOfRange, what));
        }
        if self.format == Format::Json && rows_per_file < u64::MAX {
            let what = "rows_per_file: one JSON array cannot be cut into files; take ndjson";
            return Err(Error::new(ErrorKind::OutOfRange, what));
        }
        Ok(())
    }

    /// One file's pages, and what they hold.
    fn pages(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(Vec<u8>, ExportReport)> {
        let mut pages = Vec::new();
        let report = self.run_watched(snapshot, query, &mut pages, watch)?;
        Ok((pages, report))
    }

    pub(super) fn split(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        names: &Names,
        rows_per_file: u64,
        files: &mut dyn Files,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ExportManifest> {
        self.validate_split(rows_per_file)?;
        let mut hash = Sha256::new();
        let mut query = query.clone();
        let mut made: Vec<ExportedFile> = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        let mut missing_glyphs = MissingGlyphs::default();
        let limit = self.limit.unwrap_or(u64::MAX);
        let last = loop {
            let part = Export {
                limit: Some(rows_per_file.min(limit - rows)),
                header: self.header && (made.is_empty() || self.format == Format::Pdf),
                ..self.clone()
            };
            let before = rows;
            let watch = &mut |rows| watch(before + rows);
            // Of pages it shows when they are laid out whether one file holds them.
            let pages = match self.format {
                Format::Pdf => Some(part.pages(snapshot, &query, watch)?),
                Format::Csv | Format::Ndjson | Format::Json => None,
            };
            let more =
                |(_, report): &(_, ExportReport)| !report.complete && rows + report.rows < limit;
            let one = made.is_empty() && !pages.as_ref().is_some_and(more);
            let name = names.file(made.len() + 1, one && rows_per_file == u64::MAX);
            let report = files.file(&name, &mut |out| {
                let mut out = Tee {
                    out,
                    hash: &mut hash,
                };
                match &pages {
                    None => part.run_watched(snapshot, &query, out, watch),
                    Some((pages, report)) => {
                        out.write_all(pages).map_err(sink::failed)?;
                        Ok(report.clone())
                    }
                }
            })?;
            (rows, bytes) = (rows + report.rows, bytes + report.bytes);
            missing_glyphs.add_all(&report.missing_glyphs);
            made.push(ExportedFile::new(&name, query.cursor, &report));
            if report.complete || report.interrupted || rows >= limit {
                break report;
            }
            query.cursor = report.next_cursor;
        };
        Ok(ExportManifest {
            export: self.clone(),
            whole: ExportReport {
                rows,
                bytes,
                sha256: sink::hexadecimal(hash),
                first: made.first().and_then(|file| file.first),
                last: made.iter().rev().find_map(|file| file.last),
                missing_glyphs,
                ..last
            },
            files: made,
            archive: None,
            audited: None,
        })
    }
}

impl Names {
    /// The names of a set that is asked for by this path.
    pub(super) fn of(path: &Path) -> Names {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let packed = [".zst", ".gz"]
            .into_iter()
            .find_map(|packed| Some((name.strip_suffix(packed)?, packed)));
        let (unpacked, packed) = packed.unwrap_or((&*name, ""));
        let (stem, ending) = match unpacked.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}{packed}")),
            _ => (unpacked, packed.to_owned()),
        };
        Names {
            stem: stem.to_owned(),
            ending,
        }
    }

    /// The name of a file, counted from 1.
    fn file(&self, number: usize, is_only: bool) -> String {
        match is_only {
            true => self.only(),
            false => self.numbered(number),
        }
    }

    /// The name of the only file of a set.
    pub(super) fn only(&self) -> String {
        format!("{}{}", self.stem, self.ending)
    }

    /// The name of a set's file, counted from 1.
    pub(super) fn numbered(&self, number: usize) -> String {
        format!("{}-{number:06}{}", self.stem, self.ending)
    }

    fn manifest(&self) -> String {
        format!("{}{}.manifest.json", self.stem, self.ending)
    }

    /// The numbered files that lie where the set goes.
    fn find_set(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let listed = || -> io::Result<Vec<PathBuf>> {
            let mut found = Vec::new();
            for entry in std::fs::read_dir(folder)? {
                let name = entry?.file_name();
                if name.to_str().is_some_and(|name| self.is_numbered(name)) {
                    found.push(path.with_file_name(name));
                }
            }
            found.sort();
            Ok(found)
        };
        listed().map_err(|error| Error::io("list", folder, error))
    }

    fn is_numbered(&self, name: &str) -> bool {
        let digits = name.strip_prefix(&self.stem);
        let digits = digits.and_then(|rest| rest.strip_prefix('-'));
        let digits = digits.and_then(|rest| rest.strip_suffix(&self.ending));
        let number = digits.and_then(|digits| digits.parse().ok());
        number.is_some_and(|number| number > 0 && self.numbered(number) == name)
    }
}

impl Files for Folder<'_> {
    fn file(&mut self, name: &str, write: &mut Write1<'_>) -> Result<ExportReport> {
        let path = self.path.with_file_name(name);
        let file = OutputFile::claim(&path, self.force)?;
        let report = file.make_if(|out| {
            let report = write(out)?;
            let whole = !report.interrupted;
            Ok((report, whole))
        })?;
        if !report.interrupted {
            self.made.push(path);
        }
        Ok(report)
    }
}

impl Drop for Folder<'_> {
    fn drop(&mut self) {
        if !self.finished {
            for path in &self.made {
                // What stays is no set: it has no manifest.
                drop(std::fs::remove_file(path));
            }
        }
    }
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        self.hash.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
