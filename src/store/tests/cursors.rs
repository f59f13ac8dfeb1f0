//! Every kind of bad cursor is refused with a kind of its own, and a good one survives all that can
//! happen to the store.

use super::append;
use super::count;
use super::open;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::filter::Filter;
use crate::id::Position;
use crate::id::Sequence;
use crate::query::Cursor;
use crate::query::Order;
use crate::query::Query;
use crate::store::Store;

fn cursor_of(store: &Store, query: &Query) -> Cursor {
    let page = store
        .page(&Query {
            limit: 3,
            ..query.clone()
        })
        .unwrap();
    page.next_cursor.unwrap().to_string().parse().unwrap()
}

fn refusal(store: &Store, query: &Query) -> ErrorKind {
    let page = store.page(query).unwrap_err();
    let scan = store.snapshot().scan(query).err().unwrap();
    assert_eq!(page.kind(), scan.kind(), "pages and scans refuse alike");
    assert!(page.is_cursor());
    page.kind()
}

#[test]
fn each_bad_cursor_has_its_own_error() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    append(&store, 0..10)?;
    let before = disk.kill();
    append(&store, 10..20)?;
    let query = Query::default();
    let cursor = cursor_of(&store, &query);
    let with = |query: &Query| Query {
        cursor: Some(cursor),
        ..query.clone()
    };

    assert_eq!(
        "".parse::<Cursor>().unwrap_err().kind(),
        ErrorKind::CursorEmpty
    );
    let text = cursor.to_string();
    for bad in [
        &text[1..],
        &text[..text.len() - 1],
        &format!("{text}A"),
        &text.to_lowercase(),
        " ",
        "50",
    ] {
        assert_eq!(
            bad.parse::<Cursor>().unwrap_err().kind(),
            ErrorKind::CursorDamaged,
            "{bad}"
        );
    }
    let other = open(&SimDisk::new(2))?;
    append(&other, 0..20)?;
    assert_eq!(refusal(&other, &with(&query)), ErrorKind::CursorForeign);
    let since = Query {
        since_seq: Some(Sequence(1)),
        ..Query::default()
    };
    assert_eq!(refusal(&store, &with(&since)), ErrorKind::CursorFilter);
    let until = Query {
        filter: Filter::new().until(super::at(super::BASE)),
        ..Query::default()
    };
    assert_eq!(refusal(&store, &with(&until)), ErrorKind::CursorFilter);
    let turned = Query {
        order: Order::OldestFirst,
        ..Query::default()
    };
    assert_eq!(refusal(&store, &with(&turned)), ErrorKind::CursorDirection);
    let older = open(&before)?;
    assert_eq!(refusal(&older, &with(&query)), ErrorKind::CursorAhead);
    assert_eq!(store.page(&with(&query))?.events.len(), 17);
    Ok(())
}

/// A cursor says what its page's times were, and nobody signs it. Whoever hands cursors to others
/// relies on the filter: once a token with other bounds led past `--since`.
#[test]
fn a_forged_cursor_never_shows_more_than_the_filter() -> Result<()> {
    let store = open(&SimDisk::new(1))?;
    append(&store, 0..60)?;
    let query = Query {
        filter: Filter::new()
            .since(super::at(super::BASE))
            .until(super::at(super::BASE + 20)),
        ..Query::default()
    };
    let mut forged = cursor_of(&store, &query);
    (forged.from, forged.to) = (Position::FIRST, Position::LAST);
    let honest = store.page(&query)?.events;
    assert!(honest.len() > 4, "{}", honest.len());
    for after in [Position::FIRST, Position::LAST, forged.after] {
        forged.after = after;
        let page = store.page(&Query {
            cursor: Some(forged),
            ..query.clone()
        })?;
        for event in page.events {
            assert!(honest.contains(&event), "{event:?} is outside the filter");
        }
    }
    Ok(())
}

#[test]
fn a_cursor_survives_seals_merges_and_restarts() -> Result<()> {
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let disk = SimDisk::new(1);
        let mut store = open(&disk)?;
        append(&store, 0..50)?;
        let query = Query {
            order,
            limit: 3,
            ..Query::default()
        };
        let whole: Vec<u64> = store
            .snapshot()
            .scan(&query)?
            .map(|event| event.map(|event| event.seq.0))
            .collect::<Result<_>>()?;
        let (mut parts, mut query, mut held) = (Vec::new(), query, 50);
        for round in 0.. {
            let page = store.page(&query)?;
            parts.extend(page.events.iter().map(|event| event.seq.0));
            let Some(cursor) = page.next_cursor else {
                break;
            };
            query.cursor = Some(cursor.to_string().parse()?);
            append(&store, held..held + 2)?;
            held += 2;
            match round % 4 {
                0 => store.flush()?,
                1 => {
                    store.close()?;
                    store = open(&disk)?;
                }
                2 => {
                    drop(store);
                    store = open(&disk.kill())?;
                    drop(store);
                    store = open(&disk)?;
                }
                _ => {}
            }
        }
        assert_eq!(parts, whole, "{order:?}");
        assert_eq!(count(&store)?, held);
    }
    Ok(())
}
