//! `auditdb show`: one event whole, previous and updated values side by side.

use std::io::Write;

use auditdb::Change;
use auditdb::Context;
use auditdb::Field;
use auditdb::Json;
use auditdb::Origin;
use auditdb::Performer;
use auditdb::StoredEvent;
use auditdb::Target;
use auditdb::Time;
use clap::Args;

use crate::args::Database;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::names;
use crate::output::Output;
use crate::output::Style;
use crate::table::Table;
use crate::text;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb show trail evt_01HY2Z0J80FM00000000000001
  auditdb show trail evt_01HY2Z0J80FM00000000000001 -o json | jq .changes
  auditdb show trail 7f9c2c1e-0d1b-4b52-8ac5-0bb1f3a1d2e4     by the id it was imported with")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    /// The event's id, or the one it was imported with
    id: String,
    /// What to print
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    output: Shape,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Shape {
    /// Field by field for people
    #[default]
    Text,
    /// The canonical line
    Json,
}

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let events = words.database.snapshot()?.find(&words.id)?;
    if events.is_empty() {
        return Err(Failure::new(
            Code::Failed,
            format!("no event is called {:?}", words.id),
        ));
    }
    match words.output {
        Shape::Json => {
            let mut out = output.data();
            for event in &events {
                serde_json::to_writer(&mut out, event).map_err(std::io::Error::from)?;
                out.write_all(b"\n")?;
            }
            out.flush()?;
        }
        Shape::Text => {
            let mut out = output.page();
            for (number, event) in events.iter().enumerate() {
                if number > 0 {
                    writeln!(out)?;
                }
                print(event, output, &mut out)?;
            }
            out.flush()?;
        }
    }
    Ok(Code::Done)
}

fn print(stored: &StoredEvent, output: &Output, out: &mut impl Write) -> Outcome<()> {
    let style = output.style();
    let event = &stored.event;
    writeln!(
        out,
        "{}  {}",
        style.head(&event.event_type),
        style.dim(&stored.id.to_string())
    )?;
    for (name, value) in fields(stored) {
        let label = style.dim(&format!("{name:<13}"));
        writeln!(out, "{label} {}", text::one_line(&value))?;
    }
    match &event.changes {
        Field::Value(changes) if !changes.is_empty() => {
            writeln!(out, "{}", style.dim("changes"))?;
            changes_table(changes).write(output, out)?;
        }
        Field::Value(_) => writeln!(out, "{} []", style.dim("changes      "))?,
        Field::Null => writeln!(out, "{} null", style.dim("changes      "))?,
        Field::Absent => {}
    }
    if let Field::Value(data) = &event.data {
        let data = text::indented(data.as_str());
        writeln!(out, "{}\n{}", style.dim("data"), text::several_lines(&data))?;
    }
    Ok(())
}

/// The fields that an event has, in the order of the canonical line, as people read them.
fn fields(stored: &StoredEvent) -> Vec<(&'static str, String)> {
    let event = &stored.event;
    let known = |name, value: String| Some((name, value));
    let text = |name, field: &Field<String>| written(field, quote).map(|value| (name, value));
    let performer = |name, field: &Field<Performer>| {
        let value = written(field, |who| {
            entity(
                &who.kind,
                &who.id,
                &[
                    ("label", &who.label),
                    ("email", &who.email),
                    ("org", &who.org),
                    ("external_ref", &who.external_ref),
                ],
            )
        });
        value.map(|value| (name, value))
    };
    let offset = written(&event.offset, |minutes| {
        format!("{minutes} minutes east of UTC")
    });
    let subject = written(&event.subject, |what| {
        let more = [("label", &what.label), ("external_ref", &what.external_ref)];
        entity(&what.kind, &what.id, &more)
    });
    let targets = written(&event.targets, |targets| {
        let each = |what: &Target| entity(&what.kind, &what.id, &[("label", &what.label)]);
        targets.iter().map(each).collect::<Vec<_>>().join(", ")
    });
    let metadata = written(&event.metadata, |metadata| {
        metadata
            .iter()
            .map(|(key, value)| pair(key, value))
            .collect::<Vec<_>>()
            .join("  ")
    });
    [
        known("seq", stored.seq.to_string()),
        text("sub_type", &event.sub_type),
        known("occurred_at", stored.occurred_at.to_string()),
        offset.map(|value| ("offset", value)),
        known("recorded_at", stored.recorded_at.to_string()),
        text("org", &event.org),
        performer("performer", &event.performer),
        performer("on_behalf_of", &event.on_behalf_of),
        subject.map(|value| ("subject", value)),
        targets.map(|value| ("targets", value)),
        written(&event.outcome, |outcome| outcome.as_str().to_owned())
            .map(|value| ("outcome", value)),
        text("reason", &event.reason),
        text("source", &event.source),
        metadata.map(|value| ("metadata", value)),
        written(&event.context, context).map(|value| ("context", value)),
        text("batch", &event.batch),
        text("caused_by", &event.caused_by),
        text("correlation", &event.correlation),
        written(&event.origin, origin).map(|value| ("origin", value)),
        text("key", &event.key),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Absent is left out; null says so.
fn written<T>(field: &Field<T>, show: impl Fn(&T) -> String) -> Option<String> {
    match field {
        Field::Absent => None,
        Field::Null => Some("null".to_owned()),
        Field::Value(value) => Some(show(value)),
    }
}

/// A text, in quotation marks where it could be taken for something else.
fn quote(text: &String) -> String {
    if text.is_empty() || text == "null" || text.contains(' ') && text.contains('=') {
        super::json_text(text)
    } else {
        text.clone()
    }
}

fn pair(key: &str, value: &str) -> String {
    format!("{key}={}", quote(&value.to_owned()))
}

fn entity(kind: &str, id: &Field<String>, more: &[(&str, &Field<String>)]) -> String {
    let id = written(id, quote);
    let mut text = names::entity(kind, id.as_deref());
    for (name, field) in more {
        if let Some(value) = written(field, quote) {
            text.push_str(&format!("  {name}={value}"));
        }
    }
    text
}

fn context(context: &Context) -> String {
    let known = [
        ("ip", &context.ip),
        ("user_agent", &context.user_agent),
        ("fingerprint", &context.fingerprint),
        ("geo", &context.geo),
        ("request_id", &context.request_id),
        ("session_id", &context.session_id),
    ];
    let known = known
        .into_iter()
        .filter_map(|(name, field)| written(field, quote).map(|value| format!("{name}={value}")));
    let further = context.further.iter().map(|(key, value)| pair(key, value));
    known.chain(further).collect::<Vec<_>>().join("  ")
}

fn origin(origin: &Origin) -> String {
    let parts = [
        ("store", written(&origin.store, quote)),
        ("id", written(&origin.id, quote)),
        ("seq", written(&origin.seq, u64::to_string)),
        ("recorded_at", written(&origin.recorded_at, Time::to_string)),
    ];
    let parts = parts
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value?)));
    parts.collect::<Vec<_>>().join("  ")
}

fn changes_table(changes: &[Change]) -> Table {
    let mut table = Table::new()
        .column("  ATTRIBUTE", Style::name)
        .column("PREVIOUS", Style::bad)
        .column("UPDATED", Style::good);
    for change in changes {
        table.row([
            format!("  {}", change.path),
            value(&change.before),
            value(&change.after),
        ]);
    }
    table
}

/// Absent looks absent; a text keeps its quotation marks, so `"null"` and null differ.
fn value(field: &Field<Json>) -> String {
    match field {
        Field::Absent => "-".to_owned(),
        Field::Null => "null".to_owned(),
        Field::Value(json) => json.as_str().to_owned(),
    }
}
