//! Text put together from many short pieces. A piece of up to 32 bytes is copied as 32 bytes, whose
//! tail the next piece overwrites: two moves of a register instead of a call, which is most of what
//! a row costs that is made of some sixty pieces.

/// Bytes of a short piece.
pub(crate) const SHORT: usize = 32;

/// Growing text; its memory is kept when it is cleared.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// Longer than the text: what lies behind it is free to be written over.
    bytes: Vec<u8>,
    len: usize,
}

/// What text is written to.
pub(crate) trait Append {
    /// Appends `bytes`.
    fn append(&mut self, bytes: &[u8]);
}

impl Append for Vec<u8> {
    fn append(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Append for Buffer {
    #[inline]
    fn append(&mut self, bytes: &[u8]) {
        self.extend(bytes);
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Buffer {
        let len = bytes.len();
        Buffer { bytes, len }
    }
}

impl Buffer {
    pub(crate) const fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Appends the `len` bytes at `start` of `source`; quick where more bytes follow them there.
    /// `None`, and nothing appended, where `source` does not have them.
    #[inline(always)]
    pub(crate) fn put(&mut self, source: &[u8], start: usize, len: usize) -> Option<()> {
        if len <= SHORT
            && let Some(piece) = source.get(start..).and_then(<[u8]>::first_chunk::<SHORT>)
            && let Some(rest) = self.bytes.get_mut(self.len..)
            && let Some(free) = rest.first_chunk_mut::<SHORT>()
        {
            *free = *piece;
            self.len += len;
            return Some(());
        }
        self.put_long(source, start, len)
    }

    #[inline(never)]
    fn put_long(&mut self, source: &[u8], start: usize, len: usize) -> Option<()> {
        self.extend(source.get(start..start.checked_add(len)?)?);
        Some(())
    }

    /// Appends `bytes`.
    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let room = self.room(bytes.len());
        // What has 8 to 32 bytes is copied as its first and its last 8 or 16, without a call.
        if let (Some(first), Some(last)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>())
            && bytes.len() <= SHORT
        {
            put_ends(room, first, last);
        } else if let (Some(first), Some(last)) =
            (bytes.first_chunk::<8>(), bytes.last_chunk::<8>())
            && bytes.len() < 16
        {
            put_ends(room, first, last);
        } else {
            room.copy_from_slice(bytes);
        }
    }

    /// Appends `bytes` with each `"` in it twice.
    pub(crate) fn extend_doubling_quotes(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        // Sixteen bytes are written whatever they are, and written over from behind the first
        // quotation mark among them: what JSON is made of has one every few bytes.
        while let Some(piece) = rest.first_chunk::<16>() {
            let (start, clean) = (self.len, first_quote(*piece));
            let room = self.room(16 + 2);
            if let Some(room) = room.first_chunk_mut() {
                *room = *piece;
            }
            if let Some(second) = room.get_mut(clean + 1) {
                *second = b'"';
            }
            let quoted = usize::from(clean < 16);
            self.len = start + clean + 2 * quoted;
            rest = rest.get(clean + quoted..).unwrap_or_default();
        }
        for byte in rest {
            self.push(*byte);
            if *byte == b'"' {
                self.push(b'"');
            }
        }
    }

    /// Appends one byte.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        if let Some(free) = self.bytes.get_mut(self.len) {
            *free = byte;
            self.len += 1;
        } else {
            self.extend(&[byte]);
        }
    }

    /// Sees to it that as many bytes more are there to be written over.
    #[inline]
    pub(crate) fn reserve(&mut self, len: usize) {
        if self.bytes.len() < self.len + len {
            self.grow(len);
        }
    }

    /// Appends `len` bytes, whatever they are, to be written over.
    #[inline]
    pub(crate) fn room(&mut self, len: usize) -> &mut [u8] {
        self.reserve(len);
        let start = self.len;
        self.len += len;
        self.bytes.get_mut(start..self.len).unwrap_or_default()
    }

    /// Appends once more what stands at `start`.
    #[inline]
    pub(crate) fn again(&mut self, start: usize, len: usize) -> Option<()> {
        let end = start.checked_add(len).filter(|end| *end <= self.len)?;
        let to = self.len;
        self.room(len);
        self.bytes.copy_within(start..end, to);
        Some(())
    }

    /// Takes what is behind the first `len` bytes away.
    #[inline]
    pub(crate) const fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.len = len;
        }
    }

    /// What was appended from `start` on, to be changed, and the free bytes behind it.
    #[inline]
    pub(crate) fn tail_mut(&mut self, start: usize) -> &mut [u8] {
        self.bytes.get_mut(start..).unwrap_or_default()
    }

    /// Puts `byte` in the place of the one at `at`.
    pub(crate) fn set(&mut self, at: usize, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(at) {
            *slot = byte;
        }
    }

    #[cold]
    fn grow(&mut self, len: usize) {
        let wanted = (self.len + len + SHORT).next_power_of_two().max(4096);
        self.bytes.resize(wanted, 0);
    }
}

/// Writes both ends of a text that has at most twice as many bytes, and at least as many.
#[inline]
fn put_ends<const N: usize>(room: &mut [u8], first: &[u8; N], last: &[u8; N]) {
    if let Some(start) = room.first_chunk_mut() {
        *start = *first;
    }
    if let Some(end) = room.last_chunk_mut() {
        *end = *last;
    }
}

/// Where the first quotation mark is; 16 where there is none.
#[inline]
fn first_quote(bytes: [u8; 16]) -> usize {
    const ONES: u128 = u128::MAX / 0xff;
    const HIGHS: u128 = ONES << 7;
    let word = u128::from_le_bytes(bytes) ^ (ONES * b'"' as u128);
    // The lowest high bit is that of the first byte that is 0 now.
    let zeros = word.wrapping_sub(ONES) & !word & HIGHS;
    (zeros.trailing_zeros() / 8) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn pieces_stand_one_behind_the_other(
            pieces in proptest::collection::vec((0_usize..300, 0_usize..90, 0_u8..5), 0..200),
        ) {
            let source: Vec<u8> = (0..256_usize).map(|number| number as u8).collect();
            let (mut buffer, mut model) = (Buffer::default(), Vec::new());
            for (start, len, how) in pieces {
                let piece = source.get(start..start + len);
                match how {
                    0 => {
                        proptest::prop_assert_eq!(buffer.put(&source, start, len), piece.map(|_| ()));
                        model.extend_from_slice(piece.unwrap_or_default());
                    }
                    1 => {
                        buffer.extend(piece.unwrap_or_default());
                        model.extend_from_slice(piece.unwrap_or_default());
                    }
                    2 => {
                        let known = model.get(start..start + len).map(<[u8]>::to_vec);
                        let again = buffer.again(start, len);
                        proptest::prop_assert_eq!(again, known.as_ref().map(|_| ()));
                        model.extend(known.unwrap_or_default());
                    }
                    3 => {
                        buffer.extend_doubling_quotes(piece.unwrap_or_default());
                        for byte in piece.unwrap_or_default() {
                            model.extend(core::iter::repeat_n(*byte, 1 + usize::from(*byte == b'"')));
                        }
                    }
                    _ => {
                        buffer.push(len as u8);
                        model.push(len as u8);
                    }
                }
                proptest::prop_assert_eq!(buffer.as_slice(), model.as_slice());
                proptest::prop_assert_eq!(buffer.len(), model.len());
            }
        }
    }

    #[test]
    fn there_is_room_for_a_piece_that_is_longer_than_all_before() {
        for len in [4_000, 4_096, 5_000, 100_000] {
            for before in [0, 1] {
                let mut buffer = Buffer::default();
                buffer.extend(&vec![b'a'; before]);
                buffer.extend(&vec![b'b'; len]);
                let wanted = [vec![b'a'; before], vec![b'b'; len]].concat();
                assert!(buffer.as_slice() == wanted, "{before} and {len}");
            }
        }
    }

    #[test]
    fn a_cleared_buffer_begins_anew() {
        let mut buffer = Buffer::default();
        buffer.extend(b"abc");
        buffer.clear();
        assert_eq!(buffer.as_slice(), b"");
        buffer.push(b',');
        buffer.set(0, b'{');
        assert_eq!(buffer.as_slice(), b"{");
    }
}
