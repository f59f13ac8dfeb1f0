//! Any text as a stored one: what a terminal gets of it moves no cursor, changes no colour and turns
//! no reading direction; no cell of a guarded CSV begins as a formula, and the guard can be undone.
#![no_main]

use std::io::Write;
use std::sync::LazyLock;

use auditdb::CsvSafety;
use auditdb::Event;
use auditdb::EventId;
use auditdb::Export;
use auditdb::Format;
use auditdb::Layout;
use auditdb::Performer;
use auditdb::Position;
use auditdb::Sequence;
use auditdb::StoredEvent;
use auditdb::Subject;
use auditdb::Time;

#[path = "../../src/bin/auditdb/text.rs"]
#[allow(dead_code, reason = "the binary uses more of it")]
mod text;

/// Both forms that people open in a spreadsheet.
static EXPORTS: LazyLock<[Export; 2]> = LazyLock::new(|| {
    [Layout::Native, Layout::Entries].map(|layout| Export {
        format: Format::Csv,
        layout,
        csv_safety: CsvSafety::Guard,
        ..Export::default()
    })
});

/// What a spreadsheet acts on, behind blanks and what nobody sees.
fn is_formula(cell: &str) -> bool {
    let blank = |first: char| first.is_whitespace() || matches!(first, '\u{feff}' | '\u{200b}');
    let leads = [
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ];
    cell.starts_with(['\t', '\r', '\n', '\0']) || cell.trim_start_matches(blank).starts_with(leads)
}

fn is_plain(shown: &str) -> bool {
    let turns = |one: char| matches!(one, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !shown
        .chars()
        .any(|one| (one.is_control() && one != '\n') || turns(one))
}

/// An event that has the text wherever one may stand.
fn stored(text: &str) -> Option<StoredEvent> {
    let event = Event::new("text.stored")
        .performer(Performer::new("user").id(text))
        .subject(Subject::new("user").id(text))
        .reason(text)
        .metadata("k", text);
    event.validate().ok()?;
    let (occurred_at, seq) = (Time::MIN, Sequence(7));
    Some(StoredEvent {
        id: EventId::new(Position { occurred_at, seq }),
        seq,
        occurred_at,
        recorded_at: Time::MAX,
        event,
    })
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    assert!(is_plain(&text::one_line(text)) && !text::one_line(text).contains('\n'));
    assert!(is_plain(&text::several_lines(text)));
    let mut shown = Vec::new();
    let mut terminal = text::Escaping::new(&mut shown);
    for piece in text.as_bytes().chunks(3) {
        terminal.write_all(piece).expect("memory takes it");
    }
    terminal.flush().expect("memory takes it");
    drop(terminal);
    // A tab moves no further than a blank does, and parts the fields of some files.
    let shown = String::from_utf8(shown).expect("text stays text");
    assert!(is_plain(&shown.replace('\t', " ")));
    let Some(stored) = stored(text) else { return };
    let mut out = Vec::new();
    for export in &*EXPORTS {
        export.event(&stored, true, &mut out);
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(&*out);
    let mut records = reader.records();
    for _ in &*EXPORTS {
        let record = records.next().expect("a record").expect("of text");
        assert!(!record.iter().any(is_formula), "{record:?}");
        let is_it = |cell: &str| cell == text || cell.strip_prefix('\'') == Some(text);
        assert!(text.is_empty() || record.iter().any(is_it), "{record:?}");
    }
});
