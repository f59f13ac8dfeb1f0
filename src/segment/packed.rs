//! One compressed unit: a single zstd frame whose raw length is stored beside it, so that unpacking
//! allocates exactly that and never follows a length found inside the frame.

use core::cell::RefCell;

use zstd::bulk::Compressor;
use zstd::bulk::Decompressor;

/// From these lengths on bytes count for more than time: what is packed is written once for a segment
/// and stands in it twice. Higher levels stop the address sanitizer within zstd's optimal parser.
const LARGE: usize = 4 << 10;
const LARGER: usize = 128 << 10;

thread_local! {
    // A context costs about 150 KiB to build, more than a block costs to unpack.
    static UNPACK: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses one unit.
pub(crate) fn pack(raw: &[u8]) -> std::io::Result<Vec<u8>> {
    let level = match raw.len() {
        ..LARGE => 3,
        LARGE..LARGER => 9,
        LARGER.. => 12,
    };
    Compressor::new(level)?.compress(raw)
}

/// The `raw_len` bytes that `stored` was made of; `None` when it was not made of so many.
/// The caller has checked `raw_len` against the bound of the unit.
pub(crate) fn unpack(stored: &[u8], raw_len: usize) -> Option<Vec<u8>> {
    UNPACK.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Decompressor::new().ok();
        }
        let mut raw = Vec::with_capacity(raw_len);
        slot.as_mut()?
            .decompress_to_buffer(stored, &mut raw)
            .ok()
            .filter(|len| *len == raw_len)?;
        Some(raw)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_round_trip_and_a_wrong_length_is_refused() -> std::io::Result<()> {
        let raw = b"the same again and the same again".repeat(9);
        let stored = pack(&raw)?;
        assert_eq!(unpack(&stored, raw.len()), Some(raw.clone()));
        assert_eq!(unpack(&stored, raw.len() - 1), None);
        assert_eq!(unpack(&stored, raw.len() + 1), None);
        assert_eq!(unpack(b"no frame", 8), None);
        Ok(())
    }
}
