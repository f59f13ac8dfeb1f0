//! `auditdb facets`: which values a field has, and how often.

use std::cmp::Reverse;
use std::io::Write;

use auditdb::Every;
use auditdb::FacetOrder;
use auditdb::FacetQuery;
use auditdb::FacetValue;
use auditdb::Facets;
use auditdb::FilterField;
use auditdb::Query;
use auditdb::TimeCounts;
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
  auditdb facets trail subject --view north              of the trail of the organisation north
  auditdb facets trail day --type session.login.failed --order name

Fields: type, sub-type, org, outcome, source, ip, subject, target, performer, on-behalf-of (by kind
and id), subject-kind, target-kind, performer-kind, on-behalf-of-kind, meta:KEY; and by when events
happened, in UTC: hour, day, month, year.

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
    /// Over the events that this organisation is shown; of fields that are shown to all as they are
    #[arg(long, value_name = "ORG", allow_hyphen_values = true)]
    view: Option<String>,
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
    let counted = words.counted()?;
    let filter = words.filters.read(&words.database)?;
    words.filters.explain(&filter, output);
    let query = Query {
        filter,
        ..Query::default()
    };
    let snapshot = words.database.snapshot()?;
    if words.filters.explain {
        super::explain_plan(&snapshot, &query, super::PLANNED, output)?;
    }
    let (facets, of_entities) = match &counted {
        Counted::Values(asked) => {
            let facets = match &words.view {
                Some(org) => snapshot.view(org).facets(&query, asked)?,
                None => snapshot.facets(&query, asked)?,
            };
            (facets, is_of_entities(&asked.field))
        }
        Counted::Times(every) => {
            let counts = match &words.view {
                Some(org) => snapshot.view(org).counts_by_time(&query, *every)?,
                None => snapshot.counts_by_time(&query, *every)?,
            };
            (words.in_order(counts), false)
        }
    };
    let value = |facet: &FacetValue| value(facet, of_entities);
    match words.output {
        Shape::Table => print(words, &facets, of_entities, output),
        Shape::Json => {
            let values: Vec<String> = facets.values.iter().map(value).collect();
            let mut out = output.data();
            write!(
                out,
                "{{\"field\":{},\"values\":[{}],\"distinct\":{},\"snapshot_seq\":{}",
                super::json_text(&words.field),
                values.join(","),
                facets.distinct,
                facets.snapshot_seq
            )?;
            if matches!(counted, Counted::Values(_)) {
                let cursor = super::quoted(facets.next_cursor.as_ref());
                write!(out, ",\"next_cursor\":{cursor}")?;
            }
            out.write_all(b"}\n")?;
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

/// What is counted.
enum Counted {
    /// The values of a field.
    Values(Box<FacetQuery>),
    /// Stretches of time.
    Times(Every),
}

impl Words {
    fn counted(&self) -> Outcome<Counted> {
        let every = match self.field.as_str() {
            "hour" => Some(Every::Hour),
            "day" => Some(Every::Day),
            "month" => Some(Every::Month),
            "year" => Some(Every::Year),
            _ => None,
        };
        if let Some(every) = every {
            if self.cursor.is_some() || !self.prefix.is_empty() {
                let field = &self.field;
                let what = format!("{field}: --cursor and --prefix go with values, not with times");
                return Err(Failure::usage(what).hint("--since, --until and --top bound the list"));
            }
            return Ok(Counted::Times(every));
        }
        let field: FilterField = self.field.parse().map_err(|error: auditdb::Error| {
            Failure::usage(format!("FIELD: {error}")).hint("by time: hour, day, month or year")
        })?;
        Ok(Counted::Values(Box::new(FacetQuery {
            prefix: self.prefix.clone(),
            order: match self.order {
                Order::Count => FacetOrder::Count,
                Order::Name => FacetOrder::Name,
                Order::Recency => FacetOrder::Recency,
            },
            top: self.top(),
            cursor: self.cursor.as_deref().map(str::parse).transpose()?,
            newest: true,
            ..FacetQuery::of(field)
        })))
    }

    fn top(&self) -> usize {
        usize::try_from(self.top).unwrap_or(usize::MAX)
    }

    /// Stretches of time in the order asked for, as values.
    fn in_order(&self, times: TimeCounts) -> Facets {
        let mut counts = times.counts;
        let distinct = counts.len() as u64;
        match self.order {
            Order::Count => counts.sort_by_key(|(_, count)| Reverse(*count)),
            Order::Name => {}
            Order::Recency => counts.reverse(),
        }
        counts.truncate(self.top());
        let value = |(value, count)| FacetValue {
            value,
            count,
            cut: false,
            newest: None,
            label: None,
        };
        Facets {
            values: counts.into_iter().map(value).collect(),
            distinct,
            snapshot_seq: times.snapshot_seq,
            next_cursor: None,
        }
    }
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
    let newest = facet
        .newest
        .map(|newest| format!(",\"newest\":\"{newest}\""));
    format!(
        "{{\"value\":{},\"count\":{}{}{}{}}}",
        super::json_text(&facet.value),
        facet.count,
        if facet.cut { ",\"cut\":true" } else { "" },
        match of_entities {
            true => format!(",\"label\":{label}"),
            false => String::new(),
        },
        newest.unwrap_or_default()
    )
}

fn print(words: &Words, facets: &Facets, of_entities: bool, output: &Output) -> Outcome<()> {
    let has_newest = facets.values.iter().any(|facet| facet.newest.is_some());
    let mut rows = Table::new().number("EVENTS");
    if has_newest {
        rows = rows.whole("NEWEST", table::plain);
    }
    if of_entities {
        rows = rows.column("LABEL", table::plain);
    }
    let mut rows = rows.column("VALUE", Style::name);
    for facet in &facets.values {
        let more = if facet.cut { "…" } else { "" };
        let newest = facet.newest.map(|time| time.to_string());
        let label = of_entities.then(|| facet.label.clone().unwrap_or_default());
        let cells = [table::grouped(facet.count)].into_iter().chain(newest);
        let value = format!("{}{more}", facet.value);
        rows.row(cells.chain(label).chain([value]));
    }
    let mut out = output.page();
    if !facets.values.is_empty() {
        rows.write(output, &mut out)?;
    }
    out.flush()?;
    output.note(&ending(words, facets));
    Ok(())
}

/// The line under the values.
fn ending(words: &Words, facets: &Facets) -> String {
    let shown = facets.values.len() as u64;
    let all = table::counted(facets.distinct, "different value");
    let shown_of_all = match facets.distinct {
        0 => return format!("no values{}", words.filters.if_nothing()),
        distinct if distinct == shown => all,
        _ => format!("{} of {all}", table::grouped(shown)),
    };
    match &facets.next_cursor {
        Some(cursor) => format!("{shown_of_all}; go on with --cursor {cursor}"),
        None if shown < facets.distinct => format!("{shown_of_all}; --top shows more"),
        None => shown_of_all,
    }
}
