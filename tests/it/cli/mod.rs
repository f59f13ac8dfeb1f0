//! The binary as scripts see it: words, streams and exit codes. Each module holds one promise;
//! what they share is how a command is run here.

mod advice;
mod append;
mod documented;
mod export;
mod import;
mod page;
mod streams;
mod targets;
mod whole;
mod words;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own for one test, with a store's name in it.
pub(crate) struct Place {
    folder: TempDir,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) error: String,
    command: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        Place { folder }
    }

    /// A place with a store of generated events.
    pub(crate) fn with_events(events: u32) -> Place {
        let place = Place::new();
        let count = events.to_string();
        let made = run(
            &[
                "generate", "--events", &count, "--ties", "30", "--late", "5",
            ],
            b"",
        )
        .done();
        place.run(&["import", "DB", "-"], &made.out).done();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Runs a command in which `DB` stands for the store and `@name` for a file of this place.
    pub(crate) fn run(&self, words: &[&str], input: &[u8]) -> Ended {
        let words: Vec<String> = words.iter().map(|word| self.word(word)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        run(&words, input)
    }

    pub(crate) fn word(&self, word: &str) -> String {
        match (word, word.strip_prefix('@')) {
            ("DB", _) => self.name("store"),
            (_, Some(file)) if !file.starts_with(|first: char| first.is_ascii_digit()) => {
                self.name(file)
            }
            _ => word.to_owned(),
        }
    }

    /// What a command that must succeed prints.
    pub(crate) fn out(&self, words: &[&str]) -> String {
        self.run(words, b"").done().text()
    }

    /// The JSON that a command that must succeed prints.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        json(&self.out(words))
    }
}

impl Ended {
    /// It must have succeeded.
    pub(crate) fn done(self) -> Ended {
        self.ends_with(0)
    }

    /// It must have ended with this code.
    pub(crate) fn ends_with(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{}\n{}", self.command, self.error);
        self
    }

    pub(crate) fn text(self) -> String {
        String::from_utf8(self.out).unwrap_or_else(|error| panic!("{}: {error}", self.command))
    }
}

/// The binary's path: the one built with the tests, or `AUDITDB_BINARY`, built with other features.
fn program() -> OsString {
    let built = || env!("CARGO_BIN_EXE_auditdb").into();
    std::env::var_os("AUDITDB_BINARY").unwrap_or_else(built)
}

/// The binary, not started yet.
pub(crate) fn auditdb(words: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(words);
    command
}

/// Runs the binary to its end.
pub(crate) fn run(words: &[&str], input: &[u8]) -> Ended {
    let command = format!("auditdb {}", words.join(" "));
    let failed = |error: std::io::Error| -> ! { panic!("{command}: {error}") };
    let mut child = auditdb(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| failed(error));
    let mut stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A command may end without reading all of it.
            if let Some(stdin) = &mut stdin {
                drop(stdin.write_all(input));
            }
            drop(stdin);
        });
        child
            .wait_with_output()
            .unwrap_or_else(|error| failed(error))
    });
    Ended {
        code: output.status.code(),
        out: output.stdout,
        error: String::from_utf8_lossy(&output.stderr).into_owned(),
        command,
    }
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The lines of NDJSON.
pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines().map(json).collect()
}

/// A text of an object.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The files of a folder and of those in it.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
