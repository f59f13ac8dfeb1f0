//! Row B11: events that no pack knows are taken, flagged or refused, on every way in.

use auditdb::ErrorKind;
use auditdb::Filter;
use auditdb::Import;
use auditdb::ImportOptions;
use auditdb::ImportSink;
use auditdb::OnRefusal;
use auditdb::OnUnknown;
use auditdb::Options;
use auditdb::Store;

use super::found;
use super::of_user;
use super::open;
use super::refused;
use crate::support::folder;

#[test]
fn mission_b11_unknown_types_are_taken_flagged_or_refused() {
    let folder = folder();
    let (known, unknown) = (of_user("user.updated"), of_user("user.upated"));
    let store = open(&folder.path().join("accepts"), OnUnknown::Accept);
    store.append(&unknown).expect("taken");
    assert_eq!(store.flagged().types, []);

    let mut store = open(&folder.path().join("flags"), OnUnknown::Flag);
    store
        .append_batch(&[unknown.clone(), known.clone(), unknown.clone()])
        .expect("taken");
    store
        .append_async(&of_user("workflow.created"))
        .and_then(|ticket| ticket.wait())
        .expect("taken");
    let mut bulk = store.bulk().expect("a load");
    bulk.append(&unknown).expect("taken");
    bulk.finish().expect("committed");
    let flagged = store.flagged();
    let told: Vec<(&str, u64)> = flagged
        .types
        .iter()
        .map(|one| (one.event_type.as_str(), one.events))
        .collect();
    assert_eq!(told, [("user.upated", 3), ("workflow.created", 1)]);
    assert!(
        flagged.types[0].reason.contains("near it: user.updated"),
        "{flagged:?}"
    );
    assert!(
        flagged.types[1]
            .reason
            .contains("left out by the pack administration"),
        "{flagged:?}"
    );
    assert_eq!(found(&store, Filter::new()).len(), 5);

    let mut store = open(&folder.path().join("refuses"), OnUnknown::Refuse);
    store.append(&known).expect("known");
    let near = "type: \"user.upated\" is not registered (no type of the packs administration, audit); near it: user.updated";
    refused(store.append(&unknown), ErrorKind::UnknownType, near);
    refused(store.append_async(&unknown), ErrorKind::UnknownType, near);
    let batch = store.append_batch(&[known.clone(), unknown.clone()]);
    assert_eq!(
        refused(batch, ErrorKind::UnknownType, near).batch_index(),
        Some(1)
    );
    refused(
        store.append(&of_user("workflow.created")),
        ErrorKind::UnknownType,
        "making, changing or deleting a workflow",
    );
    let mut bulk = store.bulk().expect("a load");
    refused(bulk.append(&unknown), ErrorKind::UnknownType, near);
    bulk.finish().expect("nothing to commit");
    assert_eq!(found(&store, Filter::new()).len(), 1);
    // Nothing can be unknown where nothing is known.
    let options = Options {
        on_unknown: OnUnknown::Refuse,
        ..Options::default()
    };
    refused(
        Store::open(folder.path().join("none"), options),
        ErrorKind::OutOfRange,
        "on_unknown",
    );
}

#[test]
fn mission_b11_imports_meet_the_same_rules() {
    let folder = folder();
    let time = "\"occurred_at\":\"2026-05-17T08:00:00.000000Z\"";
    let lines = [
        // In canonical form, then spelled otherwise.
        format!("{{\"type\":\"user.upated\",{time}}}"),
        format!("{{{time}, \"type\": \"role.aded\"}}"),
        format!(
            "{{\"type\":\"ip_allow.added\",{time},\"performer\":{{\"kind\":\"admin\"}},\"subject\":{{\"kind\":\"ip_allow\"}}}}"
        ),
        format!(
            "{{\"type\":\"user.updated\",{time},\"performer\":{{\"kind\":\"admin\"}},\"subject\":{{\"kind\":\"role\"}}}}"
        ),
        format!("{{\"type\":\"api_key.created\",{time},\"data\":{{\"api_key\":\"s3cret\"}}}}"),
    ];
    let lines = lines.join("\n");
    let import = |sink: &mut dyn ImportSink| {
        let mut import = Import::new(sink, ImportOptions::default(), OnRefusal::Skip);
        import.read("lines", lines.as_bytes()).expect("read");
        import.finish()
    };
    for (on_unknown, refused) in [
        (OnUnknown::Accept, vec![5]),
        (OnUnknown::Flag, vec![5]),
        (OnUnknown::Refuse, vec![1, 2, 4, 5]),
    ] {
        let name = format!("{on_unknown:?}");
        let mut store = open(&folder.path().join(&name), on_unknown);
        let mut bulk = store.bulk().expect("a load");
        let loaded = import(&mut bulk);
        bulk.finish().expect("committed");
        let flagged: Vec<u64> = store.flagged().types.iter().map(|one| one.events).collect();
        assert_eq!(
            flagged,
            if on_unknown == OnUnknown::Flag {
                vec![1; 3]
            } else {
                vec![]
            },
            "{name}"
        );
        let other = open(&folder.path().join(name.clone() + "-by-log"), on_unknown);
        let appended = import(&mut &other);
        for outcome in [loaded, appended] {
            let lines: Vec<u64> = outcome.refusals.iter().map(|one| one.line).collect();
            assert_eq!(lines, refused, "{name}");
            let last = outcome.refusals.last().expect("the secret is refused");
            assert!(
                last.reason.contains("data.api_key") && !last.reason.contains("s3cret"),
                "{last:?}"
            );
        }
    }
}

#[cfg(feature = "cli")]
mod by_the_command {
    use crate::cli::Place;

    #[test]
    fn mission_b11_append_and_import_take_flag_or_refuse() {
        let place = Place::new();
        let unknown = ["append", "DB", "--type", "user.upated"];
        let refuse = [&unknown[..], &["--unknown", "refuse"]].concat();
        let error = place.run(&refuse, b"").ends_with(2).error;
        assert!(
            error.contains("--type: type: \"user.upated\" is not registered"),
            "{error}"
        );
        assert!(!place.path("store").exists(), "nothing was made");
        let flag = [&unknown[..], &["--unknown", "flag"]].concat();
        let told = place.run(&flag, b"").done().error;
        assert!(
            told.contains("flagged: 1 event: type: \"user.upated\""),
            "{told}"
        );
        place.run(&unknown, b"").done();

        let lines = b"{\"type\":\"a.b\",\"occurred_at\":\"2026-05-17T08:00:00.000000Z\"}\n";
        let told = place
            .run(&["import", "DB", "-", "--unknown", "refuse"], lines)
            .ends_with(1)
            .error;
        assert!(
            told.contains("line 1") && told.contains("nothing known is near it"),
            "{told}"
        );
        let flagged = place
            .run(&["import", "DB", "-", "--unknown", "flag", "--json"], lines)
            .done();
        assert!(
            flagged.error.contains("flagged: 1 event: type: \"a.b\""),
            "{}",
            flagged.error
        );
        assert!(flagged.text().contains("\"flagged\":1}"));
        let listed = place.json(&["types", "DB", "-o", "json"]);
        let known = listed.to_string();
        assert!(
            known.contains("\"events\":2,\"known\":false")
                && known.contains("\"type\":\"user.upated\""),
            "{known}"
        );
    }
}
