//! A native line, stored and read again, is the same event; its canonical line is what serde
//! writes, and stays as it is when it is read once more. Any text, taken as a stored content, is
//! the same event or none by both readers.
#![no_main]

use auditdb::StoredEvent;
use auditdb::internals;

libfuzzer_sys::fuzz_target!(|line: &str| {
    internals::content_of_text(line);
    let Some((event, line, stored)) = internals::row_of_line(line) else {
        return;
    };
    assert_eq!(
        serde_json::to_string(&stored).expect("an event is JSON"),
        line
    );
    let again: StoredEvent = serde_json::from_str(&line).expect("a canonical line is an event");
    assert_eq!(again, stored);
    assert_eq!(
        (again.event.data, again.event.changes),
        (event.data, event.changes)
    );
});
