//! The promises of an import on small inputs: counts, refusals, repeats, packed input, and what
//! each mapping makes of its source's excerpts in `tests/fixtures/import/`.
//! With `AUDITDB_BLESS` set, the expected events beside the excerpts are written anew.

use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::Accepted;
use super::Import;
use super::ImportFormat;
use super::ImportMark;
use super::ImportOptions;
use super::ImportOutcome;
use super::ImportSink;
use super::ImportedEvent;
use super::Mapping;
use super::OnRefusal;
use super::formats;
use super::formats::Formats;
use super::formats::Read;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Field;
use crate::id::Sequence;

/// Keeps what it is given; an event of type `refuse.me` breaks a rule of its own.
#[derive(Default)]
struct Keeping(Vec<(Event, Option<ImportMark>)>);

impl ImportSink for Keeping {
    fn accept(&mut self, batch: Vec<ImportedEvent>) -> Result<Vec<Accepted>> {
        let mut answers = Vec::new();
        for one in batch.into_iter().map(ImportedEvent::into_parts) {
            let place = self.0.len() as u64;
            answers.push(if one.0.event_type == "refuse.me" {
                Accepted::Refused("asked for".to_owned())
            } else if self.0.contains(&one) {
                Accepted::Duplicate
            } else {
                self.0.push(one);
                Accepted::Stored(Sequence(place))
            });
        }
        Ok(answers)
    }
}

fn run(input: &[u8], options: ImportOptions) -> (Keeping, ImportOutcome) {
    let mut sink = Keeping::default();
    let mut import = Import::new(&mut sink, options, OnRefusal::Skip);
    import.read("input", input).expect("only refusals");
    let outcome = import.finish();
    assert_eq!(
        outcome.imported + outcome.duplicates + outcome.refused,
        outcome.read
    );
    (sink, outcome)
}

const A: &str = r#"{"type":"a.b","occurred_at":"2026-05-17T08:00:00Z"}"#;
const B: &str =
    r#"{"what":"door opened","timestamp":"2026-05-17 08:00:00","who":{"x":9223372036854775808}}"#;

#[test]
fn every_line_counts_as_one_of_three() {
    let text = format!(
        "{A}\n\n{B}\r\n{A}\nnot json\n{{\"no\":\"time\"}}\n{B}\n   \n{{\"type\":\"refuse.me\",\"occurred_at\":\"2026-05-17T08:00:00Z\"}}"
    );
    let (sink, outcome) = run(text.as_bytes(), ImportOptions::default());
    assert_eq!(
        (
            outcome.read,
            outcome.imported,
            outcome.duplicates,
            outcome.refused
        ),
        (7, 2, 2, 3)
    );
    assert_eq!(
        (outcome.first_seq, outcome.last_seq),
        (Some(Sequence(0)), Some(Sequence(1)))
    );
    let lines: Vec<u64> = outcome
        .refusals
        .iter()
        .map(|refusal| refusal.line)
        .collect();
    assert_eq!(lines, [5, 6, 9]);
    let data = sink
        .0
        .last()
        .and_then(|(event, _)| event.data.value().cloned());
    assert_eq!(
        data.map(|data| data.as_str().to_owned()).as_deref(),
        Some(B)
    );
}

/// What happened: lines of a batch that the store did not take, and those that a bulk load took back, were
/// counted by what read them, beside `0 lines read`.
#[test]
fn lines_that_the_store_did_not_take_are_counted_nowhere() {
    struct Refusing;
    impl ImportSink for Refusing {
        fn accept(&mut self, _: Vec<ImportedEvent>) -> Result<Vec<Accepted>> {
            Err(Error::new(ErrorKind::Full, "no room"))
        }
    }
    let mut sink = Refusing;
    let mut import = Import::new(&mut sink, ImportOptions::default(), OnRefusal::Skip);
    let failed = import.read("input", A.as_bytes()).expect_err("no room");
    assert_eq!(failed.kind(), ErrorKind::Full);
    let outcome = import.finish();
    assert_eq!((outcome.read, outcome.mappings), (0, Vec::new()));
    let (_, mut outcome) = run(format!("{A}\n{B}\n").as_bytes(), ImportOptions::default());
    outcome.keep(2);
    assert_eq!((outcome.read, outcome.mappings.len()), (2, 2));
    outcome.keep(1);
    assert_eq!((outcome.read, outcome.mappings), (1, Vec::new()));
}

#[test]
fn kept_repeats_are_numbered_and_importing_again_adds_nothing() {
    let text = format!("{B}\n{A}\n{B}\n{B}\n");
    let options = ImportOptions {
        keep_repeats: true,
        ..ImportOptions::default()
    };
    let mut sink = Keeping::default();
    for imported in [4, 0] {
        let mut import = Import::new(&mut sink, options.clone(), OnRefusal::Stop);
        import.read("input", text.as_bytes()).expect("good lines");
        assert_eq!(import.outcome().imported, imported);
    }
    let repeats: Vec<u64> = sink
        .0
        .iter()
        .filter_map(|(_, mark)| Some(mark.as_ref()?.repeat))
        .collect();
    assert_eq!(repeats, [0, 0, 1, 2]);
}

#[test]
fn a_line_with_a_key_keeps_it_and_gets_no_mark() {
    let line = r#"{"type":"a.b","occurred_at":"2026-05-17T08:00:00Z","key":"k1"}"#;
    let (sink, _) = run(line.as_bytes(), ImportOptions::default());
    assert!(matches!(sink.0.as_slice(), [(event, None)] if event.key.as_deref() == Some("k1")));
}

#[test]
fn packed_and_marked_input_is_recognised() {
    let text = format!("\u{feff}{A}\n{B}\n");
    let packed = zstd::stream::encode_all(text.as_bytes(), 1).expect("packing");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("packing");
    for input in [text.into_bytes(), packed, gzip.finish().expect("packing")] {
        let (_, outcome) = run(&input, ImportOptions::default());
        assert_eq!((outcome.read, outcome.imported), (2, 2));
    }
    let mut sink = Keeping::default();
    let mut import = Import::new(&mut sink, ImportOptions::default(), OnRefusal::Skip);
    let refused = import
        .read("wide", [0xff, 0xfe, b'{', 0].as_slice())
        .expect_err("UTF-16");
    assert_eq!(refused.kind(), ErrorKind::Import);
    assert!(
        refused.to_string().starts_with("wide: this is UTF-16"),
        "{refused}"
    );
    // One of several that ends too early says which it is.
    let packed = zstd::stream::encode_all(A.as_bytes(), 1).expect("packing");
    let cut = packed.get(..packed.len() - 3).expect("a beginning");
    let refused = import.read("cut", cut).expect_err("half of it");
    assert!(
        refused
            .to_string()
            .starts_with("cut: cannot be read behind line 0"),
        "{refused}"
    );
}

#[test]
fn the_first_refusal_stops_and_what_stands_before_it_is_imported() {
    let text = format!("{A}\n{{\n{B}\n");
    let mut sink = Keeping::default();
    let mut import = Import::new(&mut sink, ImportOptions::default(), OnRefusal::Stop);
    let error = import
        .read("input", text.as_bytes())
        .expect_err("a bad line");
    assert!(error.to_string().starts_with("input: line 2: "), "{error}");
    assert_eq!((import.outcome().read, import.outcome().imported), (2, 1));
}

#[test]
fn refused_lines_are_written_with_number_reason_and_text() {
    let mut refused = Vec::new();
    let mut sink = Keeping::default();
    let mut import = Import::new(
        &mut sink,
        ImportOptions::default(),
        OnRefusal::Write(&mut refused),
    );
    import
        .read("in", b"{\"a\":\xff}\n{\"b\":1}\n".as_slice())
        .expect("only refusals");
    assert_eq!(import.finish().refused, 2);
    let text = String::from_utf8(refused).expect("JSON");
    let lines: Vec<serde_json::Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert_eq!(lines.len(), 2);
    let part = |line: usize, key: &str| lines.get(line).and_then(|line| line.get(key)).cloned();
    assert_eq!(part(0, "hex"), Some("7b2261223aff7d".into()));
    assert_eq!(part(0, "line"), Some(1.into()));
    assert_eq!(part(1, "text"), Some("{\"b\":1}".into()));
    assert_eq!(
        part(1, "reason"),
        Some("no time in it under any name the generic mapping knows".into())
    );
}

#[test]
fn text_too_long_for_its_field_stays_in_data() {
    let long = "x".repeat(70_000);
    let line = format!(r#"{{"timestamp":1715932800,"action":"a","user":"{long}"}}"#);
    let (sink, outcome) = run(line.as_bytes(), ImportOptions::default());
    assert_eq!(outcome.imported, 1);
    let event = sink
        .0
        .first()
        .map(|(event, _)| event.clone())
        .unwrap_or_default();
    assert!(event.performer.is_absent());
    assert_eq!(
        event.data.value().map(|data| data.as_str().len()),
        Some(line.len())
    );
}

#[test]
fn a_map_with_detect_takes_its_own_and_leaves_the_rest() {
    let map = Mapping::parse(
        r#"{"name":"door","detect":[["/door"]],"zone":"+02:00","event":{"occurred_at":["/at"],"type":{"const":"door.opened"},
            "subject":{"kind":{"const":"door"},"id":"/door"},"metadata":{"z":"/z","a":{"at":"/a","then":["lower"]}}}}"#,
    )
    .map(Arc::new)
    .expect("a good mapping");
    let options = ImportOptions {
        map: Some(map),
        ..ImportOptions::default()
    };
    let text =
        format!("{{\"door\":7,\"at\":\"2026-05-17 10:00:00\",\"a\":\"UP\",\"z\":true}}\n{A}\n");
    let (sink, outcome) = run(text.as_bytes(), options);
    let names: Vec<&str> = outcome.mappings.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["door", "native"]);
    let event = sink
        .0
        .first()
        .map(|(event, _)| event.clone())
        .unwrap_or_default();
    assert_eq!(
        event
            .occurred_at
            .value()
            .map(ToString::to_string)
            .as_deref(),
        Some("2026-05-17T08:00:00.000000Z")
    );
    assert_eq!(
        event.subject.value().and_then(|door| door.id.as_deref()),
        Some("7")
    );
    let pairs: Vec<(String, String)> = event
        .metadata
        .value()
        .into_iter()
        .flat_map(|pairs| {
            pairs
                .iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
        })
        .collect();
    assert_eq!(
        pairs,
        [
            ("z".to_owned(), "true".to_owned()),
            ("a".to_owned(), "up".to_owned())
        ]
    );
}

#[test]
fn a_bad_mapping_file_is_refused_with_the_place() {
    for (text, part) in [
        ("{", "mapping file"),
        (r#"{"name":"x"}"#, "`event` is missing"),
        (
            r#"{"name":"x","event":{"type":"/t"}}"#,
            "`occurred_at` is missing",
        ),
        (
            r#"{"name":"x","event":{"occurred_at":"t","type":"/t"}}"#,
            "event.occurred_at",
        ),
        (
            r#"{"name":"x","event":{"occurred_at":"/t","typ":"/t","type":"/t"}}"#,
            "event.typ",
        ),
        (
            r#"{"name":"x","event":{"occurred_at":"/t","type":{"at":"/t","then":["shout"]}}}"#,
            "event.type.then.0: no such step",
        ),
        (
            r#"{"name":"x","event":{"occurred_at":{"at":"/t","form":"roman"},"type":"/t"}}"#,
            "no form of time",
        ),
        (
            r#"{"name":"x","event":{"occurred_at":"/t","type":"/t","performer":{"id":"/u"}}}"#,
            "`kind` is missing",
        ),
    ] {
        let error = Mapping::parse(text).expect_err(text);
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

#[test]
fn every_built_in_mapping_can_be_read() {
    for (name, text) in formats::FILES {
        let mapping = Mapping::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(mapping.name(), *name);
        assert!(!mapping.about().is_empty(), "{name}: about");
        assert!(mapping.detects(), "{name}: detect");
        assert!(ImportFormat::named(name).is_ok(), "{name}: by name");
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import")
}

/// What a line becomes, as the native line without the source record, behind the mapping's name.
fn told(line: &str) -> String {
    match Formats::default().read(line.as_bytes()) {
        Err(reason) => format!("refused: {reason}"),
        Ok(Read { offer, mapping, .. }) => {
            let (mut event, _) = ImportedEvent { offer, mark: None }.into_parts();
            let data = event.data.value();
            if data.is_some_and(|data| line.starts_with(data.as_str())) {
                event.data = Field::Absent;
            }
            let event = serde_json::to_string(&event).expect("an event can be written");
            format!("{mapping} {event}")
        }
    }
}

#[test]
fn excerpts_of_every_source_become_the_expected_events() {
    let own = ["native", "entries", "generic"];
    for name in own
        .iter()
        .chain(formats::FILES.iter().map(|(name, _)| name))
    {
        let source = fixtures().join(format!("{name}.ndjson"));
        let lines =
            std::fs::read_to_string(&source).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found: String = lines.lines().map(|line| told(line) + "\n").collect();
        assert!(
            found
                .lines()
                .all(|line| line.starts_with(&format!("{name} "))),
            "{name}: {found}"
        );
        let expected = fixtures().join(format!("{name}.expected"));
        if std::env::var_os("AUDITDB_BLESS").is_some() {
            std::fs::write(&expected, &found).expect("expected events can be written");
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(found, wanted, "{name}: AUDITDB_BLESS=1 writes it anew");
    }
}
