//! Power cuts at every write of a block device: a storage daemon logs what a file system writes and
//! flushes, and states are put together from that log as a disk may be found, all entries up to the
//! last flush and any of those since. Each is mounted and compared with what had been acknowledged when
//! the log was that long.

use std::fs;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::time::Duration;

use crate::Rig;
use crate::check;
use crate::child;
use crate::ledger::Ledger;
use crate::system;
use crate::system::word;
use crate::volume;
use crate::volume::Boot;
use crate::volume::Kind;
use crate::volume::Volume;
use crate::writelog::Entry;
use crate::writelog::WriteLog;

/// States made of one log.
const STATES_EACH: u64 = 100;
const MOMENT: Duration = Duration::from_millis(1500);

pub(crate) fn run(rig: &mut Rig) -> Result<String, String> {
    let states = rig.times(20);
    let boot = Boot::take_over(&rig.folder)?;
    let kinds = [
        Kind::new("ext4", "defaults"),
        Kind::new("ext4", "data=writeback"),
        Kind::new("xfs", "defaults"),
    ];
    let (mut made, mut entries, mut compared) = (0, 0, 0);
    for round in 0.. {
        for kind in kinds {
            if made >= states {
                return Ok(format!(
                    "{made} states of {entries} logged writes, {compared} events compared"
                ));
            }
            let folder = rig.folder.join(format!("{round}-{}", kind.file_system));
            fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
            let recorded = record(kind, &folder)?;
            let count = STATES_EACH.min(states - made);
            compared += replay(rig, kind, &folder, &boot, &recorded, count)
                .map_err(|what| format!("{kind:?}, round {round}: {what}"))?;
            made += count;
            rig.tell(made, states);
            entries += recorded.log.entries().len() as u64;
            fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
        }
    }
    Err("the rounds ended".to_owned())
}

/// What happened on a device, and what its writer said when the log was how long.
struct Recorded {
    log: WriteLog,
    said: Vec<(u64, String)>,
}

/// A daemon that offers an image as a file and logs what is written to it.
struct Daemon(Child);

impl Daemon {
    fn start(folder: &Path) -> Result<Daemon, String> {
        let offered = folder.join("offered");
        File::create(&offered).map_err(|error| error.to_string())?;
        let node = |name: &str| {
            let file = folder.join(name);
            format!("driver=file,node-name={name},filename={}", file.display())
        };
        let export = format!(
            "type=fuse,id=export,node-name=logged,writable=on,mountpoint={}",
            offered.display()
        );
        let mut command = Command::new("qemu-storage-daemon");
        command.args(["--blockdev", &node("image"), "--blockdev", &node("log")]);
        let logged = "driver=blklogwrites,node-name=logged,file=image,log=log,log-sector-size=512";
        command.args(["--blockdev", logged, "--export", &export]);
        let child = command
            .spawn()
            .map_err(|error| format!("qemu-storage-daemon: {error}"))?;
        let daemon = Daemon(child);
        for _ in 0..500 {
            if fs::metadata(&offered).is_ok_and(|found| found.len() > 0) {
                return Ok(daemon);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err("qemu-storage-daemon offers nothing".to_owned())
    }

    /// Ends it as it wants to be ended, with its log complete.
    fn ends(mut self) -> Result<(), String> {
        system::run("kill", &["-TERM", &self.0.id().to_string()])?;
        self.0.wait().map(drop).map_err(|error| error.to_string())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Works for a moment on a file system whose device is logged.
fn record(kind: Kind, folder: &Path) -> Result<Recorded, String> {
    volume::make_image(kind, &folder.join("image"))?;
    system::run(
        "cp",
        &[
            "--sparse=always",
            word(&folder.join("image")),
            word(&folder.join("base")),
        ],
    )?;
    let log = folder.join("log");
    File::create(&log).map_err(|error| error.to_string())?;
    let daemon = Daemon::start(folder)?;
    let said = work(kind, folder, &log)?;
    daemon.ends()?;
    let log = WriteLog::open(&log)?;
    Ok(Recorded { log, said })
}

fn work(kind: Kind, folder: &Path, log: &Path) -> Result<Vec<(u64, String)>, String> {
    let device = system::run(
        "losetup",
        &["--find", "--show", word(&folder.join("offered"))],
    )?;
    let said = work_on(kind, folder, log, &device);
    system::run("losetup", &["--detach", &device])?;
    said
}

fn work_on(
    kind: Kind,
    folder: &Path,
    log: &Path,
    device: &str,
) -> Result<Vec<(u64, String)>, String> {
    let mut volume = Volume::of(kind, device, folder)?;
    let store = volume.mount.join("store");
    let log = log.to_owned();
    // A line is about what the log held when it came, and not about what was written since.
    let marked = move |line: String| {
        let now = fs::metadata(&log).map_or(u64::MAX, |found| found.len());
        (now, line)
    };
    let worker = child::start(child::command("all", &store, 0)?, marked)?;
    let said = worker.ends_within(MOMENT)?;
    volume.unmount()?;
    Ok(said)
}

/// Puts states together from a log in order, so that what was flushed is written only once.
fn replay(
    rig: &mut Rig,
    kind: Kind,
    folder: &Path,
    boot: &Boot,
    recorded: &Recorded,
    count: u64,
) -> Result<u64, String> {
    let entries = recorded.log.entries();
    let mut places: Vec<usize> = (0..count)
        .map(|_| rig.random.below(entries.len() as u64 + 1) as usize)
        .collect();
    places.sort_unstable();
    let base = folder.join("base");
    let (mut flushed, mut compared) = (0, 0);
    for place in places {
        let last = entries.iter().take(place).rposition(Entry::is_flush);
        let durable = last.map_or(0, |last| last + 1);
        apply(
            &recorded.log,
            &base,
            entries.get(flushed..durable).unwrap_or_default(),
        )?;
        flushed = flushed.max(durable);
        let since = entries.get(durable..place).unwrap_or_default();
        // All of them, none, or each by chance.
        let fraction = *rig.random.choose(&[0, 2, 2, 2, 4]);
        let some: Vec<Entry> = since
            .iter()
            .copied()
            .filter(|_| rig.random.below(4) < fraction)
            .collect();
        let state = folder.join("state");
        system::run("cp", &["--sparse=always", word(&base), word(&state)])?;
        apply(&recorded.log, &state, &some)?;
        let end = recorded.log.end(place);
        compared += look(kind, folder, boot, &state, end, recorded).map_err(|what| {
            format!(
                "entry {place}, {} of {} since its flush: {what}",
                some.len(),
                since.len()
            )
        })?;
    }
    Ok(compared)
}

fn apply(log: &WriteLog, image: &Path, entries: &[Entry]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", image.display());
    let file = File::options().write(true).open(image).map_err(failed)?;
    for entry in entries {
        if let Some(bytes) = log.bytes(entry)? {
            file.write_all_at(&bytes, entry.offset()).map_err(failed)?;
        }
    }
    Ok(())
}

/// Mounts a state and compares the store, if it had come to be, with what was known by then.
fn look(
    kind: Kind,
    folder: &Path,
    boot: &Boot,
    state: &Path,
    end: u64,
    recorded: &Recorded,
) -> Result<u64, String> {
    boot.again()?;
    let mut ledger = Ledger::default();
    for (length, line) in &recorded.said {
        // What was tried later can be there in part only if it was there, so trying always counts.
        if *length <= end || line.starts_with("try") {
            ledger.hear(line);
        }
    }
    let device = system::run("losetup", &["--find", "--show", word(state)])?;
    let looked = look_on(kind, folder, &device, &mut ledger);
    system::run("losetup", &["--detach", &device])?;
    looked
}

fn look_on(kind: Kind, folder: &Path, device: &str, ledger: &mut Ledger) -> Result<u64, String> {
    let volume = Volume::of(kind, device, folder)?;
    check::store(&volume.mount.join("store"), ledger)
}
