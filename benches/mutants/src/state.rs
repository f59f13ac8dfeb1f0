//! What is kept between runs, in one folder: the copy (`tree`), and as lines of JSON its mutants,
//! its tests with the places they reach, and what became of each mutant. Results are appended, so a
//! run that was stopped goes on where it was; the last line about a mutant counts.

use std::collections::BTreeMap;
use std::fs;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A mutant by place and change: its number may differ from copy to copy.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub change: String,
    /// Which of those that are alike so far: the operators of a chain begin together.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nth: usize,
}

#[derive(Serialize, Deserialize)]
pub struct Made {
    pub number: u32,
    /// The number of the first mutant at the same place.
    pub place: u32,
    pub module: String,
    pub function: String,
    #[serde(flatten)]
    pub key: Key,
    /// Whether it compiles.
    pub builds: bool,
}

#[derive(Serialize, Deserialize)]
pub struct Test {
    pub binary: String,
    pub name: String,
    pub seconds: f64,
    pub passes: bool,
    pub reached: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A test failed, or the process ended.
    Caught,
    /// The tests took longer than they could.
    Hung,
    Survived,
    /// No test reaches it.
    Unreached,
}

#[derive(Serialize, Deserialize)]
pub struct Judged {
    #[serde(flatten)]
    pub key: Key,
    pub outcome: Outcome,
    /// The test that failed.
    pub by: String,
    /// How many tests were run, of those that reach it.
    pub tests: [usize; 2],
    pub seconds: f64,
}

pub struct State(PathBuf);

impl State {
    pub fn new(folder: &str) -> State {
        fs::create_dir_all(folder).expect("the folder of the copy");
        State(fs::canonicalize(folder).expect("the folder of the copy"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn tree(&self) -> PathBuf {
        self.path("tree")
    }

    pub fn mutants(&self) -> Vec<Made> {
        lines(&self.path("mutants.ndjson"))
    }

    pub fn tests(&self) -> Vec<Test> {
        lines(&self.path("tests.ndjson"))
    }

    pub fn results(&self) -> BTreeMap<Key, Judged> {
        let results: Vec<Judged> = lines(&self.path("results.ndjson"));
        results
            .into_iter()
            .map(|one| (one.key.clone(), one))
            .collect()
    }

    /// Adds a line to one of the files.
    pub fn add(&self, name: &str, one: &impl Serialize) {
        let mut file = OpenOptions::new();
        let mut file = file
            .create(true)
            .append(true)
            .open(self.path(name))
            .expect(name);
        let mut line = serde_json::to_string(one).expect("plain data");
        line.push('\n');
        file.write_all(line.as_bytes()).expect(name);
    }

    /// Puts these lines in the place of a file, and says whether that changed it.
    pub fn replace(&self, name: &str, all: &[impl Serialize]) -> bool {
        let line = |one| serde_json::to_string(one).expect("plain data") + "\n";
        let text: String = all.iter().map(line).collect();
        write(&self.path(name), text.as_bytes())
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Writes a file that is not that already, so that times tell what changed.
pub fn write(path: &Path, bytes: &[u8]) -> bool {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return false;
    }
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
    fs::write(path, bytes).expect("a file of the copy");
    true
}

fn lines<T: DeserializeOwned>(path: &Path) -> Vec<T> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    whole.collect()
}
