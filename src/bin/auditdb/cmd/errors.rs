//! `auditdb errors`: every error code, what it means, and the exit code that goes with it.

use std::io::Write;

use auditdb::ErrorKind;
use clap::Args;

use crate::args::Answer;
use crate::args::Shape;
use crate::failure;
use crate::failure::Code;
use crate::failure::Outcome;
use crate::output::Output;
use crate::output::Style;
use crate::table::Table;
use crate::table::plain;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb errors
  auditdb errors -o json | jq -r '.errors[].code'

A code keeps its meaning for ever; later versions may have more of them.")]
pub(crate) struct Words {
    #[command(flatten)]
    answer: Answer,
}

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    match words.answer.shape {
        Shape::Table => {
            let mut rows = Table::new()
                .column("CODE", Style::name)
                .number("EXIT")
                .column("MEANING", plain);
            for kind in ErrorKind::ALL {
                let exit = failure::exit_of(kind).to_string();
                rows.row([kind.code().to_owned(), exit, kind.meaning().to_owned()]);
            }
            let mut out = output.page();
            rows.write(output, &mut out)?;
            out.flush()?;
        }
        Shape::Json => {
            let errors: Vec<String> = ErrorKind::ALL.into_iter().map(json).collect();
            let mut out = output.data();
            writeln!(out, "{{\"errors\":[{}]}}", errors.join(","))?;
            out.flush()?;
        }
    }
    Ok(Code::Done)
}

fn json(kind: ErrorKind) -> String {
    format!(
        "{{\"code\":\"{}\",\"exit\":{},\"meaning\":{},\"hint\":{}}}",
        kind.code(),
        failure::exit_of(kind),
        super::json_text(kind.meaning()),
        failure::hint_of(kind).map_or_else(|| "null".to_owned(), super::json_text),
    )
}
