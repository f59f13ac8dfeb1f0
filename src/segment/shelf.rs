//! Where the values of dictionaries go while a segment is written: side by side in a section of
//! their own, or, if they are many, long and alike, among the long texts, packed in frames.

use super::builder::Texts;
use super::dictionary::Dictionary;
use super::dictionary::Store;
use super::letters::Fixed;
use super::values::Values;
use crate::error::Error;
use crate::error::Result;

/// Values shorter than this on the average stay out of frames: a page that shows names would unpack
/// one for each.
const LEN_MIN: usize = 24;
/// Bytes of values that are packed to see whether they pay, and those of one frame.
const TRIAL_BYTES: usize = 64 << 10;
const FRAME_BYTES: usize = 4 << 10;

/// The dictionaries of a segment.
pub(super) struct Shelf<'t, 'w, 'f> {
    /// The section of dictionaries.
    pub(super) bytes: Vec<u8>,
    texts: &'t mut Texts<'w, 'f>,
    /// Rows of the segment.
    rows: u64,
}

/// A dictionary that is not yet decided on.
pub(super) struct Offered {
    pub(super) dictionary: Dictionary,
    /// The place of each value.
    pub(super) ranks: Vec<u32>,
    /// Bytes it takes, about.
    pub(super) len: u64,
    order: Vec<u32>,
    packed: bool,
}

impl Offered {
    /// How often each value comes, by its place; `counts` are by its number.
    pub(super) fn ranked(&self, counts: &[u32]) -> Vec<u32> {
        let counts = self.order.iter().map(|number| counts.get(*number as usize));
        counts.map(|count| count.copied().unwrap_or(0)).collect()
    }
}

impl<'t, 'w, 'f> Shelf<'t, 'w, 'f> {
    pub(super) fn new(texts: &'t mut Texts<'w, 'f>, rows: u64) -> Shelf<'t, 'w, 'f> {
        Shelf {
            bytes: Vec::new(),
            texts,
            rows,
        }
    }

    /// Puts a dictionary of `values` on the shelf, from where it is taken or left.
    pub(super) fn offer(&mut self, values: &Values, fixed: Option<Fixed>) -> Result<Offered> {
        let order = values.sorted();
        let mut ranks = vec![0; order.len()];
        for (rank, number) in order.iter().enumerate() {
            if let Some(slot) = ranks.get_mut(*number as usize) {
                *slot = rank as u32;
            }
        }
        let sorted = order.iter().map(|number| values.get(*number));
        let dictionary = Dictionary::write(sorted, fixed, &mut self.bytes);
        let len = self.bytes.len() as u64 - dictionary.at;
        let packed_len = match dictionary.store {
            Store::Runs { .. } => self.packed_len(values, &order)?,
            _ => None,
        };
        // Unpacking a frame has to save half a byte a row, and a third of the dictionary.
        let packed_len =
            packed_len.filter(|packed| packed + self.rows / 2 < len && packed * 3 < len * 2);
        Ok(Offered {
            dictionary,
            ranks,
            len: packed_len.unwrap_or(len),
            order,
            packed: packed_len.is_some(),
        })
    }

    /// What the values take in frames, about, if they are long enough for them.
    fn packed_len(&self, values: &Values, order: &[u32]) -> Result<Option<u64>> {
        let total: usize = order.iter().map(|number| values.get(*number).len()).sum();
        if total < LEN_MIN * order.len() || total < FRAME_BYTES {
            return Ok(None);
        }
        let mut some = Vec::with_capacity(TRIAL_BYTES.min(total));
        for number in order {
            if some.len() >= TRIAL_BYTES {
                break;
            }
            some.extend_from_slice(values.get(*number));
        }
        let path = self.texts.output.file().path();
        let refused = |error| Error::io("compress values of", path, error);
        let mut packed = 0;
        let mut compressor = zstd::bulk::Compressor::new(3).map_err(refused)?;
        for frame in some.chunks(FRAME_BYTES) {
            packed += compressor.compress(frame).map_err(refused)?.len();
        }
        Ok(Some((packed * total / some.len()) as u64))
    }

    /// Takes the dictionary that was offered last.
    pub(super) fn take(
        &mut self,
        offered: Offered,
        values: &Values,
    ) -> Result<(Dictionary, Vec<u32>)> {
        let mut dictionary = offered.dictionary;
        if offered.packed {
            self.bytes.truncate(dictionary.at as usize);
            let sorted = offered.order.iter().map(|number| values.get(*number));
            let Texts { writer, output } = &mut *self.texts;
            dictionary.at = u64::from(writer.append(sorted, FRAME_BYTES, output)?);
            dictionary.store = Store::Texts;
        }
        Ok((dictionary, offered.ranks))
    }

    /// Leaves the dictionary that was offered last.
    pub(super) fn leave(&mut self, offered: &Offered) {
        self.bytes.truncate(offered.dictionary.at as usize);
    }
}
