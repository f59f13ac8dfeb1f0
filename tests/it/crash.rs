//! Killed processes: SIGKILL at random moments of appending. The log that is left is a prefix of
//! what was submitted, holds everything that was acknowledged, and verifies. The child is this
//! same test binary, told by an environment variable to write until it is killed.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use auditdb::Event;
use auditdb::Options;
use auditdb::Order;
use auditdb::Query;
use auditdb::Store;
use auditdb::Subject;
use auditdb::Time;

use crate::support::Random;
use crate::support::folder;
use crate::support::rig;

const CHILD: &str = "AUDITDB_CRASH_CHILD";
/// Kills of a plain run; the fault rig asks for more.
const KILLS: u64 = 20;

fn small() -> Options {
    Options {
        memtable_bytes_max: 64 << 10,
        merge_fan_in: 2,
        ..Options::default()
    }
}

/// The event of a sequence number: recognisable, out of time order, and of varying length.
fn event(seq: u64) -> Event {
    let micros = 1_778_000_000_000_000 + (seq * 7919 % 1000) as i64;
    Event::new("crash.tested")
        .occurred_at(Time::from_micros(micros).expect("the time is in range"))
        .subject(Subject::new("number").id(seq.to_string()))
        .reason("x".repeat((seq * 31 % 700) as usize))
}

/// Writes until killed: single events, batches and loads in turn, one line on stdout per receipt.
#[test]
fn p1_child_that_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    let mut store = Store::open(Path::new(&path), small()).expect("a store");
    let mut out = std::io::stdout().lock();
    for round in 0_u64.. {
        let seq = store.snapshot().seq_count();
        if round % 7 == 6 {
            let mut bulk = store.bulk().expect("a load");
            for event in (seq..seq + 300).map(event) {
                bulk.append(&event).expect("a place");
            }
            bulk.finish().expect("a commit");
            continue;
        }
        let events: Vec<Event> = match round % 5 {
            0 => (seq..seq + 40).map(event).collect(),
            _ => vec![event(seq)],
        };
        let receipts = store.append_batch(&events).expect("a batch");
        let last = receipts.last().expect("a receipt");
        writeln!(out, "acknowledged {} {}", last.seq, last.id).expect("the parent reads");
        out.flush().expect("the parent reads");
    }
}

/// Runs the child for a moment, kills it, and gives the last acknowledgement it sent.
fn kill_after(path: &Path, moment: Duration) -> Option<(u64, String)> {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "crash::p1_child_that_is_killed", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a child");
    std::thread::sleep(moment);
    child.kill().expect("a kill");
    let stdout = child.stdout.take().expect("the child's output");
    let acknowledged = BufReader::new(stdout)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| {
            let mut words = line.split_once("acknowledged ")?.1.split(' ');
            Some((words.next()?.parse().ok()?, words.next()?.to_owned()))
        });
    let last = acknowledged.last();
    child.wait().expect("the child has ended");
    last
}

fn check(path: &Path, acknowledged: Option<(u64, String)>) -> u64 {
    let store = Store::open(path, small()).expect("the store opens after a kill");
    let query = Query {
        order: Order::OldestFirst,
        ..Query::default()
    };
    let mut seqs = Vec::new();
    for stored in store.snapshot().scan(&query).expect("a scan") {
        let stored = stored.expect("an event");
        assert_eq!(stored.event, event(stored.seq.0), "nothing is invented");
        seqs.push(stored.seq.0);
    }
    seqs.sort_unstable();
    let count = seqs.len() as u64;
    assert!(
        seqs.into_iter().eq(0..count),
        "the log is a prefix of what was submitted"
    );
    if let Some((seq, id)) = acknowledged {
        assert!(
            seq < count,
            "event {seq} was acknowledged, and {count} events are left"
        );
        let id = id.parse().expect("an id");
        assert_eq!(
            store.get(id).expect("a get").map(|event| event.seq.0),
            Some(seq)
        );
    }
    store.close().expect("a close");
    let report = auditdb::verify(path).expect("a verification");
    assert!(report.is_clean(), "{report:?}");
    count
}

#[test]
fn p1_acknowledged_events_survive_kills() {
    let mut random = Random::new(1);
    let folder = folder();
    let (mut path, mut before) = (folder.path().join("0"), 0);
    for kill in 0..KILLS * rig() {
        // A new store now and then, so that creating one is killed as well.
        if kill % 10 == 0 {
            path = folder.path().join(kill.to_string());
            before = 0;
        }
        let moment = Duration::from_micros(1_000 + random.below(120_000));
        let acknowledged = kill_after(&path, moment);
        let count = check(&path, acknowledged);
        assert!(
            count >= before,
            "what was there before the kill is still there"
        );
        before = count;
    }
}

/// An import that is killed and begun again, over and over: nothing is lost, nothing doubled.
#[cfg(feature = "cli")]
#[test]
fn p1_a_killed_import_goes_on_without_duplicates() {
    const EVENTS: usize = 60_000;
    let folder = folder();
    let (path, lines) = (
        folder.path().join("store"),
        folder.path().join("lines.ndjson"),
    );
    let mut text = String::new();
    for seq in 0..EVENTS as u64 {
        text += &serde_json::to_string(&event(seq)).expect("a native line");
        text.push('\n');
    }
    std::fs::write(&lines, text).expect("the lines are written");
    let import = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_auditdb"));
        command.arg("import").arg(&path).arg(&lines).arg("--json");
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command
    };
    let mut random = Random::new(2);
    for _ in 0..KILLS * rig() {
        let mut child = import().spawn().expect("an import");
        std::thread::sleep(Duration::from_micros(500 + random.below(60_000)));
        child.kill().expect("a kill");
        child.wait().expect("the import has ended");
        if path.join("CURRENT").exists() {
            let store = Store::open(&path, Options::default()).expect("the store opens");
            let count = store.snapshot().seq_count();
            assert!(count <= EVENTS as u64, "{count} events of {EVENTS} lines");
            store.close().expect("a close");
            let report = auditdb::verify(&path).expect("a verification");
            assert!(report.is_clean(), "{report:?}");
        }
    }
    let whole = import().output().expect("an import");
    assert!(whole.status.success());
    let store = Store::open(&path, Options::default()).expect("the store opens");
    let scan = store.snapshot().scan(&Query::default()).expect("a scan");
    let mut numbers: Vec<u64> = scan
        .map(|stored| {
            let subject = stored.expect("an event").event.subject;
            subject
                .value()
                .and_then(|subject| subject.id.as_deref()?.parse().ok())
                .expect("a number")
        })
        .collect();
    numbers.sort_unstable();
    assert!(
        numbers.into_iter().eq(0..EVENTS as u64),
        "every line is there once"
    );
}
