//! Every identifier that crosses a floor: an event's place in commit order, its place in reading
//! order, its public name, and the numbers of files. Each is a type of its own so that they cannot
//! be mixed up.

mod export;

use core::fmt;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::time::Time;

pub use export::ExportId;

/// An event's place in commit order: dense, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub u64);

/// An event's place in reading order: `(occurred_at, seq)`, the total order of all scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// When the event happened.
    pub occurred_at: Time,
    /// Its place in commit order, which decides between events of one microsecond.
    pub seq: Sequence,
}

/// Names one store for ever: 128 random bits, made when the store is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoreId(pub(crate) [u8; 16]);

/// Names one segment file within its store; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentId(pub(crate) u64);

/// Names one write-ahead-log file within its store; never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WalId(pub(crate) u64);

/// Names one manifest file within its store; never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ManifestId(pub(crate) u64);

/// An event's public name: `evt_` and a ULID that sorts exactly as reads do.
///
/// The 128 bits are 48 bits of `occurred_at` in milliseconds, 10 bits of its remaining
/// microseconds, 6 zero bits and 64 bits of `seq`, in the alphabet of the ULID specification
/// (Crockford's base 32). The name finds its event without an index.
///
/// ```
/// let id: auditdb::EventId = "evt_01HY2Z0J80FM00000000000001".parse()?;
/// assert_eq!(id.position().seq, auditdb::Sequence(1));
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Position);

pub(crate) const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PREFIX: &str = "evt_";
const DIGITS: usize = 26;
/// Digits of an id that tell the millisecond.
pub(crate) const ULID_TIME: usize = 10;

impl StoreId {
    /// A name that no other store has: the outputs of two of the standard library's hashers
    /// (SipHash), 64 bits each. Their keys come from the system's randomness, once a thread, and
    /// no two hashers of a thread have the same.
    pub(crate) fn random() -> StoreId {
        use core::hash::BuildHasher;
        let word = || std::hash::RandomState::new().hash_one(std::process::id());
        let (low, high) = (word(), word());
        StoreId((u128::from(high) << 64 | u128::from(low)).to_le_bytes())
    }
}

impl Position {
    /// Before every event in reading order from the oldest.
    pub(crate) const FIRST: Position = Position {
        occurred_at: Time::MIN,
        seq: Sequence(0),
    };
    /// At or after every event in reading order from the oldest.
    pub(crate) const LAST: Position = Position {
        occurred_at: Time::MAX,
        seq: Sequence(u64::MAX),
    };

    /// The next greater position, or this one at the very end.
    pub(crate) fn successor(self) -> Position {
        let Position { occurred_at, seq } = self;
        if let Some(next) = seq.0.checked_add(1) {
            return Position {
                occurred_at,
                seq: Sequence(next),
            };
        }
        let later = Time::from_micros(occurred_at.as_micros() + 1);
        later.map_or(self, |occurred_at| Position {
            occurred_at,
            seq: Sequence(0),
        })
    }

    /// The next smaller position, or this one at the very beginning.
    pub(crate) fn predecessor(self) -> Position {
        let Position { occurred_at, seq } = self;
        if let Some(previous) = seq.0.checked_sub(1) {
            return Position {
                occurred_at,
                seq: Sequence(previous),
            };
        }
        let earlier = Time::from_micros(occurred_at.as_micros() - 1);
        earlier.map_or(self, |occurred_at| Position {
            occurred_at,
            seq: Sequence(u64::MAX),
        })
    }
}

impl EventId {
    /// Bytes of an id's text.
    pub(crate) const TEXT_LEN: usize = PREFIX.len() + DIGITS;

    /// The name of the event at `position`.
    #[must_use]
    pub const fn new(position: Position) -> EventId {
        EventId(position)
    }

    /// When the event happened and its place in commit order.
    #[must_use]
    pub const fn position(self) -> Position {
        self.0
    }

    fn bits(self) -> u128 {
        let micros = u128::from(self.0.occurred_at.as_micros().unsigned_abs());
        (micros / 1000) << 80 | (micros % 1000) << 70 | u128::from(self.0.seq.0)
    }

    fn from_bits(bits: u128) -> Option<EventId> {
        let (millis, micros) = (bits >> 80, bits >> 70 & 0x3ff);
        if micros >= 1000 || bits >> 64 & 0x3f != 0 {
            return None;
        }
        let occurred_at = Time::from_micros(i64::try_from(millis * 1000 + micros).ok()?)?;
        let seq = Sequence(u64::try_from(bits & u128::from(u64::MAX)).ok()?);
        Some(EventId(Position { occurred_at, seq }))
    }

    /// The 30 bytes of the id's text, without going through [`fmt::Display`].
    pub(crate) fn to_text(self) -> [u8; EventId::TEXT_LEN] {
        let bits = self.bits();
        let mut text = *b"evt_00000000000000000000000000";
        let (_, letters) = text.split_at_mut(PREFIX.len());
        let (time, letters) = letters.split_at_mut(ULID_TIME);
        time.copy_from_slice(&self.time_text());
        let (middle, end) = letters.split_at_mut(size_of::<u64>());
        middle.copy_from_slice(&digits((bits >> 40) as u64));
        end.copy_from_slice(&digits(bits as u64));
        text
    }

    /// The first letters behind the prefix, which tell the millisecond.
    pub(crate) fn time_text(self) -> [u8; ULID_TIME] {
        let millis = self.0.occurred_at.as_micros().unsigned_abs() / 1000;
        let [.., first, second] = digits(millis >> 40);
        let [a, b, c, d, e, f, g, h] = digits(millis);
        [first, second, a, b, c, d, e, f, g, h]
    }
}

/// The eight digits of the lowest 40 bits, the highest one first.
const fn digits(bits: u64) -> [u8; 8] {
    base_32(bits).swap_bytes().to_le_bytes()
}

/// One in each byte.
const ONES: u64 = u64::MAX / 0xff;

/// The eight digits that the lowest 40 bits have in base 32, those of the lowest bits in the lowest
/// byte: told by arithmetic, all at once.
pub(crate) const fn base_32(bits: u64) -> u64 {
    let mut spread = bits & 0xf_ffff | (bits & 0xff_fff0_0000) << 12;
    spread = spread & 0x0000_03ff_0000_03ff | (spread & 0x000f_fc00_000f_fc00) << 6;
    spread = spread & 0x001f_001f_001f_001f | (spread & 0x03e0_03e0_03e0_03e0) << 3;
    // `:` to `@` lie between the digits and the letters, of which I, L, O and U are left out.
    let (h, j, m) = (
        at_least(spread, 10),
        at_least(spread, 18),
        at_least(spread, 20),
    );
    let (p, v) = (at_least(spread, 22), at_least(spread, 27));
    spread + ONES * b'0' as u64 + h * 7 + j + m + p + v
}

/// One in each byte that is `least` or more; all are below 0x80.
const fn at_least(bytes: u64, least: u64) -> u64 {
    (bytes + ONES * (0x80 - least)) >> 7 & ONES
}

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_text();
        formatter.pad(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// As [`fmt::Display`]: the text is what commands and exports call the event.
impl fmt::Debug for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl core::str::FromStr for EventId {
    type Err = Error;

    fn from_str(text: &str) -> Result<EventId, Error> {
        let refuse = || {
            let what = format!("{text:?} is not an event id (evt_ and 26 base-32 characters)");
            Error::new(ErrorKind::Invalid, what)
        };
        let digits = text
            .strip_prefix(PREFIX)
            .filter(|digits| digits.len() == DIGITS);
        let mut bits: u128 = 0;
        for digit in digits.ok_or_else(refuse)?.bytes() {
            let upper = digit.to_ascii_uppercase();
            let value = ALPHABET
                .iter()
                .position(|letter| *letter == upper)
                .ok_or_else(refuse)?;
            if bits >> 123 != 0 {
                return Err(refuse());
            }
            bits = bits << 5 | value as u128;
        }
        EventId::from_bits(bits).ok_or_else(refuse)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(micros: i64, seq: u64) -> EventId {
        let occurred_at = Time::saturating_from_micros(micros);
        EventId::new(Position {
            occurred_at,
            seq: Sequence(seq),
        })
    }

    #[test]
    fn ids_sort_as_positions_do_and_round_trip() {
        let micros = [0, 999, 1_000, 1_715_932_800_123_456, Time::MAX.as_micros()];
        let mut ids: Vec<EventId> = micros
            .iter()
            .flat_map(|micros| [0, 1, u64::MAX].map(|seq| id(*micros, seq)))
            .collect();
        ids.sort();
        let texts: Vec<String> = ids.iter().map(EventId::to_string).collect();
        assert!(texts.is_sorted());
        for (id, text) in ids.iter().zip(&texts) {
            assert_eq!(text.parse::<EventId>().ok(), Some(*id));
            assert_eq!(
                text.to_lowercase()
                    .replace("EVT", "evt")
                    .parse::<EventId>()
                    .ok(),
                Some(*id)
            );
        }
    }

    #[test]
    fn what_no_event_can_be_called_is_refused() {
        for text in [
            "",
            "evt_",
            "01HZ",
            "evt_ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "evt_0000000000000100000000000I",
        ] {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
    }
}
