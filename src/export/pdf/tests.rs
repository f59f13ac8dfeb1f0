//! How pages fill, what is wrapped and what has a face; what a reader of the files sees is tested in
//! `tests/it/`, by the text of the pages.

use std::ops::ControlFlow;

use proptest::prelude::ProptestConfig;

use super::Document;
use super::bidi;
use super::face::Faces;
use super::face::Weight;
use super::front::Came;
use super::front::Front;
use super::paper::BOTTOM;
use super::paper::Page;
use super::run_within;
use super::wrap::Ink;
use super::wrap::Style;
use super::wrap::words;
use super::wrap::wrap;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Json;
use crate::event::Outcome;
use crate::export::Export;
use crate::export::ExportFont;
use crate::export::ExportReport;
use crate::export::Format;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::filter::Pattern;
use crate::layout::Layout;
use crate::layout::Locale;
use crate::options::Options;
use crate::query::Query;
use crate::registry::Registry;
use crate::snapshot::Snapshot;
use crate::store::Store;

const STYLE: Style = Style {
    weight: Weight::Regular,
    size: 7.0,
    ink: Ink::Text,
};

fn faces() -> Faces<'static> {
    Faces::new(&[], Locale::default()).expect("the faces that come along")
}

fn export() -> Export {
    Export {
        format: Format::Pdf,
        layout: Layout::Trail,
        ..Export::default()
    }
}

fn snapshot(events: &[Event]) -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path().join("store"), Options::default()).expect("a store");
    store.append_batch(events).expect("appended");
    let snapshot = store.snapshot();
    (folder, snapshot)
}

fn run(
    pages: usize,
    export: &Export,
    snapshot: &Snapshot,
    query: &Query,
) -> Result<(ExportReport, Vec<u8>)> {
    let mut bytes = Vec::new();
    let go_on = &mut |_| ControlFlow::Continue(());
    let report = run_within(pages, export, snapshot, query, &mut bytes, go_on)?;
    Ok((report, bytes))
}

#[test]
fn every_word_that_comes_along_has_a_face_in_both_weights() {
    let mut faces = faces();
    let registry = Registry::built_in();
    for locale in Locale::all() {
        for word in locale.words() {
            assert_eq!(faces.missing(word), [], "{}: {word}", locale.as_str());
        }
        let labels = ["user.created", "user.signed_in", "audit.exported"];
        let labels = labels.map(|name| registry.type_label(name, locale.as_str()));
        for label in labels.into_iter().flatten() {
            assert_eq!(faces.missing(label), [], "{}: {label}", locale.as_str());
        }
    }
}

/// Of all events and of those that an organisation is shown, which are every other one.
#[test]
fn a_document_ends_where_its_pages_do_and_the_next_goes_on_behind_it() {
    let org = |n: u32| {
        if n.is_multiple_of(2) {
            "north"
        } else {
            "south"
        }
    };
    let events: Vec<Event> = (0..300)
        .map(|n| Event::new(format!("a.b{n}")).org(org(n)))
        .collect();
    let (_folder, snapshot) = snapshot(&events);
    for (view, wanted) in [(None, 300), (Some("north".to_owned()), 150)] {
        let export = Export { view, ..export() };
        let (mut query, mut rows, mut parts, mut last) = (Query::default(), 0, 0, None);
        loop {
            let (report, bytes) = run(3, &export, &snapshot, &query).expect("a document");
            assert!(
                (report.rows > 10 || report.complete) && bytes.starts_with(b"%PDF-"),
                "{report:?}"
            );
            let again = run(3, &export, &snapshot, &query).expect("the same");
            assert_eq!((&report, &bytes), (&again.0, &again.1), "the same bytes");
            (rows, parts) = (rows + report.rows, parts + 1);
            assert!(
                last.is_none_or(|last| report.first < Some(last)),
                "behind it"
            );
            last = report.last;
            assert_eq!(report.complete, report.next_cursor.is_none());
            if report.complete {
                break;
            }
            query.cursor = report.next_cursor;
        }
        assert!(rows == wanted && parts > 2, "{rows} rows in {parts} parts");
    }
}

#[test]
fn an_event_that_no_document_holds_is_named() {
    let words = "all of this is one value ".repeat(2000);
    let json = Json::parse(&format!("{words:?}")).expect("JSON");
    let mut event = Event::new("a.b");
    event.data = json.into();
    let (_folder, snapshot) = snapshot(&[event]);
    let error = run(3, &export(), &snapshot, &Query::default()).expect_err("it has no room");
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
    assert!(error.to_string().contains("evt_"), "{error}");
    let (report, _) = run(20, &export(), &snapshot, &Query::default()).expect("over several pages");
    assert_eq!(report.rows, 1);
}

/// A filter of some fifty ids once took the whole first page, and the first events of it were drawn
/// below the paper's edge, where nobody saw them. Each number of ids ends the facts at another place.
#[test]
fn a_long_filter_goes_on_over_pages_and_no_text_stands_below_them() {
    let event = |n: usize| Event::new(format!("a.b{n}")).reason("many words ".repeat(n * 17 % 100));
    let events: Vec<Event> = (0..40).map(event).collect();
    let (_folder, snapshot) = snapshot(&events);
    for ids in (0..160).chain([1000]) {
        let id = |n| format!("customer-with-a-long-name-{n:04}");
        let filter = match ids {
            0 => Filter::new(),
            _ => Filter::new().any_of(&FilterField::SubType, (0..ids).map(|n| Pattern::is(id(n)))),
        };
        let query = Query {
            filter,
            ..Query::default()
        };
        let export = export();
        let front = Front {
            export: &export,
            snapshot: &snapshot,
            query: &query,
            snapshot_seq: 40,
            selected: Some(0),
        };
        let mut document = Document::begin(1000, &front).expect("a document");
        let page = snapshot.page(&Query::default()).expect("events");
        for event in &page.events {
            assert!(document.add(event).expect("a row"));
        }
        let (facts, _) = front.pages(&mut faces(), &Came::default());
        let text: String = facts.iter().flatten().map(|text| &*text.text).collect();
        assert!((0..ids).all(|n| text.contains(&id(n))), "{ids} ids");
        let pages = &document.paper.pages;
        let texts = pages.iter().flat_map(|page| &page.texts);
        assert!(
            texts
                .chain(facts.iter().flatten())
                .all(|text| text.y < BOTTOM)
        );
        let has_headings = |page: &Page| page.top.is_some() != page.texts.is_empty();
        assert!(pages.iter().all(has_headings), "headings where rows are");
        let shared = pages.get(facts.len() - 1).expect("a page");
        let lowest = facts.last().and_then(|page| page.last()).expect("facts");
        assert!(shared.top.is_none_or(|top| lowest.y < top), "{ids} ids");
    }
}

#[test]
fn a_watcher_ends_it_and_nothing_is_written() {
    let event = Event::new("a.b").outcome(Outcome::Success);
    let (_folder, snapshot) = snapshot(&[event]);
    let mut bytes = Vec::new();
    let stop = &mut |_| ControlFlow::Break(());
    let report = run_within(9, &export(), &snapshot, &Query::default(), &mut bytes, stop);
    assert!(report.is_ok_and(|report| report.interrupted) && bytes.is_empty());
}

/// Fonts come from anywhere: whatever is in one, there is a document or a refusal.
#[test]
fn damaged_fonts_are_refused_or_do_no_harm() {
    let whole = include_bytes!("fonts/NotoSansMath-Regular.ttf");
    let mut event = Event::new("a.b");
    event.reason = "\u{2190}\u{2203}\u{25cf} plain".into();
    let (_folder, snapshot) = snapshot(&[event]);
    let mut made = 0;
    for number in 0..96_usize {
        let mut bytes = whole.to_vec();
        let at = number * 379 % bytes.len();
        match number % 3 {
            0 => bytes.truncate(at),
            1 => bytes
                .iter_mut()
                .skip(at)
                .take(4)
                .for_each(|byte| *byte ^= 0xff),
            _ => bytes
                .iter_mut()
                .skip(12 + number * 4)
                .take(1)
                .for_each(|byte| *byte ^= 0x55),
        }
        let export = Export {
            fonts: vec![ExportFont::new("damaged", bytes)],
            ..export()
        };
        let query = Query::default();
        let run = export.run(&snapshot, &query, &mut std::io::sink());
        made += u32::from(run.is_ok());
    }
    assert!(made > 10, "{made} documents");
}

#[test]
fn characters_without_a_face_stand_as_numbers() {
    let mut faces = faces();
    let shaped = faces.shape("a\u{e01}b", Weight::Regular, false);
    let texts: Vec<&str> = shaped.pieces.iter().map(|piece| &*piece.text).collect();
    assert_eq!(texts, ["a", "U+0E01", "b"]);
    assert_eq!(faces.missing("\u{e01}a\u{e01}"), ['\u{e01}', '\u{e01}']);
}

proptest::proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn lines_lose_nothing_but_blanks_and_fit(
        text in "[a-zA-Z ,.:{}\"漢字、かなאבגعمر0-9\u{e01}\u{301}-]{0,120}",
        width in 20_u16..200,
        first in 0_u16..200,
    ) {
        let (mut faces, width) = (faces(), f32::from(width));
        let first = f32::from(first).min(width);
        let lines = wrap(&mut faces, &text, STYLE, first, width);
        let mut end = 0;
        for (number, line) in lines.iter().enumerate() {
            let between = text.get(end..line.range.start).expect("in order");
            proptest::prop_assert!(between.trim().is_empty(), "{between:?} was lost");
            let part = text.get(line.range.clone()).expect("whole characters");
            let one = part.chars().filter(|letter| !bidi::is_mark(*letter)).count() <= 1;
            let room = if number == 0 { first } else { width };
            proptest::prop_assert!(line.width <= room + 0.1 || one, "{part:?} overflows");
            end = line.range.end;
        }
        proptest::prop_assert!(text.get(end..).is_some_and(|rest| rest.trim().is_empty()));
        let whole: usize = words(&text).map(|word| word.len()).sum();
        proptest::prop_assert_eq!(whole, text.len());
    }
}

/// What happened: a name behind what 16 bits can tell ended the program when the font was embedded.
#[test]
fn p5_a_font_whose_names_lie_nowhere_is_refused() {
    let mut bytes = super::face::SANS.to_vec();
    let mut tables = bytes.get(12..).expect("tables").chunks_exact(16);
    let table = tables.find(|table| table.starts_with(b"name"));
    let place = table.and_then(|table| table.get(8..12)).expect("names");
    let names = place
        .iter()
        .fold(0, |number, byte| number << 8 | usize::from(*byte));
    // The place of the first name's text.
    bytes.splice(names + 16..names + 18, [0xff, 0xff]);
    let fonts = [ExportFont::new("far.ttf", bytes)];
    let refused = Faces::new(&fonts, Locale::default()).err();
    assert_eq!(
        refused.map(|error| error.kind()),
        Some(ErrorKind::OutOfRange)
    );
}
