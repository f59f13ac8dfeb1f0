//! `auditdb stats`: facts about a store, without reading its events.

use std::collections::BTreeMap;
use std::io::Write;

use auditdb::LatestEvent;
use auditdb::SegmentStats;
use auditdb::Stats;
use auditdb::Time;
use clap::Args;

use crate::args::Database;
use crate::failure::Code;
use crate::failure::Outcome;
use crate::output::Output;
use crate::output::Style;
use crate::table;
use crate::table::Table;
use crate::table::plain;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb stats trail
  auditdb stats trail --json | jq .events
  auditdb stats trail --json | jq .latest.late_us          how late the last event came

What covers from says is since when anything is known: before that moment nothing was recorded,
whatever happened.")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let stats = words.database.reader()?.stats()?;
    if words.json {
        let mut out = output.data();
        writeln!(out, "{}", json(&stats))?;
        out.flush()?;
    } else {
        let mut out = output.page();
        print(&stats, output, &mut out)?;
        out.flush()?;
    }
    Ok(Code::Done)
}

/// Times are stored in UTC, and printed so here.
const ZONE: &str = "UTC";

/// Which event was recorded last, and how late it was.
fn latest(latest: &LatestEvent) -> String {
    let micros = latest.lateness_micros();
    let length = length(micros.unsigned_abs());
    let relation = if micros < 0 { "before" } else { "after" };
    format!("{}, {length} {relation} it happened", latest.id)
}

/// A length of time in its two largest units, or in seconds.
fn length(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    let pair = |large: u64, name: &str, small: u64, rest: &str| {
        format!(
            "{} {name} {} {rest}",
            table::grouped(seconds / large),
            seconds % large / small
        )
    };
    match seconds {
        86_400.. => pair(86_400, "d", 3_600, "h"),
        3_600.. => pair(3_600, "h", 60, "min"),
        60.. => pair(60, "min", 1, "s"),
        _ => format!("{seconds}.{:06} s", micros % 1_000_000),
    }
}

/// What the segments of one partition hold together.
struct Partition {
    events: u64,
    segments: u64,
    bytes: u64,
    oldest: Time,
    newest: Time,
}

/// The partitions by their folders.
fn partitions(stats: &Stats) -> BTreeMap<String, Partition> {
    let mut partitions = BTreeMap::new();
    for segment in &stats.segments {
        let folder = segment.path.parent().and_then(|folder| folder.file_name());
        let name = folder.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let (oldest, newest) = (segment.oldest.occurred_at, segment.newest.occurred_at);
        let partition = partitions.entry(name).or_insert(Partition {
            events: 0,
            segments: 0,
            bytes: 0,
            oldest,
            newest,
        });
        partition.events += u64::from(segment.rows);
        partition.segments += 1;
        partition.bytes += segment.bytes;
        partition.oldest = partition.oldest.min(oldest);
        partition.newest = partition.newest.max(newest);
    }
    partitions
}

fn print(stats: &Stats, output: &Output, out: &mut impl Write) -> Outcome<()> {
    let style = output.style();
    let bytes = stats.segment_bytes();
    let moment = |time: Option<Time>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    for (name, value) in [
        ("store", stats.store.to_string()),
        ("created", stats.created_at.to_string()),
        ("events", table::grouped(stats.events)),
        ("oldest", moment(stats.oldest)),
        ("newest", moment(stats.newest)),
        ("covers from", stats.covered_from.to_string()),
        ("complete through", moment(stats.complete_through)),
        (
            "latest recorded",
            stats.latest.as_ref().map_or_else(|| "-".to_owned(), latest),
        ),
        ("times shown in", ZONE.to_owned()),
        (
            "segments",
            format!("{} of {}", stats.segments.len(), table::bytes(bytes)),
        ),
        (
            "not sealed yet",
            format!("{} events", table::grouped(stats.unsealed_events)),
        ),
        ("presence", table::bytes(stats.presence_bytes)),
        ("log", table::bytes(stats.wal_bytes)),
        ("manifest", table::bytes(stats.manifest_bytes)),
        ("clock set back", format!("{} times", stats.clock_steps)),
        (
            "in the inbox",
            table::counted(stats.inbox_records, "record"),
        ),
    ] {
        writeln!(out, "{} {value}", style.dim(&format!("{name:<17}")))?;
    }
    let partitions = partitions(stats);
    if !partitions.is_empty() {
        writeln!(out)?;
        let mut rows = Table::new()
            .column("PARTITION", Style::name)
            .number("EVENTS")
            .number("SEGMENTS")
            .number("SIZE")
            .number("BYTES/EVENT")
            .column("OLDEST", plain)
            .column("NEWEST", plain);
        for (name, partition) in partitions {
            let each = partition.bytes as f64 / partition.events.max(1) as f64;
            rows.row([
                name,
                table::grouped(partition.events),
                table::grouped(partition.segments),
                table::bytes(partition.bytes),
                format!("{each:.1}"),
                partition.oldest.to_string(),
                partition.newest.to_string(),
            ]);
        }
        rows.write(output, out)?;
        writeln!(out)?;
        segments_table(stats).write(output, out)?;
    }
    Ok(())
}

fn segments_table(stats: &Stats) -> Table {
    let mut rows = Table::new()
        .column("SEGMENT", Style::name)
        .number("LEVEL")
        .number("EVENTS")
        .number("SIZE")
        .column("OLDEST", plain)
        .column("NEWEST", plain);
    for segment in &stats.segments {
        rows.row([
            segment.path.display().to_string(),
            segment.level.to_string(),
            table::grouped(segment.rows.into()),
            table::bytes(segment.bytes),
            segment.oldest.occurred_at.to_string(),
            segment.newest.occurred_at.to_string(),
        ]);
    }
    rows
}

fn json(stats: &Stats) -> String {
    let partitions: Vec<String> = partitions(stats)
        .into_iter()
        .map(|(name, partition)| {
            format!(
                "{{\"name\":{},\"events\":{},\"segments\":{},\"bytes\":{},\"oldest\":\"{}\",\"newest\":\"{}\"}}",
                super::json_text(&name),
                partition.events,
                partition.segments,
                partition.bytes,
                partition.oldest,
                partition.newest,
            )
        })
        .collect();
    let segments: Vec<String> = stats.segments.iter().map(segment_json).collect();
    format!(
        "{{\"store\":\"{}\",\"created_at\":\"{}\",\"events\":{},\"oldest\":{},\"newest\":{},\
         \"covered_from\":\"{}\",\"complete_through\":{},\"time_zone\":\"{ZONE}\",\"latest\":{},\"unsealed_events\":{},\
         \"bytes\":{{\"segments\":{},\"presence\":{},\"wal\":{},\"manifest\":{}}},\"clock_steps\":{},\"inbox_records\":{},\
         \"partitions\":[{}],\"segments\":[{}]}}",
        stats.store,
        stats.created_at,
        stats.events,
        super::quoted(stats.oldest),
        super::quoted(stats.newest),
        stats.covered_from,
        super::quoted(stats.complete_through),
        stats
            .latest
            .as_ref()
            .map_or_else(|| "null".to_owned(), latest_json),
        stats.unsealed_events,
        stats.segment_bytes(),
        stats.presence_bytes,
        stats.wal_bytes,
        stats.manifest_bytes,
        stats.clock_steps,
        stats.inbox_records,
        partitions.join(","),
        segments.join(","),
    )
}

fn latest_json(latest: &LatestEvent) -> String {
    format!(
        "{{\"id\":\"{}\",\"occurred_at\":\"{}\",\"recorded_at\":\"{}\",\"late_us\":{}}}",
        latest.id,
        latest.occurred_at,
        latest.recorded_at,
        latest.lateness_micros(),
    )
}

fn segment_json(segment: &SegmentStats) -> String {
    format!(
        "{{\"file\":{},\"level\":{},\"events\":{},\"bytes\":{},\"oldest\":\"{}\",\"newest\":\"{}\"}}",
        super::json_text(&segment.path.display().to_string()),
        segment.level,
        segment.rows,
        segment.bytes,
        segment.oldest.occurred_at,
        segment.newest.occurred_at,
    )
}
