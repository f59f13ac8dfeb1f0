//! Rows B6, B7 and C5: an event that concerns several organisations stands in the trail of each, and
//! an organisation is not shown who of another did it, nor can it find out by filtering.

use auditdb::Context;
use auditdb::ErrorKind;
use auditdb::Event;
use auditdb::Field;
use auditdb::Filter;
use auditdb::FilterField;
use auditdb::OnUnknown;
use auditdb::OrgView;
use auditdb::Origin;
use auditdb::Pattern;
use auditdb::Performer;
use auditdb::Query;
use auditdb::Store;
use auditdb::StoredEvent;
use auditdb::Subject;
use auditdb::Target;

use super::found;
use super::open;
use super::refused;
use crate::support::Random;
use crate::support::folder;

/// An event in which everything that can tell who did it does, by `a1` of `org`.
fn telling(org: &str) -> Event {
    let performer = Performer::new("admin").id("secret-a1").label("Secret Ada");
    let context = Context {
        ip: Field::from("10.6.6.6"),
        user_agent: Field::from("secret agent"),
        ..Context::default()
    };
    let event = Event::new("user.updated")
        .performer(
            performer
                .email("secret@north")
                .external_ref("secret")
                .org(org),
        )
        .on_behalf_of(Performer::new("user").id("secret-b").org(org))
        .subject(Subject::new("user").id("u1").label("Bob"))
        .targets(vec![
            Target::new("user").id("secret-a1"),
            Target::new("role").id("r1"),
        ])
        .context(context)
        .key("secret-key")
        .metadata("by", "secret-a1")
        .origin(Origin {
            id: Field::from("secret-origin"),
            ..Origin::default()
        })
        .data("\"secret\"");
    let event = event.and_then(|event| event.change("email", "\"a@x\"", "\"b@x\""));
    event.expect("JSON")
}

#[test]
fn mission_b6_an_event_stands_in_the_trail_of_each_organisation_or_in_none() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Accept);
    let copies = telling("north").for_orgs(["north", "south", "west"], "change-4711");
    let receipts = store.append_batch(&copies).expect("as one");
    let again = store.append_batch(&copies).expect("the same");
    assert!(
        again.iter().all(|receipt| receipt.duplicate),
        "repeating adds nothing"
    );
    for (org, receipt) in ["north", "south", "west"].into_iter().zip(&receipts) {
        let page = store
            .snapshot()
            .view(org)
            .page(&Query::default())
            .expect("a page");
        assert!(page.complete);
        let [stored] = page.events.as_slice() else {
            panic!("{org} has one copy: {page:?}");
        };
        assert_eq!(
            (stored.id, stored.recorded_at),
            (receipt.id, receipts[0].recorded_at)
        );
        assert_eq!(stored.event.batch.as_deref(), Some("change-4711"));
        assert_eq!(stored.event.correlation.as_deref(), Some("change-4711"));
    }
    let long = "x".repeat(70_000);
    let mut broken = copies;
    broken[2].reason = Field::from(long.as_str());
    broken.iter_mut().for_each(|copy| copy.key = Field::Absent);
    refused(store.append_batch(&broken), ErrorKind::Invalid, "reason");
    assert_eq!(found(&store, Filter::new()).len(), 3, "none of them");
    store.close().expect("closed");
}

#[test]
fn mission_b7_a_performer_of_another_organisation_is_external_org_user() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Accept);
    let receipts = store
        .append_batch(&telling("north").for_orgs(["north", "south"], "n"))
        .expect("as one");
    let view = store.snapshot().view("south");
    let shown = view.find(&receipts[1].id.to_string()).expect("read");
    let line = serde_json::to_string(&shown[0]).expect("a line");
    assert!(
        !line.contains("ecret") && !line.contains("10.6.6.6"),
        "{line}"
    );
    let event = &shown[0].event;
    let performer = event.performer.value().expect("somebody did it");
    assert_eq!(performer.shown_name().to_string(), "External Org User");
    assert_eq!(
        event.subject.value().and_then(|who| who.label.as_deref()),
        Some("Bob")
    );
    let targets = event.targets.value().expect("the role is left");
    assert_eq!(targets.as_slice(), [Target::new("role").id("r1")]);
    assert_eq!(
        event.changes.value().map(Vec::len),
        Some(1),
        "what happened stays in full"
    );
    // Who did it is readable by those whose person it is.
    let own = store
        .snapshot()
        .view("north")
        .page(&Query::default())
        .expect("a page");
    assert_eq!(
        own.events,
        [store
            .get(receipts[0].id)
            .expect("read")
            .expect("it is there")]
    );
    // The copy of another trail is not shown, nor is one found by a name that is hidden.
    assert!(
        view.find(&receipts[0].id.to_string())
            .expect("read")
            .is_empty()
    );
    assert!(view.find("secret-origin").expect("read").is_empty());
    store.close().expect("closed");
}

/// Events of three trails, by people of any of them.
fn fill(store: &Store) -> Vec<StoredEvent> {
    let mut random = Random::new(6);
    for number in 0..400 {
        let org = random.pick(&["north", "south", "west"]);
        let mut performer = Performer::new("admin").id(format!("a{}", random.below(4)));
        if random.below(3) > 0 {
            performer = performer.org(random.pick(&["north", "south", "west"]));
        }
        let event = Event::new(random.pick(&["user.updated", "user.added"]))
            .org(org)
            .performer(performer)
            .subject(Subject::new("user").id(format!("u{}", random.below(9))))
            .metadata("n", random.below(3).to_string());
        store.append(&event).expect("taken");
        if number % 150 == 149 {
            store.flush().expect("sealed");
        }
    }
    let query = Query {
        limit: 1_000,
        ..Query::default()
    };
    store.page(&query).expect("a page").events
}

type Asked = (Filter, fn(&Event) -> bool);

fn performer_is(event: &Event, kind: &str, id: Option<&str>) -> bool {
    let performer = event.performer.value();
    performer.is_some_and(|one| one.kind == kind && (id.is_none() || one.id.as_deref() == id))
}

#[test]
fn mission_c5_a_filter_asks_what_is_shown_and_not_what_is_hidden() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Accept);
    let all = fill(&store);
    let a1 = || Pattern::entity("admin", "a1");
    let asked: [Asked; 6] = [
        (Filter::new(), |_| true),
        (Filter::new().is(FilterField::Type, "user.added"), |event| {
            event.event_type == "user.added"
        }),
        (
            Filter::new().any_of(&FilterField::Performer, [a1()]),
            |event| performer_is(event, "admin", Some("a1")),
        ),
        (
            Filter::new().none_of(&FilterField::Performer, [a1()]),
            |event| !performer_is(event, "admin", Some("a1")),
        ),
        (
            Filter::new().is(FilterField::Performer, auditdb::EXTERNAL_KIND),
            |event| performer_is(event, "external_org_user", None),
        ),
        (
            Filter::new().is(FilterField::Meta("n".to_owned()), "2"),
            |event| {
                event
                    .metadata
                    .value()
                    .is_some_and(|pairs| pairs.get("n") == Some("2"))
            },
        ),
    ];
    for org in ["north", "west", "nobody"] {
        let view = store.snapshot().view(org);
        for (filter, holds) in &asked {
            let of_org = all
                .iter()
                .filter(|one| one.event.org.as_deref() == Some(org));
            let shown = of_org.map(|one| one.clone().as_shown_to(org));
            let expected: Vec<StoredEvent> = shown.filter(|one| holds(&one.event)).collect();
            for (limit, work_max) in [(1, 1_000_000), (7, 1_000_000), (1_000, 5), (7, 1)] {
                let query = Query {
                    filter: filter.clone(),
                    limit,
                    work_max,
                    ..Query::default()
                };
                let paged = by_pages(&view, query);
                assert_eq!(paged, expected, "{org} {filter} by {limit} with {work_max}");
            }
        }
    }
    store.close().expect("closed");
}

/// All that is shown, page by page.
fn by_pages(view: &OrgView, mut query: Query) -> Vec<StoredEvent> {
    let mut paged = Vec::new();
    loop {
        let page = view.page(&query).expect("a page");
        assert!(page.events.len() <= query.limit);
        assert_eq!(page.complete, page.next_cursor.is_none());
        paged.extend(page.events);
        query.cursor = page.next_cursor;
        if page.complete {
            return paged;
        }
    }
}

#[test]
fn mission_c5_a_cursor_goes_on_only_for_the_organisation_it_was_made_for() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Accept);
    fill(&store);
    let all = Filter::new();
    let of_a1 = Filter::new().is_entity(FilterField::Performer, "admin", "a1");
    let query = |filter: &Filter| Query {
        filter: filter.clone(),
        limit: 1,
        ..Query::default()
    };
    let first = store
        .snapshot()
        .view("north")
        .page(&query(&all))
        .expect("a page");
    let with = |filter: &Filter| Query {
        cursor: first.next_cursor,
        ..query(filter)
    };
    let other = store.snapshot().view("south").page(&with(&all));
    refused(other, ErrorKind::CursorFilter, "another filter");
    let other = store.snapshot().view("north").page(&with(&of_a1));
    refused(other, ErrorKind::CursorFilter, "another filter");
    refused(
        store.page(&with(&all)),
        ErrorKind::CursorFilter,
        "another filter",
    );
    store.close().expect("closed");
}

#[cfg(feature = "cli")]
mod by_the_command {
    use std::io::BufRead;
    use std::io::BufReader;
    use std::process::Stdio;

    use super::telling;
    use crate::cli::Place;
    use crate::cli::auditdb;
    use crate::cli::json;
    use crate::cli::lines;
    use crate::cli::text;

    #[test]
    fn mission_b7_the_command_shows_an_organisation_what_is_its_own() {
        let place = Place::new();
        let store = auditdb::Store::open(place.path("store"), auditdb::Options::default());
        let store = store.expect("a store");
        let copies = telling("north").for_orgs(["north", "south"], "n");
        let receipts = store.append_batch(&copies).expect("as one");
        store.close().expect("closed");
        for form in ["table", "json", "ndjson", "csv"] {
            let told = place.out(&["query", "DB", "--view", "south", "-o", form]);
            assert!(told.contains("External Org User"), "{form}: {told}");
            assert!(!told.contains("ecret"), "{form}: {told}");
            let own = place.out(&["query", "DB", "--view", "north", "-o", form]);
            assert!(own.contains("Secret Ada"), "{form}: {own}");
        }
        let id = receipts[1].id.to_string();
        let told = place.out(&["show", "DB", &id, "--view", "south"]);
        assert!(
            told.contains("performer     External Org User (external_org_user)\n"),
            "{told}"
        );
        assert!(!told.contains("ecret"), "{told}");
        let error = place
            .run(&["show", "DB", &id, "--view", "north"], b"")
            .ends_with(1)
            .error;
        assert!(
            error.contains("no event that \"north\" is shown"),
            "{error}"
        );
        let both = ["query", "DB", "--view", "south", "--with-effects"];
        place.run(&both, b"").ends_with(2);
    }

    /// An export, its parts, a job and who follows see what a page shows, and the record names the view.
    #[test]
    fn mission_b7_exports_jobs_and_followers_are_shown_what_pages_are() {
        const EVENTS: usize = 2_500;
        let place = Place::new();
        let store = auditdb::Store::open(place.path("store"), auditdb::Options::default());
        let store = store.expect("a store");
        for number in 0..EVENTS {
            let event = telling("north").key(format!("event {number}"));
            let copies = event.for_orgs(["north", "south"], &number.to_string());
            store.append_batch(&copies).expect("as one");
        }
        store.close().expect("closed");
        let view = ["--view", "south", "--type", "!audit.*"];
        for form in ["ndjson", "csv"] {
            let page = [&["query", "DB", "-n", "10000", "-o", form], &view[..]].concat();
            let shown = place.run(&page, b"").done().out;
            let export = [&["export", "DB", "-f", form], &view[..]].concat();
            assert!(place.run(&export, b"").done().out == shown, "{form}");
            let told = String::from_utf8_lossy(&shown);
            assert!(told.contains("External Org User") && !told.contains("ecret"));
            let part = [
                "--limit", "2000", "-o", "@part", "--force", "--report", "@told", "--as", "u7",
            ];
            place.run(&[&export[..], &part].concat(), b"").done();
            let report = json(&String::from_utf8_lossy(&place.read("told")));
            assert_eq!(
                (&report["rows"], &report["view"]),
                (&2000.into(), &"south".into())
            );
            let cursor = text(&report, "/next_cursor");
            let rest = [&export[..], &["--cursor", cursor, "--no-header"]].concat();
            let rest = place.run(&rest, b"").done().out;
            assert!([place.read("part"), rest].concat() == shown, "{form}");
            let start = [&["jobs", "DB", "start", "-f", form], &view[..]].concat();
            let job = place.json(&start);
            let made = std::fs::read(text(&job, "/file")).expect("its file");
            assert!(made == shown, "{form}");
            // Of the other organisation's view the cursor is of another filter.
            let other = [
                "export", "DB", "-f", form, "--view", "north", "--cursor", cursor,
            ];
            place.run(&other, b"").ends_with(2);
        }
        let told = [
            "query",
            "DB",
            "-o",
            "ndjson",
            "--type",
            "audit.export_started",
        ];
        for record in lines(&place.out(&told)) {
            assert_eq!(record["data"]["view"], "south");
        }
        let query = ["query", "DB", "--view", "south", "-n", "1", "--as", "u7"];
        place.run(&query, b"").done();
        let told = place.out(&["query", "DB", "-o", "ndjson", "--type", "audit.queried"]);
        assert_eq!(lines(&told)[0]["data"]["view"], "south");
        for words in [&["--dry-run"][..], &["--limit-error", "5"]] {
            let both = [&["export", "DB", "-f", "csv", "--view", "south"], words].concat();
            place.run(&both, b"").ends_with(2);
        }
        follows(&place, EVENTS);
        counts(&place, EVENTS);
    }

    fn counts(place: &Place, events: usize) {
        let facets = ["facets", "DB", "type", "--view", "south", "-o", "json"];
        let counted = &place.json(&facets)["values"][0];
        assert_eq!(counted["count"], events);
        for words in [&["performer"][..], &["type", "--performer", "admin:a1"]] {
            let hidden = [&["facets", "DB", "--view", "south"], words].concat();
            let refused = place.run(&hidden, b"").ends_with(2);
            assert!(refused.error.contains("view: "), "{}", refused.error);
        }
    }

    fn follows(place: &Place, events: usize) {
        let store = place.name("store");
        let mut child = auditdb(&["follow", &store, "--view", "south"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let followed = BufReader::new(child.stdout.take().expect("its output"));
        for line in followed.lines().take(events) {
            let line = line.expect("a line");
            assert!(line.contains("External Org User") && !line.contains("ecret"));
        }
        child.kill().expect("an end");
        child.wait().expect("its end");
    }
}
