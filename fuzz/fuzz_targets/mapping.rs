//! Any text as a mapping file and, behind a zero byte, lines for it: refused with a reason, or a
//! mapping that gives every line exactly one fate.
#![no_main]

use auditdb::Accepted;
use auditdb::Import;
use auditdb::ImportFormat;
use auditdb::ImportOptions;
use auditdb::ImportSink;
use auditdb::ImportedEvent;
use auditdb::Mapping;
use auditdb::OnRefusal;
use auditdb::Sequence;

struct Sink(u64);

impl ImportSink for Sink {
    fn accept(&mut self, batch: Vec<ImportedEvent>) -> Result<Vec<Accepted>, auditdb::Error> {
        let stored = |one: ImportedEvent| match one.into_parts().0.validate() {
            Ok(()) => {
                self.0 += 1;
                Accepted::Stored(Sequence(self.0 - 1))
            }
            Err(error) => Accepted::Refused(error.to_string()),
        };
        Ok(batch.into_iter().map(stored).collect())
    }
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (mapping, lines) = text.split_once('\0').unwrap_or((text, "{}\n"));
    let mapping = match Mapping::parse(mapping) {
        Ok(mapping) => mapping,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let options = ImportOptions {
        format: ImportFormat::Mapping(mapping.into()),
        ..ImportOptions::default()
    };
    let mut sink = Sink(0);
    let mut import = Import::new(&mut sink, options, OnRefusal::Skip);
    if import.read("fuzz", lines.as_bytes()).is_ok() {
        let outcome = import.outcome();
        let fates = outcome.imported + outcome.duplicates + outcome.refused;
        assert_eq!(fates, outcome.read);
    }
});
