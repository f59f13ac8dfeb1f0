//! The files that a command makes by a name it was given: `--output`, `--report`, `--on-error`,
//! `--salvage`. Each is claimed before anything is done, so that wrong usage changes nothing, and
//! none takes the place of a file that was not meant. Pipes and devices are written to as they are.

use std::fs;
use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

use auditdb::ErrorKind;
use auditdb::OutputFile;

use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;

/// A file that is made whole at the end, or a stream.
pub(crate) struct Target {
    flag: &'static str,
    path: PathBuf,
    /// `None` is a pipe or a device: nothing of it can be lost.
    file: Option<OutputFile>,
}

/// Events concern people: files of them are for their owner, as those of stores are.
const MODE: u32 = 0o600;
const FORCE: &str = "take another name, or --force to replace it";
const ANOTHER: &str = "take another name";

impl Target {
    /// Claims the file that `flag` names, in the place of one that exists only by `force`.
    pub(crate) fn claim(flag: &'static str, path: &Path, force: bool) -> Outcome<Target> {
        Target::find(flag, path, force, FORCE)
    }

    /// As [`Target::claim`], for a command that never replaces a file.
    pub(crate) fn claim_new(flag: &'static str, path: &Path) -> Outcome<Target> {
        Target::find(flag, path, false, ANOTHER)
    }

    fn find(flag: &'static str, path: &Path, force: bool, hint: &'static str) -> Outcome<Target> {
        if path.as_os_str() == "-" {
            let what = format!("{flag}: read as the file -, which is a stream elsewhere");
            return Err(
                Failure::usage(what).hint("write /dev/stdout, or ./- for a file of that name")
            );
        }
        let file = if is_stream(path) {
            None
        } else {
            Some(OutputFile::claim(path, force).map_err(|error| refused(flag, error, hint))?)
        };
        let path = path.to_owned();
        Ok(Target { flag, path, file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Two flags that name one file are a mistake, whichever way it is spelled.
    pub(crate) fn refuse_same(&self, other: &Target) -> Outcome<()> {
        match (&self.file, &other.file) {
            (Some(this), Some(that)) if this.is_same(that) => {
                let what = format!("{}: names the same file as {}", self.flag, other.flag);
                Err(Failure::usage(what))
            }
            _ => Ok(()),
        }
    }

    /// Makes the file of what `write` writes: whole, or not at all.
    pub(crate) fn make<T>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> auditdb::Result<T>,
    ) -> Outcome<T> {
        if let Some(file) = &self.file {
            let made = file.make(write);
            return made.map_err(|error| refused(self.flag, error, ANOTHER));
        }
        let mut stream = BufWriter::new(self.stream()?);
        let written = write(&mut stream)?;
        stream.flush().map_err(|error| self.cannot(&error))?;
        Ok(written)
    }

    /// As [`Target::make`], of a text that is known.
    pub(crate) fn make_of(&self, text: &str) -> Outcome<()> {
        if let Some(file) = &self.file {
            let made = file.make_of(text.as_bytes());
            return made.map_err(|error| refused(self.flag, error, ANOTHER));
        }
        let written = self.stream()?.write_all(text.as_bytes());
        written.map_err(|error| self.cannot(&error))
    }

    /// Makes a file that grows as the command goes on, and that stays where it is cut short. It is
    /// new, or was empty: nothing that was written is ever written over.
    pub(crate) fn growing(flag: &'static str, path: &Path) -> Outcome<BufWriter<File>> {
        let found = fs::symlink_metadata(path);
        let empty = found.is_ok_and(|found| found.is_file() && found.len() == 0);
        let target = Target::find(flag, path, empty, ANOTHER)?;
        if target.file.is_none() {
            return Ok(BufWriter::new(target.stream()?));
        }
        let mut options = File::options();
        let options = options.write(true).create_new(!empty).mode(MODE);
        let file = options.open(path).map_err(|error| target.cannot(&error))?;
        // Of two commands at once the first one takes it.
        let taken = matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock));
        let len = file
            .metadata()
            .map_err(|error| target.cannot(&error))?
            .len();
        if taken || len > 0 {
            let what = format!("{flag} {}: the file is being written", path.display());
            return Err(Failure::usage(what).hint(ANOTHER));
        }
        Ok(BufWriter::new(file))
    }

    fn stream(&self) -> Outcome<File> {
        let opened = File::options().write(true).open(&self.path);
        opened.map_err(|error| self.cannot(&error))
    }

    fn cannot(&self, error: &std::io::Error) -> Failure {
        let (flag, path) = (self.flag, self.path.display());
        Failure::new(
            Code::Failed,
            format!("{flag} {path}: cannot be written: {error}"),
        )
    }
}

fn refused(flag: &str, error: auditdb::Error, hint: &'static str) -> Failure {
    let taken = error.kind() == ErrorKind::Exists;
    let place = error.place().map(|place| place.file.symlink_metadata());
    // What is no plain file is replaced by nothing.
    let plain = matches!(place, Some(Ok(found)) if found.is_file());
    let hint = if plain { hint } else { ANOTHER };
    let failure = Failure::from(error).about(flag);
    if taken { failure.hint(hint) } else { failure }
}

fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| {
        let kind = found.file_type();
        kind.is_char_device() || kind.is_fifo()
    })
}
