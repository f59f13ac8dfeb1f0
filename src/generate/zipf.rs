//! Draws in which the r-th most frequent thing comes with weight 1 / r^s, in constant time, by
//! alias tables (Walker 1977, Vose 1991). Weights use only +, ×, ÷ and √, which IEEE 754 rounds
//! alike everywhere: `powf` may differ in its last bit from one platform to the next.

use super::random::Random;

/// A table to draw indices from, each with the weight it was built with.
#[derive(Clone, Debug)]
pub(super) struct Alias {
    /// Per column: keep the column's own index below this 32-bit threshold, else take the other.
    columns: Vec<(u32, u32)>,
}

/// The weights 1 / r^`exponent` of the ranks r = 1 to `count`.
pub(super) fn weights(count: u32, exponent: f64) -> Vec<f64> {
    (1..=count)
        .map(|rank| 1.0 / power(f64::from(rank), exponent))
        .collect()
}

/// `base`^`exponent` for exponents from 0 to 8, by square roots: one for each binary digit of the
/// exponent's fraction. 30 digits leave an error below a millionth.
fn power(base: f64, exponent: f64) -> f64 {
    let (mut result, mut rest) = (1.0, exponent.clamp(0.0, 8.0));
    while rest >= 1.0 {
        result *= base;
        rest -= 1.0;
    }
    let mut root = base;
    for _ in 0..30 {
        root = root.sqrt();
        rest *= 2.0;
        if rest >= 1.0 {
            result *= root;
            rest -= 1.0;
        }
    }
    result
}

impl Alias {
    /// A table over the indices of `weights`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shares lie between 0 and 1, scaled to 32 bits; indices are below 2^32"
    )]
    pub(super) fn new(weights: &[f64]) -> Alias {
        let total: f64 = weights.iter().sum();
        let count = weights.len() as f64;
        let mut shares: Vec<f64> = weights.iter().map(|w| w * count / total).collect();
        let mut columns: Vec<(u32, u32)> =
            (0..weights.len()).map(|i| (u32::MAX, i as u32)).collect();
        let (mut poor, mut rich): (Vec<usize>, Vec<usize>) =
            (0..shares.len()).partition(|i| shares.get(*i).is_some_and(|share| *share < 1.0));
        while let (Some(low), Some(high)) = (poor.pop(), rich.last().copied()) {
            let share = shares.get(low).copied().unwrap_or(1.0);
            if let Some(column) = columns.get_mut(low) {
                *column = ((share * f64::from(u32::MAX)) as u32, high as u32);
            }
            if let Some(left) = shares.get_mut(high) {
                *left -= 1.0 - share;
                if *left < 1.0 {
                    rich.pop();
                    poor.push(high);
                }
            }
        }
        Alias { columns }
    }

    /// A table over `count` ranks with weights 1 / r^`exponent`, rank 1 at index 0.
    pub(super) fn zipf(count: u32, exponent: f64) -> Alias {
        Alias::new(&weights(count, exponent))
    }

    /// One index.
    pub(super) fn draw(&self, random: &mut Random) -> u32 {
        let index = random.index(self.columns.len());
        let toss = u32::try_from(random.bits() >> 32).unwrap_or(0);
        match self.columns.get(index) {
            Some((keep, _)) if toss <= *keep => u32::try_from(index).unwrap_or(0),
            Some((_, other)) => *other,
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_agree_with_the_machine() {
        for (base, exponent) in [(2.0, 1.1), (45.0, 1.1), (200_000.0, 1.05), (7.0, 0.8)] {
            let (ours, theirs) = (power(base, exponent), f64::powf(base, exponent));
            assert!((ours / theirs - 1.0).abs() < 1e-6, "{base}^{exponent}");
        }
    }

    #[test]
    fn draws_follow_the_weights() {
        let table = Alias::zipf(45, 1.1);
        let total: f64 = weights(45, 1.1).iter().sum();
        let mut random = Random::new(7);
        let mut counts = [0_u32; 45];
        for _ in 0..1_000_000 {
            if let Some(count) = counts.get_mut(table.draw(&mut random) as usize) {
                *count += 1;
            }
        }
        for (count, weight) in counts.into_iter().zip(weights(45, 1.1)) {
            let expected = 1e6 * weight / total;
            assert!((f64::from(count) - expected).abs() < 6.0 * expected.sqrt());
        }
    }
}
