//! The program's own commands as workloads. What they promise is told by their exit code: 0 is all of
//! it, anything else none of an export's file and a beginning of an import.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;

use auditdb::Order;
use auditdb::Query;
use auditdb::ReadMode;
use auditdb::Reader;

use crate::ledger::Ledger;
use crate::work;

/// One command.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// Works on a store that was not closed.
    pub(crate) on_killed: bool,
    does: Does,
}

#[derive(Clone, Copy)]
enum Does {
    Append,
    Import,
    Export,
    Query,
    Verify,
}

const fn program(name: &'static str, on_killed: bool, does: Does) -> Program {
    Program {
        name,
        on_killed,
        does,
    }
}

pub(crate) const PROGRAMS: &[Program] = &[
    program("auditdb append", true, Does::Append),
    program("auditdb import", false, Does::Import),
    program("auditdb export", false, Does::Export),
    program("auditdb query", true, Does::Query),
    program("auditdb verify", true, Does::Verify),
];

/// Events of an import.
const LINES: u64 = 50;

/// Runs a command to which `program` adds its words, tells the ledger what it did, and judges what it
/// put out.
pub(crate) fn run(
    program: &Program,
    mut command: Command,
    store: &Path,
    ledger: &mut Ledger,
) -> Result<ExitStatus, String> {
    match program.does {
        Does::Append => append(command, store, ledger),
        Does::Import => import(command, store, ledger),
        Does::Export => export(command, store),
        Does::Query => query(command, store),
        Does::Verify => output(command.arg("verify").arg(store), b"").map(|(status, _)| status),
    }
}

/// Runs a command to its end with this input, and gives its status and what it printed.
fn output(command: &mut Command, input: &[u8]) -> Result<(ExitStatus, Vec<u8>), String> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ended early reads nothing.
        stdin.write_all(input).ok();
    }
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    Ok((output.status, output.stdout))
}

/// A number of a line of JSON.
fn member(line: &[u8], name: &str) -> Option<u64> {
    let line: serde_json::Value = serde_json::from_slice(line).ok()?;
    line.get(name)?.as_u64()
}

fn line(number: u64) -> Result<String, String> {
    serde_json::to_string(&work::event(number)).map_err(|error| error.to_string())
}

fn append(mut command: Command, store: &Path, ledger: &mut Ledger) -> Result<ExitStatus, String> {
    let number = ledger.next();
    ledger.hear(&format!("try {number} 1"));
    let (status, printed) = output(command.arg("append").arg(store), line(number)?.as_bytes())?;
    if status.success() {
        let seq = member(&printed, "seq").ok_or("a receipt without a seq")?;
        ledger.hear(&format!("ok {number} {seq}"));
    }
    Ok(status)
}

fn import(mut command: Command, store: &Path, ledger: &mut Ledger) -> Result<ExitStatus, String> {
    let lines = store.with_extension("ndjson");
    let (first, mut text) = (ledger.next(), String::new());
    for number in first..first + LINES {
        ledger.hear(&format!("try {number} 1"));
        text += &(line(number)? + "\n");
    }
    fs::write(&lines, text).map_err(|error| format!("{}: {error}", lines.display()))?;
    command.args(["import", "--json"]).arg(store).arg(&lines);
    let (status, printed) = output(&mut command, b"")?;
    if status.success() {
        let seq = member(&printed, "first_seq").ok_or("an import without a seq")?;
        for place in 0..LINES {
            ledger.hear(&format!("ok {} {}", first + place, seq + place));
        }
    }
    Ok(status)
}

/// What a reader in this process says the store's lines are.
fn canonical(store: &Path) -> auditdb::Result<Vec<u8>> {
    let snapshot = Reader::open(store, ReadMode::Positional)?.snapshot()?;
    let query = Query {
        order: Order::NewestFirst,
        ..Query::default()
    };
    let (mut text, mut line) = (Vec::new(), Vec::new());
    let mut scan = snapshot.scan(&query)?;
    while scan.next_line(&mut line)? {
        text.append(&mut line);
    }
    Ok(text)
}

fn export(mut command: Command, store: &Path) -> Result<ExitStatus, String> {
    const BEFORE: &[u8] = b"what was there before";
    let target = store.with_extension("exported");
    fs::write(&target, BEFORE).map_err(|error| format!("{}: {error}", target.display()))?;
    command
        .arg("export")
        .arg(store)
        .args(["-f", "ndjson", "--force", "-o"]);
    let (status, _) = output(command.arg(&target), b"")?;
    let found = fs::read(&target).map_err(|error| format!("{}: {error}", target.display()))?;
    let wanted = canonical(store).map_err(|error| error.to_string())?;
    match found == wanted || (!status.success() && found == BEFORE) {
        true => Ok(status),
        false => Err(format!(
            "{status}, and its file is neither whole nor as before"
        )),
    }
}

fn query(mut command: Command, store: &Path) -> Result<ExitStatus, String> {
    command
        .arg("query")
        .arg(store)
        .args(["-n", "100000", "-o", "ndjson"]);
    let (status, printed) = output(&mut command, b"")?;
    let wanted = canonical(store).map_err(|error| error.to_string())?;
    match printed == wanted || !status.success() {
        true => Ok(status),
        false => Err("it ended with 0, and printed other events than there are".to_owned()),
    }
}
