//! Tests of the filter: its words, its times, its terms, and the oracle against the terms.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should fail loudly"
)]

mod alias;
mod arbitrary;
mod contradictions;
mod kept;
mod oracle;
mod page;
mod times;
mod word_cases;

use crate::error::ErrorKind;
use crate::event::Event;
use crate::event::StoredEvent;
use crate::filter::Filter;
use crate::filter::zone::Utc;
use crate::id::EventId;
use crate::id::Position;
use crate::id::Sequence;
use crate::time::Time;

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn read(flags: &[(&str, &str)]) -> Filter {
    match Filter::from_flags(flags.iter().copied(), &Utc) {
        Ok(filter) => filter,
        Err(error) => panic!("{flags:?}: {error}"),
    }
}

/// The filter of these flags, unless they contradict each other.
fn read_sound(flags: &[(&str, &str)]) -> Option<Filter> {
    match Filter::from_flags(flags.iter().copied(), &Utc) {
        Ok(filter) => Some(filter),
        Err(error) if error.to_string().contains(": contradiction: ") => None,
        Err(error) => panic!("{flags:?}: {error}"),
    }
}

/// The message that `flags` are refused with.
fn refused(flags: &[(&str, &str)]) -> String {
    let error = Filter::from_flags(flags.iter().copied(), &Utc).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Filter);
    error.to_string()
}

fn stored(event: Event) -> StoredEvent {
    let position = Position {
        occurred_at: at("2026-05-17T08:00:00Z"),
        seq: Sequence(7),
    };
    StoredEvent {
        id: EventId::new(position),
        seq: position.seq,
        occurred_at: position.occurred_at,
        recorded_at: position.occurred_at,
        event,
    }
}
