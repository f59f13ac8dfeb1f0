//! The promises of an import, on small inputs always and on the whole corpus where
//! `AUDITDB_CORPUS` names it.

use super::formats;
use super::mapping::Mapping;

#[test]
fn every_built_in_mapping_can_be_read() {
    for (name, text) in formats::FILES {
        let mapping = Mapping::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(mapping.name(), *name);
        assert!(!mapping.about().is_empty(), "{name}: about");
        assert!(mapping.detects(), "{name}: detect");
    }
}
