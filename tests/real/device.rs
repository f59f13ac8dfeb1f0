//! A block device that fails for a while, below a real file system: what the kernel then says once and
//! never again. The writer opens its store anew while the page cache may hold what the device does not;
//! after the device has healed the power goes, so that only the device's own bytes are left.

use std::fs;
use std::fs::File;
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
use crate::volume::Cut;
use crate::volume::Kind;
use crate::volume::Volume;

pub(crate) fn run(rig: &mut Rig) -> Result<String, String> {
    let runs = rig.times(4);
    let boot = Boot::take_over(&rig.folder)?;
    let (mut confirmed, mut told, mut compared) = (0, 0, 0);
    for run in 0..runs {
        // Without the journal's help an error stays with the file it hit.
        let options = *rig
            .random
            .choose(&["defaults", "data=writeback", "errors=continue"]);
        let kind = Kind::new("ext4", options);
        let folder = rig.folder.join(run.to_string());
        fs::create_dir(&folder).map_err(|error| error.to_string())?;
        let counts = fails_for_a_while(rig, kind, &folder, &boot)
            .map_err(|what| format!("run {run} on {kind:?}: {what}"))?;
        confirmed += counts.0;
        told += counts.1;
        compared += counts.2;
        rig.tell(run + 1, runs);
        fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    }
    if told == 0 {
        return Err("no write ever failed".to_owned());
    }
    Ok(format!(
        "{runs} devices failed, {confirmed} events acknowledged, {told} errors told, \
         {compared} events compared"
    ))
}

/// A device of a server that fails writes as long as a file is there.
struct Device {
    server: Child,
    offer: Child,
    name: String,
}

impl Device {
    fn start(folder: &Path) -> Result<Device, String> {
        let (socket, offered) = (folder.join("socket"), folder.join("offered"));
        let mut server = Command::new("nbdkit");
        server.args(["-f", "-U", word(&socket), "--filter=error", "file"]);
        server.arg(folder.join("image"));
        server.args(["error=EIO", "error-pwrite-rate=100%"]);
        server.arg(format!(
            "error-pwrite-file={}",
            folder.join("fails").display()
        ));
        let failed = |error| format!("nbdkit: {error}");
        let server = server
            .stderr(std::process::Stdio::null())
            .spawn()
            .map_err(failed)?;
        wait_for(&socket)?;
        File::create(&offered).map_err(|error| error.to_string())?;
        let mut offer = Command::new("nbdfuse");
        offer.arg(&offered).args(["--unix", word(&socket)]);
        let offer = offer.spawn().map_err(|error| format!("nbdfuse: {error}"))?;
        let mut device = Device {
            server,
            offer,
            name: String::new(),
        };
        for _ in 0..500 {
            if fs::metadata(&offered).is_ok_and(|found| found.len() > 0) {
                device.name = system::run("losetup", &["--find", "--show", word(&offered)])?;
                return Ok(device);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err("nbdfuse offers nothing".to_owned())
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if !self.name.is_empty() {
            system::run("losetup", &["--detach", &self.name]).ok();
        }
        for child in [&mut self.offer, &mut self.server] {
            // Asked first, so that what is mounted goes away with it.
            system::run("kill", &["-TERM", &child.id().to_string()]).ok();
            child.wait().ok();
        }
    }
}

fn wait_for(path: &Path) -> Result<(), String> {
    for _ in 0..500 {
        if path.exists() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(format!("{} never came", path.display()))
}

/// One device. Gives the number of events acknowledged, of errors, and of events compared.
fn fails_for_a_while(
    rig: &mut Rig,
    kind: Kind,
    folder: &Path,
    boot: &Boot,
) -> Result<(u64, u64, u64), String> {
    volume::make_image(kind, &folder.join("image"))?;
    let device = Device::start(folder)?;
    let mut volume = Volume::of(kind, &device.name, folder)?;
    let (store, fails) = (volume.mount.join("store"), folder.join("fails"));
    let mut ledger = Ledger::default();
    let pause = |rig: &mut Rig, millis| {
        std::thread::sleep(Duration::from_millis(20 + rig.random.below(millis)));
    };
    let worker = child::start(child::command("all", &store, 0)?, |line| line)?;
    pause(rig, 300);
    File::create(&fails).map_err(|error| error.to_string())?;
    pause(rig, 200);
    fs::remove_file(&fails).map_err(|error| error.to_string())?;
    pause(rig, 300);
    let said = worker.ends_within(Duration::from_millis(100))?;
    said.iter().for_each(|line| ledger.hear(line));
    let mut confirmed = ledger.acknowledged();
    let mut errors = said
        .iter()
        .filter(|line| line.starts_with("error "))
        .count() as u64;
    // Another process, on the page cache that the failed one left behind; the journal may have shut
    // the file system down, so an error is an answer as well.
    let again = child::command("append", &store, ledger.next())?;
    let (_, said) = child::run(again)?;
    said.iter().for_each(|line| ledger.hear(line));
    confirmed += ledger.acknowledged() - confirmed;
    errors += said
        .iter()
        .filter(|line| line.starts_with("error "))
        .count() as u64;
    // Ignored where the journal has done so already.
    volume.cut(Cut::All).ok();
    volume.boot(boot)?;
    let compared = check::store(&store, &mut ledger)?;
    volume.unmount()?;
    Ok((confirmed, errors, compared))
}
