//! The library in one page: `cargo run --example tour`. A store is filled in three ways, read page
//! by page, counted, followed and exported, and then read by someone else while it is open.

#![expect(clippy::print_stdout, reason = "a tour shows what comes out")]

use std::path::Path;
use std::time::Duration;

use auditdb::Event;
use auditdb::Export;
use auditdb::FacetQuery;
use auditdb::Filter;
use auditdb::FilterField;
use auditdb::Format;
use auditdb::Options;
use auditdb::Outcome;
use auditdb::Performer;
use auditdb::Query;
use auditdb::ReadMode;
use auditdb::Reader;
use auditdb::Result;
use auditdb::Sequence;
use auditdb::Store;
use auditdb::Subject;
use auditdb::Ticket;

fn main() -> core::result::Result<(), Box<dyn core::error::Error>> {
    let folder = tempfile::tempdir()?;
    let trail = folder.path().join("trail");
    let store = Store::open(&trail, Options::default())?;
    fill(&store)?;
    read(&store)?;
    export(&store, &folder.path().join("roles.csv"))?;
    read_beside(&trail)?;
    store.close()?;
    Ok(())
}

/// Who changed which role; what is not said stays absent.
fn changed(role: &str, who: &str) -> Event {
    Event::new("role.updated")
        .performer(Performer::new("user").id(who))
        .subject(Subject::new("role").id(role))
        .outcome(Outcome::Success)
}

fn fill(store: &Store) -> Result<()> {
    // Durable and visible when the call returns.
    let receipt = store.append(&changed("r1", "u7"))?;
    println!("{} is event {} of the store", receipt.id, receipt.seq);

    // A batch is one commit: all of it or nothing.
    store.append_batch(&["r1", "r2", "r3"].map(|role| changed(role, "u8")))?;

    // With tickets one thread has many events under way, which share their syncs.
    let logins = (0..100).map(|user| {
        let who = Performer::new("user").id(format!("u{user}"));
        let denied = Event::new("session.started").performer(who);
        store.append_async(&denied.outcome(Outcome::Denied))
    });
    let tickets: Vec<Ticket> = logins.collect::<Result<_>>()?;
    tickets.into_iter().try_for_each(|ticket| {
        ticket.wait()?;
        Ok(())
    })
}

fn read(store: &Store) -> Result<()> {
    // Newest first, of one subject, a page at a time.
    let filter = Filter::new().is_entity(FilterField::Subject, "role", "r1");
    let query = Query {
        filter,
        limit: 1,
        ..Query::default()
    };
    let newest = store.page(&query)?;
    for stored in &newest.events {
        println!("{} {}", stored.occurred_at, stored.event.event_type);
    }

    // A cursor is text: it goes into a link, and on after a restart, in whatever process.
    if let Some(cursor) = newest.next_cursor {
        let link = cursor.to_string();
        let page = store.page(&Query {
            cursor: Some(link.parse()?),
            ..query
        })?;
        println!(
            "then {}, and nothing follows: {}",
            page.events.len(),
            page.complete
        );
    }

    // The most frequent values of a field, counted exactly, among the events of a filter.
    let filter = Filter::new().is(FilterField::Type, "role.updated");
    let roles = Query {
        filter,
        ..Query::default()
    };
    let most = FacetQuery {
        top: 3,
        ..FacetQuery::of(FilterField::Performer)
    };
    let who = store.snapshot().facets(&roles, &most)?;
    for value in &who.values {
        println!("{} changed {} roles", value.value, value.count);
    }

    // In commit order, from the beginning; with more patience it waits for what is still to come.
    let denied = Filter::new().is(FilterField::Outcome, "denied");
    let mut follower = store.follow(denied, Sequence(0));
    let mut seen = 0;
    while follower.next(Duration::ZERO)?.is_some() {
        seen += 1;
    }
    println!("{seen} were denied; go on from {}", follower.next_seq());
    Ok(())
}

fn export(store: &Store, file: &Path) -> Result<()> {
    // The file appears whole or not at all, and is not put in the place of another.
    let csv = Export {
        format: Format::Csv,
        ..Export::default()
    };
    let report = csv.to_file(&store.snapshot(), &Query::default(), file, false)?;
    println!("{} rows in {} bytes of CSV", report.rows, report.bytes);
    Ok(())
}

fn read_beside(trail: &Path) -> Result<()> {
    // In any other process just the same: readers ask nothing of the one that writes.
    let reader = Reader::open(trail, ReadMode::default())?;
    let page = reader.snapshot()?.page(&Query::default())?;
    println!("{} of {} events", page.events.len(), page.snapshot_seq);
    Ok(())
}
