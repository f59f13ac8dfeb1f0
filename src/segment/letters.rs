//! Short texts in fewer bits than their bytes have: texts of one length position by position, each in
//! the letters that occur there (a UUID's dashes cost nothing, its digits four bits), and texts of any
//! length over one alphabet.

use crate::codec::bits;
use crate::codec::bits::BitWriter;
use crate::codec::varint::Bytes;
use crate::event;
use crate::id::EventId;
use crate::id::Position;
pub(super) use crate::id::ULID_TIME;

/// Bytes of a text that is packed; longer ones are texts of their own section.
pub(crate) const TEXT_MAX: usize = 128;
/// Bits that tell the length of a text of any length.
const LEN_WIDTH: u32 = bits::width_of(TEXT_MAX as u64);
/// Letters of a ULID.
pub(crate) const ULID: usize = 26;

/// Which bytes occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Letters([u64; 4]);

/// The letters at each position of texts of one length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fixed {
    places: Vec<Alphabet>,
    /// Bits of one text.
    width: usize,
    /// The last 26 letters are a ULID of the row's own moment, whose first 10 are not stored.
    ulid: bool,
}

/// Letters with their codes, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Alphabet {
    letters: Vec<u8>,
    width: u32,
}

/// The code of each letter; what has no code is never asked for.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    codes: Box<[u8; 256]>,
    width: u32,
}

/// The codes at each position of texts of one length; none where a position takes no bits.
#[derive(Clone, Debug)]
pub(crate) struct FixedCodes(Vec<Option<Codes>>);

impl Codes {
    fn of(&self, letter: u8) -> u64 {
        self.codes
            .get(usize::from(letter))
            .map_or(0, |code| u64::from(*code))
    }

    /// Appends a text of at most [`TEXT_MAX`] letters, its length before it.
    pub(crate) fn write(&self, text: &[u8], out: &mut BitWriter) {
        out.put(text.len() as u64, LEN_WIDTH);
        for letter in text {
            out.put(self.of(*letter), self.width);
        }
    }
}

impl FixedCodes {
    /// Appends a text that has the letters this was made of.
    pub(crate) fn write(&self, text: &[u8], out: &mut BitWriter) {
        // Collected, so that the writer is called for some letters at once.
        let (mut word, mut bits) = (0, 0);
        for (letter, codes) in text.iter().zip(&self.0) {
            let Some(codes) = codes else {
                continue;
            };
            word |= codes.of(*letter) << bits;
            bits += codes.width;
            if bits > u64::BITS - u8::BITS {
                out.put(word, bits);
                (word, bits) = (0, 0);
            }
        }
        out.put(word, bits);
    }
}

impl Letters {
    /// Every letter there is.
    pub(super) const ALL: Letters = Letters([u64::MAX; 4]);

    /// Those that occur here or there.
    pub(crate) fn join(&mut self, other: &Letters) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
    }

    pub(crate) fn add(&mut self, letter: u8) {
        if let Some(word) = self.0.get_mut(usize::from(letter >> 6)) {
            *word |= 1 << (letter & 63);
        }
    }

    pub(super) fn has(&self, letter: u8) -> bool {
        let word = self.0.get(usize::from(letter >> 6));
        word.is_some_and(|word| word >> (letter & 63) & 1 == 1)
    }

    pub(crate) fn alphabet(&self) -> Alphabet {
        Alphabet::of((0..=u8::MAX).filter(|letter| self.has(*letter)).collect())
    }
}

impl Alphabet {
    fn of(letters: Vec<u8>) -> Alphabet {
        let width = bits::width_of((letters.len() as u64).saturating_sub(1));
        Alphabet { letters, width }
    }

    pub(super) fn letters(&self) -> &[u8] {
        &self.letters
    }

    /// Whether strings hold all of them as they are.
    pub(super) fn is_clean(&self) -> bool {
        event::clean_bytes(&self.letters) == self.letters.len()
    }

    /// Bits of a letter's code.
    pub(super) const fn width(&self) -> u32 {
        self.width
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.letters.len() as u8);
        out.extend_from_slice(&self.letters);
    }

    pub(crate) fn decode(bytes: &mut Bytes<'_>) -> Option<Alphabet> {
        // 256 letters are told as none: an alphabet of none is never stored.
        let count = match bytes.u8()? {
            0 => 256,
            count => usize::from(count),
        };
        Some(Alphabet::of(bytes.take(count)?.to_vec()))
    }

    /// Bits of a text over this alphabet.
    pub(crate) fn text_len(&self, len: usize) -> u64 {
        u64::from(LEN_WIDTH) + len as u64 * u64::from(self.width)
    }

    /// What writes texts over this alphabet.
    pub(crate) fn codes(&self) -> Codes {
        let mut codes = [0; 256];
        for (code, letter) in (0..).zip(&self.letters) {
            if let Some(slot) = codes.get_mut(usize::from(*letter)) {
                *slot = code;
            }
        }
        Codes {
            codes: Box::new(codes),
            width: self.width,
        }
    }

    /// Appends the text at bit `at` to `out` and moves behind it.
    pub(crate) fn read(&self, bytes: &[u8], at: &mut usize, out: &mut Vec<u8>) -> Option<()> {
        let len = bits::read(bytes, *at, LEN_WIDTH)? as usize;
        *at += LEN_WIDTH as usize;
        if len > TEXT_MAX {
            return None;
        }
        for _ in 0..len {
            let code = bits::read(bytes, *at, self.width)? as usize;
            out.push(*self.letters.get(code)?);
            *at += self.width as usize;
        }
        Some(())
    }
}

impl Fixed {
    /// For texts with these letters at their positions.
    pub(crate) fn new(places: &[Letters], ulid: bool) -> Fixed {
        Fixed::of(places.iter().map(Letters::alphabet).collect(), ulid)
    }

    fn of(places: Vec<Alphabet>, ulid: bool) -> Fixed {
        let mut fixed = Fixed {
            places,
            width: 0,
            ulid,
        };
        fixed.width = fixed
            .places
            .iter()
            .enumerate()
            .filter(|(place, _)| !fixed.is_time(*place))
            .map(|(_, alphabet)| alphabet.width as usize)
            .sum();
        fixed
    }

    /// Bits of one text.
    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    pub(super) fn places(&self) -> &[Alphabet] {
        &self.places
    }

    pub(super) const fn has_ulid(&self) -> bool {
        self.ulid
    }

    /// Whether strings hold all of its texts as they are.
    pub(super) fn is_clean(&self) -> bool {
        self.places.iter().all(Alphabet::is_clean)
    }

    /// Whether the letter at `place` is one of the row's moment and is not stored.
    pub(super) fn is_time(&self, place: usize) -> bool {
        let from_end = self.places.len() - place;
        self.ulid && from_end <= ULID && from_end > ULID - ULID_TIME
    }

    /// What writes texts of these letters.
    pub(crate) fn codes(&self) -> FixedCodes {
        let places = self.places.iter().enumerate();
        let codes = places.map(|(place, alphabet)| {
            (alphabet.width > 0 && !self.is_time(place)).then(|| alphabet.codes())
        });
        FixedCodes(codes.collect())
    }

    /// Appends the text at bit `at` to `out`; `time` gives the first letters of the row's ULIDs.
    pub(crate) fn read(
        &self,
        bytes: &[u8],
        mut at: usize,
        time: impl FnOnce() -> [u8; ULID_TIME],
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let start = out.len();
        for (place, alphabet) in self.places.iter().enumerate() {
            let code = match alphabet.width {
                0 => 0,
                _ if self.is_time(place) => 0,
                width => {
                    let code = bits::read(bytes, at, width)?;
                    at += width as usize;
                    code as usize
                }
            };
            out.push(*alphabet.letters.get(code)?);
        }
        if self.ulid {
            let from = start + self.places.len().checked_sub(ULID)?;
            let slot = out.get_mut(from..from + ULID_TIME)?;
            slot.copy_from_slice(&time());
        }
        Some(())
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.ulid));
        out.push(self.places.len() as u8);
        for alphabet in &self.places {
            alphabet.encode(out);
        }
    }

    pub(crate) fn decode(bytes: &mut Bytes<'_>) -> Option<Fixed> {
        let ulid = match bytes.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let count = usize::from(bytes.u8()?);
        if count > TEXT_MAX || (ulid && count < ULID) {
            return None;
        }
        let places: Option<Vec<Alphabet>> = (0..count).map(|_| Alphabet::decode(bytes)).collect();
        Some(Fixed::of(places?, ulid))
    }
}

/// The letters that begin a ULID of this moment.
pub(super) fn moment(position: Position) -> [u8; ULID_TIME] {
    EventId::new(position).time_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(texts: &[Vec<u8>], ulid: bool) -> Fixed {
        let mut places = vec![Letters::default(); texts.first().map_or(0, Vec::len)];
        for text in texts {
            for (place, letter) in places.iter_mut().zip(text) {
                place.add(*letter);
            }
        }
        Fixed::new(&places, ulid)
    }

    proptest::proptest! {
        #[test]
        fn texts_come_back_in_either_packing(
            texts in (0_usize..40).prop_flat_map(|len| {
                proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, len), 1..20)
            }),
        ) {
            let fixed = fixed(&texts, false);
            let mut all = Letters::default();
            texts.iter().flatten().for_each(|letter| all.add(*letter));
            let alphabet = all.alphabet();
            for text in &texts {
                let mut out = BitWriter::default();
                out.put(1, 3);
                fixed.codes().write(text, &mut out);
                proptest::prop_assert_eq!(out.len(), 3 + fixed.width() as u64);
                alphabet.codes().write(text, &mut out);
                let packed = out.finish();
                let mut found = Vec::new();
                let read = fixed.read(&packed, 3, || [0; ULID_TIME], &mut found);
                proptest::prop_assert_eq!((read, &found), (Some(()), text));
                found.clear();
                let mut at = 3 + fixed.width();
                let read = alphabet.read(&packed, &mut at, &mut found);
                proptest::prop_assert_eq!((read, &found), (Some(()), text));
            }
            let mut stored = Vec::new();
            fixed.encode(&mut stored);
            let read = Fixed::decode(&mut Bytes::new(&stored));
            if fixed.places.iter().all(|place| !place.letters.is_empty()) {
                proptest::prop_assert_eq!(read, Some(fixed));
            }
        }
    }

    use proptest::strategy::Strategy;

    #[test]
    fn the_moment_in_a_ulid_costs_nothing() {
        let text = b"evt_01KRTF5Z7T0000000000000007".to_vec();
        let other = b"evt_01KRTF5Z7V000000000000000A".to_vec();
        let fixed = fixed(&[text.clone(), other], true);
        assert_eq!(fixed.width(), 1);
        let mut out = BitWriter::default();
        fixed.codes().write(&text, &mut out);
        let mut found = Vec::new();
        let read = fixed.read(&out.finish(), 0, || *b"01KRTF5Z7T", &mut found);
        assert_eq!((read, found), (Some(()), text));
    }
}
