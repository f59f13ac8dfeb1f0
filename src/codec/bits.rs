//! Numbers of fixed width packed into bits: the lowest bit of a byte first, a number's lowest bit
//! first. What packed rows, lists of rows and packed texts are made of.

/// The bits that `max` and everything below it fit in; 0 for 0.
pub(crate) const fn width_of(max: u64) -> u32 {
    u64::BITS - max.leading_zeros()
}

/// Numbers under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    /// Fewer than 64 bits that are not among the bytes yet.
    pending: u64,
    bits: u32,
}

impl BitWriter {
    /// Appends the lowest `width` bits of `value`, at most 64.
    #[inline]
    pub(crate) fn put(&mut self, value: u64, width: u32) {
        debug_assert!(width_of(value) <= width && width <= u64::BITS);
        self.pending |= value << self.bits;
        let bits = self.bits + width;
        if bits < u64::BITS {
            self.bits = bits;
            return;
        }
        self.bytes.extend_from_slice(&self.pending.to_le_bytes());
        // What did not fit; nothing where all of a whole word did.
        self.pending = value.checked_shr(u64::BITS - self.bits).unwrap_or(0);
        self.bits = bits - u64::BITS;
    }

    /// Appends `count` zeros and a one.
    pub(crate) fn put_unary(&mut self, mut count: u64) {
        while count >= 64 {
            self.put(0, 64);
            count -= 64;
        }
        self.put(1 << count, count as u32 + 1);
    }

    /// Bits written so far.
    pub(crate) fn len(&self) -> u64 {
        self.bytes.len() as u64 * 8 + u64::from(self.bits)
    }

    /// The bytes, the last one filled up with zeros; the writer is empty again.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.fill_up();
        core::mem::take(&mut self.bytes)
    }

    /// Appends the bits to `out`, the last byte filled up with zeros; the writer is empty again and
    /// keeps its memory.
    pub(crate) fn flush(&mut self, out: &mut Vec<u8>) {
        self.fill_up();
        out.extend_from_slice(&self.bytes);
        self.bytes.clear();
    }

    fn fill_up(&mut self) {
        let len = self.bits.div_ceil(u8::BITS) as usize;
        let pending = self.pending.to_le_bytes();
        self.bytes.extend(pending.iter().take(len));
        self.pending = 0;
        self.bits = 0;
    }
}

/// The number of `width` bits, at most 64, that begins at bit `at`; `None` past the end.
#[inline]
pub(crate) fn read(bytes: &[u8], at: usize, width: u32) -> Option<u64> {
    if width == 0 {
        return Some(0);
    }
    let shift = (at % 8) as u32;
    let tail = bytes.get(at / 8..)?;
    let value = match tail.first_chunk::<8>() {
        Some(word) => {
            let low = u64::from_le_bytes(*word) >> shift;
            match (shift + width).checked_sub(u64::BITS) {
                None | Some(0) => low,
                Some(_) => low | u64::from(*tail.get(8)?) << (u64::BITS - shift),
            }
        }
        None => {
            if ((shift + width) as usize) > tail.len() * 8 {
                return None;
            }
            let word = tail
                .iter()
                .rev()
                .fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
            word >> shift
        }
    };
    Some(value & mask(width))
}

/// The up to 57 bits at bit `at`, and above them whatever follows. Quick where eight bytes are there;
/// `None` past the end.
#[inline(always)]
pub(crate) fn word(bytes: &[u8], at: usize, width: u32) -> Option<u64> {
    match bytes.get(at / 8..).and_then(<[u8]>::first_chunk::<8>) {
        Some(word) => Some(u64::from_le_bytes(*word) >> (at % 8)),
        None => last_word(bytes, at, width),
    }
}

/// As [`word`], with zeros where there is nothing.
#[inline(always)]
pub(crate) fn word_or_zeros(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at / 8..).and_then(<[u8]>::first_chunk::<8>) {
        Some(word) => u64::from_le_bytes(*word) >> (at % 8),
        None => {
            let left = (bytes.len() * 8).saturating_sub(at);
            read(bytes, at, left.min(64) as u32).unwrap_or(0)
        }
    }
}

#[cold]
fn last_word(bytes: &[u8], at: usize, width: u32) -> Option<u64> {
    read(bytes, at, width)
}

/// A number whose lowest `width` bits are set.
pub(crate) const fn mask(width: u32) -> u64 {
    match u64::BITS.checked_sub(width) {
        None | Some(0) => u64::MAX,
        Some(_) => (1 << width) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn numbers_come_back_and_reads_stop_at_the_end(
            numbers in proptest::collection::vec((proptest::num::u64::ANY, 0_u32..=64), 0..60),
        ) {
            let mut writer = BitWriter::default();
            for (value, width) in &numbers {
                writer.put(value & mask(*width) & if *width == 0 { 0 } else { u64::MAX }, *width);
            }
            let len = writer.len();
            let bytes = writer.finish();
            proptest::prop_assert_eq!(bytes.len() as u64, len.div_ceil(8));
            let mut at = 0;
            for (value, width) in numbers {
                let wanted = if width == 0 { 0 } else { value & mask(width) };
                proptest::prop_assert_eq!(read(&bytes, at, width), Some(wanted));
                if width <= 57 {
                    let word = word(&bytes, at, width).map(|word| word & (mask(width + 1) >> 1));
                    proptest::prop_assert_eq!(word, Some(wanted));
                }
                at += width as usize;
            }
            proptest::prop_assert_eq!(read(&bytes, bytes.len() * 8, 1), None);
            proptest::prop_assert_eq!(read(&bytes, (bytes.len() * 8).saturating_sub(3), 64), None);
        }
    }

    #[test]
    fn unary_numbers_are_zeros_and_a_one() {
        let mut writer = BitWriter::default();
        writer.put_unary(0);
        writer.put_unary(2);
        writer.put_unary(70);
        assert_eq!(writer.len(), 1 + 3 + 71);
        let bytes = writer.finish();
        assert_eq!(bytes.first(), Some(&0b1001));
        for count in 0..200 {
            writer.put_unary(count);
            assert_eq!(writer.len(), count + 1);
            let bytes = writer.finish();
            let ones = (0..=count as usize).filter(|at| read(&bytes, *at, 1) == Some(1));
            assert!(ones.eq([count as usize]), "{count}");
        }
    }
}
