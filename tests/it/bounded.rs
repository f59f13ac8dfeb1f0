//! Memory follows the limits, not the data: pages and tails end after some megabytes of events,
//! and a line with more keys than an event may have is not read to its end.

use auditdb::Event;
use auditdb::Filter;
use auditdb::Options;
use auditdb::Query;
use auditdb::Sequence;
use auditdb::Snapshot;
use auditdb::Stopped;
use auditdb::Store;
use auditdb::StoredEvent;

use crate::support::folder;

/// What a page or a tail may hold of events, and one event more.
const BYTES_MAX: usize = (8 << 20) + (1 << 20);

fn bytes(events: &[StoredEvent]) -> usize {
    let len = |event: &StoredEvent| {
        let data = event.event.data.value();
        data.map_or(0, |data| data.as_str().len())
    };
    events.iter().map(len).sum()
}

fn large(number: usize) -> Event {
    let data = format!("\"{}\"", "x".repeat(900_000));
    let event = Event::new(["large.even", "large.odd"][number % 2]);
    let event = event.reason(number.to_string()).data(&data);
    event.expect("it is JSON")
}

/// Everything, page by page.
fn by_pages(snapshot: &Snapshot, query: &Query) -> Vec<u64> {
    let mut query = query.clone();
    let mut seqs = Vec::new();
    loop {
        let page = snapshot.page(&query).expect("a page");
        assert!(bytes(&page.events) <= BYTES_MAX);
        assert!(!page.events.is_empty() || page.complete, "it moves on");
        seqs.extend(page.events.iter().map(|event| event.seq.0));
        assert_eq!(page.complete, page.stopped == Stopped::End);
        if page.complete {
            return seqs;
        }
        assert_eq!(page.stopped, Stopped::Budget);
        query.cursor = page.next_cursor;
    }
}

/// A page of 100,000 events, and a step of a follower of 1,024, had bounds on their number only:
/// 400 events of 900 KB took 380 MB each way.
#[test]
fn pages_and_tails_hold_some_megabytes_and_lose_nothing() -> auditdb::Result<()> {
    let folder = folder();
    let options = Options {
        memtable_bytes_max: 12 << 20,
        ..Options::default()
    };
    let store = Store::open(folder.path().join("store"), options)?;
    for number in 0..40 {
        store.append(&large(number))?;
        if number == 20 {
            store.flush()?;
        }
    }
    let snapshot = store.snapshot();
    for (words, count) in [(&[][..], 40), (&[("type", "large.odd")][..], 20)] {
        let filter = Filter::from_flags(words.iter().copied(), &auditdb::Utc)?;
        let limit = 100_000;
        let query = Query {
            filter: filter.clone(),
            limit,
            ..Query::default()
        };
        let mut seqs = by_pages(&snapshot, &query);
        let scanned: auditdb::Result<Vec<u64>> = snapshot
            .scan(&query)?
            .map(|event| event.map(|event| event.seq.0))
            .collect();
        assert_eq!(seqs, scanned?);
        assert_eq!(seqs.len(), count);
        seqs.reverse();

        let (mut followed, mut from) = (Vec::new(), Sequence(0));
        loop {
            let tail = snapshot.tail(&filter, from)?;
            assert!(bytes(&tail.events) <= BYTES_MAX);
            assert!(tail.next_seq > from);
            followed.extend(tail.events.iter().map(|event| event.seq.0));
            from = tail.next_seq;
            if tail.complete {
                break;
            }
        }
        assert_eq!(followed, seqs);
        assert_eq!(from, Sequence(40));
    }
    store.close()
}

/// One line with 80,000 metadata keys took 22 seconds: each key was looked for among all before
/// it, and only then were they counted. Now reading ends at the first key too many.
#[test]
fn a_line_with_too_many_keys_is_refused_before_its_end() {
    for field in ["metadata", "context"] {
        let keys: String = (0..65)
            .map(|number| format!("\"k{number}\":\"\","))
            .collect();
        // What stands behind the bound is never looked at, or its number would be the complaint.
        let line = format!("{{\"type\":\"a.b\",\"{field}\":{{{keys}\"k65\":65}}}}");
        let error = Event::from_native_line(&line).expect_err("65 keys are too many");
        assert!(error.to_string().contains("at most 64"), "{field}: {error}");
        let keys = (0..400_000).map(|number| format!("\"k{number}\":\"\""));
        let keys = keys.collect::<Vec<_>>().join(",");
        let line = format!("{{\"type\":\"a.b\",\"{field}\":{{{keys}}}}}");
        let begun = std::time::Instant::now();
        assert!(Event::from_native_line(&line).is_err());
        assert!(begun.elapsed().as_secs() < 10, "{field}");
    }
    let keys = (0..64).map(|number| format!("\"k{number}\":\"\""));
    let keys = keys.collect::<Vec<_>>().join(",");
    let line =
        format!("{{\"type\":\"a.b\",\"metadata\":{{{keys}}},\"context\":{{\"ip\":\"\",{keys}}}}}");
    let event = Event::from_native_line(&line).expect("64 keys are within the bound");
    assert!(event.validate().is_ok());
}
