//! What an event has to keep before it is taken: the rules of its fields, its size, and what the
//! store's registry says of its type. Checked outside every lock; without a registry nothing is
//! looked up, and with one a type is looked up once.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::codec::content::Content;
use crate::error::Error;
use crate::error::Result;
use crate::event::Event;
use crate::limits;
use crate::options::OnUnknown;
use crate::options::Options;
use crate::registry::Registry;

/// Events that the store's registry does not know, which were handed in and taken all the same, by
/// type: see [`OnUnknown::Flag`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlaggedTypes {
    /// The types, in order; the first 1,024 that there were.
    pub types: Vec<FlaggedType>,
    /// Events of further types.
    pub further_events: u64,
}

/// A type that was flagged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlaggedType {
    /// The type.
    pub event_type: String,
    /// How many events of it were handed in since the store was opened, whatever became of them.
    pub events: u64,
    /// What [`OnUnknown::Refuse`] would have said of the first one.
    pub reason: String,
}

/// The rules of one open store.
#[derive(Default)]
pub(super) struct Rules {
    bytes_max: usize,
    registry: Option<Arc<Registry>>,
    on_unknown: OnUnknown,
    flagged: Mutex<Flagged>,
}

#[derive(Default)]
struct Flagged {
    /// How many events of each type, and what was wrong with the first.
    types: BTreeMap<String, (u64, String)>,
    further_events: u64,
}

impl Rules {
    pub(super) fn of(options: &Options) -> Rules {
        Rules {
            bytes_max: options.event_bytes_max,
            registry: options.registry.clone(),
            on_unknown: options.on_unknown,
            flagged: Mutex::default(),
        }
    }

    /// Checks all of `event` but its size, which its content tells.
    pub(super) fn check(&self, event: &Event) -> Result<()> {
        event.validate()?;
        match &self.registry {
            None => Ok(()),
            Some(registry) => self.check_registered(registry, event),
        }
    }

    /// Checks the size of a content.
    pub(super) fn check_size(&self, content: &str) -> Result<()> {
        let (len, most) = (content.len(), self.bytes_max);
        if len <= most {
            return Ok(());
        }
        let rule = format!(
            "{len} bytes in canonical form, at most {most} are taken; keep what is large elsewhere, \
             and where that is in the event"
        );
        Err(Error::invalid("event", rule))
    }

    /// Checks what an import offers as a content, of which only the registry has to know.
    pub(super) fn check_content(&self, content: &str) -> Result<()> {
        self.check_size(content)?;
        let Some(registry) = &self.registry else {
            return Ok(());
        };
        // Types need no escapes, and come first.
        let head = content.strip_prefix("{\"type\":\"");
        let known = head.and_then(|rest| registry.find(rest.split('"').next()?));
        if known.is_some_and(|known| known.is_plain()) {
            return Ok(());
        }
        match Content::parse(content) {
            Some(content) => self.check_registered(registry, &content.event()),
            None => Err(Error::invalid("event", "not in canonical form")),
        }
    }

    fn check_registered(&self, registry: &Registry, event: &Event) -> Result<()> {
        let Some(known) = registry.find(&event.event_type) else {
            let unknown = || registry.unknown(&event.event_type);
            return self.settle(&event.event_type, unknown);
        };
        known.refuse_secrets(event)?;
        if self.on_unknown == OnUnknown::Accept {
            return Ok(());
        }
        match known.refuse_misfit(registry, event) {
            Ok(()) => Ok(()),
            Err(error) => self.settle(&event.event_type, || error),
        }
    }

    /// What becomes of an event that the registry does not know so.
    fn settle(&self, event_type: &str, why: impl FnOnce() -> Error) -> Result<()> {
        match self.on_unknown {
            OnUnknown::Accept => {}
            OnUnknown::Refuse => return Err(why()),
            OnUnknown::Flag => {
                let mut flagged = self.flagged.lock();
                if let Some((events, _)) = flagged.types.get_mut(event_type) {
                    *events += 1;
                } else if flagged.types.len() < limits::FLAGGED_TYPES {
                    let first = (1, why().to_string());
                    flagged.types.insert(event_type.to_owned(), first);
                } else {
                    flagged.further_events += 1;
                }
            }
        }
        Ok(())
    }

    pub(super) fn flagged(&self) -> FlaggedTypes {
        let flagged = self.flagged.lock();
        let types = flagged.types.iter();
        FlaggedTypes {
            types: types
                .map(|(event_type, (events, reason))| FlaggedType {
                    event_type: event_type.clone(),
                    events: *events,
                    reason: reason.clone(),
                })
                .collect(),
            further_events: flagged.further_events,
        }
    }
}
