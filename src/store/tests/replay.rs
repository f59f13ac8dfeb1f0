//! Logs that a killed writer left: all of their rows come back with what they are found by, however
//! many there are, and what is no event is refused without a trace.

use super::BASE;
use super::TestClock;
use super::at;
use super::open_with;
use crate::codec::row::Body;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::id::Sequence;
use crate::id::WalId;
use crate::options::Options;
use crate::store::Receipt;
use crate::store::Store;
use crate::wal;

fn open(disk: &SimDisk) -> Result<Store> {
    open_with(disk, &TestClock::new(), Options::default())
}

/// Every third event has no key.
fn event(number: usize) -> Event {
    let event = Event::new("log.replayed").reason("x".repeat(number % 700));
    match number % 3 {
        0 => event,
        _ => event.key(format!("key {number}")),
    }
}

/// On either side of the number from which several threads read the rows, and across the chunks that
/// a memtable is made of.
#[test]
fn rows_of_a_log_are_found_by_their_keys_again() -> Result<()> {
    for count in [0, 1, 2, 511, 512, 513, 2_500] {
        let disk = SimDisk::new(1);
        let events: Vec<Event> = (0..count).map(event).collect();
        let receipts = match events.is_empty() {
            true => Vec::new(),
            false => open(&disk)?.append_batch(&events)?,
        };
        // Twice: the second time from the log that the first recovery wrote.
        let (once, mut store) = (disk.kill(), open(&disk.kill())?);
        for _ in 0..2 {
            assert_eq!(store.recovery().events_replayed, count as u64);
            assert_eq!(super::events(&store)?.len(), count);
            for (event, first) in events
                .iter()
                .zip(&receipts)
                .filter(|(event, _)| event.key.value().is_some())
            {
                let again = Receipt {
                    duplicate: true,
                    ..*first
                };
                assert_eq!(store.append(event)?, again, "of {count}");
            }
            drop(store);
            store = open(&once)?;
        }
    }
    Ok(())
}

#[test]
fn a_content_that_is_no_event_is_refused_each_time_and_no_log_is_added() -> Result<()> {
    for rows in [3_u64, 1_300] {
        let disk = SimDisk::new(1);
        let store = open(&disk)?;
        let id = store.snapshot().store_id();
        drop(store);
        let disk = disk.kill();
        let mut log = wal::Writer::create(&disk, WalId(2), id, Sequence(0), 0)?;
        let body = |content| Body {
            time_given: false,
            import: None,
            content,
        };
        let contents = (0..rows).map(|row| match row == rows - 2 {
            true => "{\"type\":7}",
            false => "{\"type\":\"a\"}",
        });
        let contents = contents.map(|content| (at(BASE), body(content)));
        log.append(Sequence(0), at(BASE), contents)?;
        log.sync()?;
        for _ in 0..2 {
            let before = disk.list(names::wal_dir())?.len();
            let error = open(&disk).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            let words = error.to_string();
            let wanted = format!("the content of event {} is no event", rows - 2);
            assert!(
                words.contains(&wanted) && words.contains("000002.wal"),
                "{words}"
            );
            assert_eq!(disk.list(names::wal_dir())?.len(), before);
        }
    }
    Ok(())
}
