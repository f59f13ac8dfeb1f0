//! What earlier runs have seen, so that runs add up to one: in the folder that `AUDITDB_RIG_SEEN` names
//! a file for each workload, numbers of eight bytes, the least byte first. The first says how many seeds
//! were run; a run goes on behind them. The others are the states that were opened, which no later run
//! counts again. A run that is ended early loses the workloads that were under way.

use std::path::PathBuf;

use super::workloads::Workload;

/// The seeds that were run of a workload, and the states seen.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) seeds: u64,
    pub(super) states: Vec<u64>,
}

impl Seen {
    /// What the runs so far have left; nothing if nobody asked for it.
    pub(super) fn load(workload: &Workload) -> Seen {
        let bytes = file(workload).and_then(|file| std::fs::read(file).ok());
        let bytes = bytes.unwrap_or_default();
        let mut numbers = bytes
            .as_chunks::<8>()
            .0
            .iter()
            .map(|number| u64::from_le_bytes(*number));
        Seen {
            seeds: numbers.next().unwrap_or(0),
            states: numbers.collect(),
        }
    }

    /// Leaves it to the next run.
    pub(super) fn save(&self, workload: &Workload) {
        let Some(file) = file(workload) else { return };
        let numbers = core::iter::once(self.seeds).chain(self.states.iter().copied());
        let bytes: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
        let draft = file.with_extension("part");
        let saved = std::fs::write(&draft, bytes).and_then(|()| std::fs::rename(&draft, &file));
        saved.expect("AUDITDB_RIG_SEEN names a folder that can be written");
    }
}

fn file(workload: &Workload) -> Option<PathBuf> {
    let folder = std::env::var_os("AUDITDB_RIG_SEEN")?;
    Some(PathBuf::from(folder).join(workload.name))
}
