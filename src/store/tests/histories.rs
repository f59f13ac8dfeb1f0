//! Histories: what they keep in memory, and of whom they are.

use std::sync::Arc;

use super::edges::store_of;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Field;
use crate::event::Json;
use crate::event::Performer;
use crate::event::Subject;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::id::EventId;
use crate::id::Position;
use crate::id::Sequence;
use crate::query::AttributeChange;
use crate::query::ChangedBy;
use crate::query::Query;
use crate::time::Time;

fn left_by(number: u16, performer: Performer) -> Arc<ChangedBy> {
    Arc::new(ChangedBy {
        event: EventId::new(Position {
            seq: Sequence(number.into()),
            ..Position::FIRST
        }),
        event_type: "a.a".to_owned(),
        occurred_at: Time::MIN,
        performer: Field::Value(performer),
    })
}

fn changed(path: &str, after: &Json, by: &Arc<ChangedBy>) -> AttributeChange {
    AttributeChange {
        path: path.to_owned(),
        before: Field::Absent,
        after: Field::Value(after.clone()),
        contradicts: None,
        by: Arc::clone(by),
    }
}

/// A history's memory is bounded by the last values: what a change replaced counts no more.
#[test]
fn attributes_count_by_their_last_values_alone() -> Result<()> {
    let store = store_of(&[])?;
    let value = Json::parse(&format!("\"{}\"", "x".repeat((1 << 20) - 1024)))?;
    let mut history = store.snapshot().history(&Query::default())?;
    let by = left_by(0, Performer::new("user"));
    for _ in 0..70 {
        history.apply(&mut changed("a", &value, &by))?;
    }
    for path in b'!'..=b'_' {
        history.apply(&mut changed(&char::from(path).to_string(), &value, &by))?;
    }
    let error = history.apply(&mut changed("zz", &value, &by));
    let error = error.expect_err("more than fits");
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
    assert!(error.to_string().contains("than 64 MiB"), "{error}");
    store.close()
}

/// What happened: each change of an event had a performer of its own, so that one event of a MiB came
/// to over a gigabyte of memory, and nothing of it counted.
#[test]
fn whoever_made_the_changes_counts_once_for_each_event() -> Result<()> {
    let store = store_of(&[])?;
    let one = Json::parse("1")?;
    let performer = Performer::new("user").label("x".repeat(60_000));
    let mut history = store.snapshot().history(&Query::default())?;
    let by = left_by(0, performer.clone());
    for path in 0..4096 {
        history.apply(&mut changed(&path.to_string(), &one, &by))?;
    }
    // The same attribute of ever other events: all but the last are replaced.
    for number in 1..4096 {
        history.apply(&mut changed("a", &one, &left_by(number, performer.clone())))?;
    }
    let fitted = (0..4096).take_while(|number| {
        let by = left_by(5000 + number, performer.clone());
        history
            .apply(&mut changed(&format!("b{number}"), &one, &by))
            .is_ok()
    });
    assert!(
        (1000..1118).contains(&fitted.count()),
        "64 MiB of 60,000 bytes"
    );
    store.close()
}

#[test]
fn changes_of_one_event_share_who_made_them_and_a_kind_is_part_of_a_subject() -> Result<()> {
    let changes = |kind: &str| {
        let event = Event::new("a.a").subject(Subject::new(kind).id("1"));
        event.change("a", "0", "1")?.change("b", "0", "1")
    };
    let store = store_of(&[changes("user")?, changes("role")?])?;
    let of = |filter: Filter| {
        store.snapshot().history(&Query {
            filter,
            ..Query::default()
        })
    };
    let found: Vec<_> =
        of(Filter::new().is_entity(FilterField::Subject, "user", "1"))?.collect::<Result<_>>()?;
    assert!(Arc::ptr_eq(&found[0].by, &found[1].by) && found.len() == 2);
    let error = of(Filter::new())?
        .find_map(Result::err)
        .expect("two subjects");
    assert_eq!(error.kind(), ErrorKind::Filter);
    for subject in ["\"user:1\"", "\"role:1\""] {
        assert!(error.to_string().contains(subject), "{error}");
    }
    store.close()
}
