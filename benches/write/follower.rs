//! How long after its receipt another process has an event. The other process is this program again;
//! it tells for each event when it came, by the clock that both share.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use auditdb::Filter;
use auditdb::Options;
use auditdb::ReadMode;
use auditdb::Reader;
use auditdb::Sequence;
use auditdb::Store;

use super::Asked;
use super::Line;
use super::events;
use super::histogram::Histogram;

/// The word by which this program follows for another.
pub(crate) const CHILD: &str = "--follow";
const PATIENCE: Duration = Duration::from_secs(60);

/// Microseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::UNIX_EPOCH.elapsed();
    since.map_or(0, |since| since.as_micros() as u64)
}

/// Follows the store up to `count` events and tells when each came.
pub(crate) fn follow(path: &Path, count: u64) {
    let reader = Reader::open(path, ReadMode::default()).expect("a reader");
    let mut follower = reader.follow(Filter::default(), Sequence(0));
    // By the line: whoever reads it ends this process when it has seen enough.
    let mut out = std::io::stdout().lock();
    for wanted in 0..count {
        let event = follower.next(PATIENCE).expect("a store that reads well");
        let event = event.expect("an event in time");
        assert_eq!(event.seq.0, wanted, "each once and in order");
        writeln!(out, "{}", now()).expect("a line");
    }
}

/// Starts a process that follows.
pub(crate) fn start(path: &Path, count: u64) -> Child {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.arg(CHILD).arg(path).arg(count.to_string());
    command.stdout(Stdio::piped()).spawn().expect("a process")
}

/// The moments at which the other process had each event.
pub(crate) fn moments(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let out = child.stdout.take().expect("its output");
    let lines = BufReader::new(out).lines();
    lines.map(|line| line.expect("a line").parse().expect("a moment"))
}

pub(crate) fn latency(asked: &Asked) -> Vec<Line> {
    let slow = |number: usize| Duration::from_micros(number as u64 * 7_919 % 60_000);
    let at_once = |_: usize| Duration::ZERO;
    vec![
        line(asked, "follower, events 0 to 60 ms apart", &slow),
        line(asked, "follower, events one after the other", &at_once),
    ]
}

fn line(asked: &Asked, what: &str, gap: &dyn Fn(usize) -> Duration) -> Line {
    let folder = asked.scratch();
    let events = events(200_000.min(20_000 * asked.seconds.as_secs().max(1)));
    // Sealed every few thousand events, so that logs and segments come and go meanwhile.
    let options = Options {
        memtable_bytes_max: 1 << 20,
        merge_fan_in: 4,
        ..Options::default()
    };
    let store = Store::open(folder.path(), options).expect("a store");
    let begun = Instant::now();
    let mut receipts = Vec::new();
    // How many there will be is only known at the end.
    let mut child = start(folder.path(), u64::from(u32::MAX));
    // Read as they come: a full pipe would hold the follower up.
    let moments = moments(&mut child);
    let (sender, seen) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        let _gone = moments
            .map(|moment| sender.send(moment))
            .find(Result::is_err);
    });
    for (number, event) in events.iter().enumerate() {
        std::thread::sleep(gap(number));
        store.append(event).expect("a receipt");
        receipts.push(now());
        if begun.elapsed() >= asked.seconds {
            break;
        }
    }
    let mut latencies = Histogram::new();
    for receipt in &receipts {
        let moment = seen.recv().expect("a moment");
        latencies.add(Duration::from_micros(moment.saturating_sub(*receipt)));
    }
    child.kill().and_then(|()| child.wait()).expect("its end");
    reading.join().expect("the reading thread");
    store.close().expect("a clean close");
    Line::new(what, latencies.figures())
}
