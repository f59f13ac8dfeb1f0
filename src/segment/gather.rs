//! One column while the rows of a segment come in: its different values, and which of its leaves
//! can be told from another leaf of their row. A column that hardly repeats stops being looked up,
//! so that ids and digests cost a copy and no table.

use super::letters::Letters;
use super::letters::TEXT_MAX;
use super::letters::ULID;
use super::letters::ULID_TIME;
use super::raw::Raw;
use super::spelled_time::Times;
use super::values::LookUp;
use super::values::Numbers;
use super::values::Values;
use crate::codec::hash::Keys;
use crate::id::Position;

/// Leaves of a column after which it is decided whether its values repeat; few in tests, so that
/// they get beyond it.
const TRIAL: usize = if cfg!(test) { 256 } else { 32 << 10 };

/// What a leaf can be told from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Reference {
    /// No leaf was seen yet.
    #[default]
    Unseen,
    None,
    /// The last leaf of another column.
    Copy(usize),
    /// The value of another leaf before, by this table from its value to the value here.
    Derived(usize, Vec<u32>),
}

/// A column under construction.
#[derive(Debug, Default)]
pub(super) struct Gather {
    pub(super) reference: Reference,
    /// The reference failed too often and is no longer tried.
    pub(super) retired: bool,
    /// Leaves that the reference told, and others.
    pub(super) hits: u64,
    pub(super) misses: u64,
    /// Bytes of all leaves but copies, and of those that were derived.
    pub(super) total_len: u64,
    pub(super) hit_len: u64,
    /// The values, all different, as long as they are looked up.
    pub(super) values: Values,
    /// The values of a column that hardly repeats, if packing them saves memory.
    pub(super) raw: Option<Raw>,
    pub(super) form: Form,
    seen: Option<Seen>,
}

/// What all values of a column have in common.
#[derive(Debug)]
pub(super) struct Form {
    /// Of values whose letters are not told by position.
    letters: Letters,
    /// By position, while all values have one length.
    pub(super) places: Option<Vec<Letters>>,
    /// The last letters are a ULID of the row's own moment.
    pub(super) ulid: bool,
    /// How far the times that the leaves tell lie from their rows.
    pub(super) times: Times,
    /// The lowest and the highest, while all values are numbers as they are printed.
    pub(super) integer: Option<(i64, i64)>,
}

/// When a row happened, and the letters that begin a ULID of then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) position: Position,
    pub(super) ulid: [u8; ULID_TIME],
}

/// Finds the number of a value.
#[derive(Debug, Default)]
struct Seen {
    numbers: Numbers,
    leaves: usize,
}

impl Default for Form {
    fn default() -> Form {
        Form {
            letters: Letters::default(),
            places: None,
            ulid: true,
            times: Times::default(),
            integer: Some((i64::MAX, i64::MIN)),
        }
    }
}

impl Gather {
    pub(super) fn new() -> Gather {
        Gather {
            seen: Some(Seen::default()),
            ..Gather::default()
        }
    }

    /// Whether equal values have one number.
    pub(super) const fn is_interned(&self) -> bool {
        self.seen.is_some()
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.raw.as_ref().map_or(self.values.len(), Raw::len)
    }

    /// Lets go what is not needed any more once it is known how the column is stored; the values
    /// too if they are in its dictionary.
    pub(super) fn let_go(&mut self, values: bool) {
        self.seen = None;
        if values {
            self.values = Values::default();
        }
    }

    /// Stops looking values up.
    fn stop_seeing(&mut self) {
        self.seen = None;
        let places = self.form.places.as_deref();
        let raw = places.and_then(|places| Raw::new(places, self.form.ulid));
        let Some(mut raw) = raw else {
            return;
        };
        let values = core::mem::take(&mut self.values);
        for number in 0..values.len() as u32 {
            let value = values.get(number);
            // So far every value had its row's moment, if that is what they have in common.
            let moment = value.len().checked_sub(ULID);
            let moment = moment.and_then(|at| value.get(at..at + ULID_TIME)?.try_into().ok());
            raw.push(value, &moment.unwrap_or([0; ULID_TIME]));
        }
        self.raw = Some(raw);
    }

    /// Bytes of memory this column takes, about.
    pub(super) fn heap(&self) -> usize {
        let table = self.seen.as_ref().map_or(0, |seen| seen.numbers.heap());
        let map = match &self.reference {
            Reference::Derived(_, map) => 4 * map.capacity(),
            _ => 0,
        };
        let raw = self.raw.as_ref().map_or(0, Raw::heap);
        self.values.heap() + raw + table + map
    }

    /// Decides at the first leaf whether the column may follow from the leaf `previous`.
    pub(super) fn begin_deriving(&mut self, number: usize, previous: Option<(usize, u32)>) {
        if self.reference == Reference::Unseen {
            self.reference = match previous {
                Some((other, _)) if other != number => Reference::Derived(other, Vec::new()),
                _ => Reference::None,
            };
        }
    }

    /// Whether the value with this number follows from the value `source` of the leaf that tells it,
    /// as it did before.
    pub(super) fn follows(&mut self, source: Option<u32>, value: u32, value_len: usize) -> bool {
        if self.retired {
            self.misses += 1;
            return false;
        }
        let interned = self.is_interned();
        let followed = match (&mut self.reference, source) {
            (Reference::Derived(_, map), Some(at)) if interned => {
                let at = at as usize;
                if map.len() <= at {
                    map.resize(at + 1, u32::MAX);
                }
                match map.get_mut(at) {
                    Some(slot) if *slot == u32::MAX => {
                        *slot = value;
                        true
                    }
                    slot => slot.is_some_and(|slot| *slot == value),
                }
            }
            _ => false,
        };
        if followed {
            self.hits += 1;
            self.hit_len += value_len as u64;
            return true;
        }
        self.misses += 1;
        self.retired = match self.reference {
            Reference::Copy(_) => self.misses > 4 * self.hits + 64,
            _ => self.misses > self.hits / 4 + 64,
        };
        false
    }

    /// Begins to look for `value`, if values are looked up.
    #[inline]
    pub(super) fn begin(&self, value: &[u8], keys: Keys) -> LookUp {
        self.seen.as_ref().map_or_else(LookUp::default, |seen| {
            LookUp::begin(keys.hash(value), &seen.numbers)
        })
    }

    /// The number of `value`, and whether it was not there before. `known` is its number if it was
    /// met before and somebody remembers. `moment` is the row's.
    pub(super) fn number(
        &mut self,
        value: &[u8],
        known: Option<u32>,
        keys: Keys,
        moment: &Moment,
    ) -> (u32, bool) {
        self.total_len += value.len() as u64;
        self.form.see_moment(value, &moment.ulid);
        self.form.times.see(value, moment.position);
        let Some(seen) = &mut self.seen else {
            let (number, is_usual) = match &mut self.raw {
                Some(raw) => raw.push(value, &moment.ulid),
                None => (self.values.push(value), false),
            };
            // The form has seen what is usual.
            if !is_usual || self.form.integer.is_some() {
                self.form.see(value);
            }
            return (number, true);
        };
        seen.leaves += 1;
        if let Some(known) = known {
            return (known, false);
        }
        let hash = keys.hash(value);
        let values = &self.values;
        let known = seen
            .numbers
            .find(hash, |number| values.get(number) == value);
        if let Some(number) = known {
            return (number, false);
        }
        self.form.see(value);
        let number = self.values.push(value);
        seen.numbers.insert(hash, number);
        if seen.leaves >= TRIAL && self.values.len() > seen.leaves / 10 * 9 {
            self.stop_seeing();
        }
        (number, true)
    }
}

impl Form {
    fn see_moment(&mut self, value: &[u8], moment: &[u8; ULID_TIME]) {
        if !self.ulid {
            return;
        }
        let time = value
            .len()
            .checked_sub(ULID)
            .and_then(|at| value.get(at..at + ULID_TIME));
        self.ulid = time == Some(moment);
    }

    /// All letters that occur.
    pub(super) fn letters(&self) -> Letters {
        let mut all = self.letters;
        self.places
            .iter()
            .flatten()
            .for_each(|place| all.join(place));
        all
    }

    fn see(&mut self, value: &[u8]) {
        let first = self.integer == Some((i64::MAX, i64::MIN));
        if first && self.places.is_none() {
            self.places = Some(vec![Letters::default(); value.len()]);
        }
        match &mut self.places {
            Some(places) if places.len() == value.len() => {
                for (place, letter) in places.iter_mut().zip(value) {
                    place.add(*letter);
                }
            }
            _ => {
                self.letters = self.letters();
                self.places = None;
                value.iter().for_each(|letter| self.letters.add(*letter));
            }
        }
        self.integer = self.integer.and_then(|(low, high)| {
            let number = integer(value)?;
            Some((low.min(number), high.max(number)))
        });
    }
}

/// The number that `value` spells, if it spells it as it is printed.
pub(super) fn integer(value: &[u8]) -> Option<i64> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    let plain = match digits {
        [b'0'] => value.len() == 1,
        [b'1'..=b'9', ..] => value.len() <= 19,
        _ => false,
    };
    if !plain {
        return None;
    }
    let mut number = 0_i64;
    for digit in digits {
        let digit = i64::from(digit.wrapping_sub(b'0'));
        number = number.checked_mul(10)?.checked_add(digit)?;
        if digit > 9 {
            return None;
        }
    }
    Some(if digits.len() < value.len() {
        -number
    } else {
        number
    })
}

const _: () = assert!(TEXT_MAX <= u8::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_as_they_are_printed_are_integers() {
        for (text, number) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("01", None),
            ("-0", None),
            ("1.0", None),
            ("1e3", None),
            ("99999999999999999999", None),
            ("9999999999999999999", None),
            ("+1", None),
            ("", None),
        ] {
            assert_eq!(integer(text.as_bytes()), number, "{text}");
        }
    }

    #[test]
    fn equal_values_have_one_number() {
        let mut gather = Gather::new();
        let moment = Moment {
            position: Position::FIRST,
            ulid: [0; ULID_TIME],
        };
        let numbers: Vec<(u32, bool)> = [b"a", b"b", b"a", b"c", b"b", b"c"]
            .iter()
            .map(|value| gather.number(*value, None, Keys::default(), &moment))
            .collect();
        let wanted = [
            (0, true),
            (1, true),
            (0, false),
            (2, true),
            (1, false),
            (2, false),
        ];
        assert_eq!(numbers, wanted);
    }
}
