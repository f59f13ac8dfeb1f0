//! The values of one column, sorted, so that neighbours share their beginnings. A value is found by
//! its number in constant time: every value of a small dictionary by its own offset, those of a large
//! one behind the start of a short run, and those of one length by multiplication.

use super::classes::Numbering;
use super::letters::Fixed;
use super::letters::TEXT_MAX;
use crate::codec::bits;
use crate::codec::bits::BitWriter;
use crate::codec::varint;
use crate::codec::varint::Bytes;

/// Up to this many values each has an offset of its own: no other value is read on the way.
const PLAIN_MAX: usize = 4096;
/// Values of a run where there are more.
const RUN: usize = 8;
/// Stands for the values of a run where there are no runs.
const AMONG_TEXTS: u8 = 255;
/// Bytes of a run at the most: each value with its two lengths.
pub(super) const RUN_BYTES_MAX: usize = RUN * (TEXT_MAX + 2);

/// Where the values of a column are and how they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dictionary {
    pub(super) count: u32,
    /// Bits of a value's number in a table.
    pub(super) width: u32,
    /// How rows name a value.
    pub(super) numbering: Numbering,
    /// Within the section of dictionaries; among texts the number of the first value.
    pub(super) at: u64,
    pub(super) store: Store,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Store {
    /// Packed texts of one length.
    Fixed(Fixed),
    /// Values one behind the other among the long texts.
    Texts,
    /// Runs behind a table of where each begins; `run` values share one.
    Runs {
        run: u32,
        offset_width: u32,
        len: u64,
    },
}

impl Dictionary {
    /// Appends sorted `values` to `out`, the section of dictionaries.
    pub(super) fn write<'v>(
        values: impl ExactSizeIterator<Item = &'v [u8]> + Clone,
        fixed: Option<Fixed>,
        out: &mut Vec<u8>,
    ) -> Dictionary {
        let count = values.len();
        let at = out.len() as u64;
        let (runs, offsets, run) = front_code(values.clone());
        let offset_width = bits::width_of(runs.len() as u64);
        let table = (offsets.len() as u64 * u64::from(offset_width)).div_ceil(8);
        let fixed = fixed.filter(|fixed| {
            (count as u64 * fixed.width() as u64).div_ceil(8) <= table + runs.len() as u64
        });
        let mut packed = BitWriter::default();
        let store = match fixed {
            Some(fixed) => {
                let codes = fixed.codes();
                values.for_each(|value| codes.write(value, &mut packed));
                packed.flush(out);
                Store::Fixed(fixed)
            }
            None => {
                offsets
                    .iter()
                    .for_each(|offset| packed.put(*offset as u64, offset_width));
                packed.flush(out);
                out.extend_from_slice(&runs);
                Store::Runs {
                    run: run as u32,
                    offset_width,
                    len: runs.len() as u64,
                }
            }
        };
        Dictionary {
            count: count as u32,
            width: bits::width_of((count as u64).saturating_sub(1)),
            numbering: Numbering::plain(count as u64),
            at,
            store,
        }
    }

    /// Whether its letters alone tell that strings hold all values as they are.
    pub(super) fn is_clean(&self) -> bool {
        matches!(&self.store, Store::Fixed(fixed) if fixed.is_clean())
    }

    /// Bytes it takes in its section.
    pub(super) fn len(&self) -> Option<u64> {
        let count = u64::from(self.count);
        match &self.store {
            Store::Fixed(fixed) => Some((count * fixed.width() as u64).div_ceil(8)),
            Store::Texts => Some(0),
            Store::Runs { len, .. } => self.table_len().checked_add(*len),
        }
    }

    /// Bytes of the table in front of the runs.
    pub(super) fn table_len(&self) -> u64 {
        match &self.store {
            Store::Fixed(_) | Store::Texts => 0,
            Store::Runs {
                run, offset_width, ..
            } => {
                let offsets = u64::from(self.count.div_ceil(*run)) + 1;
                (offsets * u64::from(*offset_width)).div_ceil(8)
            }
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        varint::put_u64(out, u64::from(self.count));
        varint::put_u64(out, self.at);
        match &self.store {
            Store::Fixed(fixed) => {
                out.push(0);
                fixed.encode(out);
            }
            Store::Texts => out.push(AMONG_TEXTS),
            Store::Runs {
                run,
                offset_width,
                len,
            } => {
                out.push(*run as u8);
                out.push(*offset_width as u8);
                varint::put_u64(out, *len);
            }
        }
        self.numbering.encode(out);
    }

    /// Reads a dictionary that must lie in a section of `section_len` bytes.
    pub(super) fn decode(bytes: &mut Bytes<'_>, section_len: u64) -> Option<Dictionary> {
        let count = u32::try_from(bytes.varint()?)
            .ok()
            .filter(|count| *count > 0)?;
        let at = bytes.varint()?;
        let store = match bytes.u8()? {
            0 => Store::Fixed(Fixed::decode(bytes)?),
            AMONG_TEXTS => Store::Texts,
            run => Store::Runs {
                run: u32::from(run),
                offset_width: u32::from(bytes.u8()?),
                len: bytes.varint()?,
            },
        };
        let dictionary = Dictionary {
            count,
            width: bits::width_of(u64::from(count) - 1),
            numbering: Numbering::decode(bytes, u64::from(count))?,
            at,
            store,
        };
        let sound = match &dictionary.store {
            Store::Runs { offset_width, .. } => *offset_width <= 40,
            Store::Fixed(_) => true,
            // Texts are looked up by number, whatever number that is.
            Store::Texts => return u32::try_from(at).is_ok().then_some(dictionary),
        };
        let end = at.checked_add(dictionary.len().filter(|_| sound)?)?;
        (end <= section_len).then_some(dictionary)
    }
}

/// Runs of values, each after the first as how much it shares with the one before and the rest, and
/// where the runs begin and end.
fn front_code<'v>(values: impl ExactSizeIterator<Item = &'v [u8]>) -> (Vec<u8>, Vec<usize>, usize) {
    let run = if values.len() <= PLAIN_MAX { 1 } else { RUN };
    let mut out = Vec::new();
    let mut offsets = Vec::with_capacity(values.len() / run + 2);
    let mut before: &[u8] = &[];
    for (number, value) in values.enumerate() {
        if number % run == 0 {
            offsets.push(out.len());
            before = &[];
        }
        let shared = before
            .iter()
            .zip(value)
            .take_while(|(one, other)| one == other)
            .count();
        if run > 1 {
            out.push(shared as u8);
            out.push((value.len() - shared) as u8);
        }
        out.extend_from_slice(value.get(shared..).unwrap_or_default());
        if run > 1 {
            before = value;
        }
    }
    offsets.push(out.len());
    (out, offsets, run)
}
