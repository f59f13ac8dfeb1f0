//! The fault rig on real processes, real file systems and real block devices. Plain `cargo test` runs
//! the parts that need nothing; `cargo test --test real -- --part NAME` runs one that needs root or
//! other programs, and fails where these are missing: what is asked for by name is never skipped.
//!
//! ```text
//! --part NAME      one of PARTS below; may be given several times
//! --times N        how many faults; without it a short run, AUDITDB_RIG times as long
//! --events N       how many events the store has whose export jobs are killed
//! --seed N         where chance begins; failures print it
//! --scratch DIR    where stores and images are made instead of the system's temporary folder
//! --leave-out      leaves out what this machine cannot run, and says so
//! ```

#![expect(
    clippy::print_stdout,
    reason = "a test program of its own tells on stdout what it did"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::time::Instant;

use support::Random;

mod blocks;
mod check;
mod child;
mod cuts;
mod device;
mod jobs;
mod kills;
mod ledger;
mod limits;
mod program;
#[path = "../it/support.rs"]
#[allow(
    dead_code,
    clippy::indexing_slicing,
    reason = "it is written for the other tests, which need more of it"
)]
mod support;
mod sweep;
mod system;
mod volume;
mod words;
mod work;
mod writelog;

use words::Words;

/// A kind of fault.
struct Part {
    name: &'static str,
    /// Programs without which it cannot run.
    programs: &'static [&'static str],
    needs_root: bool,
    run: fn(&mut Rig) -> Result<String, String>,
}

const PARTS: &[Part] = &[
    Part {
        name: "kills",
        programs: &[],
        needs_root: false,
        run: kills::run,
    },
    Part {
        name: "jobs",
        programs: &[],
        needs_root: false,
        run: jobs::run,
    },
    Part {
        name: "limits",
        programs: &[],
        needs_root: false,
        run: limits::run,
    },
    Part {
        name: "sweep",
        programs: &["strace"],
        needs_root: false,
        run: sweep::run,
    },
    Part {
        name: "full",
        programs: &["fallocate", "losetup", "mkfs.ext4", "mkfs.xfs", "unshare"],
        needs_root: true,
        run: limits::run_full,
    },
    Part {
        name: "cuts",
        programs: &["losetup", "mkfs.ext4", "mkfs.xfs", "unshare", "xfs_io"],
        needs_root: true,
        run: cuts::run,
    },
    Part {
        name: "blocks",
        programs: &[
            "losetup",
            "mkfs.ext4",
            "mkfs.xfs",
            "qemu-storage-daemon",
            "unshare",
        ],
        needs_root: true,
        run: blocks::run,
    },
    Part {
        name: "device",
        programs: &[
            "losetup",
            "mkfs.ext4",
            "nbdfuse",
            "nbdkit",
            "unshare",
            "xfs_io",
        ],
        needs_root: true,
        run: device::run,
    },
];

const MINUTE: Duration = Duration::from_secs(60);

/// What a part runs with.
struct Rig {
    random: Random,
    times: Option<u64>,
    events: Option<u64>,
    /// Its own, and empty; kept when the part fails.
    folder: PathBuf,
    name: &'static str,
    told: Instant,
}

impl Rig {
    /// How many faults are asked for, where a plain run of `plain` is enough.
    fn times(&self, plain: u64) -> u64 {
        self.times.unwrap_or(plain * support::rig())
    }

    /// Tells of long runs once a minute how far they have come.
    fn tell(&mut self, done: u64, of: u64) {
        if self.told.elapsed() > MINUTE {
            println!("{}: {done} of {of} so far", self.name);
            self.told = Instant::now();
        }
    }
}

fn main() -> ExitCode {
    let words = match Words::read(std::env::args().skip(1)) {
        Ok(words) => words,
        Err(what) => {
            println!("{what}; see the head of tests/real/main.rs");
            return ExitCode::from(2);
        }
    };
    if let (Some(name), Some(path)) = (&words.work, &words.store) {
        if words.waits {
            std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        }
        work::work(name, path, words.next);
    }
    let mounts = |part: &Part| part.needs_root && part.lacks().is_none();
    let mut asked = PARTS.iter().filter(|part| words.asks_for(part));
    if asked.any(mounts)
        && let Some(mut again) = volume::enter_namespace()
    {
        return match again.status() {
            Ok(status) if status.success() => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        };
    }
    let mut failed = false;
    for part in PARTS.iter().filter(|part| words.asks_for(part)) {
        match part.lacks() {
            None => failed |= !run(part, &words),
            Some(what) if words.leaves_out => println!("{}: DID NOT RUN: {what}", part.name),
            Some(what) => {
                println!("{}: FAILED: it cannot run: {what}", part.name);
                failed = true;
            }
        }
    }
    match failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// Runs a part and tells what came of it; what failed stays where it is.
fn run(part: &Part, words: &Words) -> bool {
    let (seed, begun) = (words.seed, Instant::now());
    let scratch = words.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let made = tempfile::Builder::new()
        .prefix(&format!("auditdb-real-{}-", part.name))
        .tempdir_in(scratch);
    let folder = match made {
        Ok(folder) => folder,
        Err(error) => {
            println!("{}: FAILED: a folder for it: {error}", part.name);
            return false;
        }
    };
    let outcome = (part.run)(&mut Rig {
        random: Random::new(seed),
        times: words.times,
        events: words.events,
        folder: folder.path().to_owned(),
        name: part.name,
        told: begun,
    });
    let seconds = begun.elapsed().as_secs();
    match outcome {
        Ok(what) => {
            println!("{}: {what}; seed {seed}, {seconds} s", part.name);
            true
        }
        Err(what) => {
            let kept = folder.keep();
            println!("{}: FAILED with seed {seed}: {what}", part.name);
            println!("what is left is in {}", kept.display());
            false
        }
    }
}

impl Part {
    /// What this machine lacks to run it.
    fn lacks(&self) -> Option<String> {
        let is_root = rustix::process::geteuid().is_root();
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&paths).collect();
        let is_there = |name: &&str| folders.iter().any(|folder| folder.join(name).exists());
        let mut lacking: Vec<&str> = self.programs.to_vec();
        lacking.retain(|name| !is_there(name));
        if self.needs_root && !is_root {
            lacking.push("root");
        } else if self.needs_root && lacking.is_empty() {
            // In a container root may be no more than a name.
            let can = |program, words: &[&str]| system::run(program, words).is_ok();
            if !can("losetup", &["--find"]) {
                lacking.push("a loop device");
            }
            if !can("unshare", &["--mount", "true"]) {
                lacking.push("mounts of its own");
            }
        }
        (!lacking.is_empty()).then(|| lacking.join(", "))
    }
}
