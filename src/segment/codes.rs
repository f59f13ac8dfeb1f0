//! What rows come to while a segment is written, number after number in as few bytes as they need:
//! for each row its shape, with a mapping the repeat, and for each member the template followed by
//! the codes of its leaves.

use crate::codec::varint;
use crate::codec::varint::Bytes;

/// What a leaf is told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// It equals the leaf its column copies.
    Copied,
    /// It follows from the leaf before it.
    Derived,
    /// A value that its column did not have before.
    New,
    /// A value by its number.
    Known(u32),
}

/// Numbers under construction.
#[derive(Debug, Default)]
pub(super) struct Codes(Vec<u8>);

/// Reads numbers one after another; behind the last one all are 0.
#[derive(Debug)]
pub(super) struct CodeReader<'c>(Bytes<'c>);

impl Codes {
    pub(super) fn put(&mut self, number: u32) {
        self.put_u64(u64::from(number));
    }

    #[inline]
    pub(super) fn put_u64(&mut self, number: u64) {
        match u8::try_from(number) {
            Ok(byte @ ..0x80) => self.0.push(byte),
            _ => varint::put_u64(&mut self.0, number),
        }
    }

    pub(super) fn put_code(&mut self, code: Code) {
        self.put_u64(match code {
            Code::Copied => 0,
            Code::Derived => 1,
            Code::New => 2,
            Code::Known(number) => u64::from(number) + 3,
        });
    }

    /// Reads from byte `at` on.
    pub(super) fn from(&self, at: usize) -> CodeReader<'_> {
        CodeReader(Bytes::new(self.0.get(at..).unwrap_or_default()))
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }
}

impl CodeReader<'_> {
    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        self.0.varint().unwrap_or(0)
    }

    pub(super) fn next_code(&mut self) -> Code {
        match self.next() {
            0 => Code::Copied,
            1 => Code::Derived,
            2 => Code::New,
            known => Code::Known((known - 3) as u32),
        }
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.0.rest().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_codes_come_back() {
        let mut codes = Codes::default();
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        numbers.iter().for_each(|number| codes.put_u64(*number));
        let all = [
            Code::Copied,
            Code::Derived,
            Code::New,
            Code::Known(0),
            Code::Known(u32::MAX),
        ];
        all.iter().for_each(|code| codes.put_code(*code));
        let mut reader = codes.from(0);
        assert_eq!(numbers.map(|_| reader.next()), numbers);
        assert_eq!(all.map(|_| reader.next_code()), all);
        assert_eq!((reader.left(), reader.next()), (0, 0));
    }
}
