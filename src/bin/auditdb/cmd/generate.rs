//! `auditdb generate`: the generator's events as native lines.

use std::io::Write;

use auditdb::Generator;
use auditdb::Profile;
use clap::Args;

use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::output::Output;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb generate --events 1000 > events.ndjson
  auditdb generate --events 1000000 --seed 7 --ties 20 | auditdb import trail -
  auditdb generate --events 1000 --pack administration | auditdb import trail - --unknown refuse")]
pub(crate) struct Words {
    /// How many
    #[arg(long, value_name = "N")]
    events: u64,
    /// Equal seeds give equal events
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Percentage of events that share their microsecond with others
    #[arg(long, value_name = "PCT")]
    ties: Option<f64>,
    /// Percentage of events that arrive late
    #[arg(long, value_name = "PCT")]
    late: Option<f64>,
    /// Events of a built-in pack, in the shapes that it declares: administration, all of its 38 types
    #[arg(long, value_name = "NAME")]
    pack: Option<String>,
}

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let mut profile = match words.pack.as_deref() {
        None => Profile::realistic(words.events),
        Some("administration") => Profile::administration(words.events),
        Some(other) => {
            let what = format!("--pack {other:?}: events are made of the pack administration");
            return Err(Failure::usage(what));
        }
    };
    profile.tie_percent = percent("--ties", words.ties, profile.tie_percent)?;
    profile.late_percent = percent("--late", words.late, profile.late_percent)?;
    let mut out = output.data();
    write(Generator::new(words.seed, profile), &mut out)?;
    Ok(Code::Done)
}

/// Writes events as native lines.
pub(super) fn write(events: Generator, out: &mut impl Write) -> Outcome<()> {
    for event in events {
        serde_json::to_writer(&mut *out, &event).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

fn percent(flag: &str, given: Option<f64>, usual: f64) -> Outcome<f64> {
    match given {
        None => Ok(usual),
        Some(value) if (0.0..=100.0).contains(&value) => Ok(value),
        Some(value) => Err(Failure::usage(format!("{flag} {value}: not from 0 to 100"))),
    }
}
