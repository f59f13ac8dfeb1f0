//! One event as it is stored, in the log, in memory and in segments alike: its place, and a body
//! of its content and what the store must remember beside it. Spelled out in
//! `docs/format/canonical.md`.

use super::buffer::Append;
use super::canonical;
use super::content::Content;
use super::content::Parts;
use super::digits::Digits;
use super::fingerprint;
use super::varint;
use super::varint::Bytes;
use crate::event::Event;
use crate::event::Field;
use crate::event::StoredEvent;
use crate::id::EventId;
use crate::id::Position;
use crate::time::Time;

/// What an import leaves on an event that has no key of its own, so that the same record is
/// recognised when it comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImportMark<'a> {
    /// The mapping's name.
    pub(crate) mapping: &'a str,
    /// How many records exactly like this one came before it in its import.
    pub(crate) repeat: u64,
}

/// The part of a row that does not depend on its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body<'a> {
    /// The application said when the event happened; otherwise the store took the present moment.
    pub(crate) time_given: bool,
    /// The import that brought the event, if one did.
    pub(crate) import: Option<ImportMark<'a>>,
    /// The canonical object without the store's keys.
    pub(crate) content: &'a str,
}

/// One stored event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) position: Position,
    pub(crate) recorded_at: Time,
    pub(crate) body: Body<'a>,
}

/// The up to two fingerprints by which a row is found without a scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fingerprints {
    /// Of the event's key, or of its import mark and content.
    pub(crate) key: Option<u64>,
    /// Of the id the event had where it came from.
    pub(crate) origin: Option<u64>,
}

const TIME_GIVEN: u8 = 1;
const IMPORTED: u8 = 2;

impl<'a> Body<'a> {
    /// Appends `flags u8, [mapping, repeat], content`, the texts behind their lengths.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let imported = if self.import.is_some() { IMPORTED } else { 0 };
        out.push(if self.time_given { TIME_GIVEN } else { 0 } | imported);
        if let Some(mark) = self.import {
            varint::put_bytes(out, mark.mapping.as_bytes());
            varint::put_u64(out, mark.repeat);
        }
        varint::put_bytes(out, self.content.as_bytes());
    }

    /// Reads a body and leaves what follows it. `None` when the bytes are no body.
    pub(crate) fn decode_from(bytes: &mut Bytes<'a>) -> Option<Body<'a>> {
        let flags = bytes.u8()?;
        if flags & !(TIME_GIVEN | IMPORTED) != 0 {
            return None;
        }
        let import = if flags & IMPORTED == 0 {
            None
        } else {
            Some(ImportMark {
                mapping: bytes.text()?,
                repeat: bytes.varint()?,
            })
        };
        let content = bytes.text()?;
        canonical::seams(content)?;
        Some(Body {
            time_given: flags & TIME_GIVEN != 0,
            import,
            content,
        })
    }

    /// Reads the body that fills `bytes`.
    #[cfg(any(test, feature = "internals"))]
    pub(crate) fn decode(bytes: &'a [u8]) -> Option<Body<'a>> {
        let mut bytes = Bytes::new(bytes);
        Body::decode_from(&mut bytes).filter(|_| bytes.is_empty())
    }
}

impl<'a> Row<'a> {
    /// The content taken apart, or `None` when it is none.
    pub(crate) fn content(&self) -> Option<Content<'a>> {
        Content::parse(self.body.content)
    }

    /// Appends the canonical line, without a line end.
    pub(crate) fn write_line(&self, out: &mut impl Append) {
        let content = self.body.content;
        let Some((time_at, recorded_at)) = canonical::seams(content) else {
            return;
        };
        let part = |from: usize, to: usize| content.as_bytes().get(from..to).unwrap_or_default();
        out.append(b"{\"id\":\"");
        out.append(&EventId::new(self.position).to_text());
        out.append(b"\",\"seq\":");
        out.append(Digits::of(self.position.seq.0).as_bytes());
        out.append(b",");
        out.append(part(1, time_at));
        out.append(b",\"occurred_at\":\"");
        out.append(&self.position.occurred_at.to_text());
        out.append(b"\"");
        out.append(part(time_at, recorded_at));
        out.append(b",\"recorded_at\":\"");
        out.append(&self.recorded_at.to_text());
        out.append(b"\"");
        out.append(part(recorded_at, content.len()));
    }

    /// The event as the application set it, or `None` when the content is no event.
    pub(crate) fn application_event(&self) -> Option<Event> {
        self.content().map(|content| self.timed(content.event()))
    }

    /// The same as serde reads it, which knows nothing of the order and form of contents: what
    /// [`Row::application_event`] is compared with, and what takes a row that was damaged well
    /// enough to read.
    pub(crate) fn model_event(&self) -> Option<Event> {
        let event = serde_json::from_str(self.body.content).ok();
        event.map(|event| self.timed(event))
    }

    fn timed(&self, mut event: Event) -> Event {
        if self.body.time_given {
            event.occurred_at = Field::Value(self.position.occurred_at);
        }
        event
    }

    /// The event with what the store gave it, or `None` when the content is no event.
    pub(crate) fn to_event(self) -> Option<StoredEvent> {
        self.application_event().map(|event| self.stored(event))
    }

    /// The same of the row's own content, taken apart.
    pub(crate) fn event_with(&self, parts: Parts<'_>) -> StoredEvent {
        self.stored(parts.event())
    }

    fn stored(&self, mut event: Event) -> StoredEvent {
        event.occurred_at = Field::Value(self.position.occurred_at);
        StoredEvent {
            id: EventId::new(self.position),
            seq: self.position.seq,
            occurred_at: self.position.occurred_at,
            recorded_at: self.recorded_at,
            event,
        }
    }

    /// The row's fingerprints; `event` is the row's own event.
    pub(crate) fn fingerprints(&self, event: &Event) -> Fingerprints {
        let origin = event.origin.value().and_then(|origin| origin.id.as_deref());
        self.fingerprints_of(event.key.as_deref(), origin)
    }

    /// The same from the row's own content.
    pub(crate) fn content_fingerprints(&self, content: &Content<'_>) -> Fingerprints {
        let key = content.key.value().map(|key| key.text());
        let origin = content.origin_id().map(|id| id.text());
        self.fingerprints_of(key.as_deref(), origin.as_deref())
    }

    /// The same of a row with this key and this id of its origin.
    pub(crate) fn fingerprints_of(&self, key: Option<&str>, origin: Option<&str>) -> Fingerprints {
        let time = self.body.time_given.then_some(self.position.occurred_at);
        let key = match (key, self.body.import) {
            (Some(key), _) => Some(fingerprint::key(key)),
            (None, Some(mark)) => Some(fingerprint::import(mark, time, self.body.content)),
            (None, None) => None,
        };
        Fingerprints {
            key,
            origin: origin.map(fingerprint::origin_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Sequence;

    #[test]
    fn the_line_is_what_serde_makes_of_the_event() -> Result<(), Box<dyn core::error::Error>> {
        let event = Event::new("user.updated")
            .sub_type("a\"b\\\u{1}\u{1f}\n\u{7f}é")
            .offset(-90)
            .metadata("k", "")
            .change("x", "null", "[1.50, {\"b\" : 2}]")?
            .data(" {\"a\": 1e5 } ")?;
        for (sub_type, offset) in [
            (event.sub_type.clone(), event.offset),
            (Field::Absent, Field::Absent),
            (Field::Null, Field::Null),
            (Field::Value(String::new()), Field::Absent),
        ] {
            let event = Event {
                sub_type,
                offset,
                ..event.clone()
            };
            let content = canonical::content(&event);
            let body = Body {
                time_given: true,
                import: None,
                content: &content,
            };
            let occurred_at = "2026-05-17T08:00:00Z".parse()?;
            let position = Position {
                occurred_at,
                seq: Sequence(7),
            };
            let row = Row {
                position,
                recorded_at: occurred_at,
                body,
            };
            let mut line = Vec::new();
            row.write_line(&mut line);
            let stored = row.to_event().ok_or("no event")?;
            assert_eq!(String::from_utf8(line)?, serde_json::to_string(&stored)?);
            let mut bytes = Vec::new();
            body.encode(&mut bytes);
            assert_eq!(Body::decode(&bytes), Some(body));
        }
        Ok(())
    }

    const PAGE: &str = include_str!("../../docs/format/canonical.md");

    /// What stands in the page's last block that is fenced as `language`.
    fn block(language: &str) -> &'static str {
        let fence = format!("```{language}\n");
        let block = PAGE.rsplit(&fence).next().unwrap_or_default();
        block.split("\n```").next().unwrap_or_default()
    }

    #[test]
    fn the_example_of_the_page_is_what_the_code_makes() -> Result<(), Box<dyn core::error::Error>> {
        let line = block("json");
        let stored: StoredEvent = serde_json::from_str(line)?;
        let content = canonical::content(&stored.event);
        let body = Body {
            time_given: true,
            import: Some(ImportMark {
                mapping: "github",
                repeat: 300,
            }),
            content: &content,
        };
        let mut bytes = Vec::new();
        body.encode(&mut bytes);
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, block("hex").split_whitespace().collect::<Vec<_>>());
        assert_eq!(Body::decode(&bytes), Some(body));
        for cut in 0..bytes.len() {
            assert_eq!(Body::decode(bytes.get(..cut).unwrap_or_default()), None);
        }
        let row = Row {
            position: stored.position(),
            recorded_at: stored.recorded_at,
            body,
        };
        let mut written = Vec::new();
        row.write_line(&mut written);
        assert_eq!(String::from_utf8(written)?, line);
        assert_eq!(row.to_event(), Some(stored));
        Ok(())
    }

    #[test]
    fn the_limits_of_the_page_are_those_of_the_code() {
        use crate::limits;
        for row in [
            format!(
                "| {} bytes, by option up to {} |",
                limits::EVENT_BYTES,
                limits::EVENT_BYTES_CEILING
            ),
            format!("| any text | {} bytes |", limits::TEXT_BYTES),
            format!("of metadata and context | {} bytes |", limits::WORD_BYTES),
            format!("`after` | {} levels |", limits::JSON_DEPTH),
            format!("| metadata keys | {} |", limits::METADATA_KEYS),
            format!("| further context keys | {} |", limits::CONTEXT_KEYS),
            format!("| targets | {} |", limits::TARGETS),
            format!("| changes | {} |", limits::CHANGES),
            format!("| offset | {} minutes", limits::OFFSET_MINUTES),
        ] {
            assert!(PAGE.contains(&row), "{row}");
        }
        for (bit, meaning) in [(TIME_GIVEN, "said when"), (IMPORTED, "an import")] {
            let bit = bit.trailing_zeros();
            let flags = PAGE
                .lines()
                .find(|line| line.starts_with("| 0 | 1 | flags"));
            let told = flags.and_then(|line| line.split(&format!("bit {bit}, ")).nth(1));
            let told = told.and_then(|rest| rest.split(';').next());
            assert!(told.is_some_and(|told| told.contains(meaning)), "{told:?}");
        }
    }
}
