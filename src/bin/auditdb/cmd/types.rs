//! `auditdb types`: the event types that are known, those that a store has, and what is odd about
//! their names.

use std::io::Write;
use std::path::PathBuf;

use auditdb::EventType;
use auditdb::FacetQuery;
use auditdb::FilterField;
use auditdb::Lint;
use auditdb::Query;
use auditdb::Registry;
use clap::Args;
use serde_json::Value;
use serde_json::json;

use crate::args;
use crate::args::Answer;
use crate::args::Shape;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::output::Output;
use crate::output::Style;
use crate::packs::Packs;
use crate::table;
use crate::table::Table;
use crate::table::plain;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb types                                the types of the built-in packs
  auditdb types --pack billing.json -o json    and those of your own, with all that is declared
  auditdb types trail                          the types that a store has, and which no pack knows
  auditdb types --pack none --pack billing.json --lint

A pack is a JSON file of event types; docs/packs.md tells what stands in it. --lint ends with 1 if
there is something to tell.")]
pub(crate) struct Words {
    /// A store: list the types of its events
    #[arg(value_name = "DB")]
    path: Option<PathBuf>,
    #[command(flatten)]
    packs: Packs,
    /// Tell what is odd about the names: opposites that are missing, verbs that are mixed
    #[arg(long)]
    lint: bool,
    /// The language of labels
    #[arg(long, value_name = "xx", default_value = "en")]
    locale: String,
    #[command(flatten)]
    answer: Answer,
}

/// A type of a store's events.
struct Stored {
    event_type: String,
    events: u64,
}

/// Types that one look at a store asks for; more are told of by their number.
const STORED: usize = 100_000;

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let registry = words.packs.registry()?;
    let mut locales = registry.locales();
    if words.locale != "en" && !locales.any(|locale| locale == words.locale) {
        let known: Vec<&str> = registry.locales().collect();
        let what = format!(
            "--locale {:?}: labels are in {}",
            words.locale,
            known.join(", ")
        );
        return Err(Failure::usage(what));
    }
    let stored = words.stored()?;
    if words.lint {
        return lint(words, &registry, stored.as_deref(), output);
    }
    match (stored, words.answer.shape) {
        (None, Shape::Json) => print_json(&registry_json(&registry, &words.locale), output),
        (None, Shape::Table) => print_registry(&registry, &words.locale, output),
        (Some(stored), Shape::Json) => {
            let types = stored
                .iter()
                .map(|one| stored_json(one, &registry, &words.locale));
            print_json(&json!({"types": types.collect::<Vec<_>>()}), output)
        }
        (Some(stored), Shape::Table) => print_stored(&stored, &registry, &words.locale, output),
    }?;
    Ok(Code::Done)
}

impl Words {
    /// The types of the store's events, the most frequent first, if a store is named.
    fn stored(&self) -> Outcome<Option<Vec<Stored>>> {
        let Some(path) = &self.path else {
            return Ok(None);
        };
        let snapshot = args::open(path)?.snapshot()?;
        let asked = FacetQuery {
            top: STORED,
            ..FacetQuery::of(FilterField::Type)
        };
        let facets = snapshot.facets(&Query::default(), &asked)?;
        let types = facets.values.into_iter().map(|facet| Stored {
            event_type: facet.value,
            events: facet.count,
        });
        Ok(Some(types.collect()))
    }
}

fn lint(
    words: &Words,
    registry: &Registry,
    stored: Option<&[Stored]>,
    output: &Output,
) -> Outcome<Code> {
    let found = match stored {
        Some(stored) => Lint::of(stored.iter().map(|one| one.event_type.as_str())),
        None => registry.lint(),
    };
    if words.answer.shape == Shape::Json {
        let findings: Vec<Value> = found.iter().map(finding_json).collect();
        print_json(&json!({ "findings": findings }), output)?;
    } else {
        let mut out = output.escaped();
        for finding in &found {
            writeln!(out, "{finding}")?;
        }
        out.flush()?;
        output.note(&table::counted(found.len() as u64, "finding"));
    }
    Ok(match found.is_empty() {
        true => Code::Done,
        false => Code::Failed,
    })
}

fn finding_json(finding: &Lint) -> Value {
    match finding {
        Lint::Unpaired {
            event_type,
            missing,
        } => json!({"finding": "unpaired", "type": event_type, "missing": missing}),
        Lint::Mixed { verbs } => {
            let verb =
                |(verb, types): &(String, Vec<String>)| json!({"verb": verb, "types": types});
            json!({"finding": "mixed", "verbs": verbs.iter().map(verb).collect::<Vec<_>>()})
        }
        other => json!({"finding": "other", "text": other.to_string()}),
    }
}

fn print_json(value: &Value, output: &Output) -> Outcome<()> {
    let mut out = output.data();
    writeln!(out, "{value}")?;
    Ok(out.flush()?)
}

fn registry_json(registry: &Registry, locale: &str) -> Value {
    let packs = registry.packs().map(|(name, about)| {
        let (covers, leaves_out) = registry.coverage(name).unwrap_or_default();
        let left_out = leaves_out
            .iter()
            .map(|(types, why)| json!({"types": types, "why": why}));
        json!({
            "name": name, "about": about, "covers": covers,
            "leaves_out": left_out.collect::<Vec<_>>(),
        })
    });
    let groups = registry
        .groups()
        .map(|name| json!({"name": name, "label": registry.group_label(name, locale)}));
    let kinds = registry.kinds().map(|(name, aliases)| {
        json!({"name": name, "label": registry.kind_label(name, locale), "aliases": aliases})
    });
    let types = registry.types().map(|one| type_json(one, registry, locale));
    json!({
        "packs": packs.collect::<Vec<_>>(),
        "groups": groups.collect::<Vec<_>>(),
        "kinds": kinds.collect::<Vec<_>>(),
        "types": types.collect::<Vec<_>>(),
    })
}

fn type_json(one: &EventType, registry: &Registry, locale: &str) -> Value {
    json!({
        "type": one.name(),
        "label": registry.type_label(one.name(), locale),
        "group": one.group(),
        "about": one.about(),
        "aliases": one.aliases(),
        "subject": one.subject_kinds(),
        "performer": one.performer_kinds().collect::<Vec<_>>(),
        "requires": one.required_fields().collect::<Vec<_>>(),
        "secret": one.secrets(),
        "pack": one.pack(),
    })
}

fn stored_json(stored: &Stored, registry: &Registry, locale: &str) -> Value {
    let known = registry.find(&stored.event_type);
    json!({
        "type": stored.event_type,
        "events": stored.events,
        "known": known.is_some(),
        "name": known.map(EventType::name),
        "label": registry.type_label(&stored.event_type, locale),
    })
}

fn print_registry(registry: &Registry, locale: &str, output: &Output) -> Outcome<()> {
    let mut rows = Table::new()
        .whole("TYPE", Style::name)
        .column("LABEL", plain)
        .column("GROUP", plain)
        .column("SUBJECT", plain)
        .column("OTHER NAMES", Style::dim);
    for one in registry.types() {
        let group = one.group().unwrap_or_default();
        rows.row([
            one.name().to_owned(),
            registry
                .type_label(one.name(), locale)
                .unwrap_or_default()
                .to_owned(),
            registry
                .group_label(group, locale)
                .unwrap_or(group)
                .to_owned(),
            one.subject_kinds().join(", "),
            one.aliases().join(", "),
        ]);
    }
    let mut out = output.page();
    rows.write(output, &mut out)?;
    out.flush()?;
    let packs: Vec<&str> = registry.packs().map(|(name, _)| name).collect();
    let types = table::counted(registry.types().len() as u64, "type");
    output.note(&format!("{types} of {}", packs.join(", ")));
    Ok(())
}

fn print_stored(
    stored: &[Stored],
    registry: &Registry,
    locale: &str,
    output: &Output,
) -> Outcome<()> {
    let mut rows = Table::new()
        .number("EVENTS")
        .whole("TYPE", Style::name)
        .column("LABEL", plain)
        .column("KNOWN", plain);
    let mut unknown = 0;
    for one in stored {
        let known = registry.find(&one.event_type);
        unknown += u64::from(known.is_none());
        let known = match known {
            None => "no".to_owned(),
            Some(known) if known.name() == one.event_type => "yes".to_owned(),
            Some(known) => format!("as {}", known.name()),
        };
        let label = registry
            .type_label(&one.event_type, locale)
            .unwrap_or_default();
        let events = table::grouped(one.events);
        rows.row([events, one.event_type.clone(), label.to_owned(), known]);
    }
    let mut out = output.page();
    if !stored.is_empty() {
        rows.write(output, &mut out)?;
    }
    out.flush()?;
    let types = table::counted(stored.len() as u64, "type");
    output.note(&format!(
        "{types}, {} of them in no pack",
        table::grouped(unknown)
    ));
    Ok(())
}
