//! CSV and NDJSON hold the same: what goes through one is what goes through the other, hostile
//! texts, absent, null and empty fields among it.

use auditdb::CsvSafety;
use auditdb::Event;
use auditdb::Export;
use auditdb::Format;
use auditdb::Generator;
use auditdb::Import;
use auditdb::ImportOptions;
use auditdb::ImportOutcome;
use auditdb::Layout;
use auditdb::OnRefusal;
use auditdb::Options;
use auditdb::Order;
use auditdb::Profile;
use auditdb::Query;
use auditdb::Store;
use proptest::prelude::*;
use tempfile::TempDir;

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), Options::default()).expect("a store");
    (folder, store)
}

/// `None` where an event has no room in the cells of Excel.
fn exported(
    store: &Store,
    format: Format,
    layout: Layout,
    csv_safety: CsvSafety,
) -> Option<Vec<u8>> {
    let export = Export {
        format,
        layout,
        csv_safety,
        ..Export::default()
    };
    let query = Query {
        order: Order::OldestFirst,
        ..Query::default()
    };
    let mut bytes = Vec::new();
    match export.run(&store.snapshot(), &query, &mut bytes) {
        Ok(_) => Some(bytes),
        Err(error) => {
            assert_eq!(csv_safety, CsvSafety::Excel, "{error}");
            None
        }
    }
}

fn import(store: &Store, bytes: &[u8], csv_safety: CsvSafety) -> ImportOutcome {
    let mut sink = store;
    let options = ImportOptions {
        csv_safety,
        ..ImportOptions::default()
    };
    let mut import = Import::new(&mut sink, options, OnRefusal::Stop);
    import.read("export", bytes).expect("what was exported");
    import.finish()
}

/// The canonical lines of a store, without when it took them.
fn lines(store: &Store) -> Vec<String> {
    let bytes = exported(store, Format::Ndjson, Layout::Native, CsvSafety::Guard);
    let text = String::from_utf8(bytes.unwrap_or_default()).expect("UTF-8");
    let timeless = |line: &str| {
        let (head, tail) = line
            .split_once(",\"recorded_at\":\"")
            .expect("it says when");
        let (_, tail) = tail.split_once('"').expect("a text ends");
        format!("{head}{tail}")
    };
    text.lines().map(timeless).collect()
}

/// Imports what `store` exports as CSV, and as NDJSON, and compares what came of it.
fn check(store: &Store) {
    let (_kept, by_lines) = self::store();
    let ndjson = exported(store, Format::Ndjson, Layout::Native, CsvSafety::Guard);
    let ndjson = ndjson.expect("lines");
    import(&by_lines, &ndjson, CsvSafety::Guard);
    let wanted = lines(&by_lines);
    for layout in [Layout::Native, Layout::Entries] {
        for safety in [CsvSafety::Guard, CsvSafety::Raw, CsvSafety::Excel] {
            let (_kept, by_csv) = self::store();
            let Some(csv) = exported(store, Format::Csv, layout, safety) else {
                continue;
            };
            import(&by_csv, &csv, safety);
            assert_eq!(lines(&by_csv), wanted, "{layout:?} {safety:?}");
            let again = import(&by_csv, &ndjson, CsvSafety::Guard);
            assert_eq!(again.imported, 0, "a record is the line it was made of");
        }
    }
}

#[test]
fn mission_d11_csv_comes_back_as_the_lines_of_the_same_events() {
    let (_kept, store) = store();
    let generator = Generator::new(11, Profile::hostile(300));
    let events: Vec<Event> = generator.collect();
    store.append_batch(&events).expect("events");
    check(&store);
}

#[test]
fn mission_b8_absent_null_and_empty_are_kept_apart_through_csv() {
    let (_kept, store) = store();
    let lines = [
        r#"{"type":"session.confidential.succeeded","occurred_at":"2026-05-17T08:00:00Z","subject":{"kind":"confidential_login","id":"c1"}}"#,
        r#"{"type":"session.confidential.succeeded","occurred_at":"2026-05-17T08:00:00Z","subject":{"kind":"confidential_login","id":"c1","external_ref":null}}"#,
        r#"{"type":"session.confidential.succeeded","occurred_at":"2026-05-17T08:00:00Z","subject":{"kind":"confidential_login","id":"c1","external_ref":""}}"#,
        r#"{"type":"a","occurred_at":"2026-05-17T08:00:00Z","sub_type":"","reason":null,"performer":null,"context":{},"metadata":{},"changes":[],"data":null}"#,
    ];
    import(&store, lines.join("\n").as_bytes(), CsvSafety::Guard);
    check(&store);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_texts_come_back_through_csv(
        texts in proptest::collection::vec("[=+@',;\"\\\\\r\n\t\u{1f}\u{ff1d}é a0-9-]{0,9}", 6),
    ) {
        let (_kept, store) = store();
        let mut event = Event::new("a").metadata("m", texts[0].clone());
        event.reason = texts[1].clone().into();
        event.sub_type = texts[2].clone().into();
        let subject = auditdb::Subject::new("k").id(texts[3].clone()).label(texts[4].clone());
        event = event.subject(subject);
        event.source = texts[5].clone().into();
        store.append(&event).expect("an event");
        check(&store);
    }
}

/// The row of another system's page, as people have it in files.
#[test]
fn the_documented_columns_alone_are_imported_too() {
    let (_kept, store) = store();
    let csv = "\u{feff}id,type,occurred_at,actor_kind,actor_id,target_kind,target_id,outcome,context_ip\n\
        evt_01HZ,user.signed_in,2026-05-17T08:00:00Z,user,usr_01HZX,session,ses_01HZY,success,203.0.113.45\n";
    assert_eq!(import(&store, csv.as_bytes(), CsvSafety::Guard).imported, 1);
    let line = lines(&store).remove(0);
    let known = r#""performer":{"kind":"user","id":"usr_01HZX"},"subject":{"kind":"session","id":"ses_01HZY"},"outcome":"success","context":{"ip":"203.0.113.45"},"origin":{"id":"evt_01HZ"}}"#;
    assert!(line.ends_with(known), "{line}");
}
