//! How a command ends: the exit codes, which error means which, and what to do about it.

use std::io;
use std::io::Write;
use std::process::ExitCode;

use auditdb::Error;
use auditdb::ErrorKind;

use crate::output::Output;
use crate::text;

/// The exit codes scripts may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Done = 0,
    /// Damage, or something that did not work.
    Failed = 1,
    /// The command was not understood.
    Usage = 2,
    /// More remained than was asked for, and that was not to be.
    Incomplete = 3,
    /// The store is locked, or is none.
    Store = 4,
    Interrupted = 130,
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    what: String,
    hint: Option<&'static str>,
}

/// What every step of a command returns.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl From<Code> for ExitCode {
    fn from(code: Code) -> ExitCode {
        ExitCode::from(code as u8)
    }
}

/// Tells of words that are no command, with nothing of them that a terminal acts on.
pub(crate) fn misused(error: &clap::Error) -> ExitCode {
    let told = error.render().to_string();
    let written = write!(io::stderr().lock(), "{}", text::several_lines(&told));
    match written {
        Ok(()) => Code::Usage.into(),
        Err(_) => Code::Failed.into(),
    }
}

impl Failure {
    pub(crate) fn new(code: Code, what: impl Into<String>) -> Failure {
        Failure {
            code,
            what: what.into(),
            hint: None,
        }
    }

    pub(crate) fn usage(what: impl Into<String>) -> Failure {
        Failure::new(Code::Usage, what)
    }

    pub(crate) fn hint(mut self, hint: &'static str) -> Failure {
        self.hint = Some(hint);
        self
    }

    /// Puts what the failure is about in front, unless there is nothing to say. The library's word for
    /// a flag, `header` for `--no-header`, is not said beside it.
    pub(crate) fn about(mut self, subject: &str) -> Failure {
        let word = subject.trim_start_matches("--").trim_start_matches("no-");
        let said = self.what.strip_prefix(&word.replace('-', "_"));
        let rest = said.and_then(|rest| rest.strip_prefix(": "));
        if !self.what.is_empty() {
            self.what = format!("{subject}: {}", rest.unwrap_or(&self.what));
        }
        self
    }

    /// What went wrong, without what to do about it.
    pub(crate) fn what(&self) -> &str {
        match self.what.is_empty() {
            true => "whoever read the output went away",
            false => &self.what,
        }
    }

    /// An ending that needs no word: whoever read the output went away.
    fn silent(code: Code) -> Failure {
        Failure::new(code, "")
    }

    /// As [`Failure::from`], for a command whose reader may go away when it has seen enough.
    pub(crate) fn unless_unread(error: Error) -> Failure {
        if is_broken_pipe(&error) {
            return Failure::silent(Code::Done);
        }
        Failure::from(error)
    }

    /// Says it on stderr and gives the exit code.
    pub(crate) fn tell(&self, output: &Output) -> ExitCode {
        if !self.what.is_empty() {
            let mut error = output.error();
            let label = output.error_style().bad("error:");
            let what = text::several_lines(&self.what);
            // Where stderr is gone too there is nobody left to tell.
            drop(writeln!(error, "{label} {what}"));
            if let Some(hint) = self.hint {
                drop(writeln!(
                    error,
                    "{} {hint}",
                    output.error_style().dim("hint:")
                ));
            }
        }
        self.code.into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        if is_broken_pipe(&error) {
            // The reader has not got everything, which a script that checks must see.
            return Failure::silent(Code::Failed);
        }
        let (code, hint) = meaning(error.kind());
        let failure = Failure {
            code,
            what: error.to_string(),
            hint,
        };
        match error.is_cursor() {
            true => failure.about("--cursor"),
            false => failure,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::silent(Code::Done);
        }
        Failure::new(Code::Failed, format!("cannot write: {error}"))
    }
}

fn is_broken_pipe(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.kind() == io::ErrorKind::BrokenPipe;
        }
        source = error.source();
    }
    false
}

/// The exit code of an error of this kind, where no command knows better.
pub(crate) fn exit_of(kind: ErrorKind) -> u8 {
    meaning(kind).0 as u8
}

/// What to do about an error of this kind.
pub(crate) fn hint_of(kind: ErrorKind) -> Option<&'static str> {
    meaning(kind).1
}

fn meaning(kind: ErrorKind) -> (Code, Option<&'static str>) {
    use ErrorKind as Kind;
    match kind {
        Kind::Locked => (
            Code::Store,
            Some(
                "one process writes at a time; query, export, follow, stats and verify work beside it",
            ),
        ),
        Kind::NotAStore => (
            Code::Store,
            Some(
                "DB is the folder of a store; `import` and `append` make one in a new or empty folder",
            ),
        ),
        Kind::Filter => (
            Code::Usage,
            Some("`auditdb query --help` explains filters and times"),
        ),
        Kind::Exists => (Code::Usage, Some("take another name")),
        Kind::OutOfRange | Kind::CursorEmpty => (Code::Usage, None),
        Kind::CursorDamaged | Kind::CursorForeign | Kind::CursorFilter | Kind::CursorDirection => (
            Code::Usage,
            Some(
                "--cursor takes what the former page of the same store, filter and order gave as next_cursor",
            ),
        ),
        Kind::Corrupt | Kind::Missing => (
            Code::Failed,
            Some("`auditdb verify DB` lists all damage; `--salvage FILE` writes what is left"),
        ),
        Kind::Full => (
            Code::Failed,
            Some("make room and run it again; nothing acknowledged is lost"),
        ),
        _ => (Code::Failed, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_and_the_librarys_word_for_it_are_not_both_said() {
        let about = |what: &str, subject| Failure::usage(what).about(subject).what;
        assert_eq!(
            about("header: a page", "--no-header"),
            "--no-header: a page"
        );
        assert_eq!(
            about("csv_safety: a page", "--csv-safety"),
            "--csv-safety: a page"
        );
        assert_eq!(
            about("headers are", "--no-header"),
            "--no-header: headers are"
        );
        assert_eq!(about("", "--no-header"), "");
    }
}
