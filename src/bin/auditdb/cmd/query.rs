//! `auditdb query`: a page of events as a table, JSON, NDJSON or CSV.

use std::io::Write;

use auditdb::Cursor;
use auditdb::ErrorKind;
use auditdb::Export;
use auditdb::ExportAudit;
use auditdb::Format;
use auditdb::Page;
use auditdb::Performer;
use auditdb::Query;
use auditdb::Registry;
use auditdb::SavedQueries;
use auditdb::Snapshot;
use auditdb::Stopped;
use auditdb::StoredEvent;
use clap::Args;

use crate::args::Database;
use crate::args::Filters;
use crate::args::Place;
use crate::auditing::Auditing;
use crate::effects;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::names;
use crate::output::Output;
use crate::output::Style;
use crate::table;
use crate::table::Table;
use crate::table::plain;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb query trail                              the newest 50 events
  auditdb query trail --type 'user.*' --outcome denied --since -24h
  auditdb query trail --subject user:u12 --no outcome -n 10 -o ndjson
  auditdb query trail --during 2026-Q2 --type 'admin.*' --explain
  auditdb query trail --outcome denied --last 24h --save denied-today
  auditdb query trail --query denied-today --org acme
  auditdb query trail --performer '!system' --meta ticket=4711 --cursor TOKEN
  auditdb query trail --performer '!system' --meta ticket=4711 --cursor TOKEN --back
  auditdb query trail --type role.deleted --with-effects
  auditdb query trail --view north                 what the organisation north is shown")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    /// Events on the page
    #[arg(short = 'n', value_name = "N", allow_negative_numbers = true, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// What to print
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    output: Shape,
    /// Stop after about this much work, one unit an index entry looked at, with a cursor to go on;
    /// every call gets on, if only by one event
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    max_work: Option<u64>,
    /// Below each event what followed from it: events whose caused_by names it, and what followed
    /// from those, as far as 100,000 events from the causes on show it
    #[arg(long, conflicts_with = "view")]
    with_effects: bool,
    /// What this organisation is shown: the events of its own trail, with performers of others as
    /// External Org User
    #[arg(long, value_name = "ORG", allow_hyphen_values = true)]
    view: Option<String>,
    #[command(flatten)]
    auditing: Auditing,
    /// Keep the filter under this name, for --query NAME
    #[arg(long, value_name = "NAME", conflicts_with = "query")]
    save: Option<String>,
    /// With --save: in place of the filter that has the name
    #[arg(long, requires = "save")]
    replace: bool,
    /// The page before --cursor: with the prev_cursor of a page, the one that was shown before it
    #[arg(long, requires = "cursor")]
    back: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    filters: Filters,
}

/// What a page is printed as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Shape {
    /// Columns for people
    #[default]
    Table,
    /// One object with the events and where to go on
    Json,
    /// One line of JSON an event
    Ndjson,
    /// RFC 4180, formulas made harmless
    Csv,
}

/// Events whose effects are looked for at once at the most: they and their effects are in memory.
const CAUSES: u64 = 1_000;

/// Events of a page that is read backwards, at the most: it is in memory until its first is known.
const BACK: u64 = 100_000;

/// Events of one call of the library at the most.
const CALL_EVENTS: u64 = 10_000;

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    if words.with_effects {
        refuse_effects(words)?;
    }
    if words.back && words.count > BACK {
        let what = format!("-n {}: --back takes at most {BACK}", words.count);
        return Err(Failure::usage(what));
    }
    let filter = words.filters.read(&words.database)?;
    words.filters.explain(&filter, output);
    let query = words.place.query(filter)?;
    let asks = words.auditing.is_asked_for();
    let performer = asks.then(|| words.auditing.performer()).transpose()?;
    let snapshot = words.database.snapshot()?;
    if let Some(name) = &words.save {
        // What is refused is not kept, and a cursor of another query is refused only here.
        call(words, &snapshot, &one_step(&query))?;
        save(words, name, output)?;
    }
    if words.filters.explain {
        super::explain_plan(&snapshot, &query, words.count, output)?;
    }
    if let Some(performer) = performer {
        record(words, &snapshot, &query, performer, output)?;
    }
    let page = match words.output {
        Shape::Table => table(words, &snapshot, query, output)?,
        Shape::Json => json(words, &snapshot, query, output)?,
        Shape::Ndjson => lines(words, &snapshot, query, output, Format::Ndjson)?,
        Shape::Csv => lines(words, &snapshot, query, output, Format::Csv)?,
    };
    if words.output != Shape::Json {
        output.note(&ending(&page, &words.filters));
    }
    Ok(Code::Done)
}

/// Has the store tell of the page before anybody sees it, so that who looks away from the rest of it,
/// or whom the record fails, has not seen it untold. The page is read once more when it is printed.
fn record(
    words: &Words,
    snapshot: &Snapshot,
    query: &Query,
    performer: Performer,
    output: &Output,
) -> Outcome<()> {
    let page = read(words, snapshot, query.clone(), |_, _| Ok(()))?;
    let mut audit = ExportAudit::in_folder(&words.database.path, performer);
    if let Some(org) = &words.view {
        audit = audit.of_view(org);
    }
    let told = audit.queried(snapshot, query, page.events, page.page.complete);
    words.auditing.settle(told, output).map(drop)
}

/// The first step of a query: all that can be refused of it is refused by it.
fn one_step(query: &Query) -> Query {
    Query {
        limit: 1,
        work_max: 1,
        ..query.clone()
    }
}

/// Effects stand below their causes in a table and beside them in JSON; lines of events have no
/// place for them.
fn refuse_effects(words: &Words) -> Outcome<()> {
    if !matches!(words.output, Shape::Table | Shape::Json) {
        let what = "--with-effects goes with -o table and -o json";
        return Err(Failure::usage(what));
    }
    if words.count > CAUSES {
        let what = format!("-n {}: --with-effects takes at most {CAUSES}", words.count);
        return Err(Failure::usage(what));
    }
    Ok(())
}

/// Keeps the filter's words, which were read without an error, under a name.
fn save(words: &Words, name: &str, output: &Output) -> Outcome<()> {
    let saved = SavedQueries::open(&words.database.path)?;
    let kept = saved.save(name, &words.filters.to_saved(), words.replace);
    kept.map_err(|error| match error.kind() {
        ErrorKind::Exists => {
            let what = format!("--save {name}: a query of this name is saved already");
            Failure::usage(what).hint("take another name, or --replace")
        }
        _ => Failure::from(error).about("--save"),
    })?;
    output.note(&format!("saved; --query {name} asks it again"));
    Ok(())
}

/// A page as far as it is known when its events have been printed.
struct Ended {
    events: u64,
    page: Page,
}

/// Nothing is printed before the first call, so a query that does not run prints nothing. Reads
/// call by call until the page is full or nothing follows, or once where the work is bounded.
fn read(
    words: &Words,
    snapshot: &Snapshot,
    mut query: Query,
    mut each: impl FnMut(u64, &StoredEvent) -> Outcome<()>,
) -> Outcome<Ended> {
    if let Some(work) = words.max_work {
        query.work_max = work;
    }
    if words.back {
        return read_back(words, snapshot, query, each);
    }
    let (mut events, mut begin) = (0, None);
    loop {
        query.limit = call_limit(words, events);
        let mut page = call(words, snapshot, &query)?;
        // What several calls gave is one page, which begins where the first of them did.
        page.prev_cursor = *begin.get_or_insert(page.prev_cursor);
        for event in std::mem::take(&mut page.events) {
            each(events, &event)?;
            events += 1;
        }
        if page.complete || events >= words.count || words.max_work.is_some() {
            return Ok(Ended { events, page });
        }
        query.cursor = page.next_cursor;
    }
}

fn call(words: &Words, snapshot: &Snapshot, query: &Query) -> Outcome<Page> {
    Ok(match &words.view {
        Some(org) => snapshot.view(org).page(query)?,
        None => snapshot.page(query)?,
    })
}

/// The page before the cursor: its last events are known first.
fn read_back(
    words: &Words,
    snapshot: &Snapshot,
    mut query: Query,
    mut each: impl FnMut(u64, &StoredEvent) -> Outcome<()>,
) -> Outcome<Ended> {
    let (mut parts, mut events, mut end) = (Vec::new(), 0, None);
    let page = loop {
        query.limit = call_limit(words, events);
        let mut page = match &words.view {
            Some(org) => snapshot.view(org).page_before(&query)?,
            None => snapshot.page_before(&query)?,
        };
        (page.next_cursor, page.scanned_until) =
            *end.get_or_insert((page.next_cursor, page.scanned_until));
        events += page.events.len() as u64;
        parts.push(std::mem::take(&mut page.events));
        query.cursor = page.prev_cursor;
        if query.cursor.is_none() || events >= words.count || words.max_work.is_some() {
            break page;
        }
    };
    for (before, event) in parts.iter().rev().flatten().enumerate() {
        each(before as u64, event)?;
    }
    Ok(Ended { events, page })
}

/// How many events the next call of the library is asked for.
fn call_limit(words: &Words, events: u64) -> usize {
    usize::try_from((words.count - events).min(CALL_EVENTS)).unwrap_or(1)
}

fn table(words: &Words, snapshot: &Snapshot, query: Query, output: &Output) -> Outcome<Ended> {
    let mut table = events_table();
    let registry = words.filters.registry()?;
    let mut causes = Vec::new();
    let ended = read(words, snapshot, query, |_, event| {
        match words.with_effects {
            true => causes.push(event.clone()),
            false => table.row(event_row(event, &registry)),
        }
        Ok(())
    })?;
    if words.with_effects {
        let found = effects::find(snapshot, &causes)?;
        for cause in &causes {
            table.row(event_row(cause, &registry));
            for effect in effects::of(&found, cause.id) {
                let mut row = event_row(&effect.event, &registry);
                row[1] = effects::indented(effect);
                table.row(row);
            }
        }
        output.note(&effects::note(&found, &causes));
    }
    let mut out = output.page();
    if ended.events > 0 {
        table.write(output, &mut out)?;
    }
    out.flush()?;
    Ok(ended)
}

/// The columns in which people see events.
pub(super) fn events_table() -> Table {
    Table::new()
        .whole("TIME", plain)
        .column("TYPE", Style::name)
        .column("CHANGED", plain)
        .column("PERFORMER", plain)
        .column("SUBJECT", plain)
        .column("OUTCOME", outcome)
        .whole("ID", Style::dim)
}

fn outcome(style: Style, text: &str) -> String {
    match text.trim_end() {
        "failure" | "denied" => style.bad(text),
        "success" => style.good(text),
        _ => text.to_owned(),
    }
}

pub(super) fn event_row(stored: &StoredEvent, registry: &Registry) -> [String; 7] {
    let event = &stored.event;
    let who = event.performer.value();
    let what = event.subject.value();
    [
        stored.occurred_at.to_string(),
        event.event_type.clone(),
        names::changed(event),
        who.map_or_else(String::new, |who| {
            names::named(who.shown_name(), (&who.kind, &who.id), registry)
        }),
        what.map_or_else(String::new, |what| {
            names::named(what.shown_name(), (&what.kind, &what.id), registry)
        }),
        event
            .outcome
            .value()
            .map_or("", |outcome| outcome.as_str())
            .to_owned(),
        stored.id.to_string(),
    ]
}

fn json(words: &Words, snapshot: &Snapshot, query: Query, output: &Output) -> Outcome<Ended> {
    let mut out = output.data();
    let begin: &[u8] = b"{\"events\":[";
    let mut causes = Vec::new();
    let ended = read(words, snapshot, query, |before, event| {
        if words.with_effects {
            causes.push(event.clone());
        }
        out.write_all(if before == 0 { begin } else { b"," })?;
        serde_json::to_writer(&mut out, event).map_err(std::io::Error::from)?;
        Ok(())
    })?;
    if ended.events == 0 {
        out.write_all(begin)?;
    }
    let page = &ended.page;
    out.write_all(b"]")?;
    if words.with_effects {
        let found = effects::find(snapshot, &causes)?;
        out.write_all(
            effects::json(&found)
                .map_err(std::io::Error::from)?
                .as_bytes(),
        )?;
    }
    writeln!(
        out,
        ",\"next_cursor\":{},\"complete\":{},\"stopped\":\"{}\",\"snapshot_seq\":{},\
         \"scanned_until\":{},\"complete_through\":{},\"covered_from\":\"{}\",\
         \"prev_cursor\":{}}}",
        super::quoted(page.next_cursor),
        page.complete,
        page.stopped.as_str(),
        page.snapshot_seq,
        super::quoted(page.scanned_until),
        super::quoted(page.complete_through),
        page.covered_from,
        super::quoted(page.prev_cursor),
    )?;
    out.flush()?;
    Ok(ended)
}

fn lines(
    words: &Words,
    snapshot: &Snapshot,
    query: Query,
    output: &Output,
    format: Format,
) -> Outcome<Ended> {
    let mut out = output.data();
    let export = Export {
        format,
        ..Export::default()
    };
    let mut line = Vec::new();
    export.begin(&mut line);
    // What stands before the first event goes out with it.
    let ended = read(words, snapshot, query, |before, event| {
        export.event(event, before == 0, &mut line);
        out.write_all(&line)?;
        line.clear();
        Ok(())
    })?;
    out.write_all(&line)?;
    out.flush()?;
    Ok(ended)
}

/// The line under a page.
fn ending(ended: &Ended, filters: &Filters) -> String {
    let events = match ended.events {
        0 => "no events".to_owned(),
        1 => "1 event".to_owned(),
        events => format!("{} events", table::grouped(events)),
    };
    let cursor = |cursor: &Cursor| format!("--cursor {cursor}");
    let go_on = ended
        .page
        .next_cursor
        .as_ref()
        .map_or_else(String::new, cursor);
    let go_on = match ended.page.stopped {
        Stopped::End if ended.events == 0 && ended.page.prev_cursor.is_none() => {
            format!("{events}; that is all{}", filters.if_nothing())
        }
        Stopped::End => format!("{events}; that is all"),
        Stopped::Limit => format!("{events}; go on with {go_on}"),
        Stopped::Budget => format!("{events} within --max-work; go on with {go_on}"),
    };
    match &ended.page.prev_cursor {
        Some(prev) => format!("{go_on}; the page before with --back --cursor {prev}"),
        None => go_on,
    }
}
