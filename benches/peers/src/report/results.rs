//! The results as lines of JSON: one for each run, one for each figure.

use std::path::Path;

use crate::machine::About;
use crate::works::Outcome;

/// One figure and where it comes from.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Told {
    pub run: String,
    pub events: u64,
    pub round: usize,
    pub contender: String,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Bytes of one part of a store, as the cost sheet of the main crate's benches tells them.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Cost {
    /// Which events: a profile or a log.
    pub log: String,
    pub events: u64,
    pub part: String,
    /// Of all events together.
    pub bytes: u64,
}

/// One line of a file of results.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(tag = "line", rename_all = "lowercase")]
pub enum Line {
    Run(About),
    Outcome(Told),
    Cost(Cost),
}

fn lines(path: &str) -> impl Iterator<Item = Line> {
    let text = std::fs::read_to_string(Path::new(path)).expect("a file of results");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines
        .into_iter()
        .filter_map(|line| serde_json::from_str(&line).ok())
}

/// The runs and figures of some files of results.
pub fn read(paths: &[&str]) -> (Vec<About>, Vec<Told>) {
    let (mut runs, mut told) = (Vec::new(), Vec::new());
    for line in paths.iter().flat_map(|path| lines(path)) {
        match line {
            Line::Run(about) => runs.push(about),
            Line::Outcome(one) => told.push(one),
            Line::Cost(_) => {}
        }
    }
    (runs, told)
}

/// The cost sheets of some files of results.
pub fn costs(paths: &[&str]) -> Vec<Cost> {
    let cost = |line| match line {
        Line::Cost(cost) => Some(cost),
        _ => None,
    };
    paths
        .iter()
        .flat_map(|path| lines(path))
        .filter_map(cost)
        .collect()
}
