//! What reading costs, written down: for each of many queries on a store in memory, in one segment and
//! in several sources that overlap, the rows it gives, the smallest budget that the first page gets by
//! with, how many pages a walk of small budgets takes and where these end, and what a scan looks at. The
//! file beside the goldens is written anew with `AUDITDB_BLESS` set; a change of it is a change of cost
//! that somebody has to mean.

use core::fmt::Write as _;

use sha2::Digest;
use sha2::Sha256;

use super::BASE;
use super::TestClock;
use super::at;
use super::open_with;
use crate::codec::digits::hex;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::event::Event;
use crate::event::Performer;
use crate::event::Subject;
use crate::filter::Condition;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::filter::Pattern;
use crate::filter::Utc;
use crate::id::Sequence;
use crate::options::Options;
use crate::query::Order;
use crate::query::Query;
use crate::query::Stopped;
use crate::segment::tests::written::hold;
use crate::store::Store;

const FILE: &str = "tests/golden/costs.txt";
const EVENTS: u64 = 3_000;
const WORK: u64 = 40;

/// By filter words; what stands behind a `#` is the sequence number to begin with.
const QUERIES: [&str; 39] = [
    "",
    "#1500",
    "#2999",
    "type=login",
    "type=login #1234",
    "type=!login",
    "type=e*",
    "type=login,view",
    "type=!login,!view",
    "type=none",
    "sub-type=rare",
    "type=login sub-type=rare",
    "type=login source=even",
    "type=login performer=user:3",
    "type=login performer=!user:3",
    "type=login subject=thing:5",
    "type=edit subject=thing:5 performer=user:3",
    "type=login,edit performer=user:3,user:4 source=odd",
    "source=even meta=side=right",
    "org=early meta=half=late",
    "org=early meta=half=early",
    "meta=half=* type=edit",
    "no=sub-type type=view",
    "subject=thing:*",
    "subject=thing:9*  type=edit",
    "text=beta",
    "text=beta type=login",
    "text=!beta type=login,view",
    "text=beta source=even meta=side=left",
    "since=2026-05-05T17:00:00Z",
    "until=2026-05-05T17:00:00Z type=login",
    "since=2026-05-05T16:55:00Z until=2026-05-05T17:10:00Z type=login source=odd",
    "type=!none",
    "type=none,login source=odd",
    "type=none source=even",
    "text=!beta",
    "text=!beta text=alpha",
    "since=2027-01-01T00:00:00Z",
    "until=2025-01-01T00:00:00Z",
];

fn is(field: FilterField, value: &str) -> Condition {
    Condition::Field(field, Pattern::is(value))
}

/// What only code can ask for: conditions within others.
fn nested() -> Vec<(String, Filter)> {
    let text = |text: &str| Condition::Text(text.to_owned());
    let side = |side: &str| is(FilterField::Meta("side".to_owned()), side);
    let kind = |kind: &str| is(FilterField::Type, kind);
    let source = |source: &str| is(FilterField::Source, source);
    let any = Condition::Any;
    let all = Condition::All;
    let conditions = [
        vec![any(vec![kind("login"), Condition::not(kind("none"))])],
        vec![any(vec![text("beta"), kind("edit")]), source("even")],
        vec![text("beta"), any(vec![text("alpha"), kind("login")])],
        vec![
            any(vec![all(vec![kind("login"), side("left")]), kind("edit")]),
            is(FilterField::Org, "late"),
        ],
        vec![
            any(vec![
                all(vec![text("beta"), is(FilterField::SubType, "rare")]),
                all(vec![text("alpha"), kind("view")]),
            ]),
            source("odd"),
        ],
    ];
    let filters = conditions.map(|all| all.into_iter().fold(Filter::new(), Filter::and));
    let named = filters.map(|filter| (filter.explain().replace('\n', " "), filter));
    named.into()
}

/// Hot, rare and clustered values, ties, and events that come late.
fn event(number: u64) -> Event {
    let late = i64::from(number.is_multiple_of(13)) * 400;
    let seconds = (number / 2) as i64 - late;
    let half = ["early", "late"][usize::from(number >= EVENTS / 2)];
    let event = Event::new(["login", "edit", "view"][(number % 3) as usize])
        .occurred_at(at(BASE + seconds * 1_000_000))
        .performer(Performer::new("user").id((number / 5 % 7).to_string()))
        .subject(Subject::new("thing").id((number * 7919 % 97).to_string()))
        .org(half)
        .metadata("half", half)
        .metadata("side", ["left", "right"][(number % 2) as usize])
        .source(["even", "odd"][(number % 2) as usize])
        .reason(["alpha", "beta"][usize::from(number.is_multiple_of(11))]);
    match number.is_multiple_of(500) {
        true => event.sub_type("rare"),
        false => event,
    }
}

fn add(store: &Store, numbers: core::ops::Range<u64>) -> Result<()> {
    let events: Vec<Event> = numbers.map(event).collect();
    store.append_batch(&events).map(drop)
}

/// Every query, newest first, by its name.
fn queries() -> Result<Vec<(String, Query)>> {
    let mut queries = Vec::new();
    for name in QUERIES {
        let (words, since) = name.split_once('#').unwrap_or((name, ""));
        let flags = words
            .split_whitespace()
            .map(|word| word.split_once('=').unwrap());
        let query = Query {
            filter: Filter::from_flags(flags, &Utc)?,
            since_seq: since.parse().ok().map(Sequence),
            ..Query::default()
        };
        queries.push((name.to_owned(), query));
    }
    for (name, filter) in nested() {
        let query = Query {
            filter,
            ..Query::default()
        };
        queries.push((name, query));
    }
    Ok(queries)
}

/// How many events the query is for, each looked at by itself.
fn looked_through(store: &Store, query: &Query) -> Result<usize> {
    let (mut from, mut found) = (query.since_seq.unwrap_or(Sequence(0)), 0);
    loop {
        let tail = store.snapshot().tail(&query.filter, from)?;
        found += tail.events.len();
        from = tail.next_seq;
        if tail.complete {
            return Ok(found);
        }
    }
}

/// The smallest budget by which the first page is full or has everything.
fn least_work(store: &Store, query: &Query) -> Result<u64> {
    let suffices = |work_max: u64| {
        let page = store.page(&Query {
            work_max,
            ..query.clone()
        })?;
        Ok::<bool, crate::error::Error>(page.stopped != Stopped::Budget)
    };
    let (mut too_little, mut enough) = (0, query.work_max);
    while enough - too_little > 1 {
        let middle = too_little.midpoint(enough);
        match suffices(middle)? {
            true => enough = middle,
            false => too_little = middle,
        }
    }
    Ok(enough)
}

/// Pages and rows of a walk of small budgets, and a digest of where its pages end.
fn walk(store: &Store, query: &Query) -> Result<(usize, usize, String)> {
    let mut query = Query {
        work_max: WORK,
        limit: 20,
        ..query.clone()
    };
    let (mut pages, mut rows, mut ends) = (0, 0, Sha256::new());
    loop {
        let page = store.page(&query)?;
        pages += 1;
        rows += page.events.len();
        let last = page.events.last().map(|event| event.seq.0);
        ends.update(format!(
            "{:?} {last:?} {:?}\n",
            page.stopped, page.scanned_until
        ));
        query.cursor = page.next_cursor;
        if page.complete {
            let digest = hex(&ends.finalize());
            return Ok((pages, rows, digest[..8].to_owned()));
        }
    }
}

fn costs(place: &str, store: &Store, out: &mut String) -> Result<()> {
    for (words, query) in queries()? {
        let wanted = looked_through(store, &query)?;
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let query = Query {
                order,
                ..query.clone()
            };
            let least = least_work(store, &query)?;
            let (pages, rows, ends) = walk(store, &query)?;
            let mut scan = store.snapshot().scan(&query)?;
            for _ in 0..50 {
                scan.next().transpose()?;
            }
            let (first, at_first) = (scan.cursor().is_some(), scan.looked());
            while scan.next().transpose()?.is_some() {}
            let looked = scan.looked();
            assert_eq!((first, rows), (rows > 0, wanted));
            let name = if order == Order::NewestFirst {
                "newest"
            } else {
                "oldest"
            };
            writeln!(
                out,
                "{place}, {name} of `{words}`: {rows} rows; work {least} for 50; \
                 {pages} pages of work {WORK} that end at {ends}; {} segments, {} memtables, {} blocks \
                 and {} rows for 50, {}, {}, {} and {} for all",
                at_first.segments,
                at_first.memtables,
                at_first.blocks,
                at_first.rows,
                looked.segments,
                looked.memtables,
                looked.blocks,
                looked.rows,
            )
            .unwrap();
        }
    }
    Ok(())
}

#[test]
fn what_queries_cost_is_what_was_written_down() -> Result<()> {
    let mut found = String::new();
    let store = open_with(&SimDisk::new(1), &TestClock::new(), Options::default())?;
    add(&store, 0..EVENTS)?;
    costs("in memory", &store, &mut found)?;
    store.flush()?;
    assert_eq!(store.snapshot().segments().len(), 1);
    costs("in a segment", &store, &mut found)?;
    store.close()?;
    let store = open_with(&SimDisk::new(1), &TestClock::new(), Options::default())?;
    for part in [0..1_100, 1_100..1_900, 1_900..2_600] {
        add(&store, part)?;
        store.flush()?;
    }
    add(&store, 2_600..EVENTS)?;
    assert_eq!(store.snapshot().segments().len(), 3);
    costs("in several sources", &store, &mut found)?;
    store.close()?;
    hold(FILE, &found);
    Ok(())
}
