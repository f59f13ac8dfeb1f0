//! The checksum of every stored unit: CRC-32 (IEEE 802.3), as `crc32fast` computes it.
//! It finds accidents, not forgeries.

/// The CRC-32 of `bytes`. Under the fuzzer it is 0 for all bytes, so that mutated files get past it.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    if cfg!(fuzzing) {
        return 0;
    }
    crc32fast::hash(bytes)
}

/// The CRC-32 of bytes that come piece by piece.
#[derive(Default)]
pub(crate) struct Running(crc32fast::Hasher);

impl Running {
    /// Takes the next piece.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The same as [`crc32`] of all pieces in a row.
    pub(crate) fn finish(self) -> u32 {
        if cfg!(fuzzing) {
            return 0;
        }
        self.0.finalize()
    }
}
