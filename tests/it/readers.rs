//! A second process that reads while the first one appends, seals and merges as fast as it can:
//! every snapshot is a prefix of what was acknowledged, followers get every event once and in
//! order, and the writer never notices. The reading process is this same test binary, told by an
//! environment variable what to do; it ends when it has seen the last event.

use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use auditdb::Event;
use auditdb::Filter;
use auditdb::Options;
use auditdb::Order;
use auditdb::Query;
use auditdb::ReadMode;
use auditdb::Reader;
use auditdb::Sequence;
use auditdb::Snapshot;
use auditdb::Store;
use auditdb::Subject;
use auditdb::Time;

use crate::support::folder;

const CHILD: &str = "AUDITDB_READERS_CHILD";
const EVENTS: u64 = 20_000;

fn small() -> Options {
    Options {
        memtable_bytes_max: 64 << 10,
        merge_fan_in: 2,
        ..Options::default()
    }
}

/// The event of a sequence number: recognisable, out of time order, and of varying length.
fn event(seq: u64) -> Event {
    let micros = 1_778_000_000_000_000 + (seq * 7919 % 1000) as i64 * 3_600_000_000;
    Event::new("reader.tested")
        .occurred_at(Time::from_micros(micros).expect("the time is in range"))
        .subject(Subject::new("number").id(seq.to_string()))
        .reason("x".repeat((seq * 31 % 300) as usize))
}

/// Where the child is to read, if this process is one.
fn told() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

fn child(test: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a child")
}

/// Appends everything, in batches and one by one, with a flush and a restart now and then.
fn write(path: &Path) {
    let mut store = Store::open(path, small()).expect("the store opens");
    let mut seq = store.snapshot().seq_count();
    for round in 0_u64.. {
        let end = EVENTS.min(seq + if round.is_multiple_of(3) { 40 } else { 1 });
        let batch: Vec<Event> = (seq..end).map(event).collect();
        let receipts = store.append_batch(&batch).expect("a batch");
        assert!(receipts.iter().map(|receipt| receipt.seq.0).eq(seq..end));
        seq = end;
        if seq == EVENTS {
            break;
        }
        if round % 100 == 50 {
            store.flush().expect("a flush");
        }
        if round % 400 == 399 {
            store.close().expect("a close");
            store = Store::open(path, small()).expect("the store opens again");
        }
    }
    store.close().expect("a close");
}

/// The newest or oldest events and the whole of the snapshot, each held against the plain truth.
fn check(snapshot: &Snapshot) {
    let count = snapshot.seq_count();
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let query = Query {
            order,
            limit: 50,
            ..Query::default()
        };
        let page = snapshot.page(&query).expect("a page");
        assert_eq!(page.events.len() as u64, count.min(50));
        assert_eq!(page.snapshot_seq, count);
    }
    let mut seen = vec![false; count as usize];
    let mut last = None;
    for stored in snapshot.scan(&Query::default()).expect("a scan") {
        let stored = stored.expect("an event");
        assert_eq!(stored.event, event(stored.seq.0), "nothing is invented");
        assert!(last.is_none_or(|last| last > stored.position()), "in order");
        last = Some(stored.position());
        assert!(!std::mem::replace(&mut seen[stored.seq.0 as usize], true));
    }
    assert!(seen.into_iter().all(|seen| seen), "no event is missing");
}

#[test]
fn p2_child_that_takes_snapshots() {
    let Some(path) = told() else { return };
    let mut before = 0;
    while before < EVENTS {
        // Now and then as a newcomer, who has seen nothing of the store yet.
        let reader = Reader::open(&path, ReadMode::default()).expect("a reader");
        for _ in 0..5 {
            let snapshot = reader.snapshot().expect("a snapshot");
            assert!(snapshot.seq_count() >= before, "the store does not shrink");
            before = snapshot.seq_count();
            check(&snapshot);
        }
    }
}

#[test]
fn child_that_follows() {
    let Some(path) = told() else { return };
    let reader = Reader::open(&path, ReadMode::Positional).expect("a reader");
    let mut follower = reader.follow(Filter::new(), Sequence(0));
    for seq in 0..EVENTS {
        let stored = follower.next(Duration::from_secs(60)).expect("the next");
        let stored = stored.expect("the writer goes on");
        assert_eq!(stored.seq.0, seq, "in commit order, each once");
        assert_eq!(stored.event, event(seq));
    }
    let more = follower.next(Duration::from_millis(100)).expect("the end");
    assert_eq!(more, None);
}

#[test]
fn other_processes_read_while_this_one_writes() {
    let folder = folder();
    let path = folder.path().join("store");
    Store::open(&path, small())
        .expect("a new store")
        .close()
        .expect("a close");
    let tests = [
        "readers::p2_child_that_takes_snapshots",
        "readers::child_that_follows",
    ];
    let mut children: Vec<Child> = tests.iter().map(|test| child(test, &path)).collect();
    write(&path);
    for (test, child) in tests.iter().zip(&mut children) {
        let status = child.wait().expect("the child has ended");
        assert!(status.success(), "{test}: {status}");
    }
    let report = auditdb::verify(&path).expect("a verification");
    assert!(report.is_clean(), "{report:?}");
}
