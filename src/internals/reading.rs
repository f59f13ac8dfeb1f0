//! The two readers of a stored content side by side: what fuzz targets hold against each other and
//! benches time.

use super::POSITION;
use crate::codec::canonical;
use crate::codec::row::Body;
use crate::codec::row::Row;
use crate::event::Event;
use crate::filter::indexed;
use crate::filter::term;
use crate::time::Time;

/// Both readers of a row's content say the same, and so do the terms and fingerprints made of it.
pub(super) fn reads_alike(row: &Row<'_>) {
    let model = row
        .model_event()
        .filter(|event| canonical::content(event) == row.body.content);
    let content = row.content();
    assert_eq!(row.application_event(), model);
    let (Some(content), Some(event)) = (content, model) else {
        return;
    };
    assert_eq!(row.content_fingerprints(&content), row.fingerprints(&event));
    let (mut found, mut wanted) = (Vec::new(), Vec::new());
    indexed::terms(&content, |term| found.push(term.to_vec()));
    term::terms(&event, |term| wanted.push(term.to_vec()));
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    assert!(found.iter().all(|term| !term.is_empty()));
}

/// Reads any text as the content of a row, by both readers.
pub fn content_of_text(text: &str) {
    reads_alike(&row_of(text));
}

/// The content that a row of `event` would hold.
#[must_use]
pub fn content(event: &Event) -> String {
    canonical::content(event)
}

/// What benches compare: one reading of a content, and how many terms it gave where asked for them.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// The event as serde reads it.
    Model,
    /// The event from the content taken apart.
    Event,
    /// The content taken apart.
    Parts,
    /// The index terms by way of serde's event.
    ModelTerms,
    /// The index terms of the content taken apart.
    Terms,
}

impl Reading {
    /// Reads `content`.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn read(self, content: &str) -> usize {
        let row = row_of(content);
        let mut count = 0;
        let event = |event: Option<Event>| event.expect("a content");
        let parts = || row.content().expect("a content");
        match self {
            Reading::Model => count = event(row.model_event()).event_type.len(),
            Reading::Event => count = event(row.application_event()).event_type.len(),
            Reading::Parts => count = parts().event_type.text().len(),
            Reading::ModelTerms => term::terms(&event(row.model_event()), |_| count += 1),
            Reading::Terms => indexed::terms(&parts(), |_| count += 1),
        }
        count
    }
}

fn row_of(content: &str) -> Row<'_> {
    Row {
        position: POSITION,
        recorded_at: Time::MAX,
        body: Body {
            time_given: false,
            import: None,
            content,
        },
    }
}
