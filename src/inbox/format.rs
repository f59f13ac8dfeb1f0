//! A record's two lines: an event as JSON with the store that it is for, and the checksum of that.
//! Normative: `docs/format/inbox.md`.

use std::path::Path;

use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

use crate::codec::checked;
use crate::codec::digits::hex;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Field;
use crate::id::StoreId;
use crate::limits;

/// What the first line begins with, the version in it.
const HEAD: &str = "{\"auditdb_inbox\":1,";
/// What the types of all events begin with that may be left.
const TYPES: &str = "audit.";
/// Bytes of a key's digest in a name.
const NAME_BYTES: usize = 16;

/// The first line, to be written.
#[derive(Serialize)]
struct LineRef<'e> {
    auditdb_inbox: u32,
    store: String,
    event: &'e Event,
}

/// The first line, as it was read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(rename = "auditdb_inbox")]
    _version: u32,
    store: String,
    event: Event,
}

/// What the record of an event is called, after its key; refuses an event that cannot be left.
pub(super) fn name(event: &Event) -> Result<String> {
    let refuse = |field: &str, rule: &str| Err(Error::invalid(field, rule));
    let Field::Value(key) = &event.key else {
        return refuse(
            "key",
            "a record is taken over once, by its key, and has none",
        );
    };
    if !event.event_type.starts_with(TYPES) {
        return refuse("type", "what is left for the writer is audit.… only");
    }
    if !matches!(event.occurred_at, Field::Value(_)) {
        return refuse("occurred_at", "a record says when it happened");
    }
    let digest = Sha256::digest(key.as_bytes());
    Ok(hex(digest.get(..NAME_BYTES).unwrap_or_default()))
}

/// The record of an event, for this store.
pub(crate) fn encode(store: StoreId, event: &Event) -> Result<Vec<u8>> {
    let line = LineRef {
        auditdb_inbox: 1,
        store: store.to_string(),
        event,
    };
    let line = serde_json::to_vec(&line).map_err(|error| {
        Error::new(ErrorKind::Invalid, "the event cannot be written down").with_source(error)
    })?;
    let bytes = checked::seal(line);
    if bytes.len() > limits::INBOX_BYTES {
        let most = limits::INBOX_BYTES;
        let what = format!("data: a record that is left for the writer has up to {most} bytes");
        return Err(Error::new(ErrorKind::OutOfRange, what));
    }
    Ok(bytes)
}

/// The event in the bytes of `file`, whose record is called so, for this store.
pub(crate) fn decode(file: &Path, called: &str, store: StoreId, bytes: &[u8]) -> Result<Event> {
    let (name, event) = read(file, store, bytes)?;
    if name != called {
        let what = format!("the record is of the name {name}");
        return Err(Error::corrupt(file, 0, what));
    }
    Ok(event)
}

/// The event in the bytes of `file`, for this store, and what its record has to be called.
pub(crate) fn read(file: &Path, store: StoreId, bytes: &[u8]) -> Result<(String, Event)> {
    let line = checked::open(bytes, file, "the record")?;
    if !line.starts_with(HEAD.as_bytes()) {
        let what = "the record is of an unknown version";
        return Err(Error::new(ErrorKind::Unsupported, what).in_file(file));
    }
    let corrupt = |what: String| Error::corrupt(file, 0, what);
    let line: Line =
        serde_json::from_slice(line).map_err(|error| corrupt(format!("the record: {error}")))?;
    if line.store != store.to_string() {
        let what = format!("the record is for the store {}", line.store);
        return Err(corrupt(what));
    }
    let name = name(&line.event).map_err(|error| corrupt(format!("the record: {error}")))?;
    Ok((name, line.event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Outcome;
    use crate::event::Performer;
    use crate::event::Subject;
    use crate::time::Time;

    const PAGE: &str = include_str!("../../docs/format/inbox.md");
    const STORE: StoreId = StoreId([0x11; 16]);

    fn event() -> Result<Event> {
        let event = Event::new("audit.exported")
            .occurred_at(Time::saturating_from_micros(1_779_004_800_000_001))
            .performer(Performer::new("user").id("u7"))
            .subject(Subject::new("export").id("exp_00000000000000000000000001"))
            .outcome(Outcome::Success)
            .key("audit.exported:exp_00000000000000000000000001");
        event.data("{\"rows\":20}")
    }

    #[test]
    fn the_page_shows_a_record_as_it_is_written() -> Result<()> {
        let event = event()?;
        let bytes = encode(STORE, &event)?;
        let text = String::from_utf8_lossy(&bytes);
        assert!(PAGE.contains(&format!("```text\n{text}```")), "{text}");
        let name = name(&event)?;
        assert!(PAGE.contains(&format!("inbox/{name}.event")), "{name}");
        assert_eq!(decode(Path::new("x"), &name, STORE, &bytes)?, event);
        for (row, at) in bytes.chunks(16).zip((0..).step_by(16)) {
            let row: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
            let row = format!("{at:04x}  {}\n", row.join(" "));
            assert!(PAGE.contains(&row), "{row}");
        }
        Ok(())
    }

    #[test]
    fn every_flipped_bit_every_cut_and_every_other_owner_is_noticed() -> Result<()> {
        let event = event()?;
        let (bytes, name) = (encode(STORE, &event)?, name(&event)?);
        let read = |name: &str, store, bytes: &[u8]| decode(Path::new("x"), name, store, bytes);
        for len in 0..bytes.len() {
            let cut = bytes.get(..len).unwrap_or_default();
            assert!(read(&name, STORE, cut).is_err(), "cut to {len}");
        }
        for bit in 0..8 * bytes.len() {
            let mut flipped = bytes.clone();
            if let Some(byte) = flipped.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
            assert!(read(&name, STORE, &flipped).is_err(), "bit {bit}");
        }
        assert!(read(&name, StoreId([0x12; 16]), &bytes).is_err());
        assert!(read("00112233445566778899aabbccddeeff", STORE, &bytes).is_err());
        Ok(())
    }

    #[test]
    fn only_what_tells_of_exports_and_reading_can_be_left() -> Result<()> {
        let whole = event()?;
        let others = [
            Event {
                key: Field::Absent,
                ..whole.clone()
            },
            Event {
                occurred_at: Field::Absent,
                ..whole.clone()
            },
            Event {
                event_type: "user.created".to_owned(),
                ..whole
            },
        ];
        for (event, field) in others.iter().zip(["key: ", "occurred_at: ", "type: "]) {
            let refused = name(event).err().map(|error| error.to_string());
            assert!(refused.is_some_and(|words| words.starts_with(field)));
        }
        Ok(())
    }
}
