//! The rig's command line. Beside its own words, those of cargo's own test programs may come: they are
//! left aside, but a plain word is a filter there, which asks for no part of this program.

use std::path::PathBuf;

use crate::PARTS;
use crate::Part;

/// What was asked for.
#[derive(Default)]
pub(crate) struct Words {
    parts: Vec<String>,
    is_filtered: bool,
    pub(crate) times: Option<u64>,
    pub(crate) events: Option<u64>,
    pub(crate) seed: u64,
    pub(crate) scratch: Option<PathBuf>,
    pub(crate) leaves_out: bool,
    /// A child's: what it does, where, and the number of its first event.
    pub(crate) work: Option<String>,
    pub(crate) store: Option<PathBuf>,
    pub(crate) next: u64,
    /// Whether it waits for its stdin to be closed before it begins.
    pub(crate) waits: bool,
}

impl Words {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Words, String> {
        let mut read = Words::default();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} without a value"));
            match word.as_str() {
                "--part" => read.parts.push(known(value()?)?),
                "--times" => read.times = Some(number(&value()?)?),
                "--events" => read.events = Some(number(&value()?)?),
                "--seed" => read.seed = number(&value()?)?,
                "--scratch" => read.scratch = Some(value()?.into()),
                "--leave-out" => read.leaves_out = true,
                "--work" => read.work = Some(value()?),
                "--store" => read.store = Some(value()?.into()),
                "--next" => read.next = number(&value()?)?,
                "--wait" => read.waits = true,
                _ => read.is_filtered |= !word.starts_with('-'),
            }
        }
        Ok(read)
    }

    /// Named parts, and without a name those that run everywhere.
    pub(crate) fn asks_for(&self, part: &Part) -> bool {
        match self.parts.as_slice() {
            [] => !self.is_filtered && part.programs.is_empty() && !part.needs_root,
            names => names.iter().any(|name| name == part.name),
        }
    }
}

fn known(name: String) -> Result<String, String> {
    match PARTS.iter().any(|part| part.name == name) {
        true => Ok(name),
        false => {
            let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
            Err(format!("there is no part {name}, but {}", names.join(", ")))
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}
