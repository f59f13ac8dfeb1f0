//! The `auditdb` command: looks into a store and moves events in and out of it, also while an
//! application writes to it. Uses nothing of the library but its root names. Results go to stdout,
//! everything else to stderr; the exit codes of `docs/cli.md` hold exactly.

mod args;
mod auditing;
mod cmd;
mod effects;
mod failure;
mod form;
mod interrupt;
mod names;
mod output;
mod packs;
mod progress;
mod table;
mod target;
mod text;
mod zone;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => return failure::misused(&error),
        Err(help) => help.exit(),
    };
    let interrupt = interrupt::Interrupt::install();
    let output = output::Output::new(arguments.color, interrupt);
    match cmd::run(arguments.command, &output) {
        Ok(code) => code.into(),
        Err(failure) => failure.tell(&output),
    }
}
