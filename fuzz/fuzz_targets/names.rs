//! Any text as each of the small things that are handed in as text: a refusal with words, or a value
//! whose text reads as the same value.
#![no_main]

use core::fmt::Debug;
use core::fmt::Display;
use core::str::FromStr;

use auditdb::EventId;
use auditdb::ExportId;
use auditdb::FacetCursor;
use auditdb::FilterField;
use auditdb::Locale;
use auditdb::Time;

fn says_itself<T: FromStr<Err: Display> + Display + PartialEq + Debug>(text: &str) {
    match text.parse::<T>() {
        Ok(value) => assert_eq!(value.to_string().parse::<T>().ok(), Some(value)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    says_itself::<EventId>(text);
    says_itself::<ExportId>(text);
    says_itself::<FilterField>(text);
    says_itself::<Time>(text);
    if let Ok((time, offset)) = Time::parse_with_offset(text) {
        assert_eq!(time.to_string().parse().ok(), Some(time));
        assert!(offset.is_none_or(|minutes| minutes.abs() < 24 * 60));
    }
    match text.parse::<FacetCursor>() {
        Ok(cursor) => assert_eq!(cursor.to_string(), text),
        Err(error) => assert!(error.is_cursor()),
    }
    if let Ok(locale) = Locale::find(text) {
        assert_eq!(Locale::find(locale.as_str()).ok(), Some(locale));
    }
});
