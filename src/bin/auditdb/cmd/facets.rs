//! `auditdb facets`: which values a field has, and how often.

use std::io::Write;

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
  auditdb facets trail meta:ticket --prefix 47 -o json

Fields: type, sub-type, org, outcome, source, ip, subject, target, performer, on-behalf-of (by kind
and id), subject-kind, target-kind, performer-kind, on-behalf-of-kind, meta:KEY.

Of a value longer than 200 bytes its beginning is shown, with … behind it in the table and with
\"cut\":true in JSON; values that begin alike are counted apart.")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    /// The field whose values are counted
    #[arg(value_name = "FIELD")]
    field: String,
    /// The most frequent N
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// Only values that begin with this
    #[arg(long, value_name = "P", default_value = "", allow_hyphen_values = true)]
    prefix: String,
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
    let top = usize::try_from(words.top).unwrap_or(usize::MAX);
    let facets = snapshot.facets(&field, &query, &words.prefix, top)?;
    match words.output {
        Shape::Table => print(&facets, output),
        Shape::Json => {
            let values: Vec<String> = facets.values.iter().map(value).collect();
            let mut out = output.data();
            writeln!(
                out,
                "{{\"field\":{},\"values\":[{}],\"distinct\":{},\"snapshot_seq\":{}}}",
                super::json_text(&words.field),
                values.join(","),
                facets.distinct,
                facets.snapshot_seq
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

fn value(facet: &auditdb::FacetValue) -> String {
    format!(
        "{{\"value\":{},\"count\":{}{}}}",
        super::json_text(&facet.value),
        facet.count,
        if facet.cut { ",\"cut\":true" } else { "" }
    )
}

fn print(facets: &Facets, output: &Output) -> Outcome<()> {
    let mut rows = Table::new().number("EVENTS").column("VALUE", Style::name);
    for facet in &facets.values {
        let more = if facet.cut { "…" } else { "" };
        rows.row([
            table::grouped(facet.count),
            format!("{}{more}", facet.value),
        ]);
    }
    let mut out = output.page();
    if !facets.values.is_empty() {
        rows.write(output, &mut out)?;
    }
    out.flush()?;
    let shown = facets.values.len() as u64;
    output.note(&match facets.distinct {
        0 => "no values".to_owned(),
        distinct if distinct == shown => table::counted(distinct, "different value"),
        distinct => format!(
            "{} of {}; --top shows more",
            table::grouped(shown),
            table::counted(distinct, "different value")
        ),
    });
    Ok(())
}
