//! Settings that do not go together, and exports on any number of threads against the obvious one;
//! what a user of the files sees is tested in `tests/it/`.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use super::Compression;
use super::Export;
use super::ExportFont;
use super::ExportReport;
use super::Format;
use super::PAIRS;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Field;
use crate::event::Json;
use crate::event::StoredEvent;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::layout::Layout;
use crate::options::Options;
use crate::query::Query;
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::time::Time;

#[test]
fn settings_that_do_not_go_together_are_named() {
    for (export, named) in [
        (
            Export {
                format: Format::Json,
                layout: Layout::Entries,
                ..Export::default()
            },
            "csv+entries",
        ),
        (
            Export {
                limit: Some(0),
                ..Export::default()
            },
            "limit",
        ),
        (
            Export {
                format: Format::Json,
                header: false,
                ..Export::default()
            },
            "header",
        ),
    ] {
        let error = export.validate().map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains(named)), "{named}");
    }
}

/// A store of the golden events over and over, some too large for one part together.
fn filled(folder: &Path) -> Result<Store> {
    let store = Store::open(folder, Options::default())?;
    let golden = include_str!("../../tests/golden/canonical.ndjson").lines();
    let golden: Vec<StoredEvent> = golden
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let events = golden.iter().cycle().take(3_500).enumerate();
    let events: Vec<Event> = events
        .map(|(number, stored)| {
            let micros = number as i64 * 7_919 % 1_000;
            let large = format!("\"{}\"", "x".repeat(120_000));
            let data = (number % 40 == 0)
                .then(|| Json::parse(&large).ok())
                .flatten();
            Event {
                occurred_at: Field::Value(Time::saturating_from_micros(micros)),
                key: Field::Absent,
                caused_by: Field::Absent,
                data: data.map_or_else(|| stored.event.data.clone(), Field::Value),
                ..stored.event.clone()
            }
        })
        .collect();
    for batch in events.chunks(200) {
        store.append_batch(batch)?;
    }
    store.flush()?;
    Ok(store)
}

/// Every format, layout and way of packing, but for documents, which are not made event by event.
fn exports() -> Vec<Export> {
    let mut exports = Vec::new();
    let by_event = |(format, _): &(Format, Layout)| *format != Format::Pdf;
    for (format, layout) in PAIRS.into_iter().filter(by_event) {
        for compression in [Compression::None, Compression::Zstd, Compression::Gzip] {
            exports.push(Export {
                format,
                layout,
                compression,
                ..Export::default()
            });
        }
    }
    exports
}

fn on(
    threads: usize,
    export: &Export,
    snapshot: &Snapshot,
    query: &Query,
) -> Result<(Vec<u8>, ExportReport)> {
    let mut out = Vec::new();
    let go_on = &mut |_| ControlFlow::Continue(());
    let report = export.run_on(threads, snapshot, query, &mut out, go_on)?;
    Ok((out, report))
}

fn unpacked(compression: Compression, packed: &[u8]) -> std::io::Result<Vec<u8>> {
    match compression {
        Compression::None => Ok(packed.to_vec()),
        Compression::Zstd => zstd::decode_all(packed),
        Compression::Gzip => {
            let mut out = Vec::new();
            flate2::read::GzDecoder::new(packed).read_to_end(&mut out)?;
            Ok(out)
        }
    }
}

/// The obvious export: event by event, as a caller would write it.
fn model(export: &Export, snapshot: &Snapshot, query: &Query) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    export.begin(&mut out);
    for (number, event) in snapshot.scan(query)?.enumerate() {
        export.event(&event?, number == 0, &mut out);
    }
    export.end(&mut out);
    Ok(out)
}

#[test]
fn any_number_of_threads_makes_the_same_file_which_is_the_obvious_one()
-> std::result::Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let store = filled(folder.path())?;
    let snapshot = store.snapshot();
    let rare = Filter::new().is(FilterField::Outcome, "denied");
    let none = Filter::new().is(FilterField::Type, "no.such");
    for filter in [Filter::new(), rare, none] {
        let query = Query {
            filter,
            ..Query::default()
        };
        for export in exports() {
            let (alone, told) = on(1, &export, &snapshot, &query)?;
            for threads in [2, 4] {
                assert!(on(threads, &export, &snapshot, &query)? == (alone.clone(), told.clone()));
            }
            let model = model(&export, &snapshot, &query)?;
            let same = unpacked(export.compression, &alone)? == model;
            assert!(same, "{:?} {:?}", export.format, export.layout);
            assert!(told.complete && told.bytes == alone.len() as u64);
        }
    }
    Ok(())
}

#[test]
fn an_export_ended_by_its_watcher_goes_on_where_it_ended()
-> std::result::Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let store = filled(folder.path())?;
    let snapshot = store.snapshot();
    let export = Export::default();
    let (whole, _) = on(2, &export, &snapshot, &Query::default())?;
    for threads in [1, 3] {
        let mut out = Vec::new();
        let mut query = Query::default();
        let mut parts = 0;
        loop {
            let stop = &mut |_| ControlFlow::Break(());
            let report = export.run_on(threads, &snapshot, &query, &mut out, stop)?;
            parts += 1;
            assert_eq!(report.complete, report.next_cursor.is_none());
            if report.complete {
                break;
            }
            query.cursor = report.next_cursor;
        }
        assert!(parts > 2 && out == whole);
    }
    Ok(())
}

/// A sink that takes so many bytes and then no more.
struct Short(usize);

impl std::io::Write for Short {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_fails_ends_the_export_and_its_threads()
-> std::result::Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let store = filled(folder.path())?;
    for room in [0, 1, 100_000, 1_500_000] {
        let go_on = &mut |_| ControlFlow::Continue(());
        let snapshot = store.snapshot();
        let found = Export::default().run_on(4, &snapshot, &Query::default(), Short(room), go_on);
        assert_eq!(found.err().map(|error| error.kind()), Some(ErrorKind::Full));
    }
    Ok(())
}

/// A device says that it has no bytes, and gives them without an end.
#[test]
fn p5_a_font_is_read_no_further_than_fonts_go() {
    let read = ExportFont::read(Path::new("/dev/zero"));
    assert_eq!(
        read.err().map(|error| error.kind()),
        Some(ErrorKind::OutOfRange)
    );
}
