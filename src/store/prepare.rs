//! From an event to a row without a place: checked and encoded outside every lock.

use std::sync::Arc;

use super::rules::Rules;
use crate::codec::canonical;
use crate::codec::fingerprint;
use crate::codec::fingerprint::Proven;
use crate::codec::row::Body;
use crate::codec::row::Fingerprints;
use crate::codec::row::ImportMark;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Field;
use crate::id::EventId;
use crate::limits;
use crate::time::Time;

/// The import mark that travels with an event into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The mapping's name.
    pub(crate) mapping: Arc<str>,
    /// How many records exactly like this one came before it in its import.
    pub(crate) repeat: u64,
}

/// An event that is to be stored, as it came.
#[derive(Debug)]
pub(crate) enum Offer {
    Event(Box<Event>),
    Content(Ready),
}

/// The content of an event that keeps all rules and says when it happened, and what it is found by.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) content: String,
    pub(crate) time: Time,
    /// Of its own key.
    pub(crate) key: Option<Proven>,
    /// Of the id it had where it came from.
    pub(crate) origin: Option<u64>,
}

/// An event ready for the log, but for its place and time.
pub(super) struct Prepared {
    pub(super) content: String,
    pub(super) time: Option<Time>,
    pub(super) mark: Option<Mark>,
    pub(super) has_key: bool,
    pub(super) prints: Fingerprints,
    /// What proves the fingerprint of the key or the mark.
    pub(super) proof: u128,
    /// The event's cause is this member of its own batch; the event is encoded again when the
    /// cause has its id.
    cause: Option<(usize, Box<Event>)>,
}

impl Prepared {
    /// Checks and encodes `event`, the member `number` of its batch, in the memory of `text`.
    pub(super) fn new(
        event: &Event,
        mark: Option<Mark>,
        number: Option<usize>,
        rules: &Rules,
        text: String,
    ) -> Result<Prepared> {
        rules.check(event)?;
        let content = canonical::content_in(text, event);
        rules.check_size(&content)?;
        let cause = match event
            .caused_by
            .as_deref()
            .and_then(|cause| cause.strip_prefix('#'))
        {
            None => None,
            Some(member) => Some((earlier_member(member, number)?, Box::new(event.clone()))),
        };
        let time = event.occurred_at.value().copied();
        let key = match (event.key.as_deref(), &mark) {
            (Some(key), _) => Some(fingerprint::proven_key(key)),
            (None, Some(mark)) => Some(fingerprint::proven_import(mark.as_ref(), time, &content)),
            (None, None) => None,
        };
        let origin = event.origin.value().and_then(|origin| origin.id.as_deref());
        Ok(Prepared {
            time,
            has_key: event.key.value().is_some(),
            mark: if event.key.value().is_some() {
                None
            } else {
                mark
            },
            prints: Fingerprints {
                key: key.map(|key| key.fingerprint),
                origin: origin.map(fingerprint::origin_id),
            },
            proof: key.map_or(0, |key| key.proof),
            cause,
            content,
        })
    }

    /// Prepares what an import offers.
    pub(super) fn imported(
        offer: &Offer,
        mark: Option<Mark>,
        rules: &Rules,
        mut text: String,
    ) -> Result<Prepared> {
        match offer {
            Offer::Event(event) => Prepared::new(event, mark, None, rules, text),
            Offer::Content(ready) => {
                text.clear();
                text.push_str(&ready.content);
                let ready = Ready {
                    content: text,
                    ..*ready
                };
                Prepared::taken(Offer::Content(ready), mark, rules)
            }
        }
    }

    /// As [`Prepared::imported`], and takes the content as it is.
    pub(super) fn taken(offer: Offer, mark: Option<Mark>, rules: &Rules) -> Result<Prepared> {
        let ready = match offer {
            Offer::Event(event) => {
                return Prepared::new(&event, mark, None, rules, String::new());
            }
            Offer::Content(ready) => ready,
        };
        rules.check_content(&ready.content)?;
        let time = Some(ready.time);
        let mark = mark.filter(|_| ready.key.is_none());
        let named = mark.as_ref();
        let named =
            named.map(|mark| fingerprint::proven_import(mark.as_ref(), time, &ready.content));
        let key = ready.key.or(named);
        Ok(Prepared {
            time,
            mark,
            has_key: ready.key.is_some(),
            prints: Fingerprints {
                key: key.map(|key| key.fingerprint),
                origin: ready.origin,
            },
            proof: key.map_or(0, |key| key.proof),
            cause: None,
            content: ready.content,
        })
    }

    /// Puts the cause's id in place of its number, once it has one.
    pub(super) fn resolve_cause(&mut self, ids: impl Fn(usize) -> Option<EventId>) {
        let Some((member, event)) = &mut self.cause else {
            return;
        };
        if let Some(id) = ids(*member) {
            event.caused_by = Field::Value(id.to_string());
            self.content = canonical::content(event);
        }
    }

    pub(super) fn body(&self) -> Body<'_> {
        Body {
            time_given: self.time.is_some(),
            import: self.mark.as_ref().map(Mark::as_ref),
            content: &self.content,
        }
    }

    /// Bytes the row will take in the log, about.
    pub(super) fn bytes(&self) -> usize {
        self.content.len() + 32
    }
}

impl Mark {
    fn as_ref(&self) -> ImportMark<'_> {
        ImportMark {
            mapping: &self.mapping,
            repeat: self.repeat,
        }
    }
}

/// Checks the size of a batch.
pub(super) fn check_batch(rows: &[Prepared]) -> Result<()> {
    if rows.len() > limits::BATCH_EVENTS {
        let rule = format!(
            "{} events, at most {} are taken",
            rows.len(),
            limits::BATCH_EVENTS
        );
        return Err(Error::invalid("batch", rule));
    }
    let bytes: usize = rows.iter().map(Prepared::bytes).sum();
    if bytes > limits::BATCH_BYTES {
        let rule = format!("{bytes} bytes, at most {} are taken", limits::BATCH_BYTES);
        return Err(Error::invalid("batch", rule));
    }
    Ok(())
}

fn earlier_member(member: &str, number: Option<usize>) -> Result<usize> {
    let refuse =
        |rule: &str| Error::new(ErrorKind::Invalid, format!("caused_by: #{member} {rule}"));
    let member: usize = member
        .parse()
        .map_err(|_| refuse("is no number of an event in the batch"))?;
    match number {
        None => Err(refuse(
            "names an event of a batch, and this event is in none",
        )),
        Some(number) if member >= number => Err(refuse("must name an earlier event of the batch")),
        Some(_) => Ok(member),
    }
}
