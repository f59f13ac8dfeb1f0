//! A kill, and an error of each kind, at every system call by which a store's files change or are
//! read, in the writer's steps one by one and in the program's commands. strace counts the calls of
//! each thread; the points are the call, its number in a thread, and the fault. `--times` many of them
//! are taken by chance, all of them if there are no more.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::time::Duration;

use crate::Rig;
use crate::check;
use crate::child;
use crate::ledger::Ledger;
use crate::program;
use crate::program::PROGRAMS;
use crate::program::Program;
use crate::system;
use crate::system::word;
use crate::work::WORKS;

/// A system call and what it can answer instead of doing its work.
struct Call {
    name: &'static str,
    errors: &'static [&'static str],
    /// Whether something may change on the disk, so that a kill before it is a case of its own.
    changes: bool,
}

const fn call(name: &'static str, changes: bool, errors: &'static [&'static str]) -> Call {
    Call {
        name,
        errors,
        changes,
    }
}

const CALLS: &[Call] = &[
    call("openat", true, &["EMFILE", "EIO", "ENOSPC"]),
    call("pwrite64", true, &["ENOSPC", "EIO", "EINTR"]),
    call("fsync", true, &["EIO", "ENOSPC", "EINTR"]),
    call("fdatasync", true, &["EIO", "ENOSPC", "EINTR"]),
    call("ftruncate", true, &["EIO", "ENOSPC"]),
    call("fallocate", true, &["EIO", "ENOSPC"]),
    call("rename", true, &["EIO", "ENOSPC"]),
    // EINVAL: a file system without the flag by which a name that is taken is refused.
    call("renameat2", true, &["EIO", "EINVAL"]),
    call("linkat", true, &["EIO"]),
    call("unlink", true, &["EIO"]),
    call("mkdir", true, &["ENOSPC", "EACCES"]),
    call("rmdir", true, &["EIO"]),
    call("write", true, &["ENOSPC", "EIO"]),
    call("flock", true, &["ENOLCK"]),
    call("pread64", false, &["EIO", "EINTR"]),
    call("statx", false, &["EIO"]),
    call("getdents64", false, &["EIO"]),
];

/// So many points that fail end a sweep.
const FAILED_MAX: usize = 20;

/// Who is at work.
#[derive(Clone, Copy)]
enum Actor {
    Writer(&'static str),
    Program(&'static Program),
}

/// One run of the sweep.
struct Point {
    actor: Actor,
    call: &'static str,
    fault: String,
    /// In strace's words: `3` for once, `3+` for from then on.
    when: String,
}

/// Stores as they are before each run, with their ledgers.
struct Templates {
    folder: PathBuf,
    closed: Ledger,
    killed: Ledger,
}

pub(crate) fn run(rig: &mut Rig) -> Result<String, String> {
    let templates = Templates::make(&rig.folder)?;
    let mut points = Vec::new();
    let writers = WORKS.iter().map(|work| Actor::Writer(work));
    for actor in writers.chain(PROGRAMS.iter().map(Actor::Program)) {
        let counts = templates.count(actor)?;
        points.extend(
            counts
                .into_iter()
                .flat_map(|(call, count)| of_call(actor, call, count)),
        );
    }
    let (all, wanted) = (points.len(), rig.times(40) as usize);
    while points.len() > wanted {
        points.swap_remove(rig.random.below(points.len() as u64) as usize);
    }
    let (mut tried, mut hit, mut compared, mut failed) = (0, 0, 0, Vec::new());
    for point in &points {
        rig.tell(tried, points.len() as u64);
        tried += 1;
        match templates.strike(point) {
            Ok(told) => {
                hit += u64::from(told.0);
                compared += told.1;
            }
            Err(what) => {
                failed.push(format!("{point}: {what}"));
                templates.keep_failed(failed.len())?;
            }
        }
        if failed.len() >= FAILED_MAX {
            break;
        }
    }
    let came =
        format!("{tried} of {all} points, {hit} of them reached, {compared} events compared");
    match failed.is_empty() {
        true => Ok(came),
        false => Err(format!("{came}; {}", failed.join("; "))),
    }
}

fn of_call(actor: Actor, call: &'static Call, count: u64) -> Vec<Point> {
    // What the writer says on its stdout is not to fail: it would end there.
    let writes_only = matches!(actor, Actor::Writer(_)) && call.name == "write";
    let errors = if writes_only { &[] } else { call.errors };
    let mut points = Vec::new();
    for number in 1..=count {
        let mut add = |fault: String, when: String| {
            points.push(Point {
                actor,
                call: call.name,
                fault,
                when,
            });
        };
        if call.changes {
            add("signal=KILL".to_owned(), number.to_string());
        }
        for error in errors {
            add(format!("error={error}"), number.to_string());
            // A call that is interrupted for ever never ends.
            if *error != "EINTR" {
                add(format!("error={error}"), format!("{number}+"));
            }
        }
    }
    points
}

impl Templates {
    fn make(folder: &Path) -> Result<Templates, String> {
        let (closed, killed) = (folder.join("closed"), folder.join("killed"));
        let mut ledger = Ledger::default();
        for work in ["merge", "bulk"] {
            let (_, said) = child::run(child::command(work, &closed, ledger.next())?)?;
            said.iter().for_each(|line| ledger.hear(line));
            check::store(&closed, &mut ledger)?;
        }
        system::copy(&closed, &killed)?;
        let mut unclosed = ledger.clone();
        let (_, said) = child::run(child::command("batch", &killed, ledger.next())?)?;
        said.iter().for_each(|line| unclosed.hear(line));
        Ok(Templates {
            folder: folder.to_owned(),
            closed: ledger,
            killed: unclosed,
        })
    }

    /// A fresh store for an actor, and what is known of it.
    fn fresh(&self, actor: Actor) -> Result<(PathBuf, Ledger), String> {
        let store = self.folder.join("store");
        fs::remove_dir_all(&store).ok();
        let (template, ledger) = match actor {
            Actor::Writer("create") => return Ok((store, Ledger::default())),
            Actor::Writer("recover") => ("killed", &self.killed),
            Actor::Program(program) if program.on_killed => ("killed", &self.killed),
            _ => ("closed", &self.closed),
        };
        system::copy(&self.folder.join(template), &store)?;
        Ok((store, ledger.clone()))
    }

    /// Leaves the store and the trace of the point that failed as they are, under a number.
    fn keep_failed(&self, number: usize) -> Result<(), String> {
        for name in ["store", "trace"] {
            let kept = self.folder.join(format!("failed-{number}-{name}"));
            let moved = fs::rename(self.folder.join(name), &kept);
            moved.map_err(|error| format!("{}: {error}", kept.display()))?;
        }
        Ok(())
    }

    /// How often the thread that does so most makes each call.
    fn count(&self, actor: Actor) -> Result<Vec<(&'static Call, u64)>, String> {
        let names: Vec<&str> = CALLS.iter().map(|call| call.name).collect();
        let (store, mut ledger) = self.fresh(actor)?;
        let status = self.traced(
            actor,
            &store,
            &mut ledger,
            &["-e", &format!("trace={}", names.join(","))],
        )?;
        if !status.success() {
            return Err(format!("without a fault: {status}"));
        }
        let text = fs::read_to_string(self.trace()).map_err(|error| format!("strace: {error}"))?;
        let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for line in text.lines() {
            if let Some((thread, rest)) = line.split_once(' ')
                && let Some((name, _)) = rest.trim_start().split_once('(')
            {
                *counts.entry((name, thread)).or_default() += 1;
            }
        }
        let most = |call: &Call| {
            let of_call = counts.iter().filter(|((name, _), _)| *name == call.name);
            of_call.map(|(_, count)| *count).max().unwrap_or(0)
        };
        Ok(CALLS.iter().map(|call| (call, most(call))).collect())
    }

    fn trace(&self) -> PathBuf {
        self.folder.join("trace")
    }

    /// Runs an actor under strace with some words more, and takes in what it said.
    fn traced(
        &self,
        actor: Actor,
        store: &Path,
        ledger: &mut Ledger,
        words: &[&str],
    ) -> Result<ExitStatus, String> {
        let mut strace = Command::new("strace");
        strace
            .args(["-f", "-qq", "-o", word(&self.trace())])
            .args(words);
        match actor {
            Actor::Writer(work) => writer_traced(strace, work, store, ledger),
            Actor::Program(program) => {
                strace.args(["--seccomp-bpf", env!("CARGO_BIN_EXE_auditdb")]);
                program::run(program, strace, store, ledger)
            }
        }
    }

    /// One fault. Gives back whether it came to pass, and how many events were compared.
    fn strike(&self, point: &Point) -> Result<(bool, u64), String> {
        let (store, mut ledger) = self.fresh(point.actor)?;
        let trace = format!("trace={}", point.call);
        let inject = format!("inject={}:{}:when={}", point.call, point.fault, point.when);
        let words = ["-e", trace.as_str(), "-e", inject.as_str()];
        let status = self.traced(point.actor, &store, &mut ledger, &words)?;
        let kills = point.fault.starts_with("signal");
        match (status.code(), status.signal()) {
            (Some(0 | 1 | 4), _) => {}
            // The loader's word for a library that it could not open.
            (Some(127), _) if point.call == "openat" || point.call == "pread64" => {}
            (_, Some(9)) if kills => {}
            _ => return Err(format!("it ended with {status}")),
        }
        let text = fs::read_to_string(self.trace()).unwrap_or_default();
        // Where the durable point cannot be written, readers elsewhere lag behind until the next one
        // can, or a writer has come.
        let lags = point.call == "pwrite64" && !kills;
        let seen = if lags {
            ledger.undecided()
        } else {
            ledger.clone()
        };
        let compared = check::store_seen(&store, &mut ledger, seen)?;
        Ok((
            text.contains("(INJECTED)") || status.signal() == Some(9),
            compared,
        ))
    }
}

/// The writer waits until strace is there, so that only the store's own calls are counted.
fn writer_traced(
    mut strace: Command,
    work: &str,
    store: &Path,
    ledger: &mut Ledger,
) -> Result<ExitStatus, String> {
    let mut command = child::command(work, store, ledger.next())?;
    command.arg("--wait").stdin(Stdio::piped());
    let mut worker = child::start(command, |line| line)?;
    let go = worker.stdin();
    strace.args(["-p", &worker.id().to_string()]);
    let mut strace = strace.spawn().map_err(|error| format!("strace: {error}"))?;
    let status = format!("/proc/{}/status", worker.id());
    let is_traced = |text: String| !text.contains("TracerPid:\t0\n");
    while !fs::read_to_string(&status).is_ok_and(is_traced) {
        if let Ok(Some(ended)) = strace.try_wait() {
            worker.kill()?;
            return Err(format!("strace ended with {ended}"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // Closing its stdin is the sign to begin.
    drop(go);
    let (status, said) = worker.ends()?;
    strace.wait().map_err(|error| format!("strace: {error}"))?;
    said.iter().for_each(|line| ledger.hear(line));
    let dishonest =
        |line: &&String| line.starts_with("error Corrupt") || line.starts_with("error Missing");
    match said.iter().find(dishonest) {
        Some(line) => Err(format!("an error of the system was told as damage: {line}")),
        None => Ok(status),
    }
}

impl core::fmt::Display for Point {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let actor = match self.actor {
            Actor::Writer(work) => work,
            Actor::Program(program) => program.name,
        };
        let Point {
            call, fault, when, ..
        } = self;
        write!(formatter, "{actor} with {fault} at call {when} of {call}")
    }
}
