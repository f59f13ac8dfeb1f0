//! A quick hash for tables that live as long as a segment is written: one multiplication for eight
//! bytes, under keys that are drawn once for each process, so that nobody who lacks them can choose
//! values that meet. Whoever uses it compares the values themselves.

use core::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::OnceLock;

/// The keys of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    start: u64,
    factor: u64,
}

impl Default for Keys {
    /// Those of this process.
    fn default() -> Keys {
        static KEYS: OnceLock<Keys> = OnceLock::new();
        *KEYS.get_or_init(|| {
            let random = RandomState::new();
            Keys {
                start: random.hash_one(0),
                factor: random.hash_one(1) | 1,
            }
        })
    }
}

impl Keys {
    /// The hash of `bytes`.
    #[inline]
    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        let mut state = self.fold(self.start ^ bytes.len() as u64);
        let (words, tail) = bytes.as_chunks::<8>();
        for word in words {
            state = self.fold(state ^ u64::from_le_bytes(*word));
        }
        if !tail.is_empty() {
            let word = match bytes.last_chunk::<8>() {
                // Some bytes twice; the length tells such tails apart.
                Some(word) => u64::from_le_bytes(*word),
                None => tail
                    .iter()
                    .fold(0, |word, byte| word << 8 | u64::from(*byte)),
            };
            state = self.fold(state ^ word);
        }
        self.fold(state)
    }

    #[inline]
    fn fold(&self, word: u64) -> u64 {
        let product = u128::from(word ^ self.start) * u128::from(self.factor);
        product as u64 ^ (product >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn texts_that_differ_little_do_not_meet() {
        let keys = Keys::default();
        let mut seen = HashSet::new();
        for number in 0..10_000_u32 {
            for text in [
                number.to_string(),
                format!("usr_{number}"),
                format!("a long value, ending in {number}"),
                "0".repeat(number as usize % 40) + &format!("{number:x}."),
            ] {
                assert_eq!(keys.hash(text.as_bytes()), keys.hash(text.as_bytes()));
                seen.insert((keys.hash(text.as_bytes()), text));
            }
        }
        let hashes: HashSet<u32> = seen.iter().map(|(hash, _)| (hash >> 32) as u32).collect();
        // Of 40,000 in 2^32 less than one is expected to meet another.
        assert!(hashes.len() + 5 >= seen.len(), "{}", hashes.len());
        let zeros: HashSet<u64> = (0..64).map(|len| keys.hash(&vec![0; len])).collect();
        assert_eq!(zeros.len(), 64);
    }

    /// Tables go by the low bits, and texts of fixed length can differ in their last letters alone.
    #[test]
    fn high_bits_of_a_word_reach_the_low_bits_of_the_hash() {
        let keys = Keys {
            start: 0x9e37_79b9_7f4a_7c15,
            factor: 0xbf58_476d_1ce4_e5b9,
        };
        let low = |last: u8| keys.hash(&[b'0', 0, 0, 0, 0, 0, 0, last]) as u8;
        let found: HashSet<u8> = (0..=u8::MAX).map(low).collect();
        assert!(found.len() > 100, "{}", found.len());
    }
}
