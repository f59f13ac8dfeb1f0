//! Times as records spell them, so that a leaf which tells the moment of its row, or one near it,
//! takes the bits of its distance from it. What a spelling does not give back to the last byte is no
//! time. A number that counts records as a row's seq does is told by its distance from that likewise.

use super::gather::integer;
use crate::codec::digits::Digits;
use crate::id::Position;
use crate::time::Time;

/// The spellings, by number; a `T`, a blank or a `Z` stands for itself. The last one is no time.
pub(super) const SPELLINGS: [Spelling; 7] = [
    Spelling("2026-05-17T08:00:00Z", 1_000_000),
    Spelling("2026-05-17T08:00:00.000Z", 1_000),
    Spelling("2026-05-17T08:00:00.000000Z", 1),
    Spelling("2026-05-17 08:00:00", 1_000_000),
    Spelling("2026-05-17 08:00:00.000", 1_000),
    Spelling("05-17-2026 08:00:00.000", 1_000),
    Spelling("2026", 0),
];

/// An example, and the microseconds of its unit; 0 of a number, which is counted from the row's seq.
pub(super) struct Spelling(pub(super) &'static str, pub(super) i64);

/// How the times of a column are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpelledTime {
    number: u8,
}

/// What all leaves of a column have in common while they are times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Times {
    /// No leaf was seen yet.
    #[default]
    Unseen,
    /// Not all leaves are times, or not of one spelling.
    Never,
    /// The lowest and the highest distance from the row, in units of the spelling.
    Spelled(SpelledTime, i64, i64),
}

/// A time as it is spelled.
pub(super) struct TimeText {
    bytes: [u8; Time::TEXT_LEN],
    len: usize,
}

impl TimeText {
    /// A number as it is printed.
    fn of_number(number: i64) -> Option<TimeText> {
        let digits = Digits::of(number.unsigned_abs());
        let sign: &[u8] = if number < 0 { b"-" } else { b"" };
        let len = sign.len() + digits.as_bytes().len();
        let mut bytes = [0; Time::TEXT_LEN];
        let (start, rest) = bytes.split_at_mut(sign.len());
        start.copy_from_slice(sign);
        rest.get_mut(..digits.as_bytes().len())?
            .copy_from_slice(digits.as_bytes());
        Some(TimeText { bytes, len })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl SpelledTime {
    /// The spelling of this number.
    pub(super) fn of_number(number: u8) -> Option<SpelledTime> {
        (usize::from(number) < SPELLINGS.len()).then_some(SpelledTime { number })
    }

    /// The spelling of `text`, which stands in the row at `position`.
    fn of(text: &[u8], position: Position) -> Option<SpelledTime> {
        let mut all = (0..).map_while(SpelledTime::of_number);
        all.find(|spelling| spelling.distance(text, position).is_some())
    }

    pub(super) const fn number(self) -> u8 {
        self.number
    }

    fn example(self) -> &'static str {
        let spelling = SPELLINGS.get(usize::from(self.number));
        spelling.map_or("", |spelling| spelling.0)
    }

    fn unit(self) -> i64 {
        let spelling = SPELLINGS.get(usize::from(self.number));
        spelling.map_or(1, |spelling| spelling.1)
    }

    /// The time that `text` spells.
    fn read(self, text: &[u8]) -> Option<Time> {
        let same = |(letter, example): (&u8, u8)| match example {
            b'0'..=b'9' => letter.is_ascii_digit(),
            mark => *letter == mark,
        };
        if text.len() != self.example().len() || !text.iter().zip(self.example().bytes()).all(same)
        {
            return None;
        }
        let mut whole = *b"1970-01-01T00:00:00.000000Z";
        let text_len = text.len() - usize::from(self.ends_in_z());
        whole
            .get_mut(..text_len)?
            .copy_from_slice(text.get(..text_len)?);
        if self.begins_with_month() {
            let (day, _) = whole.split_at_mut(10);
            day.rotate_left(6);
            day.get_mut(4..)?.rotate_right(1);
        }
        *whole.get_mut(10)? = b'T';
        let (time, _) = Time::parse_with_offset(core::str::from_utf8(&whole).ok()?).ok()?;
        (self.spell(time).as_bytes() == text).then_some(time)
    }

    fn begins_with_month(self) -> bool {
        self.example().starts_with("05-17")
    }

    fn ends_in_z(self) -> bool {
        self.example().ends_with('Z')
    }

    fn spell(self, time: Time) -> TimeText {
        let mut bytes = time.to_text();
        if self.begins_with_month() {
            let (day, _) = bytes.split_at_mut(10);
            day.rotate_left(5);
            let (_, year) = day.split_at_mut(5);
            year.rotate_right(1);
        }
        let len = self.example().len();
        let marks = [
            (10, self.example().as_bytes().get(10)),
            (len - 1, Some(&b'Z')),
        ];
        for (at, mark) in marks.into_iter().take(1 + usize::from(self.ends_in_z())) {
            if let Some((slot, mark)) = bytes.get_mut(at).zip(mark) {
                *slot = *mark;
            }
        }
        TimeText { bytes, len }
    }

    /// Whether it is no time but a number, counted from the row's seq.
    fn is_number(self) -> bool {
        self.unit() == 0
    }

    /// How far the time that `text` spells lies from the row at `position`.
    pub(super) fn distance(self, text: &[u8], position: Position) -> Option<i64> {
        if self.is_number() {
            let seq = i64::try_from(position.seq.0).ok()?;
            return integer(text)?.checked_sub(seq);
        }
        let time = self.read(text)?;
        let row = position.occurred_at.as_micros().div_euclid(self.unit());
        Some(time.as_micros().div_euclid(self.unit()) - row)
    }

    /// The time that lies `distance` from the row at `position`; `None` if there is none.
    pub(super) fn text(self, distance: i64, position: Position) -> Option<TimeText> {
        if self.is_number() {
            let seq = i64::try_from(position.seq.0).ok()?;
            return TimeText::of_number(seq.checked_add(distance)?);
        }
        let row = position.occurred_at.as_micros().div_euclid(self.unit());
        let micros = row.checked_add(distance)?.checked_mul(self.unit())?;
        Some(self.spell(Time::from_micros(micros)?))
    }
}

impl Times {
    /// Takes in the leaf of one row.
    pub(super) fn see(&mut self, text: &[u8], position: Position) {
        let spelling = match self {
            Times::Never => return,
            Times::Unseen => SpelledTime::of(text, position),
            Times::Spelled(spelling, ..) => Some(*spelling),
        };
        let found = spelling.and_then(|spelling| {
            let distance = spelling.distance(text, position)?;
            Some((spelling, distance))
        });
        *self = match (found, &self) {
            (Some((spelling, distance)), Times::Spelled(_, low, high)) => {
                Times::Spelled(spelling, distance.min(*low), distance.max(*high))
            }
            (Some((spelling, distance)), _) => Times::Spelled(spelling, distance, distance),
            (None, _) => Times::Never,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Sequence;

    const ROW: Position = Position {
        occurred_at: Time::saturating_from_micros(1_779_004_800_123_456),
        seq: Sequence(4),
    };

    #[test]
    fn every_spelling_gives_its_times_back() {
        for Spelling(text, unit) in SPELLINGS {
            let mut times = Times::default();
            times.see(text.as_bytes(), ROW);
            let Times::Spelled(spelling, low, high) = times else {
                panic!("{text} is no time");
            };
            assert_eq!(
                (low, high),
                match unit {
                    0 => (2_022, 2_022),
                    _ => (-(123_456 / unit), -(123_456 / unit)),
                },
                "{text}"
            );
            let again = spelling.text(low, ROW);
            assert_eq!(
                again.map(|again| again.as_bytes().to_vec()),
                Some(text.into())
            );
        }
    }

    #[test]
    fn what_would_come_back_otherwise_is_no_time() {
        for text in [
            "",
            "2026-05-17T08:00:00+00:00",
            "2026-05-17T24:00:00Z",
            "2026-05-17T08:00:60Z",
            "2026-02-30 08:00:00",
            "1969-12-31T23:59:59Z",
            "2026-05-17T08:00:00.0Z",
            "17-05-2026 08:00:00.000",
        ] {
            let mut times = Times::default();
            times.see(text.as_bytes(), ROW);
            assert_eq!(times, Times::Never, "{text}");
        }
    }

    #[test]
    fn distances_no_time_has_are_refused() {
        for spelling in (0..).map_while(SpelledTime::of_number) {
            for distance in [i64::MIN, i64::MAX, -1 << 52, 1 << 59] {
                let is_there = spelling.is_number() && distance != i64::MAX;
                assert_eq!(spelling.text(distance, ROW).is_some(), is_there);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_time_that_comes_back_or_none(text in "[0-9]{2,4}-[0-9]{2}-[0-9]{2,4}[T ][012][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{3}|\\.[0-9]{6})?Z?") {
            let mut times = Times::default();
            times.see(text.as_bytes(), ROW);
            if let Times::Spelled(spelling, low, _) = times {
                let again = spelling.text(low, ROW).map(|again| again.as_bytes().to_vec());
                proptest::prop_assert_eq!(again, Some(text.into_bytes()));
            }
        }
    }
}
