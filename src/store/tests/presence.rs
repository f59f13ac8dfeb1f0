//! Presence runs of a living store: they spare opening segments, and no answer hangs on them.

use proptest::prelude::*;

use super::TestClock;
use super::at;
use super::open;
use super::open_with;
use super::small;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::event::Event;
use crate::event::Performer;
use crate::event::StoredEvent;
use crate::event::Subject;
use crate::filter::Condition;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::filter::Pattern;
use crate::options::ReadMode;
use crate::presence::Run;
use crate::query::Order;
use crate::query::Query;
use crate::store::Store;
use crate::store::reader;

/// An event with hot and rare values.
fn event(number: u32) -> Event {
    let time = super::BASE + i64::from(number) * 1_000_000 - i64::from(number % 13) * 40_000_000;
    Event::new(if number.is_multiple_of(3) {
        "a.hot"
    } else {
        "b.hot"
    })
    .occurred_at(at(time))
    .subject(Subject::new("thing").id((number % 97).to_string()))
    .performer(Performer::new("user").id((number % 7).to_string()))
    .metadata("only", number.to_string())
    .metadata("also", number.to_string())
    .reason("x".repeat(300))
}

fn subject(id: u32) -> Condition {
    let (kind, id) = (Some("thing".to_owned()), id.to_string());
    Condition::Field(FilterField::Subject, Pattern::Id { kind, id })
}

/// Some condition, of values that some, all or no events have.
fn condition(seed: u32) -> Condition {
    let value = seed / 11;
    match seed % 11 {
        0 => Condition::Field(FilterField::Type, Pattern::is("a.hot")),
        1 | 2 => subject(value % 120),
        3 => Condition::Field(
            FilterField::Target,
            Pattern::Id {
                kind: None,
                id: (value % 120).to_string(),
            },
        ),
        4 => Condition::Field(
            FilterField::Performer,
            Pattern::Id {
                kind: None,
                id: (value % 9).to_string(),
            },
        ),
        5 => Condition::Field(
            FilterField::Meta("only".to_owned()),
            Pattern::is(value.to_string()),
        ),
        6 => Condition::not(condition(value)),
        7 => Condition::All(vec![condition(value), condition(value / 3)]),
        8 => Condition::Any(vec![condition(value), condition(value / 5)]),
        9 => Condition::Field(FilterField::Type, Pattern::prefix("b.")),
        _ => Condition::Field(FilterField::Org, Pattern::Absent),
    }
}

fn query(seed: u32) -> Query {
    Query {
        filter: Filter::new().and(condition(seed)),
        order: if seed.is_multiple_of(2) {
            Order::NewestFirst
        } else {
            Order::OldestFirst
        },
        limit: 7,
        ..Query::default()
    }
}

/// All pages of a query put together.
fn paged(store: &Store, seed: u32) -> Result<Vec<StoredEvent>> {
    let mut found = Vec::new();
    let mut query = query(seed);
    loop {
        let page = store.page(&query)?;
        found.extend(page.events);
        query.cursor = page.next_cursor;
        if page.complete {
            return Ok(found);
        }
    }
}

/// What the query selects of all events, by looking at each.
fn selected(store: &Store, seed: u32) -> Result<Vec<StoredEvent>> {
    let query = query(seed);
    let range = query.filter.range(at(super::BASE))?;
    let all = store.snapshot().scan(&Query {
        order: query.order,
        ..Query::default()
    })?;
    let wanted =
        all.filter(|event| !matches!(event, Ok(event) if !query.filter.matches(event, range)));
    wanted.collect()
}

fn runs(disk: &SimDisk) -> Vec<u64> {
    let listed = disk.list(names::presence_dir()).unwrap_or_default();
    let numbers = listed
        .iter()
        .filter_map(|entry| names::presence_number(&entry.name));
    numbers.collect()
}

fn is_clean(disk: &SimDisk) -> Result<bool> {
    for number in runs(disk) {
        let len = disk.len(&names::presence(number))?.unwrap_or(0);
        let run = Run::open(disk, number, len, None, ReadMode::Positional);
        if run.and_then(|run| run.check()).is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Through seals, merges, reopening and crashes, with runs and where they were taken away or
    /// changed: pages are what looking at every event gives.
    #[test]
    fn pages_with_presence_are_what_looking_at_every_event_gives(
        steps in proptest::collection::vec((0_u8..8, any::<u32>()), 5..25),
    ) {
        let mut disk = SimDisk::new(7);
        let mut store = open(&disk)?;
        let mut number = 0;
        for (step, seed) in steps {
            match step {
                0 => store.flush()?,
                1 => {
                    drop(store);
                    disk = disk.crash(u64::from(seed));
                    store = open(&disk)?;
                }
                2 => {
                    store.close()?;
                    if let Some(run) = runs(&disk).first() {
                        disk.unlink(&names::presence(*run))?;
                    }
                    store = open(&disk)?;
                }
                3 => {
                    drop(store);
                    if let Some(run) = runs(&disk).last() {
                        let file = disk.open_write(&names::presence(*run))?;
                        let at = u64::from(seed) % file.len()?;
                        file.write_at(at, &[seed.to_le_bytes()[3]])?;
                    }
                    store = open(&disk)?;
                }
                _ => {
                    let batch: Vec<Event> = (number..number + 1 + seed % 60).map(event).collect();
                    number += batch.len() as u32;
                    store.append_batch(&batch)?;
                }
            }
            for seed in [seed, seed / 7, seed / 77] {
                if query(seed).filter.validate().is_err() {
                    prop_assert_eq!(selected(&store, seed)?, [], "{} is a contradiction", seed);
                    continue;
                }
                prop_assert_eq!(paged(&store, seed)?, selected(&store, seed)?, "{}", seed);
            }
        }
        store.flush()?;
        // What was damaged was found when it was asked, or is found now.
        drop(store);
        if !is_clean(&disk)? {
            for run in runs(&disk) {
                disk.unlink(&names::presence(run))?;
            }
        }
        open(&disk)?.flush()?;
        prop_assert!(is_clean(&disk)?);
    }
}

/// Twenty segments that are not merged.
fn apart(disk: &SimDisk) -> Result<Store> {
    let mut options = small();
    options.merge_fan_in = 64;
    options.memtable_bytes_max = 1 << 20;
    let store = open_with(disk, &TestClock::new(), options)?;
    for part in 0..20 {
        let batch: Vec<Event> = (part * 100..part * 100 + 100).map(event).collect();
        store.append_batch(&batch)?;
        store.flush()?;
    }
    Ok(store)
}

fn looked(store: &Store, condition: Condition) -> Result<(u64, usize)> {
    let filter = Filter::new().and(condition);
    let mut scan = store.snapshot().scan(&Query {
        filter,
        ..Query::default()
    })?;
    let found = scan.by_ref().collect::<Result<Vec<_>>>()?;
    Ok((scan.looked().segments, found.len()))
}

/// Of twenty segments only those are opened that have what is asked for, before and after the runs
/// were merged, and by another process as well.
#[test]
fn segments_without_the_term_are_not_opened() -> Result<()> {
    let disk = SimDisk::new(3);
    let store = apart(&disk)?;
    let one_of = |key: &str, number: u32| {
        let field = FilterField::Meta(key.to_owned());
        Condition::Field(field, Pattern::is(number.to_string()))
    };
    let only = |number| one_of("only", number);
    assert_eq!(store.stats()?.segments.len(), 20);
    // Twenty runs of one segment each became two of eight and four of one.
    assert_eq!(runs(&disk).len(), 6);
    assert_eq!(looked(&store, subject(98))?, (0, 0));
    assert_eq!(looked(&store, only(1234))?, (1, 1));
    assert_eq!(
        looked(&store, Condition::Any(vec![only(5), only(1999)]))?,
        (2, 2)
    );
    assert_eq!(
        looked(&store, Condition::All(vec![only(5), one_of("also", 1999)]))?,
        (0, 0)
    );
    let hot = Condition::Field(FilterField::Type, Pattern::is("a.hot"));
    assert_eq!(looked(&store, hot)?, (20, 667));
    let one = store.page(&Query {
        limit: 1,
        ..Query::default()
    })?;
    let id = one.events.first().map(|event| event.id);
    assert!(id.is_some_and(|id| store.get(id).is_ok_and(|event| event.is_some())));
    let beside = reader::open_on(
        std::sync::Arc::new(disk.clone()),
        std::path::Path::new("/sim"),
        ReadMode::Mapped,
    )?;
    let filter = Filter::new().and(only(77));
    let mut scan = beside.snapshot()?.scan(&Query {
        filter,
        ..Query::default()
    })?;
    assert_eq!(scan.by_ref().count(), 1);
    assert_eq!(scan.looked().segments, 1);
    store.close()?;
    assert!(is_clean(&disk)?);
    Ok(())
}

/// What one segment may hold its own terms say; the bytes of a run are spent where one spares another.
#[test]
fn a_segment_alone_has_no_run_and_gets_it_with_the_second() -> Result<()> {
    let disk = SimDisk::new(4);
    let mut options = small();
    (options.merge_fan_in, options.memtable_bytes_max) = (64, 1 << 20);
    let store = open_with(&disk, &TestClock::new(), options)?;
    for (segments, expected) in [(1, 0), (2, 2), (3, 3)] {
        let batch: Vec<Event> = (segments * 40..segments * 40 + 40).map(event).collect();
        store.append_batch(&batch)?;
        store.flush()?;
        assert_eq!(store.stats()?.segments.len(), segments as usize);
        assert_eq!(runs(&disk).len(), expected);
        // The one that no run tells of is opened, and has nothing.
        let opened = u64::from(segments == 1);
        assert_eq!(looked(&store, subject(98))?, (opened, 0));
    }
    Ok(())
}

/// Runs that cannot be written, at whatever step, keep no event out and no segment from being asked.
#[test]
fn runs_that_cannot_be_written_keep_nothing_out() -> Result<()> {
    for operation in [
        Operation::Write,
        Operation::Sync,
        Operation::Rename,
        Operation::SyncDir,
    ] {
        let disk = SimDisk::new(5);
        let store = open(&disk)?;
        let fault = Fault::new(operation, std::io::ErrorKind::StorageFull);
        disk.fail(fault.within("flt").sticky());
        for part in 0..6 {
            let batch: Vec<Event> = (part * 40..part * 40 + 40).map(event).collect();
            store.append_batch(&batch)?;
            store.flush()?;
        }
        for seed in 0..40 {
            assert_eq!(paged(&store, seed)?, selected(&store, seed)?, "{seed}");
        }
        store.close()?;
        disk.heal();
        assert!(is_clean(&disk)?, "{operation:?}");
        open(&disk)?.flush()?;
        assert!(!runs(&disk).is_empty() && is_clean(&disk)?, "{operation:?}");
    }
    Ok(())
}
