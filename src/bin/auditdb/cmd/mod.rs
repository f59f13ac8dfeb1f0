//! The commands: one file each, with its own words and `run`.

mod append;
mod demo;
mod dump;
mod errors;
mod export;
mod facets;
mod follow;
mod generate;
mod history;
mod import;
mod jobs;
mod queries;
mod query;
mod show;
mod stats;
mod types;
mod verify;

use std::fmt::Display;

use auditdb::Query;
use auditdb::Snapshot;
use auditdb::Time;
use clap::Subcommand;

use crate::failure::Code;
use crate::failure::Outcome;
use crate::output::Output;
use crate::table;

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// The main job in one go on generated data: import, pages, a CSV export, verification
    Demo(demo::Words),
    /// Write deterministic, realistic events as native NDJSON to stdout
    Generate(generate::Words),
    /// Read events or other systems' logs into a store
    Import(import::Words),
    /// Append one event, given as a line on stdin or by flags, and print its receipt
    Append(append::Words),
    /// Print a page of events, newest first
    Query(query::Words),
    /// List the filters that were saved by name, or remove one
    Queries(queries::Words),
    /// Print one event whole
    Show(show::Words),
    /// Print what changed about a subject, and what it was at a moment
    History(history::Words),
    /// Export events to a file or to stdout
    Export(export::Words),
    /// Export as a job that survives the process: start, status, list, cancel, purge
    Jobs(jobs::Words),
    /// Count the values of a field
    Facets(facets::Words),
    /// Print events in commit order and wait for more
    Follow(follow::Words),
    /// List event types: those that packs know, or those that a store has
    Types(types::Words),
    /// Print facts about a store
    Stats(stats::Words),
    /// Read every byte of a store and check everything that can be checked
    Verify(verify::Words),
    /// Print the raw structure of a store's files
    Dump(dump::Words),
    /// List every error code and what it means
    Errors(errors::Words),
}

/// Does it.
pub(crate) fn run(command: Command, output: &Output) -> Outcome<Code> {
    match command {
        Command::Demo(words) => demo::run(&words, output),
        Command::Generate(words) => generate::run(&words, output),
        Command::Import(words) => import::run(&words, output),
        Command::Append(words) => append::run(&words, output),
        Command::Query(words) => query::run(&words, output),
        Command::Queries(words) => queries::run(&words, output),
        Command::Show(words) => show::run(&words, output),
        Command::History(words) => history::run(&words, output),
        Command::Export(words) => export::run(&words, output),
        Command::Jobs(words) => jobs::run(&words, output),
        Command::Facets(words) => facets::run(&words, output),
        Command::Follow(words) => follow::run(&words, output),
        Command::Types(words) => types::run(&words, output),
        Command::Stats(words) => stats::run(&words, output),
        Command::Verify(words) => verify::run(&words, output),
        Command::Dump(words) => dump::run(&words, output),
        Command::Errors(words) => errors::run(&words, output),
    }
}

/// Events that a plan is tried on where a command itself reads more.
const PLANNED: u64 = 50;

/// Tells what finding the first `events` events takes, by finding them.
fn explain_plan(snapshot: &Snapshot, query: &Query, events: u64, output: &Output) -> Outcome<()> {
    let mut scan = snapshot.scan(query)?;
    let mut found = 0;
    while found < events && scan.next().transpose()?.is_some() {
        found += 1;
    }
    let looked = scan.looked();
    let number = |count: u64, of_what: &str| table::counted(count, of_what);
    let tried = match found {
        0 => "where nothing matches".to_owned(),
        found => format!("on the first {}", number(found, "event")),
    };
    output.note(&times(scan.times()));
    output.note(&format!(
        "plan, tried {tried}: {}, {}, {} and {} looked at, of a snapshot of {}",
        number(looked.segments, "segment"),
        number(looked.memtables, "memtable"),
        number(looked.blocks, "block"),
        number(looked.rows, "row"),
        number(scan.snapshot_seq(), "event"),
    ));
    Ok(())
}

/// The range of times as it was resolved.
fn times((first, last): (Time, Time)) -> String {
    match (first == Time::MIN, last == Time::MAX) {
        (true, true) => "times: all".to_owned(),
        (false, true) => format!("times: from {first} on"),
        (true, false) => format!("times: up to and including {last}"),
        (false, false) => format!("times: from {first} up to and including {last}"),
    }
}

/// A value of the library as a JSON text, or null. Its texts need no escapes.
fn quoted(value: Option<impl Display>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| format!("\"{value}\""))
}

/// A text as JSON.
fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
