//! Times the store is told and times it tells: clocks that step back, events of long ago and of
//! the far future, and the number of segments that they may cost.

use super::BASE;
use super::TestClock;
use super::append;
use super::at;
use super::events;
use super::open;
use super::open_with;
use super::small;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::event::Event;
use crate::options::Options;
use crate::options::Partition;
use crate::query::Order;
use crate::query::Query;
use crate::time::Time;

const SECOND: i64 = 1_000_000;

#[test]
fn p3_recorded_at_never_goes_back() -> Result<()> {
    let disk = SimDisk::new(1);
    let clock = TestClock::new();
    let store = open_with(&disk, &clock, small())?;
    let mut last = Time::MIN;
    for (seconds, steps) in [
        (0, 0),
        (10, 0),
        (-3600, 1),
        (5, 2),
        (10, 2),
        (11, 2),
        (-9_999_999, 3),
    ] {
        clock.set(BASE + seconds * SECOND);
        let receipt = store.append(&Event::new("clock.read"))?;
        assert!(
            receipt.recorded_at >= last,
            "the clock was set to {seconds} s"
        );
        assert_eq!(
            receipt.occurred_at,
            at(BASE + seconds * SECOND),
            "when it happened is kept"
        );
        assert_eq!(
            store.stats()?.clock_steps,
            steps,
            "the clock was set to {seconds} s"
        );
        last = receipt.recorded_at;
    }
    assert_eq!(last, at(BASE + 11 * SECOND));
    store.flush()?;
    drop(store);
    // A process that starts with a clock that is behind does not record before what was recorded.
    clock.set(BASE - SECOND);
    let store = open_with(&disk, &clock, small())?;
    assert_eq!(store.append(&Event::new("clock.read"))?.recorded_at, last);
    assert_eq!(store.stats()?.clock_steps, 4);
    assert_eq!(store.snapshot().complete_through(), Some(last));
    Ok(())
}

/// The steps counted since the last seal were forgotten when the store was closed without one.
#[test]
fn p3_clock_steps_survive_closing() -> Result<()> {
    let disk = SimDisk::new(1);
    let clock = TestClock::new();
    let store = open_with(&disk, &clock, small())?;
    store.append(&Event::new("clock.read"))?;
    clock.set(BASE - SECOND);
    store.append(&Event::new("clock.read"))?;
    store.close()?;
    assert_eq!(open(&disk)?.stats()?.clock_steps, 1);
    Ok(())
}

/// Events at both ends of time, in every order, with seals between them.
#[test]
fn wild_times_are_read_in_their_place() -> Result<()> {
    for partition in [Partition::Day, Partition::Month, Partition::Year] {
        let disk = SimDisk::new(1);
        let options = Options {
            partition,
            ..small()
        };
        let store = open_with(&disk, &TestClock::new(), options)?;
        for (number, micros) in [
            0,
            Time::MAX.as_micros(),
            BASE,
            0,
            1,
            Time::MAX.as_micros(),
            BASE - 1,
        ]
        .iter()
        .enumerate()
        {
            store.append(&Event::new("time.wild").occurred_at(at(*micros)))?;
            if number % 2 == 1 {
                store.flush()?;
            }
        }
        assert_eq!(events(&store)?.len(), 7);
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let all = store.snapshot().scan(&Query {
                order,
                ..Query::default()
            })?;
            let all: Vec<u64> = all
                .map(|event| event.map(|event| event.seq.0))
                .collect::<Result<_>>()?;
            let mut wanted = vec![0, 3, 4, 6, 2, 1, 5];
            if order == Order::NewestFirst {
                wanted.reverse();
            }
            assert_eq!(all, wanted, "{partition:?} {order:?}");
        }
    }
    Ok(())
}

/// What happened: nothing comes before the first microsecond of 1970, so a scan that had given its
/// first event, newest first, gave it again when it went on from its own cursor.
#[test]
fn mission_a22_a_cursor_behind_the_first_moment_is_at_the_end() -> Result<()> {
    let store = open(&SimDisk::new(1))?;
    store.append(&Event::new("time.first").occurred_at(Time::MIN))?;
    let mut scan = store.snapshot().scan(&Query::default())?;
    assert!(scan.next().is_some());
    let query = Query {
        cursor: scan.cursor(),
        ..Query::default()
    };
    let page = store.page(&query)?;
    assert!(page.events.is_empty() && page.complete);
    Ok(())
}

fn check_bound(fan_in: usize, time_of: impl Fn(i64) -> i64) -> Result<()> {
    const EVENTS: usize = 200;
    let disk = SimDisk::new(1);
    let options = Options {
        merge_fan_in: fan_in,
        ..small()
    };
    let store = open_with(&disk, &TestClock::new(), options)?;
    for number in 0..EVENTS {
        let time = at(time_of(number as i64));
        store.append(&Event::new("time.wild").occurred_at(time))?;
        store.flush()?;
        let segments = store.stats()?.segments.len();
        assert!(
            segments <= 64,
            "fan-in {fan_in}: {segments} segments of {} events",
            number + 1
        );
    }
    assert_eq!(events(&store)?.len(), EVENTS);
    store.close()?;
    assert_eq!(events(&open(&disk)?)?.len(), EVENTS);
    Ok(())
}

/// What happened: the number of segments was bounded for fan-ins up to 12 only, of the 64 that the
/// options take: 65 seals of single events were 65 segments.
#[test]
fn segments_stay_bounded_under_single_seals_and_wild_times() -> Result<()> {
    const YEAR: i64 = 365 * 86_400 * SECOND;
    for fan_in in [2, 8, 48] {
        check_bound(fan_in, |number| BASE + number)?;
        check_bound(fan_in, |number| (number * 7919 % 8000) * YEAR)?;
    }
    Ok(())
}

#[test]
fn p1_a_late_event_is_there_after_a_restart() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    append(&store, 0..40)?;
    store.flush()?;
    let late =
        store.append(&Event::new("time.late").occurred_at(at(BASE - 400 * 86_400 * SECOND)))?;
    store.close()?;
    let store = open(&disk)?;
    assert_eq!(store.get(late.id)?.map(|event| event.seq), Some(late.seq));
    Ok(())
}
