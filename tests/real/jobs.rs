//! Export jobs of the program, killed at random moments and gone on with: the file is, byte for byte, that
//! of a job that nobody killed, and the trail tells of each once. One store is for all kills.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::Rig;

/// Events without other word: more than the steps of a job that are made durable at once.
const EVENTS: u64 = 220_000;
/// Bytes that are compared at once.
const PIECE: u64 = 1 << 20;

/// What is exported, in words.
const JOBS: [(&str, &[&str]); 3] = [
    ("csv", &["-f", "csv"]),
    ("packed", &["-f", "ndjson", "--compress", "zstd"]),
    ("zip", &["-f", "csv", "--rows-per-file", "50000", "--zip"]),
];

pub(crate) fn run(rig: &mut Rig) -> Result<String, String> {
    let events = rig.events.unwrap_or(EVENTS);
    let kills = rig.times(JOBS.len() as u64);
    let store = rig.folder.join("store");
    fill(&store, events)?;
    let (mut landed, mut done) = (0, 0);
    for (name, words) in JOBS {
        // Both of one snapshot: the trail tells of what is made of it only later.
        let ids = ["whole", "killed"].map(|key| start(&store, words, &format!("{name}-{key}")));
        let [whole, id] = ids;
        let (whole, id) = (whole?, id?);
        let begun = Instant::now();
        let wanted = job(&store, &["status", &whole, "--wait"])?;
        let length = begun.elapsed();
        for _ in 0..kills / JOBS.len() as u64 {
            landed += u64::from(kill(rig, &store, &id, length)?);
            done += 1;
            rig.tell(done, kills);
        }
        let got = job(&store, &["status", &id, "--wait"])?;
        compare(&wanted, &got).map_err(|what| format!("{name}: {what}"))?;
    }
    let told = output(
        &store,
        "query",
        &["-o", "ndjson", "--type", "audit.exported"],
    )?;
    let told = told.lines().count();
    match told == 2 * JOBS.len() {
        true => Ok(format!(
            "{} jobs of {events} events, {kills} kills, {landed} of them in the middle",
            JOBS.len()
        )),
        false => Err(format!(
            "{told} exports are told of, not {}",
            2 * JOBS.len()
        )),
    }
}

/// A store of so many generated events.
fn fill(store: &Path, events: u64) -> Result<(), String> {
    let events = events.to_string();
    let mut generate = program(&["generate", "--events", &events, "--ties", "30"])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("generate: {error}"))?;
    let lines = generate.stdout.take().ok_or("generate: no output")?;
    let imported = program(&["import", &store.display().to_string(), "-"])
        .stdin(lines)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("import: {error}"))?;
    let generated = generate
        .wait()
        .map_err(|error| format!("generate: {error}"))?;
    match imported.success() && generated.success() {
        true => Ok(()),
        false => Err(format!("generate {generated}, import {imported}")),
    }
}

/// Notes a job, and gives its name.
fn start(store: &Path, words: &[&str], key: &str) -> Result<String, String> {
    let noted = job(
        store,
        &[&["start", "--queue", "--job-key", key], words].concat(),
    )?;
    Ok(text(&noted, "id"))
}

/// Works on a job for a while at most as long as all of it takes; whether it was killed in the middle.
fn kill(rig: &mut Rig, store: &Path, id: &str, length: Duration) -> Result<bool, String> {
    let store = store.display().to_string();
    let mut child = program(&["jobs", &store, "status", id, "--wait"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("status: {error}"))?;
    let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
    std::thread::sleep(Duration::from_micros(1 + rig.random.below(micros.max(1))));
    let ended = child
        .try_wait()
        .map_err(|error| format!("status: {error}"))?;
    child.kill().ok();
    child.wait().map_err(|error| format!("status: {error}"))?;
    Ok(ended.is_none())
}

/// Both jobs are ready, and their files are the same.
fn compare(wanted: &Value, got: &Value) -> Result<(), String> {
    for field in ["state", "rows", "bytes", "complete"] {
        if wanted.get(field) != got.get(field) {
            return Err(format!("{field}: {wanted} and {got}"));
        }
    }
    let open = |job: &Value| File::open(PathBuf::from(text(job, "file")));
    let (Ok(mut one), Ok(mut other)) = (open(wanted), open(got)) else {
        return Err(format!("the files of {wanted} and {got}"));
    };
    loop {
        let (left, right) = (piece(&mut one)?, piece(&mut other)?);
        if left != right {
            return Err("the files differ".to_owned());
        }
        if left.is_empty() {
            break;
        }
    }
    match wanted.get("sha256") == got.get("sha256") {
        true => Ok(()),
        false => Err(format!("sha256: {wanted} and {got}")),
    }
}

fn piece(file: &mut File) -> Result<Vec<u8>, String> {
    let mut piece = Vec::new();
    let read = file.take(PIECE).read_to_end(&mut piece);
    read.map(|_| piece).map_err(|error| error.to_string())
}

fn job(store: &Path, words: &[&str]) -> Result<Value, String> {
    let told = output(store, "jobs", words)?;
    serde_json::from_str(&told).map_err(|error| format!("{error}: {told}"))
}

fn output(store: &Path, command: &str, words: &[&str]) -> Result<String, String> {
    let store = store.display().to_string();
    let ended = program(&[&[command, &store], words].concat())
        .output()
        .map_err(|error| format!("{command}: {error}"))?;
    if !ended.status.success() {
        let what = String::from_utf8_lossy(&ended.stderr);
        return Err(format!("{command} {words:?}: {}: {what}", ended.status));
    }
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}

fn program(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auditdb"));
    command.args(words);
    command
}

fn text(job: &Value, field: &str) -> String {
    let value = job.get(field).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}
