//! Killed imports: SIGKILL at random moments, and the same import begun again. Nothing is lost, nothing
//! doubled. Writers are killed by `tests/real`, which keeps a ledger of what they were told.

use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use auditdb::Event;
use auditdb::Options;
use auditdb::Query;
use auditdb::Store;
use auditdb::Subject;
use auditdb::Time;

use crate::support::Random;
use crate::support::folder;
use crate::support::rig;

/// Kills of a plain run; the fault rig asks for more.
const KILLS: u64 = 20;

/// The event of a sequence number: recognisable, out of time order, and of varying length.
fn event(seq: u64) -> Event {
    let micros = 1_778_000_000_000_000 + (seq * 7919 % 1000) as i64;
    Event::new("crash.tested")
        .occurred_at(Time::from_micros(micros).expect("the time is in range"))
        .subject(Subject::new("number").id(seq.to_string()))
        .reason("x".repeat((seq * 31 % 700) as usize))
}

/// An import that is killed and begun again, over and over: nothing is lost, nothing doubled.
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
