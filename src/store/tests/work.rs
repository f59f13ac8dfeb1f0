//! What conjunctions cost by the work they are charged, in memory and in a segment: it follows from
//! how often their terms take turns, never from how many rows there are, and a call whose budget is
//! spent says how far it came.

use super::BASE;
use super::TestClock;
use super::at;
use super::open_with;
use super::small;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::Error;
use crate::error::Result;
use crate::event::Event;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::filter::term;
use crate::options::Options;
use crate::options::ReadMode;
use crate::query::Order;
use crate::query::Page;
use crate::query::Query;
use crate::query::Stopped;
use crate::store::Store;

const EVENTS: u64 = 4_000;
const WORK: u64 = 64;

/// Every second event is of type `even`; the orgs halve the span; few have a subtype.
fn event(number: u64) -> Event {
    let event = Event::new(["even", "odd"][(number % 2) as usize])
        .org(["early", "late"][usize::from(number >= EVENTS / 2)])
        .metadata("half", ["early", "late"][usize::from(number >= EVENTS / 2)])
        .source(["even", "odd"][(number % 2) as usize])
        .occurred_at(at(BASE + number as i64));
    match number.is_multiple_of(500) {
        true => event.sub_type("rare"),
        false => event,
    }
}

fn walk(store: &Store, terms: &[(FilterField, &str)]) -> Result<(u64, usize)> {
    walk_by(&|query| store.page(query), terms)
}

/// Reads all pages of a filter; gives how many there were and their rows. A page that a spent
/// budget ended must have come further than the one before.
fn walk_by(
    page_of: &dyn Fn(&Query) -> Result<Page>,
    terms: &[(FilterField, &str)],
) -> Result<(u64, usize)> {
    let filter =
        |filter: Filter, (field, value): &(FilterField, &str)| filter.is(field.clone(), *value);
    let mut query = Query {
        filter: terms.iter().fold(Filter::new(), filter),
        work_max: WORK,
        limit: 1_000,
        ..Query::default()
    };
    let (mut pages, mut rows, mut reached) = (0, 0, None);
    loop {
        let page = page_of(&query)?;
        pages += 1;
        rows += page.events.len();
        if page.complete {
            assert_eq!(page.scanned_until, None);
            return Ok((pages, rows));
        }
        assert_eq!(page.stopped, Stopped::Budget);
        assert!(reached.is_none_or(|reached| page.scanned_until.unwrap() < reached));
        reached = page.scanned_until;
        query.cursor = page.next_cursor;
    }
}

#[test]
fn a_conjunction_costs_what_its_terms_take_turns() -> Result<()> {
    use FilterField::Meta;
    use FilterField::Org;
    use FilterField::Source;
    use FilterField::SubType;
    use FilterField::Type;
    let options = Options::default();
    let store = open_with(&SimDisk::new(1), &TestClock::new(), options)?;
    let events: Vec<Event> = (0..EVENTS).map(event).collect();
    store.append_batch(&events)?;
    for place in ["in memory", "in a segment"] {
        // Two hot terms that are always there together: a step a row, and one in either term.
        let (pages, rows) = walk(&store, &[(Type, "even"), (Source, "even")])?;
        assert_eq!(rows as u64, EVENTS / 2, "{place}");
        assert!(pages <= 2 * EVENTS / WORK, "{place}: {pages}");
        // A rare one and a hot one: by the rare one's rows.
        let rare = walk(&store, &[(Type, "even"), (SubType, "rare")])?;
        assert_eq!(rare, (1, 8), "{place}");
        // One that is nowhere: nothing.
        let absent = walk(&store, &[(Type, "even"), (SubType, "none")])?;
        assert_eq!(absent, (1, 0), "{place}");
        // Two hot ones in turn that never meet: by how often they take turns, the worst there is.
        let (pages, rows) = walk(&store, &[(Type, "even"), (Source, "odd")])?;
        assert_eq!(rows, 0, "{place}");
        assert!(
            (EVENTS / WORK..=2 * EVENTS / WORK).contains(&pages),
            "{place}: {pages}"
        );
        // Two hot ones in different times: they take turns once.
        let halves = walk(&store, &[(Org, "early"), (Meta("half".to_owned()), "late")])?;
        assert_eq!(halves, (1, 0), "{place}");
        store.flush()?;
    }
    assert_eq!(store.snapshot().segments().len(), 1);
    store.close()
}

/// What happened: the budget of a view's page counted the events that were looked at, and terms that
/// never meet could take turns over the whole store in one call.
#[test]
fn a_view_has_one_budget_for_its_indexes_and_its_events() -> Result<()> {
    use FilterField::Source;
    use FilterField::Type;
    let store = open_with(&SimDisk::new(1), &TestClock::new(), Options::default())?;
    let events: Vec<Event> = (0..EVENTS).map(event).collect();
    store.append_batch(&events)?;
    for place in ["in memory", "in a segment"] {
        let view = store.snapshot().view("early");
        let walk = |terms: &[_]| walk_by(&|query| view.page(query), terms);
        let (pages, rows) = walk(&[(Type, "even"), (Source, "odd")])?;
        assert_eq!(rows, 0, "{place}");
        assert!(pages >= EVENTS / 2 / WORK, "{place}: {pages}");
        let (pages, rows) = walk(&[(Type, "even")])?;
        assert_eq!(rows as u64, EVENTS / 4, "{place}");
        assert!(pages <= 4 * EVENTS / WORK, "{place}: {pages}");
        store.flush()?;
    }
    store.close()
}

/// What happened: a load of a hundred million events took three times the memory of one of a million.
/// Each segment was opened once, to tell its terms, and stayed open; between the parts of so many
/// readers the allocator could give nothing back. Only who reads a segment for a caller keeps it.
#[test]
fn a_load_leaves_no_segment_open_and_who_asks_again_looks_no_term_up() -> Result<()> {
    let disk = SimDisk::new(1);
    let options = Options {
        read_mode: ReadMode::Positional,
        ..small()
    };
    let store = open_with(&disk, &TestClock::new(), options)?;
    for first in (0..EVENTS).step_by(100) {
        let events: Vec<Event> = (first..first + 100).map(event).collect();
        store.append_batch(&events)?;
    }
    store.compact()?;
    let segments = store.snapshot().segments().len();
    assert!(segments > 0);
    assert_eq!(store.shared.base.segments.kept(), 0);
    let term = [&[term::TYPE, term::VALUE], b"even".as_slice()].concat();
    for pinned in store.snapshot().segments().iter() {
        let reader = store.shared.base.segments.reader(&pinned.entry)?;
        let reads = |term: &[u8]| {
            let before = disk.count(Operation::Read);
            let found = reader.postings(term)?.is_some();
            Ok::<_, Error>((found, disk.count(Operation::Read) - before))
        };
        for (term, is_there) in [(term.as_slice(), true), (&[term::TYPE, term::VALUE], false)] {
            let (found, first) = reads(term)?;
            assert!(found == is_there && first > 0, "{first} reads");
            assert_eq!(reads(term)?, (is_there, 0));
        }
    }
    assert_eq!(store.shared.base.segments.kept(), segments.min(8));
    store.close()
}

/// What happened: a conjunction of terms that never meet was walked anew in every segment of a store
/// each time somebody asked.
#[test]
fn segments_without_a_match_are_not_read_for_the_same_filter_again() -> Result<()> {
    let store = open_with(&SimDisk::new(1), &TestClock::new(), small())?;
    for first in (0..EVENTS).step_by(100) {
        let events: Vec<Event> = (first..first + 100).map(event).collect();
        store.append_batch(&events)?;
    }
    store.flush()?;
    store.compact()?;
    assert!(!store.snapshot().segments().is_empty());
    let ask = |order| {
        let query = Query {
            filter: Filter::new()
                .is(FilterField::Type, "even")
                .is(FilterField::Source, "odd"),
            order,
            ..Query::default()
        };
        let mut scan = store.snapshot().scan(&query)?;
        let rows = scan.by_ref().collect::<Result<Vec<_>>>()?.len();
        Ok::<_, Error>((rows, scan.looked().segments))
    };
    let segments = store.snapshot().segments().len() as u64;
    assert_eq!(ask(Order::NewestFirst)?, (0, segments));
    assert_eq!(ask(Order::NewestFirst)?, (0, 0));
    assert_eq!(ask(Order::OldestFirst)?, (0, 0));
    // What comes later is found, in memory and in a segment.
    store.append(&event(0).source("odd"))?;
    assert_eq!(ask(Order::NewestFirst)?.0, 1);
    store.flush()?;
    assert_eq!(ask(Order::NewestFirst)?.0, 1);
    assert_eq!(ask(Order::OldestFirst)?.0, 1);
    store.close()
}
