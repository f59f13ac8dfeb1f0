//! A stable place to go on reading from: an opaque, URL-safe token that names a position, never a
//! page number or a bare time, so events of one microsecond are neither repeated nor lost. It
//! carries what the first page fixed (snapshot, resolved times), and what it may be used for
//! (store, filter, direction). Layout: `docs/format/cursor.md`.

use core::fmt;

use crate::codec::checksum::crc32;
use crate::codec::varint::Bytes;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Position;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::time::Time;

/// Where a page ended: pass it to the next query to go on right behind it.
///
/// The text form is 136 characters of `A–Z a–z 0–9 - _`. It survives restarts, sealing, merging and
/// concurrent appends; it says nothing of the events it lies between.
///
/// ```
/// use auditdb::{Cursor, Event, Options, Query, Store};
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-cursor-{}", std::process::id()));
///
/// let store = Store::open(&folder, Options::default())?;
/// store.append_batch(&[Event::new("user.created"), Event::new("user.removed")])?;
/// let first = store.page(&Query { limit: 1, ..Query::default() })?;
/// let token = first.next_cursor.expect("one event is left").to_string();
///
/// let cursor: Cursor = token.parse()?;
/// let rest = store.page(&Query { cursor: Some(cursor), ..Query::default() })?;
/// assert_eq!(rest.events[0].event.event_type, "user.created");
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) store: StoreId,
    pub(crate) oldest_first: bool,
    /// The next page begins strictly behind this position in reading direction.
    pub(crate) after: Position,
    /// Events of the snapshot that the first page saw: those with a smaller `seq`.
    pub(crate) snapshot_seq: u64,
    /// What the snapshot was complete through.
    pub(crate) complete_through: Option<Time>,
    pub(crate) query_digest: [u8; 16],
    /// The ends of the time range as the first page resolved it, both included.
    pub(crate) from: Position,
    pub(crate) to: Position,
}

const VERSION: u8 = 1;
const OLDEST_FIRST: u8 = 1;
const LEN: usize = 2 + 16 + 16 + 8 + 8 + 16 + 16 + 16 + 4;
pub(super) const TEXT_LEN: usize = (LEN * 8).div_ceil(6);
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Cursor {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LEN);
        out.push(VERSION);
        out.push(if self.oldest_first { OLDEST_FIRST } else { 0 });
        out.extend_from_slice(&self.store.0);
        put_position(&mut out, self.after);
        out.extend_from_slice(&self.snapshot_seq.to_le_bytes());
        let complete_through = self.complete_through.map_or(-1, Time::as_micros);
        out.extend_from_slice(&complete_through.to_le_bytes());
        out.extend_from_slice(&self.query_digest);
        put_position(&mut out, self.from);
        put_position(&mut out, self.to);
        out.extend_from_slice(&crc32(&out).to_le_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Cursor> {
        let (covered, checksum) = bytes.split_last_chunk::<4>()?;
        let mut bytes = Bytes::new(covered);
        if crc32(covered) != u32::from_le_bytes(*checksum) || bytes.u8()? != VERSION {
            return None;
        }
        let flags = bytes.u8()?;
        let cursor = Cursor {
            oldest_first: flags == OLDEST_FIRST,
            store: StoreId(bytes.array()?),
            after: position(&mut bytes)?,
            snapshot_seq: bytes.u64()?,
            complete_through: match bytes.i64()? {
                -1 => None,
                micros => Some(Time::from_micros(micros)?),
            },
            query_digest: bytes.array()?,
            from: position(&mut bytes)?,
            to: position(&mut bytes)?,
        };
        (bytes.is_empty() && flags <= OLDEST_FIRST).then_some(cursor)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&to_text(&self.encode()))
    }
}

impl core::str::FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Cursor> {
        if text.is_empty() {
            let what = "the cursor is empty; leave it out to begin at the top";
            return Err(Error::new(ErrorKind::CursorEmpty, what));
        }
        let bytes = from_text(text).filter(|_| text.len() == TEXT_LEN);
        bytes
            .and_then(|bytes| Cursor::decode(&bytes))
            .ok_or_else(|| {
                let what = "the cursor is damaged, cut short, or of an unknown version; \
                        begin again without one";
                Error::new(ErrorKind::CursorDamaged, what)
            })
    }
}

fn put_position(out: &mut Vec<u8>, position: Position) {
    out.extend_from_slice(&position.occurred_at.as_micros().to_le_bytes());
    out.extend_from_slice(&position.seq.0.to_le_bytes());
}

fn position(bytes: &mut Bytes<'_>) -> Option<Position> {
    let occurred_at = Time::from_micros(bytes.i64()?)?;
    Some(Position {
        occurred_at,
        seq: Sequence(bytes.u64()?),
    })
}

/// Base 64 with the URL-safe alphabet and no padding (RFC 4648, section 5).
pub(super) fn to_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(TEXT_LEN);
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            let letter = ALPHABET.get((bits >> (18 - 6 * place) & 63) as usize);
            text.push(letter.map_or('A', |letter| char::from(*letter)));
        }
    }
    text
}

pub(super) fn from_text(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(LEN);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for letter in group {
            let value = ALPHABET.iter().position(|known| known == letter)?;
            bits = bits << 6 | value as u32;
        }
        bits <<= 6 * (4 - group.len());
        let head = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
        let kept = group.len().checked_sub(1)?;
        if head.iter().skip(kept).any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend(head.iter().take(kept));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(after: Position) -> Cursor {
        Cursor {
            store: StoreId([7; 16]),
            oldest_first: true,
            after,
            snapshot_seq: 12,
            complete_through: Some(Time::MAX),
            query_digest: [9; 16],
            from: Position::FIRST,
            to: Position::LAST,
        }
    }

    #[test]
    fn tokens_round_trip_and_any_change_is_noticed() {
        let text = cursor(Position::LAST).to_string();
        assert_eq!(text.len(), TEXT_LEN);
        assert_eq!(text.parse::<Cursor>().ok(), Some(cursor(Position::LAST)));
        for at in 0..text.len() {
            for letter in ALPHABET {
                let mut changed = text.clone().into_bytes();
                if let Some(place) = changed.get_mut(at) {
                    *place = *letter;
                }
                let changed = String::from_utf8(changed).unwrap_or_default();
                if changed != text {
                    let kind = changed.parse::<Cursor>().map_err(|error| error.kind());
                    assert_eq!(kind, Err(ErrorKind::CursorDamaged), "{changed}");
                }
            }
            let cut = text.get(..at).unwrap_or_default().parse::<Cursor>();
            let kind = if at == 0 {
                ErrorKind::CursorEmpty
            } else {
                ErrorKind::CursorDamaged
            };
            assert_eq!(cut.map_err(|error| error.kind()), Err(kind));
        }
    }

    #[test]
    fn a_cursor_of_a_snapshot_complete_through_nothing_round_trips() -> Result<()> {
        let cursor = Cursor {
            complete_through: None,
            ..cursor(Position::LAST)
        };
        assert_eq!(cursor.to_string().parse::<Cursor>()?, cursor);
        Ok(())
    }

    #[test]
    fn a_direction_that_nobody_knows_is_damage_although_the_checksum_fits() {
        let mut bytes = cursor(Position::LAST).encode();
        bytes.truncate(LEN - 4);
        if let Some(flags) = bytes.get_mut(1) {
            *flags = OLDEST_FIRST + 1;
        }
        bytes.extend_from_slice(&crc32(&bytes).to_le_bytes());
        let kind = to_text(&bytes).parse::<Cursor>();
        assert_eq!(
            kind.map_err(|error| error.kind()),
            Err(ErrorKind::CursorDamaged)
        );
    }

    #[test]
    fn bytes_of_any_number_have_the_letters_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(to_text(bytes.as_bytes()), text);
            assert_eq!(from_text(text).as_deref(), Some(bytes.as_bytes()));
        }
        // One letter is no byte, and bits that are left over are 0.
        for text in ["Z", "Zh", "Zm9", "Zm9vZ", "Zm9vYn"] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }

    const PAGE: &str = include_str!("../../docs/format/cursor.md");

    /// What stands in the first block of the page's section `title` that is fenced as `language`.
    fn block(title: &str, language: &str) -> String {
        let section = PAGE.split(title).nth(1).unwrap_or_default();
        let block = section
            .split(&format!("```{language}\n"))
            .nth(1)
            .unwrap_or_default();
        block.split("\n```").next().unwrap_or_default().to_owned()
    }

    #[test]
    fn the_page_adds_up_to_the_constants() {
        let mut end = 0;
        let table = PAGE
            .lines()
            .skip_while(|line| !line.starts_with("| offset"));
        for row in table.skip(2).take_while(|line| line.starts_with('|')) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let number = |at: usize| cells.get(at).and_then(|cell| cell.parse::<usize>().ok());
            assert_eq!(number(1), Some(end), "{row}");
            end += number(2).unwrap_or_default();
        }
        assert_eq!(end, LEN);
        assert!(PAGE.contains(&format!("token  = {TEXT_LEN} characters: the {LEN} bytes")));
        assert!(PAGE.contains(&format!("| version: {VERSION} |")));
        assert!(PAGE.contains(&format!("newest first, {OLDEST_FIRST} oldest first")));
        assert!(PAGE.contains(&format!("0 to {})", Time::MAX.as_micros())));
    }

    #[test]
    fn the_example_of_the_page_is_what_the_code_makes()
    -> core::result::Result<(), Box<dyn core::error::Error>> {
        let after = Position {
            occurred_at: "2026-05-17T08:00:00.25Z".parse()?,
            seq: Sequence(7),
        };
        let example = Cursor {
            store: StoreId(*b"0123456789abcdef"),
            oldest_first: false,
            complete_through: Some("2026-05-17T08:00:01Z".parse()?),
            query_digest: *b"ABCDEFGHIJKLMNOP",
            ..cursor(after)
        };
        let text = block("## Worked example", "text");
        let bytes: core::result::Result<Vec<u8>, _> = block("## Worked example", "hex")
            .split_whitespace()
            .map(|byte| u8::from_str_radix(byte, 16))
            .collect();
        assert_eq!(example.encode(), bytes?);
        assert_eq!(example.to_string(), text);
        assert_eq!(text.parse::<Cursor>()?, example);
        Ok(())
    }
}
