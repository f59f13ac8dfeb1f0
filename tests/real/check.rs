//! What is looked at after every fault: a reader sees a beginning of what a writer then recovers, the
//! ledger agrees with it event by event, opening again changes nothing, and `auditdb verify` finds the
//! store whole before and after.

use std::path::Path;
use std::process::Command;

use auditdb::Order;
use auditdb::Query;
use auditdb::ReadMode;
use auditdb::Reader;
use auditdb::Snapshot;
use auditdb::Store;

use crate::ledger::Ledger;
use crate::work;

/// Looks at a store that nobody has open, and settles the ledger on it. Gives the number of events.
pub(crate) fn store(path: &Path, ledger: &mut Ledger) -> Result<u64, String> {
    store_seen(path, ledger, ledger.clone())
}

/// As [`store`]; `seen` is what a reader has to find before a writer comes.
pub(crate) fn store_seen(path: &Path, ledger: &mut Ledger, seen: Ledger) -> Result<u64, String> {
    if !path.join("CURRENT").exists() {
        // Its creation was cut short, so nothing can have been acknowledged.
        ledger
            .judge(&[])
            .map_err(|what| format!("there is no store: {what}"))?;
    } else {
        verified(path, "before it is opened")?;
        read(path, &seen)?;
    }
    let recovered = reopened(path)?;
    ledger.settle(recovered)?;
    verified(path, "after it was closed")?;
    let again = reopened(path)?;
    ledger
        .judge(&again)
        .map_err(|what| format!("opened again: {what}"))?;
    Ok(ledger.settled())
}

/// Looks as a reader does, which changes nothing.
pub(crate) fn read(path: &Path, ledger: &Ledger) -> Result<(), String> {
    let failed = |what: String| format!("a reader: {what}");
    let snapshot = Reader::open(path, ReadMode::Positional).and_then(|reader| reader.snapshot());
    let held = numbers(&snapshot.map_err(|error| failed(error.to_string()))?)?;
    ledger.judge(&held).map_err(failed)
}

/// The numbers that a writer finds, which closes the store again.
fn reopened(path: &Path) -> Result<Vec<u64>, String> {
    let failed = |error| format!("a writer: {error}");
    let store = Store::open(path, work::options()).map_err(failed)?;
    let held = numbers(&store.snapshot())?;
    store.close().map_err(failed)?;
    Ok(held)
}

/// The number of the event at each seq; an error if one is no event of ours, or a seq is missing.
pub(crate) fn numbers(snapshot: &Snapshot) -> Result<Vec<u64>, String> {
    let query = Query {
        order: Order::OldestFirst,
        ..Query::default()
    };
    let mut held = Vec::new();
    for stored in snapshot
        .scan(&query)
        .map_err(|error| format!("a scan: {error}"))?
    {
        let stored = stored.map_err(|error| format!("a scan: {error}"))?;
        let Some(number) = work::number(&stored.event) else {
            return Err(format!(
                "event {} is invented: {:?}",
                stored.seq.0, stored.event
            ));
        };
        held.push((stored.seq.0, number));
    }
    held.sort_unstable();
    let count = snapshot.seq_count();
    if held.len() as u64 != count || held.iter().zip(0..).any(|((seq, _), place)| *seq != place) {
        return Err(format!(
            "{} events are found where there are {count}",
            held.len()
        ));
    }
    Ok(held.into_iter().map(|(_, number)| number).collect())
}

/// Has the program itself verify the store.
fn verified(path: &Path, when: &str) -> Result<(), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auditdb"));
    let output = command.arg("verify").arg(path).output();
    let output = output.map_err(|error| format!("auditdb verify: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "auditdb verify {when}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}
