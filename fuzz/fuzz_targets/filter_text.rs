//! Filter words as they are typed, `flag=text` line by line: refused with a reason, or a filter
//! that means the same on index terms as on the events themselves.
#![no_main]

use std::sync::LazyLock;

use auditdb::EventId;
use auditdb::Filter;
use auditdb::Generator;
use auditdb::Position;
use auditdb::Profile;
use auditdb::Sequence;
use auditdb::StoredEvent;
use auditdb::Time;
use auditdb::Utc;
use auditdb::internals;

/// Tidy events and hostile ones.
static EVENTS: LazyLock<Vec<StoredEvent>> = LazyLock::new(|| {
    let hostile = Generator::new(2, Profile::hostile(24));
    let events = Generator::new(1, Profile::realistic(8)).chain(hostile);
    let stored = events.enumerate().map(|(number, event)| {
        let occurred_at = event.occurred_at.value().copied().unwrap_or(Time::MIN);
        let seq = Sequence(number as u64);
        StoredEvent {
            id: EventId::new(Position { occurred_at, seq }),
            seq,
            occurred_at,
            recorded_at: Time::MAX,
            event,
        }
    });
    stored.collect()
});

libfuzzer_sys::fuzz_target!(|text: &str| {
    let flags = text.lines().filter_map(|line| line.split_once('='));
    match Filter::from_flags(flags, &Utc) {
        Ok(filter) => internals::filter_agrees(&filter, &EVENTS),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
