//! The keys of one object as they come: each may come once. Keys are few, so the first are
//! compared one by one; behind them they are sorted, so that an object of a million keys costs no
//! square.

/// Keys compared with each other as they come; more than these are sorted.
const FEW: usize = 8;

/// The keys seen so far, as they stand escaped: canonical text has one form only.
#[derive(Default)]
pub(super) struct Names<'a> {
    few: [&'a str; FEW],
    count: usize,
    many: Vec<&'a str>,
}

impl<'a> Names<'a> {
    /// Takes the next key; `false` when it is known to have come before.
    pub(super) fn add(&mut self, name: &'a str) -> bool {
        let known = self.few.get(..self.count.min(FEW)).unwrap_or_default();
        if known.contains(&name) {
            return false;
        }
        match self.few.get_mut(self.count) {
            Some(slot) => *slot = name,
            None => self.many.push(name),
        }
        self.count += 1;
        true
    }

    /// All keys have come; whether each came once.
    pub(super) fn are_apart(mut self) -> bool {
        self.many.sort_unstable();
        self.many.windows(2).all(|pair| pair.first() != pair.last())
    }
}
