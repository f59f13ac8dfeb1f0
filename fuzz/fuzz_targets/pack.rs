//! Any text as a file of event types and labels: refused with a reason, or a pack that a registry
//! takes or refuses whole, and whose every type is then found under each of its names.
#![no_main]

use std::sync::LazyLock;

use auditdb::Event;
use auditdb::Pack;
use auditdb::Registry;

static BUILT_IN: LazyLock<Registry> = LazyLock::new(Registry::built_in);

libfuzzer_sys::fuzz_target!(|text: &str| {
    let pack = match Pack::parse(text) {
        Ok(pack) => pack,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    for registry in [Registry::new(), BUILT_IN.clone()] {
        let Ok(registry) = registry.with(pack.clone()) else {
            continue;
        };
        for known in registry.types().filter(|one| one.pack() == pack.name()) {
            assert_eq!(registry.find(known.name()), Some(known));
            for alias in known.aliases() {
                assert_eq!(registry.find(alias), Some(known));
            }
            let event = Event::new(known.name());
            drop(registry.check(&event));
            drop(registry.check_secrets(&event));
            for locale in registry.locales() {
                assert!(!registry.event_label(&event, locale).is_empty());
            }
        }
        drop(registry.lint());
        assert!(registry.with(pack.clone()).is_err(), "twice the same");
    }
});
