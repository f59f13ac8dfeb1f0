//! Power cuts on real file systems, in the middle of everything a writer does and, every third time, in
//! the middle of the recovery from the cut before.

use std::time::Duration;
use std::time::Instant;

use crate::Rig;
use crate::check;
use crate::child;
use crate::ledger::Ledger;
use crate::system;
use crate::system::word;
use crate::volume::Boot;
use crate::volume::Cut;
use crate::volume::KINDS;
use crate::volume::Volume;

/// Cuts before a new store is begun, and before the next file system's turn.
const CUTS_EACH: u64 = 10;

/// What was counted.
#[derive(Default)]
struct Counts {
    cuts: u64,
    in_recovery: u64,
    confirmed: u64,
    compared: u64,
}

pub(crate) fn run(rig: &mut Rig) -> Result<String, String> {
    let cuts = rig.times(20);
    let boot = Boot::take_over(&rig.folder)?;
    let mut volumes = Vec::new();
    for (number, kind) in KINDS.iter().enumerate() {
        let folder = rig.folder.join(number.to_string());
        std::fs::create_dir(&folder).map_err(|error| error.to_string())?;
        volumes.push((*kind, Volume::make(*kind, &folder)?));
    }
    let mut counts = Counts::default();
    for round in 0.. {
        for (kind, volume) in &mut volumes {
            if counts.cuts >= cuts {
                let Counts {
                    cuts,
                    in_recovery,
                    confirmed,
                    compared,
                } = counts;
                return Ok(format!(
                    "{cuts} cuts, {in_recovery} of them in a recovery, {confirmed} events \
                     acknowledged before them, {compared} compared after"
                ));
            }
            let told = one_store(rig, volume, &boot, &mut counts);
            told.map_err(|what| format!("{kind:?}, round {round}, {what}"))?;
            rig.tell(counts.cuts, cuts);
        }
    }
    Err("the rounds ended".to_owned())
}

/// Ten cuts under one store, which nobody has seen before.
fn one_store(
    rig: &mut Rig,
    volume: &mut Volume,
    boot: &Boot,
    counts: &mut Counts,
) -> Result<(), String> {
    let path = volume.mount.join("store");
    std::fs::remove_dir_all(&path).ok();
    // Or the store before comes back with the first cut.
    system::run("sync", &["--file-system", word(&volume.mount)])?;
    let mut ledger = Ledger::default();
    for number in 0..CUTS_EACH {
        let cut = *rig.random.choose(&[Cut::All, Cut::Data]);
        one_cut(rig, volume, cut, "all", 80_000, &mut ledger)?;
        volume.boot(boot)?;
        counts.cuts += 1;
        if rig.random.below(3) == 0 {
            // Opening alone, cut short in its turn.
            one_cut(rig, volume, cut, "recover", 25_000, &mut ledger)?;
            volume.boot(boot)?;
            counts.cuts += 1;
            counts.in_recovery += 1;
        }
        counts.confirmed += ledger.acknowledged();
        let held = check::store(&path, &mut ledger);
        counts.compared += held.map_err(|what| format!("{cut:?} {number}: {what}"))?;
    }
    Ok(())
}

fn one_cut(
    rig: &mut Rig,
    volume: &Volume,
    cut: Cut,
    work: &str,
    micros_max: u64,
    ledger: &mut Ledger,
) -> Result<(), String> {
    let path = volume.mount.join("store");
    let moment = Duration::from_micros(1_000 + rig.random.below(micros_max));
    let stamped = |line| (Instant::now(), line);
    let worker = child::start(child::command(work, &path, ledger.next())?, stamped)?;
    std::thread::sleep(moment);
    if rig.random.below(4) == 0 {
        // What nobody synced can be on the disk as well.
        let folder = std::fs::File::open(&volume.mount).map_err(|error| error.to_string())?;
        rustix::fs::syncfs(folder).map_err(|error| format!("a sync: {error}"))?;
    }
    let begun = Instant::now();
    volume.cut(cut)?;
    for (moment, line) in worker.ends_within(Duration::from_millis(40))? {
        // Power goes at once, this call does not: a sync beside it that finds the journal's commit
        // already given up may be told that there is nothing to wait for.
        if moment < begun || !line.starts_with("ok") {
            ledger.hear(&line);
        }
    }
    Ok(())
}
