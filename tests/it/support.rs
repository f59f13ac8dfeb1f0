//! What the integration tests share: a seeded source of chance and a folder that goes away.

use tempfile::TempDir;

/// A seeded generator (SplitMix64, Steele, Lea and Flood 2014), so that a failure can be repeated.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub(crate) fn choose<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    pub(crate) fn pick(&mut self, items: &[&'static str]) -> &'static str {
        self.choose::<&'static str>(items)
    }
}

/// A fresh folder that is removed when it is dropped.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// How many times more the fault rig asks for than a plain run: `AUDITDB_RIG`, 1 by default.
pub(crate) fn rig() -> u64 {
    let asked = std::env::var("AUDITDB_RIG").ok();
    asked.and_then(|times| times.parse().ok()).unwrap_or(1)
}
