//! Letters read by table: the codes of two neighbours at a time give both, places with one letter
//! cost nothing, and digits in base 16 and 32 are told by arithmetic, eight at a time. The tables are made when a segment is opened, one for each different pair of
//! alphabets; what finds no room in them is read letter by letter, as [`super::letters`] does it.

use std::collections::HashMap;

use super::letters::Alphabet;
use super::letters::Fixed;
use super::letters::TEXT_MAX;
use super::letters::ULID;
use super::letters::ULID_TIME;
use crate::codec::bits;
use crate::codec::buffer::Buffer;
use crate::codec::buffer::SHORT;
use crate::id::ALPHABET;
use crate::id::base_32;

/// Bits of the codes that one look at a table takes: two letters of the 32 of a ULID.
const PICK_WIDTH: u32 = 10;
/// Entries of a table.
const ENTRIES: usize = 1 << PICK_WIDTH;
/// Tables of a segment; the generator's events need 17. One takes 4 KiB.
const TABLES_MAX: usize = 64;
/// Set in an entry that no letters belong to.
const WRONG: u32 = 1 << 16;
/// Bits of which a load of eight bytes has all, wherever the first of them lies in its byte.
const WORD_WIDTH: u32 = u64::BITS - u8::BITS + 1;
/// What hexadecimal digits are written with, and how many digits are told at a time.
const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
const DIGITS: usize = 8;
/// Bytes that a text is given room for, with what its last letter writes behind it.
const ROOM: usize = TEXT_MAX + 2;

/// The tables of a segment.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// The first letter in the lowest byte, the second in the next. Bits behind those of a code
    /// lead to the same letters, whatever they are.
    tables: Vec<[u32; ENTRIES]>,
    known: HashMap<(Vec<u8>, Vec<u8>), u16>,
}

/// How the texts of one [`Fixed`] are put together.
#[derive(Debug)]
pub(super) struct Spelling {
    /// The first letter of each place, and a little behind them: see [`crate::codec::buffer`].
    form: Vec<u8>,
    len: usize,
    /// Bits of a text.
    width: usize,
    words: Vec<Word>,
    picks: Vec<Pick>,
    /// Where the letters of the row's moment stand.
    moment: Option<usize>,
}

/// Picks whose codes lie in one load, behind those of the word before; or eight digits.
#[derive(Clone, Copy, Debug, Default)]
struct Word {
    picks: u16,
    width: u16,
    /// What digits, and where they go.
    digits: Option<(Base, u8)>,
}

/// Digits that are told by arithmetic.
#[derive(Clone, Copy, Debug)]
enum Base {
    Hexadecimal,
    /// As in ULIDs.
    ThirtyTwo,
}

/// One or two letters: their table, where they go, and where in its word their code begins.
#[derive(Clone, Copy, Debug)]
struct Pick {
    table: u16,
    at: u8,
    shift: u8,
}

/// The text of a [`Fixed`], read in either way.
#[derive(Debug)]
pub(super) enum Spelled {
    Quick(Spelling),
    Plain(Fixed),
}

impl Tables {
    /// The number of the table of a pair of alphabets; the second may be none.
    fn of(&mut self, first: &Alphabet, second: Option<&Alphabet>) -> Option<u16> {
        let letters = |alphabet: &Alphabet| alphabet.letters().to_vec();
        let key = (letters(first), second.map(letters).unwrap_or_default());
        if let Some(known) = self.known.get(&key) {
            return Some(*known);
        }
        let number = self.tables.len();
        if number >= TABLES_MAX {
            return None;
        }
        let mask = |alphabet: &Alphabet| bits::mask(alphabet.width()) as usize;
        let mut table = [WRONG; ENTRIES];
        let width = first.width() + second.map_or(0, Alphabet::width);
        let (codes, others) = table.split_at_mut(ENTRIES.min(1 << width));
        for (code, entry) in codes.iter_mut().enumerate() {
            let one = first.letters().get(code & mask(first));
            let other = match second {
                Some(second) => second.letters().get(code >> first.width() & mask(second)),
                None => Some(&0),
            };
            if let Some((one, other)) = one.zip(other) {
                *entry = u32::from(*one) | u32::from(*other) << 8;
            }
        }
        let copies = others.chunks_exact_mut(codes.len());
        copies.for_each(|copy| copy.copy_from_slice(codes));
        self.tables.push(table);
        self.known.insert(key, number as u16);
        Some(number as u16)
    }
}

impl Spelling {
    /// `None` where there is no room for its tables.
    fn of(fixed: &Fixed, tables: &mut Tables) -> Option<Spelling> {
        let places = fixed.places();
        let form: Option<Vec<u8>> = places
            .iter()
            .map(|alphabet| alphabet.letters().first().copied())
            .collect();
        let mut form = form.filter(|form| form.len() <= TEXT_MAX)?;
        form.resize(places.len() + SHORT, 0);
        let mut spelling = Spelling {
            form,
            len: places.len(),
            width: fixed.width(),
            words: Vec::new(),
            picks: Vec::new(),
            moment: match fixed.has_ulid() {
                true => Some(places.len().checked_sub(ULID)?),
                false => None,
            },
        };
        let mut at = 0;
        while let Some(first) = places.get(at) {
            let start = at;
            if let Some(base) = Base::of(fixed, start) {
                spelling.words.push(Word {
                    picks: 0,
                    width: DIGITS as u16 * base.width(),
                    digits: Some((base, start as u8)),
                });
                at += DIGITS;
                continue;
            }
            at += 1;
            if first.width() == 0 || fixed.is_time(start) {
                continue;
            }
            let second = places.get(at).filter(|second| {
                !fixed.is_time(at) && first.width() + second.width() <= PICK_WIDTH
            });
            at += usize::from(second.is_some());
            let width = first.width() + second.map_or(0, Alphabet::width);
            spelling.pick(tables.of(first, second)?, start, width);
        }
        Some(spelling)
    }

    /// Adds a pick of `width` bits behind those that are there.
    fn pick(&mut self, table: u16, at: usize, width: u32) {
        let fits =
            |word: &&mut Word| word.digits.is_none() && u32::from(word.width) + width <= WORD_WIDTH;
        let word = match self.words.last_mut().filter(fits) {
            Some(word) => word,
            None => {
                self.words.push(Word::default());
                match self.words.last_mut() {
                    Some(word) => word,
                    None => return,
                }
            }
        };
        self.picks.push(Pick {
            table,
            at: at as u8,
            shift: word.width as u8,
        });
        word.picks += 1;
        word.width += width as u16;
    }

    /// Appends the text at bit `at` to `out`; `time` gives the first letters of the row's ULIDs.
    #[inline]
    fn read(
        &self,
        tables: &Tables,
        bits: &[u8],
        mut at: usize,
        time: impl FnOnce() -> [u8; ULID_TIME],
        out: &mut Buffer,
    ) -> Option<()> {
        let start = out.len();
        out.reserve(ROOM);
        out.put(&self.form, 0, self.len)?;
        let text = out.tail_mut(start).first_chunk_mut::<ROOM>()?;
        let (mut all, mut picks) = (0, self.picks.as_slice());
        for word in &self.words {
            let width = u32::from(word.width);
            let codes = bits::word(bits, at, width)?;
            at += width as usize;
            if let Some((base, place)) = word.digits {
                let place = usize::from(place);
                let digits = match base {
                    Base::Hexadecimal => hexadecimal(codes as u32),
                    Base::ThirtyTwo => base_32(codes).to_le_bytes(),
                };
                text.get_mut(place..place + DIGITS)?
                    .copy_from_slice(&digits);
                continue;
            }
            let (first, rest) = picks.split_at_checked(usize::from(word.picks))?;
            picks = rest;
            for pick in first {
                let table = tables.tables.get(usize::from(pick.table))?;
                let code = (codes >> (pick.shift & 63)) as usize % ENTRIES;
                let letters = *table.get(code)?;
                all |= letters;
                let place = usize::from(pick.at) % TEXT_MAX;
                let pair = [letters as u8, (letters >> 8) as u8];
                text.get_mut(place..place + 2)?.copy_from_slice(&pair);
            }
        }
        if let Some(moment) = self.moment {
            *text.get_mut(moment..)?.first_chunk_mut::<ULID_TIME>()? = time();
        }
        (all & WRONG == 0).then_some(())
    }
}

impl Base {
    /// What the eight places from `start` on have all digits of, and no other letters.
    fn of(fixed: &Fixed, start: usize) -> Option<Base> {
        let places = fixed.places().get(start..start + DIGITS)?;
        let is_stored = (start..start + DIGITS).all(|at| !fixed.is_time(at));
        let has = |letters: &[u8]| places.iter().all(|place| place.letters() == letters);
        match is_stored {
            true if has(HEXADECIMAL) => Some(Base::Hexadecimal),
            true if has(ALPHABET) => Some(Base::ThirtyTwo),
            _ => None,
        }
    }

    /// Bits of a digit.
    const fn width(self) -> u16 {
        match self {
            Base::Hexadecimal => 4,
            Base::ThirtyTwo => 5,
        }
    }
}

/// The digits whose codes these are, the lowest four bits those of the first.
const fn hexadecimal(codes: u32) -> [u8; DIGITS] {
    const ONES: u64 = u64::MAX / 0xff;
    let mut spread = codes as u64;
    spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff;
    spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
    spread = (spread | spread << 4) & (0x0f * ONES);
    // Those above nine lie 39 further on than they would behind `9`.
    let above = (spread + 6 * ONES) >> 4 & ONES;
    (spread + ONES * (b'0' as u64) + above * 39).to_le_bytes()
}

impl Spelled {
    pub(super) fn of(fixed: &Fixed, tables: &mut Tables) -> Spelled {
        match Spelling::of(fixed, tables) {
            Some(spelling) => Spelled::Quick(spelling),
            None => Spelled::Plain(fixed.clone()),
        }
    }

    /// Bits of a text.
    #[inline]
    pub(super) const fn width(&self) -> usize {
        match self {
            Spelled::Quick(spelling) => spelling.width,
            Spelled::Plain(fixed) => fixed.width(),
        }
    }

    /// Appends the text at bit `at` to `out`; `time` gives the first letters of the row's ULIDs.
    /// `None` where the bits are no text.
    #[inline]
    pub(super) fn read(
        &self,
        tables: &Tables,
        bits: &[u8],
        at: usize,
        time: impl FnOnce() -> [u8; ULID_TIME],
        out: &mut Buffer,
    ) -> Option<()> {
        match self {
            Spelled::Quick(spelling) => spelling.read(tables, bits, at, time, out),
            Spelled::Plain(fixed) => {
                let mut text = Vec::with_capacity(TEXT_MAX);
                fixed.read(bits, at, time, &mut text)?;
                out.extend(&text);
                Some(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::bits::BitWriter;
    use crate::segment::letters::Letters;

    proptest::proptest! {
        /// Read by table as letter by letter, whatever the bits are.
        #[test]
        fn tables_spell_as_alphabets_do(
            places in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 1..40), 0..60),
            ulid: bool,
            bits in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
            at in 0_usize..9,
        ) {
            let places: Vec<Letters> = places.iter().map(|letters| {
                let mut place = Letters::default();
                letters.iter().for_each(|letter| place.add(*letter));
                place
            }).collect();
            let fixed = Fixed::new(&places, ulid && places.len() >= ULID);
            let mut tables = Tables::default();
            let spelled = Spelled::of(&fixed, &mut tables);
            let time = || *b"0123456789";
            let (mut found, mut model) = (Buffer::default(), Vec::new());
            let read = spelled.read(&tables, &bits, at, time, &mut found);
            let wanted = fixed.read(&bits, at, time, &mut model);
            proptest::prop_assert_eq!(read, wanted);
            if wanted.is_some() {
                proptest::prop_assert_eq!(found.as_slice(), model.as_slice());
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn digits_are_told_as_letters_are(
            base in proptest::sample::select(vec![HEXADECIMAL.as_slice(), ALPHABET.as_slice()]),
            bits in proptest::collection::vec(proptest::num::u8::ANY, 32),
            dashes in proptest::collection::vec(0_usize..40, 0..4),
            at in 0_usize..9,
        ) {
            let mut places = vec![Letters::default(); 40];
            for place in &mut places {
                base.iter().for_each(|letter| place.add(*letter));
            }
            for dash in dashes {
                if let Some(place) = places.get_mut(dash) {
                    *place = Letters::default();
                    place.add(b'-');
                }
            }
            let fixed = Fixed::new(&places, false);
            let mut tables = Tables::default();
            let spelled = Spelled::of(&fixed, &mut tables);
            let (mut found, mut model) = (Buffer::default(), Vec::new());
            let time = || [0; ULID_TIME];
            proptest::prop_assert!(spelled.read(&tables, &bits, at, time, &mut found).is_some());
            proptest::prop_assert!(fixed.read(&bits, at, time, &mut model).is_some());
            proptest::prop_assert_eq!(found.as_slice(), model.as_slice());
        }
    }

    #[test]
    fn alphabets_without_room_for_a_table_are_read_all_the_same() {
        let mut tables = Tables::default();
        let mut plain = 0;
        for letter in 0..200_u8 {
            let mut places = [Letters::default(); 2];
            for other in 0..30 {
                places
                    .iter_mut()
                    .for_each(|place| place.add(letter.wrapping_add(other)));
            }
            let fixed = Fixed::new(&places, false);
            let spelled = Spelled::of(&fixed, &mut tables);
            plain += u32::from(matches!(spelled, Spelled::Plain(_)));
            let mut bits = BitWriter::default();
            fixed.codes().write(&[letter, letter], &mut bits);
            let mut found = Buffer::default();
            let read = spelled.read(&tables, &bits.finish(), 0, || [0; ULID_TIME], &mut found);
            assert_eq!(
                (read, found.as_slice()),
                (Some(()), [letter, letter].as_slice())
            );
        }
        assert!(plain > 100 && tables.tables.len() <= TABLES_MAX);
    }
}
