//! `auditdb facets`: which values a field has, and how often.

use std::io::Write;

use auditdb::FacetOrder;
use auditdb::FacetQuery;
use auditdb::FacetValue;
use auditdb::Facets;
use auditdb::FilterField;
use auditdb::Query;
use clap::Args;

use crate::args::Database;
use crate::args::Filters;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::output::Output;
use crate::output::Style;
use crate::table;
use crate::table::Table;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb facets trail type
  auditdb facets trail performer --since -7d --top 10
  auditdb facets trail subject --order recency           those that something happened to last
  auditdb facets trail subject --prefix user:u1 --order name
  auditdb facets trail meta:ticket --prefix 47 -o json

Fields: type, sub-type, org, outcome, source, ip, subject, target, performer, on-behalf-of (by kind
and id), subject-kind, target-kind, performer-kind, on-behalf-of-kind, meta:KEY.

Subjects and performers of every state are there, deleted and departed ones too, each with the label
that the newest of the events gives it.

Of a value longer than 200 bytes its beginning is shown, with … behind it in the table and with
\"cut\":true in JSON; values that begin alike are counted apart.")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    /// The field whose values are counted
    #[arg(value_name = "FIELD")]
    field: String,
    /// At most N values
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// Only values that begin with this
    #[arg(long, value_name = "P", default_value = "", allow_hyphen_values = true)]
    prefix: String,
    /// Which values come first
    #[arg(long, value_enum, default_value_t, value_name = "ORDER")]
    order: Order,
    /// Go on behind the last value of a former list
    #[arg(long, value_name = "C", allow_hyphen_values = true)]
    cursor: Option<String>,
    /// What to print
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    output: Shape,
    #[command(flatten)]
    filters: Filters,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Order {
    /// The most frequent ones
    #[default]
    Count,
    /// By the value's letters; entities by kind, then id
    Name,
    /// Those that an event had last
    Recency,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Shape {
    /// Columns for people
    #[default]
    Table,
    /// One object with all values
    Json,
    /// One line of JSON a value
    Ndjson,
}

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let field: FilterField = words
        .field
        .parse()
        .map_err(|error: auditdb::Error| Failure::usage(format!("FIELD: {error}")))?;
    let filter = words.filters.read()?;
    words.filters.explain(&filter, output);
    let query = Query {
        filter,
        ..Query::default()
    };
    let snapshot = words.database.snapshot()?;
    if words.filters.explain {
        super::explain_plan(&snapshot, &query, super::PLANNED, output)?;
    }
    let asked = FacetQuery {
        prefix: words.prefix.clone(),
        order: match words.order {
            Order::Count => FacetOrder::Count,
            Order::Name => FacetOrder::Name,
            Order::Recency => FacetOrder::Recency,
        },
        top: usize::try_from(words.top).unwrap_or(usize::MAX),
        cursor: words.cursor.as_deref().map(str::parse).transpose()?,
        newest: true,
        ..FacetQuery::of(field)
    };
    let facets = snapshot.facets(&query, &asked)?;
    let of_entities = is_of_entities(&asked.field);
    let value = |facet: &FacetValue| value(facet, of_entities);
    match words.output {
        Shape::Table => print(&facets, of_entities, output),
        Shape::Json => {
            let values: Vec<String> = facets.values.iter().map(value).collect();
            let mut out = output.data();
            writeln!(
                out,
                "{{\"field\":{},\"values\":[{}],\"distinct\":{},\"snapshot_seq\":{},\"next_cursor\":{}}}",
                super::json_text(&words.field),
                values.join(","),
                facets.distinct,
                facets.snapshot_seq,
                super::quoted(facets.next_cursor.as_ref())
            )?;
            Ok(out.flush()?)
        }
        Shape::Ndjson => {
            let mut out = output.data();
            for facet in &facets.values {
                writeln!(out, "{}", value(facet))?;
            }
            Ok(out.flush()?)
        }
    }?;
    Ok(Code::Done)
}

/// Whether the values are entities, which have labels.
fn is_of_entities(field: &FilterField) -> bool {
    matches!(
        field,
        FilterField::Subject
            | FilterField::Target
            | FilterField::Performer
            | FilterField::OnBehalfOf
    )
}

fn value(facet: &FacetValue, of_entities: bool) -> String {
    let label = facet.label.as_deref().map(super::json_text);
    let label = label.unwrap_or_else(|| "null".to_owned());
    format!(
        "{{\"value\":{},\"count\":{}{}{},\"newest\":{}}}",
        super::json_text(&facet.value),
        facet.count,
        if facet.cut { ",\"cut\":true" } else { "" },
        match of_entities {
            true => format!(",\"label\":{label}"),
            false => String::new(),
        },
        super::quoted(facet.newest)
    )
}

fn print(facets: &Facets, of_entities: bool, output: &Output) -> Outcome<()> {
    let mut rows = Table::new().number("EVENTS").whole("NEWEST", table::plain);
    if of_entities {
        rows = rows.column("LABEL", table::plain);
    }
    let mut rows = rows.column("VALUE", Style::name);
    for facet in &facets.values {
        let more = if facet.cut { "…" } else { "" };
        let newest = facet
            .newest
            .map_or_else(String::new, |time| time.to_string());
        let label = of_entities.then(|| facet.label.clone().unwrap_or_default());
        let cells = [table::grouped(facet.count), newest]
            .into_iter()
            .chain(label);
        rows.row(cells.chain([format!("{}{more}", facet.value)]));
    }
    let mut out = output.page();
    if !facets.values.is_empty() {
        rows.write(output, &mut out)?;
    }
    out.flush()?;
    output.note(&ending(facets));
    Ok(())
}

/// The line under the values.
fn ending(facets: &Facets) -> String {
    let shown = facets.values.len() as u64;
    let all = table::counted(facets.distinct, "different value");
    let shown_of_all = match facets.distinct {
        0 => return "no values".to_owned(),
        distinct if distinct == shown => all,
        _ => format!("{} of {all}", table::grouped(shown)),
    };
    match &facets.next_cursor {
        Some(cursor) => format!("{shown_of_all}; go on with --cursor {cursor}"),
        None => shown_of_all,
    }
}
