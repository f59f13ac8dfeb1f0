//! Rows C6, C12 to C15 and C17: what an event of a type has to hold, and what it must not.

use auditdb::ErrorKind;
use auditdb::Event;
use auditdb::Filter;
use auditdb::FilterField;
use auditdb::OnUnknown;
use auditdb::Outcome;
use auditdb::Performer;
use auditdb::Registry;
use auditdb::StoredEvent;
use auditdb::Subject;

use super::found;
use super::of_user;
use super::open;
use super::refused;
use crate::support::folder;

#[test]
fn mission_c6_the_label_heads_an_event_whose_changes_are_kept_in_full() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Refuse);
    let group = Event::new("group.updated")
        .performer(Performer::new("admin").id("a1"))
        .subject(Subject::new("user_group").id("g1"));
    let event = group
        .change("name", "\"Ops\"", "\"Operations\"")
        .expect("JSON");
    let event = event.change("members_max", "5", "50").expect("JSON");
    let receipt = store.append(&event).expect("in its shape");
    let stored = store.get(receipt.id).expect("read").expect("there");
    let label = Registry::built_in()
        .type_label(&stored.event.event_type, "en")
        .map(str::to_owned);
    assert_eq!(label.as_deref(), Some("Update User Group"));
    assert_eq!(stored.event.changes, event.changes);
}

#[test]
fn mission_c12_who_made_someone_an_administrator_is_a_query() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Refuse);
    for (path, before, after) in [
        ("admin", "false", "true"),
        ("all_access", "true", "false"),
        ("active", "true", "false"),
    ] {
        let event = of_user("user.updated")
            .change(path, before, after)
            .expect("JSON");
        store.append(&event).expect("in its shape");
    }
    let asked = Filter::new()
        .is(FilterField::Type, "user.updated")
        .is_entity(FilterField::Subject, "user", "u1");
    let made_admin = |stored: &StoredEvent| {
        let changes = stored.event.changes.as_deref().unwrap_or_default();
        let mut admin = changes.iter().filter(|change| change.path == "admin");
        admin.any(|change| {
            change
                .after
                .value()
                .is_some_and(|after| after.as_str() == "true")
        })
    };
    let by: Vec<StoredEvent> = found(&store, asked)
        .into_iter()
        .filter(made_admin)
        .collect();
    assert_eq!(by.len(), 1);
    assert_eq!(
        by[0]
            .event
            .performer
            .value()
            .and_then(|who| who.id.as_deref()),
        Some("a1")
    );
}

#[test]
fn mission_c13_impersonation_has_both_people_and_its_denial_says_why() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Refuse);
    let done = of_user("user.impersonated");
    refused(
        store.append(&done),
        ErrorKind::Invalid,
        "on_behalf_of: user.impersonated does not go without it",
    );
    let masked = |event: Event| event.on_behalf_of(Performer::new("user").id("u1"));
    store.append(&masked(done)).expect("in its shape");
    let denied = masked(of_user("user.impersonation_denied")).outcome(Outcome::Denied);
    refused(store.append(&denied), ErrorKind::Invalid, "reason: ");
    let denied = denied.reason("ip_not_authorized");
    refused(
        store.append(&denied.clone().outcome(Outcome::Success)),
        ErrorKind::Invalid,
        "outcome: ",
    );
    store.append(&denied).expect("in its shape");
    let either = Filter::new().is_entity(FilterField::OnBehalfOf, "user", "u1");
    assert_eq!(
        found(
            &store,
            either.is_entity(FilterField::Performer, "admin", "a1")
        )
        .len(),
        2
    );
    assert_eq!(
        found(&store, Filter::new().is(FilterField::Outcome, "denied")).len(),
        1
    );
}

#[test]
fn mission_c14_a_failed_login_of_nobody_who_exists_is_found_by_the_name_it_claimed() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Refuse);
    let failed = Event::new("session.login.failed")
        .performer(Performer::new("unknown"))
        .outcome(Outcome::Failure);
    let words =
        "metadata.claimed_id: session.login.failed by a performer of kind unknown does not go";
    refused(store.append(&failed), ErrorKind::Invalid, words);
    store
        .append(&failed.clone().metadata("claimed_id", "root"))
        .expect("no subject is needed");
    store
        .append(&failed.metadata("claimed_id", ""))
        .expect("an empty name is one, too");
    let claimed = Filter::new()
        .is(FilterField::PerformerKind, "unknown")
        .is(FilterField::Meta("claimed_id".to_owned()), "root");
    assert_eq!(found(&store, claimed).len(), 1);
    let by_address = Event::new("session.confidential.denied")
        .performer(Performer::new("anonymous"))
        .subject(Subject::new("confidential_login").id("c1"))
        .outcome(Outcome::Denied)
        .reason("ip_not_authorized");
    store.append(&by_address).expect("in its shape");
}

#[test]
fn mission_c15_secrets_are_refused_on_every_way_in() {
    let folder = folder();
    // Also where nothing else is looked at.
    let mut store = open(folder.path(), OnUnknown::Accept);
    let changed = of_user("user.dw_password_regenerated");
    let secret = changed
        .clone()
        .change("password", "", "\"s3cret\"")
        .expect("JSON");
    let words = "changes[0].after: the pack administration calls password of user.dw_password_regenerated a secret";
    let mut told = vec![
        refused(store.append(&secret), ErrorKind::Secret, words),
        refused(store.append_async(&secret), ErrorKind::Secret, words),
        refused(
            store.append_batch(&[changed.clone(), secret.clone()]),
            ErrorKind::Secret,
            words,
        ),
    ];
    let mut bulk = store.bulk().expect("a load");
    told.push(refused(bulk.append(&secret), ErrorKind::Secret, words));
    bulk.finish().expect("nothing to commit");
    for event in [
        of_user("api_key.created")
            .data(r#"{"name":"ci","apiKey":"s3cret"}"#)
            .expect("JSON"),
        of_user("confidential_login.url_regenerated").metadata("URL", "https://s3cret.example"),
        of_user("user.password_changed")
            .data(r#"{"reason":"changed","form":[{"new-password":"s3cret"}]}"#)
            .expect("JSON"),
    ] {
        told.push(refused(store.append(&event), ErrorKind::Secret, "a secret"));
    }
    assert!(
        told.iter()
            .all(|error| !error.to_string().contains("s3cret")),
        "{told:?}"
    );
    assert_eq!(found(&store, Filter::new()).len(), 0);
    // That it was changed can be told.
    store
        .append(&changed.change("password", "", "null").expect("JSON"))
        .expect("nothing of it is told");
}

#[test]
fn mission_c17_the_system_locks_out_and_a_password_says_why_it_changed() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Refuse);
    let locked = |who: Performer| {
        Event::new("user.locked_out")
            .performer(who)
            .subject(Subject::new("user").id("u1"))
    };
    refused(
        store.append(&locked(Performer::new("user").id("u1"))),
        ErrorKind::Invalid,
        "performer.kind: \"user\", and user.locked_out takes system",
    );
    store
        .append(&locked(Performer::new("system")))
        .expect("in its shape");
    let changed = Event::new("user.password_changed")
        .performer(Performer::new("user").id("u1"))
        .subject(Subject::new("user").id("u1"));
    refused(
        store.append(&changed),
        ErrorKind::Invalid,
        "data.reason: user.password_changed does not go without it",
    );
    for reason in ["changed", "first_after_activation"] {
        let event = changed
            .clone()
            .data(&format!("{{\"reason\":\"{reason}\"}}"))
            .expect("JSON");
        store.append(&event).expect("in its shape");
    }
}

#[cfg(feature = "cli")]
mod by_the_command {
    use crate::cli::Place;

    const SECRET: [&str; 6] = [
        "append",
        "DB",
        "--type",
        "user.password_changed",
        "--change",
        "password=s3cret:new",
    ];

    #[test]
    fn mission_c15_append_refuses_the_secrets_of_the_built_in_pack() {
        let place = Place::new();
        let error = place.run(&SECRET, b"").ends_with(2).error;
        assert!(
            error.contains("--change: changes[0].before: ") && !error.contains("s3cret"),
            "{error}"
        );
        assert!(!place.path("store").exists(), "nothing was made");
        place
            .run(&[&SECRET[..], &["--pack", "none"]].concat(), b"")
            .done();
    }
}
