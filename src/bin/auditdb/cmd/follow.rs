//! `auditdb follow`: events in commit order, those that are still to come included.

use std::io::Write;
use std::time::Duration;

use auditdb::Sequence;
use clap::Args;

use crate::args::Database;
use crate::args::Filters;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::output::Output;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb follow trail --new
  auditdb follow trail --new --view north                 what the organisation north is shown
  auditdb follow trail --from-seq 120000 --outcome denied | jq .type

The order is that of commits (seq), so a late event comes when it was committed. To go on after a
stop, give the seq of the last line plus one to --from-seq.")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    /// Begin at this sequence number; the beginning by default
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        conflicts_with = "new"
    )]
    from_seq: Option<u64>,
    /// Only events that are still to come
    #[arg(long)]
    new: bool,
    /// What this organisation is shown: the events of its own trail, with performers of others as
    /// External Org User
    #[arg(long, value_name = "ORG", allow_hyphen_values = true)]
    view: Option<String>,
    #[command(flatten)]
    filters: Filters,
}

/// How long to wait before looking whether the user wants an end.
const PATIENCE: Duration = Duration::from_millis(200);

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let filter = words.filters.read(&words.database)?;
    words.filters.explain(&filter, output);
    let reader = words.database.reader()?;
    let from = if words.new {
        Sequence(reader.snapshot()?.seq_count())
    } else {
        Sequence(words.from_seq.unwrap_or(0))
    };
    let follower = reader.follow(filter, from);
    let mut follower = match &words.view {
        Some(org) => follower.of_view(org),
        None => follower,
    };
    let mut out = output.data();
    output.interrupt.arm();
    let mut patience = Duration::ZERO;
    while !output.interrupt.seen() {
        match follower.next(patience)? {
            Some(event) => {
                serde_json::to_writer(&mut out, &event).map_err(std::io::Error::from)?;
                out.write_all(b"\n")?;
                patience = Duration::ZERO;
            }
            None => {
                // Nothing is ready, so whoever reads gets all there is before the wait.
                out.flush()?;
                patience = PATIENCE;
            }
        }
    }
    out.flush()?;
    let what = format!("interrupted; go on with --from-seq {}", follower.next_seq());
    Err(Failure::new(Code::Interrupted, what))
}
