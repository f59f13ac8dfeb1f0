//! In whatever order events arrive, and whatever times they have: the number of segments follows
//! that of the events, every event is there once, and late ones widen no segment.

use auditdb::Durability;
use auditdb::Event;
use auditdb::Options;
use auditdb::Query;
use auditdb::SegmentStats;
use auditdb::Store;
use auditdb::Time;

use crate::support::Random;
use crate::support::folder;

const SECOND: i64 = 1_000_000;
const BATCH: u64 = 2500;
const EVENTS: u64 = 60 * BATCH;
/// Just below the end of 9999.
const TIMES: u64 = 253_402_300_799 * SECOND as u64;

fn time(micros: i64) -> Time {
    Time::from_micros(micros).expect("a time within bounds")
}

/// Appends events of these times and looks after each batch how many segments there are; gives the
/// segments that are there when all are merged.
fn segments(
    random: &mut Random,
    mut time_of: impl FnMut(&mut Random, u64) -> i64,
) -> auditdb::Result<Vec<SegmentStats>> {
    let folder = folder();
    // As many rows in a memtable, and as few in a segment, as keep the test short.
    let options = Options {
        durability: Durability::Buffered,
        memory_bytes_max: 64 << 20,
        memtable_bytes_max: 1 << 20,
        ..Options::default()
    };
    let store = Store::open(folder.path(), options)?;
    let mut times = Vec::new();
    while (times.len() as u64) < EVENTS {
        let batch: Vec<Event> = (0..BATCH)
            .map(|_| {
                times.push(time_of(random, times.len() as u64));
                Event::new("event.arrived").occurred_at(time(times[times.len() - 1]))
            })
            .collect();
        store.append_batch(&batch)?;
        if random.below(16) == 0 {
            store.flush()?;
        }
        if random.below(24) == 0 {
            store.compact()?;
        }
        let held = store.stats()?.segments.len() as u64;
        let events = times.len() as u64;
        assert!(
            held <= 64 + events / 65_536,
            "{held} segments of {events} events"
        );
    }
    store.compact()?;
    let mut wanted: Vec<(i64, u64)> = times.into_iter().zip(0..).collect();
    wanted.sort_unstable();
    let mut scan = store.snapshot().scan(&Query::default())?;
    for (micros, seq) in wanted.into_iter().rev() {
        let event = scan.next().expect("an event is missing")?;
        assert_eq!((event.occurred_at.as_micros(), event.seq.0), (micros, seq));
    }
    assert!(scan.next().is_none(), "an event is there twice");
    let segments = store.stats()?.segments;
    store.close()?;
    Ok(segments)
}

/// A second after the one before, but for one in two hundred, of any time.
#[test]
fn late_and_wild_events_do_not_widen_large_segments() -> auditdb::Result<()> {
    let mut random = Random::new(7);
    let segments = segments(&mut random, |random, number| match random.below(200) {
        0 => random.below(TIMES) as i64,
        _ => (1_778_000_000 + number as i64) * SECOND,
    })?;
    let large = |segment: &&SegmentStats| segment.rows >= 20_000;
    let large: Vec<&SegmentStats> = segments.iter().filter(large).collect();
    let rows: u64 = large.iter().map(|segment| u64::from(segment.rows)).sum();
    assert!(rows >= EVENTS / 20 * 19, "{segments:?}");
    assert!(segments.len() <= large.len() + 18, "{segments:?}");
    for segment in large {
        let span = segment.newest.occurred_at.as_micros() - segment.oldest.occurred_at.as_micros();
        // Three times what the bulk of its rows spans.
        assert!(span <= 3 * i64::from(segment.rows) * SECOND, "{segment:?}");
    }
    Ok(())
}

#[test]
fn wild_times_leave_few_segments() -> auditdb::Result<()> {
    let mut random = Random::new(8);
    let segments = segments(&mut random, |random, _| random.below(TIMES) as i64)?;
    assert!(segments.len() <= 18 + 2, "{}", segments.len());
    Ok(())
}

#[test]
fn events_from_the_newest_to_the_oldest_leave_few_segments() -> auditdb::Result<()> {
    let mut random = Random::new(9);
    let step = 3600 * SECOND;
    let segments = segments(&mut random, |_, number| (EVENTS - number) as i64 * step)?;
    assert!(segments.len() <= 18 + 2, "{}", segments.len());
    Ok(())
}
