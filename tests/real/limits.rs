//! Limits of the system that a writer runs into: the length of a file, the number of open files, and
//! file systems with next to no room. What was refused is not there, what was acknowledged is, and
//! with room again the store goes on.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Rig;
use crate::check;
use crate::child;
use crate::ledger::Ledger;
use crate::system;
use crate::system::word;
use crate::volume::Boot;
use crate::volume::Kind;
use crate::volume::Volume;

/// Longer than a child needs to give up, if it comes to that.
const MOMENT: Duration = Duration::from_millis(1000);

/// Limits of a process, which its shell sets before it becomes the writer.
pub(crate) fn run(rig: &mut Rig) -> Result<String, String> {
    let runs = rig.times(6);
    let (mut confirmed, mut refused) = (0, 0);
    for number in 0..runs {
        let limit = match number % 3 {
            // Told as an error, and then without a word: the signal ends the process.
            0 => format!("trap '' XFSZ; ulimit -f {}", 2 + rig.random.below(300)),
            1 => format!("ulimit -f {}", 2 + rig.random.below(300)),
            _ => format!("ulimit -n {}", 5 + rig.random.below(20)),
        };
        let path = rig.folder.join(number.to_string());
        let mut ledger = Ledger::default();
        let told = limited(&path, &limit, &mut ledger);
        let told = told.map_err(|what| format!("{limit}: {what}"))?;
        confirmed += told.0;
        refused += told.1;
        rig.tell(number + 1, runs);
        std::fs::remove_dir_all(&path).ok();
    }
    Ok(format!(
        "{runs} limits, {confirmed} events acknowledged, {refused} errors told"
    ))
}

/// Works below a limit until the writer gives up or a moment has gone by. Gives the number of events
/// that were acknowledged, and of errors.
fn limited(path: &Path, limit: &str, ledger: &mut Ledger) -> Result<(u64, u64), String> {
    let writer = child::command("all", path, 0)?;
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{limit}; exec \"$@\""), "sh"]);
    shell.arg(writer.get_program()).args(writer.get_args());
    shell.stderr(std::process::Stdio::null());
    let said = child::start(shell, |line| line)?.ends_within(MOMENT)?;
    let told = hear(&said, ledger);
    check::store(path, ledger)?;
    Ok(told)
}

fn hear(said: &[String], ledger: &mut Ledger) -> (u64, u64) {
    said.iter().for_each(|line| ledger.hear(line));
    let errors = said.iter().filter(|line| line.starts_with("error "));
    (ledger.acknowledged(), errors.count() as u64)
}

/// Longer than a writer needs to fill what is left on a file system, and to give up.
const FILLING: Duration = Duration::from_secs(20);

/// Full file systems: real ones, filled up to a few hundred kibibytes by a file that goes away later.
pub(crate) fn run_full(rig: &mut Rig) -> Result<String, String> {
    let runs = rig.times(6);
    let boot = Boot::take_over(&rig.folder)?;
    let (mut confirmed, mut refused) = (0, 0);
    for (number, file_system) in ["ext4", "xfs"].into_iter().enumerate() {
        let folder = rig.folder.join(number.to_string());
        std::fs::create_dir(&folder).map_err(|error| error.to_string())?;
        let kind = Kind::new(file_system, "defaults");
        let mut volume = Volume::make(kind, &folder)?;
        for run in 0..runs / 2 {
            let told = full(rig, &volume);
            let told = told.map_err(|what| format!("{file_system}, run {run}: {what}"))?;
            confirmed += told.0;
            refused += told.1;
            volume.boot(&boot)?;
        }
    }
    if refused == 0 {
        return Err("no file system was ever full".to_owned());
    }
    Ok(format!(
        "{} full file systems, {confirmed} events acknowledged, {refused} errors told",
        runs / 2 * 2
    ))
}

fn full(rig: &mut Rig, volume: &Volume) -> Result<(u64, u64), String> {
    let (store, ballast) = (volume.mount.join("store"), volume.mount.join("ballast"));
    std::fs::remove_dir_all(&store).ok();
    let found = rustix::fs::statvfs(&volume.mount).map_err(|error| error.to_string())?;
    // A log's worth or two: segments of such events are small.
    let room = (40 + rig.random.below(120)) << 10;
    let taken = (found.f_bavail * found.f_frsize).saturating_sub(room);
    system::run("fallocate", &["-l", &taken.to_string(), word(&ballast)])?;
    let mut ledger = Ledger::default();
    let writer = child::start(child::command("all", &store, 0)?, |line| line)?;
    let told = hear(&writer.ends_within(FILLING)?, &mut ledger);
    // Nothing is needed to read what is there.
    if store.join("CURRENT").exists() {
        check::read(&store, &ledger)?;
    }
    std::fs::remove_file(&ballast).map_err(|error| error.to_string())?;
    check::store(&store, &mut ledger)?;
    let more = child::command("append", &store, ledger.next())?;
    let (_, said) = child::run(more)?;
    let (after, errors) = hear(&said, &mut ledger);
    if after == 0 || errors > 0 {
        return Err(format!("with room again: {said:?}"));
    }
    check::store(&store, &mut ledger)?;
    Ok(told)
}
