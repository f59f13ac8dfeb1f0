//! `auditdb show`: one event whole, previous and updated values side by side.

use std::io::Write;

use auditdb::Change;
use auditdb::Context;
use auditdb::Effects;
use auditdb::Event;
use auditdb::Field;
use auditdb::MULTIPLE_ATTRIBUTES;
use auditdb::Origin;
use auditdb::Performer;
use auditdb::Registry;
use auditdb::ShownName;
use auditdb::StoredEvent;
use auditdb::Target;
use auditdb::Time;
use clap::Args;

use crate::args::Database;
use crate::effects;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::names;
use crate::output::Output;
use crate::output::Style;
use crate::packs::Packs;
use crate::table::Table;
use crate::text;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb show trail evt_01HY2Z0J80FM00000000000001
  auditdb show trail evt_01HY2Z0J80FM00000000000001 -o json | jq .changes
  auditdb show trail evt_01HY2Z0J80FM00000000000001 --with-effects
  auditdb show trail 7f9c2c1e-0d1b-4b52-8ac5-0bb1f3a1d2e4     by the id it was imported with

Previous and updated values stand side by side, in full: on a terminal a long one takes several
lines. A field that is absent is not shown, one that is null is, and so is an empty text, as \"\".")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    /// The event's id, or the one it was imported with
    id: String,
    /// What followed from it: events whose caused_by names it, and what followed from those, as far
    /// as 100,000 events from it on show it
    #[arg(long, conflicts_with = "view")]
    with_effects: bool,
    /// The event as this organisation is shown it, if it is of its trail
    #[arg(long, value_name = "ORG", allow_hyphen_values = true)]
    view: Option<String>,
    #[command(flatten)]
    packs: Packs,
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
    let snapshot = words.database.snapshot()?;
    let events = match &words.view {
        Some(org) => snapshot.view(org).find(&words.id)?,
        None => snapshot.find(&words.id)?,
    };
    if events.is_empty() {
        let of_org = words
            .view
            .as_ref()
            .map(|org| format!(" that {org:?} is shown"));
        let what = format!(
            "no event{} is called {:?}",
            of_org.unwrap_or_default(),
            words.id
        );
        let hint =
            "an event has the id that `query` shows, evt_…, and the one it was imported with";
        return Err(Failure::new(Code::Failed, what).hint(hint));
    }
    let registry = words.packs.registry()?;
    let followed = words
        .with_effects
        .then(|| effects::find(&snapshot, &events));
    let followed = followed.transpose()?;
    match words.output {
        Shape::Json => {
            let mut out = output.data();
            for event in &events {
                let mut line = serde_json::to_string(event).map_err(std::io::Error::from)?;
                if let Some(followed) = &followed {
                    let of_it = Effects {
                        effects: effects::of(followed, event.id).cloned().collect(),
                        ..followed.clone()
                    };
                    let members = effects::json(&of_it).map_err(std::io::Error::from)?;
                    line = format!("{{\"event\":{line}{members}}}");
                }
                writeln!(out, "{line}")?;
            }
            out.flush()?;
        }
        Shape::Text => {
            let mut out = output.page();
            for (number, event) in events.iter().enumerate() {
                if number > 0 {
                    writeln!(out)?;
                }
                print(event, &registry, output, &mut out)?;
                if let Some(followed) = &followed {
                    print_effects(followed, event, &registry, output, &mut out)?;
                }
            }
            out.flush()?;
            if let Some(followed) = &followed {
                output.note(&effects::note(followed, &events));
            }
        }
    }
    Ok(Code::Done)
}

fn print(
    stored: &StoredEvent,
    registry: &Registry,
    output: &Output,
    out: &mut impl Write,
) -> Outcome<()> {
    let style = output.style();
    let event = &stored.event;
    writeln!(
        out,
        "{}  {}",
        style.head(&text::one_line(&event.event_type)),
        style.dim(&stored.id.to_string())
    )?;
    for (name, value) in fields(stored, registry) {
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

fn print_effects(
    followed: &Effects,
    event: &StoredEvent,
    registry: &Registry,
    output: &Output,
    out: &mut impl Write,
) -> Outcome<()> {
    let mut table = super::query::events_table();
    let mut effects = effects::of(followed, event.id).peekable();
    if effects.peek().is_none() {
        return Ok(());
    }
    for effect in effects {
        let mut row = super::query::event_row(&effect.event, registry);
        row[1] = effects::indented(effect);
        table.row(row);
    }
    writeln!(out, "{}", output.style().dim("effects"))?;
    Ok(table.write(output, out)?)
}

/// The fields that an event has, in the order of the canonical line, as people read them; of a list
/// each entry, under the list's name.
fn fields(stored: &StoredEvent, registry: &Registry) -> Vec<(&'static str, String)> {
    let event = &stored.event;
    let known = |name, value: String| Some((name, value));
    let text = |name, field: &Field<String>| written(field, quote).map(|value| (name, value));
    let performer = |name, field: &Field<Performer>| {
        let value = written(field, |who| {
            let more = [
                ("email", &who.email),
                ("org", &who.org),
                ("external_ref", &who.external_ref),
            ];
            entity(
                who.shown_name(),
                (&who.kind, &who.id, &who.label),
                &more,
                registry,
            )
        });
        value.map(|value| (name, value))
    };
    let offset = written(&event.offset, |minutes| {
        format!("{minutes} minutes east of UTC")
    });
    let subject = written(&event.subject, |what| {
        let more = [("external_ref", &what.external_ref)];
        entity(
            what.shown_name(),
            (&what.kind, &what.id, &what.label),
            &more,
            registry,
        )
    });
    let metadata = written(&event.metadata, |metadata| {
        metadata
            .iter()
            .map(|(key, value)| pair(key, value))
            .collect::<Vec<_>>()
            .join("  ")
    });
    let before_targets = [
        label(event, registry).map(|value| ("event", value)),
        known("seq", stored.seq.to_string()),
        text("sub_type", &event.sub_type),
        known("occurred_at", stored.occurred_at.to_string()),
        offset.map(|value| ("offset", value)),
        known("recorded_at", stored.recorded_at.to_string()),
        text("org", &event.org),
        performer("performer", &event.performer),
        performer("on_behalf_of", &event.on_behalf_of),
        subject.map(|value| ("subject", value)),
    ];
    let behind_targets = [
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
    ];
    let fields = before_targets
        .into_iter()
        .flatten()
        .chain(targets(event, registry));
    fields.chain(behind_targets.into_iter().flatten()).collect()
}

/// What the event's type is called, and that it changed several attributes.
fn label(event: &Event, registry: &Registry) -> Option<String> {
    let of_type = registry.type_label(&event.event_type, "en");
    let several = event.changes_several().then_some(MULTIPLE_ATTRIBUTES);
    let parts: Vec<&str> = of_type.into_iter().chain(several).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

/// What else the event names, each on a line of its own.
fn targets(event: &Event, registry: &Registry) -> Vec<(&'static str, String)> {
    let target = |what: &Target| {
        let parts = (&what.kind, &what.id, &what.label);
        entity(what.shown_name(), parts, &[], registry)
    };
    match &event.targets {
        Field::Absent => Vec::new(),
        Field::Null => vec![("targets", "null".to_owned())],
        Field::Value(targets) if targets.is_empty() => vec![("targets", "[]".to_owned())],
        Field::Value(targets) => targets
            .iter()
            .map(|what| ("target", target(what)))
            .collect(),
    }
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

/// The name, in parentheses what a filter takes, and what else is known. A label that is null or
/// empty is no name, and is told as it is.
fn entity(
    name: ShownName<'_>,
    (kind, id, label): (&String, &Field<String>, &Field<String>),
    more: &[(&str, &Field<String>)],
    registry: &Registry,
) -> String {
    let id = written(id, quote);
    let shown = names::shown(name, registry);
    let mut text = format!("{shown} ({})", names::entity(kind, id.as_deref()));
    let label = (!matches!(name, ShownName::Label(_))).then_some(("label", label));
    for (name, field) in label.iter().chain(more) {
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
        .wrapped()
        .column("  ATTRIBUTE", Style::name)
        .column("PREVIOUS", Style::bad)
        .column("UPDATED", Style::good);
    for change in changes {
        table.row([
            format!("  {}", change.path),
            super::history::value(&change.before),
            super::history::value(&change.after),
        ]);
    }
    table
}
