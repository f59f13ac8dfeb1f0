//! The generator's own source of chance: xoshiro256++ seeded by splitmix64, so that a seed gives
//! the same bytes on every machine and in every version of any dependency.
//! Papers: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014);
//! Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2021).

/// A stream of random numbers that only its seed decides. Not for secrets.
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: [u64; 4],
}

/// splitmix64's output function: a bijection of 64 bits that leaves no visible pattern.
pub(super) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        let part = |number: u64| mix(seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        Random {
            state: [part(0), part(1), part(2), part(3)],
        }
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let out = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        out
    }

    /// A number from 0 to `bound - 1`; 0 for a bound of 0. The bias is below `bound / 2^64`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// The same as an index into a list of `len` entries.
    pub(super) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(u64::try_from(len).unwrap_or(0))).unwrap_or(0)
    }

    /// True in `millionths` of a million cases.
    pub(super) fn chance(&mut self, millionths: u64) -> bool {
        self.below(1_000_000) < millionths
    }

    /// One entry of `list`, each as likely as the others; the default of an empty one.
    pub(super) fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        list.get(self.index(list.len()))
            .copied()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // First outputs of the authors' reference code for the state 1, 2, 3, 4.
        let mut random = Random {
            state: [1, 2, 3, 4],
        };
        assert_eq!(random.bits(), 41_943_041);
        assert_eq!(random.bits(), 58_720_359);
        assert_eq!(random.bits(), 3_588_806_011_781_223);
        // splitmix64 from state 1234567.
        assert_eq!(mix(1_234_567), 6_457_827_717_110_365_317);
    }
}
