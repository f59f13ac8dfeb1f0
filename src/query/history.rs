//! One subject's attributes over time, rebuilt from what its events say they changed: every change
//! with who made it and when, what every attribute was at the end, and where one change does not fit
//! the one before it, because something happened that was not recorded.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::iter::Scan;
use super::page::Order;
use super::page::Query;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Field;
use crate::event::Json;
use crate::event::Performer;
use crate::event::StoredEvent;
use crate::id::EventId;
use crate::snapshot::Snapshot;
use crate::time::Time;

/// Bytes of memory that the attributes of one subject may take, about.
const STATE_BYTES: usize = 64 << 20;

/// The changes of one subject's attributes, oldest first. When all were given, and at any time
/// before, [`History::state`] tells what the attributes are.
pub struct History {
    scan: Scan,
    /// The subject's kind and id.
    subject: Option<(String, String)>,
    state: BTreeMap<String, AttributeState>,
    /// How many attributes are as each event left them.
    left_by: HashMap<EventId, usize>,
    bytes: usize,
    /// Changes of the event read last that are still to be given.
    next: VecDeque<AttributeChange>,
    is_over: bool,
}

/// One attribute's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeChange {
    /// Which attribute: the change's path.
    pub path: String,
    /// Its value before, as the event says.
    pub before: Field<Json>,
    /// Its value after.
    pub after: Field<Json>,
    /// What the change before this one left, where that is not what this one says was there. Null
    /// and absent both are no value, and do not contradict each other.
    pub contradicts: Option<Field<Json>>,
    /// Who did it, when, and by which event.
    pub by: Arc<ChangedBy>,
}

/// What an attribute is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeState {
    /// The value that its last change left.
    pub value: Field<Json>,
    /// Who made that change, when, and by which event.
    pub by: Arc<ChangedBy>,
}

/// Who changed something, when, and by which event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedBy {
    /// The event's id.
    pub event: EventId,
    /// The event's type.
    pub event_type: String,
    /// When it happened.
    pub occurred_at: Time,
    /// Who did it.
    pub performer: Field<Performer>,
}

impl Snapshot {
    /// The changes of one subject's attributes, rebuilt from the [`crate::Event::changes`] of the events
    /// that `query` selects. Its filter names the subject, and may end at a moment, whose state
    /// is then the one at the end. Of the query only `filter` and `since_seq` select. Each path is an
    /// attribute of its own.
    ///
    /// Memory is bounded by one event and the last values of the attributes, each with the event that
    /// left it.
    ///
    /// # Errors
    /// [`ErrorKind::Filter`], also from the iterator, when events of different subjects are
    /// selected; from the iterator [`ErrorKind::OutOfRange`] where the attributes take more than
    /// 64 MiB, or what reading the files gives.
    ///
    /// ```
    /// use auditdb::{Event, Filter, FilterField, Options, Query, Store, Subject};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-history-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// let updated = Event::new("user.updated").subject(Subject::new("user").id("u1"));
    /// store.append(&updated.clone().change("admin", "false", "true")?)?;
    /// store.append(&updated.change("admin", "false", "null")?)?;
    ///
    /// let filter = Filter::new().is_entity(FilterField::Subject, "user", "u1");
    /// let mut history = store.snapshot().history(&Query { filter, ..Query::default() })?;
    /// let changes = history.by_ref().collect::<auditdb::Result<Vec<_>>>()?;
    /// assert!(changes[0].contradicts.is_none());
    /// let left = changes[1].contradicts.as_ref().expect("nobody recorded who took it away");
    /// assert_eq!(left.value().map(|json| json.as_str()), Some("true"));
    /// let (path, admin) = history.state().next().expect("one attribute");
    /// assert!(path == "admin" && admin.value.is_null());
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn history(&self, query: &Query) -> Result<History> {
        let query = Query {
            order: Order::OldestFirst,
            cursor: None,
            ..query.clone()
        };
        Ok(History {
            scan: self.scan(&query)?,
            subject: None,
            state: BTreeMap::new(),
            left_by: HashMap::new(),
            bytes: 0,
            next: VecDeque::new(),
            is_over: false,
        })
    }
}

impl History {
    /// Every attribute that was changed so far with what it is, by path.
    pub fn state(&self) -> impl ExactSizeIterator<Item = (&str, &AttributeState)> {
        self.state
            .iter()
            .map(|(path, state)| (path.as_str(), state))
    }

    /// The next change; events without one are passed over.
    fn advance(&mut self) -> Result<Option<AttributeChange>> {
        while self.next.is_empty() {
            let Some(event) = self.scan.next().transpose()? else {
                return Ok(None);
            };
            self.read(event)?;
        }
        let mut change = self.next.pop_front();
        if let Some(change) = &mut change {
            self.apply(change)?;
        }
        Ok(change)
    }

    /// Takes an event's changes.
    fn read(&mut self, stored: StoredEvent) -> Result<()> {
        let event = stored.event;
        if let Field::Value(subject) = event.subject {
            let this = (
                subject.kind,
                subject.id.value().cloned().unwrap_or_default(),
            );
            let one = self.subject.get_or_insert_with(|| this.clone());
            if *one != this {
                let [one, other] = [one, &this].map(|(kind, id)| format!("{kind}:{id}"));
                let what =
                    format!("a history is of one subject, and this is of {one:?} and {other:?}");
                return Err(Error::new(ErrorKind::Filter, what));
            }
        }
        let by = Arc::new(ChangedBy {
            event: stored.id,
            event_type: event.event_type,
            occurred_at: stored.occurred_at,
            performer: event.performer,
        });
        let Field::Value(changes) = event.changes else {
            return Ok(());
        };
        self.next
            .extend(changes.into_iter().map(|change| AttributeChange {
                path: change.path,
                before: change.before,
                after: change.after,
                contradicts: None,
                by: Arc::clone(&by),
            }));
        Ok(())
    }

    /// Brings the state up to a change, which is told what it contradicts.
    pub(crate) fn apply(&mut self, change: &mut AttributeChange) -> Result<()> {
        let state = AttributeState {
            value: change.after.clone(),
            by: Arc::clone(&change.by),
        };
        self.bytes += state_bytes(&change.path, &state.value);
        let left = self.left_by.entry(state.by.event).or_default();
        if *left == 0 {
            self.bytes += by_bytes(&state.by);
        }
        *left += 1;
        if let Some(known) = self.state.insert(change.path.clone(), state) {
            self.bytes -= state_bytes(&change.path, &known.value);
            if let Entry::Occupied(mut left) = self.left_by.entry(known.by.event) {
                *left.get_mut() -= 1;
                if *left.get() == 0 {
                    left.remove();
                    self.bytes -= by_bytes(&known.by);
                }
            }
            if !is_same(&known.value, &change.before) {
                change.contradicts = Some(known.value);
            }
        }
        if self.bytes <= STATE_BYTES {
            return Ok(());
        }
        let most = STATE_BYTES >> 20;
        let what = format!("the attributes take more than {most} MiB; end the history earlier");
        Err(Error::new(ErrorKind::OutOfRange, what))
    }
}

impl Iterator for History {
    type Item = Result<AttributeChange>;

    fn next(&mut self) -> Option<Result<AttributeChange>> {
        if self.is_over {
            return None;
        }
        let given = self.advance();
        self.is_over = given.is_err();
        given.transpose()
    }
}

/// Whether two values are the same one, however they are spelled. Null and absent are both none.
fn is_same(this: &Field<Json>, that: &Field<Json>) -> bool {
    let (Field::Value(this), Field::Value(that)) = (this, that) else {
        return this.value().is_none() && that.value().is_none();
    };
    let parsed = |json: &Json| serde_json::from_str::<serde_json::Value>(json.as_str()).ok();
    this == that || parsed(this).is_some_and(|this| Some(this) == parsed(that))
}

/// What an attribute takes.
fn state_bytes(path: &str, value: &Field<Json>) -> usize {
    let value = value.value().map_or(0, |json| json.as_str().len());
    size_of::<(String, AttributeState)>() + path.len() + value
}

/// What it takes to know who made the changes of one event.
fn by_bytes(by: &ChangedBy) -> usize {
    let performer = by.performer.value().map_or(0, |performer| {
        let texts = [
            &performer.id,
            &performer.label,
            &performer.email,
            &performer.org,
            &performer.external_ref,
        ];
        let texts = texts.map(|text| text.value().map_or(0, String::len));
        performer.kind.len() + texts.iter().sum::<usize>()
    });
    size_of::<ChangedBy>() + by.event_type.len() + performer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Position;

    #[test]
    fn values_are_the_same_however_they_are_spelled() {
        let field = |text: &str| match text {
            "" => Field::Absent,
            "null" => Field::Null,
            text => Json::parse(text).map_or(Field::Absent, Field::Value),
        };
        for (this, that, same) in [
            ("1", "1", true),
            ("1", "2", false),
            ("", "null", true),
            ("", "\"\"", false),
            ("null", "0", false),
            (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, true),
            (r#""\u0061""#, r#""a""#, true),
            ("[1,2]", "[2,1]", false),
        ] {
            assert_eq!(is_same(&field(this), &field(that)), same, "{this} {that}");
            assert_eq!(is_same(&field(that), &field(this)), same, "{that} {this}");
        }
    }

    #[test]
    fn what_attributes_take_is_counted_to_the_byte() {
        let value = Json::parse("12345").map_or(Field::Absent, Field::Value);
        let bare = size_of::<(String, AttributeState)>();
        assert_eq!(state_bytes("admin", &Field::Absent), bare + 5);
        assert_eq!(state_bytes("admin", &value), bare + 10);
        let by = ChangedBy {
            event: EventId::new(Position::FIRST),
            event_type: "user.updated".to_owned(),
            occurred_at: Position::FIRST.occurred_at,
            performer: Field::Value(Performer::new("user").id("u1").label("Ada")),
        };
        assert_eq!(by_bytes(&by), size_of::<ChangedBy>() + 12 + 4 + 2 + 3);
    }
}
