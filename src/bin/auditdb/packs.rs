//! The words that say which event types are known: packs, and what becomes of the rest.

use std::path::Path;
use std::sync::Arc;

use auditdb::Event;
use auditdb::FlaggedTypes;
use auditdb::OnUnknown;
use auditdb::Options;
use auditdb::Pack;
use auditdb::Registry;
use clap::Args;

use crate::failure::Failure;
use crate::failure::Outcome;
use crate::output::Output;
use crate::table;
use crate::text;

/// Which packs count.
#[derive(Args)]
pub(crate) struct Packs {
    /// Event types of a pack file, beside the built-in ones; none leaves those out
    #[arg(long, value_name = "FILE|none")]
    pack: Vec<String>,
}

/// What becomes of events that the packs do not know.
#[derive(Args)]
pub(crate) struct Unknown {
    #[command(flatten)]
    packs: Packs,
    /// What to do with an event of a type, or of a shape, that no pack knows
    #[arg(long, value_enum, value_name = "accept|flag|refuse")]
    unknown: Option<Word>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Word {
    /// Take it
    Accept,
    /// Take it, and tell of it on stderr
    Flag,
    /// Refuse it
    Refuse,
}

/// Types that are told of at most, of those that were flagged.
const FLAGGED_SHOWN: usize = 20;

impl Packs {
    /// The packs that the words name: the built-in ones and those of files.
    pub(crate) fn registry(&self) -> Outcome<Registry> {
        let mut registry = match self.pack.iter().any(|word| word == "none") {
            true => Registry::new(),
            false => Registry::built_in(),
        };
        for word in self.pack.iter().filter(|word| *word != "none") {
            let refuse =
                |why: &dyn std::fmt::Display| Failure::usage(format!("--pack {word}: {why}"));
            let built_in = Pack::built_in()
                .into_iter()
                .find(|pack| pack.name() == word);
            let pack = match built_in {
                Some(pack) if registry.packs().any(|(name, _)| name == pack.name()) => continue,
                Some(pack) => pack,
                None => {
                    let read = std::fs::read_to_string(Path::new(word));
                    let read = read.map_err(|error| refuse(&format!("cannot be read: {error}")));
                    Pack::parse(&read?).map_err(|error| refuse(&error))?
                }
            };
            registry = registry.with(pack).map_err(|error| refuse(&error))?;
        }
        Ok(registry)
    }
}

impl Unknown {
    /// The settings of a store that takes what the words say. Where none is given, an import takes
    /// over what another system recorded, whatever that is, and looks nothing up.
    pub(crate) fn of_import(&self, options: Options) -> Outcome<Options> {
        match self.packs.pack.is_empty() && self.unknown.is_none() {
            true => Ok(options),
            false => self.of_append(options),
        }
    }

    /// As [`Unknown::of_import`], but the secrets of the built-in packs are refused by default.
    pub(crate) fn of_append(&self, options: Options) -> Outcome<Options> {
        Ok(Options {
            registry: Some(Arc::new(self.packs.registry()?)),
            on_unknown: match self.unknown {
                None | Some(Word::Accept) => OnUnknown::Accept,
                Some(Word::Flag) => OnUnknown::Flag,
                Some(Word::Refuse) => OnUnknown::Refuse,
            },
            ..options
        })
    }

    /// Whether events that no pack knows are told of.
    pub(crate) fn flags(&self) -> bool {
        matches!(self.unknown, Some(Word::Flag))
    }
}

/// Refuses what a store with these settings would refuse, before there is one.
pub(crate) fn check(event: &Event, options: &Options) -> auditdb::Result<()> {
    match (&options.registry, options.on_unknown) {
        (None, _) => Ok(()),
        (Some(registry), OnUnknown::Refuse) => registry.check(event),
        (Some(registry), OnUnknown::Accept | OnUnknown::Flag) => registry.check_secrets(event),
    }
}

/// How many events were flagged.
pub(crate) fn flagged_events(flagged: &FlaggedTypes) -> u64 {
    let known = flagged.types.iter().map(|one| one.events);
    known.sum::<u64>() + flagged.further_events
}

/// Tells of the events that no pack knows.
pub(crate) fn tell_flagged(flagged: &FlaggedTypes, output: &Output) {
    for one in flagged.types.iter().take(FLAGGED_SHOWN) {
        let events = table::counted(one.events, "event");
        output.note(&format!(
            "flagged: {events}: {}",
            text::one_line(&one.reason)
        ));
    }
    let told = flagged
        .types
        .iter()
        .take(FLAGGED_SHOWN)
        .map(|one| one.events);
    let further = flagged_events(flagged) - told.sum::<u64>();
    if further > 0 {
        let events = table::counted(further, "event");
        output.note(&format!(
            "flagged: {events} of further types; `auditdb types DB` lists all"
        ));
    }
}
