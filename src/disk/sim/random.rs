//! The simulator's only source of chance: whatever it decides follows from one seed of 64 bits.

/// A sequence of choices that its seed decides (SplitMix64).
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The choices of this seed.
    pub(crate) const fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number below `end`, or 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// Yes in this many cases of a hundred.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A hash of `bytes` that goes on from `state`: to tell states of a disk apart, not to resist anybody.
pub(crate) fn fold(state: u64, bytes: &[u8]) -> u64 {
    let (words, tail) = bytes.as_chunks::<8>();
    let step = |state: u64, word: u64| {
        let product = u128::from(state ^ word) * 0x9fb2_1c65_1e98_df25;
        (product as u64 ^ (product >> 64) as u64).wrapping_add(0x9e37_79b9_7f4a_7c15)
    };
    let state = words
        .iter()
        .fold(state, |state, word| step(state, u64::from_le_bytes(*word)));
    let last = tail.iter().fold(bytes.len() as u64, |word, byte| {
        word << 8 | u64::from(*byte)
    });
    mixed(step(state, last))
}

const fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
