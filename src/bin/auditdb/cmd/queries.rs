//! `auditdb queries`: the filters that were saved by name.

use std::io::Write;

use auditdb::SavedQueries;
use auditdb::SavedQuery;
use clap::Args;

use crate::args::Answer;
use crate::args::Database;
use crate::args::Shape;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::output::Output;
use crate::output::Style;
use crate::table;
use crate::table::Table;
use crate::table::plain;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb query trail --outcome denied --last 24h --save denied-today
  auditdb queries trail
  auditdb queries trail --remove denied-today")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    /// Remove the query of this name
    #[arg(long, value_name = "NAME")]
    remove: Option<String>,
    #[command(flatten)]
    answer: Answer,
}

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let saved = SavedQueries::open(&words.database.path)?;
    if let Some(name) = &words.remove {
        let removed = saved.remove(name);
        removed.map_err(|error| Failure::from(error).about("--remove"))?;
        output.note(&format!("removed the query {name}"));
        return Ok(Code::Done);
    }
    let mut queries = Vec::new();
    for name in saved.names()? {
        let query = saved.get(&name)?;
        queries.push((name, query));
    }
    match words.answer.shape {
        Shape::Table => print(queries, output)?,
        Shape::Json => {
            let queries: Vec<String> = queries.iter().map(json).collect();
            let mut out = output.data();
            writeln!(out, "{{\"queries\":[{}]}}", queries.join(","))?;
            out.flush()?;
        }
    }
    Ok(Code::Done)
}

fn print(queries: Vec<(String, SavedQuery)>, output: &Output) -> Outcome<()> {
    let count = queries.len() as u64;
    let mut rows = Table::new()
        .whole("NAME", Style::name)
        .column("ZONE", plain)
        .column("WORDS", plain);
    for (name, query) in queries {
        let words: Vec<String> = query.words().map(flag).collect();
        rows.row([name, query.zone, words.join(" ")]);
    }
    let mut out = output.page();
    if count > 0 {
        rows.write(output, &mut out)?;
    }
    out.flush()?;
    output.note(&match count {
        0 => "no saved queries".to_owned(),
        1 => "1 saved query".to_owned(),
        more => format!("{} saved queries", table::grouped(more)),
    });
    Ok(())
}

/// A word as a shell takes it.
fn flag((flag, text): (&str, &str)) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:,=/@".contains(letter);
    match !text.is_empty() && text.chars().all(plain) {
        true => format!("--{flag} {text}"),
        false => format!("--{flag} '{}'", text.replace('\'', "'\\''")),
    }
}

fn json((name, query): &(String, SavedQuery)) -> String {
    let flags: Vec<String> = query
        .words()
        .map(|(flag, text)| format!("[{},{}]", super::json_text(flag), super::json_text(text)))
        .collect();
    format!(
        "{{\"name\":{},\"zone\":{},\"flags\":[{}]}}",
        super::json_text(name),
        super::json_text(&query.zone),
        flags.join(","),
    )
}
