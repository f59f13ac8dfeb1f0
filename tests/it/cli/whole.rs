//! The whole of a store: the demonstration and facts.

use super::Place;

#[test]
fn the_demonstration_comes_to_its_end() {
    let place = Place::new();
    let told = place.out(&["demo", "@demo"]);
    for command in ["generate", "import", "query", "facets", "export"] {
        assert!(
            told.contains(&format!("$ auditdb {command} ")),
            "{command} is not in {told}"
        );
    }
    assert!(place.path("demo/denied.csv").exists());
    place.run(&["demo", "@demo"], b"").ends_with(2);
}

#[test]
fn facts_are_printed() {
    let place = Place::with_events(100);
    let stats = place.json(&["stats", "DB", "--json"]);
    assert_eq!(stats["events"], 100);
    assert!(stats["oldest"].as_str() <= stats["newest"].as_str());
    assert!(place.out(&["stats", "DB"]).contains("events"));
}
