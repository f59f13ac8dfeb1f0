//! `auditdb history`: what changed about a subject, by whom and when, and what it was at a moment.

use std::io::Write;

use auditdb::AttributeChange;
use auditdb::ChangedBy;
use auditdb::Field;
use auditdb::Filter;
use auditdb::FilterField;
use auditdb::History;
use auditdb::Json;
use auditdb::Performer;
use auditdb::Query;
use auditdb::Registry;
use clap::Args;

use crate::args::Answer;
use crate::args::Database;
use crate::args::Shape;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::names;
use crate::output::Output;
use crate::output::Style;
use crate::packs::Packs;
use crate::table;
use crate::table::Table;
use crate::table::plain;
use crate::zone::NamedZone;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb history trail user:u12                         every change, and what the user is now
  auditdb history trail user:u12 --at 2026-03-31         what the user was at the end of that day
  auditdb history trail role:r3 -o json | jq .state

It is rebuilt from the changes of the events about the subject. Where an event says that a value was
another one than the change before it had left, something happened that was not recorded: the line
says what had been left.")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    /// Whose history: the first : splits kind from id, \ takes the next : or \ literally
    #[arg(value_name = "KIND:ID", allow_hyphen_values = true)]
    subject: String,
    /// Up to and including T, to the precision written: a date is that whole day
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    at: Option<String>,
    /// The time zone in which times without one are read
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: String,
    #[command(flatten)]
    packs: Packs,
    #[command(flatten)]
    answer: Answer,
}

/// Rows of one table: a history can be longer than memory, so it is several.
const TABLE_ROWS: usize = 10_000;

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let query = Query {
        filter: words.filter()?,
        ..Query::default()
    };
    let mut history = words.database.snapshot()?.history(&query)?;
    match words.answer.shape {
        Shape::Table => print(words, &mut history, output),
        Shape::Json => json(words, &mut history, output),
    }?;
    Ok(Code::Done)
}

impl Words {
    /// The events about the subject up to the moment asked for.
    fn filter(&self) -> Outcome<Filter> {
        let zone = NamedZone::find(&self.tz)?;
        let until = self.at.as_deref().map(|at| ("until", at));
        let filter = Filter::from_flags(until, &zone).map_err(|error| {
            let what = error.to_string().replace("--until", "--at");
            Failure::usage(what)
        })?;
        let (kind, id) = split(&self.subject).ok_or_else(|| {
            Failure::usage(format!(
                "SUBJECT {:?}: a kind and an id are expected, as in user:u1",
                self.subject
            ))
        })?;
        let filter = filter.is_entity(FilterField::Subject, kind, id);
        // Names that stand for one thing have one history.
        Ok(filter.with_aliases(&self.packs.registry()?))
    }
}

/// `KIND:ID`, where `\` takes the next `:` or `\` literally.
fn split(text: &str) -> Option<(String, String)> {
    let mut kind = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ':' if kind.is_empty() => return None,
            ':' => return unescape(letters.as_str()).map(|id| (kind, id)),
            '\\' => kind.push(letters.next()?),
            letter => kind.push(letter),
        }
    }
    None
}

fn unescape(text: &str) -> Option<String> {
    let mut letters = text.chars();
    let mut id = String::new();
    while let Some(letter) = letters.next() {
        id.push(match letter {
            '\\' => letters.next()?,
            letter => letter,
        });
    }
    Some(id)
}

/// What a history came to.
#[derive(Default)]
struct Told {
    changes: u64,
    contradictions: u64,
}

impl Told {
    fn count(&mut self, change: &AttributeChange) {
        self.changes += 1;
        self.contradictions += u64::from(change.contradicts.is_some());
    }

    fn note(&self, output: &Output) {
        let changes = table::counted(self.changes, "change");
        output.note(&match (self.changes, self.contradictions) {
            (0, _) => "no change of it is recorded; `auditdb facets DB subject` lists those that \
                       events are about"
                .to_owned(),
            (_, 0) => changes,
            (_, count) => format!(
                "{changes}, {} to the one before: something was not recorded",
                table::counted(count, "contradiction")
            ),
        });
    }
}

fn print(words: &Words, history: &mut History, output: &Output) -> Outcome<()> {
    let registry = words.packs.registry()?;
    let mut out = output.page();
    let mut told = Told::default();
    loop {
        let mut rows = Table::new()
            .wrapped()
            .whole("TIME", plain)
            .column("ATTRIBUTE", Style::name)
            .column("PREVIOUS", Style::bad)
            .column("UPDATED", Style::good)
            .column("PERFORMER", plain)
            .whole("EVENT", Style::dim);
        let mut count = 0;
        for change in history.by_ref().take(TABLE_ROWS) {
            let change = change?;
            told.count(&change);
            count += 1;
            let left = change.contradicts.as_ref();
            let left = left.map_or_else(String::new, |left| format!(" (was left {})", value(left)));
            rows.row([
                change.by.occurred_at.to_string(),
                change.path,
                format!("{}{left}", value(&change.before)),
                value(&change.after),
                performer(&change.by.performer, &registry),
                change.by.event.to_string(),
            ]);
        }
        if count > 0 {
            rows.write(output, &mut out)?;
        }
        if count < TABLE_ROWS {
            break;
        }
    }
    let mut rows = Table::new()
        .wrapped()
        .column("ATTRIBUTE", Style::name)
        .column("VALUE", plain)
        .whole("SINCE", plain);
    let state = history.state();
    let is_empty = state.len() == 0;
    for (path, state) in state {
        let since = state.by.occurred_at.to_string();
        rows.row([path.to_owned(), value(&state.value), since]);
    }
    if !is_empty {
        writeln!(out)?;
        rows.write(output, &mut out)?;
    }
    out.flush()?;
    told.note(output);
    Ok(())
}

/// Absent looks absent; a text keeps its quotation marks, so `"null"` and null differ.
pub(super) fn value(field: &Field<Json>) -> String {
    match field {
        Field::Absent => "-".to_owned(),
        Field::Null => "null".to_owned(),
        Field::Value(json) => json.as_str().to_owned(),
    }
}

fn performer(field: &Field<Performer>, registry: &Registry) -> String {
    field.value().map_or_else(String::new, |who| {
        names::named(who.shown_name(), (&who.kind, &who.id), registry)
    })
}

fn json(words: &Words, history: &mut History, output: &Output) -> Outcome<()> {
    let mut out = output.data();
    let mut told = Told::default();
    write!(
        out,
        "{{\"subject\":{},\"changes\":[",
        super::json_text(&words.subject)
    )?;
    for change in history.by_ref() {
        let change = change?;
        let comma = if told.changes > 0 { "," } else { "" };
        told.count(&change);
        write!(out, "{comma}{{\"path\":{}", super::json_text(&change.path))?;
        member(&mut out, "before", &change.before)?;
        member(&mut out, "after", &change.after)?;
        if let Some(left) = &change.contradicts {
            write!(out, ",\"contradicts\":{}", json_value(left))?;
        }
        by(&mut out, &change.by)?;
    }
    write!(out, "],\"state\":{{")?;
    for (number, (path, state)) in history.state().enumerate() {
        let comma = if number > 0 { "," } else { "" };
        write!(
            out,
            "{comma}{}:{{\"value\":{}",
            super::json_text(path),
            json_value(&state.value)
        )?;
        by(&mut out, &state.by)?;
    }
    writeln!(out, "}},\"contradictions\":{}}}", told.contradictions)?;
    Ok(out.flush()?)
}

/// A member that is left out where the field is absent.
fn member(out: &mut impl Write, name: &str, field: &Field<Json>) -> std::io::Result<()> {
    match field {
        Field::Absent => Ok(()),
        field => write!(out, ",\"{name}\":{}", json_value(field)),
    }
}

fn json_value(field: &Field<Json>) -> &str {
    field.value().map_or("null", Json::as_str)
}

/// Who did it, when, and by which event: the end of an object.
fn by(out: &mut impl Write, by: &ChangedBy) -> Outcome<()> {
    write!(
        out,
        ",\"event\":\"{}\",\"type\":{},\"occurred_at\":\"{}\"",
        by.event,
        super::json_text(&by.event_type),
        by.occurred_at
    )?;
    if !by.performer.is_absent() {
        let performer = serde_json::to_string(&by.performer).map_err(std::io::Error::from)?;
        write!(out, ",\"performer\":{performer}")?;
    }
    Ok(out.write_all(b"}")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_splits_at_the_first_colon_that_is_not_escaped() {
        for (text, parts) in [
            ("user:u1", Some(("user", "u1"))),
            ("user:", Some(("user", ""))),
            ("user:a:b", Some(("user", "a:b"))),
            ("a\\:b:c\\\\d", Some(("a:b", "c\\d"))),
            ("user", None),
            (":u1", None),
            ("user:a\\", None),
        ] {
            let split = split(text);
            let split = split
                .as_ref()
                .map(|(kind, id)| (kind.as_str(), id.as_str()));
            assert_eq!(split, parts, "{text}");
        }
    }
}
