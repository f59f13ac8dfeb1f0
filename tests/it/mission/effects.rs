//! Row B13: what follows from an event is recorded with it, atomically, and found from it.

use auditdb::Effect;
use auditdb::EffectBounds;
use auditdb::ErrorKind;
use auditdb::Event;
use auditdb::EventId;
use auditdb::OnUnknown;
use auditdb::Sequence;
use auditdb::Snapshot;
use auditdb::Store;
use auditdb::StoredEvent;

use super::open;
use super::refused;
use crate::support::Random;
use crate::support::folder;

/// A deleted role, two users who lose it and a session that ends for one of them.
fn cascade() -> [Event; 4] {
    [
        Event::new("role.deleted").metadata("implied_count", "2"),
        Event::new("role.user_removed")
            .caused_by("#0")
            .metadata("n", "1"),
        Event::new("role.user_removed")
            .caused_by("#0")
            .metadata("n", "2"),
        Event::new("session.logout").caused_by("#1"),
    ]
}

fn stored(store: &Store, id: EventId) -> StoredEvent {
    store.get(id).expect("read").expect("it was appended")
}

fn effects(snapshot: &Snapshot, cause: &StoredEvent, bounds: EffectBounds) -> (Vec<Effect>, bool) {
    let found = snapshot
        .effects(std::slice::from_ref(cause), &bounds)
        .expect("effects");
    assert!(found.looked <= bounds.looked_max);
    (found.effects, found.complete)
}

#[test]
fn mission_b13_effects_are_found_through_each_other_and_bounds_are_told() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Accept);
    let receipts = store.append_batch(&cascade()).expect("as one");
    store
        .append(&Event::new("role.user_removed"))
        .expect("without a cause");
    let cause = stored(&store, receipts[0].id);
    let snapshot = store.snapshot();
    let found = |bounds| {
        let (effects, complete) = effects(&snapshot, &cause, bounds);
        let places = effects
            .iter()
            .map(|one| (one.event.seq.0, one.depth))
            .collect::<Vec<_>>();
        (places, complete)
    };
    let all = EffectBounds::default();
    // The session's end stands behind what led to it.
    assert_eq!(found(all), (vec![(1, 1), (3, 2), (2, 1)], true));
    let near = EffectBounds {
        depth_max: 1,
        ..all
    };
    assert_eq!(found(near), (vec![(1, 1), (2, 1)], false));
    let few = EffectBounds {
        effects_max: 1,
        ..all
    };
    assert_eq!(found(few), (vec![(1, 1)], false));
    let short = EffectBounds {
        looked_max: 3,
        ..all
    };
    assert_eq!(found(short), (vec![(1, 1), (2, 1)], false));
    let none = EffectBounds {
        looked_max: 0,
        ..all
    };
    refused(
        snapshot.effects(&[], &none),
        ErrorKind::OutOfRange,
        "looked_max",
    );
    store.close().expect("closed");
}

/// Random chains over segments and memtables, with causes that are unknown, against a slow model.
#[test]
fn mission_b13_effects_are_those_that_a_slow_search_finds() {
    let folder = folder();
    let store = open(folder.path(), OnUnknown::Accept);
    let mut random = Random::new(3);
    let mut all: Vec<StoredEvent> = Vec::new();
    for number in 0..300_u64 {
        let mut event = Event::new("a.b");
        if number > 0 && random.below(3) > 0 {
            let cause = &all[random.below(number) as usize];
            event = event.caused_by(cause.id.to_string());
        }
        let receipt = store.append(&event).expect("taken");
        all.push(stored(&store, receipt.id));
        if number % 100 == 99 {
            store.flush().expect("sealed");
        }
    }
    for cause in &all {
        let (effects, complete) = effects(
            &store.snapshot(),
            cause,
            EffectBounds {
                depth_max: 1_000,
                ..EffectBounds::default()
            },
        );
        assert!(complete);
        let mut expected = vec![cause.seq];
        for event in &all {
            let caused_by = event.event.caused_by.as_deref();
            let is_effect =
                |seq: &Sequence| caused_by == Some(all[seq.0 as usize].id.to_string().as_str());
            if expected.iter().any(is_effect) {
                expected.push(event.seq);
            }
        }
        let mut found: Vec<Sequence> = effects.iter().map(|one| one.event.seq).collect();
        found.push(cause.seq);
        found.sort_unstable();
        assert_eq!(found, expected, "of {}", cause.seq);
        for effect in &effects {
            let named = effect.event.event.caused_by.as_deref();
            assert_eq!(named, Some(effect.cause.to_string().as_str()));
        }
    }
    store.close().expect("closed");
}

#[cfg(feature = "cli")]
mod by_the_command {
    use super::cascade;
    use crate::cli::Place;

    /// A store with the cascade, and the id of its cause.
    fn place() -> (Place, String) {
        let place = Place::new();
        let store = auditdb::Store::open(place.path("store"), auditdb::Options::default());
        let store = store.expect("a store");
        let receipts = store.append_batch(&cascade()).expect("as one");
        store.close().expect("closed");
        (place, receipts[0].id.to_string())
    }

    #[test]
    fn mission_b13_query_and_show_tell_the_effects() {
        let (place, id) = place();
        let asked = ["query", "DB", "--type", "role.deleted", "--with-effects"];
        let ended = place.run(&asked, b"").done();
        let note = "3 effects of 2 that implied_count tells of; that is all";
        assert!(ended.error.contains(note), "{}", ended.error);
        let told = ended.text();
        let types = [
            "role.deleted",
            "└ role.user_removed",
            "  └ session.logout",
            "└ role.user_removed",
        ];
        for (line, event_type) in told.lines().skip(1).zip(types) {
            assert!(line[29..].starts_with(event_type), "{told}");
        }
        assert_eq!(told.lines().count(), 5);
        let json = place.json(&[&asked[..], &["-o", "json"]].concat());
        assert_eq!(json["effects"][1]["depth"], 2);
        assert_eq!(json["effects"][0]["cause"], id.as_str());
        assert_eq!(json["effects"][0]["event"]["type"], "role.user_removed");
        assert_eq!(
            (&json["effects_complete"], &json["complete"]),
            (&true.into(), &true.into())
        );
        let shown = place.json(&["show", "DB", &id, "--with-effects", "-o", "json"]);
        assert_eq!(shown["effects"], json["effects"]);
        assert_eq!(shown["event"]["id"], id.as_str());
        let shown = place.out(&["show", "DB", &id, "--with-effects"]);
        assert!(
            shown.contains("\neffects\n") && shown.contains("  └ session.logout"),
            "{shown}"
        );
        // From the exported file, imported newest first, the names lead to the same events.
        let file = place.out(&["export", "DB", "-f", "ndjson"]);
        let other = Place::new();
        other.run(&["import", "DB", "-"], file.as_bytes()).done();
        let again = other.json(&[&asked[..], &["-o", "json"]].concat());
        assert_eq!(
            again["effects"].as_array().map(Vec::len),
            Some(3),
            "{again}"
        );
    }

    #[test]
    fn mission_b13_lines_of_events_have_no_place_for_effects() {
        let (place, _) = place();
        for words in [&["-o", "ndjson"][..], &["-o", "csv"], &["-n", "1001"]] {
            let words = [&["query", "DB", "--with-effects"], words].concat();
            let error = place.run(&words, b"").ends_with(2).error;
            assert!(error.contains("--with-effects"), "{error}");
        }
    }
}
