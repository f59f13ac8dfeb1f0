//! Lines of anybody's log, read as each format there is: refused with a reason, or an event that is
//! valid and comes back from a row as it went in. Every line gets exactly one fate.
#![no_main]

use std::sync::LazyLock;

use auditdb::Accepted;
use auditdb::Event;
use auditdb::Import;
use auditdb::ImportFormat;
use auditdb::ImportOptions;
use auditdb::ImportSink;
use auditdb::ImportedEvent;
use auditdb::OnRefusal;
use auditdb::Sequence;
use auditdb::internals;

struct Sink(u64);

impl ImportSink for Sink {
    fn accept(&mut self, batch: Vec<ImportedEvent>) -> Result<Vec<Accepted>, auditdb::Error> {
        let events = batch.into_iter().map(|one| one.into_parts().0);
        let stored = |event: Event| match event.validate() {
            Ok(()) => {
                let line = serde_json::to_string(&event).expect("an event is JSON");
                assert!(internals::row_of_line(&line).is_some_and(|(same, ..)| same == event));
                self.0 += 1;
                Accepted::Stored(Sequence(self.0 - 1))
            }
            Err(error) => Accepted::Refused(error.to_string()),
        };
        Ok(events.map(stored).collect())
    }
}

/// All formats, by number.
static FORMATS: LazyLock<Vec<ImportFormat>> = LazyLock::new(|| {
    let named = |(name, _)| ImportFormat::named(name).expect("a listed format");
    ImportFormat::list().map(named).collect()
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((number, lines)) = bytes.split_first() else {
        return;
    };
    let format = FORMATS.get(usize::from(*number) % FORMATS.len());
    let options = ImportOptions {
        format: format.cloned().unwrap_or_default(),
        ..ImportOptions::default()
    };
    let mut sink = Sink(0);
    let mut import = Import::new(&mut sink, options, OnRefusal::Skip);
    if import.read("fuzz", lines).is_ok() {
        let outcome = import.outcome();
        let fates = outcome.imported + outcome.duplicates + outcome.refused;
        assert_eq!(fates, outcome.read);
    }
});
