//! Rows B10, B12, C2 to C4 and C6: what people see in place of who and what an event names, whatever
//! became of it since, and of what an event changed.

use auditdb::Event;
use auditdb::MULTIPLE_ATTRIBUTES;
use auditdb::Options;
use auditdb::Performer;
use auditdb::Query;
use auditdb::Registry;
use auditdb::ShownName;
use auditdb::Store;
use auditdb::Subject;

use super::found;
use crate::support::folder;

/// A form that has a label, the same one without, and the event that removes it.
fn events() -> [Event; 3] {
    let form = Subject::new("form").id("536");
    let by = Performer::new("admin").id("a1");
    [
        Event::new("form.added")
            .performer(by.clone().label("Ada"))
            .subject(form.clone().label("Intake")),
        Event::new("form.updated")
            .performer(by.label(""))
            .subject(form.clone()),
        Event::new("form.deleted")
            .performer(Performer::new("system"))
            .subject(form),
    ]
}

const SUBJECTS: [&str; 3] = [
    "Unknown Form with id 536",
    "Unknown Form with id 536",
    "Intake",
];
const PERFORMERS: [&str; 3] = ["System", "Unknown Admin with id a1", "Ada"];

#[test]
fn mission_b12_a_name_is_the_label_of_its_event_or_the_exact_words() {
    let folder = folder();
    let store = Store::open(folder.path(), Options::default()).expect("a store");
    for event in events() {
        store.append(&event).expect("taken");
    }
    let mut views = Vec::new();
    let page = store.snapshot().page_with(&Query::default(), |view| {
        let subject = view
            .subject()
            .value()
            .map(|subject| subject.shown_name().to_string());
        views.push(subject.expect("each has one"));
    });
    assert!(page.expect("a page").complete);
    assert_eq!(views, SUBJECTS, "where the row lies");
    for ((stored, subject), performer) in found(&store, auditdb::Filter::new())
        .iter()
        .zip(SUBJECTS)
        .zip(PERFORMERS)
    {
        let (what, who) = (&stored.event.subject, &stored.event.performer);
        assert_eq!(
            what.value()
                .map(|what| what.shown_name().to_string())
                .as_deref(),
            Some(subject)
        );
        assert_eq!(
            who.value()
                .map(|who| who.shown_name().to_string())
                .as_deref(),
            Some(performer)
        );
    }
    store.close().expect("closed");
}

#[test]
fn mission_c4_a_performer_without_a_name_is_called_by_its_kind() {
    for (kind, shown) in [
        ("system", "System"),
        ("anonymous", "Anonymous"),
        ("unknown", "Unknown"),
        ("api_client", "Api Client"),
    ] {
        assert_eq!(Performer::new(kind).shown_name(), ShownName::Kind(kind));
        assert_eq!(Performer::new(kind).shown_name().to_string(), shown);
    }
}

#[test]
fn mission_c6_several_attributes_have_one_label_and_one_has_its_events() {
    let registry = Registry::built_in();
    let one = Event::new("group.updated")
        .change("name", "1", "2")
        .expect("JSON");
    let several = one.clone().change("owner", "null", "\"u1\"").expect("JSON");
    assert_eq!(registry.event_label(&one, "en"), "Update User Group");
    assert_eq!(registry.event_label(&several, "en"), MULTIPLE_ATTRIBUTES);
    assert_eq!(MULTIPLE_ATTRIBUTES, "Multiple Attributes Updated");
    assert_eq!(
        registry.event_label(&Event::new("own.type"), "en"),
        "own.type"
    );
}

#[cfg(feature = "cli")]
mod by_the_command {
    use super::PERFORMERS;
    use super::SUBJECTS;
    use super::events;
    use crate::cli::Place;

    #[test]
    fn mission_b12_the_table_shows_labels_and_the_exact_words() {
        let place = Place::new();
        for event in events() {
            let line = serde_json::to_string(&event).expect("a line");
            place.run(&["append", "DB"], line.as_bytes()).done();
        }
        let table = place.out(&["query", "DB"]);
        let rows = table.lines().skip(1);
        for ((row, subject), performer) in rows.zip(SUBJECTS).zip(PERFORMERS) {
            // The command knows the built-in pack, which has a word of its own for the kind.
            let performer = performer.replace("Admin", "Administrator");
            assert!(row.contains(subject) && row.contains(&performer), "{row}");
        }
        // Labels are not unique: what a filter takes stands behind them.
        assert!(
            table.contains("Intake (form:536)") && table.contains("Ada (admin:a1)"),
            "{table}"
        );
    }

    #[test]
    fn mission_b10_a_list_calls_several_changes_multiple_attributes_updated() {
        let place = Place::new();
        for changes in [&["name=a:b"][..], &["name=b:c", "email=x:y"]] {
            let changes = changes.iter().flat_map(|change| ["--change", change]);
            let words = ["append", "DB", "--type", "user.updated"].into_iter();
            let words: Vec<&str> = words.chain(changes).collect();
            place.run(&words, b"").done();
        }
        let table = place.out(&["query", "DB"]);
        let rows: Vec<&str> = table.lines().skip(1).collect();
        assert!(
            rows[0].contains("  Multiple Attributes Updated  "),
            "{table}"
        );
        assert!(rows[1].contains("  name  "), "{table}");
    }
}
