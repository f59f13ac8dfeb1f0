//! Rows C2 to C11 and C18: the event types that a trail of administration has, what people call
//! them, and what is odd about their names.

use auditdb::Event;
use auditdb::Lint;
use auditdb::Pack;
use auditdb::Performer;
use auditdb::Registry;
use auditdb::Subject;

/// The types of one group are these, with these labels, about this kind of subject.
#[track_caller]
fn check(group: &str, types: &[(&str, &str, &str)]) {
    let registry = Registry::built_in();
    let of_group = registry.types().filter(|one| one.group() == Some(group));
    let names: Vec<&str> = of_group.map(|one| one.name()).collect();
    let expected: Vec<&str> = types.iter().map(|(name, _, _)| *name).collect();
    assert_eq!(names, expected);
    for (name, label, kind) in types {
        let known = registry.find(name).expect("it is listed");
        assert_eq!(known.name(), *name);
        assert_eq!(known.subject_kinds(), [(*kind).to_owned()], "{name}");
        assert_eq!(registry.type_label(name, "en"), Some(*label), "{name}");
    }
}

#[test]
fn mission_c2_a_subject_has_a_kind_of_an_open_set_with_a_label() {
    let registry = Registry::built_in();
    for (kind, label) in [
        ("user", "User"),
        ("user_group", "User Group"),
        ("role", "Role"),
        ("confidential_login", "Confidential Login"),
        ("ip_allow", "IP Authorization"),
    ] {
        assert_eq!(registry.kind_label(kind, "en"), Some(label));
    }
    // An application brings kinds of its own; those of nobody are taken where nothing is declared.
    let text = r#"{"name": "fleet", "kinds": [{"name": "ship", "label": "Ship"}],
        "types": [{"name": "ship.sold", "subject": ["ship"]}, {"name": "thing.seen"}]}"#;
    let fleet = registry
        .with(Pack::parse(text).expect("a pack"))
        .expect("they go together");
    assert_eq!(fleet.kind_label("ship", "en"), Some("Ship"));
    for event in [
        Event::new("ship.sold").subject(Subject::new("ship").id("s1")),
        Event::new("thing.seen").subject(Subject::new("comet").id("1P")),
    ] {
        fleet.check(&event).expect("a kind of its own");
    }
}

#[test]
fn mission_c3_a_type_is_a_slug_with_a_label_in_any_language() {
    let text = r#"{"name": "danish", "labels": {"da": {
        "types": {"user.added": "Tilføj bruger"}, "groups": {"users": "Brugere"}}}}"#;
    let pack = Pack::parse(text).expect("a pack");
    let registry = Registry::built_in().with(pack).expect("they go together");
    assert_eq!(
        registry.type_label("user.added", "da"),
        Some("Tilføj bruger")
    );
    assert_eq!(registry.group_label("users", "da"), Some("Brugere"));
    assert_eq!(
        registry.type_label("user.removed", "da"),
        Some("Remove User")
    );
    assert_eq!(registry.type_label("user.added", "en"), Some("Add User"));
    assert_eq!(registry.type_label("no.such", "en"), None);
    let locales: Vec<&str> = registry.locales().collect();
    let built_in = [
        "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh",
    ];
    assert!(locales.contains(&"da") && built_in.iter().all(|one| locales.contains(one)));
    assert_eq!(locales.len(), 1 + built_in.len());
}

#[test]
fn mission_c4_performers_are_administrators_and_everyone_else() {
    let registry = Registry::built_in();
    for kind in [
        "user",
        "admin",
        "system",
        "anonymous",
        "unknown",
        "application",
    ] {
        assert!(registry.kind_label(kind, "en").is_some(), "{kind}");
    }
    let of = |event_type: &str, kind: &str| {
        let (performer, subject) = (Performer::new(kind), Subject::new("user").id("u1"));
        registry.check(&Event::new(event_type).performer(performer).subject(subject))
    };
    of("session.login.succeeded", "user").expect("users log in themselves");
    of("user.removed", "application").expect("programs administer too");
    assert!(
        of("user.removed", "anonymous").is_err(),
        "nobody administers without a name"
    );
}

#[test]
fn mission_c7_the_events_of_users() {
    check(
        "users",
        &[
            ("user.added", "Add User", "user"),
            ("user.updated", "Update User", "user"),
            ("user.impersonated", "Impersonate User", "user"),
            (
                "user.impersonation_denied",
                "Unsuccessful Impersonate User",
                "user",
            ),
            (
                "user.dw_password_regenerated",
                "Regenerate Data Warehouse Password",
                "user",
            ),
            ("user.removed", "Remove User", "user"),
            ("api_key.created", "Create API Key", "user"),
            ("api_key.deleted", "Delete API Key", "user"),
        ],
    );
}

#[test]
fn mission_c8_the_events_of_user_groups() {
    check(
        "user_groups",
        &[
            ("group.added", "Add User Group", "user_group"),
            ("group.updated", "Update User Group", "user_group"),
            (
                "group.user_removed",
                "Remove User from User Group",
                "user_group",
            ),
            ("group.deleted", "Delete User Group", "user_group"),
        ],
    );
}

#[test]
fn mission_c9_the_events_of_roles() {
    check(
        "roles",
        &[
            ("role.added", "Add Role", "role"),
            ("role.updated", "Update Role", "role"),
            ("role.user_added", "Add User to Role", "role"),
            ("role.user_removed", "Remove User from Role", "role"),
            ("role.group_added", "Add User Group to Role", "role"),
            ("role.group_removed", "Remove User Group from Role", "role"),
            (
                "role.state_permission.added",
                "Add Workflow State Permission(s)",
                "role",
            ),
            (
                "role.state_permission.removed",
                "Remove Workflow State Permission(s)",
                "role",
            ),
            (
                "role.state_permission.updated",
                "Update Workflow State Permission(s)",
                "role",
            ),
            (
                "role.state_trigger.added",
                "Add Workflow State Trigger",
                "role",
            ),
            (
                "role.state_trigger.removed",
                "Remove Workflow State Trigger",
                "role",
            ),
            ("role.deleted", "Delete Role", "role"),
        ],
    );
}

#[test]
fn mission_c10_the_events_of_logins() {
    let login = "confidential_login";
    check(
        "logins",
        &[
            ("confidential_login.added", "Add Confidential Login", login),
            (
                "confidential_login.updated",
                "Update Confidential Login",
                login,
            ),
            (
                "confidential_login.url_regenerated",
                "Regenerate Confidential Login URL",
                login,
            ),
            (
                "confidential_login.deleted",
                "Delete Confidential Login",
                login,
            ),
            ("session.login.succeeded", "Successful Login", "user"),
            ("session.login.failed", "Unsuccessful Login", "user"),
            (
                "session.confidential.succeeded",
                "Confidential Login",
                login,
            ),
            (
                "session.confidential.denied",
                "Unsuccessful Confidential Login",
                login,
            ),
            ("session.logout", "Logout", "user"),
            ("user.locked_out", "User Locked Out", "user"),
            ("user.password_changed", "Change Password", "user"),
        ],
    );
}

#[test]
fn mission_c11_the_events_of_ip_authorization_and_38_in_all() {
    check(
        "ip_authorization",
        &[
            ("ip_allow.added", "Add to IP Allow List", "ip_allow"),
            ("ip_allow.updated", "Update IP Allow List Entry", "ip_allow"),
            ("ip_allow.removed", "Remove from IP Allow List", "ip_allow"),
        ],
    );
    let registry = Registry::built_in();
    let all = registry
        .types()
        .filter(|one| one.pack() == "administration");
    assert_eq!(all.count(), 38);
}

#[test]
fn mission_c18_unpaired_and_mixed_verbs_are_told() {
    let found = Registry::built_in().lint();
    let told: Vec<String> = found.iter().map(Lint::to_string).collect();
    let expected = [
        "group.user_removed is unpaired: there is no group.user_added",
        "user.locked_out is unpaired: there is no user.unlocked",
    ];
    assert_eq!(
        told.get(..2),
        Some(expected.map(str::to_owned).as_slice()),
        "{told:?}"
    );
    let mixed = &told[2..];
    assert_eq!(mixed.len(), 2, "{mixed:?}");
    assert!(
        mixed[0].starts_with("verbs are mixed: added (user.added, "),
        "{mixed:?}"
    );
    assert!(
        mixed[0].ends_with("and created (api_key.created)"),
        "{mixed:?}"
    );
    assert!(mixed[1].contains("deleted (api_key.deleted, ") && mixed[1].contains(" and removed ("));
    assert!(Lint::of(["door.opened", "door.closed", "user.viewed"]).is_empty());
}

#[cfg(feature = "cli")]
mod by_the_command {
    use crate::cli::Place;
    use crate::cli::text;

    #[test]
    fn mission_c3_types_are_listed_with_their_labels() {
        let place = Place::new();
        place.write(
            "own.json",
            r#"{"name": "own", "types": [{"name": "a.b", "label": "A B"}]}"#,
        );
        let listed = place.json(&["types", "--pack", "@own.json", "-o", "json"]);
        let types = listed["types"].as_array().cloned().unwrap_or_default();
        assert_eq!(types.len(), 44);
        let labels = [(0, "Add User"), (43, "A B")];
        for (number, label) in labels {
            assert_eq!(text(&types[number], "/label"), label);
        }
        assert!(place.out(&["types"]).contains("Add User"));
        let error = place
            .run(&["types", "--locale", "xx"], b"")
            .ends_with(2)
            .error;
        assert!(
            error.contains("--locale \"xx\": labels are in ar, de, en"),
            "{error}"
        );
        for (pack, why) in [
            ("@none.json", "cannot be read"),
            ("@own.txt", "pack file: "),
        ] {
            place.write("own.txt", "{");
            let error = place
                .run(&["types", "--pack", pack], b"")
                .ends_with(2)
                .error;
            assert!(error.contains("--pack ") && error.contains(why), "{error}");
        }
    }

    #[test]
    fn mission_c18_the_command_ends_with_1_where_names_are_odd() {
        let place = Place::new();
        let told = place.run(&["types", "--lint"], b"").ends_with(1).text();
        assert!(told.contains("there is no group.user_added"), "{told}");
        place.write(
            "own.json",
            r#"{"name": "own", "types": [{"name": "a.added"}, {"name": "a.removed"}]}"#,
        );
        let clean = ["types", "--pack", "none", "--pack", "@own.json", "--lint"];
        place.run(&clean, b"").done();
        // Of a store, the types of its events are looked at.
        place
            .run(&["append", "DB", "--type", "key.revoked"], b"")
            .done();
        let told = place
            .run(&["types", "DB", "--lint", "-o", "json"], b"")
            .ends_with(1)
            .text();
        let finding = r#"{"finding":"unpaired","missing":"key.granted","type":"key.revoked"}"#;
        assert!(told.contains(finding), "{told}");
    }
}
