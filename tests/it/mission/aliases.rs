//! Row B17: one thing under several names is found by any of them, and nothing is rewritten.

use auditdb::Event;
use auditdb::Filter;
use auditdb::FilterField;
use auditdb::Options;
use auditdb::Pattern;
use auditdb::Query;
use auditdb::Registry;
use auditdb::Store;
use auditdb::Subject;

use crate::support::folder;

/// A login under its former name, and one under its present name.
fn logins() -> [Event; 2] {
    ["anonymous_login", "confidential_login"].map(|word| {
        let login = Subject::new(word).id("c1");
        Event::new(format!("{word}.updated")).subject(login)
    })
}

#[test]
fn mission_b17_a_filter_for_either_name_finds_both_and_each_keeps_its_own() {
    let folder = folder();
    let store = Store::open(folder.path(), Options::default()).expect("a store");
    for event in logins() {
        store.append(&event).expect("any type is taken");
    }
    store
        .append(&Event::new("user.updated").subject(Subject::new("user").id("c1")))
        .expect("taken");
    let registry = Registry::built_in();
    let found = |filter: Filter| -> Vec<String> {
        let query = Query {
            filter,
            ..Query::default()
        };
        let page = store.page(&query).expect("a page");
        page.events
            .into_iter()
            .map(|stored| stored.event.event_type)
            .collect()
    };
    let both = ["confidential_login.updated", "anonymous_login.updated"];
    for word in ["anonymous_login", "confidential_login"] {
        for filter in [
            Filter::new().is(FilterField::Type, format!("{word}.updated")),
            Filter::new().any_of(&FilterField::Type, [Pattern::prefix(format!("{word}."))]),
            Filter::new().is(FilterField::Subject, word),
            Filter::new().is(FilterField::SubjectKind, word),
            Filter::new().is_entity(FilterField::Subject, word, "c1"),
            Filter::new().is_entity(FilterField::Target, word, "c1"),
        ] {
            assert_eq!(found(filter.clone()).len(), 1, "to the letter: {filter}");
            assert_eq!(
                found(filter.clone().with_aliases(&registry)),
                both,
                "{filter}"
            );
        }
        let none = Filter::new().none_of(&FilterField::Subject, [Pattern::is(word)]);
        assert_eq!(found(none.with_aliases(&registry)), ["user.updated"]);
    }
    store.close().expect("closed");
}

#[cfg(feature = "cli")]
mod by_the_command {
    use super::logins;
    use crate::cli::Place;
    use crate::cli::lines;

    #[test]
    fn mission_b17_the_command_finds_both_names_unless_told_not_to() {
        let place = Place::new();
        for event in logins() {
            let line = serde_json::to_string(&event).expect("a line");
            place.run(&["append", "DB"], line.as_bytes()).done();
        }
        let before = place.out(&["export", "DB", "-f", "ndjson", "--pack", "none"]);
        for filter in [
            ["--subject", "anonymous_login:c1"],
            ["--subject", "confidential_login"],
            ["--type", "anonymous_login.updated"],
            ["--type", "confidential_login.*"],
        ] {
            let found = place.out(&["export", "DB", "-f", "ndjson", filter[0], filter[1]]);
            assert_eq!(found, before, "{filter:?}");
            let words = [
                "query", "DB", "-o", "ndjson", "--pack", "none", filter[0], filter[1],
            ];
            assert_eq!(
                lines(&place.out(&words)).len(),
                1,
                "to the letter: {filter:?}"
            );
        }
        assert!(
            before.contains("anonymous_login.updated"),
            "each keeps its name: {before}"
        );
        let counts = place.out(&["facets", "DB", "subject-kind"]);
        assert!(counts.contains("anonymous_login") && counts.contains("confidential_login"));
        let explained = [
            "query",
            "DB",
            "--type",
            "anonymous_login.added",
            "--explain",
        ];
        let explained = place.run(&explained, b"").done().error;
        assert!(
            explained.contains("or type is \"confidential_login.added\""),
            "{explained}"
        );
        // A cursor goes on under the names it was made with, and under no others.
        let first = place.json(&[
            "query",
            "DB",
            "--type",
            "anonymous_login.*",
            "-n",
            "1",
            "-o",
            "json",
        ]);
        let cursor = first["next_cursor"]
            .as_str()
            .expect("one more follows")
            .to_owned();
        let next = [
            "query",
            "DB",
            "--type",
            "anonymous_login.*",
            "--cursor",
            &cursor,
        ];
        place.run(&next, b"").done();
        let literal = [&next[..], &["--pack", "none"]].concat();
        let error = place.run(&literal, b"").ends_with(2).error;
        assert!(error.contains("--cursor"), "{error}");
    }
}
