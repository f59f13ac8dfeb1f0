//! What the integration tests share: a seeded source of chance and a folder that goes away.

use std::path::Path;

use auditdb::Order;
use auditdb::Query;
use auditdb::ReadMode;
use auditdb::Reader;
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

/// The canonical lines of a store that is only read, newest first.
pub(crate) fn lines(path: &Path, mode: ReadMode) -> auditdb::Result<Vec<String>> {
    let snapshot = Reader::open(path, mode)?.snapshot()?;
    let query = Query {
        order: Order::NewestFirst,
        ..Query::default()
    };
    let mut scan = snapshot.scan(&query)?;
    let mut lines = Vec::new();
    let mut line = Vec::new();
    while scan.next_line(&mut line)? {
        let text = String::from_utf8(core::mem::take(&mut line)).expect("a line is text");
        lines.push(text.trim_end().to_owned());
    }
    Ok(lines)
}
