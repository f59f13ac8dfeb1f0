//! A cursor's text: one of the typed refusals, or a cursor whose text is the one it was read from.
#![no_main]

use auditdb::Cursor;

libfuzzer_sys::fuzz_target!(|text: &str| match text.parse::<Cursor>() {
    Ok(cursor) => assert_eq!(cursor.to_string(), text),
    Err(error) => assert!(error.is_cursor()),
});
