//! SIGKILL at random moments of everything a writer does, its opening and closing included.

use std::time::Duration;

use crate::Rig;
use crate::check;
use crate::child;
use crate::ledger::Ledger;

/// Stores are begun anew after so many kills, so that creating one is killed as well.
const KILLS_EACH: u64 = 10;

pub(crate) fn run(rig: &mut Rig) -> Result<String, String> {
    let kills = rig.times(20);
    let (mut path, mut ledger) = (rig.folder.join("0"), Ledger::default());
    let (mut confirmed, mut compared) = (0, 0);
    for kill in 0..kills {
        if kill % KILLS_EACH == 0 {
            std::fs::remove_dir_all(&path).ok();
            path = rig.folder.join(kill.to_string());
            ledger = Ledger::default();
        }
        let moment = Duration::from_micros(1_000 + rig.random.below(60_000));
        let worker = child::start(child::command("all", &path, ledger.next())?, |line| line)?;
        std::thread::sleep(moment);
        worker.kill()?.iter().for_each(|line| ledger.hear(line));
        confirmed += ledger.acknowledged();
        let held = check::store(&path, &mut ledger);
        compared += held.map_err(|what| format!("kill {kill}: {what}"))?;
        rig.tell(kill + 1, kills);
    }
    Ok(format!(
        "{kills} kills, {confirmed} events acknowledged before them, {compared} compared after"
    ))
}
