//! Integers of variable length (LEB128: seven bits a byte, lowest first; signed ones zigzag), and a
//! reader over stored bytes that answers `None` instead of reading past their end.

/// Bytes of the longest encoding.
pub(crate) const LEN_MAX: usize = 10;

/// Appends `value` in 1 to 10 bytes.
pub(crate) fn put_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends `value` zigzag-coded, so that small magnitudes of either sign stay short.
pub(crate) fn put_i64(out: &mut Vec<u8>, value: i64) {
    put_u64(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

/// Appends the length of `bytes` and then `bytes`.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u64(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Stored bytes that are still to be read. Every read checks that enough are left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Bytes<'a> {
        Bytes(bytes)
    }

    /// What is left.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// An integer in its shortest form; a longer form of the same value is refused, so that every
    /// value has one encoding.
    #[inline]
    pub(crate) fn varint(&mut self) -> Option<u64> {
        if let Some((byte @ ..0x80, rest)) = self.0.split_first() {
            self.0 = rest;
            return Some(u64::from(*byte));
        }
        self.long_varint()
    }

    /// One of more than one byte, of which the last one is not 0.
    fn long_varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..LEN_MAX).map(|place| place * 7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return (byte != 0).then_some(value);
            }
        }
        None
    }

    pub(crate) fn signed_varint(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A varint that counts something held in memory.
    pub(crate) fn count(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }

    /// Bytes behind their length.
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.count()?;
        self.take(len)
    }

    /// UTF-8 text behind its length.
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        core::str::from_utf8(self.bytes()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn integers_round_trip(value: u64, signed: i64, tail: u8) {
            let mut out = Vec::new();
            put_u64(&mut out, value);
            put_i64(&mut out, signed);
            out.push(tail);
            let mut bytes = Bytes::new(&out);
            proptest::prop_assert_eq!(bytes.varint(), Some(value));
            proptest::prop_assert_eq!(bytes.signed_varint(), Some(signed));
            proptest::prop_assert_eq!(bytes.rest(), &[tail]);
        }

        #[test]
        fn every_value_has_one_encoding(bytes: Vec<u8>) {
            let mut reader = Bytes::new(&bytes);
            if let Some(value) = reader.varint() {
                let mut again = Vec::new();
                put_u64(&mut again, value);
                proptest::prop_assert_eq!(again.as_slice(), bytes.get(..again.len()).unwrap_or_default());
            }
        }
    }

    #[test]
    fn p4_a_longer_or_larger_form_than_there_is_is_refused() {
        let long = |last: u8| [vec![0x80; 9], vec![last]].concat();
        for (bytes, value) in [
            (vec![0x00], Some(0)),
            (vec![0x80, 0x01], Some(128)),
            (vec![0x80, 0x00], None),
            (vec![0xff, 0x80, 0x00], None),
            (long(0x01), Some(1 << 63)),
            (long(0x00), None),
            (long(0x02), None),
            ([vec![0xff; 9], vec![0x01]].concat(), Some(u64::MAX)),
            (vec![0x80; 11], None),
        ] {
            assert_eq!(Bytes::new(&bytes).varint(), value, "{bytes:x?}");
        }
    }
}
