//! `auditdb export --dry-run`: what an export would hold, before anything is written.

use std::io::Write;

use auditdb::Estimate;
use auditdb::EstimatedSize;

use crate::failure::Outcome;
use crate::output::Output;
use crate::output::Style;
use crate::table;
use crate::table::Table;

/// How the answer is printed.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Shape {
    /// Columns for people
    Table,
    /// One object
    Json,
}

/// Prints what the export would hold.
pub(super) fn print(estimate: &Estimate, shape: Shape, output: &Output) -> Outcome<()> {
    match shape {
        Shape::Table => {
            let mut sizes = Table::new()
                .column("FORMAT", Style::name)
                .column("LAYOUT", Style::name)
                .number("SIZE")
                .number("BYTES");
            for size in &estimate.sizes {
                sizes.row([
                    size.format.as_str().to_owned(),
                    size.layout.as_str().to_owned(),
                    table::bytes(size.bytes),
                    table::grouped(size.bytes),
                ]);
            }
            let mut out = output.page();
            writeln!(out, "{}", rows(estimate))?;
            sizes.write(output, &mut out)?;
            out.flush()?;
            output.note(&sampled(estimate));
        }
        Shape::Json => {
            let sizes: Vec<String> = estimate.sizes.iter().map(size_json).collect();
            let mut out = output.data();
            writeln!(
                out,
                "{{\"matches\":{},\"rows\":{},\"complete\":{},\"sampled\":{},\"exact\":{},\"sizes\":[{}]}}",
                estimate.matches,
                estimate.rows,
                estimate.complete(),
                estimate.sampled,
                estimate.is_exact(),
                sizes.join(","),
            )?;
            out.flush()?;
        }
    }
    Ok(())
}

fn rows(estimate: &Estimate) -> String {
    let rows = table::counted(estimate.rows, "row");
    match estimate.complete() {
        true => format!("{rows}, complete"),
        false => format!(
            "{rows} of {}, more remain",
            table::counted(estimate.matches, "event")
        ),
    }
}

fn sampled(estimate: &Estimate) -> String {
    match estimate.is_exact() {
        true => "nothing was written; the sizes are exact".to_owned(),
        false => format!(
            "nothing was written; the sizes are estimates from {}, before packing",
            table::counted(estimate.sampled, "event")
        ),
    }
}

fn size_json(size: &EstimatedSize) -> String {
    format!(
        "{{\"format\":\"{}\",\"layout\":\"{}\",\"bytes\":{}}}",
        size.format.as_str(),
        size.layout.as_str(),
        size.bytes,
    )
}
